// Package chain finds the streams that a stream is based on, by their
// identities, and opens all of them.
package chain

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/lzpage/lzpage/pagestream"
)

// maxStreams bounds the streams of a chain. Each holds a file open and an index
// in memory, so that a chain takes memory as its files take room: no stream is
// in it twice.
const maxStreams = 1024

// A Stream is one of a chain.
type Stream struct {
	*pagestream.ReaderAt // reads through all streams below
	// Name is that of its file, as the user gave it or as it was found.
	Name string
	File *os.File
	src  *io.SectionReader
}

// Section returns the stream's bytes, to be read from its start.
func (s *Stream) Section() *io.SectionReader {
	return io.NewSectionReader(s.src.Outer())
}

// A Chain is a stream, the one that it is based on, and so on down to one that
// is complete.
type Chain struct {
	Streams []*Stream // the topmost first
}

// Open opens the stream in src, which is all or the rest of the file called
// name, and the streams below it. A base is looked for among the files given,
// then in the directory of the stream that names it: in the file that it names,
// and in the other files whose names end in .lzp.
//
// A base that is not found is a [MissingError]; the chain down to it is returned
// all the same, and can be read as far as it goes. The caller closes file, and
// the chain.
func Open(name string, file *os.File, src *io.SectionReader, given []string) (*Chain, error) {
	c := new(Chain)
	err := c.open(&Stream{Name: name, File: file, src: src}, given)
	var missing *MissingError
	if err != nil && !errors.As(err, &missing) {
		return nil, errors.Join(err, c.Close())
	}
	return c, err
}

// Top returns the stream that the chain was opened for.
func (c *Chain) Top() *Stream { return c.Streams[0] }

// Stored returns the bytes of all streams.
func (c *Chain) Stored() uint64 {
	n := uint64(0)
	for _, s := range c.Streams {
		n += s.Totals().Stored
	}
	return n
}

// Close closes the files that Open opened.
func (c *Chain) Close() error {
	var err error
	for _, s := range c.Streams[min(1, len(c.Streams)):] {
		err = errors.Join(err, s.File.Close())
	}
	return err
}

func (c *Chain) open(top *Stream, given []string) error {
	f := newFinder()
	for _, name := range given {
		if err := f.give(name); err != nil {
			return err
		}
	}
	missing := c.descend(top, f)
	var notFound *MissingError
	if missing != nil && !errors.As(missing, &notFound) {
		return missing
	}
	// Once more from below, each upon the one before.
	var below *pagestream.ReaderAt
	for i := len(c.Streams) - 1; i >= 0; i-- {
		s := c.Streams[i]
		if below != nil {
			var err error
			if s.ReaderAt, err = pagestream.NewReaderAt(s.src, s.src.Size(), pagestream.ReadOptions{Base: below}); err != nil {
				return &DamageError{s.Name, top.Name, true, err}
			}
		}
		below = s.ReaderAt
	}
	return missing
}

// descend opens the streams from the topmost down, each by itself.
func (c *Chain) descend(s *Stream, f *finder) error {
	seen := make(map[pagestream.ID]bool)
	for {
		c.Streams = append(c.Streams, s)
		var err error
		if s.ReaderAt, err = pagestream.NewReaderAt(s.src, s.src.Size(), pagestream.ReadOptions{}); err != nil {
			return &DamageError{s.Name, c.Top().Name, len(c.Streams) > 1, err}
		}
		base := s.Header().Base
		if base == nil {
			return nil
		}
		seen[s.Totals().ID] = true
		if seen[base.ID] {
			reason := fmt.Sprintf("it says that it is based on stream %v, which is based on it", base.ID)
			return &DamageError{s.Name, c.Top().Name, true, &pagestream.Error{Kind: pagestream.ErrCorrupt, Region: -1, Page: -1, Reason: reason}}
		}
		if len(c.Streams) == maxStreams {
			return fmt.Errorf("%s: its chain has more than %d streams; lzpage rebase makes one of some of them", c.Top().Name, maxStreams)
		}
		if s, err = f.find(s); err != nil {
			return err
		}
	}
}

// A DamageError says which stream of a chain could not be read.
type DamageError struct {
	Stream string // the name of its file
	Top    string // that of the stream which needs it, or the same
	// Chained is false of a stream that is based on no other, nor read for one
	// that is.
	Chained bool
	Err     error
}

func (e *DamageError) Error() string {
	if e.Stream != e.Top {
		return fmt.Sprintf("%s, on which %s is based: %v", e.Stream, e.Top, e.Err)
	}
	return fmt.Sprintf("%s: %v", e.Stream, e.Err)
}

// Unwrap returns what is wrong with the stream.
func (e *DamageError) Unwrap() error { return e.Err }

// Explain returns what reading through the chain, whose identities have been
// checked, has returned as a [DamageError].
func (c *Chain) Explain(err error) error {
	if err == nil {
		return nil
	}
	if changed := c.CheckUnchanged(); errors.Is(changed, ErrChanged) {
		return changed
	}
	culprit := c.Top()
	var bad *pagestream.Error
	if errors.As(err, &bad) && bad.Region >= 0 && bad.Page >= 0 {
		page := make([]byte, culprit.Header().PageSize)
		// The page numbers are those of the stream that is to blame. Streams
		// below it have another error there, or none.
		for i := len(c.Streams) - 1; i > 0; i-- {
			var same *pagestream.Error
			s := c.Streams[i]
			if errors.As(s.ReadPage(page, bad.Region, uint64(bad.Page)), &same) && same.Error() == bad.Error() {
				culprit = s
				break
			}
		}
	}
	return &DamageError{culprit.Name, c.Top().Name, len(c.Streams) > 1, err}
}
