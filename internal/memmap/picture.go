package memmap

import (
	"fmt"
	"image/color"

	"github.com/dustin/go-humanize"
)

// Sizes in pixels.
const (
	margin     = 28
	fieldWidth = 1024 // of the cells; a power of two, so that rows begin at round addresses
	panelGap   = 40
	panelWidth = 440
	sectionGap = 40
	tick       = 5
	labelEvery = 32 // between the baselines of address labels, at least
)

var lineColor = color.RGBA{0x9a, 0xa3, 0xad, 0xff}

// A subject is what a picture shows.
type subject interface {
	// field returns the cells and what their colours mean.
	field() (*grid, scheme)
	// subtitle says what there is, which is at least a page.
	subtitle() string
	// about continues what is said of a block's place and length.
	about(b *block) string
	// panel draws what is below the scale, from y on, and returns how far down
	// it reaches.
	panel(p *picture, c canvas, x, y int) int
}

// A picture is a subject's layout: the field of cells with its address axis at
// the left, and at the right a panel that explains it.
type picture struct {
	*grid
	subject
	scheme        scheme
	faces         faces
	title         string
	width, height int
	cellWidth     int
	cellHeight    int
	rowGap        int
	digits        int // of an address
	fieldX        int
}

func newPicture(s subject, fs faces) *picture {
	p := &picture{subject: s, faces: fs}
	p.grid, p.scheme = s.field()
	p.cellWidth, p.cellHeight, p.rowGap = p.cellSize()
	last := uint64(1<<32 - 1)
	for _, b := range p.blocks {
		last = max(last, b.region.Address+p.length(b))
	}
	p.digits = len(fmt.Sprintf("%x", last))
	p.fieldX = margin + fs.width(monoText, p.address(0)) + 2*tick
	p.width = p.fieldX + fieldWidth + panelGap + panelWidth + margin
	title := p.Title
	if title == "" {
		title = "Memory map"
	}
	p.title = fs.fit(titleText, title, p.width-2*margin)
	p.height = p.draw(nowhere{}) + margin
	return p
}

// nowhere is a canvas for finding out how high a picture is.
type nowhere struct{}

func (nowhere) bars(color.RGBA, int, int, []bar)         {}
func (nowhere) text(int, int, textStyle, anchor, string) {}

// cellSize returns the pixels of a cell and between rows. A cell of one page is
// a square, as large as there is room for. A cell of more is narrow and high, for
// the shares of shades to show: its row is a chart.
func (g *grid) cellSize() (width, height, rowGap int) {
	if g.perCell > 1 {
		return 1, 16, 2
	}
	side := 16
	for n := g.cellCount(); side > 4 && n > uint64(fieldWidth/side*fieldWidth/side); {
		side /= 2
	}
	return side, side, 0
}

func (p *picture) columns() int { return fieldWidth / p.cellWidth }

func (p *picture) rowBytes() uint64 {
	return uint64(p.columns()) * p.perCell * p.pageSize
}

func (p *picture) address(a uint64) string { return fmt.Sprintf("0x%0*x", p.digits, a) }

// draw draws everything and returns how far down it reaches.
func (p *picture) draw(c canvas) int {
	y := margin + 20
	c.text(margin, y, titleText, left, p.title)
	y += 26
	subtitle := "No memory"
	if p.pages() > 0 {
		subtitle = p.subtitle()
	}
	c.text(margin, y, subtitleText, left, subtitle)
	y += 18
	rect(c, lineColor, margin, y, p.width-2*margin, 1)
	y += 10
	return max(p.blockRows(c, y), p.panel(c, y))
}

// formatMemory writes how much memory there is.
func formatMemory(g *grid) string {
	return fmt.Sprintf("%s of memory, %s of %s", formatBytes(g.bytes(g.pages())), formatPages(g.pages()), formatBytes(float64(g.pageSize)))
}

// blockRows draws the regions below each other.
func (p *picture) blockRows(c canvas, y int) int {
	if p.pages() == 0 {
		c.text(p.fieldX, y+20, bodyText, left, "There are no pages of memory to draw.")
		return y + 20
	}
	var before *block
	for _, b := range p.blocks {
		if b.pages == 0 {
			continue
		}
		if before != nil {
			y = p.hole(c, y+8, before, b)
		}
		y += 18
		p.head(c, y, b)
		y += 8
		if before == nil {
			y = p.columnAxis(c, y)
		}
		y = p.rows(c, y, b)
		before = b
	}
	return y
}

// hole draws the addresses between two regions that follow each other.
func (p *picture) hole(c canvas, y int, before, b *block) int {
	start := before.region.Address + p.length(before)
	if b.regions > 1 || b.region.Address <= start {
		return y
	}
	s := fmt.Sprintf("%s to %s: hole of %s, not to scale", p.address(start), p.address(b.region.Address-1),
		formatBytes(float64(b.region.Address-start)))
	var dashes []bar
	for range fieldWidth / 8 {
		dashes = append(dashes, bar{5, 1}, bar{3, 0})
	}
	y += 18
	c.bars(lineColor, p.fieldX, y-4, dashes)
	center, width := p.fieldX+fieldWidth/2, p.faces.room(bodyText, s)+24
	rect(c, color.RGBA{0xff, 0xff, 0xff, 0xff}, center-width/2, y-12, width, 16)
	c.text(center, y, bodyText, middle, s)
	return y + 10
}

// head writes what a block is.
func (p *picture) head(c canvas, y int, b *block) {
	name := b.region.Name
	if name == "" {
		name = "memory"
	}
	length := p.length(b)
	s := fmt.Sprintf("%s to %s, %s", p.address(b.region.Address), p.address(b.region.Address+length-1), formatBytes(float64(length)))
	if b.regions > 1 {
		name = humanize.Comma(int64(b.regions)) + " regions"
		s = fmt.Sprintf("%s in all, one behind the other", formatBytes(p.bytes(b.pages)))
	}
	s += p.about(b)
	name = p.faces.fit(headText, name, fieldWidth-p.faces.room(bodyText, s)-14)
	c.text(p.fieldX, y, headText, left, name)
	c.text(p.fieldX+p.faces.room(headText, name)+14, y, bodyText, left, s)
}

// columnAxis tells how far along its row a cell is.
func (p *picture) columnAxis(c canvas, y int) int {
	y += 12
	for i := range 5 {
		x := p.fieldX + fieldWidth*i/4
		a, s := middle, "+"+formatBytes(float64(p.rowBytes()/4*uint64(i)))
		switch i {
		case 0:
			a, s = left, "+0"
		case 4:
			x, a = x-1, right
		}
		c.text(x, y, monoText, a, s)
		rect(c, lineColor, x, y+4, 1, tick)
	}
	return y + 4 + tick
}

// rows draws the cells of a block and the addresses at which its rows begin.
func (p *picture) rows(c canvas, y int, b *block) int {
	columns, step := p.columns(), 1
	for step*(p.cellHeight+p.rowGap) < labelEvery {
		step *= 2
	}
	n := int(p.cellsOf(b))
	for row := 0; row*columns < n; row++ {
		if row%step == 0 {
			a := p.address(b.region.Address + uint64(row)*p.rowBytes())
			if b.regions > 1 {
				a = "+" + a
			}
			center := y + p.cellHeight/2
			rect(c, lineColor, p.fieldX-tick-1, center, tick, 1)
			c.text(p.fieldX-2*tick, center+4, monoText, right, a)
		}
		p.row(c, y+p.cellHeight, b, row*columns, min((row+1)*columns, n))
		y += p.cellHeight + p.rowGap
	}
	return y
}

// row draws the cells from first to before end, standing on y.
func (p *picture) row(c canvas, y int, b *block, first, end int) {
	var bars [maxShades][]bar
	var used [maxShades]bool
	for i := first; i < end; i++ {
		pages := min(p.perCell, b.pages-uint64(i)*p.perCell)
		for s, top := range b.cells[i].stack(p.cellHeight, pages) {
			bars[s] = append(bars[s], bar{p.cellWidth, top})
			used[s] = used[s] || top > 0
		}
	}
	for s := range p.scheme {
		if used[s] {
			c.bars(p.scheme[s].color, p.fieldX, y, bars[s])
		}
	}
}
