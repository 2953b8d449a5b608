package delta

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/lzpage/lzpage/internal/deltaspec"
	"github.com/lzpage/lzpage/lzrw1"
)

var levelsOfTests = []lzrw1.Level{lzrw1.Fast, lzrw1.Dense, lzrw1.Reference}

func page(size int, at int, bytes string) []byte {
	p := make([]byte, size)
	copy(p[at:], unhex(bytes))
	return p
}

// The examples of SPEC.md; those that the encoder makes, and others.
var examples = []struct {
	old, new []byte
	record   string
	made     bool
}{
	{page(64, 0, ""), page(64, 16, "0807060504030201"), "02 5de1e632 04 0807060504030201", true},
	{page(64, 16, "0807060504030201"), page(64, 16, "0807060504030211"), "01 c6922f8d 04 80 11", true},
	{page(64, 16, "0807060504030211"), page(64, 16, "0807060504030211"), "00 c6922f8d", true},
	{page(256, 0, ""), bytes.Repeat([]byte("abcdefgh"), 8), "0a b2a7468b 01 ff 000f 6162636465666768 0f08 0f10 0f10 0710", true},
	{page(256, 0, ""), bytes.Repeat([]byte("abcdefgh"), 8), "0e b2a7468b 00 07 18 000f 6162636465666768 0f08 0f10 0f10 0710", false},
}

func TestExamples(t *testing.T) {
	for _, x := range examples {
		new := append(bytes.Clone(x.new), make([]byte, len(x.old)-len(x.new))...)
		want := unhex(x.record)
		record, ok := NewEncoder(lzrw1.Fast).Append([]byte("before"), x.old, new)
		if x.made && (!ok || !bytes.Equal(record, append([]byte("before"), want...))) {
			t.Errorf("the record is %x, %v; want %s", record, ok, x.record)
		}
		got := bytes.Clone(x.old)
		if err := NewDecoder().Apply(got, want); err != nil || !bytes.Equal(got, new) {
			t.Errorf("%s: %v", x.record, err)
		}
	}
}

// sizes are page sizes with trees of one to six levels, whole and with bits
// to spare.
var sizes = []int{64, 128, 512, 576, 1024, 4096, 4160, 16384, 65536, 1 << 18, 1<<18 + 64, 2 << 20}

func TestRecords(t *testing.T) {
	for _, level := range levelsOfTests {
		e, d := NewEncoder(level), NewDecoder()
		rng := rand.New(rand.NewPCG(uint64(level), 5))
		forms := make(map[byte]int)
		for round := range 60 {
			var pairs []Pair
			for range rng.IntN(150) {
				size := sizes[rng.IntN(7)]
				if round == 0 && len(pairs) < 20 {
					size = sizes[len(pairs)%len(sizes)]
				}
				old, new := versions(rng, size)
				pairs = append(pairs, Pair{old, new})
			}
			dst, ends := e.AppendAll([]byte("before"), []int{-1}, pairs)
			if string(dst[:6]) != "before" || ends[0] != -1 || len(ends) != 1+len(pairs) {
				t.Fatalf("%d ends for %d pairs", len(ends), len(pairs))
			}
			start := 6
			for i, p := range pairs {
				record := dst[start:ends[1+i]]
				start = ends[1+i]
				checkRecord(t, e, d, p, record)
				if len(record) > 0 {
					forms[record[0]]++
				}
			}
			if start != len(dst) {
				t.Fatalf("%d bytes behind the last record", len(dst)-start)
			}
		}
		for _, form := range []byte{0, 1, 2, 5, 6, 9, 10, 13, 14} {
			if forms[form] == 0 {
				t.Errorf("%v: no record had form %#02x: %v", level, form, forms)
			}
		}
	}
}

// checkRecord checks a record that AppendAll has made: by itself, by Append,
// and by deltaspec and Apply.
func checkRecord(t *testing.T, e *Encoder, d *Decoder, p Pair, record []byte) {
	t.Helper()
	one, ok := e.Append(nil, p.Old, p.New)
	if ok != (len(record) > 0) || !bytes.Equal(one, record) {
		t.Fatalf("alone the record is %x, %v; among others %x", one, ok, record)
	}
	if !ok {
		same := 0
		for i := range p.New {
			if p.Old[i] == p.New[i] {
				same++
			}
		}
		if len(p.New) >= 1024 && same > len(p.New)/4 {
			t.Fatalf("no record of a page of which %d of %d bytes are as they were", same, len(p.New))
		}
		return
	}
	if len(record) >= len(p.New) {
		t.Fatalf("a record of %d bytes for a page of %d", len(record), len(p.New))
	}
	if plain, err := deltaspec.Apply(p.Old, record); err != nil || !bytes.Equal(plain, p.New) {
		t.Fatalf("%x is no record of the page: %v", record, err)
	}
	got, kept := bytes.Clone(p.Old), bytes.Clone(record)
	if err := d.Apply(got, record); err != nil || !bytes.Equal(got, p.New) {
		t.Fatalf("%x: %v", record, err)
	}
	if !bytes.Equal(record, kept) {
		t.Fatal("Apply changes the record")
	}
	if record[0] != formSame {
		checkMap(t, p, record)
	}
}

// checkMap checks that the record's map is in the shorter form.
func checkMap(t *testing.T, p Pair, record []byte) {
	t.Helper()
	changed, rest, err := deltaspec.Changed(len(p.New), record)
	if err != nil {
		t.Fatal(err)
	}
	length := len(record) - headBytes - len(rest)
	tree, runs := 0, 0
	levels := changed
	for n := len(p.New) / 8; n > 1; n = (n + 7) / 8 {
		var above []int
		for _, at := range levels {
			if len(above) == 0 || above[len(above)-1] != at/8 {
				above = append(above, at/8)
			}
		}
		tree += len(above)
		levels = above
	}
	at := 0
	for i := 0; i < len(changed); {
		k := i + 1
		for k < len(changed) && changed[k] == changed[k-1]+1 {
			k++
		}
		runs += varintLen(changed[i]-at) + varintLen(k-i-1)
		at = changed[k-1] + 1
		i = k
	}
	if at < len(p.New)/8 {
		runs += varintLen(len(p.New)/8 - at)
	}
	if length != min(tree, runs) {
		t.Fatalf("a map of %d bytes, form %#02x, where a tree has %d and runs %d", length, record[0], tree, runs)
	}
}

func varintLen(n int) int {
	length := 1
	for ; n >= 128; n /= 128 {
		length++
	}
	return length
}

func TestRealPages(t *testing.T) {
	real := realPairs(t)
	if len(real) == 0 {
		t.Skip("no pages of real guests here; made up ones have been tested")
	}
	for guest, pairs := range real {
		for _, level := range levelsOfTests {
			e, d := NewEncoder(level), NewDecoder()
			dst, ends := e.AppendAll(nil, nil, pairs)
			start := 0
			for i, p := range pairs {
				checkRecord(t, e, d, p, dst[start:ends[i]])
				start = ends[i]
			}
			if record, ok := AppendXBZRLE(nil, pairs[0].Old, pairs[0].New); ok && !bytes.Equal(record, deltaspec.EncodeXBZRLE(pairs[0].Old, pairs[0].New)) {
				t.Errorf("%s: XBZRLE differs", guest)
			}
		}
	}
}

// A record is never taken for one of another page unless it gives the same
// page there.
func TestWrongOldPage(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 9))
	e, d := NewEncoder(lzrw1.Fast), NewDecoder()
	noticed := 0
	for range 3000 {
		old, new := versions(rng, sizes[rng.IntN(6)])
		record, ok := e.Append(nil, old, new)
		if !ok {
			continue
		}
		wrong := bytes.Clone(old)
		for range 1 + rng.IntN(3) {
			wrong[rng.IntN(len(wrong))] ^= byte(1 + rng.IntN(255))
		}
		switch err := d.Apply(wrong, record); {
		case err == nil && !bytes.Equal(wrong, new):
			t.Fatal("another page, and no error")
		case errors.Is(err, ErrMismatch):
			noticed++
		case err != nil:
			t.Fatal(err) // there is nothing wrong with the record itself
		}
	}
	if noticed < 500 {
		t.Errorf("noticed %d times only", noticed)
	}
}

// Whatever becomes of a record, Apply says what SPEC.md says.
func TestDamage(t *testing.T) {
	rng := rand.New(rand.NewPCG(10, 11))
	e, d := NewEncoder(lzrw1.Fast), NewDecoder()
	outcomes := make(map[string]int)
	check := func(old, record []byte) {
		t.Helper()
		want, wantErr := deltaspec.Apply(old, record)
		got := bytes.Clone(old)
		err := d.Apply(got, record)
		var bad *CorruptError
		switch {
		case errors.Is(wantErr, deltaspec.ErrMismatch):
			outcomes["mismatch"]++
			if err != ErrMismatch {
				t.Fatalf("%x: %v, want a mismatch", record, err)
			}
		case wantErr != nil:
			outcomes["corrupt"]++
			if !errors.As(err, &bad) {
				t.Fatalf("%x: %v, want that it is corrupt", record, err)
			}
			if !bytes.Equal(got, old) {
				t.Fatalf("%x: %v, but the page is changed", record, err)
			}
		default:
			outcomes["right"]++
			if err != nil || !bytes.Equal(got, want) {
				t.Fatalf("%x: %v, want none", record, err)
			}
		}
	}
	for range 400 {
		old, new := versions(rng, sizes[rng.IntN(6)])
		record, ok := e.Append(nil, old, new)
		if !ok {
			continue
		}
		check(old, record)
		for n := 0; n < len(record); n += 1 + len(record)/100 {
			check(old, record[:n])
		}
		check(old, append(bytes.Clone(record), 0))
		for i := 0; i < len(record); i += 1 + len(record)/100 {
			for _, with := range []byte{0x01, 0x80, 0xFF, byte(rng.Uint32())} {
				damaged := bytes.Clone(record)
				damaged[i] ^= with
				check(old, damaged)
				if i < headBytes || with == 0 {
					continue
				}
				// and with a checksum that hides it
				if page, err := deltaspec.Apply(old, damaged); errors.Is(err, deltaspec.ErrMismatch) {
					le.PutUint32(damaged[1:], Checksum(page))
					check(old, damaged)
				}
			}
		}
	}
	for _, what := range []string{"mismatch", "corrupt", "right"} {
		if outcomes[what] < 1000 {
			t.Errorf("%s %d times only", what, outcomes[what])
		}
	}
}

// Every map, made and read back, of every form.
func TestMaps(t *testing.T) {
	rng := rand.New(rand.NewPCG(12, 13))
	for n := range 3000 {
		size := sizes[rng.IntN(9)]
		var tr, back tree
		tr.resize(size / 64)
		back.resize(size / 64)
		set := tr.set()
		for range 1 + rng.IntN(1+n%40) {
			start := rng.IntN(len(set) * 8)
			for i := start; i < min(start+1+rng.IntN(1+n%70), len(set)*8); i++ {
				set[i/8] |= 1 << (i % 8)
			}
		}
		behind := []byte{1, 2, 3}
		length := tr.build()
		encoded := append(tr.append(nil), behind...)
		if len(encoded) != length+3 {
			t.Fatalf("a tree of %d bytes has %d", length, len(encoded)-3)
		}
		for k := range back.count {
			for i := range back.levels[k] {
				back.levels[k][i] = 0xA5
			}
		}
		if rest, ok := back.parse(encoded); !ok || !bytes.Equal(rest, behind) || !bytes.Equal(back.set(), set) {
			t.Fatalf("%x read back as %x", set, back.set())
		}
		runs, ok := appendRuns(nil, set, 1<<20)
		if !ok {
			t.Fatal("runs too long")
		}
		if short, ok := appendRuns([]byte("x"), set, len(runs)); ok || string(short) != "x" {
			t.Fatal("runs as long as the limit")
		}
		if _, ok := appendRuns(nil, set, len(runs)+1); !ok {
			t.Fatal("no runs shorter than the limit")
		}
		if rest, ok := parseRuns(back.set(), append(runs, behind...)); !ok || !bytes.Equal(rest, behind) || !bytes.Equal(back.set(), set) {
			t.Fatalf("%x read back as %x", set, back.set())
		}
	}
}

func TestInvalidPages(t *testing.T) {
	for _, size := range []int{0, 8, 63, 65, 2<<20 + 64} {
		var bad *CorruptError
		if err := NewDecoder().Apply(make([]byte, size), unhex("00 00000000")); !errors.As(err, &bad) {
			t.Errorf("page of %d bytes: %v", size, err)
		}
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("no panic for a page of %d bytes", size)
				}
			}()
			NewEncoder(lzrw1.Fast).Append(nil, make([]byte, size), make([]byte, size))
		}()
	}
}

func TestAllocations(t *testing.T) {
	rng := rand.New(rand.NewPCG(14, 15))
	var pairs []Pair
	for range 64 {
		old, new := versions(rng, 4096)
		pairs = append(pairs, Pair{old, new})
	}
	for _, level := range levelsOfTests {
		e, d := NewEncoder(level), NewDecoder()
		var dst []byte
		var ends []int
		page := make([]byte, 4096)
		if n := testing.AllocsPerRun(20, func() {
			dst, ends = e.AppendAll(dst[:0], ends[:0], pairs)
			start := 0
			for i, end := range ends {
				if end > start {
					copy(page, pairs[i].Old)
					if err := d.Apply(page, dst[start:end]); err != nil {
						t.Fatal(err)
					}
				}
				start = end
			}
		}); n > 0 {
			t.Errorf("%v: %v allocations", level, n)
		}
	}
}

func ExampleEncoder() {
	old := bytes.Repeat([]byte("a page of memory"), 256)
	new := bytes.Clone(old)
	new[1000]++

	record, ok := NewEncoder(lzrw1.Fast).Append(nil, old, new)
	fmt.Println(ok, len(record))

	err := NewDecoder().Apply(old, record)
	fmt.Println(err, bytes.Equal(old, new))
	// Output:
	// true 10
	// <nil> true
}
