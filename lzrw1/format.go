package lzrw1

import (
	"encoding/binary"
	"unsafe"
)

// Limits of the format.
const (
	// MaxOffset is the farthest that a copy reaches back, in bytes.
	MaxOffset = 4095
	// MinCopy is the shortest copy that an encoder writes, in bytes. Decoders
	// accept 1 and 2 as well, as the 1991 program does.
	MinCopy = 3
	// MaxCopy is the longest copy, in bytes.
	MaxCopy = 16

	groupItems   = 16 // items of a full group
	controlBytes = 2  // of a group's control word
	copyBytes    = 2  // of a copy item

	// maxGroupBytes is the most that a group takes, all copies.
	maxGroupBytes = controlBytes + groupItems*copyBytes
	// maxGroupDecoded is the most that a group decodes to.
	maxGroupDecoded = groupItems * MaxCopy
)

// MaxEncodedLen returns the size of the largest block that n bytes encode to:
// all literals, and a control word of two bytes for each 16 of them.
func MaxEncodedLen(n int) int {
	return n + controlBytes*((n+groupItems-1)/groupItems)
}

// A Level chooses between speed and ratio.
type Level uint8

const (
	// Fast takes the last position with the same three bytes, if any, and
	// keeps a block plain early where its first kilobyte does not shrink.
	Fast Level = iota
	// Dense looks at three earlier positions for each byte and takes the best
	// way through what it finds: blocks a tenth smaller, at a third of Fast's
	// speed where there are kernels for it (amd64 with AVX2).
	Dense
	// Reference equals the 1991 encoder to the byte, its give-up rule
	// included.
	Reference
)

// String returns the level's name: fast, dense or reference.
func (l Level) String() string {
	switch l {
	case Fast:
		return "fast"
	case Dense:
		return "dense"
	case Reference:
		return "reference"
	}
	return "unknown"
}

func load64(b []byte, i int) uint64 { return binary.LittleEndian.Uint64(b[i:]) }

// The encoders' inner loops address memory without bounds checks, which would
// cost them a third of their speed. Each loop says why it stays in bounds.

// at8 returns the eight bytes at p+i.
func at8(p unsafe.Pointer, i int) uint64 {
	return binary.LittleEndian.Uint64((*[8]byte)(unsafe.Add(p, i))[:])
}

// put1 writes a byte at p+i.
func put1(p unsafe.Pointer, i int, v byte) { *(*byte)(unsafe.Add(p, i)) = v }

// putCopy writes a copy item at p+i.
func putCopy(p unsafe.Pointer, i, offset, length int) {
	binary.BigEndian.PutUint16((*[2]byte)(unsafe.Add(p, i))[:], copyItem(offset, length))
}

// putControl writes a control word at p+i.
func putControl(p unsafe.Pointer, i int, control uint32) {
	binary.LittleEndian.PutUint16((*[2]byte)(unsafe.Add(p, i))[:], uint16(control))
}

// copyItem returns the two bytes of a copy, the first in the high half.
func copyItem(offset, length int) uint16 {
	return uint16(offset>>8<<12 | (length-1)<<8 | offset&0xFF)
}
