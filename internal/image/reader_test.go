package image

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/lzpage/lzpage/pagestream"
)

// noise returns n bytes without zeros that differ from one seed to the next.
func noise(seed uint32, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		seed = seed*1664525 + 1013904223
		b[i] = byte(seed>>24) | 1
	}
	return b
}

// memory and other are regions as tests expect them.
func memory(address, offset, length uint64) pagestream.Region {
	return pagestream.Region{Class: pagestream.Memory, Address: address, FileOffset: offset, Length: length}
}

func other(offset, length uint64) pagestream.Region {
	return pagestream.Region{Class: pagestream.Other, FileOffset: offset, Length: length}
}

// A walk is what a Reader yields.
type walk struct {
	regions []pagestream.Region // with the lengths that they turned out to have
	data    []byte
	holes   int64 // bytes in holes
	note    string
	format  Format
	err     error // of Next, Read or Extent
}

// walkOver reads all of r the way a consumer does and checks what holds of
// every image: regions without gaps, with the lengths announced, within the
// limits of the stream.
func walkOver(t *testing.T, r *Reader) (w walk) {
	t.Helper()
	defer func() { w.note, w.format = r.Note(), r.Format() }()
	buf := make([]byte, 64<<10)
	unknown := false
	for {
		region, err := r.Next()
		if err == io.EOF {
			if _, again := r.Next(); again != io.EOF {
				t.Errorf("Next after io.EOF: %v", again)
			}
			return w
		}
		if err != nil {
			w.err = err
			return w
		}
		if unknown {
			t.Errorf("region %+v follows one of unknown length", region)
		}
		if region.FileOffset != uint64(len(w.data)) {
			t.Errorf("region %+v begins at offset %d", region, len(w.data))
		}
		if region.Class == pagestream.Other && region.Address != 0 {
			t.Errorf("region %+v has an address", region)
		}
		announced := region.Length
		unknown = announced == pagestream.UnknownLength
		region.Length = 0
		for {
			n, hole, err := r.Extent()
			if err == io.EOF {
				break
			}
			if err == nil && n <= 0 {
				t.Fatalf("an extent of %d bytes", n)
			}
			before := len(w.data)
			switch {
			case err != nil:
			case hole:
				w.holes += n
				w.data = append(w.data, make([]byte, n)...)
				err = r.Skip(n)
			default:
				for left := n; left > 0 && err == nil; {
					var got int
					got, err = r.Read(buf[:min(left, int64(len(buf)))])
					w.data = append(w.data, buf[:got]...)
					left -= int64(got)
				}
			}
			region.Length += uint64(len(w.data) - before)
			if err == io.EOF {
				continue // Extent says so, too
			}
			if err != nil {
				w.err = err
				return w
			}
		}
		if n, err := r.Read(buf); n != 0 || err != io.EOF {
			t.Errorf("Read at the end of region %+v: %d, %v", region, n, err)
		}
		if !unknown && announced != region.Length {
			t.Errorf("region %+v was announced with %d bytes", region, announced)
		}
		if region.Length == 0 {
			t.Errorf("region %+v is empty", region)
		}
		if region.Length > math.MaxInt64 || region.Address+region.Length < region.Address {
			t.Errorf("region %+v runs over 2^64", region)
		}
		w.regions = append(w.regions, region)
	}
}

// onlyReader hides all methods but Read.
type onlyReader struct{ io.Reader }

// A terminal has more to say behind its end.
type terminal struct {
	in    io.Reader
	ended bool
}

func (t *terminal) Read(p []byte) (int, error) {
	if t.ended {
		return copy(p, "more"), nil
	}
	n, err := t.in.Read(p)
	t.ended = err == io.EOF
	return n, err
}

// A way is a way to hand bytes to Open.
type way struct {
	name string
	size bool // is known
	open func(t *testing.T, data []byte) io.Reader
}

var ways = []way{
	{"file", true, func(t *testing.T, data []byte) io.Reader { return tempFile(t, data) }},
	{"sized", true, func(_ *testing.T, data []byte) io.Reader { return bytes.NewReader(data) }},
	{"pipe", false, func(t *testing.T, data []byte) io.Reader { return pipe(t, data) }},
	{"reader", false, func(_ *testing.T, data []byte) io.Reader { return onlyReader{bytes.NewReader(data)} }},
	{"halves", false, func(_ *testing.T, data []byte) io.Reader { return iotest.HalfReader(bytes.NewReader(data)) }},
	{"bytes", false, func(_ *testing.T, data []byte) io.Reader { return iotest.OneByteReader(bytes.NewReader(data)) }},
	{"terminal", false, func(_ *testing.T, data []byte) io.Reader { return &terminal{in: bytes.NewReader(data)} }},
	{"dataerr", false, func(_ *testing.T, data []byte) io.Reader { return iotest.DataErrReader(bytes.NewReader(data)) }},
}

func tempFile(t *testing.T, data []byte) *os.File {
	t.Helper()
	name := filepath.Join(t.TempDir(), "image")
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return openFile(t, name, os.O_RDONLY)
}

func openFile(t *testing.T, name string, flag int) *os.File {
	t.Helper()
	f, err := os.OpenFile(name, flag, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func pipe(t *testing.T, data []byte) *os.File {
	t.Helper()
	out, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		in.Write(data) // fails when the test is over before
		in.Close()
	}()
	t.Cleanup(func() { out.Close() })
	return out
}

// checkRegions compares regions.
func checkRegions(t *testing.T, got, want []pagestream.Region) {
	t.Helper()
	for i := range max(len(got), len(want)) {
		switch {
		case i >= len(got):
			t.Errorf("region %d is missing: %+v", i, want[i])
		case i >= len(want):
			t.Errorf("region %d is too many: %+v", i, got[i])
		case got[i] != want[i]:
			t.Errorf("region %d is %+v, want %+v", i, got[i], want[i])
		default:
			continue
		}
		return
	}
}

// An imageTest is an input and what a Reader should make of it.
type imageTest struct {
	name    string
	data    []byte
	format  Format // asked for; Auto if empty
	want    Format
	regions []pagestream.Region
	note    string // is part of it, or it is empty
	cut     bool   // an error where the size is not known
}

func (test imageTest) run(t *testing.T) {
	for _, way := range ways {
		test.runOne(t, way)
	}
}

func (test imageTest) runOne(t *testing.T, way way) {
	t.Run(test.name+"/"+way.name, func(t *testing.T) {
		format := test.format
		if format == "" {
			format = Auto
		}
		r, err := Open("image", way.open(t, test.data), format)
		if err != nil {
			t.Fatal(err)
		}
		size, known := r.Size()
		// An empty file may be one that does not tell.
		if wantKnown := way.size && (len(test.data) > 0 || way.name == "sized"); known != wantKnown || known && size != int64(len(test.data)) {
			t.Errorf("Size: %d, %v", size, known)
		}
		w := walkOver(t, r)
		if w.format != test.want {
			t.Errorf("format %s, want %s", w.format, test.want)
		}
		if !bytes.Equal(w.data, test.data) {
			t.Errorf("%d bytes differ from the image's %d", len(w.data), len(test.data))
		}
		if test.cut && !way.size {
			if !errors.Is(w.err, io.ErrUnexpectedEOF) || !strings.Contains(w.err.Error(), "image: at offset") {
				t.Errorf("error %v", w.err)
			}
			return
		}
		if w.err != nil {
			t.Fatal(w.err)
		}
		checkRegions(t, w.regions, test.regions)
		if test.note == "" && w.note != "" || test.note != "" && strings.Count(w.note, test.note) != 1 {
			t.Errorf("note %q, want %q", w.note, test.note)
		}
	})
}

func TestRaw(t *testing.T) {
	for _, test := range []imageTest{
		{name: "empty", want: Raw},
		{name: "one byte", data: []byte{7}, want: Raw, regions: []pagestream.Region{memory(0, 0, 1)}},
		{name: "three bytes of a magic", data: []byte("\x7fEL"), want: Raw, regions: []pagestream.Region{memory(0, 0, 3)}},
		{name: "pages", data: noise(1, 12288), want: Raw, regions: []pagestream.Region{memory(0, 0, 12288)}},
		{name: "odd", data: noise(1, 70001), want: Raw, regions: []pagestream.Region{memory(0, 0, 70001)}},
		{
			name: "asked for", data: goodELF(), format: Raw, want: Raw,
			regions: []pagestream.Region{memory(0, 0, uint64(len(goodELF())))},
		},
	} {
		test.run(t)
	}
}

func TestOpenRefuses(t *testing.T) {
	lime := limeDump(limeRange{0, 16, 16})
	for _, test := range []struct {
		name   string
		data   []byte
		format Format
		want   string
	}{
		{"raw as ELF", noise(1, 4096), ELF, "image cannot be read as format elf: it does not begin with an ELF header"},
		{"empty as ELF", nil, ELF, "image cannot be read as format elf: it does not begin with an ELF header"},
		{"LiME as ELF", lime, ELF, "image cannot be read as format elf: it does not begin with an ELF header"},
		{"ELF as LiME", goodELF(), LiME, "image cannot be read as format lime: there is no LiME header"},
		{"empty as LiME", nil, LiME, "image cannot be read as format lime: there is no LiME header"},
		{"odd ELF", goodELF()[:100], ELF, "image cannot be read as format elf: it ends within the ELF headers: of 112 bytes at offset 64 it has 36"},
		{"format", lime, "LIME", `unknown image format "LIME": it is auto, raw, elf or lime`},
	} {
		for _, way := range ways {
			t.Run(test.name+"/"+way.name, func(t *testing.T) {
				_, err := Open("image", way.open(t, test.data), test.format)
				if err == nil || err.Error() != test.want {
					t.Errorf("error %v, want %s", err, test.want)
				}
			})
		}
	}
	t.Run("directory", func(t *testing.T) {
		_, err := Open("there", openFile(t, t.TempDir(), os.O_RDONLY), Auto)
		if err == nil || err.Error() != "there is a directory, not a memory image" {
			t.Errorf("error %v", err)
		}
	})
}

// An input that fails is not one that ends.
func TestReadError(t *testing.T) {
	data := goodELF()
	for _, at := range []int{0, 2, 40, 100, 300, len(data)} {
		in := io.MultiReader(bytes.NewReader(data[:at]), iotest.ErrReader(fs.ErrPermission))
		r, err := Open("image", in, Auto)
		var w walk
		if err == nil {
			w = walkOver(t, r)
			err = w.err
		}
		if !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "image: at offset") {
			t.Errorf("failing at %d: error %v", at, err)
		}
		if !bytes.HasPrefix(data, w.data) {
			t.Errorf("failing at %d: the bytes before it differ", at)
		}
	}
}

// So it is where its size is known.
func TestReadAtError(t *testing.T) {
	data := goodELF()
	for _, at := range []int64{0, 40, 100, 300, int64(len(data)) - 1} {
		r, err := Open("image", brokenDisk{bytes.NewReader(data), at}, Auto)
		var w walk
		if err == nil {
			w = walkOver(t, r)
			err = w.err
		}
		if !errors.Is(err, errBroken) || !strings.Contains(err.Error(), "image: at offset") {
			t.Errorf("failing at %d: error %v", at, err)
		}
		if !bytes.HasPrefix(data, w.data) {
			t.Errorf("failing at %d: the bytes before it differ", at)
		}
	}
}

var errBroken = errors.New("broken")

// A brokenDisk cannot be read beyond an offset.
type brokenDisk struct {
	*bytes.Reader
	end int64
}

func (d brokenDisk) ReadAt(p []byte, offset int64) (int, error) {
	if offset+int64(len(p)) <= d.end {
		return d.Reader.ReadAt(p, offset)
	}
	n, _ := d.Reader.ReadAt(p[:max(d.end-offset, 0)], offset)
	return n, &fs.PathError{Op: "read", Path: "image", Err: errBroken}
}

// Data is read into the consumer's memory, in pieces as large as it asks for.
func TestReadIsDirect(t *testing.T) {
	data := noise(1, 3<<20)
	source := &recordingReader{Reader: bytes.NewReader(data)}
	r, err := Open("image", source, Raw)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Next(); err != nil {
		t.Fatal(err)
	}
	p := make([]byte, 1<<20)
	for range 2 {
		if _, err := r.Read(p); err != nil {
			t.Fatal(err)
		}
	}
	if &source.last[0] != &p[0] || len(source.last) != len(p) {
		t.Errorf("the second read was one of %d bytes, or not into its place", len(source.last))
	}
	if n, hole, err := r.Extent(); n < 1<<20 || hole || err != nil {
		t.Errorf("an extent of %d bytes, %v, %v", n, hole, err)
	}
}

type recordingReader struct {
	io.Reader
	last []byte
}

func (r *recordingReader) Read(p []byte) (int, error) {
	r.last = p
	return r.Reader.Read(p)
}

// Next passes over what was not read.
func TestNextSkips(t *testing.T) {
	data := goodELF()
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			r, err := Open("image", way.open(t, data), Auto)
			if err != nil {
				t.Fatal(err)
			}
			for i, offset := range []uint64{0, 256, 1256, 1300, 9492} {
				region, err := r.Next()
				if err != nil || region.FileOffset != offset {
					t.Fatalf("region %d is %+v, %v, want one at %d", i, region, err, offset)
				}
				if i == 1 {
					if err := r.Skip(10); err != nil {
						t.Fatal(err)
					}
					if err := r.Skip(991); err == nil {
						t.Fatal("skipped over the region's end")
					}
				}
				got := make([]byte, 5)
				if _, err := io.ReadFull(r, got); err != nil {
					t.Fatal(err)
				}
				want := data[offset:][:5]
				if i == 1 {
					want = data[offset+10:][:5]
				}
				if !bytes.Equal(got, want) {
					t.Errorf("region %d begins %x, want %x", i, got, want)
				}
			}
			if _, err := r.Next(); err != io.EOF {
				t.Errorf("at the end: %v", err)
			}
		})
	}
}

// A file that was read from before begins where that ended.
func TestOpenInTheMiddle(t *testing.T) {
	core := goodELF()
	f := tempFile(t, append(noise(9, 777), core...))
	if _, err := io.CopyN(io.Discard, f, 777); err != nil {
		t.Fatal(err)
	}
	r, err := Open("image", f, Auto)
	if err != nil {
		t.Fatal(err)
	}
	if size, known := r.Size(); size != int64(len(core)) || !known {
		t.Errorf("Size: %d, %v", size, known)
	}
	w := walkOver(t, r)
	if w.err != nil || !bytes.Equal(w.data, core) {
		t.Errorf("error %v, or other bytes", w.err)
	}
	checkRegions(t, w.regions, goodELFRegions)
}

func TestFileShrinks(t *testing.T) {
	f := tempFile(t, noise(1, 10000))
	r, err := Open("some image", f, Auto)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(f.Name(), 6000); err != nil {
		t.Fatal(err)
	}
	w := walkOver(t, r)
	want := "some image: at offset 6000: the file was made shorter while it was read, it had 10000 bytes: unexpected EOF"
	if !errors.Is(w.err, io.ErrUnexpectedEOF) || w.err.Error() != want {
		t.Errorf("error %v, want %s", w.err, want)
	}
	if !bytes.Equal(w.data, noise(1, 6000)) {
		t.Error("what is there differs")
	}
}

func TestFileGrows(t *testing.T) {
	data := noise(1, 10000)
	f := tempFile(t, data)
	r, err := Open("image", f, Auto)
	if err != nil {
		t.Fatal(err)
	}
	more := openFile(t, f.Name(), os.O_WRONLY|os.O_APPEND)
	if _, err := more.Write(data); err != nil {
		t.Fatal(err)
	}
	w := walkOver(t, r)
	if w.err != nil || !bytes.Equal(w.data, data) {
		t.Errorf("error %v, %d bytes", w.err, len(w.data))
	}
}

// A file of /proc does not tell its length.
func TestProcFile(t *testing.T) {
	const name = "/proc/version"
	want, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) && runtime.GOOS != "linux" {
		t.Skip("there is no /proc on this system")
	}
	if err != nil {
		t.Fatal(err)
	}
	r, err := Open(name, openFile(t, name, os.O_RDONLY), Auto)
	if err != nil {
		t.Fatal(err)
	}
	if w := walkOver(t, r); w.err != nil || !bytes.Equal(w.data, want) {
		t.Errorf("%q, %v, want %q", w.data, w.err, want)
	}
}
