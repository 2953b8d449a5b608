package fuzz

import (
	"fmt"
	"runtime/metrics"
	"time"
)

// Bounds of what one input may take. Streams and their limits are small here:
// who takes more has believed a number that nothing bears.
const (
	maxSeconds       = 20
	maxAllocated     = 96 << 20 // bytes in all, held or not
	allocatedPerByte = 64       // and so many for each byte of the input
)

// watch begins to watch over the work on an input of size bytes. What it
// returns ends that.
func watch(size int) func() {
	before := allocated()
	done := make(chan struct{})
	go func() {
		// A ticker drops ticks while the machine stands still, which is not
		// the input's fault.
		second := time.NewTicker(time.Second)
		defer second.Stop()
		for range maxSeconds {
			select {
			case <-done:
				return
			case <-second.C:
			}
		}
		panic(fmt.Sprintf("still at it after %d seconds", maxSeconds))
	}()
	return func() {
		close(done)
		taken := allocated() - before
		check(taken <= maxAllocated+allocatedPerByte*uint64(size), "%d MiB allocated for %d bytes", taken>>20, size)
	}
}

func allocated() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
