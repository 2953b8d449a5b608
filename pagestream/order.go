package pagestream

import "fmt"

// A streamOrder checks that frames follow each other as SPEC.md says: what the
// format promises of a stream as a whole.
type streamOrder struct {
	lenient bool // salvaging: frames may be missing, but none goes back

	regions []streamRegion
	frames  uint64 // so far
	digest  uint32 // of their header CRCs

	pagesDigest uint32 // of the frames that an index must list
	indexDigest uint32 // of those that it lists
	indexAt     int64  // offset of the first final region frame; 0 before it
	indexed     int    // regions whose final form was read
	indexNext   uint64 // the page that the next index frame begins with

	ended       bool
	end         ending
	beforeEnd   uint64 // frames before the end frame
	digestAtEnd uint32 // digest of those
}

// A streamRegion is a region as far as it was read.
type streamRegion struct {
	Region
	known bool   // its region frame was read
	next  uint64 // the page that its next frame begins with
	whole bool   // no page can follow
}

// take checks the frame h, which stands at offset, and counts it.
func (o *streamOrder) take(h *frameHeader, offset int64, payload []byte) error {
	o.beforeEnd, o.digestAtEnd = o.frames, o.digest
	o.frames++
	o.digest = addDigest(o.digest, h.crc)
	if o.ended && !o.lenient {
		return h.corrupt(offset, -1, "a frame behind the end frame", nil)
	}
	o.ended = false
	if int64(h.region) > offset/frameHeaderSize { // each region has a frame
		return h.corrupt(offset, -1, "a region that cannot have begun", nil)
	}
	switch h.typ {
	case headerFrame:
		if o.beforeEnd > 0 || offset > 0 {
			return h.corrupt(offset, -1, "a second stream header", nil)
		}
		return nil
	case regionFrame:
		return o.takeRegion(h, offset, payload)
	case pagesFrame:
		return o.takePages(h, offset, uint64(h.pages), 0)
	case zerosFrame:
		if len(payload) != 8 {
			return h.corrupt(offset, -1, "zero run cannot be read", nil)
		}
		zeros := le.Uint64(payload)
		return o.takePages(h, offset, zeros, zeros)
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
	region, err := parseRegion(*h, offset, payload)
	if err != nil {
		return err
	}
	number := int(h.region)
	if number >= len(o.regions) && (o.lenient || o.indexAt == 0) {
		if number > len(o.regions) && !o.lenient {
			return h.corrupt(offset, -1, fmt.Sprintf("region where region %d should begin", len(o.regions)), nil)
		}
		if number > 0 && !o.lenient {
			if last := &o.regions[number-1]; last.Length != UnknownLength && !last.whole {
				return h.corrupt(offset, int64(last.next), "region begins before the one before it is whole", nil)
			}
		}
		r := o.region(number)
		r.Region, r.known = region, true
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
	r.Region, r.known = region, true
	if !o.lenient && r.next != r.Pages(h.geometry.pageSize()) {
		return h.corrupt(offset, int64(r.next), "region's pages end too early or too late", nil)
	}
	o.indexed = number + 1
	o.indexNext = 0
	return nil
}

// region returns the region of that number; those that were lost before it
// come into being.
func (o *streamOrder) region(number int) *streamRegion {
	for len(o.regions) <= number {
		o.regions = append(o.regions, streamRegion{Region: Region{Length: UnknownLength}})
	}
	return &o.regions[number]
}

// takePages takes a frame of so many pages, zeros of them in a zero run.
func (o *streamOrder) takePages(h *frameHeader, offset int64, pages, zeros uint64) error {
	number := int(h.region)
	if !o.lenient && o.indexAt != 0 || number < len(o.regions)-1 || number >= len(o.regions) && !o.lenient {
		return h.corrupt(offset, int64(h.first), "pages out of place", nil)
	}
	r := o.region(number)
	cluster := uint64(h.geometry.clusterPages())
	switch {
	case h.first < r.next, h.first > r.next && !o.lenient, r.whole:
		return h.corrupt(offset, int64(h.first), fmt.Sprintf("pages where page %d should follow", r.next), nil)
	case h.first%cluster != 0 || pages == 0:
		return h.corrupt(offset, int64(h.first), "pages not in clusters", nil)
	case pages > h.geometry.maxPages() || h.first+pages-1 > (1<<63-1-r.FileOffset)>>h.geometry.pageLog2:
		return h.corrupt(offset, int64(h.first), "pages beyond what a file can hold", nil)
	}
	next := h.first + pages
	if r.Length != UnknownLength {
		if most := r.Pages(h.geometry.pageSize()); next > most || next < most && pages%cluster != 0 {
			return h.corrupt(offset, int64(h.first), "pages do not fit the region's length", nil)
		}
		r.whole = next == r.Pages(h.geometry.pageSize())
	} else {
		r.whole = pages%cluster != 0
	}
	r.next = next
	e := indexEntry{offset, h.size(), h.first, zeros}
	o.pagesDigest = e.digest(o.pagesDigest, h.region)
	return nil
}

func (o *streamOrder) takeIndex(h *frameHeader, offset int64, payload []byte) error {
	part, ok := parseIndexPart(h, payload)
	number := int(h.region)
	if !ok || !o.lenient && (o.indexAt == 0 || number != o.indexed-1 || part.first != o.indexNext) {
		return h.corrupt(offset, -1, "index out of place", nil)
	}
	ok = part.each(h.geometry, func(e indexEntry) bool {
		o.indexDigest = e.digest(o.indexDigest, h.region)
		o.indexNext = e.first + max(e.zeros, uint64(h.geometry.clusterPages()))
		return true
	})
	if !ok {
		return h.corrupt(offset, -1, "index cannot be read", nil)
	}
	return nil
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
	if o.indexed != len(o.regions) || end.index != o.indexAt || o.indexDigest != o.pagesDigest {
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
