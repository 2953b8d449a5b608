package main

import (
	"time"

	"golang.org/x/sys/unix"
)

// What threadTime and processTime count.
const (
	threadTimeName  = "CPU time of the thread"
	processTimeName = "CPU time of the whole process"
)

func threadTime() time.Duration  { return clock(unix.CLOCK_THREAD_CPUTIME_ID) }
func processTime() time.Duration { return clock(unix.CLOCK_PROCESS_CPUTIME_ID) }

func clock(id int32) time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(id, &t); err != nil {
		panic(err) // every Linux has both clocks
	}
	return time.Duration(t.Nano())
}
