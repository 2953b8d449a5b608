package asm

// A Lane is where a greedy encoder works on a run of blocks: the run's bytes,
// a stretch at a time, the table, and the groups that the kernel writes. All
// that a kernel reads and writes lies within its lane, so it never touches the
// caller's memory, and one base register reaches all lanes.
//
// The kernels encode whole groups of 16 items, and the last group of a block
// may run into the zeros behind it; Finish cuts it.
type Lane struct {
	pos      uint64 // next byte to encode, in data; below 1<<16
	at       uint64 // where the next group goes, in out
	limit    uint64 // no group begins behind it
	groupPos uint64 // pos and at where the last group began
	groupAt  uint64
	lengths  [groupItems]byte // scratch of the kernels

	end   uint64 // of the bytes in data; padBytes of zeros follow
	whole uint64 // limit, but for StopAt

	table [tableSlots]uint16
	data  [dataBytes + padBytes]byte
	out   [outBytes]byte
}

// LaneCount is how many lanes a lockstep kernel advances together.
const LaneCount = 6

// MaxLoad is the most that a lane takes at a time, in bytes.
const MaxLoad = 8192

const (
	groupItems   = 16
	maxGroup     = groupItems * maxCopy // bytes that a group stands for, at most
	maxCopy      = 16
	minCopy      = 3
	maxOffset    = 4095
	controlBytes = 2
	copyBytes    = 2

	// A slot of the table holds the position where three bytes with its hash
	// last stood. An empty one holds 0, which is out of reach of a run: the
	// run begins at firstPos.
	tableBits  = 12
	tableSlots = 1 << tableBits
	firstPos   = maxOffset + 1

	// dataBytes is what a slot can name, less what a block's last group may
	// run over its end.
	dataBytes = 1<<16 - maxGroup
	padBytes  = maxGroup + maxCopy

	// outBytes has room for MaxLoad bytes, what an earlier load has left, and
	// what the last group runs over the end, all as literals, and for what
	// kernels write behind an item.
	outBytes = (MaxLoad+2*maxGroup)/groupItems*(controlBytes+groupItems) + 64
)

// A Scheme is what greedy encoders differ in.
type Scheme struct {
	// Hash returns the slot of the three low bytes of x.
	Hash func(x uint32) uint32
	// Tail is how many bytes at the end of a block are literals unless a copy
	// that begins before reaches over them.
	Tail int

	// enter enters every second of n positions of a lane, from firstPos on, in
	// its table. All of them would shrink deltas by less than 1 %, and take a
	// tenth more of their time. Three bytes of data count at each; one more
	// can be read.
	enter func(l *Lane, n int)
}

// Reset begins a run whose blocks may reach back into history, of which the
// last 4095 bytes count.
func (l *Lane) Reset(s *Scheme, history []byte) {
	clear(l.table[:])
	l.pos, l.end = firstPos, firstPos
	l.limit, l.whole = 0, 0
	l.at = 0
	if len(history) == 0 {
		return
	}
	history = history[max(0, len(history)-maxOffset):]
	copy(l.data[firstPos:], history)
	s.enter(l, max(0, len(history)-minCopy+1))
	l.end += uint64(len(history))
	l.pos = l.end
}

// Load appends b, at most MaxLoad bytes of a block, to what is to be encoded.
// Of a block that goes on behind b, the kernel leaves up to 255 bytes.
func (l *Lane) Load(s *Scheme, b []byte, last bool) {
	if l.end+uint64(len(b)) > dataBytes {
		l.rebase()
	}
	l.end += uint64(copy(l.data[l.end:dataBytes], b))
	clear(l.data[l.end:][:padBytes])
	l.groupPos, l.groupAt = l.pos, l.at
	l.whole = l.end - maxGroup
	if last {
		l.whole = l.end - 1 - uint64(s.Tail)
	}
	l.limit = l.whole
}

// rebase moves what is still in reach to the front of data.
func (l *Lane) rebase() {
	by := l.pos - firstPos
	copy(l.data[:], l.data[by:l.end])
	l.pos -= by
	l.end -= by
	subtract(&l.table, uint16(by))
}

// subtract subtracts by from each slot, down to 0.
func subtract(table *[tableSlots]uint16, by uint16) {
	for i := range table {
		table[i] -= min(table[i], by)
	}
}

// StopAt makes the kernel stop where n bytes or more of what is left are done.
func (l *Lane) StopAt(n int) { l.limit = min(l.limit, l.pos+uint64(n)-1) }

// Resume takes StopAt back.
func (l *Lane) Resume() { l.limit = l.whole }

// Stopped reports whether the kernel has nothing to do before more is loaded
// or Resume is called.
func (l *Lane) Stopped() bool { return l.pos > l.limit }

// Skip leaves out what is loaded and not encoded.
func (l *Lane) Skip() { l.pos, l.limit = l.end, 0 }

// Out returns the groups written since Reset or DropOut.
func (l *Lane) Out() []byte { return l.out[:l.at] }

// DropOut forgets the groups written.
func (l *Lane) DropOut() { l.at = 0 }

// Finish ends the block, which is not empty. Out then returns the rest of it.
// Finish reports whether the last group is full.
func (l *Lane) Finish(s *Scheme) (full bool) {
	i, end := int(l.groupPos), int(l.end)
	at, o := int(l.groupAt), int(l.groupAt)+controlBytes
	items, control := 0, uint16(0)
	if l.pos > l.groupPos { // else the kernel had nothing to do
		control = le.Uint16(l.out[at:])
		i, o, items = l.cutGroup(s, control)
		control &= 1<<items - 1
	}
	for ; i < end; i++ {
		if items == groupItems {
			le.PutUint16(l.out[at:], control)
			at, o, items, control = o, o+controlBytes, 0, 0
		}
		l.out[o] = l.data[i]
		o++
		items++
	}
	le.PutUint16(l.out[at:], control)
	l.at = uint64(o)
	l.pos, l.limit = l.end, 0
	return items == groupItems
}

// cutGroup walks the last group up to the tail of the block, shortens the copy
// that reaches over the end, and returns where the walk ended in data and in
// out, and after how many items.
//
// What kernels have entered for the items behind is taken out again: there the
// next block will have other bytes.
func (l *Lane) cutGroup(s *Scheme, control uint16) (i, o, items int) {
	i, o = int(l.groupPos), int(l.groupAt)+controlBytes
	end := int(l.end)
	length := func(item, o int) int {
		if control>>item&1 == 0 {
			return 1
		}
		return int(l.out[o]&0x0F) + 1
	}
	for ; items < groupItems && i < end-s.Tail; items++ {
		i += length(items, o)
		o += 1 + int(control>>items&1)
	}
	for item, p, q := items, i, o; item < groupItems; item++ {
		l.table[s.Hash(le.Uint32(l.data[p:]))] = 0
		p += length(item, q)
		q += 1 + int(control>>item&1)
	}
	if i > end { // the last copy; what is left of it is minCopy or more
		l.out[o-copyBytes] -= byte(i - end)
		i = end
	}
	return i, o, items
}

// Park gives an idle lane of a lockstep kernel work that nobody wants, for as
// long as a page takes.
func (l *Lane) Park() {
	l.pos, l.at = firstPos, 0
	l.limit = firstPos + 4096
}
