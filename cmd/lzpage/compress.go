package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/lzpage/lzpage/internal/chain"
	"github.com/lzpage/lzpage/internal/image"
	"github.com/lzpage/lzpage/lzrw1"
	"github.com/lzpage/lzpage/pagestream"
	"github.com/spf13/cobra"
)

const streamSuffix = ".lzp"

// A compression is a call of lzpage compress.
type compression struct {
	*app
	output   string
	force    bool
	format   string
	level    levelFlag
	pageSize sizeFlag
	cluster  int
	meta     []string

	givenPageSize bool
}

func newCompressCommand(a *app) *cobra.Command {
	r := &compression{app: a, pageSize: pagestream.DefaultPageSize}
	c := &cobra.Command{
		Use:   "compress [flags] FILE",
		Short: "Compress a memory image into a stream",
		Long: `Compress writes the memory in FILE as a stream, FILE.lzp unless -o says
otherwise. FILE is kept.

The kind of image is found out by its first bytes: an ELF core, a LiME dump, or
else raw memory from address 0 on. Whatever else is in the file is kept, too, so
that decompress gives back the same file. Holes of a sparse file are not read.

Pages that are zero, one word throughout, or equal to one of the last 16 MiB of
pages take a few bytes; of others, words of zero are left out where that helps,
and LZRW1 shrinks what is left. Every page has a checksum.

With --base the stream holds only what differs from an earlier one, of which it
takes over the page size, and needs it to be read. Memory is compared with what
the base has from the same address on. Given several times, --base names the
base first, and then where to look for what that is based on itself, before
looking beside it.`,
		Example: `  lzpage compress guest.ram
  lzpage compress --level dense --meta guest=web1 -o /backup/web1.lzp web1.elf
  lzpage compress --base monday.ram.lzp tuesday.ram
  lzpage compress - < guest.ram | ssh backup 'cat > guest.ram.lzp'
  nc web1 4444 | lzpage compress - -o web1.lzp     LiME there sends to port 4444`,
		Args: oneFile,
		RunE: func(c *cobra.Command, args []string) error {
			r.givenPageSize = c.Flags().Changed("page-size")
			return r.run(c.Context(), args[0])
		},
	}
	f := c.Flags()
	f.StringVarP(&r.output, "output", "o", "", "write to this `file`; - is standard output")
	f.BoolVarP(&r.force, "force", "f", false, "replace the output if it exists")
	f.StringArrayVar(&a.bases, "base", nil, "hold only what differs from the stream in this `file`")
	completeFlagSuffix(c, "base", "lzp")
	f.StringVar(&r.format, "format", string(image.Auto), "what FILE is: auto, raw, elf or lime")
	complete(c, "format", string(image.Auto), string(image.Raw), string(image.ELF), string(image.LiME))
	addLevelFlag(c, &r.level)
	f.Var(&r.pageSize, "page-size", "the guest's page `size`, a power of two from 512 to 2MiB")
	f.IntVar(&r.cluster, "cluster", pagestream.DefaultClusterPages, "`pages` that are decoded together, a power of two up to 256; more take less room, fewer are reached faster")
	f.StringArrayVar(&r.meta, "meta", nil, "keep `key=value` in the stream; may be given several times")
	addThreadsFlag(c, a)
	addJSONFlag(c, a)
	return c
}

func addThreadsFlag(c *cobra.Command, a *app) {
	c.Flags().UintVarP(&a.threads, "threads", "t", 0, "`number` of threads that work at a time; 0: one for each CPU, at most 8")
}

func addJSONFlag(c *cobra.Command, a *app) {
	c.Flags().BoolVar(&a.json, "json", false, "say what was done as JSON, on standard output unless data goes there")
}

// streamOptions checks what the user wants of a stream.
func streamOptions(pageSize sizeFlag, cluster int, level lzrw1.Level) (pagestream.Options, error) {
	o := pagestream.Options{Level: level, ClusterPages: cluster}
	if n := pageSize; n < pagestream.MinPageSize || n > pagestream.MaxPageSize || n&(n-1) != 0 {
		return o, fmt.Errorf("pages of %d bytes: a page size is a power of two from 512 to 2MiB (64KiB is 65536)", uint64(n))
	}
	o.PageSize = int(pageSize)
	if n := cluster; n < 1 || n > pagestream.MaxClusterPages || n&(n-1) != 0 {
		return o, fmt.Errorf("clusters of %d pages: a cluster is a power of two from 1 to %d", n, pagestream.MaxClusterPages)
	}
	if n := uint64(o.PageSize) * uint64(cluster); n > pagestream.DefaultMaxClusterBytes {
		return o, fmt.Errorf("clusters of %d pages of %s have %s: readers refuse more than %s, take a smaller --cluster",
			cluster, formatSize(uint64(o.PageSize)), formatSize(n), formatSize(pagestream.DefaultMaxClusterBytes))
	}
	return o, nil
}

// options returns what the flags say.
func (r *compression) options(base *base) (pagestream.Options, error) {
	if base != nil {
		switch size := base.layers.Top().Header().PageSize; {
		case !r.givenPageSize:
			r.pageSize = sizeFlag(size)
		case r.pageSize != sizeFlag(size):
			return pagestream.Options{}, fmt.Errorf("pages of %d bytes: those of %s have %d, and what is based on it has the same", uint64(r.pageSize), base.in.name, size)
		}
	}
	o, err := streamOptions(r.pageSize, r.cluster, lzrw1.Level(r.level))
	if err != nil {
		return o, err
	}
	o.Workers = r.useLittle()
	if base != nil {
		o.Base, o.BaseName = base.layers.Top().ReaderAt, base.hint()
	}
	for _, m := range r.meta {
		key, value, found := strings.Cut(m, "=")
		if !found || key == "" {
			return o, fmt.Errorf("--meta %q: write key=value", m)
		}
		o.Metadata = append(o.Metadata, pagestream.Metadata{Key: key, Value: value})
	}
	return o, nil
}

func (r *compression) run(ctx context.Context, name string) error {
	base, err := r.openBase()
	if err != nil {
		return err
	}
	var inputs []*input
	var below []*chain.Stream
	if base != nil {
		defer base.close()
		inputs, below = inputsOf(base.layers), base.layers.Streams
	}
	options, err := r.options(base)
	if err != nil {
		return err
	}
	defaultOutput, err := addSuffix(name, streamSuffix)
	if err != nil && r.output == "" {
		return err
	}
	in, err := open(name)
	if err != nil {
		return err
	}
	defer in.Close()
	memory, err := image.Open(in.name, in.File, image.Format(r.format))
	if err != nil {
		return err
	}
	first, err := memory.Next()
	if err == io.EOF {
		err = in.fail(errors.New("it is empty, there is no memory to compress"))
	}
	if err != nil {
		return err
	}
	out, err := r.create(r.output, defaultOutput, r.force, append(inputs, in)...)
	if err != nil {
		return err
	}
	size, known := memory.Size()
	if !known {
		size = 0
	}
	m := newMemoryMeter(size)
	options.Progress = m.update
	r.beginProgress("compress "+in.name, m.state)
	totals, err := compress(ctx, out.sequential(), memory, first, options)
	if err != nil && base != nil {
		err = base.explain(err)
	}
	if err == nil && base != nil {
		err = base.layers.CheckUnchanged()
	}
	if err == nil {
		m.enter("writing to the disk")
		err = out.commit(int64(totals.Stored))
	}
	if err != nil {
		return errors.Join(err, out.abort())
	}
	r.endProgress()
	note := memory.Note()
	if note != "" && !r.json {
		r.note("%s: %s", in.name, note)
	}
	s := summary{Command: "compress", Input: in.name, Output: out.name, Format: string(memory.Format()), Note: note,
		ID: totals.ID.String(), BasedOn: describeStreams(below), counts: newCounts(totals)}
	return r.report(s, fmt.Sprintf("%s: %s in %s, ratio %.2f%s", out.name, formatSize(s.Bytes), formatSize(s.Stored), s.Ratio, formatBelow(below)), out.toStandard())
}

// openBase opens the stream that --base names first, or returns nil.
func (r *compression) openBase() (*base, error) {
	if len(r.bases) == 0 {
		return nil, nil
	}
	name := r.bases[0]
	r.bases = r.bases[1:]
	return r.app.openBase(name)
}

// compress writes the memory, of which the first region has begun, as a stream.
func compress(ctx context.Context, dst io.Writer, memory *image.Reader, first pagestream.Region, options pagestream.Options) (pagestream.Totals, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	w, err := pagestream.NewWriter(ctx, dst, options)
	if err != nil {
		return pagestream.Totals{}, err
	}
	err = writeRegions(w, memory, first)
	if err != nil {
		cancel(err) // so that Close does not complete a stream that lacks something
	}
	totals, closeErr := w.Close()
	if err == nil {
		err = closeErr
	}
	return totals, err
}

func writeRegions(w *pagestream.Writer, memory *image.Reader, region pagestream.Region) error {
	for {
		if err := w.BeginRegion(region); err != nil {
			return err
		}
		if err := writeRegion(w, memory); err != nil {
			return err
		}
		var err error
		if region, err = memory.Next(); err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// writeRegion writes the current region, skipping holes.
func writeRegion(w *pagestream.Writer, memory *image.Reader) error {
	for {
		n, hole, err := memory.Extent()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if hole {
			if err := w.Skip(uint64(n)); err != nil {
				return err
			}
			if err := memory.Skip(n); err != nil {
				return err
			}
			continue
		}
		if _, err := w.ReadFrom(io.LimitReader(memory, n)); err != nil {
			return err
		}
	}
}
