package main

import (
	"fmt"
	"slices"

	"github.com/lzpage/lzpage/bench/pages"
	"github.com/lzpage/lzpage/delta"
	"github.com/lzpage/lzpage/lzrw1"
)

// Names of the codecs that deltas are compared to, besides the baseline.
const (
	xbzrle    = "XBZRLE"
	xbzrleC   = "XBZRLE C"
	zstdOfXOR = "zstd 1 C of the XOR"
)

func deltaMode() mode {
	return mode{"deltas", "Deltas: each page of 4 KiB against its earlier version, stored as it is where that does not pay. " +
		"LZRW1, LZ4 C, zstd 1 C and memcpy take the new page alone.", 1,
		slices.Concat(deltaCodecs(), cDeltaCodecs(), []codec{
			{name: "LZRW1 fast, 64 pages a call", class: ours, start: startRuns(lzrw1.Fast, callPages, false)},
			memcpy,
		})}
}

func deltaCodecs() []codec {
	return []codec{
		{name: fmt.Sprintf("delta fast, %d pages a call", callPages), class: ours, start: startDeltas(lzrw1.Fast, callPages)},
		{name: "delta fast, one page a call", class: ours, start: startDelta(lzrw1.Fast)},
		{name: fmt.Sprintf("delta dense, %d pages a call", callPages), class: ours, start: startDeltas(lzrw1.Dense, callPages)},
		{name: xbzrle, class: ours, start: func(int) coder {
			return &recordCoder{appendRecord: delta.AppendXBZRLE, apply: delta.ApplyXBZRLE}
		}},
	}
}

// A recordCoder makes the record of one page a call.
type recordCoder struct {
	appendRecord func(dst, old, new []byte) ([]byte, bool)
	apply        func(page, record []byte) error
	encoded      []byte
	ends         []int // of each page in encoded; where all of it is there, it is stored as it is
}

func startDelta(level lzrw1.Level) func(int) coder {
	return func(int) coder {
		return &recordCoder{appendRecord: delta.NewEncoder(level).Append, apply: delta.NewDecoder().Apply}
	}
}

func (c *recordCoder) encode(m memory) (int, error) {
	c.encoded, c.ends = c.encoded[:0], c.ends[:0]
	for i := 0; i < len(m.data); i += pages.Size {
		page, start := m.data[i:i+pages.Size], len(c.encoded)
		record, ok := c.appendRecord(c.encoded, m.old[i:i+pages.Size], page)
		if !ok || len(record)-start >= pages.Size {
			record = append(record[:start], page...)
		}
		c.encoded = record
		c.ends = append(c.ends, len(record))
	}
	return len(c.encoded), nil
}

func (c *recordCoder) decode(dst []byte) error {
	start := 0
	for _, end := range c.ends {
		page, record := dst[:pages.Size], c.encoded[start:end]
		dst, start = dst[pages.Size:], end
		if len(record) == pages.Size {
			copy(page, record)
		} else if err := c.apply(page, record); err != nil {
			return err
		}
	}
	return nil
}

// A deltaCoder makes the records of several pages a call.
type deltaCoder struct {
	encoder *delta.Encoder
	decoder *delta.Decoder
	pairs   []delta.Pair // of a call

	records []byte
	ends    []int  // of each record in records; the record of a page stored as it is is empty
	plain   []byte // those pages
}

func startDeltas(level lzrw1.Level, pairsPerCall int) func(int) coder {
	return func(int) coder {
		return &deltaCoder{
			encoder: delta.NewEncoder(level),
			decoder: delta.NewDecoder(),
			pairs:   make([]delta.Pair, pairsPerCall),
		}
	}
}

func (c *deltaCoder) encode(m memory) (int, error) {
	c.records, c.ends, c.plain = c.records[:0], c.ends[:0], c.plain[:0]
	for data, old := m.data, m.old; len(data) > 0; {
		pairs, start := c.pairs[:min(len(c.pairs), len(data)/pages.Size)], len(c.records)
		for i := range pairs {
			pairs[i] = delta.Pair{Old: old[:pages.Size], New: data[:pages.Size]}
			old, data = old[pages.Size:], data[pages.Size:]
		}
		c.records, c.ends = c.encoder.AppendAll(c.records, c.ends, pairs)
		for i, end := range c.ends[len(c.ends)-len(pairs):] {
			if end == start {
				c.plain = append(c.plain, pairs[i].New...)
			}
			start = end
		}
	}
	return len(c.records) + len(c.plain), nil
}

func (c *deltaCoder) decode(dst []byte) error {
	plain, start := c.plain, 0
	for _, end := range c.ends {
		page, record := dst[:pages.Size], c.records[start:end]
		dst, start = dst[pages.Size:], end
		if len(record) == 0 {
			plain = plain[copy(page, plain):]
		} else if err := c.decoder.Apply(page, record); err != nil {
			return err
		}
	}
	return nil
}
