package memmap

import (
	"image/color"

	"github.com/lzpage/lzpage/pagestream"
)

// A shade is a colour with a meaning. They are in the order in which they
// stand above each other in a cell of several pages, the topmost first.
type shade int

const (
	missing shade = iota
	zero
	word
	duplicate
	quarter
	half
	threeQuarters
	shrunk
	plain
	shades
)

var shadeNames = [shades]string{
	missing:       "missing from the stream",
	zero:          "zero",
	word:          "one word throughout",
	duplicate:     "equal to an earlier page",
	quarter:       "shrunk to 1/4 or less",
	half:          "shrunk to 1/2 or less",
	threeQuarters: "shrunk to 3/4 or less",
	shrunk:        "shrunk by less than 1/4",
	plain:         "plain, did not shrink",
}

// shadeColors are told apart with any colour vision, and in print without
// colour show by their darkness how much a page costs. Pages that cost next to
// nothing are cool, those with a block of their own warm.
var shadeColors = [shades]color.RGBA{
	missing:       {0xb4, 0x90, 0xfc, 0xff},
	zero:          {0xcc, 0xd3, 0xdb, 0xff},
	word:          {0x46, 0xbb, 0xa8, 0xff},
	duplicate:     {0x2f, 0x6f, 0xcf, 0xff},
	quarter:       {0xff, 0xea, 0x85, 0xff},
	half:          {0xfb, 0xaa, 0x2a, 0xff},
	threeQuarters: {0xdf, 0x60, 0x0f, 0xff},
	shrunk:        {0x99, 0x2a, 0x06, 0xff},
	plain:         {0x2a, 0x08, 0x10, 0xff},
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

// stack returns how many of height pixels reach from a cell's bottom to the
// top of each shade, where the cell stands for so many pages: each shade's
// share, rounded. A shade without a pixel has 0. A cell that is not all of one
// shade shows two, however little there is of the second.
func (c *cell) stack(height int, pages uint64) [shades]int {
	counts := *c
	counts[missing] = pages
	for _, n := range c {
		counts[missing] -= min(n, counts[missing])
	}
	var tops [shades]int
	below, top, only := uint64(0), 0, missing
	for s := plain; s >= missing; s-- {
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
