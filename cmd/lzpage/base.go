package main

import (
	"errors"
	"path/filepath"
	"unicode/utf8"

	"github.com/lzpage/lzpage/internal/chain"
	"github.com/lzpage/lzpage/pagestream"
)

// A base is what a stream that is being written is based on.
type base struct {
	in     *input
	layers *chain.Chain
}

// openBase opens the stream that the user named as a base.
func (a *app) openBase(name string) (*base, error) {
	in, err := openSeekable(name, "comparing with a base")
	if err != nil {
		return nil, err
	}
	layers, err := a.openSoundChain(in)
	if err != nil {
		in.Close()
		return nil, err
	}
	return &base{in, layers}, nil
}

func (b *base) close() error { return errors.Join(b.layers.Close(), b.in.Close()) }

// hint returns the name that tells others where to look for the base.
func (b *base) hint() string {
	name := filepath.Base(b.in.File.Name())
	if b.in.name != b.in.File.Name() || !utf8.ValidString(name) {
		return "" // standard input, or no name that can be stored
	}
	return name
}

// explain says which stream below err is of, if it is of one.
func (b *base) explain(err error) error {
	var bad *pagestream.Error
	if errors.As(err, &bad) {
		return b.layers.Explain(err)
	}
	return err
}
