package main

import (
	"bytes"
	"context"
	"fmt"
	"testing"

	"github.com/lzpage/lzpage/internal/memdiff"
	"github.com/lzpage/lzpage/internal/memmap"
	"github.com/lzpage/lzpage/pagestream"
)

// The hollow memory has a page, then zeros up to hollowSize, which is neither a
// multiple of what is read at a time nor of a page.
const hollowSize = 1<<42 + 5<<20 + 100

func hollow(t *testing.T, base *pagestream.ReaderAt, baseName string, page []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := pagestream.NewWriter(context.Background(), &b, pagestream.Options{Base: base, BaseName: baseName})
	if err == nil {
		err = w.BeginRegion(region(0, hollowSize))
	}
	if err == nil {
		_, err = w.Write(page)
	}
	if err == nil {
		err = w.Skip(hollowSize - 4096)
	}
	if err == nil {
		_, err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestHollowMemory checks that zeros of a chain are passed over without being
// made, one megabyte after the other.
func TestHollowMemory(t *testing.T) {
	dir := t.TempDir()
	pages := [][]byte{noise(40, 4096), noise(41, 4096)}
	first := hollow(t, nil, "", pages[0])
	base, err := pagestream.NewReaderAt(bytes.NewReader(first), int64(len(first)), pagestream.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	names := []string{dir + "/0.lzp", dir + "/1.lzp"}
	put(t, names[0], first)
	put(t, names[1], hollow(t, base, "0.lzp", pages[1]))
	a := newApp()
	a.quiet = true
	var states []*snapshot
	for _, name := range names {
		s, err := a.openSnapshot(name)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		states = append(states, s)
	}

	at, calls := uint64(0), 0
	err = eachRange(t.Context(), states[1].layers, 2, func(g regionRange, data []byte) error {
		if calls++; calls > 10 {
			return fmt.Errorf("%d ranges up to byte %d", calls, at)
		}
		if g.offset != at || at == 0 && !bytes.Equal(data[:4096], pages[1]) || at > 1<<20 && !g.zero {
			t.Errorf("range at %d, not %d, of %d bytes, zero: %v", g.offset, at, g.length, g.zero)
		}
		at += g.length
		return nil
	})
	if err != nil || at != hollowSize {
		t.Errorf("%d bytes, %v", at, err)
	}

	ranges, _, _ := memdiff.Match(states[0].regions, states[1].regions)
	report := newDiffReport(states[0], states[1], 4096, ranges)
	if err := (&diffing{app: a}).compare(t.Context(), states[0], states[1], ranges, report, memmap.NewChanges(4096), 2); err != nil {
		t.Fatal(err)
	}
	if got := report.Total; got.Pages != 1<<30+1281 || got.Changed != 1 || got.BecameZero+got.WasZero != 0 {
		t.Errorf("%+v", got)
	}
}
