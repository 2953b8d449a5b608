package memdiff

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"iter"
	"math/bits"

	"github.com/lzpage/lzpage/internal/ordered"
	"github.com/lzpage/lzpage/pagestream"
)

// A State is memory that can be read at any place, by several goroutines at a
// time, such as what a [pagestream.ReaderAt] reads.
type State interface {
	// ReadRegionAt reads bytes of a region as io.ReaderAt does of a file.
	ReadRegionAt(p []byte, region int, off int64) (int, error)
	// ZeroBytes returns how many bytes of a region from an offset on are known
	// to be zero without reading them.
	ZeroBytes(region int, offset uint64) uint64
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

// AddZeros adds pages that are zero in both states.
func (c *Counts) AddZeros(pages uint64) { c.Pages += pages }

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
	length uint64 // in bytes
	zero   bool   // all of it, in both states; known without reading it
}

// A comparison is what a chunk is read into and compared.
type comparison struct {
	old, new []byte
	pages    []Page
}

// A Sink takes what became of the pages of a range of that number, from page
// first on. There are no pages where all of the count are zero in both states.
type Sink func(number int, first, count uint64, pages []Page) error

// Compare compares the ranges that both states have, page by page, and hands
// the pages to sink in their order. It holds two chunks of a megabyte of both
// states for each worker.
func Compare(ctx context.Context, old, new State, ranges []Range, pageSize, workers int, sink Sink) error {
	size := max(chunkBytes, pageSize)
	buffer := func() *comparison {
		return &comparison{make([]byte, size), make([]byte, size), make([]Page, 0, size/pageSize)}
	}
	return ordered.Each(ctx, workers, chunks(old, new, ranges, uint64(pageSize), uint64(size)), buffer, func(_ context.Context, c chunk, b *comparison) error {
		if c.zero {
			return nil
		}
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
		if c.zero {
			return sink(c.number, c.first, pagestream.Region{Length: c.length}.Pages(pageSize), nil)
		}
		return sink(c.number, c.first, uint64(len(b.pages)), b.pages)
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

// chunks yields the chunks of what both states have. They have at most size
// bytes, but for those that are known to be zero.
func chunks(old, new State, ranges []Range, pageSize, size uint64) iter.Seq[chunk] {
	return func(yield func(chunk) bool) {
		for i := range ranges {
			r := &ranges[i]
			if inOld, inNew := r.In(); !inOld || !inNew {
				continue
			}
			for offset := uint64(0); offset < r.Length; {
				left := r.Length - offset
				c := chunk{number: i, first: offset / pageSize, offset: offset, length: min(left, size)}
				zero := min(left, new.ZeroBytes(r.New.Region, r.New.Offset+offset), old.ZeroBytes(r.Old.Region, r.Old.Offset+offset))
				if zero < left {
					zero -= zero % size
				}
				if zero > 0 {
					c.length, c.zero = zero, true
				}
				if !yield(c) {
					return
				}
				offset += c.length
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
