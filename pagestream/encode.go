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
	crc       uint32      // of the page; kinds 2 to 6
	word      uint64      // kind 1
	duplicate pageAddress // kind 2
	block     int         // length in bytes; kinds 3 to 6
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
	default:
		b = le.AppendUint32(b, r.crc)
		b = binary.AppendUvarint(b, uint64(r.block))
	}
	return b
}

// classify finds out what can be told of a page without the pages before it:
// zero, one word, or content, for which it takes the CRC.
func classify(page []byte) pageRecord {
	word := le.Uint64(page)
	// is each word the one before? Most pages say so at once
	if le.Uint64(page[wordBytes:]) == word && bytes.Equal(page[wordBytes:], page[:len(page)-wordBytes]) {
		if word == 0 {
			return pageRecord{kind: Zero}
		}
		return pageRecord{kind: Word, word: word}
	}
	return pageRecord{kind: Plain, crc: crc32.Checksum(page, castagnoli)}
}

// A writtenFrame is a pages frame of a batch: its header and its records in
// batch.heads, and its blocks. Without a head it stands for a cluster of zero
// pages, which needs no frame.
type writtenFrame struct {
	head   int // length in bytes
	blocks []byte
	crc    uint32 // of the header
}

func (f *writtenFrame) length() int { return f.head + len(f.blocks) }

// A batch is consecutive pages of a region, from a cluster's start on, on
// their way through a Writer.
type batch struct {
	number uint64 // batches are numbered from 0
	region *writtenRegion
	begins bool   // the region begins with this batch
	ends   bool   // and ends with it
	zeros  uint64 // zero pages before the first one, whole clusters
	first  uint64 // page within the region

	data    []byte // the pages
	lent    bool   // data is lent to the window
	lentEnd uint64 // see pageWindow.lend
	records []pageRecord
	runs    []lzrw1.Run // whose Blocks are the frames'; kept for their memory
	heads   []byte
	frames  []writtenFrame
}

// clusters calls do for the records of each cluster of the batch.
func (b *batch) clusters(g geometry, do func(start int, records []pageRecord)) {
	for start := 0; start < len(b.records); start += g.clusterPages() {
		do(start, b.records[start:min(start+g.clusterPages(), len(b.records))])
	}
}

// A clusterEncoder turns classified pages into pages frames.
type clusterEncoder struct {
	geometry geometry
	lzrw1    *lzrw1.Encoder
	content  []byte
	packed   []bool // of each page with content, in order
}

func newClusterEncoder(g geometry, level lzrw1.Level) *clusterEncoder {
	return &clusterEncoder{geometry: g, lzrw1: lzrw1.NewEncoder(level)}
}

// encode fills b.heads and b.frames and completes the batch's records.
func (e *clusterEncoder) encode(b *batch) {
	runs := e.gather(b)
	e.lzrw1.EncodeRuns(runs)
	packed := e.packed
	b.heads, b.frames = b.heads[:0], b.frames[:0]
	b.clusters(e.geometry, func(start int, records []pageRecord) {
		if allZero(records) {
			b.frames = append(b.frames, writtenFrame{})
			return
		}
		r := &runs[0]
		runs = runs[1:]
		at := len(b.heads)
		b.heads = append(b.heads, make([]byte, frameHeaderSize)...)
		contentStart, blockStart, k := 0, 0, 0
		for i := range records {
			record := &records[i]
			if record.kind.hasContent() {
				record.block = r.Ends[k] - blockStart
				record.kind = contentKind(record.block < r.Cuts[k]-contentStart, packed[0])
				contentStart, blockStart = r.Cuts[k], r.Ends[k]
				packed = packed[1:]
				k++
			}
			b.heads = record.append(b.heads)
		}
		header := frameHeader{
			typ:      pagesFrame,
			geometry: e.geometry,
			pages:    len(records),
			region:   b.region.number,
			first:    b.first + uint64(start),
		}
		header.seal(b.heads[at:], r.Blocks)
		b.frames = append(b.frames, writtenFrame{len(b.heads) - at, r.Blocks, header.crc})
	})
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

// gather lays the contents of each cluster's pages one behind the other, and
// returns a run for each cluster that is not all zero.
func (e *clusterEncoder) gather(b *batch) []lzrw1.Run {
	size := e.geometry.pageSize()
	if need := len(b.records) * e.geometry.maxContent(); len(e.content) < need {
		e.content = make([]byte, need)
	}
	content := e.content
	e.packed = e.packed[:0]
	used := 0
	b.clusters(e.geometry, func(start int, records []pageRecord) {
		if allZero(records) {
			return
		}
		if used == len(b.runs) {
			b.runs = append(b.runs, lzrw1.Run{})
		}
		r := &b.runs[used]
		used++
		r.Cuts, r.Ends, r.Blocks = r.Cuts[:0], r.Ends[:0], r.Blocks[:0]
		n := 0
		for i := range records {
			if !records[i].kind.hasContent() {
				continue
			}
			page := b.data[(start+i)*size:][:size]
			length, packed := pack(content[n:], page)
			n += length
			e.packed = append(e.packed, packed)
			r.Cuts = append(r.Cuts, n)
		}
		r.Data = content[:n]
		content = content[n:]
	})
	return b.runs[:used]
}
