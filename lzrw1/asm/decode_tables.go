//go:build !purego && (amd64 || arm64)

package asm

// decodeTables is what the kernels of decoding look up.
type decodeTables struct {
	// rows holds, by min(offset, 16), where in the 16 bytes that begin at the
	// offset each byte of a copy stands. Row 0 is not used.
	rows [17][16]byte
	_    [48]byte // keep and shift are windows of 32 bytes, each within a cache line

	// keep[16-n:] begins with n bytes of ones, then 16 and more zeros.
	keep [64]byte
	// shift[16-n:] moves 16 bytes up by n, filling with zeros on both sides.
	shift [64]byte

	// row holds twice the index of an offset's row, so that eight times it is the row's place.
	row [4096]byte
}

// tables is allocated because allocations of this size begin at a cache line,
// which static data does not; only speed depends on it.
//
//lint:ignore U1000 the kernels use it
var tables = newDecodeTables()

func newDecodeTables() *decodeTables {
	t := new(decodeTables)
	for offset := 1; offset < len(t.rows); offset++ {
		for i := range t.rows[offset] {
			t.rows[offset][i] = byte(i % offset)
		}
	}
	for i := range 16 {
		t.keep[i] = 0xFF
	}
	for i := range t.shift {
		t.shift[i] = 0x80 // no byte
	}
	for i := range 16 {
		t.shift[16+i] = byte(i)
	}
	for offset := range t.row {
		t.row[offset] = byte(2 * min(offset, 16))
	}
	return t
}
