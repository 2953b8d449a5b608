// Package fuzz holds the fuzz targets of the codec, the stream and the image
// formats. Each target is a function of some bytes that panics where something
// is wrong. Native targets (go test -fuzz) are in fuzz_test.go; gofuzz.go has
// the same ones for github.com/dvyukov/go-fuzz.
package fuzz
