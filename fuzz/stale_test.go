//go:build !gofuzz

package fuzz

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"testing"

	"github.com/lzpage/lzpage/pagestream"
)

// stale is what buffers hold before pages are read into them.
var stale = []byte("not read")

// readsStale reads pages of region 0 and reports whether one comes back as
// what the buffer held before.
func readsStale(src io.ReaderAt, size int64, first, pages int) (wrong bool, err error) {
	r, err := pagestream.NewReaderAt(src, size, limits(1))
	if err != nil {
		return false, err
	}
	dst := bytes.Repeat(stale, pages*512/len(stale))
	n, err := r.ReadRegionAt(dst, 0, int64(first)*512)
	return bytes.Contains(dst[:n], stale), err
}

// indexOf is an index frame of a round, whose first frame stands at offset.
func indexOf(round byte, first, offset uint64, entries ...uint64) frame {
	payload := append(le.AppendUint64(nil, offset), round)
	for _, v := range entries {
		payload = binary.AppendUvarint(payload, v)
	}
	return frame{typ: typeIndex, geometry: four, first: first, payload: payload}
}

// gapped is a frame of the pages first and first+3, and not of those between.
func gapped(first uint64) frame {
	word := append([]byte{1}, "someword"...)
	return sparsePages(four, 0, first, 2, append(append(word, 8, 2), word...)...)
}

// TestFrameOfTwoRounds has indexes that list a frame with a gap in the complete
// layer, too, where it would have to carry the pages of the gap.
func TestFrameOfTwoRounds(t *testing.T) {
	for name, second := range map[string]bool{"the first of its part": false, "the second": true} {
		first := uint64(0)
		if second {
			first = 4
		}
		f := gapped(first)
		frames := []frame{header(four), region(four, 0, 8*512), round(four, 1), f}
		size := uint64(headerSize + len(f.payload))
		at := uint64(len(join(frames[:3])))
		before := uint64(headerSize + len(frames[2].payload))
		complete := indexOf(0, 0, at, 0, 2*size, 4)
		if second { // the first is the round frame
			complete = indexOf(0, 0, at-before, 0, 2*before, 4, 0, 2*size, 4)
		}
		end := ending{index: uint64(len(join(frames))), bytes: 8 * 512, rounds: 1, kinds: [8]uint64{1: 4}}
		stream := join(withEnd(append(frames, frames[1], complete, indexOf(1, first, at, 0, 2*size, 4)), end))
		wrong, err := readsStale(bytes.NewReader(stream), int64(len(stream)), int(first), 4)
		if wrong || !errors.Is(err, pagestream.ErrCorrupt) {
			t.Errorf("%s: stale bytes: %v, error: %v", name, wrong, err)
		}
	}
}

// A changingFile has other bytes at an offset when that is read again.
type changingFile struct {
	before []byte
	offset int64
	after  []byte
	reads  int
}

func (c *changingFile) ReadAt(p []byte, off int64) (int, error) {
	if off == c.offset {
		if c.reads++; c.reads > 1 {
			return copy(p, c.after), nil
		}
	}
	return bytes.NewReader(c.before).ReadAt(p, off)
}

// TestFrameChanges has a frame that carries other pages when it is read for
// the second time.
func TestFrameChanges(t *testing.T) {
	one := gapped(0)
	one.pages = 4
	one.payload[9], one.payload[10] = 0, 0 // two zero pages in place of the gap
	gap := gapped(0)
	if len(one.payload) != len(gap.payload) {
		t.Fatal("frames of different lengths")
	}
	start := []frame{header(four), region(four, 0, 8*512), words(four, 0, 0, 4), words(four, 0, 4, 4), round(four, 1)}
	offset := int64(len(join(start)))
	other := sparsePages(four, 0, 4, 4, 0, 0, 0, 0)
	for name, c := range map[string]struct{ before, after frame }{"a gap comes": {one, gap}, "a gap goes": {gap, one}} {
		stream := join(completed(append(start[:len(start):len(start)], c.before, other)))
		if wrong, err := readsStale(bytes.NewReader(stream), int64(len(stream)), 0, 8); wrong || err != nil && err != io.EOF {
			t.Fatalf("%s: stale bytes before: %v, error: %v", name, wrong, err)
		}
		src := &changingFile{before: stream, offset: offset, after: c.after.append(nil)}
		wrong, err := readsStale(src, int64(len(stream)), 0, 8)
		if src.reads < 2 {
			t.Fatalf("%s: read %d times", name, src.reads)
		}
		if wrong || !errors.Is(err, pagestream.ErrCorrupt) {
			t.Errorf("%s: stale bytes: %v, error: %v", name, wrong, err)
		}
	}
}
