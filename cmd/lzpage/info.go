package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"github.com/lzpage/lzpage/internal/chain"
	"github.com/lzpage/lzpage/pagestream"
	"github.com/spf13/cobra"
)

func newInfoCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "info [flags] FILE",
		Short: "Say what a stream holds",
		Long: `Info says what the stream in FILE holds: its regions of memory, its pages by
kind, and the metadata given when it was written.

Of a file it reads the index alone, whatever its size. A pipe, or a stream whose
index is damaged or cut off, it reads and checks as far as it goes.

A stream that is based on others is listed with them, as far as they are found.`,
		Example: `  lzpage info guest.ram.lzp
  lzpage info --json guest.ram.lzp | jq '.regions[].address'`,
		Args:              oneFile,
		ValidArgsFunction: completeSuffix("lzp"),
		RunE:              func(c *cobra.Command, args []string) error { return a.info(c.Context(), args[0]) },
	}
	addBaseFlag(c, a)
	addThreadsFlag(c, a)
	addJSONFlag(c, a)
	return c
}

// A description says what a stream holds.
type description struct {
	Input        string            `json:"input"`
	ID           string            `json:"id,omitempty"`           // absent where a damaged stream does not tell
	BasedOn      []chainedStream   `json:"based_on,omitempty"`     // as far as it was found
	Missing      string            `json:"base_missing,omitempty"` // why the rest was not
	PageSize     int               `json:"page_size"`
	ClusterPages int               `json:"cluster_pages"`
	Window       uint64            `json:"duplicate_window_pages"`
	Metadata     []metadata        `json:"metadata"`
	Memory       uint64            `json:"memory_bytes"`
	File         uint64            `json:"file_bytes"`
	Stored       uint64            `json:"stored_bytes"`
	Ratio        float64           `json:"ratio"`
	Rounds       int               `json:"rounds,omitempty"`     // behind the first
	Kept         uint64            `json:"kept_pages,omitempty"` // that are as in the base
	Pages        map[string]uint64 `json:"pages"`                // by kind
	Regions      []describedRegion `json:"regions"`
	Damage       string            `json:"damage,omitempty"` // why the rest is not known
}

type metadata struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

type describedRegion struct {
	Number     int     `json:"number"`
	Class      string  `json:"class"`
	Name       string  `json:"name,omitempty"`
	Address    *uint64 `json:"address,omitempty"` // of memory
	FileOffset uint64  `json:"file_offset"`
	Length     *uint64 `json:"length,omitempty"` // absent where a cut stream does not tell
}

func (a *app) info(ctx context.Context, name string) error {
	in, err := open(name)
	if err != nil {
		return err
	}
	defer in.Close()
	d, err := a.describe(ctx, in)
	if d == nil {
		return err
	}
	if a.json {
		return errors.Join(writeJSON(d, false), err)
	}
	return errors.Join(failStandard(d.write(os.Stdout)), err)
}

// describe describes the stream. Of one that is damaged it returns what there
// is to know, and an error.
func (a *app) describe(ctx context.Context, in *input) (*description, error) {
	if in.seekable() {
		r, err := pagestream.NewReaderAt(in.section(), in.size, pagestream.ReadOptions{})
		if err == nil {
			d := newDescription(in, r.Header(), r.Totals(), r.Regions())
			if r.Header().Base != nil {
				a.describeChain(in, d)
			}
			return d, nil
		}
		if !errors.Is(err, pagestream.ErrCut) && !errors.Is(err, pagestream.ErrCorrupt) {
			return nil, in.fail(err)
		}
		if err := failIncrement(in, err); err != nil {
			return nil, err
		}
		a.note("%s has no whole index at its end; reading all of it", in.name)
	}
	stream, err := a.openStream("read", in, &pagestream.ReadOptions{Workers: a.useLittle()})
	if err != nil {
		return nil, in.fail(err)
	}
	sink := newRegionSink()
	totals, err := stream.each(ctx, sink)
	if err != nil && !errors.Is(err, pagestream.ErrCut) && !errors.Is(err, pagestream.ErrCorrupt) {
		return nil, err
	}
	a.endProgress()
	regions := make([]pagestream.Region, len(sink.regions))
	for number, r := range sink.regions {
		regions[number] = r
	}
	d := newDescription(in, stream.Header(), totals, regions)
	if err != nil {
		d.Damage, d.ID = err.Error(), ""
	}
	return d, err
}

// describeChain describes what the stream in the input is based on.
func (a *app) describeChain(in *input, d *description) {
	c, err := chain.Open(in.name, in.File, in.section(), a.bases)
	if c != nil {
		d.BasedOn = describeStreams(c.Streams[1:])
		err = errors.Join(err, c.Close())
	}
	if err != nil {
		d.Missing = err.Error()
	}
}

func newDescription(in *input, h pagestream.Header, t pagestream.Totals, regions []pagestream.Region) *description {
	d := &description{
		Input:        in.name,
		ID:           t.ID.String(),
		PageSize:     h.PageSize,
		ClusterPages: h.ClusterPages,
		Window:       h.DuplicateWindow,
		Metadata:     []metadata{},
		Stored:       t.Stored,
		Ratio:        ratio(t.Bytes, t.Stored),
		Rounds:       t.Rounds,
		Kept:         t.Kept,
		Pages:        make(map[string]uint64),
		Regions:      []describedRegion{},
	}
	for _, m := range h.Metadata {
		d.Metadata = append(d.Metadata, metadata(m))
	}
	for k := range pagestream.Kind(pagestream.Kinds) {
		d.Pages[k.String()] = t.Pages[k]
	}
	for i, r := range regions {
		described := describedRegion{Number: i, Class: "other", Name: r.Name, FileOffset: r.FileOffset}
		if r.Length != pagestream.UnknownLength {
			described.Length = &r.Length
			d.File = max(d.File, r.FileOffset+r.Length)
		}
		if r.Class == pagestream.Memory {
			described.Class = "memory"
			described.Address = &r.Address
			if described.Length != nil {
				d.Memory += r.Length
			}
		}
		d.Regions = append(d.Regions, described)
	}
	return d
}

// write writes the description for people.
func (d *description) write(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	row := func(format string, args ...any) { fmt.Fprintf(t, format+"\n", args...) }
	row("stream\t%s, %s, ratio %.2f", d.Input, formatSize(d.Stored), d.Ratio)
	if d.ID != "" {
		row("identity\t%s", d.ID)
	}
	for _, s := range d.BasedOn {
		row("based on\t%s, %s, %s", formatText(s.File), formatSize(s.Stored), s.ID)
	}
	if d.Missing != "" {
		row("missing\t%s", formatLines(d.Missing))
	}
	row("memory\t%s, in a file of %s", formatSize(d.Memory), formatSize(d.File))
	row("pages\tof %s, decoded in clusters of %d; duplicates among the last %d", formatSize(uint64(d.PageSize)), d.ClusterPages, d.Window)
	for k := range pagestream.Kind(pagestream.Kinds) {
		if n := d.Pages[k.String()]; n > 0 {
			row("\t%d %s", n, k)
		}
	}
	if d.Kept > 0 {
		row("\t%d kept as in the base", d.Kept)
	}
	if d.Rounds > 0 {
		row("rounds\t%d behind the first", d.Rounds)
	}
	for _, m := range d.Metadata {
		row("metadata\t%s = %s", formatText(m.Key), formatText(m.Value))
	}
	row("")
	row("region\tclass\taddress\tlength\tfile offset\tname")
	for _, r := range d.Regions {
		address, length := "-", "not known"
		if r.Address != nil {
			address = fmt.Sprintf("%#x", *r.Address)
		}
		if r.Length != nil {
			length = fmt.Sprint(*r.Length)
		}
		row("%d\t%s\t%s\t%s\t%d\t%s", r.Number, r.Class, address, length, r.FileOffset, formatText(r.Name))
	}
	return t.Flush()
}
