package delta

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// Blocks of chains that are stored and released in any order are never in two
// chains, and none is lost.
func TestArena(t *testing.T) {
	const blocks, size = 64, 128
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 1))
		var a blockArena
		a.init(&cacheMemory{blocks: make([]byte, blocks*size), links: make([]uint32, blocks)}, blocks, size)
		type chain struct {
			first uint32
			data  []byte
		}
		var chains []chain
		free := blocks
		for range 3000 {
			n := 1 + rng.IntN(12*size)
			if need := (n + size - 1) / size; need <= free && rng.IntN(5) > 0 {
				data := make([]byte, n)
				for i := range data {
					data[i] = byte(rng.Uint32())
				}
				chains = append(chains, chain{a.store(data), data})
				free -= need
			} else if len(chains) > 0 {
				i := rng.IntN(len(chains))
				a.release(chains[i].first)
				free += (len(chains[i].data) + size - 1) / size
				chains[i] = chains[len(chains)-1]
				chains = chains[:len(chains)-1]
			}
			for _, c := range chains {
				got := make([]byte, len(c.data))
				if a.load(got, c.first); !bytes.Equal(got, c.data) {
					t.Fatalf("seed %d: a chain of %d bytes holds other bytes than were stored", seed, len(got))
				}
			}
			if n := chainLength(t, &a, a.free); n != free {
				t.Fatalf("seed %d: %d blocks are free, want %d", seed, n, free)
			}
		}
	}
}

// chainLength follows a chain, at most as far as there are blocks.
func chainLength(t *testing.T, a *blockArena, first uint32) int {
	t.Helper()
	n := 0
	for b := first; b != noBlock; b = a.next[b] {
		if n++; n > len(a.next) {
			t.Fatal("a chain of blocks has no end")
		}
	}
	return n
}
