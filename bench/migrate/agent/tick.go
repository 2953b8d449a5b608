package main

import (
	"runtime"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// tickPeriod is the time between two ticks. The host tells from their arrival
// when the guest did not run.
const tickPeriod = 20 * time.Millisecond

// tick prints ticks for good. Nothing else that runs in the guest delays them.
func tick(c *console, n *counts) {
	runtime.LockOSThread()
	err := unix.SchedSetAttr(0, &unix.SchedAttr{
		Size: unix.SizeofSchedAttr, Policy: unix.SCHED_FIFO, Priority: 50,
	}, 0)
	if err != nil {
		c.print("fault priority of the ticks: %v", err)
		return
	}
	var next unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &next); err != nil {
		c.print("fault clock: %v", err)
		return
	}
	line := make([]byte, 0, 80)
	for number := uint64(1); ; number++ {
		next = unix.NsecToTimespec(next.Nano() + int64(tickPeriod))
		for unix.ClockNanosleep(unix.CLOCK_MONOTONIC, unix.TIMER_ABSTIME, &next, nil) == unix.EINTR {
		}
		line = appendTick(line[:0], number, n.ops.Load(), n.bad.Load())
		c.write(line)
		// Ticks that are late are not made up for: each gap shows once.
		var now unix.Timespec
		if unix.ClockGettime(unix.CLOCK_MONOTONIC, &now) == nil && now.Nano() > next.Nano()+int64(tickPeriod) {
			next = now
		}
	}
}

func appendTick(line []byte, number, ops, bad uint64) []byte {
	line = append(line, "tick "...)
	line = strconv.AppendUint(line, number, 10)
	line = append(line, " ops "...)
	line = strconv.AppendUint(line, ops, 10)
	line = append(line, " bad "...)
	line = strconv.AppendUint(line, bad, 10)
	return append(line, '\n')
}
