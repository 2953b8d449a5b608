package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"

	"github.com/lzpage/lzpage/delta"
)

// A replayed cache, after the last round.
type replayed struct {
	cache *delta.Cache
	stats []delta.CacheStats // by round
}

// replay gives a trace to a cache of so many bytes, with pages that compress
// as those of the trace did, and checks what it gives back.
func replay(t *Trace, limit int64) (replayed, error) {
	cache, err := delta.NewCache(delta.CacheOptions{Bytes: limit, PageSize: t.PageSize})
	if err != nil {
		return replayed{}, err
	}
	r := replayed{cache: cache}
	maker := newPageMaker(t.PageSize)
	last := map[uint32]Touch{} // its Page is the round
	old, page, want := make([]byte, t.PageSize), make([]byte, t.PageSize), make([]byte, t.PageSize)
	for number, round := range t.Rounds {
		for _, touch := range round {
			key := delta.Key{Page: uint64(touch.Page)}
			if number > 0 && cache.Get(old, key) {
				before := last[touch.Page]
				maker.fill(want, before.Form, touch.Page, int(before.Page))
				if !bytes.Equal(old, want) {
					return r, fmt.Errorf("round %d: the cache gave another page %d than it was given", number, touch.Page)
				}
			}
			maker.fill(page, touch.Form, touch.Page, number)
			cache.Put(key, page)
			last[touch.Page] = Touch{uint32(number), touch.Form}
		}
		r.stats = append(r.stats, cache.EndRound())
	}
	return r, nil
}

// total sums the rounds.
func (r replayed) total() delta.CacheStats {
	var sum delta.CacheStats
	for _, s := range r.stats {
		sum.Hits += s.Hits
		sum.Misses += s.Misses
		sum.Evictions += s.Evictions
		sum.Declined += s.Declined
		sum.Pages = s.Pages
	}
	return sum
}

// A pageMaker makes pages of a form: the page's number and round, zeros and one
// byte again and again, which shrink to 34/256, and random bytes, which do not
// shrink. They are at the end: level fast keeps a page plain that does not shrink
// at its beginning.
type pageMaker struct {
	noise  []byte
	random [formPlain + 1]int // how many bytes, by form
}

func newPageMaker(pageSize int) *pageMaker {
	m := &pageMaker{noise: make([]byte, 2*pageSize)}
	random := rand.New(rand.NewPCG(1991, 4096))
	for i := range m.noise {
		m.noise[i] = byte(random.Uint32())
	}
	forms := newFormFinder(pageSize)
	page := make([]byte, pageSize)
	n := 0
	for form := range m.random {
		for ; n < pageSize-makerHead; n += max(1, pageSize/1024) {
			m.random[form] = n
			if m.fill(page, uint8(form), 0, 1); forms.form(page) >= uint8(form) {
				break
			}
		}
		m.random[form] = n
	}
	return m
}

// makerZeros is the share in percent of a page's words that are zero, where not
// too many are random: 22 in guests' memory on average.
const makerZeros = 22

// makerHead is how many bytes at the beginning of a page tell it from others.
const makerHead = 12

func (m *pageMaker) fill(page []byte, form uint8, number uint32, round int) {
	version := uint64(number)<<16 | uint64(round) | 1<<63
	switch form {
	case formZero:
		clear(page)
	case formWord:
		word := binary.LittleEndian.AppendUint64(nil, version)
		for i := 0; i < len(page); i += copy(page[i:], word) {
		}
	default:
		random := m.random[form]
		zeros := min(len(page)*makerZeros/100, len(page)-random)
		clear(page[:zeros])
		for i := zeros; i < len(page)-random; i++ {
			page[i] = 0x5a
		}
		copy(page[len(page)-random:], m.noise[int(number)*31%len(page):])
		binary.LittleEndian.PutUint64(page, version)
		binary.LittleEndian.PutUint32(page[8:], ^number)
	}
}
