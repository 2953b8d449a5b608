package lzrw1spec

import "bytes"

// A Greedy is a greedy encoder of package lzrw1.
type Greedy struct {
	hash func(three []byte) int // to one of 4096 slots
	// tail is how many bytes at the end of a block are literals unless a copy
	// that begins before reaches over them.
	tail int
	// trial is whether a block of 2048 bytes or more stays plain if its first
	// groups that stand for 1024 bytes or more take more than 1100.
	trial bool
	// overhead is how much longer than its items a block counts that stays
	// plain if it does not shrink.
	overhead func(full bool) int
}

var (
	// Fast is level Fast.
	Fast = Greedy{hash: hashFast, tail: 2, trial: true, overhead: func(bool) int { return 0 }}
	// Reference is level Reference. The 1991 program counts the header, but one
	// byte, and the next group's control word.
	Reference = Greedy{hash: hash, tail: 15, overhead: func(full bool) int {
		if full {
			return 5
		}
		return 3
	}}
)

// hashFast is the hash of level Fast.
func hashFast(p []byte) int {
	return int((uint32(p[0])<<8 | uint32(p[1])<<16 | uint32(p[2])<<24) * 2654435761 >> 20)
}

// EncodeRun returns the blocks of data behind its first history bytes. The
// first block ends at cuts[0], the next one at cuts[1] and so on. A block that
// stays plain is its data; with mayGrow there are none.
//
// There is one candidate for a copy: the position that was last entered in the
// slot of the next three bytes. Each item's position is entered, and every
// second one of the last 4095 bytes of history, from the first on.
func (g Greedy) EncodeRun(data []byte, history int, cuts []int, mayGrow bool) [][]byte {
	table := make([]int, 4096) // positions plus 1, so that 0 is none
	for i := max(0, history-4095); i <= history-3; i += 2 {
		table[g.hash(data[i:])] = i + 1
	}
	var blocks [][]byte
	start := history
	for _, end := range cuts {
		blocks = append(blocks, g.encode(table, data[:end], start, mayGrow))
		start = end
	}
	return blocks
}

// encode returns the block of data[start:].
func (g Greedy) encode(table []int, data []byte, start int, mayGrow bool) []byte {
	size, tail := len(data)-start, len(data)-g.tail
	padded := append(bytes.Clone(data), make([]byte, 300)...)
	onTrial := g.trial && !mayGrow && size >= 2048
	out := []byte{}
	controlAt, items := 0, 16
	for i := start; i < len(data); {
		if items == 16 {
			if onTrial && i-start >= 1024 {
				if len(out) > 1100 {
					return data[start:]
				}
				onTrial = false
			}
			controlAt, items = len(out), 0
			out = append(out, 0, 0)
		}
		length, offset := 1, 0
		if i < tail {
			length, offset = g.match(table, padded, i)
		}
		if length == 1 {
			out = append(out, data[i])
		} else {
			within := min(length, len(data)-i)
			out = append(out, byte(offset>>8<<4|(within-1)), byte(offset))
			out[controlAt+items/8] |= 1 << (items % 8)
		}
		items++
		if i < tail && i+length >= tail {
			g.forget(table, padded, i+length, items)
		}
		i += length
	}
	if n := len(out) + g.overhead(items == 16); n >= size && !mayGrow {
		return data[start:]
	}
	return out
}

// match enters i and returns the length and offset of the copy there, or 1 and
// 0.
func (g Greedy) match(table []int, data []byte, i int) (length, offset int) {
	slot := &table[g.hash(data[i:])]
	candidate := *slot - 1
	*slot = i + 1
	if candidate < 0 || i-candidate > 4095 {
		return 1, 0
	}
	for length < 16 && data[i+length] == data[candidate+length] {
		length++
	}
	if length < 3 {
		return 1, 0
	}
	return length, i - candidate
}

// forget empties the slots of the items that would follow in the group at i, in
// the tail and the zeros behind it.
func (g Greedy) forget(table []int, padded []byte, i, items int) {
	var followed []int
	for ; items < 16; items++ {
		followed = append(followed, i)
		length, _ := g.match(table, padded, i)
		i += length
	}
	for _, i := range followed {
		table[g.hash(padded[i:])] = 0
	}
}
