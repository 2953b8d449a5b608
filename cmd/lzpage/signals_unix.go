//go:build unix

package main

import (
	"os"
	"os/signal"
	"syscall"
	"time"
)

// notifySignals returns where signals arrive that stop the run, and those that
// ask how far it is.
func notifySignals() (stop, status <-chan os.Signal) {
	stops := make(chan os.Signal, 1)
	for _, s := range []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		if !signal.Ignored(s) { // as nohup has it
			signal.Notify(stops, s)
		}
	}
	statuses := make(chan os.Signal, 1)
	signal.Notify(statuses, statusSignals...)
	// With SIGPIPE caught a closed pipe is an error like others, and the
	// output is not left behind.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	return stops, statuses
}

// dieOf ends this process by the signal, so that its parent learns of it: a
// shell stops its loop.
func dieOf(s os.Signal) int {
	number := s.(syscall.Signal)
	signal.Reset(number)
	if syscall.Kill(syscall.Getpid(), number) == nil {
		time.Sleep(time.Second)
	}
	return 128 + int(number)
}
