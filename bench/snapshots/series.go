package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// A series is the generations of a guest's memory, each a raw image.
type series struct {
	images []string // paths, the oldest first
	size   int64    // of each, in bytes
}

// openSeries finds the images in dir, at most so many.
func openSeries(dir string, most int) (series, error) {
	images, err := filepath.Glob(filepath.Join(dir, "*.ram")) // sorted
	if err != nil {
		return series{}, err
	}
	if len(images) < 2 {
		return series{}, fmt.Errorf("%s: %d images named *.ram; it takes 2 or more", dir, len(images))
	}
	s := series{images: images[:min(most, len(images))]}
	for i, path := range s.images {
		info, err := os.Stat(path)
		if err != nil {
			return series{}, err
		}
		if i == 0 {
			s.size = info.Size()
		}
		switch {
		case info.Size() != s.size:
			return series{}, fmt.Errorf("%s has %d bytes, %s %d: they are not of one guest", path, info.Size(), images[0], s.size)
		case s.size == 0 || s.size%pageSize != 0:
			return series{}, fmt.Errorf("%s has %d bytes: that is no memory in pages of %d", path, s.size, pageSize)
		}
	}
	return s, nil
}

// needRoom checks that so many bytes are free in dir, and says it.
func needRoom(dir string, bytes int64, what string, say func(string)) error {
	var disk unix.Statfs_t
	if err := unix.Statfs(dir, &disk); err != nil {
		return fmt.Errorf("free space of %s: %w", dir, err)
	}
	free := int64(disk.Bavail) * disk.Bsize
	line := fmt.Sprintf("%s take up to %s in %s, where %s are free", what, gigabytes(bytes), dir, gigabytes(free))
	if free < bytes {
		return errors.New(line)
	}
	say(line)
	return nil
}

func gigabytes(bytes int64) string { return fmt.Sprintf("%.1f GB", float64(bytes)/1e9) }
