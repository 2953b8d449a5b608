//go:build !purego

package asm

// The portable twins say what these do (bytes.go). They look at the length of
// the page alone, a multiple of 64 that is not 0, and trust the other lengths,
// but that mergeBytesAVX2 looks at len(src), too. Those named AVX2 but
// diffBytesAVX2 need BMI1, BMI2 and POPCNT, too.

//go:noescape
func diffBytesSSE2(a, b []byte) int

//go:noescape
func diffBytesAVX2(a, b []byte) int

//go:noescape
func packBytesAVX2(masks, dst, old, new, set []byte) int

//go:noescape
func mergeBytesAVX2(page, masks, src, set []byte)
