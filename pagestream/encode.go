package pagestream

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"

	"github.com/lzpage/lzpage/lzrw1"
)

// A pageRecord is what a frame says of one page.
type pageRecord struct {
	kind      Kind
	page      uint64      // within the region
	crc       uint32      // of the page; kinds 2 to 6
	word      uint64      // kind 1
	duplicate pageAddress // kind 2
	block     int         // length in bytes; kinds 3 to 7
	delta     int         // of a page being written, where its record begins in batch.deltas
}

// size is the length of the record itself in bytes.
func (r *pageRecord) size() int {
	switch r.kind {
	case Zero:
		return 1
	case Word:
		return 1 + wordBytes
	case Duplicate:
		return 1 + varintLen(uint64(r.duplicate.region)) + varintLen(r.duplicate.page) + 4
	case Plain:
		return 1 + 4
	case Delta:
		return 1 + varintLen(uint64(r.block))
	}
	return 1 + 4 + varintLen(uint64(r.block))
}

func (r *pageRecord) append(b []byte) []byte {
	b = append(b, byte(r.kind))
	switch r.kind {
	case Zero:
	case Word:
		b = le.AppendUint64(b, r.word)
	case Duplicate:
		b = binary.AppendUvarint(b, uint64(r.duplicate.region))
		b = binary.AppendUvarint(b, r.duplicate.page)
		b = le.AppendUint32(b, r.crc)
	case Plain:
		b = le.AppendUint32(b, r.crc)
	case Delta:
		b = binary.AppendUvarint(b, uint64(r.block))
	default:
		b = le.AppendUint32(b, r.crc)
		b = binary.AppendUvarint(b, uint64(r.block))
	}
	return b
}

// appendKept appends a record of n pages that are not carried.
func appendKept(b []byte, n uint64) []byte {
	return binary.AppendUvarint(append(b, byte(kept)), n)
}

// classify finds out what can be told of a page without the pages before it:
// zero, one word, or content, for which it takes the CRC.
func classify(number uint64, page []byte) pageRecord {
	word := le.Uint64(page)
	// is each word the one before? Most pages say so at once
	if le.Uint64(page[wordBytes:]) == word && bytes.Equal(page[wordBytes:], page[:len(page)-wordBytes]) {
		if word == 0 {
			return pageRecord{kind: Zero, page: number}
		}
		return pageRecord{kind: Word, page: number, word: word}
	}
	return pageRecord{kind: Plain, page: number, crc: crc32.Checksum(page, castagnoli)}
}

// A writtenFrame is a frame of a batch. Of a pages frame, header and records
// are in batch.heads, and of one that has deltas or several runs the blocks,
// too. Of a zero run there is nothing yet: it may go on in the next batch.
type writtenFrame struct {
	start, end int // its records
	pages      int // carried; 0 for a zero run
	deltas     int // of them
	runs       int // of contents
	head       int // length in bytes
	blocks     []byte
}

// A batch is pages of a region in a round, in order, on their way through a
// Writer. In round 0 they are consecutive: from a cluster's start on, or in a
// sparse layer from a multiple of a batch's pages.
type batch struct {
	number uint64 // batches are numbered from 0
	round  int
	region *writtenRegion
	begins bool   // the region begins with this batch
	ends   bool   // and ends with it, as far as the round goes
	first  uint64 // page, in round 0
	zeros  uint64 // pages passed over before it: zero in the complete layer, else not carried

	data    []byte // the pages
	lent    bool   // data is lent to the window
	lentEnd uint64 // see pageWindow.lend
	records []pageRecord
	deltas  []byte      // records of deltas, one behind the other
	runs    []lzrw1.Run // whose Blocks are the frames'; kept for their memory
	heads   []byte
	frames  []writtenFrame
}

// page returns the batch's page number i.
func (b *batch) page(g geometry, i int) []byte { return b.data[i<<g.pageLog2:][:g.pageSize()] }

// cutComplete cuts the batch's pages into the frames of a complete layer:
// clusters.
func (b *batch) cutComplete(g geometry) {
	b.frames = b.frames[:0]
	for start := 0; start < len(b.records); start += g.clusterPages() {
		f := writtenFrame{start: start, end: min(start+g.clusterPages(), len(b.records))}
		if !allZero(b.records[start:f.end]) {
			f.pages = f.end - start
		}
		b.frames = append(b.frames, f)
	}
}

// cutSparse cuts the batch's pages into the frames of a sparse layer: as many
// pages as a cluster has, whatever lies between them, and zero runs where as
// many zero pages follow each other.
func (b *batch) cutSparse(g geometry) {
	b.frames = b.frames[:0]
	open := false // more pages may follow in the last frame
	for i := 0; i < len(b.records); {
		zeros := b.zerosFrom(i)
		switch {
		case zeros >= g.clusterPages():
			b.frames = append(b.frames, writtenFrame{start: i, end: i + zeros})
			open = false
			i += zeros
			continue
		case b.records[i].kind == kept:
			i++
			continue
		}
		for n := max(1, zeros); n > 0; n-- {
			if !open {
				b.frames = append(b.frames, writtenFrame{start: i})
			}
			f := &b.frames[len(b.frames)-1]
			if b.records[i].kind == Delta {
				f.deltas++
			}
			f.pages++
			i++
			f.end = i
			open = f.pages < g.clusterPages()
		}
	}
}

// zerosFrom returns how many consecutive pages from record i on are zero.
func (b *batch) zerosFrom(i int) int {
	n := 0
	for i+n < len(b.records) && b.records[i+n].kind == Zero && b.records[i+n].page == b.records[i].page+uint64(n) {
		n++
	}
	return n
}

// runPages is how many contents are encoded as one run in frames of more than
// DefaultClusterPages pages, at the levels that are faster with several runs at
// a time: few, so that none is left alone at the end. Each run has the end of the
// one before as its history, so that a frame's window is whole.
const runPages = 6

// A clusterEncoder turns classified pages into pages frames.
type clusterEncoder struct {
	geometry geometry
	lzrw1    *lzrw1.Encoder
	splits   bool // frames into several runs
	content  []byte
	packed   []bool // of each page with content, in order
}

func newClusterEncoder(g geometry, level lzrw1.Level) *clusterEncoder {
	return &clusterEncoder{geometry: g, lzrw1: lzrw1.NewEncoder(level), splits: level != lzrw1.Dense}
}

// encode appends to b.heads, completes the batch's frames, which have been cut, and
// its records.
func (e *clusterEncoder) encode(b *batch) {
	runs := e.gather(b)
	e.lzrw1.EncodeRuns(runs)
	packed := e.packed
	for i := range b.frames {
		f := &b.frames[i]
		if f.pages == 0 {
			continue
		}
		blocks := blockWalk{runs: runs[:f.runs]}
		records := b.records[f.start:f.end]
		for i := range records {
			if record := &records[i]; record.kind.hasContent() {
				content, block := blocks.next()
				record.block = len(block)
				record.kind = contentKind(len(block) < content, packed[0])
				packed = packed[1:]
			}
		}
		e.assemble(b, f, runs[:f.runs])
		runs = runs[f.runs:]
	}
}

// A blockWalk goes through the blocks of runs, in order.
type blockWalk struct {
	runs       []lzrw1.Run
	block      int // of runs[0], the next one
	start, end int // where it begins in Data and Blocks; 0 for the first
}

// next returns the next block, and how long its content is.
func (w *blockWalk) next() (content int, block []byte) {
	if w.block == len(w.runs[0].Cuts) {
		*w = blockWalk{runs: w.runs[1:]}
	}
	r := &w.runs[0]
	start := max(w.start, r.History)
	content, block = r.Cuts[w.block]-start, r.Blocks[w.end:r.Ends[w.block]]
	w.start, w.end = r.Cuts[w.block], r.Ends[w.block]
	w.block++
	return content, block
}

// assemble appends to b.heads what stands before the blocks of contents in the
// frame; where these are not one behind the other already, these, too.
func (e *clusterEncoder) assemble(b *batch, f *writtenFrame, runs []lzrw1.Run) {
	records := b.records[f.start:f.end]
	at := len(b.heads)
	b.heads = append(b.heads, make([]byte, frameHeaderSize)...)
	next := records[0].page
	for i := range records {
		if record := &records[i]; record.kind != kept {
			if record.page != next {
				b.heads = appendKept(b.heads, record.page-next)
			}
			b.heads = record.append(b.heads)
			next = record.page + 1
		}
	}
	var blocks []byte
	switch {
	case f.deltas > 0:
		walk := blockWalk{runs: runs}
		for i := range records {
			switch record := &records[i]; {
			case record.kind == Delta:
				b.heads = append(b.heads, b.deltas[record.delta:][:record.block]...)
			case record.kind.hasContent():
				_, block := walk.next()
				b.heads = append(b.heads, block...)
			}
		}
	case len(runs) == 1:
		blocks = runs[0].Blocks
	default:
		for i := range runs {
			b.heads = append(b.heads, runs[i].Blocks...)
		}
	}
	header := frameHeader{
		typ:      pagesFrame,
		geometry: e.geometry,
		pages:    f.pages,
		region:   b.region.number,
		first:    records[0].page,
	}
	header.seal(b.heads[at:], blocks)
	f.head, f.blocks = len(b.heads)-at, blocks
}

func contentKind(shrank, packed bool) Kind {
	switch {
	case packed && shrank:
		return LZRW1Packed
	case packed:
		return PlainPacked
	case shrank:
		return LZRW1
	}
	return Plain
}

func allZero(records []pageRecord) bool {
	for i := range records {
		if records[i].kind != Zero {
			return false
		}
	}
	return true
}

// gather lays the contents of each frame's pages one behind the other, and
// returns their runs, frame by frame.
func (e *clusterEncoder) gather(b *batch) []lzrw1.Run {
	if need := len(b.records) * e.geometry.maxContent(); len(e.content) < need {
		e.content = make([]byte, need)
	}
	content := e.content
	e.packed = e.packed[:0]
	used := 0
	for i := range b.frames {
		f := &b.frames[i]
		f.runs = 0
		most := MaxClusterPages // in a run
		if e.splits && f.pages > DefaultClusterPages {
			most = runPages
		}
		n, begin := 0, 0 // in the frame's contents: their end, where the run's Data begins
		for i := f.start; i < f.end && f.pages > 0; i++ {
			if !b.records[i].kind.hasContent() {
				continue
			}
			if f.runs == 0 || len(b.runs[used-1].Cuts) == most {
				if used == len(b.runs) {
					b.runs = append(b.runs, lzrw1.Run{})
				}
				r := &b.runs[used]
				r.Cuts, r.Ends, r.Blocks = r.Cuts[:0], r.Ends[:0], r.Blocks[:0]
				r.History = min(n, lzrw1.MaxOffset)
				begin = n - r.History
				used++
				f.runs++
			}
			length, packed := pack(content[n:], b.page(e.geometry, i))
			n += length
			e.packed = append(e.packed, packed)
			r := &b.runs[used-1]
			r.Data = content[begin:n]
			r.Cuts = append(r.Cuts, n-begin)
		}
		content = content[n:]
	}
	return b.runs[:used]
}
