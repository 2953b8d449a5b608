package memmap

import (
	"image/color"
	"sync"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/gomono"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
)

// A canvas is what the picture is drawn on. Coordinates are pixels from the
// top left corner.
type canvas interface {
	// bars draws bars side by side, the first at x, standing on the line y.
	bars(c color.RGBA, x, y int, bars []bar)
	// text writes s with its baseline at y.
	text(x, y int, t textStyle, a anchor, s string)
}

// A bar has a width and a height in pixels. A height of 0 leaves a gap.
type bar struct{ width, height int }

// rect draws a rectangle.
func rect(c canvas, fill color.RGBA, x, y, width, height int) {
	c.bars(fill, x, y+height, []bar{{width, height}})
}

// An anchor says what part of a text stands at its x.
type anchor int

const (
	left anchor = iota
	middle
	right
)

type textStyle int

const (
	titleText textStyle = iota
	subtitleText
	headText
	bodyText
	monoText
	textStyles
)

var textColor = color.RGBA{0x1d, 0x23, 0x2b, 0xff}

// The sizes are in pixels.
var textSizes = [textStyles]float64{titleText: 24, subtitleText: 15, headText: 14, bodyText: 13, monoText: 12}

// typefaces are the fonts of the styles, parsed once.
var typefaces = sync.OnceValues(func() ([textStyles]*opentype.Font, error) {
	data := [textStyles][]byte{
		titleText:    gobold.TTF,
		subtitleText: goregular.TTF,
		headText:     gobold.TTF,
		bodyText:     goregular.TTF,
		monoText:     gomono.TTF,
	}
	var fonts [textStyles]*opentype.Font
	for i, d := range data {
		f, err := opentype.Parse(d)
		if err != nil {
			return fonts, err
		}
		fonts[i] = f
	}
	return fonts, nil
})

// faces has a face of each style.
type faces [textStyles]font.Face

func newFaces() (faces, error) {
	var fs faces
	fonts, err := typefaces()
	if err != nil {
		return fs, err
	}
	for i, f := range fonts {
		options := &opentype.FaceOptions{Size: textSizes[i], DPI: 72, Hinting: font.HintingFull}
		if fs[i], err = opentype.NewFace(f, options); err != nil {
			return fs, err
		}
	}
	return fs, nil
}

// width returns how many pixels wide s is.
func (fs faces) width(t textStyle, s string) int {
	return font.MeasureString(fs[t], s).Ceil()
}

// room returns how many pixels wide s may be in the fonts that an SVG is shown
// in, some of which run wider than these.
func (fs faces) room(t textStyle, s string) int { return fs.width(t, s) * 6 / 5 }

// fit returns s, its middle left out where it needs room for more than width
// pixels.
func (fs faces) fit(t textStyle, s string, width int) string {
	if fs.room(t, s) <= width {
		return s
	}
	runes := []rune(s)
	for keep := min(len(runes)-1, width); ; keep-- {
		head, tail := runes[:keep-keep/2], runes[len(runes)-keep/2:]
		cut := string(head) + "..." + string(tail)
		if keep == 0 || fs.room(t, cut) <= width {
			return cut
		}
	}
}
