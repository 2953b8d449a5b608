package delta

import (
	"slices"

	"github.com/lzpage/lzpage/lzrw1"
	"github.com/lzpage/lzpage/lzrw1/asm"
)

// A Pair is a page and its earlier version, equally long.
type Pair struct{ Old, New []byte }

// Pages are encoded in batches of so many, or so many bytes, whatever comes
// first: lzrw1 is fastest with many blocks at a time.
const (
	batchPages = 64
	batchBytes = batchPages * 4096
)

// minBlock is the least content that is tried to shrink, in bytes: a block takes
// time to begin, and less than that seldom shrinks by much.
const minBlock = 32

// An Encoder makes records. It is reused without allocating, and is not safe
// for concurrent use.
type Encoder struct {
	lzrw1 *lzrw1.Encoder
	tree  tree

	// of the batch at hand
	heads   []byte // forms, checksums and maps, one record's behind the other
	content []byte // old words and new ones, or masks and bytes
	parts   []part
	runs    []lzrw1.Run // of contents; kept for their memory

	one [1]Pair // for calls with a single pair
	end [1]int
}

// A part is a record on its way.
type part struct {
	page  int    // its length, 0 where a delta does not pay
	head  int    // end of its head in Encoder.heads
	plain []byte // its content
	run   int    // of its content, -1 where that is too short
}

// NewEncoder returns an encoder whose LZRW1 blocks are of the level. It holds
// what [lzrw1.NewEncoder] does and, once it is given many pages at a time, some
// 1 MiB.
func NewEncoder(level lzrw1.Level) *Encoder {
	return &Encoder{lzrw1: lzrw1.NewEncoder(level)}
}

// Append appends to dst the record that turns the page old into the page new,
// which is as long, and returns the result. Where a delta does not pay, since
// it is no shorter than the page or nearly all of the page's bytes have
// changed, it returns dst as it is, and false.
func (e *Encoder) Append(dst, old, new []byte) (record []byte, ok bool) {
	e.one[0] = Pair{old, new}
	n := len(dst)
	dst, _ = e.AppendAll(dst, e.end[:0], e.one[:])
	e.one[0] = Pair{}
	return dst, len(dst) > n
}

// AppendAll appends to dst the records of the pairs, one behind the other, and
// to ends where each of them ends in dst. Where a delta does not pay, as for
// Append, the record is empty; no other one is. Many pairs a call are the
// fastest way to encode.
func (e *Encoder) AppendAll(dst []byte, ends []int, pairs []Pair) ([]byte, []int) {
	for len(pairs) > 0 {
		n, size := 0, 0
		for n < len(pairs) && n < batchPages && (n == 0 || size+len(pairs[n].New) <= batchBytes) {
			size += len(pairs[n].New)
			n++
		}
		e.lzrw1.EncodeRuns(e.prepare(pairs[:n], size))
		dst, ends = e.assemble(dst, ends)
		pairs = pairs[n:]
	}
	return dst, ends
}

// prepare makes heads and contents of the pairs, whose pages have so many
// bytes in all, and returns the runs to encode.
func (e *Encoder) prepare(pairs []Pair, size int) []lzrw1.Run {
	if len(e.content) < 2*size {
		e.content = make([]byte, 2*size)
	}
	e.heads, e.parts = e.heads[:0], e.parts[:0]
	used, runs := 0, 0
	for i := range pairs {
		p := &pairs[i]
		if len(p.Old) != len(p.New) || !validPage(len(p.New)) {
			panic("delta: the versions of a page must be equally long, a multiple of 64 from 64 bytes to 2 MiB")
		}
		part := part{page: len(p.New), run: -1}
		history, length, pays := e.look(p, e.content[used:])
		if !pays {
			part.page = 0
		}
		data := e.content[used : used+length]
		used += length
		part.head, part.plain = len(e.heads), data[history:]
		if len(part.plain) >= minBlock {
			if runs == len(e.runs) {
				e.runs = append(e.runs, lzrw1.Run{})
			}
			part.run = runs
			r := &e.runs[runs]
			runs++
			r.Data, r.History = data, history
			r.Cuts = append(r.Cuts[:0], length)
			r.Ends, r.Blocks = r.Ends[:0], r.Blocks[:0]
		}
		e.parts = append(e.parts, part)
	}
	return e.runs[:runs]
}

// look appends the head of the pair's record to e.heads and writes to content,
// which has room for two pages, the history of its content and the content. It
// returns how long they are, the history and both together, and whether a
// delta may pay.
func (e *Encoder) look(p *Pair, content []byte) (history, length int, pays bool) {
	e.tree.resize(len(p.New) / 64)
	set := e.tree.set()
	words := asm.DiffMap(set, p.Old, p.New)
	changed := 0
	if words > 0 {
		changed = asm.DiffBytes(p.Old, p.New)
	}
	if tooMany(changed, len(p.New)) {
		return 0, 0, false
	}
	at := len(e.heads)
	e.heads = append(e.heads, formSame)
	e.heads = le.AppendUint32(e.heads, Checksum(p.New))
	if words == 0 {
		return 0, 0, true
	}
	size := e.tree.build()
	var runs bool
	if e.heads, runs = appendRuns(e.heads, set, size); runs {
		e.heads[at] |= flagRuns
	} else {
		e.heads = e.tree.append(e.heads)
	}
	if bytesPay(changed, words) {
		e.heads[at] |= formBytes
		return 0, asm.PackBytes(content, p.Old, p.New, set), true
	}
	e.heads[at] |= formWords
	asm.Pack(content, p.Old, set)
	asm.Pack(content[words*wordBytes:], p.New, set)
	return words * wordBytes, 2 * words * wordBytes, true
}

// tooMany reports whether so many changed bytes of a page are too many for a
// delta to pay: the window of old words then gives less than the window that a
// page has among its neighbours.
func tooMany(changed, page int) bool { return changed*64 > page*63 }

// bytesPay reports whether changed bytes take less than changed words do, as
// they mostly do where no more than half of those words' bytes has changed.
// Encoding both ways instead would save 1 % on guests' pages.
func bytesPay(changed, words int) bool { return 2*changed <= words*wordBytes }

// assemble appends the records.
func (e *Encoder) assemble(dst []byte, ends []int) ([]byte, []int) {
	head := 0
	for i := range e.parts {
		part := &e.parts[i]
		start := len(dst)
		content, flags := part.plain, byte(0)
		if part.run >= 0 {
			if block := e.runs[part.run].Blocks; len(block) < len(content) {
				content, flags = block, flagLZRW1
			}
		}
		if length := part.head - head + len(content); length < part.page {
			dst = slices.Grow(dst, length)
			dst = append(dst, e.heads[head:part.head]...)
			dst = append(dst, content...)
			dst[start] |= flags
		}
		head = part.head
		ends = append(ends, len(dst))
	}
	return dst, ends
}
