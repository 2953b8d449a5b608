package lzrw1

// The flagged form is the file format of the 1991 program: four header bytes,
// the first of them 0 before a block and 1 before plain bytes, the others
// unused, and then the block or the bytes.
const (
	flagCompressed = 0
	flagPlain      = 1
)

// flaggedHeader is the size of the header. The 1991 program counts it when it
// decides whether to give up.
const flaggedHeader = 4

// MaxFlaggedLen returns the size of the largest flagged form of n bytes.
func MaxFlaggedLen(n int) int { return flaggedHeader + n }

// AppendFlagged appends the flagged form of src to dst and returns the result:
// plain where the block would not be shorter than src, and at level
// [Reference] where the 1991 program gives up. Its bytes are then those of
// that program, with its three unused header bytes zero.
func (e *Encoder) AppendFlagged(dst, src []byte) []byte {
	at := len(dst)
	dst = append(dst, flagCompressed, 0, 0, 0)
	dst = e.appendBlock(dst, src, 0, false)
	if len(dst)-at-flaggedHeader == len(src) {
		dst[at] = flagPlain
	}
	return dst
}

// AppendUnflagged appends what the flagged form src holds to dst and returns
// the result. Errors are [*CorruptError], its Offset counted from the start
// of src.
func AppendUnflagged(dst, src []byte) ([]byte, error) {
	if len(src) < flaggedHeader {
		return dst, &CorruptError{len(src), reasonNoHeader}
	}
	body := src[flaggedHeader:]
	switch src[0] {
	case flagPlain:
		return append(dst, body...), nil
	case flagCompressed:
		dst, err := AppendDecode(dst, body)
		if e, ok := err.(*CorruptError); ok {
			e.Offset += flaggedHeader
		}
		return dst, err
	}
	return dst, &CorruptError{0, reasonBadFlag}
}
