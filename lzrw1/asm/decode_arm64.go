//go:build !purego

package asm

// decodeNEON is decodePortable for all processors of arm64.
//
//go:noescape
func decodeNEON(data *byte, size, o int, src *byte, srcSize, s int) (oEnd, sEnd int)
