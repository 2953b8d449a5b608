package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/lzpage/lzpage/internal/chain"
	"github.com/lzpage/lzpage/lzrw1"
	"github.com/lzpage/lzpage/pagestream"
	"github.com/spf13/cobra"
)

// A rebasing is a call of lzpage rebase.
type rebasing struct {
	*app
	output string
	force  bool
	onto   string
	level  levelFlag
}

func newRebaseCommand(a *app) *cobra.Command {
	r := &rebasing{app: a}
	c := &cobra.Command{
		Use:   "rebase [flags] FILE",
		Short: "Make a stream stand alone, or base it on another one",
		Long: `Rebase writes a stream that gives back the same bytes as the one in FILE and
stands alone, or, with --onto, holds only what differs from another stream. Page
size, clusters and metadata stay as they are. Streams that are based on FILE
stay based on it: the new stream has another identity.`,
		Example: `  lzpage rebase friday.ram.lzp -o full.ram.lzp                  stands alone
  lzpage rebase --onto monday.ram.lzp -o week.ram.lzp friday.ram.lzp
                                                      leaves out the days between`,
		Args:              oneFile,
		ValidArgsFunction: completeSuffix("lzp"),
		RunE:              func(c *cobra.Command, args []string) error { return r.run(c.Context(), args[0]) },
	}
	f := c.Flags()
	f.StringVarP(&r.output, "output", "o", "", "write to this `file`; - is standard output")
	f.BoolVarP(&r.force, "force", "f", false, "replace the output if it exists")
	f.StringVar(&r.onto, "onto", "", "hold only what differs from the stream in this `file`")
	completeFlagSuffix(c, "onto", "lzp")
	addLevelFlag(c, &r.level)
	addBaseFlag(c, a)
	addThreadsFlag(c, a)
	addJSONFlag(c, a)
	return c
}

func (r *rebasing) run(ctx context.Context, name string) error {
	if r.output == "" {
		return errors.New("name the output with -o")
	}
	in, err := openSeekable(name, "rebase")
	if err != nil {
		return err
	}
	defer in.Close()
	layers, err := r.openSoundChain(in)
	if err != nil {
		return err
	}
	defer layers.Close()
	options := r.options(layers.Top().Header())
	inputs := inputsOf(layers)
	var onto *base
	var below []*chain.Stream
	if r.onto != "" {
		if onto, err = r.openBase(r.onto); err != nil {
			return err
		}
		defer onto.close()
		below = onto.layers.Streams
		inputs = append(inputs, inputsOf(onto.layers)...)
		if size := onto.layers.Top().Header().PageSize; size != options.PageSize {
			return fmt.Errorf("%s has pages of %d bytes and %s of %d; only streams with the same can be based on each other", in.name, options.PageSize, onto.in.name, size)
		}
		options.Base, options.BaseName = onto.layers.Top().ReaderAt, onto.hint()
	}
	out, err := r.create(r.output, "", r.force, inputs...)
	if err != nil {
		return err
	}
	m := newMemoryMeter(int64(layers.Top().Totals().Bytes))
	options.Progress = m.update
	r.beginProgress("rebase "+in.name, m.state)
	totals, err := rewrite(ctx, out.sequential(), layers, options)
	if err != nil && onto != nil {
		var damaged *chain.DamageError
		if !errors.As(err, &damaged) {
			err = onto.explain(err)
		}
	}
	if err == nil && onto != nil {
		err = onto.layers.CheckUnchanged()
	}
	if err == nil {
		m.enter("writing to the disk")
		err = out.commit(int64(totals.Stored))
	}
	if err != nil {
		return errors.Join(err, out.abort())
	}
	r.endProgress()
	s := summary{Command: "rebase", Input: in.name, Output: out.name, ID: totals.ID.String(), BasedOn: describeStreams(below), counts: newCounts(totals)}
	return r.report(s, fmt.Sprintf("%s: %s in %s, ratio %.2f%s", out.name, formatSize(s.Bytes), formatSize(s.Stored), s.Ratio, formatBelow(below)), out.toStandard())
}

// options returns how to write a stream like the one with the header. That may
// name more pages to remember for duplicates than readers agree to.
func (r *rebasing) options(h pagestream.Header) pagestream.Options {
	o := pagestream.Options{
		PageSize:        h.PageSize,
		ClusterPages:    h.ClusterPages,
		DuplicateWindow: int(min(h.DuplicateWindow, uint64(pagestream.DefaultMaxWindowBytes/h.PageSize))),
		Level:           lzrw1.Level(r.level),
		Metadata:        h.Metadata,
		Workers:         r.useLittle(),
	}
	if h.DuplicateWindow == 0 {
		o.DuplicateWindow = pagestream.NoDuplicates
	}
	return o
}

// rewrite writes what the topmost stream of the chain says as a new stream.
func rewrite(ctx context.Context, dst io.Writer, layers *chain.Chain, options pagestream.Options) (pagestream.Totals, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	w, err := pagestream.NewWriter(ctx, dst, options)
	if err != nil {
		return pagestream.Totals{}, err
	}
	regions := layers.Top().Regions()
	begun := 0
	beginUpTo := func(end int) error {
		for ; begun < end; begun++ {
			if err := w.BeginRegion(regions[begun]); err != nil {
				return err
			}
		}
		return nil
	}
	err = eachRange(ctx, layers, options.Workers, func(g regionRange, data []byte) error {
		if err := beginUpTo(g.region + 1); err != nil {
			return err
		}
		if g.zero || isZero(data) {
			return w.Skip(g.length)
		}
		_, err := w.Write(data)
		return err
	})
	if err == nil {
		err = beginUpTo(len(regions)) // those that are empty
	}
	if err != nil {
		cancel(err) // so that Close does not complete a stream that lacks something
	}
	totals, closeErr := w.Close()
	if err == nil {
		err = closeErr
	}
	return totals, err
}
