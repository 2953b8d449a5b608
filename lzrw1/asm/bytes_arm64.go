//go:build !purego

package asm

// The portable twin says what this does (bytes.go). It looks at the length of
// a alone, a multiple of 64 that is not 0, and trusts that b is as long.
//
//go:noescape
func diffBytesNEON(a, b []byte) int
