package qemuram

import (
	"fmt"
	"sync/atomic"
	"time"

	"github.com/lzpage/lzpage/delta"
	"github.com/lzpage/lzpage/lzrw1"
	"github.com/lzpage/lzpage/pagestream"
)

// Options says how a [Session] works.
type Options struct {
	// PageSize in bytes: that of the guest, as QEMU migrates it.
	PageSize int
	// Level of LZRW1, Fast or Dense.
	Level lzrw1.Level
	// CacheBytes limits the memory of the cache, which is allocated at once; 0
	// is no cache, and so no deltas. Where there is one, another 1/1000 of the
	// guest's memory says what was sent. Pages enter when they are sent for the
	// second time. Where the link is what channels wait for, and their time costs
	// nothing, pages enter at the first time, and the cache compresses them
	// rather than let others go.
	CacheBytes int64
}

// A Session is the source of one migration. It is safe for concurrent use.
type Session struct {
	options  Options
	channels atomic.Int32
	cache    *delta.Cache // nil for no deltas
	sent     sentPages
	round    atomic.Uint32
	pass     atomic.Uint32 // the round in which the cache's own round began
	zeros    []byte        // a page
	meter    meter
	load     func(time.Time) float64 // of the meter
	shared   sharedStats
}

// NewSession returns a session in its first round.
func NewSession(options Options) (*Session, error) {
	if _, err := newPacket(options.PageSize); err != nil {
		return nil, err
	}
	if options.Level != lzrw1.Fast && options.Level != lzrw1.Dense {
		return nil, fmt.Errorf("%w: level %d", ErrArgument, options.Level)
	}
	s := &Session{options: options, zeros: make([]byte, options.PageSize), meter: newMeter(time.Now())}
	s.load = s.meter.load
	s.round.Store(1)
	s.pass.Store(1)
	if options.CacheBytes != 0 {
		var err error
		if s.cache, err = delta.NewCache(delta.CacheOptions{Bytes: options.CacheBytes, PageSize: options.PageSize}); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrArgument, err)
		}
	}
	return s, nil
}

// idleLoad is how many CPUs' time channels take at most while they are idle, so
// that work on the mere chance that it is of use takes little from the guest.
const idleLoad = 1. / 8

// linkWaits reports whether the channels are idle, and whether they wait for the
// link more than they work.
func (s *Session) linkWaits(now time.Time) (idle, waits bool) {
	load := s.load(now)
	return load < idleLoad, load < float64(s.channels.Load())/2
}

// NextRound begins a round. The caller sees to it that the destination has
// taken all packets of the round that ends before it takes one of the next,
// as it does behind a sync of all channels, and that no channel encodes
// meanwhile.
func (s *Session) NextRound() {
	s.round.Add(1)
	s.shared.add(&noTotals, &noTotals, Stats{Rounds: 1})
}

var noTotals pagestream.Totals

// Zero tells that pages at these offsets in the RAM block that begins at the
// address block go by other means than a channel's frames, as zero pages do.
func (s *Session) Zero(block uint64, offsets []uint64) error {
	size := uint64(s.options.PageSize)
	for _, offset := range offsets {
		if at := block + offset; at%size != 0 || at < block {
			return fmt.Errorf("%w: a page at %#x of the block at %#x", ErrArgument, offset, block)
		}
	}
	if s.cache != nil {
		round := s.round.Load()
		for _, offset := range offsets {
			number := (block + offset) / size
			s.mark(number, round)
			s.forget(number)
		}
	}
	s.shared.add(&noTotals, &noTotals, Stats{ZeroTold: uint64(len(offsets))})
	return nil
}

// mark notes that the page is sent in the round. It reports whether it was in an
// earlier one, and not yet in this, and whether it never was.
//
// The cache ages by passes over the dirty memory. A pass may take many rounds:
// QEMU synchronizes channels up to twenty times a second for machines of older
// versions. So a pass begins where a page comes again that has come since the
// last one began.
func (s *Session) mark(number uint64, round uint32) (earlier, first bool) {
	last := s.sent.mark(number, round)
	if last == 0 || last == round {
		return false, last == 0
	}
	if pass := s.pass.Load(); last >= pass && s.pass.CompareAndSwap(pass, round) {
		s.cache.EndRound()
	}
	return true, false
}

// forget has the cache forget the page.
func (s *Session) forget(number uint64) {
	s.cache.Put(delta.Key{Page: number}, s.zeros) // which is not kept
}

// Stats returns what has happened so far.
func (s *Session) Stats() Stats { return s.shared.get() }
