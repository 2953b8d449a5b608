package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/lzpage/lzpage/internal/chain"
	"github.com/lzpage/lzpage/internal/image"
	"github.com/lzpage/lzpage/pagestream"
)

// A snapshot is a state of a memory that can be read at any place: a stream or
// a memory image.
type snapshot struct {
	*input
	layers  *chain.Chain // nil of an image
	regions []pagestream.Region
}

// openSnapshot opens the stream or memory image that the user named.
func (a *app) openSnapshot(name string) (*snapshot, error) {
	in, err := openSeekable(name, "diff")
	if err != nil {
		return nil, err
	}
	s := &snapshot{input: in}
	if err := s.read(a); err != nil {
		in.Close()
		return nil, err
	}
	return s, nil
}

// Close closes all files.
func (s *snapshot) Close() error {
	if s.layers == nil {
		return s.input.Close()
	}
	return errors.Join(s.layers.Close(), s.input.Close())
}

// inputs returns the files that are read.
func (s *snapshot) inputs() []*input {
	if s.layers == nil {
		return []*input{s.input}
	}
	return inputsOf(s.layers)
}

// read finds out what the input is and which regions it has.
func (s *snapshot) read(a *app) error {
	if s.size == 0 {
		return s.fail(errors.New("it is empty"))
	}
	_, err := pagestream.NewReader(s.section(), pagestream.ReadOptions{Workers: 1})
	if errors.Is(err, pagestream.ErrFormat) && !strings.HasSuffix(s.name, streamSuffix) {
		return s.readImage(a)
	}
	if s.layers, err = a.openSoundChain(s.input); err != nil {
		return err
	}
	s.regions = s.layers.Top().Regions()
	return nil
}

func (s *snapshot) readImage(a *app) error {
	memory, err := image.Open(s.name, s.File, image.Auto)
	if err != nil {
		return err
	}
	for {
		r, err := memory.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		if r.Length == pagestream.UnknownLength {
			r.Length = uint64(s.size) - r.FileOffset
		}
		s.regions = append(s.regions, r)
	}
	if note := memory.Note(); note != "" {
		a.note("%s: %s", s.name, note)
	}
	return nil
}

// ReadRegionAt reads bytes of a region.
func (s *snapshot) ReadRegionAt(p []byte, region int, off int64) (n int, err error) {
	if s.layers != nil {
		if n, err = s.layers.Top().ReadRegionAt(p, region, off); n < len(p) {
			return n, s.layers.Explain(err)
		}
		return n, nil
	}
	n, err = s.File.ReadAt(p, s.base+int64(s.regions[region].FileOffset)+off)
	switch {
	case n == len(p):
		return n, nil
	case err == io.EOF:
		err = fmt.Errorf("the file was made shorter while it was read, it had %d bytes: %w", s.size, io.ErrUnexpectedEOF)
	}
	return n, s.fail(err)
}

// ZeroBytes returns how many bytes of a region from an offset on are known to be
// zero without reading them. Of an image nothing is.
func (s *snapshot) ZeroBytes(region int, offset uint64) uint64 {
	if s.layers == nil {
		return 0
	}
	return zeroBytes(s.layers.Top().ReaderAt, region, offset)
}

// checkUnchanged checks that the streams are still those that were opened. An
// image has nothing to tell it by.
func (s *snapshot) checkUnchanged() error {
	if s.layers == nil {
		return nil
	}
	return s.layers.CheckUnchanged()
}

// pageSize returns that of the stream, 0 of an image, which has none.
func (s *snapshot) pageSize() int {
	if s.layers == nil {
		return 0
	}
	return s.layers.Top().Header().PageSize
}
