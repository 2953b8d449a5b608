package asm

import (
	"bytes"
	"testing"
)

// A side is where a guarded buffer ends at memory that is not its own.
type side string

const (
	front  side = "front"
	behind side = "behind"
)

var sides = []side{front, behind}

// fence fills memory with canaries and has the end of the test see whether
// they are still there.
func fence(t testing.TB, memory []byte, where side) {
	t.Helper()
	for i := range memory {
		memory[i] = canary
	}
	t.Cleanup(func() {
		if kept := bytes.Count(memory, []byte{canary}); kept != len(memory) {
			t.Errorf("%d bytes %s of a buffer of the test were overwritten", len(memory)-kept, where)
		}
	})
}

const canary = 0xC5
