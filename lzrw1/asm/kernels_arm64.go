//go:build !purego

package asm

func native() []*Kernels {
	neon := portable
	neon.Name = "neon"
	neon.ZeroMap = zeroMapNEON
	neon.DiffMap = diffMapNEON
	neon.Pack = packNEON
	neon.Unpack = unpackNEON
	return []*Kernels{&neon}
}
