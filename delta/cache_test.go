package delta

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
)

func newCache(t testing.TB, bytes int64, pageSize int) *Cache {
	t.Helper()
	c, err := NewCache(CacheOptions{Bytes: bytes, PageSize: pageSize})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// fillPage makes a page that is told by its seed: zeros, one word, one that
// shrinks more or less, or not at all.
func fillPage(page []byte, seed uint64) {
	rng := rand.New(rand.NewPCG(seed, 7))
	random := 0
	switch kind := rng.IntN(10); kind {
	case 0:
		clear(page)
		return
	case 1:
		for i := range page {
			page[i] = byte(seed >> (i & 7 * 8))
		}
		return
	case 2:
		random = len(page)
	default:
		random = len(page) * (kind - 2) / 10
	}
	clear(page)
	if rng.IntN(2) == 0 {
		for i := range page[:len(page)-random] {
			page[i] = 'a'
		}
	}
	for i := (len(page) - random) &^ 7; i < len(page); i += 8 {
		binary.LittleEndian.PutUint64(page[i:], rng.Uint64())
	}
	binary.LittleEndian.PutUint64(page, seed)
}

// A Get returns what the last Put of its key was given, or false.
func TestCacheReturnsTheLastVersion(t *testing.T) {
	for _, tc := range []struct {
		pageSize int
		bytes    int64
		keys     int
	}{
		{4096, 1 << 20, 2000},
		{4096, 9 << 20, 8000},
		{64, 512 << 10, 6000},
		{1024 + 64, 1 << 20, 3000},
		{64 << 10, 3 << 20, 200},
	} {
		t.Run(fmt.Sprint(tc.pageSize, "/", tc.bytes), func(t *testing.T) {
			c := newCache(t, tc.bytes, tc.pageSize)
			rng := rand.New(rand.NewPCG(uint64(tc.pageSize), uint64(tc.bytes)))
			model := map[Key]uint64{}
			var want CacheStats
			got, page := make([]byte, tc.pageSize), make([]byte, tc.pageSize)
			var gets, hits uint64
			ops := 20 * tc.keys
			if testing.Short() {
				ops /= 4
			}
			for op := range ops {
				// some keys are more popular than others
				key := Key{Region: uint32(rng.IntN(3)), Page: uint64(float64(tc.keys/3) * rng.Float64() * rng.Float64())}
				if rng.IntN(2) == 0 {
					seed, known := model[key]
					if c.Get(got, key) {
						want.Hits++
						if !known {
							t.Fatalf("op %d: Get of %+v, which was never Put, is true", op, key)
						}
						if fillPage(page, seed); !bytes.Equal(got, page) {
							t.Fatalf("op %d: Get of %+v is not what was Put last", op, key)
						}
					} else {
						want.Misses++
					}
				} else {
					seed := rng.Uint64()
					fillPage(page, seed)
					c.Put(key, page)
					clear(page) // the cache has a copy
					model[key] = seed
				}
				if op%(tc.keys/3) == 0 {
					c.Compress(rng.IntN(4) > 0)
				}
				if op%(3*tc.keys) == 0 {
					stats := c.EndRound()
					if stats.Hits != want.Hits || stats.Misses != want.Misses {
						t.Fatalf("op %d: stats %+v, want hits and misses of %+v", op, stats, want)
					}
					gets, hits = gets+stats.Hits+stats.Misses, hits+stats.Hits
					want = CacheStats{}
					for i := range c.shards {
						c.shards[i].verify(t)
					}
				}
			}
			forms := map[string]int{}
			for i := range c.shards {
				for _, e := range c.shards[i].policy.entries {
					switch f := e.form &^ askedForm; {
					case f.loose() && f.length() == tc.pageSize:
						forms["as they are"]++
					case f.loose():
						forms["without zeros"]++
					case f&blockForm != 0:
						forms["compressed"]++
					case f == wordForm:
						forms["words"]++
					case f != 0:
						forms["incompressible"]++
					}
				}
			}
			for _, form := range []string{"words", "compressed", "incompressible"} {
				// a page of 64 bytes has a block as it is
				if forms[form] < 5 && tc.pageSize > 64 {
					t.Errorf("%v: the cache was not put to the test", forms)
				}
			}
			if ratio := float64(hits) / float64(gets); ratio < 0.15 || ratio > 0.95 {
				t.Errorf("hit ratio %.2f: the cache was not put to the test", ratio)
			}
		})
	}
}

func TestCacheKeepsNoZeros(t *testing.T) {
	c := newCache(t, 1<<20, 4096)
	page, key := make([]byte, 4096), Key{1, 2}
	page[100] = 1
	c.Put(key, page)
	if !c.Get(page, key) || page[100] != 1 {
		t.Fatal("a page is not there")
	}
	clear(page)
	c.Put(key, page)
	if c.Get(page, key) {
		t.Error("an old version is there after a Put of zeros")
	}
	c.shards[0].verify(t)
	if n := c.Len(); n != 0 {
		t.Errorf("%d pages are left", n)
	}
	if s := c.EndRound(); s != (CacheStats{Hits: 1, Misses: 1}) {
		t.Errorf("stats %+v, want a hit and a miss", s)
	}
}

// What a cache allocates, it does in NewCache, and it is no more than its
// limit, which it makes use of.
func TestCacheKeepsItsLimit(t *testing.T) {
	for _, tc := range []struct {
		pageSize int
		bytes    int64
		least    float64 // share of the limit that is pages as they are
	}{
		{4096, 512 << 10, 0.5},
		{4096, 1 << 20, 0.65},
		{4096, 16 << 20, 0.85},
		{4096, 67_000_000, 0.87},
		{64, 2 << 20, 0.3},
		{1 << 16, 8 << 20, 0.75},
		{2 << 20, 128 << 20, 0.8},
	} {
		t.Run(fmt.Sprint(tc.pageSize, "/", tc.bytes), func(t *testing.T) {
			if testing.Short() && tc.bytes > 32<<20 {
				t.Skip("large")
			}
			page := make([]byte, tc.pageSize)
			before := heap()
			c := newCache(t, tc.bytes, tc.pageSize)
			rng := rand.New(rand.NewPCG(1, 1))
			for i := range tc.bytes / int64(tc.pageSize) {
				for j := 0; j < len(page); j += 8 {
					binary.LittleEndian.PutUint64(page[j:], rng.Uint64())
				}
				c.Put(Key{Page: uint64(i)}, page)
			}
			if took := heap() - before; took > tc.bytes {
				t.Errorf("the cache takes %d bytes, its limit is %d", took, tc.bytes)
			}
			pages := int64(c.EndRound().Pages)
			if n := c.Len(); int64(n) != pages {
				t.Errorf("Len says %d pages, EndRound %d", n, pages)
			}
			if share := float64(pages*int64(tc.pageSize)) / float64(tc.bytes); share < tc.least {
				t.Errorf("%d pages of %d bytes in %d bytes: %.3f, want %.2f", pages, tc.pageSize, tc.bytes, share, tc.least)
			}
			runtime.KeepAlive(c)
		})
	}
}

// heap returns the bytes of live objects.
func heap() int64 {
	var m runtime.MemStats
	for range 3 {
		runtime.GC() // once more for what pools let go of
	}
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func TestCacheDoesNotAllocate(t *testing.T) {
	c := newCache(t, 1<<20, 4096)
	page := make([]byte, 4096)
	seed := uint64(0)
	allocations := testing.AllocsPerRun(20, func() {
		for range 500 {
			seed++
			key := Key{Page: seed % 700}
			c.Get(page, key)
			binary.LittleEndian.PutUint64(page[seed*8%4096:], seed*0x9e3779b97f4a7c15)
			c.Put(key, page)
			c.Saved(100)
		}
		c.EndRound()
		c.Advise(0.5)
	})
	if allocations > 1 { // by Advise, of the curve
		t.Errorf("%.0f allocations in 500 Gets and Puts", allocations)
	}
	if c.shards[0].policy.used < 100 {
		t.Error("nothing was kept")
	}
}

// Pages are whole and of their key, whoever puts and gets at the same time.
func TestCacheConcurrently(t *testing.T) {
	const keys = 3000
	c := newCache(t, 9<<20, 4096)
	if len(c.shards) < 2 {
		t.Fatal("one shard only")
	}
	var workers sync.WaitGroup
	errors := make(chan error, 8)
	for worker := range uint64(8) {
		workers.Add(1)
		go func() {
			defer workers.Done()
			rng := rand.New(rand.NewPCG(worker, 3))
			page, want := make([]byte, 4096), make([]byte, 4096)
			for op := range 3000 {
				key := Key{Page: rng.Uint64N(keys)}
				switch {
				case op%500 == 0 && worker == 0:
					c.EndRound()
					c.Curve()
				case rng.IntN(2) == 0:
					// the seed is in the page, and says its key
					fill(page, rng.Uint64N(1<<40)*keys+key.Page)
					c.Put(key, page)
				case c.Get(page, key):
					seed := binary.LittleEndian.Uint64(page)
					if fill(want, seed); !bytes.Equal(page, want) || seed%keys != key.Page {
						errors <- fmt.Errorf("page %d: torn, or another page", key.Page)
						return
					}
				}
			}
		}()
	}
	workers.Wait()
	close(errors)
	for err := range errors {
		t.Error(err)
	}
	for i := range c.shards {
		c.shards[i].verify(t)
	}
}

// fill makes a page that begins with its seed, half of it random.
func fill(page []byte, seed uint64) {
	rng := rand.New(rand.NewPCG(seed, 9))
	clear(page)
	for i := len(page) / 2; i < len(page); i += 8 {
		binary.LittleEndian.PutUint64(page[i:], rng.Uint64())
	}
	binary.LittleEndian.PutUint64(page, seed)
}

// sweep gives a cache rounds over pages from first on, which do not shrink,
// and returns the hit ratio.
func sweep(c *Cache, rounds, first, pages int) float64 {
	page, old := make([]byte, c.pageSize), make([]byte, c.pageSize)
	rng := rand.New(rand.NewPCG(4, 5))
	for i := 0; i < len(page); i += 8 {
		binary.LittleEndian.PutUint64(page[i:], rng.Uint64())
	}
	hits := uint64(0)
	for range rounds {
		for i := range pages {
			key := Key{Page: uint64(first + i)}
			c.Get(old, key)
			binary.LittleEndian.PutUint64(page, rng.Uint64())
			c.Put(key, page)
		}
		hits += c.EndRound().Hits
	}
	return float64(hits) / float64(rounds*pages)
}

// capacity returns how many pages that do not shrink a cache holds.
func capacity(c *Cache) int {
	n := 0
	for i := range c.shards {
		n += len(c.shards[i].arena.next) / c.shards[i].policy.most
	}
	return n
}

// Sweeps over twice what fits find nothing in a cache that evicts the least
// recently used page. Here they find what fits.
func TestCacheHoldsOutAgainstSweeps(t *testing.T) {
	c := newCache(t, 8<<20, 4096)
	pages := 2 * capacity(c)
	if got := sweep(c, 1, 0, pages); got != 0 {
		t.Errorf("hit ratio %.3f in the first round", got)
	}
	if got := sweep(c, 20, 0, pages); got < 0.48 || got > 0.5 {
		t.Errorf("hit ratio %.3f, want 0.5", got)
	}
}

// Pages that are asked for in each round are found, however many others pass.
func TestCacheKeepsWhatIsAskedFor(t *testing.T) {
	c := newCache(t, 4<<20, 4096)
	hot := capacity(c) / 2
	pass := 0
	for range 6 {
		sweep(c, 1, 0, hot)
		sweep(c, 1, 1<<20+pass, 4*hot)
		pass += 4 * hot
	}
	if got := sweep(c, 1, 0, hot); got < 0.97 {
		t.Errorf("hit ratio %.3f of pages that are asked for again and again", got)
	}
}

// Other pages take over when those that were asked for no longer are.
func TestCacheAges(t *testing.T) {
	c := newCache(t, 4<<20, 4096)
	pages := capacity(c) / 2
	sweep(c, 30, 0, 2*pages)
	before := sweep(c, 1, 1<<20, pages)
	sweep(c, 2*agingRounds, 1<<20, pages)
	after := sweep(c, 1, 1<<20, pages)
	if before != 0 || after < 0.8 {
		t.Errorf("hit ratio %.3f in the first round over other pages, %.3f in the last", before, after)
	}
}

// A cache that does not compress has fewer pages, all of them as they are; told
// to compress again it has as many as one that always did.
func TestCacheThatDoesNotCompress(t *testing.T) {
	c := newCache(t, 4<<20, 4096)
	room, page := capacity(c), make([]byte, 4096)
	round := func() (pages int) {
		for i := range 2 * room {
			key := Key{Page: uint64(i)}
			c.Get(page, key)
			fill(page, uint64(i)) // which shrinks by half
			for j := 8; j < len(page)/2; j++ {
				page[j] = 'a'
			}
			c.Put(key, page)
		}
		return int(c.EndRound().Pages)
	}
	c.Compress(false)
	for range 3 {
		if n := round(); n > room || n < room*9/10 {
			t.Errorf("%d pages where there is room for %d as they are", n, room)
		}
		for i := range c.shards {
			c.shards[i].verify(t)
			for _, e := range c.shards[i].policy.entries {
				if e.form&blockForm != 0 {
					t.Fatal("a page is compressed")
				}
			}
		}
	}
	c.Compress(true)
	for range 2 {
		round()
	}
	if n := round(); n < room*4/3 {
		t.Errorf("%d pages when compressed, where there is room for %d as they are", n, room)
	}
}

// Of pages that nobody has asked for, a sample is kept, of early ones as of late
// ones.
func TestCacheSamplesTheFirstRound(t *testing.T) {
	c := newCache(t, 4<<20, 4096)
	pages := 8 * capacity(c)
	page := make([]byte, 4096)
	rng := rand.New(rand.NewPCG(4, 5))
	for i := range pages {
		for j := 0; j < len(page); j += 8 {
			binary.LittleEndian.PutUint64(page[j:], rng.Uint64())
		}
		c.Put(Key{Page: uint64(i)}, page)
	}
	kept := make([]int, 4)
	for i := range pages {
		if c.Get(page, Key{Page: uint64(i)}) {
			kept[i*len(kept)/pages]++
		}
	}
	stats := c.EndRound()
	if n := kept[0] + kept[1] + kept[2] + kept[3]; uint64(n) != stats.Pages || n < capacity(c)*9/10 {
		t.Errorf("kept %d pages, stats %+v, of a capacity of %d", n, stats, capacity(c))
	}
	for quarter := range kept {
		if part := float64(kept[quarter]) / float64(stats.Pages); part < 0.2 || part > 0.3 {
			t.Errorf("%.2f of the pages kept are of quarter %d", part, quarter)
		}
	}
	if stats.Evictions > 3*stats.Pages {
		t.Errorf("%+v: pages come and go", stats)
	}
	if stats.Declined == 0 || stats.Declined+stats.Evictions+stats.Pages != uint64(pages) {
		t.Errorf("%+v does not add up to %d Puts", stats, pages)
	}
}

func TestCacheStats(t *testing.T) {
	c := newCache(t, 1<<20, 4096)
	page := make([]byte, 4096)
	page[0] = 1
	c.Get(page, Key{Page: 1})
	page[0] = 1
	c.Put(Key{Page: 1}, page)
	c.Put(Key{Page: 2}, page)
	c.Get(page, Key{Page: 1})
	c.Get(page, Key{Page: 2})
	c.Get(page, Key{Region: 1, Page: 2})
	c.Saved(1000)
	c.Saved(24)
	if got, want := c.EndRound(), (CacheStats{Hits: 2, Misses: 2, Saved: 1024, Pages: 2}); got != want || got.HitRatio() != 0.5 {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got, want := c.EndRound(), (CacheStats{Pages: 2}); got != want || got.HitRatio() != 0 {
		t.Errorf("second round: got %+v, want %+v", got, want)
	}
}

// A fault of the memory that holds a packed page may not stop the caller.
func TestCacheWithDamagedMemory(t *testing.T) {
	c := newCache(t, 1<<20, 4096)
	page := make([]byte, 4096)
	pages := capacity(c) * 5 / 4 // so that some are packed
	for i := range uint64(pages) {
		c.Get(page, Key{Page: i})
		fill(page, i+1)
		for j := 8; j < len(page)/2; j++ {
			page[j] = 'a'
		}
		c.Put(Key{Page: i}, page)
	}
	found, p := 0, &c.shards[0].policy
	for damaged := range 2 {
		found = 0
		for i := range uint64(pages) {
			key := Key{Page: i}
			if e := p.find(key.hash(), key); p.entries[e].form&blockForm == 0 {
				continue
			}
			if c.Get(page, key) {
				found++
			}
		}
		if damaged == 0 && found < pages/8 {
			t.Fatalf("%d pages of %d are packed", found, pages)
		}
		for i := range c.shards[0].arena.data {
			c.shards[0].arena.data[i] = 0xff
		}
	}
	if found > 0 {
		t.Errorf("Get of %d damaged blocks is true", found)
	}
}

func TestNewCacheErrors(t *testing.T) {
	for _, tc := range []struct {
		options CacheOptions
		want    string
	}{
		{CacheOptions{Bytes: 1 << 20, PageSize: 100}, "pages of 100 bytes"},
		{CacheOptions{Bytes: 1 << 30, PageSize: 4 << 20}, "multiple of 64 from 64 to 2097152"},
		{CacheOptions{Bytes: 1 << 20, PageSize: -64}, "pages of -64 bytes"},
		{CacheOptions{Bytes: 1 << 62}, "more than"},
		{CacheOptions{}, "a cache of 0 bytes is too small"},
		{CacheOptions{Bytes: -1}, "a cache of -1 bytes is too small"},
		{CacheOptions{Bytes: 1 << 20, PageSize: 2 << 20}, "too small for pages of 2097152 bytes"},
	} {
		c, err := NewCache(tc.options)
		if c != nil || err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%+v: %v, want an error that has %q", tc.options, err, tc.want)
		}
	}
	// what the error asks for is enough
	for _, size := range []int{64, 4096, 1 << 16} {
		_, err := NewCache(CacheOptions{Bytes: 1, PageSize: size})
		if err == nil {
			t.Fatal("a cache of one byte")
		}
		found := regexp.MustCompile(`it needs (\d+) bytes`).FindStringSubmatch(err.Error())
		if found == nil {
			t.Fatalf("%v: does not say what it needs", err)
		}
		bytes, err := strconv.ParseInt(found[1], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		c := newCache(t, bytes, size)
		if sweep(c, 2, 0, 16); c.EndRound().Pages != 16 {
			t.Errorf("the smallest cache of pages of %d bytes, %d bytes, does not hold 16", size, bytes)
		}
		if _, err := NewCache(CacheOptions{Bytes: bytes - 1<<10, PageSize: size}); err == nil {
			t.Errorf("a cache of pages of %d bytes may be smaller than %d bytes", size, bytes)
		}
	}
}

func TestCacheWithPagesOfAnotherSize(t *testing.T) {
	c := newCache(t, 1<<20, 4096)
	for name, call := range map[string]func(){
		"Get": func() { c.Get(make([]byte, 4095), Key{}) },
		"Put": func() { c.Put(Key{}, make([]byte, 8192)) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s of a page of another size does not panic", name)
				}
			}()
			call()
		}()
	}
}

// BenchmarkCache measures calls for pages that shrink to about half.
func BenchmarkCache(b *testing.B) {
	const pages = 2000
	for _, bc := range []struct {
		name  string
		bytes int64
		get   bool
	}{
		{"Hit", 16 << 20, true},
		{"Miss", 1 << 20, true},
		{"Keep", 16 << 20, false},
		{"Decline", 1 << 20, false},
	} {
		b.Run(bc.name, func(b *testing.B) {
			c := newCache(b, bc.bytes, 4096)
			all := make([]byte, pages*4096)
			page := make([]byte, 4096)
			for i := range pages {
				fill(all[i*4096:][:4096], uint64(i+1))
				c.Put(Key{Page: uint64(i)}, all[i*4096:][:4096])
			}
			b.SetBytes(4096)
			b.ResetTimer()
			for i := range b.N {
				key := Key{Page: uint64(i % pages)}
				switch {
				case !bc.get:
					c.Put(key, all[i%pages*4096:][:4096])
				case bc.bytes < 2<<20:
					key.Region = 1
					fallthrough
				default:
					c.Get(page, key)
				}
			}
		})
	}
}
