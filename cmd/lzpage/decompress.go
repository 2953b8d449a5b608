package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/lzpage/lzpage/internal/chain"
	"github.com/lzpage/lzpage/pagestream"
	"github.com/spf13/cobra"
)

// A decompression is a call of lzpage decompress.
type decompression struct {
	*app
	output  string
	force   bool
	salvage bool
}

func newDecompressCommand(a *app) *cobra.Command {
	r := &decompression{app: a}
	c := &cobra.Command{
		Use:   "decompress [flags] FILE",
		Short: "Turn a stream back into the file it was made of",
		Long: `Decompress writes the file that the stream in FILE was made of, byte for byte:
FILE without .lzp unless -o says otherwise. FILE is kept. Pages of zeros become
holes where the output is a file.

A stream that is based on others is read through all of them. They are known by
their identities; they are looked for in the files given by --base, and beside
the stream, first in the file in which they were when the stream was made. Such
a stream has to be a file, and cannot be salvaged.

Where the stream is damaged or cut there is no output, unless --salvage is
given: then every page that is whole is written, the others are zero, what is
missing is listed, and the exit status is 2. From a file a salvage reads the
stream twice, to learn from its end what its beginning may have lost.`,
		Example: `  lzpage decompress guest.ram.lzp
  ssh host cat web1.lzp | lzpage decompress - -o web1.elf
  lzpage decompress --salvage -o rescued.ram damaged.lzp`,
		Args:              oneFile,
		ValidArgsFunction: completeSuffix("lzp"),
		RunE:              func(c *cobra.Command, args []string) error { return r.run(c.Context(), args[0]) },
	}
	f := c.Flags()
	f.StringVarP(&r.output, "output", "o", "", "write to this `file`; - is standard output")
	f.BoolVarP(&r.force, "force", "f", false, "replace the output if it exists")
	f.BoolVar(&r.salvage, "salvage", false, "take what a damaged stream still holds")
	addBaseFlag(c, a)
	addThreadsFlag(c, a)
	addJSONFlag(c, a)
	return c
}

func (r *decompression) run(ctx context.Context, name string) error {
	defaultOutput, err := cutSuffix(name, streamSuffix)
	if err != nil && r.output == "" {
		return err
	}
	in, err := open(name)
	if err != nil {
		return err
	}
	defer in.Close()
	if !r.salvage {
		layers, err := r.openLayers(in)
		if err != nil {
			return err
		}
		if layers != nil {
			return errors.Join(r.restore(ctx, layers, defaultOutput), layers.Close())
		}
	}
	stream, lost, err := r.openLossy(ctx, "decompress", in, r.salvage, nil)
	if err != nil {
		return err
	}
	out, err := r.create(r.output, defaultOutput, r.force, in)
	if err != nil {
		return err
	}
	sink := newImageSink(out, stream.Header().PageSize, lost)
	totals, err := stream.each(ctx, sink)
	if err == nil {
		err = sink.finish()
	}
	if err == nil {
		stream.meter.enter("writing to the disk")
		err = out.commit(int64(sink.end))
	}
	if err != nil {
		return errors.Join(err, out.abort())
	}
	r.endProgress()
	s := summary{Command: "decompress", Input: in.name, Output: out.name, counts: newCounts(totals), Damage: lost.damaged, Missing: lost.missing}
	headline := fmt.Sprintf("%s: %s from %s, ratio %.2f", out.name, formatSize(s.Bytes), formatSize(s.Stored), s.Ratio)
	if err := r.report(s, headline, out.toStandard()); err != nil {
		return err
	}
	return lost.verdict(out.name)
}

// restore writes the file that a stream was made of which is read through
// several layers.
func (r *decompression) restore(ctx context.Context, layers *chain.Chain, defaultOutput string) error {
	workers := r.useLittle()
	top := layers.Top()
	out, err := r.create(r.output, defaultOutput, r.force, inputsOf(layers)...)
	if err != nil {
		return err
	}
	totals := top.Totals()
	m := newRestoreMeter(totals.Bytes)
	r.beginProgress("decompress "+top.Name, m.state)
	sink := newImageSink(out, top.Header().PageSize, &losses{places: make(places)})
	for i, region := range top.Regions() {
		if err == nil {
			err = sink.Region(i, region)
		}
	}
	if err == nil {
		done := pagestream.Totals{}
		regions := top.Regions()
		err = eachRange(ctx, layers, workers, func(g regionRange, data []byte) error {
			done.Bytes += g.length
			m.update(done)
			return sink.putRange(data, regions[g.region].FileOffset+g.offset)
		})
	}
	if err == nil {
		err = sink.finish()
	}
	if err == nil {
		m.enter("writing to the disk")
		err = out.commit(int64(sink.end))
	}
	if err != nil {
		return errors.Join(err, out.abort())
	}
	r.endProgress()
	s := summary{Command: "decompress", Input: top.Name, Output: out.name, ID: totals.ID.String(), BasedOn: describeStreams(layers.Streams[1:]), counts: newCounts(totals)}
	headline := fmt.Sprintf("%s: %s from %s%s, %s in all", out.name, formatSize(s.Bytes), formatSize(s.Stored), formatBelow(layers.Streams[1:]), formatSize(layers.Stored()))
	return r.report(s, headline, out.toStandard())
}
