package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/lzpage/lzpage/internal/image"
	"golang.org/x/term"
)

// standardOutput is standard output's name in messages.
const standardOutput = "standard output"

// An output is where a command's bytes go: a file that appears when it is
// complete, or standard output.
type output struct {
	name string        // for messages
	file *image.Output // nil for standard output
}

// create begins the output of the name, or, if it is empty, of the default
// name. It is none of the inputs.
func (a *app) create(name, defaultName string, force bool, inputs ...*input) (*output, error) {
	if name == "" {
		name = defaultName
	}
	if name == standard {
		return a.standardOutput(inputs)
	}
	files := make([]*os.File, len(inputs))
	for i, in := range inputs {
		files[i] = in.File
	}
	file, err := image.Create(name, force, files...)
	if err != nil {
		return nil, err
	}
	a.mu.Lock()
	a.output = file
	a.mu.Unlock()
	return &output{name: name, file: file}, nil
}

func (a *app) standardOutput(inputs []*input) (*output, error) {
	if term.IsTerminal(int(os.Stdout.Fd())) {
		return nil, errors.New("standard output is a terminal, which this would garble; redirect it or name a file with -o")
	}
	out, err := os.Stdout.Stat()
	if err != nil {
		return nil, failStandard(err)
	}
	for _, in := range inputs {
		info, err := in.Stat()
		if err != nil {
			return nil, err
		}
		if out.Mode().IsRegular() && os.SameFile(out, info) {
			return nil, fmt.Errorf("%s is the output, too; choose another name for the output", in.name)
		}
	}
	return &output{name: standardOutput}, nil
}

// toStandard reports whether data goes to standard output.
func (o *output) toStandard() bool { return o.file == nil }

// Write writes to standard output.
func (o *output) Write(p []byte) (int, error) {
	n, err := os.Stdout.Write(p)
	return n, failStandard(err)
}

// sequential returns where to write the output from its start on.
func (o *output) sequential() io.Writer {
	if o.toStandard() {
		return o
	}
	return io.NewOffsetWriter(o.file, 0)
}

// commit completes the output of size bytes.
func (o *output) commit(size int64) error {
	if o.file != nil {
		return o.file.Commit(size)
	}
	if info, err := os.Stdout.Stat(); err != nil || !info.Mode().IsRegular() {
		return failStandard(err)
	}
	return failStandard(os.Stdout.Sync())
}

// abort removes the output unless it is complete.
func (o *output) abort() error {
	if o.file == nil {
		return nil
	}
	return o.file.Abort()
}

// failStandard says that err is standard output's.
func failStandard(err error) error {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		err = pathErr.Err
	}
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", standardOutput, err)
}

// addSuffix returns the default name of what is made of the file name.
func addSuffix(name, suffix string) (string, error) {
	if name == standard {
		return standard, nil
	}
	if strings.HasSuffix(name, suffix) {
		return "", fmt.Errorf("%s ends in %s already; if it is to be compressed once more, name the output with -o", name, suffix)
	}
	return name + suffix, nil
}

// cutSuffix returns the default name of what the file name was made of.
func cutSuffix(name, suffix string) (string, error) {
	if name == standard {
		return standard, nil
	}
	base, found := strings.CutSuffix(name, suffix)
	if !found || base == "" {
		return "", fmt.Errorf("%s does not end in %s, so the output has no name; give it one with -o", name, suffix)
	}
	return base, nil
}
