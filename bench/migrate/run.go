package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
)

// A run is what was measured of one migration. Times are in seconds.
type run struct {
	Workload string `json:"workload"`
	Link     string `json:"link"`
	Method   string `json:"method"`
	Round    int    `json:"round"`
	Order    int    `json:"order"` // of the method in its round

	// Completed is false if the migration was cancelled at the limit. Then the
	// figures are those up to there, and there is no downtime.
	Completed bool    `json:"completed"`
	Switched  bool    `json:"switched,omitempty"` // to post-copy
	Total     float64 `json:"total_s"`            // from the command until guest and memory are there
	QEMUTotal float64 `json:"qemu_total_s"`       // as QEMU tells, as are the next two
	Setup     float64 `json:"setup_s"`
	Downtime  float64 `json:"downtime_s"`
	Stopped   float64 `json:"stopped_s"` // from the STOP of the source to the RESUME of the destination
	Felt      float64 `json:"felt_s"`    // the longest the guest was not heard of around that

	LongestStall     float64 `json:"longest_stall_s"` // from the command until a second after the end
	Stalls           float64 `json:"stalls_s"`        // sum of those over 50 ms
	RestLongestStall float64 `json:"rest_longest_stall_s"`
	RestSpeed        float64 `json:"rest_speed"` // of the guest, its units of work a second
	Speed            float64 `json:"speed"`      // from the command until the end
	Throttle         int     `json:"throttle_percent,omitempty"`

	Sent        int64 `json:"sent_bytes"`        // on the link, from source to destination
	Returned    int64 `json:"returned_bytes"`    // on the link, from destination to source
	Transferred int64 `json:"transferred_bytes"` // as QEMU tells
	Rounds      int   `json:"rounds"`
	Pages       int64 `json:"pages"`      // sent with content
	ZeroPages   int64 `json:"zero_pages"` // sent as zeros
	Requests    int64 `json:"postcopy_requests,omitempty"`

	// CPU seconds of QEMU from the command until the end, without the threads
	// that run the guest.
	SourceCPU      float64 `json:"source_cpu_s"`
	DestinationCPU float64 `json:"destination_cpu_s"`
	// GuestCPU is what the threads that run the guest took on both sides.
	GuestCPU float64 `json:"guest_cpu_s"`
	// Peak is how many bytes of memory the source had in use at most beyond
	// what it had before; what the guest used for the first time is in it.
	Peak int64 `json:"peak_bytes"`

	// QEMU's own statistics of the methods that have them.
	LZRW1            json.RawMessage `json:"lzrw1,omitempty"`
	LZRW1Destination json.RawMessage `json:"lzrw1_destination,omitempty"`
	XBZRLE           json.RawMessage `json:"xbzrle,omitempty"`
}

// A way is how the guest shall migrate.
type way struct {
	method     method
	link       link
	cacheBytes int64
	limit      time.Duration
}

// measure migrates the guest, which is at work, and proves it intact. It
// returns where the guest is afterwards: at the destination, which it started,
// or at the source still if the migration did not come to an end; the other
// QEMU is closed. After an error both are left, the destination for the caller
// to close if it is not nil.
func (r *room) measure(ctx context.Context, source *qemu, w way) (_ *run, now *qemu, err error) {
	destination, err := r.destination(ctx)
	if err != nil {
		return nil, source, err
	}
	defer func() {
		if now != destination {
			destination.Close()
		} else {
			source.Close()
		}
	}()
	address := r.address(w.link)
	if err := prepare(ctx, source, destination, w.method, w.cacheBytes, address, false); err != nil {
		return nil, source, err
	}
	for _, rest := range []time.Duration{settling, atRest} {
		select {
		case <-time.After(rest):
		case <-ctx.Done():
			return nil, source, ctx.Err()
		}
	}

	rested := time.Now()
	if err := warm(destination.MemoryBytes() + 2*w.cacheBytes + 256<<20); err != nil {
		return nil, source, err
	}
	if err := forgetPeak(source.PID()); err != nil {
		return nil, source, err
	}
	before, err := r.count(ctx, source, destination)
	if err != nil {
		return nil, source, err
	}
	o, err := migrate(ctx, source, destination, w.method, address, w.limit)
	if err != nil {
		return nil, source, err
	}
	after, err := r.count(ctx, source, destination)
	if err != nil {
		return nil, source, err
	}
	result := &run{
		Link: w.link.name, Method: w.method.name,
		Completed: o.Status == "completed", Switched: o.switched,
		Total:     o.ended.Sub(o.began).Seconds(),
		QEMUTotal: o.TotalTime / 1e3, Setup: o.SetupTime / 1e3, Downtime: o.Downtime / 1e3,
		Throttle: o.throttle, Transferred: o.RAM.Transferred, Rounds: o.RAM.Rounds,
		Pages: o.RAM.Normal, ZeroPages: o.RAM.Duplicate, Requests: o.RAM.Requests,
	}
	// QEMU tells of its last migration with the method, be it this one or not.
	ofLZRW1 := w.method.parameters["multifd-compression"] == "lzrw1"
	if ofLZRW1 {
		result.LZRW1 = o.LZRW1
	}
	if slices.Contains(w.method.capabilities, "xbzrle") {
		// QEMU counts on from a migration by xbzrle that it has cancelled.
		if !source.xbzrle {
			result.XBZRLE = o.XBZRLE
		}
		source.xbzrle = true
	}
	result.costs(before, after, r.side)
	now = source
	there := (*qemu)(nil)
	switch {
	case result.Completed:
		now, there = destination, destination
		r.side = 1 - r.side
		if ofLZRW1 {
			p, err := destination.migration(ctx)
			if err != nil {
				return nil, now, err
			}
			result.LZRW1Destination = p.LZRW1
		}
	case o.Status == "failed":
		return nil, now, fmt.Errorf("method %s: the migration failed: %s", w.method.name, o.Error)
	}
	if err := now.prove(ctx); err != nil {
		return nil, now, fmt.Errorf("after a migration by method %s: %w", w.method.name, err)
	}
	all, err := history(source, there)
	if err != nil {
		return nil, now, fmt.Errorf("in or after a migration by method %s: %w", w.method.name, err)
	}
	return result, now, result.felt(all, rested, o)
}

// felt fills in what the guest felt of a migration.
func (r *run) felt(all timeline, rested time.Time, o *outcome) error {
	rest := rested.Add(-atRest)
	if len(all) == 0 || all[0].at.After(rest) {
		return errors.New("the guest has not ticked before the migration")
	}
	during := all.gaps(o.began, o.ended.Add(afterward))
	r.LongestStall, r.Stalls = longest(during).Seconds(), stalls(during).Seconds()
	r.RestLongestStall = longest(all.gaps(rest, rested)).Seconds()
	r.RestSpeed, r.Speed = all.speed(rest, rested), all.speed(o.began, o.ended)
	if r.Completed {
		r.Stopped = o.resumed.Sub(o.stopped).Seconds()
		// The first tick after the guest's CPU runs again may come late.
		r.Felt = longest(all.gaps(o.stopped, o.resumed.Add(tickPeriod))).Seconds()
	}
	return nil
}
