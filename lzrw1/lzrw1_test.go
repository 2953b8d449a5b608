package lzrw1

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/lzpage/lzpage/internal/lzrw1spec"
)

var levels = []Level{Fast, Dense, Reference}

type vector struct {
	name        string
	in, flagged []byte
}

// vectors returns the pairs that the 1991 program made.
func vectors(t testing.TB) []vector {
	t.Helper()
	paths, err := filepath.Glob("testdata/vectors/*.in")
	if err != nil || len(paths) != 160 {
		t.Fatalf("%d vectors (%v), want 160", len(paths), err)
	}
	var all []vector
	for _, path := range paths {
		in, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		base := strings.TrimSuffix(path, ".in")
		flagged, err := os.ReadFile(base + ".lzrw1")
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, vector{filepath.Base(base), in, flagged})
	}
	return all
}

func TestReferenceEqualsThe1991Program(t *testing.T) {
	e := NewEncoder(Reference)
	for _, v := range vectors(t) {
		if got := e.AppendFlagged(nil, v.in); !bytes.Equal(got, v.flagged) {
			t.Errorf("%s: encoded to %d bytes that differ from the program's %d", v.name, len(got), len(v.flagged))
		}
		if got := lzrw1spec.EncodeFlagged(v.in); !bytes.Equal(got, v.flagged) {
			t.Errorf("%s: the specification encodes to %d bytes that differ from the program's %d", v.name, len(got), len(v.flagged))
		}
		got, err := AppendUnflagged(nil, v.flagged)
		if err != nil || !bytes.Equal(got, v.in) {
			t.Errorf("%s: decoded to %d bytes, %v; want its %d", v.name, len(got), err, len(v.in))
		}
	}
}

// Positions older than 64 KiB must not look near again at level Reference.
func TestReferenceBeyond64KiB(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for trial := range 20 {
		in := make([]byte, 70_000+rng.IntN(80_000))
		marks := 1 + rng.IntN(40)
		for i := range in {
			in[i] = byte('a' + rng.IntN(3))
			if rng.IntN(marks) == 0 {
				in[i] = byte(rng.Uint32())
			}
		}
		copy(in[len(in)-70:], in[len(in)-70-1<<16:])
		want := lzrw1spec.EncodeFlagged(in)
		if got := NewEncoder(Reference).AppendFlagged(nil, in); !bytes.Equal(got, want) {
			t.Errorf("trial %d: %d bytes encode differently from the specification", trial, len(in))
		}
	}
}

// inputs yields structured and random contents of the sizes where something
// could go wrong, and of the vectors.
func inputs(t testing.TB, yield func(name string, in []byte)) {
	rng := rand.New(rand.NewPCG(3, 4))
	var sizes []int
	for n := range 600 {
		sizes = append(sizes, n)
	}
	sizes = append(sizes, 1023, 1024, 4080, 4095, 4096, 4097, 8192, 65535, 65536, 65537, 70_000)
	for range 60 {
		sizes = append(sizes, rng.IntN(70_001))
	}
	for _, n := range sizes {
		for kind, fill := range fills {
			in := make([]byte, n)
			fill(rng, in)
			yield(fmt.Sprintf("%s-%d", kind, n), in)
		}
	}
	for _, v := range vectors(t) {
		yield(v.name, v.in)
	}
}

var fills = map[string]func(*rand.Rand, []byte){
	"random": func(rng *rand.Rand, b []byte) {
		for i := range b {
			b[i] = byte(rng.Uint32())
		}
	},
	"few": func(rng *rand.Rand, b []byte) {
		for i := range b {
			b[i] = byte(rng.IntN(4))
		}
	},
	"words": func(rng *rand.Rand, b []byte) { // as pointers and counters lie in memory
		for i := range b {
			if i&7 >= 5 || rng.IntN(9) > 0 {
				b[i] = byte(i>>8 + 0x40*(i&7))
			} else {
				b[i] = byte(rng.Uint32())
			}
		}
	},
	"periodic": func(rng *rand.Rand, b []byte) {
		period := 1 + rng.IntN(40)
		for i := range b {
			b[i] = byte(i % period * 7)
			if rng.IntN(200) == 0 {
				b[i]++
			}
		}
	},
	"zero": func(*rand.Rand, []byte) {},
}

func TestRoundTrip(t *testing.T) {
	for _, level := range levels {
		e := NewEncoder(level)
		inputs(t, func(name string, in []byte) {
			block := e.AppendEncode([]byte("kept"), in)
			if !bytes.HasPrefix(block, []byte("kept")) {
				t.Fatalf("%v %s: what stood in dst is gone", level, name)
			}
			block = block[4:]
			if len(block) > MaxEncodedLen(len(in)) {
				t.Errorf("%v %s: %d bytes, more than MaxEncodedLen %d", level, name, len(block), MaxEncodedLen(len(in)))
			}
			want, err := lzrw1spec.Decode(nil, block)
			if err != nil || !bytes.Equal(want, in) {
				t.Fatalf("%v %s: the specification decodes it otherwise: %v", level, name, err)
			}
			if n, err := DecodedLen(block); n != len(in) || err != nil {
				t.Errorf("%v %s: DecodedLen %d, %v; want %d", level, name, n, err, len(in))
			}
			got, err := AppendDecode([]byte("kept"), block)
			if err != nil || !bytes.Equal(got[4:], in) || string(got[:4]) != "kept" {
				t.Errorf("%v %s: AppendDecode gives %d bytes, %v", level, name, len(got), err)
			}
			if len(in) > 0 {
				if _, err := Decode(make([]byte, len(in)-1), block); !errors.Is(err, ErrTooLong) {
					t.Errorf("%v %s: one byte too few gives %v, want ErrTooLong", level, name, err)
				}
			}
			flagged := e.AppendFlagged(nil, in)
			if len(flagged) > MaxFlaggedLen(len(in)) {
				t.Errorf("%v %s: %d bytes flagged, more than MaxFlaggedLen", level, name, len(flagged))
			}
			got, err = AppendUnflagged(nil, flagged)
			if err != nil || !bytes.Equal(got, in) {
				t.Errorf("%v %s: flagged form gives %d bytes, %v", level, name, len(got), err)
			}
		})
	}
}

// The same bytes come out whatever was encoded before.
func TestEncodingHasNoMemory(t *testing.T) {
	for _, level := range levels {
		used := NewEncoder(level)
		inputs(t, func(name string, in []byte) {
			fresh := NewEncoder(level).AppendEncode(nil, in)
			if again := used.AppendEncode(nil, in); !bytes.Equal(again, fresh) {
				t.Errorf("%v %s: a used encoder writes other bytes", level, name)
			}
		})
	}
}

func TestHistory(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for _, level := range levels {
		e := NewEncoder(level)
		inputs(t, func(name string, in []byte) {
			history := rng.IntN(len(in) + 1)
			block := e.AppendEncodeHistory(nil, in, history)
			want, err := lzrw1spec.Decode(in[:history], block)
			if err != nil || !bytes.Equal(want, in[history:]) {
				t.Fatalf("%v %s, history %d: the specification decodes it otherwise: %v", level, name, history, err)
			}
			data := make([]byte, len(in))
			copy(data, in[:history])
			n, err := DecodeHistory(data, history, block)
			if err != nil || n != len(in)-history || !bytes.Equal(data, in) {
				t.Errorf("%v %s, history %d: %d bytes, %v", level, name, history, n, err)
			}
		})
	}
	// what history holds comes out in a quarter of its size, random as it is
	page := make([]byte, 8000)
	fills["random"](rng, page[:4000])
	copy(page[4000:], page[:4000])
	for _, level := range levels {
		if n := len(NewEncoder(level).AppendEncodeHistory(nil, page, 4000)); n > 1000 {
			t.Errorf("%v: 4000 bytes that history holds take %d", level, n)
		}
	}
}

func TestRuns(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	for _, level := range levels {
		e := NewEncoder(level)
		var runs []Run
		inputs(t, func(name string, in []byte) {
			r := Run{Data: in}
			if rng.IntN(2) == 0 {
				r.History = rng.IntN(len(in) + 1)
			}
			for at := r.History; at < len(in); {
				at = min(len(in), at+rng.IntN(5000))
				r.Cuts = append(r.Cuts, at)
			}
			runs = append(runs, r)
		})
		e.EncodeRuns(runs)
		decoded := make([]Run, len(runs))
		for i, r := range runs {
			start, blockStart := r.History, 0
			for k, end := range r.Cuts {
				block := r.Blocks[blockStart:r.Ends[k]]
				if len(block) > end-start {
					t.Fatalf("%v run %d block %d: %d bytes became %d", level, i, k, end-start, len(block))
				}
				if len(block) < end-start {
					got, err := lzrw1spec.Decode(r.Data[:start], block)
					if err != nil || !bytes.Equal(got, r.Data[start:end]) {
						t.Fatalf("%v run %d block %d: the specification decodes it otherwise: %v", level, i, k, err)
					}
				}
				start, blockStart = end, r.Ends[k]
			}
			decoded[i] = r
			decoded[i].Data = make([]byte, len(r.Data))
			copy(decoded[i].Data, r.Data[:r.History])
		}
		if err := DecodeRuns(decoded); err != nil {
			t.Fatal(err)
		}
		for i, r := range runs {
			if !bytes.Equal(decoded[i].Data, r.Data) {
				t.Errorf("%v run %d comes back changed", level, i)
			}
		}
	}
}

func TestDecodeRunsNamesTheBlock(t *testing.T) {
	page := bytes.Repeat([]byte("lzpage "), 600)
	run := Run{Data: page, Cuts: []int{2000, 4000, len(page)}}
	runs := []Run{run, run}
	NewEncoder(Fast).EncodeRuns(runs)
	runs[1].Ends[1]-- // block 1 loses its last byte to block 2
	err := DecodeRuns(runs)
	var block *BlockError
	if !errors.As(err, &block) || block.Run != 1 || block.Block != 1 {
		t.Errorf("got %v, want an error of run 1, block 1", err)
	}
}

// hostile blocks, and what is to be said of them.
var hostile = []struct {
	name  string
	block string
	want  error
}{
	{"empty", "", nil},
	{"lengths 1 and 2", "\x06\x00a\x00\x01\x01\x01", nil},
	{"cut control word", "\x00", &CorruptError{0, reasonCutControl}},
	{"control word alone", "\x00\x00", &CorruptError{0, reasonEmptyGroup}},
	{"second control word alone", "\x00\x00abcdefghijklmnop\x00\x00", &CorruptError{18, reasonEmptyGroup}},
	{"second control word cut", "\x00\x00abcdefghijklmnop\x00", &CorruptError{18, reasonCutControl}},
	{"cut copy", "\x02\x00a\x02", &CorruptError{3, reasonCutCopy}},
	{"offset 0", "\x02\x00a\x02\x00", &CorruptError{3, reasonZeroOffset}},
	{"before the start", "\x02\x00a\x02\x02", &CorruptError{3, reasonBeforeStart}},
	{"far before the start", "\x02\x00a\xF2\xFF", &CorruptError{3, reasonBeforeStart}},
	{"spare control bit", "\x02\x00a", &CorruptError{3, reasonSpareControl}},
}

func TestHostileBlocks(t *testing.T) {
	for _, h := range hostile {
		// alone, and behind enough groups that the fast loop meets it
		filler := strings.Repeat("\x00\x00abcdefghijklmnop", 1+(MaxOffset+1)/16)
		for _, prefix := range []string{"", filler} {
			for _, suffix := range []string{"", filler} {
				if prefix != "" && h.name == "before the start" || prefix != "" && h.name == "far before the start" {
					continue // not before the start there
				}
				if suffix != "" && !strings.Contains(h.name, "offset") && !strings.Contains(h.name, "before") {
					continue // another block then
				}
				_, err := Decode(make([]byte, 20_000), []byte(prefix+h.block+suffix))
				want := h.want
				if c, ok := want.(*CorruptError); ok {
					want = &CorruptError{c.Offset + len(prefix), c.Reason}
					if !errors.Is(err, ErrCorrupt) {
						t.Errorf("%s: %v is not ErrCorrupt", h.name, err)
					}
				}
				if diff := cmp.Diff(want, err); diff != "" {
					t.Errorf("%s behind %d bytes: %s", h.name, len(prefix), diff)
				}
			}
		}
	}
	for _, flagged := range []string{"", "\x00", "\x00\x00\x00", "\x02\x00\x00\x00", "\x00\x00\x00\x00\x00"} {
		if _, err := AppendUnflagged(nil, []byte(flagged)); !errors.Is(err, ErrCorrupt) {
			t.Errorf("flagged form %q: %v, want ErrCorrupt", flagged, err)
		}
	}
}

// Every vector cut at every byte, and with every byte changed, decodes as the
// specification says, and nothing is written beyond the destination.
func TestDamagedVectors(t *testing.T) {
	const canary = 0xA5
	buf := make([]byte, 0, 1<<20)
	check := func(name string, history, block []byte) {
		want, wantErr := lzrw1spec.Decode(history, block)
		for _, room := range []int{len(want), len(want) + 300} {
			data := buf[:len(history)+room+64]
			copy(data, history)
			for i := range data[len(history):] {
				data[len(history)+i] = canary
			}
			n, err := DecodeHistory(data[:len(history)+room], len(history), block)
			for i, c := range data[len(history)+room:] {
				if c != canary {
					t.Fatalf("%s: wrote %d bytes beyond the destination", name, i+1)
				}
			}
			switch {
			case wantErr == nil && (err != nil || n != len(want) || !bytes.Equal(data[len(history):][:n], want)):
				t.Fatalf("%s: %d bytes, %v; the specification has %d", name, n, err, len(want))
			case wantErr != nil && !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrTooLong):
				t.Fatalf("%s: %v, the specification calls it corrupt", name, err)
			}
		}
		if wantErr != nil {
			if _, err := AppendDecode(nil, block); len(history) == 0 && !errors.Is(err, ErrCorrupt) {
				t.Fatalf("%s: AppendDecode says %v", name, err)
			}
		}
	}
	rng := rand.New(rand.NewPCG(9, 10))
	for _, v := range vectors(t) {
		if v.flagged[0] != flagCompressed {
			continue
		}
		block := v.flagged[flaggedHeader:]
		step := 1 + int(int64(len(block))*int64(len(v.in))/2_000_000) // keeps the large ones affordable
		for i := 0; i < len(block); i += step {
			check(fmt.Sprintf("%s cut at %d", v.name, i), nil, block[:i])
			damaged := bytes.Clone(block)
			damaged[i] ^= byte(1 + rng.IntN(255))
			check(fmt.Sprintf("%s changed at %d", v.name, i), nil, damaged)
			check(fmt.Sprintf("%s changed at %d, with history", v.name, i), v.in[:min(len(v.in), 100)], damaged)
		}
	}
}

func TestNoAllocations(t *testing.T) {
	page := make([]byte, 4096)
	fills["words"](rand.New(rand.NewPCG(11, 12)), page)
	for _, level := range levels {
		e := NewEncoder(level)
		runs := []Run{{Data: page, Cuts: []int{2048, 4096}, Blocks: make([]byte, 0, 5000), Ends: make([]int, 0, 2)}}
		decoded := make([]byte, 4096)
		allocs := testing.AllocsPerRun(10, func() {
			runs[0].Blocks, runs[0].Ends = runs[0].Blocks[:0], runs[0].Ends[:0]
			runs[0].Data = page
			e.EncodeRuns(runs)
			runs[0].Data = decoded
			if err := DecodeRuns(runs); err != nil {
				t.Fatal(err)
			}
		})
		if allocs != 0 {
			t.Errorf("%v: %v allocations a page, want none", level, allocs)
		}
		if !bytes.Equal(decoded, page) {
			t.Errorf("%v: the page comes back changed", level)
		}
	}
}

// Pages of real guests, if they lie beside the repository, come back at every
// level, alone and in runs.
func TestRealPages(t *testing.T) {
	paths, err := filepath.Glob("../../shared/pages/*/pages.bin.gz")
	if err != nil {
		t.Fatal(err)
	}
	if len(paths) == 0 {
		t.Skip("no pages of real guests beside the repository")
	}
	for _, path := range paths {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		z, err := gzip.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(z)
		if err != nil {
			t.Fatal(err)
		}
		f.Close()
		for _, level := range levels {
			for _, blocks := range []int{1, 16} {
				var runs []Run
				for rest := data; len(rest) > 0; rest = rest[4096*blocks:] {
					r := Run{Data: rest[:4096*blocks]}
					for k := range blocks {
						r.Cuts = append(r.Cuts, 4096*(k+1))
					}
					runs = append(runs, r)
				}
				NewEncoder(level).EncodeRuns(runs)
				got := make([]byte, len(data))
				size := 0
				for i := range runs {
					runs[i].Data = got[4096*blocks*i:][:4096*blocks]
					size += len(runs[i].Blocks)
				}
				if err := DecodeRuns(runs); err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(got, data) {
					t.Errorf("%s, %v, %d pages a run: pages come back changed", path, level, blocks)
				}
				if size*3 > len(data)*2 {
					t.Errorf("%s, %v, %d pages a run: %d bytes take %d", path, level, blocks, len(data), size)
				}
			}
		}
	}
}

// A caller's mistake panics and reads nothing that is not the caller's.
func TestBadRanges(t *testing.T) {
	data := make([]byte, 100)
	for name, use := range map[string]func(e *Encoder){
		"negative history":  func(e *Encoder) { e.AppendEncodeHistory(nil, data, -1) },
		"too much history":  func(e *Encoder) { e.AppendEncodeHistory(nil, data, 101) },
		"cut beyond data":   func(e *Encoder) { e.EncodeRuns([]Run{{Data: data[:50], Cuts: []int{51 + 50}}}) },
		"cuts that go back": func(e *Encoder) { e.EncodeRuns([]Run{{Data: data, Cuts: []int{60, 50}}}) },
	} {
		for _, level := range levels {
			func() {
				defer func() {
					if recover() == nil {
						t.Errorf("%s at %v: no panic", name, level)
					}
				}()
				use(NewEncoder(level))
			}()
		}
	}
}
