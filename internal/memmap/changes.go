package memmap

import (
	"fmt"
	"io"

	"github.com/dustin/go-humanize"
	"github.com/lzpage/lzpage/internal/memdiff"
)

// Changes gathers what became of pages between two states of a memory and
// draws it. Pages never added are those that only one of the states has. It is
// not safe for use by several goroutines at once.
type Changes struct {
	grid
}

// The shades of changes: pages that stayed as they were are grey, the others
// warm, and darker the more of them changed, but for those that were or became
// zero.
const (
	stayedZero shade = absent + 1 + iota
	unchanged
	becameZero
	wasZero
	little
	some
	much
	most
)

var changeScheme = scheme{
	{"only in one of the two", violet},
	{"zero in both", silver},
	{"unchanged", grey},
	{"became zero", teal},
	{"was zero", blue},
	{"up to 1/64 of its bytes changed", yellow},
	{"up to 1/8 changed", amber},
	{"up to 1/2 changed", orange},
	{"more than 1/2 changed", rust},
}

// NewChanges returns an empty picture of what became of pages of pageSize bytes.
func NewChanges(pageSize int) *Changes {
	return &Changes{grid{pageSize: uint64(pageSize), perCell: 1}}
}

// WritePNG draws the changes as a PNG.
func (m *Changes) WritePNG(w io.Writer) error { return writePNG(w, m) }

// WriteSVG draws the changes as an SVG that needs nothing but itself.
func (m *Changes) WriteSVG(w io.Writer) error { return writeSVG(w, m) }

// Add adds a page of the region begun last: its number within the region, and
// what became of it.
func (m *Changes) Add(page uint64, p memdiff.Page) {
	if !m.skip {
		m.add(page, 1, shadeOfChange(p, m.pageSize), uint64(p.Bytes))
	}
}

// AddZeros adds pages that are zero in both states, in time that depends on the
// number of cells, not of pages.
func (m *Changes) AddZeros(page, pages uint64) {
	if !m.skip {
		m.add(page, pages, stayedZero, 0)
	}
}

func shadeOfChange(p memdiff.Page, pageSize uint64) shade {
	changed := uint64(p.Bytes)
	switch {
	case changed == 0 && p.IsZero:
		return stayedZero
	case changed == 0:
		return unchanged
	case p.IsZero:
		return becameZero
	case p.WasZero:
		return wasZero
	case changed <= pageSize/64:
		return little
	case changed <= pageSize/8:
		return some
	case changed <= pageSize/2:
		return much
	}
	return most
}

// changed returns the pages that both states have and that differ.
func (m *Changes) changed() tally {
	var t tally
	for s := becameZero; s <= most; s++ {
		t.add(m.shades[s].pages, m.shades[s].bytes)
	}
	return t
}

func (m *Changes) field() (*grid, scheme) { return &m.grid, changeScheme }

func (m *Changes) subtitle() string {
	t := m.changed()
	s := fmt.Sprintf("%s: %s changed (%s), %s of them (%s)", formatMemory(&m.grid),
		formatPages(t.pages), formatShare(float64(t.pages), float64(m.pages())),
		formatBytes(float64(t.bytes)), formatShare(float64(t.bytes), m.bytes(m.pages())))
	if n := m.absentPages(); n > 0 {
		s += fmt.Sprintf("; %s only in one of the two", humanize.Comma(int64(n)))
	}
	return s
}

func (m *Changes) about(b *block) string {
	if b.seen.pages == 0 {
		return ", only in one of the two"
	}
	return fmt.Sprintf(", %s changed", formatBytes(float64(b.seen.bytes)))
}

func (m *Changes) panel(p *picture, c canvas, x, y int) int {
	y = p.memoryBar(c, x, y+sectionGap, max(m.bytes(m.pages()), 1)/panelWidth)
	y = p.legend(c, x, y+sectionGap, "changed")
	return p.tableSum(c, x, y, tally{m.pages(), m.changed().bytes})
}
