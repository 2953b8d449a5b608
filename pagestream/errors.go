package pagestream

import (
	"errors"
	"fmt"
	"strings"
)

// What can be wrong with a stream. Errors of this package are [*Error] and
// wrap one of these, or the error of the reader or writer underneath.
var (
	// ErrFormat says that the input is not a stream at all.
	ErrFormat = errors.New("not an lzpage stream")
	// ErrUnsupported says that the stream needs a newer version of this
	// package.
	ErrUnsupported = errors.New("unsupported stream")
	// ErrCorrupt says that the stream is damaged.
	ErrCorrupt = errors.New("damaged stream")
	// ErrCut says that the stream ends before its end frame. What was read
	// before is good.
	ErrCut = errors.New("cut stream")
	// ErrLimit says that reading would take more memory than the caller
	// allows.
	ErrLimit = errors.New("limit exceeded")
	// ErrNoSalvage says that the stream has a base or rounds, which salvage is
	// not for: an older version of a lost page would pass for the page.
	ErrNoSalvage = errors.New("stream that cannot be salvaged")
	// ErrBase says that what the stream builds on is missing or is another
	// stream than the one that it names.
	ErrBase = errors.New("wrong or missing base")
)

// An Error says what is wrong with a stream, and where.
type Error struct {
	Kind   error  // one of the errors above
	Offset int64  // in the stream, of the frame where it was found; for ErrCut, how far the stream is good
	Region int    // number of the region, -1 where none is known
	Page   int64  // within the region, -1 where none is known
	Reason string // what is wrong
	Err    error  // the cause, such as an *lzrw1.CorruptError; may be nil
}

func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprint(&b, e.Kind)
	if e.Kind != ErrFormat { // which is about the beginning
		fmt.Fprintf(&b, " at byte %d", e.Offset)
	}
	if e.Region >= 0 {
		fmt.Fprintf(&b, ", region %d", e.Region)
	}
	if e.Page >= 0 {
		fmt.Fprintf(&b, ", page %d", e.Page)
	}
	if e.Reason != "" {
		fmt.Fprintf(&b, ": %s", e.Reason)
	}
	if e.Err != nil {
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	return b.String()
}

// Unwrap returns the kind and the cause.
func (e *Error) Unwrap() []error {
	if e.Err == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.Err}
}

// corrupt returns an error of the frame h at offset.
func (h *frameHeader) corrupt(offset int64, page int64, reason string, cause error) *Error {
	return &Error{ErrCorrupt, offset, int(h.region), page, reason, cause}
}
