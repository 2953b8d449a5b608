package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/klauspost/cpuid/v2"
)

// A report is all that the command has to say.
type report struct {
	CPU       string            `json:"cpu"`
	CPUs      int               `json:"cpus"`
	Platform  string            `json:"platform"`
	Go        string            `json:"go"`
	Libraries map[string]string `json:"libraries"` // versions by name
	Missing   string            `json:"missing,omitempty"`
	Clock     string            `json:"clock"`
	Rounds    int               `json:"rounds"`
	Tables    []table           `json:"tables"`
}

func newReport(rounds int) report {
	r := report{
		CPU:       cmp.Or(cpuid.CPU.BrandName, "unknown"),
		CPUs:      runtime.NumCPU(),
		Platform:  runtime.GOOS + "/" + runtime.GOARCH,
		Go:        runtime.Version(),
		Libraries: map[string]string{},
		Missing:   missing,
		Clock:     threadTimeName,
		Rounds:    rounds,
	}
	maps.Copy(r.Libraries, cLibraries())
	if build, ok := debug.ReadBuildInfo(); ok {
		for _, module := range build.Deps {
			for _, rival := range []string{"klauspost/compress", "pierrec/lz4/v4", "minio/minlz"} {
				if module.Path == "github.com/"+rival {
					r.Libraries[rival] = module.Version
				}
			}
		}
	}
	return r
}

func (r *report) writeJSON(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(r)
}

// head returns the lines above the tables: a name and a text each.
func (r *report) head() [][2]string {
	var libraries []string
	for _, name := range slices.Sorted(maps.Keys(r.Libraries)) {
		libraries = append(libraries, name+" "+r.Libraries[name])
	}
	lines := [][2]string{
		{"machine", fmt.Sprintf("%s, %d CPUs, %s", r.CPU, r.CPUs, r.Platform)},
		{"built with", strings.Join(append([]string{r.Go}, libraries...), ", ")},
		{"time", fmt.Sprintf("%s; for rows marked *, which have goroutines of their own, %s", r.Clock, processTimeName)},
		{"ratio", "the memory's size, of deltas that of the new pages, by that of its blocks or records, what says where they end left aside; of pagestream by the whole stream's, with CRCs and index"},
		{"figures", fmt.Sprintf("harmonic means over the workloads; medians of %d rounds (least-most), all codecs in turn in each; GB/s are 10^9 bytes of memory a second", r.Rounds)},
	}
	if r.Missing != "" {
		lines = append(lines, [2]string{"missing", r.Missing})
	}
	return lines
}

// workloadLine lists the workloads and how many blocks of each there are.
func (t *table) workloadLine() string {
	var all []string
	for _, w := range t.Workloads {
		all = append(all, fmt.Sprintf("%s %d", w.Name, w.Blocks))
	}
	return "Blocks: " + strings.Join(all, ", ")
}

// grids returns what to print of the table: heads and rows.
func (t *table) grids() [][][]string {
	if i := t.row(xbzrle); i >= 0 {
		return [][][]string{t.cells(), t.ratioCells(t.Rows[i].Workloads)}
	}
	return [][][]string{t.cells()}
}

func (t *table) cells() [][]string {
	cells := [][]string{{"codec", "by", "ratio", "encode / LZ4 C", "decode / LZ4 C", "encode GB/s", "decode GB/s"}}
	for _, r := range t.Rows {
		name := r.Codec
		if r.Process {
			name += " *"
		}
		line := []string{name, r.Class, fmt.Sprintf("%.3f", r.Ratio),
			r.Encode.Relative.String(), r.Decode.Relative.String(), r.Encode.Speed.String(), r.Decode.Speed.String()}
		if r.Rivals != nil {
			zstd := "-"
			if r.Rivals.Zstd != nil {
				zstd = fmt.Sprintf("%.2f", *r.Rivals.Zstd)
			}
			line = append(line, fmt.Sprintf("%.2f", r.Rivals.XBZRLE), zstd, r.Rivals.Encode.String())
		}
		cells = append(cells, line)
	}
	if t.Rows[0].Rivals != nil {
		cells[0] = append(cells[0], "ratio / "+xbzrle, "ratio / "+zstdOfXOR, "encode / "+xbzrleC)
	}
	return cells
}

// ratioCells returns the ratios by workload, and the least of them relative to
// the rival's.
func (t *table) ratioCells(rival []workloadRow) [][]string {
	head := []string{"ratio", "by"}
	for _, w := range t.Workloads {
		head = append(head, w.Name)
	}
	cells := [][]string{append(head, "least / "+xbzrle)}
	for _, r := range t.Rows {
		line := []string{r.Codec, r.Class}
		least := math.Inf(1)
		for i, w := range r.Workloads {
			line = append(line, fmt.Sprintf("%.3f", w.Ratio))
			least = min(least, w.Ratio/rival[i].Ratio)
		}
		cells = append(cells, append(line, fmt.Sprintf("%.2f", least)))
	}
	return cells
}

// String returns the spread as the tables have it, "-" where there is none.
func (s *spread) String() string {
	if s == nil {
		return "-"
	}
	return fmt.Sprintf("%.2f (%.2f-%.2f)", s.Median, s.Min, s.Max)
}

func (r *report) writeText(w io.Writer) error {
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, line := range r.head() {
		fmt.Fprintf(out, "%s\t%s\n", line[0], line[1])
	}
	for i := range r.Tables {
		t := &r.Tables[i]
		fmt.Fprintf(out, "\n%s\n%s\n", t.Title, t.workloadLine())
		for _, grid := range t.grids() {
			fmt.Fprintln(out)
			for _, cells := range grid {
				fmt.Fprintln(out, strings.Join(cells, "\t"))
			}
		}
	}
	return out.Flush()
}

func (r *report) writeMarkdown(w io.Writer) error {
	var out strings.Builder
	for _, line := range r.head() {
		fmt.Fprintf(&out, "- %s: %s\n", line[0], strings.ReplaceAll(line[1], "*", `\*`))
	}
	for i := range r.Tables {
		t := &r.Tables[i]
		fmt.Fprintf(&out, "\n%s\n%s\n", t.Title, t.workloadLine())
		for _, grid := range t.grids() {
			fmt.Fprintln(&out)
			for j, cells := range grid {
				fmt.Fprintf(&out, "| %s |\n", strings.ReplaceAll(strings.Join(cells, " | "), "*", `\*`))
				if j == 0 {
					fmt.Fprintln(&out, "|---|---"+strings.Repeat("|--:", len(cells)-2)+"|")
				}
			}
		}
	}
	_, err := io.WriteString(w, out.String())
	return err
}
