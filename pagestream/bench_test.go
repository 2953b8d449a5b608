package pagestream

import (
	"bytes"
	"compress/gzip"
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
