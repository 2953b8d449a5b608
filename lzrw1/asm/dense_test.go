package asm

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"
	"unsafe"
)

// denseCases are kinds of data, n bytes of each.
var denseCases = []struct {
	name string
	make func(r *rand.Rand, n int) []byte
}{
	{"zeros", func(r *rand.Rand, n int) []byte { return make([]byte, n) }},
	{"noise", func(r *rand.Rand, n int) []byte { return symbols(r, n, 256) }},
	{"two symbols", func(r *rand.Rand, n int) []byte { return symbols(r, n, 2) }},
	{"nine symbols", func(r *rand.Rand, n int) []byte { return symbols(r, n, 9) }},
	{"words", func(r *rand.Rand, n int) []byte {
		b := make([]byte, 0, n+16)
		for len(b) < n {
			b = fmt.Appendf(b, "%x ", r.ExpFloat64()*20)[:len(b)+1+r.IntN(7)]
		}
		return b[:n]
	}},
	{"copies", func(r *rand.Rand, n int) []byte { return copies(r, n, 4095, 20) }},
	{"far copies", func(r *rand.Rand, n int) []byte { return copies(r, n, 4200, 40) }},
	{"near copies", func(r *rand.Rand, n int) []byte { return copies(r, n, 20, 300) }},
	{"period 4095", func(r *rand.Rand, n int) []byte { return period(r, n, 4095) }},
	{"period 4096", func(r *rand.Rand, n int) []byte { return period(r, n, 4096) }},
	{"noise, then zeros", func(r *rand.Rand, n int) []byte {
		b := symbols(r, n, 256)
		clear(b[n*2/3:])
		return b
	}},
}

func symbols(r *rand.Rand, n, of int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.IntN(of))
	}
	return b
}

func copies(r *rand.Rand, n, far, long int) []byte {
	b := make([]byte, n)
	for i := 0; i < n; {
		if i == 0 || r.IntN(3) == 0 {
			b[i] = byte(r.Uint32())
			i++
			continue
		}
		from := i - 1 - r.IntN(min(i, far))
		for range 1 + r.IntN(long) {
			if i < n {
				b[i] = b[from]
				i++
				from++
			}
		}
	}
	return b
}

func period(r *rand.Rand, n, p int) []byte {
	b := symbols(r, n, 256)
	for i := p; i < n; i++ {
		b[i] = b[i-p]
	}
	return b
}

// A denseState is all that an encoder keeps.
type denseState struct {
	table   DenseTable
	scratch DenseScratch
}

// sameBlocks encodes data's blocks, history before them, with k and with the
// portable phases, data and dst flush against memory that cannot be touched, and fails where blocks or
// tables differ or dst is written beyond its end.
func sameBlocks(t *testing.T, k *DenseKernels, data []byte, history int, cuts []int, giveUp bool, at side) {
	t.Helper()
	got, want := new(denseState), new(denseState)
	for i := range got.scratch.keys { // hostile leftovers
		got.scratch.keys[i] = uint16(i * 40503)
	}
	for i := range got.scratch.lens {
		got.scratch.lens[i], got.scratch.lengths[i] = 0xEE, 0xEE
	}
	for i := range got.scratch.saved {
		got.scratch.saved[i] = 0xFFFF
	}
	src := guarded(t, len(data), at)
	copy(src, data)
	got.table.Reset(src, history)
	want.table.Reset(data, history)
	start := history
	for _, end := range cuts {
		n := end - start
		room := n + 2*((n+15)/16) + MaxDenseSlack
		dst := guarded(t, room, behind)
		expected := make([]byte, room)
		g := k.Encode(dst, src, start, end, giveUp, &got.table, &got.scratch)
		w := densePortable.Encode(expected, data, start, end, giveUp, &want.table, &want.scratch)
		if g != w || g >= 0 && !bytes.Equal(dst[:g], expected[:g]) {
			t.Fatalf("block %d to %d of %d: %d bytes, the portable phases give %d", start, end, len(data), g, w)
		}
		if got.table != want.table {
			t.Fatalf("block %d to %d of %d: tables differ", start, end, len(data))
		}
		if g >= 0 {
			back := bytes.Clone(data[:start])
			back = decodeSlowly(back, dst[:g])
			if !bytes.Equal(back, data[:end]) {
				t.Fatalf("block %d to %d of %d: does not come back", start, end, len(data))
			}
		}
		start = end
	}
}

// decodeSlowly appends what the block stands for to data.
func decodeSlowly(data, block []byte) []byte {
	for len(block) > 0 {
		control := uint(block[0]) | uint(block[1])<<8
		block = block[2:]
		for range 16 {
			if len(block) == 0 {
				break
			}
			if control&1 == 0 {
				data = append(data, block[0])
				block = block[1:]
			} else {
				offset, length := int(block[0])>>4<<8|int(block[1]), int(block[0])&15+1
				if offset == 0 || offset > len(data) || length < 3 {
					return nil
				}
				for range length {
					data = append(data, data[len(data)-offset])
				}
				block = block[2:]
			}
			control >>= 1
		}
	}
	return data
}

func TestDense(t *testing.T) {
	each(t, func(t *testing.T, k *Kernels) {
		for _, c := range denseCases {
			t.Run(c.name, func(t *testing.T) { testDense(t, &k.Dense, c.make) })
		}
	})
}

func testDense(t *testing.T, k *DenseKernels, make func(r *rand.Rand, n int) []byte) {
	r := rand.New(rand.NewPCG(1, 2))
	sizes := []int{4096, 4095, 4097, 4160, 8192, 12345, 70000, 140001}
	step := 1
	if testing.Short() {
		sizes, step = sizes[:6], 9
	}
	for n := 0; n < 140; n += step {
		sizes = append(sizes, n, n+1000+r.IntN(3000))
	}
	for _, n := range sizes {
		data := make(r, n)
		for _, at := range sides {
			sameBlocks(t, k, data, 0, []int{n}, n%2 == 0, at)
		}
	}
	for range 40 / step { // runs, half of them with history
		n := 1 + r.IntN(80000)
		data := make(r, n)
		history := r.IntN(2) * r.IntN(min(n, 6000))
		var cuts []int
		for at := history; at < n; {
			at = min(n, at+1+r.IntN(5000))
			cuts = append(cuts, at)
		}
		sameBlocks(t, k, data, history, cuts, r.IntN(4) > 0, sides[r.IntN(2)])
	}
}

// Positions are entered one after the other, from any position on, by every
// implementation, wherever the data and the tables end.
func TestDenseEnter(t *testing.T) {
	each(t, func(t *testing.T, k *Kernels) {
		r := rand.New(rand.NewPCG(1991, 18))
		for _, c := range denseCases {
			for _, s := range sides {
				memory := guarded(t, int(unsafe.Sizeof(DenseTable{})), s) // it holds no pointers
				got, want := (*DenseTable)(unsafe.Pointer(unsafe.SliceData(memory))), new(DenseTable)
				for n := 16; n <= maxOffset; n += 16 {
					if n > 160 && n%272 > 0 && n < maxOffset-32 {
						continue
					}
					first := r.IntN(40)
					data := guarded(t, first+n+maxCopy-1, s)
					copy(data, c.make(r, len(data)))
					for i := range want.Recent {
						want.Recent[i], want.Long[i] = r.Uint32(), uint16(r.Uint32())
					}
					*got = *want
					k.Dense.enter(unsafe.SliceData(data), first, n, got)
					for i := first; i < first+n; i++ {
						x := le.Uint64(data[i:])
						recent, long := &want.Recent[recentSlot(x)], &want.Long[longSlot(x)]
						*recent, *long = *recent<<16|uint32(i), uint16(i)
					}
					if *got != *want {
						t.Fatalf("%s, guarded %s: positions %d to %d entered wrongly", c.name, s, first, first+n-1)
					}
				}
			}
		}
	})
}
