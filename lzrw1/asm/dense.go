package asm

import (
	"math/bits"
	"unsafe"
)

// Level Dense encodes a block in sections of at most 4096 bytes, and a section
// in phases, each over the whole of it, so that none of them branches on data:
//
//  1. Search enters every position in the tables and finds for each its best
//     copy, as a key.
//  2. Parse goes backwards and finds for each position what the best parse
//     from there on saves.
//  3. Walk goes forwards along the best parse and lists its items.
//  4. Emit writes the items, in groups.
//
// A section is cut into four stretches of equal length, a multiple of 16 bytes
// (the last one may be shorter); a copy ends where its stretch does, so that
// the four are parsed and walked side by side. That costs 0.1 % of ratio.
//
// What is written is defined by this:
//
//   - The candidates of position i are the two latest positions before it whose
//     three bytes have i's slot in the one table, and the latest whose seven
//     bytes have i's slot in the other; a slot where nothing was entered yet
//     holds the first position of all. All positions of history and blocks are
//     entered whose 16 bytes lie within data, but for those of a block that
//     was given up, past its first stretch.
//   - The own copy of i is the longest agreement, at most 16 bytes, with a
//     candidate at an offset of 1 to MaxOffset; the nearest one of equals.
//   - The copy of i is its own or, where that is longer, the copy of i-1 one
//     byte shorter at the same offset; the first position of a section has its
//     own only. Of equal lengths the nearer one counts.
//   - Copies are cut at the end of their stretch; below MinCopy there is none.
//   - Costs are 9 bits for a literal and 17 for a copy. A copy is taken where
//     it and the rest of its stretch cost less than a literal and the rest.
//   - With giveUp, a block stays plain where fewer than one in 32 positions of
//     its first stretch have a copy, and where it does not shrink.

// Sizes of a section.
const (
	sectionBytes = 4096
	stretches    = 4
	maxStretch   = sectionBytes / stretches

	// lanePitch is the distance of stretches in a scratch array. What lies
	// between them takes what vectors write beyond a stretch's end, or read
	// before its start.
	lanePitch = maxStretch + 32
	lanePad   = 16
)

// A DenseTable holds positions by what stands there. It belongs to the data of
// one run: positions count from Base on, and the tables hold none but
// positions before the next one to be searched.
type DenseTable struct {
	// Recent holds the two latest positions with three bytes of a hash, the
	// latest one in the low half.
	Recent [denseSlots]uint32
	// Long holds the latest position with seven bytes of a hash.
	Long [denseSlots]uint16
	// Base is the position in data that number 0 stands for.
	Base int
}

const (
	denseBits  = 12
	denseSlots = 1 << denseBits
)

// Hashes are sums of products of 16-bit words, modulo 65,536: a vector has
// sixteen at once.
const (
	hashA = 0x9E37
	hashB = 0x6F4F
	hashC = 0xB5C9
	hashD = 0x1D35
)

// recentSlot returns the slot of the three low bytes of x.
func recentSlot(x uint64) uint32 {
	return (uint32(x)*hashA + uint32(x>>8)*hashB) & 0xFFFF >> (16 - denseBits)
}

// longSlot returns the slot of the seven low bytes of x.
func longSlot(x uint64) uint32 {
	return (uint32(x)*hashA + uint32(x>>16)*hashB + uint32(x>>32)*hashC + uint32(x>>40)*hashD) & 0xFFFF >> (16 - denseBits)
}

// A copy's key is its length less one, in the four high bits, and 4095 less its
// offset: of two keys the greater one is the better copy. Keys below minKey
// are none.
const (
	keyLength = 1 << 12
	minKey    = 2 * keyLength
)

// A DenseScratch holds what the phases tell each other of a section. It is
// large, and needs no clearing.
type DenseScratch struct {
	// By position; an implementation of walk may turn keys and lens into the
	// items there and their lengths.
	keys [lanePad + stretches*lanePitch]uint16
	// lens holds the length of the copy less one, or noCopy and more where
	// there is none.
	lens [lanePad + stretches*lanePitch]uint8
	// saved holds, by position, the bits that the best parse from there to the
	// stretch's end saves over literals.
	saved [stretches * lanePitch]uint16

	// By item, of each stretch; at the stretch's end a length of 0.
	words   [lanePad + stretches*lanePitch]uint16
	lengths [lanePad + stretches*lanePitch]uint8

	// The search's own: slots by position, the even ones of a vector or two
	// before the odd ones, and candidates and agreements of the latest positions.
	//lint:ignore U1000 kernels in assembly use it
	recentSlots [maxStretch]uint16
	//lint:ignore U1000 kernels in assembly use it
	longSlots [maxStretch]uint16
	recent    [searchRing]uint32
	long      [searchRing]uint16
	//lint:ignore U1000 kernels in assembly use it
	agree [3][searchRing]uint16
}

// searchRing is how many positions the candidates and agreements are kept of.
const searchRing = 64

// noCopy is what lens holds, or that and one more, where there is no copy.
const noCopy = 16

// MaxDenseSlack is how many bytes dst needs beyond the largest block.
const MaxDenseSlack = 2

const (
	literalBits = 9
	copyBits    = 17
)

// Reset forgets all positions and enters those of data[:history] that a copy
// can reach.
func (t *DenseTable) Reset(data []byte, history int) {
	clear(t.Recent[:])
	clear(t.Long[:])
	t.Base = max(0, history-maxOffset)
	data = data[t.Base:]
	n := max(0, min(history-t.Base, len(data)-maxCopy+1))
	whole := n &^ 15
	if whole > 0 {
		Active.Dense.enter(unsafe.SliceData(data), 0, whole, t)
	}
	if whole < n {
		denseEnterPortable(unsafe.SliceData(data), whole, n-whole, t)
	}
}

func denseEnterPortable(data *byte, i, n int, t *DenseTable) {
	for ; n > 0; n-- {
		x := at8(unsafe.Pointer(data), i)
		t.enterRecent(x, i)
		t.enterLong(x, i)
		i++
	}
}

// enterRecent enters position i, where x stands, in Recent, and returns the
// positions before it. It and enterLong are two to be inlined.
func (t *DenseTable) enterRecent(x uint64, i int) uint32 {
	slot := &t.Recent[recentSlot(x)%denseSlots]
	recent := *slot
	*slot = recent<<16 | uint32(uint16(i))
	return recent
}

// enterLong enters the position in Long and returns the one before it.
func (t *DenseTable) enterLong(x uint64, i int) uint16 {
	slot := &t.Long[longSlot(x)%denseSlots]
	long := *slot
	*slot = uint16(i)
	return long
}

// rebase makes Base greater by as much as leaves the window before position
// start, which counts from Base on.
func (t *DenseTable) rebase(start int) {
	by := start - (maxOffset + 1)
	t.Base += by
	if by > 0xFFFF { // after a block that was given up; nothing is near any more
		clear(t.Recent[:])
		clear(t.Long[:])
		return
	}
	// What falls out of the window becomes 0, which is out of it too.
	for i, r := range t.Recent {
		t.Recent[i] = uint32(max(0, int(r>>16)-by))<<16 | uint32(max(0, int(r&0xFFFF)-by))
	}
	for i, l := range t.Long {
		t.Long[i] = uint16(max(0, int(l)-by))
	}
}

// Encode encodes data[start:end] into dst, which has MaxDenseSlack bytes
// more than the largest block of so many, and returns the block's length.
// t holds what was encoded before in data. With giveUp it returns -1 where the
// block would not be shorter than its data, and where it hardly could be.
func (k *DenseKernels) Encode(dst, data []byte, start, end int, giveUp bool, t *DenseTable, s *DenseScratch) int {
	e := denseEmitter{dst: dst}
	for at := start; at < end; {
		n := min(end-at, sectionBytes)
		if at-t.Base+n > 1<<16 {
			t.rebase(at - t.Base)
		}
		last := at+n == end
		if !e.section(k, data[t.Base:], at-t.Base, n, giveUp && at == start, giveUp && at == start && last, t, s) {
			return -1
		}
		at += n
	}
	return e.finish(s)
}

// DenseKernels is an implementation of the phases.
type DenseKernels struct {
	// enter enters positions i to i+n-1, n a positive multiple of 16, in the
	// tables. The 16 bytes at each position must be readable.
	enter func(data *byte, i, n int, t *DenseTable)
	// search enters positions i to i+n-1, n a positive multiple of 16 and at
	// most maxStretch, and puts their keys and lens at index x; the key of
	// position i-1 stands before it. The 16 bytes at each position must be
	// readable. It returns how many positions have a copy.
	search func(data *byte, i, n, x int, t *DenseTable, s *DenseScratch) int
	// parse fills saved, for stretches of q bytes of which there are n in all,
	// and returns how many bits the section saves.
	parse func(s *DenseScratch, q, n int) int
	// walk lists the items of the n bytes at data, at least 16, as parsed.
	walk func(data *byte, s *DenseScratch, q, n int)
	// emit writes whole groups of the items listed, pending ones before them,
	// at dst, and returns the bytes written and the items left, which are
	// moved before the first list.
	emit func(dst *byte, s *DenseScratch, pending int) (o, left int)
}

// A denseEmitter encodes a block's sections, one behind the other.
type denseEmitter struct {
	dst     []byte
	o       int // bytes written
	pending int // items of the group in progress, which lie before the first list
}

// section encodes the n bytes at data[start:]. With bail it may find early that
// they are not worth it, with shrink that they would not get shorter; it
// returns false then.
func (e *denseEmitter) section(k *DenseKernels, data []byte, start, n int, bail, shrink bool, t *DenseTable, s *DenseScratch) bool {
	_ = data[start : start+n]
	q := stretchBytes(n)
	probed := max(0, min(n, len(data)-maxCopy+1-start)) // of n positions
	s.keys[lanePad-1] = 0
	for lane := range stretches {
		found := e.searchStretch(k, data, start, q, n, probed, lane, t, s)
		if bail && lane == 0 && found*bailShare < q {
			return false
		}
		s.keys[lanePad+(lane+1)*lanePitch-1] = s.keys[lanePad+lane*lanePitch+q-1]
	}
	saved := k.parse(s, q, n)
	if shrink && saved <= n*(literalBits-8) {
		return false
	}
	at := unsafe.SliceData(data[start:])
	if n >= maxCopy {
		k.walk(at, s, q, n)
	} else {
		walkPortable(at, s, q, n)
	}
	emit := k.emit
	if e.o+(literalBits*n-saved)/8+emitSlack > len(e.dst) {
		emit = emitPortable
	}
	o, left := emit(unsafe.SliceData(e.dst[e.o:]), s, e.pending)
	e.o += o
	e.pending = left
	return true
}

const (
	// bailShare is the share of the first stretch's positions, one in so many,
	// that must have a copy for the rest to be tried.
	bailShare = 32
	// emitSlack is what a group in progress takes and what a kernel may write
	// behind the last one, at most, in bytes.
	emitSlack = 64
)

// stretchBytes returns the length of each stretch but the last ones of a
// section of n bytes.
func stretchBytes(n int) int { return (n + 63) / 64 * 16 }

// stretchLen returns the length of the stretch.
func stretchLen(lane, q, n int) int { return max(0, min(q, n-lane*q)) }

// searchStretch finds the keys of the stretch and returns how many positions
// have a copy.
func (e *denseEmitter) searchStretch(k *DenseKernels, data []byte, start, q, n, probed, lane int, t *DenseTable, s *DenseScratch) int {
	i, x := start+lane*q, lanePad+lane*lanePitch
	length := stretchLen(lane, q, n)
	search := stretchLen(lane, q, probed)
	found := 0
	whole := search &^ 15
	if whole > 0 {
		found = k.search(unsafe.SliceData(data), i, whole, x, t, s)
	}
	if whole < search {
		found += searchPortable(unsafe.SliceData(data), i+whole, search-whole, x+whole, t, s)
	}
	for j := x + search; j < x+length; j++ {
		s.keys[j], s.lens[j] = 0, noCopy
	}
	return found
}

func searchPortable(data *byte, i, n, x int, t *DenseTable, s *DenseScratch) int {
	found := 0
	for n > 0 {
		block := min(n, searchRing)
		s.enter(data, i, block, t)
		found += s.choose(data, i, block, x)
		i += block
		n -= block
		x += block
	}
	return found
}

// enter enters the n positions from i on, searchRing at most, and keeps their
// candidates.
func (s *DenseScratch) enter(data *byte, i, n int, t *DenseTable) {
	for j := range n {
		word := at8(unsafe.Pointer(data), i)
		s.recent[j%searchRing] = t.enterRecent(word, i)
		s.long[j%searchRing] = t.enterLong(word, i)
		i++
	}
}

// choose finds the keys and lens of these positions.
func (s *DenseScratch) choose(data *byte, i, n, x int) int {
	src := unsafe.Pointer(data)
	key := uint32(s.keys[x-1])
	keys := s.keys[x : x+n]
	lens := s.lens[x : x+n]
	lens = lens[:len(keys)]
	none := uint32(0)
	for j := range keys {
		word := at8(src, i)
		recent, long := s.recent[j%searchRing], uint32(s.long[j%searchRing])
		latest, older := recent&0xFFFF, recent>>16
		d1 := word ^ at8(src, int(latest))
		d2 := word ^ at8(src, int(older))
		d3 := word ^ at8(src, int(long))
		own := max(ownKey(i, d1, 0, latest), ownKey(i, d2, 0, older), ownKey(i, d3, 0, long))
		if own >= 8*keyLength { // there may be more
			next := at8(src, i+8)
			if d1 == 0 {
				own = max(own, ownKey(i, next^at8(src, int(latest)+8), 8, latest))
			}
			if d2 == 0 {
				own = max(own, ownKey(i, next^at8(src, int(older)+8), 8, older))
			}
			if d3 == 0 && long != latest {
				own = max(own, ownKey(i, next^at8(src, int(long)+8), 8, long))
			}
		}
		key = max(key, own, keyLength) - keyLength
		keys[j] = uint16(key)
		length := key / keyLength
		isNone := (length - minKey/keyLength) >> 31
		none += isNone
		lens[j] = uint8(length | isNone*noCopy)
		i++
	}
	return n - int(none)
}

// ownKey returns the key, but with the length itself in place of that less one,
// of the agreement of position i with pos, of which length bytes are known and
// the next 8 differ by d, or 0 where the offset is not legal.
func ownKey(i int, d uint64, length int, pos uint32) uint32 {
	number := pos - uint32(i) + maxOffset
	key := uint32(8*length+bits.TrailingZeros64(d))&^7*(keyLength/8) + number
	if number >= maxOffset {
		key = 0
	}
	return key
}

// saves is the bits that a copy saves, by what lens holds, and less than nothing
// where there is no copy.
var saves = func() (bits [32]int32) {
	for i := range bits {
		bits[i] = -1 << 16
		if i < noCopy {
			bits[i] = int32(literalBits*(i+1) - copyBits)
		}
	}
	return bits
}()

func parsePortable(s *DenseScratch, q, n int) int {
	total := 0
	for lane := range stretches {
		length := stretchLen(lane, q, n)
		x := lanePad + lane*lanePitch
		keys, lens := s.keys[x:][:length], s.lens[x:][:length]
		for i := max(0, length-maxCopy+1); i < length; i++ {
			keys[i] = min(keys[i]/keyLength, uint16(length-1-i))*keyLength + keys[i]%keyLength
			lens[i] = uint8(keys[i] / keyLength)
			if keys[i] < minKey {
				lens[i] |= noCopy
			}
		}
		saved := (*[lanePitch]uint16)(s.saved[lane*lanePitch:])
		saved[length] = 0
		best := int32(0)
		for i := length - 1; i >= 0; i-- {
			l := int(lens[i]) % len(saves)
			best = max(best, int32(saved[i+l+1])+saves[l])
			saved[i] = uint16(best)
		}
		total += int(best)
	}
	return total
}

func walkPortable(data *byte, s *DenseScratch, q, n int) {
	for lane := range stretches {
		length := stretchLen(lane, q, n)
		x := lanePad + lane*lanePitch
		keys, lens := s.keys[x:][:length], s.lens[x:][:length]
		saved := s.saved[lane*lanePitch:][:length+1]
		words, lengths := s.words[x:][:maxStretch+1], s.lengths[x:][:maxStretch+1]
		items := 0
		for i := 0; i < length; items++ {
			if saved[i] == saved[i+1] {
				words[items], lengths[items] = uint16(*(*byte)(unsafe.Add(unsafe.Pointer(data), lane*q+i))), 1
				i++
			} else {
				words[items], lengths[items] = copyWord(keys[i]), lens[i]+1
				i += int(lens[i]) + 1
			}
		}
		lengths[items] = 0
	}
}

// copyWord returns the two bytes of the copy with the key, the first in the low
// half.
func copyWord(key uint16) uint16 {
	return ^key<<8 | ^key>>4&0xF0 | key>>12
}

func emitPortable(dst *byte, s *DenseScratch, pending int) (o, left int) {
	out := unsafe.Pointer(dst)
	for lane := range stretches {
		x := lanePad + lane*lanePitch - pending
		for {
			group := (*[groupItems]uint8)(s.lengths[x:])
			items := groupItems
			for i, l := range group {
				if l == 0 {
					items = i
					break
				}
			}
			if items < groupItems {
				pending = items
				break
			}
			o += putGroup(out, o, (*[groupItems]uint16)(s.words[x:])[:], group[:])
			x += groupItems
		}
		next := lanePad // of the next section
		if lane < stretches-1 {
			next += (lane + 1) * lanePitch
		}
		copy(s.words[next-pending:next], s.words[x:])
		copy(s.lengths[next-pending:next], s.lengths[x:])
	}
	return o, pending
}

// putGroup writes a group to out+o and returns its length. It writes one byte
// behind it where the last item is a literal.
func putGroup(out unsafe.Pointer, o int, words []uint16, lengths []uint8) int {
	control := uint32(0)
	n := controlBytes
	lengths = lengths[:len(words)]
	for i, word := range words {
		put1(out, o+n, byte(word))
		put1(out, o+n+1, byte(word>>8)) // the next item overwrites a literal's
		isCopy := (1 - uint32(lengths[i])) >> 31
		control |= isCopy << (i % groupItems)
		n += 1 + int(isCopy)
	}
	putControl(out, o, control)
	return n
}

// finish writes the last group and returns the block's length.
func (e *denseEmitter) finish(s *DenseScratch) int {
	if e.pending > 0 {
		x := lanePad - e.pending
		e.o += putGroup(unsafe.Pointer(unsafe.SliceData(e.dst)), e.o, s.words[x:lanePad], s.lengths[x:lanePad])
	}
	return e.o
}

var densePortable = DenseKernels{denseEnterPortable, searchPortable, parsePortable, walkPortable, emitPortable}
