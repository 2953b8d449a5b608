package image

import (
	"bytes"
	"debug/elf"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/lzpage/lzpage/pagestream"
)

// sparseFile writes a file of the given size with data here and there.
func sparseFile(t *testing.T, size int64, data map[int64][]byte) *os.File {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "sparse"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	makeSparse(f)
	for offset, b := range data {
		if _, err := f.WriteAt(b, offset); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Truncate(size); err != nil {
		t.Fatal(err)
	}
	return f
}

// wantHoles is how many bytes must be found in holes where the file system of
// temporary files is sure to have them.
func wantHoles(n int64) int64 {
	if runtime.GOOS == "linux" {
		return n
	}
	return 0
}

func TestHoles(t *testing.T) {
	const mib = 1 << 20
	some := noise(1, 5000)
	inside := core{progs: []elf.Prog64{load(1000, 8*mib, 0x100000, 0), load(1000+8*mib, 4*mib, 0x4000000, 0)}, size: 1000}.build()
	for _, test := range []struct {
		name    string
		size    int64
		data    map[int64][]byte
		regions []pagestream.Region
		holes   int64 // at least
	}{
		{"all hole", 8 * mib, nil, []pagestream.Region{memory(0, 0, 8*mib)}, 8 * mib},
		{"no hole", 5000, map[int64][]byte{0: some}, []pagestream.Region{memory(0, 0, 5000)}, 0},
		{"at the end", 8 * mib, map[int64][]byte{0: some}, []pagestream.Region{memory(0, 0, 8*mib)}, 7 * mib},
		{"at the beginning", 8 * mib, map[int64][]byte{8*mib - 5000: some}, []pagestream.Region{memory(0, 0, 8*mib)}, 7 * mib},
		{"several", 24 * mib, map[int64][]byte{4*mib + 123: some, 12 * mib: some}, []pagestream.Region{memory(0, 0, 24*mib)}, 22 * mib},
		{
			"in a core, over the border of its segments", 12*mib + 1000, map[int64][]byte{0: inside, 2 * mib: some},
			[]pagestream.Region{other(0, 1000), memory(0x100000, 1000, 8*mib), memory(0x4000000, 1000+8*mib, 4*mib)},
			11 * mib,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := sparseFile(t, test.size, test.data)
			want, err := os.ReadFile(f.Name())
			if err != nil {
				t.Fatal(err)
			}
			r, err := Open("image", f, Auto)
			if err != nil {
				t.Fatal(err)
			}
			w := walkOver(t, r)
			if w.err != nil || !bytes.Equal(w.data, want) {
				t.Errorf("error %v, or other bytes", w.err)
			}
			checkRegions(t, w.regions, test.regions)
			if w.holes < wantHoles(test.holes) {
				t.Errorf("%d bytes in holes, want at least %d", w.holes, test.holes)
			}
		})
	}
}

// Where a file was opened in its middle, holes are where they are.
func TestHolesInTheMiddle(t *testing.T) {
	const mib = 1 << 20
	f := sparseFile(t, 8*mib, map[int64][]byte{0: noise(1, 5000), 4 * mib: noise(2, 5000)})
	want, err := os.ReadFile(f.Name())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Seek(3000, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	r, err := Open("image", f, Auto)
	if err != nil {
		t.Fatal(err)
	}
	w := walkOver(t, r)
	if w.err != nil || !bytes.Equal(w.data, want[3000:]) {
		t.Errorf("error %v, or other bytes", w.err)
	}
	if w.holes < wantHoles(7*mib) {
		t.Errorf("%d bytes in holes", w.holes)
	}
}

// What a file no longer has is not a hole.
func TestHoleShrinks(t *testing.T) {
	f := sparseFile(t, 1<<20, map[int64][]byte{0: noise(1, 4096)})
	r, err := Open("image", f, Auto)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Truncate(4096); err != nil {
		t.Fatal(err)
	}
	w := walkOver(t, r)
	if !errors.Is(w.err, io.ErrUnexpectedEOF) {
		t.Errorf("error %v", w.err)
	}
	if !bytes.Equal(w.data, noise(1, 4096)) {
		t.Errorf("%d bytes", len(w.data))
	}
}

func TestSkipReadsNothing(t *testing.T) {
	// More than could be read in a lifetime.
	f := sparseFile(t, 1<<43, nil)
	if runtime.GOOS != "linux" {
		t.Skip("whether there are holes is known on Linux only")
	}
	r, err := Open("image", f, Auto)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Next(); err != nil {
		t.Fatal(err)
	}
	n, hole, err := r.Extent()
	if n != 1<<43 || !hole || err != nil {
		t.Fatalf("an extent of %d bytes, %v, %v", n, hole, err)
	}
	if err := r.Skip(n); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Next(); err != io.EOF {
		t.Errorf("at the end: %v", err)
	}
}
