//go:build !purego

package asm

// The portable twins say what these do (words.go). They look at the length of
// the page alone, a multiple of 64 that is not 0, and trust the other lengths.

//go:noescape
func zeroMapNEON(set, page []byte) int

//go:noescape
func diffMapNEON(set, a, b []byte) int

//go:noescape
func packNEON(dst, page, set []byte)

//go:noescape
func unpackNEON(page, words, set []byte)

//go:noescape
func mergeNEON(page, words, set []byte)
