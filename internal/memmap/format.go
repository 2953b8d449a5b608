package memmap

import (
	"fmt"
	"math"
	"strconv"

	"github.com/dustin/go-humanize"
)

// formatBytes writes a size to three digits or so. It takes a float64 because
// the sizes of regions may add up to more than 2^64.
func formatBytes(n float64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"}
	u := 0
	for math.Round(n) >= 1024 && u < len(units)-1 {
		n /= 1024
		u++
	}
	return formatNumber(n) + " " + units[u]
}

// formatNumber writes a whole number as it is and another to three digits.
func formatNumber(n float64) string {
	digits := 0
	switch {
	case n == math.Trunc(n) || n >= 99.95:
	case n >= 9.995:
		digits = 1
	default:
		digits = 2
	}
	return strconv.FormatFloat(n, 'f', digits, 64)
}

// formatPages writes a number of pages.
func formatPages(n uint64) string {
	if n == 1 {
		return "1 page"
	}
	return humanize.Comma(int64(n)) + " pages"
}

// formatShare writes part/whole in per cent. What is not none or all is never
// rounded to that.
func formatShare(part, whole float64) string {
	if whole == 0 {
		return "0 %"
	}
	p := part / whole * 100
	switch {
	case p == 0 || p == 100:
		return fmt.Sprintf("%.0f %%", p)
	case p < 0.05:
		return "< 0.1 %"
	case p >= 99.95 && p < 100:
		return "> 99.9 %"
	}
	return fmt.Sprintf("%.1f %%", p)
}
