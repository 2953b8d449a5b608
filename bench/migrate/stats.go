package main

import "slices"

// A summary is what several runs gave of one figure.
type summary struct {
	Median float64 `json:"median"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
	N      int     `json:"n"`
}

// summarise returns the median, the mean of the middle two if there are as many
// above as below, and the range of values. Of none, all is 0.
func summarise(values []float64) summary {
	n := len(values)
	if n == 0 {
		return summary{}
	}
	sorted := slices.Sorted(slices.Values(values))
	return summary{
		Median: (sorted[(n-1)/2] + sorted[n/2]) / 2,
		Min:    sorted[0],
		Max:    sorted[n-1],
		N:      n,
	}
}
