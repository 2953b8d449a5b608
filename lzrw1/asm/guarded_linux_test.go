package asm

import (
	"os"
	"runtime/debug"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// guarded returns n zero bytes that are flush against memory which nobody may
// read or write, on side s of them; whatever touches it faults. On the other
// side are canaries up to such memory.
func guarded(t testing.TB, n int, s side) []byte {
	t.Helper()
	unit := os.Getpagesize()
	whole := max(1, (n+unit-1)/unit) * unit
	// Maps as a whole what nobody may touch, and opens all but a unit at
	// either end.
	memory, err := unix.Mmap(-1, 0, whole+2*unit, unix.PROT_NONE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		t.Fatalf("mapping %d bytes: %v", whole+2*unit, err)
	}
	t.Cleanup(func() {
		if err := unix.Munmap(memory); err != nil {
			t.Errorf("unmapping: %v", err)
		}
	})
	open := memory[unit:][:whole]
	if err := unix.Mprotect(open, unix.PROT_READ|unix.PROT_WRITE); err != nil {
		t.Fatalf("opening %d bytes: %v", whole, err)
	}
	if s == front {
		fence(t, open[n:], behind)
		return open[:n:n]
	}
	fence(t, open[:whole-n], front)
	return open[whole-n:]
}

func TestGuardedFaultsOutside(t *testing.T) {
	for _, s := range sides {
		buffer := guarded(t, 100, s)
		outside := -1
		if s == behind {
			outside = len(buffer)
		}
		if !faults(outside, buffer) {
			t.Errorf("%s: byte %d of %d can be read", s, outside, len(buffer))
		}
		for i := range buffer {
			if faults(i, buffer) {
				t.Fatalf("%s: byte %d of %d cannot be read", s, i, len(buffer))
			}
		}
	}
}

// faults reports whether reading the byte that is i bytes from buffer's first
// one faults.
func faults(i int, buffer []byte) (fault bool) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() { fault = recover() != nil }()
	seen = *(*byte)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(buffer)), i))
	return false
}

var seen byte // keeps the read
