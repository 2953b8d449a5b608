package main

import (
	"cmp"
	"fmt"
	"html"
	"math"
	"slices"
	"strings"
)

// The picture's measures, in pixels.
const (
	pictureWidth, pictureHeight = 860, 460
	plotLeft, plotTop           = 70, 50
	plotRight, plotBottom       = 610, 410
	labelHeight                 = 15
)

// lineColours are by method; their lines are named at their right ends, too.
var lineColours = []string{"#c0392b", "#e67e22", "#555555", "#8e6bbf", "#2874a6", "#1e8449", "#d98880", "#f0b27a", "#7fb3d5", "#85c1e9"}

// picture draws the size of each method's file of each increment as SVG: a line
// for each method over the generations, sizes on a logarithmic scale.
func (r *report) picture() string {
	smallest, largest := int64(math.MaxInt64), int64(1)
	for _, m := range r.Methods {
		for _, f := range m.Files[1:] {
			smallest, largest = min(smallest, max(f.Bytes, 1)), max(largest, f.Bytes)
		}
	}
	low, high := math.Floor(math.Log10(float64(smallest))), math.Ceil(math.Log10(float64(largest)))
	if high == low {
		high++
	}
	y := func(bytes float64) float64 {
		return plotBottom - (math.Log10(max(bytes, 1))-low)/(high-low)*(plotBottom-plotTop)
	}
	n := len(r.Dirty)
	x := func(generation int) float64 {
		return plotLeft + (float64(generation)-0.5)/float64(n)*(plotRight-plotLeft)
	}

	var out strings.Builder
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12">`+"\n", pictureWidth, pictureHeight)
	fmt.Fprintf(&out, `<rect width="%d" height="%d" fill="#fff"/>`+"\n", pictureWidth, pictureHeight)
	fmt.Fprintf(&out, `<text x="%d" y="25" font-size="15">Bytes kept of each generation, image of %d MiB</text>`+"\n", plotLeft, r.ImageBytes>>20)
	for power := low; power <= high; power++ {
		at := y(math.Pow(10, power))
		fmt.Fprintf(&out, `<line x1="%d" y1="%.1f" x2="%d" y2="%.1f" stroke="#ddd"/>`+"\n", plotLeft, at, plotRight, at)
		fmt.Fprintf(&out, `<text x="%d" y="%.1f" text-anchor="end">%s</text>`+"\n", plotLeft-8, at+4, decimalBytes(power))
	}
	for g := 1; g <= n; g++ {
		fmt.Fprintf(&out, `<text x="%.1f" y="%d" text-anchor="middle">%d</text>`+"\n", x(g), plotBottom+18, g)
	}
	fmt.Fprintf(&out, `<text x="%d" y="%d" text-anchor="middle">generation</text>`+"\n", (plotLeft+plotRight)/2, plotBottom+38)

	type label struct {
		y            float64
		name, colour string
	}
	var labels []label
	for i, m := range r.Methods {
		colour := lineColours[i%len(lineColours)]
		var points []string
		for g := 1; g <= n; g++ {
			points = append(points, fmt.Sprintf("%.1f,%.1f", x(g), y(float64(m.Files[g].Bytes))))
		}
		fmt.Fprintf(&out, `<polyline points="%s" fill="none" stroke="%s" stroke-width="2"/>`+"\n", strings.Join(points, " "), colour)
		labels = append(labels, label{y(float64(m.Files[n].Bytes)), m.Name, colour})
	}
	// Labels stand beside the ends of their lines, moved where they would cover
	// each other: down, then up from the lower edge.
	slices.SortStableFunc(labels, func(a, b label) int { return cmp.Compare(a.y, b.y) })
	for i := 1; i < len(labels); i++ {
		labels[i].y = max(labels[i].y, labels[i-1].y+labelHeight)
	}
	for i, lowest := len(labels)-1, float64(plotBottom); i >= 0; i-- {
		labels[i].y = min(labels[i].y, lowest)
		lowest = labels[i].y - labelHeight
	}
	for _, l := range labels {
		fmt.Fprintf(&out, `<text x="%d" y="%.1f" fill="%s">%s</text>`+"\n", plotRight+8, l.y+4, l.colour, html.EscapeString(l.name))
	}
	out.WriteString("</svg>\n")
	return out.String()
}

// decimalBytes names a power of ten bytes.
func decimalBytes(power float64) string {
	units := []string{"B", "kB", "MB", "GB", "TB"}
	unit := min(int(power)/3, len(units)-1)
	return fmt.Sprintf("%.0f %s", math.Pow(10, power-float64(3*unit)), units[unit])
}
