package delta

import (
	"encoding/binary"
	"math/bits"

	"github.com/lzpage/lzpage/lzrw1/asm"
)

// A map has a bit for each 8-byte word of a page, as package asm makes it. A
// record holds it in the shorter one of two forms: as a tree, which is short
// where few words are set, or as runs, which are where those stand together.

// levels is how many levels a tree has at most: a page of 2 MiB has a map of
// 32768 bytes, then 4096, 512, 64, 8, 1.
const levels = 6

// A tree is the levels of a map, the map itself first. Each level has a bit
// for each byte of the one before, set where that is not zero; the last level
// is one byte.
type tree struct {
	levels [levels][]byte
	count  int
}

// resize makes the tree one of a map of so many bytes, whatever it holds.
func (t *tree) resize(mapBytes int) {
	for t.count = 0; ; t.count++ {
		if cap(t.levels[t.count]) < mapBytes {
			t.levels[t.count] = make([]byte, mapBytes)
		}
		t.levels[t.count] = t.levels[t.count][:mapBytes]
		if mapBytes == 1 {
			t.count++
			return
		}
		mapBytes = (mapBytes + 7) / 8
	}
}

// set is the map itself.
func (t *tree) set() []byte { return t.levels[0] }

// build fills the levels above the map and returns how long the tree is as
// part of a record.
func (t *tree) build() (size int) {
	for k := 1; k < t.count; k++ {
		below, level := t.levels[k-1], t.levels[k]
		for i := range level {
			b := below[8*i:]
			var eight uint64
			if len(b) >= 8 {
				eight = le.Uint64(b)
			} else {
				for j, v := range b {
					eight |= uint64(v) << (8 * j)
				}
			}
			level[i] = asm.NonZero(eight)
			size += bits.OnesCount8(level[i])
		}
	}
	return size + 1
}

// append appends the tree that build has built: from the last level to the
// map, each level's bytes that are not zero.
func (t *tree) append(dst []byte) []byte {
	dst = append(dst, t.levels[t.count-1][0])
	for k := t.count - 1; k > 0; k-- {
		below := t.levels[k-1]
		for i, b := range t.levels[k] {
			for ; b != 0; b &= b - 1 {
				dst = append(dst, below[8*i+bits.TrailingZeros8(b)])
			}
		}
	}
	return dst
}

// parse reads a tree from the front of src into a tree of the right size and
// returns what follows it.
func (t *tree) parse(src []byte) (rest []byte, ok bool) {
	if len(src) == 0 || src[0] == 0 {
		return src, false
	}
	top := t.count - 1
	t.levels[top][0] = src[0]
	src = src[1:]
	for k := top; k > 0; k-- {
		below := t.levels[k-1]
		clear(below)
		for i, b := range t.levels[k] {
			for ; b != 0; b &= b - 1 {
				at := 8*i + bits.TrailingZeros8(b)
				if at >= len(below) || len(src) == 0 || src[0] == 0 {
					return src, false
				}
				below[at] = src[0]
				src = src[1:]
			}
		}
	}
	return src, true
}

// appendRuns appends the map as runs: in turn how many words are clear, and
// how many less one are set, as varints, up to the end of the page. It gives
// up, and reports false, where that takes limit bytes or more.
func appendRuns(dst, set []byte, limit int) ([]byte, bool) {
	if 2*countRuns(set) >= limit {
		return dst, false
	}
	start, words := len(dst), 8*len(set)
	for at := 0; at < words; {
		end := nextBit(set, at, 0)
		dst = binary.AppendUvarint(dst, uint64(end-at))
		if end < words {
			at, end = end, nextBit(set, end, 0xFF)
			dst = binary.AppendUvarint(dst, uint64(end-at-1))
		}
		at = end
		if len(dst)-start >= limit {
			return dst[:start], false
		}
	}
	return dst, true
}

// countRuns returns how many runs of bits are set in the map.
func countRuns(set []byte) (runs int) {
	before := uint64(0) // the last bit, at bit 0
	for ; len(set) >= 8; set = set[8:] {
		x := le.Uint64(set)
		runs += bits.OnesCount64(x &^ (x<<1 | before))
		before = x >> 63
	}
	for _, b := range set {
		x := uint64(b)
		runs += bits.OnesCount64(x &^ (x<<1 | before))
		before = x >> 7
	}
	return runs
}

// nextBit returns the first bit from at on that is set in the map or, if flip
// is 0xFF, clear; or the number of bits where there is none.
func nextBit(set []byte, at int, flip byte) int {
	i := at / 8
	if i == len(set) {
		return at
	}
	b := (set[i] ^ flip) >> (at % 8)
	if b != 0 {
		return at + bits.TrailingZeros8(b)
	}
	eight := uint64(int64(int8(flip)))
	for i++; i+8 <= len(set); i += 8 {
		if x := le.Uint64(set[i:]) ^ eight; x != 0 {
			return 8*i + bits.TrailingZeros64(x)
		}
	}
	for ; i < len(set); i++ {
		if b = set[i] ^ flip; b != 0 {
			return 8*i + bits.TrailingZeros8(b)
		}
	}
	return 8 * i
}

// parseRuns reads runs from the front of src into the map and returns what
// follows them.
func parseRuns(set, src []byte) (rest []byte, ok bool) {
	clear(set)
	words := uint64(8 * len(set))
	run := func() (uint64, bool) {
		v, n := binary.Uvarint(src)
		if n <= 0 || v >= words || n > 1 && src[n-1] == 0 {
			return 0, false
		}
		src = src[n:]
		return v, true
	}
	for at := uint64(0); at < words; {
		n, ok := run()
		if !ok || n > words-at || n == 0 && at > 0 {
			return src, false
		}
		if at += n; at == words {
			break
		}
		if n, ok = run(); !ok || n >= words-at {
			return src, false
		}
		setBits(set, int(at), int(at+n+1))
		at += n + 1
	}
	return src, true
}

// setBits sets the bits from from to before to.
func setBits(set []byte, from, to int) {
	i, j := from/8, to/8
	first, last := byte(0xFF)<<(from%8), byte(1)<<(to%8)-1
	if i == j {
		set[i] |= first & last
		return
	}
	set[i] |= first
	for i++; i < j; i++ {
		set[i] = 0xFF
	}
	if last != 0 {
		set[j] |= last
	}
}
