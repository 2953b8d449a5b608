package delta

import (
	"bytes"
	"encoding/binary"
	"sync"

	"github.com/lzpage/lzpage/lzrw1"
	"github.com/lzpage/lzpage/lzrw1/asm"
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
	content []byte // of a page, as loosen makes it
	other   []byte // of a page that is packed for it

	_ [64]byte // the next shard's lock is in another cache line
}

func (s *cacheShard) init(m *cacheMemory, l cacheLayout, pageSize int) {
	s.arena.init(m, l.blocks, cacheBlock(pageSize))
	s.policy.init(m, l.entries, l.blocks, pageSize)
	s.policy.arena, s.policy.pack, s.policy.packs = &s.arena, s.packEntry, true
	s.requests.init(m, l.entries+requestsBeside)
	s.encoder = lzrw1.NewEncoder(lzrw1.Fast)
	s.scratch = make([]byte, lzrw1.MaxEncodedLen(pageSize))
	s.content = make([]byte, contentBytes(pageSize))
	s.other = make([]byte, pageSize)
}

// contentBytes is the room that loosen needs: for a map and all words.
func contentBytes(pageSize int) int { return pageSize/wordBytes/8 + pageSize }

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

// put keeps the page or not; for it, others are packed or go. If asked to
// measure, it returns the forms that the page has when loose and when packed, 0
// for zeros.
func (s *cacheShard) put(h uint64, key Key, page []byte, packs, measure bool) (loose, packed cacheForm) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.policy.packs = packs
	count := s.requests.of(h)
	e := s.policy.find(h, key)
	if isZero(page) {
		if e != 0 {
			s.policy.remove(e)
		}
		return 0, 0
	}
	if !s.keep(e, h, key, page, count) {
		s.stats.Declined++
	}
	if measure {
		var content []byte
		content, loose = s.loosen(page)
		_, packed = s.pack(content, loose)
	}
	return loose, packed
}

// keep gives the page a place, if it is worth one, and reports whether it is.
func (s *cacheShard) keep(e uint32, h uint64, key Key, page []byte, count int) bool {
	limit := s.policy.admits(e, key, count)
	if limit < 0 {
		return false
	}
	if e = s.policy.claim(e, h, key, limit); e == 0 {
		return false
	}
	data, form := s.loosen(page)
	if form.loose() && s.policy.packs && !s.policy.loosen(len(data)) {
		data, form = s.pack(data, form)
	}
	if !s.policy.place(e, count, limit, form) {
		return false
	}
	s.policy.entries[e].block = s.arena.store(data)
	return true
}

// packEntry packs the loose page of the entry.
func (s *cacheShard) packEntry(e uint32) {
	entry := &s.policy.entries[e]
	content := s.other[:entry.form.length()]
	s.arena.load(content, entry.block)
	data, form := s.pack(content, entry.form)
	if form.length() < entry.form.length() {
		s.arena.release(entry.block)
		entry.block = s.arena.store(data)
	}
	entry.form = form
}

// wordForm is one repeated word, of 8 bytes.
const wordForm cacheForm = 8

// isWord reports whether the page is one repeated word.
func isWord(page []byte) bool {
	return bytes.Equal(page[wordBytes:], page[:len(page)-wordBytes])
}

func isZero(page []byte) bool { return binary.LittleEndian.Uint64(page) == 0 && isWord(page) }

// packWorth is the share of a page's words, one in so many, that must be zero
// for leaving them out.
const packWorth = 16

// loosen returns what is kept of a page that is loose: the map of its words
// that are not zero, and these, or where few are zero, the page; for a page of
// one word, which is never loose, this. It is valid until the next call.
func (s *cacheShard) loosen(page []byte) (data []byte, form cacheForm) {
	if isWord(page) {
		return page[:wordBytes], wordForm
	}
	maps, words := len(page)/wordBytes/8, len(page)/wordBytes
	set := asm.ZeroMap(s.content[:maps], page)
	if (words-set)*packWorth < words {
		return page, looseForm | cacheForm(len(page))
	}
	asm.Pack(s.content[maps:], page, s.content[:maps])
	n := maps + set*wordBytes
	return s.content[:n], looseForm | cacheForm(n)
}

// pack returns the shorter form of a loose page, which is no loose one, valid
// until the next call.
func (s *cacheShard) pack(content []byte, loose cacheForm) (data []byte, form cacheForm) {
	if !loose.loose() {
		return content, loose
	}
	s.cut[0] = len(content)
	s.run[0] = lzrw1.Run{Data: content, Cuts: s.cut[:], Blocks: s.scratch[:0], Ends: s.end[:0]}
	s.encoder.EncodeRuns(s.run[:])
	block := s.run[0].Blocks
	s.run[0] = lzrw1.Run{}
	if len(block) > len(content)/4*3 {
		return content, loose &^ looseForm // what is saved is not worth the decoding
	}
	return block, blockForm | cacheForm(len(block))
}

// load makes the page of entry e. It reports false if that fails, which takes
// a fault of the machine's memory.
func (s *cacheShard) load(dst []byte, e uint32) bool {
	entry := &s.policy.entries[e]
	n := entry.form.length()
	content := s.content
	switch {
	case entry.form&blockForm != 0:
		s.arena.load(s.scratch[:n], entry.block)
		decoded, err := lzrw1.Decode(s.content[:len(dst)], s.scratch[:n])
		if err != nil {
			return false
		}
		content = content[:decoded]
	case n == len(dst):
		s.arena.load(dst, entry.block)
		return true
	case entry.form&^askedForm == wordForm:
		s.arena.load(dst[:n], entry.block)
		for n < len(dst) {
			n += copy(dst[n:], dst[:n])
		}
		return true
	default:
		content = content[:n]
		s.arena.load(content, entry.block)
	}
	if len(content) == len(dst) {
		copy(dst, content)
		return true
	}
	maps := len(dst) / wordBytes / 8
	return len(content) > maps && asm.Unpack(dst, content[maps:], content[:maps])
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
