package pagestream

import "encoding/binary"

// A Class says what a region's bytes are.
type Class uint8

const (
	// Memory is a range of guest addresses.
	Memory Class = 0
	// Other is bytes of the original file that are not memory, such as an ELF
	// header.
	Other Class = 1
)

// UnknownLength is the Length of a region that ends where its input does.
const UnknownLength = 1<<64 - 1

// A Region is a range of addresses whose bytes stand in one piece in the
// original file.
type Region struct {
	Class      Class
	Name       string // such as "ram" or "notes", may be empty
	Address    uint64 // in the guest, of the first byte; 0 for class Other
	FileOffset uint64 // in the original file, of the first byte
	Length     uint64 // in bytes, or UnknownLength
}

// Pages returns how many pages of pageSize bytes the region has, the last of
// them perhaps in part.
func (r Region) Pages(pageSize int) uint64 {
	size := uint64(pageSize)
	pages := r.Length / size
	if r.Length%size != 0 {
		pages++
	}
	return pages
}

const (
	tagRegionName = 1
	tagBaseRegion = 2
)

// A storedRegion is a region as its frame has it.
type storedRegion struct {
	Region
	base int // the base's region that holds its pages' earlier versions, noBase where there is none
}

const noBase = -1

func (r *storedRegion) appendPayload(b []byte) []byte {
	b = append(b, byte(r.Class))
	b = le.AppendUint64(b, r.Address)
	b = le.AppendUint64(b, r.FileOffset)
	b = le.AppendUint64(b, r.Length)
	if r.Name != "" {
		b = appendField(b, tagRegionName, []byte(r.Name))
	}
	if r.base != noBase {
		b = appendField(b, tagBaseRegion, binary.AppendUvarint(nil, uint64(r.base)))
	}
	return b
}

// parseRegion reads a region frame's payload, of the frame at offset, in a
// stream with a base or without.
func parseRegion(frame frameHeader, offset int64, payload []byte, based bool) (storedRegion, error) {
	r := storedRegion{base: noBase}
	c := cursor{rest: payload}
	r.Class = Class(c.uint8())
	r.Address = c.uint64()
	r.FileOffset = c.uint64()
	r.Length = c.uint64()
	err := c.fields(func(tag uint64, value []byte) bool {
		switch {
		case tag == tagRegionName:
			r.Name = string(value)
		case tag == tagBaseRegion && based:
			v := cursor{rest: value}
			base := v.varint()
			c.bad = c.bad || v.bad || len(v.rest) > 0 || base >= MaxRegions
			r.base = int(base)
		default:
			return false
		}
		return true
	})
	if err != nil {
		return r, &Error{ErrUnsupported, offset, int(frame.region), -1, "region", err}
	}
	if c.bad || !r.valid() {
		return r, frame.corrupt(offset, -1, "region cannot be read", nil)
	}
	return r, nil
}

// valid reports whether the region's fields are within the format's limits.
func (r *Region) valid() bool {
	length := r.Length
	if length == UnknownLength {
		length = 0
	}
	const limit = 1 << 63
	return r.FileOffset < limit && length < limit-r.FileOffset &&
		(r.Class == Memory && r.Address+length >= r.Address || r.Class == Other && r.Address == 0)
}

// final reports whether last may be the final form of a region that began as r.
func (r *storedRegion) final(last storedRegion) bool {
	begun := *r
	if begun.Length == UnknownLength {
		begun.Length = last.Length
	}
	return last.Length != UnknownLength && begun == last
}
