package delta

import "github.com/lzpage/lzpage/lzrw1"

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
	// allocationBytes is what the allocator may round an allocation up by.
	allocationBytes = 8 << 10
	// shardAllocations is how many large ones a shard makes: entries, slots,
	// counters, blocks and their links.
	shardAllocations = 5
	// minCachePages is how many pages, as they are, fit into each shard.
	minCachePages = 16
)

func layoutCache(bytes int64, pageSize int) cacheLayout {
	l := cacheLayout{shards: 1}
	for l.shards < maxShards && bytes/int64(2*l.shards) >= max(shardBytes, int64(64*pageSize)) {
		l.shards *= 2
	}
	perEntry := int64(max(pageSize/4, 128))
	l.sample = sampleEntries(bytes, perEntry)
	shard := (bytes-curveBytes(l.sample))/int64(l.shards) -
		encoderBytes - shardAllocations*allocationBytes - int64(lzrw1.MaxEncodedLen(pageSize))
	entries := max(shard, 0) / perEntry
	block := cacheBlock(pageSize)
	blocks := max(shard-entries*(cacheEntryBytes+cacheSlotBytes+requestBytes), 0) / int64(block+arenaLinkBytes)
	l.entries, l.blocks = int(entries), int(blocks)
	l.needs = minCachePages * (pageSize + block - 1) / block
	return l
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
