package image

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// checkDir checks that a directory has these entries and no others.
func checkDir(t *testing.T, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("the directory has %q, want %q", got, want)
	}
}

func checkFile(t *testing.T, name string, want []byte) {
	t.Helper()
	got, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s has %d bytes that differ from the %d written", name, len(got), len(want))
	}
}

func write(t *testing.T, name, content string, mode fs.FileMode) {
	t.Helper()
	if err := os.WriteFile(name, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(name, mode); err != nil { // whatever the umask
		t.Fatal(err)
	}
}

func create(t *testing.T, name string, force bool, inputs ...*os.File) *Output {
	t.Helper()
	o, err := Create(name, force, inputs...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { o.Abort() })
	return o
}

func TestOutput(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "out")
	o := create(t, name, false)
	if o.Name() != name {
		t.Errorf("its name is %s", o.Name())
	}
	want := noise(1, 1<<20)
	var writers sync.WaitGroup
	const piece = 1 << 16
	for at := 0; at < len(want); at += piece {
		writers.Go(func() {
			if n, err := o.WriteAt(want[at:at+piece], int64(at)); n != piece || err != nil {
				t.Errorf("WriteAt: %d, %v", n, err)
			}
		})
	}
	writers.Wait()
	if _, err := os.Lstat(name); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("there before Commit: %v", err)
	}
	if err := o.Commit(int64(len(want))); err != nil {
		t.Fatal(err)
	}
	checkFile(t, name, want)
	if err := o.Abort(); err != nil {
		t.Errorf("Abort after Commit: %v", err)
	}
	checkDir(t, dir, "out")
	if _, err := o.WriteAt(want, 0); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("WriteAt after Commit: %v", err)
	}
	if err := o.Commit(3); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("Commit after Commit: %v", err)
	}
	checkFile(t, name, want)
}

func TestOutputSize(t *testing.T) {
	for _, test := range []struct {
		size int64
		want string
	}{
		{0, ""}, {3, "abc"}, {5, "abcde"}, {8, "abcde\x00\x00\x00"},
	} {
		name := filepath.Join(t.TempDir(), "out")
		o := create(t, name, false)
		if _, err := io.NewOffsetWriter(o, 0).Write([]byte("abcde")); err != nil {
			t.Fatal(err)
		}
		if err := o.Commit(test.size); err != nil {
			t.Fatal(err)
		}
		checkFile(t, name, []byte(test.want))
	}
}

func TestOutputAbort(t *testing.T) {
	dir := t.TempDir()
	o := create(t, filepath.Join(dir, "out"), false)
	if _, err := o.WriteAt(noise(1, 100), 1000); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := o.Abort(); err != nil {
			t.Errorf("Abort: %v", err)
		}
		checkDir(t, dir)
	}
	if err := o.Commit(3); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("Commit after Abort: %v", err)
	}
	checkDir(t, dir)
}

// A signal may come at any time.
func TestOutputAbortWhileWriting(t *testing.T) {
	dir := t.TempDir()
	for range 20 {
		o := create(t, filepath.Join(dir, "out"), true)
		first := make(chan bool)
		var all sync.WaitGroup
		all.Go(func() {
			for i := range int64(1000) {
				if _, err := o.WriteAt(noise(1, 64), 64*i); err != nil {
					if !errors.Is(err, fs.ErrClosed) {
						t.Errorf("WriteAt: %v", err)
					}
					return
				}
				if i == 0 {
					close(first)
				}
			}
		})
		<-first
		if err := o.Abort(); err != nil {
			t.Errorf("Abort: %v", err)
		}
		checkDir(t, dir)
		all.Wait()
	}
	checkDir(t, dir)
}

func TestOutputRefuses(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	write(t, in("file"), "content", 0o644)
	write(t, in("input"), "content", 0o644)
	if err := os.Mkdir(in("folder"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(in("input"), in("input-hard")); err != nil {
		t.Fatal(err)
	}
	entries := []string{"file", "folder", "input", "input-hard"}
	links := runtime.GOOS != "windows" // which wants a privilege for them
	if links {
		for link, target := range map[string]string{"link": "file", "link-folder": "folder", "link-input": "input", "link-lost": "nowhere", "link-self": "link-self"} {
			if err := os.Symlink(target, in(link)); err != nil {
				t.Fatal(err)
			}
		}
		entries = []string{"file", "folder", "input", "input-hard", "link", "link-folder", "link-input", "link-lost", "link-self"}
	}
	input := openFile(t, in("input"), os.O_RDONLY)
	for _, test := range []struct {
		name   string
		link   bool
		always bool // with force, too
		want   string
	}{
		{in("file"), false, false, "create " + in("file") + ": file already exists"},
		{in("link"), true, false, "create " + in("link") + ": file already exists"},
		{in("input"), false, true, "is the input, too"},
		{in("input-hard"), false, true, "is the input, too"},
		{in("link-input"), true, true, "is the input, too"},
		{in("folder"), false, true, "folder is a directory; name a file in it"},
		{in("link-folder"), true, true, "link-folder is a directory; name a file in it"},
		{in("link-lost"), true, true, "is a symbolic link to a file that does not exist"},
		{in("link-self"), true, true, "too many links"},
		{filepath.Join(dir, "missing", "out"), false, true, "create " + filepath.Join(dir, "missing", "out") + ": "},
		{filepath.Join(dir, "file", "out"), false, true, "create " + filepath.Join(dir, "file", "out") + ": "},
		{in(strings.Repeat("x", 300)), false, true, "create " + in(strings.Repeat("x", 300)) + ": "},
		{os.DevNull, false, true, ""},
		{"", false, true, "the output needs a name"},
	} {
		if test.link && !links {
			continue
		}
		for _, force := range []bool{false, true} {
			if force && !test.always {
				continue
			}
			o, err := Create(test.name, force, input)
			if err == nil {
				o.Abort()
				t.Errorf("%q is created, force %v", test.name, force)
				continue
			}
			if !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), ".tmp") {
				t.Errorf("%q, force %v: error %v, want %s", test.name, force, err, test.want)
			}
			if exists := errors.Is(err, fs.ErrExist); exists == test.always {
				t.Errorf("%q, force %v: the error is fs.ErrExist: %v", test.name, force, exists)
			}
		}
	}
	checkDir(t, dir, entries...)
	checkFile(t, in("input"), []byte("content"))
}

func TestOutputReplaces(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "out")
	write(t, name, "old content", 0o640)
	before, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}

	aborted := create(t, name, true)
	if _, err := aborted.WriteAt([]byte("lost"), 0); err != nil {
		t.Fatal(err)
	}
	if err := aborted.Abort(); err != nil {
		t.Fatal(err)
	}
	checkFile(t, name, []byte("old content"))

	o := create(t, name, true)
	if _, err := o.WriteAt([]byte("new"), 0); err != nil {
		t.Fatal(err)
	}
	checkFile(t, name, []byte("old content"))
	if err := o.Commit(3); err != nil {
		t.Fatal(err)
	}
	checkFile(t, name, []byte("new"))
	after, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	if before.Mode() != after.Mode() {
		t.Errorf("mode %v became %v", before.Mode(), after.Mode())
	}
	checkDir(t, dir, "out")
}

// Two runs at once: the name goes to the one that finishes first.
func TestOutputLosesItsName(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "out")
	o := create(t, name, false)
	write(t, name, "first", 0o644)
	err := o.Commit(0)
	if !errors.Is(err, fs.ErrExist) || !strings.Contains(err.Error(), name) {
		t.Errorf("error %v", err)
	}
	checkFile(t, name, []byte("first"))
	checkDir(t, dir, "out")
}

func TestOutputCommitFails(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "out")
	for _, breakIt := range []func(o *Output) error{
		func(o *Output) error { return o.file.Close() },
		func(*Output) error { return os.Mkdir(name, 0o755) },
	} {
		o := create(t, name, true)
		if err := breakIt(o); err != nil {
			t.Fatal(err)
		}
		if err := o.Commit(3); err == nil || !strings.Contains(err.Error(), name+": ") || strings.Contains(err.Error(), ".tmp") {
			t.Errorf("error %v", err)
		}
		if err := o.Abort(); err != nil {
			t.Errorf("Abort: %v", err)
		}
		if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		checkDir(t, dir)
	}
}

// The longest name there is leaves no room for a suffix.
func TestOutputLongName(t *testing.T) {
	name := filepath.Join(t.TempDir(), strings.Repeat("x", 200))
	if runtime.GOOS != "windows" {
		name += strings.Repeat("x", 55)
	}
	o := create(t, name, false)
	if err := o.Commit(0); err != nil {
		t.Fatal(err)
	}
	checkFile(t, name, nil)
}
