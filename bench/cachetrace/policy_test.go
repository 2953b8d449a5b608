package main

import (
	"math/rand/v2"
	"testing"
)

// loop is a trace of rounds over the same pages, none of which shrink.
func loop(pages, rounds int) *Trace {
	t := &Trace{PageSize: 4096}
	for range rounds + 1 {
		var round []Touch
		for page := range uint32(pages) {
			round = append(round, Touch{page, formPlain})
		}
		t.Rounds = append(t.Rounds, round)
	}
	return t
}

func one(uint8) int { return 1 }

// What is known of a loop over 100 pages in a cache of 40.
func TestLoop(t *testing.T) {
	trace := loop(100, 50)
	for _, tc := range []struct {
		name        string
		got         float64
		least, most float64
	}{
		{"LRU", replayPolicy(trace, newLRU(40, false), one), 0, 0},
		{"LRU with room", replayPolicy(trace, newLRU(100, false), one), 1, 1},
		{"FIFO", replayPolicy(trace, newLRU(40, true), one), 0, 0},
		// of h hits, (1-h)*100 evictions hit a page with 1/40 each: h = exp(-(1-h)*2.5)
		{"random", replayPolicy(trace, newRandom(40), one), 0.08, 0.14},
		{"S3-FIFO", replayPolicy(trace, newS3FIFO(40), one), 0, 0.4},
		// a page that waits for its next use takes room for others' uses: 39
		// of the 99 between are found, or 40 of 100
		{"Belady", belady(trace, 40, one), 0.385, 0.404},
		{"bound", bound(trace, 40, one), 0.4, 0.41},
	} {
		if tc.got < tc.least || tc.got > tc.most {
			t.Errorf("%s: %.3f, want %.3f to %.3f", tc.name, tc.got, tc.least, tc.most)
		}
	}
}

// No policy finds more than Belady's where all pages are of one size, and
// nothing finds more than the bound.
func TestOptimum(t *testing.T) {
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 2))
		trace := &Trace{PageSize: 4096}
		for round := range 12 {
			var touches []Touch
			for page := range uint32(200) {
				if round == 0 || rng.Float64() < 1/(1+float64(page)/8) {
					touches = append(touches, Touch{page, uint8(1 + rng.IntN(formPlain))})
				}
			}
			trace.Rounds = append(trace.Rounds, touches)
		}
		bySize := func(form uint8) int { return int(form) + 8 }
		for _, limit := range []int{3, 20, 60} {
			best, most := belady(trace, limit, one), bound(trace, limit, one)
			mostBySize := bound(trace, limit*40, bySize)
			for name, fresh := range map[string]func(limit int) policy{
				"LRU":     func(limit int) policy { return newLRU(limit, false) },
				"FIFO":    func(limit int) policy { return newLRU(limit, true) },
				"random":  func(limit int) policy { return newRandom(limit) },
				"S3-FIFO": func(limit int) policy { return newS3FIFO(limit) },
			} {
				if got := replayPolicy(trace, fresh(limit), one); got > best || best > most {
					t.Errorf("seed %d, room for %d: %s %.3f, Belady %.3f, bound %.3f", seed, limit, name, got, best, most)
				}
				if got := replayPolicy(trace, fresh(limit*40), bySize); got > mostBySize {
					t.Errorf("seed %d, %d bytes: %s %.3f, bound %.3f", seed, limit*40, name, got, mostBySize)
				}
			}
			if got := belady(trace, limit*40, bySize); got > mostBySize {
				t.Errorf("seed %d, %d bytes: Belady %.3f, bound %.3f", seed, limit*40, got, mostBySize)
			}
		}
	}
}
