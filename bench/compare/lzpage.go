package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/lzpage/lzpage/bench/pages"
	"github.com/lzpage/lzpage/lzrw1"
	"github.com/lzpage/lzpage/lzrw1/asm"
	"github.com/lzpage/lzpage/pagestream"
)

var levels = []lzrw1.Level{lzrw1.Fast, lzrw1.Dense, lzrw1.Reference}

// How many pages, and clusters, EncodeRuns gets in one call where it gets more
// than one. It gets as many clusters from pagestream.
const (
	callPages    = 64
	callClusters = 24
)

func ownPageCodecs() []codec {
	var codecs []codec
	for _, level := range levels {
		codecs = append(codecs,
			codec{name: fmt.Sprintf("LZRW1 %v, %d pages a call", level, callPages), class: ours, start: startRuns(level, callPages, false)},
			codec{name: fmt.Sprintf("LZRW1 %v, one page a call", level), class: ours, start: startRuns(level, 1, false)},
		)
	}
	return codecs
}

func ownClusterCodecs() []codec {
	var codecs []codec
	for _, level := range levels {
		codecs = append(codecs,
			codec{name: fmt.Sprintf("LZRW1 %v, runs of 16 pages", level), class: ours, start: startRuns(level, callClusters, false)},
			codec{name: fmt.Sprintf("LZRW1 %v, without zero words", level), class: ours, start: startRuns(level, callClusters, true)},
			codec{name: fmt.Sprintf("pagestream %v, one worker", level), class: ours, start: startStream(level), process: true},
		)
	}
	return codecs
}

// A runCoder encodes each block as a run of pages: bare LZRW1, with a window
// over the block and a place to stop behind each page. Like a blockCoder, it
// puts the blocks one behind the other.
type runCoder struct {
	encoder    *lzrw1.Encoder
	blockBytes int
	pack       bool        // leave out words of zero, as pagestream does it
	runs       []lzrw1.Run // of a call
	content    []byte      // of the same, if packed

	encoded []byte
	ends    []int  // of each run in encoded
	cuts    []int  // of each page in its run's Data
	marks   []int  // and in its run's Blocks
	packed  []bool // each page
}

func startRuns(level lzrw1.Level, runsPerCall int, pack bool) func(int) coder {
	return func(blockBytes int) coder {
		c := &runCoder{
			encoder:    lzrw1.NewEncoder(level),
			blockBytes: blockBytes,
			pack:       pack,
			runs:       make([]lzrw1.Run, runsPerCall),
		}
		if pack {
			c.content = make([]byte, runsPerCall*blockBytes/pages.Size*(pages.Size+mapBytes))
		}
		return c
	}
}

func (c *runCoder) encode(m memory) (int, error) {
	data := m.data
	c.encoded, c.ends, c.cuts, c.marks, c.packed = c.encoded[:0], c.ends[:0], c.cuts[:0], c.marks[:0], c.packed[:0]
	for len(data) > 0 {
		runs, content := c.runs[:min(len(c.runs), len(data)/c.blockBytes)], c.content
		for i := range runs {
			r := &runs[i]
			r.Blocks, r.Ends, r.Cuts = r.Blocks[:0], r.Ends[:0], r.Cuts[:0]
			r.Data = data[:c.blockBytes]
			data = data[c.blockBytes:]
			if c.pack {
				content = c.packRun(r, content)
				continue
			}
			for end := pages.Size; end <= c.blockBytes; end += pages.Size {
				r.Cuts = append(r.Cuts, end)
			}
		}
		c.encoder.EncodeRuns(runs)
		for i := range runs {
			c.encoded = append(c.encoded, runs[i].Blocks...)
			c.ends = append(c.ends, len(c.encoded))
			c.cuts = append(c.cuts, runs[i].Cuts...)
			c.marks = append(c.marks, runs[i].Ends...)
		}
	}
	return len(c.encoded), nil
}

const (
	wordBytes = 8
	mapBytes  = pages.Size / wordBytes / 8
)

// packRun replaces the pages of r.Data by their contents, laid out in content,
// and returns what is left of that. A page of which a sixteenth is words of
// zero is the map of the others, and those.
func (c *runCoder) packRun(r *lzrw1.Run, content []byte) []byte {
	n := 0
	for data := r.Data; len(data) > 0; data = data[pages.Size:] {
		page, at := data[:pages.Size], content[n:]
		words := asm.ZeroMap(at[:mapBytes], page)
		packed := pages.Size/wordBytes-words >= pages.Size/wordBytes/16
		if packed {
			asm.Pack(at[mapBytes:], page, at[:mapBytes])
			n += mapBytes + words*wordBytes
		} else {
			n += copy(at, page)
		}
		c.packed = append(c.packed, packed)
		r.Cuts = append(r.Cuts, n)
	}
	r.Data = content[:n]
	return content[n:]
}

func (c *runCoder) decode(dst []byte) error {
	perRun := c.blockBytes / pages.Size
	start := 0
	for first := 0; first < len(c.ends); first += len(c.runs) {
		runs, content := c.runs[:min(len(c.runs), len(c.ends)-first)], c.content
		for i := range runs {
			run := first + i
			cuts := c.cuts[run*perRun:][:perRun]
			runs[i].Cuts, runs[i].Ends = append(runs[i].Cuts[:0], cuts...), append(runs[i].Ends[:0], c.marks[run*perRun:][:perRun]...)
			runs[i].Blocks = c.encoded[start:c.ends[run]]
			start = c.ends[run]
			if c.pack {
				runs[i].Data = content[:cuts[perRun-1]]
				content = content[cuts[perRun-1]:]
			} else {
				runs[i].Data = dst[:c.blockBytes]
				dst = dst[c.blockBytes:]
			}
		}
		err := lzrw1.DecodeRuns(runs)
		for i := range runs {
			if c.pack && err == nil {
				err = c.unpackRun(&runs[i], dst[:c.blockBytes], c.packed[(first+i)*perRun:])
				dst = dst[c.blockBytes:]
			}
			runs[i].Blocks = nil // not to be written to
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// unpackRun is the reverse of packRun.
func (c *runCoder) unpackRun(r *lzrw1.Run, dst []byte, packed []bool) error {
	start := 0
	for i, end := range r.Cuts {
		content, page := r.Data[start:end], dst[i*pages.Size:][:pages.Size]
		start = end
		if !packed[i] {
			copy(page, content)
		} else if !asm.Unpack(page, content[mapBytes:], content[:mapBytes]) {
			return errors.New("a page's map does not fit its words")
		}
	}
	return nil
}

// A streamCoder writes and reads a whole stream: headers, records, CRCs, zero
// words left out, index and all.
type streamCoder struct {
	level  lzrw1.Level
	stream bytes.Buffer
}

func startStream(level lzrw1.Level) func(int) coder {
	return func(int) coder { return &streamCoder{level: level} }
}

func (c *streamCoder) encode(m memory) (int, error) {
	c.stream.Reset()
	w, err := pagestream.NewWriter(context.Background(), &c.stream, pagestream.Options{
		ClusterPages:    clusterPages,
		Level:           c.level,
		DuplicateWindow: pagestream.NoDuplicates,
		Workers:         1,
	})
	if err != nil {
		return 0, err
	}
	err = w.BeginRegion(pagestream.Region{Length: uint64(len(m.data))})
	if err == nil {
		_, err = w.Write(m.data)
	}
	if _, closeErr := w.Close(); err == nil {
		err = closeErr
	}
	return c.stream.Len(), err
}

func (c *streamCoder) decode(dst []byte) error {
	r, err := pagestream.NewReader(bytes.NewReader(c.stream.Bytes()), pagestream.ReadOptions{Workers: 1})
	if err != nil {
		return err
	}
	_, err = r.Each(context.Background(), memorySink(dst))
	return err
}

// A memorySink puts a stream's only region back into memory.
type memorySink []byte

func (memorySink) Region(int, pagestream.Region) error { return nil }

func (s memorySink) Pages(p pagestream.Pages) error {
	part := s[p.First*pages.Size:][:p.Count*pages.Size]
	if p.Data == nil {
		clear(part)
	} else {
		copy(part, p.Data)
	}
	return nil
}
