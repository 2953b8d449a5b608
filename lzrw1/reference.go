package lzrw1

// hash1991 is the hash of the 1991 program, of the three low bytes of x.
func hash1991(x uint64) uint32 {
	v := uint32(x)
	k := (v&0xFF<<4^v>>8&0xFF)<<4 ^ v>>16&0xFF
	return 40543 * k >> 4 & (1<<lastBits - 1)
}

const (
	// flaggedHeader is the size of the flagged form's header. The 1991 program
	// counts it when it decides whether to give up.
	flaggedHeader = 4
	// sweepEvery is how often, in bytes, positions that are out of reach are
	// made to stay so. It keeps a 16-bit position from looking near again
	// after 64 KiB, which the 1991 program, whose table holds pointers, cannot
	// mistake either.
	sweepEvery = 1 << 15
)

// encodeReference is the portable kernel of level Reference; block says what
// it is given and returns. It follows the 1991 program item by item.
//
// An empty slot holds 0 and so names position 0. That is harmless: were the
// three bytes those at position 0, the slot would be theirs and not empty.
func encodeReference(dst, data []byte, start, end int, giveUp bool, last *lastTable) int {
	i := start
	w := newItemWriter(dst, 0)
	limit := MaxEncodedLen(end-start) + controlBytes
	if giveUp {
		limit = end - start - flaggedHeader
	}
	sweepAt := i&^(sweepEvery-1) + sweepEvery
	for {
		if w.o > limit {
			return -1
		}
		if i == end {
			return w.finish(nil)
		}
		// the test above is made once a group while 16 items cannot end the
		// block, and then at every item
		items := 1
		if i <= end-maxGroupDecoded {
			items = groupItems
		}
		for ; items > 0; items-- {
			n, offset := 0, 0
			if i <= end-MaxCopy {
				slot := hash1991(load64(data, i))
				offset = (i - int(last[slot])) & 0xFFFF
				last[slot] = uint16(i)
				if uint(offset-1) < MaxOffset {
					n = matchLen(data, i, offset)
				}
			}
			i += w.item(data[i], offset, n)
		}
		if i >= sweepAt {
			last.sweep(i)
			sweepAt += sweepEvery
		}
	}
}

// sweep replaces the positions that lie out of reach before i by one that
// stays so for the next 32 KiB and more.
func (t *lastTable) sweep(i int) {
	for slot, position := range t {
		if uint16(i)-position > MaxOffset {
			t[slot] = uint16(i - 2*(MaxOffset+1))
		}
	}
}
