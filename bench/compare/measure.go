package main

import (
	"fmt"
	"runtime"
	"time"
)

// A workload is memory of one guest: whole blocks of a mode.
type workload struct {
	name string
	memory
}

// A measurement is what a codec makes of one workload.
type measurement struct {
	ratio          float64
	encode, decode []float64 // GB of memory a second, by round
}

// measure runs all codecs of m over the workloads, one after the other in each
// round. The result is by codec and workload.
func measure(m mode, workloads []workload, rounds int, progress func(string)) ([][]measurement, error) {
	result := make([][]measurement, len(m.codecs))
	for _, w := range workloads {
		progress(m.name + " of " + w.name)
		coders := make([]coder, len(m.codecs))
		measured := make([]measurement, len(m.codecs))
		out := make([]byte, len(w.data))
		for i, c := range m.codecs {
			coders[i] = c.start(m.blockBytes())
			encoded, err := check(coders[i], w.memory, out)
			if err != nil {
				return nil, fmt.Errorf("%s: %s of %s: %w", c.name, m.name, w.name, err)
			}
			measured[i].ratio = float64(len(w.data)) / float64(encoded)
		}
		for range rounds {
			runtime.GC() // the only one: see run
			for i, c := range m.codecs {
				now := threadTime
				if c.process {
					now = processTime
				}
				start := now()
				_, encodeErr := coders[i].encode(w.memory)
				encoded := now()
				if w.old != nil {
					copy(out, w.old)
				}
				decodeStart := now()
				decodeErr := coders[i].decode(out)
				decoded := now()
				if encodeErr != nil || decodeErr != nil {
					return nil, fmt.Errorf("%s: %s of %s: encoding: %v, decoding: %v", c.name, m.name, w.name, encodeErr, decodeErr)
				}
				measured[i].encode = append(measured[i].encode, speed(len(w.data), encoded-start))
				measured[i].decode = append(measured[i].decode, speed(len(w.data), decoded-decodeStart))
			}
		}
		for i := range result {
			result[i] = append(result[i], measured[i])
		}
	}
	return result, nil
}

// speed returns GB (10^9 bytes) a second.
func speed(bytes int, t time.Duration) float64 {
	return float64(bytes) / float64(max(t, 1)) // bytes a nanosecond
}
