package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/lzpage/lzpage/bench/pages"
)

// text returns n pages that shrink well.
func text(n int) []byte {
	data := make([]byte, 0, n*pages.Size+64)
	for i := 0; len(data) < n*pages.Size; i++ {
		data = fmt.Appendf(data, "order %d of customer %d is on its way; ", i, i%17)
	}
	return data[:n*pages.Size]
}

// noise returns n pages that do not shrink.
func noise(n int) []byte {
	random := rand.New(rand.NewPCG(1, 1))
	data := make([]byte, n*pages.Size)
	for i := 0; i < len(data); i += 8 {
		binary.LittleEndian.PutUint64(data[i:], random.Uint64())
	}
	return data
}

func concat(parts ...[]byte) []byte {
	var all []byte
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

func modes() []mode { return []mode{pageMode(), clusterMode()} }

func forEachCodec(t *testing.T, test func(t *testing.T, m mode, c codec)) {
	for _, m := range modes() {
		for _, c := range m.codecs {
			t.Run(m.name+"/"+c.name, func(t *testing.T) { test(t, m, c) })
		}
	}
}

func TestRoundTrip(t *testing.T) {
	mixed := concat(text(20), noise(3), make([]byte, 9*pages.Size), noise(16), text(16))
	forEachCodec(t, func(t *testing.T, m mode, c codec) {
		coder := c.start(m.blockBytes())
		for _, data := range [][]byte{mixed, text(16), noise(32), mixed} { // reused, for more and for less
			if _, err := check(coder, memory{data: data}, make([]byte, len(data))); err != nil {
				t.Errorf("%d pages: %v", len(data)/pages.Size, err)
			}
		}
	})
}

func TestEncodedLength(t *testing.T) {
	forEachCodec(t, func(t *testing.T, m mode, c codec) {
		coder := c.start(m.blockBytes())
		raw, shrunk := len(noise(64)), len(text(64))/3
		switch {
		case c.class == noCost:
			shrunk = len(text(64))
		case strings.HasPrefix(c.name, "pagestream"):
			raw += raw / 100 // headers, records and an index
		}
		if n, err := coder.encode(memory{data: noise(64)}); err != nil || n < len(noise(64)) || n > raw {
			t.Errorf("%d bytes of noise take %d, %v, want at most %d", len(noise(64)), n, err, raw)
		}
		if n, err := coder.encode(memory{data: text(64)}); err != nil || n == 0 || n > shrunk {
			t.Errorf("%d bytes of text take %d, %v, want at most %d", len(text(64)), n, err, shrunk)
		}
	})
}

func TestCodecs(t *testing.T) {
	for _, m := range modes() {
		seen := map[string]bool{}
		for _, c := range m.codecs {
			if seen[c.name] {
				t.Errorf("%s: two codecs have the name %s", m.name, c.name)
			}
			seen[c.name] = true
		}
		for _, name := range []string{baseline, "zstd -1 C", "zstd 1 C", "zstd 3 C"} {
			if built := missing == ""; seen[name] != built {
				t.Errorf("%s: codec %s is there: %v, built with cgo: %v", m.name, name, seen[name], built)
			}
		}
	}
}

// A fakeCoder takes memory encoded to a quarter of its length and gives it
// back as decodeWith says.
type fakeCoder struct {
	data       []byte
	decodeWith func(dst, data []byte) error
}

func (c *fakeCoder) encode(m memory) (int, error) { c.data = m.data; return len(m.data) / 4, nil }
func (c *fakeCoder) decode(dst []byte) error      { return c.decodeWith(dst, c.data) }

func TestCheckFindsWhatIsWrong(t *testing.T) {
	for _, test := range []struct {
		name   string
		decode func(dst, data []byte) error
		want   string
	}{
		{"nothing", func(dst, data []byte) error { copy(dst, data); return nil }, ""},
		{"nothing decoded", func(dst, data []byte) error { return nil }, "byte 0 was"},
		{"a byte missing", func(dst, data []byte) error { copy(dst, data[:len(data)-1]); return nil }, "byte 8191 was"},
		{"a bit flipped", func(dst, data []byte) error { copy(dst, data); dst[5000] ^= 4; return nil }, "byte 5000 was"},
		{"an error", func(dst, data []byte) error { copy(dst, data); return errors.New("bad token") }, "decoding: bad token"},
	} {
		n, err := check(&fakeCoder{decodeWith: test.decode}, memory{data: text(2)}, make([]byte, 2*pages.Size))
		if test.want == "" {
			if err != nil || n != 2048 {
				t.Errorf("%s: %d bytes, error %v", test.name, n, err)
			}
		} else if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v, want %q in it", test.name, err, test.want)
		}
	}
}

func TestBlockCoderRefusesShortBlock(t *testing.T) {
	c := blockwise(
		func(dst, src []byte) (int, error) { return copy(dst, src[:10]), nil },
		func(dst, src []byte) (int, error) { return copy(dst, src), nil },
	)(pages.Size)
	if _, err := check(c, memory{data: text(1)}, make([]byte, pages.Size)); err == nil || !strings.Contains(err.Error(), "a block of 4096 bytes comes back as 10") {
		t.Errorf("error %v", err)
	}
}
