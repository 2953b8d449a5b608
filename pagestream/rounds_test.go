package pagestream

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/lzpage/lzpage/delta"
)

// A change is pages of a round.
type change struct {
	region int
	first  uint64
	data   []byte
}

// dirty changes some pages of all memory and returns them in runs, some pages
// that have not changed among them.
func dirty(rng *rand.Rand, all []memory, pageSize int) (changes []change) {
	for i := range all {
		data := changed(rng, all[i].data, len(all[i].data), pageSize)
		for at := 0; at < len(data); {
			if rng.IntN(3) > 0 {
				at += pageSize
				continue
			}
			end := min(len(data), at+(1+rng.IntN(30))*pageSize)
			changes = append(changes, change{i, uint64(at / pageSize), bytes.Clone(data[at:end])})
			copy(all[i].data[at:], data[at:end])
			at = end
		}
	}
	return changes
}

func writeRounds(t testing.TB, options Options, all []memory, rounds [][]change) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := NewWriter(context.Background(), &out, options)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range all {
		_ = w.BeginRegion(m.region)
		_, _ = w.Write(m.data)
	}
	for _, changes := range rounds {
		if err := w.BeginRound(); err != nil {
			t.Fatal(err)
		}
		if options.Cache != nil {
			options.Cache.EndRound()
		}
		for _, c := range changes {
			for data, first := c.data, c.first; len(data) > 0; { // in pieces
				n := min(len(data), options.PageSize*(1+len(data)%7))
				if err := w.WritePages(c.region, first, data[:n]); err != nil {
					t.Fatal(err)
				}
				data = data[n:]
				first += uint64(n / options.PageSize)
			}
		}
	}
	totals, err := w.Close()
	if err != nil {
		t.Fatal(err)
	}
	if totals.Stored != uint64(out.Len()) || totals.Rounds != len(rounds) {
		t.Errorf("Close says %d bytes and %d rounds, it was %d and %d", totals.Stored, totals.Rounds, out.Len(), len(rounds))
	}
	return out.Bytes()
}

func newCache(t testing.TB, bytes int64, pageSize int) *delta.Cache {
	t.Helper()
	cache, err := delta.NewCache(delta.CacheOptions{Bytes: bytes, PageSize: pageSize})
	if err != nil {
		t.Fatal(err)
	}
	return cache
}

// A liveReceiver has the memory that it was given, as a migration's target has.
type liveReceiver struct {
	mu       sync.Mutex
	pageSize int
	data     [][]byte
	rounds   map[pageAddress]int // in which each page was given last
}

func (l *liveReceiver) Region(number int, r Region) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.data) <= number {
		l.data = append(l.data, nil)
	}
	if r.Length != UnknownLength {
		l.data[number] = append(l.data[number], make([]byte, r.Length)...)[:r.Length]
	}
	return nil
}

func (l *liveReceiver) Pages(p Pages) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range p.Count {
		if l.rounds == nil {
			l.rounds = make(map[pageAddress]int)
		}
		l.rounds[pageAddress{uint32(p.Region), p.First + i}] = p.Round
	}
	data := &l.data[p.Region]
	at, n := int(p.First)*l.pageSize, int(p.Count)*l.pageSize
	if at+n > len(*data) {
		*data = append(*data, make([]byte, at+n-len(*data))...)
	}
	if p.Data == nil {
		clear((*data)[at : at+n])
	} else {
		copy((*data)[at:], p.Data)
	}
	return nil
}

func (l *liveReceiver) ReadEarlier(dsts [][]byte, round, region int, numbers []uint64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, number := range numbers {
		if given, ok := l.rounds[pageAddress{uint32(region), number}]; ok && given >= round {
			return fmt.Errorf("asked for what page %d was before round %d, given in round %d", number, round, given)
		}
		clear(dsts[i][copy(dsts[i], l.data[region][int(number)*l.pageSize:]):])
	}
	return nil
}

// Rounds give the last version of each page, and every round's pages to who
// reads in order, with and without a cache and a base.
func TestRounds(t *testing.T) {
	var kinds [Kinds]uint64
	for _, pageSize := range []int{512, 4096, 65536} {
		for seed := range uint64(8) {
			if testing.Short() && (seed > 3 || pageSize > 4096 && seed != 3) {
				continue
			}
			t.Run(fmt.Sprintf("pages of %d, seed %d", pageSize, seed), func(t *testing.T) {
				rng := rand.New(rand.NewPCG(seed, uint64(pageSize)+1))
				var before, all []memory
				for i := range 1 + rng.IntN(4) {
					n := rng.IntN(min(500*pageSize, 6<<20))
					at := uint64(i) << 40
					m := memory{Region{Address: at, FileOffset: at, Length: UnknownLength}, guestMemory(rng.Uint64(), n, pageSize)}
					if rng.IntN(2) == 0 {
						m.region.Length = uint64(n)
					}
					all = append(all, m)
				}
				clone := func(all []memory) []memory {
					all = slices.Clone(all)
					for i := range all {
						all[i].data = bytes.Clone(all[i].data)
					}
					return all
				}
				options := Options{PageSize: pageSize, ClusterPages: 1 << rng.IntN(6), DuplicateWindow: 50}
				var base *ReaderAt
				var slow *slowStream
				if seed&1 != 0 {
					before = clone(all)
					base, slow = checkLayers(t, write(t, options, before...), nil, nil, before...)
					dirty(rng, all, pageSize)
				}
				options.Base = base
				first := clone(all)
				var rounds [][]change
				for range rng.IntN(6) {
					rounds = append(rounds, dirty(rng, all, pageSize))
				}
				cacheBytes := []int64{0, 0, 256 << 20, 64 * int64(pageSize) * 32}[seed>>1&3]
				stream := func(workers int) []byte {
					o := with(options, workers)
					if cacheBytes > 0 {
						o.Cache = newCache(t, cacheBytes, pageSize)
					}
					return writeRounds(t, o, first, rounds)
				}
				one := stream(1)
				if cacheBytes == 0 || cacheBytes == 256<<20 {
					if !bytes.Equal(stream(3), one) {
						t.Error("three workers write other bytes than one")
					}
				} else { // it may be another stream, and must be right
					checkLayers(t, stream(3), base, slow, all...)
				}
				random, _ := checkLayers(t, one, base, slow, all...)
				for k, n := range random.Totals().Pages {
					kinds[k] += n
				}
				if base == nil {
					receive(t, one, all)
				}
			})
		}
	}
	for k, n := range kinds {
		if n == 0 {
			t.Errorf("no page was of kind %v", Kind(k))
		}
	}
}

// receive reads the stream as a migration's target does.
func receive(t *testing.T, stream []byte, all []memory) {
	t.Helper()
	live := new(liveReceiver)
	r, err := NewReader(bytes.NewReader(stream), ReadOptions{Workers: 3, Earlier: live})
	if err != nil {
		t.Fatal(err)
	}
	live.pageSize = r.Header().PageSize
	if _, err := r.Each(context.Background(), live); err != nil {
		t.Fatal(err)
	}
	for i, m := range all {
		if !bytes.Equal(live.data[i], m.data) {
			t.Fatalf("region %d: the receiver has other bytes", i)
		}
	}
}

// A page that changes back and forth goes as a delta each time, and one that
// was reported without having changed does not go at all.
func TestRoundsUseTheCache(t *testing.T) {
	const pageSize = 4096
	data := guestMemory(40, 100*pageSize, pageSize)
	fillNoise(data)
	m := []memory{{Region{Length: uint64(len(data))}, bytes.Clone(data)}}
	var rounds [][]change
	for round := range 5 {
		data[8*round]++
		rounds = append(rounds, []change{{0, 0, bytes.Clone(data)}}) // page 0 changed, 99 did not
	}
	cache := newCache(t, 64<<20, pageSize)
	stream := writeRounds(t, Options{PageSize: pageSize, Cache: cache}, m, rounds)
	m[0].data = data
	random, slow := checkLayers(t, stream, nil, nil, m...)
	if n := random.Totals().Pages[Delta]; n != 5 {
		t.Errorf("%d deltas, want 5", n)
	}
	for round, carried := range slow.regions[0].carried {
		if want := 1 + 99*(1-min(round, 1)); len(carried) != want {
			t.Errorf("round %d carries %d pages, want %d", round, len(carried), want)
		}
	}
	if stats := cache.EndRound(); stats.Hits != 100 || stats.Misses != 0 || stats.Saved < 99*pageSize {
		t.Errorf("in the last round the cache counts %+v", stats)
	}
}

// Duplicates are of their own round.
func TestRoundsForgetDuplicates(t *testing.T) {
	const pageSize = 4096
	data := make([]byte, 3*pageSize)
	fillNoise(data)
	a, b := data[:pageSize], data[pageSize:2*pageSize]
	m := []memory{{Region{Length: uint64(len(data))}, bytes.Clone(data)}}
	rounds := [][]change{
		{{0, 1, slices.Concat(a, a)}},
		{{0, 0, slices.Concat(b, b)}},
		{{0, 1, b}, {0, 2, b}},
	}
	stream := writeRounds(t, Options{PageSize: pageSize}, m, rounds)
	m[0].data = slices.Concat(b, b, b)
	random, slow := checkLayers(t, stream, nil, nil, m...)
	want := []map[uint64]byte{{0: 3, 1: 3, 2: 3}, {1: 3, 2: 2}, {0: 3, 1: 2}, {1: 3, 2: 2}}
	for round := range want {
		if got := fmt.Sprint(slow.regions[0].carried[round]); got != fmt.Sprint(want[round]) {
			t.Errorf("round %d carries %s, want %v", round, got, want[round])
		}
	}
	if n := random.Totals().Pages[Duplicate]; n != 3 {
		t.Errorf("%d duplicates, want 3", n)
	}
}

func TestRoundsMisuse(t *testing.T) {
	page := make([]byte, 4096)
	for name, use := range map[string]func(w *Writer) error{
		"pages without a round": func(w *Writer) error { return w.WritePages(0, 0, page) },
		"pages that go back": func(w *Writer) error {
			_ = w.BeginRound()
			_ = w.WritePages(0, 1, page)
			return w.WritePages(0, 0, page)
		},
		"a page twice": func(w *Writer) error {
			_ = w.BeginRound()
			_ = w.WritePages(0, 1, page)
			return w.WritePages(0, 1, page)
		},
		"a region that goes back": func(w *Writer) error {
			_ = w.BeginRound()
			_ = w.WritePages(1, 0, page)
			return w.WritePages(0, 1, page)
		},
		"no such region":       func(w *Writer) error { _ = w.BeginRound(); return w.WritePages(2, 0, page) },
		"region -1":            func(w *Writer) error { _ = w.BeginRound(); return w.WritePages(-1, 0, page) },
		"no such page":         func(w *Writer) error { _ = w.BeginRound(); return w.WritePages(0, 3, page) },
		"page 2^63":            func(w *Writer) error { _ = w.BeginRound(); return w.WritePages(0, 1<<63, page) },
		"part of a page":       func(w *Writer) error { _ = w.BeginRound(); return w.WritePages(0, 0, page[:9]) },
		"more than the region": func(w *Writer) error { _ = w.BeginRound(); return w.WritePages(0, 2, page) },
		"a region in a round":  func(w *Writer) error { _ = w.BeginRound(); return w.BeginRegion(Region{}) },
		"bytes in a round":     func(w *Writer) error { _ = w.BeginRound(); _, err := w.Write(page); return err },
		"a hole in a round":    func(w *Writer) error { _ = w.BeginRound(); return w.Skip(1) },
		"a region not filled": func(w *Writer) error {
			_ = w.BeginRegion(Region{Length: 5})
			return w.BeginRound()
		},
	} {
		w, err := NewWriter(context.Background(), &bytes.Buffer{}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range []int{2*4096 + 10, 4096} {
			_ = w.BeginRegion(Region{Length: uint64(n)})
			_, _ = w.Write(make([]byte, n))
		}
		if err := use(w); err == nil {
			t.Errorf("%s: no error", name)
		}
		if _, err := w.Close(); err == nil {
			t.Errorf("%s: Close forgets the error", name)
		}
		if err := w.BeginRound(); !errors.Is(err, errClosed) {
			t.Errorf("%s: a round behind Close: %v", name, err)
		}
		for range 10 { // more than there are batches
			if err := w.BeginRegion(Region{}); !errors.Is(err, errClosed) {
				t.Fatalf("%s: a region behind Close: %v", name, err)
			}
		}
	}
}

// Behind Close all is refused, also where nothing went wrong before.
func TestBehindClose(t *testing.T) {
	w, err := NewWriter(context.Background(), io.Discard, Options{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for range 10 { // more than there are batches
		if err := w.BeginRegion(Region{}); !errors.Is(err, errClosed) {
			t.Fatalf("a region: %v", err)
		}
	}
	if _, err := w.Write([]byte{1}); !errors.Is(err, errClosed) {
		t.Errorf("bytes: %v", err)
	}
	if err := w.BeginRound(); !errors.Is(err, errClosed) {
		t.Errorf("a round: %v", err)
	}
	if err := w.WritePages(0, 0, nil); !errors.Is(err, errClosed) {
		t.Errorf("pages: %v", err)
	}
}

// A call without pages does not move the turn.
func TestNoPagesOfARound(t *testing.T) {
	const pageSize = 512
	all := []memory{
		{Region{Length: 9 * pageSize}, guestMemory(1, 9*pageSize, pageSize)},
		{Region{Address: 1 << 30, FileOffset: 1 << 30, Length: 9 * pageSize}, guestMemory(2, 9*pageSize, pageSize)},
	}
	page := guestMemory(3, pageSize, pageSize)
	var out bytes.Buffer
	w, err := NewWriter(context.Background(), &out, Options{PageSize: pageSize})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range all {
		_ = w.BeginRegion(m.region)
		_, _ = w.Write(m.data)
	}
	_ = w.BeginRound()
	for _, c := range []change{{0, 7, page}, {1, 0, nil}, {0, 8, page}, {1, 3, nil}, {1, 2, page}, {1, 9, nil}} {
		if err := w.WritePages(c.region, c.first, c.data); err != nil {
			t.Errorf("%d bytes at page %d of region %d: %v", len(c.data), c.first, c.region, err)
		}
		copy(all[c.region].data[c.first*pageSize:], c.data)
	}
	if _, err := w.Close(); err != nil {
		t.Fatal(err)
	}
	checkLayers(t, out.Bytes(), nil, nil, all...)
}

// Salvage is for complete streams and says so.
func TestNoSalvageOfLayers(t *testing.T) {
	const pageSize = 512
	m := []memory{{Region{Length: 5 * pageSize}, guestMemory(41, 5*pageSize, pageSize)}}
	stream := writeRounds(t, Options{PageSize: pageSize}, m, [][]change{{{0, 1, m[0].data[:pageSize]}}})
	got, err := read(stream, ReadOptions{Salvage: &Salvage{}})
	if pages, ok := got.holds(m); !errors.Is(err, ErrNoSalvage) || !ok || pages != 5 {
		t.Errorf("a stream with rounds: %v, %d pages, right: %v", err, pages, ok)
	}
	base := openAt(t, write(t, Options{PageSize: pageSize}, m...), nil)
	if _, err := read(writeOn(t, base, Options{}, m...), ReadOptions{Salvage: &Salvage{}}); !errors.Is(err, ErrNoSalvage) {
		t.Errorf("a stream with a base: %v", err)
	}
}

func TestCacheOfOtherPages(t *testing.T) {
	_, err := NewWriter(context.Background(), io.Discard, Options{PageSize: 8192, Cache: newCache(t, 1<<20, 4096)})
	if err == nil {
		t.Error("a cache of pages of another size is taken")
	}
}

// A page that is in the cache from elsewhere would count as one that the
// readers of the stream have.
func TestUsedCache(t *testing.T) {
	cache := newCache(t, 1<<20, 4096)
	page := bytes.Repeat([]byte("page"), 1024)
	cache.Put(delta.Key{Page: 1}, page)
	if _, err := NewWriter(context.Background(), io.Discard, Options{Cache: cache}); err == nil {
		t.Error("a cache that holds a page is taken")
	}
	cache.Put(delta.Key{Page: 1}, make([]byte, 4096)) // takes the page out
	w, err := NewWriter(context.Background(), io.Discard, Options{Cache: cache})
	if err != nil {
		t.Fatalf("a cache that is empty again: %v", err)
	}
	if _, err := w.Close(); err != nil {
		t.Error(err)
	}
}
