package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync/atomic"
	"text/tabwriter"

	"github.com/lzpage/lzpage/internal/memdiff"
	"github.com/lzpage/lzpage/internal/memmap"
	"github.com/lzpage/lzpage/pagestream"
	"github.com/spf13/cobra"
)

// A differing error says that two memories differ, to one who asked for that
// as the exit status. It is no failure.
type differing struct{}

func (differing) Error() string { return "they differ" }

// A diffing is a call of lzpage diff.
type diffing struct {
	*app
	output   string
	force    bool
	format   string
	pageSize sizeFlag
	exitCode bool
}

func newDiffCommand(a *app) *cobra.Command {
	r := &diffing{app: a}
	c := &cobra.Command{
		Use:   "diff [flags] OLD NEW",
		Short: "Say what changed from one memory to another",
		Long: `Diff compares two states of a memory, each a stream or a memory image (raw, ELF
core, LiME; compress says how that is found out), and says how much changed:
pages, bytes, words of 8 bytes, pages that became zero, and pages that were zero
and are no longer. With -o it also draws where, as a picture.

Memory is matched by its addresses, other bytes, such as an ELF core's headers,
by their place in the file. What only one of the two has is listed and not
counted as changed. Pages are those of the streams, the smaller ones where they
differ, and else of 4 KiB.

The exit status is 0 whether or not they differ; with --exit-code it is 1 where
they do, and with --quiet it is all that is said. It is 2 where that could not
be found out.`,
		Example: `  lzpage diff monday.ram.lzp tuesday.ram.lzp
  lzpage diff -o changes.png before.elf after.elf
  lzpage diff --exit-code -q guest.ram guest.ram.lzp && echo the same
  lzpage diff --json a.lzp b.lzp | jq .total.pages_changed`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) != 2 {
				return usageError(c, fmt.Errorf("name two files, OLD and NEW; there are %d", len(args)))
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error { return r.run(c.Context(), args[0], args[1]) },
	}
	f := c.Flags()
	f.StringVarP(&r.output, "output", "o", "", "draw the changes to this `file`, .png or .svg")
	f.BoolVarP(&r.force, "force", "f", false, "replace the picture if it exists")
	addPictureFlag(c, &r.format)
	f.Var(&r.pageSize, "page-size", "the `size` of pages, a power of two from 512 to 2MiB")
	f.Lookup("page-size").DefValue = ""
	f.BoolVar(&r.exitCode, "exit-code", false, "exit with 1 if they differ")
	addBaseFlag(c, a)
	addThreadsFlag(c, a)
	c.Flags().BoolVar(&a.json, "json", false, "write the result as JSON")
	return c
}

// A diffReport says what changed from one memory to another.
type diffReport struct {
	Command  string         `json:"command"`
	Old      string         `json:"old"`
	New      string         `json:"new"`
	Output   string         `json:"output,omitempty"` // the picture
	PageSize int            `json:"page_size"`
	Regions  []diffRegion   `json:"regions"`
	Total    memdiff.Counts `json:"total"`
	OnlyOld  uint64         `json:"bytes_only_in_old"`
	OnlyNew  uint64         `json:"bytes_only_in_new"`
	cost
}

// A diffRegion says what became of a range of bytes.
type diffRegion struct {
	Class string `json:"class"`
	Name  string `json:"name,omitempty"`
	// In is "both", "old" or "new". Only of what is in both are pages counted.
	In         string  `json:"in"`
	Address    *uint64 `json:"address,omitempty"`     // of memory
	FileOffset *uint64 `json:"file_offset,omitempty"` // of other bytes
	Length     uint64  `json:"length"`
	memdiff.Counts
}

func (r *diffing) run(ctx context.Context, oldName, newName string) error {
	if oldName == standard && newName == standard {
		return errors.New("both are standard input; name a file for one of them at least")
	}
	format, err := pictureFormat(r.format, r.output)
	if err != nil {
		return err
	}
	if r.format != "" && r.output == "" {
		return errors.New("name the picture with -o")
	}
	workers := r.useLittle()
	old, err := r.openSnapshot(oldName)
	if err != nil {
		return err
	}
	defer old.Close()
	new, err := r.openSnapshot(newName)
	if err != nil {
		return err
	}
	defer new.Close()
	pageSize, err := r.pageSizeOf(old, new)
	if err != nil {
		return err
	}
	ranges, hiddenOld, hiddenNew := memdiff.Match(old.regions, new.regions)
	r.noteHidden(old, hiddenOld)
	r.noteHidden(new, hiddenNew)
	report := newDiffReport(old, new, pageSize, ranges)
	picture := memmap.NewChanges(pageSize)
	picture.Title = formatText(filepath.Base(old.name)) + " to " + formatText(filepath.Base(new.name))
	var out *output
	if r.output != "" {
		if out, err = r.create(r.output, "", r.force, append(old.inputs(), new.inputs()...)...); err != nil {
			return err
		}
	}
	err = r.compare(ctx, old, new, ranges, report, picture, workers)
	if err == nil && out != nil {
		report.Output = out.name
		err = out.draw(picture, format)
	}
	if err != nil {
		if out != nil {
			err = errors.Join(err, out.abort())
		}
		return err
	}
	r.endProgress()
	report.cost = r.cost()
	if err := r.write(report, out); err != nil {
		return err
	}
	if r.exitCode && report.differ() {
		return differing{}
	}
	return nil
}

// pageSizeOf returns the page size that the flags and the streams say.
func (r *diffing) pageSizeOf(snapshots ...*snapshot) (int, error) {
	if r.pageSize != 0 {
		o, err := streamOptions(r.pageSize, 1, 0)
		return o.PageSize, err
	}
	size := 0
	for _, s := range snapshots {
		if n := s.pageSize(); n > 0 && (size == 0 || n < size) {
			size = n
		}
	}
	if size == 0 {
		size = pagestream.DefaultPageSize
	}
	return size, nil
}

func (r *diffing) noteHidden(s *snapshot, hidden uint64) {
	if hidden > 0 {
		r.note("%s: %s left aside: regions before them have the same addresses", s.name, formatCount(hidden, "byte"))
	}
}

func newDiffReport(old, new *snapshot, pageSize int, ranges []memdiff.Range) *diffReport {
	d := &diffReport{Command: "diff", Old: old.name, New: new.name, PageSize: pageSize, Regions: []diffRegion{}}
	for _, r := range ranges {
		region := diffRegion{Class: "memory", Name: r.Name, In: "both", Address: &r.Start, Length: r.Length}
		if r.Class == pagestream.Other {
			region.Class, region.Address, region.FileOffset = "other", nil, &r.Start
		}
		switch inOld, inNew := r.In(); {
		case !inNew:
			region.In = "old"
			d.OnlyOld += r.Length
		case !inOld:
			region.In = "new"
			d.OnlyNew += r.Length
		}
		d.Regions = append(d.Regions, region)
	}
	return d
}

// differ reports whether anything is not the same in both.
func (d *diffReport) differ() bool { return d.Total.Changed > 0 || d.OnlyOld > 0 || d.OnlyNew > 0 }

// compare counts what changed, and draws it. It checks at the end that no
// stream changed meanwhile.
func (r *diffing) compare(ctx context.Context, old, new *snapshot, ranges []memdiff.Range, report *diffReport, picture *memmap.Changes, workers int) error {
	all := int64(0)
	for _, g := range report.Regions {
		if g.In == "both" {
			all += int64(g.Length)
		}
	}
	var pages, changed atomic.Uint64
	r.beginProgress("diff "+old.name+" "+new.name, func() state {
		n := pages.Load()
		return state{int64(n) * int64(report.PageSize), all, fmt.Sprintf("%d of %s changed", changed.Load(), formatCount(n, "page"))}
	})
	drawn := 0 // ranges
	drawUpTo := func(number int) {
		for ; drawn <= number; drawn++ {
			g := &ranges[drawn]
			picture.Region(pagestream.Region{Class: g.Class, Name: g.Name, Address: g.Start, Length: g.Length})
		}
	}
	err := memdiff.Compare(ctx, old, new, ranges, report.PageSize, workers, func(number int, first, count uint64, found []memdiff.Page) error {
		drawUpTo(number)
		counts := &report.Regions[number].Counts
		before := *counts
		if found == nil {
			counts.AddZeros(count)
			picture.AddZeros(first, count)
		}
		for i, p := range found {
			counts.Add(p)
			picture.Add(first+uint64(i), p)
		}
		pages.Add(counts.Pages - before.Pages)
		changed.Add(counts.Changed - before.Changed)
		return nil
	})
	if err == nil {
		err = errors.Join(old.checkUnchanged(), new.checkUnchanged())
	}
	drawUpTo(len(ranges) - 1)
	for i := range report.Regions {
		report.Total.AddCounts(report.Regions[i].Counts)
	}
	return err
}

// write writes the report to standard output, or, where the picture goes there,
// to standard error.
func (r *diffing) write(d *diffReport, out *output) error {
	drawn := out != nil && out.toStandard()
	if r.json {
		return writeJSON(d, drawn)
	}
	if r.quiet {
		return nil
	}
	w := io.Writer(os.Stdout)
	if drawn {
		w = os.Stderr
	}
	return failStandard(d.write(w))
}

// write writes the report for people.
func (d *diffReport) write(w io.Writer) error {
	fmt.Fprintf(w, "old    %s\nnew    %s\npages  of %s\n\n", d.Old, d.New, formatSize(uint64(d.PageSize)))
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	row := func(format string, args ...any) { fmt.Fprintf(t, format+"\t\n", args...) }
	row("class\taddress\tlength\tin\tpages\tchanged\t\tbytes\t8-byte words\tbecame zero\twere zero")
	for _, g := range d.Regions {
		place := "-"
		if g.Address != nil {
			place = fmt.Sprintf("%#x", *g.Address)
		} else if g.FileOffset != nil {
			place = fmt.Sprintf("byte %d", *g.FileOffset)
		}
		counts := "-\t-\t-\t-\t-\t-\t-"
		if g.In == "both" {
			counts = formatCounts(g.Counts)
		}
		row("%s\t%s\t%d\t%s\t%s", g.Class, place, g.Length, g.In, counts)
	}
	row("all\t\t\t\t%s", formatCounts(d.Total))
	return t.Flush()
}

// formatCounts writes the counts as cells of a table.
func formatCounts(c memdiff.Counts) string {
	return fmt.Sprintf("%d\t%d\t%.1f %%\t%d\t%d\t%d\t%d", c.Pages, c.Changed, 100*float64(c.Changed)/float64(max(c.Pages, 1)), c.Bytes, c.Words, c.BecameZero, c.WasZero)
}
