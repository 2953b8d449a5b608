// Package deltaspec is the records of package delta written to be read: how to
// apply them, a byte and a word at a time, with no thought for speed. It is for
// tests only, and decides where package delta and its documents leave room for
// doubt.
package deltaspec

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"

	"github.com/lzpage/lzpage/internal/lzrw1spec"
)

var (
	// ErrCorrupt is all that Apply says of a record that cannot be.
	ErrCorrupt = errors.New("corrupt")
	// ErrMismatch says that the page has another checksum than the record.
	ErrMismatch = errors.New("mismatch")
)

// Apply returns the page that the record makes of the page old. Where its
// checksum is another one, it is returned as well.
func Apply(old, record []byte) ([]byte, error) {
	page := bytes.Clone(old)
	if len(record) < 5 {
		return nil, ErrCorrupt
	}
	form, sum, rest := record[0], binary.LittleEndian.Uint32(record[1:]), record[5:]
	switch form & 3 {
	case 0:
		if form != 0 || len(rest) > 0 {
			return nil, ErrCorrupt
		}
	case 3:
		return nil, ErrCorrupt
	default:
		if form >= 16 {
			return nil, ErrCorrupt
		}
		changed, rest, err := Changed(len(page), record)
		if err != nil {
			return nil, err
		}
		var history []byte
		if form&3 == 2 {
			for _, word := range changed {
				history = append(history, old[8*word:8*word+8]...)
			}
		}
		content := rest
		if form&8 != 0 {
			if content, err = lzrw1spec.Decode(history, rest); err != nil {
				return nil, err
			}
		}
		if form&3 == 2 {
			if len(content) != 8*len(changed) {
				return nil, ErrCorrupt
			}
			for i, word := range changed {
				copy(page[8*word:], content[8*i:8*i+8])
			}
			break
		}
		if len(content) < len(changed) {
			return nil, ErrCorrupt
		}
		masks, data := content[:len(changed)], content[len(changed):]
		for i, word := range changed {
			if masks[i] == 0 {
				return nil, ErrCorrupt
			}
			for k := range 8 {
				if masks[i]>>k&1 == 0 {
					continue
				}
				if len(data) == 0 {
					return nil, ErrCorrupt
				}
				page[8*word+k] = data[0]
				data = data[1:]
			}
		}
		if len(data) > 0 {
			return nil, ErrCorrupt
		}
	}
	if crc32.Checksum(page, crc32.MakeTable(crc32.Castagnoli)) != sum {
		return page, ErrMismatch
	}
	return page, nil
}

// Changed returns the numbers of the words that a record's map, of form bytes
// or words, says have changed, and what follows the map.
func Changed(pageSize int, record []byte) (changed []int, rest []byte, err error) {
	parse := tree
	if record[0]&4 != 0 {
		parse = runs
	}
	return parse(pageSize/8, record[5:])
}

// tree returns the numbers of the words that a tree says have changed.
func tree(words int, src []byte) (changed []int, rest []byte, err error) {
	var sizes []int // of the levels, the map's first
	for n := words / 8; ; n = (n + 7) / 8 {
		sizes = append(sizes, n)
		if n == 1 {
			break
		}
	}
	present := []int{0} // the bytes of a level that are not zero
	for k := len(sizes) - 1; k >= 0; k-- {
		var bits []int
		for _, at := range present {
			if at >= sizes[k] || len(src) == 0 || src[0] == 0 {
				return nil, nil, ErrCorrupt
			}
			for i := range 8 {
				if src[0]>>i&1 == 1 {
					bits = append(bits, 8*at+i)
				}
			}
			src = src[1:]
		}
		present = bits
	}
	return present, src, nil
}

// runs returns the numbers of the words that runs say have changed.
func runs(words int, src []byte) (changed []int, rest []byte, err error) {
	for at := 0; at < words; {
		same, n := binary.Uvarint(src)
		if n <= 0 || n > 1 && src[n-1] == 0 || same == 0 && at > 0 || same > uint64(words-at) {
			return nil, nil, ErrCorrupt
		}
		at, src = at+int(same), src[n:]
		if at == words {
			break
		}
		more, n := binary.Uvarint(src)
		if n <= 0 || n > 1 && src[n-1] == 0 || more >= uint64(words-at) {
			return nil, nil, ErrCorrupt
		}
		for range more + 1 {
			changed = append(changed, at)
			at++
		}
		src = src[n:]
	}
	if len(changed) == 0 {
		return nil, nil, ErrCorrupt
	}
	return changed, src, nil
}

// ApplyXBZRLE returns the page that an XBZRLE record makes of the page old.
func ApplyXBZRLE(old, record []byte) ([]byte, error) {
	page := bytes.Clone(old)
	length := func() (n int, ok bool) {
		for shift := 0; shift < 14 && len(record) > 0; shift += 7 {
			b := record[0]
			record = record[1:]
			n |= int(b&0x7F) << shift
			if b < 0x80 {
				return n, true
			}
		}
		return 0, false
	}
	for at, first := 0, true; len(record) > 0; first = false {
		same, ok := length()
		if !ok || same == 0 && !first {
			return nil, ErrCorrupt
		}
		changed, ok := length()
		if !ok || changed == 0 || changed > len(record) || at+same+changed > len(page) {
			return nil, ErrCorrupt
		}
		copy(page[at+same:], record[:changed])
		at += same + changed
		record = record[changed:]
	}
	return page, nil
}

// EncodeXBZRLE returns the XBZRLE record of a page, however long it is.
func EncodeXBZRLE(old, new []byte) []byte {
	var record []byte
	for i := 0; ; {
		same := 0
		for ; i < len(new) && old[i] == new[i]; i++ {
			same++
		}
		if i == len(new) {
			return record
		}
		start := i
		for i < len(new) && old[i] != new[i] {
			i++
		}
		for _, n := range []int{same, i - start} {
			if n >= 128 {
				record = append(record, byte(n%128+128))
				n /= 128
			}
			record = append(record, byte(n))
		}
		record = append(record, new[start:i]...)
	}
}
