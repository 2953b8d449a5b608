package pagestream

import (
	"bytes"
	"fmt"

	"github.com/lzpage/lzpage/lzrw1"
)

// FramePages is what goes into a frame.
type FramePages struct {
	// Numbers are those of the pages within their region, in ascending order:
	// one at least, MaxClusterPages at most.
	Numbers []uint64
	// Data is the pages, one behind the other.
	Data []byte
	// Earlier, unless nil, has for each page its earlier version, which the
	// receiver has, or nil.
	Earlier [][]byte
}

// A FrameEncoder makes frames, without a stream around them, for those who
// send pages in packets and see to their order themselves. Each is a pages
// frame of a sparse layer in clusters of MaxClusterPages. All of its pages are
// carried, also those that have not changed, so that the receiver checks them.
//
// It is reused without allocating once it has made large frames, and is for
// one goroutine.
type FrameEncoder struct {
	geometry geometry
	differ   differ
	finder   frameFinder
	cluster  *clusterEncoder
	batch    batch
	totals   Totals
}

// NewFrameEncoder returns an encoder of frames whose pages have so many bytes,
// a power of two from MinPageSize to MaxPageSize.
func NewFrameEncoder(pageSize int, level lzrw1.Level) (*FrameEncoder, error) {
	g, err := frameGeometry(pageSize)
	if err != nil {
		return nil, err
	}
	return &FrameEncoder{
		geometry: g,
		differ:   newDiffer(g, level),
		cluster:  newClusterEncoder(g, level),
		batch:    batch{region: new(writtenRegion)},
	}, nil
}

func frameGeometry(pageSize int) (geometry, error) {
	g, ok := newGeometry(pageSize, MaxClusterPages)
	if !ok {
		return g, fmt.Errorf("pagestream: no frame has pages of %d bytes: page sizes are powers of two from %d to %d", pageSize, MinPageSize, MaxPageSize)
	}
	return g, nil
}

// FrameBound returns the most bytes that a frame of so many pages of so many
// bytes takes, 0 where there is no such frame.
func FrameBound(pageSize, pages int) int {
	g, err := frameGeometry(pageSize)
	if err != nil || pages < 1 || pages > MaxClusterPages {
		return 0
	}
	return g.maxFramePages(pages)
}

// Append appends a frame of pages of the region to dst and returns the result.
// It is an error if the pages are none that a frame can hold; dst is then as
// it was.
func (e *FrameEncoder) Append(dst []byte, region uint32, pages FramePages) ([]byte, error) {
	if err := e.check(region, &pages); err != nil {
		return dst, err
	}
	b := &e.batch
	b.region.number = region
	b.data = pages.Data
	b.records = b.records[:0]
	for _, number := range pages.Numbers {
		b.records = append(b.records, pageRecord{page: number})
	}
	for i := range b.records {
		if pages.Earlier != nil && pages.Earlier[i] != nil {
			e.differ.take(b, i, pages.Earlier[i])
		} else {
			b.records[i] = classify(b.records[i].page, b.page(e.geometry, i))
		}
	}
	e.differ.encode(b)
	e.finder.find(e.geometry, b)
	frame := writtenFrame{end: len(b.records), pages: len(b.records)}
	for i := range b.records {
		if b.records[i].kind == Delta {
			frame.deltas++
		}
	}
	b.frames = append(b.frames[:0], frame)
	start := len(dst)
	b.heads = dst
	e.cluster.encode(b)
	dst = append(b.heads, b.frames[0].blocks...)
	b.data, b.heads, b.frames[0].blocks = nil, nil, nil
	for i := range b.records {
		e.totals.add(&b.records[i])
	}
	e.totals.Frames++
	e.totals.Bytes += uint64(len(pages.Data))
	e.totals.Stored += uint64(len(dst) - start)
	return dst, nil
}

func (e *FrameEncoder) check(region uint32, pages *FramePages) error {
	numbers := pages.Numbers
	switch {
	case region >= MaxRegions:
		return fmt.Errorf("pagestream: a frame of region %d: the last one is %d", region, MaxRegions-1)
	case len(numbers) < 1 || len(numbers) > MaxClusterPages:
		return fmt.Errorf("pagestream: a frame of %d pages: it has 1 to %d", len(numbers), MaxClusterPages)
	case len(pages.Data) != len(numbers)*e.geometry.pageSize() || pages.Earlier != nil && len(pages.Earlier) != len(numbers):
		return fmt.Errorf("pagestream: a frame of %d pages of %d bytes is given %d bytes and %d earlier versions", len(numbers), e.geometry.pageSize(), len(pages.Data), len(pages.Earlier))
	case numbers[len(numbers)-1] >= e.geometry.maxPages():
		return fmt.Errorf("pagestream: page %d is more than any region has", numbers[len(numbers)-1])
	}
	for i := range numbers[1:] {
		if numbers[i+1] <= numbers[i] {
			return fmt.Errorf("pagestream: page %d of a frame is followed by page %d", numbers[i], numbers[i+1])
		}
	}
	for i, earlier := range pages.Earlier {
		if earlier != nil && len(earlier) != e.geometry.pageSize() {
			return fmt.Errorf("pagestream: the earlier version of page %d has %d bytes, not %d", numbers[i], len(earlier), e.geometry.pageSize())
		}
	}
	return nil
}

// Totals returns what the encoder has made so far: Frames, the Bytes of their
// pages, what they take as Stored, and pages by kind.
func (e *FrameEncoder) Totals() Totals { return e.totals }

// A frameFinder finds pages that equal an earlier one of the same frame.
type frameFinder struct {
	slots [4 * MaxClusterPages]uint16 // by low bits of the CRC: 1 + the last such page
}

func (f *frameFinder) find(g geometry, b *batch) {
	clear(f.slots[:])
	for i := range b.records {
		r := &b.records[i]
		if !r.kind.hasContent() && r.kind != Delta {
			continue
		}
		slot := &f.slots[r.crc%uint32(len(f.slots))]
		if *slot > 0 {
			k := int(*slot - 1)
			// the CRC only proposes, see finder
			if same := &b.records[k]; same.crc == r.crc && bytes.Equal(b.page(g, k), b.page(g, i)) {
				r.kind, r.duplicate, r.block = Duplicate, pageAddress{b.region.number, same.page}, 0
				continue
			}
		}
		if r.kind != Delta {
			*slot = uint16(i + 1)
		}
	}
}
