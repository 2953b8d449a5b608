//go:build !purego

package asm

// The portable twins say what these do (greedy.go).

//go:noescape
func fastSingleSSE2(l *Lane)

//go:noescape
func fastSingleAVX2(l *Lane)

//go:noescape
func referenceSingleSSE2(l *Lane)
