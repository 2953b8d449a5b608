package main

import (
	"context"
	"errors"
	"io"

	"github.com/lzpage/lzpage/pagestream"
)

// A stream is a stream that is read from its start to its end, and shown to be.
type stream struct {
	*pagestream.Reader
	in    *input
	meter *meter
}

// openStream begins to read the stream in the input, from its beginning if
// that is seekable. It completes the options.
func (a *app) openStream(command string, in *input, options *pagestream.ReadOptions) (*stream, error) {
	var src io.Reader = in.File
	if in.seekable() {
		src = in.section()
	}
	s := &stream{in: in, meter: newStreamMeter(max(in.size, 0))}
	options.Progress = s.meter.update
	a.beginProgress(command+" "+in.name, s.meter.state)
	var err error
	s.Reader, err = pagestream.NewReader(src, *options)
	return s, err
}

// each hands the stream to the sink.
func (s *stream) each(ctx context.Context, sink pagestream.Sink) (pagestream.Totals, error) {
	totals, err := s.Each(ctx, sink)
	var bad *pagestream.Error
	if errors.As(err, &bad) {
		err = s.in.fail(err)
	}
	return totals, err
}

// A regionSink only notes the regions of a stream.
type regionSink struct {
	regions places
}

func newRegionSink() *regionSink { return &regionSink{make(places)} }

func (s *regionSink) Region(number int, r pagestream.Region) error {
	s.regions.learn(number, r)
	return nil
}

func (s *regionSink) Pages(pagestream.Pages) error { return nil }

// places are the regions of a stream that are known, by number.
type places map[int]pagestream.Region

// learn takes in a region, which may be its first form or its final one.
func (p places) learn(number int, r pagestream.Region) {
	if _, known := p[number]; !known || r.Length != pagestream.UnknownLength {
		p[number] = r
	}
}
