package lzrw1

import (
	"errors"
	"fmt"
)

// ErrCorrupt is matched, by errors.Is, by every [*CorruptError].
var ErrCorrupt = errors.New("lzrw1: corrupt block")

// ErrTooLong says that a block decodes to more bytes than the destination
// holds. What the destination holds by then is undefined.
var ErrTooLong = errors.New("lzrw1: block decodes to more than its destination holds")

// ErrTooShort says that a block decodes to fewer bytes than it should.
var ErrTooShort = errors.New("lzrw1: block decodes to less than it should")

// A CorruptError says what in a block cannot be, and where.
type CorruptError struct {
	Offset int    // of the damage, in bytes from the start of the source
	Reason string // what is wrong there
}

func (e *CorruptError) Error() string {
	return fmt.Sprintf("lzrw1: corrupt block at byte %d: %s", e.Offset, e.Reason)
}

// Is reports whether target is [ErrCorrupt].
func (e *CorruptError) Is(target error) bool { return target == ErrCorrupt }

const (
	reasonCutControl   = "control word cut in half"
	reasonEmptyGroup   = "control word without items"
	reasonCutCopy      = "copy cut in half"
	reasonZeroOffset   = "copy with offset 0"
	reasonBeforeStart  = "copy from before the start of the output"
	reasonSpareControl = "control bits set beyond the last item"
	reasonNoHeader     = "flagged form shorter than its header"
	reasonBadFlag      = "flag byte is neither 0 (compressed) nor 1 (plain)"
)
