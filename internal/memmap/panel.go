package memmap

import (
	"fmt"

	"github.com/dustin/go-humanize"
)

// panel draws what the colours mean and how much there is of each.
func (p *picture) panel(c canvas, y int) int {
	x := p.fieldX + fieldWidth + panelGap
	return p.subject.panel(p, c, x, p.scale(c, x, y))
}

func (p *picture) scale(c canvas, x, y int) int {
	y += 18
	c.text(x, y, headText, left, "Scale")
	lines := []string{
		fmt.Sprintf("1 cell = %s = %s", formatPages(p.perCell), formatBytes(p.bytes(p.perCell))),
		fmt.Sprintf("1 row = %s cells = %s", humanize.Comma(int64(p.columns())), formatBytes(float64(p.rowBytes()))),
		"Addresses rise along each row, from row to row.",
	}
	if p.perCell > 1 {
		lines = append(lines,
			fmt.Sprintf("Colours share a cell's height in %dths, the last of the list at the", p.cellHeight),
			"bottom. A cell that is not all of one colour shows two or more.")
	}
	for _, s := range lines {
		y += 20
		c.text(x, y, bodyText, left, s)
	}
	return y
}

// memoryBar draws the shades' shares of the memory as a bar.
func (p *picture) memoryBar(c canvas, x, y int, perPixel float64) int {
	memory := p.bytes(p.pages())
	var parts [maxShades]float64
	for s := range p.scheme {
		parts[s] = p.bytes(p.tallyOf(shade(s)).pages)
	}
	c.text(x, y, headText, left, "Memory")
	c.text(x+panelWidth, y, bodyText, right, formatBytes(memory))
	p.shareBar(c, x, y+7, perPixel, parts, memory)
	return y + 17
}

// shareBar draws one bar of so many bytes in all, the parts of shades in it.
func (p *picture) shareBar(c canvas, x, y int, perPixel float64, parts [maxShades]float64, all float64) {
	const height = 18
	end := x + int(all/perPixel+0.5)
	at, sum := x, 0.0
	for s := range p.scheme {
		sum += parts[s]
		if to := x + int(sum/perPixel+0.5); to > at {
			rect(c, p.scheme[s].color, at, y, to-at, height)
			at = to
		}
	}
	if end > at {
		rect(c, restColor, at, y, end-at, height)
	}
}

// The right ends of the panel's columns of numbers.
const (
	pagesColumn = panelWidth - 150
	shareColumn = panelWidth - 85
	bytesColumn = panelWidth
)

// legend writes what the shades mean, and how many pages have them. Of absent
// ones it speaks only where there are some.
func (p *picture) legend(c canvas, x, y int, bytes string) int {
	p.tableHead(c, x, y, "Colours", bytes)
	for s := range p.scheme {
		t := p.tallyOf(shade(s))
		if shade(s) == absent && t.pages == 0 {
			continue
		}
		y += 22
		rect(c, p.scheme[s].color, x, y-12, 16, 16)
		p.tableRow(c, x, x+24, y, p.scheme[s].name, t)
	}
	return y
}

func (p *picture) tableHead(c canvas, x, y int, s, bytes string) {
	c.text(x, y, headText, left, s)
	c.text(x+pagesColumn, y, bodyText, right, "pages")
	c.text(x+shareColumn, y, bodyText, right, "share")
	c.text(x+bytesColumn, y, bodyText, right, bytes)
	rect(c, lineColor, x, y+6, panelWidth, 1)
}

func (p *picture) tableRow(c canvas, x, nameX, y int, name string, t tally) {
	c.text(nameX, y, bodyText, left, name)
	c.text(x+pagesColumn, y, bodyText, right, humanize.Comma(int64(t.pages)))
	c.text(x+shareColumn, y, bodyText, right, formatShare(float64(t.pages), float64(p.pages())))
	c.text(x+bytesColumn, y, bodyText, right, formatBytes(float64(t.bytes)))
}

// tableSum ends a table.
func (p *picture) tableSum(c canvas, x, y int, t tally) int {
	y += 8
	rect(c, lineColor, x, y, panelWidth, 1)
	y += 17
	p.tableRow(c, x, x, y, "all", t)
	return y
}
