package main

import (
	"math"
	"slices"
)

// A figure is one of the things measured of a run.
type figure struct {
	key   string // in results.json
	title string // in tables, short
	long  string // in plots
	unit  string
	// of returns not a number of a run that has no such figure.
	of func(*run) float64
	// anyway tells that it means something of a migration that was cancelled.
	anyway bool
	digits int // after the point
}

var figures = []figure{
	{"total_s", "total", "Total time", "s", func(r *run) float64 { return r.Total }, false, 2},
	{"downtime_ms", "downtime", "Downtime as QEMU tells", "ms", func(r *run) float64 { return r.Downtime * 1e3 }, false, 0},
	{"felt_ms", "felt", "Downtime as the guest felt it", "ms", func(r *run) float64 { return r.Felt * 1e3 }, false, 0},
	{"longest_stall_ms", "longest stall", "Longest stall of the guest", "ms", func(r *run) float64 { return r.LongestStall * 1e3 }, true, 0},
	{"rest_stall_ms", "stall at rest", "Longest stall in 3 s before the migration", "ms", func(r *run) float64 { return r.RestLongestStall * 1e3 }, true, 0},
	{"stalls_ms", "stalls", "Stalls of the guest, sum of those over 50 ms", "ms", func(r *run) float64 { return r.Stalls * 1e3 }, true, 0},
	{"sent_mb", "sent", "Sent on the link", "MB", func(r *run) float64 { return float64(r.Sent) / 1e6 }, true, 1},
	{"rounds", "rounds", "Rounds", "", func(r *run) float64 { return float64(r.Rounds) }, true, 0},
	{"source_cpu_s", "CPU source", "CPU time of the source", "s", func(r *run) float64 { return r.SourceCPU }, true, 2},
	{"destination_cpu_s", "CPU dest.", "CPU time of the destination", "s", func(r *run) float64 { return r.DestinationCPU }, true, 2},
	{"cpu_s", "CPU both", "CPU time of both sides", "s", func(r *run) float64 { return r.SourceCPU + r.DestinationCPU }, true, 2},
	{"speed_percent", "guest speed", "Speed of the guest during the migration", "%", func(r *run) float64 { return 100 * r.slowed() }, true, 0},
	{"peak_mb", "memory", "Memory of the source at most, more than before", "MB", func(r *run) float64 { return float64(r.Peak) / 1e6 }, true, 0},
}

// figureOf returns the figure of a key.
func figureOf(key string) figure {
	return figures[slices.IndexFunc(figures, func(f figure) bool { return f.key == key })]
}

// A cell is what the runs of a method with a workload on a link gave.
type cell struct {
	Workload  string `json:"workload"`
	Link      string `json:"link"`
	Method    string `json:"method"`
	Runs      int    `json:"runs"`
	Completed int    `json:"completed"` // those that were not cancelled
	// Figures are by key. If any run was completed they are of those alone,
	// and else of the cancelled ones, if they mean anything of them.
	Figures map[string]summary `json:"figures"`
}

// cells sums runs up, in the order in which workloads, links and methods first
// come.
func cells(runs []run) []*cell {
	var all []*cell
	grouped := map[[3]string][]*run{}
	for i := range runs {
		r := &runs[i]
		id := [3]string{r.Workload, r.Link, r.Method}
		if grouped[id] == nil {
			all = append(all, &cell{Workload: r.Workload, Link: r.Link, Method: r.Method})
		}
		grouped[id] = append(grouped[id], r)
	}
	for _, c := range all {
		c.sum(grouped[[3]string{c.Workload, c.Link, c.Method}])
	}
	return all
}

func (c *cell) sum(runs []*run) {
	var completed []*run
	for _, r := range runs {
		if r.Completed {
			completed = append(completed, r)
		}
	}
	c.Runs, c.Completed = len(runs), len(completed)
	if c.Completed > 0 {
		runs = completed
	}
	c.Figures = map[string]summary{}
	for _, f := range figures {
		if c.Completed == 0 && !f.anyway {
			continue
		}
		var values []float64
		for _, r := range runs {
			if value := f.of(r); !math.IsNaN(value) {
				values = append(values, value)
			}
		}
		if len(values) > 0 {
			c.Figures[f.key] = summarise(values)
		}
	}
}
