//go:build darwin || freebsd

package main

import "runtime"

// peakMemory returns the most memory that this process has had resident.
func peakMemory() uint64 {
	most := uint64(getrusage().Maxrss)
	if runtime.GOOS == "darwin" {
		return most
	}
	return most << 10 // it is in KiB
}
