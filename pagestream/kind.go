package pagestream

// A Kind says how a page is stored. The numbers are those of the format.
type Kind uint8

const (
	Zero        Kind = 0 // all bytes zero
	Word        Kind = 1 // one 8-byte word throughout
	Duplicate   Kind = 2 // equal to an earlier page
	Plain       Kind = 3 // as it is
	LZRW1       Kind = 4 // an LZRW1 block
	PlainPacked Kind = 5 // as it is, but for zero words left out
	LZRW1Packed Kind = 6 // an LZRW1 block of what is left without zero words
	Delta       Kind = 7 // what differs from its earlier version

	// Kinds is how many kinds there are.
	Kinds = 8

	kept Kind = 8 // not carried; of a record, pages that are not
)

var kindNames = [Kinds]string{"zero", "word", "duplicate", "plain", "lzrw1", "plain-packed", "lzrw1-packed", "delta"}

// String returns the kind's name, such as "zero" or "lzrw1-packed".
func (k Kind) String() string {
	if k < Kinds {
		return kindNames[k]
	}
	return "unknown"
}

// hasContent reports whether a page of the kind carries content of its own,
// that is, is a part of its frame's window and may be duplicated.
func (k Kind) hasContent() bool { return k >= Plain && k <= LZRW1Packed }
