package lzrw1

import (
	"encoding/binary"
	"math/bits"
)

// hash1991 is the hash of the 1991 program, of the three low bytes of x.
func hash1991(x uint64) uint32 {
	v := uint32(x)
	k := (v&0xFF<<4^v>>8&0xFF)<<4 ^ v>>16&0xFF
	return 40543 * k >> 4 & (1<<lastBits - 1)
}

const (
	// flaggedHeader is the size of the flagged form's header. The 1991 program
	// counts it when it decides whether to give up.
	flaggedHeader = 4
	// sweepEvery is how often, in bytes, positions that are out of reach are
	// made to stay so. It keeps a 16-bit position from looking near again
	// after 64 KiB, which the 1991 program, whose table holds pointers, cannot
	// mistake either.
	sweepEvery = 1 << 15
)

// encodeReference is the portable kernel of level Reference; block says what
// it is given and returns. It follows the 1991 program item by item.
//
// An empty slot holds 0 and so names position 0. That is harmless: were the
// three bytes those at position 0, the slot would be theirs and not empty.
func encodeReference(dst, data []byte, start, end int, giveUp bool, last *lastTable) int {
	i, o, at := start, controlBytes, 0
	control := uint32(groupStart)
	limit := MaxEncodedLen(end-start) + controlBytes
	if giveUp {
		limit = end - start - flaggedHeader
	}
	sweepAt := i&^(sweepEvery-1) + sweepEvery
	for {
		if o > limit {
			return -1
		}
		// the test above is made once a group while 16 items cannot end the
		// block, and then at every item
		items := 1
		if i <= end-groupItems*MaxCopy {
			items = groupItems
		} else if i > end-MaxCopy {
			if i == end {
				break
			}
		}
		for ; items > 0; items-- {
			n, offset := 0, 0
			if i <= end-MaxCopy {
				x := load64(data, i)
				slot := hash1991(x)
				offset = (i - int(last[slot])) & 0xFFFF
				last[slot] = uint16(i)
				if uint(offset-1) < MaxOffset {
					if d := x ^ load64(data, i-offset); d == 0 {
						n = 8 + bits.TrailingZeros64(load64(data, i+8)^load64(data, i-offset+8))>>3
					} else {
						n = bits.TrailingZeros64(d) >> 3
					}
				}
			}
			if n < MinCopy {
				dst[o] = data[i]
				o++
				i++
				control >>= 1
			} else {
				binary.BigEndian.PutUint16(dst[o:], copyItem(offset, n))
				o += copyBytes
				i += n
				control = control>>1 | 1<<31
			}
		}
		if control&1 != 0 {
			binary.LittleEndian.PutUint16(dst[at:], uint16(control>>16))
			at, control = o, groupStart
			o += controlBytes
		}
		if i >= sweepAt {
			last.sweep(i)
			sweepAt += sweepEvery
		}
	}
	return literals(dst, nil, o, at, control)
}

// sweep replaces the positions that lie out of reach before i by one that
// stays so for the next 32 KiB and more.
func (t *lastTable) sweep(i int) {
	for slot, position := range t {
		if uint16(i)-position > MaxOffset {
			t[slot] = uint16(i - 2*(MaxOffset+1))
		}
	}
}
