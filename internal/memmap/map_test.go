package memmap

import (
	"bytes"
	"errors"
	"io"
	"math/rand"
	"testing"

	"github.com/lzpage/lzpage/pagestream"
)

const (
	kib = 1 << 10
	mib = 1 << 20
	gib = 1 << 30
	tib = 1 << 40
)

// pictured is what is drawn: a Map or Changes.
type pictured interface {
	subject
	WritePNG(io.Writer) error
	WriteSVG(io.Writer) error
}

func pngOf(t *testing.T, m pictured) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := m.WritePNG(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func svgOf(t *testing.T, m pictured) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := m.WriteSVG(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func same(t *testing.T, a, b pictured) {
	t.Helper()
	if !bytes.Equal(pngOf(t, a), pngOf(t, b)) {
		t.Error("PNGs differ")
	}
	if !bytes.Equal(svgOf(t, a), svgOf(t, b)) {
		t.Error("SVGs differ")
	}
}

// addNoise adds pages of all kinds and sizes.
func addNoise(m *Map, seed int64, pages int) {
	r := rand.New(rand.NewSource(seed))
	for i := range pages {
		m.Add(uint64(i), pagestream.Kind(r.Intn(pagestream.Kinds)), r.Intn(4200))
	}
}

func noise(length uint64) *Map {
	m := New(4 * kib)
	m.Title = "noise"
	m.Region(pagestream.Region{Name: "ram", Length: length})
	addNoise(m, 1, int(length/(4*kib)))
	return m
}

func TestDeterministic(t *testing.T) {
	same(t, noise(4*mib), noise(4*mib))
	same(t, noise(300*mib), noise(300*mib))
	if bytes.Equal(pngOf(t, noise(4*mib)), pngOf(t, noise(8*mib))) {
		t.Error("different maps give the same PNG")
	}
}

func TestAddZerosEqualsAdd(t *testing.T) {
	for _, pages := range []uint64{100, 70_000, 140_000} {
		runs, single := New(4*kib), New(4*kib)
		for _, m := range []*Map{runs, single} {
			m.Region(pagestream.Region{Length: pages * 4 * kib})
			m.Add(0, pagestream.LZRW1, 1000)
		}
		for _, run := range [][2]uint64{{1, 1}, {2, 0}, {5, 41}, {46, pages - 50}} {
			runs.AddZeros(run[0], run[1])
			for i := range run[1] {
				single.Add(run[0]+i, pagestream.Zero, 0)
			}
		}
		same(t, runs, single)
	}
}

// A region whose length is not known beforehand is coarsened as it grows, and
// must come out as if it had been known.
func TestUnknownLength(t *testing.T) {
	for _, pages := range []int{1, 4097, 65_537, 140_001} {
		known, unknown := New(512), New(512)
		known.Region(pagestream.Region{Name: "x", Address: 1 * mib, Length: uint64(pages) * 512})
		unknown.Region(pagestream.Region{Name: "x", Address: 1 * mib, Length: pagestream.UnknownLength})
		addNoise(known, 2, pages)
		addNoise(unknown, 2, pages)
		same(t, known, unknown)
	}
}

func TestOtherRegionsAreIgnored(t *testing.T) {
	with, without := New(4*kib), New(4*kib)
	with.Region(pagestream.Region{Class: pagestream.Other, Name: "headers", Length: 8 * kib})
	with.Add(0, pagestream.Plain, 4101)
	with.AddZeros(1, 1)
	for _, m := range []*Map{with, without} {
		m.Region(pagestream.Region{Name: "ram", Length: 1 * mib})
		addNoise(m, 3, 256)
	}
	same(t, with, without)
}

func TestBounded(t *testing.T) {
	held := func(m *Map) int {
		n := 0
		for _, b := range m.blocks {
			n += cap(b.cells)
		}
		return n
	}
	huge := New(512)
	huge.Region(pagestream.Region{Length: 1 << 62})
	huge.AddZeros(0, 1<<53)

	grown := New(4 * kib)
	grown.Region(pagestream.Region{Length: pagestream.UnknownLength})
	for i := uint64(0); i < tib/(4*kib); i += 1 << 10 {
		grown.Add(i, pagestream.Plain, 4101)
		grown.AddZeros(i+1, 1<<10-1)
	}

	scattered := New(4 * kib)
	for i := range uint64(100_000) {
		scattered.Region(pagestream.Region{Address: i << 40, Length: 12 * kib})
		scattered.AddZeros(0, 3)
	}

	for name, m := range map[string]*Map{"huge": huge, "grown": grown, "scattered": scattered} {
		if n := held(m); n > 2*65536 {
			t.Errorf("%s: holds %d cells", name, n)
		}
		if n := len(m.blocks); n > 16 {
			t.Errorf("%s: %d blocks", name, n)
		}
		if n := len(svgOf(t, m)); n > 1*mib {
			t.Errorf("%s: SVG of %d bytes", name, n)
		}
	}
	if got, want := grown.shades[plain].pages, uint64(tib/(4*kib)/1024); got != want {
		t.Errorf("%d plain pages, want %d", got, want)
	}
	if got := scattered.shades[zero].pages; got != 300_000 {
		t.Errorf("%d zero pages, want 300000", got)
	}
}

type full struct{}

var errFull = errors.New("disk full")

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestWriteError(t *testing.T) {
	if err := noise(1 * mib).WritePNG(full{}); !errors.Is(err, errFull) {
		t.Errorf("WritePNG: %v", err)
	}
	if err := noise(1 * mib).WriteSVG(full{}); !errors.Is(err, errFull) {
		t.Errorf("WriteSVG: %v", err)
	}
}
