package fuzz

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
)

// This file knows the stream from its specification alone, so that a mistake
// of package pagestream is not one of its tests as well.

const (
	headerSize    = 32
	regionSize    = 25 // of a region's payload, its fields left aside
	maxListed     = 64 // frames, by an index frame
	unknownLength = 1<<64 - 1

	typeHeader = 1
	typeRegion = 2
	typePages  = 3
	typeZeros  = 4
	typeIndex  = 5
	typeEnd    = 6
	typeRound  = 7
)

var (
	marker = []byte{0x89, 0x4C, 0x5A, 0x50}
	le     = binary.LittleEndian
	table  = crc32.MakeTable(crc32.Castagnoli)
)

func checksum(b []byte) uint32 { return crc32.Checksum(b, table) }

// A frame is a frame of a stream, without what can be worked out.
type frame struct {
	typ, geometry byte
	pages         uint16
	region        uint32
	first         uint64
	payload       []byte
}

func (f *frame) pageSize() int { return 1 << (f.geometry&0x0F + 9) }

// append appends the frame, with the CRCs that it should have.
func (f *frame) append(b []byte) []byte {
	at := len(b)
	b = append(b, marker...)
	b = append(b, f.typ, f.geometry)
	b = le.AppendUint16(b, f.pages)
	b = le.AppendUint32(b, f.region)
	b = le.AppendUint32(b, uint32(len(f.payload)))
	b = le.AppendUint64(b, f.first)
	b = le.AppendUint32(b, checksum(f.payload))
	b = le.AppendUint32(b, checksum(b[at:]))
	return append(b, f.payload...)
}

func join(frames []frame) []byte {
	var b []byte
	for i := range frames {
		b = frames[i].append(b)
	}
	return b
}

// split finds frames in what may once have been a stream. A frame ends where
// its header says if the next one begins there, and else where the next one
// begins.
func split(b []byte) []frame {
	var frames []frame
	for {
		at := bytes.Index(b, marker)
		if at < 0 || len(b)-at < headerSize {
			return frames
		}
		h := b[at:][:headerSize]
		rest := b[at+headerSize:]
		size := len(rest)
		if said := le.Uint32(h[12:]); uint64(said) <= uint64(len(rest)) &&
			(bytes.HasPrefix(rest[said:], marker) || int(said) == len(rest)) {
			size = int(said)
		} else if next := bytes.Index(rest, marker); next >= 0 {
			size = next
		}
		frames = append(frames, frame{h[4], h[5], le.Uint16(h[6:]), le.Uint32(h[8:]), le.Uint64(h[16:]), bytes.Clone(rest[:size])})
		b = rest[size:]
	}
}
