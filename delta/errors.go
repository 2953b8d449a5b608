package delta

import (
	"errors"
	"fmt"
)

// ErrMismatch says that a record, applied, gives another page than the one it
// was made of: it was applied to another page than its earlier version, or it
// is damaged. The page is then undefined.
var ErrMismatch = errors.New("the page that results differs from the record's checksum: not the earlier version, or a damaged record")

// A CorruptError says that a record cannot be one. The page is as it was.
type CorruptError struct {
	Reason string
	Err    error // of the LZRW1 block, an *lzrw1.CorruptError, lzrw1.ErrTooLong or nil
}

func (e *CorruptError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("corrupt delta: %s: %v", e.Reason, e.Err)
	}
	return "corrupt delta: " + e.Reason
}

// Unwrap returns the cause.
func (e *CorruptError) Unwrap() error { return e.Err }

func corrupt(reason string) error { return &CorruptError{Reason: reason} }
