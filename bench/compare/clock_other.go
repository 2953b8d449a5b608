//go:build !linux

package main

import "time"

// What threadTime and processTime count.
const (
	threadTimeName  = "wall time"
	processTimeName = threadTimeName
)

var began = time.Now()

func threadTime() time.Duration  { return time.Since(began) }
func processTime() time.Duration { return time.Since(began) }
