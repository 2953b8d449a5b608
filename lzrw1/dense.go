package lzrw1

import (
	"encoding/binary"
	"math/bits"
)

// A recentTable holds, by a hash of three bytes, the four positions where they
// last stood, as 16-bit numbers in one word, the latest in the low bits. As in
// a lastTable, any content is legal.
type recentTable [1 << recentBits]uint64

const recentBits = 11

// enter adds position i, where x stands, and returns the positions before it.
func (t *recentTable) enter(x uint64, i int) uint64 {
	slot := &t[uint32(x)<<8*2654435761>>(32-recentBits)]
	positions := *slot
	*slot = positions<<16 | uint64(uint16(i))
	return positions
}

// lookAhead is the copy length from which on a better copy at the next
// position is not looked for.
const lookAhead = 6

// encodeDense is the portable kernel of level Dense; block says what it is
// given and returns.
//
// It differs from encodeFast in the four positions that are tried, in looking
// for a longer copy one byte on before it takes a short one, and in entering
// the last position of a copy too.
func encodeDense(dst, data []byte, start, end int, giveUp bool, recent *recentTable) int {
	i, o, at := start, controlBytes, 0
	control := uint32(groupStart)
	probeEnd := min(end, len(data)-MaxCopy+1)
	n, offset := -1, 0 // the copy at i; n < 0 where it is not known yet
	for i < probeEnd {
		if n < 0 {
			x := load64(data, i)
			n, offset = longest(data, i, x, recent.enter(x, i))
			n = min(n, end-i)
		}
		nextN, nextOffset := -1, 0
		if n < lookAhead && n >= MinCopy && i+1 < probeEnd {
			x := load64(data, i+1)
			nextN, nextOffset = longest(data, i+1, x, recent.enter(x, i+1))
			nextN = min(nextN, end-i-1)
			if nextN > n {
				n = 0 // the byte at i is worth a literal
			}
		}
		if n < MinCopy {
			dst[o] = data[i]
			o++
			i++
			control >>= 1
			n, offset = nextN, nextOffset
		} else {
			binary.BigEndian.PutUint16(dst[o:], copyItem(offset, n))
			o += copyBytes
			i += n
			control = control>>1 | 1<<31
			if i < probeEnd {
				recent.enter(load64(data, i-1), i-1)
			}
			n = -1
		}
		if control&1 != 0 {
			binary.LittleEndian.PutUint16(dst[at:], uint16(control>>16))
			at, control = o, groupStart
			o += controlBytes
			if giveUp && o > bailOut && i-start < bailIn {
				return -1
			}
		}
	}
	return literals(dst, data[i:end], o, at, control)
}

// longest returns the length and offset of the longest agreement, at most 16
// bytes, between data[i:], whose first eight bytes are x, and the positions;
// the nearest of equals. A length below 3 may be less than the true one.
func longest(data []byte, i int, x, positions uint64) (n, offset int) {
	for {
		off := (i - int(positions)) & 0xFFFF
		if uint(off-1) >= MaxOffset {
			return n, offset // the others are older still
		}
		d := x ^ load64(data, i-off)
		l := bits.TrailingZeros64(d) >> 3
		if d == 0 {
			l = 8 + bits.TrailingZeros64(load64(data, i+8)^load64(data, i-off+8))>>3
			if l == MaxCopy {
				return l, off
			}
		}
		if l > n {
			n, offset = l, off
		}
		positions >>= 16
		if positions == 0 {
			return n, offset
		}
	}
}
