package fuzz

import (
	"bytes"
	"encoding/binary"

	"github.com/lzpage/lzpage/internal/lzrw1spec"
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
func repair(b []byte, how int) []byte {
	if how == asIs {
		return b
	}
	frames := split(b)
	if how == crcsOnly {
		return join(frames)
	}
	fixed := pageFixer{crcs: make(map[pageAddress]uint32)}
	for i := range frames {
		if frames[i].typ == typePages {
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
	crcs map[pageAddress]uint32 // of the pages with content so far
}

// fix goes through a pages frame as far as it can be understood.
func (x *pageFixer) fix(f *frame) {
	records, ok := parseRecords(f)
	if !ok {
		return
	}
	var contents []byte // of the pages so far: the history
	for i, r := range records {
		at := pageAddress{uint64(f.region), f.first + uint64(i)}
		switch {
		case r.kind == 2:
			le.PutUint32(r.crc, x.crcs[r.duplicate])
		case r.kind >= 3:
			content, ok := decodeContent(r, contents)
			page, ok2 := unpack(r.kind, content, f.pageSize())
			if !ok || !ok2 {
				return
			}
			contents = append(contents, content...)
			x.crcs[at] = checksum(page)
			le.PutUint32(r.crc, x.crcs[at])
		}
	}
}

// A record is what a pages frame holds of a page.
type record struct {
	kind      byte
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
	for range f.pages {
		if len(rest) == 0 {
			return nil, false
		}
		r := record{kind: take(1)[0]}
		switch r.kind {
		case 0:
		case 1:
			take(8)
		case 2:
			r.duplicate = pageAddress{varint(), varint()}
			r.crc = take(4)
		case 3:
			r.crc = take(4)
			r.size = f.pageSize()
		case 4, 5, 6:
			r.crc = take(4)
			r.size = int(varint())
		default:
			return nil, false
		}
		if r.kind >= 2 && r.crc == nil {
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
		follows uint64 // offset in the stream behind the last frame listed
	}
	var regions []*seen
	var kept []frame
	var kinds [7]uint64
	offset := uint64(0)
	for _, f := range frames {
		size := uint64(headerSize + len(f.payload))
		switch f.typ {
		case typeRegion:
			switch number := int(f.region); {
			case len(f.payload) < regionSize:
			case number == len(regions):
				regions = append(regions, &seen{frame: f, length: unknownLength})
			case number < len(regions): // its final form
				regions[number].length = le.Uint64(f.payload[17:])
				continue
			}
		case typePages, typeZeros:
			entry, pages := size<<1, uint64(f.pages)
			if f.typ == typeZeros && len(f.payload) == 8 {
				pages = le.Uint64(f.payload)
				kinds[0] += pages
				entry |= 1
			}
			if records, ok := parseRecords(&f); ok && f.typ == typePages {
				for _, r := range records {
					kinds[r.kind]++
				}
			}
			if int(f.region) >= len(regions) {
				break // out of the switch
			}
			r := regions[f.region]
			if r.listed%maxListed == 0 || r.follows != offset {
				r.indexes = append(r.indexes, frame{typ: typeIndex, geometry: f.geometry, region: f.region, first: f.first, payload: le.AppendUint64(nil, offset)})
				r.listed = 0
			}
			r.listed++
			r.follows = offset + size
			r.next = f.first + pages
			x := &r.indexes[len(r.indexes)-1]
			x.payload = binary.AppendUvarint(x.payload, entry)
			if entry&1 != 0 {
				x.payload = binary.AppendUvarint(x.payload, pages)
			}
		case typeIndex, typeEnd:
			continue
		}
		kept = append(kept, f)
		offset += size
	}

	var end []frame
	total := uint64(0)
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
		total += le.Uint64(length)
		end = append(end, final)
		end = append(end, r.indexes...)
	}
	return withEnd(append(kept, end...), offset, total, kinds)
}

// withEnd returns the frames and an end frame for them.
func withEnd(frames []frame, index, bytes uint64, kinds [7]uint64) []frame {
	var headers []byte // their CRCs
	for i := range frames {
		headers = append(headers, frames[i].append(nil)[headerSize-4:headerSize]...)
	}
	b := le.AppendUint64(nil, index)
	b = le.AppendUint64(b, uint64(len(frames)))
	b = le.AppendUint64(b, bytes)
	for _, n := range kinds {
		b = le.AppendUint64(b, n)
	}
	b = le.AppendUint32(b, checksum(headers))
	b = le.AppendUint32(b, uint32(headerSize+len(b)+8))
	b = append(b, 0x50, 0x5A, 0x4C, 0x89)
	end := frame{typ: typeEnd, payload: b}
	if len(frames) > 0 {
		end.geometry = frames[0].geometry
	}
	return append(frames, end)
}
