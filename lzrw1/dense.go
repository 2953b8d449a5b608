package lzrw1

import (
	"math/bits"
	"slices"
	"unsafe"
)

// A recentTable holds, by a hash of three bytes, the four positions where they
// last stood, as 16-bit numbers in one word, the latest in the low bits. As in
// a lastTable, any content is legal.
type recentTable [1 << recentBits]uint64

const recentBits = 12

// enter adds position i, where x stands, and returns the positions before it.
func (t *recentTable) enter(x uint64, i int) uint64 {
	slot := &t[uint32(x)<<8*2654435761>>(32-recentBits)]
	positions := *slot
	*slot = positions<<16 | uint64(uint16(i))
	return positions
}

// A denseEncoder encodes at level Dense.
type denseEncoder struct{ recent recentTable }

func (e *denseEncoder) encodeRuns(runs []Run, mayGrow bool) {
	for i := range runs {
		r := &runs[i]
		clear(e.recent[:])
		for i := max(0, r.History-MaxOffset); i < min(r.History, len(r.Data)-MaxCopy+1); i++ {
			e.recent.enter(load64(r.Data, i), i)
		}
		start := r.History
		for _, end := range r.Cuts {
			at := len(r.Blocks)
			r.Blocks = slices.Grow(r.Blocks, MaxEncodedLen(end-start)+controlBytes)
			n := encodeDense(r.Blocks[at:cap(r.Blocks)], r.Data, start, end, !mayGrow, &e.recent)
			if !mayGrow && (n < 0 || n >= end-start) {
				r.Blocks = append(r.Blocks, r.Data[start:end]...)
			} else {
				r.Blocks = r.Blocks[:at+n]
			}
			r.Ends = append(r.Ends, len(r.Blocks))
			start = end
		}
	}
}

// encodeDense is the portable kernel of level Dense; block says what it is
// given and returns.
//
// It differs from encodeFast in the positions that are tried, the offset of
// the last copy among them, in looking for a longer copy one byte on before it
// takes a short one, and in entering the last position of a copy too.
func encodeDense(dst, data []byte, start, end int, giveUp bool, recent *recentTable) int {
	i, o := start, 0
	probeEnd := min(end, len(data)-MaxCopy+1)
	n, offset := -1, 0 // the copy at i; n < 0 where it is not known yet
	last := 0          // offset of the copy before it; 0 where there is none

	// Whole groups, while one cannot reach probeEnd: reads end at i+17, at most
	// MaxCopy+1 behind it, and writes within MaxEncodedLen of what was consumed.
	src, out := unsafe.Pointer(unsafe.SliceData(data)), unsafe.Pointer(unsafe.SliceData(dst))
	for i < probeEnd-maxGroupDecoded {
		if giveUp && o+controlBytes > bailOut && i-start < bailIn {
			return -1
		}
		i, o, n, offset, last = denseGroup(src, out, i, o, n, offset, last, recent)
	}

	w := newItemWriter(dst, o)
	for i < probeEnd {
		if n < 0 {
			x := load64(data, i)
			n, offset = longest(src, i, x, recent.enter(x, i), last)
		}
		n = min(n, end-i)
		nextN, nextOffset := -1, 0
		if n < MaxCopy && n >= MinCopy && i+1 < probeEnd {
			x := load64(data, i+1)
			nextN, nextOffset = longest(src, i+1, x, recent.enter(x, i+1), last)
			if min(nextN, end-i-1) > n {
				n = 0
			}
		}
		i += w.item(data[i], offset, n)
		if n < MinCopy {
			n, offset = nextN, nextOffset
			continue
		}
		n, last = -1, offset
		if i < probeEnd {
			recent.enter(load64(data, i-1), i-1)
		}
	}
	return w.finish(data[i:end])
}

// denseGroup encodes a whole group from src+i to out+o. It takes and returns
// encodeDense's variables of the same names.
func denseGroup(src, out unsafe.Pointer, i, o, n, offset, last int, recent *recentTable) (int, int, int, int, int) {
	at := o
	o += controlBytes
	control := uint32(groupStart)
	for control&1 == 0 {
		if n < 0 {
			x := at8(src, i)
			n, offset = longest(src, i, x, recent.enter(x, i), last)
		}
		nextN, nextOffset := -1, 0
		if n < MaxCopy && n >= MinCopy {
			x := at8(src, i+1)
			nextN, nextOffset = longest(src, i+1, x, recent.enter(x, i+1), last)
			if nextN > n {
				n = 0 // the byte at i is worth a literal
			}
		}
		if n < MinCopy {
			put1(out, o, *(*byte)(unsafe.Add(src, i)))
			o++
			i++
			n, offset = nextN, nextOffset
			control >>= 1
		} else {
			putCopy(out, o, offset, n)
			o += copyBytes
			i += n
			n, last = -1, offset
			control = control>>1 | 1<<31
			recent.enter(at8(src, i-1), i-1)
		}
	}
	putControl(out, at, control>>16)
	return i, o, n, offset, last
}

// longest returns the length and offset of the longest agreement, at most 16
// bytes, between src+i, where x stands first, and the bytes at offset last, if
// that is not 0, and at the positions before i; the first one of equals. All 16
// bytes at src+i must be readable. A length below 3 may be less than the true
// one.
func longest(src unsafe.Pointer, i int, x, positions uint64, last int) (n, offset int) {
	if d := x ^ at8(src, i-last); d<<40 == 0 && last > 0 {
		n, offset = bits.TrailingZeros64(d)>>3, last
		if d == 0 {
			n = 8 + bits.TrailingZeros64(at8(src, i+8)^at8(src, i-last+8))>>3
			if n == MaxCopy {
				return n, offset
			}
		}
	}
	for {
		off := (i - int(positions)) & 0xFFFF
		if uint(off-1) >= MaxOffset {
			return n, offset // the others are older still
		}
		d := x ^ at8(src, i-off)
		l := bits.TrailingZeros64(d) >> 3
		if d == 0 {
			l = 8 + bits.TrailingZeros64(at8(src, i+8)^at8(src, i-off+8))>>3
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
