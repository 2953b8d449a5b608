//go:build cgo

package main

import (
	"strings"
	"testing"

	"github.com/lzpage/lzpage/bench/pages"
)

func TestCCodersRefuseDamage(t *testing.T) {
	for _, c := range cCodecs() {
		coder := c.start(pages.Size).(*cCoder)
		data := text(3)
		if _, err := coder.encode(data); err != nil {
			t.Fatal(err)
		}
		clear(coder.encoded[coder.ends[0]:coder.ends[1]])
		if err := coder.decode(data); err == nil || !strings.Contains(err.Error(), "block 1 ") {
			t.Errorf("%s: block 1 of 3 is damaged, error %v", c.name, err)
		}
	}
}
