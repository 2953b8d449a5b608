package qemuram

import (
	"sync"
	"time"
)

// A meter knows how busy the channels of a session have been of late: what part
// of a CPU's time, or how many CPUs', their packets have taken.
type meter struct {
	mu     sync.Mutex
	begin  time.Time // of the window now
	busy   time.Duration
	before time.Duration // busy in the window before
}

// meterWindow is what counts as late: the window before, as far as it is not
// longer ago than this, and the one now.
const meterWindow = time.Second

// add adds a packet.
func (m *meter) add(from, to time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.turn(to)
	m.busy += to.Sub(from)
}

// newMeter returns a meter that takes the time before for busy: until it has
// seen some, nothing is known to be idle.
func newMeter(now time.Time) meter { return meter{begin: now, before: meterWindow} }

// turn begins a new window if it is time.
func (m *meter) turn(now time.Time) {
	switch gone := now.Sub(m.begin); {
	case gone < meterWindow:
	case gone < 2*meterWindow:
		m.begin, m.busy, m.before = m.begin.Add(meterWindow), 0, m.busy
	default:
		m.begin, m.busy, m.before = now, 0, 0
	}
}

// load returns how many CPUs' time packets take.
func (m *meter) load(now time.Time) float64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.turn(now)
	left := meterWindow - now.Sub(m.begin)
	return float64(m.busy)/float64(meterWindow) + float64(m.before)/float64(meterWindow)*float64(left)/float64(meterWindow)
}
