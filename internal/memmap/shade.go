package memmap

import "image/color"

// A shade is a colour with a meaning, by its place in a scheme. Shades stand
// above each other in that order in a cell of several pages, the topmost first.
type shade int

// absent is the shade, in every scheme, of pages that were never added.
const absent shade = 0

// maxShades is how many shades a scheme may have.
const maxShades = 11

// A scheme is what the colours of a picture mean.
type scheme []struct {
	name  string
	color color.RGBA
}

// Colours that are told apart with any colour vision. In print without colour
// the warm ones show by their darkness how much there is to a page.
var (
	violet = color.RGBA{0xb4, 0x90, 0xfc, 0xff}
	silver = color.RGBA{0xcc, 0xd3, 0xdb, 0xff}
	grey   = color.RGBA{0x90, 0x84, 0x78, 0xff}
	teal   = color.RGBA{0x46, 0xbb, 0xa8, 0xff}
	blue   = color.RGBA{0x2f, 0x6f, 0xcf, 0xff}
	navy   = color.RGBA{0x24, 0x30, 0x78, 0xff}
	yellow = color.RGBA{0xff, 0xea, 0x85, 0xff}
	amber  = color.RGBA{0xfb, 0xaa, 0x2a, 0xff}
	orange = color.RGBA{0xdf, 0x60, 0x0f, 0xff}
	rust   = color.RGBA{0x99, 0x2a, 0x06, 0xff}
	black  = color.RGBA{0x2a, 0x08, 0x10, 0xff}
)

// colors are all of them.
var colors = []color.RGBA{violet, silver, grey, teal, blue, navy, yellow, amber, orange, rust, black}

// stack returns how many of height pixels reach from a cell's bottom to the
// top of each shade, where the cell stands for so many pages: each shade's
// share, rounded. A shade without a pixel has 0. A cell that is not all of one
// shade shows two, however little there is of the second.
func (c *cell) stack(height int, pages uint64) [maxShades]int {
	counts := *c
	counts[absent] = pages
	for _, n := range c {
		counts[absent] -= min(n, counts[absent])
	}
	var tops [maxShades]int
	below, top, only := uint64(0), 0, absent
	for s := shade(maxShades - 1); s >= absent; s-- {
		below += counts[s]
		t := min(height, int(float64(below)/float64(pages)*float64(height)+0.5))
		if t == top {
			continue
		}
		if top == 0 {
			only = s
		}
		tops[s], top = t, t
	}
	if tops[only] < height {
		return tops
	}
	second := only
	for s, n := range counts {
		if shade(s) != only && n > 0 && (second == only || n > counts[second]) {
			second = shade(s)
		}
	}
	switch {
	case second > only: // below
		tops[second] = 1
	case second < only:
		tops[only], tops[second] = height-1, height
	}
	return tops
}
