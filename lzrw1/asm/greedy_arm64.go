//go:build !purego

package asm

// Encode groups of all lanes until one stops. No lane may have stopped.

//go:noescape
func fastLockstepNEON(lanes *[LaneCount]Lane)

//go:noescape
func referenceLockstepNEON(lanes *[LaneCount]Lane)
