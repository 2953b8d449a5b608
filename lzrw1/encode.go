package lzrw1

import (
	"slices"
	"sync"
)

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

// An Encoder encodes at one level. It is reused without allocating, and is
// not safe for concurrent use.
type Encoder struct {
	level  Level
	last   *lastTable
	recent *recentTable
}

// A lastTable holds, by a hash of three bytes, the position where they last
// stood, as its low 16 bits. Any content is a legal one: an offset is the
// distance modulo 65,536, and the bytes found there are compared before they
// are used. So zeroing it is all that starting afresh takes.
type lastTable [1 << lastBits]uint16

const lastBits = 12

// NewEncoder returns an encoder of the level, which must be one of this
// package's. It holds 8 KiB of tables, 32 KiB at level Dense.
func NewEncoder(level Level) *Encoder {
	e := &Encoder{level: level}
	switch level {
	case Fast, Reference:
		e.last = new(lastTable)
	case Dense:
		e.recent = new(recentTable)
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
func (e *Encoder) EncodeRuns(runs []Run) {
	for i := range runs {
		r := &runs[i]
		e.reset(r.Data, r.History)
		start := r.History
		for _, end := range r.Cuts {
			r.Blocks = e.appendBlockOrPlain(r.Blocks, r.Data, start, end)
			r.Ends = append(r.Ends, len(r.Blocks))
			start = end
		}
	}
}

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
	e.reset(data, history)
	size := len(data) - history
	n := len(dst)
	dst = slices.Grow(dst, MaxEncodedLen(size)+controlBytes)
	n += e.block(dst[n:cap(dst)], data, history, len(data), false)
	return dst[:n]
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

// reset forgets what was encoded before and enters the history's positions.
func (e *Encoder) reset(data []byte, history int) {
	_ = data[history:]
	from := max(0, history-MaxOffset)
	to := min(history, len(data)-MaxCopy+1)
	switch e.level {
	case Fast:
		clear(e.last[:])
		for i := from; i < to; i++ {
			e.last[hash(load64(data, i))] = uint16(i)
		}
	case Dense:
		clear(e.recent[:])
		for i := from; i < to; i++ {
			e.recent.enter(load64(data, i), i)
		}
	case Reference:
		clear(e.last[:])
		for i := from; i < to; i++ {
			e.last[hash1991(load64(data, i))] = uint16(i)
		}
	}
}

// block encodes data[start:end] into dst, which has two bytes more than
// MaxEncodedLen of it, and returns the block's length. What was encoded before
// in data is in the tables. With giveUp it may return -1: not worth it.
func (e *Encoder) block(dst, data []byte, start, end int, giveUp bool) int {
	_ = data[start:end] // the kernels rely on it
	switch e.level {
	case Fast:
		return encodeFast(dst, data, start, end, giveUp, e.last)
	case Dense:
		return encodeDense(dst, data, start, end, giveUp, e.recent)
	default:
		return encodeReference(dst, data, start, end, giveUp, e.last)
	}
}

// appendBlockOrPlain appends the block of data[start:end] to dst, or the data
// itself where that is not longer.
func (e *Encoder) appendBlockOrPlain(dst, data []byte, start, end int) []byte {
	at := len(dst)
	dst = slices.Grow(dst, MaxEncodedLen(end-start)+controlBytes)
	n := e.block(dst[at:cap(dst)], data, start, end, true)
	if n < 0 || n >= end-start {
		return append(dst, data[start:end]...)
	}
	return dst[:at+n]
}
