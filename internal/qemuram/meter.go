package qemuram

import (
	"sync/atomic"
	"time"
)

// A meter knows how busy the channels of a session are.
type meter struct {
	start time.Time    // of the session
	busy  atomic.Int64 // nanoseconds that packets took, of all channels
}

// idleShare is the part of one CPU's time, one in so many, below which channels
// that encode are idle: what holds the migration up is then the link.
const idleShare = 8

// idle reports whether the channels have been so since the session began.
func (m *meter) idle() bool {
	return time.Duration(m.busy.Load()) < time.Since(m.start)/idleShare
}

// add adds the time since a packet's begin.
func (m *meter) add(begin time.Time) { m.busy.Add(int64(time.Since(begin))) }
