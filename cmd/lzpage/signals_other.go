//go:build !unix

package main

import (
	"os"
	"os/signal"
)

// notifySignals returns where signals arrive that stop the run. There are none
// that ask how far it is.
func notifySignals() (stop, status <-chan os.Signal) {
	stops := make(chan os.Signal, 1)
	signal.Notify(stops, os.Interrupt)
	return stops, nil
}

// dieOf returns the exit status of a run that a signal stopped.
func dieOf(os.Signal) int { return 130 }
