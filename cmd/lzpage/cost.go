package main

import (
	"fmt"
	"time"
)

// A cost is what a run took.
type cost struct {
	Seconds    float64 `json:"seconds"`
	CPUSeconds float64 `json:"cpu_seconds,omitempty"`       // 0 where the system does not tell
	PeakMemory uint64  `json:"peak_memory_bytes,omitempty"` // 0 where the system does not tell
}

// cost returns what the run has taken so far.
func (a *app) cost() cost {
	return cost{time.Since(a.started).Seconds(), cpuSeconds(), peakMemory()}
}

// format writes the cost of the bytes for people.
func (c cost) format(bytes uint64) string {
	s := fmt.Sprintf("%.2f s, %s", c.Seconds, formatRate(bytes, c.Seconds))
	if c.CPUSeconds > 0 {
		s += fmt.Sprintf(", %.2f CPU s", c.CPUSeconds)
		if bytes > 0 {
			s += fmt.Sprintf(" (%.2f a GiB)", c.CPUSeconds/float64(bytes)*(1<<30))
		}
	}
	if c.PeakMemory > 0 {
		s += fmt.Sprintf(", %s of memory at most", formatSize(c.PeakMemory))
	}
	return s
}

// formatRate writes a speed for people.
func formatRate(bytes uint64, seconds float64) string {
	switch rate := float64(bytes) / max(seconds, 1e-9); {
	case rate < 10e6:
		return fmt.Sprintf("%.1f MB/s", rate/1e6)
	case rate < 1e9:
		return fmt.Sprintf("%.0f MB/s", rate/1e6)
	default:
		return fmt.Sprintf("%.2f GB/s", rate/1e9)
	}
}
