package main

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestShrinkingFile checks that a file that becomes shorter while it is read is
// an error.
func TestShrinkingFile(t *testing.T) {
	image := filepath.Join(t.TempDir(), "guest.ram")
	if err := os.WriteFile(image, noise(13, 64<<20), 0o666); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("lzpage", "compress", "--threads", "1", "-o", "-", image)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	// As soon as the pipe is full the command waits.
	if _, err := io.CopyN(io.Discard, stdout, 1<<20); err != nil {
		t.Error(err)
	}
	if err := os.Truncate(image, 48<<20); err != nil {
		t.Error(err)
	}
	if _, err := io.Copy(io.Discard, stdout); err != nil {
		t.Error(err)
	}
	err = cmd.Wait()
	want := "lzpage: " + image + ": at offset 50331648: the file was made shorter while it was read, it had 67108864 bytes: unexpected EOF\n"
	if err == nil || stderr.String() != want {
		t.Errorf("%v: it said %q, not %q", err, &stderr, want)
	}
}
