package pagestream

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
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

// CheckIdentity reads the headers of all frames and checks that the stream is
// the one that it says it is; not its base, which has a check of its own. Pages
// need no such check to be whole, but a frame that another stream has at the
// same place passes for this stream's otherwise: a file that was written over
// in part, from a newer backup of the same guest, has such ones. Payloads are
// checked when they are read.
func (r *ReaderAt) CheckIdentity() error {
	ids := newIdentifier()
	var b [frameHeaderSize]byte
	for at := int64(0); ; {
		rest := b[:min(frameHeaderSize, r.size-at)]
		if n, err := r.src.ReadAt(rest, at); n < len(rest) {
			return fmt.Errorf("reading the stream at byte %d: %w", at, err)
		}
		h, ok := parseFrameHeader(b[:])
		if !ok || h.geometry != r.geometry || h.size() > r.size-at {
			return &Error{ErrCorrupt, at, -1, -1, "no frame where one should begin", nil}
		}
		if h.typ == endFrame {
			if ids.id() != r.totals.ID {
				return &Error{ErrCorrupt, at, -1, -1, fmt.Sprintf("its frames are those of stream %v, and it says that it is stream %v", ids.id(), r.totals.ID), nil}
			}
			return nil
		}
		if at == 0 {
			payload := make([]byte, h.payload) // 1 MiB at most
			if n, err := r.src.ReadAt(payload, frameHeaderSize); n < len(payload) {
				return fmt.Errorf("reading the stream header: %w", err)
			}
			ids.addHeaderPayload(payload)
		}
		ids.add(b[:])
		at += h.size()
	}
}
