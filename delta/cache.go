package delta

import (
	"errors"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
)

// A Key says which page: its number in a region of memory. What the numbers
// mean is the caller's.
type Key struct {
	Region uint32
	Page   uint64
}

// hash spreads keys evenly. It is the same in every process, so that equal
// calls leave equal caches.
func (k Key) hash() uint64 {
	h := k.Page + uint64(k.Region)*0xd6e8feb86659fd93
	h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
	h = (h ^ h>>27) * 0x94d049bb133111eb
	return h ^ h>>31
}

// CacheOptions says how large a [Cache] is.
type CacheOptions struct {
	// Bytes is the limit of all memory that the cache holds, in bytes: pages,
	// tables, encoders, the estimate of its [Cache.Curve]. It is allocated at
	// once; the system provides what is for pages as it fills.
	Bytes int64
	// PageSize in bytes, a multiple of 64 from 64 to 2 MiB; 0 means 4096.
	PageSize int
}

const (
	defaultCachePage = 4096
	minCachePage     = 64
	maxCachePage     = 2 << 20
)

// agingRounds is after how many rounds the counts of requests are halved.
const agingRounds = 8

// A Cache holds the last versions of pages that a receiver has, as many as fit
// into its limit. It keeps them without their words of zero, and compresses
// them, when their room is needed, at level fast of LZRW1, unless they do not
// shrink by a quarter. Pages of zeros it does not keep: as an earlier version
// they save nothing.
//
// In each round the caller asks for the earlier version of each changed page
// with Get and then gives it the new one with Put. What is worth keeping is
// decided by how often a page has been asked for, in the cache or not: a page
// enters a full cache only in the place of pages that have been asked for less
// often, so a round over more memory than fits leaves in place what is there,
// where the least recently used page would always be the next one needed. Of
// pages that nobody has asked for, as in the round that sends all memory, a
// fair sample stays. Counts are halved every eighth round.
//
// A Cache is safe for concurrent use, a page is always whole, and no call but
// NewCache, Curve and Advise allocates. Calls for the same key are for the caller to
// put in order: of two Puts at a time either may be the last. The same calls
// in the same order leave the same pages, on any machine.
type Cache struct {
	pageSize int
	shards   []cacheShard // their number is a power of two
	curve    cacheCurve
	saved    atomic.Uint64
	plain    atomic.Bool // pages are not compressed

	mu     sync.Mutex // of EndRound
	rounds int
}

// NewCache returns an empty cache. It is an error if Bytes is not enough for
// 16 pages and the tables.
func NewCache(options CacheOptions) (*Cache, error) {
	if options.PageSize == 0 {
		options.PageSize = defaultCachePage
	}
	size := options.PageSize
	if size < minCachePage || size > maxCachePage || size%64 != 0 {
		return nil, fmt.Errorf("delta: a cache of pages of %d bytes: the size must be a multiple of 64 from %d to %d", size, minCachePage, maxCachePage)
	}
	if options.Bytes > math.MaxInt/2 {
		return nil, fmt.Errorf("delta: a cache of %d bytes is more than this machine can address", options.Bytes)
	}
	l := layoutCache(options.Bytes, size)
	if !l.enough() {
		return nil, fmt.Errorf("delta: a cache of %d bytes is too small for pages of %d bytes: it needs %d bytes", options.Bytes, size, minCacheBytes(size))
	}
	if int64(l.blocks) >= math.MaxUint32 || int64(l.entries) >= math.MaxUint32-cacheCounts {
		return nil, errors.New("delta: a cache of so many bytes has more pages than can be numbered")
	}
	models := modelLayouts(options.Bytes, size, l)
	memory := allocateCache(l, models, size)
	c := &Cache{pageSize: size, shards: make([]cacheShard, l.shards)}
	for i := range c.shards {
		c.shards[i].init(memory, l, size)
	}
	c.curve.init(memory, l, models, options.Bytes, size)
	return c, nil
}

// PageSize returns the size of the cache's pages, in bytes.
func (c *Cache) PageSize() int { return c.pageSize }

// Len returns how many pages are in the cache.
func (c *Cache) Len() int {
	n := 0
	for i := range c.shards {
		n += c.shards[i].pages()
	}
	return n
}

// Get asks for the page and copies it to dst, which must be as long as a page.
// It reports false if the page is not there.
func (c *Cache) Get(dst []byte, key Key) bool {
	c.check(dst)
	h := key.hash()
	found := c.shard(h).get(dst, h, key)
	if c.curve.samples(h) {
		c.curve.get(h, key)
	}
	return found
}

// Compress says whether the cache compresses pages when it needs room, as it does
// at first, or lets others go at once. Compression makes room for twice as many,
// and takes longer than all else that the cache does.
func (c *Cache) Compress(yes bool) { c.plain.Store(!yes) }

// Put tells the cache the page's new version, of which it makes a copy if the
// page is worth keeping. An older version is gone in any case.
func (c *Cache) Put(key Key, page []byte) {
	c.check(page)
	h := key.hash()
	sampled := c.curve.samples(h)
	loose, packed := c.shard(h).put(h, key, page, !c.plain.Load(), sampled)
	if sampled {
		c.curve.put(h, key, loose, packed)
	}
}

func (c *Cache) check(page []byte) {
	if len(page) != c.pageSize {
		panic(fmt.Sprintf("delta: a page of %d bytes for a cache of pages of %d", len(page), c.pageSize))
	}
}

func (c *Cache) shard(h uint64) *cacheShard {
	return &c.shards[int(h)&(len(c.shards)-1)]
}

// Saved counts bytes that a page's earlier version has saved: the caller knows
// how long the page would have been without it.
func (c *Cache) Saved(bytes int) { c.saved.Add(uint64(bytes)) }

// CacheStats counts what a [Cache] did in a round.
type CacheStats struct {
	Hits      uint64 // Gets that found the page
	Misses    uint64 // and that did not
	Evictions uint64 // pages that made room for others
	Declined  uint64 // Puts of pages other than zeros that were not kept
	Saved     uint64 // bytes, as told to Saved
	Pages     uint64 // in the cache at the end of the round
}

// HitRatio returns the share of Gets that found their page, 0 if there were
// none.
func (s CacheStats) HitRatio() float64 { return ratio(s.Hits, s.Hits+s.Misses) }

func ratio(part, whole uint64) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part) / float64(whole)
}

// EndRound returns what happened since the round before and begins the next
// one. The cache ages by rounds: without EndRound it keeps for good the pages
// that were asked for first.
func (c *Cache) EndRound() CacheStats {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.rounds++
	age := c.rounds%agingRounds == 0
	var sum CacheStats
	for i := range c.shards {
		s := c.shards[i].endRound(age)
		sum.Hits += s.Hits
		sum.Misses += s.Misses
		sum.Evictions += s.Evictions
		sum.Declined += s.Declined
		sum.Pages += s.Pages
	}
	c.curve.endRound(age)
	sum.Saved = c.saved.Swap(0)
	return sum
}
