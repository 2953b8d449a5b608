package asm

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"
)

// wordLengths are of pages. The vectors' counters would overflow in the
// longest, had they 16 bits.
var wordLengths = []int{64, 128, 192, 448, 512, 576, 4096, 8192, 1 << 21}

// fills are how many words in 16 a map has, about.
var fills = []int{0, 1, 8, 15, 16}

// presence draws which words of a page of n bytes are in a map.
func presence(r *rand.Rand, n, fill int) []bool {
	in := make([]bool, n/8)
	for i := range in {
		in[i] = r.IntN(16) < fill
	}
	return in
}

// mapOf is the map of in, bit by bit, and its count.
func mapOf(in []bool) (set []byte, count int) {
	set = make([]byte, len(in)/8)
	for i := range in {
		if in[i] {
			set[i/8] |= 1 << (i % 8)
			count++
		}
	}
	return set, count
}

// oneBit is a word that a comparison of any part but one takes for zero.
func oneBit(r *rand.Rand) uint64 { return 1 << r.IntN(64) }

func TestZeroMap(t *testing.T) {
	each(t, func(t *testing.T, k *Kernels) {
		testMaps(t, func(r *rand.Rand, set, page, _ []byte, in []bool) int {
			for i := range in {
				word := uint64(0)
				if in[i] {
					word = oneBit(r)
				}
				binary.LittleEndian.PutUint64(page[8*i:], word)
			}
			return k.ZeroMap(set, page)
		})
	})
}

func TestDiffMap(t *testing.T) {
	each(t, func(t *testing.T, k *Kernels) {
		testMaps(t, func(r *rand.Rand, set, a, b []byte, in []bool) int {
			for i := range in {
				word := r.Uint64()
				binary.LittleEndian.PutUint64(a[8*i:], word)
				if in[i] {
					word ^= oneBit(r)
				}
				binary.LittleEndian.PutUint64(b[8*i:], word)
			}
			return k.DiffMap(set, a, b)
		})
	})
}

// testMaps has make fill the pages so that their map is in, and make the map
// and the count.
func testMaps(t *testing.T, make func(r *rand.Rand, set, page, other []byte, in []bool) int) {
	r := rand.New(rand.NewPCG(1991, 8))
	for _, n := range wordLengths {
		for _, s := range sides {
			page, other, set := guarded(t, n, s), guarded(t, n, s), guarded(t, n/64, s)
			for _, fill := range fills {
				in := presence(r, n, fill)
				wantSet, want := mapOf(in)
				for i := range set {
					set[i] = ^wantSet[i]
				}
				got := make(r, set, page, other, in)
				if got != want || !bytes.Equal(set, wantSet) {
					t.Fatalf("%d bytes, guarded %s, %d/16: count %d, want %d; map % x, want % x", n, s, fill, got, want, head(set), head(wantSet))
				}
			}
		}
	}
}

func TestPackUnpackAndMerge(t *testing.T) {
	each(t, func(t *testing.T, k *Kernels) {
		r := rand.New(rand.NewPCG(1991, 9))
		for _, n := range wordLengths {
			for _, s := range sides {
				b := newPackBuffers(t, n, s)
				for _, fill := range fills {
					b.check(t, r, k, presence(r, n, fill), fmt.Sprintf("%d bytes, guarded %s, %d/16", n, s, fill))
				}
			}
		}
	})
}

// TestPack sees maps of few bits and of many, of which Pack takes the former
// bit by bit.
func TestPack(t *testing.T) {
	r := rand.New(rand.NewPCG(1991, 11))
	for range 5000 {
		n := 64 * (1 + r.IntN(130))
		in := make([]bool, n/8)
		for range r.IntN(2 + n/60) {
			in[r.IntN(len(in))] = true
		}
		set, count := mapOf(in)
		page := make([]byte, n)
		var want []byte
		for i := range in {
			binary.LittleEndian.PutUint64(page[8*i:], r.Uint64())
			if in[i] {
				want = append(want, page[8*i:8*i+8]...)
			}
		}
		dst := make([]byte, n)
		if Pack(dst, page, set); !bytes.Equal(dst[:8*count], want) {
			t.Fatalf("%d bytes, %d words of them packed wrongly", n, count)
		}
	}
}

// TestEveryMap sees every byte of a map before and after every
// other one.
func TestEveryMap(t *testing.T) {
	each(t, func(t *testing.T, k *Kernels) {
		r := rand.New(rand.NewPCG(1991, 10))
		in := make([]bool, 16)
		for _, s := range sides {
			b := newPackBuffers(t, 128, s)
			for m := range 1 << 16 {
				for i := range in {
					in[i] = m>>i&1 == 1
				}
				b.check(t, r, k, in, fmt.Sprintf("map %#04x, guarded %s", m, s))
			}
		}
	})
}

type packBuffers struct {
	side                  side
	page, set, dst, words []byte
	want, unpacked        []byte
}

func newPackBuffers(t *testing.T, n int, s side) *packBuffers {
	return &packBuffers{
		side: s,
		page: guarded(t, n, s), set: guarded(t, n/64, s), dst: guarded(t, n, s), words: guarded(t, n, s),
		want: make([]byte, 0, n), unpacked: make([]byte, n),
	}
}

// check packs and unpacks a page of random words that the map of in has, and
// merges them into another one.
func (b *packBuffers) check(t *testing.T, r *rand.Rand, k *Kernels, in []bool, where string) {
	t.Helper()
	set, count := mapOf(in)
	copy(b.set, set)
	b.want = b.want[:0]
	clear(b.unpacked)
	for i := range in {
		word := binary.LittleEndian.AppendUint64(nil, r.Uint64())
		copy(b.page[8*i:], word)
		if in[i] {
			b.want = append(b.want, word...)
			copy(b.unpacked[8*i:], word)
		}
	}
	k.Pack(b.dst, b.page, b.set)
	if got := b.dst[:8*count]; !bytes.Equal(got, b.want) {
		t.Fatalf("%s: packed to % x, want % x", where, head(got), head(b.want))
	}
	words := b.words[:8*count]
	if b.side == behind {
		words = b.words[len(b.words)-8*count:]
	}
	copy(words, b.want)
	k.Unpack(b.page, words, b.set)
	if !bytes.Equal(b.page, b.unpacked) {
		t.Fatalf("%s: unpacked to % x, want % x", where, head(b.page), head(b.unpacked))
	}
	for i := range in {
		if !in[i] {
			binary.LittleEndian.PutUint64(b.unpacked[8*i:], r.Uint64())
			copy(b.page[8*i:][:8], b.unpacked[8*i:])
		} else {
			binary.LittleEndian.PutUint64(b.page[8*i:], r.Uint64())
		}
	}
	k.Merge(b.page, words, b.set)
	if !bytes.Equal(b.page, b.unpacked) {
		t.Fatalf("%s: merged to % x, want % x", where, head(b.page), head(b.unpacked))
	}
	if !bytes.Equal(b.set, set) || !bytes.Equal(words, b.want) {
		t.Fatalf("%s: what was to be read was overwritten", where)
	}
}

// head is as much of b as a message can show.
func head(b []byte) []byte { return b[:min(len(b), 128)] }
