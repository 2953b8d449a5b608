package pagestream

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
)

// realPages returns pages of real guests, 64 consecutive ones at a time, if
// they lie beside the repository, and otherwise made-up ones.
func realPages(tb testing.TB) []byte {
	var all []byte
	paths, _ := filepath.Glob("../../shared/pages/*/runs.bin.gz")
	for _, path := range paths {
		f, err := os.Open(path)
		if err != nil {
			tb.Fatal(err)
		}
		z, err := gzip.NewReader(f)
		if err != nil {
			tb.Fatal(err)
		}
		b, err := io.ReadAll(z)
		if err != nil {
			tb.Fatal(err)
		}
		f.Close()
		all = append(all, b...)
	}
	if all == nil {
		tb.Log("no pages of real guests are here: these are made up")
		all = guestMemory(30, 16<<20, 4096)
	}
	return all
}

// Real pages, if there are any, come back in every way.
func TestRealPages(t *testing.T) {
	data := realPages(t)
	if testing.Short() {
		data = data[:4<<20]
	}
	m := memory{Region{Length: uint64(len(data))}, data}
	check(t, write(t, Options{}, m), Options{}, m)
}

// What a cluster size costs and gives: the ratio, and the time to reach a page
// at random.
func BenchmarkReadPage(b *testing.B) {
	data := realPages(b)
	for _, cluster := range []int{1, 2, 4, 8, 16, 32, 64, 128, 256} {
		stream := write(b, Options{ClusterPages: cluster}, memory{Region{Length: uint64(len(data))}, data})
		r, err := NewReaderAt(bytes.NewReader(stream), int64(len(stream)), ReadOptions{})
		if err != nil {
			b.Fatal(err)
		}
		index := 0
		for i := range r.regions {
			for _, round := range r.regions[i].rounds {
				for _, p := range round.parts {
					index += len(p.entries)
				}
			}
		}
		b.Run(fmt.Sprintf("cluster=%d", cluster), func(b *testing.B) {
			rng := rand.New(rand.NewPCG(1, 1))
			page := make([]byte, 4096)
			b.ReportAllocs()
			for b.Loop() {
				if err := r.ReadPage(page, 0, rng.Uint64N(uint64(len(data)/4096))); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(len(data))/float64(len(stream)), "ratio")
			b.ReportMetric(float64(index)/float64(len(data)/4096), "index-B/page")
		})
	}
}

// What memory that did not change costs on top of a base, and what a few
// changed words in one page of ten do.
func BenchmarkIncrement(b *testing.B) {
	data := realPages(b)
	base := openAt(b, write(b, Options{}, memory{Region{Length: uint64(len(data))}, data}), nil)
	changed := bytes.Clone(data)
	for at := 0; at < len(data); at += 10 * 4096 {
		for i := range 20 {
			changed[at+i*200]++
		}
	}
	for name, memory := range map[string][]byte{"unchanged": data, "changed": changed} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(memory)))
			b.ReportAllocs()
			stored := uint64(0)
			for b.Loop() {
				w, err := NewWriter(context.Background(), io.Discard, Options{Base: base})
				if err != nil {
					b.Fatal(err)
				}
				_ = w.BeginRegion(Region{Length: uint64(len(memory))})
				_, _ = w.Write(memory)
				totals, err := w.Close()
				if err != nil {
					b.Fatal(err)
				}
				stored = totals.Stored
			}
			b.ReportMetric(float64(stored), "stored-B")
		})
	}
}

// What the length of a chain costs who reads at random, and who reads on.
func BenchmarkChain(b *testing.B) {
	data := realPages(b)
	rng := rand.New(rand.NewPCG(1, 2))
	var top *ReaderAt
	for n := range 11 {
		top = openAt(b, writeOn(b, top, Options{}, memory{Region{Length: uint64(len(data))}, data}), top)
		data = bytes.Clone(data)
		for range len(data) / 4096 / 20 { // one page of twenty
			page := data[rng.IntN(len(data)/4096)*4096:]
			for i := range 20 {
				page[i*200]++
			}
		}
		if n != 0 && n != 1 && n != 10 {
			continue
		}
		size := int64(len(data))
		b.Run(fmt.Sprintf("increments=%d/page", n), func(b *testing.B) {
			page := make([]byte, 4096)
			b.ReportAllocs()
			for b.Loop() {
				if err := top.ReadPage(page, 0, rng.Uint64N(uint64(size/4096))); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("increments=%d/range", n), func(b *testing.B) {
			p := make([]byte, 1<<20)
			b.SetBytes(size)
			for b.Loop() {
				for at := int64(0); at < size; at += int64(len(p)) {
					if _, err := top.ReadRegionAt(p, 0, at); err != nil && err != io.EOF {
						b.Fatal(err)
					}
				}
			}
		})
	}
}
