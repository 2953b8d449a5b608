package image

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
)

// An Output is a file that is written under a temporary name, beside its own,
// and gets its own name when it is complete. Its methods are safe for use by
// several goroutines.
//
// What is written in order goes through an [io.OffsetWriter].
type Output struct {
	name   string // as the caller knows it
	target string // where the file appears
	temp   string
	old    fs.FileInfo // of the file to be replaced, or nil
	force  bool

	mu   sync.RWMutex // held for writing by what closes the file
	file *os.File     // nil when it is committed or aborted
}

// Create begins to write the file name. It refuses a name that exists, with an
// error that wraps fs.ErrExist, unless force is set; and always one that is no
// regular file, or the same as one of the inputs. A symbolic link stands for
// the file that it leads to.
//
// The caller calls Commit or Abort; only a killed program leaves the temporary
// file, called .lzpage-*.tmp.
func Create(name string, force bool, inputs ...*os.File) (*Output, error) {
	o := &Output{name: name, target: name, force: force}
	if name == "" {
		return nil, errors.New("the output needs a name")
	}
	info, err := os.Lstat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, o.fail("create", err)
	default:
		if err := o.replace(info, inputs); err != nil {
			return nil, err
		}
	}
	if err := o.createTemp(); err != nil {
		return nil, o.fail("create", err)
	}
	makeSparse(o.file)
	return o, nil
}

// replace checks that the existing file, with info from Lstat, may be replaced.
func (o *Output) replace(info fs.FileInfo, inputs []*os.File) error {
	if info.Mode()&fs.ModeSymlink != 0 {
		target, err := filepath.EvalSymlinks(o.name)
		if errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s is a symbolic link to a file that does not exist; name that file instead", o.name)
		}
		if err != nil {
			return o.fail("create", err)
		}
		if info, err = os.Stat(target); err != nil {
			return o.fail("create", err)
		}
		o.target = target
	}
	for _, input := range inputs {
		inputInfo, err := input.Stat()
		if err != nil {
			return err
		}
		if os.SameFile(info, inputInfo) {
			return fmt.Errorf("%s is the input, too; choose another name for the output", o.name)
		}
	}
	switch {
	case info.IsDir():
		return fmt.Errorf("%s is a directory; name a file in it", o.name)
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s is not a regular file (its mode is %s); write to standard output and redirect that", o.name, info.Mode())
	case !o.force:
		return o.fail("create", fs.ErrExist)
	}
	o.old = info
	return nil
}

// createTemp creates the temporary file. A new one gets the mode that it will
// keep, of which the system takes what the umask or the directory say. One that
// replaces another is its owner's alone up to the end.
func (o *Output) createTemp() error {
	mode := fs.FileMode(0o666)
	if o.old != nil {
		mode = 0o600
	}
	for {
		// Not made of name, which may be as long as names can be.
		o.temp = filepath.Join(filepath.Dir(o.target), fmt.Sprintf(".lzpage-%016x.tmp", rand.Uint64()))
		var err error
		o.file, err = os.OpenFile(o.temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
		if !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
}

// Name returns the name given to Create.
func (o *Output) Name() string { return o.name }

// WriteAt writes p at the offset. What is never written stays a hole and reads
// as zeros.
func (o *Output) WriteAt(p []byte, offset int64) (int, error) {
	o.mu.RLock()
	defer o.mu.RUnlock()
	if o.file == nil {
		return 0, o.fail("write", fs.ErrClosed)
	}
	n, err := o.file.WriteAt(p, offset)
	if err != nil {
		return n, o.fail("write", err)
	}
	return n, nil
}

// Commit makes the file size bytes long, which cuts or adds a hole, brings it
// to the disk and gives it its name. When it fails nothing is left, unless it
// says otherwise.
func (o *Output) Commit(size int64) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.file == nil {
		return o.fail("write", fs.ErrClosed)
	}
	if err := o.finish(size); err != nil {
		return errors.Join(o.fail("write", err), o.remove())
	}
	if err := o.file.Close(); err != nil {
		return errors.Join(o.fail("close", err), o.remove())
	}
	if err := o.rename(); err != nil {
		return errors.Join(o.fail("create", err), o.remove())
	}
	o.file = nil
	if err := syncDir(filepath.Dir(o.target)); err != nil {
		return fmt.Errorf("%s is complete, but its directory could not be brought to the disk: %w", o.name, err)
	}
	return nil
}

// finish gives the temporary file its size, mode and safe place.
func (o *Output) finish(size int64) error {
	if err := o.file.Truncate(size); err != nil {
		return err
	}
	if o.old != nil {
		if err := o.file.Chmod(o.old.Mode().Perm()); err != nil {
			return err
		}
	}
	return o.file.Sync()
}

// rename gives the temporary file its name. Without force that must not have
// come into use since Create.
func (o *Output) rename() error {
	if !o.force {
		if _, err := os.Lstat(o.target); err == nil {
			return fs.ErrExist
		}
	}
	return os.Rename(o.temp, o.target)
}

// Abort removes what was written. It waits for calls that are under way. After
// Commit or another Abort it does nothing.
func (o *Output) Abort() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.file == nil {
		return nil
	}
	return o.remove()
}

// remove closes and removes the temporary file.
func (o *Output) remove() error {
	o.file.Close() // it may be closed, and what is in it does not matter
	o.file = nil
	return os.Remove(o.temp)
}

// fail returns err as one of the file itself rather than the temporary one.
func (o *Output) fail(op string, err error) error {
	var pathErr *fs.PathError
	var linkErr *os.LinkError
	switch {
	case errors.As(err, &pathErr):
		err = pathErr.Err
	case errors.As(err, &linkErr):
		err = linkErr.Err
	}
	return &fs.PathError{Op: op, Path: o.name, Err: err}
}
