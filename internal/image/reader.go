package image

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"

	"github.com/lzpage/lzpage/pagestream"
)

// maxAhead is how many bytes of an input that cannot seek are held to learn
// its layout, and the largest program header table that is read: 16 MiB, room
// for 299593 segments of a 64-bit core.
const maxAhead = 16 << 20

// toEnd is where a region ends that has the rest of its input.
const toEnd = math.MaxInt64

// A layout says what an input consists of.
type layout interface {
	// next describes the bytes from the current position on, which it may
	// peek at: up to the offset end, or toEnd. At the end of the input it
	// returns toEnd unless there should be more.
	next(r *Reader) (class pagestream.Class, address uint64, end int64, err error)
}

// A Reader walks over a memory image from its first byte to its last, region
// by region. It is not safe for use by several goroutines.
type Reader struct {
	name   string
	format Format
	note   string
	layout layout
	err    error // from Next, for good

	// An input of known size is read at offsets.
	at   io.ReaderAt
	size int64 // -1 where it is not known

	// A regular file may have holes.
	file *os.File
	base int64 // offset in file at which the input begins
	run  run   // the last one found

	// Any other input is read in order.
	in    io.Reader
	head  []byte // read ahead of pos
	ended bool   // in has no more

	pos int64 // of the next byte
	end int64 // of the current region, or toEnd
}

// A run is a stretch of a file that is all data or all hole.
type run struct {
	end  int64
	hole bool
}

// Open begins to read the image f, called name in messages.
//
// A regular file or block device is read from its current position to the end
// that it has now. So is an f with the methods ReadAt and Size, such as a
// bytes.Reader, but from its beginning. Anything else is read in order, as a
// pipe is; up to 16 MiB of it are held to learn its layout.
//
// The caller closes f, but not before the last use of the Reader.
//
// With Auto, Open does not fail on account of what f contains: what cannot be
// taken as its first bytes promise is Raw, and [Reader.Note] says why. With ELF
// or LiME that is an error.
func Open(name string, f io.Reader, format Format) (*Reader, error) {
	r := &Reader{name: name, size: -1}
	if err := r.setInput(f); err != nil {
		return nil, err
	}
	magic, err := r.peek(0, 4)
	if err != nil {
		return nil, err
	}
	chosen := format
	if format == Auto {
		chosen = sniff(magic)
	}
	switch chosen {
	case Raw:
		r.layout = raw{}
	case ELF:
		r.layout, err = readELF(r)
	case LiME:
		r.layout, err = readLiME(r)
	default:
		return nil, fmt.Errorf("unknown image format %q: it is %s, %s, %s or %s", format, Auto, Raw, ELF, LiME)
	}
	var why unfit
	switch {
	case errors.As(err, &why) && format == Auto:
		r.note = fmt.Sprintf("taken as raw although it begins as format %s does: %s", chosen, why)
		chosen, r.layout = Raw, raw{}
	case errors.As(err, &why):
		return nil, fmt.Errorf("%s cannot be read as format %s: %s", name, format, why)
	case err != nil:
		return nil, err
	}
	r.format = chosen
	return r, nil
}

// setInput finds out how f can be read.
func (r *Reader) setInput(f io.Reader) error {
	switch f := f.(type) {
	case *os.File:
		info, err := f.Stat()
		if err != nil {
			return err
		}
		if info.IsDir() {
			return fmt.Errorf("%s is a directory, not a memory image", r.name)
		}
		base, size, err := extentOf(f, info)
		if err != nil {
			return r.fail(0, err)
		}
		// Files of /proc and some devices have a length of 0 and yet bytes.
		if size == 0 {
			r.in = f
			return nil
		}
		r.at, r.size = io.NewSectionReader(f, base, size), size
		if info.Mode().IsRegular() {
			r.file, r.base = f, base
		}
	case interface {
		io.ReaderAt
		Size() int64
	}:
		r.at, r.size = f, f.Size()
	default:
		r.in = f
	}
	return nil
}

// extentOf returns where reading f begins and how many bytes follow, 0 if
// that cannot be said.
func extentOf(f *os.File, info fs.FileInfo) (base, size int64, err error) {
	blockDevice := info.Mode()&(fs.ModeDevice|fs.ModeCharDevice) == fs.ModeDevice
	if !info.Mode().IsRegular() && !blockDevice {
		return 0, 0, nil
	}
	if base, err = f.Seek(0, io.SeekCurrent); err != nil {
		return 0, 0, err
	}
	end := info.Size()
	if blockDevice {
		if end, err = f.Seek(0, io.SeekEnd); err != nil {
			return 0, 0, err
		}
		if _, err = f.Seek(base, io.SeekStart); err != nil {
			return 0, 0, err
		}
	}
	return base, max(end-base, 0), nil
}

// sniff returns the format that an input begins as.
func sniff(magic []byte) Format {
	switch string(magic) {
	case elfMagic:
		return ELF
	case limeMagic:
		return LiME
	}
	return Raw
}

// Format returns the format that the image is read as, never Auto.
func (r *Reader) Format() Format { return r.format }

// Note returns what its user should know about the image, one or two
// sentences without the image's name, or "". It may grow until Next has
// returned io.EOF.
func (r *Reader) Note() string { return r.note }

func (r *Reader) addNote(format string, args ...any) {
	if r.note != "" {
		r.note += "; "
	}
	r.note += fmt.Sprintf(format, args...)
}

// Size returns how many bytes the image has, and false where only its end
// will tell.
func (r *Reader) Size() (int64, bool) { return r.size, r.size >= 0 }

// Next goes to the next region, over what is left of the current one. Behind
// the last region it returns io.EOF. All regions have bytes. Only the last one
// can have the length pagestream.UnknownLength.
//
// An input of known size that is shorter than its headers say ends with a
// shorter region, or with fewer. One that is read in order ends with an error
// that wraps io.ErrUnexpectedEOF, from Next or Read.
func (r *Reader) Next() (pagestream.Region, error) {
	if r.err != nil {
		return pagestream.Region{}, r.err
	}
	region, err := r.next()
	r.err = err
	return region, err
}

func (r *Reader) next() (pagestream.Region, error) {
	var none pagestream.Region
	if r.at != nil {
		r.pos = r.end
	} else if _, err := io.Copy(io.Discard, r); err != nil {
		return none, err
	}
	class, address, end, err := r.layout.next(r)
	if err != nil {
		return none, err
	}
	region := pagestream.Region{
		Class:      class,
		Address:    address,
		FileOffset: uint64(r.pos),
		Length:     pagestream.UnknownLength,
	}
	if r.at != nil {
		if end != toEnd && end > r.size {
			r.addNote("cut short: its headers promise at least %d bytes, it has %d", end, r.size)
			r.layout = raw{} // nothing follows
		}
		end = min(end, r.size)
		if end == r.pos {
			return none, io.EOF
		}
	} else {
		first, err := r.peek(r.pos, 1)
		switch {
		case err != nil:
			return none, err
		case len(first) == 0 && end != toEnd:
			return none, r.cut(end)
		case len(first) == 0:
			return none, io.EOF
		}
	}
	if end != toEnd {
		region.Length = uint64(end - r.pos)
	}
	r.end = end
	return region, nil
}

// Extent returns how many bytes follow in the current region that are all
// data, or all in a hole of the file and so zero, or io.EOF at the region's
// end. Where nothing is known the number is that of all the bytes that could
// follow.
func (r *Reader) Extent() (n int64, hole bool, err error) {
	if r.pos >= r.end || r.in != nil && r.end == toEnd && r.ended && len(r.head) == 0 {
		return 0, false, io.EOF
	}
	if r.file == nil {
		return r.end - r.pos, false, nil
	}
	if r.pos >= r.run.end {
		if r.run, err = findRun(r.file, r.base+r.pos, r.base+r.size); err != nil {
			return 0, false, r.fail(r.pos, err)
		}
		r.run.end -= r.base
	}
	return min(r.run.end, r.end) - r.pos, r.run.hole, nil
}

// Skip passes over n bytes of the current region, without reading them if the
// image's size is known. It is meant for holes.
func (r *Reader) Skip(n int64) error {
	if n < 0 || n > r.end-r.pos {
		return fmt.Errorf("%s: cannot skip %d bytes at offset %d: the region ends at %d", r.name, n, r.pos, r.end)
	}
	if r.at != nil {
		r.pos += n
		return nil
	}
	_, err := io.CopyN(io.Discard, r, n)
	return err
}

// Read reads bytes of the current region, straight into p, holes as zeros. It
// returns io.EOF at the region's end, and an error that wraps
// io.ErrUnexpectedEOF where the file became shorter since Open.
func (r *Reader) Read(p []byte) (int, error) {
	if r.pos >= r.end {
		return 0, io.EOF
	}
	if int64(len(p)) > r.end-r.pos {
		p = p[:r.end-r.pos]
	}
	if r.at != nil {
		return r.readAt(p)
	}
	return r.readIn(p)
}

func (r *Reader) readAt(p []byte) (int, error) {
	n, err := r.at.ReadAt(p, r.pos)
	r.pos += int64(n)
	switch {
	case n == len(p):
		return n, nil
	case err == io.EOF:
		return n, r.fail(r.pos, errShrunk(r.size))
	default:
		return n, r.fail(r.pos, err)
	}
}

func (r *Reader) readIn(p []byte) (int, error) {
	if len(r.head) > 0 {
		n := copy(p, r.head)
		r.pos += int64(n)
		if r.head = r.head[n:]; len(r.head) == 0 {
			r.head = nil // it may be large
		}
		return n, nil
	}
	n, err := 0, io.EOF
	if !r.ended {
		n, err = r.in.Read(p)
		r.pos += int64(n)
	}
	r.ended = err == io.EOF
	switch {
	case err == nil:
		return n, nil
	case r.ended && (r.end == toEnd || r.pos == r.end):
		return n, io.EOF
	case r.ended:
		return n, r.cut(r.end)
	}
	return n, r.fail(r.pos, err)
}

// peek returns n bytes at offset off, which is not before the current
// position, or fewer if the input ends before. Of an input that is read in
// order it holds them until they are read.
func (r *Reader) peek(off int64, n int) ([]byte, error) {
	if r.at != nil {
		b := make([]byte, max(min(int64(n), r.size-off), 0))
		got, err := r.at.ReadAt(b, off)
		if err != nil && err != io.EOF {
			return nil, r.fail(off+int64(got), err)
		}
		return b[:got], nil
	}
	skip := off - r.pos
	if skip > int64(maxAhead-n) {
		return nil, unfit(fmt.Sprintf("its layout is described at offset %d, further away than the %d bytes that are read ahead of an input that cannot seek", off, maxAhead))
	}
	want := int(skip) + n
	if have := len(r.head); have < want && !r.ended {
		r.head = append(r.head, make([]byte, want-have)...)
		got, err := io.ReadFull(r.in, r.head[have:])
		r.head = r.head[:have+got]
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			r.ended = true
		} else if err != nil {
			return nil, r.fail(r.pos+int64(len(r.head)), err)
		}
	}
	from := min(int(skip), len(r.head))
	return r.head[from:min(want, len(r.head))], nil
}

// errShrunk is the error of a file that no longer has size bytes.
func errShrunk(size int64) error {
	return fmt.Errorf("the file was made shorter while it was read, it had %d bytes: %w", size, io.ErrUnexpectedEOF)
}

// cut is the error of an input that ends at the current position although its
// headers promise bytes up to end.
func (r *Reader) cut(end int64) error {
	return r.fail(r.pos, fmt.Errorf("the input ends, although its headers promise at least %d bytes; read as format %s, it is taken as it is: %w", end, Raw, io.ErrUnexpectedEOF))
}

// fail says where err happened.
func (r *Reader) fail(offset int64, err error) error {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		err = pathErr.Err // the name is here already
	}
	return fmt.Errorf("%s: at offset %d: %w", r.name, offset, err)
}

// raw is the layout of memory and nothing else.
type raw struct{}

func (raw) next(*Reader) (pagestream.Class, uint64, int64, error) {
	return pagestream.Memory, 0, toEnd, nil
}
