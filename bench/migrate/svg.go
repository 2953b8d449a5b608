package main

import (
	"fmt"
	"html"
	"strings"
)

// style has plots readable on light and on dark ground. What is not styled by a
// program that knows no styles is black on nothing.
const style = `<style>
.plot{font-family:"Helvetica Neue",Arial,"Liberation Sans",sans-serif;font-size:11px}
.plot text{fill:#222}
.plot .title{font-size:15px;font-weight:600}
.plot .panel{font-size:12px;font-weight:600}
.plot .faint{fill:#666}
.plot .ours{font-weight:600}
.plot .band{fill:#888;fill-opacity:.13}
.plot .grid{stroke:#888;stroke-opacity:.28;stroke-width:1}
.plot .c0{stroke:#b4540a;fill:#b4540a}
.plot .c1{stroke:#1d5fb4;fill:#1d5fb4}
.plot .c2{stroke:#0a7a52;fill:#0a7a52}
.plot .c3{stroke:#7a4fa3;fill:#7a4fa3}
.plot .c4{stroke:#a3274b;fill:#a3274b}
.plot .c5{stroke:#666;fill:#666}
.plot .line{fill:none;stroke-width:1.8}
.plot .open{fill:none;stroke-width:1.5}
.plot .range{stroke-width:1.4}
@media (prefers-color-scheme:dark){
.plot text{fill:#ddd}
.plot .faint{fill:#aaa}
.plot .c0{stroke:#f2a25c;fill:#f2a25c}
.plot .c1{stroke:#74b0ff;fill:#74b0ff}
.plot .c2{stroke:#4fd0a0;fill:#4fd0a0}
.plot .c3{stroke:#c49cf0;fill:#c49cf0}
.plot .c4{stroke:#f2809f;fill:#f2809f}
.plot .c5{stroke:#aaa;fill:#aaa}
.plot .open,.plot .line{fill:none}
}
</style>
`

// A drawing is an SVG picture under way.
type drawing struct {
	body          strings.Builder
	width, height float64
}

func (d *drawing) add(format string, args ...any) { fmt.Fprintf(&d.body, format+"\n", args...) }

func (d *drawing) line(class string, x1, y1, x2, y2 float64) {
	d.add(`<line class="%s" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>`, class, x1, y1, x2, y2)
}

// text writes at the left end ("start"), middle or right end of a place.
func (d *drawing) text(class, anchor string, x, y float64, text string) {
	d.add(`<text class="%s" text-anchor="%s" x="%.1f" y="%.1f">%s</text>`, class, anchor, x, y, html.EscapeString(text))
}

// mark draws the mark of a series: a circle, a square, a triangle or a
// diamond, in its colour.
func (d *drawing) mark(series int, open bool, x, y float64) {
	class := fmt.Sprintf("c%d", series%6)
	if open {
		class += " open"
	}
	switch series % 4 {
	case 0:
		d.add(`<circle class="%s" cx="%.1f" cy="%.1f" r="3.6"/>`, class, x, y)
	case 1:
		d.add(`<rect class="%s" x="%.1f" y="%.1f" width="6.4" height="6.4"/>`, class, x-3.2, y-3.2)
	case 2:
		d.add(`<path class="%s" d="M%.1f %.1fl4.2 7.2h-8.4z"/>`, class, x, y-4.4)
	case 3:
		d.add(`<path class="%s" d="M%.1f %.1fl4.4 4.4l-4.4 4.4l-4.4-4.4z"/>`, class, x, y-4.4)
	}
}

// svg returns the picture as a file of its own, which can be part of a page.
func (d *drawing) svg(title string) string {
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" class="plot" role="img" aria-label="%s" viewBox="0 0 %.0f %.0f" width="%.0f">`+"\n%s%s</svg>\n",
		html.EscapeString(title), d.width, d.height, d.width, style, d.body.String())
}
