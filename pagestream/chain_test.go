package pagestream

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lzpage/lzpage/delta"
)

// smallChain is a base, a stream of it with a round, and the memory that they
// are.
func smallChain(t testing.TB) (base, top []byte, before, after []memory) {
	const pageSize = 512
	rng := rand.New(rand.NewPCG(50, 51))
	for i, size := range []int{22*pageSize + 100, 19 * pageSize} {
		at := uint64(i) << 32
		data := guestMemory(uint64(52+i), size, pageSize)
		clear(data[8*pageSize : 16*pageSize])
		before = append(before, memory{Region{Address: at, FileOffset: at, Length: uint64(size)}, data})
	}
	options := Options{PageSize: pageSize, ClusterPages: 4}
	base = write(t, options, before...)
	after = slices.Clone(before)
	for i := range after {
		data := bytes.Clone(after[i].data)
		for at := 0; at < len(data); at += 3 * pageSize {
			binary.LittleEndian.PutUint64(data[at+8*rng.IntN(12):], rng.Uint64())
		}
		fillNoise(data[5*pageSize : 6*pageSize])
		clear(data[17*pageSize : 19*pageSize])
		after[i].data = data
	}
	first := slices.Clone(after)
	options.Base, options.BaseName = openAt(t, base, nil), "base.lzp"
	options.Cache = newCache(t, 1<<20, pageSize)
	data := bytes.Clone(after[0].data)
	data[9]++
	data[20*pageSize]++
	after[0].data = data
	round := []change{{0, 0, data[:pageSize]}, {0, 20, data[20*pageSize : 21*pageSize]}}
	top = writeRounds(t, options, first, [][]change{round})
	return base, top, before, after
}

func TestSmallChain(t *testing.T) {
	base, top, before, after := smallChain(t)
	random, slow := checkLayers(t, base, nil, nil, before...)
	random, _ = checkLayers(t, top, random, slow, after...)
	if h := random.Header(); h.Base == nil || h.Base.ID != random.base.Totals().ID || h.Base.Name != "base.lzp" {
		t.Errorf("the header names base %+v", h.Base)
	}
	for k, n := range random.Totals().Pages {
		if n == 0 && Kind(k) != Word && Kind(k) != LZRW1 && Kind(k) != Duplicate && Kind(k) != PlainPacked && Kind(k) != LZRW1Packed {
			t.Errorf("no page of kind %v", Kind(k))
		}
	}
}

// rightOrTyped reads all pages and checks that each is right or an error of this
// package. It returns how many are right.
func rightOrTyped(t *testing.T, what string, r *ReaderAt, all []memory) (right int) {
	t.Helper()
	page := make([]byte, 512)
	for i, region := range r.Regions() {
		for p := range min(region.Pages(512), 100) {
			var e *Error
			if err := r.ReadPage(page, i, p); err != nil {
				if !errors.As(err, &e) {
					t.Fatalf("%s: %v", what, err)
				}
			} else if want := all[i].data[p*512:]; !bytes.Equal(page[:min(512, len(want))], want[:min(512, len(want))]) {
				t.Fatalf("%s: page %d of region %d is wrong", what, p, i)
			} else {
				right++
			}
		}
	}
	return right
}

// handedRight reads the stream in order and checks that what is handed out is
// right in its round, and that the error is one of this package.
func handedRight(t *testing.T, what string, stream []byte, earlier Earlier, rounds ...[]memory) error {
	t.Helper()
	r, err := NewReader(bytes.NewReader(stream), ReadOptions{Workers: 1, Earlier: earlier})
	if err == nil {
		_, err = r.Each(context.Background(), sinkFunc(func(p Pages) error {
			for i := range p.Count {
				want := rounds[p.Round][p.Region].data[(p.First+i)*512:]
				n := min(512, len(want))
				if p.Data == nil && !bytes.Equal(want[:n], make([]byte, n)) || p.Data != nil && !bytes.Equal(p.Data[i*512:][:n], want[:n]) {
					t.Fatalf("%s: page %d of region %d is wrong in round %d", what, p.First+i, p.Region, p.Round)
				}
			}
			return nil
		}))
	}
	var e *Error
	if err != nil && !errors.As(err, &e) {
		t.Fatalf("%s: %v", what, err)
	}
	return err
}

type sinkFunc func(Pages) error

func (f sinkFunc) Region(int, Region) error { return nil }
func (f sinkFunc) Pages(p Pages) error      { return f(p) }

// Whatever byte of a stream or of its base changes, no wrong page is read.
func TestChangedBytesInAChain(t *testing.T) {
	base, top, _, after := smallChain(t)
	middle := slices.Clone(after) // round 0 of the top
	middle[0].data = bytes.Clone(after[0].data)
	middle[0].data[9]--
	middle[0].data[20*512]--
	good := openAt(t, base, nil)
	goodTop := openAt(t, top, good)
	if err := handedRight(t, "nothing changed", top, goodTop, middle, after); err != nil {
		t.Fatal(err)
	}
	for n := 0; n < len(top); n += stride(7) {
		damaged := bytes.Clone(top)
		damaged[n] ^= byte(1 + n%255)
		what := fmt.Sprintf("byte %d of the top changed", n)
		if err := handedRight(t, what, damaged, goodTop, middle, after); err == nil {
			t.Fatalf("%s: not noticed", what)
		}
		r, err := NewReaderAt(bytes.NewReader(damaged), int64(len(damaged)), ReadOptions{Base: good})
		var e *Error
		if err == nil {
			rightOrTyped(t, what, r, after)
		} else if !errors.As(err, &e) {
			t.Fatalf("%s: %v", what, err)
		}
	}
	for n := 0; n < len(base); n += stride(7) {
		damaged := bytes.Clone(base)
		damaged[n] ^= byte(1 + n%255)
		what := fmt.Sprintf("byte %d of the base changed", n)
		var e *Error
		opened, err := NewReaderAt(bytes.NewReader(damaged), int64(len(damaged)), ReadOptions{})
		if err == nil {
			var r *ReaderAt
			if r, err = NewReaderAt(bytes.NewReader(top), int64(len(top)), ReadOptions{Base: opened}); err == nil {
				rightOrTyped(t, what, r, after)
			}
		}
		if err != nil && !errors.As(err, &e) {
			t.Fatalf("%s: %v", what, err)
		}

		// changed after it was opened
		under := bytes.Clone(base)
		r := openAt(t, top, openAt(t, under, nil))
		copy(under, damaged)
		rightOrTyped(t, what+" later", r, after)
		if err := handedRight(t, what, top, r, middle, after); err != nil && !errors.Is(err, ErrCorrupt) {
			t.Fatalf("%s: %v", what, err)
		}
		if _, err := writeErr(r.base, after); err != nil && !errors.Is(err, ErrCorrupt) {
			t.Fatalf("%s: the Writer says %v", what, err)
		}
	}
	for n := range len(top) {
		if _, err := NewReaderAt(bytes.NewReader(top[:n]), int64(n), ReadOptions{Base: good}); !errors.Is(err, ErrCut) && n > 0 {
			t.Fatalf("the top cut at %d: %v", n, err)
		}
		if err := handedRight(t, "cut", top[:n], goodTop, middle, after); !errors.Is(err, ErrCut) && n > 0 {
			t.Fatalf("the top cut at %d: Reader says %v", n, err)
		}
	}
}

// writeErr writes a stream on top of base and returns what the Writer says.
func writeErr(base *ReaderAt, all []memory) ([]byte, error) {
	var out bytes.Buffer
	w, err := NewWriter(context.Background(), &out, Options{Base: base, Workers: 1})
	if err != nil {
		return nil, err
	}
	for _, m := range all {
		_ = w.BeginRegion(m.region)
		_, _ = w.Write(m.data)
	}
	_, err = w.Close()
	return out.Bytes(), err
}

// A base that holds other memory under the same identity gives errors where
// its pages matter to deltas.
func TestBaseBehindItsIdentity(t *testing.T) {
	const pageSize = 512
	data := bytes.Repeat([]byte("8 bytes."), 4*pageSize/8)
	m := memory{Region{Length: uint64(len(data))}, data}
	base := write(t, Options{PageSize: pageSize, ClusterPages: 1, DuplicateWindow: NoDuplicates}, m)
	m.data = bytes.Clone(data)
	m.data[2*pageSize]++
	top := writeOn(t, openAt(t, base, nil), Options{}, m)
	other := rebuilt(t, base, func(h *frameHeader, payload []byte) []byte {
		if h.typ == pagesFrame {
			payload[5] ^= 1 // of the word
		}
		return payload
	})
	r := openAt(t, top, openAt(t, other, nil))
	page := make([]byte, pageSize)
	if err := r.ReadPage(page, 0, 2); !errors.Is(err, ErrCorrupt) || !errors.Is(err, delta.ErrMismatch) {
		t.Errorf("a delta of another page than its earlier version: %v", err)
	}
}

func TestWrongBase(t *testing.T) {
	base, top, _, _ := smallChain(t)
	other := write(t, Options{PageSize: 512}, memory{Region{Length: 512}, guestMemory(60, 512, 512)})
	rightID, wrongID := openAt(t, base, nil).Totals().ID.String(), openAt(t, other, nil).Totals().ID.String()
	if len(rightID) != 32 || rightID == wrongID {
		t.Fatalf("identities %s and %s", rightID, wrongID)
	}
	_, err := NewReaderAt(bytes.NewReader(top), int64(len(top)), ReadOptions{Base: openAt(t, other, nil)})
	if !errors.Is(err, ErrBase) || !strings.Contains(err.Error(), rightID) || !strings.Contains(err.Error(), wrongID) {
		t.Errorf("the wrong base: %v", err)
	}
	_, err = NewReaderAt(bytes.NewReader(base), int64(len(base)), ReadOptions{Base: openAt(t, other, nil)})
	if !errors.Is(err, ErrBase) {
		t.Errorf("a base for a stream without: %v", err)
	}

	alone := openAt(t, top, nil)
	if len(alone.Regions()) != 2 || alone.Totals().Bytes == 0 {
		t.Errorf("without its base the stream has %+v, %+v", alone.Regions(), alone.Totals())
	}
	page := make([]byte, 512)
	if err := alone.ReadPage(page, 0, 1); !errors.Is(err, ErrBase) || !strings.Contains(err.Error(), rightID) || !strings.Contains(err.Error(), "base.lzp") {
		t.Errorf("a page of the missing base: %v", err)
	}
	if err := alone.ReadPage(page, 0, 5); err != nil { // noise, carried whole
		t.Errorf("a page that needs no base: %v", err)
	}
	if err := handedRight(t, "no earlier versions", top, nil); !errors.Is(err, ErrBase) {
		t.Errorf("Reader without earlier versions: %v", err)
	}

	if _, err := NewWriter(context.Background(), io.Discard, Options{PageSize: 4096, Base: openAt(t, base, nil)}); !errors.Is(err, ErrBase) {
		t.Errorf("another page size than the base's: %v", err)
	}
	for _, name := range []string{".", "..", "a/b", "/a", "a\x00"} {
		if _, err := NewWriter(context.Background(), io.Discard, Options{Base: openAt(t, base, nil), BaseName: name}); err == nil {
			t.Errorf("%q is taken for the name of a base", name)
		}
	}
	// the base's pages are larger, or its regions fewer
	id := openAt(t, base, nil).Totals().ID
	large := write(t, Options{PageSize: 1024}, memory{Region{Length: 512}, make([]byte, 512)})
	for name, of := range map[string][]byte{"pages of another size": large, "fewer regions": other} {
		posing := rebuilt(t, of, func(h *frameHeader, payload []byte) []byte {
			if h.typ == endFrame {
				copy(payload[5*8+8*Kinds:], id[:])
			}
			return payload
		})
		_, err := NewReaderAt(bytes.NewReader(top), int64(len(top)), ReadOptions{Base: openAt(t, posing, nil)})
		var e *Error
		if !errors.As(err, &e) {
			t.Errorf("a base with %s: %v", name, err)
		}
	}
}

// Errors of the base's file come through.
func TestFailingBase(t *testing.T) {
	base, _, _, after := smallChain(t)
	r := openAt(t, base, nil)
	r.src = failingReaderAt{}
	if _, err := writeErr(r, after); !errors.Is(err, errTest) {
		t.Errorf("a base that cannot be read: %v", err)
	}
}

type failingReaderAt struct{}

func (failingReaderAt) ReadAt([]byte, int64) (int, error) { return 0, errTest }

// Memory that did not change takes next to nothing, and a hole costs nothing
// where the base has it, too.
func TestUnchanged(t *testing.T) {
	data := guestMemory(61, 16<<20, 4096)
	m := memory{Region{Length: uint64(len(data))}, data}
	base := openAt(t, write(t, Options{}, m), nil)
	top := writeOn(t, base, Options{}, m)
	if len(top) > 400 {
		t.Errorf("16 MiB that did not change take %d bytes", len(top))
	}
	if kept := openAt(t, top, base).Totals().Kept; kept != 16<<20/4096 {
		t.Errorf("%d pages are kept", kept)
	}

	fillNoise(data)
	noise := openAt(t, write(t, Options{}, m), nil)
	clear(data)
	if top := writeOn(t, noise, Options{}, m); len(top) > 450 {
		t.Errorf("16 MiB that were freed take %d bytes", len(top))
	}

	const size = 1 << 46
	hole := func(base *ReaderAt, end string) *ReaderAt {
		var out bytes.Buffer
		w, err := NewWriter(context.Background(), &out, Options{Base: base})
		if err != nil {
			t.Fatal(err)
		}
		_ = w.BeginRegion(Region{Length: UnknownLength})
		for range 4 {
			if err := w.Skip(size / 4); err != nil {
				t.Fatal(err)
			}
			_, _ = w.Write([]byte(end))
		}
		if _, err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if out.Len() > 1500 {
			t.Errorf("a hole takes %d bytes", out.Len())
		}
		return openAt(t, out.Bytes(), base)
	}
	start := time.Now()
	first := hole(nil, "hello")
	second := hole(first, "hello")
	third := hole(second, "world")
	got := make([]byte, 10)
	for n := range uint64(4) {
		at := (n+1)*size/4 + 5*n
		if _, err := third.ReadRegionAt(got, 0, int64(at)-5); err != nil && err != io.EOF || string(got) != "\x00\x00\x00\x00\x00world" {
			t.Errorf("read %q, %v", got, err)
		}
	}
	// what is a hole now need not have been one
	var out bytes.Buffer
	w, err := NewWriter(context.Background(), &out, Options{Base: third})
	if err != nil {
		t.Fatal(err)
	}
	_ = w.BeginRegion(Region{Length: UnknownLength})
	if err := w.Skip(size + 20); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Close(); err != nil {
		t.Fatal(err)
	}
	fourth := openAt(t, out.Bytes(), third)
	for n := range uint64(4) {
		at := (n+1)*size/4 + 5*n
		if _, err := fourth.ReadRegionAt(got, 0, int64(at)-5); err != nil && err != io.EOF || !bytes.Equal(got, make([]byte, 10)) {
			t.Errorf("read %q, %v", got, err)
		}
	}
	if taken := time.Since(start); taken > 20*time.Second {
		t.Errorf("holes took %v", taken)
	}
}

// What is said to be zero without looking is zero, in every layer's holes.
func TestZeroRun(t *testing.T) {
	const pageSize = 512
	claimed := 0
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 70))
		data := make([]byte, 300*pageSize)
		var base *ReaderAt
		for range 4 {
			for range 6 {
				at, n := rng.IntN(300), 1+rng.IntN(50)
				piece := data[at*pageSize : min(300, at+n)*pageSize]
				if rng.IntN(3) > 0 {
					clear(piece)
				} else if rng.IntN(2) == 0 {
					fillNoise(piece)
				} else {
					piece[0]++
					piece[len(piece)-1]++
				}
			}
			length := (250+rng.IntN(50))*pageSize + rng.IntN(pageSize)
			m := memory{Region{Length: uint64(length)}, bytes.Clone(data[:length])}
			clear(data[length:])
			var rounds [][]change
			if rng.IntN(2) == 0 {
				at := rng.IntN(200)
				clear(data[at*pageSize : (at+40)*pageSize])
				rounds = [][]change{{{0, uint64(at), data[at*pageSize : (at+40)*pageSize]}}}
			}
			base = openAt(t, writeRounds(t, Options{PageSize: pageSize, ClusterPages: 4, Base: base}, []memory{m}, rounds), base)
			for first := range uint64(300) {
				n, zero, err := base.zeroRun(0, first)
				if err != nil || n == 0 {
					t.Fatalf("page %d: %d pages, %v", first, n, err)
				}
				if zero {
					claimed++
					if !bytes.Equal(data[first*pageSize:min(300, first+n)*pageSize], make([]byte, min(300-first, n)*pageSize)) {
						t.Fatalf("seed %d: %d pages from %d on are not all zero", seed, n, first)
					}
				}
				pages, err := base.ZeroRun(0, first)
				left := uint64((length+pageSize-1)/pageSize) - min(first, uint64((length+pageSize-1)/pageSize))
				switch {
				case left == 0:
					if pages != 0 || err != ErrRange {
						t.Fatalf("page %d of a shorter region: %d, %v", first, pages, err)
					}
				case err != nil, zero && pages != min(n, left), !zero && pages != 0:
					t.Fatalf("page %d: %d pages of %d, of which it is true that they are zero: %v, %v", first, pages, n, zero, err)
				}
			}
		}
	}
	if claimed < 1000 {
		t.Errorf("only %d pages are said to be zero", claimed)
	}
}

// A region of 4 TiB, zero but for a page, is known to be so by two calls, also
// where that is an increment's.
func TestZeroRunOfHoles(t *testing.T) {
	const pages, full = 1 << 30, 12345678
	var base *ReaderAt
	for range 2 {
		var out bytes.Buffer
		w, err := NewWriter(context.Background(), &out, Options{Base: base})
		if err != nil {
			t.Fatal(err)
		}
		_ = w.BeginRegion(Region{Length: pages * DefaultPageSize})
		_ = w.Skip(full * DefaultPageSize)
		_, _ = w.Write(bytes.Repeat([]byte{1, 2}, DefaultPageSize/2))
		_ = w.Skip((pages - full - 1) * DefaultPageSize)
		if _, err := w.Close(); err != nil {
			t.Fatal(err)
		}
		base = openAt(t, out.Bytes(), base)
		cluster := uint64(full / DefaultClusterPages * DefaultClusterPages) // that of the page is not a zero run
		for _, c := range []struct{ page, zero uint64 }{{0, cluster}, {5, cluster - 5}, {full, 0}, {cluster + DefaultClusterPages, pages - cluster - DefaultClusterPages}, {pages - 1, 1}} {
			if n, err := base.ZeroRun(0, c.page); n != c.zero || err != nil {
				t.Errorf("%d pages from page %d on are zero, %v; it should be %d", n, c.page, err, c.zero)
			}
		}
		for _, region := range []int{-1, 1} {
			if _, err := base.ZeroRun(region, 0); err != ErrRange {
				t.Errorf("region %d: %v", region, err)
			}
		}
		if _, err := base.ZeroRun(0, pages); err != ErrRange {
			t.Errorf("a page beyond the end: %v", err)
		}
	}
}

// What is given to Write, ReadFrom and Skip in whatever pieces makes the same
// stream on top of a base, too.
func TestPiecesOnABase(t *testing.T) {
	before := guestMemory(62, 9<<20+123, 4096)
	clear(before[1<<20 : 7<<20])
	data := bytes.Clone(before)
	clear(data[6<<20+77 : 8<<20+5])
	data[3<<20] = 1
	base := openAt(t, write(t, Options{}, memory{Region{Length: UnknownLength}, before}), nil)
	want := writeOn(t, base, Options{}, memory{Region{Length: UnknownLength}, data})
	rng := rand.New(rand.NewPCG(2, 4))
	for trial := range 10 {
		var out bytes.Buffer
		w, err := NewWriter(context.Background(), &out, Options{Base: base})
		if err != nil {
			t.Fatal(err)
		}
		_ = w.BeginRegion(Region{Length: UnknownLength})
		for at := 0; at < len(data); {
			n := min(len(data)-at, 1+rng.IntN(1<<(10+rng.IntN(14))))
			if bytes.Equal(data[at:at+n], make([]byte, n)) {
				err = w.Skip(uint64(n))
			} else {
				_, err = w.Write(data[at : at+n])
			}
			if err != nil {
				t.Fatal(err)
			}
			at += n
		}
		if _, err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(out.Bytes(), want) {
			t.Errorf("trial %d: pieces make another stream", trial)
		}
	}
}

// A chain of ten streams is read by many at a time, in any order.
func TestConcurrentChain(t *testing.T) {
	rng := rand.New(rand.NewPCG(63, 64))
	data := guestMemory(65, 1<<20, 4096)
	var base *ReaderAt
	for range 10 {
		m := memory{Region{Length: uint64(len(data))}, data}
		base = openAt(t, writeOn(t, base, Options{}, m), base)
		data = bytes.Clone(data)
		for range 40 {
			binary.LittleEndian.PutUint64(data[8*rng.IntN(len(data)/8):], rng.Uint64())
		}
	}
	data = nil
	want := make([]byte, 1<<20)
	if _, err := base.ReadRegionAt(want, 0, 0); err != nil && err != io.EOF {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			rng := rand.New(rand.NewPCG(uint64(g), 2))
			page := make([]byte, 4096)
			for range 100 {
				p := make([]byte, rng.IntN(20_000))
				off := rng.IntN(len(want) - len(p))
				if _, err := base.ReadRegionAt(p, 0, int64(off)); err != nil || !bytes.Equal(p, want[off:off+len(p)]) {
					t.Errorf("%d bytes at %d: %v or other bytes", len(p), off, err)
				}
				n := rng.IntN(len(want) / 4096)
				if err := base.ReadPage(page, 0, uint64(n)); err != nil || !bytes.Equal(page, want[n*4096:][:4096]) {
					t.Errorf("page %d: %v or other bytes", n, err)
				}
			}
		}()
	}
	wg.Wait()
}

// The most rounds there may be neither break a reader nor take it long, be
// there a delta in each of them or nothing.
func TestManyRounds(t *testing.T) {
	const pageSize = 512
	rounds := MaxRounds
	if testing.Short() {
		rounds = 1000
	}
	m := memory{Region{Length: 2 * pageSize}, guestMemory(66, 2*pageSize, pageSize)}
	fillNoise(m.data)
	var out bytes.Buffer
	w, err := NewWriter(context.Background(), &out, Options{PageSize: pageSize, Workers: 1, DuplicateWindow: 1, Cache: newCache(t, 1<<20, pageSize)})
	if err != nil {
		t.Fatal(err)
	}
	_ = w.BeginRegion(m.region)
	_, _ = w.Write(m.data)
	for round := range rounds {
		if err := w.BeginRound(); err != nil {
			t.Fatal(err)
		}
		m.data[round%pageSize]++
		if err := w.WritePages(0, 0, m.data[:pageSize]); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.Close(); err != nil {
		t.Fatal(err)
	}
	r := openAt(t, out.Bytes(), nil)
	if n := r.Totals().Pages[Delta]; n != uint64(rounds) {
		t.Errorf("%d deltas in %d rounds", n, rounds)
	}
	start := time.Now()
	page := make([]byte, pageSize)
	for n := range 2 {
		if err := r.ReadPage(page, 0, uint64(n)); err != nil || !bytes.Equal(page, m.data[n*pageSize:][:pageSize]) {
			t.Errorf("page %d: %v or other bytes", n, err)
		}
	}
	if taken := time.Since(start); taken > 10*time.Second {
		t.Errorf("two pages took %v", taken)
	}
	receive(t, out.Bytes(), []memory{m})
}

func TestTooManyRounds(t *testing.T) {
	w, err := NewWriter(context.Background(), io.Discard, Options{PageSize: 512, Workers: 1, DuplicateWindow: 1})
	if err != nil {
		t.Fatal(err)
	}
	for range MaxRounds {
		if err := w.BeginRound(); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.BeginRound(); err == nil {
		t.Error("a round too many begins")
	}
	if _, err := w.Close(); err == nil {
		t.Error("Close forgets the error")
	}
}

// A stream is read with nothing allocated for a page, in a chain, too.
func TestNoAllocationsAPageInAChain(t *testing.T) {
	data := guestMemory(67, 4<<20, 4096)
	before := memory{Region{Length: uint64(len(data))}, bytes.Clone(data)}
	for at := 0; at < len(data); at += 2 * 4096 {
		data[at]++
	}
	after := memory{Region{Length: uint64(len(data))}, data}
	base := openAt(t, write(t, Options{}, before), nil)
	top := openAt(t, writeOn(t, base, Options{}, after), base)
	page := make([]byte, 4096)
	next := uint64(0)
	allocs := testing.AllocsPerRun(2000, func() {
		next = (next + 37) % (4 << 8)
		if err := top.ReadPage(page, 0, next); err != nil {
			t.Fatal(err)
		}
	})
	if allocs > 0.5 { // the pool may be emptied by the garbage collector
		t.Errorf("%v allocations a page read at random", allocs)
	}
	count := func(n int) float64 {
		return testing.AllocsPerRun(3, func() {
			w, err := NewWriter(context.Background(), io.Discard, Options{Base: top, Workers: 1, DuplicateWindow: 64})
			if err != nil {
				t.Fatal(err)
			}
			for range n {
				_ = w.BeginRegion(Region{Length: UnknownLength})
				_, _ = w.Write(before.data)
			}
			if _, err := w.Close(); err != nil {
				t.Fatal(err)
			}
		})
	}
	if more := (count(24) - count(8)) / (16 * 4 << 8); more > 0.05 {
		t.Errorf("Writer: %v allocations a page", more)
	}
}

// Regions find the one of the base at the same place, each another one.
func TestBaseRegions(t *testing.T) {
	page := func(b byte) []byte { return bytes.Repeat([]byte{b, 1, 2, 3, 4, 5, 6, b}, 4096/8) }
	stream := func(base *ReaderAt, regions ...memory) *ReaderAt {
		return openAt(t, writeOn(t, base, Options{}, regions...), base)
	}
	at := func(class Class, address, offset uint64, b byte) memory {
		return memory{Region{Class: class, Address: address, FileOffset: offset, Length: 4096}, page(b)}
	}
	base := stream(nil, at(Other, 0, 0, 1), at(Memory, 0x1000, 0x1000, 2), at(Memory, 0x1000, 0x2000, 3), at(Memory, 0x2000, 0x3000, 4), at(Other, 0, 0x4000, 5))
	top := stream(base, at(Memory, 0x1000, 0, 2), at(Other, 0, 0x4000, 5), at(Memory, 0x1000, 0x5000, 3), at(Memory, 0x1000, 0x6000, 6), at(Memory, 0, 0, 7), at(Other, 0, 0x1000, 8))
	for i, want := range []int{1, 4, 2, noBase, noBase, noBase} {
		if got := top.regions[i].base; got != want {
			t.Errorf("region %d is based on region %d, want %d", i, got, want)
		}
	}
	if kept := top.Totals().Kept; kept != 3 {
		t.Errorf("%d pages are kept, want 3", kept)
	}
}

// handFrame returns a frame, made as SPEC.md says.
func handFrame(typ, geometry byte, pages uint16, region uint32, first uint64, payload ...byte) []byte {
	castagnoli := crc32.MakeTable(0x82F63B78)
	b := []byte{0x89, 0x4C, 0x5A, 0x50, typ, geometry, byte(pages), byte(pages >> 8)}
	b = binary.LittleEndian.AppendUint32(b, region)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(payload)))
	b = binary.LittleEndian.AppendUint64(b, first)
	b = binary.LittleEndian.AppendUint32(b, crc32.Checksum(payload, castagnoli))
	b = binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
	return append(b, payload...)
}

// handEnd appends the end frame to a stream of frames.
func handEnd(geometry byte, frames [][]byte, index int, bytes, rounds, kept uint64, pages [8]uint64) (stream, id []byte) {
	identity := slices.Clone(frames[0][32:])
	at := 0
	for i, f := range frames {
		if i == index {
			at = len(stream)
		}
		identity = append(identity, f[:32]...)
		stream = append(stream, f...)
	}
	var b []byte
	for _, v := range append([]uint64{uint64(at), uint64(len(frames)), bytes, rounds, kept}, pages[:]...) {
		b = binary.LittleEndian.AppendUint64(b, v)
	}
	hash := sha256.Sum256(identity)
	b = append(b, hash[:16]...)
	b = append(b, byte(32+len(b)+8), 0, 0, 0, 0x50, 0x5A, 0x4C, 0x89)
	return append(stream, handFrame(6, geometry, 0, 0, 0, b...)...), hash[:16]
}

// A stream with a base and a round, written byte by byte as SPEC.md says, is
// what the Writer writes, and is read as what it means.
func TestGoldenChain(t *testing.T) {
	const pageSize, geometry = 512, 0 | 2<<4 // clusters of four
	word := func(b byte) []byte { return bytes.Repeat([]byte{b, 0, 0, 0, 0, 0, 0, 0}, pageSize/8) }
	region := func(length uint16, fields ...byte) []byte {
		return append([]byte{0, 0, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, byte(length), byte(length >> 8), 0, 0, 0, 0, 0, 0}, fields...)
	}
	u64 := func(v uint64) []byte { return binary.LittleEndian.AppendUint64(nil, v) }

	// base: words 1 to 4, and four zero pages
	baseFrames := [][]byte{
		handFrame(1, geometry, 0, 0, 0, 1, 0),
		handFrame(2, geometry, 0, 0, 0, region(8*pageSize)...),
		handFrame(3, geometry, 4, 0, 0,
			1, 1, 0, 0, 0, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0, 0, 0, 1, 3, 0, 0, 0, 0, 0, 0, 0, 1, 4, 0, 0, 0, 0, 0, 0, 0),
		handFrame(4, geometry, 0, 0, 4, u64(4)...),
		handFrame(2, geometry, 0, 0, 0, region(8*pageSize)...),
		handFrame(5, geometry, 0, 0, 0, append(u64(34+57), 0, // behind header and region, in round 0
			0, 68<<1&0x7F|0x80, 68>>6, 4,
			0, 40<<1|1, 4)...),
	}
	baseStream, baseID := handEnd(geometry, baseFrames, 4, 8*pageSize, 0, 0, [8]uint64{4, 4})
	m := memory{Region{Address: 0x1000, Length: 8 * pageSize}, slices.Concat(word(1), word(2), word(3), word(4), make([]byte, 4*pageSize))}
	options := Options{PageSize: pageSize, ClusterPages: 4, DuplicateWindow: NoDuplicates}
	if got := write(t, options, m); !bytes.Equal(got, baseStream) {
		t.Errorf("the base is written as\n%x, want\n%x", got, baseStream)
	}

	// top: page 0 is zero, 1 as it was, 2 with another word in it, 6 word 5; then page 6 as word 7
	old := word(3)
	changed := bytes.Clone(old)
	changed[8*9] = 9
	record, ok := delta.NewEncoder(0).Append(nil, old, changed)
	if !ok || len(record) > 15 { // or the frame's length would be longer

		t.Fatalf("a delta of %d bytes", len(record))
	}
	pages := append([]byte{0, 8, 1, 7, byte(len(record)), 8, 3, 1, 5, 0, 0, 0, 0, 0, 0, 0}, record...)
	frame := uint64(32 + len(pages))
	header := append([]byte{1, 0, 4, 18}, append(baseID, "b."...)...)
	at := uint64(32 + len(header) + 32 + 25 + 3) // of the pages
	topFrames := [][]byte{
		handFrame(1, geometry, 0, 0, 0, header...),
		handFrame(2, geometry, 0, 0, 0, region(8*pageSize, 2, 1, 0)...),
		handFrame(3, geometry, 3, 0, 0, pages...),
		handFrame(7, geometry, 0, 0, 0, 1, 0, 0, 0),
		handFrame(3, geometry, 1, 0, 6, 1, 7, 0, 0, 0, 0, 0, 0, 0),
		handFrame(2, geometry, 0, 0, 0, region(8*pageSize, 2, 1, 0)...),
		handFrame(5, geometry, 0, 0, 0, append(u64(at), 0, 0, byte(frame<<1), 7)...),
		handFrame(5, geometry, 0, 0, 6, append(u64(at+frame+36), 1, 0, 41<<1, 1)...),
	}
	topStream, _ := handEnd(geometry, topFrames, 5, 8*pageSize, 1, 5, [8]uint64{1, 2, 0, 0, 0, 0, 0, 1})
	m.data = slices.Concat(make([]byte, pageSize), word(2), changed, word(4), make([]byte, 2*pageSize), word(5), make([]byte, pageSize))
	options.Base, options.BaseName = openAt(t, baseStream, nil), "b."
	got := writeRounds(t, options, []memory{m}, [][]change{{{0, 6, word(7)}}})
	if !bytes.Equal(got, topStream) {
		t.Errorf("the top is written as\n%x, want\n%x", got, topStream)
	}
	copy(m.data[6*pageSize:], word(7))
	slow, err := slowRead(baseStream, nil)
	if err != nil {
		t.Fatal(err)
	}
	checkLayers(t, topStream, options.Base, &slow, m)
}
