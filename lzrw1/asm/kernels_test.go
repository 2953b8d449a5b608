package asm

import (
	"os"
	"testing"
)

// each runs the test with every implementation that this machine has.
func each(t *testing.T, test func(t *testing.T, k *Kernels)) {
	t.Helper()
	for _, k := range Available {
		t.Run(k.Name, func(t *testing.T) { test(t, k) })
	}
}

// Whoever runs the tests to see that an implementation is right says which, so
// that a machine without it fails rather than passes.
func TestRequired(t *testing.T) {
	required := os.Getenv("LZPAGE_REQUIRE_KERNELS")
	if required != "" && Active.Name != required {
		t.Errorf("the kernels in use are %s, not %s", Active.Name, required)
	}
}
