package main

import (
	"fmt"
	"strings"
)

// references are the methods that the others are compared with.
var references = []string{"lzrw1-fast-delta", "lzrw1-dense-delta"}

// compared are the figures by which they are.
var compared = []string{"total_s", "felt_ms", "sent_mb", "cpu_s"}

// tabled are the figures of the tables.
var tabled = []string{"total_s", "downtime_ms", "felt_ms", "longest_stall_ms", "stalls_ms", "rest_stall_ms", "sent_mb", "rounds", "source_cpu_s", "destination_cpu_s", "speed_percent", "peak_mb"}

// markdown returns the report as Markdown.
func (r *results) markdown() string {
	var out strings.Builder
	out.WriteString("# Migration of a guest at work\n\n")
	for _, line := range r.preface() {
		fmt.Fprintf(&out, "- %s\n", line)
	}
	for _, workload := range r.workloads() {
		for _, link := range r.links(workload) {
			fmt.Fprintf(&out, "\n## %s, %s\n\n", workload, link)
			r.table(workload, link).markdown(&out)
		}
	}
	for _, c := range r.comparisons() {
		fmt.Fprintf(&out, "\n## %s\n\n", c.title)
		c.table.markdown(&out)
		if c.note != "" {
			fmt.Fprintf(&out, "\n%s\n", c.note)
		}
	}
	return out.String()
}

// A comparison is a table over all workloads.
type comparison struct {
	title string
	table *table
	note  string
}

func (r *results) comparisons() (all []comparison) {
	for _, key := range compared {
		f := figureOf(key)
		all = append(all, comparison{title: f.long + ", " + f.unit, table: r.medians(f)})
	}
	for _, reference := range references {
		for _, key := range compared {
			if t := r.ratios(reference, key); len(t.rows) > 0 {
				all = append(all, comparison{title: figureOf(key).long + ": times that of " + reference, table: t})
			}
		}
	}
	if len(r.Scaling) > 0 {
		all = append(all, comparison{"Faster links", r.scalingTable(), scalingNote})
	}
	return all
}

// medians returns a figure of all methods. What did not come to an end has
// none.
func (r *results) medians(f figure) *table {
	methods := r.methods()
	t := &table{head: append([]string{"workload, link"}, methods...)}
	for _, workload := range r.workloads() {
		for _, link := range r.links(workload) {
			row := []string{workload + ", " + link}
			for _, method := range methods {
				text := ""
				if c := r.cell(workload, link, method); c != nil && c.Completed == 0 {
					text = "no end"
				} else if c != nil {
					text = fmt.Sprintf("%.*f", f.digits, c.Figures[f.key].Median) + c.partly()
				}
				row = append(row, text)
			}
			t.rows = append(t.rows, row)
		}
	}
	return t
}

// preface says what was measured, and how to read it.
func (r *results) preface() []string {
	s := r.Setting
	runs := map[int]bool{}
	for i := range r.Runs {
		runs[r.Runs[i].Round] = true
	}
	return []string{
		fmt.Sprintf("%s, %d CPUs; %s; %s.", s.CPU, s.CPUs, s.Kernel, s.QEMU),
		fmt.Sprintf("Guest: %d MiB, one CPU, emulated (TCG). Caches of xbzrle and lzrw1: %d MiB. multifd: %d channels. QEMU's downtime-limit: %d ms; max-bandwidth: none. zlib and zstd at QEMU's default level, 1.",
			s.MemoryMiB, s.CacheBytes>>20, s.Channels, s.Downtime),
		fmt.Sprintf("A guest runs on through all methods, links and rounds: the destination of one run is the source of the next, a new QEMU each time, the methods of a round in random order (seed %d). "+
			"After each run it went on without missing a tick, found nothing bad, and checked all its data.", s.Seed),
		fmt.Sprintf("Figures are medians of %d rounds, least and most in brackets. A migration that took longer than %.0f s was cancelled; \"2/3\" says that 2 of 3 were not, and the figures are of those alone. "+
			"Where all were, sent, rounds, CPU time and speed are those up to the end of the limit.", len(runs), s.Limit),
		"Total: from the command until the guest runs at the destination and all its memory is there. Downtime: as QEMU tells. Felt: the longest time without a sign from the guest, which gives one every 20 ms, around its stop; " +
			"longest stall and stalls (all over 50 ms, summed): the same from the command until a second after the end; stall at rest: the longest in 3 s before the command, which tells what is not the migration's doing. Sent: all bytes from source to destination as counted by the link, headers included. " +
			"CPU: of each QEMU without the threads that run the guest. Guest speed: its work per second until the end, in percent of that before. Memory: what the source took at most beyond what it had before, first uses by the guest included.",
		fmt.Sprintf("Source, destination and both guests share the %d CPUs of one machine. On the unlimited link the method, the guest and the other side compete for them, so total time, downtime and guest speed there are worse than on two machines, most so for methods that compress with two threads; "+
			"CPU times and bytes do not depend on that. On the limited links the CPUs are idle for much of the time. Guest speed over less than a few seconds says little of guests whose work comes in lumps, such as a compiler's.", s.CPUs),
		"Post-copy moves the guest after the first round or 3 s, whichever is first.",
	}
}

// A table is a head, columns of which the first is text, and rows.
type table struct {
	head []string
	rows [][]string
}

func (t *table) markdown(out *strings.Builder) {
	fmt.Fprintf(out, "| %s |\n|---%s|\n", strings.Join(t.head, " | "), strings.Repeat("|--:", len(t.head)-1))
	for _, row := range t.rows {
		fmt.Fprintf(out, "| %s |\n", strings.Join(row, " | "))
	}
}

// table returns the figures of the methods with a workload on a link.
func (r *results) table(workload, link string) *table {
	t := &table{head: []string{"method", "done"}}
	for _, key := range tabled {
		f := figureOf(key)
		t.head = append(t.head, strings.TrimSpace(f.title+" "+f.unit))
	}
	for _, method := range r.methods() {
		c := r.cell(workload, link, method)
		if c == nil {
			continue
		}
		row := []string{method, fmt.Sprintf("%d/%d", c.Completed, c.Runs)}
		for _, key := range tabled {
			s, have := c.Figures[key]
			row = append(row, figureOf(key).text(s, have))
		}
		t.rows = append(t.rows, row)
	}
	return t
}

// text returns a summary as text.
func (f figure) text(s summary, have bool) string {
	switch {
	case !have:
		return "-"
	case s.N == 1:
		return fmt.Sprintf("%.*f", f.digits, s.Median)
	}
	return fmt.Sprintf("%.*f (%.*f-%.*f)", f.digits, s.Median, f.digits, s.Min, f.digits, s.Max)
}

// ratios returns how many times as much of a figure the other methods take as
// the reference does, by medians.
func (r *results) ratios(reference, key string) *table {
	others := r.methods()
	t := &table{head: append([]string{"workload, link"}, others...)}
	for _, workload := range r.workloads() {
		for _, link := range r.links(workload) {
			base := r.cell(workload, link, reference)
			if base == nil || base.Completed == 0 {
				continue
			}
			row := []string{workload + ", " + link}
			for _, method := range others {
				row = append(row, ratio(r.cell(workload, link, method), base, key))
			}
			t.rows = append(t.rows, row)
		}
	}
	return t
}

// ratio returns how a figure of a cell compares with that of another. What did
// not come to an end is not compared; what did at times is marked.
func ratio(c, base *cell, key string) string {
	switch {
	case c == nil:
		return ""
	case c.Completed == 0:
		return "no end"
	}
	figure, have := c.Figures[key]
	if !have || base.Figures[key].Median == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f", figure.Median/base.Figures[key].Median) + c.partly()
}

// partly returns " (2/3)" if so many runs came to an end, nothing if all did.
func (c *cell) partly() string {
	if c.Completed == c.Runs {
		return ""
	}
	return fmt.Sprintf(" (%d/%d)", c.Completed, c.Runs)
}

// The links and CPUs that the scaling is told for.
var (
	fasterLinks = []float64{10e9, 25e9, 100e9}
	moreCPUs    = 8
)

const scalingNote = "CPU seconds and GiB sent are for each GiB of guest memory that was moved, pages of zeros included, on the unlimited link: medians over the workloads there that all methods brought to an end. " +
	"The last columns are computed from them, not measured: GiB of guest memory a second that a link of 10, 25 or 100 Gbit/s lets through, or 8 CPUs on each side if that is less; one CPU for methods without multifd, which have one thread."

func (r *results) scalingTable() *table {
	t := &table{head: []string{"method", "CPU source s/GiB", "CPU dest. s/GiB", "sent GiB/GiB"}}
	for _, bits := range fasterLinks {
		t.head = append(t.head, fmt.Sprintf("%.0f Gbit/s", bits/1e9))
	}
	for _, s := range r.Scaling {
		row := []string{s.Method}
		for _, one := range []summary{s.Source, s.Destination, s.Sent} {
			row = append(row, fmt.Sprintf("%.2f (%.2f-%.2f)", one.Median, one.Min, one.Max))
		}
		for _, bits := range fasterLinks {
			row = append(row, fmt.Sprintf("%.2f", s.speed(bits, moreCPUs)))
		}
		t.rows = append(t.rows, row)
	}
	return t
}
