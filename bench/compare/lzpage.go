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
			codec{name: fmt.Sprintf("LZRW1 %v, %d pages a call", level, callPages), class: ours, start: startRuns(level, callPages)},
			codec{name: fmt.Sprintf("LZRW1 %v, one page a call", level), class: ours, start: startRuns(level, 1)},
		)
	}
	return codecs
}

func ownClusterCodecs() []codec {
	var codecs []codec
	for _, level := range levels {
		codecs = append(codecs,
			codec{name: fmt.Sprintf("LZRW1 %v, runs of 16 pages", level), class: ours, start: startRuns(level, callClusters)},
			codec{name: fmt.Sprintf("LZRW1 %v, without zero words", level), class: ours, start: startPacked(level)},
			codec{name: fmt.Sprintf("pagestream %v, one worker", level), class: ours, start: startStream(level), process: true},
		)
	}
	return codecs
}

// A runCoder encodes each block as a run of pages: bare LZRW1, with a window
// over the block and a place to stop behind each page.
type runCoder struct {
	encoder     *lzrw1.Encoder
	blockBytes  int
	runsPerCall int
	runs        []lzrw1.Run
}

func startRuns(level lzrw1.Level, runsPerCall int) func(int) coder {
	return func(blockBytes int) coder {
		return &runCoder{encoder: lzrw1.NewEncoder(level), blockBytes: blockBytes, runsPerCall: runsPerCall}
	}
}

// point makes each run's Data a block of data.
func (c *runCoder) point(data []byte) {
	for i := range c.runs {
		c.runs[i].Data = data[i*c.blockBytes:][:c.blockBytes]
	}
}

func (c *runCoder) encode(data []byte) (int, error) {
	if n := len(data) / c.blockBytes; len(c.runs) != n {
		var cuts []int
		for end := pages.Size; end <= c.blockBytes; end += pages.Size {
			cuts = append(cuts, end)
		}
		c.runs = make([]lzrw1.Run, n)
		for i := range c.runs {
			c.runs[i].Cuts = cuts
			c.runs[i].Blocks = make([]byte, 0, blockRoom(c.blockBytes))
		}
	}
	c.point(data)
	for i := range c.runs {
		c.runs[i].Blocks, c.runs[i].Ends = c.runs[i].Blocks[:0], c.runs[i].Ends[:0]
	}
	for i := 0; i < len(c.runs); i += c.runsPerCall {
		c.encoder.EncodeRuns(c.runs[i:min(i+c.runsPerCall, len(c.runs))])
	}
	total := 0
	for i := range c.runs {
		total += len(c.runs[i].Blocks)
	}
	return total, nil
}

func (c *runCoder) decode(dst []byte) error {
	c.point(dst)
	for i := 0; i < len(c.runs); i += c.runsPerCall {
		if err := lzrw1.DecodeRuns(c.runs[i:min(i+c.runsPerCall, len(c.runs))]); err != nil {
			return err
		}
	}
	return nil
}

// A packedCoder is a runCoder of pages from which the words of zero are left
// out where they are a sixteenth or more, as pagestream does it. The map of the
// others counts with a page's block.
type packedCoder struct {
	runCoder
	content []byte
	cuts    []int // of all clusters
	packed  []bool
}

func startPacked(level lzrw1.Level) func(int) coder {
	return func(blockBytes int) coder {
		return &packedCoder{runCoder: runCoder{encoder: lzrw1.NewEncoder(level), blockBytes: blockBytes, runsPerCall: callClusters}}
	}
}

const (
	wordBytes = 8
	mapBytes  = pages.Size / wordBytes / 8
)

func (c *packedCoder) encode(data []byte) (int, error) {
	if c.runs == nil {
		c.runs = make([]lzrw1.Run, len(data)/c.blockBytes)
		c.content = make([]byte, len(data)/pages.Size*(pages.Size+mapBytes))
	}
	c.cuts, c.packed = c.cuts[:0], c.packed[:0]
	content, total := c.content, 0
	for i := range c.runs {
		r := &c.runs[i]
		first, n := len(c.cuts), 0
		for block := data[i*c.blockBytes:][:c.blockBytes]; len(block) > 0; block = block[pages.Size:] {
			page, at := block[:pages.Size], content[n:]
			words := asm.ZeroMap(at[:mapBytes], page)
			packed := pages.Size/wordBytes-words >= pages.Size/wordBytes/16
			if packed {
				asm.Pack(at[mapBytes:], page, at[:mapBytes])
				n += mapBytes + words*wordBytes
			} else {
				n += copy(at, page)
			}
			c.packed = append(c.packed, packed)
			c.cuts = append(c.cuts, n)
		}
		*r = lzrw1.Run{Data: content[:n], Cuts: c.cuts[first:], Blocks: r.Blocks[:0], Ends: r.Ends[:0]}
		content = content[n:]
		if (i+1)%c.runsPerCall == 0 || i+1 == len(c.runs) { // while the contents are in the cache
			c.encoder.EncodeRuns(c.runs[i/c.runsPerCall*c.runsPerCall : i+1])
		}
	}
	for i := range c.runs {
		total += len(c.runs[i].Blocks)
	}
	return total, nil
}

func (c *packedCoder) decode(dst []byte) error {
	packed := c.packed
	for i := range c.runs {
		r := c.runs[i : i+1]
		if err := lzrw1.DecodeRuns(r); err != nil {
			return err
		}
		start := 0
		for _, end := range r[0].Cuts {
			content := r[0].Data[start:end]
			if packed[0] {
				if !asm.Unpack(dst[:pages.Size], content[mapBytes:], content[:mapBytes]) {
					return errors.New("a page's map does not fit its words")
				}
			} else {
				copy(dst, content)
			}
			dst, packed, start = dst[pages.Size:], packed[1:], end
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

func (c *streamCoder) encode(data []byte) (int, error) {
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
	err = w.BeginRegion(pagestream.Region{Length: uint64(len(data))})
	if err == nil {
		_, err = w.Write(data)
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
