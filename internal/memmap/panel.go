package memmap

import (
	"fmt"

	"github.com/dustin/go-humanize"
	"github.com/lzpage/lzpage/pagestream"
)

// panel draws what the colours mean and how much there is of each.
func (p *picture) panel(c canvas, y int) int {
	x := p.fieldX + fieldWidth + panelGap
	y = p.scale(c, x, y)
	y = p.shareBars(c, x, y+sectionGap)
	y = p.legend(c, x, y+sectionGap)
	return p.kindTable(c, x, y+sectionGap)
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
			fmt.Sprintf("Colours share a cell's height in %dths, what costs most at the", p.cellHeight),
			"bottom. A cell that is not all of one colour shows two or more.")
	}
	for _, s := range lines {
		y += 20
		c.text(x, y, bodyText, left, s)
	}
	return y
}

// shareBars draws memory and stream as bars, both to the same scale.
func (p *picture) shareBars(c canvas, x, y int) int {
	memory, stream := p.bytes(p.pages()), float64(p.streamBytes())
	perPixel := max(memory, stream, 1) / panelWidth
	var pages, stored [shades]float64
	pages[missing] = p.bytes(p.missing())
	for s, t := range p.shades {
		pages[s] += p.bytes(t.pages)
		stored[s] = float64(t.stored)
	}
	c.text(x, y, headText, left, "Memory")
	c.text(x+panelWidth, y, bodyText, right, formatBytes(memory))
	p.shareBar(c, x, y+7, perPixel, pages, memory)
	y += 52
	c.text(x, y, headText, left, "Stream, to the same scale")
	c.text(x+panelWidth, y, bodyText, right, formatBytes(stream))
	p.shareBar(c, x, y+7, perPixel, stored, stream)
	return y + 17
}

// shareBar draws one bar of so many bytes in all, the parts of shades in it.
func (p *picture) shareBar(c canvas, x, y int, perPixel float64, parts [shades]float64, all float64) {
	const height = 18
	end := x + int(all/perPixel+0.5)
	at, sum := x, 0.0
	for s, part := range parts {
		sum += part
		if to := x + int(sum/perPixel+0.5); to > at {
			rect(c, shadeColors[s], at, y, to-at, height)
			at = to
		}
	}
	if end > at {
		rect(c, restColor, at, y, end-at, height)
	}
}

// The right ends of the panel's columns of numbers.
const (
	pagesColumn  = panelWidth - 150
	shareColumn  = panelWidth - 85
	storedColumn = panelWidth
)

func (p *picture) legend(c canvas, x, y int) int {
	p.tableHead(c, x, y, "Colours")
	for s := range shades {
		t := p.shades[s]
		if s == missing {
			if t.pages = p.missing(); t.pages == 0 {
				continue
			}
		}
		y += 22
		rect(c, shadeColors[s], x, y-12, 16, 16)
		p.tableRow(c, x, x+24, y, shadeNames[s], t)
	}
	return y
}

func (p *picture) kindTable(c canvas, x, y int) int {
	p.tableHead(c, x, y, "Kinds")
	for k, t := range p.kinds {
		y += 20
		p.tableRow(c, x, x, y, pagestream.Kind(k).String(), t)
	}
	if n := p.missing(); n > 0 {
		y += 20
		p.tableRow(c, x, x, y, "missing", tally{pages: n})
	}
	if rest := p.streamBytes() - p.seen().stored; rest > 0 {
		y += 20
		rect(c, restColor, x, y-12, 16, 16)
		c.text(x+24, y, bodyText, left, "headers, index and the like")
		c.text(x+storedColumn, y, bodyText, right, formatBytes(float64(rest)))
	}
	y += 8
	rect(c, lineColor, x, y, panelWidth, 1)
	y += 17
	p.tableRow(c, x, x, y, "all", tally{p.pages(), p.streamBytes()})
	return y
}

func (p *picture) tableHead(c canvas, x, y int, s string) {
	c.text(x, y, headText, left, s)
	c.text(x+pagesColumn, y, bodyText, right, "pages")
	c.text(x+shareColumn, y, bodyText, right, "share")
	c.text(x+storedColumn, y, bodyText, right, "stored")
	rect(c, lineColor, x, y+6, panelWidth, 1)
}

func (p *picture) tableRow(c canvas, x, nameX, y int, name string, t tally) {
	c.text(nameX, y, bodyText, left, name)
	c.text(x+pagesColumn, y, bodyText, right, humanize.Comma(int64(t.pages)))
	c.text(x+shareColumn, y, bodyText, right, formatShare(float64(t.pages), float64(p.pages())))
	c.text(x+storedColumn, y, bodyText, right, formatBytes(float64(t.stored)))
}
