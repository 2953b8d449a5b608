// Package fuzz holds the fuzz targets of the codec, the stream and the image
// formats. Each target is a function of some bytes that panics where something
// is wrong. Native targets (go test -fuzz) are in fuzz_test.go; gofuzz.go has
// the same ones for github.com/dvyukov/go-fuzz.
//
// A mutated stream seldom passes its CRCs. So the first byte of a stream
// target's input says how the stream behind it is put right before it is read:
// not at all, frames' CRCs, pages' CRCs too, or the whole index as well. See
// repair.go, which is written from the specification.
package fuzz
