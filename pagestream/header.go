package pagestream

import (
	"encoding/binary"
	"fmt"
	"strings"
)

// A Header is what a stream says of itself before its first region.
type Header struct {
	PageSize     int // in bytes, a power of two
	ClusterPages int // pages decoded together, a power of two
	// DuplicateWindow is how many pages with content of their own a reader
	// remembers to resolve duplicates.
	DuplicateWindow uint64
	Metadata        []Metadata
	// Base is the stream that this one is based on, holding only what differs
	// from it; nil where there is none.
	Base *Base
}

// A Base names a stream that another one is based on.
type Base struct {
	ID ID
	// Name is that of the file in which the base was, without its directory,
	// or empty: a hint where to look, which anybody may have put there.
	Name string
}

// validBaseName reports whether name names a file in a directory.
func validBaseName(name string) bool {
	return name != "." && name != ".." && !strings.ContainsAny(name, "/\x00")
}

// Metadata is a key and a value of the writer's choice, such as "guest" and
// the guest's name. Both are UTF-8.
type Metadata struct{ Key, Value string }

const (
	tagMetadata = 1
	tagWindow   = 2
	tagBase     = 4
)

func (h *Header) appendPayload(b []byte) []byte {
	b = le.AppendUint16(b, version)
	for _, m := range h.Metadata {
		value := binary.AppendUvarint(nil, uint64(len(m.Key)))
		value = append(value, m.Key...)
		value = append(value, m.Value...)
		b = appendField(b, tagMetadata, value)
	}
	if h.DuplicateWindow > 0 {
		b = appendField(b, tagWindow, binary.AppendUvarint(nil, h.DuplicateWindow))
	}
	if h.Base != nil {
		b = appendField(b, tagBase, append(h.Base.ID[:], h.Base.Name...))
	}
	return b
}

// parseHeader reads a stream header frame's payload.
func parseHeader(frame frameHeader, payload []byte) (Header, error) {
	h := Header{PageSize: frame.geometry.pageSize(), ClusterPages: frame.geometry.clusterPages()}
	c := cursor{rest: payload}
	if v := c.uint16(); v != version && !c.bad {
		return h, &Error{ErrUnsupported, 0, -1, -1, fmt.Sprintf("the stream's version is %d, this reader knows %d", v, version), nil}
	}
	err := c.fields(func(tag uint64, value []byte) bool {
		v := cursor{rest: value}
		switch tag {
		case tagMetadata:
			key := v.bytes(v.varint())
			h.Metadata = append(h.Metadata, Metadata{string(key), string(v.rest)})
		case tagWindow:
			h.DuplicateWindow = v.varint()
			v.bad = v.bad || len(v.rest) > 0
		case tagBase:
			h.Base = new(Base)
			copy(h.Base.ID[:], v.bytes(uint64(len(h.Base.ID))))
			h.Base.Name = string(v.rest)
			v.bad = v.bad || !validBaseName(h.Base.Name)
		default:
			return false
		}
		c.bad = c.bad || v.bad
		return true
	})
	if err != nil {
		return h, &Error{ErrUnsupported, 0, -1, -1, "stream header", err}
	}
	if c.bad {
		return h, &Error{ErrCorrupt, 0, -1, -1, "stream header cannot be read", nil}
	}
	return h, nil
}
