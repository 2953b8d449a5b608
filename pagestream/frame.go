package pagestream

import (
	"encoding/binary"
	"hash/crc32"
	"math"
	"math/bits"
)

var le = binary.LittleEndian

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func crc(b []byte) uint32 { return crc32.Checksum(b, castagnoli) }

// Limits of the format; see SPEC.md.
const (
	version = 1

	// MinPageSize and MaxPageSize bound a page, in bytes, a power of two.
	MinPageSize = 1 << minPageLog2
	MaxPageSize = 1 << maxPageLog2
	// MaxClusterPages bounds the pages of a cluster, a power of two.
	MaxClusterPages = 1 << maxClusterLog2
	// MaxRegions bounds the regions of a stream.
	MaxRegions = 1 << 24
	// MaxRounds bounds the rounds of a stream behind round 0.
	MaxRounds = 1<<16 - 1

	minPageLog2    = 9
	maxPageLog2    = 21
	maxClusterLog2 = 8
	wordBytes      = 8
)

// A geometry is the sizes that all frames of a stream share.
type geometry struct {
	pageLog2, clusterLog2 uint8
}

func newGeometry(pageSize, clusterPages int) (geometry, bool) {
	g := geometry{uint8(bits.TrailingZeros(uint(pageSize))), uint8(bits.TrailingZeros(uint(clusterPages)))}
	return g, pageSize > 0 && clusterPages > 0 && g.valid() && g.pageSize() == pageSize && g.clusterPages() == clusterPages
}

func (g geometry) valid() bool {
	return g.pageLog2 >= minPageLog2 && g.pageLog2 <= maxPageLog2 && g.clusterLog2 <= maxClusterLog2
}

func (g geometry) pageSize() int     { return 1 << g.pageLog2 }
func (g geometry) clusterPages() int { return 1 << g.clusterLog2 }
func (g geometry) clusterBytes() int { return 1 << (g.pageLog2 + g.clusterLog2) }

// mapBytes is the size of a map of a page's words.
func (g geometry) mapBytes() int { return g.pageSize() / wordBytes / 8 }

// maxContent is the most that a page's content takes.
func (g geometry) maxContent() int { return g.pageSize() + g.mapBytes() }

// maxPages is more than any region has.
func (g geometry) maxPages() uint64 { return 1 << (63 - g.pageLog2) }

// maxFramePages is the size of the largest frame of so many pages, in bytes.
func (g geometry) maxFramePages(pages int) int {
	return frameHeaderSize + pages*(g.maxContent()+maxRecord)
}

const (
	maxRecord  = 32      // more than a page's record takes, in bytes
	maxPayload = 1 << 20 // of frames that hold no pages
)

func (g geometry) encoded() byte { return g.pageLog2 - minPageLog2 | g.clusterLog2<<4 }

func decodeGeometry(b byte) geometry { return geometry{b&0x0F + minPageLog2, b >> 4} }

type frameType uint8

const (
	headerFrame  frameType = 1
	regionFrame  frameType = 2
	pagesFrame   frameType = 3
	zerosFrame   frameType = 4
	indexFrame   frameType = 5
	endFrame     frameType = 6
	roundFrame   frameType = 7
	skippableBit frameType = 0x80 // of types that a reader may pass over
)

const (
	marker          = 0x505A4C89
	endMark         = 0x894C5A50
	frameHeaderSize = 32
)

// A frameHeader is the fixed part in front of each frame's payload.
type frameHeader struct {
	typ        frameType
	geometry   geometry
	pages      int    // that a pages frame carries
	region     uint32 // number
	payload    int    // length in bytes
	first      uint64 // page within the region
	payloadCRC uint32
	crc        uint32 // of the header itself
}

// size is the whole frame's length in bytes.
func (h *frameHeader) size() int64 { return frameHeaderSize + int64(h.payload) }

// seal completes the frame whose header is to stand at b[:frameHeaderSize] and
// whose payload is the rest of b and then blocks.
func (h *frameHeader) seal(b, blocks []byte) {
	h.payload = len(b) - frameHeaderSize + len(blocks)
	h.payloadCRC = crc32.Update(crc(b[frameHeaderSize:]), castagnoli, blocks)
	h.put(b)
	h.crc = crc(b[:28])
	le.PutUint32(b[28:], h.crc)
}

// put writes the header to b.
func (h *frameHeader) put(b []byte) {
	le.PutUint32(b[0:], marker)
	b[4] = byte(h.typ)
	b[5] = h.geometry.encoded()
	le.PutUint16(b[6:], uint16(h.pages))
	le.PutUint32(b[8:], h.region)
	le.PutUint32(b[12:], uint32(h.payload))
	le.PutUint64(b[16:], h.first)
	le.PutUint32(b[24:], h.payloadCRC)
	le.PutUint32(b[28:], h.crc)
}

// parseFrameHeader reads the header at b[:frameHeaderSize]. It reports false
// where there is none.
func parseFrameHeader(b []byte) (h frameHeader, ok bool) {
	if le.Uint32(b) != marker {
		return h, false
	}
	h = frameHeader{
		typ:        frameType(b[4]),
		geometry:   decodeGeometry(b[5]),
		pages:      int(le.Uint16(b[6:])),
		region:     le.Uint32(b[8:]),
		first:      le.Uint64(b[16:]),
		payloadCRC: le.Uint32(b[24:]),
		crc:        le.Uint32(b[28:]),
	}
	size := le.Uint32(b[12:])
	if h.crc != crc(b[:28]) || !h.geometry.valid() || h.region >= MaxRegions || h.first >= h.geometry.maxPages() || size > math.MaxInt32 {
		return h, false
	}
	h.payload = int(size)
	return h, h.consistent()
}

// consistent reports whether the fields are ones that the type may have.
func (h *frameHeader) consistent() bool {
	switch h.typ {
	case pagesFrame:
		return h.pages >= 1 && h.pages <= h.geometry.clusterPages() && h.size() <= int64(h.geometry.maxFramePages(h.pages))
	case headerFrame, roundFrame, endFrame:
		if h.region != 0 || h.first != 0 {
			return false
		}
	case regionFrame:
		if h.first != 0 {
			return false
		}
	}
	return h.pages == 0 && h.payload <= maxPayload
}
