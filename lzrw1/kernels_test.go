package lzrw1

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/lzpage/lzpage/internal/lzrw1spec"
)

// stuff returns n bytes of a kind that is the same everywhere and for ever, so
// it asks r for nothing but Uint64.
func stuff(r *rand.PCG, kind string, n int) []byte {
	b := make([]byte, 0, n+8)
	for len(b) < n {
		x := r.Uint64()
		switch kind {
		case "noise":
		case "few values":
			x &= 0x0301030103010301
		case "pointers":
			x = 0x0000_7F3A_0000_0000 | x&0x31F8
		case "text":
			x = binary.LittleEndian.Uint64([]byte("the quick brown fox and the lazy dog ")[x%29:])
		case "sparse":
			if x%11 > 0 {
				x = 0
			}
		case "zeros":
			x = 0
		}
		b = binary.LittleEndian.AppendUint64(b, x)
	}
	return b[:n]
}

var kinds = []string{"noise", "few values", "pointers", "text", "sparse", "zeros"}

// mixture returns runs of many shapes, which differ by the seed: pages, large,
// small and empty blocks, of one kind of stuff or several, with and without
// history.
func mixture(seed uint64, n int) []Run {
	r := rand.NewPCG(1991, seed)
	below := func(n int) int { return int(r.Uint64() % uint64(n)) }
	runs := make([]Run, n)
	for i := range runs {
		var sizes []int
		switch below(6) {
		case 0:
			sizes = []int{4096}
		case 1:
			sizes = slices.Repeat([]int{4096}, 16)
		case 2:
			for range below(200) {
				sizes = append(sizes, below(4)*below(40))
			}
		case 3:
			for range 1 + below(9) {
				sizes = append(sizes, below(9000))
			}
		case 4:
			sizes = []int{1 + below(70_000), below(3000)}
		case 5:
			sizes = []int{0}
		}
		run := &runs[i]
		if below(2) == 0 {
			run.History = below(6000)
			run.Data = stuff(r, kinds[below(len(kinds))], run.History)
		}
		for _, size := range sizes {
			run.Data = append(run.Data, stuff(r, kinds[below(len(kinds))], size)...)
			run.Cuts = append(run.Cuts, len(run.Data))
		}
	}
	return runs
}

// Whatever else is encoded beside a run, and with how many lanes, its blocks
// are the same.
func TestRunsAreIndependent(t *testing.T) {
	counts := []int{100}
	for n := range 20 {
		counts = append(counts, n)
	}
	for _, level := range levels {
		e := NewEncoder(level)
		for i, n := range counts {
			runs := mixture(uint64(i), n)
			e.EncodeRuns(runs)
			for k, run := range runs {
				alone := []Run{{Data: run.Data, History: run.History, Cuts: run.Cuts}}
				NewEncoder(level).EncodeRuns(alone)
				if !slices.Equal(alone[0].Ends, run.Ends) || !bytes.Equal(alone[0].Blocks, run.Blocks) {
					t.Errorf("%v: run %d of %d, of %d bytes in %d blocks, is not encoded as it is alone", level, k, n, len(run.Data), len(run.Cuts))
				}
			}
		}
	}
}

// brink returns blocks, a run each, of which every rule by which a block stays
// plain just holds, or just not: noise with some zeros in it.
func brink() []Run {
	r := rand.NewPCG(1991, 100)
	below := func(n int) int { return int(r.Uint64() % uint64(n)) }
	var runs []Run
	add := func(data []byte) { runs = append(runs, Run{Data: data, Cuts: []int{len(data)}}) }
	for range 4000 {
		data := stuff(r, "noise", 1+below(120))
		clear(data[below(len(data)):])
		copy(data[below(len(data)):], stuff(r, "noise", 50))
		add(data)
	}
	for range 1000 { // most of them as long as blocks that are given up early
		data := stuff(r, "noise", 1000+below(100))
		for range 5 + below(9) {
			clear(data[below(1000):][:below(15)])
		}
		add(append(data, make([]byte, 2047+below(3)-len(data))...))
	}
	return runs
}

func TestGreedyAsSpecified(t *testing.T) {
	for _, g := range []struct {
		level Level
		spec  lzrw1spec.Greedy
	}{{Fast, lzrw1spec.Fast}, {Reference, lzrw1spec.Reference}} {
		e := NewEncoder(g.level)
		runs := append(mixture(99, 200), brink()...)
		e.EncodeRuns(runs)
		for k, run := range runs {
			start := 0
			for i, want := range g.spec.EncodeRun(run.Data, run.History, run.Cuts, false) {
				if got := run.Blocks[start:run.Ends[i]]; !bytes.Equal(got, want) {
					t.Errorf("%v: run %d, block %d to byte %d of %d: encoded to %d bytes, specified %d", g.level, k, i, run.Cuts[i], len(run.Data), len(got), len(want))
				}
				start = run.Ends[i]
			}
			want := g.spec.EncodeRun(run.Data, run.History, []int{len(run.Data)}, true)[0]
			if got := e.AppendEncodeHistory(nil, run.Data, run.History); !bytes.Equal(got, want) {
				t.Errorf("%v: run %d of %d bytes in one block: encoded to %d bytes, specified %d", g.level, k, len(run.Data), len(got), len(want))
			}
		}
	}
}

// goldens are the sums that TestGolden compares. Those of Fast and Reference are
// of what lzrw1spec encodes to. If Dense is meant to write other blocks than
// before, put here what the test says that it got.
var goldens = map[Level]string{
	Fast:      "a63066ba8f3015758cf6449bdc391b6a0e61411552eb9ed657ac8adb6e6b4279",
	Dense:     "66442f2df83ad627a312251ac04eb89f49d025201cf76b86e5eedf2a7906c4ce",
	Reference: "224da4e21b106a5cc1427169082555114f797526cf127f89d95ff8c9481d4583",
}

// Every machine and every implementation of the kernels writes the same blocks.
// CI runs this test with all that LZPAGE_KERNELS may be.
func TestGolden(t *testing.T) {
	for _, level := range levels {
		runs := mixture(1000, 300)
		for _, v := range vectors(t) {
			runs = append(runs, Run{Data: v.in, Cuts: []int{len(v.in)}})
		}
		e := NewEncoder(level)
		e.EncodeRuns(runs)
		sum := sha256.New()
		for _, run := range runs {
			for _, end := range run.Ends {
				sum.Write(binary.LittleEndian.AppendUint32(nil, uint32(end)))
			}
			sum.Write(run.Blocks)
			sum.Write(e.AppendEncode(nil, run.Data))
		}
		if got := fmt.Sprintf("%x", sum.Sum(nil)); got != goldens[level] {
			t.Errorf("%v: the blocks have SHA-256 %s, not %s", level, got, goldens[level])
		}
	}
}
