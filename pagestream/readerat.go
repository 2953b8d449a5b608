package pagestream

import (
	"errors"
	"fmt"
	"io"
	"sort"
	"sync"
)

// A ReaderAt reads any page of a stream that lies in a file, through its
// rounds and its base. It holds the stream's index, about 0.3 bytes a page in
// clusters of 16, and is safe for concurrent use. Reading a page costs one
// look-up in the index and one cluster, as far as the page; a duplicate costs
// that twice. Each round and each base down to the one that has the page, if
// more is to be read than what the topmost one has, costs as much again.
type ReaderAt struct {
	src      io.ReaderAt
	size     int64 // of the stream in bytes
	index    int64 // where its index begins
	geometry geometry
	header   Header
	totals   Totals
	base     *ReaderAt // or nil
	regions  []indexedRegion
	scratch  sync.Pool // of *readScratch
}

// An indexedRegion is a region and its index.
type indexedRegion struct {
	storedRegion
	rounds []indexedRound // those that carry pages of it, in order
}

// An indexedRound is what the index lists of one round.
type indexedRound struct {
	number int
	parts  []indexPart
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
	r.scratch.New = func() any { return new(readScratch) }
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
	if options.Base != nil {
		if err := r.setBase(options.Base); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// setBase puts the base below the stream if it is what the header names.
func (r *ReaderAt) setBase(base *ReaderAt) error {
	wrong := func(format string, args ...any) error {
		return &Error{ErrBase, 0, -1, -1, fmt.Sprintf(format, args...), nil}
	}
	switch {
	case r.header.Base == nil:
		return wrong("the stream has none, given is stream %v", base.totals.ID)
	case r.header.Base.ID != base.totals.ID:
		return wrong("it is stream %v, given is stream %v", r.header.Base.ID, base.totals.ID)
	case r.geometry.pageLog2 != base.geometry.pageLog2:
		return wrong("its pages have %d bytes, those of the stream %d", base.geometry.pageSize(), r.geometry.pageSize())
	}
	for i := range r.regions {
		if b := r.regions[i].base; b >= len(base.regions) {
			return &Error{ErrCorrupt, r.index, i, -1, fmt.Sprintf("it is based on region %d of a stream that has %d", b, len(base.regions)), nil}
		}
	}
	r.base = base
	return nil
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
			region, err := parseRegion(h, offset, payload, r.header.Base != nil)
			if err != nil {
				return err
			}
			if int(h.region) != len(r.regions) || region.Length == UnknownLength {
				return h.corrupt(offset, -1, "region out of place in the index", nil)
			}
			r.regions = append(r.regions, indexedRegion{storedRegion: region})
		case indexFrame:
			part, ok := parseIndexPart(&h, at, payload)
			if !ok || len(r.regions) == 0 || int(h.region) != len(r.regions)-1 {
				return h.corrupt(offset, -1, "index out of place", nil)
			}
			part.entries = append([]byte(nil), part.entries...)
			if !r.regions[h.region].add(part) {
				return h.corrupt(offset, -1, "index goes back", nil)
			}
		default:
			if h.typ&skippableBit == 0 {
				return h.corrupt(offset, -1, fmt.Sprintf("frame of type %d in the index", h.typ), nil)
			}
		}
	}
}

// add adds a part to the region's index. It reports false where the part must
// stand before those that are there. What a part lists ends in the stream
// before what the next one lists: no frame is of two rounds.
func (r *indexedRegion) add(part indexPart) bool {
	n := len(r.rounds)
	if n > 0 {
		last := &r.rounds[n-1]
		before := &last.parts[len(last.parts)-1]
		if part.round < last.number || part.round == last.number && part.first <= before.first || part.offset <= before.offset {
			return false
		}
		before.end = part.offset
		if part.round == last.number {
			last.parts = append(last.parts, part)
			return true
		}
	}
	r.rounds = append(r.rounds, indexedRound{part.round, []indexPart{part}})
	return true
}

// round returns what the index lists of a round, nil where that is nothing.
func (r *indexedRegion) round(number int) *indexedRound {
	k := sort.Search(len(r.rounds), func(i int) bool { return r.rounds[i].number >= number })
	if k == len(r.rounds) || r.rounds[k].number != number {
		return nil
	}
	return &r.rounds[k]
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

// allRounds stands for what comes behind all rounds.
const allRounds = MaxRounds + 1

// ReadPage reads a page of a region into dst, which must have the page size:
// what the page has beyond the region's length is zero.
func (r *ReaderAt) ReadPage(dst []byte, region int, page uint64) error {
	if region < 0 || region >= len(r.regions) || page >= r.regions[region].Pages(r.geometry.pageSize()) || len(dst) != r.geometry.pageSize() {
		return ErrRange
	}
	return r.readPages(dst, allRounds, region, page)
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
		if rest := min(uint64(len(p)-n), uint64(r.geometry.batchBytes())); within == 0 && rest >= size {
			whole := p[n:][:rest-rest%size]
			err := r.readPages(whole, allRounds, region, page)
			if err == nil {
				n += len(whole)
				continue
			}
			for len(whole) > 0 { // those before the error, and it
				if err := r.readPages(whole[:size], allRounds, region, page); err != nil {
					return n, err
				}
				whole = whole[size:]
				n += int(size)
				page++
			}
			return n, err // of a file that changes
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
	if err := r.readPages(s.page, allRounds, region, page); err != nil {
		return 0, err
	}
	return copy(p, s.page[within:]), nil
}

// ReadEarlier reads the pages of a region that have these numbers, which
// ascend, each into its dst, as they are before the given round: before round 0
// they are those of the base. It is what an [Earlier] of this stream is for.
// Before round 0, what the base has not is zero, and so are bytes beyond the
// region's end.
func (r *ReaderAt) ReadEarlier(dsts [][]byte, round, region int, numbers []uint64) error {
	if region < 0 || region >= len(r.regions) || len(dsts) != len(numbers) {
		return ErrRange
	}
	pages := r.regions[region].Pages(r.geometry.pageSize())
	for i, number := range numbers {
		if number >= pages || i > 0 && number <= numbers[i-1] || len(dsts[i]) != r.geometry.pageSize() {
			return ErrRange
		}
	}
	most := r.geometry.batchBytes() / r.geometry.pageSize()
	for len(numbers) > 0 {
		n := min(len(numbers), most)
		if err := r.readScattered(dsts[:n], round, region, numbers[:n]); err != nil {
			return err
		}
		dsts, numbers = dsts[n:], numbers[n:]
	}
	return nil
}

// find returns the index's entry of the frame that spans the page in the
// round, if there is one.
func (r *ReaderAt) find(region, round int, page uint64) (e indexEntry, listed bool, err error) {
	listing := r.regions[region].round(round)
	if listing == nil {
		return e, false, nil
	}
	walk := walkIndex(r.geometry, listing.parts, page)
	for walk.next() {
		if walk.entry.end() > page {
			return walk.entry, walk.entry.first <= page, nil
		}
	}
	if walk.bad {
		return e, false, r.badIndex(region, page)
	}
	return e, false, nil
}

func (r *ReaderAt) badIndex(region int, page uint64) error {
	return &Error{ErrCorrupt, r.index, region, int64(page), "the index cannot be read", nil}
}
