//go:build !purego

package asm

func native() []*Kernels {
	neon := portable
	neon.Name = "neon"
	neon.Fast.Lockstep = fastLockstepNEON
	neon.Reference.Lockstep = referenceLockstepNEON
	neon.Dense = denseNEON
	neon.Decode = decodeNEON
	neon.ZeroMap = zeroMapNEON
	neon.DiffMap = diffMapNEON
	neon.Pack = packNEON
	neon.Unpack = unpackNEON
	neon.Merge = mergeNEON
	neon.DiffBytes = diffBytesNEON
	return []*Kernels{&neon}
}
