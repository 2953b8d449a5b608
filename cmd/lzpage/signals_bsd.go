//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package main

import (
	"os"
	"syscall"
)

// statusSignals ask how far the run is; SIGINFO comes with Ctrl-T.
var statusSignals = []os.Signal{syscall.SIGUSR1, syscall.SIGINFO}
