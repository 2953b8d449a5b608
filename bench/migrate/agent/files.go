package main

import (
	"encoding/binary"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// files are files of the disk that the guest has read, and so holds in its
// page cache, with the sum of each.
type files struct {
	paths []string
	sums  []uint64
	bytes int64
	block []byte
}

// read reads the files below dir, until it has read so many bytes in all.
func (f *files) read(dir string, most int64) error {
	return filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		if f.bytes >= most {
			return fs.SkipAll
		}
		sum, n, err := f.sum(path)
		if err != nil {
			return err
		}
		f.paths, f.sums, f.bytes = append(f.paths, path), append(f.sums, sum), f.bytes+n
		return nil
	})
}

// bad reads all files again and returns how many differ from what they were.
func (f *files) bad() (int, error) {
	bad := 0
	for i, path := range f.paths {
		sum, _, err := f.sum(path)
		if err != nil {
			return bad, err
		}
		if sum != f.sums[i] {
			bad++
		}
	}
	return bad, nil
}

// sum returns a sum of a file's bytes and their number.
func (f *files) sum(path string) (sum uint64, n int64, err error) {
	file, err := os.Open(path)
	if err != nil {
		return 0, 0, err
	}
	defer file.Close()
	if f.block == nil {
		f.block = make([]byte, 64<<10)
	}
	for {
		got, err := file.Read(f.block)
		n += int64(got)
		sum = addToSum(sum, f.block[:got])
		if err == io.EOF {
			return sum, n, nil
		} else if err != nil {
			return sum, n, err
		}
	}
}

// addToSum adds data to a sum, by words of eight bytes: under emulation each
// instruction counts. A word that differs, or data in another order, makes
// another sum.
func addToSum(sum uint64, data []byte) uint64 {
	for ; len(data) >= 8; data = data[8:] {
		sum = (sum ^ binary.LittleEndian.Uint64(data)) * 0x9e3779b97f4a7c15
		sum ^= sum >> 32
	}
	for _, b := range data {
		sum = (sum ^ uint64(b)) * 0x9e3779b97f4a7c15
		sum ^= sum >> 32
	}
	return sum
}
