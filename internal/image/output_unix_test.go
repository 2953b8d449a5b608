//go:build unix

package image

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestOutputMode(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "out")
	old := syscall.Umask(0o027)
	defer syscall.Umask(old)

	o := create(t, name, false)
	if err := o.Commit(0); err != nil {
		t.Fatal(err)
	}
	checkMode(t, name, 0o640)

	// While the secret old file is replaced the new one is secret, too.
	write(t, name, "", 0o604)
	o = create(t, name, true)
	checkMode(t, o.temp, 0o600)
	if err := o.Commit(0); err != nil {
		t.Fatal(err)
	}
	checkMode(t, name, 0o604)
}

func checkMode(t *testing.T, name string, want fs.FileMode) {
	t.Helper()
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode() != want {
		t.Errorf("mode %v, want %v", info.Mode(), want)
	}
}

// What a symbolic link leads to is replaced, not the link, and beside it is
// the temporary file.
func TestOutputThroughLink(t *testing.T) {
	dir, elsewhere := t.TempDir(), t.TempDir()
	target := filepath.Join(elsewhere, "target")
	link := filepath.Join(dir, "link")
	write(t, target, "old", 0o644)
	if err := os.Symlink(target, link); err != nil {
		t.Fatal(err)
	}
	o := create(t, link, true)
	checkDir(t, dir, "link")
	if _, err := o.WriteAt([]byte("new"), 0); err != nil {
		t.Fatal(err)
	}
	if err := o.Commit(3); err != nil {
		t.Fatal(err)
	}
	checkFile(t, target, []byte("new"))
	checkDir(t, elsewhere, "target")
	if info, err := os.Lstat(link); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("the link is now %v, %v", info, err)
	}
}

func TestOutputRefusesDevices(t *testing.T) {
	fifo := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{os.DevNull, fifo} {
		_, err := Create(name, true)
		if err == nil || !strings.HasPrefix(err.Error(), name+" is not a regular file (its mode is ") {
			t.Errorf("error %v", err)
		}
	}
}

func TestOutputReadOnlyDirectory(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may write everywhere")
	}
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o555); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, "out")
	_, err := Create(name, false)
	if !errors.Is(err, fs.ErrPermission) || err.Error() != "create "+name+": permission denied" {
		t.Errorf("error %v", err)
	}
	checkDir(t, dir)
}
