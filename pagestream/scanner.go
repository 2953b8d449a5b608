package pagestream

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// A scanner reads frames from a stream's bytes.
type scanner struct {
	src      io.Reader
	offset   int64 // in the stream, of pending[0]
	pending  []byte
	buf      []byte // holds pending
	err      error  // of src
	geometry *geometry
}

// scanStep is how much a scanner asks of its source at once.
const scanStep = 256 << 10

// need makes n bytes pending and reports whether there are so many. It takes
// no more memory than twice what the source has delivered, and scanStep.
func (s *scanner) need(n int) bool {
	for len(s.pending) < n && s.err == nil {
		if cap(s.pending)-len(s.pending) < min(n-len(s.pending), scanStep) {
			if len(s.pending)+scanStep > len(s.buf) {
				s.buf = make([]byte, 2*len(s.pending)+2*scanStep)
			}
			s.pending = s.buf[:copy(s.buf, s.pending)]
		}
		room := s.pending[len(s.pending):cap(s.pending)]
		var got int
		got, s.err = io.ReadAtLeast(s.src, room, min(n-len(s.pending), len(room)))
		s.pending = s.pending[:len(s.pending)+got]
		if s.err == io.ErrUnexpectedEOF {
			s.err = io.EOF
		}
	}
	return len(s.pending) >= n
}

func (s *scanner) skip(n int) {
	s.pending = s.pending[n:]
	s.offset += int64(n)
}

// next returns the next frame. Its payload is good until the next call. At the
// end of the source the error is io.EOF, within a frame it wraps ErrCut.
func (s *scanner) next() (h frameHeader, payload []byte, err error) {
	if !s.need(frameHeaderSize) {
		return h, nil, s.short("frame header")
	}
	h, ok := parseFrameHeader(s.pending)
	if !ok || s.geometry != nil && h.geometry != *s.geometry {
		if s.offset == 0 && le.Uint32(s.pending) != marker {
			return h, nil, &Error{ErrFormat, 0, -1, -1, "its first bytes are not those of one", nil}
		}
		return h, nil, &Error{ErrCorrupt, s.offset, -1, -1, "no frame where one should begin", nil}
	}
	if !s.need(int(h.size())) {
		return h, nil, s.short("frame")
	}
	payload = s.pending[frameHeaderSize:h.size()]
	if crc(payload) != h.payloadCRC {
		page := int64(-1)
		if h.typ == pagesFrame {
			page = int64(h.first)
		}
		return h, nil, h.corrupt(s.offset, page, "frame differs from its CRC", nil)
	}
	s.skip(int(h.size()))
	return h, payload, nil
}

// short returns the error of a source that ends too early.
func (s *scanner) short(what string) error {
	if !errors.Is(s.err, io.EOF) {
		return fmt.Errorf("reading the stream at byte %d: %w", s.offset+int64(len(s.pending)), s.err)
	}
	if len(s.pending) == 0 {
		return io.EOF
	}
	if s.offset == 0 && !bytes.HasPrefix(le.AppendUint32(nil, marker), s.pending[:min(4, len(s.pending))]) {
		return &Error{ErrFormat, 0, -1, -1, "its first bytes are not those of one", nil}
	}
	return &Error{ErrCut, s.offset, -1, -1, "the " + what + " that begins there is not whole", nil}
}

// resync passes over the damage that next met, up to the next frame or the end
// of the source.
//
// Where the damaged frame's header is whole and a frame or the end follows
// where it says, the damage is within the frame, and nothing in it is looked
// at: it may be a guest's page that holds a stream.
func (s *scanner) resync() {
	if s.need(frameHeaderSize) {
		if h, ok := s.frameHere(); ok && s.need(int(h.size())) {
			size := int(h.size())
			follows := !s.need(size + 1)
			if s.need(size + frameHeaderSize) {
				_, follows = parseFrameHeader(s.pending[size:])
			}
			if follows {
				s.skip(size)
				return
			}
		}
	}
	s.skip(min(1, len(s.pending)))
	first := []byte{marker & 0xFF}
	for s.need(frameHeaderSize) {
		i := bytes.Index(s.pending, first)
		if i < 0 {
			i = len(s.pending)
		}
		if i > 0 {
			s.skip(i)
			continue
		}
		if _, ok := s.frameHere(); ok {
			return
		}
		s.skip(1)
	}
	s.skip(len(s.pending))
}

// frameHere returns the header that is pending, if it is one of this stream.
func (s *scanner) frameHere() (frameHeader, bool) {
	h, ok := parseFrameHeader(s.pending)
	return h, ok && (s.geometry == nil || h.geometry == *s.geometry)
}
