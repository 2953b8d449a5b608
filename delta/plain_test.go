package delta

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"

	"github.com/lzpage/lzpage/internal/lzrw1spec"
)

var errPlain = errors.New("no such record")

// plainApply is SPEC.md, written to be read.
func plainApply(old, record []byte) ([]byte, error) {
	page := bytes.Clone(old)
	if len(record) < 5 {
		return nil, errPlain
	}
	form, sum, rest := record[0], binary.LittleEndian.Uint32(record[1:]), record[5:]
	switch form & 3 {
	case 0:
		if form != 0 || len(rest) > 0 {
			return nil, errPlain
		}
	case 3:
		return nil, errPlain
	default:
		if form >= 16 {
			return nil, errPlain
		}
		parse := plainTree
		if form&4 != 0 {
			parse = plainRuns
		}
		changed, rest, err := parse(len(page)/8, rest)
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
				return nil, errPlain
			}
			for i, word := range changed {
				copy(page[8*word:], content[8*i:8*i+8])
			}
			break
		}
		if len(content) < len(changed) {
			return nil, errPlain
		}
		masks, data := content[:len(changed)], content[len(changed):]
		for i, word := range changed {
			if masks[i] == 0 {
				return nil, errPlain
			}
			for k := range 8 {
				if masks[i]>>k&1 == 0 {
					continue
				}
				if len(data) == 0 {
					return nil, errPlain
				}
				page[8*word+k] = data[0]
				data = data[1:]
			}
		}
		if len(data) > 0 {
			return nil, errPlain
		}
	}
	if crc32.Checksum(page, crc32.MakeTable(crc32.Castagnoli)) != sum {
		return page, ErrMismatch
	}
	return page, nil
}

// plainTree returns the numbers of the words that a tree says have changed.
func plainTree(words int, src []byte) (changed []int, rest []byte, err error) {
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
				return nil, nil, errPlain
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

// plainRuns returns the numbers of the words that runs say have changed.
func plainRuns(words int, src []byte) (changed []int, rest []byte, err error) {
	for at := 0; at < words; {
		same, n := binary.Uvarint(src)
		if n <= 0 || n > 1 && src[n-1] == 0 || same == 0 && at > 0 || same > uint64(words-at) {
			return nil, nil, errPlain
		}
		at, src = at+int(same), src[n:]
		if at == words {
			break
		}
		more, n := binary.Uvarint(src)
		if n <= 0 || n > 1 && src[n-1] == 0 || more >= uint64(words-at) {
			return nil, nil, errPlain
		}
		for range more + 1 {
			changed = append(changed, at)
			at++
		}
		src = src[n:]
	}
	if len(changed) == 0 {
		return nil, nil, errPlain
	}
	return changed, src, nil
}
