//go:build purego || !(amd64 || arm64)

package asm

func native() []*Kernels { return nil }
