package main

import (
	"bytes"
	"fmt"
	"math"

	"github.com/lzpage/lzpage/pagestream"
)

// An imageSink writes the file that a stream was made of.
type imageSink struct {
	pageSize uint64
	put      func(p []byte, offset uint64) error // at an offset of the file
	finishes func(size uint64) error
	lost     *losses
	end      uint64 // of the file
	// reach is how far the pages go of a region whose length is not known.
	reach uint64
}

func newImageSink(out *output, pageSize int, lost *losses) *imageSink {
	s := &imageSink{pageSize: uint64(pageSize), lost: lost}
	if out.toStandard() {
		pipe := &pipeImage{out: out}
		s.put, s.finishes = pipe.put, pipe.fillUp
	} else {
		s.put = func(p []byte, offset uint64) error {
			_, err := out.file.WriteAt(p, int64(offset))
			return err
		}
		s.finishes = func(uint64) error { return nil }
	}
	return s
}

func (s *imageSink) Region(number int, r pagestream.Region) error {
	s.lost.places.learn(number, r)
	if r.Length != pagestream.UnknownLength {
		s.end = max(s.end, r.FileOffset+r.Length)
	}
	return nil
}

func (s *imageSink) Pages(p pagestream.Pages) error {
	if p.Round > 0 {
		return errRounds
	}
	region, known := s.lost.places[p.Region]
	if !known {
		s.lost.lose(p.Region, p.First, p.Count)
		return nil
	}
	if p.First+p.Count > math.MaxInt64/s.pageSize {
		return fmt.Errorf("pages of region %d beyond 2^63 bytes", p.Region)
	}
	start := p.First * s.pageSize
	if start >= region.Length {
		return nil
	}
	length := min(p.Count*s.pageSize, region.Length-start)
	if region.Length == pagestream.UnknownLength {
		s.reach = region.FileOffset + start + length
	}
	p.Data = p.Data[:min(uint64(len(p.Data)), length)]
	return s.putData(p, region.FileOffset+start)
}

// putData writes what of the pages' data is not zero, in as few pieces as pages
// of zeros leave it.
func (s *imageSink) putData(p pagestream.Pages, offset uint64) error {
	for first := 0; first < len(p.Kinds) && len(p.Data) > 0; {
		next := first + 1
		for next < len(p.Kinds) && (p.Kinds[next] == pagestream.Zero) == (p.Kinds[first] == pagestream.Zero) {
			next++
		}
		length := min((next-first)*int(s.pageSize), len(p.Data))
		if p.Kinds[first] != pagestream.Zero {
			if err := s.putTrimmed(p.Data[:length], offset); err != nil {
				return err
			}
		}
		p.Data = p.Data[length:]
		offset += uint64(length)
		first = next
	}
	return nil
}

// putRange writes what of a range of a region's bytes is not zero, in as few
// pieces as pages of zeros leave it.
func (s *imageSink) putRange(data []byte, offset uint64) error {
	for len(data) > 0 {
		n := runOf(data, int(s.pageSize))
		if !isZero(data[:min(n, int(s.pageSize))]) {
			if err := s.putTrimmed(data[:n], offset); err != nil {
				return err
			}
		}
		data = data[n:]
		offset += uint64(n)
	}
	return nil
}

// runOf returns the length of the pages from the data's start on that are all
// zero, or all not.
func runOf(data []byte, pageSize int) int {
	n := min(pageSize, len(data))
	zero := isZero(data[:n])
	for n < len(data) {
		end := min(n+pageSize, len(data))
		if isZero(data[n:end]) != zero {
			break
		}
		n = end
	}
	return n
}

func isZero(p []byte) bool {
	for len(p) > len(zeros) {
		if !bytes.Equal(p[:len(zeros)], zeros[:]) {
			return false
		}
		p = p[len(zeros):]
	}
	return bytes.Equal(p, zeros[:len(p)])
}

// putTrimmed writes data without the zeros at its end: behind the end of a
// region whose length is not known yet other bytes of the file may stand.
func (s *imageSink) putTrimmed(data []byte, offset uint64) error {
	data = bytes.TrimRight(data, "\x00")
	if len(data) == 0 {
		return nil
	}
	return s.put(data, offset)
}

// finish completes the file. Of a stream that was cut the length of the last
// region may still not be known.
func (s *imageSink) finish() error {
	for _, r := range s.lost.places {
		if r.Length == pagestream.UnknownLength {
			s.end = max(s.end, s.reach)
		}
	}
	return s.finishes(s.end)
}

// A pipeImage writes a file to standard output, from its start to its end.
type pipeImage struct {
	out *output
	at  uint64
}

var zeros [256 << 10]byte

// fillUp writes zeros up to the offset.
func (i *pipeImage) fillUp(offset uint64) error {
	for i.at < offset {
		n, err := i.out.Write(zeros[:min(offset-i.at, uint64(len(zeros)))])
		i.at += uint64(n)
		if err != nil {
			return err
		}
	}
	return nil
}

func (i *pipeImage) put(p []byte, offset uint64) error {
	if offset < i.at {
		return fmt.Errorf("the stream goes back to byte %d of its file, which standard output cannot do; name a file with -o", offset)
	}
	if err := i.fillUp(offset); err != nil {
		return err
	}
	n, err := i.out.Write(p)
	i.at += uint64(n)
	return err
}
