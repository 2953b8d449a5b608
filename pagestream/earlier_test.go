package pagestream

import (
	"bytes"
	"context"
	"encoding/binary"
	"math/rand/v2"
	"testing"
)

// What is remembered is the last version. What is not has not changed since the
// round that is said to be the last one that was forgotten.
func TestEarlierPages(t *testing.T) {
	const pageSize, regions, pages = 16, 2, 3000
	remembered, forgotten, unknown := 0, 0, 0
	for seed := range uint64(6) {
		rng := rand.New(rand.NewPCG(seed, 1))
		e := newEarlierPages([]int{1, 40, 100000}[seed%3])
		type version struct {
			round int
			data  [pageSize]byte
		}
		var last [regions][pages]version
		for round := 1; round < 60; round++ {
			for region := range regions {
				for at := rng.IntN(60); at < pages; at += rng.IntN(300) {
					n := min(pages-at, 1+rng.IntN(20))
					p := Pages{Round: round, Region: region, First: uint64(at)}
					if rng.IntN(2) == 0 {
						n = min(pages-at, 1+rng.IntN(300))
						if seed >= 3 {
							n = 1 + rng.IntN(2)*shortRun // so many runs that some are forgotten
							n = min(n, pages-at)
						}
					} else {
						p.Data, p.Kinds = make([]byte, n*pageSize), make([]Kind, n)
						for i := range n {
							if p.Kinds[i] = Kind(rng.IntN(3)); p.Kinds[i] != Zero {
								binary.LittleEndian.PutUint64(p.Data[i*pageSize:], rng.Uint64())
							}
						}
					}
					p.Count = uint64(n)
					for i := range n {
						v := version{round: round}
						if p.Data != nil {
							copy(v.data[:], p.Data[i*pageSize:])
						}
						last[region][at+i] = v
					}
					e.hand(&p, pageSize)
					at += n
				}
			}
			for region := range regions {
				var numbers []uint64
				var dsts [][]byte
				for i := range uint64(pages) {
					numbers = append(numbers, i)
					dsts = append(dsts, bytes.Repeat([]byte{0xEE}, pageSize))
				}
				all := bytes.Join(dsts, nil)
				for i := range dsts {
					dsts[i] = all[i*pageSize:][:pageSize]
				}
				left, leftDsts, lost := e.find(region, numbers, dsts)
				for i, number := range left {
					if &leftDsts[i][0] != &all[number*pageSize] {
						t.Fatalf("page %d is to go elsewhere", number)
					}
					if v := &last[region][number]; v.round > lost {
						t.Fatalf("seed %d, round %d: page %d changed in round %d, and only up to round %d something is forgotten", seed, round, number, v.round, lost)
					} else if v.round > 0 {
						forgotten++
					} else {
						unknown++
					}
				}
				for i := range pages {
					if len(left) > 0 && left[0] == uint64(i) {
						left = left[1:]
						continue
					}
					remembered++
					if v := &last[region][i]; !bytes.Equal(v.data[:], all[i*pageSize:][:pageSize]) {
						t.Fatalf("seed %d, round %d: page %d is remembered as %x, it is %x", seed, round, i, all[i*pageSize:][:pageSize], v.data)
					}
				}
			}
		}
		if len(e.pages) != e.order.Len() || len(e.pages) > e.limit || len(e.runs) > earlierRuns {
			t.Errorf("%d pages, %d in order, and %d runs are remembered", len(e.pages), e.order.Len(), len(e.runs))
		}
	}
	if remembered == 0 || forgotten == 0 || unknown == 0 {
		t.Errorf("%d pages are remembered, %d forgotten, %d unknown", remembered, forgotten, unknown)
	}
}

// checkOfStream reads a stream in order, with earlier versions from its file,
// and returns how many times that and its base were read.
func checkOfStream(t *testing.T, stream []byte, base *ReaderAt, counts ...*countingReaderAt) int64 {
	t.Helper()
	top := &countingReaderAt{ReaderAt: bytes.NewReader(stream)}
	at, err := NewReaderAt(top, int64(len(stream)), ReadOptions{Base: base})
	if err != nil {
		t.Fatal(err)
	}
	r, err := NewReader(bytes.NewReader(stream), ReadOptions{Workers: 1, Earlier: at})
	if err != nil {
		t.Fatal(err)
	}
	counts = append(counts, top)
	before := int64(0)
	for _, c := range counts {
		before += c.calls.Load()
	}
	if _, err := r.Each(context.Background(), sinkFunc(func(Pages) error { return nil })); err != nil {
		t.Fatal(err)
	}
	after := int64(0)
	for _, c := range counts {
		after += c.calls.Load()
	}
	return after - before
}

// Deltas of each round build on the round before. They must not be looked for
// in all rounds, or the time for many rounds grows with their square.
func TestEarlierOfManyRounds(t *testing.T) {
	const pageSize, pages = 512, 200
	for name, c := range map[string]struct{ rounds, stride, holes int }{
		"scattered pages":           {50, 2, 0},
		"one page":                  {2000, pages, 0},
		"a page and a hole a round": {1000, pages, 70},
	} {
		data := make([]byte, pages*pageSize)
		fillNoise(data)
		m := memory{Region{Length: uint64(len(data))}, bytes.Clone(data)}
		var rounds [][]change
		for round := range c.rounds {
			var changes []change
			for page := 0; page < pages; page += c.stride {
				binary.LittleEndian.PutUint64(data[page*pageSize+8*(round%64):], uint64(round*pages+page)*0x9E3779B97F4A7C15)
				changes = append(changes, change{0, uint64(page), bytes.Clone(data[page*pageSize:][:pageSize])})
			}
			if c.holes > 0 && round%2 == 0 {
				changes = append(changes, change{0, pages / 2, make([]byte, c.holes*pageSize)})
			} else if c.holes > 0 {
				changes = append(changes, change{0, pages / 2, bytes.Clone(data[pages/2*pageSize:][:c.holes*pageSize])})
			}
			rounds = append(rounds, changes)
		}
		stream := writeRounds(t, Options{PageSize: pageSize, Workers: 1, Cache: newCache(t, 1<<20, pageSize)}, []memory{m}, rounds)
		at := openAt(t, stream, nil)
		if n := at.Totals().Pages[Delta]; n < uint64(c.rounds) {
			t.Fatalf("%s: only %d deltas", name, n)
		}
		if n := checkOfStream(t, stream, nil); n > 100 {
			t.Errorf("%s: the file was read %d times", name, n)
		}
	}
}

// Deltas that do not follow each other are looked for in one way through the
// layers, not each by itself.
func TestEarlierOfAChain(t *testing.T) {
	const pageSize, pages = 512, 256
	data := make([]byte, pages*pageSize)
	fillNoise(data)
	var base *ReaderAt
	var counts []*countingReaderAt
	frames := int64(0)
	for n := range 20 {
		for page := 0; n > 0 && page < pages; page += 2 {
			data[page*pageSize+n]++
		}
		stream := writeOn(t, base, Options{PageSize: pageSize, ClusterPages: 16, Workers: 1}, memory{Region{Length: uint64(len(data))}, data})
		if n > 0 && openAt(t, stream, base).Totals().Pages[Delta] != pages/2 {
			t.Fatal("not all changed pages are deltas")
		}
		// each frame below is read on the way down and on the way up
		if n := checkOfStream(t, stream, base, counts...); n > 2*frames {
			t.Errorf("%d frames below were read in %d pieces", frames, n)
		}
		src := &countingReaderAt{ReaderAt: bytes.NewReader(stream)}
		r, err := NewReaderAt(src, int64(len(stream)), ReadOptions{Base: base})
		if err != nil {
			t.Fatal(err)
		}
		base, counts = r, append(counts, src)
		frames += int64(r.Totals().Frames)
	}
}
