package memdiff

import (
	"bytes"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/lzpage/lzpage/pagestream"
)

func memory(address, length uint64) pagestream.Region {
	return pagestream.Region{Address: address, Length: length}
}

func other(offset, length uint64) pagestream.Region {
	return pagestream.Region{Class: pagestream.Other, FileOffset: offset, Length: length}
}

func TestMatch(t *testing.T) {
	none := Place{Region: -1}
	for _, c := range []struct {
		name                 string
		old, new             []pagestream.Region
		want                 []Range
		hiddenOld, hiddenNew uint64
	}{
		{name: "nothing"},
		{
			name: "same", old: []pagestream.Region{memory(0, 10), other(0, 5)}, new: []pagestream.Region{memory(0, 10), other(0, 5)},
			want: []Range{{Length: 10, Old: Place{0, 0}, New: Place{0, 0}}, {Class: 1, Length: 5, Old: Place{1, 0}, New: Place{1, 0}}},
		},
		{
			name: "memory is never other bytes", old: []pagestream.Region{memory(0, 10)}, new: []pagestream.Region{other(0, 10)},
			want: []Range{{Length: 10, Old: Place{0, 0}, New: none}, {Class: 1, Length: 10, Old: none, New: Place{0, 0}}},
		},
		{
			name: "grown", old: []pagestream.Region{memory(100, 10)}, new: []pagestream.Region{memory(100, 30)},
			want: []Range{{Start: 100, Length: 10, Old: Place{0, 0}, New: Place{0, 0}}, {Start: 110, Length: 20, Old: none, New: Place{0, 10}}},
		},
		{
			name: "one region against two with a hole", old: []pagestream.Region{memory(0, 100)}, new: []pagestream.Region{memory(60, 50), memory(0, 20)},
			want: []Range{
				{Length: 20, Old: Place{0, 0}, New: Place{1, 0}},
				{Start: 20, Length: 40, Old: Place{0, 20}, New: none},
				{Start: 60, Length: 40, Old: Place{0, 60}, New: Place{0, 0}},
				{Start: 100, Length: 10, Old: none, New: Place{0, 40}},
			},
		},
		{
			name: "to the last address", old: []pagestream.Region{memory(math.MaxUint64-9, 10)}, new: []pagestream.Region{memory(math.MaxUint64-4, 5)},
			want: []Range{
				{Start: math.MaxUint64 - 9, Length: 5, Old: Place{0, 0}, New: none},
				{Start: math.MaxUint64 - 4, Length: 5, Old: Place{0, 5}, New: Place{0, 0}},
			},
		},
		{
			name: "overlapping", old: []pagestream.Region{memory(0, 10), memory(5, 10), memory(6, 2), memory(0, 0)}, new: []pagestream.Region{memory(0, 20)},
			want: []Range{
				{Length: 10, Old: Place{0, 0}, New: Place{0, 0}},
				{Start: 10, Length: 5, Old: Place{1, 5}, New: Place{0, 10}},
				{Start: 15, Length: 5, Old: none, New: Place{0, 15}},
			},
			hiddenOld: 7,
		},
	} {
		got, hiddenOld, hiddenNew := Match(c.old, c.new)
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", c.name, diff)
		}
		if hiddenOld != c.hiddenOld || hiddenNew != c.hiddenNew {
			t.Errorf("%s: %d and %d bytes hidden, not %d and %d", c.name, hiddenOld, hiddenNew, c.hiddenOld, c.hiddenNew)
		}
	}
}

func TestComparePage(t *testing.T) {
	page := func(s string) []byte { return []byte(strings.Repeat(s, 4096/len(s))) }
	with := func(p []byte, changes map[int]byte) []byte {
		for i, b := range changes {
			p[i] = b
		}
		return p
	}
	for _, c := range []struct {
		name     string
		old, new []byte
		want     Page
	}{
		{"equal", page("text"), page("text"), Page{}},
		{"zero", make([]byte, 4096), make([]byte, 4096), Page{WasZero: true, IsZero: true}},
		{"large and zero", make([]byte, 9000), make([]byte, 9000), Page{WasZero: true, IsZero: true}},
		{"large, the last byte", make([]byte, 9000), with(make([]byte, 9000), map[int]byte{8999: 1}), Page{Bytes: 1, Words: 1, WasZero: true}},
		{"became zero", page("text"), make([]byte, 4096), Page{Bytes: 4096, Words: 512, IsZero: true}},
		{"was zero", make([]byte, 4096), with(make([]byte, 4096), map[int]byte{0: 1, 7: 0x80, 8: 0xff}), Page{Bytes: 3, Words: 2, WasZero: true}},
		{"one bit in each byte of a word", page("aaaaaaaa"), with(page("aaaaaaaa"), map[int]byte{8: 'a' ^ 1, 9: 'a' ^ 2, 10: 'a' ^ 4, 11: 'a' ^ 8, 12: 'a' ^ 16, 13: 'a' ^ 32, 14: 'a' ^ 64, 15: 'a' ^ 128}), Page{Bytes: 8, Words: 1}},
		{"a part of a page", []byte("0123456789abc"), []byte("0123x567x9abx"), Page{Bytes: 3, Words: 2}},
	} {
		if got := comparePage(c.old, c.new); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}

// regions are a state that lies in memory.
type regions [][]byte

func (r regions) ReadRegionAt(p []byte, region int, off int64) (int, error) {
	n := copy(p, r[region][off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (r regions) ZeroBytes(region int, off uint64) uint64 {
	rest := r[region][off:]
	return uint64(len(rest) - len(bytes.TrimLeft(rest, "\x00")))
}

// TestCompare compares states with what a plain loop over their bytes counts.
func TestCompare(t *testing.T) {
	const size = 5<<20 + 1234
	r := rand.New(rand.NewPCG(1, 2))
	old, new := make([]byte, size), make([]byte, size)
	for i := 0; i < size/2; i++ {
		old[i] = byte(r.Uint32())
	}
	copy(new, old)
	for range 3000 {
		new[r.IntN(size)] ^= byte(1 + r.IntN(255))
	}
	clear(new[size-1600<<10:]) // zero in both
	clear(new[100<<10:][:40<<10])
	for _, pageSize := range []int{512, 4096, 2 << 20} {
		var want, got Counts
		for from := 0; from < size; from += pageSize {
			want.Pages++
			to := min(from+pageSize, size)
			changed, words, was, is := 0, 0, false, false
			for i := from; i < to; i += 8 {
				differs := false
				for j := i; j < min(i+8, to); j++ {
					if old[j] != new[j] {
						changed, differs = changed+1, true
					}
					was, is = was || old[j] != 0, is || new[j] != 0
				}
				if differs {
					words++
				}
			}
			if changed == 0 {
				continue
			}
			want.Changed++
			want.Bytes += uint64(changed)
			want.Words += uint64(words)
			if !was {
				want.WasZero++
			}
			if !is {
				want.BecameZero++
			}
		}
		// The new state has the memory in two regions, of which one is not where
		// pages begin.
		const cut = 3<<20 + 4096
		ranges, _, _ := Match([]pagestream.Region{memory(0, size)}, []pagestream.Region{memory(0, cut), memory(cut, size-cut)})
		if pageSize == 2<<20 {
			ranges, _, _ = Match([]pagestream.Region{memory(0, size)}, []pagestream.Region{memory(0, size)})
		}
		next := make([]uint64, len(ranges))
		news := regions{new[:cut], new[cut:]}
		if len(ranges) == 1 {
			news = regions{new}
		}
		passed := false
		err := Compare(t.Context(), regions{old}, news, ranges, pageSize, 3, func(number int, first, count uint64, pages []Page) error {
			if first != next[number] {
				t.Fatalf("page %d of range %d, not %d", first, number, next[number])
			}
			next[number] += count
			if pages == nil {
				passed = true
				got.AddZeros(count)
			} else if count != uint64(len(pages)) {
				t.Fatalf("%d pages, said to be %d", len(pages), count)
			}
			for _, p := range pages {
				got.Add(p)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if !passed && pageSize < 2<<20 {
			t.Errorf("pages of %d: zeros were not passed over", pageSize)
		}
		if got != want || want.Changed == 0 || pageSize < 2<<20 && want.BecameZero == 0 {
			t.Errorf("pages of %d: %+v, want %+v", pageSize, got, want)
		}
	}
}

func TestCompareShortState(t *testing.T) {
	ranges, _, _ := Match([]pagestream.Region{memory(0, 8192)}, []pagestream.Region{memory(0, 8192)})
	err := Compare(t.Context(), regions{make([]byte, 8192)}, regions{make([]byte, 5000)}, ranges, 4096, 1, func(int, uint64, uint64, []Page) error { return nil })
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error(err)
	}
}
