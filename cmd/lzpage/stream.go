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
	regions map[int]pagestream.Region
}

func newRegionSink() *regionSink { return &regionSink{make(map[int]pagestream.Region)} }

func (s *regionSink) Region(number int, r pagestream.Region) error {
	s.regions[number] = r
	return nil
}

func (s *regionSink) Pages(pagestream.Pages) error { return nil }
