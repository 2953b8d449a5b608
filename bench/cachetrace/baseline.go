package main

import (
	"container/list"
	"math/rand/v2"
)

// A policy is a model of a cache with some way to choose what to keep: it
// knows pages' sizes alone.
type policy interface {
	get(page uint32) bool
	put(page uint32, size int)
}

// replayPolicy returns the share of the pages asked for that a policy finds.
func replayPolicy(t *Trace, p policy, size func(form uint8) int) float64 {
	all, asked := t.uses()
	hits := 0
	for _, u := range all {
		if u.asked && p.get(u.Page) {
			hits++
		}
		if u.Form != formZero {
			p.put(u.Page, size(u.Form))
		}
	}
	return float64(hits) / float64(max(1, asked))
}

// A held page is one in a model.
type held struct {
	page  uint32
	size  int
	at    *list.Element // in a queue
	index int           // in the random policy's slice
	uses  int           // since it came, of S3-FIFO
	main  bool          // in the main queue of S3-FIFO
}

// lru evicts the least recently used page or, as FIFO, the oldest.
type lru struct {
	limit, used int
	fifo        bool
	pages       map[uint32]*held
	queue       *list.List
}

func newLRU(limit int, fifo bool) *lru {
	return &lru{limit: limit, fifo: fifo, pages: map[uint32]*held{}, queue: list.New()}
}

func (p *lru) get(page uint32) bool {
	h := p.pages[page]
	if h == nil {
		return false
	}
	if !p.fifo {
		p.queue.MoveToFront(h.at)
	}
	return true
}

func (p *lru) put(page uint32, size int) {
	h := p.pages[page]
	if h == nil {
		h = &held{page: page}
		h.at = p.queue.PushFront(h)
		p.pages[page] = h
	} else if !p.fifo {
		p.queue.MoveToFront(h.at)
	}
	p.used += size - h.size
	h.size = size
	for p.used > p.limit {
		h := p.queue.Remove(p.queue.Back()).(*held)
		delete(p.pages, h.page)
		p.used -= h.size
	}
}

// anyOf evicts a page at random.
type anyOf struct {
	limit, used int
	pages       map[uint32]*held
	all         []*held
	random      *rand.Rand
}

func newRandom(limit int) *anyOf {
	return &anyOf{limit: limit, pages: map[uint32]*held{}, random: rand.New(rand.NewPCG(1991, 4096))}
}

func (p *anyOf) get(page uint32) bool { return p.pages[page] != nil }

func (p *anyOf) put(page uint32, size int) {
	h := p.pages[page]
	if h == nil {
		h = &held{page: page, index: len(p.all)}
		p.all = append(p.all, h)
		p.pages[page] = h
	}
	p.used += size - h.size
	h.size = size
	for p.used > p.limit {
		h := p.all[p.random.IntN(len(p.all))]
		last := p.all[len(p.all)-1]
		p.all[h.index], last.index = last, h.index
		p.all = p.all[:len(p.all)-1]
		delete(p.pages, h.page)
		p.used -= h.size
	}
}

// s3fifo is S3-FIFO (Yang and others, SOSP 2023): a small queue that a page
// leaves for the main one if it was used, and a queue of ghosts, pages that
// left the small one unused; one that comes back goes to the main queue.
type s3fifo struct {
	limit                 int
	pages                 map[uint32]*held
	small, main           *list.List
	smallBytes, mainBytes int
	ghosts                *lru
}

func newS3FIFO(limit int) *s3fifo {
	return &s3fifo{limit: limit, pages: map[uint32]*held{}, small: list.New(), main: list.New(), ghosts: newLRU(limit*9/10, true)}
}

func (p *s3fifo) get(page uint32) bool {
	h := p.pages[page]
	if h == nil {
		return false
	}
	h.uses = min(h.uses+1, 3)
	return true
}

func (p *s3fifo) put(page uint32, size int) {
	h := p.pages[page]
	if h == nil {
		h = &held{page: page, main: p.ghosts.get(page)}
		if h.main {
			h.at = p.main.PushFront(h)
		} else {
			h.at = p.small.PushFront(h)
		}
		p.pages[page] = h
	}
	if h.main {
		p.mainBytes += size - h.size
	} else {
		p.smallBytes += size - h.size
	}
	h.size = size
	for p.smallBytes+p.mainBytes > p.limit {
		if p.smallBytes > p.limit/10 || p.main.Len() == 0 {
			p.evictSmall()
		} else {
			p.evictMain()
		}
	}
}

func (p *s3fifo) evictSmall() {
	h := p.small.Remove(p.small.Back()).(*held)
	p.smallBytes -= h.size
	if h.uses > 0 {
		h.uses, h.main = 0, true
		h.at = p.main.PushFront(h)
		p.mainBytes += h.size
		return
	}
	delete(p.pages, h.page)
	p.ghosts.put(h.page, h.size)
}

func (p *s3fifo) evictMain() {
	h := p.main.Back().Value.(*held)
	if h.uses > 0 {
		h.uses--
		p.main.MoveToFront(h.at)
		return
	}
	p.main.Remove(h.at)
	p.mainBytes -= h.size
	delete(p.pages, h.page)
}
