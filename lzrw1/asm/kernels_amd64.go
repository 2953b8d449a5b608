//go:build !purego

package asm

import "github.com/klauspost/cpuid/v2"

func native() []*Kernels {
	sse2 := portable
	sse2.Name = "sse2"
	sse2.Fast.Scheme = fastAMD64
	sse2.Fast.Single = fastSingleSSE2
	sse2.Fast.Lockstep = fastLockstep
	sse2.Reference.Single = referenceSingleSSE2
	sse2.Reference.Lockstep = referenceLockstep
	sse2.ZeroMap = zeroMapSSE2
	sse2.DiffMap = diffMapSSE2
	sse2.Pack = packSSE2
	sse2.Unpack = unpackSSE2
	sse2.Merge = mergeSSE2
	sse2.DiffBytes = diffBytesSSE2
	if !cpuid.CPU.Supports(cpuid.SSSE3, cpuid.SSE4, cpuid.POPCNT) {
		return []*Kernels{&sse2}
	}

	ssse3 := sse2
	ssse3.Name = "ssse3"
	ssse3.Dense.search = denseSearchSSSE3
	ssse3.Decode = decodeSSSE3
	if !cpuid.CPU.Supports(cpuid.AVX2, cpuid.BMI1, cpuid.BMI2) {
		return []*Kernels{&sse2, &ssse3}
	}

	avx2 := ssse3
	avx2.Name = "avx2"
	avx2.Fast.Single = fastSingleAVX2
	avx2.Dense = denseAVX2
	avx2.Decode = decodeAVX2
	avx2.ZeroMap = zeroMapAVX2
	avx2.DiffMap = diffMapAVX2
	avx2.Pack = packAVX2
	avx2.Unpack = unpackAVX2
	avx2.DiffBytes = diffBytesAVX2
	avx2.PackBytes = packBytesAVX2
	avx2.MergeBytes = mergeBytesAVX2
	return []*Kernels{&sse2, &ssse3, &avx2}
}
