package main

import (
	"fmt"
	"math"
)

// An axis maps values to places, by their logarithms unless linear.
type axis struct {
	low, high float64 // values at the ends
	from, to  float64 // places of the ends
	linear    bool
}

// newAxis returns an axis for values from least to most, which are positive
// unless the axis is linear; that begins at 0.
func newAxis(least, most, from, to float64, linear bool) axis {
	if linear {
		return axis{0, max(most, 1e-9) * 1.05, from, to, true}
	}
	if most/least < 4 { // not without marks
		middle := math.Sqrt(least * most)
		least, most = middle/2, middle*2
	}
	return axis{least / 1.15, most * 1.15, from, to, false}
}

func (a axis) at(value float64) float64 {
	if a.linear {
		return a.from + (value-a.low)/(a.high-a.low)*(a.to-a.from)
	}
	value = max(value, a.low)
	return a.from + math.Log(value/a.low)/math.Log(a.high/a.low)*(a.to-a.from)
}

// marks returns the values to mark, ten at most: powers of ten and as many
// multiples between as there is room for.
func (a axis) marks() (all []float64) {
	if a.linear {
		step := math.Pow(10, math.Floor(math.Log10(a.high)))
		for _, part := range []float64{5, 2, 1, 0.5, 0.2} {
			if a.high/(step*part) >= 3 {
				step *= part
				break
			}
		}
		for n := 0; n <= int(a.high/step); n++ {
			all = append(all, float64(n)*step)
		}
		return all
	}
	for _, multiples := range [][]float64{{1, 2, 5}, {1, 3}, {1}} {
		all = nil
		for power := int(math.Floor(math.Log10(a.low))); power <= int(math.Log10(a.high)); power++ {
			for _, m := range multiples {
				if value := m * math.Pow10(power); value >= a.low && value <= a.high {
					all = append(all, value)
				}
			}
		}
		if len(all) <= 6 {
			break
		}
	}
	return all
}

// short writes a value of an axis without needless digits.
func short(value float64) string {
	if value >= 1000 && math.Mod(value, 1000) == 0 {
		return fmt.Sprintf("%gk", value/1000)
	}
	return fmt.Sprintf("%.4g", value)
}
