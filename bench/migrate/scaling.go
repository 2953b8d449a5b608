package main

import (
	"encoding/json"
	"math"
	"slices"
)

// A scale is what a method costs for each GiB of guest memory that it looks at
// and sends, zero pages included, and so what it can do on faster links and
// with more CPUs than there are here. It is of the runs on the unlimited link.
type scale struct {
	Method      string  `json:"method"`
	Source      summary `json:"source_cpu_s_per_gib"`
	Destination summary `json:"destination_cpu_s_per_gib"`
	Sent        summary `json:"sent_gib_per_gib"`
}

// moved returns how many GiB of guest memory the migration looked at and sent, 0
// if nobody knows. QEMU counts pages that go by XBZRLE apart, and those among
// them that do not fit, which it sends whole, in both places.
func (r *run) moved() float64 {
	var xbzrle struct{ Pages, Overflow int64 }
	if err := json.Unmarshal(r.XBZRLE, &xbzrle); err != nil && r.Method == "xbzrle" {
		return 0
	}
	return float64(r.Pages+r.ZeroPages+xbzrle.Pages-xbzrle.Overflow) * 4096 / (1 << 30)
}

// scaling returns the scales of the methods, of those workloads that all of them
// brought to an end each time: else a method would do better for those that it
// failed with.
func scaling(runs []run) (all []scale) {
	failed := map[string]bool{}
	for i := range runs {
		if runs[i].Link == "unlimited" && !runs[i].Completed {
			failed[runs[i].Workload] = true
		}
	}
	for _, m := range methods {
		var source, destination, sent []float64
		for i := range runs {
			r := &runs[i]
			moved := r.moved()
			if r.Method != m.name || r.Link != "unlimited" || failed[r.Workload] || moved == 0 {
				continue
			}
			source = append(source, r.SourceCPU/moved)
			destination = append(destination, r.DestinationCPU/moved)
			sent = append(sent, float64(r.Sent)/(1<<30)/moved)
		}
		if len(source) > 0 {
			all = append(all, scale{m.name, summarise(source), summarise(destination), summarise(sent)})
		}
	}
	return all
}

// speed returns how many GiB of guest memory a second the method would move on
// a link of so many bits a second, with so many CPUs on each side: as much as
// the link or the CPUs of the slower side let through. Methods without multifd
// use one CPU.
func (s scale) speed(bits float64, cpus int) float64 {
	m, err := methodNamed(s.Method)
	if err != nil || !slices.Contains(m.capabilities, "multifd") {
		cpus = 1
	}
	link := bits / 8 / (1 << 30) / s.Sent.Median
	return min(link, float64(cpus)/max(s.Source.Median, s.Destination.Median, math.SmallestNonzeroFloat64))
}
