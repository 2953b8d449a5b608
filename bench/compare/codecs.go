package main

import (
	"slices"

	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
	"github.com/minio/minlz"
	"github.com/pierrec/lz4/v4"

	"github.com/lzpage/lzpage/bench/pages"
)

// clusterPages is how many pages a cluster has, as pagestream has by default.
const clusterPages = 16

// A mode is a way to cut memory into blocks, and a table of its own.
type mode struct {
	name       string
	title      string
	blockPages int
	codecs     []codec
}

func pageMode() mode {
	return mode{"pages", "Page by page: each page of 4 KiB alone, stored as it is where it does not shrink.", 1,
		slices.Concat(ownPageCodecs(), rivals(), cCodecs())}
}

func clusterMode() mode {
	return mode{"clusters", "By cluster: 16 pages in a row, 64 KiB; stored as it is where it does not shrink, by LZRW1 page by page.", clusterPages,
		slices.Concat(ownClusterCodecs(), rivals(), cCodecs())}
}

func (m mode) blockBytes() int { return m.blockPages * pages.Size }

// Storing as it is, in blockCoder, is a memcpy each way.
var memcpy = codec{name: "memcpy", class: noCost, start: blockwise(
	func(_, _ []byte) (int, error) { return 0, nil }, nil)}

// rivals lists the codecs that need no C.
func rivals() []codec {
	return []codec{
		memcpy,
		{name: "s2", class: inGo, start: blockwise(
			func(dst, src []byte) (int, error) { return len(s2.Encode(dst, src)), nil }, decodeS2)},
		{name: "snappy (s2.EncodeSnappy)", class: inGo, start: blockwise(
			func(dst, src []byte) (int, error) { return len(s2.EncodeSnappy(dst, src)), nil }, decodeS2)},
		{name: "pierrec/lz4", class: inGo, start: startPierrec},
		{name: "minlz superfast", class: inGo, start: blockwise(encodeMinLZ(minlz.LevelSuperFast), decodeMinLZ)},
		{name: "minlz fastest", class: inGo, start: blockwise(encodeMinLZ(minlz.LevelFastest), decodeMinLZ)},
		{name: "klauspost zstd fastest", class: inGo, start: startZstd(zstd.SpeedFastest)},
		{name: "klauspost zstd default", class: inGo, start: startZstd(zstd.SpeedDefault)},
	}
}

func decodeS2(dst, src []byte) (int, error) {
	decoded, err := s2.Decode(dst, src)
	return len(decoded), err
}

func startPierrec(blockBytes int) coder {
	var compressor lz4.Compressor
	return blockwise(
		func(dst, src []byte) (int, error) { return compressor.CompressBlock(src, dst) },
		func(dst, src []byte) (int, error) { return lz4.UncompressBlock(src, dst) },
	)(blockBytes)
}

func encodeMinLZ(level int) blockEncoder {
	return func(dst, src []byte) (int, error) {
		encoded, err := minlz.Encode(dst, src, level)
		return len(encoded), err
	}
}

func decodeMinLZ(dst, src []byte) (int, error) {
	decoded, err := minlz.Decode(dst, src)
	return len(decoded), err
}

// startZstd leaves out the checksum, as the C library does by default.
func startZstd(level zstd.EncoderLevel) func(int) coder {
	return func(blockBytes int) coder {
		encoder, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(level), zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(false))
		if err != nil {
			panic(err) // the options are at fault, not the input
		}
		decoder, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1))
		if err != nil {
			panic(err)
		}
		return blockwise(
			func(dst, src []byte) (int, error) { return len(encoder.EncodeAll(src, dst[:0])), nil },
			func(dst, src []byte) (int, error) {
				decoded, err := decoder.DecodeAll(src, dst[:0])
				return len(decoded), err
			},
		)(blockBytes)
	}
}
