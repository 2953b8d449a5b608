//go:build !purego

package asm

//go:noescape
func fastLockstep(lanes *[LaneCount]Lane)

//go:noescape
func referenceLockstep(lanes *[LaneCount]Lane)
