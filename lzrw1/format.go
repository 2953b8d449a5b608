package lzrw1

// Limits of the format.
const (
	// MaxOffset is the farthest that a copy reaches back, in bytes.
	MaxOffset = 4095
	// MinCopy is the shortest copy that an encoder writes, in bytes. Decoders
	// accept 1 and 2 as well, as the 1991 program does.
	MinCopy = 3
	// MaxCopy is the longest copy, in bytes.
	MaxCopy = 16

	groupItems   = 16 // items of a full group
	controlBytes = 2  // of a group's control word
	copyBytes    = 2  // of a copy item
)

// MaxEncodedLen returns the size of the largest block that n bytes encode to:
// all literals, and a control word of two bytes for each 16 of them.
func MaxEncodedLen(n int) int {
	return n + controlBytes*((n+groupItems-1)/groupItems)
}

// A Level chooses between speed and ratio.
type Level uint8

const (
	// Fast takes the last position with the same three bytes, if any, and
	// keeps a block plain early where its first kilobyte does not shrink.
	Fast Level = iota
	// Dense looks at three earlier positions for each byte and takes the best
	// way through what it finds: blocks a tenth smaller, at a third of Fast's
	// speed where there are kernels for it (amd64 with AVX2).
	Dense
	// Reference equals the 1991 encoder to the byte, its give-up rule
	// included.
	Reference
)

// String returns the level's name: fast, dense or reference.
func (l Level) String() string {
	switch l {
	case Fast:
		return "fast"
	case Dense:
		return "dense"
	case Reference:
		return "reference"
	}
	return "unknown"
}
