//go:build !purego

package asm

// The portable twins say what these do (words.go). They look at the length of
// the page alone, a multiple of 64 that is not 0, and trust the other lengths.
// Those named AVX2 need POPCNT, too.

//go:noescape
func zeroMapSSE2(set, page []byte) int

//go:noescape
func zeroMapAVX2(set, page []byte) int

//go:noescape
func diffMapSSE2(set, a, b []byte) int

//go:noescape
func diffMapAVX2(set, a, b []byte) int

//go:noescape
func packSSE2(dst, page, set []byte)

//go:noescape
func packAVX2(dst, page, set []byte)

//go:noescape
func unpackSSE2(page, words, set []byte)

//go:noescape
func unpackAVX2(page, words, set []byte)

//go:noescape
func mergeSSE2(page, words, set []byte)
