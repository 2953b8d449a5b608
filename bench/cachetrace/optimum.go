package main

import (
	"container/heap"
	"slices"
)

// belady returns the hit ratio of a cache that knows the future: it gives up
// the page whose next use is farthest away, the new one included. Of pages of
// one size no cache finds more.
func belady(t *Trace, limit int, size func(form uint8) int) float64 {
	all, asked := t.uses()
	hits, used := 0, 0
	here := map[uint32]*kept{}
	var farthest keptHeap
	for _, u := range all {
		if k := here[u.Page]; k != nil {
			hits++
			used -= k.size
			heap.Remove(&farthest, k.index)
			delete(here, u.Page)
		}
		if u.next == never {
			continue
		}
		k := &kept{page: u.Page, next: u.next, size: size(u.Form)}
		here[u.Page] = k
		heap.Push(&farthest, k)
		for used += k.size; used > limit; {
			k := heap.Pop(&farthest).(*kept)
			used -= k.size
			delete(here, k.page)
		}
	}
	return float64(hits) / float64(max(1, asked))
}

type kept struct {
	page       uint32
	next, size int
	index      int
}

// keptHeap has the page on top that is used last.
type keptHeap []*kept

func (h keptHeap) Len() int           { return len(h) }
func (h keptHeap) Less(i, j int) bool { return h[i].next > h[j].next }
func (h keptHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}
func (h *keptHeap) Push(x any) {
	k := x.(*kept)
	k.index = len(*h)
	*h = append(*h, k)
}
func (h *keptHeap) Pop() any {
	k := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return k
}

// bound returns a hit ratio that no cache exceeds, whatever the sizes of the
// pages: a page that is kept from one use to the next takes its size for that
// time, and all of them together have the limit for the time of the trace
// (PFOO-L: Berger and others, SIGMETRICS 2018).
func bound(t *Trace, limit int, size func(form uint8) int) float64 {
	all, asked := t.uses()
	var costs []float64
	for i, u := range all {
		if u.next != never {
			costs = append(costs, float64(u.next-i)*float64(size(u.Form)))
		}
	}
	slices.Sort(costs)
	left := float64(limit) * float64(len(all))
	hits := 0
	for _, cost := range costs {
		if left -= cost; left < 0 {
			break
		}
		hits++
	}
	return float64(hits) / float64(max(1, asked))
}
