package lzrw1

import (
	"slices"

	"github.com/lzpage/lzpage/lzrw1/asm"
)

// A denseEncoder encodes at level Dense.
type denseEncoder struct {
	table   asm.DenseTable
	scratch asm.DenseScratch
}

func (e *denseEncoder) encodeRuns(runs []Run, mayGrow bool) {
	for i := range runs {
		r := &runs[i]
		r.check(0, r.History)
		r.Blocks = slices.Grow(r.Blocks, MaxEncodedLen(len(r.Data)-r.History)+asm.MaxDenseSlack)
		e.table.Reset(r.Data, r.History)
		start := r.History
		for _, end := range r.Cuts {
			r.check(start, end)
			r.Blocks = e.appendBlock(r.Blocks, r.Data, start, end, mayGrow)
			r.Ends = append(r.Ends, len(r.Blocks))
			start = end
		}
	}
}

// appendBlock appends the block of data[start:end] to dst, or the data itself
// where that is not longer, unless the block may grow.
func (e *denseEncoder) appendBlock(dst, data []byte, start, end int, mayGrow bool) []byte {
	at := len(dst)
	dst = slices.Grow(dst, MaxEncodedLen(end-start)+asm.MaxDenseSlack)
	n := asm.Active.Dense.Encode(dst[at:cap(dst)], data, start, end, !mayGrow, &e.table, &e.scratch)
	if !mayGrow && (n < 0 || n >= end-start) {
		return append(dst, data[start:end]...)
	}
	return dst[:at+n]
}
