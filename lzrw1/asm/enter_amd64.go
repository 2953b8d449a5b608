//go:build !purego

package asm

// fastAMD64 is Fast with its kernel, which baseline processors have.
var fastAMD64 = &Scheme{Hash: Fast.Hash, Tail: Fast.Tail, enter: fastEnterAMD64}

// The portable twin says what this does (greedy.go).
//
//go:noescape
func fastEnterAMD64(l *Lane, n int)
