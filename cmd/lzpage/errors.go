package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"github.com/lzpage/lzpage/internal/chain"
	"github.com/lzpage/lzpage/pagestream"
	"github.com/spf13/cobra"
)

// A stopped error says that a signal ended the run.
type stopped struct{ signal os.Signal }

func (s stopped) Error() string {
	return fmt.Sprintf("stopped by a signal (%v); no file was written", s.signal)
}

// An incomplete error says what a salvage could not take.
type incomplete string

func (i incomplete) Error() string { return string(i) }

func isIncomplete(err error) bool {
	var i incomplete
	return errors.As(err, &i)
}

// usageError returns an error of how the command was called.
func usageError(c *cobra.Command, err error) error {
	return fmt.Errorf("%w; see %s --help", err, c.CommandPath())
}

// adviceOn returns what the user can do about err, or "".
func adviceOn(err error) string {
	var s stopped
	var chained *chain.DamageError
	switch {
	case errors.As(err, &s):
		return ""
	case errors.Is(err, chain.ErrChanged):
		return "what was made of it is not to be trusted; write new streams beside old ones, and do it again when nothing writes to that file"
	case errors.Is(err, pagestream.ErrNoSalvage):
		return "a salvage takes streams that stand alone and have one round; take another copy of this one, or salvage what it is based on"
	case errors.Is(err, pagestream.ErrBase):
		return "a base is known by its identity, whatever its name: name its file with --base, or put it beside the stream that is based on it"
	case errors.As(err, &chained) && chained.Chained && (errors.Is(err, pagestream.ErrCorrupt) || errors.Is(err, pagestream.ErrCut)):
		return "if there is another copy of that stream, take it; what is based on it takes all of it, and cannot be salvaged"
	case errors.Is(err, pagestream.ErrFormat):
		return "a stream is what lzpage compress writes; a memory image can be given to lzpage compress itself"
	case errors.Is(err, pagestream.ErrUnsupported):
		return "a newer lzpage wrote it; read it with that version"
	case errors.Is(err, pagestream.ErrCorrupt), errors.Is(err, pagestream.ErrCut):
		return "lzpage decompress --salvage takes what is whole and lists what is missing; if there is another copy, take that"
	case errors.Is(err, pagestream.ErrLimit):
		return "no lzpage compress writes streams of such sizes; be sure where this one comes from"
	case errors.Is(err, fs.ErrPermission):
		return "run it as a user who may do that, or choose another place with -o"
	case errors.Is(err, fs.ErrExist):
		return "choose another name with -o, or replace the file with --force"
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, errQuota):
		return "free some space there or choose another place with -o"
	case errors.Is(err, syscall.EPIPE):
		return "the program that was to read the output has ended; see what it says"
	}
	return ""
}
