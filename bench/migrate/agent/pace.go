package main

import "time"

// pace spreads work over time at a given rate.
type pace struct {
	rate float64 // a second; 0 is as fast as it goes
	owed float64 // work due now
	paid time.Time
}

// due returns how much work to do now, at most so much. If there is none it
// waits a little first.
func (p *pace) due(most int) int {
	if p.rate == 0 {
		return most
	}
	now := time.Now()
	if p.paid.IsZero() {
		p.paid = now
	}
	p.owed += p.rate * now.Sub(p.paid).Seconds()
	p.paid = now
	// What could not be done within a tenth of a second is not made up for.
	p.owed = min(p.owed, p.rate/10)
	if p.owed < 1 {
		time.Sleep(2 * time.Millisecond)
	}
	n := min(most, int(p.owed))
	p.owed -= float64(n)
	return n
}
