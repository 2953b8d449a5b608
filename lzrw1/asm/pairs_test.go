package asm

import (
	"compress/gzip"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// pairs are versions of pages of 4096 bytes, an old one and a new one.
type pairs struct {
	name  string
	pages []pagePair
}

type pagePair struct{ old, new []byte }

const dirtyPages = "../../../shared/pages/*/dirty.bin.gz"

// allPairs returns drawn pairs and, if they lie beside the repository, those
// of real guests.
func allPairs(t testing.TB) []pairs {
	t.Helper()
	all, err := readPairs()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

var readPairs = sync.OnceValues(func() (all []pairs, err error) {
	r := rand.New(rand.NewPCG(1991, 13))
	for _, kind := range []struct {
		name      string
		mostWords int // of 512 that change
		mostBytes int // of 8 that change in those
	}{{"few", 16, 8}, {"some", 256, 3}, {"many", 512, 8}} {
		p := pairs{name: kind.name}
		for range 64 {
			pair := pagePair{make([]byte, 4096), make([]byte, 4096)}
			for i := range pair.old {
				pair.old[i] = byte(r.Uint32())
			}
			copy(pair.new, pair.old)
			for range r.IntN(kind.mostWords + 1) {
				word := 8 * r.IntN(512)
				for range 1 + r.IntN(kind.mostBytes) {
					pair.new[word+r.IntN(8)] ^= byte(1 + r.IntN(255))
				}
			}
			p.pages = append(p.pages, pair)
		}
		all = append(all, p)
	}
	paths, err := filepath.Glob(dirtyPages)
	if err != nil {
		return nil, err
	}
	for _, path := range paths {
		p, err := readDirty(path)
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
})

// readDirty reads the first pairs of what the file holds, compressed.
func readDirty(path string) (pairs, error) {
	f, err := os.Open(path)
	if err != nil {
		return pairs{}, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return pairs{}, err
	}
	p := pairs{name: filepath.Base(filepath.Dir(path))}
	for len(p.pages) < 128 {
		pair := pagePair{make([]byte, 4096), make([]byte, 4096)}
		if _, err := io.ReadFull(z, pair.old); err == io.EOF {
			break
		} else if err != nil {
			return pairs{}, err
		}
		if _, err := io.ReadFull(z, pair.new); err != nil {
			return pairs{}, err
		}
		p.pages = append(p.pages, pair)
	}
	return p, nil
}

// words returns the map of the words that differ, and those of the new page.
func (p pagePair) words() (set, words []byte) {
	in := make([]bool, len(p.new)/8)
	for i := range in {
		word := p.new[8*i:][:8]
		if in[i] = string(word) != string(p.old[8*i:][:8]); in[i] {
			words = append(words, word...)
		}
	}
	set, _ = mapOf(in)
	return set, words
}
