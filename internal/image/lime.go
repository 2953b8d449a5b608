package image

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/lzpage/lzpage/pagestream"
)

const (
	limeMagic      = "EMiL" // 0x4C694D45, little-endian
	limeVersion    = 1
	limeHeaderSize = 32

	// maxLiMERanges bounds how many regions an input can be made of. Dumps
	// have tens of ranges.
	maxLiMERanges = 1 << 16
)

// lime is the layout of a LiME dump: ranges of memory, each behind a header.
type lime struct {
	ranges  int
	inRange bool // the current position is behind the header of a range
	address uint64
	end     int64 // of the range
}

// readLiME checks that a LiME dump begins with a range.
func readLiME(r *Reader) (layout, error) {
	_, err := new(lime).header(r)
	return new(lime), err
}

func (l *lime) next(r *Reader) (pagestream.Class, uint64, int64, error) {
	if l.inRange {
		l.inRange = false
		return pagestream.Memory, l.address, l.end, nil
	}
	found, err := l.header(r)
	var why unfit
	switch {
	case errors.As(err, &why):
		r.addNote("taken as other bytes from offset %d on: %s", r.pos, why)
	case err != nil:
		return 0, 0, 0, err
	case found:
		l.inRange = true
		return pagestream.Other, 0, r.pos + limeHeaderSize, nil
	}
	return pagestream.Other, 0, toEnd, nil
}

// header reads the header at the current position, false at the input's end.
func (l *lime) header(r *Reader) (bool, error) {
	h, err := r.peek(r.pos, limeHeaderSize)
	if err != nil {
		return false, err
	}
	if len(h) == 0 && r.pos > 0 {
		return false, nil
	}
	if len(h) < limeHeaderSize || string(h[:4]) != limeMagic {
		return false, unfit("there is no LiME header")
	}
	if version := binary.LittleEndian.Uint32(h[4:]); version != limeVersion {
		return false, unfit(fmt.Sprintf("the LiME header has version %d, only %d is known", version, limeVersion))
	}
	first, last := binary.LittleEndian.Uint64(h[8:]), binary.LittleEndian.Uint64(h[16:])
	begin := r.pos + limeHeaderSize
	if first > last || last >= math.MaxInt64 || last-first+1 >= uint64(math.MaxInt64-begin) {
		return false, unfit(fmt.Sprintf("the LiME header has a range from %#x to %#x", first, last))
	}
	if l.ranges == maxLiMERanges {
		return false, unfit(fmt.Sprintf("there are more than %d LiME ranges", maxLiMERanges))
	}
	l.ranges++
	l.address = first
	l.end = begin + int64(last-first+1)
	return true, nil
}
