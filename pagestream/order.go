package pagestream

import "fmt"

// A streamOrder checks that frames follow each other as SPEC.md says: what the
// format promises of a stream as a whole.
type streamOrder struct {
	lenient bool // salvaging: frames may be missing, but none goes back
	based   bool // the stream has a base

	regions []streamRegion
	frames  uint64 // so far
	ids     *identifier
	header  [frameHeaderSize]byte // of the frame at hand

	round int
	last  int    // region of the frame before in the round, if that is not round 0
	next  uint64 // the page of it that the next frame of the round may begin with

	indexAt     int64  // offset of the first final region frame; 0 before it
	indexed     int    // regions whose final form was read
	indexRound  int    // of the index frame before
	indexNext   uint64 // the page that the next index frame of the round may begin with
	indexDigest uint32 // of the frames that the index of the region at hand lists
	indexWrong  bool   // an index lists other frames than its region has

	ended     bool
	end       ending
	beforeEnd uint64 // frames before the end frame
	id        ID     // of the stream that ends with it
}

// A streamRegion is a region as far as it was read.
type streamRegion struct {
	storedRegion
	known  bool   // its region frame was read
	next   uint64 // the page behind the last one: in the complete layer of that, else of all
	whole  bool   // no page can follow in the complete layer
	digest uint32 // of the frames that its index must list
}

// sparse reports whether the layer at hand is.
func (o *streamOrder) sparse() bool { return o.based || o.round > 0 }

// take checks the frame h, which stands at offset, and counts it.
func (o *streamOrder) take(h *frameHeader, offset int64, payload []byte) error {
	if h.typ == endFrame {
		o.beforeEnd, o.id = o.frames, o.ids.id()
	}
	before := o.frames
	o.frames++
	if h.typ == headerFrame {
		o.ids.addHeaderPayload(payload)
	}
	h.put(o.header[:])
	o.ids.add(o.header[:])
	if o.ended && !o.lenient {
		return h.corrupt(offset, -1, "a frame behind the end frame", nil)
	}
	o.ended = false
	if int64(h.region) > offset/frameHeaderSize { // each region has a frame
		return h.corrupt(offset, -1, "a region that cannot have begun", nil)
	}
	switch h.typ {
	case headerFrame:
		if before > 0 || offset > 0 {
			return h.corrupt(offset, -1, "a second stream header", nil)
		}
		return nil
	case regionFrame:
		return o.takeRegion(h, offset, payload)
	case roundFrame:
		return o.takeRound(h, offset, payload)
	case pagesFrame:
		pages := uint64(h.pages)
		if o.sparse() {
			var err error
			if pages, err = pagesSpanned(h, offset, payload); err != nil {
				return err
			}
		}
		return o.takePages(h, offset, pages)
	case zerosFrame:
		if len(payload) != 8 {
			return h.corrupt(offset, -1, "zero run cannot be read", nil)
		}
		return o.takePages(h, offset, le.Uint64(payload))
	case indexFrame:
		return o.takeIndex(h, offset, payload)
	case endFrame:
		return o.takeEnd(h, offset, payload)
	}
	if h.typ&skippableBit == 0 {
		return &Error{ErrUnsupported, offset, -1, -1, fmt.Sprintf("frame of type %d", h.typ), nil}
	}
	return nil
}

func (o *streamOrder) takeRegion(h *frameHeader, offset int64, payload []byte) error {
	region, err := parseRegion(*h, offset, payload, o.based)
	if err != nil {
		return err
	}
	number := int(h.region)
	if number >= len(o.regions) && (o.lenient || o.indexAt == 0 && o.round == 0) {
		if number > len(o.regions) && !o.lenient {
			return h.corrupt(offset, -1, fmt.Sprintf("region where region %d should begin", len(o.regions)), nil)
		}
		if err := o.checkWhole(h, offset, number); err != nil {
			return err
		}
		r := o.region(number)
		r.storedRegion, r.known = region, true
		r.whole = region.Length == 0
		return nil
	}
	if o.indexAt == 0 {
		o.indexAt = offset
	}
	if !o.lenient && (number != o.indexed || number >= len(o.regions)) {
		return h.corrupt(offset, -1, fmt.Sprintf("final form where that of region %d should stand", o.indexed), nil)
	}
	r := o.region(number)
	if r.known && !r.final(region) {
		return h.corrupt(offset, -1, "region's final form differs from its first", nil)
	}
	r.storedRegion, r.known = region, true
	if pages := r.Pages(h.geometry.pageSize()); !o.lenient && (r.next > pages || r.next < pages && !o.based) {
		return h.corrupt(offset, int64(r.next), "region's pages end too early or too late", nil)
	}
	o.endIndex()
	o.indexed = number + 1
	o.indexRound, o.indexNext = 0, 0
	return nil
}

// checkWhole checks that the region before the given one is whole.
func (o *streamOrder) checkWhole(h *frameHeader, offset int64, number int) error {
	if number > 0 && !o.lenient && !o.based {
		if last := &o.regions[number-1]; last.Length != UnknownLength && !last.whole {
			return h.corrupt(offset, int64(last.next), "region before it is not whole", nil)
		}
	}
	return nil
}

// region returns the region of that number; those that were lost before it
// come into being.
func (o *streamOrder) region(number int) *streamRegion {
	for len(o.regions) <= number {
		o.regions = append(o.regions, streamRegion{storedRegion: storedRegion{Region{Length: UnknownLength}, noBase}})
	}
	return &o.regions[number]
}

func (o *streamOrder) takeRound(h *frameHeader, offset int64, payload []byte) error {
	if len(payload) != 4 || o.indexAt != 0 || o.round == MaxRounds || int(le.Uint32(payload)) != o.round+1 {
		return h.corrupt(offset, -1, fmt.Sprintf("a round where round %d or the index should begin", o.round+1), nil)
	}
	if o.round == 0 {
		if err := o.checkWhole(h, offset, len(o.regions)); err != nil {
			return err
		}
	}
	o.round++
	o.last, o.next = 0, 0
	return nil
}

// takePages takes a frame that spans so many pages.
func (o *streamOrder) takePages(h *frameHeader, offset int64, pages uint64) error {
	number := int(h.region)
	if !o.lenient && (o.indexAt != 0 || number >= len(o.regions)) || o.round == 0 && number < len(o.regions)-1 || number < o.last {
		return h.corrupt(offset, int64(h.first), "pages out of place", nil)
	}
	r := o.region(number)
	if pages == 0 || pages > h.geometry.maxPages() || h.first+pages-1 > (1<<63-1-r.FileOffset)>>h.geometry.pageLog2 {
		return h.corrupt(offset, int64(h.first), "no pages, or more than a file can hold", nil)
	}
	var err error
	if o.sparse() {
		err = o.takeSparse(r, h, offset, pages)
	} else {
		err = o.takeComplete(r, h, offset, pages)
	}
	if err != nil {
		return err
	}
	e := indexEntry{offset, h.size(), h.first, pages, h.typ == zerosFrame}
	r.digest = e.digest(r.digest, o.round)
	return nil
}

// takeComplete takes pages of the region in the complete layer.
func (o *streamOrder) takeComplete(r *streamRegion, h *frameHeader, offset int64, pages uint64) error {
	cluster := uint64(h.geometry.clusterPages())
	switch {
	case h.first < r.next, h.first > r.next && !o.lenient, r.whole:
		return h.corrupt(offset, int64(h.first), fmt.Sprintf("pages where page %d should follow", r.next), nil)
	case h.first%cluster != 0:
		return h.corrupt(offset, int64(h.first), "pages not in clusters", nil)
	}
	next := h.first + pages
	if r.Length != UnknownLength {
		most := r.Pages(h.geometry.pageSize())
		if next > most || next < most && pages%cluster != 0 {
			return h.corrupt(offset, int64(h.first), "pages do not fit the region's length", nil)
		}
		r.whole = next == most
	} else {
		r.whole = pages%cluster != 0
	}
	r.next = next
	return nil
}

// takeSparse takes pages of the region in a sparse layer.
func (o *streamOrder) takeSparse(r *streamRegion, h *frameHeader, offset int64, pages uint64) error {
	if number := int(h.region); number > o.last {
		o.last, o.next = number, 0
	}
	next := h.first + pages
	if h.first < o.next {
		return h.corrupt(offset, int64(h.first), fmt.Sprintf("pages that come before page %d", o.next), nil)
	}
	o.next = next
	switch {
	case !o.based: // round 0 has told how many there are
		if next > r.next {
			return h.corrupt(offset, int64(h.first), "pages beyond the region's end", nil)
		}
	case r.Length != UnknownLength && next > r.Pages(h.geometry.pageSize()):
		return h.corrupt(offset, int64(h.first), "pages beyond the region's end", nil)
	default:
		r.next = max(r.next, next)
	}
	return nil
}

func (o *streamOrder) takeIndex(h *frameHeader, offset int64, payload []byte) error {
	part, ok := parseIndexPart(h, offset, payload)
	number := int(h.region)
	if part.round != o.indexRound {
		o.indexNext = 0
	}
	if !ok || !o.lenient && (o.indexAt == 0 || number != o.indexed-1 || part.round < o.indexRound || part.first < o.indexNext) {
		return h.corrupt(offset, -1, "index out of place", nil)
	}
	walk := walkIndex(h.geometry, []indexPart{part}, part.first)
	for walk.next() {
		o.indexDigest = walk.entry.digest(o.indexDigest, part.round)
	}
	if walk.bad {
		return h.corrupt(offset, -1, "index cannot be read", nil)
	}
	o.indexRound, o.indexNext = part.round, walk.entry.end()
	return nil
}

// endIndex ends the index of the region at hand, if any.
func (o *streamOrder) endIndex() {
	if o.indexed > 0 && o.indexDigest != o.regions[o.indexed-1].digest {
		o.indexWrong = true
	}
	o.indexDigest = 0
}

func (o *streamOrder) takeEnd(h *frameHeader, offset int64, payload []byte) error {
	end, ok, err := parseEnd(payload)
	if err != nil {
		return &Error{ErrUnsupported, offset, -1, -1, "end frame", err}
	}
	if !ok {
		return h.corrupt(offset, -1, "end frame cannot be read", nil)
	}
	o.ended, o.end = true, end
	if o.indexAt == 0 {
		o.indexAt = offset
	}
	o.endIndex()
	if o.indexed != len(o.regions) || end.index != o.indexAt || o.indexWrong {
		return h.corrupt(offset, -1, "the index does not list what the stream holds", nil)
	}
	return nil
}

// bytes returns how many bytes the regions have that were read.
func (o *streamOrder) bytes() uint64 {
	total := uint64(0)
	for i := range o.regions {
		if o.regions[i].Length != UnknownLength {
			total += o.regions[i].Length
		}
	}
	return total
}

// pages returns how many pages the regions have that were read.
func (o *streamOrder) pages(g geometry) uint64 {
	total := uint64(0)
	for i := range o.regions {
		if o.regions[i].Length != UnknownLength {
			total += o.regions[i].Pages(g.pageSize())
		}
	}
	return total
}
