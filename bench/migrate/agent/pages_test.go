package main

import (
	"bytes"
	"math"
	"testing"
)

func TestPageCheckFindsFlippedBits(t *testing.T) {
	h := header{number: 7, seed: 99, changed: 16, random: 40}
	page := make([]byte, pageBytes)
	h.write(page)
	for range 5 {
		h.rewrite(page)
	}
	if !h.right(page) {
		t.Fatal("a page that was rewritten five times is not right")
	}
	for i := range page {
		page[i] ^= 0x10
		if h.right(page) {
			t.Fatalf("byte %d: a flipped bit is not found", i)
		}
		page[i] ^= 0x10
	}
	if !h.right(page) {
		t.Error("the page is not right again")
	}
}

func TestPageCheckFindsStalePage(t *testing.T) {
	h := header{number: 7, seed: 99, changed: 3, random: 40}
	page := make([]byte, pageBytes)
	h.write(page)
	stale := bytes.Clone(page)
	h.rewrite(page)
	if h.right(stale) || !h.right(page) {
		t.Error("a page of the generation before counts as right, or the page does not")
	}
	// a header of now over the content of before
	copy(stale, page[:lineBytes])
	if h.right(stale) {
		t.Error("new header, old content: counts as right")
	}
}

// Each share of changed lines must change so many lines, and all in turn.
func TestRewriteChangesItsShare(t *testing.T) {
	for _, changed := range []uint64{1, 5, 16, 62, 63} {
		h := header{seed: 5, changed: changed, random: 100} // of which none stays as it was
		page := make([]byte, pageBytes)
		h.write(page)
		first := bytes.Clone(page)
		for n := 1; n <= 130; n++ {
			before := bytes.Clone(page)
			h.rewrite(page)
			if !h.right(page) {
				t.Fatalf("%d lines a rewrite: not right after %d", changed, n)
			}
			if got := differing(before, page); n == 1 && got != int(changed)+1 {
				t.Errorf("%d lines a rewrite: %d changed, the header among them", changed, got)
			}
		}
		if got := differing(first, page); got != contentLines+1 {
			t.Errorf("%d lines a rewrite: after 130 %d lines differ from the first", changed, got)
		}
	}
}

// Before a rewrite, damage is found in the header and in the lines that it
// writes over, and in no others.
func TestRewriteChecksWhatItWritesOver(t *testing.T) {
	for _, changed := range []uint64{1, 5, 16, 62, 63} {
		for _, base := range []uint64{0, 3, 50} {
			h := header{seed: 5, base: base, generation: base, changed: changed, random: 100}
			page := make([]byte, pageBytes)
			h.write(page)
			for n := range 130 {
				after, next := bytes.Clone(page), h
				next.rewrite(after)
				for i := 9; i < pageBytes; i += lineBytes {
					line := i / lineBytes * lineBytes
					overwritten := !bytes.Equal(page[line:line+lineBytes], after[line:line+lineBytes])
					page[i] ^= 1
					if found := !h.rightNext(page); found != overwritten {
						t.Fatalf("%d lines a rewrite, %d rewrites from %d on, byte %d: found %v, overwritten %v", changed, n, base, i, found, overwritten)
					}
					page[i] ^= 1
				}
				if !h.rightNext(page) {
					t.Fatalf("%d lines a rewrite, %d rewrites from %d on: not right", changed, n, base)
				}
				h, page = next, after
			}
		}
	}
}

func differing(a, b []byte) (lines int) {
	for i := 0; i < len(a); i += lineBytes {
		if !bytes.Equal(a[i:i+lineBytes], b[i:i+lineBytes]) {
			lines++
		}
	}
	return lines
}

// Lines are random, zero or text, each kind in its share.
func TestShares(t *testing.T) {
	isText := func(line []byte) bool {
		return !bytes.ContainsFunc(line, func(r rune) bool { return r != '\n' && (r < ' ' || r > '~') })
	}
	for _, random := range []uint64{0, 20, 80} {
		h := header{seed: 5, random: random}
		page := make([]byte, pageBytes)
		lines, zero, ofText := 0, 0, 0
		for number := range uint64(60) {
			h.seed = mix(number)
			h.write(page)
			for at := lineBytes; at < pageBytes; at += lineBytes {
				lines++
				switch line := page[at:][:lineBytes]; {
				case bytes.Equal(line, make([]byte, lineBytes)):
					zero++
				case isText(line):
					ofText++
				}
			}
		}
		if got := 100 * float64(lines-zero-ofText) / float64(lines); math.Abs(got-float64(random)) > 3 {
			t.Errorf("%d %% random: %.1f %% are", random, got)
		}
		if got := 100 * float64(zero) / float64(lines); math.Abs(got-zeros) > 3 {
			t.Errorf("%d %% random: %.1f %% are zero", random, got)
		}
	}
}

func TestText(t *testing.T) {
	all := sampleText()
	a, b := all.appendTo(nil, 1, 3000), all.appendTo([]byte("x"), 1, 3000)
	if len(a) != 3000 || string(b) != "x"+string(a) {
		t.Errorf("%d and %d bytes, or others", len(a), len(b))
	}
	if string(a) == string(all.appendTo(nil, 2, 3000)) {
		t.Error("another seed gives the same text")
	}
}
