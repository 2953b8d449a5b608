package memmap

import "github.com/lzpage/lzpage/pagestream"

// Beyond so many cells pages are grouped, beyond so many blocks regions.
const (
	maxCells  = 1 << 16
	maxBlocks = 16
)

// A grid counts the pages of each shade, in cells.
type grid struct {
	// Title is the picture's, such as the name of the file drawn.
	Title string

	pageSize uint64
	perCell  uint64 // pages, a power of two, so that two cells merge into one
	blocks   []*block
	start    uint64 // in the last block, of the region's first page
	skip     bool   // the region is not memory
	shades   [maxShades]tally
}

// A tally counts pages and bytes of theirs.
type tally struct{ pages, bytes uint64 }

func (t *tally) add(pages, bytes uint64) {
	t.pages += pages
	t.bytes += bytes
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
type cell [maxShades]uint64

// Region begins the next region: the pages added from now on are its. Only
// regions of class [pagestream.Memory] are drawn; pages of others are ignored.
// A region of [pagestream.UnknownLength] grows with its pages; in one whose
// length is known, pages never added are drawn as absent.
func (g *grid) Region(r pagestream.Region) {
	g.skip = r.Class != pagestream.Memory
	if g.skip {
		return
	}
	pages := uint64(0)
	if r.Length != pagestream.UnknownLength {
		pages = r.Pages(int(g.pageSize))
	}
	if len(g.blocks) < maxBlocks {
		g.blocks = append(g.blocks, &block{region: r})
	}
	b := g.last()
	if b.regions++; b.regions > 1 {
		b.region = pagestream.Region{Length: pagestream.UnknownLength}
	}
	g.start = b.pages
	g.extend(g.start + pages)
}

func (g *grid) last() *block { return g.blocks[len(g.blocks)-1] }

// extend makes the last block at least so many pages long.
func (g *grid) extend(pages uint64) {
	b := g.last()
	if pages <= b.pages {
		return
	}
	b.pages = pages
	for g.cellCount() > maxCells {
		g.perCell *= 2
		for _, b := range g.blocks {
			b.halve()
		}
	}
	if n := int(g.cellsOf(b)); n > len(b.cells) {
		b.cells = append(b.cells, make([]cell, n-len(b.cells))...)
	}
}

func (g *grid) cellsOf(b *block) uint64 {
	n := b.pages / g.perCell
	if b.pages%g.perCell != 0 {
		n++
	}
	return n
}

func (g *grid) cellCount() uint64 {
	n := uint64(0)
	for _, b := range g.blocks {
		n += g.cellsOf(b)
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

// add adds pages of the region begun last that have a shade, and bytes of
// theirs, in time that depends on the number of cells.
func (g *grid) add(page, pages uint64, s shade, bytes uint64) {
	at, end := g.start+page, g.start+page+pages
	g.extend(end)
	b := g.last()
	for at < end {
		next := min(end, (at/g.perCell+1)*g.perCell)
		b.cells[at/g.perCell][s] += next - at
		at = next
	}
	b.seen.add(pages, bytes)
	g.shades[s].add(pages, bytes)
}

// pages returns how many pages there are, absent ones included.
func (g *grid) pages() uint64 {
	n := uint64(0)
	for _, b := range g.blocks {
		n += b.pages
	}
	return n
}

// seen returns the pages added and their bytes.
func (g *grid) seen() tally {
	var t tally
	for _, b := range g.blocks {
		t.add(b.seen.pages, b.seen.bytes)
	}
	return t
}

func (g *grid) absentPages() uint64 { return g.pages() - min(g.pages(), g.seen().pages) }

// tallyOf returns the pages of a shade, absent ones included.
func (g *grid) tallyOf(s shade) tally {
	t := g.shades[s]
	if s == absent {
		t.pages = g.absentPages()
	}
	return t
}

// bytes returns the bytes of so many pages.
func (g *grid) bytes(pages uint64) float64 { return float64(pages) * float64(g.pageSize) }

// length returns the bytes of a block.
func (g *grid) length(b *block) uint64 {
	if b.region.Length == pagestream.UnknownLength {
		return b.pages * g.pageSize
	}
	return b.region.Length
}
