package pagestream

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"github.com/lzpage/lzpage/lzrw1"
)

// A memory is what a test puts into a stream.
type memory struct {
	region Region
	data   []byte
}

// A recorder is a Sink that keeps all it gets.
type recorder struct {
	pageSize int
	regions  map[int]Region
	data     map[int][]byte
	got      map[int][]bool // by page
	kinds    [Kinds]int
	missing  map[int]uint64
	damages  []error
}

func newRecorder(pageSize int) *recorder {
	return &recorder{pageSize, map[int]Region{}, map[int][]byte{}, map[int][]bool{}, [Kinds]int{}, map[int]uint64{}, nil}
}

func (r *recorder) Region(number int, region Region) error {
	r.regions[number] = region
	return nil
}

func (r *recorder) Pages(p Pages) error {
	end := int(p.First + p.Count)
	data, got := r.data[p.Region], r.got[p.Region]
	for len(got) < end {
		got = append(got, false)
		data = append(data, make([]byte, r.pageSize)...)
	}
	for i := int(p.First); i < end; i++ {
		if got[i] {
			return fmt.Errorf("region %d, page %d handed out twice", p.Region, i)
		}
		got[i] = true
	}
	if p.Data == nil {
		r.kinds[Zero] += int(p.Count)
		clear(data[int(p.First)*r.pageSize : end*r.pageSize])
	} else {
		copy(data[int(p.First)*r.pageSize:], p.Data)
		if len(p.Kinds) != int(p.Count) || len(p.Stored) != int(p.Count) || len(p.Data) != int(p.Count)*r.pageSize {
			return fmt.Errorf("%d pages with %d kinds, %d sizes, %d bytes", p.Count, len(p.Kinds), len(p.Stored), len(p.Data))
		}
		for _, k := range p.Kinds {
			r.kinds[k]++
		}
	}
	r.data[p.Region], r.got[p.Region] = data, got
	return nil
}

func (r *recorder) salvage() *Salvage {
	return &Salvage{
		Damage:  func(err error, offset, length int64) { r.damages = append(r.damages, err) },
		Missing: func(region int, first, count uint64) { r.missing[region] += count },
	}
}

// guestMemory makes n bytes in which all kinds of pages occur.
func guestMemory(seed uint64, n, pageSize int) []byte {
	rng := rand.New(rand.NewPCG(seed, 99))
	b := make([]byte, n)
	text := []byte("the quick brown fox jumps over the lazy dog and away it ran ")
	for at := 0; at < n; at += pageSize {
		page := b[at:min(n, at+pageSize)]
		switch rng.IntN(9) {
		case 0, 1: // zero
		case 2: // one word
			word := rng.Uint64()
			for i := range page {
				page[i] = byte(word >> (8 * (i & 7)))
			}
		case 3: // an earlier page
			if at > 0 {
				copy(page, b[rng.IntN(at/pageSize)*pageSize:])
			}
		case 4: // noise
			for i := range page {
				page[i] = byte(rng.Uint32())
			}
		case 5: // noise between zero words
			for i := 0; i+8 <= len(page); i += 8 {
				if rng.IntN(3) == 0 {
					binary.LittleEndian.PutUint64(page[i:], rng.Uint64())
				}
			}
		case 6: // few words, much alike
			for i := 0; i+8 <= len(page); i += 8 {
				if rng.IntN(3) > 0 {
					binary.LittleEndian.PutUint64(page[i:], 0xffff888000000000+rng.Uint64N(40)*64)
				}
			}
		default: // text
			for i := range page {
				page[i] = text[(i*7/5+rng.IntN(2))%len(text)]
			}
		}
	}
	return b
}

func write(t testing.TB, options Options, all ...memory) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := NewWriter(context.Background(), &out, options)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range all {
		if err := w.BeginRegion(m.region); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(m.data); err != nil {
			t.Fatal(err)
		}
	}
	totals, err := w.Close()
	if err != nil {
		t.Fatal(err)
	}
	if totals.Stored != uint64(out.Len()) {
		t.Errorf("Close says %d bytes were stored, it was %d", totals.Stored, out.Len())
	}
	return out.Bytes()
}

// check reads the stream in every way and compares it with what it is made of.
func check(t testing.TB, stream []byte, options Options, all ...memory) recorder {
	t.Helper()
	pageSize := options.PageSize
	if pageSize == 0 {
		pageSize = DefaultPageSize
	}
	slow, err := slowRead(stream, nil)
	if err != nil {
		t.Fatalf("the slow reader says %v", err)
	}
	r, err := NewReader(bytes.NewReader(stream), ReadOptions{Workers: 3})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(options.Metadata, r.Header().Metadata); diff != "" {
		t.Error(diff)
	}
	got := newRecorder(pageSize)
	totals, err := r.Each(context.Background(), got)
	if err != nil {
		t.Fatal(err)
	}
	random, err := NewReaderAt(bytes.NewReader(stream), int64(len(stream)), ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	inIndex := random.Totals()
	inIndex.PageBytes = totals.PageBytes
	if diff := cmp.Diff(totals, inIndex); diff != "" {
		t.Errorf("totals read in order and through the index differ: %s", diff)
	}
	if len(slow.regions) != len(all) || totals.Regions != len(all) || len(random.Regions()) != len(all) {
		t.Fatalf("%d regions became %d, %d, %d", len(all), len(slow.regions), totals.Regions, len(random.Regions()))
	}
	bytesIn := uint64(0)
	for i, m := range all {
		want := m.region
		want.Length = uint64(len(m.data))
		bytesIn += want.Length
		if diff := cmp.Diff(want, got.regions[i]); diff != "" {
			t.Errorf("region %d: %s", i, diff)
		}
		s := slow.regions[i]
		if s.name != want.Name || s.address != want.Address || s.fileOffset != want.FileOffset || s.length != want.Length || Class(s.class) != want.Class {
			t.Errorf("region %d: %+v was written as %+v", i, want, s)
		}
		if !bytes.Equal(s.data, m.data) {
			t.Fatalf("region %d: the slow reader gets other bytes", i)
		}
		data := got.data[i]
		if len(data) < len(m.data) || !bytes.Equal(data[:len(m.data)], m.data) {
			t.Fatalf("region %d: Reader gets other bytes", i)
		}
		page := make([]byte, pageSize)
		for at := 0; at < len(m.data); at += pageSize {
			if err := random.ReadPage(page, i, uint64(at/pageSize)); err != nil {
				t.Fatal(err)
			}
			n := min(pageSize, len(m.data)-at)
			if !bytes.Equal(page[:n], m.data[at:at+n]) || !bytes.Equal(page[n:], make([]byte, pageSize-n)) {
				t.Fatalf("region %d, page %d: ReaderAt gets other bytes", i, at/pageSize)
			}
		}
		whole := make([]byte, len(m.data)+1)
		if n, err := random.ReadRegionAt(whole, i, 0); n != len(m.data) || err != io.EOF || !bytes.Equal(whole[:n], m.data) {
			t.Fatalf("region %d: ReadRegionAt gets %d bytes, %v", i, n, err)
		}
	}
	if totals.Bytes != bytesIn {
		t.Errorf("%d bytes became %d", bytesIn, totals.Bytes)
	}
	for k, n := range got.kinds {
		if totals.Pages[k] != uint64(n) {
			t.Errorf("%v: %d pages handed out, totals say %d", Kind(k), n, totals.Pages[k])
		}
	}
	return *got
}

func TestRoundTrip(t *testing.T) {
	var kinds [Kinds]int
	for _, pageSize := range []int{512, 4096, 65536} {
		for _, cluster := range []int{1, 2, 16, 256} {
			if testing.Short() && pageSize*cluster > 1<<20 {
				continue
			}
			for _, level := range []lzrw1.Level{lzrw1.Fast, lzrw1.Dense, lzrw1.Reference} {
				seed := uint64(pageSize + cluster)
				options := Options{PageSize: pageSize, ClusterPages: cluster, Level: level, Metadata: []Metadata{{"guest", "web 1"}, {"note", ""}}}
				all := []memory{
					{Region{Class: Other, Name: "head", Length: 64}, guestMemory(seed, 64, pageSize)},
					{Region{Address: 0x1000, FileOffset: 64, Length: UnknownLength}, guestMemory(seed+1, 300*pageSize+pageSize/2+1, pageSize)},
					{Region{FileOffset: 1 << 40, Length: 0}, nil},
					{Region{Address: 1 << 32, FileOffset: 2 << 40, Length: uint64(40 * pageSize)}, guestMemory(seed+2, 40*pageSize, pageSize)},
					{Region{FileOffset: 3 << 40, Length: UnknownLength}, nil},
					{Region{FileOffset: 3 << 40, Length: UnknownLength}, guestMemory(seed+3, 1, pageSize)},
				}
				one := write(t, with(options, 1), all...)
				for _, workers := range []int{2, 5} {
					if !bytes.Equal(write(t, with(options, workers), all...), one) {
						t.Errorf("pages of %d, clusters of %d, %v: %d workers write other bytes than one", pageSize, cluster, level, workers)
					}
				}
				got := check(t, one, options, all...)
				for k, n := range got.kinds {
					kinds[k] += n
				}
			}
		}
	}
	for k, n := range kinds {
		if n == 0 && Kind(k) != Delta {
			t.Errorf("no page was of kind %v", Kind(k))
		}
	}
}

func with(o Options, workers int) Options {
	o.Workers = workers
	return o
}

func TestEmptyStream(t *testing.T) {
	check(t, write(t, Options{}), Options{})
}

// What is given to Write, ReadFrom and Skip in whatever pieces makes the same
// stream.
func TestPieces(t *testing.T) {
	data := guestMemory(1, 5<<20+123, 4096)
	clear(data[1<<20+77 : 3<<20+5])
	want := write(t, Options{}, memory{Region{Length: UnknownLength}, data})
	rng := rand.New(rand.NewPCG(2, 3))
	for trial := range 10 {
		var out bytes.Buffer
		w, err := NewWriter(context.Background(), &out, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := w.BeginRegion(Region{Length: UnknownLength}); err != nil {
			t.Fatal(err)
		}
		for at := 0; at < len(data); {
			n := min(len(data)-at, 1+rng.IntN(1<<rng.IntN(22)))
			switch {
			case bytes.Equal(data[at:at+n], make([]byte, n)):
				err = w.Skip(uint64(n))
			case rng.IntN(2) == 0:
				_, err = w.Write(data[at : at+n])
			default:
				_, err = w.ReadFrom(iotest.HalfReader(bytes.NewReader(data[at : at+n])))
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

// A hole costs nothing, whatever its size.
func TestHugeHole(t *testing.T) {
	var out bytes.Buffer
	w, err := NewWriter(context.Background(), &out, Options{})
	if err != nil {
		t.Fatal(err)
	}
	const size = 1 << 46
	if err := w.BeginRegion(Region{Length: size + 5}); err != nil {
		t.Fatal(err)
	}
	if err := w.Skip(size); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if out.Len() > 1000 {
		t.Errorf("a hole and five bytes take %d bytes", out.Len())
	}
	r, err := NewReaderAt(bytes.NewReader(out.Bytes()), int64(out.Len()), ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 10)
	if n, err := r.ReadRegionAt(got, 0, size-5); n != 10 || err != nil || string(got) != "\x00\x00\x00\x00\x00hello" {
		t.Errorf("read %q, %d, %v", got, n, err)
	}
	if n, err := r.ReadRegionAt(got, 0, size/2); n != 10 || err != nil || !bytes.Equal(got, make([]byte, 10)) {
		t.Errorf("read %q, %d, %v", got, n, err)
	}
	sum := Totals{}
	reader, err := NewReader(bytes.NewReader(out.Bytes()), ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	sink := &countingSink{}
	if sum, err = reader.Each(context.Background(), sink); err != nil {
		t.Fatal(err)
	}
	if sum.Bytes != size+5 || sink.pages != size/4096+1 {
		t.Errorf("read %d bytes, %d pages", sum.Bytes, sink.pages)
	}
}

type countingSink struct{ pages uint64 }

func (s *countingSink) Region(int, Region) error { return nil }
func (s *countingSink) Pages(p Pages) error      { s.pages += p.Count; return nil }

// Pages that the guest made to collide in the CRC are not taken for each
// other.
func TestCollidingPages(t *testing.T) {
	a := guestMemory(4, 4096, 4096)
	fillNoise(a)
	b := bytes.Clone(a)
	b[100] ^= 1
	// CRC-32C is affine: the four bytes behind a change can undo it
	undo := solveCRC(t, b, 101, crc(a))
	copy(b[101:], undo[:])
	if bytes.Equal(a, b) || crc(a) != crc(b) {
		t.Fatalf("no collision made")
	}
	data := append(append(append([]byte{}, a...), b...), b...)
	m := memory{Region{Length: uint64(len(data))}, data}
	got := check(t, write(t, Options{}, m), Options{}, m)
	if got.kinds[Duplicate] != 1 {
		t.Errorf("%d duplicates found, want 1", got.kinds[Duplicate])
	}
}

func fillNoise(b []byte) {
	rng := rand.New(rand.NewPCG(5, 6))
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
}

// solveCRC finds four bytes for page[at:] that give the page the CRC.
func solveCRC(t *testing.T, page []byte, at int, want uint32) (four [4]byte) {
	t.Helper()
	p := bytes.Clone(page)
	clear(p[at : at+4])
	base := crc(p)
	// rows[i] is what bit i of the four bytes does to the CRC
	type row struct{ effect, bits uint32 }
	var rows []row
	for i := range 32 {
		clear(p[at : at+4])
		p[at+i/8] = 1 << (i % 8)
		rows = append(rows, row{crc(p) ^ base, 1 << i})
	}
	target, bits := want^base, uint32(0)
	for bit := range 32 { // Gaussian elimination
		for i := range rows {
			if rows[i].effect>>bit&1 == 1 {
				pivot := rows[i]
				rows = append(rows[:i], rows[i+1:]...)
				for j := range rows {
					if rows[j].effect>>bit&1 == 1 {
						rows[j].effect ^= pivot.effect
						rows[j].bits ^= pivot.bits
					}
				}
				if target>>bit&1 == 1 {
					target ^= pivot.effect
					bits ^= pivot.bits
				}
				break
			}
		}
	}
	binary.LittleEndian.PutUint32(four[:], bits)
	return four
}

// Duplicates are found within the window and not beyond it.
func TestDuplicateWindow(t *testing.T) {
	const window = 8
	noise := make([]byte, (window+1)*4096)
	fillNoise(noise)
	for distance := 1; distance <= window+1; distance++ {
		data := append(bytes.Clone(noise[:distance*4096]), noise[:4096]...)
		m := memory{Region{Length: uint64(len(data))}, data}
		options := Options{DuplicateWindow: window, ClusterPages: 4}
		got := check(t, write(t, options, m), options, m)
		want := 1
		if distance > window {
			want = 0
		}
		if got.kinds[Duplicate] != want {
			t.Errorf("distance %d: %d duplicates, want %d", distance, got.kinds[Duplicate], want)
		}
	}
	data := append(bytes.Clone(noise[:4096]), noise[:4096]...)
	m := memory{Region{Length: uint64(len(data))}, data}
	options := Options{DuplicateWindow: NoDuplicates}
	if got := check(t, write(t, options, m), options, m); got.kinds[Duplicate] != 0 {
		t.Errorf("%d duplicates with NoDuplicates", got.kinds[Duplicate])
	}
}

func TestMisuse(t *testing.T) {
	begin := func(w *Writer, length uint64) error { return w.BeginRegion(Region{Length: length}) }
	for name, use := range map[string]func(w *Writer) error{
		"write without a region": func(w *Writer) error { _, err := w.Write([]byte("x")); return err },
		"skip without a region":  func(w *Writer) error { return w.Skip(1) },
		"too many bytes":         func(w *Writer) error { _ = begin(w, 3); _, err := w.Write([]byte("four")); return err },
		"too many read": func(w *Writer) error {
			_ = begin(w, 3)
			_, err := w.ReadFrom(bytes.NewReader([]byte("four")))
			return err
		},
		"too many skipped":  func(w *Writer) error { _ = begin(w, 3); return w.Skip(4) },
		"too few bytes":     func(w *Writer) error { _ = begin(w, 3); return begin(w, 3) },
		"beyond the limits": func(w *Writer) error { return w.BeginRegion(Region{FileOffset: 1 << 63}) },
		"no progress":       func(w *Writer) error { _ = begin(w, 3); _, err := w.ReadFrom(stuckReader{}); return err },
		"failing source":    func(w *Writer) error { _ = begin(w, 3); _, err := w.ReadFrom(iotest.ErrReader(errTest)); return err },
		"enormous name": func(w *Writer) error {
			_ = w.BeginRegion(Region{Name: string(make([]byte, 4<<20))})
			_, err := w.Close()
			return err
		},
	} {
		w, err := NewWriter(context.Background(), io.Discard, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := use(w); err == nil {
			t.Errorf("%s: no error", name)
		}
		if _, err := w.Close(); err == nil {
			t.Errorf("%s: Close forgets the error", name)
		}
	}
	for _, o := range []Options{{PageSize: 256}, {PageSize: 4097}, {PageSize: 4 << 20}, {ClusterPages: 3}, {ClusterPages: 512}, {ClusterPages: -1}, {DuplicateWindow: MaxDuplicateWindow + 1}} {
		if _, err := NewWriter(context.Background(), io.Discard, o); err == nil {
			t.Errorf("%+v: no error", o)
		}
	}
}

var errTest = errors.New("made by the test")

type stuckReader struct{}

func (stuckReader) Read([]byte) (int, error) { return 0, nil }

// A writer that fails at any byte fails the Writer, which does not hang.
func TestFailingWriter(t *testing.T) {
	m := memory{Region{Length: UnknownLength}, guestMemory(7, 3<<20, 4096)}
	size := len(write(t, Options{}, m))
	rng := rand.New(rand.NewPCG(8, 9))
	for i := range 200 {
		at := rng.IntN(size)
		switch i {
		case 0:
			at = 0
		case 1:
			at = size - 1
		}
		w, err := NewWriter(context.Background(), &failingWriter{at}, Options{Workers: 2})
		if err == nil {
			_ = w.BeginRegion(m.region)
			_, _ = w.Write(m.data)
			_, err = w.Close()
		}
		if !errors.Is(err, errTest) {
			t.Errorf("failing after %d bytes gives %v", at, err)
		}
	}
}

type failingWriter struct{ left int }

func (f *failingWriter) Write(p []byte) (int, error) {
	if len(p) > f.left {
		n := f.left
		f.left = 0
		return n, errTest
	}
	f.left -= len(p)
	return len(p), nil
}

// Readers that return little at a time make no difference, and errors of the
// source come through.
func TestSlowSources(t *testing.T) {
	m := memory{Region{Length: UnknownLength}, guestMemory(10, 300_000, 4096)}
	stream := write(t, Options{ClusterPages: 4}, m)
	for name, wrap := range map[string]func(io.Reader) io.Reader{
		"one byte": iotest.OneByteReader, "half": iotest.HalfReader, "data with error": iotest.DataErrReader,
	} {
		r, err := NewReader(wrap(bytes.NewReader(stream)), ReadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		got := newRecorder(4096)
		if _, err := r.Each(context.Background(), got); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if !bytes.Equal(got.data[0][:len(m.data)], m.data) {
			t.Errorf("%s: other bytes", name)
		}
	}
	for at := 0; at < len(stream); at += 101 {
		src := io.MultiReader(bytes.NewReader(stream[:at]), iotest.ErrReader(errTest))
		r, err := NewReader(src, ReadOptions{})
		if err == nil {
			_, err = r.Each(context.Background(), newRecorder(4096))
		}
		if !errors.Is(err, errTest) {
			t.Errorf("source failing after %d bytes gives %v", at, err)
		}
	}
}

func TestCancel(t *testing.T) {
	m := memory{Region{Length: UnknownLength}, guestMemory(11, 8<<20, 4096)}
	stream := write(t, Options{}, m)
	for calls := range 6 {
		ctx, cancel := context.WithCancelCause(context.Background())
		w, err := NewWriter(ctx, io.Discard, Options{Progress: func(Totals) {
			if calls--; calls < 0 {
				cancel(errTest)
			}
		}})
		if err != nil {
			t.Fatal(err)
		}
		_ = w.BeginRegion(m.region)
		_, _ = w.Write(m.data)
		if _, err := w.Close(); !errors.Is(err, errTest) {
			t.Errorf("cancelled Writer: %v", err)
		}
	}
	for calls := range 6 {
		ctx, cancel := context.WithCancelCause(context.Background())
		r, err := NewReader(bytes.NewReader(stream), ReadOptions{Progress: func(Totals) {
			if calls--; calls < 0 {
				cancel(errTest)
			}
		}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.Each(ctx, newRecorder(4096)); !errors.Is(err, errTest) {
			t.Errorf("cancelled Reader: %v", err)
		}
	}
	r, err := NewReader(bytes.NewReader(stream), ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Each(context.Background(), failingSink{}); !errors.Is(err, errTest) {
		t.Errorf("a failing sink gives %v", err)
	}
}

type failingSink struct{}

func (failingSink) Region(int, Region) error { return nil }
func (failingSink) Pages(Pages) error        { return errTest }

func TestConcurrentReaderAt(t *testing.T) {
	data := guestMemory(12, 2<<20, 4096)
	stream := write(t, Options{}, memory{Region{Length: uint64(len(data))}, data})
	r, err := NewReaderAt(bytes.NewReader(stream), int64(len(stream)), ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			rng := rand.New(rand.NewPCG(uint64(g), 1))
			for range 200 {
				p := make([]byte, rng.IntN(20_000))
				off := rng.IntN(len(data) - len(p))
				if _, err := r.ReadRegionAt(p, 0, int64(off)); err != nil || !bytes.Equal(p, data[off:off+len(p)]) {
					t.Errorf("%d bytes at %d: %v or other bytes", len(p), off, err)
				}
			}
		}()
	}
	wg.Wait()
	for _, c := range []struct {
		region int
		page   uint64
		size   int
	}{{-1, 0, 4096}, {1, 0, 4096}, {0, 512, 4096}, {0, 1 << 63, 4096}, {0, 0, 4095}} {
		if err := r.ReadPage(make([]byte, c.size), c.region, c.page); !errors.Is(err, ErrRange) {
			t.Errorf("%+v: %v, want ErrRange", c, err)
		}
	}
}

func TestNoAllocationsAPage(t *testing.T) {
	data := guestMemory(13, 8<<20, 4096)
	stream := write(t, Options{Workers: 1}, memory{Region{Length: uint64(len(data))}, data})
	random, err := NewReaderAt(bytes.NewReader(stream), int64(len(stream)), ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	page := make([]byte, 4096)
	next := uint64(0)
	allocs := testing.AllocsPerRun(2000, func() {
		next = (next + 37) % (8 << 8)
		if err := random.ReadPage(page, 0, next); err != nil {
			t.Fatal(err)
		}
	})
	if allocs > 0.5 { // the pool may be emptied by the garbage collector
		t.Errorf("%v allocations a page read at random", allocs)
	}

	// twice as much memory takes no more allocations, but for index frames
	perPage := func(name string, run func(megabytes int)) {
		count := func(megabytes int) float64 { return testing.AllocsPerRun(3, func() { run(megabytes) }) }
		small, large := count(8), count(64)
		if more := (large - small) / (56 << 8); more > 0.05 {
			t.Errorf("%s: %v allocations a page", name, more)
		}
	}
	perPage("Writer", func(megabytes int) {
		w, err := NewWriter(context.Background(), io.Discard, Options{Workers: 1, DuplicateWindow: 64})
		if err != nil {
			t.Fatal(err)
		}
		_ = w.BeginRegion(Region{Length: UnknownLength})
		for range megabytes / 8 {
			_, _ = w.Write(data)
		}
		if _, err := w.Close(); err != nil {
			t.Fatal(err)
		}
	})
	var large bytes.Buffer
	w, err := NewWriter(context.Background(), &large, Options{DuplicateWindow: 64})
	if err != nil {
		t.Fatal(err)
	}
	_ = w.BeginRegion(Region{Length: UnknownLength})
	for range 8 {
		_, _ = w.Write(data)
	}
	if _, err := w.Close(); err != nil {
		t.Fatal(err)
	}
	perPage("Reader", func(megabytes int) {
		in := stream
		if megabytes > 8 {
			in = large.Bytes()
		}
		r, err := NewReader(bytes.NewReader(in), ReadOptions{Workers: 1})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.Each(context.Background(), &countingSink{}); err != nil {
			t.Fatal(err)
		}
	})
}
