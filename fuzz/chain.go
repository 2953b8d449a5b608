package fuzz

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/lzpage/lzpage/delta"
	"github.com/lzpage/lzpage/pagestream"
)

// A chain target's input is a byte that says how the streams in it are put
// right, the length of a base, that base, and the stream on top of it. A base
// of no length stands for one that is good.

// goodBase is the base of hostile streams that bring none.
var goodBase = sync.OnceValue(func() *pagestream.ReaderAt {
	sparse := make([]byte, 2048)
	for i := 0; i < len(sparse); i += 24 {
		sparse[i] = byte(i)
	}
	text := []byte(strings.Repeat("99 bottles of beer on the wall, ", 64))
	words := bytes.Repeat([]byte("8 bytes."), 128)
	p := plan{options: pagestream.Options{PageSize: 512, ClusterPages: 4, DuplicateWindow: 16}}
	for i, memory := range [][]byte{
		slices.Concat(noise(1536, 1), words, make([]byte, 4096), text, noise(512, 1), sparse),
		slices.Concat(sparse[:1024], noise(1024, 2), words[:700]),
	} {
		r := pagestream.Region{Address: uint64(i) << 20, FileOffset: uint64(i) << 20, Length: uint64(len(memory))}
		p.regions = append(p.regions, plannedRegion{Region: r, announced: r.Length, memory: memory, pieces: []piece{{len(memory), byWrite}}})
	}
	stream, _ := p.write(1)
	r, err := pagestream.NewReaderAt(bytes.NewReader(stream), int64(len(stream)), limits(1))
	check(err == nil && len(r.Regions()) == 2, "%v", err)
	return r
})

// A hostilePair is a stream and its base.
type hostilePair struct {
	base    *pagestream.ReaderAt
	top     []byte
	workers int
	largest int // stream, in bytes
}

// makePair makes a pair of any bytes. It reports false where the base cannot
// even be opened.
func makePair(data []byte) (hostilePair, bool) {
	c := choices{data}
	how := c.byte()
	below := take(&c, c.uint16())
	p := hostilePair{base: goodBase(), workers: 1 + how>>2&1, largest: max(len(data), int(goodBase().Totals().Stored))}
	if len(below) > 0 {
		below = repair(below, how%repairs)
		var err error
		p.base, err = pagestream.NewReaderAt(bounded{below}, int64(len(below)), limits(1))
		if err != nil {
			checkError(err, len(below))
			return p, false
		}
		p.largest = max(p.largest, len(below))
	}
	p.top = repairOn(p.base, c.rest, how%repairs)
	p.largest = max(p.largest, len(p.top))
	return p, true
}

// open opens the top.
func (p *hostilePair) open() (*pagestream.ReaderAt, error) {
	options := limits(1)
	options.Base = p.base
	r, err := pagestream.NewReaderAt(bounded{p.top}, int64(len(p.top)), options)
	if err != nil {
		checkError(err, p.largest)
		if errors.Is(err, pagestream.ErrBase) { // it may have none
			options.Base = nil
			r, err = pagestream.NewReaderAt(bounded{p.top}, int64(len(p.top)), options)
		}
	}
	return r, err
}

// A layeredSink keeps what it gets of a stream with rounds on top of a base,
// and has the earlier versions of its pages.
type layeredSink struct {
	mu      sync.Mutex
	base    *pagestream.ReaderAt
	based   []int    // the base's region of each region, -1 for none
	lengths []uint64 // of regions, as their final forms will say
	regions []pagestream.Region
	pages   []pagestream.Pages // in order
	size    int
}

// newLayeredSink looks ahead for what a receiver would know.
func newLayeredSink(base *pagestream.ReaderAt, stream []byte) *layeredSink {
	s := &layeredSink{base: base}
	for _, f := range split(stream) {
		if f.typ != typeRegion || len(f.payload) < regionSize {
			continue
		}
		if length := le.Uint64(f.payload[17:]); int(f.region) < len(s.lengths) {
			s.lengths[f.region] = length
		} else if int(f.region) == len(s.lengths) {
			s.lengths = append(s.lengths, length)
			s.based = append(s.based, baseRegion(f.payload))
		}
	}
	return s
}

func (s *layeredSink) Region(number int, r pagestream.Region) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if number == len(s.regions) {
		s.regions = append(s.regions, r)
	}
	check(number < len(s.regions), "region %d follows %d regions", number, len(s.regions))
	s.regions[number] = r
	return nil
}

func (s *layeredSink) Pages(p pagestream.Pages) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	check(p.Region < len(s.regions), "pages of region %d, which has not begun", p.Region)
	check(p.Count > 0 && (p.Data == nil || len(p.Kinds) == int(p.Count) && len(p.Stored) == int(p.Count)), "%d pages, %d kinds", p.Count, len(p.Kinds))
	if n := len(s.pages); n > 0 {
		last := &s.pages[n-1]
		check(p.Round > last.Round || p.Round == last.Round && (p.Region > last.Region || p.Region == last.Region && p.First >= last.First+last.Count),
			"page %d of region %d in round %d follows page %d of region %d in round %d", p.First, p.Region, p.Round, last.First+last.Count-1, last.Region, last.Round)
	}
	p.Data, p.Kinds, p.Stored = bytes.Clone(p.Data), nil, nil
	if s.size += len(p.Data); s.size > maxCollected {
		return errEnough
	}
	s.pages = append(s.pages, p)
	return nil
}

func (s *layeredSink) ReadEarlier(dsts [][]byte, round, region int, numbers []uint64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	check(len(dsts) == len(numbers), "%d pages to %d places", len(numbers), len(dsts))
	for i, n := range numbers {
		check(i == 0 || n > numbers[i-1], "page %d follows page %d", n, numbers[max(i-1, 0)])
		for k := len(s.pages) - 1; k >= 0 && s.pages[k].Round >= round; k-- {
			p := &s.pages[k]
			check(p.Region != region || n < p.First || n-p.First >= p.Count, "asked for what page %d was before round %d, which has been given", n, round)
		}
		if region >= len(s.based) {
			return &pagestream.Error{Kind: pagestream.ErrCorrupt, Region: region, Page: int64(n)}
		}
		if err := s.page(dsts[i], region, n); err != nil {
			return err
		}
	}
	return nil
}

// page reads the last version of a page.
func (s *layeredSink) page(dst []byte, region int, n uint64) error {
	size := uint64(len(dst))
	defer func() { // beyond the region's end there is nothing
		if length := s.lengths[region]; length/size == n {
			clear(dst[length%size:])
		} else if length/size < n {
			clear(dst)
		}
	}()
	for k := len(s.pages) - 1; k >= 0; k-- {
		p := &s.pages[k]
		if p.Region != region || n < p.First || n-p.First >= p.Count {
			continue
		}
		clear(dst)
		if p.Data != nil {
			copy(dst, p.Data[(n-p.First)*size:])
		}
		return nil
	}
	clear(dst)
	based := s.based[region]
	if based < 0 {
		return nil
	}
	if err := s.base.ReadPage(dst, based, n); !errors.Is(err, pagestream.ErrRange) {
		return err
	}
	clear(dst)
	return nil
}

// chainRead reads a hostile stream on top of a base from start to end. One that
// is taken must hold the same for random access.
func chainRead(data []byte) {
	if len(data) > maxStream {
		return
	}
	p, ok := makePair(data)
	if !ok {
		return
	}
	defer watch(p.largest)()
	sink := newLayeredSink(p.base, p.top)
	options := limits(p.workers)
	options.Earlier = sink
	r, err := pagestream.NewReader(bytes.NewReader(p.top), options)
	var totals pagestream.Totals
	if err == nil {
		if r.Header().PageSize != p.base.Header().PageSize {
			return // then it has no earlier versions
		}
		totals, err = r.Each(context.Background(), sink)
	}
	if err != nil {
		if err != errEnough {
			checkError(err, p.largest)
		}
		return
	}
	random, err := p.open()
	if based := r.Header().Base; based != nil && based.ID != p.base.Totals().ID {
		check(errors.Is(err, pagestream.ErrBase) || err == nil, "another base: %v", err)
		return
	}
	for _, below := range sink.based {
		if below >= len(p.base.Regions()) {
			check(errors.Is(err, pagestream.ErrCorrupt), "a region that the base has not: %v", err)
			return
		}
	}
	check(err == nil, "ReaderAt refuses what Reader takes: %v", err)
	totals.PageBytes = [pagestream.Kinds]uint64{}
	check(random.Totals() == totals, "totals %+v and %+v", random.Totals(), totals)
	check(slices.Equal(random.Regions(), sink.regions), "regions %+v and %+v", random.Regions(), sink.regions)
	size := r.Header().PageSize
	page, want := make([]byte, size), make([]byte, size)
	for number, region := range sink.regions {
		wanted := probes(region.Pages(size), uint64(number))
		for k := range sink.pages {
			if run := &sink.pages[k]; run.Region == number {
				for i := range min(run.Count, 20) {
					wanted = append(wanted, run.First+i)
				}
				wanted = append(wanted, run.First+run.Count-1)
			}
		}
		for _, n := range wanted {
			if n >= region.Pages(size) {
				continue
			}
			err, wantErr := random.ReadPage(page, number, n), sink.page(want, number, n)
			check((err == nil) == (wantErr == nil), "page %d of region %d: %v, and in order %v", n, number, err, wantErr)
			check(err != nil || bytes.Equal(page, want), "page %d of region %d is another one in order", n, number)
		}
	}
}

// chainReadAt reads pages of a hostile stream on top of a base at random.
func chainReadAt(data []byte) {
	if len(data) > maxStream {
		return
	}
	p, ok := makePair(data)
	if !ok {
		return
	}
	defer watch(p.largest)()
	r, err := p.open()
	if err != nil {
		return
	}
	size := uint64(r.Header().PageSize)
	seed := uint64(len(data))
	for number, region := range r.Regions() {
		if number == 4 {
			break
		}
		for _, n := range probes(region.Pages(int(size)), seed) {
			readPageBothWays(r, p.largest, number, n)
		}
		for _, off := range probes(region.Length, seed)[:min(5, region.Length)] {
			readAcross(r, p.largest, number, off, int(seed%64)*97)
		}
	}
	rewriteOn(r, p.largest)
}

// rewriteOn writes a little memory on top of a hostile stream.
func rewriteOn(base *pagestream.ReaderAt, size int) {
	var out bytes.Buffer
	w, err := pagestream.NewWriter(context.Background(), &out, pagestream.Options{Base: base, Workers: 1})
	check(err == nil, "%v", err)
	var all [][]byte
	for number, region := range base.Regions() {
		if number == 3 {
			break
		}
		region.Length = pagestream.UnknownLength
		memory := noise(3000*number+700, uint32(size))
		all = append(all, append(make([]byte, 1<<21), memory...))
		if w.BeginRegion(region) == nil && w.Skip(1<<21) == nil {
			_, _ = w.Write(memory)
		}
	}
	if _, err := w.Close(); err != nil {
		checkError(err, size)
		return
	}
	options := limits(1)
	options.Base = base
	r, err := pagestream.NewReaderAt(bytes.NewReader(out.Bytes()), int64(out.Len()), options)
	check(err == nil, "%v", err)
	for number, memory := range all {
		got := make([]byte, len(memory))
		_, err := r.ReadRegionAt(got, number, 0)
		check(err == nil && bytes.Equal(got, memory), "region %d on top of a hostile stream: %v", number, err)
	}
}

// chainWrite writes generations of memory, each on top of the one before and
// some with rounds, and reads them all back.
func chainWrite(data []byte) {
	if len(data) > maxStream {
		return
	}
	c := choices{data}
	generations, seed := 1+c.byte()%3, c.byte()
	edits := choices{take(&c, 256+c.byte())}
	p := makePlan(c.rest)
	if len(p.regions) == 0 {
		return
	}
	defer watch(4 * maxMemory)()
	var base *pagestream.ReaderAt
	for range generations {
		var rounds []plan
		before := p.clone()
		for range edits.byte() % 3 {
			p.edit(&edits, false)
			rounds = append(rounds, p.clone())
		}
		options := before.options
		options.Base = base
		if options.Base != nil {
			options.ClusterPages = 1 << (edits.byte() % 5)
		}
		cached := edits.bool()
		stream, totals := before.writeRounds(options, 1, rounds, cached)
		parallel, parallelTotals := before.writeRounds(options, 3, rounds, cached)
		check(bytes.Equal(stream, parallel), "the stream depends on the number of workers")
		check(totals == parallelTotals, "totals depend on the number of workers: %+v, %+v", totals, parallelTotals)
		check(bytes.Equal(repairOn(base, stream, complete), stream), "CRCs, index or end are not as the specification has them")
		base = p.checkChain(stream, base, totals, uint64(seed))
		p.edit(&edits, true)
	}
}

// clone returns the plan with memory of its own.
func (p *plan) clone() plan {
	q := *p
	q.regions = slices.Clone(p.regions)
	for i := range q.regions {
		q.regions[i].memory = bytes.Clone(p.regions[i].memory)
	}
	return q
}

// edit changes the plan's memory, and its regions if it may.
func (p *plan) edit(c *choices, regions bool) {
	size := p.options.PageSize
	for range 1 + c.byte()%16 {
		if len(p.regions) == 0 {
			return
		}
		i := c.byte() % len(p.regions)
		r := &p.regions[i]
		at := c.uint16() * size / 8
		op := c.byte() % 8
		if at >= len(r.memory) {
			at = 0
		}
		rest := r.memory[at:]
		switch {
		case op < 3 && len(rest) > 0:
			copy(rest, noise(1+c.byte()%32, uint32(c.byte())))
		case op == 3:
			clear(rest[:min(len(rest), c.byte()*size/8)])
		case op == 4:
			copy(rest, r.memory[:min(at, c.byte()*size/8)])
		case op == 5 && regions:
			r.memory = append(r.memory, noise(c.byte()*8, uint32(c.byte()))...)
		case op == 6 && regions:
			r.memory = r.memory[:at]
		case op == 7 && regions:
			p.regions = slices.Delete(p.regions, i, i+1)
			continue
		}
		r.Length = uint64(len(r.memory))
		if r.announced != pagestream.UnknownLength {
			r.announced = r.Length
		}
		r.pieces = []piece{{len(r.memory), byte(c.byte() % 2)}}
	}
}

// writeRounds writes the plan's stream with rounds: what of each plan differs
// from the one before it.
func (p *plan) writeRounds(options pagestream.Options, workers int, rounds []plan, cached bool) ([]byte, pagestream.Totals) {
	options.Workers = workers
	if cached {
		cache, err := delta.NewCache(delta.CacheOptions{Bytes: 2 << 20, PageSize: options.PageSize})
		check(err == nil, "%v", err)
		options.Cache = cache
	}
	var out bytes.Buffer
	w, err := pagestream.NewWriter(context.Background(), &out, options)
	check(err == nil, "%v", err)
	p.writeRegions(w)
	last := *p
	for _, next := range rounds {
		err := w.BeginRound()
		check(err == nil, "%v", err)
		for i := range next.regions {
			old, memory := last.regions[i].memory, next.regions[i].memory
			for at := 0; at < len(memory); at += options.PageSize {
				end := min(at+options.PageSize, len(memory))
				if bytes.Equal(old[at:end], memory[at:end]) && at%(9*options.PageSize) != 0 {
					continue
				}
				err := w.WritePages(i, uint64(at/options.PageSize), memory[at:end])
				check(err == nil, "%v", err)
			}
		}
		last = next
	}
	totals, err := w.Close()
	check(err == nil, "%v", err)
	return out.Bytes(), totals
}

// checkChain checks that the stream on top of base is the plan's memory.
func (p *plan) checkChain(stream []byte, base *pagestream.ReaderAt, totals pagestream.Totals, seed uint64) *pagestream.ReaderAt {
	options := limits(1)
	options.Base = base
	random, err := pagestream.NewReaderAt(bounded{stream}, int64(len(stream)), options)
	check(err == nil, "cannot be read at random: %v", err)
	sink := newLayeredSink(base, stream)
	options = limits(2)
	options.Earlier = random
	r, err := pagestream.NewReader(bytes.NewReader(stream), options)
	check(err == nil, "cannot be read: %v", err)
	readTotals, err := r.Each(context.Background(), sink)
	check(err == nil, "cannot be read: %v", err)
	check(readTotals == totals, "written %+v, read %+v", totals, readTotals)
	check(len(sink.regions) == len(p.regions), "%d regions became %d", len(p.regions), len(sink.regions))
	page := make([]byte, p.options.PageSize)
	for i := range p.regions {
		want := &p.regions[i]
		check(sink.regions[i] == want.Region, "region %+v became %+v", want.Region, sink.regions[i])
		got := make([]byte, len(want.memory))
		n, err := random.ReadRegionAt(got, i, 0)
		check(n == len(got) && (err == nil || n == 0), "region %d cannot be read at random: %d bytes, %v", i, n, err)
		check(bytes.Equal(got, want.memory), "region %d has other bytes at random", i)
		for _, n := range probes(want.Pages(len(page)), seed) {
			err := sink.page(page, i, n)
			memory := want.memory[n*uint64(len(page)):]
			check(err == nil && bytes.Equal(page[:min(len(page), len(memory))], memory[:min(len(page), len(memory))]), "page %d of region %d is another in order: %v", n, i, err)
		}
		for range 4 {
			if len(got) > 0 {
				seed = seed*6364136223846793005 + 1442695040888963407
				readAcross(random, len(stream), i, seed>>1%uint64(len(got)), int(seed>>40%5000))
			}
		}
	}
	return random
}

// pairs returns seeds for hostile pairs: good increments on the good base and on
// ones that come with them, each repaired in every way.
func pairs() [][]byte {
	base := goodBase()
	size := base.Header().PageSize
	var p plan
	p.options.PageSize = size
	for i, region := range base.Regions() {
		memory := make([]byte, region.Length)
		_, err := base.ReadRegionAt(memory, i, 0)
		check(err == nil || len(memory) == 0, "%v", err)
		p.regions = append(p.regions, plannedRegion{Region: region, announced: region.Length, memory: memory, pieces: []piece{{len(memory), byWrite}}})
	}
	write := func(below *pagestream.ReaderAt, p plan, rounds []plan, cached bool) []byte {
		options := pagestream.Options{Base: below, BaseName: "base", PageSize: size, ClusterPages: 4, DuplicateWindow: 16}
		stream, _ := p.writeRounds(options, 1, rounds, cached)
		return stream
	}
	edited := func(seed byte) plan {
		q := p.clone()
		q.edit(&choices{noise(400, uint32(seed))}, false)
		return q
	}
	first, second, third := edited(1), edited(2), edited(3)
	alone := write(nil, first, nil, false)
	below, err := pagestream.NewReaderAt(bytes.NewReader(alone), int64(len(alone)), limits(1))
	check(err == nil, "%v", err)
	var all [][]byte
	for how := range byte(2 * repairs) {
		for _, top := range [][]byte{
			write(base, p, nil, false),
			write(base, first, nil, false),
			write(base, second, []plan{third, first}, true),
			write(nil, first, []plan{second, third}, true),
		} {
			all = append(all, append([]byte{how, 0, 0}, top...))
		}
		on := binary.LittleEndian.AppendUint16([]byte{how}, uint16(len(alone)))
		on = append(on, alone...)
		all = append(all, append(on, write(below, third, []plan{second}, true)...))
	}
	for i := range all {
		check(len(all[i]) <= maxStream, "a seed of %d bytes", len(all[i]))
	}
	return all
}

// describeSeeds returns the kinds of pages in the streams on top of pairs, and
// what their rounds are.
func describeSeeds() (kinds [pagestream.Kinds]uint64, rounds int, err error) {
	for _, seed := range pairs() {
		p, ok := makePair(seed)
		if !ok {
			return kinds, rounds, fmt.Errorf("a base that cannot be opened")
		}
		r, err := p.open()
		if err != nil {
			return kinds, rounds, err
		}
		rounds += r.Totals().Rounds
		for kind, n := range r.Totals().Pages {
			kinds[kind] += n
		}
	}
	return kinds, rounds, nil
}
