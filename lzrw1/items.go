package lzrw1

import (
	"encoding/binary"
	"math/bits"
)

// An itemWriter writes a block item by item.
type itemWriter struct {
	dst     []byte
	o       int    // where the next item goes
	at      int    // where the control word of the group in progress goes
	control uint32 // its bits so far, see groupStart
}

// groupStart is the control bits of a group without items: a marker that
// sixteen shifts bring down to bit 0. Each item shifts its bit in at bit 31.
const groupStart = 1 << groupItems

// newItemWriter begins a group at dst[o].
func newItemWriter(dst []byte, o int) itemWriter {
	return itemWriter{dst, o + controlBytes, o, groupStart}
}

// item writes a copy of n bytes or, where n is below MinCopy, the literal c. It
// returns how many bytes the item stands for.
func (w *itemWriter) item(c byte, offset, n int) int {
	if n < MinCopy {
		w.dst[w.o] = c
		w.o++
		w.control >>= 1
		n = 1
	} else {
		binary.BigEndian.PutUint16(w.dst[w.o:], copyItem(offset, n))
		w.o += copyBytes
		w.control = w.control>>1 | 1<<31
	}
	if w.control&1 != 0 {
		binary.LittleEndian.PutUint16(w.dst[w.at:], uint16(w.control>>16))
		w.at, w.control = w.o, groupStart
		w.o += controlBytes
	}
	return n
}

// finish writes rest as literals, closes the last group, and returns the
// block's length.
func (w *itemWriter) finish(rest []byte) int {
	for _, c := range rest {
		w.item(c, 0, 0)
	}
	if w.control == groupStart { // a group without items is dropped
		return w.at
	}
	for w.control&1 == 0 { // the first item to bit 0
		w.control >>= 1
	}
	binary.LittleEndian.PutUint16(w.dst[w.at:], uint16(w.control>>16))
	return w.o
}

// matchLen returns how many bytes agree at data[i:] and offset bytes before, at
// most 16; so many must follow i.
func matchLen(data []byte, i, offset int) int {
	if d := load64(data, i) ^ load64(data, i-offset); d != 0 {
		return bits.TrailingZeros64(d) >> 3
	}
	return 8 + bits.TrailingZeros64(load64(data, i+8)^load64(data, i-offset+8))>>3
}
