//go:build linux || freebsd || darwin

package image

import (
	"errors"
	"os"
	"runtime"
	"syscall"
)

// findRun returns the run at offset off of a file that was read up to size.
// A file system that cannot tell has no holes.
func findRun(f *os.File, off, size int64) (run, error) {
	seekData, seekHole := 3, 4 // of lseek(2)
	if runtime.GOOS == "darwin" {
		seekData, seekHole = 4, 3
	}
	data, err := f.Seek(off, seekData)
	if errors.Is(err, syscall.ENXIO) {
		// No data follows, or off is no longer within the file.
		info, err := f.Stat()
		if err != nil {
			return run{}, err
		}
		if info.Size() < size {
			return run{}, errShrunk(size)
		}
		return run{size, true}, nil
	}
	if err != nil {
		return run{size, false}, nil
	}
	if data > off {
		return run{min(data, size), true}, nil
	}
	hole, err := f.Seek(off, seekHole)
	if err != nil || hole <= off {
		return run{size, false}, nil
	}
	return run{min(hole, size), false}, nil
}
