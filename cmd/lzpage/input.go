package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// standard, as the name of a file, is standard input or output.
const standard = "-"

// An input is what a command reads.
type input struct {
	*os.File
	name string // for messages
	base int64  // where in the file it begins
	size int64  // -1 of what is not a regular file
}

// oneFile checks that a command is given one file.
func oneFile(c *cobra.Command, args []string) error {
	if len(args) != 1 {
		return usageError(c, fmt.Errorf("name one FILE, or - for standard input; there are %d", len(args)))
	}
	return nil
}

// open opens the file that the user named.
func open(name string) (*input, error) {
	if name == standard {
		if term.IsTerminal(int(os.Stdin.Fd())) {
			return nil, errors.New("standard input is a terminal; redirect it or name a file")
		}
		return newInput("standard input", os.Stdin)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	in, err := newInput(name, f)
	if err != nil {
		f.Close()
	}
	return in, err
}

// openSeekable opens the file that the user named for a command that reads it at
// any place. A named pipe is refused without waiting for what writes to it.
func openSeekable(name, command string) (*input, error) {
	if name != standard {
		if info, err := os.Stat(name); err == nil && info.Mode()&fs.ModeNamedPipe != 0 {
			return nil, failPipe(name, command)
		}
	}
	in, err := open(name)
	if err == nil && !in.seekable() {
		err = errors.Join(failPipe(in.name, command), in.Close())
	}
	if err != nil {
		return nil, err
	}
	return in, nil
}

func newInput(name string, f *os.File) (*input, error) {
	in := &input{File: f, name: name, size: -1}
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return nil, fmt.Errorf("%s is a directory; name a file in it", name)
	}
	if info.Mode().IsRegular() {
		if in.base, err = f.Seek(0, io.SeekCurrent); err != nil {
			return nil, err
		}
		in.size = max(info.Size()-in.base, 0)
	}
	return in, nil
}

// seekable reports whether the input can be read at any place.
func (in *input) seekable() bool { return in.size >= 0 }

// failPipe says that the command cannot read a file that is not seekable.
func failPipe(name, command string) error {
	return fmt.Errorf("%s is not a regular file, and %s reads where it wants to; save it to a file first", name, command)
}

// section returns the seekable input's bytes.
func (in *input) section() *io.SectionReader { return io.NewSectionReader(in.File, in.base, in.size) }

// fail says that err is the input's.
func (in *input) fail(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", in.name, err)
}
