package pagestream

import "encoding/binary"

// indexEntries is how many frames an index frame lists at most.
const indexEntries = 256

// An indexPart is the contents of an index frame.
type indexPart struct {
	first   uint64 // page within the region
	offset  int64  // in the stream, of the first frame listed
	entries []byte
}

// An indexBuilder lists a region's frames as they are written.
type indexBuilder struct {
	parts []indexPart
	count int // entries in the last part
}

// add lists the frame at offset in the stream, length bytes long, whose first
// page is given; zeros is how many pages a zero run has, 0 for a pages frame.
func (x *indexBuilder) add(offset int64, length int, first, zeros uint64) {
	if len(x.parts) == 0 || x.count == indexEntries {
		x.parts = append(x.parts, indexPart{first: first, offset: offset})
		x.count = 0
	}
	x.count++
	last := &x.parts[len(x.parts)-1]
	entry := uint64(length) << 1
	if zeros > 0 {
		last.entries = binary.AppendUvarint(last.entries, entry|1)
		last.entries = binary.AppendUvarint(last.entries, zeros)
		return
	}
	last.entries = binary.AppendUvarint(last.entries, entry)
}

func (p *indexPart) appendPayload(b []byte) []byte {
	b = le.AppendUint64(b, uint64(p.offset))
	return append(b, p.entries...)
}

// An indexEntry is a frame that an index lists.
type indexEntry struct {
	offset int64  // in the stream
	length int64  // of the whole frame in bytes
	first  uint64 // page within the region
	zeros  uint64 // pages of a zero run; 0 for a pages frame
}

// parseIndexPart reads an index frame's payload, which it keeps.
func parseIndexPart(h *frameHeader, payload []byte) (indexPart, bool) {
	c := cursor{rest: payload}
	offset := c.uint64()
	return indexPart{h.first, int64(offset), c.rest}, int64(offset) >= 0 && len(c.rest) > 0
}

// each calls do for each frame that the part lists, until it returns false.
// It reports false where the part cannot be read.
func (p *indexPart) each(g geometry, do func(indexEntry) bool) bool {
	c := cursor{rest: p.entries}
	e := indexEntry{offset: p.offset, first: p.first}
	for n := 0; len(c.rest) > 0; n++ {
		length := c.varint()
		e.length, e.zeros = int64(length>>1), 0
		pages := uint64(g.clusterPages())
		if length&1 != 0 {
			e.zeros = c.varint()
			pages = e.zeros
		}
		most := int64(g.maxFramePages(g.clusterPages()))
		if c.bad || n == indexEntries || pages == 0 || pages > g.maxPages() || e.length < frameHeaderSize || e.length > most {
			return false
		}
		if !do(e) {
			return true
		}
		e.offset += e.length
		e.first += pages
		if e.offset < 0 || e.first > g.maxPages()+MaxClusterPages {
			return false
		}
	}
	return true
}

// digest adds the entry, of a region's index, to a digest of those before it.
func (e *indexEntry) digest(digest, region uint32) uint32 {
	for _, v := range [...]uint64{uint64(region), uint64(e.offset), uint64(e.length), e.first, e.zeros} {
		digest = addDigest(digest, uint32(v))
		digest = addDigest(digest, uint32(v>>32))
	}
	return digest
}
