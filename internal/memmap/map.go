// Package memmap draws memory as a picture, as PNG or as SVG: its addresses in
// rows, each page in a colour. A [Map] has the colours of how pages are stored,
// a [Changes] of what became of them.
//
// Both take one page after the other, of any amount of memory, and keep at most
// 64 Ki cells of counts: where there are more pages than that, pages are grouped.
package memmap

import (
	"fmt"
	"image/color"
	"io"

	"github.com/dustin/go-humanize"
	"github.com/lzpage/lzpage/pagestream"
)

// A Map gathers how pages are stored in a stream and draws it. It is not safe
// for use by several goroutines at once.
type Map struct {
	grid
	// StreamBytes is the length of the whole stream that the pages are stored
	// in. Where it is less than what the pages take, as 0 is, that counts.
	StreamBytes uint64

	scheme scheme
	absent string // what pages never added are, in a word
	kinds  [pagestream.Kinds]tally
}

// The shades of a map. Pages that cost next to nothing are cool, those with a
// block of their own warm, and darker the more they cost.
const (
	zero shade = absent + 1 + iota
	word
	duplicate
	delta
	quarter
	half
	threeQuarters
	shrunk
	plain
)

var mapScheme = scheme{
	{"missing from the stream", violet},
	{"zero", silver},
	{"one word throughout", teal},
	{"equal to an earlier page", blue},
	{"what differs from its earlier version", navy},
	{"shrunk to 1/4 or less", yellow},
	{"shrunk to 1/2 or less", amber},
	{"shrunk to 3/4 or less", orange},
	{"shrunk by less than 1/4", rust},
	{"plain, did not shrink", black},
}

// incrementScheme is that of a stream that leaves pages to the one it is based
// on.
var incrementScheme = append(scheme{{"kept as in the base", grey}}, mapScheme[1:]...)

// New returns an empty map of pages of pageSize bytes.
func New(pageSize int) *Map {
	return &Map{grid: grid{pageSize: uint64(pageSize), perCell: 1}, scheme: mapScheme, absent: "missing"}
}

// NewIncrement returns an empty map of a stream that is based on another, in
// which pages never added are those that it keeps.
func NewIncrement(pageSize int) *Map {
	m := New(pageSize)
	m.scheme, m.absent = incrementScheme, "kept"
	return m
}

// WritePNG draws the map as a PNG.
func (m *Map) WritePNG(w io.Writer) error { return writePNG(w, m) }

// WriteSVG draws the map as an SVG that needs nothing but itself.
func (m *Map) WriteSVG(w io.Writer) error { return writeSVG(w, m) }

// Add adds a page of the region begun last: its number within the region, its
// kind, which must be one of the format's, and how many bytes it takes in the
// stream.
func (m *Map) Add(page uint64, kind pagestream.Kind, stored int) {
	if m.skip {
		return
	}
	m.add(page, 1, shadeOf(kind, uint64(stored), m.pageSize), uint64(stored))
	m.kinds[kind].add(1, uint64(stored))
}

// AddZeros adds a run of zero pages that take no bytes in the stream, in time
// that depends on the number of cells, not of pages.
func (m *Map) AddZeros(page, pages uint64) {
	if m.skip || pages == 0 {
		return
	}
	m.add(page, pages, zero, 0)
	m.kinds[pagestream.Zero].add(pages, 0)
}

// shadeOf returns the shade of a page of the kind that takes stored bytes.
func shadeOf(kind pagestream.Kind, stored, pageSize uint64) shade {
	switch kind {
	case pagestream.Zero:
		return zero
	case pagestream.Word:
		return word
	case pagestream.Duplicate:
		return duplicate
	case pagestream.Delta:
		return delta
	case pagestream.Plain:
		return plain
	}
	switch {
	case stored <= pageSize/4:
		return quarter
	case stored <= pageSize/2:
		return half
	case stored <= pageSize/4*3:
		return threeQuarters
	}
	return shrunk
}

func (m *Map) streamBytes() uint64 { return max(m.StreamBytes, m.seen().bytes) }

func (m *Map) field() (*grid, scheme) { return &m.grid, m.scheme }

func (m *Map) subtitle() string {
	seen, stream := m.bytes(m.seen().pages), float64(m.streamBytes())
	s := formatMemory(&m.grid)
	if n := m.absentPages(); n > 0 {
		s += fmt.Sprintf(", %s %s, the others", humanize.Comma(int64(n)), m.absent)
	} else {
		s += ","
	}
	s += " stored in " + formatBytes(stream)
	if stream > 0 && seen > 0 {
		s += fmt.Sprintf(": ratio %s, %s of their size", formatNumber(seen/stream), formatShare(stream, seen))
	}
	return s
}

func (m *Map) about(b *block) string {
	if b.seen.pages == 0 {
		return ""
	}
	return fmt.Sprintf(", stored in %s (%s)", formatBytes(float64(b.seen.bytes)), formatShare(float64(b.seen.bytes), m.bytes(b.seen.pages)))
}

func (m *Map) panel(p *picture, c canvas, x, y int) int {
	y = m.shareBars(p, c, x, y+sectionGap)
	y = p.legend(c, x, y+sectionGap, "stored")
	return m.kindTable(p, c, x, y+sectionGap)
}

// restColor is that of what is in a stream beside pages.
var restColor = color.RGBA{0x75, 0x7d, 0x86, 0xff}

// shareBars draws memory and stream as bars, both to the same scale.
func (m *Map) shareBars(p *picture, c canvas, x, y int) int {
	memory, stream := m.bytes(m.pages()), float64(m.streamBytes())
	perPixel := max(memory, stream, 1) / panelWidth
	var stored [maxShades]float64
	for s := range m.scheme {
		stored[s] = float64(m.shades[s].bytes)
	}
	y = p.memoryBar(c, x, y, perPixel)
	y += 35
	c.text(x, y, headText, left, "Stream, to the same scale")
	c.text(x+panelWidth, y, bodyText, right, formatBytes(stream))
	p.shareBar(c, x, y+7, perPixel, stored, stream)
	return y + 17
}

func (m *Map) kindTable(p *picture, c canvas, x, y int) int {
	p.tableHead(c, x, y, "Kinds", "stored")
	for k, t := range m.kinds {
		y += 20
		p.tableRow(c, x, x, y, pagestream.Kind(k).String(), t)
	}
	if n := m.absentPages(); n > 0 {
		y += 20
		p.tableRow(c, x, x, y, m.absent, tally{pages: n})
	}
	if rest := m.streamBytes() - m.seen().bytes; rest > 0 {
		y += 20
		rect(c, restColor, x, y-12, 16, 16)
		c.text(x+24, y, bodyText, left, "headers, index and the like")
		c.text(x+bytesColumn, y, bodyText, right, formatBytes(float64(rest)))
	}
	return p.tableSum(c, x, y, tally{m.pages(), m.streamBytes()})
}
