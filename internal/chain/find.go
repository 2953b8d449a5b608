package chain

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode"

	"github.com/lzpage/lzpage/pagestream"
)

// suffix is that of files that are looked into for a base.
const suffix = ".lzp"

// maxLooked bounds the files of a directory that are looked into.
const maxLooked = 1024

// A MissingError says that a stream was not found on which another is based.
type MissingError struct {
	Stream string // the name of the file that needs it
	Base   pagestream.Base
	Tried  []string // where it was looked for, and what was found there
}

func (e *MissingError) Error() string {
	name := ""
	if e.Base.Name != "" {
		name = fmt.Sprintf(", which was in a file called %q", e.Base.Name)
	}
	return fmt.Sprintf("%s is based on stream %v%s; that is not to be found: %s", e.Stream, e.Base.ID, name, strings.Join(e.Tried, "; "))
}

// Unwrap returns pagestream.ErrBase.
func (e *MissingError) Unwrap() error { return pagestream.ErrBase }

// A finder looks for bases, and remembers what it has seen.
type finder struct {
	given []string
	seen  map[string]found // by path
}

// found is what a file was found to be.
type found struct {
	id  pagestream.ID
	err error
}

func newFinder() *finder {
	return &finder{seen: make(map[string]found)}
}

// give has the file looked at first. It must be a stream.
func (f *finder) give(name string) error {
	f.given = append(f.given, name)
	return f.look(name).err
}

// look finds out which stream is in the file.
func (f *finder) look(path string) found {
	if known, ok := f.seen[path]; ok {
		return known
	}
	var s found
	file, src, err := openFile(path)
	if err == nil {
		var r *pagestream.ReaderAt
		r, err = pagestream.NewReaderAt(src, src.Size(), pagestream.ReadOptions{})
		if err == nil {
			s.id = r.Totals().ID
		} else {
			err = fmt.Errorf("%s: %w", path, err)
		}
		file.Close() // it was only read
	}
	s.err = err
	f.seen[path] = s
	return s
}

// openFile opens a regular file. Another one, such as a pipe, could not be read
// at any place, and could keep the opener waiting.
func openFile(path string) (*os.File, *io.SectionReader, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, nil, fmt.Errorf("%s is not a regular file; a base is read at any place", path)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	if info, err = file.Stat(); err != nil {
		file.Close()
		return nil, nil, err
	}
	return file, io.NewSectionReader(file, 0, info.Size()), nil
}

// find opens the file that has the stream's base.
func (f *finder) find(s *Stream) (*Stream, error) {
	base := s.Header().Base
	missing := &MissingError{Stream: s.Name, Base: *base}
	path, err := f.search(s, missing)
	if err != nil {
		return nil, err
	}
	file, src, err := openFile(path)
	if err != nil {
		return nil, err
	}
	return &Stream{Name: path, File: file, src: src}, nil
}

// search returns the path of the file that has the stream's base, or missing.
func (f *finder) search(s *Stream, missing *MissingError) (string, error) {
	base := &missing.Base
	tried := func(format string, args ...any) {
		missing.Tried = append(missing.Tried, fmt.Sprintf(format, args...))
	}
	for _, name := range f.given {
		switch other := f.look(name); {
		case other.err != nil:
			return "", other.err
		case other.id == base.ID:
			return name, nil
		default:
			tried("%s is stream %v", name, other.id)
		}
	}
	if s.File == os.Stdin {
		tried("standard input has no directory to look in")
		return "", missing
	}
	dir := filepath.Dir(s.Name)
	hint := ""
	if isFileName(base.Name) {
		hint = filepath.Join(dir, base.Name)
		switch other := f.look(hint); {
		case other.err == nil && other.id == base.ID:
			return hint, nil
		case other.err == nil:
			tried("%s is now stream %v", hint, other.id)
		case errors.Is(other.err, fs.ErrNotExist):
			tried("there is no %s", hint)
		default:
			tried("%v", other.err)
		}
	}
	return f.searchDir(dir, hint, base.ID, missing, tried)
}

// isFileName reports whether the name, which a stream gives, is that of a file in
// a directory. Control characters would forge lines of messages.
func isFileName(name string) bool {
	return name != "" && filepath.Base(name) == name && strings.IndexFunc(name, unicode.IsControl) < 0
}

// searchDir looks into the streams of a directory.
func (f *finder) searchDir(dir, hint string, id pagestream.ID, missing *MissingError, tried func(string, ...any)) (string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		tried("%v", err)
		return "", missing
	}
	looked, left := 0, 0
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		if !strings.HasSuffix(e.Name(), suffix) || path == hint {
			continue
		}
		if looked == maxLooked {
			left++
			continue
		}
		looked++
		if other := f.look(path); other.err == nil && other.id == id {
			return path, nil
		}
	}
	others := "other "
	if hint == "" {
		others = ""
	}
	tried("none of the %d %sfiles *%s in %s has it", looked, others, suffix, dir)
	if left > 0 {
		tried("%d more were not looked into", left)
	}
	return "", missing
}
