package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestFullDisk checks that nothing is left on a disk that became full. It takes
// root to make a disk.
func TestFullDisk(t *testing.T) {
	if os.Geteuid() != 0 {
		if os.Getenv("CI") != "" {
			t.Fatal("not root, so there is no disk to fill")
		}
		t.Skip("not root, so there is no disk to fill")
	}
	dir := t.TempDir()
	image := filepath.Join(dir, "guest.ram")
	if err := os.WriteFile(image, noise(12, 4<<20), 0o666); err != nil {
		t.Fatal(err)
	}
	const script = `mkdir disk && mount -t tmpfs -o size=1m tmpfs disk || exit 99
lzpage compress -o disk/x.lzp guest.ram; echo status $?
lzpage compress -q -o x.lzp guest.ram && lzpage decompress -o disk/x x.lzp; echo status $?
ls -A disk`
	cmd := exec.Command("unshare", "-m", "sh", "-c", script)
	cmd.Dir = dir
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		if os.Getenv("CI") == "" && stdout.Len() == 0 { // as in a container
			t.Skipf("no disk can be mounted here: %v: %s", err, &stderr)
		}
		t.Fatalf("%v: %s", err, &stderr)
	}
	if got, want := stdout.String(), "status 1\nstatus 1\n"; got != want {
		t.Errorf("it printed %q, not %q", got, want)
	}
	want := `lzpage: write disk/x.lzp: no space left on device
lzpage: free some space there or choose another place with -o
lzpage: write disk/x: no space left on device
lzpage: free some space there or choose another place with -o
`
	if stderr.String() != want {
		t.Errorf("it said %q, not %q", &stderr, want)
	}
}
