package image

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestOutputHoles(t *testing.T) {
	name := filepath.Join(t.TempDir(), "out")
	o := create(t, name, false)
	const size = 64 << 20
	for _, at := range []int64{0, 10 << 20, 40 << 20} {
		if _, err := o.WriteAt(noise(1, 4096), at); err != nil {
			t.Fatal(err)
		}
	}
	if err := o.Commit(size); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	if info.Size() != size {
		t.Errorf("it has %d bytes", info.Size())
	}
	if used := info.Sys().(*syscall.Stat_t).Blocks * 512; used < 3*4096 || used > 1<<20 {
		t.Errorf("it takes %d bytes of the disk", used)
	}
}

func TestOutputDiskFull(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can mount a small file system")
	}
	dir := t.TempDir()
	err := syscall.Mount("none", dir, "tmpfs", 0, "size=64k")
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EACCES) {
		t.Skip("this root may not mount: ", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Errorf("cannot unmount %s: %v", dir, err)
		}
	}()
	name := filepath.Join(dir, "out")
	o := create(t, name, false)
	_, err = o.WriteAt(noise(1, 1<<20), 0)
	if !errors.Is(err, syscall.ENOSPC) || err.Error() != "write "+name+": no space left on device" {
		t.Errorf("error %v", err)
	}
	if err := o.Abort(); err != nil {
		t.Errorf("Abort: %v", err)
	}
	checkDir(t, dir)
}

// A directory that can be written but not read cannot be synced.
func TestOutputBlindDirectory(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o300); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(dir, 0o700) // so that it can be removed
	name := filepath.Join(dir, "out")
	o := create(t, name, false)
	if err := o.Commit(5); err != nil {
		t.Error(err)
	}
	checkFile(t, name, make([]byte, 5))
}
