package qemuram

import (
	"fmt"
	"math/bits"
	"slices"

	"github.com/lzpage/lzpage/pagestream"
)

// MinPageSize and MaxPageSize bound a page, in bytes, a power of two.
const (
	MinPageSize = 512
	MaxPageSize = 64 << 10
)

// A packet is the numbers of its pages in their block, in ascending order.
type packet struct {
	pageLog2 int
	numbers  []uint64
}

func newPacket(pageSize int) (packet, error) {
	if pageSize < MinPageSize || pageSize > MaxPageSize || bits.OnesCount(uint(pageSize)) != 1 {
		return packet{}, fmt.Errorf("%w: pages of %d bytes, not a power of two from %d to %d", ErrArgument, pageSize, MinPageSize, MaxPageSize)
	}
	return packet{bits.TrailingZeros(uint(pageSize)), make([]uint64, 0, MaxPages)}, nil
}

func (p *packet) pageSize() int { return 1 << p.pageLog2 }

// take takes the offsets of pages in a block of so many bytes.
func (p *packet) take(offsets []uint64, size int) error {
	if len(offsets) < 1 || len(offsets) > MaxPages {
		return fmt.Errorf("%w: a packet of %d pages, not of 1 to %d", ErrArgument, len(offsets), MaxPages)
	}
	p.numbers = p.numbers[:0]
	pages := uint64(size) >> p.pageLog2
	for _, offset := range offsets {
		number := offset >> p.pageLog2
		if number<<p.pageLog2 != offset || number >= pages {
			return fmt.Errorf("%w: a page at %#x of a block of %#x bytes", ErrArgument, offset, size)
		}
		p.numbers = append(p.numbers, number)
	}
	slices.Sort(p.numbers)
	for i := range p.numbers[1:] {
		if p.numbers[i] == p.numbers[i+1] {
			return fmt.Errorf("%w: the page at %#x is twice in a packet", ErrArgument, p.numbers[i]<<p.pageLog2)
		}
	}
	return nil
}

// FrameBound returns the most bytes of the frame of a packet of so many pages
// of so many bytes, 0 where there is no such packet.
func FrameBound(pageSize, pages int) int {
	if pageSize < MinPageSize || pageSize > MaxPageSize {
		return 0
	}
	return pagestream.FrameBound(pageSize, pages)
}
