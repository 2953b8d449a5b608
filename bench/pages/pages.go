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

// SampleFile samples the file name as [Sample] does, unpacking it where its
// name ends in .gz. It is an error if there is nothing to sample.
func SampleFile(name string, stretch, limit int) ([]byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	input := io.Reader(bufio.NewReaderSize(file, 1<<20))
	if strings.HasSuffix(name, ".gz") {
		if input, err = gzip.NewReader(input); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
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
	type taken struct {
		position int
		data     []byte
	}
	var sample []taken
	random := rand.New(rand.NewPCG(1991, 4096))
	buffer := make([]byte, stretch*Size)
	for position, eligible := 0, 0; ; position++ {
		_, err := io.ReadFull(r, buffer)
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			// A whole input says EOF again, one that was cut does not.
			if _, err := r.Read(buffer[:1]); err != io.EOF {
				return nil, err
			}
			break
		}
		if err != nil {
			return nil, err
		}
		if hasZeroPage(buffer) {
			continue
		}
		eligible++
		if len(sample) < limit {
			sample = append(sample, taken{position, bytes.Clone(buffer)})
		} else if i := random.IntN(eligible); i < limit { // reservoir sampling
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
		if page[0] == 0 && bytes.Equal(page[1:], page[:Size-1]) {
			return true
		}
	}
	return false
}

// Workload returns what to call the memory in the file name: its base name
// without .gz and extension, or its directory's where that only says that
// there are pages or runs of them.
func Workload(name string) string {
	base := strings.TrimSuffix(filepath.Base(name), ".gz")
	base = strings.TrimSuffix(base, filepath.Ext(base))
	if absolute, err := filepath.Abs(name); err == nil && (base == "pages" || base == "runs") {
		return filepath.Base(filepath.Dir(absolute))
	}
	return base
}
