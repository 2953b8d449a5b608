package lzrw1

import (
	"math/bits"
	"unsafe"
)

// hash maps the three low bytes of x to a slot of a lastTable.
func hash(x uint64) uint32 {
	return uint32(x) << 8 * 2654435761 >> (32 - lastBits)
}

// Where a block's first kilobyte does not shrink, the rest is not tried: past
// bailOut bytes of output with fewer than bailIn bytes consumed, it stays plain.
const (
	bailIn  = 1024
	bailOut = 1100
)

// encodeFast is the portable kernel of level Fast; block says what it is given
// and returns.
//
// One probe an item: a position is looked up and entered where an item starts,
// not inside copies. The last 15 bytes of data are literals, so that a probe
// loads 16 bytes without a test.
func encodeFast(dst, data []byte, start, end int, giveUp bool, last *lastTable) int {
	i, o := start, 0
	probeEnd := min(end, len(data)-MaxCopy+1)

	// Whole groups, while one cannot reach probeEnd: reads end at i+16, at most
	// MaxCopy behind it, and writes within MaxEncodedLen of what was consumed.
	src, out := unsafe.Pointer(unsafe.SliceData(data)), unsafe.Pointer(unsafe.SliceData(dst))
	for i <= probeEnd-maxGroupDecoded {
		if giveUp && o+controlBytes > bailOut && i-start < bailIn {
			return -1
		}
		i, o = fastGroup(src, out, i, o, last)
	}

	w := newItemWriter(dst, o)
	for i < probeEnd {
		x := load64(data, i)
		slot := hash(x)
		offset := (i - int(last[slot])) & 0xFFFF
		last[slot] = uint16(i)
		n := 0
		if uint(offset-1) < MaxOffset {
			n = min(matchLen(data, i, offset), end-i)
		}
		i += w.item(data[i], offset, n)
	}
	return w.finish(data[i:end])
}

// fastGroup encodes a whole group from src+i to out+o and returns where it
// ends. It is a function of its own for the sake of the compiler, which keeps
// all that the loop needs in registers then.
func fastGroup(src, out unsafe.Pointer, i, o int, last *lastTable) (int, int) {
	at := o
	o += controlBytes
	control := uint32(groupStart)
	for control&1 == 0 {
		x := at8(src, i)
		slot := hash(x)
		offset := (i - int(last[slot])) & 0xFFFF
		last[slot] = uint16(i)
		d := x ^ at8(src, i-offset)
		if d<<40 == 0 && uint(offset-1) < MaxOffset {
			n := bits.TrailingZeros64(d) >> 3
			if d == 0 {
				n = 8 + bits.TrailingZeros64(at8(src, i+8)^at8(src, i-offset+8))>>3
			}
			putCopy(out, o, offset, n)
			o += copyBytes
			i += n
			control = control>>1 | 1<<31
		} else {
			put1(out, o, byte(x))
			o++
			i++
			control >>= 1
		}
	}
	putControl(out, at, control>>16)
	return i, o
}
