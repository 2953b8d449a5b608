package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"

	"github.com/lzpage/lzpage/lzrw1"
)

// A Trace says which pages of a memory were sent in each round of a migration.
// Round 0 is all of them, a later one those that have changed since, in
// ascending order.
type Trace struct {
	PageSize int
	Rounds   [][]Touch
}

// A Touch is a page that is sent, and how well it compresses: Form is 0 for
// zeros, 1 for one repeated word of 8 bytes, else the length of its LZRW1 block
// in 64ths of the page, rounded up; 64 is a page that does not shrink.
type Touch struct {
	Page uint32
	Form uint8
}

const (
	formZero  = 0
	formWord  = 1
	formPlain = 64
)

// The file of a trace is a gzip stream of
//
//	"lzpage page trace 1\n"
//	page size            varint
//	rounds               varint
//	and for each round
//	    touches          varint
//	    for each touch   varint: pages between the touch before and this one
//	    for each touch   byte: its form
//
// with varints as encoding/binary has them.
const traceMagic = "lzpage page trace 1\n"

// WriteTo writes the trace's file.
func (t *Trace) WriteTo(w io.Writer) (int64, error) {
	b := binary.AppendUvarint([]byte(traceMagic), uint64(t.PageSize))
	b = binary.AppendUvarint(b, uint64(len(t.Rounds)))
	for _, round := range t.Rounds {
		b = binary.AppendUvarint(b, uint64(len(round)))
		next := uint32(0)
		for _, touch := range round {
			b = binary.AppendUvarint(b, uint64(touch.Page-next))
			next = touch.Page + 1
		}
		for _, touch := range round {
			b = append(b, touch.Form)
		}
	}
	counted := countingWriter{w: w}
	z, err := gzip.NewWriterLevel(&counted, gzip.BestCompression)
	if err != nil {
		return 0, err
	}
	if _, err = z.Write(b); err == nil {
		err = z.Close()
	}
	return counted.n, err
}

type countingWriter struct {
	w io.Writer
	n int64
}

func (c *countingWriter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

var errNoTrace = errors.New("not a page trace; of images, there must be two or more")

// ReadTrace reads a trace's file.
func ReadTrace(r io.Reader) (*Trace, error) {
	z, err := gzip.NewReader(r)
	if err != nil {
		return nil, errNoTrace
	}
	in := bufio.NewReader(z)
	magic := make([]byte, len(traceMagic))
	if _, err := io.ReadFull(in, magic); err != nil || string(magic) != traceMagic {
		return nil, errNoTrace
	}
	number := func(what string, least, most uint64) uint64 {
		if err != nil {
			return 0
		}
		var n uint64
		if n, err = binary.ReadUvarint(in); err == nil && (n < least || n > most) {
			err = fmt.Errorf("%s: %d is not %d to %d", what, n, least, most)
		}
		return n
	}
	t := &Trace{PageSize: int(number("page size", 64, 2<<20))}
	rounds := number("rounds", 1, 1<<20)
	for round := uint64(0); round < rounds && err == nil; round++ {
		touches := number("touches", 0, 1<<28)
		var list []Touch
		next := uint64(0)
		for i := uint64(0); i < touches && err == nil; i++ {
			next += number("pages between", 0, 1<<28)
			if err == nil && next > math.MaxUint32-1 {
				err = errors.New("a page's number is too large")
			}
			list = append(list, Touch{Page: uint32(next)})
			next++
		}
		for i := range list {
			if err != nil {
				break
			}
			if list[i].Form, err = in.ReadByte(); err == nil && list[i].Form > formPlain {
				err = fmt.Errorf("form %d of page %d", list[i].Form, list[i].Page)
			}
		}
		t.Rounds = append(t.Rounds, list)
	}
	if err == nil {
		// so that the checksum is looked at
		if _, err = in.ReadByte(); err == nil {
			err = errors.New("bytes behind the last round")
		} else if err == io.EOF {
			return t, nil
		}
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return nil, err
}

// Record makes the trace of consecutive raw images of one memory. It reads two
// at a time, piece by piece.
func Record(images []string, pageSize int) (*Trace, error) {
	t := &Trace{PageSize: pageSize}
	forms := newFormFinder(pageSize)
	for i, name := range images {
		before := ""
		if i > 0 {
			before = images[i-1]
		}
		round, err := compare(before, name, pageSize, forms)
		if err != nil {
			return nil, err
		}
		t.Rounds = append(t.Rounds, round)
	}
	return t, nil
}

// compare returns the pages of an image that differ from the image before it,
// or all where there is none.
func compare(before, name string, pageSize int, forms *formFinder) ([]Touch, error) {
	now, err := openImage(name, pageSize)
	if err != nil {
		return nil, err
	}
	defer now.Close()
	var old *image
	if before != "" {
		if old, err = openImage(before, pageSize); err != nil {
			return nil, err
		}
		defer old.Close()
		if old.pages != now.pages {
			return nil, fmt.Errorf("%s has %d pages, %s has %d: they are not of one memory", before, old.pages, name, now.pages)
		}
	}
	var round []Touch
	for page := range uint32(now.pages) {
		data, err := now.next()
		if err != nil {
			return nil, err
		}
		if old != nil {
			earlier, err := old.next()
			if err != nil {
				return nil, err
			}
			if bytes.Equal(data, earlier) {
				continue
			}
		}
		round = append(round, Touch{page, forms.form(data)})
	}
	return round, nil
}

// An image is a raw memory image that is read page by page.
type image struct {
	*os.File
	in    *bufio.Reader
	page  []byte
	pages int64
}

func openImage(name string, pageSize int) (*image, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil && (info.Size() == 0 || info.Size()%int64(pageSize) != 0 || info.Size()/int64(pageSize) > math.MaxUint32) {
		err = fmt.Errorf("%s: %d bytes are no raw image of pages of %d bytes", name, info.Size(), pageSize)
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return &image{file, bufio.NewReaderSize(file, 1<<20), make([]byte, pageSize), info.Size() / int64(pageSize)}, nil
}

func (i *image) next() ([]byte, error) {
	if _, err := io.ReadFull(i.in, i.page); err != nil {
		return nil, fmt.Errorf("%s: %w", i.Name(), err)
	}
	return i.page, nil
}

// A formFinder says how well pages compress.
type formFinder struct {
	encoder *lzrw1.Encoder
	run     []lzrw1.Run
}

func newFormFinder(pageSize int) *formFinder {
	return &formFinder{lzrw1.NewEncoder(lzrw1.Fast), []lzrw1.Run{{Cuts: []int{pageSize}}}}
}

func (f *formFinder) form(page []byte) uint8 {
	if bytes.Equal(page[8:], page[:len(page)-8]) {
		if binary.LittleEndian.Uint64(page) == 0 {
			return formZero
		}
		return formWord
	}
	r := &f.run[0]
	r.Data, r.Blocks, r.Ends = page, r.Blocks[:0], r.Ends[:0]
	f.encoder.EncodeRuns(f.run)
	return uint8((len(r.Blocks)*formPlain + len(page) - 1) / len(page))
}

// Merge returns the trace with n rounds of changes made one: what a link that
// is slower by so much would have seen.
func (t *Trace) Merge(n int) *Trace {
	merged := &Trace{PageSize: t.PageSize, Rounds: t.Rounds[:1:1]}
	for rounds := range slices.Chunk(t.Rounds[1:], n) {
		last := map[uint32]uint8{}
		for _, round := range rounds {
			for _, touch := range round {
				last[touch.Page] = touch.Form
			}
		}
		round := make([]Touch, 0, len(last))
		for page, form := range last {
			round = append(round, Touch{page, form})
		}
		slices.SortFunc(round, func(a, b Touch) int { return int(int64(a.Page) - int64(b.Page)) })
		merged.Rounds = append(merged.Rounds, round)
	}
	return merged
}

// A use is a touch in the order of all, and what is known of the page.
type use struct {
	Touch
	round int
	asked bool // the page was sent before, and was not zeros
	next  int  // when it is asked for next, or never
}

const never = int(^uint(0) >> 1)

// uses returns all touches and how many are asked for. Zeros are not worth
// keeping: as an earlier version they save nothing.
func (t *Trace) uses() (all []use, asked int) {
	before := map[uint32]int{}
	for number, round := range t.Rounds {
		for _, touch := range round {
			u := use{Touch: touch, round: number, next: never}
			if i, ok := before[touch.Page]; ok && all[i].Form != formZero {
				u.asked = true
				asked++
				all[i].next = len(all)
			}
			before[touch.Page] = len(all)
			all = append(all, u)
		}
	}
	return all, asked
}

// changedPages returns how many pages a round after round 0 has on average.
func (t *Trace) changedPages() int {
	n := 0
	for _, round := range t.Rounds[1:] {
		n += len(round)
	}
	return n / max(1, len(t.Rounds)-1)
}
