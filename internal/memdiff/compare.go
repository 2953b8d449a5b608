package memdiff

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"iter"
	"math/bits"

	"github.com/lzpage/lzpage/internal/ordered"
)

// A State is memory that can be read at any place, by several goroutines at a
// time, such as a [pagestream.ReaderAt].
type State interface {
	// ReadRegionAt reads bytes of a region as io.ReaderAt does of a file.
	ReadRegionAt(p []byte, region int, off int64) (int, error)
}

// A Page says what became of a page.
type Page struct {
	Bytes   int  // that differ
	Words   int  // of 8 bytes, from the page's start, that differ
	WasZero bool // all of it, in the old state
	IsZero  bool // all of it, in the new state
}

// Counts are what became of pages.
type Counts struct {
	Pages      uint64 `json:"pages"`
	Changed    uint64 `json:"pages_changed"`
	Bytes      uint64 `json:"bytes_changed"`
	Words      uint64 `json:"words_changed"` // of 8 bytes
	BecameZero uint64 `json:"pages_became_zero"`
	WasZero    uint64 `json:"pages_were_zero"` // and are no longer
}

// Add adds a page.
func (c *Counts) Add(p Page) {
	c.Pages++
	if p.Bytes == 0 {
		return
	}
	c.Changed++
	c.Bytes += uint64(p.Bytes)
	c.Words += uint64(p.Words)
	if p.IsZero {
		c.BecameZero++
	}
	if p.WasZero {
		c.WasZero++
	}
}

// AddCounts adds what became of other pages.
func (c *Counts) AddCounts(d Counts) {
	c.Pages += d.Pages
	c.Changed += d.Changed
	c.Bytes += d.Bytes
	c.Words += d.Words
	c.BecameZero += d.BecameZero
	c.WasZero += d.WasZero
}

// chunkBytes is how much is read at a time, or one page where that is more.
const chunkBytes = 1 << 20

// A chunk is pages of a range.
type chunk struct {
	number int // of the range
	first  uint64
	offset uint64 // of the first page within the range
	length int    // in bytes
}

// A comparison is what a chunk is read into and compared.
type comparison struct {
	old, new []byte
	pages    []Page
}

// Compare compares the ranges that both states have, page by page, and hands
// the pages to sink in their order: of the range of that number in ranges,
// from page first on. It holds two chunks of a megabyte of both states for each
// worker.
func Compare(ctx context.Context, old, new State, ranges []Range, pageSize, workers int, sink func(number int, first uint64, pages []Page) error) error {
	size := max(chunkBytes, pageSize)
	buffer := func() *comparison {
		return &comparison{make([]byte, size), make([]byte, size), make([]Page, 0, size/pageSize)}
	}
	return ordered.Each(ctx, workers, chunks(ranges, pageSize, size), buffer, func(_ context.Context, c chunk, b *comparison) error {
		r := &ranges[c.number]
		oldBytes, newBytes := b.old[:c.length], b.new[:c.length]
		if err := read(old, oldBytes, r.Old, c.offset); err != nil {
			return err
		}
		if err := read(new, newBytes, r.New, c.offset); err != nil {
			return err
		}
		b.pages = comparePages(b.pages[:0], oldBytes, newBytes, pageSize)
		return nil
	}, func(_ context.Context, c chunk, b *comparison) error {
		return sink(c.number, c.first, b.pages)
	})
}

func read(s State, p []byte, at Place, offset uint64) error {
	n, err := s.ReadRegionAt(p, at.Region, int64(at.Offset+offset))
	switch {
	case n == len(p):
		return nil
	case err == io.EOF:
		return io.ErrUnexpectedEOF
	}
	return err
}

// chunks yields the chunks, of at most size bytes, of what both states have.
func chunks(ranges []Range, pageSize, size int) iter.Seq[chunk] {
	return func(yield func(chunk) bool) {
		for i := range ranges {
			r := &ranges[i]
			if inOld, inNew := r.In(); !inOld || !inNew {
				continue
			}
			for offset := uint64(0); offset < r.Length; offset += uint64(size) {
				length := int(min(r.Length-offset, uint64(size)))
				if !yield(chunk{i, offset / uint64(pageSize), offset, length}) {
					return
				}
			}
		}
	}
}

// comparePages appends what became of each page.
func comparePages(dst []Page, old, new []byte, pageSize int) []Page {
	for len(new) > 0 {
		n := min(pageSize, len(new))
		dst = append(dst, comparePage(old[:n], new[:n]))
		old, new = old[n:], new[n:]
	}
	return dst
}

var zeros [4096]byte

func isZero(p []byte) bool {
	for len(p) > len(zeros) {
		if !bytes.Equal(p[:len(zeros)], zeros[:]) {
			return false
		}
		p = p[len(zeros):]
	}
	return bytes.Equal(p, zeros[:len(p)])
}

func comparePage(old, new []byte) Page {
	if bytes.Equal(old, new) {
		zero := isZero(new)
		return Page{WasZero: zero, IsZero: zero}
	}
	p := Page{WasZero: isZero(old), IsZero: isZero(new)}
	for len(new) >= 8 {
		if x := binary.LittleEndian.Uint64(old) ^ binary.LittleEndian.Uint64(new); x != 0 {
			p.Words++
			p.Bytes += bytesNotZero(x)
		}
		old, new = old[8:], new[8:]
	}
	tail := 0
	for i := range new {
		if old[i] != new[i] {
			tail++
		}
	}
	p.Bytes += tail
	p.Words += min(tail, 1)
	return p
}

// bytesNotZero returns how many of the word's bytes are not zero.
func bytesNotZero(x uint64) int {
	const low = 0x7f7f7f7f7f7f7f7f
	return bits.OnesCount64((x&low + low | x) &^ low)
}
