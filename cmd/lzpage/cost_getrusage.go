//go:build linux || darwin || freebsd

package main

import "golang.org/x/sys/unix"

// cpuSeconds returns the CPU time that this process has taken.
func cpuSeconds() float64 {
	usage := getrusage()
	return float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e9
}

func getrusage() (usage unix.Rusage) {
	if err := unix.Getrusage(unix.RUSAGE_SELF, &usage); err != nil {
		panic(err) // with these arguments it cannot fail
	}
	return usage
}
