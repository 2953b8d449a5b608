package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"
)

// counts are what a migration costs, counted up.
type counts struct {
	sent        [2]int64         // by side of the room; of a network only
	cpu, guests [2]time.Duration // of source and destination; guests: of the threads that run the guest
	resident    int64            // bytes of the source, now
	peak        int64            // and at most
}

func (r *room) count(ctx context.Context, source, destination *qemu) (c counts, err error) {
	if r.network != nil {
		if c.sent, err = r.network.sent(ctx); err != nil {
			return c, err
		}
	}
	for i, q := range []*qemu{source, destination} {
		if c.cpu[i], c.guests[i], err = q.CPUTime(); err != nil {
			return c, err
		}
	}
	c.resident, c.peak, err = residentMemory(source.PID())
	return c, err
}

// forgetPeak has a process's memory at most in use begin anew with what it has
// in use now.
func forgetPeak(pid int) error {
	return os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte("5"), 0)
}

// costs fills in what was counted between two moments, with the guest on a
// side of the room at first.
func (r *run) costs(before, after counts, side int) {
	r.Sent = after.sent[side] - before.sent[side]
	r.Returned = after.sent[1-side] - before.sent[1-side]
	var cpu [2]float64
	for i := range cpu {
		guest := after.guests[i] - before.guests[i]
		cpu[i] = (after.cpu[i] - before.cpu[i] - guest).Seconds()
		r.GuestCPU += guest.Seconds()
	}
	r.SourceCPU, r.DestinationCPU = cpu[0], cpu[1]
	r.Peak = max(0, after.peak-before.resident)
}

// residentMemory returns how many bytes of memory a process has in use, and
// how many it had at most.
func residentMemory(pid int) (now, peak int64, err error) {
	path := fmt.Sprintf("/proc/%d/status", pid)
	status, err := os.ReadFile(path)
	if err != nil {
		return 0, 0, err
	}
	for line := range strings.Lines(string(status)) {
		fmt.Sscanf(line, "VmRSS: %d kB", &now)
		fmt.Sscanf(line, "VmHWM: %d kB", &peak)
	}
	if now == 0 || peak == 0 {
		return 0, 0, fmt.Errorf("%s does not tell VmRSS and VmHWM", path)
	}
	return now << 10, peak << 10, nil
}
