package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/lzpage/lzpage/pagestream"
)

// A stream is a stream that is read from its start to its end, and shown to be.
type stream struct {
	*pagestream.Reader
	in    *input
	meter *meter
	once  bool // earlier versions of pages are not at hand
}

// openStream begins to read the stream in the input, from its beginning if
// that is seekable. It completes the options.
func (a *app) openStream(command string, in *input, options *pagestream.ReadOptions) (*stream, error) {
	var src io.Reader = in.File
	if in.seekable() {
		src = in.section()
	}
	s := &stream{in: in, meter: newStreamMeter(max(in.size, 0)), once: options.Earlier == nil}
	options.Progress = s.meter.update
	a.beginProgress(command+" "+in.name, s.meter.state)
	var err error
	s.Reader, err = pagestream.NewReader(src, *options)
	if err != nil {
		return nil, err
	}
	if base := s.Header().Base; base != nil && s.once {
		return nil, fmt.Errorf("it holds only what differs from another stream, %v; save it to a file beside that one, and read it there", formatBase(base))
	}
	return s, nil
}

// formatBase names the base of a stream.
func formatBase(base *pagestream.Base) string {
	if base.Name == "" {
		return base.ID.String()
	}
	return fmt.Sprintf("%v (%q)", base.ID, base.Name)
}

// errRounds is the error of what goes through a stream once and so cannot tell
// which round has a page's last version.
var errRounds = errors.New("it holds several rounds of pages; lzpage rebase, given it as a file, makes one of them")

// each hands the stream to the sink.
func (s *stream) each(ctx context.Context, sink pagestream.Sink) (pagestream.Totals, error) {
	totals, err := s.Each(ctx, sink)
	if s.once && errors.Is(err, pagestream.ErrBase) {
		err = errRounds // a base has been asked for before
	}
	var bad *pagestream.Error
	if errors.As(err, &bad) || errors.Is(err, errRounds) {
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
