package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/lzpage/lzpage/pagestream"
)

// losses keeps account of what a damaged stream has lost.
type losses struct {
	app      *app
	in       *input
	pageSize uint64
	places   places
	damaged  []damage
	missing  []missing
	cut      bool // the stream has no end
}

// damage is a piece of the stream that could not be read.
type damage struct {
	Offset int64  `json:"offset"` // in the stream
	Bytes  int64  `json:"bytes"`
	Error  string `json:"error"`
}

// missing is a range of pages that were lost.
type missing struct {
	Region int    `json:"region"`
	First  uint64 `json:"first_page"`
	Pages  uint64 `json:"pages"`
	// Address and FileOffset are of the first byte, absent where they are not
	// known.
	Address    *uint64 `json:"address,omitempty"`
	FileOffset *uint64 `json:"file_offset,omitempty"`
}

// openLossy begins to read the stream in the input. If it is to be salvaged,
// reading goes on behind damage; what is lost is in the account. Of a stream that
// is based on another, earlier has what its deltas apply to.
func (a *app) openLossy(ctx context.Context, command string, in *input, salvage bool, earlier pagestream.Earlier) (*stream, *losses, error) {
	options := pagestream.ReadOptions{Workers: a.useLittle(), Earlier: earlier}
	l := &losses{app: a, in: in, places: make(places)}
	if salvage {
		if err := l.learnPlaces(ctx, options); err != nil {
			return nil, nil, err
		}
		options.Salvage = &pagestream.Salvage{Damage: l.damage, Missing: l.lose}
	}
	stream, err := a.openStream(command, in, &options)
	if err != nil {
		return nil, nil, in.fail(err)
	}
	l.pageSize = uint64(stream.Header().PageSize)
	return stream, l, nil
}

// learnPlaces looks through a seekable stream for its regions: they stand before
// their pages, where they may be lost, and again behind all of them.
func (l *losses) learnPlaces(ctx context.Context, options pagestream.ReadOptions) error {
	if !l.in.seekable() {
		return nil
	}
	options.Salvage = new(pagestream.Salvage)
	stream, err := l.app.openStream("look through", l.in, &options)
	if err != nil {
		return l.in.fail(err)
	}
	_, err = stream.each(ctx, &regionSink{l.places})
	l.app.endProgress()
	return err
}

// damage takes account of a piece of the stream that was passed over.
func (l *losses) damage(err error, offset, length int64) {
	l.cut = l.cut || errors.Is(err, pagestream.ErrCut)
	l.damaged = append(l.damaged, damage{offset, length, err.Error()})
	l.app.say("%s: %v; %s passed over", l.in.name, err, formatCount(uint64(length), "byte"))
}

// lose takes account of pages that were lost.
func (l *losses) lose(region int, first, count uint64) {
	if n := len(l.missing); n > 0 {
		if last := &l.missing[n-1]; last.Region == region && last.First+last.Pages == first {
			last.Pages += count
			return
		}
	}
	m := missing{Region: region, First: first, Pages: count}
	if place, known := l.places[region]; known {
		start := first * l.pageSize
		offset := place.FileOffset + start
		m.FileOffset = &offset
		if place.Class == pagestream.Memory {
			address := place.Address + start
			m.Address = &address
		}
	}
	l.missing = append(l.missing, m)
}

func (m *missing) String() string {
	s := fmt.Sprintf("page %d", m.First)
	if m.Pages > 1 {
		s = fmt.Sprintf("pages %d to %d", m.First, m.First+m.Pages-1)
	}
	s += fmt.Sprintf(" of region %d", m.Region)
	if m.FileOffset == nil {
		return s + ", whose place in the file was lost"
	}
	s += fmt.Sprintf(", at byte %d of the file", *m.FileOffset)
	if m.Address != nil {
		s += fmt.Sprintf(", address %#x", *m.Address)
	}
	return s
}

// verdict lists what is missing in the output and returns the error that the
// salvage ends with, if any.
func (l *losses) verdict(output string) error {
	pages, placeless := uint64(0), false
	for i := range l.missing {
		m := &l.missing[i]
		l.app.say("missing: %v", m)
		pages += m.Pages
		placeless = placeless || m.FileOffset == nil
	}
	var s string
	switch {
	case pages > 0:
		s = fmt.Sprintf("%s is incomplete: %s missing, listed above", output, formatCount(pages, "page"))
	case len(l.damaged) > 0:
		s = fmt.Sprintf("no page is known to be missing in %s, but the stream is damaged", output)
	default:
		return nil
	}
	if l.cut {
		s += "; what there was behind the stream's cut is not known"
	}
	if placeless && !l.in.seekable() {
		s += "; the stream's end may tell where pages belong: save the stream to a file and salvage that"
	}
	return incomplete(s)
}
