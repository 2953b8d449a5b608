package fuzz

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"

	"github.com/lzpage/lzpage/delta"
	"github.com/lzpage/lzpage/internal/lzrw1spec"
	"github.com/lzpage/lzpage/pagestream"
)

// How a mutated stream is put right before it is read. What mutation leaves
// alone would else stand behind a CRC that it never passes.
const (
	asIs     = iota // not at all
	crcsOnly        // frames' own CRCs
	pageCRCs        // the pages' as well
	complete        // and index and end are made for what stands before them
	repairs
)

// repair returns the stream that is left of b.
func repair(b []byte, how int) []byte { return repairOn(nil, b, how) }

// repairOn does the same for a stream that is based on base, if it says that it
// is based on anything: unless nothing is to be repaired, it names this one.
func repairOn(base *pagestream.ReaderAt, b []byte, how int) []byte {
	if how == asIs {
		return b
	}
	frames := split(b)
	if base != nil && len(frames) > 0 {
		if id := baseID(frames[0].payload); id != nil {
			right := base.Totals().ID
			copy(id, right[:])
		}
	}
	if how == crcsOnly {
		return join(frames)
	}
	fixed := pageFixer{base: base, crcs: make(map[pageAddress]uint32), pages: make(map[pageAddress][]byte)}
	for i := range frames {
		switch frames[i].typ {
		case typeRegion:
			fixed.regions = append(fixed.regions, baseRegion(frames[i].payload))
		case typeRound:
			clear(fixed.crcs)
		case typePages:
			fixed.fix(&frames[i])
		}
	}
	if how == complete {
		frames = completed(frames)
	}
	return join(frames)
}

type pageAddress struct{ region, page uint64 }

// A pageFixer gives pages the CRCs that they should have.
type pageFixer struct {
	base    *pagestream.ReaderAt
	regions []int                  // of the base, -1 for none
	crcs    map[pageAddress]uint32 // of the pages with content so far in the round
	pages   map[pageAddress][]byte // the last versions
}

// fix goes through a pages frame as far as it can be understood.
func (x *pageFixer) fix(f *frame) {
	records, ok := parseRecords(f)
	if !ok {
		return
	}
	var contents []byte // of the pages so far: the history
	for _, r := range records {
		at := pageAddress{uint64(f.region), r.page}
		page := make([]byte, f.pageSize())
		switch {
		case r.kind == 1:
			for i := range page {
				page[i] = r.word[i%8]
			}
		case r.kind == 2:
			le.PutUint32(r.crc, x.crcs[r.duplicate])
			copy(page, x.pages[r.duplicate])
		case r.kind == 7:
			copy(page, x.earlier(at, len(page)))
			if len(r.block) < 5 {
				continue
			}
			if err := delta.NewDecoder().Apply(page, r.block); err == delta.ErrMismatch {
				le.PutUint32(r.block[1:], checksum(page))
			}
		case r.kind >= 3:
			content, ok := decodeContent(r, contents)
			page, ok2 := unpack(r.kind, content, f.pageSize())
			if !ok || !ok2 {
				return
			}
			contents = append(contents, content...)
			x.crcs[at] = checksum(page)
			le.PutUint32(r.crc, x.crcs[at])
			x.pages[at] = page
			continue
		}
		x.pages[at] = page
	}
}

// earlier returns the last version of the page, nil if it is zero.
func (x *pageFixer) earlier(at pageAddress, size int) []byte {
	if page := x.pages[at]; page != nil || x.base == nil || at.region >= uint64(len(x.regions)) || x.base.Header().PageSize != size {
		return page
	}
	page := make([]byte, size)
	if x.base.ReadPage(page, x.regions[at.region], at.page) != nil {
		return nil
	}
	return page
}

// A record is what a pages frame holds of a page.
type record struct {
	kind      byte
	page      uint64
	word      []byte
	crc       []byte // in the frame's payload
	duplicate pageAddress
	size      int
	block     []byte
}

func parseRecords(f *frame) ([]record, bool) {
	var records []record
	rest := f.payload
	take := func(n int) []byte {
		if n < 0 || n > len(rest) {
			rest = nil
			return nil
		}
		b := rest[:n]
		rest = rest[n:]
		return b
	}
	varint := func() uint64 {
		v, n := binary.Uvarint(rest)
		take(n)
		return v
	}
	page := f.first
	for range f.pages {
		if len(rest) > 0 && rest[0] == 8 { // pages that are not carried
			take(1)
			page += varint()
		}
		if len(rest) == 0 {
			return nil, false
		}
		r := record{kind: take(1)[0], page: page}
		page++
		switch r.kind {
		case 0:
		case 1:
			if r.word = take(8); r.word == nil {
				return nil, false
			}
		case 2:
			r.duplicate = pageAddress{varint(), varint()}
			r.crc = take(4)
		case 3:
			r.crc = take(4)
			r.size = f.pageSize()
		case 4, 5, 6:
			r.crc = take(4)
			r.size = int(varint())
		case 7:
			r.size = int(varint())
		default:
			return nil, false
		}
		if r.kind >= 2 && r.kind <= 6 && r.crc == nil {
			return nil, false
		}
		records = append(records, r)
	}
	for i := range records {
		r := &records[i]
		if r.size > 0 {
			if r.block = take(r.size); r.block == nil {
				return nil, false
			}
		}
	}
	return records, len(rest) == 0
}

func decodeContent(r record, history []byte) ([]byte, bool) {
	if r.kind == 3 || r.kind == 5 {
		return r.block, true
	}
	content, err := lzrw1spec.Decode(history, r.block)
	return content, err == nil
}

// unpack returns the page of that content.
func unpack(kind byte, content []byte, pageSize int) ([]byte, bool) {
	if kind == 3 || kind == 4 {
		return content, len(content) == pageSize
	}
	words := pageSize / 8
	if len(content) < words/8 {
		return nil, false
	}
	set, content := content[:words/8], content[words/8:]
	page := make([]byte, pageSize)
	for i := range words {
		if set[i/8]>>(i%8)&1 == 0 {
			continue
		}
		if len(content) < 8 {
			return nil, false
		}
		copy(page[8*i:], content[:8])
		content = content[8:]
	}
	return page, len(content) == 0
}

// completed returns the frames with an index and an end frame that are right
// for what stands before them, in place of those that they had.
func completed(frames []frame) []frame {
	type seen struct {
		frame
		next    uint64 // the page behind its last
		length  uint64 // of the final form that it had, in bytes
		indexes []frame
		listed  int
		round   uint32 // of the last one
		behind  uint64 // the page behind it
		follows uint64 // offset in the stream behind it
	}
	var regions []*seen
	var kept []frame
	var totals ending
	round, carried := uint32(0), uint64(0)
	offset := uint64(0)
	for _, f := range frames {
		size := uint64(headerSize + len(f.payload))
		switch f.typ {
		case typeRegion:
			switch number := int(f.region); {
			case len(f.payload) < regionSize:
			case number == len(regions) && round == 0:
				regions = append(regions, &seen{frame: f, length: unknownLength})
			case number < len(regions): // its final form
				regions[number].length = le.Uint64(f.payload[17:])
				continue
			}
		case typeRound:
			round++
			totals.rounds++
		case typePages, typeZeros:
			length, pages := size<<1, uint64(f.pages)
			counted := pages
			if f.typ == typeZeros && len(f.payload) == 8 {
				pages = le.Uint64(f.payload)
				counted = pages
				totals.kinds[0] += pages
				length |= 1
			}
			if records, ok := parseRecords(&f); ok && f.typ == typePages && len(records) > 0 {
				for _, r := range records {
					totals.kinds[r.kind]++
				}
				pages = records[len(records)-1].page + 1 - f.first
			}
			if round == 0 {
				carried += counted
			}
			if int(f.region) >= len(regions) {
				break // out of the switch
			}
			r := regions[f.region]
			if r.listed%maxListed == 0 || r.follows != offset || r.round != round {
				payload := binary.AppendUvarint(le.AppendUint64(nil, offset), uint64(round))
				r.indexes = append(r.indexes, frame{typ: typeIndex, geometry: f.geometry, region: f.region, first: f.first, payload: payload})
				r.listed, r.behind = 0, f.first
			}
			r.listed++
			x := &r.indexes[len(r.indexes)-1]
			x.payload = binary.AppendUvarint(x.payload, f.first-r.behind)
			x.payload = binary.AppendUvarint(x.payload, length)
			x.payload = binary.AppendUvarint(x.payload, pages)
			r.round, r.behind, r.follows = round, f.first+pages, offset+size
			r.next = max(r.next, f.first+pages)
		case typeIndex, typeEnd:
			continue
		}
		kept = append(kept, f)
		offset += size
	}
	totals.index = offset

	var end []frame
	pages := uint64(0)
	for _, r := range regions {
		final := r.frame
		final.payload = bytes.Clone(final.payload)
		length := final.payload[17:regionSize]
		if le.Uint64(length) == unknownLength {
			if r.length == unknownLength {
				r.length = r.next * uint64(r.pageSize())
			}
			le.PutUint64(length, r.length)
		}
		totals.bytes += le.Uint64(length)
		pages += le.Uint64(length) / uint64(r.pageSize())
		if le.Uint64(length)%uint64(r.pageSize()) != 0 {
			pages++
		}
		end = append(end, final)
		end = append(end, r.indexes...)
	}
	if len(kept) > 0 && baseID(kept[0].payload) != nil {
		totals.kept = pages - carried
	}
	return withEnd(append(kept, end...), totals)
}

// An ending is what an end frame says.
type ending struct {
	index, bytes, rounds, kept uint64
	kinds                      [8]uint64
}

// withEnd returns the frames and an end frame for them.
func withEnd(frames []frame, totals ending) []frame {
	var identity []byte // what is hashed
	for i := range frames {
		if i == 0 {
			identity = append(identity, frames[i].payload...)
		}
		identity = append(identity, frames[i].append(nil)[:headerSize]...)
	}
	b := le.AppendUint64(nil, totals.index)
	b = le.AppendUint64(b, uint64(len(frames)))
	b = le.AppendUint64(b, totals.bytes)
	b = le.AppendUint64(b, totals.rounds)
	b = le.AppendUint64(b, totals.kept)
	for _, n := range totals.kinds {
		b = le.AppendUint64(b, n)
	}
	hash := sha256.Sum256(identity)
	b = append(b, hash[:16]...)
	b = le.AppendUint32(b, uint32(headerSize+len(b)+8))
	b = append(b, 0x50, 0x5A, 0x4C, 0x89)
	end := frame{typ: typeEnd, payload: b}
	if len(frames) > 0 {
		end.geometry = frames[0].geometry
	}
	return append(frames, end)
}

// baseID returns the identity of the base that a stream header's payload names,
// nil where there is none.
func baseID(payload []byte) []byte {
	value := field(payload[min(2, len(payload)):], 4)
	if len(value) < 16 {
		return nil
	}
	return value[:16]
}

// baseRegion returns the number of the base's region that a region's payload
// names, -1 where there is none.
func baseRegion(payload []byte) int {
	value := field(payload[min(regionSize, len(payload)):], 2)
	v, n := binary.Uvarint(value)
	if n <= 0 || v >= 1<<24 {
		return -1
	}
	return int(v)
}

// field returns the value of the field of that tag, nil where there is none.
func field(fields []byte, wanted uint64) []byte {
	for len(fields) > 0 {
		tag, n := binary.Uvarint(fields)
		if n <= 0 {
			return nil
		}
		length, m := binary.Uvarint(fields[n:])
		if m <= 0 || length > uint64(len(fields)-n-m) {
			return nil
		}
		value := fields[n+m:][:length]
		if tag == wanted {
			return value
		}
		fields = fields[n+m+int(length):]
	}
	return nil
}
