package pagestream

import (
	"encoding/binary"
	"sort"
)

// indexEntries is how many frames an index frame lists at most.
const indexEntries = 64

// An indexPart is the contents of an index frame.
type indexPart struct {
	round   int
	first   uint64 // page within the region
	offset  int64  // in the stream, of the first frame listed
	end     int64  // in the stream, where the frames listed must have ended
	entries []byte
}

// An indexEntry is a frame that an index lists.
type indexEntry struct {
	offset int64  // in the stream
	length int64  // of the whole frame in bytes
	first  uint64 // page within the region
	pages  uint64 // spanned
	zeros  bool   // it is a zero run
}

// end returns the page behind the last one.
func (e *indexEntry) end() uint64 { return e.first + e.pages }

// An indexBuilder lists a region's frames as they are written.
type indexBuilder struct {
	parts []indexPart
	count int    // entries in the last part
	next  uint64 // the page behind the last one listed
}

// add lists a frame of the round.
func (x *indexBuilder) add(round int, e indexEntry) {
	if n := len(x.parts); n == 0 || x.count == indexEntries || x.parts[n-1].round != round {
		x.parts = append(x.parts, indexPart{round: round, first: e.first, offset: e.offset})
		x.count, x.next = 0, e.first
	}
	x.count++
	last := &x.parts[len(x.parts)-1]
	last.entries = binary.AppendUvarint(last.entries, e.first-x.next)
	length := uint64(e.length) << 1
	if e.zeros {
		length |= 1
	}
	last.entries = binary.AppendUvarint(last.entries, length)
	last.entries = binary.AppendUvarint(last.entries, e.pages)
	x.next = e.end()
}

func (p *indexPart) appendPayload(b []byte) []byte {
	b = le.AppendUint64(b, uint64(p.offset))
	b = binary.AppendUvarint(b, uint64(p.round))
	return append(b, p.entries...)
}

// parseIndexPart reads the payload of an index frame, and keeps it. The frame
// stands at end.
func parseIndexPart(h *frameHeader, end int64, payload []byte) (indexPart, bool) {
	c := cursor{rest: payload}
	offset, round := c.uint64(), c.varint()
	return indexPart{int(round), h.first, int64(offset), end, c.rest}, offset < uint64(end) && round <= MaxRounds && len(c.rest) > 0
}

// An indexWalk goes through the frames that an index's parts list.
type indexWalk struct {
	geometry geometry
	parts    []indexPart // the one at hand and those to come
	rest     cursor      // of the part at hand
	count    int         // entries of it so far
	entry    indexEntry
	bad      bool // the index cannot be read
}

// walkIndex returns a walk through the parts, all of one round, from the
// one that may list the page.
func walkIndex(g geometry, parts []indexPart, page uint64) indexWalk {
	k := sort.Search(len(parts), func(i int) bool { return parts[i].first > page })
	w := indexWalk{geometry: g, parts: parts[max(k-1, 0):]}
	w.begin()
	return w
}

// begin begins the part at hand.
func (w *indexWalk) begin() {
	if len(w.parts) > 0 {
		p := &w.parts[0]
		w.rest, w.count = cursor{rest: p.entries}, 0
		w.entry = indexEntry{offset: p.offset, first: p.first}
	}
}

// next goes to the next entry. It reports false behind the last one and where
// the index cannot be read.
func (w *indexWalk) next() bool {
	for len(w.rest.rest) == 0 {
		if len(w.parts) < 2 {
			return false
		}
		w.parts = w.parts[1:]
		w.begin()
	}
	most := w.geometry.maxPages() // where the entry must end
	if len(w.parts) > 1 {
		most = w.parts[1].first
	}
	e := &w.entry
	first := e.end()
	gap, length := w.rest.varint(), w.rest.varint()
	pages := w.rest.varint()
	w.count++
	*e = indexEntry{e.offset + e.length, int64(length >> 1), first + gap, pages, length&1 != 0}
	ok := !w.rest.bad && w.count <= indexEntries && (w.count > 1 || gap == 0) &&
		e.length >= frameHeaderSize && e.length <= int64(w.geometry.maxFramePages(w.geometry.clusterPages())) && e.offset >= 0 && e.length <= w.parts[0].end-e.offset &&
		gap <= most && pages > 0 && pages <= most && e.first <= most-pages
	if !ok {
		w.bad, w.parts, w.rest.rest = true, nil, nil
	}
	return ok
}

// find goes to the first entry at hand or to come that ends behind the page. It
// reports false where there is none. Parts before the page are passed over
// unread.
func (w *indexWalk) find(page uint64) bool {
	for w.count == 0 || w.entry.end() <= page {
		if len(w.parts) > 1 && w.parts[1].first <= page {
			k := sort.Search(len(w.parts), func(i int) bool { return w.parts[i].first > page })
			w.parts = w.parts[k-1:]
			w.begin()
		}
		if !w.next() {
			return false
		}
	}
	return true
}

// digest adds the entry, of a round, to a digest of those before it.
func (e *indexEntry) digest(digest uint32, round int) uint32 {
	zeros := uint64(0)
	if e.zeros {
		zeros = 1
	}
	for _, v := range [...]uint64{uint64(round), uint64(e.offset), uint64(e.length), e.first, e.pages, zeros} {
		for range 8 {
			digest = ^crcByte(^digest, byte(v))
			v >>= 8
		}
	}
	return digest
}

// crcByte adds a byte to a CRC without its final inversion. A table look-up
// spares eight bytes the detour over a slice on the heap.
func crcByte(state uint32, b byte) uint32 { return castagnoli[byte(state)^b] ^ state>>8 }
