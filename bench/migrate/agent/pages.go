package main

import (
	"encoding/binary"
	"math/rand/v2"
	"sync"
)

// A page of the dirtier is 64 lines of 64 bytes. The first is its header; what
// the others hold follows from the header. A rewrite changes some of them, as
// many in each page, in turn: so each line has the generation of its last
// change.
const (
	pageBytes    = 4096
	lineBytes    = 64
	contentLines = pageBytes/lineBytes - 1
)

// header is what a page is made from.
type header struct {
	number     uint64 // of the page
	generation uint64 // counts rewrites
	base       uint64 // the generation in which all lines were written
	seed       uint64
	changed    uint64 // lines that each rewrite since base changed
	random     uint64 // percentage of random lines, the rest is text and zeros
}

// linesText is the length of the text that lines are taken from: so much that
// pages that are near each other have different parts.
const linesText = 4 << 20

// records is that text.
var records = sync.OnceValue(func() []byte {
	text := make([]byte, 0, linesText+recordMost)
	return appendRecords(text, rand.New(rand.NewPCG(1, 2)), linesText)
})

// zeros is the percentage of the lines that are zero, as in guests' memory.
const zeros = 20

// line returns the words of a line of the page, as it was written in a
// generation: random ones, zeros, or text.
func (h *header) line(line int, generation uint64) (words [lineBytes / 8]uint64) {
	r := mix(h.seed + generation*0x9e3779b97f4a7c15 + uint64(line)*0xd1342543de82ef95)
	switch kind := r >> 32 * 100 >> 32; {
	case kind < h.random:
		for i := range words {
			words[i] = mix(r + uint64(i))
		}
	case kind >= h.random+zeros:
		text := records()[r%(linesText-lineBytes):]
		for i := range words {
			words[i] = binary.LittleEndian.Uint64(text[i*8:])
		}
	}
	return words
}

// place is where the line comes among those that rewrites change in turn:
// neighbours are far apart.
func place(turn uint64) int { return int(turn * 38 % contentLines) }

// generations returns the generation in which each line was last written.
func (h *header) generations() (of [contentLines]uint64) {
	for i := range of {
		of[i] = h.base
	}
	left := contentLines
	for g := h.generation; g > h.base && left > 0; g-- {
		for turn := range h.changed {
			if line := place(g*h.changed + turn); of[line] == h.base {
				of[line] = g
				left--
			}
		}
	}
	return of
}

func (h *header) words() [8]uint64 {
	return [8]uint64{h.number, h.generation, h.base, h.seed, h.changed, h.random}
}

// write writes the whole page.
func (h *header) write(page []byte) {
	h.writeHeader(page)
	for line, generation := range h.generations() {
		h.writeLine(page, line, generation)
	}
}

func (h *header) writeHeader(page []byte) {
	for i, word := range h.words() {
		binary.LittleEndian.PutUint64(page[i*8:], word)
	}
}

func (h *header) writeLine(page []byte, line int, generation uint64) {
	content := page[(line+1)*lineBytes:][:lineBytes]
	for i, word := range h.line(line, generation) {
		binary.LittleEndian.PutUint64(content[i*8:], word)
	}
}

// rewrite turns a page of h into one of the next generation.
func (h *header) rewrite(page []byte) {
	h.generation++
	h.writeHeader(page)
	for turn := range h.changed {
		h.writeLine(page, place(h.generation*h.changed+turn), h.generation)
	}
}

// right tells whether the page is what h says, to the last byte.
func (h *header) right(page []byte) bool {
	if !h.rightHeader(page) {
		return false
	}
	for line, generation := range h.generations() {
		if !h.rightLine(page, line, generation) {
			return false
		}
	}
	return true
}

func (h *header) rightHeader(page []byte) bool {
	for i, word := range h.words() {
		if binary.LittleEndian.Uint64(page[i*8:]) != word {
			return false
		}
	}
	return true
}

func (h *header) rightLine(page []byte, line int, generation uint64) bool {
	content := page[(line+1)*lineBytes:][:lineBytes]
	for i, word := range h.line(line, generation) {
		if binary.LittleEndian.Uint64(content[i*8:]) != word {
			return false
		}
	}
	return true
}

// rightNext tells whether all of the page that a rewrite would write over is
// what h says.
func (h *header) rightNext(page []byte) bool {
	if !h.rightHeader(page) {
		return false
	}
	for turn := (h.generation + 1) * h.changed; turn < (h.generation+2)*h.changed; turn++ {
		// The line was written last when the turn before came to it, if that
		// was behind base.
		generation := h.base
		if turn >= contentLines {
			generation = max(generation, (turn-contentLines)/h.changed)
		}
		if !h.rightLine(page, place(turn), generation) {
			return false
		}
	}
	return true
}
