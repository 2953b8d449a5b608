// Package pages takes samples of pages from files of guests' memory.
package pages

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Size is the size of a page in bytes.
const Size = 4096

// open opens the file name and unpacks it where its name ends in .gz.
func open(name string) (input io.Reader, close func() error, err error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, nil, err
	}
	input = bufio.NewReaderSize(file, 1<<20)
	if strings.HasSuffix(name, ".gz") {
		if input, err = gzip.NewReader(input); err != nil {
			file.Close()
			return nil, nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return input, file.Close, nil
}

// SampleFile samples the file name as [Sample] does, unpacking it where its
// name ends in .gz. It is an error if there is nothing to sample.
func SampleFile(name string, stretch, limit int) ([]byte, error) {
	input, close, err := open(name)
	if err != nil {
		return nil, err
	}
	defer close()
	data, err := Sample(input, stretch, limit)
	if err == nil && len(data) == 0 {
		err = fmt.Errorf("no %d pages of %d bytes in a row, the first at a multiple of %d, that are all non-zero", stretch, Size, stretch*Size)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return data, nil
}

// Sample reads memory from r and returns at most limit stretches of it, in
// their order. A stretch is that many pages in a row, none of them zero, the
// first at a multiple of the stretch's length. Where there are more, each is
// as likely to be taken; the choice depends on nothing but the memory. What
// follows the last whole stretch is left out.
func Sample(r io.Reader, stretch, limit int) ([]byte, error) {
	return sample(stretch*Size, limit,
		func(buffer []byte) error { return readFull(r, buffer) },
		func(buffer []byte) bool { return !hasZeroPage(buffer) })
}

// readFull fills buffer from r. The error is io.EOF where less is left.
func readFull(r io.Reader, buffer []byte) error {
	_, err := io.ReadFull(r, buffer)
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		// A whole input says EOF again, one that was cut does not.
		_, err = r.Read(buffer[:1])
	}
	return err
}

// sample returns at most limit pieces of so many bytes, in their order, out of
// those that read gives before io.EOF and that are eligible.
func sample(size, limit int, read func([]byte) error, eligible func([]byte) bool) ([]byte, error) {
	type taken struct {
		position int
		data     []byte
	}
	var sample []taken
	random := rand.New(rand.NewPCG(1991, 4096))
	buffer := make([]byte, size)
	for position, seen := 0, 0; ; position++ {
		if err := read(buffer); err == io.EOF {
			break
		} else if err != nil {
			return nil, err
		}
		if !eligible(buffer) {
			continue
		}
		seen++
		if len(sample) < limit {
			sample = append(sample, taken{position, bytes.Clone(buffer)})
		} else if i := random.IntN(seen); i < limit { // reservoir sampling
			sample[i].position = position
			copy(sample[i].data, buffer)
		}
	}
	slices.SortFunc(sample, func(a, b taken) int { return cmp.Compare(a.position, b.position) })
	data := make([]byte, 0, len(sample)*len(buffer))
	for _, t := range sample {
		data = append(data, t.data...)
	}
	return data, nil
}

func hasZeroPage(data []byte) bool {
	for page := range slices.Chunk(data, Size) {
		if isZero(page) {
			return true
		}
	}
	return false
}

func isZero(page []byte) bool { return page[0] == 0 && bytes.Equal(page[1:], page[:Size-1]) }

// Workload returns what to call the memory in the file name: its base name
// without .gz and extension, or its directory's where that only says that
// there are pages, runs of them or pairs of dirty ones.
func Workload(name string) string {
	base := strings.TrimSuffix(filepath.Base(name), ".gz")
	base = strings.TrimSuffix(base, filepath.Ext(base))
	if absolute, err := filepath.Abs(name); err == nil && slices.Contains([]string{"pages", "runs", "dirty"}, base) {
		return filepath.Base(filepath.Dir(absolute))
	}
	return base
}
