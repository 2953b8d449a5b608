package pagestream

import (
	"fmt"
	"sort"
)

// A FrameDecoder takes frames apart that a [FrameEncoder] has made, and writes
// their pages to the memory that they are of, where their earlier versions
// stand. It holds up to MaxClusterPages pages, is reused without allocating
// once it has met large frames, and is for one goroutine.
type FrameDecoder struct {
	geometry geometry
	decoder  clusterDecoder
	header   frameHeader
	numbers  []uint64
	pages    [][]byte
	totals   Totals
}

// NewFrameDecoder returns a decoder of frames whose pages have so many bytes.
func NewFrameDecoder(pageSize int) (*FrameDecoder, error) {
	g, err := frameGeometry(pageSize)
	if err != nil {
		return nil, err
	}
	return &FrameDecoder{geometry: g}, nil
}

// Parse checks that frame is a pages frame, whole and undamaged, and goes
// through its records. The frame is kept until the next call of Decode. Errors
// are [*Error], their offsets 0.
func (d *FrameDecoder) Parse(frame []byte) error {
	d.numbers = d.numbers[:0]
	if len(frame) < frameHeaderSize {
		return &Error{ErrCut, 0, -1, -1, fmt.Sprintf("%d bytes are no frame", len(frame)), nil}
	}
	h, ok := parseFrameHeader(frame)
	if !ok {
		return &Error{ErrFormat, 0, -1, -1, "its first bytes are not those of a frame", nil}
	}
	switch {
	case h.typ != pagesFrame:
		return h.corrupt(0, -1, fmt.Sprintf("frame of type %d instead of pages", h.typ), nil)
	case h.geometry != d.geometry:
		return h.corrupt(0, -1, fmt.Sprintf("pages of %d bytes in clusters of %d instead of %d in %d",
			h.geometry.pageSize(), h.geometry.clusterPages(), d.geometry.pageSize(), d.geometry.clusterPages()), nil)
	case h.size() != int64(len(frame)):
		return h.corrupt(0, -1, fmt.Sprintf("frame of %d bytes where there are %d", h.size(), len(frame)), nil)
	case crc(frame[frameHeaderSize:]) != h.payloadCRC:
		return h.corrupt(0, int64(h.first), "frame differs from its CRC", nil)
	}
	d.header = h
	if err := d.decoder.parse(&h, 0, frame[frameHeaderSize:], true); err != nil {
		return err
	}
	for i := range d.decoder.records {
		if r := &d.decoder.records[i]; r.kind == Duplicate && d.original(i) < 0 {
			return h.corrupt(0, int64(r.page), fmt.Sprintf("duplicate of page %d of region %d, which is not such a page of the frame", r.duplicate.page, r.duplicate.region), nil)
		}
	}
	for i := range d.decoder.records {
		d.numbers = append(d.numbers, d.decoder.records[i].page)
	}
	return nil
}

// original returns the earlier record whose page that of record i equals, or
// -1.
func (d *FrameDecoder) original(i int) int {
	before, r := d.decoder.records[:i], &d.decoder.records[i]
	k := sort.Search(len(before), func(k int) bool { return before[k].page >= r.duplicate.page })
	if k == len(before) || before[k].page != r.duplicate.page || r.duplicate.region != d.header.region ||
		!before[k].kind.hasContent() || before[k].crc != r.crc {
		return -1
	}
	return k
}

// Region returns the region of the frame parsed last.
func (d *FrameDecoder) Region() uint32 { return d.header.region }

// Numbers returns the numbers of the pages of the frame parsed last, in
// ascending order, valid until the next call of Parse; none if that failed.
func (d *FrameDecoder) Numbers() []uint64 { return d.numbers }

// Decode writes the pages of the frame parsed last to the memory of their
// region, where page n stands at n times the page size. Pages that are deltas
// are made of what stands there. Errors are [*Error]; where the cause is
// delta.ErrMismatch, that was not the earlier version. The pages of the frame
// are then undefined, but no other byte is written, and none at all where a
// page is beyond the memory. A frame is decoded once.
func (d *FrameDecoder) Decode(memory []byte) error {
	numbers := d.numbers
	d.numbers = d.numbers[:0]
	if len(numbers) == 0 {
		return ErrRange
	}
	size := d.geometry.pageSize()
	if last := numbers[len(numbers)-1]; last >= uint64(len(memory)/size) {
		return d.header.corrupt(0, int64(last), fmt.Sprintf("page beyond the end of a region of %d bytes", len(memory)), nil)
	}
	d.pages = d.pages[:0]
	for _, number := range numbers {
		d.pages = append(d.pages, memory[number*uint64(size):][:size:size])
	}
	err := d.decoder.decode(&d.header, 0, d.pages)
	for i := range d.pages {
		if record := &d.decoder.records[i]; err == nil {
			if record.kind == Duplicate {
				copy(d.pages[i], d.pages[d.original(i)])
			}
			d.totals.add(record)
		}
	}
	clear(d.pages)
	d.decoder.blocks = nil
	if err != nil {
		return err
	}
	d.totals.Frames++
	d.totals.Bytes += uint64(len(numbers) * size)
	d.totals.Stored += uint64(d.header.size())
	return nil
}

// Totals returns what the decoder has decoded so far: Frames, the Bytes of
// their pages, what they take as Stored, and pages by kind.
func (d *FrameDecoder) Totals() Totals { return d.totals }
