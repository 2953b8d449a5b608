package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/lzpage/lzpage/bench/guest"
)

// tickPeriod is how often the guest ticks.
const tickPeriod = 20 * time.Millisecond

// stallLeast is how long nothing may come from the guest, beyond a period,
// before that counts as a stall.
const stallLeast = 50 * time.Millisecond

// A timeline is the ticks of a guest with their times of arrival.
type timeline []timedTick

type timedTick struct {
	guest.Tick
	at time.Time
}

// ticks picks the ticks out of a guest's lines. It is an error if one is
// missing, or if the guest found any of its data bad: then the guest is not
// what it was.
func ticks(lines []guest.Line) (timeline, error) {
	var all timeline
	for i, line := range lines {
		if strings.Contains(line.Text, "Kernel panic") {
			return nil, fmt.Errorf("guest printed %q", line.Text)
		}
		if !strings.HasPrefix(line.Text, "tick ") {
			continue
		}
		tick, err := guest.ParseTick(line.Text)
		if err != nil {
			return nil, err
		}
		if n := len(all); n > 0 && tick.Number != all[n-1].Number+1 {
			return nil, fmt.Errorf("guest printed %q after tick %d, and right before it %q", line.Text, all[n-1].Number, lines[i-1].Text)
		}
		all = append(all, timedTick{tick, line.Time})
	}
	return all, nil
}

// A gap is a time without ticks.
type gap struct{ from, to time.Time }

// length is how much longer than a period the gap is.
func (g gap) length() time.Duration {
	return max(0, g.to.Sub(g.from)-tickPeriod)
}

// gaps returns the times between ticks that touch the span from a moment to
// another.
func (l timeline) gaps(from, to time.Time) []gap {
	var all []gap
	for i := 1; i < len(l); i++ {
		if g := (gap{l[i-1].at, l[i].at}); !g.to.Before(from) && !g.from.After(to) {
			all = append(all, g)
		}
	}
	return all
}

// longest returns the length of the longest gap.
func longest(gaps []gap) (length time.Duration) {
	for _, g := range gaps {
		length = max(length, g.length())
	}
	return length
}

// stalls returns the sum of the lengths of those gaps that are stalls.
func stalls(gaps []gap) (sum time.Duration) {
	for _, g := range gaps {
		if g.length() > stallLeast {
			sum += g.length()
		}
	}
	return sum
}

// speed returns the work that the guest did each second between two moments,
// by the ticks closest to them. It is 0 if there are not two.
func (l timeline) speed(from, to time.Time) float64 {
	if len(l) == 0 {
		return 0
	}
	first, last := l.closest(from), l.closest(to)
	if !last.at.After(first.at) {
		return 0
	}
	return float64(last.Ops-first.Ops) / last.at.Sub(first.at).Seconds()
}

func (l timeline) closest(moment time.Time) timedTick {
	best := l[0]
	for _, tick := range l {
		if tick.at.Sub(moment).Abs() < best.at.Sub(moment).Abs() {
			best = tick
		}
	}
	return best
}
