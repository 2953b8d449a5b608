//go:build !linux

package asm

import "testing"

// guarded returns n zero bytes between canaries. Where memory can be closed
// it finds reads outside of them, too: see the one for Linux.
func guarded(t testing.TB, n int, _ side) []byte {
	t.Helper()
	const width = 512
	memory := make([]byte, n+2*width)
	fence(t, memory[:width], front)
	fence(t, memory[width+n:], behind)
	return memory[width:][:n:n]
}
