package qemuram

import (
	"sync"
	"sync/atomic"
)

// sentPages knows in which round each page was sent last. It is safe for
// concurrent use.
type sentPages struct {
	mu     sync.RWMutex
	chunks map[uint64]*sentChunk // by number / chunkPages
}

// A sentChunk has for each page twice the round in which it was sent last, plus
// 1 where it was sent more than once in it; 0 where it never was.
type sentChunk [chunkPages]atomic.Uint32

const chunkPages = 1 << 14

// chunk returns the chunk of the page.
func (s *sentPages) chunk(number uint64) *sentChunk {
	s.mu.RLock()
	c := s.chunks[number/chunkPages]
	s.mu.RUnlock()
	if c != nil {
		return c
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if c = s.chunks[number/chunkPages]; c == nil {
		if s.chunks == nil {
			s.chunks = map[uint64]*sentChunk{}
		}
		c = new(sentChunk)
		s.chunks[number/chunkPages] = c
	}
	return c
}

// mark notes that the page is sent in the round, at least the second one if
// there was one before. It returns the round in which the page was sent last, 0
// for none.
func (s *sentPages) mark(number uint64, round uint32) (last uint32) {
	page := &s.chunk(number)[number%chunkPages]
	for {
		old := page.Load()
		last, next := old>>1, round<<1
		if last == round {
			next |= 1
		}
		if page.CompareAndSwap(old, next) {
			return last
		}
	}
}

// again reports whether the page was sent more than once in the last round in
// which it was.
func (s *sentPages) again(number uint64) bool {
	return s.chunk(number)[number%chunkPages].Load()&1 == 1
}
