package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

const (
	// pollInterval is how often QEMU is asked how far it is.
	pollInterval = 250 * time.Millisecond
	// postcopyAfter is when a post-copy migration leaves pre-copy at last.
	postcopyAfter = 3 * time.Second
	// patience is how long one may take beyond the limit, which does not hold
	// once the guest is at the destination or is stopped to go there.
	patience = 5 * time.Minute
)

// prepare gives both sides the method and has the destination listen. If it
// ends on failure, as QEMU's does unless told not to, nobody can ask it
// afterwards what it took.
func prepare(ctx context.Context, source, destination *qemu, m method, cacheBytes int64, address string, endsOnFailure bool) error {
	for _, q := range []*qemu{source, destination} {
		if err := q.set(ctx, m, cacheBytes); err != nil {
			return fmt.Errorf("method %s: %w", m.name, err)
		}
		q.events.forget()
	}
	return destination.QMP.Execute(ctx, "migrate-incoming", map[string]any{"uri": address, "exit-on-error": endsOnFailure}, nil)
}

// An outcome is how a migration went.
type outcome struct {
	*progress                                // at its end, as the source tells
	throttle                       int       // the most in percent that auto-converge slowed the guest's CPU by
	began, stopped, resumed, ended time.Time // stopped and resumed: the guest's CPU
	switched                       bool      // to post-copy
}

// migrate migrates the guest after prepare, and returns when it runs at the
// destination and all its memory is there; or when the migration has failed or
// taken longer than limit and is cancelled, and the guest goes on at the
// source: then the status is not "completed".
func migrate(ctx context.Context, source, destination *qemu, m method, address string, limit time.Duration) (*outcome, error) {
	o := &outcome{began: time.Now()}
	if err := source.QMP.Execute(ctx, "migrate", map[string]any{"uri": address}, nil); err != nil {
		return nil, err
	}
	cancelled := false
	for {
		changed := source.events.next()
		p, err := source.migration(ctx)
		if err != nil {
			return nil, err
		}
		if p.Status == "cancelled" && o.progress != nil {
			p.RAM = o.RAM // QEMU tells no more of it
		}
		o.progress, o.throttle = p, max(o.throttle, p.Throttle)
		if p.ended() {
			break
		}
		elapsed := time.Since(o.began)
		switch {
		case elapsed > limit+patience:
			return nil, fmt.Errorf("the migration is not over after %v: its status is %s", elapsed.Round(time.Second), p.Status)
		case elapsed > limit && p.Status == "active" && !cancelled:
			// The transfer so far is lost once it is cancelled.
			if err := source.QMP.Execute(ctx, "migrate_cancel", nil, nil); err != nil {
				return nil, err
			}
			cancelled = true
		case m.postcopy && !o.switched && p.Status == "active" && (source.events.round() > 1 || elapsed > postcopyAfter):
			o.switched = source.QMP.Execute(ctx, "migrate-start-postcopy", nil, nil) == nil
		}
		if err := source.pause(ctx, changed); err != nil {
			return nil, err
		}
	}
	if o.Status != "completed" {
		o.ended = time.Now()
		return o, nil
	}
	return o, o.arrive(ctx, source, destination)
}

// pause waits until something has changed or it is time to look again.
func (q *qemu) pause(ctx context.Context, changed <-chan struct{}) error {
	timer := time.NewTimer(pollInterval)
	defer timer.Stop()
	select {
	case <-changed:
	case <-timer.C:
	case <-q.Exited():
		return errors.New("QEMU ended during the migration")
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// arrive waits until the guest runs at the destination and, after post-copy,
// has all its memory there. The source may have completed a little before.
func (o *outcome) arrive(ctx context.Context, source, destination *qemu) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	stop, stopped := source.events.last("STOP")
	if !stopped {
		return errors.New("the migration has completed, and the source has not stopped the guest")
	}
	for {
		changed := destination.events.next()
		resume, runs := destination.events.last("RESUME")
		status, since := destination.events.status()
		switch {
		case status == "failed":
			return errors.New("the migration has completed at the source and failed at the destination")
		case runs && status == "completed":
			o.stopped, o.resumed, o.ended = moment(stop), moment(resume), since
			if o.resumed.After(o.ended) {
				o.ended = o.resumed
			}
			return nil
		}
		if err := destination.pause(ctx, changed); err != nil {
			return fmt.Errorf("the migration has completed at the source: at the destination, in state %q: %w", status, err)
		}
	}
}
