package asm

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"unsafe"

	"github.com/lzpage/lzpage/internal/lzrw1spec"
)

// greedies are the schemes, and where implementations have their kernels.
var greedies = []struct {
	name string
	of   func(*Kernels) *Greedy
	spec lzrw1spec.Greedy
}{
	{"Fast", func(k *Kernels) *Greedy { return &k.Fast }, lzrw1spec.Fast},
	{"Reference", func(k *Kernels) *Greedy { return &k.Reference }, lzrw1spec.Reference},
}

// A job is a run that a lane is to encode.
type job struct {
	name    string
	history []byte
	blocks  []jobBlock
}

type jobBlock struct {
	data   []byte
	stopAt int  // for StopAt, if it is not 0
	skip   bool // what is behind stopAt
}

// A walk takes a lane through a job.
type walk struct {
	scheme *Scheme
	lane   *Lane
	noSkip bool
	job    *job // nil if there is none

	block  int    // of job.blocks
	loaded int    // bytes of it
	onStop bool   // the lane is to stop at stopAt
	out    []byte // of the block
	blocks [][]byte
}

func (w *walk) begin(j *job) {
	*w = walk{scheme: w.scheme, lane: w.lane, noSkip: w.noSkip, job: j}
	w.lane.Reset(w.scheme, j.history)
}

// ready prepares the lane for the kernel. It reports false if the job is done.
func (w *walk) ready() bool {
	for w.lane.Stopped() {
		if w.block == len(w.job.blocks) {
			return false
		}
		b := &w.job.blocks[w.block]
		switch {
		case w.onStop:
			w.onStop = false
			if !b.skip || w.noSkip {
				w.lane.Resume()
				break
			}
			for w.lane.Skip(); w.loaded < len(b.data); w.lane.Skip() {
				w.load(b.data)
			}
			w.end()
		case w.loaded == 0 && len(b.data) > 0:
			w.load(b.data)
			if w.onStop = b.stopAt > 0; w.onStop {
				w.lane.StopAt(b.stopAt)
			}
		case w.loaded < len(b.data):
			w.out = append(w.out, w.lane.Out()...)
			w.lane.DropOut()
			w.load(b.data)
		default:
			w.lane.Finish(w.scheme)
			w.end()
		}
	}
	return true
}

func (w *walk) load(data []byte) {
	n := min(MaxLoad, len(data)-w.loaded)
	w.lane.Load(w.scheme, data[w.loaded:][:n], w.loaded+n == len(data))
	w.loaded += n
}

func (w *walk) end() {
	w.blocks = append(w.blocks, append(w.out, w.lane.Out()...))
	w.lane.DropOut()
	w.block, w.loaded, w.out = w.block+1, 0, nil
}

// The portable kernels encode as the specification says.
func TestGreedyPortable(t *testing.T) {
	if paths, _ := filepath.Glob(guestPages); len(paths) == 0 {
		t.Log("no pages of real guests beside the repository")
	}
	for _, g := range greedies {
		t.Run(g.name, func(t *testing.T) {
			kernels := g.of(&portable)
			w := walk{scheme: kernels.Scheme, lane: new(Lane), noSkip: true}
			for _, j := range jobs(t) {
				data, history := slices.Clone(j.history), len(j.history)
				var cuts []int
				for _, b := range j.blocks {
					data = append(data, b.data...)
					cuts = append(cuts, len(data))
				}
				for w.begin(j); w.ready(); {
					kernels.Single(w.lane)
				}
				for i, want := range g.spec.EncodeRun(data, history, cuts, true) {
					if !bytes.Equal(w.blocks[i], want) {
						t.Fatalf("%s: block %d, of %d bytes, is not what the specification says", j.name, i, len(j.blocks[i].data))
					}
				}
			}
		})
	}
}

// The others do to lanes what the portable ones do.
func TestGreedySingle(t *testing.T) {
	eachGreedy(t, func(t *testing.T, kernels, twin *Greedy, s side) {
		p := newPair(kernels, &guardedLanes(t, 1, s)[0], new(Lane))
		for _, j := range jobs(t) {
			for p.begin(j); p.ready(t); p.compare(t) {
				kernels.Single(p.got.lane)
				twin.Single(p.want.lane)
			}
		}
	})
}

func TestGreedyLockstep(t *testing.T) {
	eachGreedy(t, func(t *testing.T, kernels, twin *Greedy, s side) {
		if kernels.Lockstep == nil {
			t.Fatal("no kernel")
		}
		lanes, twins := (*[LaneCount]Lane)(guardedLanes(t, LaneCount, s)), new([LaneCount]Lane)
		var pairs [LaneCount]*pair
		for i := range pairs {
			pairs[i] = newPair(kernels, &lanes[i], &twins[i])
		}
		for todo := jobs(t); ; {
			busy := 0
			for _, p := range pairs {
				for !p.ready(t) && len(todo) > 0 {
					p.begin(todo[0])
					todo = todo[1:]
				}
				if p.got.job != nil {
					busy++
				} else if p.got.lane.Stopped() {
					p.got.lane.Park()
					p.want.lane.Park()
				}
			}
			if busy == 0 {
				break
			}
			kernels.Lockstep(lanes)
			lockstepTwin(twin, twins)
			for _, p := range pairs {
				p.compare(t)
			}
		}
	})
}

// Of history every second position is entered.
func TestEnter(t *testing.T) {
	memories, err := memories()
	if err != nil {
		t.Fatal(err)
	}
	each(t, func(t *testing.T, k *Kernels) {
		for _, g := range greedies {
			for _, s := range sides {
				lane, want := &guardedLanes(t, 1, s)[0], new(Lane)
				scheme := g.of(k).Scheme
				for n := range maxOffset - minCopy + 2 {
					if n > 40 && n%61 > 0 && n < maxOffset-40 {
						continue
					}
					for _, m := range memories {
						copy(lane.data[:], m.data[n:])
						want.data = lane.data
						for i := range want.table {
							want.table[i] = uint16(i)
						}
						lane.table = want.table
						scheme.enter(lane, n)
						for p := firstPos; p < firstPos+n; p += 2 {
							want.table[scheme.Hash(le.Uint32(want.data[p:]))] = uint16(p)
						}
						if *lane != *want {
							t.Fatalf("%s, %s, guarded %s: %d positions entered wrongly", g.name, m.name, s, n)
						}
					}
				}
			}
		}
	})
}

// eachGreedy runs the test with every implementation in assembly, every scheme
// and both sides on which lanes may end.
func eachGreedy(t *testing.T, test func(t *testing.T, kernels, twin *Greedy, s side)) {
	each(t, func(t *testing.T, k *Kernels) {
		if k == &portable {
			return
		}
		for _, g := range greedies {
			for _, s := range sides {
				t.Run(fmt.Sprintf("%s/%s", g.name, s), func(t *testing.T) { test(t, g.of(k), g.of(&portable), s) })
			}
		}
	})
}

// guardedLanes returns n lanes in guarded memory. They hold no pointers.
func guardedLanes(t *testing.T, n int, s side) []Lane {
	memory := guarded(t, n*int(unsafe.Sizeof(Lane{})), s)
	return unsafe.Slice((*Lane)(unsafe.Pointer(unsafe.SliceData(memory))), n)
}

// lockstepTwin is what lockstep kernels do: a group of every lane in turn,
// until a lane stops.
func lockstepTwin(g *Greedy, lanes *[LaneCount]Lane) {
	for stopped := false; !stopped; {
		for i := range lanes {
			l := &lanes[i]
			limit := l.limit
			l.limit = l.pos // a group takes the lane behind it
			g.Single(l)
			l.limit = limit
			stopped = stopped || l.Stopped()
		}
	}
}

// A pair takes two lanes through the same.
type pair struct{ got, want walk }

func newPair(g *Greedy, got, want *Lane) *pair {
	return &pair{walk{scheme: g.Scheme, lane: got}, walk{scheme: g.Scheme, lane: want}}
}

func (p *pair) begin(j *job) {
	p.got.begin(j)
	p.want.begin(j)
}

// ready prepares both lanes for their kernels. It reports false if there is no
// job, or no longer, and compares what has come of it.
func (p *pair) ready(t *testing.T) bool {
	t.Helper()
	if p.got.job == nil {
		return false
	}
	ready := p.got.ready()
	if ready != p.want.ready() {
		t.Fatalf("%s: ready %t, the twin %t", p.got.job.name, ready, !ready)
	}
	if ready {
		return true
	}
	got, want := p.got.lane, p.want.lane
	if got.limit != want.limit || got.end != want.end || got.whole != want.whole || got.data != want.data {
		t.Fatalf("%s: something was overwritten", p.got.job.name)
	}
	if !slices.EqualFunc(p.got.blocks, p.want.blocks, bytes.Equal) {
		t.Fatalf("%s: wrong blocks", p.got.job.name)
	}
	p.got.job, p.want.job = nil, nil
	return false
}

// compare compares what the kernels were to write.
func (p *pair) compare(t *testing.T) {
	t.Helper()
	name := "idle lane"
	if p.got.job != nil {
		name = p.got.job.name
	}
	got, want := p.got.lane, p.want.lane
	if got.pos != want.pos || got.at != want.at || got.groupPos != want.groupPos || got.groupAt != want.groupAt {
		t.Fatalf("%s: at %d, %d, the last group at %d, %d; want %d, %d and %d, %d", name,
			got.pos, got.at, got.groupPos, got.groupAt, want.pos, want.at, want.groupPos, want.groupAt)
	}
	if !bytes.Equal(got.Out(), want.Out()) {
		t.Fatalf("%s: wrong groups", name)
	}
	if got.table != want.table {
		t.Fatalf("%s: wrong table", name)
	}
}

// jobs returns runs that lead everywhere: blocks of all lengths, alone and
// behind each other until positions move down, with and without history,
// stopped and skipped.
func jobs(t *testing.T) []*job {
	t.Helper()
	all, err := allJobs()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

var allJobs = sync.OnceValues(func() (all []*job, err error) {
	memories, err := memories()
	if err != nil {
		return nil, err
	}
	r := rand.New(rand.NewPCG(1991, 11))
	add := func(m memory, history int, cuts ...int) {
		from := r.IntN(len(m.data) - history - cuts[len(cuts)-1] + 1)
		rest := m.data[from:]
		j := &job{name: fmt.Sprintf("%s from %d, %d bytes of history", m.name, from, history), history: rest[:history]}
		rest = rest[history:]
		for i := range cuts {
			start := 0
			if i > 0 {
				start = cuts[i-1]
			}
			j.blocks = append(j.blocks, newJobBlock(r, rest[start:cuts[i]]))
		}
		all = append(all, j)
	}
	marks := memories[0].data[:maxCopy]
	for beyond := range 2 { // just in reach, and just not
		history := append(slices.Clone(marks), make([]byte, maxOffset+beyond-maxCopy)...)
		all = append(all, &job{name: "far copy", history: history, blocks: []jobBlock{{data: marks}}})
	}
	for n := 1; n <= MaxLoad; n++ {
		if testing.Short() && n > 600 && n%61 > 0 {
			continue
		}
		add(memories[n%len(memories)], 0, n)
	}
	for _, m := range memories {
		for n := range 300 {
			add(m, n%40, 1+n)
		}
		for _, history := range []int{0, 1, 2, 3, 4094, 4095, 4096, 9000} {
			for _, longest := range []int{40, 700, MaxLoad, 3 * MaxLoad} {
				var cuts []int
				for at, end := 0, min(100*longest, 3*dataBytes); at < end; cuts = append(cuts, at) {
					at += 1 + r.IntN(longest)
				}
				add(m, history, cuts...)
			}
		}
		pages := make([]int, 16)
		for i := range pages {
			pages[i] = 4096 * (i + 1)
		}
		for range len(m.data) >> 16 {
			add(m, 0, pages...)
		}
	}
	return all, nil
})

// newJobBlock chooses where to stop in one block of three, and whether to skip
// the rest.
func newJobBlock(r *rand.Rand, data []byte) jobBlock {
	b := jobBlock{data: data}
	if r.IntN(3) == 0 {
		b.stopAt = 1 + r.IntN(len(data))
		// a group that begins before stopAt ends in the block
		b.skip = r.IntN(2) == 0 && b.stopAt+maxGroup <= min(len(data), MaxLoad)
	}
	return b
}

// A memory is something to cut blocks from, some hundred KiB.
type memory struct {
	name string
	data []byte
}

const guestPages = "../../../shared/pages/*/pages.bin.gz"

// memories returns noise, structured memory and, if they lie beside the
// repository, pages of real guests.
func memories() ([]memory, error) {
	r := rand.New(rand.NewPCG(1991, 12))
	period := 0
	var all []memory
	for _, kind := range []struct {
		name string
		at   func(i int) byte
	}{
		{"noise", func(int) byte { return byte(r.Uint32()) }},
		{"few values", func(int) byte { return byte(r.IntN(4)) }},
		{"pointers", func(i int) byte {
			if i&7 < 5 && r.IntN(9) == 0 {
				return byte(r.Uint32())
			}
			return byte(i>>8 + 0x40*(i&7))
		}},
		{"periods", func(i int) byte {
			if i%1000 == 0 {
				period = 1 + r.IntN(40)
			}
			if r.IntN(200) == 0 {
				return byte(r.Uint32())
			}
			return byte(i % period * 7)
		}},
		{"zeros", func(int) byte { return 0 }},
	} {
		data := make([]byte, 4*dataBytes)
		for i := range data {
			data[i] = kind.at(i)
		}
		all = append(all, memory{kind.name, data})
	}
	paths, err := filepath.Glob(guestPages)
	if err != nil {
		return nil, err
	}
	for _, path := range paths {
		data, err := readSome(path, 4*dataBytes)
		if err != nil {
			return nil, err
		}
		all = append(all, memory{path, data})
	}
	return all, nil
}

// readSome returns n bytes of what a file holds, compressed.
func readSome(path string, n int) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	data := make([]byte, n)
	if _, err := io.ReadFull(z, data); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return data, nil
}
