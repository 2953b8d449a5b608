package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/lzpage/lzpage/internal/chain"
	"github.com/lzpage/lzpage/internal/ordered"
	"github.com/lzpage/lzpage/pagestream"
	"github.com/spf13/cobra"
)

// addBaseFlag gives the command the flag --base, for streams that are based on
// others.
func addBaseFlag(c *cobra.Command, a *app) {
	c.Flags().StringArrayVar(&a.bases, "base", nil, "a `file` to look for the stream's base in, before those beside it; may be given several times")
	completeFlagSuffix(c, "base", "lzp")
}

// openChain opens the stream in the input and all those that it is based on.
func (a *app) openChain(in *input) (*chain.Chain, error) {
	c, err := chain.Open(in.name, in.File, in.section(), a.bases)
	if err != nil {
		if c != nil {
			err = errors.Join(err, c.Close())
		}
		return nil, err
	}
	return c, nil
}

// openSoundChain opens the chain for one who reads all of it, and checks that
// each stream is what it says it is.
func (a *app) openSoundChain(in *input) (*chain.Chain, error) {
	c, err := a.openChain(in)
	if err != nil {
		return nil, err
	}
	if err := c.CheckIdentities(); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// openLayers opens the stream in the input with those that it is based on, if
// it is based on any or has several rounds. Of another one, which is read from
// its start to its end, it returns nil, as where the end is damaged: reading it
// will tell.
func (a *app) openLayers(in *input) (*chain.Chain, error) {
	if !in.seekable() {
		return nil, nil
	}
	r, err := pagestream.NewReaderAt(in.section(), in.size, pagestream.ReadOptions{})
	if err == nil {
		if r.Header().Base == nil && r.Totals().Rounds == 0 {
			return nil, nil
		}
		return a.openSoundChain(in)
	}
	return nil, failIncrement(in, err)
}

// failIncrement returns err, which opening the stream in the input has returned,
// as its error if the stream is based on another: reading it from its start
// would say no more.
func failIncrement(in *input, err error) error {
	start, startErr := pagestream.NewReader(in.section(), pagestream.ReadOptions{Workers: 1})
	if startErr == nil && start.Header().Base != nil {
		return &chain.DamageError{Stream: in.name, Top: in.name, Chained: true, Err: err}
	}
	return nil
}

// inputOf returns the file of a stream of a chain.
func inputOf(s *chain.Stream) *input {
	_, base, size := s.Section().Outer()
	return &input{File: s.File, name: s.Name, base: base, size: size}
}

// inputsOf returns the files of chains, which no output may replace.
func inputsOf(chains ...*chain.Chain) []*input {
	var inputs []*input
	for _, c := range chains {
		if c == nil {
			continue
		}
		for _, s := range c.Streams {
			inputs = append(inputs, inputOf(s))
		}
	}
	return inputs
}

// A chainedStream is a stream that another one is based on.
type chainedStream struct {
	File   string `json:"file"`
	ID     string `json:"id"`
	Stored uint64 `json:"stored_bytes"`
}

// describeStreams describes streams, in their order.
func describeStreams(streams []*chain.Stream) []chainedStream {
	var described []chainedStream
	for _, s := range streams {
		described = append(described, chainedStream{s.Name, s.Totals().ID.String(), s.Totals().Stored})
	}
	return described
}

// formatBelow writes what a stream is based on, for people.
func formatBelow(below []*chain.Stream) string {
	if len(below) == 0 {
		return ""
	}
	s := ", based on " + below[0].Name
	if n := len(below) - 1; n > 0 {
		s += fmt.Sprintf(" and %d below it", n)
	}
	return s
}

// rangeBytes is how much of a region is read at a time, or a page where that is
// more.
const rangeBytes = 1 << 20

// A regionRange is a range of a region's bytes.
type regionRange struct {
	region int
	offset uint64
	length uint64
	zero   bool // all of it; known without reading it
}

// rangesOf yields the ranges that make up the stream's regions, in their order.
// They have at most size bytes, a multiple of the page size, but for those that
// are known to be zero.
func rangesOf(stream *pagestream.ReaderAt, size uint64) iter.Seq[regionRange] {
	return func(yield func(regionRange) bool) {
		for i, r := range stream.Regions() {
			for offset := uint64(0); offset < r.Length; {
				left := r.Length - offset
				g := regionRange{region: i, offset: offset, length: min(left, size)}
				zero := min(left, zeroBytes(stream, i, offset))
				if zero < left {
					zero -= zero % size
				}
				if zero > 0 {
					g.length, g.zero = zero, true
				}
				if !yield(g) {
					return
				}
				offset += g.length
			}
		}
	}
}

// zeroBytes returns how many bytes of a region from the offset on are known to
// be zero without reading them. An error shows again where they are read.
func zeroBytes(stream *pagestream.ReaderAt, region int, offset uint64) uint64 {
	pageSize := uint64(stream.Header().PageSize)
	pages, err := stream.ZeroRun(region, offset/pageSize)
	if err != nil || pages == 0 {
		return 0
	}
	return pages*pageSize - offset%pageSize
}

// eachRange reads all of the topmost stream's regions through the chain, hands
// them to take, in their order, and checks at the end that no stream changed
// meanwhile. Of a range that is known to be zero there is no data.
func eachRange(ctx context.Context, c *chain.Chain, workers int, take func(r regionRange, data []byte) error) error {
	size := max(rangeBytes, c.Top().Header().PageSize)
	newBuffer := func() []byte { return make([]byte, size) }
	err := ordered.Each(ctx, workers, rangesOf(c.Top().ReaderAt, uint64(size)), newBuffer, func(_ context.Context, r regionRange, buffer []byte) error {
		if r.zero {
			return nil
		}
		n, err := c.Top().ReadRegionAt(buffer[:r.length], r.region, int64(r.offset))
		if uint64(n) == r.length {
			return nil
		}
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return c.Explain(err)
	}, func(_ context.Context, r regionRange, buffer []byte) error {
		if r.zero {
			return take(r, nil)
		}
		return take(r, buffer[:r.length])
	})
	if err != nil {
		return err
	}
	return c.CheckUnchanged()
}
