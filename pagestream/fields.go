package pagestream

import (
	"encoding/binary"
	"errors"
	"math/bits"
)

// A cursor takes a payload apart. Its first failure stays: what it returns
// from then on is zero.
type cursor struct {
	rest []byte
	bad  bool
}

func (c *cursor) fail() { c.rest, c.bad = nil, true }

func (c *cursor) bytes(n uint64) []byte {
	if n > uint64(len(c.rest)) {
		c.fail()
		return nil
	}
	b := c.rest[:n]
	c.rest = c.rest[n:]
	return b
}

func (c *cursor) uint8() uint8 {
	if b := c.bytes(1); b != nil {
		return b[0]
	}
	return 0
}

func (c *cursor) uint16() uint16 {
	if b := c.bytes(2); b != nil {
		return le.Uint16(b)
	}
	return 0
}

func (c *cursor) uint32() uint32 {
	if b := c.bytes(4); b != nil {
		return le.Uint32(b)
	}
	return 0
}

func (c *cursor) uint64() uint64 {
	if b := c.bytes(8); b != nil {
		return le.Uint64(b)
	}
	return 0
}

func (c *cursor) varint() uint64 {
	if len(c.rest) > 0 && c.rest[0] < 0x80 {
		v := c.rest[0]
		c.rest = c.rest[1:]
		return uint64(v)
	}
	v, n := binary.Uvarint(c.rest)
	if n <= 0 || n != varintLen(v) {
		c.fail()
		return 0
	}
	c.rest = c.rest[n:]
	return v
}

// varintLen returns how many bytes v takes as a varint.
func varintLen(v uint64) int { return (bits.Len64(v|1) + 6) / 7 }

// errUnknownField says that a field must be understood and is not.
var errUnknownField = errors.New("a field that this version does not know and must not pass over")

// fields calls take for each field up to the cursor's end. Where take reports
// that it does not know the tag, the field is passed over if it may be.
func (c *cursor) fields(take func(tag uint64, value []byte) (known bool)) error {
	last := uint64(0)
	for len(c.rest) > 0 && !c.bad {
		tag := c.varint()
		value := c.bytes(c.varint())
		if c.bad || tag < last || tag == last && tag&1 == 0 {
			c.fail()
			return nil
		}
		last = tag
		if !take(tag, value) && tag&1 == 0 {
			return errUnknownField
		}
	}
	return nil
}

func appendField(b []byte, tag uint64, value []byte) []byte {
	b = binary.AppendUvarint(b, tag)
	b = binary.AppendUvarint(b, uint64(len(value)))
	return append(b, value...)
}
