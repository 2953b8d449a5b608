package main

import (
	"context"
	"fmt"

	"github.com/lzpage/lzpage/pagestream"
	"github.com/spf13/cobra"
)

func newVerifyCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "verify [flags] FILE",
		Short: "Read all of a stream and check it",
		Long: `Verify reads the stream in FILE to its end, decodes every page, compares the
checksum of every frame and every page, and checks that the index at the end
lists what the stream holds. Nothing is written.`,
		Example: `  lzpage verify guest.ram.lzp
  ssh host cat web1.lzp | lzpage verify -
  lzpage verify --json guest.ram.lzp | jq .ratio`,
		Args:              oneFile,
		ValidArgsFunction: completeSuffix("lzp"),
		RunE:              func(c *cobra.Command, args []string) error { return a.verify(c.Context(), args[0]) },
	}
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
	stream, err := a.openStream("verify", in, &pagestream.ReadOptions{Workers: a.useLittle()})
	if err != nil {
		return in.fail(err)
	}
	totals, err := stream.each(ctx, newRegionSink())
	if err != nil {
		return err
	}
	a.endProgress()
	s := summary{Command: "verify", Input: in.name, counts: newCounts(totals)}
	return a.report(s, fmt.Sprintf("%s is whole: %s, index and %s of memory in %s checked, ratio %.2f",
		in.name, formatCount(totals.Frames, "frame"), formatSize(s.Bytes), formatCount(uint64(s.Regions), "region"), s.Ratio), false)
}
