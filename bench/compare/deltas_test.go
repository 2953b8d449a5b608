package main

import (
	"bytes"
	"encoding/hex"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/lzpage/lzpage/bench/pages"
)

// versions returns n pages and an earlier version of each: from a byte to all
// of the page has changed, in runs of any length.
func versions(n int) memory {
	random := rand.New(rand.NewPCG(4, 4))
	m := memory{data: concat(text((n+1)/2), noise(n/2))}
	m.old = bytes.Clone(m.data)
	for page := range slices.Chunk(m.old, pages.Size) {
		longest := 1 << random.IntN(11)
		for range 1 + random.IntN(200) {
			start := random.IntN(pages.Size+longest) - longest
			end := min(start+1+random.IntN(2*longest), pages.Size)
			for i := max(start, 0); i < end; i++ {
				page[i] ^= byte(1 + random.IntN(255))
			}
		}
	}
	if n > 1 {
		copy(m.old[pages.Size:], noise(1)) // nothing is left of the second
	}
	return m
}

func TestDeltaRoundTrip(t *testing.T) {
	few := versions(3)
	for _, c := range deltaMode().codecs {
		coder := c.start(pages.Size)
		for _, m := range []memory{versions(200), few, versions(64)} { // reused, for less and for more
			if _, err := check(coder, m, make([]byte, len(m.data))); err != nil {
				t.Errorf("%s: %d pages: %v", c.name, len(m.data)/pages.Size, err)
			}
		}
	}
}

func TestDeltaLength(t *testing.T) {
	// Ten changed bytes in each page of noise, far apart.
	small := memory{data: noise(100)}
	small.old = bytes.Clone(small.data)
	for i := 200; i < len(small.old); i += pages.Size {
		for j := range 10 {
			small.old[i+300*j] ^= 0xFF
		}
	}
	random := rand.New(rand.NewPCG(2, 2))
	all := memory{data: noise(100), old: make([]byte, 100*pages.Size)} // no byte is as it was
	for i, b := range all.data {
		all.old[i] = b ^ byte(1+random.IntN(255))
	}
	for _, c := range deltaMode().codecs {
		coder := c.start(pages.Size)
		limit := len(small.data)
		if isDelta(c) {
			limit /= 20
		}
		if n, err := coder.encode(small); err != nil || n == 0 || n > limit {
			t.Errorf("%s: ten bytes of a page: %d bytes, %v, want at most %d", c.name, n, err, limit)
		}
		if n, err := coder.encode(all); err != nil || n != len(all.data) {
			t.Errorf("%s: whole pages of noise: %d bytes, %v, want %d", c.name, n, err, len(all.data))
		}
	}
}

func isDelta(c codec) bool {
	return strings.HasPrefix(c.name, "delta ") || strings.HasPrefix(c.name, "XBZRLE") || strings.HasSuffix(c.name, "of the XOR")
}

func TestDeltaCodecs(t *testing.T) {
	var names []string
	for _, c := range deltaMode().codecs {
		if slices.Contains(names, c.name) {
			t.Errorf("two codecs have the name %s", c.name)
		}
		names = append(names, c.name)
	}
	if !slices.Contains(names, xbzrle) {
		t.Errorf("no %s in %q", xbzrle, names)
	}
	for _, name := range []string{baseline, xbzrleC, zstdOfXOR, "LZ4 C of the XOR", "zstd 1 C"} {
		if built := missing == ""; slices.Contains(names, name) != built {
			t.Errorf("codec %s is there: %v, built with cgo: %v", name, !built, built)
		}
	}
}

func unhex(s string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		panic(err)
	}
	return b
}

// xbzrleExample is the example of QEMU's documentation, and its record.
func xbzrleExample() (m memory, record []byte) {
	m = memory{make([]byte, pages.Size), make([]byte, pages.Size)}
	copy(m.old[1001:], unhex("0506 0708 090a 0b0c 0d0e 0f10 1112 13 680000 6b 00 6d"))
	copy(m.data[1001:], unhex("0102 0304 0506 0708 090a 0b0c 0d0e 0f 680000 67 00 69"))
	return m, unhex("e907 0f 0102 0304 0506 0708 090a 0b0c 0d0e 0f 03 01 67 01 01 69")
}

func TestXBZRLEExample(t *testing.T) {
	m, record := xbzrleExample()
	var coder recordCoder
	for _, c := range deltaCodecs() {
		if c.name == xbzrle {
			coder = *c.start(pages.Size).(*recordCoder)
		}
	}
	if n, err := coder.encode(m); err != nil || n != 24 || !bytes.Equal(coder.encoded, record) {
		t.Errorf("%d bytes, %x, %v, want %x", n, coder.encoded, err, record)
	}
}

func TestRecordCodersRefuseDamage(t *testing.T) {
	m := versions(1)
	m.old = bytes.Clone(m.data)
	m.old[100] ^= 1
	for _, c := range deltaCodecs() {
		back := bytes.Clone(m.old)
		var record []byte
		coder := c.start(pages.Size)
		if _, err := coder.encode(m); err != nil {
			t.Fatal(err)
		}
		switch coder := coder.(type) {
		case *recordCoder:
			record = coder.encoded
		case *deltaCoder:
			record = coder.records
		}
		record[len(record)-2] ^= 0xFF // in XBZRLE the length of the run
		if err := coder.decode(back); err == nil {
			t.Errorf("%s: a damaged record is decoded", c.name)
		}
	}
}
