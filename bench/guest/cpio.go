package guest

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"path"
	"sort"
)

// Unix file types, as the mode field of a cpio header has them.
const (
	typeDir     = 0o040000
	typeRegular = 0o100000
	typeSymlink = 0o120000
)

// node is one file of a tree: a directory (no data), a regular file (its
// content) or a symbolic link (its target).
type node struct {
	mode uint32 // type and permission bits
	data []byte
}

// tree is a file system in memory. Its keys are slash-separated paths without
// a leading slash; every file belongs to root.
type tree map[string]node

// put adds a file, replaces one of the same name, and adds the directories
// above it.
func (t tree) put(name string, n node) {
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		if _, have := t[dir]; have {
			break
		}
		t[dir] = node{mode: typeDir | 0o755}
	}
	t[name] = n
}

// putFS adds all files of files. Go's embedded files carry no permissions:
// what begins like a script or a program is made executable.
func (t tree) putFS(files fs.FS) error {
	return fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		mode := uint32(typeRegular | 0o644)
		if bytes.HasPrefix(data, []byte("#!")) || bytes.HasPrefix(data, []byte("\x7fELF")) {
			mode = typeRegular | 0o755
		}
		t.put(name, node{mode, data})
		return nil
	})
}

// writeCpio writes the tree as a cpio archive in the "newc" format, the one
// that the kernel unpacks at boot. The same tree gives the same bytes: files
// are sorted, and owner and time are zero.
func (t tree) writeCpio(w io.Writer) error {
	names := make([]string, 0, len(t))
	for name := range t {
		names = append(names, name)
	}
	sort.Strings(names) // a directory sorts before the files in it
	for i, name := range names {
		if err := writeCpioEntry(w, uint32(i+1), name, t[name]); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return writeCpioEntry(w, 0, "TRAILER!!!", node{})
}

// writeCpioEntry writes a 110-byte header of 13 hexadecimal fields after the
// magic, the name with a NUL, and the data; name and data each padded to four
// bytes.
func writeCpioEntry(w io.Writer, inode uint32, name string, n node) error {
	if uint64(len(n.data)) > 0xffffffff {
		return fmt.Errorf("%d bytes are too many for a cpio archive", len(n.data))
	}
	links := 1
	if n.mode&0o170000 == typeDir {
		links = 2
	}
	header := fmt.Sprintf("070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%s\x00",
		inode, n.mode, 0, 0, links, 0, len(n.data), 0, 0, 0, 0, len(name)+1, 0, name)
	padding := [4]byte{}
	for _, part := range [][]byte{
		[]byte(header), padding[:-len(header)&3],
		n.data, padding[:-len(n.data)&3],
	} {
		if _, err := w.Write(part); err != nil {
			return err
		}
	}
	return nil
}
