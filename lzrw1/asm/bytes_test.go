package asm

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// A byteDelta is what the kernels of bytes.go are to make of two pages, found
// byte by byte.
type byteDelta struct {
	set          []byte
	masks, bytes []byte
}

func newByteDelta(old, new []byte) (d byteDelta) {
	in := make([]bool, len(new)/8)
	for i := range in {
		mask := byte(0)
		for j := range 8 {
			if at := 8*i + j; old[at] != new[at] {
				mask |= 1 << j
				d.bytes = append(d.bytes, new[at])
			}
		}
		if in[i] = mask != 0; in[i] {
			d.masks = append(d.masks, mask)
		}
	}
	d.set, _ = mapOf(in)
	return d
}

// byteBuffers are what the kernels are given, in guarded memory, by bytes away
// from where it is aligned.
type byteBuffers struct {
	side                side
	old, new, page, set []byte
	masks, dst          []byte
}

// newByteBuffers returns buffers for pages of n bytes that begin by bytes
// behind an aligned address, or end so many before one.
func newByteBuffers(t *testing.T, n, by int, s side) *byteBuffers {
	buffer := func(n int) []byte {
		b := guarded(t, n+by, s)
		if s == front {
			return b[by:]
		}
		return b[:n:n]
	}
	return &byteBuffers{s, buffer(n), buffer(n), buffer(n), buffer(n / 64), buffer(n / 8), buffer(n)}
}

// flush returns the n bytes of b that are nearest to what nobody may touch.
func (b *byteBuffers) flush(buffer []byte, n int) []byte {
	if b.side == front {
		return buffer[:n:n]
	}
	return buffer[len(buffer)-n:]
}

// check counts, packs and merges the bytes that differ.
func (b *byteBuffers) check(t *testing.T, k *Kernels, old, new []byte, where string) {
	t.Helper()
	d := newByteDelta(old, new)
	copy(b.old, old)
	copy(b.new, new)
	copy(b.set, d.set)
	if n := k.DiffBytes(b.old, b.new); n != len(d.bytes) {
		t.Fatalf("%s: %d bytes differ, not %d", where, n, len(d.bytes))
	}

	masks := b.flush(b.masks, len(d.masks))
	n := k.PackBytes(masks, b.dst, b.old, b.new, b.set)
	if n != len(d.bytes) || !bytes.Equal(masks, d.masks) || !bytes.Equal(b.dst[:n], d.bytes) {
		t.Fatalf("%s: packed % x and %d bytes % x, want % x and %d bytes % x", where,
			head(masks), n, head(b.dst), head(d.masks), len(d.bytes), head(d.bytes))
	}

	src := b.flush(b.dst, len(d.bytes))
	copy(src, d.bytes)
	copy(b.page, old)
	k.MergeBytes(b.page, masks, src, b.set)
	if !bytes.Equal(b.page, new) {
		t.Fatalf("%s: merged to % x, want % x", where, head(b.page), head(new))
	}
	if !bytes.Equal(b.old, old) || !bytes.Equal(b.new, new) || !bytes.Equal(b.set, d.set) ||
		!bytes.Equal(masks, d.masks) || !bytes.Equal(src, d.bytes) {
		t.Fatalf("%s: what was to be read was overwritten", where)
	}
}

// change changes so many words in 16 of page, about, and up to so many bytes
// of each.
func change(r *rand.Rand, page []byte, fill, atMost int) {
	for i, in := range presence(r, len(page), fill) {
		if in {
			for range 1 + r.IntN(atMost) {
				page[8*i+r.IntN(8)] ^= 1 << r.IntN(8)
			}
		}
	}
}

func TestBytes(t *testing.T) {
	each(t, func(t *testing.T, k *Kernels) {
		r := rand.New(rand.NewPCG(1991, 14))
		for _, n := range wordLengths[:len(wordLengths)-1] {
			for _, s := range sides {
				for by := range 16 {
					b := newByteBuffers(t, n, by, s)
					for _, fill := range fills {
						old := symbols(r, n, 256)
						new := slices.Clone(old)
						change(r, new, fill, 1+r.IntN(20))
						b.check(t, k, old, new, fmt.Sprintf("%d bytes, guarded %s, by %d, %d/16", n, s, by, fill))
					}
				}
			}
		}
	})
}

// All lengths, and all bytes changed: more than counters of 8 or 16 bits hold.
func TestBytesEveryLength(t *testing.T) {
	each(t, func(t *testing.T, k *Kernels) {
		r := rand.New(rand.NewPCG(1991, 15))
		for n := 64; n <= 8192; n += 64 {
			b := newByteBuffers(t, n, 0, sides[n/64%2])
			old := symbols(r, n, 256)
			new := slices.Clone(old)
			change(r, new, 6, 8)
			b.check(t, k, old, new, fmt.Sprintf("%d bytes", n))
			for i := range new {
				new[i] = ^old[i]
			}
			b.check(t, k, old, new, fmt.Sprintf("%d bytes, all changed", n))
		}
		old, new := make([]byte, 1<<21), bytes.Repeat([]byte{1}, 1<<21)
		newByteBuffers(t, len(old), 0, behind).check(t, k, old, new, "2 MiB, all changed")
	})
}

// Every mask, before and after every other one.
func TestBytesEveryMask(t *testing.T) {
	each(t, func(t *testing.T, k *Kernels) {
		r := rand.New(rand.NewPCG(1991, 16))
		for _, s := range sides {
			b := newByteBuffers(t, 64, 0, s)
			for m := range 1 << 16 {
				old := symbols(r, 64, 256)
				new := slices.Clone(old)
				word := 8 * r.IntN(7)
				for i := range 16 {
					if m>>i&1 == 1 {
						new[word+i] ^= 1 << r.IntN(8)
					}
				}
				b.check(t, k, old, new, fmt.Sprintf("masks %#04x of words from %d on, guarded %s", m, word/8, s))
			}
		}
	})
}

func TestPairs(t *testing.T) {
	each(t, func(t *testing.T, k *Kernels) {
		r := rand.New(rand.NewPCG(1991, 17))
		for _, s := range sides {
			b, words := newByteBuffers(t, 4096, 0, s), newPackBuffers(t, 4096, s)
			for _, p := range allPairs(t) {
				for i, pair := range p.pages {
					where := fmt.Sprintf("%s, pair %d, guarded %s", p.name, i, s)
					b.check(t, k, pair.old, pair.new, where)
					in := make([]bool, 512)
					for j := range in {
						in[j] = string(pair.old[8*j:][:8]) != string(pair.new[8*j:][:8])
					}
					words.check(t, r, k, in, where)
				}
			}
		}
	})
}
