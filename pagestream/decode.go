package pagestream

import (
	"fmt"

	"github.com/lzpage/lzpage/lzrw1"
)

// A clusterDecoder turns pages frames back into pages.
type clusterDecoder struct {
	geometry geometry
	records  []pageRecord // of the frame parsed last
	blocks   []byte       // of that frame, one behind the other
	content  []byte
}

func newClusterDecoder(g geometry) *clusterDecoder {
	return &clusterDecoder{geometry: g, records: make([]pageRecord, 0, g.clusterPages())}
}

// parse reads the records of the pages frame h, which stands at offset. The
// payload is kept until the next call.
func (d *clusterDecoder) parse(h *frameHeader, offset int64, payload []byte) error {
	d.records = d.records[:0]
	c := cursor{rest: payload}
	total := 0
	for i := range h.pages {
		r := pageRecord{kind: Kind(c.uint8())}
		switch r.kind {
		case Zero:
		case Word:
			r.word = c.uint64()
		case Duplicate:
			region := c.varint()
			r.duplicate = pageAddress{uint32(region), c.varint()}
			c.bad = c.bad || region >= MaxRegions
			r.crc = c.uint32()
		case Plain:
			r.crc = c.uint32()
			r.block = d.geometry.pageSize()
		case LZRW1, PlainPacked, LZRW1Packed:
			r.crc = c.uint32()
			block := c.varint()
			c.bad = c.bad || block > uint64(d.geometry.maxContent())
			r.block = int(block)
		default:
			return &Error{ErrUnsupported, offset, int(h.region), int64(h.first) + int64(i), fmt.Sprintf("page of kind %d", r.kind), nil}
		}
		if c.bad {
			return h.corrupt(offset, int64(h.first)+int64(i), "page record cannot be read", nil)
		}
		total += r.block
		d.records = append(d.records, r)
	}
	if total != len(c.rest) {
		return h.corrupt(offset, -1, fmt.Sprintf("blocks take %d bytes where %d are left", total, len(c.rest)), nil)
	}
	d.blocks = c.rest
	return nil
}

// decode writes the parsed frame's pages from first to last, relative to the
// frame, to dst, where page first stands first. Pages before first are decoded
// only for what they mean to those behind. Duplicates are left to the caller.
func (d *clusterDecoder) decode(h *frameHeader, offset int64, dst []byte, first, last int) error {
	size := d.geometry.pageSize()
	blocks := d.blocks
	if d.content == nil {
		d.content = make([]byte, d.geometry.clusterPages()*d.geometry.maxContent())
	}
	at := 0 // in the contents
	for i := 0; i <= last; i++ {
		r := &d.records[i]
		block := blocks[:r.block]
		blocks = blocks[r.block:]
		var page []byte
		if i >= first {
			page = dst[(i-first)*size:][:size]
		}
		switch r.kind {
		case Zero:
			clear(page)
			continue
		case Word:
			fillWord(page, r.word)
			continue
		case Duplicate:
			continue
		}
		n, err := d.decodeContent(r.kind, at, block)
		if err != nil {
			return h.corrupt(offset, int64(h.first)+int64(i), "", err)
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
				return h.corrupt(offset, int64(h.first)+int64(i), "map of words left out does not fit the content", nil)
			}
		}
		if crc(page) != r.crc {
			return h.corrupt(offset, int64(h.first)+int64(i), "page differs from its CRC", nil)
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

func fillWord(page []byte, word uint64) {
	for ; len(page) > 0; page = page[wordBytes:] {
		le.PutUint64(page, word)
	}
}
