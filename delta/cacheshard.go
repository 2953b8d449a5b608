package delta

import (
	"bytes"
	"encoding/binary"
	"sync"

	"github.com/lzpage/lzpage/lzrw1"
)

// A cacheShard is the part of a cache that holds the keys with one pattern of
// hash bits. It has all that it needs, an encoder included, so that its lock is
// the only one.
type cacheShard struct {
	mu       sync.Mutex
	policy   cachePolicy
	requests requestCounts
	arena    blockArena
	stats    CacheStats

	encoder *lzrw1.Encoder
	run     [1]lzrw1.Run
	cut     [1]int
	end     [1]int
	scratch []byte // of a page's block

	_ [64]byte // the next shard's lock is in another cache line
}

func (s *cacheShard) init(m *cacheMemory, l cacheLayout, pageSize int) {
	s.arena.init(m, l.blocks, cacheBlock(pageSize))
	s.policy.init(m, l.entries, l.blocks, pageSize)
	s.policy.arena = &s.arena
	s.requests.init(m, l.entries+requestsBeside)
	s.encoder = lzrw1.NewEncoder(lzrw1.Fast)
	s.cut[0] = pageSize
	s.scratch = make([]byte, lzrw1.MaxEncodedLen(pageSize))
}

func (s *cacheShard) get(dst []byte, h uint64, key Key) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	count := s.requests.add(h)
	e := s.policy.find(h, key)
	if e == 0 || !s.load(dst, e) {
		s.stats.Misses++
		return false
	}
	s.policy.touch(e, count)
	s.stats.Hits++
	return true
}

// put keeps the page or not and returns the length of its form, 0 for zeros;
// only if asked to measure, it does so for a page that it does not keep.
func (s *cacheShard) put(h uint64, key Key, page []byte, measure bool) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	count := s.requests.of(h)
	e := s.policy.find(h, key)
	if isZero(page) {
		if e != 0 {
			s.policy.remove(e)
		}
		return 0
	}
	limit := s.policy.admits(e, key, count)
	if limit < 0 && !measure {
		s.stats.Declined++
		return 0
	}
	form := s.encode(page)
	if limit >= 0 {
		e = s.policy.place(e, h, key, count, limit, len(form))
	}
	if e == 0 {
		s.stats.Declined++
	} else {
		s.policy.entries[e].block = s.arena.store(form)
	}
	return len(form)
}

// Forms of a page in the cache differ in their length: 8 bytes for one repeated
// word, as long as the page if plain, else an LZRW1 block, which has no fewer
// bytes than 34/256 of the page, so more than 8.
const wordForm = 8

// isWord reports whether the page is one repeated word.
func isWord(page []byte) bool { return bytes.Equal(page[wordForm:], page[:len(page)-wordForm]) }

func isZero(page []byte) bool { return binary.LittleEndian.Uint64(page) == 0 && isWord(page) }

// encode returns the page's form, valid until the next call.
func (s *cacheShard) encode(page []byte) []byte {
	if isWord(page) {
		return page[:wordForm]
	}
	s.run[0] = lzrw1.Run{Data: page, Cuts: s.cut[:], Blocks: s.scratch[:0], Ends: s.end[:0]}
	s.encoder.EncodeRuns(s.run[:])
	block := s.run[0].Blocks
	s.run[0] = lzrw1.Run{}
	if len(block) > len(page)/4*3 {
		return page // what is saved is not worth the decoding
	}
	return block
}

// load makes the page of entry e. It reports false if that fails, which takes
// a fault of the machine's memory.
func (s *cacheShard) load(dst []byte, e uint32) bool {
	entry := &s.policy.entries[e]
	switch n := int(entry.length); n {
	case len(dst):
		s.arena.load(dst, entry.block)
	case wordForm:
		s.arena.load(dst[:n], entry.block)
		for n < len(dst) {
			n += copy(dst[n:], dst[:n])
		}
	default:
		s.arena.load(s.scratch[:n], entry.block)
		decoded, err := lzrw1.Decode(dst, s.scratch[:n])
		return err == nil && decoded == len(dst)
	}
	return true
}

func (s *cacheShard) pages() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.policy.used
}

func (s *cacheShard) endRound(age bool) CacheStats {
	s.mu.Lock()
	defer s.mu.Unlock()
	stats := s.stats
	stats.Evictions, stats.Pages = s.policy.endRound(age)
	if age {
		s.requests.halve()
	}
	s.stats = CacheStats{}
	return stats
}
