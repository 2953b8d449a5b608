package lzrw1

import "sync"

// A Run is a stretch of memory cut into blocks that share one window: the
// history of each block is Data before it, at most [MaxOffset] bytes. Cuts
// and Ends say where blocks end, in Data and in Blocks.
type Run struct {
	// Data is the memory, History bytes of history first.
	Data []byte
	// History is how many bytes of Data are known to both sides beforehand.
	History int
	// Cuts holds the end of each block in Data, in ascending order: block 0
	// starts at History, block k at Cuts[k-1].
	Cuts []int

	// Blocks holds the encoded blocks, one behind the other.
	Blocks []byte
	// Ends holds the end of each block in Blocks. A block as long as its data
	// is plain: it is its data.
	Ends []int
}

// check panics unless start to end is a part of Data.
func (r *Run) check(start, end int) { _ = r.Data[start:end:len(r.Data)] }

// An Encoder encodes at one level. It is reused without allocating, and is
// not safe for concurrent use.
type Encoder struct {
	level Level
	runs  runsEncoder
	one   [1]Run // for calls with a single block
	cut   [1]int
	end   [1]int
}

// A runsEncoder encodes runs. With mayGrow, blocks are not kept plain.
type runsEncoder interface {
	encodeRuns(runs []Run, mayGrow bool)
}

// NewEncoder returns an encoder of the level, which must be one of this
// package's. It holds some 90 KiB, and 540 KiB once it has been given several
// runs at a time; 62 KiB at level Dense.
func NewEncoder(level Level) *Encoder {
	e := &Encoder{level: level}
	switch level {
	case Fast, Reference:
		e.runs = newGreedyEncoder(level)
	case Dense:
		e.runs = new(denseEncoder)
	default:
		panic("lzrw1: NewEncoder of an unknown level")
	}
	return e
}

// Level returns the encoder's level.
func (e *Encoder) Level() Level { return e.level }

// EncodeRuns encodes each run's Data, appending to its Blocks and Ends. A
// block that does not shrink is kept plain. Runs are independent of each
// other; many of them a call is the fastest way to encode.
func (e *Encoder) EncodeRuns(runs []Run) { e.runs.encodeRuns(runs, false) }

// AppendEncode appends the block of src to dst and returns the result. It
// never falls back to plain bytes: src that does not shrink grows, to at most
// [MaxEncodedLen].
func (e *Encoder) AppendEncode(dst, src []byte) []byte {
	return e.AppendEncodeHistory(dst, src, 0)
}

// AppendEncodeHistory is AppendEncode of data[history:]; its copies may reach
// back into the last [MaxOffset] bytes of data[:history], which the decoder
// must be given as well.
func (e *Encoder) AppendEncodeHistory(dst, data []byte, history int) []byte {
	return e.appendBlock(dst, data, history, true)
}

// appendBlock appends the block of data[history:], or if it may not grow and
// does not shrink, the data itself.
func (e *Encoder) appendBlock(dst, data []byte, history int, mayGrow bool) []byte {
	e.cut[0] = len(data)
	e.one[0] = Run{Data: data, History: history, Cuts: e.cut[:], Blocks: dst, Ends: e.end[:0]}
	e.runs.encodeRuns(e.one[:], mayGrow)
	dst = e.one[0].Blocks
	e.one[0] = Run{}
	return dst
}

// AppendEncode appends the block of src at the level to dst and returns the
// result, as [Encoder.AppendEncode] does, with an encoder from a pool.
func AppendEncode(dst, src []byte, level Level) []byte {
	e := encoders[level].Get().(*Encoder)
	dst = e.AppendEncode(dst, src)
	encoders[level].Put(e)
	return dst
}

var encoders = [...]sync.Pool{
	Fast:      {New: func() any { return NewEncoder(Fast) }},
	Dense:     {New: func() any { return NewEncoder(Dense) }},
	Reference: {New: func() any { return NewEncoder(Reference) }},
}
