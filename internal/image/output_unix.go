//go:build !windows

package image

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// makeSparse does nothing: what is not written is a hole.
func makeSparse(*os.File) {}

// syncDir brings a directory's entries to the disk, where its file system
// does that on demand and its mode lets us ask.
func syncDir(name string) error {
	dir, err := os.Open(name)
	if errors.Is(err, fs.ErrPermission) {
		return nil
	}
	if err != nil {
		return err
	}
	defer dir.Close()
	err = dir.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	return err
}
