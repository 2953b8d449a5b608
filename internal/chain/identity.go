package chain

import (
	"errors"
	"fmt"
	"io"

	"github.com/lzpage/lzpage/pagestream"
)

// ErrChanged is in the error of a stream whose file was written to while it was
// read.
var ErrChanged = errors.New("it changed while it was read")

// CheckIdentities checks of each stream that it is the one that it says it is,
// as [pagestream.ReaderAt.CheckIdentity] does.
func (c *Chain) CheckIdentities() error {
	for _, s := range c.Streams {
		if err := s.CheckIdentity(); err != nil {
			return c.damage(s, err)
		}
	}
	return nil
}

// CheckUnchanged checks once more what CheckIdentities has found to be right.
// One who has read pages calls it before he trusts them: a file that was written
// over meanwhile, with another stream that has frames at the same places, gives
// that stream's pages. The error is [ErrChanged].
func (c *Chain) CheckUnchanged() error {
	for _, s := range c.Streams {
		err := s.CheckIdentity()
		if errors.Is(err, pagestream.ErrCorrupt) || errors.Is(err, io.EOF) {
			err = fmt.Errorf("%w: %w", ErrChanged, err)
		}
		if err != nil {
			return c.damage(s, err)
		}
	}
	return nil
}

// damage says that err is of the chain's stream s.
func (c *Chain) damage(s *Stream, err error) error {
	return &DamageError{s.Name, c.Top().Name, len(c.Streams) > 1, err}
}
