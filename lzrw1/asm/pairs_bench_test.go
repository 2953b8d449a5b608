package asm

import "testing"

// benchPairs runs what use makes of an implementation and pairs with each of
// these, a page each turn.
func benchPairs(b *testing.B, use func(k *Kernels, pages []pagePair) func(i int)) {
	for _, p := range allPairs(b) {
		for _, k := range Available {
			b.Run(p.name+"/"+k.Name, func(b *testing.B) {
				do := use(k, p.pages)
				b.SetBytes(4096)
				for i := 0; b.Loop(); i++ {
					do(i % len(p.pages))
				}
			})
		}
	}
}

func BenchmarkMerge(b *testing.B) {
	benchPairs(b, func(k *Kernels, pages []pagePair) func(i int) {
		sets, words := make([][]byte, len(pages)), make([][]byte, len(pages))
		for i, p := range pages {
			sets[i], words[i] = p.words()
		}
		page := make([]byte, 4096)
		return func(i int) { k.Merge(page, words[i], sets[i]) }
	})
}

func BenchmarkDiffBytes(b *testing.B) {
	benchPairs(b, func(k *Kernels, pages []pagePair) func(i int) {
		return func(i int) { k.DiffBytes(pages[i].old, pages[i].new) }
	})
}

func BenchmarkPackBytes(b *testing.B) {
	benchPairs(b, func(k *Kernels, pages []pagePair) func(i int) {
		sets := make([][]byte, len(pages))
		for i, p := range pages {
			sets[i], _ = p.words()
		}
		masks, dst := make([]byte, 512), make([]byte, 4096)
		return func(i int) { k.PackBytes(masks, dst, pages[i].old, pages[i].new, sets[i]) }
	})
}

func BenchmarkMergeBytes(b *testing.B) {
	benchPairs(b, func(k *Kernels, pages []pagePair) func(i int) {
		sets, masks, bytes := make([][]byte, len(pages)), make([][]byte, len(pages)), make([][]byte, len(pages))
		for i, p := range pages {
			var words []byte
			sets[i], words = p.words()
			masks[i], bytes[i] = make([]byte, len(words)/8), make([]byte, 4096)
			n := portable.PackBytes(masks[i], bytes[i], p.old, p.new, sets[i])
			bytes[i] = bytes[i][:n:n]
		}
		page := make([]byte, 4096)
		return func(i int) { k.MergeBytes(page, masks[i], bytes[i], sets[i]) }
	})
}

// Half of the old page is the history of what a lane or a table begins.

func BenchmarkLaneReset(b *testing.B) {
	for _, g := range greedies {
		b.Run(g.name, func(b *testing.B) {
			benchPairs(b, func(k *Kernels, pages []pagePair) func(i int) {
				lane, scheme := new(Lane), g.of(k).Scheme
				return func(i int) { lane.Reset(scheme, pages[i].old[:2048]) }
			})
		})
	}
}

func BenchmarkDenseTableReset(b *testing.B) {
	benchPairs(b, func(k *Kernels, pages []pagePair) func(i int) {
		active := Active
		b.Cleanup(func() { Active = active })
		Active = k
		table := new(DenseTable)
		return func(i int) { table.Reset(pages[i].old, 2048) }
	})
}
