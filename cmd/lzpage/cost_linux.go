package main

import (
	"os"
	"regexp"
	"strconv"
)

var highWater = regexp.MustCompile(`(?m)^VmHWM:\s*(\d+) kB$`)

// peakMemory returns the most memory that this process has had resident. That
// of getrusage would count what its parent had before the exec.
func peakMemory() uint64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	found := highWater.FindSubmatch(status)
	if found == nil {
		return 0
	}
	kib, err := strconv.ParseUint(string(found[1]), 10, 54)
	if err != nil {
		return 0
	}
	return kib << 10
}
