package asm

import (
	"bytes"
	"math/bits"
)

// The kernels of this file look at the bytes in which words of two pages
// differ. The mask of a word has a bit for each of its bytes, the first one's
// the least, set where that differs.

// DiffBytes returns in how many bytes the equally long pages a and b differ.
func DiffBytes(a, b []byte) int {
	checkPage(a)
	_ = b[len(a)-1]
	return Active.DiffBytes(a, b)
}

// PackBytes writes to dst, for the words that set has, first the mask of each
// and behind them the bytes of new that differ from old, and returns how much
// that is. dst has room for a byte a word and len(new), and may be overwritten
// that far.
func PackBytes(dst, old, new, set []byte) int {
	checkMap(set, new)
	_ = old[len(new)-1]
	words := Count(set[:len(new)/64])
	_ = dst[words+len(new)-1]
	return words + Active.PackBytes(dst, dst[words:], old, new, set)
}

// MergeBytes writes over bytes of page what packed, as PackBytes makes it,
// says of the words that set has. It reports false, and does nothing, if
// packed is not as long as set and the masks say, or a mask is empty.
func MergeBytes(page, packed, set []byte) bool {
	checkMap(set, page)
	words := Count(set[:len(page)/64])
	if len(packed) < words {
		return false
	}
	masks, src := packed[:words], packed[words:]
	if bytes.IndexByte(masks, 0) >= 0 || Count(masks) != len(src) {
		return false
	}
	Active.MergeBytes(page, masks, src, set)
	return true
}

// NonZero returns the mask of the bytes of x that are not zero.
func NonZero(x uint64) byte {
	const low7, high = 0x7F7F7F7F7F7F7F7F, 0x8080808080808080
	nonZero := (x&low7 + low7 | x) & high // the high bit of each such byte
	return byte(nonZero >> 7 * 0x0102040810204080 >> 56)
}

// diffBytesPortable returns in how many bytes the equally long pages a and b
// differ.
func diffBytesPortable(a, b []byte) int {
	n := 0
	for b = b[:len(a)]; len(a) > 0; a, b = a[8:], b[8:] {
		if x := le.Uint64(a) ^ le.Uint64(b); x != 0 {
			n += bits.OnesCount8(NonZero(x))
		}
	}
	return n
}

// packBytesPortable writes the masks of the words that set has to masks, and
// the bytes of new that differ from old to dst, and returns how many bytes
// those are. dst has room for len(new) bytes, and may be overwritten that far.
func packBytesPortable(masks, dst, old, new, set []byte) int {
	at, k := 0, 0
	for i, s := range set[:len(new)/64] {
		for ; s != 0; s &= s - 1 {
			word := 64*i + 8*bits.TrailingZeros8(s)
			m := NonZero(le.Uint64(old[word:]) ^ le.Uint64(new[word:]))
			masks[k] = m
			k++
			for ; m != 0; m &= m - 1 {
				dst[at] = new[word+bits.TrailingZeros8(m)]
				at++
			}
		}
	}
	return at
}

// mergeBytesPortable is the reverse of packBytesPortable: it writes the bytes
// of src over those of page that the masks have, of the words that set has.
// len(masks) and len(src) are what set and masks say.
func mergeBytesPortable(page, masks, src, set []byte) {
	for i, s := range set[:len(page)/64] {
		for ; s != 0; s &= s - 1 {
			word := page[64*i+8*bits.TrailingZeros8(s):][:8]
			m := masks[0]
			masks = masks[1:]
			for ; m != 0; m &= m - 1 {
				word[bits.TrailingZeros8(m)] = src[0]
				src = src[1:]
			}
		}
	}
}
