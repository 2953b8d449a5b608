//go:build !purego

package asm

// decodeSSSE3 is decodePortable for processors with SSSE3 and POPCNT.
//
//go:noescape
func decodeSSSE3(data *byte, size, o int, src *byte, srcSize, s int) (oEnd, sEnd int)

// decodeAVX2 is decodePortable for processors with AVX2, BMI1, BMI2 and
// POPCNT.
//
//go:noescape
func decodeAVX2(data *byte, size, o int, src *byte, srcSize, s int) (oEnd, sEnd int)
