package pagestream

import "sync"

// A sequence runs a step for numbered items in the order of their numbers, on
// whichever goroutine completes the next one, so that none waits for another.
type sequence[T any] struct {
	step func(T)

	mu    sync.Mutex
	ready map[uint64]T
	next  uint64
	busy  bool // a goroutine is running steps
}

func newSequence[T any](step func(T)) *sequence[T] {
	return &sequence[T]{step: step, ready: make(map[uint64]T)}
}

// put hands over item number n, and runs the steps that can be run unless
// another goroutine is at it.
func (s *sequence[T]) put(n uint64, item T) {
	s.mu.Lock()
	s.ready[n] = item
	if s.busy {
		s.mu.Unlock()
		return
	}
	s.busy = true
	for {
		item, ok := s.ready[s.next]
		if !ok {
			break
		}
		delete(s.ready, s.next)
		s.next++
		s.mu.Unlock()
		s.step(item)
		s.mu.Lock()
	}
	s.busy = false
	s.mu.Unlock()
}
