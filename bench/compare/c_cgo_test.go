//go:build cgo

package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/lzpage/lzpage/bench/pages"
)

func TestCCodersRefuseDamage(t *testing.T) {
	for _, c := range slices.Concat(cCodecs(), cDeltaCodecs()) {
		coder, ok := c.start(pages.Size).(*cCoder)
		if !ok {
			continue // XBZRLE has a test of its own
		}
		data := text(3)
		if _, err := coder.encode(memory{data, make([]byte, len(data))}); err != nil {
			t.Fatal(err)
		}
		clear(coder.encoded[coder.ends[0]:coder.ends[1]])
		if err := coder.decode(data); err == nil || !strings.Contains(err.Error(), "block 1 ") {
			t.Errorf("%s: block 1 of 3 is damaged, error %v", c.name, err)
		}
	}
}
