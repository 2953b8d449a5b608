// Package lzrw1spec is LZRW1 written to be read: a decoder, the 1991 encoder and
// the greedy ones of package lzrw1, a byte and an item at a time, with no
// thought for speed. It is for tests only, and decides where package lzrw1 and
// its documentation leave room for doubt.
package lzrw1spec

import "errors"

// ErrCorrupt is all that Decode says of a block that cannot be.
var ErrCorrupt = errors.New("lzrw1spec: corrupt")

// Decode returns what block decodes to. Copies may reach back into history,
// but no farther than the format's 4095 bytes.
func Decode(history, block []byte) ([]byte, error) {
	out := append([]byte(nil), history...)
	for len(block) > 0 {
		if len(block) < 2 {
			return nil, ErrCorrupt // a control word cut in half
		}
		control := int(block[0]) | int(block[1])<<8
		block = block[2:]
		if len(block) == 0 {
			return nil, ErrCorrupt // a control word without items
		}
		for item := 0; item < 16; item++ {
			isCopy := control>>item&1 == 1
			switch {
			case len(block) == 0:
				if isCopy {
					return nil, ErrCorrupt // control bits beyond the last item are zero
				}
			case !isCopy:
				out = append(out, block[0])
				block = block[1:]
			default:
				if len(block) < 2 {
					return nil, ErrCorrupt // a copy cut in half
				}
				length := int(block[0]&0x0F) + 1
				offset := int(block[0]>>4)<<8 | int(block[1])
				block = block[2:]
				if offset == 0 || offset > len(out) {
					return nil, ErrCorrupt
				}
				for ; length > 0; length-- {
					out = append(out, out[len(out)-offset])
				}
			}
		}
	}
	return out[len(history):], nil
}

// EncodeFlagged returns the flagged form of input, as the 1991 program writes
// it.
func EncodeFlagged(input []byte) []byte {
	n := len(input)
	plain := append([]byte{1, 0, 0, 0}, input...)
	table := map[int]int{} // hash -> position

	out := []byte{0, 0, 0, 0}
	controlAt := len(out)
	out = append(out, 0, 0)
	control, items := 0, 0
	pos := 0
	endItem := func(bit int) {
		control |= bit << items
		items++
		if items == 16 {
			out[controlAt], out[controlAt+1] = byte(control), byte(control>>8)
			controlAt = len(out)
			out = append(out, 0, 0)
			control, items = 0, 0
		}
	}
	for {
		atGroupStart := items == 0
		if (atGroupStart || pos > n-256) && len(out) > n {
			return plain
		}
		if pos == n {
			break
		}
		// a group begun while no 16 items can pass the end is coded without
		// the test in between, even where it leads past that point
		untested := 1
		if pos <= n-256 {
			untested = 16
		}
		for ; untested > 0; untested-- {
			length, offset := 0, 0
			if pos <= n-16 {
				h := hash(input[pos:])
				candidate, exists := table[h]
				table[h] = pos
				if exists && pos-candidate <= 4095 {
					offset = pos - candidate
					for length < 16 && input[candidate+length] == input[pos+length] {
						length++
					}
				}
			}
			if length >= 3 {
				out = append(out, byte(offset>>8<<4|(length-1)), byte(offset))
				pos += length
				endItem(1)
			} else {
				out = append(out, input[pos])
				pos++
				endItem(0)
			}
		}
	}
	if items == 0 {
		out = out[:controlAt]
	} else {
		out[controlAt], out[controlAt+1] = byte(control), byte(control>>8)
	}
	return out
}

func hash(p []byte) int {
	return int(uint32(40543*(((int(p[0])<<4^int(p[1]))<<4)^int(p[2])))>>4) & 0xFFF
}
