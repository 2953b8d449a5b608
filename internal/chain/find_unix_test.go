//go:build unix

package chain

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestPipeInPlace checks that a pipe under the base's name keeps nobody waiting.
func TestPipeInPlace(t *testing.T) {
	dir, _ := series(t, 2)
	base := filepath.Join(dir, "g0.lzp")
	if err := os.Remove(base); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(base, 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := try(t, filepath.Join(dir, "g1.lzp")); err == nil || !strings.Contains(err.Error(), base+" is not a regular file") {
		t.Error(err)
	}
}
