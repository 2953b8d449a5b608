package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
)

const pageSize = 4096

// The first arguments by which this program runs itself, so that what it does
// is a process that can be measured as the others are.
const (
	takeDirty = "take-dirty-pages" // BEFORE NOW OUT
	putDirty  = "put-dirty-pages"  // FILE DIRTY
)

// writeDirtyPages writes the pages of the image now that differ from those of
// the image before: 8 bytes of address, little-endian, and the page, each.
func writeDirtyPages(before, now, out string) (err error) {
	file, err := os.Create(out)
	if err != nil {
		return err
	}
	defer func() {
		if err = errors.Join(err, file.Close()); err != nil {
			os.Remove(out)
		}
	}()
	w := bufio.NewWriterSize(file, 1<<20)
	err = eachDirtyPage(before, now, func(address uint64, _, page []byte) error {
		if _, err := w.Write(binary.LittleEndian.AppendUint64(nil, address)); err != nil {
			return err
		}
		_, err := w.Write(page)
		return err
	})
	return errors.Join(err, w.Flush())
}

// putDirtyPages writes the pages that writeDirtyPages took into an image.
func putDirtyPages(image, dirty string) (err error) {
	in, err := os.Open(dirty)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(image, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	r := bufio.NewReaderSize(in, 1<<20)
	var record [8 + pageSize]byte
	for {
		if _, err := io.ReadFull(r, record[:]); err == io.EOF {
			return nil
		} else if err != nil {
			return fmt.Errorf("%s: %w", dirty, err)
		}
		if _, err := out.WriteAt(record[8:], int64(binary.LittleEndian.Uint64(record[:8]))); err != nil {
			return err
		}
	}
}

// A difference says how much of an image is not as it was.
type difference struct {
	Pages int `json:"pages"`
	Words int `json:"words"` // of 8 bytes
}

func countDirty(before, now string) (d difference, err error) {
	err = eachDirtyPage(before, now, func(_ uint64, was, page []byte) error {
		d.Pages++
		for i := 0; i < pageSize; i += 8 {
			if !bytes.Equal(was[i:i+8], page[i:i+8]) {
				d.Words++
			}
		}
		return nil
	})
	return d, err
}

// eachDirtyPage calls do with each page that is not the same in two images of
// one size.
func eachDirtyPage(before, now string, do func(address uint64, was, page []byte) error) error {
	a, err := os.Open(before)
	if err != nil {
		return err
	}
	defer a.Close()
	b, err := os.Open(now)
	if err != nil {
		return err
	}
	defer b.Close()
	x, y := make([]byte, 1<<20), make([]byte, 1<<20)
	for address := uint64(0); ; {
		n, errA := io.ReadFull(a, x)
		m, errB := io.ReadFull(b, y)
		if n != m || n%pageSize != 0 {
			return fmt.Errorf("%s and %s end at %d and %d, not at the same page", before, now, address+uint64(n), address+uint64(m))
		}
		for i := 0; i < n; i += pageSize {
			if was, page := x[i:i+pageSize], y[i:i+pageSize]; !bytes.Equal(was, page) {
				if err := do(address+uint64(i), was, page); err != nil {
					return err
				}
			}
		}
		address += uint64(n)
		for _, err := range []error{errA, errB} {
			if err == io.EOF || err == io.ErrUnexpectedEOF {
				if errA == errB {
					return nil
				}
			} else if err != nil {
				return err
			}
		}
	}
}

// sameImage checks that an image was given back as it was.
func sameImage(want, got string) error {
	return eachDirtyPage(want, got, func(address uint64, _, _ []byte) error {
		return fmt.Errorf("%s differs from %s in the page at %#x", got, want, address)
	})
}
