package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"text/tabwriter"
	"time"
)

// rounds is how often each program compresses and decompresses the image, all
// of them in turn, so that a machine that changes its speed changes it for all.
const rounds = 3

// A program compresses a file and gives it back.
type program struct {
	name       string
	compress   []string // with {in} and {out} in place of the files
	decompress []string

	stored                 int64
	compressed, recovered  []time.Duration
	compressCPU, returnCPU []time.Duration
}

func programs(lzpage string) []*program {
	return []*program{
		{
			name:       "lzpage",
			compress:   []string{lzpage, "compress", "-q", "-f", "-o", "{out}", "{in}"},
			decompress: []string{lzpage, "decompress", "-q", "-f", "-o", "{out}", "{in}"},
		}, {
			name:       "lzpage --level dense",
			compress:   []string{lzpage, "compress", "-q", "-f", "--level", "dense", "-o", "{out}", "{in}"},
			decompress: []string{lzpage, "decompress", "-q", "-f", "-o", "{out}", "{in}"},
		}, {
			name:       "lz4 -1",
			compress:   []string{"lz4", "-1", "-q", "-f", "{in}", "{out}"},
			decompress: []string{"lz4", "-d", "-q", "-f", "{in}", "{out}"},
		}, {
			name:       "zstd -1",
			compress:   []string{"zstd", "-1", "-q", "-f", "{in}", "-o", "{out}"},
			decompress: []string{"zstd", "-d", "-q", "-f", "{in}", "-o", "{out}"},
		},
	}
}

// comparePrograms compresses the image with each program, decompresses it,
// compares the result with the image byte for byte, and prints a table. The
// stream that lzpage makes of it is left beside the image.
func comparePrograms(ctx context.Context, lzpage, image string, stdout io.Writer, say func(string)) error {
	dir := filepath.Dir(image)
	info, err := os.Stat(image)
	if err != nil {
		return err
	}
	all := programs(lzpage)
	back := filepath.Join(dir, "decompressed.ram")
	defer os.Remove(back)
	for round := range rounds {
		say(fmt.Sprintf("round %d of %d: lzpage, lz4 and zstd compress and decompress the image in turn", round+1, rounds))
		for i, p := range all {
			out := filepath.Join(dir, fmt.Sprintf("guest.%d", i))
			if i == 0 {
				out = image + ".lzp"
			} else {
				defer os.Remove(out)
			}
			if err := p.run(ctx, p.compress, image, out, &p.compressed, &p.compressCPU); err != nil {
				return err
			}
			compressed, err := os.Stat(out)
			if err != nil {
				return err
			}
			p.stored = compressed.Size()
			if err := p.run(ctx, p.decompress, out, back, &p.recovered, &p.returnCPU); err != nil {
				return err
			}
			if err := sameFile(image, back); err != nil {
				return fmt.Errorf("%s: %w", p.name, err)
			}
		}
	}
	say("every program gave the image back, byte for byte")

	fmt.Fprintf(stdout, "\n%s, %d bytes, medians of %d rounds, wall time and CPU seconds:\n\n", image, info.Size(), rounds)
	w := tabwriter.NewWriter(stdout, 0, 0, 3, ' ', tabwriter.AlignRight)
	lz4 := all[2]
	fmt.Fprintln(w, "program\tbytes\tratio\tx lz4\tcompress s\tCPU s\tx lz4\tdecompress s\tCPU s\tx lz4\t")
	for _, p := range all {
		fmt.Fprintf(w, "%s\t%d\t%.2f\t%.3f\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f\t\n", p.name,
			p.stored, float64(info.Size())/float64(p.stored), float64(p.stored)/float64(lz4.stored),
			median(p.compressed), median(p.compressCPU), median(p.compressed)/median(lz4.compressed),
			median(p.recovered), median(p.returnCPU), median(p.recovered)/median(lz4.recovered))
	}
	return w.Flush()
}

// run runs a program's command on the files, once, and notes what it took.
func (p *program) run(ctx context.Context, command []string, in, out string, wall, cpu *[]time.Duration) error {
	args := slices.Clone(command)
	for i, a := range args {
		switch a {
		case "{in}":
			args[i] = in
		case "{out}":
			args[i] = out
		}
	}
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	began := time.Now()
	err := cmd.Run()
	*wall = append(*wall, time.Since(began))
	if err != nil {
		return fmt.Errorf("%v: %w: %s", args, err, bytes.TrimSpace(said.Bytes()))
	}
	*cpu = append(*cpu, cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime())
	return nil
}

// median returns the median in seconds.
func median(all []time.Duration) float64 {
	sorted := slices.Sorted(slices.Values(all))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]).Seconds() / 2
}

// sameFile compares two files byte for byte.
func sameFile(want, got string) error {
	a, err := os.Open(want)
	if err != nil {
		return err
	}
	defer a.Close()
	b, err := os.Open(got)
	if err != nil {
		return err
	}
	defer b.Close()
	x, y := make([]byte, 1<<20), make([]byte, 1<<20)
	for offset := int64(0); ; {
		n, errA := io.ReadFull(a, x)
		m, errB := io.ReadFull(b, y)
		if !bytes.Equal(x[:n], y[:m]) {
			return fmt.Errorf("%s differs from %s within the megabyte at %d", got, want, offset)
		}
		offset += int64(n)
		if errA != nil || errB != nil {
			if (errA == io.EOF || errA == io.ErrUnexpectedEOF) && errA == errB {
				return nil
			}
			return fmt.Errorf("comparing %s with %s at %d: %v, %v", got, want, offset, errA, errB)
		}
	}
}

// showPages has lzpage verify the stream, prints what kinds of pages it holds,
// and has the picture drawn beside it.
func showPages(ctx context.Context, lzpage, stream, picture string, stdout io.Writer) error {
	var verified struct {
		Pages map[string]struct {
			Pages  uint64 `json:"pages"`
			Stored uint64 `json:"stored_bytes"`
		} `json:"pages"`
	}
	out, err := output(ctx, lzpage, "verify", "-q", "--json", stream)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(out, &verified); err != nil {
		return fmt.Errorf("lzpage verify --json: %w", err)
	}
	fmt.Fprintf(stdout, "\nPages of %s:\n\n", stream)
	w := tabwriter.NewWriter(stdout, 0, 0, 3, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "kind\tpages\tstored bytes\tbytes a page\t")
	for _, kind := range []string{"zero", "word", "duplicate", "plain", "lzrw1", "plain-packed", "lzrw1-packed"} {
		k, ok := verified.Pages[kind]
		if !ok {
			continue
		}
		fmt.Fprintf(w, "%s\t%d\t%d\t%.1f\t\n", kind, k.Pages, k.Stored, float64(k.Stored)/float64(max(k.Pages, 1)))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err = output(ctx, lzpage, "map", "-q", "-f", "-o", picture, stream)
	return err
}

func output(ctx context.Context, command string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, command, args...)
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s %v: %w: %s", command, args, err, bytes.TrimSpace(said.Bytes()))
	}
	return out, nil
}
