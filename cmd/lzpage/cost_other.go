//go:build !(linux || darwin || freebsd)

package main

func cpuSeconds() float64 { return 0 }

func peakMemory() uint64 { return 0 }
