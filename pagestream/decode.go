package pagestream

import (
	"fmt"

	"github.com/lzpage/lzpage/delta"
	"github.com/lzpage/lzpage/lzrw1"
)

// A clusterDecoder turns pages frames back into pages.
type clusterDecoder struct {
	geometry geometry
	records  []pageRecord // of the frame parsed last
	blocks   []byte       // of that frame, one behind the other
	content  []byte
	deltas   *delta.Decoder
}

// pagesSpanned returns how many pages the pages frame h of a sparse layer
// spans, from the first that it carries to the last.
func pagesSpanned(h *frameHeader, offset int64, payload []byte) (uint64, error) {
	p := newRecordParser(h, offset, payload, true)
	for p.next() {
	}
	return p.record.page + 1 - h.first, p.err
}

// A recordParser goes through the records of a pages frame.
type recordParser struct {
	header frameHeader
	offset int64
	sparse bool // the frame is of a sparse layer
	rest   cursor
	count  int // records so far
	record pageRecord
	err    error
}

func newRecordParser(h *frameHeader, offset int64, payload []byte, sparse bool) recordParser {
	return recordParser{header: *h, offset: offset, sparse: sparse, rest: cursor{rest: payload}, record: pageRecord{page: h.first - 1}}
}

// next goes to the record of the next page that the frame carries. It reports
// false behind the last one and where there is none.
func (p *recordParser) next() bool {
	h := &p.header
	if p.count == h.pages || p.err != nil {
		return false
	}
	c := &p.rest
	page := p.record.page + 1
	kind := Kind(c.uint8())
	if kind == kept && p.sparse {
		n := c.varint()
		if p.count == 0 || n == 0 || page >= h.geometry.maxPages() || n >= h.geometry.maxPages()-page {
			c.fail()
		}
		page += n
		kind = Kind(c.uint8())
	}
	p.count++
	p.record = pageRecord{kind: kind, page: page}
	r := &p.record
	switch {
	case kind == Zero:
	case kind == Word:
		r.word = c.uint64()
	case kind == Duplicate:
		region := c.varint()
		r.duplicate = pageAddress{uint32(region), c.varint()}
		c.bad = c.bad || region >= MaxRegions
		r.crc = c.uint32()
	case kind == Plain:
		r.crc = c.uint32()
		r.block = h.geometry.pageSize()
	case kind.hasContent(), kind == Delta && p.sparse:
		if kind != Delta {
			r.crc = c.uint32()
		}
		block := c.varint()
		c.bad = c.bad || block > uint64(h.geometry.maxContent())
		r.block = int(block)
	case kind == Delta, kind == kept:
		c.fail()
	default:
		p.err = &Error{ErrUnsupported, p.offset, int(h.region), int64(page), fmt.Sprintf("page of kind %d", kind), nil}
		return false
	}
	if c.bad {
		p.err = h.corrupt(p.offset, int64(page), "page record cannot be read", nil)
	}
	return !c.bad
}

// parse reads the records of the pages frame h, which stands at offset in a
// sparse layer or not. The payload is kept until the next call.
func (d *clusterDecoder) parse(h *frameHeader, offset int64, payload []byte, sparse bool) error {
	d.geometry = h.geometry
	d.records = d.records[:0]
	p := newRecordParser(h, offset, payload, sparse)
	total := 0
	for p.next() {
		total += p.record.block
		d.records = append(d.records, p.record)
	}
	if p.err != nil {
		return p.err
	}
	if total != len(p.rest.rest) {
		return h.corrupt(offset, -1, fmt.Sprintf("blocks take %d bytes where %d are left", total, len(p.rest.rest)), nil)
	}
	d.blocks = p.rest.rest
	return nil
}

// decode writes the parsed frame's pages to pages, one for each of its first
// records: those that are nil are decoded only for what they mean to the ones
// behind. Where a page is a delta, its earlier version stands there before.
// Duplicates are left to the caller.
func (d *clusterDecoder) decode(h *frameHeader, offset int64, pages [][]byte) error {
	blocks := d.blocks
	if need := len(d.records) * d.geometry.maxContent(); len(d.content) < need {
		d.content = make([]byte, need)
	}
	at := 0 // in the contents
	for i, page := range pages {
		r := &d.records[i]
		block := blocks[:r.block]
		blocks = blocks[r.block:]
		switch r.kind {
		case Zero:
			clear(page)
			continue
		case Word:
			fillWord(page, r.word)
			continue
		case Duplicate:
			continue
		case Delta:
			if page != nil {
				if err := d.apply(page, block); err != nil {
					return h.corrupt(offset, int64(r.page), "", err)
				}
			}
			continue
		}
		n, err := d.decodeContent(r.kind, at, block)
		if err != nil {
			return h.corrupt(offset, int64(r.page), "", err)
		}
		content := d.content[at : at+n]
		at += n
		if page == nil {
			continue
		}
		switch r.kind {
		case Plain, LZRW1:
			copy(page, content)
		default:
			if !unpack(page, content) {
				return h.corrupt(offset, int64(r.page), "map of words left out does not fit the content", nil)
			}
		}
		if crc(page) != r.crc {
			return h.corrupt(offset, int64(r.page), "page differs from its CRC", nil)
		}
	}
	return nil
}

// decodeContent decodes block into d.content[at:] and returns the content's
// length.
func (d *clusterDecoder) decodeContent(kind Kind, at int, block []byte) (int, error) {
	switch kind {
	case LZRW1:
		n, err := lzrw1.DecodeHistory(d.content[:at+d.geometry.pageSize()], at, block)
		if err == nil && n < d.geometry.pageSize() {
			err = lzrw1.ErrTooShort
		}
		return n, err
	case LZRW1Packed:
		return lzrw1.DecodeHistory(d.content[:at+d.geometry.maxContent()], at, block)
	}
	return copy(d.content[at:], block), nil
}

// apply makes the page of its earlier version, which it holds.
func (d *clusterDecoder) apply(page, record []byte) error {
	if d.deltas == nil {
		d.deltas = delta.NewDecoder()
	}
	return d.deltas.Apply(page, record)
}

func fillWord(page []byte, word uint64) {
	for ; len(page) > 0; page = page[wordBytes:] {
		le.PutUint64(page, word)
	}
}
