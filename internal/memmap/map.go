// Package memmap draws memory as a picture: its addresses in rows, each page
// in the colour of how it is stored, as PNG or as SVG.
//
// A [Map] takes one page after the other, of any amount of memory, and keeps
// at most 64 Ki cells of counts: where there are more pages than that, pages
// are grouped.
package memmap

import "github.com/lzpage/lzpage/pagestream"

// Beyond so many cells pages are grouped, beyond so many blocks regions.
const (
	maxCells  = 1 << 16
	maxBlocks = 16
)

// A Map gathers what is known of memory and draws it. It is not safe for use
// by several goroutines at once.
type Map struct {
	// Title is the picture's, such as the name of the file drawn.
	Title string
	// StreamBytes is the length of the whole stream that the pages are stored
	// in. Where it is less than what the pages take, as 0 is, that counts.
	StreamBytes uint64

	pageSize uint64
	perCell  uint64 // pages, a power of two, so that two cells merge into one
	blocks   []*block
	start    uint64 // in the last block, of the region's first page
	skip     bool   // the region is not memory
	shades   [shades]tally
	kinds    [pagestream.Kinds]tally
}

// A tally counts pages and the bytes that they take in the stream.
type tally struct{ pages, stored uint64 }

func (t *tally) add(pages, stored uint64) {
	t.pages += pages
	t.stored += stored
}

// A block is a region, or, where there are too many regions to draw each, all
// those from some region on, one behind the other.
type block struct {
	region  pagestream.Region
	regions int
	pages   uint64
	seen    tally
	cells   []cell
}

// A cell counts the pages of each shade in a group of consecutive pages.
type cell [shades]uint64

// New returns an empty map of pages of pageSize bytes.
func New(pageSize int) *Map {
	return &Map{pageSize: uint64(pageSize), perCell: 1}
}

// Region begins the next region: the pages added from now on are its. Only
// regions of class [pagestream.Memory] are drawn; pages of others are ignored.
// A region of [pagestream.UnknownLength] grows with its pages; in one whose
// length is known, pages never added are drawn as missing.
func (m *Map) Region(r pagestream.Region) {
	m.skip = r.Class != pagestream.Memory
	if m.skip {
		return
	}
	pages := uint64(0)
	if r.Length != pagestream.UnknownLength {
		pages = r.Pages(int(m.pageSize))
	}
	if len(m.blocks) < maxBlocks {
		m.blocks = append(m.blocks, &block{region: r})
	}
	b := m.last()
	if b.regions++; b.regions > 1 {
		b.region = pagestream.Region{Length: pagestream.UnknownLength}
	}
	m.start = b.pages
	m.extend(m.start + pages)
}

func (m *Map) last() *block { return m.blocks[len(m.blocks)-1] }

// extend makes the last block at least so many pages long.
func (m *Map) extend(pages uint64) {
	b := m.last()
	if pages <= b.pages {
		return
	}
	b.pages = pages
	for m.cellCount() > maxCells {
		m.perCell *= 2
		for _, b := range m.blocks {
			b.halve()
		}
	}
	if n := int(m.cellsOf(b)); n > len(b.cells) {
		b.cells = append(b.cells, make([]cell, n-len(b.cells))...)
	}
}

func (m *Map) cellsOf(b *block) uint64 {
	n := b.pages / m.perCell
	if b.pages%m.perCell != 0 {
		n++
	}
	return n
}

func (m *Map) cellCount() uint64 {
	n := uint64(0)
	for _, b := range m.blocks {
		n += m.cellsOf(b)
	}
	return n
}

// halve merges each two cells into one.
func (b *block) halve() {
	half := (len(b.cells) + 1) / 2
	for i := range half {
		c := b.cells[2*i]
		if 2*i+1 < len(b.cells) {
			for s, n := range b.cells[2*i+1] {
				c[s] += n
			}
		}
		b.cells[i] = c
	}
	b.cells = b.cells[:half]
}

// Add adds a page of the region begun last: its number within the region, its
// kind, which must be one of the format's, and how many bytes it takes in the
// stream.
func (m *Map) Add(page uint64, kind pagestream.Kind, stored int) {
	if m.skip {
		return
	}
	m.extend(m.start + page + 1)
	s := shadeOf(kind, uint64(stored), m.pageSize)
	b := m.last()
	b.cells[(m.start+page)/m.perCell][s]++
	m.count(s, kind, 1, uint64(stored))
}

// AddZeros adds a run of zero pages that take no bytes in the stream, in time
// that depends on the number of cells, not of pages.
func (m *Map) AddZeros(page, pages uint64) {
	if m.skip || pages == 0 {
		return
	}
	at, end := m.start+page, m.start+page+pages
	m.extend(end)
	b := m.last()
	for at < end {
		next := min(end, (at/m.perCell+1)*m.perCell)
		b.cells[at/m.perCell][zero] += next - at
		at = next
	}
	m.count(zero, pagestream.Zero, pages, 0)
}

func (m *Map) count(s shade, kind pagestream.Kind, pages, stored uint64) {
	m.last().seen.add(pages, stored)
	m.shades[s].add(pages, stored)
	m.kinds[kind].add(pages, stored)
}

// pages returns how many pages there are, missing ones included.
func (m *Map) pages() uint64 {
	n := uint64(0)
	for _, b := range m.blocks {
		n += b.pages
	}
	return n
}

// seen returns the pages added and the bytes they take.
func (m *Map) seen() tally {
	var t tally
	for _, k := range m.kinds {
		t.add(k.pages, k.stored)
	}
	return t
}

func (m *Map) missing() uint64 { return m.pages() - min(m.pages(), m.seen().pages) }

func (m *Map) streamBytes() uint64 { return max(m.StreamBytes, m.seen().stored) }
