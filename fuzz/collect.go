package fuzz

import (
	"bytes"
	"context"
	"errors"

	"github.com/lzpage/lzpage/pagestream"
)

var (
	errStop   = errors.New("the sink was told to stop")
	errEnough = errors.New("the sink has enough")
	errLayers = errors.New("the stream has a base or rounds, which are for other targets")
)

// maxCollected is how many bytes of pages a collector takes.
const maxCollected = 8 << 20

// A collector is a sink that keeps what it gets, and checks that it gets it as
// a Reader promises.
type collector struct {
	header  pagestream.Header
	regions map[int]*collected
	last    int // region begun last
	size    int // bytes of pages kept

	salvaging bool
	damages   int
	damageAt  int64
	cut       bool // a damage is that the stream was cut
	missing   uint64

	calls  int
	stopAt int // the call that ends the reading; 0 for none
	stop   func() error
	done   bool // nothing may come any more
}

// A collected region is what came of it.
type collected struct {
	pagestream.Region
	final bool
	next  uint64 // the page behind the last one
	runs  []run
}

// A run is consecutive pages, data nil where a zero run covers them.
type run struct {
	first, count uint64
	data         []byte
}

func newCollector(h pagestream.Header, salvaging bool) *collector {
	return &collector{header: h, salvaging: salvaging, regions: make(map[int]*collected), last: -1}
}

func (c *collector) call() error {
	check(!c.done, "the sink was called behind the end")
	c.calls++
	if c.calls != c.stopAt {
		return nil
	}
	err := c.stop()
	c.done = err != nil // a context that ends may be noticed later
	return err
}

func (c *collector) Region(number int, r pagestream.Region) error {
	known := c.regions[number]
	switch {
	case known == nil:
		check(c.salvaging || number == len(c.regions), "region %d follows %d regions", number, len(c.regions))
		c.regions[number] = &collected{Region: r}
		c.last = max(c.last, number)
	case !c.salvaging:
		check(!known.final && r.Length != pagestream.UnknownLength, "region %d ends twice or never", number)
		begun := known.Region
		if begun.Length == pagestream.UnknownLength {
			begun.Length = r.Length
		}
		check(begun == r, "region %d began as %+v and ends as %+v", number, known.Region, r)
		check(known.next == r.Pages(c.header.PageSize), "region %d has %d pages, got %d", number, r.Pages(c.header.PageSize), known.next)
		known.Region, known.final = r, true
	default:
		known.Region, known.final = r, true
	}
	return c.call()
}

func (c *collector) Pages(p pagestream.Pages) error {
	if p.Round > 0 {
		return errLayers
	}
	r := c.regions[p.Region]
	if r == nil {
		check(c.salvaging, "pages of region %d, which has not begun", p.Region)
		r = &collected{Region: pagestream.Region{Length: pagestream.UnknownLength}}
		c.regions[p.Region] = r
	}
	size := uint64(c.header.PageSize)
	check(p.Count > 0, "no pages at page %d", p.First)
	check(p.First == r.next, "page %d where page %d should follow", p.First, r.next)
	check(p.First+p.Count-1 <= (1<<63-1-r.FileOffset)/size, "pages up to %d of %d bytes, from byte %d of a file on", p.First+p.Count, size, r.FileOffset)
	check(c.salvaging || r.Length == pagestream.UnknownLength || p.First+p.Count <= r.Pages(int(size)), "pages beyond the region's end")
	check(c.salvaging || p.Region == c.last, "pages of region %d after region %d has begun", p.Region, c.last)
	r.next = p.First + p.Count
	if p.Data == nil {
		check(p.Kinds == nil && p.Stored == nil, "a zero run with kinds")
	} else {
		check(uint64(len(p.Data)) == p.Count*size, "%d pages have %d bytes", p.Count, len(p.Data))
		check(uint64(len(p.Kinds)) == p.Count && uint64(len(p.Stored)) == p.Count, "%d pages have %d kinds and %d lengths", p.Count, len(p.Kinds), len(p.Stored))
		for i, kind := range p.Kinds {
			page := p.Data[i*int(size):][:size]
			check(kind < pagestream.Kinds, "a page of kind %d", kind)
			check(kind != pagestream.Zero || isZero(page), "a zero page that is not")
			check(p.Stored[i] > 0, "a page stored in %d bytes", p.Stored[i])
		}
	}
	c.size += len(p.Data)
	if c.size > maxCollected {
		return errEnough
	}
	r.runs = append(r.runs, run{p.First, p.Count, bytes.Clone(p.Data)})
	return c.call()
}

// salvage returns a Salvage that tells the collector.
func (c *collector) salvage(size int) *pagestream.Salvage {
	return &pagestream.Salvage{
		Damage: func(err error, offset, length int64) {
			checkError(err, size)
			check(length >= 0 && offset >= 0 && offset+length <= int64(size), "damage from %d, %d bytes, in a stream of %d", offset, length, size)
			check(offset >= c.damageAt, "damage at %d after damage at %d", offset, c.damageAt)
			c.damageAt = offset
			c.damages++
			c.cut = c.cut || errors.Is(err, pagestream.ErrCut)
		},
		Missing: func(number int, first, count uint64) {
			r := c.regions[number]
			if r == nil {
				r = &collected{Region: pagestream.Region{Length: pagestream.UnknownLength}}
				c.regions[number] = r
			}
			check(count > 0 && first == r.next, "pages %d to %d are missing where page %d should follow", first, first+count, r.next)
			r.next += count
			c.missing += count
		},
	}
}

// checkError checks that err is of the kind that reading size bytes returns.
func checkError(err error, size int) {
	var e *pagestream.Error
	check(errors.As(err, &e), "an error without its place: %v", err)
	check(e.Offset >= 0 && e.Offset <= int64(size), "an error at byte %d of %d: %v", e.Offset, size, err)
	for _, kind := range []error{pagestream.ErrFormat, pagestream.ErrUnsupported, pagestream.ErrCorrupt, pagestream.ErrCut, pagestream.ErrLimit, pagestream.ErrBase, pagestream.ErrNoSalvage} {
		if errors.Is(err, kind) {
			return
		}
	}
	panic("an error of no kind: " + err.Error())
}

func isZero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}

// limits are those of all reading here. They bear the seeds.
func limits(workers int) pagestream.ReadOptions {
	return pagestream.ReadOptions{MaxClusterBytes: 1 << 16, MaxWindowBytes: pagestream.DefaultWindowBytes, Workers: workers}
}

// collect reads a stream, in salvage or not. The collector is nil if the
// stream could not even be opened.
func collect(stream []byte, options pagestream.ReadOptions, salvaging bool, stopAt int, byContext bool) (*collector, pagestream.Totals, error) {
	c := newCollector(pagestream.Header{}, salvaging)
	if salvaging {
		options.Salvage = c.salvage(len(stream))
	}
	r, err := pagestream.NewReader(bytes.NewReader(stream), options)
	if err != nil {
		checkError(err, len(stream))
		return nil, pagestream.Totals{}, err
	}
	c.header = r.Header()
	if c.header.Base != nil {
		return nil, pagestream.Totals{}, errLayers
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	c.stopAt, c.stop = stopAt, func() error { return errStop }
	if byContext {
		c.stop = func() error {
			cancel(errStop)
			return nil
		}
	}
	totals, err := r.Each(ctx, c)
	stopped := stopAt > 0 && c.calls >= stopAt
	check(err != errStop || stopped, "stopped after %d of %d calls", c.calls, stopAt)
	check(!stopped || err == errStop || byContext && err != nil, "after %d of %d calls: %v", c.calls, stopAt, err)
	if err == nil && totals.Rounds > 0 {
		err = errLayers
	}
	if err != nil && err != errStop && err != errEnough && err != errLayers {
		checkError(err, len(stream))
	}
	c.done = true
	return c, totals, err
}

// content returns the pages that are not zero, as they were handed out.
func (c *collector) content() map[pageAddress]string {
	size := c.header.PageSize
	pages := make(map[pageAddress]string)
	for number, r := range c.regions {
		for _, run := range r.runs {
			for i := 0; i < len(run.data); i += size {
				if page := run.data[i : i+size]; !isZero(page) {
					pages[pageAddress{uint64(number), run.first + uint64(i/size)}] = string(page)
				}
			}
		}
	}
	return pages
}

// trim clears what the last page of each region has beyond the region's
// length, which nobody looks at.
func (c *collector) trim() {
	size := uint64(c.header.PageSize)
	for _, r := range c.regions {
		if n := len(r.runs); n > 0 && r.Length%size != 0 && r.runs[n-1].data != nil {
			last := r.runs[n-1].data
			clear(last[uint64(len(last))-size+r.Length%size:])
		}
	}
}
