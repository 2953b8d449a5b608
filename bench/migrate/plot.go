package main

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// A plot is a picture with its name as a file.
type plot struct {
	name, title, svg string
}

// plots returns the plots of the figures that matter most.
func (r *results) plots() (all []plot) {
	for _, p := range []struct {
		name, key string
		linear    bool
	}{
		{"total", "total_s", false},
		{"felt", "felt_ms", false},
		{"stalls", "stalls_ms", false},
		{"sent", "sent_mb", false},
		{"cpu", "cpu_s", false},
		{"speed", "speed_percent", true},
	} {
		f := figureOf(p.key)
		all = append(all, plot{p.name, f.long, r.dots(f, p.linear)})
	}
	for _, link := range r.links("") {
		if svg := r.rates(link); svg != "" {
			all = append(all, plot{"rates-" + link, "Total time by dirty rate, " + link, svg})
		}
	}
	return all
}

// Measures of a plot of dots, in pixels.
const (
	plotWidth   = 960
	labelsWidth = 132
	panelGap    = 22
	panelTop    = 64
	panelHead   = 20
	rowHeight   = 17
	panelFoot   = 34
	panelsRow   = 3 // panels beside each other
)

// dots draws a figure: a panel for each workload, a row for each method, and a
// mark for each link at the median, with a line from the least to the most. An
// open mark is a method of which no run came to an end: it stands where the
// cancelled runs were, or at the right edge if the figure means nothing of
// them.
func (r *results) dots(f figure, linear bool) string {
	workloads, methods, linkNames := r.workloads(), r.methods(), r.links("")
	least, most := math.Inf(1), 0.0
	for _, c := range r.Cells {
		if s, have := c.Figures[f.key]; have {
			for _, value := range []float64{s.Min, s.Median, s.Max} {
				if value > 0 {
					least, most = min(least, value), max(most, value)
				}
			}
		}
	}
	if most == 0 {
		least, most = 1, 1
	}
	columns := min(panelsRow, len(workloads))
	rows := (len(workloads) + columns - 1) / columns
	panelWidth := (plotWidth - labelsWidth - float64(columns)*panelGap) / float64(columns)
	panelHeight := float64(panelHead + rowHeight*len(methods) + panelFoot)
	d := &drawing{width: plotWidth, height: panelTop + float64(rows)*panelHeight}

	unit := ""
	if f.unit != "" {
		unit = ", " + f.unit
	}
	d.text("title", "start", 8, 22, f.long+unit)
	r.legend(d, linkNames)

	for i, workload := range workloads {
		left := labelsWidth + float64(i%columns)*(panelWidth+panelGap)
		top := panelTop + float64(i/columns)*panelHeight
		x := newAxis(least, most, left, left+panelWidth, linear)
		d.text("panel", "start", left, top+12, workload)
		bottom := top + float64(panelHead+rowHeight*len(methods))
		for m, method := range methods {
			if y := top + panelHead + float64(m)*rowHeight; ours(method) {
				from := left
				if i%columns == 0 {
					from = 4
				}
				d.add(`<rect class="band" x="%.1f" y="%.1f" width="%.1f" height="%d"/>`, from, y, left+panelWidth-from, rowHeight)
			}
		}
		for _, mark := range x.marks() {
			d.line("grid", x.at(mark), top+panelHead, x.at(mark), bottom)
			d.text("faint", "middle", x.at(mark), bottom+13, short(mark))
		}
		for m, method := range methods {
			y := top + panelHead + (float64(m)+0.5)*rowHeight
			if i%columns == 0 {
				class := ""
				if ours(method) {
					class = "ours"
				}
				d.text(class, "end", left-8, y+4, method)
			}
			for l, link := range linkNames {
				c := r.cell(workload, link, method)
				if c == nil {
					continue
				}
				s, have := c.Figures[f.key]
				// Marks of links that are close to each other stay apart.
				y := y + 3*(float64(l)-float64(len(linkNames)-1)/2)
				if !have && (c.Completed > 0 || f.anyway) {
					continue // a guest without work has no speed
				}
				if !have {
					d.mark(l, true, left+panelWidth, y)
					continue
				}
				if s.Max > s.Min {
					d.line(fmt.Sprintf("range c%d", l%6), x.at(s.Min), y, x.at(s.Max), y)
				}
				d.mark(l, c.Completed == 0, x.at(s.Median), y)
			}
		}
	}
	return d.svg(f.long)
}

// legend names the links.
func (r *results) legend(d *drawing, linkNames []string) {
	x := 14.0
	for i, name := range linkNames {
		d.mark(i, false, x, 42)
		d.text("", "start", x+9, 46, name)
		x += 26 + 6.5*float64(len(name))
	}
	d.text("faint", "start", x+6, 46, fmt.Sprintf("median, least to most; open: cancelled after %.0f s", r.Setting.Limit))
}

// ours tells whether a method is one of LZRW1.
func ours(method string) bool { return strings.HasPrefix(method, "lzrw1") }

// rates draws the total time of each method on a link by the rate at which the
// guest dirties memory, or nothing if it was not measured with several rates.
func (r *results) rates(link string) string {
	type point struct{ rate, total float64 }
	lines := map[string][]point{}
	most, slowest, fastest := 0.0, 0.0, math.Inf(1)
	var rates []float64
	for _, c := range r.Cells {
		rate, alone := dirtyRate(c.Workload)
		if c.Link != link || !alone {
			continue
		}
		total := math.NaN()
		if c.Completed > 0 {
			total = c.Figures["total_s"].Median
			slowest, fastest = max(slowest, total), min(fastest, total)
		}
		lines[c.Method] = append(lines[c.Method], point{rate, total})
		most = max(most, rate)
		if !slices.Contains(rates, rate) {
			rates = append(rates, rate)
		}
	}
	if len(rates) < 3 || slowest == 0 {
		return ""
	}
	slices.Sort(rates)
	const left, right, top, bottom = 60, 700, 60, 380
	d := &drawing{width: plotWidth, height: 430}
	title := "Total time by the rate at which the guest dirties memory, " + link
	d.text("title", "start", 8, 22, title)
	d.text("faint", "start", 14, 44, fmt.Sprintf("seconds; a line ends where migrations no longer come to an end in %.0f s", r.Setting.Limit))
	x := newAxis(0, most, left, right, true)
	y := newAxis(fastest, slowest, bottom, top, false)
	for _, mark := range y.marks() {
		d.line("grid", left, y.at(mark), right, y.at(mark))
		d.text("faint", "end", left-8, y.at(mark)+4, short(mark))
	}
	for _, rate := range rates {
		d.line("grid", x.at(rate), top, x.at(rate), bottom)
		d.text("faint", "middle", x.at(rate), bottom+16, short(rate))
	}
	d.text("faint", "middle", (left+right)/2, bottom+36, "MiB a second")
	type end struct {
		x, y   float64
		method string
		series int
	}
	var ends []end
	for i, method := range r.methods() {
		points := lines[method]
		slices.SortFunc(points, func(a, b point) int { return int(math.Copysign(1, a.rate-b.rate)) })
		var path []string
		e := end{method: method, series: i}
		for _, p := range points {
			if math.IsNaN(p.total) {
				break
			}
			e.x, e.y = x.at(p.rate), y.at(p.total)
			path = append(path, fmt.Sprintf("%.1f,%.1f", e.x, e.y))
			d.mark(i, !ours(method), e.x, e.y)
		}
		if len(path) == 0 {
			continue
		}
		d.add(`<polyline class="line c%d" points="%s"/>`, i%6, strings.Join(path, " "))
		ends = append(ends, e)
	}
	// The names stand on the right, apart from each other, in the order of
	// the lines' ends.
	slices.SortFunc(ends, func(a, b end) int { return int(math.Copysign(1, a.y-b.y)) })
	at := float64(top)
	for _, e := range ends {
		class := ""
		if ours(e.method) {
			class = "ours"
		}
		place := max(at, e.y)
		place = min(place, bottom-14*float64(len(ends)-slices.Index(ends, e)-1))
		at = place + 14
		d.line("grid", e.x+6, e.y, right+14, place)
		d.mark(e.series, !ours(e.method), right+22, place)
		d.text(class, "start", right+32, place+4, e.method)
	}
	return d.svg(title)
}

// dirtyRate returns the rate of a workload that is the dirtier with a rate and
// no other setting.
func dirtyRate(name string) (rate float64, alone bool) {
	w, err := parseLoad(name)
	if err != nil || len(w.settings) != 1 || w.settings[0][0] != "dirty.rate" {
		return 0, false
	}
	_, err = fmt.Sscan(w.settings[0][1], &rate)
	return rate, err == nil
}
