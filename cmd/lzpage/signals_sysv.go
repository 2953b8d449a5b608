//go:build unix && !(darwin || dragonfly || freebsd || netbsd || openbsd)

package main

import (
	"os"
	"syscall"
)

// statusSignals ask how far the run is.
var statusSignals = []os.Signal{syscall.SIGUSR1}
