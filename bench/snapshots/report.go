package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/klauspost/cpuid/v2"
)

// A report is all that the command has to say.
type report struct {
	CPU        string       `json:"cpu"`
	CPUs       int          `json:"cpus"`
	Programs   []string     `json:"programs"`
	Origin     string       `json:"origin"` // of the images
	ImageBytes int64        `json:"image_bytes"`
	Rounds     int          `json:"rounds"`
	Dirty      []difference `json:"dirty"` // from the second generation on
	Methods    []result     `json:"methods"`
}

// A result is what a method made of the series. Each cost is the median of the
// rounds.
type result struct {
	Name    string `json:"name"`
	Chain   bool   `json:"chain"`
	Files   []kept `json:"files"` // by generation
	Restore cost   `json:"restore_newest"`

	restores []cost
}

type kept struct {
	Bytes int64 `json:"bytes"`
	Cost  cost  `json:"cost"`
}

func newReport(ctx context.Context, s series, rounds int, lzpage string) *report {
	r := &report{
		CPU:        cmp.Or(cpuid.CPU.BrandName, "unknown CPU"),
		CPUs:       runtime.NumCPU(),
		ImageBytes: s.size,
		Rounds:     rounds,
	}
	for _, program := range []string{lzpage, "lz4", "zstd"} {
		version := filepath.Base(program) + " of unknown version"
		if said, err := exec.CommandContext(ctx, program, "--version").Output(); err == nil {
			version, _, _ = strings.Cut(string(said), "\n")
		}
		r.Programs = append(r.Programs, strings.Trim(version, "* \r"))
	}
	return r
}

// increments returns the bytes and the cost of all files but the first.
func (r *result) increments() (bytes int64, spent cost) {
	for _, f := range r.Files[1:] {
		bytes += f.Bytes
		spent = spent.plus(f.Cost)
	}
	return bytes, spent
}

// plainDirtyBytes returns the bytes of the increments that are plain copies.
func (r *report) plainDirtyBytes() int64 {
	for i := range r.Methods {
		if r.Methods[i].Name == plainDirty {
			bytes, _ := r.Methods[i].increments()
			return bytes
		}
	}
	return 0
}

// markdown returns the tables and what is to be known about them.
func (r *report) markdown() string {
	var out strings.Builder
	n := len(r.Dirty)
	fmt.Fprintf(&out, "- Images: %d of %d MiB, %s.\n", n+1, r.ImageBytes>>20, r.Origin)
	fmt.Fprintf(&out, "- Machine: %s, %d CPUs; %s.\n", r.CPU, r.CPUs, strings.Join(r.Programs, "; "))
	fmt.Fprintf(&out, "- Wall time and CPU seconds, medians (rounds: %d, all methods in turn in each); making: mean of an increment; restoring: the newest generation, "+
		"through the whole chain where there is one. Memory: peak of one process. "+
		"lzpage works with all CPUs and syncs what it writes; the others work with one and do not.\n\n", r.Rounds)
	fmt.Fprintf(&out, "| method | first, bytes | %d increments, bytes | mean | x dirty pages | make s | CPU s | MiB | restore s | CPU s | MiB |\n", n)
	fmt.Fprintln(&out, "|---"+strings.Repeat("|--:", 10)+"|")
	plain := r.plainDirtyBytes()
	for i := range r.Methods {
		m := &r.Methods[i]
		bytes, spent := m.increments()
		fmt.Fprintf(&out, "| %s | %d | %d | %d | %s | %.2f | %.2f | %d | %.2f | %.2f | %d |\n", m.Name, m.Files[0].Bytes, bytes, bytes/int64(n), times(bytes, plain),
			spent.Wall/float64(n), spent.CPU/float64(n), spent.Memory>>20, m.Restore.Wall, m.Restore.CPU, m.Restore.Memory>>20)
	}
	fmt.Fprint(&out, "\nBytes by generation:\n\n| generation | pages changed | words changed |")
	for i := range r.Methods {
		fmt.Fprintf(&out, " %s |", r.Methods[i].Name)
	}
	fmt.Fprintln(&out, "\n"+strings.Repeat("|--:", 3+len(r.Methods))+"|")
	for g := range n + 1 {
		if g == 0 {
			fmt.Fprint(&out, "| 0 | | |")
		} else {
			fmt.Fprintf(&out, "| %d | %d | %d |", g, r.Dirty[g-1].Pages, r.Dirty[g-1].Words)
		}
		for i := range r.Methods {
			fmt.Fprintf(&out, " %d |", r.Methods[i].Files[g].Bytes)
		}
		fmt.Fprintln(&out)
	}
	return out.String()
}

// times returns a as a multiple of b, or "-" if b is nothing.
func times(a, b int64) string {
	if b == 0 {
		return "-"
	}
	return fmt.Sprintf("%.3f", float64(a)/float64(b))
}

// write leaves the tables, their figures and their picture in dir.
func (r *report) write(dir string) error {
	figures, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	for name, content := range map[string]string{
		"snapshots.md":   r.markdown(),
		"snapshots.json": string(figures) + "\n",
		"snapshots.svg":  r.picture(),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			return err
		}
	}
	return nil
}
