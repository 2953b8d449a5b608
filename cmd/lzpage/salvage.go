package main

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"github.com/lzpage/lzpage/pagestream"
)

// A rescue keeps account of what a damaged stream has lost.
type rescue struct {
	app      *app
	in       *input
	pageSize uint64
	places   map[int]pagestream.Region // the regions known
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

// newRescue begins a rescue. The regions' places stand before their pages and
// again behind all of them: of a seekable stream all are learnt first.
func (a *app) newRescue(ctx context.Context, in *input, options pagestream.ReadOptions) (*rescue, error) {
	r := &rescue{app: a, in: in, places: make(map[int]pagestream.Region)}
	if !in.seekable() {
		return r, nil
	}
	options.Salvage = new(pagestream.Salvage)
	stream, err := a.openStream("look through", in, &options)
	if err != nil {
		return nil, in.fail(err)
	}
	sink := newRegionSink()
	if _, err := stream.each(ctx, sink); err != nil {
		return nil, err
	}
	a.endProgress()
	maps.Copy(r.places, sink.regions)
	return r, nil
}

// salvage returns what tells r of damage.
func (r *rescue) salvage() *pagestream.Salvage {
	return &pagestream.Salvage{
		Damage: func(err error, offset, length int64) {
			r.cut = r.cut || errors.Is(err, pagestream.ErrCut)
			r.damaged = append(r.damaged, damage{offset, length, err.Error()})
			r.app.say("%s: %v; %s passed over", r.in.name, err, formatCount(uint64(length), "byte"))
		},
		Missing: r.lose,
	}
}

// lose takes account of pages that were lost.
func (r *rescue) lose(region int, first, count uint64) {
	if n := len(r.missing); n > 0 {
		if last := &r.missing[n-1]; last.Region == region && last.First+last.Pages == first {
			last.Pages += count
			return
		}
	}
	m := missing{Region: region, First: first, Pages: count}
	if place, known := r.places[region]; known {
		start := first * r.pageSize
		offset := place.FileOffset + start
		m.FileOffset = &offset
		if place.Class == pagestream.Memory {
			address := place.Address + start
			m.Address = &address
		}
	}
	r.missing = append(r.missing, m)
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
func (r *rescue) verdict(output string) error {
	pages, placeless := uint64(0), false
	for i := range r.missing {
		m := &r.missing[i]
		r.app.say("missing: %v", m)
		pages += m.Pages
		placeless = placeless || m.FileOffset == nil
	}
	var s string
	switch {
	case pages > 0:
		s = fmt.Sprintf("%s is incomplete: %s missing, listed above", output, formatCount(pages, "page"))
	case len(r.damaged) > 0:
		s = fmt.Sprintf("no page is known to be missing in %s, but the stream is damaged", output)
	default:
		return nil
	}
	if r.cut {
		s += "; what there was behind the stream's cut is not known"
	}
	if placeless && !r.in.seekable() {
		s += "; the stream's end may tell where pages belong: save the stream to a file and salvage that"
	}
	return incomplete(s)
}
