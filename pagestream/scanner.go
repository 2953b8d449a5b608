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
	limit    int    // bytes of a cluster, at most
	geometry *geometry
	wasted   int64 // bytes of frames that were found in a search and were none
}

// A scanner's buffer has at least minScan bytes, and grows to maxScan with
// what the source has delivered, and beyond that with the frames.
const (
	minScan = 64 << 10
	maxScan = 512 << 10
)

// need makes n bytes pending and reports whether there are so many. Whatever n
// is, it takes no more memory than minScan and a few times what the source has
// delivered.
func (s *scanner) need(n int) bool {
	for len(s.pending) < n && s.err == nil {
		if more := n - len(s.pending); cap(s.pending)-len(s.pending) < min(more, minScan) {
			delivered := s.offset + int64(len(s.pending))
			size := max(minScan, int(min(maxScan, delivered)), 2*len(s.pending))
			if len(s.buf) < size {
				s.buf = make([]byte, size)
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
	if h.geometry.clusterBytes() > s.limit {
		return h, nil, &Error{ErrLimit, s.offset, -1, -1, fmt.Sprintf("clusters have %d bytes, allowed are %d", h.geometry.clusterBytes(), s.limit), nil}
	}
	if !s.need(int(h.size())) {
		return h, nil, s.short("frame")
	}
	payload = s.pending[frameHeaderSize:h.size()]
	if crc(payload) != h.payloadCRC {
		s.wasted += h.size()
		page := int64(-1)
		if h.typ == pagesFrame {
			page = int64(h.first)
		}
		return h, nil, h.corrupt(s.offset, page, "frame differs from its CRC", nil)
	}
	s.skip(int(h.size()))
	return h, payload, nil
}

// nextHeader returns the stream header, the first frame.
func (s *scanner) nextHeader() (h frameHeader, payload []byte, err error) {
	if s.need(frameHeaderSize) {
		if h, ok := parseFrameHeader(s.pending); ok && h.typ != headerFrame {
			return h, nil, &Error{ErrCorrupt, s.offset, -1, -1, "it does not begin with a stream header", nil}
		}
	}
	h, payload, err = s.next()
	if err == io.EOF {
		err = &Error{ErrFormat, 0, -1, -1, "it is empty", nil}
	}
	return h, payload, err
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
//
// A guest may have planted headers in great number, each of which costs the
// CRC of a payload: when that has gone beyond all measure, none is believed
// until the search has come farther.
func (s *scanner) frameHere() (frameHeader, bool) {
	if !s.need(frameHeaderSize) {
		return frameHeader{}, false
	}
	h, ok := parseFrameHeader(s.pending)
	ok = ok && (s.geometry == nil || h.geometry == *s.geometry)
	return h, ok && h.geometry.clusterBytes() <= s.limit && s.wasted <= 16*(s.offset+maxPayload)
}
