package delta

import "math/bits"

// MaxXBZRLEPage is the size of the largest page that XBZRLE can encode, in
// bytes: the length of a run has 14 bits.
const MaxXBZRLEPage = 1<<14 - 1

// AppendXBZRLE appends to dst the XBZRLE record that turns the page old into
// the page new, which is as long, at most MaxXBZRLEPage bytes, and returns the
// result. The record of equal pages is empty. Where the record would be longer
// than the page, and QEMU sends the page itself, it returns dst as it is, and
// false.
//
// The format is that of QEMU's migration (its documentation, "XBZRLE"): in
// turn the length of a run of bytes that are as they were, the length of a run
// of bytes that are not, and the new values of these. Lengths are ULEB128 in
// one or two bytes. Equal bytes at the end of the page are left out.
func AppendXBZRLE(dst, old, new []byte) (record []byte, ok bool) {
	if len(old) != len(new) || len(new) > MaxXBZRLEPage {
		panic("delta: XBZRLE takes two equally long pages of less than 16 KiB")
	}
	record = dst
	for i := 0; ; {
		same := i
		i = firstChanged(old, new, i)
		if i == len(new) {
			return record, true
		}
		changed := i
		i = firstEqual(old, new, i)
		record = appendLength(record, changed-same)
		record = appendLength(record, i-changed)
		if len(record)-len(dst)+i-changed > len(new) {
			return dst, false
		}
		record = append(record, new[changed:i]...)
	}
}

// firstChanged returns the first position from i on where a and b differ, or
// their length.
func firstChanged(a, b []byte, i int) int {
	for ; i+wordBytes <= len(a); i += wordBytes {
		if x := le.Uint64(a[i:]) ^ le.Uint64(b[i:]); x != 0 {
			return i + bits.TrailingZeros64(x)/8
		}
	}
	for i < len(a) && a[i] == b[i] {
		i++
	}
	return i
}

// firstEqual returns the first position from i on where a and b agree, or
// their length.
func firstEqual(a, b []byte, i int) int {
	const ones, high = 0x0101010101010101, 0x8080808080808080
	for ; i+wordBytes <= len(a); i += wordBytes {
		x := le.Uint64(a[i:]) ^ le.Uint64(b[i:])
		if zero := (x - ones) &^ x & high; zero != 0 { // its least bit is that of the first zero byte
			return i + bits.TrailingZeros64(zero)/8
		}
	}
	for i < len(a) && a[i] != b[i] {
		i++
	}
	return i
}

func appendLength(b []byte, n int) []byte {
	if n < 0x80 {
		return append(b, byte(n))
	}
	return append(b, byte(n)|0x80, byte(n>>7))
}

// ApplyXBZRLE turns page, the earlier version, into the one that the record
// was made of, in place. record must not overlap page. XBZRLE has no checksum:
// a record of another page goes unnoticed. Errors are [*CorruptError]; they are
// those of QEMU's decoder, and page is then undefined.
func ApplyXBZRLE(page, record []byte) error {
	for i := 0; len(record) > 0; {
		same, rest, ok := cutLength(record)
		if !ok || same == 0 && i > 0 {
			return corrupt("a run of equal bytes has no proper length")
		}
		changed, rest, ok := cutLength(rest)
		if !ok || changed == 0 {
			return corrupt("a run of changed bytes has no proper length")
		}
		if i += same; changed > len(rest) || i+changed > len(page) {
			return corrupt("a run of changed bytes goes beyond the record or the page")
		}
		i += copy(page[i:], rest[:changed])
		record = rest[changed:]
	}
	return nil
}

// cutLength reads a length from the front of b and returns what follows.
func cutLength(b []byte) (n int, rest []byte, ok bool) {
	switch {
	case len(b) >= 1 && b[0] < 0x80:
		return int(b[0]), b[1:], true
	case len(b) >= 2 && b[1] < 0x80:
		return int(b[0]&0x7F) | int(b[1])<<7, b[2:], true
	}
	return 0, b, false
}
