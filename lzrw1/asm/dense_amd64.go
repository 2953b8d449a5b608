//go:build !purego

package asm

// The kernels of DenseKernels, which says what they are given and return.

//go:noescape
func denseSearchSSSE3(data *byte, i, n, x int, t *DenseTable, s *DenseScratch) int

//go:noescape
func denseEnterAVX2(data *byte, i, n int, t *DenseTable)

//go:noescape
func denseSearchAVX2(data *byte, i, n, x int, t *DenseTable, s *DenseScratch) int

//go:noescape
func denseParseAVX2(s *DenseScratch, q, n int) int

//go:noescape
func denseWalkAVX2(data *byte, s *DenseScratch, q, n int)

//go:noescape
func denseEmitAVX2(dst *byte, s *DenseScratch, pending int) (o, left int)

// denseAVX2 is for AVX2, BMI1, BMI2 and POPCNT.
var denseAVX2 = DenseKernels{denseEnterAVX2, denseSearchAVX2, denseParseAVX2, denseWalkAVX2, denseEmitAVX2}
