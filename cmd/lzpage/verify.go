package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/lzpage/lzpage/internal/chain"
	"github.com/lzpage/lzpage/pagestream"
	"github.com/spf13/cobra"
)

func newVerifyCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "verify [flags] FILE",
		Short: "Read all of a stream and check it",
		Long: `Verify reads the stream in FILE to its end, decodes every page, compares the
checksum of every frame and every page, and checks that the index at the end
lists what the stream holds. Nothing is written.

Of a stream that is based on others all of them are verified, beginning with the
one that is complete.`,
		Example: `  lzpage verify guest.ram.lzp
  ssh host cat web1.lzp | lzpage verify -
  lzpage verify --json guest.ram.lzp | jq .ratio`,
		Args:              oneFile,
		ValidArgsFunction: completeSuffix("lzp"),
		RunE:              func(c *cobra.Command, args []string) error { return a.verify(c.Context(), args[0]) },
	}
	addBaseFlag(c, a)
	addThreadsFlag(c, a)
	addJSONFlag(c, a)
	return c
}

func (a *app) verify(ctx context.Context, name string) error {
	in, err := open(name)
	if err != nil {
		return err
	}
	defer in.Close()
	layers, err := a.openLayers(in)
	if err != nil {
		return err
	}
	if layers != nil {
		return errors.Join(a.verifyLayers(ctx, layers), layers.Close())
	}
	stream, err := a.openStream("verify", in, &pagestream.ReadOptions{Workers: a.useLittle()})
	if err != nil {
		return in.fail(err)
	}
	totals, err := stream.each(ctx, newRegionSink())
	if err != nil {
		return err
	}
	a.endProgress()
	s := summary{Command: "verify", Input: in.name, ID: totals.ID.String(), counts: newCounts(totals)}
	return a.report(s, fmt.Sprintf("%s is whole: %s, index and %s of memory in %s checked, ratio %.2f",
		in.name, formatCount(totals.Frames, "frame"), formatSize(s.Bytes), formatCount(uint64(s.Regions), "region"), s.Ratio), false)
}

// verifyLayers reads and checks each stream of a chain, from the lowest to the
// topmost.
func (a *app) verifyLayers(ctx context.Context, layers *chain.Chain) error {
	workers := a.useLittle()
	top := layers.Top()
	var totals pagestream.Totals
	for i := len(layers.Streams) - 1; i >= 0; i-- {
		s := layers.Streams[i]
		fail := func(err error) error {
			if changed := layers.CheckUnchanged(); errors.Is(changed, chain.ErrChanged) {
				return changed
			}
			return &chain.DamageError{Stream: s.Name, Top: top.Name, Chained: len(layers.Streams) > 1, Err: err}
		}
		stream, err := a.openStream("verify", inputOf(s), &pagestream.ReadOptions{Workers: workers, Earlier: s})
		if err != nil {
			return fail(err)
		}
		if totals, err = stream.Each(ctx, newRegionSink()); err != nil {
			return fail(err)
		}
		a.endProgress()
		if i > 0 && !a.json {
			a.note("%s is whole: %s and index%s", s.Name, formatCount(totals.Frames, "frame"), formatBelow(layers.Streams[i+1:]))
		}
	}
	if err := layers.CheckUnchanged(); err != nil {
		return err
	}
	s := summary{Command: "verify", Input: top.Name, ID: totals.ID.String(), BasedOn: describeStreams(layers.Streams[1:]), counts: newCounts(totals)}
	return a.report(s, fmt.Sprintf("%s is whole: %s, index and what differs of %s of memory in %s checked%s",
		top.Name, formatCount(totals.Frames, "frame"), formatSize(s.Bytes), formatCount(uint64(s.Regions), "region"), formatBelow(layers.Streams[1:])), false)
}
