package delta

import (
	"bytes"
	"compress/gzip"
	"encoding/hex"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func unhex(s string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		panic(err)
	}
	return b
}

// versions returns two versions of a page of so many bytes: noise or repeats,
// and of the second anything from nothing to all of it changed.
func versions(rng *rand.Rand, size int) (old, new []byte) {
	old = make([]byte, size)
	for i := range old {
		switch {
		case i >= 16 && rng.IntN(3) > 0:
			old[i] = old[i-16]
		case rng.IntN(2) > 0:
			old[i] = byte(rng.Uint32())
		}
	}
	new = bytes.Clone(old)
	if size == 0 {
		return old, new
	}
	switch rng.IntN(6) {
	case 0: // nothing
	case 1: // a few bytes
		for range rng.IntN(20) {
			new[rng.IntN(size)]++
		}
	case 2: // stretches
		for range rng.IntN(10) {
			start := rng.IntN(size)
			for i := start; i < min(size, start+rng.IntN(200)); i++ {
				new[i] = byte(rng.Uint32())
			}
		}
	case 3: // a byte of each so many words, as counters do
		step := 8 * (1 + rng.IntN(20))
		for i := rng.IntN(step); i < size; i += step {
			new[i] += byte(1 + rng.IntN(3))
		}
	case 4: // what stood elsewhere
		shift := rng.IntN(size)
		copy(new, old[shift:])
	case 5: // all of it
		for i := range new {
			new[i] = byte(rng.Uint32())
		}
	}
	return old, new
}

// realPairs returns pairs of real guests, if there are any, by guest.
func realPairs(tb testing.TB) map[string][]Pair {
	files, _ := filepath.Glob("../../shared/pages/*/dirty.bin.gz")
	pairs := make(map[string][]Pair)
	for _, file := range files {
		f, err := os.Open(file)
		if err != nil {
			tb.Fatal(err)
		}
		defer f.Close()
		z, err := gzip.NewReader(f)
		if err != nil {
			tb.Fatal(err)
		}
		b, err := io.ReadAll(z)
		if err != nil {
			tb.Fatal(err)
		}
		guest := filepath.Base(filepath.Dir(file))
		for ; len(b) >= 8192; b = b[8192:] {
			pairs[guest] = append(pairs[guest], Pair{b[:4096], b[4096:8192]})
		}
	}
	return pairs
}
