//go:build !purego

package asm

// The kernels of DenseKernels, which says what they are given and return.

//go:noescape
func denseSearchNEON(data *byte, i, n, x int, t *DenseTable, s *DenseScratch) int

//go:noescape
func denseParseNEON(s *DenseScratch, q, n int) int

//go:noescape
func denseWalkNEON(data *byte, s *DenseScratch, q, n int)

//go:noescape
func denseEmitNEON(dst *byte, s *DenseScratch, pending int) (o, left int)

var denseNEON = DenseKernels{denseEnterPortable, denseSearchNEON, denseParseNEON, denseWalkNEON, denseEmitNEON}
