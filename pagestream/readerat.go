package pagestream

import (
	"errors"
	"fmt"
	"io"
	"sort"
	"sync"
)

// A ReaderAt reads any page of a stream that lies in a file. It holds the
// stream's index, about 0.2 bytes a page in clusters of 16, and is safe for
// concurrent use. Reading a page costs one look-up in the index and one
// cluster, as far as the page; a duplicate costs that twice.
type ReaderAt struct {
	src      io.ReaderAt
	size     int64 // of the stream in bytes
	index    int64 // where its index begins
	geometry geometry
	header   Header
	totals   Totals
	regions  []indexedRegion
	scratch  sync.Pool // of *readScratch
}

// An indexedRegion is a region and its index.
type indexedRegion struct {
	Region
	parts []indexPart
}

// A readScratch is what reading a cluster needs.
type readScratch struct {
	frame   []byte
	header  frameHeader
	decoder *clusterDecoder
	page    []byte // for parts of pages
}

// NewReaderAt opens the stream of size bytes in src and reads its index. A
// stream without its end is ErrCut: a [Reader] reads what there is of it.
func NewReaderAt(src io.ReaderAt, size int64, options ReadOptions) (*ReaderAt, error) {
	options.setDefaults()
	r := &ReaderAt{src: src, size: size}
	start := scanner{src: io.NewSectionReader(src, 0, size), limit: options.MaxClusterBytes}
	h, payload, err := start.nextHeader()
	if err != nil {
		return nil, err
	}
	if r.header, err = parseHeader(h, payload); err != nil {
		return nil, err
	}
	r.geometry = h.geometry
	r.scratch.New = func() any { return &readScratch{decoder: newClusterDecoder(r.geometry)} }
	endAt, end, err := r.readEnd(size, options)
	if err != nil {
		return nil, err
	}
	if err := r.readIndex(end.index, endAt, options); err != nil {
		return nil, err
	}
	r.index = end.index
	r.totals = end.totals
	r.totals.Regions = len(r.regions)
	r.totals.Frames++
	r.totals.Stored = uint64(size)
	return r, nil
}

// readEnd reads the end frame, to which the last bytes of the stream lead.
func (r *ReaderAt) readEnd(size int64, options ReadOptions) (at int64, e ending, err error) {
	cut := &Error{ErrCut, size, -1, -1, "its end is missing", nil}
	var tail [endTail]byte
	if _, err := r.src.ReadAt(tail[:], size-endTail); err != nil {
		return 0, e, fmt.Errorf("reading the stream's end: %w", err)
	}
	length := int64(le.Uint32(tail[:]))
	if le.Uint32(tail[4:]) != endMark || length > size {
		return 0, e, cut
	}
	at = size - length
	s := scanner{src: io.NewSectionReader(r.src, at, length), offset: at, limit: options.MaxClusterBytes, geometry: &r.geometry}
	h, payload, err := s.next()
	if err == io.EOF || errors.Is(err, ErrCut) || err == nil && (h.typ != endFrame || h.size() != length) {
		return 0, e, cut
	}
	if err != nil {
		return 0, e, err
	}
	e, ok, err := parseEnd(payload)
	if err != nil {
		return 0, e, &Error{ErrUnsupported, at, -1, -1, "end frame", err}
	}
	if !ok || e.index > at {
		return 0, e, h.corrupt(at, -1, "end frame cannot be read", nil)
	}
	return at, e, nil
}

// readIndex reads the region and index frames from offset at to end.
func (r *ReaderAt) readIndex(at, end int64, options ReadOptions) error {
	s := scanner{src: io.NewSectionReader(r.src, at, end-at), offset: at, limit: options.MaxClusterBytes, geometry: &r.geometry}
	for {
		offset := s.offset
		h, payload, err := s.next()
		if err == io.EOF {
			return nil
		}
		if errors.Is(err, ErrCut) {
			err = h.corrupt(offset, -1, "index cannot be read", nil)
		}
		if err != nil {
			return err
		}
		switch h.typ {
		case regionFrame:
			region, err := parseRegion(h, offset, payload)
			if err != nil {
				return err
			}
			if int(h.region) != len(r.regions) || region.Length == UnknownLength {
				return h.corrupt(offset, -1, "region out of place in the index", nil)
			}
			r.regions = append(r.regions, indexedRegion{Region: region})
		case indexFrame:
			part, ok := parseIndexPart(&h, payload)
			if !ok || len(r.regions) == 0 || int(h.region) != len(r.regions)-1 {
				return h.corrupt(offset, -1, "index out of place", nil)
			}
			region := &r.regions[h.region]
			if n := len(region.parts); n > 0 && part.first <= region.parts[n-1].first {
				return h.corrupt(offset, -1, "index goes back", nil)
			}
			part.entries = append([]byte(nil), part.entries...)
			region.parts = append(region.parts, part)
		default:
			if h.typ&skippableBit == 0 {
				return h.corrupt(offset, -1, fmt.Sprintf("frame of type %d in the index", h.typ), nil)
			}
		}
	}
}

// Header returns what the stream says of itself.
func (r *ReaderAt) Header() Header { return r.header }

// Totals returns what the stream says that it holds; PageBytes is zero.
func (r *ReaderAt) Totals() Totals { return r.totals }

// Regions returns the stream's regions.
func (r *ReaderAt) Regions() []Region {
	regions := make([]Region, len(r.regions))
	for i := range r.regions {
		regions[i] = r.regions[i].Region
	}
	return regions
}

// ErrRange is returned for a region, page or range that the stream has not.
var ErrRange = errors.New("pagestream: beyond the region or the stream")

// ReadPage reads a page of a region into dst, which must have the page size:
// what the page has beyond the region's length is zero.
func (r *ReaderAt) ReadPage(dst []byte, region int, page uint64) error {
	if region < 0 || region >= len(r.regions) || page >= r.regions[region].Pages(r.geometry.pageSize()) || len(dst) != r.geometry.pageSize() {
		return ErrRange
	}
	_, err := r.readPages(dst, region, page)
	if rest := r.regions[region].Length - page*uint64(len(dst)); rest < uint64(len(dst)) {
		clear(dst[rest:])
	}
	return err
}

// ReadRegionAt reads len(p) bytes from offset off of a region, as
// [io.ReaderAt] does of a file.
func (r *ReaderAt) ReadRegionAt(p []byte, region int, off int64) (int, error) {
	if region < 0 || region >= len(r.regions) || off < 0 {
		return 0, ErrRange
	}
	length := r.regions[region].Length
	if uint64(off) >= length {
		return 0, io.EOF
	}
	end := error(nil)
	if rest := length - uint64(off); uint64(len(p)) > rest {
		p, end = p[:rest], io.EOF
	}
	size := uint64(r.geometry.pageSize())
	n := 0
	for n < len(p) {
		at := uint64(off) + uint64(n)
		page, within := at/size, at%size
		if rest := uint64(len(p) - n); within == 0 && rest >= size {
			pages, err := r.readPages(p[n:n+int(rest-rest%size)], region, page)
			if err != nil {
				return n, err
			}
			n += pages * int(size)
			continue
		}
		c, err := r.readPartly(p[n:], region, page, within)
		if err != nil {
			return n, err
		}
		n += c
	}
	return n, end
}

// readPartly reads a page from within on into p and returns the bytes read.
func (r *ReaderAt) readPartly(p []byte, region int, page, within uint64) (int, error) {
	s := r.scratch.Get().(*readScratch)
	defer r.scratch.Put(s)
	if s.page == nil {
		s.page = make([]byte, r.geometry.pageSize())
	}
	if _, err := r.readPages(s.page, region, page); err != nil {
		return 0, err
	}
	return copy(p, s.page[within:]), nil
}

// readPages reads pages into dst, as many as fit and one frame has from the
// first one on, and returns their number.
func (r *ReaderAt) readPages(dst []byte, region int, first uint64) (int, error) {
	size := r.geometry.pageSize()
	e, err := r.find(region, first)
	if err != nil {
		return 0, err
	}
	room := uint64(len(dst) / size)
	if e.zeros > 0 {
		n := int(min(room, e.first+e.zeros-first))
		clear(dst[:n*size])
		return n, nil
	}
	s := r.scratch.Get().(*readScratch)
	defer r.scratch.Put(s)
	if err := r.readFrame(s, region, e); err != nil {
		return 0, err
	}
	from := int(first - e.first)
	if from >= s.header.pages {
		return 0, s.header.corrupt(e.offset, int64(first), "the frame ends before the page that the index says it has", nil)
	}
	n := int(min(room, uint64(s.header.pages-from)))
	if err := s.decoder.decode(&s.header, e.offset, dst, from, from+n-1); err != nil {
		return 0, err
	}
	for i := range n {
		if record := &s.decoder.records[from+i]; record.kind == Duplicate {
			at := pageAddress{uint32(region), first + uint64(i)}
			if err := r.readDuplicate(dst[i*size:][:size], s, e, at, record); err != nil {
				return 0, err
			}
		}
	}
	return n, nil
}

// readDuplicate reads the page that record, of the frame in s, says the page
// at the address equals.
func (r *ReaderAt) readDuplicate(dst []byte, s *readScratch, e indexEntry, at pageAddress, record *pageRecord) error {
	same := record.duplicate
	damaged := func(reason string, err error) error {
		return s.header.corrupt(e.offset, int64(at.page), fmt.Sprintf("duplicate of page %d of region %d: %s", same.page, same.region, reason), err)
	}
	if same.region > at.region || same.region == at.region && same.page >= at.page {
		return damaged("not an earlier page", nil)
	}
	if same.page >= r.regions[same.region].Pages(r.geometry.pageSize()) {
		return damaged("no such page", nil)
	}
	original, err := r.find(int(same.region), same.page)
	if err != nil {
		return damaged("", err)
	}
	if original.zeros > 0 {
		return damaged("a page without content", nil)
	}
	other := r.scratch.Get().(*readScratch)
	defer r.scratch.Put(other)
	if err := r.readFrame(other, int(same.region), original); err != nil {
		return damaged("", err)
	}
	from := int(same.page - original.first)
	if from >= other.header.pages || !other.decoder.records[from].kind.hasContent() || other.decoder.records[from].crc != record.crc {
		return damaged("not the same page", nil)
	}
	if err := other.decoder.decode(&other.header, original.offset, dst, from, from); err != nil {
		return damaged("", err)
	}
	return nil
}

// find returns the index's entry of the frame that covers the page.
func (r *ReaderAt) find(region int, page uint64) (indexEntry, error) {
	parts := r.regions[region].parts
	k := sort.Search(len(parts), func(i int) bool { return parts[i].first > page }) - 1
	var found indexEntry
	if k >= 0 {
		ok := parts[k].each(r.geometry, func(e indexEntry) bool {
			pages := max(e.zeros, uint64(r.geometry.clusterPages()))
			if page >= e.first && page-e.first < pages {
				found = e
				return false
			}
			return true
		})
		if ok && found.length > 0 {
			return found, nil
		}
	}
	return found, &Error{ErrCorrupt, r.index, region, int64(page), "the index does not list the page", nil}
}

// readFrame reads and parses the pages frame of the index's entry e.
func (r *ReaderAt) readFrame(s *readScratch, region int, e indexEntry) error {
	if e.length > r.size-e.offset {
		return &Error{ErrCorrupt, r.index, region, int64(e.first), "the index points behind the stream's end", nil}
	}
	if int64(cap(s.frame)) < e.length {
		s.frame = make([]byte, e.length)
	}
	frame := s.frame[:e.length]
	if n, err := r.src.ReadAt(frame, e.offset); n < len(frame) {
		return fmt.Errorf("reading the stream at byte %d: %w", e.offset, err)
	}
	h, ok := parseFrameHeader(frame)
	if !ok || h.typ != pagesFrame || h.geometry != r.geometry || int(h.region) != region || h.first != e.first || h.size() != e.length {
		return &Error{ErrCorrupt, e.offset, region, int64(e.first), "the index points to something else", nil}
	}
	if crc(frame[frameHeaderSize:]) != h.payloadCRC {
		return h.corrupt(e.offset, int64(e.first), "frame differs from its CRC", nil)
	}
	s.header = h
	return s.decoder.parse(&h, e.offset, frame[frameHeaderSize:])
}
