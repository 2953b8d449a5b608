package asm

import (
	"encoding/binary"
	"math/bits"
	"unsafe"
)

// Decode decodes groups of the block src into data[o:], and returns how far it
// came in both: to the end, or to the start of a group that is wrong, or of one
// before it. Copies may reach back to data[0]. What data holds behind oEnd is
// undefined.
func Decode(data []byte, o int, src []byte) (oEnd, sEnd int) {
	_ = data[o:]
	return Active.Decode(unsafe.SliceData(data), len(data), o, unsafe.SliceData(src), len(src), 0)
}

// decodePortable decodes groups of src[s:srcSize] into data[o:size] and
// returns how far it came in both, always at the start of a group. It stops at
// a copy with offset 0 or from before data[0], at what does not fit, and before
// the end, where a whole group might not fit. The kernels in assembly stop only
// at what is wrong, or up to three groups before it. What data[oEnd:size] holds
// afterwards is undefined.
//
// Items are decoded without tests of their own: literals sixteen bytes at a
// time, copies as two words.
func decodePortable(dataStart *byte, size, o int, srcStart *byte, srcSize, s int) (oEnd, sEnd int) {
	const (
		maxGroupBytes = controlBytes + groupItems*copyBytes
		slack         = 16 // a copy or a run of literals may be read and written so far beyond its end
	)
	data, src := unsafe.Slice(dataStart, size), unsafe.Slice(srcStart, srcSize)
	for s+maxGroupBytes+slack <= len(src) && o+maxGroup+slack <= len(data) {
		oEnd, sEnd = o, s
		control := uint32(le.Uint16(src[s:])) | groupStart
		s += controlBytes
		for {
			run := bits.TrailingZeros32(control) // literals before the next copy
			*(*[16]byte)(data[o:]) = *(*[16]byte)(src[s:])
			s += run
			o += run
			control >>= run
			if control == 1 {
				break // the marker
			}
			item := int(binary.BigEndian.Uint16(src[s:]))
			offset := item>>12<<8 | item&0xFF
			length := item>>8&0x0F + 1
			if uint(offset-1) >= uint(o) {
				return oEnd, sEnd
			}
			from := o - offset
			x := le.Uint64(data[from:])
			if offset < 8 {
				// repeat the first offset bytes; the second word starts
				// where their period does
				x &= 1<<(8*offset) - 1
				x |= x << (8 * offset)
				x |= x << (16 * offset)
				x |= x << (32 * offset)
				from = o - int(periods[offset])
			}
			le.PutUint64(data[o:], x)
			le.PutUint64(data[o+8:], le.Uint64(data[from+8:]))
			s += copyBytes
			o += length
			control >>= 1
			if control == 1 {
				break
			}
		}
	}
	return o, s
}

// periods holds the smallest multiple of each offset below 8 that is not.
var periods = [8]uint8{0, 8, 8, 9, 8, 10, 12, 14}
