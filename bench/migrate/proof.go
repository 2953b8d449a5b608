package main

import (
	"context"
	"fmt"
	"time"

	"github.com/lzpage/lzpage/bench/guest"
)

const (
	// settling is how long the guest works before its speed is taken: a new
	// QEMU has to translate the guest's code again.
	settling = 2 * time.Second
	// atRest is how long its speed is taken for before a migration, and how
	// long it must go on after one.
	atRest    = 3 * time.Second
	afterward = time.Second
	// checkLimit is how long the guest may take to check all its data.
	checkLimit = 2 * time.Minute
)

// prove shows that the guest has come through: it ticks on for a while, and
// then finds all its data right. The ticks before are for the caller to look
// at.
func (q *qemu) prove(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, checkLimit)
	defer cancel()
	// The first of these ticks may be old ones that nobody has asked for.
	for end := time.Now().Add(afterward); time.Now().Before(end); {
		if _, err := q.Console.Wait(ctx, "tick "); err != nil {
			return err
		}
	}
	if err := q.Console.Send("check"); err != nil {
		return err
	}
	line, err := q.Console.Wait(ctx, "checked ")
	if err != nil {
		return err
	}
	return parseChecked(line)
}

// parseChecked reads the guest's answer to a check, "checked N bad BAD TEXT".
func parseChecked(line string) error {
	var n, bad int
	if _, err := fmt.Sscanf(line, "checked %d bad %d", &n, &bad); err != nil {
		return fmt.Errorf("guest printed %q: not an answer to a check: %w", line, err)
	}
	switch {
	case bad != 0:
		return fmt.Errorf("guest printed %q: its memory is damaged", line)
	case n == 0:
		return fmt.Errorf("guest printed %q: it has checked nothing", line)
	}
	return nil
}

// history returns the ticks of a guest that has been migrated to destination,
// or has not been if that is nil. What came out of the source first may be the
// rest of a line; that is none that begins like a tick.
func history(source, destination *qemu) (timeline, error) {
	if destination == nil {
		return ticks(source.Console.Lines())
	}
	return ticks(guest.Joined(source.Console, destination.Console))
}
