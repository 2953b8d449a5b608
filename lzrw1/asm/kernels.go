package asm

import "os"

// Kernels is an implementation: one function for each inner loop. What the
// functions trust their callers in is said beside the portable ones; the
// functions of this package that bear their names check it.
type Kernels struct {
	// Name is the implementation's name: portable, sse2, ssse3, avx2 or neon.
	Name string

	Fast, Reference Greedy

	Dense DenseKernels

	Decode func(data *byte, size, o int, src *byte, srcSize, s int) (oEnd, sEnd int)

	ZeroMap func(set, page []byte) int
	DiffMap func(set, a, b []byte) int
	Pack    func(dst, page, set []byte)
	Unpack  func(page, words, set []byte)
	Merge   func(page, words, set []byte)

	DiffBytes  func(a, b []byte) int
	PackBytes  func(masks, dst, old, new, set []byte) int
	MergeBytes func(page, masks, src, set []byte)
}

// Greedy is the kernels of a greedy encoder.
type Greedy struct {
	*Scheme
	// Single encodes groups of a lane until it stops. The lane must not have
	// stopped.
	Single func(*Lane)
	// Lockstep encodes groups of all lanes until one stops; nil if Single in
	// turn is no slower. No lane may have stopped.
	Lockstep func(*[LaneCount]Lane)
}

var portable = Kernels{
	Name:      "portable",
	Fast:      Greedy{Scheme: &Fast, Single: fastSingle},
	Reference: Greedy{Scheme: &Reference, Single: referenceSingle},
	Dense:     densePortable,
	Decode:    decodePortable,
	ZeroMap:   zeroMapPortable,
	DiffMap:   diffMapPortable,
	Pack:      packPortable,
	Unpack:    unpackPortable,
	Merge:     mergePortable,

	DiffBytes:  diffBytesPortable,
	PackBytes:  packBytesPortable,
	MergeBytes: mergeBytesPortable,
}

// Available lists the implementations that this machine can run, the best
// last.
var Available = append([]*Kernels{&portable}, native()...)

// Active is the implementation in use: the best, or the one that the
// environment variable LZPAGE_KERNELS names, if it is available.
var Active = choose(os.Getenv("LZPAGE_KERNELS"))

func choose(name string) *Kernels {
	for _, k := range Available {
		if k.Name == name {
			return k
		}
	}
	return Available[len(Available)-1]
}
