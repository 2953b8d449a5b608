package asm

import (
	"encoding/binary"
	"math/bits"
)

// The kernels of this file look at pages as 8-byte words. A page here is any
// number of bytes that 64 divides, 64 at least. Maps say something of each
// word of a page in one bit: of word i, in bit i%8 of byte i/8. What a kernel
// writes overlaps nothing that it reads.

var le = binary.LittleEndian

// ZeroMap writes to set, which has a bit for each word of page, the map of the
// words that are not zero, and returns how many those are.
func ZeroMap(set, page []byte) int {
	checkMap(set, page)
	return Active.ZeroMap(set, page)
}

// DiffMap writes to set, which has a bit for each word of a, the map of the
// words in which the equally long pages a and b differ, and returns how many
// those are.
func DiffMap(set, a, b []byte) int {
	checkMap(set, a)
	_ = b[len(a)-1]
	return Active.DiffMap(set, a, b)
}

// Pack writes to dst the words of page that set has, one behind the other. dst
// has room for all of page, and may be overwritten that far.
func Pack(dst, page, set []byte) {
	checkMap(set, page)
	_ = dst[len(page)-1]
	set = set[:len(page)/64]
	if Count(set)*sparse <= len(page)/8 {
		packSparse(dst, page, set)
		return
	}
	Active.Pack(dst, page, set)
}

// sparse is one in how many words a map has at most that is gone through bit by
// bit. The kernels go through all words, whatever the map.
const sparse = 16

// packSparse is Pack of a map of few bits.
func packSparse(dst, page, set []byte) {
	for ; len(set) >= 8; set, page = set[8:], page[512:] {
		for s := le.Uint64(set); s != 0; s &= s - 1 {
			copy(dst, page[8*bits.TrailingZeros64(s):][:8])
			dst = dst[8:]
		}
	}
	packPortable(dst, page, set)
}

// Unpack is the reverse of Pack: it fills page with the words that set has,
// from words, and with zeros. It reports false, and does nothing, if words is
// not as long as set says.
func Unpack(page, words, set []byte) bool {
	checkMap(set, page)
	if len(words) != 8*Count(set[:len(page)/64]) {
		return false
	}
	Active.Unpack(page, words, set)
	return true
}

// Merge writes words over those of page that set has, and leaves the others.
// It panics if words is not as long as set says.
func Merge(page, words, set []byte) {
	checkMap(set, page)
	if len(words) != 8*Count(set[:len(page)/64]) {
		panic("asm: the words to merge are not as many as their map says")
	}
	Active.Merge(page, words, set)
}

// Count returns how many bits are set in the map.
func Count(set []byte) int {
	n := 0
	for ; len(set) >= 8; set = set[8:] {
		n += bits.OnesCount64(le.Uint64(set))
	}
	for _, b := range set {
		n += bits.OnesCount8(b)
	}
	return n
}

// checkMap panics unless page is as long as the kernels take, and set has room
// for its map.
func checkMap(set, page []byte) {
	checkPage(page)
	_ = set[len(page)/64-1]
}

// checkPage panics unless page is as long as the kernels take.
func checkPage(page []byte) {
	if len(page) == 0 || len(page)%64 != 0 {
		panic("asm: a page must be a positive multiple of 64 bytes")
	}
}

// bit returns 1 for true, without a branch.
func bit(b bool) byte {
	if b {
		return 1
	}
	return 0
}

// zeroMapPortable writes to set, len(page)/64 bytes of it, the map of page's
// words that are not zero, and returns how many those are.
func zeroMapPortable(set, page []byte) int {
	set = set[:len(page)/64]
	n := 0
	for i := range set {
		w := (*[64]byte)(page[64*i:])
		s := bit(le.Uint64(w[0:]) != 0) | bit(le.Uint64(w[8:]) != 0)<<1 |
			bit(le.Uint64(w[16:]) != 0)<<2 | bit(le.Uint64(w[24:]) != 0)<<3 |
			bit(le.Uint64(w[32:]) != 0)<<4 | bit(le.Uint64(w[40:]) != 0)<<5 |
			bit(le.Uint64(w[48:]) != 0)<<6 | bit(le.Uint64(w[56:]) != 0)<<7
		set[i] = s
		n += bits.OnesCount8(s)
	}
	return n
}

// diffMapPortable writes to set, len(a)/64 bytes of it, the map of the words
// in which the equally long pages a and b differ, and returns how many those
// are.
func diffMapPortable(set, a, b []byte) int {
	set, b = set[:len(a)/64], b[:len(a)]
	n := 0
	for i := range set {
		v, w := (*[64]byte)(a[64*i:]), (*[64]byte)(b[64*i:])
		s := bit(le.Uint64(v[0:]) != le.Uint64(w[0:])) | bit(le.Uint64(v[8:]) != le.Uint64(w[8:]))<<1 |
			bit(le.Uint64(v[16:]) != le.Uint64(w[16:]))<<2 | bit(le.Uint64(v[24:]) != le.Uint64(w[24:]))<<3 |
			bit(le.Uint64(v[32:]) != le.Uint64(w[32:]))<<4 | bit(le.Uint64(v[40:]) != le.Uint64(w[40:]))<<5 |
			bit(le.Uint64(v[48:]) != le.Uint64(w[48:]))<<6 | bit(le.Uint64(v[56:]) != le.Uint64(w[56:]))<<7
		set[i] = s
		n += bits.OnesCount8(s)
	}
	return n
}

// packPortable writes to dst the words of page that set has, one behind the
// other. dst has room for all of page, and may be overwritten that far.
func packPortable(dst, page, set []byte) {
	for i, s := range set[:len(page)/64] {
		eight := (*[64]byte)(page[64*i:])
		if s == 0xFF {
			copy(dst, eight[:])
			dst = dst[64:]
			continue
		}
		for ; s != 0; s &= s - 1 {
			copy(dst, eight[8*bits.TrailingZeros8(s):][:8])
			dst = dst[8:]
		}
	}
}

// unpackPortable is the reverse of packPortable: it fills page with the words
// that set has, from words, and zeros. len(words) is 8 for each bit that is
// set in the map, which the caller has counted.
func unpackPortable(page, words, set []byte) {
	for i, s := range set[:len(page)/64] {
		eight := (*[64]byte)(page[64*i:])
		if s == 0xFF {
			copy(eight[:], words)
			words = words[64:]
			continue
		}
		clear(eight[:])
		for ; s != 0; s &= s - 1 {
			copy(eight[8*bits.TrailingZeros8(s):][:8], words)
			words = words[8:]
		}
	}
}

// mergePortable writes words over those of page that set has. len(words) is 8
// for each bit that is set in the map.
func mergePortable(page, words, set []byte) {
	for i, s := range set[:len(page)/64] {
		eight := (*[64]byte)(page[64*i:])
		if s == 0xFF {
			copy(eight[:], words)
			words = words[64:]
			continue
		}
		for ; s != 0; s &= s - 1 {
			copy(eight[8*bits.TrailingZeros8(s):][:8], words)
			words = words[8:]
		}
	}
}
