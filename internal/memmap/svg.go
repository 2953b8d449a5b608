package memmap

import (
	"bufio"
	"encoding/xml"
	"fmt"
	"image/color"
	"io"
	"strings"
)

func writeSVG(w io.Writer, s subject) error {
	fs, err := newFaces()
	if err != nil {
		return err
	}
	p := newPicture(s, fs)
	c := svgCanvas{bufio.NewWriter(w)}
	fmt.Fprintf(c.w, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %[1]d %[2]d" role="img">`, p.width, p.height)
	fmt.Fprintf(c.w, "\n<title>%s</title>\n<style>\n", escape(p.title))
	fmt.Fprintf(c.w, "text{font-family:Go,Helvetica,Arial,sans-serif;fill:%s}\n", hex(textColor))
	// Without crisp edges white would shine through between rows when enlarged.
	fmt.Fprintln(c.w, "path{shape-rendering:crispEdges}")
	for t, font := range svgStyles {
		fmt.Fprintf(c.w, ".t%d{%s;font-size:%gpx}\n", t, font, textSizes[t])
	}
	fmt.Fprintf(c.w, "</style>\n<rect width=\"%d\" height=\"%d\" fill=\"#fff\"/>\n", p.width, p.height)
	p.draw(c)
	fmt.Fprintln(c.w, "</svg>")
	return c.w.Flush()
}

var svgStyles = [textStyles]string{
	titleText:    "font-weight:bold",
	subtitleText: "font-weight:normal",
	headText:     "font-weight:bold",
	bodyText:     "font-weight:normal",
	monoText:     "font-family:'Go Mono',Menlo,Consolas,'DejaVu Sans Mono',monospace",
}

var svgAnchors = [...]string{left: "", middle: ` text-anchor="middle"`, right: ` text-anchor="end"`}

func hex(c color.RGBA) string { return fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B) }

func escape(s string) string {
	var b strings.Builder
	xml.EscapeText(&b, []byte(s)) // a Builder does not fail
	return b.String()
}

// svgCanvas relies on the writer to keep its first error until it is flushed.
type svgCanvas struct{ w *bufio.Writer }

// bars draws all bars as the outline of one path, which takes a few bytes a bar.
func (c svgCanvas) bars(fill color.RGBA, x, y int, bars []bar) {
	fmt.Fprintf(c.w, `<path fill="%s" d="M%d %d`, hex(fill), x, y)
	height, width := 0, 0
	for _, b := range bars {
		if b.height != height {
			if width > 0 {
				fmt.Fprintf(c.w, "h%d", width)
			}
			fmt.Fprintf(c.w, "v%d", height-b.height)
			height, width = b.height, 0
		}
		width += b.width
	}
	fmt.Fprintf(c.w, "h%dv%dz\"/>\n", width, height)
}

func (c svgCanvas) text(x, y int, t textStyle, a anchor, s string) {
	fmt.Fprintf(c.w, `<text x="%d" y="%d" class="t%d"%s>%s</text>`+"\n", x, y, t, svgAnchors[a], escape(s))
}
