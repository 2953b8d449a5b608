package memmap

import (
	"image"
	"image/color"
	"image/png"
	"io"

	"golang.org/x/image/font"
	"golang.org/x/image/math/fixed"
)

func writePNG(w io.Writer, s subject) error {
	fs, err := newFaces()
	if err != nil {
		return err
	}
	p := newPicture(s, fs)
	c := pngCanvas{image.NewPaletted(image.Rect(0, 0, p.width, p.height), pngPalette(p.scheme)), fs}
	p.draw(c)
	return png.Encode(w, c.img)
}

// pngPalette has all colours drawn with, white first, and what lies between
// white and text for the edges of letters.
func pngPalette(s scheme) color.Palette {
	const steps = 31
	var p color.Palette
	for i := range steps + 1 {
		blend := func(v uint8) uint8 { return uint8((int(v)*i + 255*(steps-i)) / steps) }
		p = append(p, color.RGBA{blend(textColor.R), blend(textColor.G), blend(textColor.B), 255})
	}
	for _, shade := range s {
		p = append(p, shade.color)
	}
	return append(p, lineColor, restColor)
}

type pngCanvas struct {
	img   *image.Paletted
	faces faces
}

func (c pngCanvas) bars(fill color.RGBA, x, y int, bars []bar) {
	ink := uint8(c.img.Palette.Index(fill))
	for _, b := range bars {
		for i := y - b.height; i < y; i++ {
			line := c.img.Pix[c.img.PixOffset(x, i):][:b.width]
			for j := range line {
				line[j] = ink
			}
		}
		x += b.width
	}
}

func (c pngCanvas) text(x, y int, t textStyle, a anchor, s string) {
	switch a {
	case middle:
		x -= c.faces.width(t, s) / 2
	case right:
		x -= c.faces.width(t, s)
	}
	d := font.Drawer{Dst: c.img, Src: image.NewUniform(textColor), Face: c.faces[t], Dot: fixed.P(x, y)}
	d.DrawString(s)
}
