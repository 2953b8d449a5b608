package delta

import (
	"math"

	"github.com/lzpage/lzpage/lzrw1"
)

// A cacheLayout says what the bytes of a cache are used for. It depends on
// their number and the page size alone, not on the machine.
type cacheLayout struct {
	shards  int // a power of two
	entries int // of each shard
	blocks  int // of each shard
	sample  int // entries of a model as large as the cache itself
	needs   int // blocks of each shard without which the cache is too small
}

const (
	// Workers seldom meet in one of many shards, but each has an encoder.
	shardBytes = 4 << 20
	maxShards  = 64
	// encoderBytes is the size of an lzrw1.Encoder at level Fast, and of what
	// else a shard has that does not depend on its size.
	encoderBytes = 100 << 10
	// tableBytes is the size of what a cache has once whatever its size: the
	// heads of its models' lists, and what the allocator rounds its five
	// tables up by.
	tableBytes = int64(len(curveSizes))*(cacheLists+1)*(cacheEntryBytes+cacheSlotBytes) + 5*(8<<10)
	// minCachePages is how many pages, as they are, fit into each shard.
	minCachePages = 16
)

func layoutCache(bytes int64, pageSize int) cacheLayout {
	l := cacheLayout{shards: 1}
	for l.shards < maxShards && bytes/int64(2*l.shards) >= max(shardBytes, int64(64*pageSize)) {
		l.shards *= 2
	}
	// Guests' pages take half a page on average; an entry is there for each
	// three eighths.
	perEntry := int64(max(pageSize/8*3, 128))
	l.sample = sampleEntries(bytes, perEntry)
	shard := (bytes-tableBytes-int64(l.sample)*sampleBytes)/int64(l.shards) -
		encoderBytes - requestsBeside*requestBytes - int64(lzrw1.MaxEncodedLen(pageSize)+contentBytes(pageSize)+pageSize)
	entries := max(shard, 0) / perEntry
	block := cacheBlock(pageSize)
	blocks := max(shard-entries*(cacheEntryBytes+cacheSlotBytes+requestBytes), 0) / int64(block+arenaLinkBytes)
	l.entries, l.blocks = int(entries), int(blocks)
	l.needs = minCachePages * (pageSize + block - 1) / block
	return l
}

// scale returns the layout of a model, which is of one shard.
func (l cacheLayout) scale(share float64) cacheLayout {
	scale := func(n int) int { return max(1, int(math.Round(share*float64(l.shards*n)))) }
	return cacheLayout{shards: 1, entries: scale(l.entries), blocks: scale(l.blocks)}
}

// enough reports whether pages fit as well.
func (l cacheLayout) enough() bool { return l.blocks >= l.needs }

// minCacheBytes returns how small a cache of such pages may be, in whole
// kilobytes.
func minCacheBytes(pageSize int) int64 {
	bytes := int64(1 << 10)
	for !layoutCache(bytes, pageSize).enough() {
		bytes += 1 << 10
	}
	return bytes
}

// cacheMemory is what shards and models take their tables from: a few large
// allocations, so that little is lost by rounding.
type cacheMemory struct {
	entries  []cacheEntry
	slots    []uint32
	counters []uint64
	blocks   []byte
	links    []uint32
}

func allocateCache(l cacheLayout, models [len(curveSizes)]cacheLayout, pageSize int) *cacheMemory {
	entries, heads := l.shards*l.entries, l.shards*cacheLists
	for _, m := range models {
		entries += m.entries
		heads += cacheLists
	}
	return &cacheMemory{
		entries:  make([]cacheEntry, heads+entries),
		slots:    make([]uint32, entries),
		counters: make([]uint64, l.shards*(l.entries+requestsBeside)+l.sample*sampleRequests),
		blocks:   make([]byte, l.shards*l.blocks*cacheBlock(pageSize)),
		links:    make([]uint32, l.shards*l.blocks),
	}
}

// take cuts the next n elements off.
func take[T any](from *[]T, n int) []T {
	part := (*from)[:n:n]
	*from = (*from)[n:]
	return part
}
