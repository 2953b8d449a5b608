package pagestream

import (
	"crypto/sha256"
	"encoding/hex"
	"hash"
)

// An ID is a stream's identity. Streams that differ have different ones, but
// for those that somebody made to have the same.
type ID [16]byte

// String returns the identity in hexadecimal digits.
func (id ID) String() string { return hex.EncodeToString(id[:]) }

// An identifier works out a stream's identity: it gets the stream header's
// payload, and then the headers of all frames before the end frame.
type identifier struct{ hash hash.Hash }

func newIdentifier() *identifier { return &identifier{sha256.New()} }

func (x *identifier) addHeaderPayload(payload []byte) { x.hash.Write(payload) }

// add adds the header of a frame.
func (x *identifier) add(header []byte) { x.hash.Write(header) }

// id returns the identity of a stream of what was added.
func (x *identifier) id() (id ID) {
	copy(id[:], x.hash.Sum(nil))
	return id
}
