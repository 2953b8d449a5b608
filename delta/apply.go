package delta

import (
	"github.com/lzpage/lzpage/lzrw1"
	"github.com/lzpage/lzpage/lzrw1/asm"
)

// A Decoder applies records. It is reused without allocating, and is not safe
// for concurrent use.
type Decoder struct {
	tree    tree
	content []byte // old words, if they are the history, and the content
}

// NewDecoder returns a decoder. It holds up to two pages and a half, of the
// largest pages that it has met.
func NewDecoder() *Decoder { return new(Decoder) }

// Apply turns page, the earlier version, into the one that the record was made
// of, in place. record must not overlap page. Errors are [*CorruptError], with
// the page as it was, and [ErrMismatch].
func (d *Decoder) Apply(page, record []byte) error {
	if !validPage(len(page)) {
		return corrupt("no record is of a page of this length")
	}
	if len(record) < headBytes {
		return corrupt("it ends within its head")
	}
	form, sum := record[0], le.Uint32(record[1:])
	record = record[headBytes:]
	var err error
	switch form & formMask {
	case formSame:
		if form != formSame || len(record) > 0 {
			err = corrupt("more than a checksum where nothing has changed")
		}
	case formBytes, formWords:
		if form&^(formMask|flagRuns|flagLZRW1) != 0 {
			return corrupt("a form that this version does not know")
		}
		d.tree.resize(len(page) / 64)
		var ok bool
		if form&flagRuns != 0 {
			record, ok = parseRuns(d.tree.set(), record)
		} else {
			record, ok = d.tree.parse(record)
		}
		if !ok {
			return corrupt("its map of words cannot be read")
		}
		if need := 2*len(page) + len(page)/2; len(d.content) < need {
			d.content = make([]byte, need)
		}
		if form&formMask == formBytes {
			err = d.applyBytes(page, record, form&flagLZRW1 != 0)
		} else {
			err = d.applyWords(page, record, form&flagLZRW1 != 0)
		}
	default:
		err = corrupt("a form that this version does not know")
	}
	if err != nil {
		return err
	}
	if Checksum(page) != sum {
		return ErrMismatch
	}
	return nil
}

// decode decodes the block, or copies the content if it is plain, to
// d.content[history:end] and returns how many bytes that are.
func (d *Decoder) decode(block []byte, lz bool, history, end int) (int, error) {
	if !lz {
		if len(block) > end-history {
			return 0, corrupt("its content is longer than what has changed")
		}
		return copy(d.content[history:end], block), nil
	}
	n, err := lzrw1.DecodeHistory(d.content[:end], history, block)
	if err != nil {
		return 0, &CorruptError{"its block cannot be decoded", err}
	}
	return n, nil
}

func (d *Decoder) applyWords(page, block []byte, lz bool) error {
	set := d.tree.set()
	size := asm.Count(set) * wordBytes
	asm.Pack(d.content, page, set)
	n, err := d.decode(block, lz, size, 2*size)
	if err != nil {
		return err
	}
	if n < size {
		return corrupt("its content is shorter than what has changed")
	}
	asm.Merge(page, d.content[size:2*size], set)
	return nil
}

func (d *Decoder) applyBytes(page, block []byte, lz bool) error {
	set := d.tree.set()
	words := asm.Count(set)
	n, err := d.decode(block, lz, 0, words*(1+wordBytes))
	if err != nil {
		return err
	}
	if n < words || !asm.MergeBytes(page, d.content[:n], set) {
		return corrupt("its content does not fit its map")
	}
	return nil
}
