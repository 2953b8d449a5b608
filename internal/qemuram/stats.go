package qemuram

import (
	"sync"

	"github.com/lzpage/lzpage/pagestream"
)

// Stats is what all channels of a session or receiver have done. What concerns
// the cache is the session's alone.
type Stats struct {
	Packets    uint64
	Pages      [pagestream.Kinds]uint64
	Unchanged  uint64 // deltas of pages that had not changed at all
	FrameBytes uint64 // of all frames
	DeltaBytes uint64 // of it, what deltas take
	ZeroTold   uint64 // pages told to Session.Zero
	Hits       uint64 // pages sent in an earlier round and found in the cache
	Misses     uint64 // and not found
	Rounds     uint64 // begun by Session.NextRound
}

// sharedStats is what several channels add to.
type sharedStats struct {
	mu    sync.Mutex
	stats Stats
}

func (s *sharedStats) get() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stats
}

// add adds what a channel's totals have grown by, and what more says of the
// cache.
func (s *sharedStats) add(before, after *pagestream.Totals, more Stats) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := &s.stats
	t.Packets += after.Frames - before.Frames
	for kind := range t.Pages {
		t.Pages[kind] += after.Pages[kind] - before.Pages[kind]
	}
	t.FrameBytes += after.Stored - before.Stored
	t.DeltaBytes += after.PageBytes[pagestream.Delta] - before.PageBytes[pagestream.Delta]
	t.Unchanged += more.Unchanged
	t.Hits += more.Hits
	t.Misses += more.Misses
	t.ZeroTold += more.ZeroTold
	t.Rounds += more.Rounds
}
