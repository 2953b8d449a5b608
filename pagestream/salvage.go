package pagestream

import "errors"

// A Salvage hears what a [Reader] that goes on behind damage has lost. Its
// functions, which may be nil, are called between the Sink's, in the order of
// the stream, by one goroutine at a time.
//
// A damaged stream may offer frames that the guest planted: see SPEC.md.
type Salvage struct {
	// Damage hears of a piece of the stream that was passed over: what is
	// wrong with it, an *Error, and where it lies, in bytes.
	Damage func(err error, offset, length int64)
	// Missing hears of pages that were lost.
	Missing func(region int, first, count uint64)
}

// damage tells of a piece of the stream that is passed over.
func (r *Reader) damage(err error, offset, length int64) {
	r.damaged = true
	r.cut = r.cut || errors.Is(err, ErrCut)
	if r.options.Salvage.Damage != nil {
		r.options.Salvage.Damage(err, offset, length)
	}
}

func (s *Salvage) missing(region int, first, count uint64) {
	if s.Missing != nil && count > 0 {
		s.Missing(region, first, count)
	}
}

// passOver deals with an error that reading met at offset. It reports whether
// reading goes on; where it does not, the error waits for its turn.
func (r *Reader) passOver(err error, offset int64) bool {
	r.flush()
	salvage := r.options.Salvage
	if salvage == nil || !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrCut) && !errors.Is(err, ErrUnsupported) {
		r.post(func() error { return err })
		return false
	}
	if r.scanner.offset == offset { // the frame was not even taken
		r.scanner.resync()
	}
	length := r.scanner.offset - offset
	if p := &r.passed; p.err != nil && p.offset+p.length == offset {
		p.length += length // or a guest that plants frames could make it a flood
		return true
	}
	r.tellPassed()
	r.passed = passedPiece{err, offset, length}
	return true
}

// A passedPiece is a piece of the stream that was passed over: without a frame
// taken in it, and with what was wrong at its start.
type passedPiece struct {
	err            error
	offset, length int64
}

// tellPassed tells of the last piece passed over, if that was not done yet.
func (r *Reader) tellPassed() {
	if p := r.passed; p.err != nil {
		r.passed = passedPiece{}
		r.post(func() error {
			r.damage(p.err, p.offset, p.length)
			return nil
		})
	}
}

// A gapFinder finds the pages that were lost between those that were not.
type gapFinder struct {
	salvage *Salvage
	next    []uint64 // page, by region
}

// handed notes that pages were handed out.
func (g *gapFinder) handed(region int, first, count uint64) {
	g.upTo(region, first)
	g.next[region] = first + count
}

// upTo notes that no page before the given one is to be handed out any more.
func (g *gapFinder) upTo(region int, page uint64) {
	for len(g.next) <= region {
		g.next = append(g.next, 0)
	}
	if g.next[region] < page {
		g.salvage.missing(region, g.next[region], page-g.next[region])
		g.next[region] = page
	}
}
