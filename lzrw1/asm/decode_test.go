package asm

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"unsafe"
)

// edges is memory that ends at memory which cannot be touched: some of it in
// front, some behind.
type edges struct{ front, behind []byte }

func newEdges(t *testing.T, n int) edges {
	return edges{guarded(t, n, front), guarded(t, n, behind)}
}

// place returns n bytes against either edge, and up to 300 bytes beside them.
func (e edges) place(n int, atEnd bool) (b, beside []byte) {
	if atEnd {
		at := len(e.behind) - n
		return e.behind[at:], e.behind[max(0, at-300):at]
	}
	return e.front[:n:n], e.front[n:min(n+300, len(e.front))]
}

// decodeItems is the format, an item at a time: it decodes src into data[o:]
// and returns whether all of it is sound, and where groups start in data and
// src, up to the first that is not sound and with the end if all are.
func decodeItems(data []byte, o int, src []byte) (starts map[[2]int]bool, sound bool) {
	starts = map[[2]int]bool{{o, 0}: true}
	for s := 0; s < len(src); starts[[2]int{o, s}] = true {
		if s+3 > len(src) {
			return starts, false
		}
		control := int(src[s]) | int(src[s+1])<<8
		s += 2
		for range 16 {
			if s == len(src) && control == 0 {
				break
			}
			copied := control & 1
			control >>= 1
			if s+1+copied > len(src) {
				return starts, false
			}
			if copied == 0 {
				if o == len(data) {
					return starts, false
				}
				data[o] = src[s]
				o++
				s++
				continue
			}
			offset, length := int(src[s]&0xF0)<<4|int(src[s+1]), int(src[s]&0x0F)+1
			s += 2
			if offset == 0 || offset > o || length > len(data)-o {
				return starts, false
			}
			for range length {
				data[o] = data[o-offset]
				o++
			}
		}
	}
	return starts, true
}

// A decodeChecker compares all kernels with decodeItems, on memory against
// either edge.
type decodeChecker struct {
	t          *testing.T
	src, data  edges
	sound, bad int
}

func newDecodeChecker(t *testing.T) *decodeChecker {
	return &decodeChecker{t: t, src: newEdges(t, 1<<15), data: newEdges(t, 1<<16)}
}

// check decodes block behind history, into memory of so many bytes in all.
func (c *decodeChecker) check(history, block []byte, size int) {
	c.t.Helper()
	want := make([]byte, size)
	o := copy(want, history)
	starts, sound := decodeItems(want, o, block)
	if sound {
		c.sound++
	} else {
		c.bad++
	}
	for _, k := range Available {
		for _, atEnd := range []bool{false, true} {
			src, _ := c.src.place(len(block), atEnd)
			data, beside := c.data.place(size, atEnd)
			copy(src, block)
			fill(beside, 0x5C)
			fill(data, 0xA5)
			copy(data, history)
			oEnd, sEnd := k.Decode(unsafe.SliceData(data), size, o, unsafe.SliceData(src), len(src), 0)
			switch {
			case !starts[[2]int{oEnd, sEnd}]:
				c.t.Errorf("stops at %d in data and %d in the block, where no sound group starts", oEnd, sEnd)
			case sound && k.Name != "portable" && k.Name != "sse2" && sEnd < len(block):
				c.t.Errorf("stops at byte %d of a sound block of %d", sEnd, len(block))
			case !bytes.Equal(data[:oEnd], want[:oEnd]):
				c.t.Errorf("%d bytes are not what the block says", oEnd)
			case !bytes.Equal(src, block):
				c.t.Error("writes into the block")
			case len(bytes.Trim(beside, "\x5C")) > 0:
				c.t.Error("writes beside data")
			default:
				continue
			}
			c.t.Fatalf("%s, at the end of memory: %v, %d bytes of history, %d of data, block %x", k.Name, atEnd, len(history), size, block)
		}
	}
}

func fill(b []byte, v byte) {
	for i := range b {
		b[i] = v
	}
}

// randomBlock returns a sound block of so many items, but for the share bad of
// its copies, and how many bytes it decodes to behind o others.
func randomBlock(r *rand.Rand, items, o int, bad float64) (block []byte, size int) {
	copies := r.IntN(17) // of 16 items
	reach := []int{1, 3, 17, 40, 300, 4095}[r.IntN(6)]
	length := []func() int{
		func() int { return 1 + r.IntN(16) },
		func() int { return 1 + r.IntN(4) },
		func() int { return 16 },
	}[r.IntN(3)]
	at := 0
	for i := range items {
		if i%16 == 0 {
			at = len(block)
			block = append(block, 0, 0)
			if r.IntN(8) == 0 {
				copies = r.IntN(17)
			}
		}
		if o+size == 0 || r.IntN(16) >= copies {
			block = append(block, byte(r.Uint32()))
			size++
			continue
		}
		offset, n := 1+r.IntN(min(o+size, reach)), length()
		if r.Float64() < bad {
			offset = []int{0, r.IntN(4096)}[r.IntN(2)]
		}
		block[at+i%16/8] |= 1 << (i % 8)
		block = append(block, byte(offset>>8<<4|n-1), byte(offset))
		size += n
	}
	return block, size
}

func randomBytes(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

func TestDecodeGroups(t *testing.T) {
	c := newDecodeChecker(t)
	r := rand.New(rand.NewPCG(1, 2))
	rounds := 20000
	if testing.Short() {
		rounds = 2000
	}
	for i := range rounds {
		history := randomBytes(r, []int{0, 0, 1, 20, 5000}[r.IntN(5)])
		items := r.IntN([]int{5, 41, 401, 1501}[r.IntN(4)])
		block, n := randomBlock(r, items, len(history), []float64{0, 0, 0.001, 0.1}[r.IntN(4)])
		switch i % 4 {
		case 1:
			block = block[:r.IntN(len(block)+1)]
		case 2:
			for range min(len(block), 1+r.IntN(3)) {
				block[r.IntN(len(block))] ^= 1 << r.IntN(8)
			}
		}
		size := len(history) + n
		c.check(history, block, size)
		c.check(history, block, size+r.IntN(40))
		c.check(history, block, size+r.IntN(1000))
		c.check(history, block, size-r.IntN(n+1))
	}
	if c.sound < rounds || c.bad < rounds {
		t.Errorf("%d decodings are of sound blocks and %d are not, want %d of each", c.sound, c.bad, rounds)
	}
}

// Short blocks, cut everywhere, with too little and too much room.
func TestDecodeGroupsEnds(t *testing.T) {
	c := newDecodeChecker(t)
	r := rand.New(rand.NewPCG(3, 4))
	for items := range 140 {
		block, n := randomBlock(r, items, 0, 0)
		for size := max(0, n-40); size <= n+40; size++ {
			c.check(nil, block, size)
		}
		for cut := range min(len(block), 60) {
			c.check(nil, block[:len(block)-cut], n)
		}
	}
}

// Where most is literals, fast steps go farthest beyond what they decode: two
// long copies, one of them in the last place of 64, and all sorts of room.
func TestDecodeGroupsLongRuns(t *testing.T) {
	c := newDecodeChecker(t)
	for before := 0; before <= 64; before += 64 {
		for place := 1; place < 64; place += 7 {
			for after := 40; after < 100; after++ {
				var block []byte
				at, size := 0, 0
				for i := range before + 64 + after {
					if i%16 == 0 {
						at = len(block)
						block = append(block, 0, 0)
					}
					if i == before+place || i == before+63 {
						block[at+i%16/8] |= 1 << (i % 8)
						block = append(block, 15, 1)
						size += 16
					} else {
						block = append(block, byte(i))
						size++
					}
				}
				c.check(nil, block, size)
				c.check(nil, block, size+1)
			}
		}
	}
	if c.bad > 0 {
		t.Errorf("%d blocks are not sound", c.bad)
	}
}

func TestDecodeGroupsNoise(t *testing.T) {
	c := newDecodeChecker(t)
	r := rand.New(rand.NewPCG(5, 6))
	for range 5000 {
		c.check(make([]byte, r.IntN(2)*4200), randomBytes(r, r.IntN(600)), 4200+r.IntN(2000))
	}
}

func TestDecodeGroupsOfNothing(t *testing.T) {
	for _, k := range Available {
		var b [1000]byte
		if o, s := k.Decode(nil, 0, 0, nil, 0, 0); o != 0 || s != 0 {
			t.Errorf("%s: nothing into nothing ends at %d, %d", k.Name, o, s)
		}
		if o, s := k.Decode(nil, 0, 0, &b[0], len(b), 0); o != 0 || s != 0 {
			t.Errorf("%s: literals into nothing end at %d, %d", k.Name, o, s)
		}
		if o, s := k.Decode(&b[0], len(b), 7, nil, 0, 0); o != 7 || s != 0 {
			t.Errorf("%s: nothing into 1000 bytes ends at %d, %d", k.Name, o, s)
		}
	}
}
