//go:build cgo

package main

/*
#cgo CFLAGS: -O2
#cgo LDFLAGS: -llz4 -lzstd
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <lz4.h>
#include <zstd.h>

// The loops over the blocks are in C too, so that no codec pays for a call
// from Go to C for each page. They do what blockCoder does. Where old is not
// NULL, blocks are pages and what is encoded is their XOR with those of old.

enum { page_bytes = 4096 };

static void xor_page(uint8_t *restrict dst, const uint8_t *restrict a, const uint8_t *restrict b)
{
	for (size_t i = 0; i < page_bytes; i++)
		dst[i] = a[i] ^ b[i];
}

static void xor_onto(uint8_t *restrict page, const uint8_t *restrict difference)
{
	for (size_t i = 0; i < page_bytes; i++)
		page[i] ^= difference[i];
}

typedef size_t (*block_coder)(void *state, int level, void *dst, size_t room, const void *src, size_t n);

static size_t encode_blocks(block_coder encode, void *state, int level, uint8_t *dst, size_t room,
                            const uint8_t *src, const uint8_t *old, size_t n, size_t block, size_t *ends)
{
	uint8_t difference[page_bytes];
	size_t at = 0;
	for (size_t i = 0; i < n; i += block) {
		const void *content = src + i;
		if (old) {
			xor_page(difference, old + i, src + i);
			content = difference;
		}
		size_t length = encode(state, level, dst + at, room, content, block);
		if (length == 0 || length >= block) {
			memcpy(dst + at, src + i, block);
			length = block;
		}
		at += length;
		*ends++ = at;
	}
	return at;
}

// Returns how many blocks came back in their full length. If they are XORs, dst
// holds old.
static size_t decode_blocks(block_coder decode, void *state, uint8_t *dst, int xored, size_t n, size_t block,
                            const uint8_t *src, const size_t *ends)
{
	uint8_t difference[page_bytes];
	size_t start = 0;
	for (size_t i = 0; i < n; i += block) {
		size_t end = *ends++;
		if (end - start == block)
			memcpy(dst + i, src + start, block);
		else if (decode(state, 0, xored ? difference : dst + i, block, src + start, end - start) != block)
			return i / block;
		else if (xored)
			xor_onto(dst + i, difference);
		start = end;
	}
	return n / block;
}

size_t lz4_encode(void *state, int acceleration, void *dst, size_t room, const void *src, size_t n)
{
	return LZ4_compress_fast_extState(state, src, dst, (int)n, (int)room, acceleration);
}

size_t lz4_decode(void *state, int level, void *dst, size_t room, const void *src, size_t n)
{
	(void)state, (void)level;
	return LZ4_decompress_safe(src, dst, (int)n, (int)room); // negative, so too large, where it fails
}

size_t zstd_encode(void *state, int level, void *dst, size_t room, const void *src, size_t n)
{
	return ZSTD_compressCCtx(state, dst, room, src, n, level); // too large where it fails
}

size_t zstd_decode(void *state, int level, void *dst, size_t room, const void *src, size_t n)
{
	(void)level;
	return ZSTD_decompressDCtx(state, dst, room, src, n);
}
*/
import "C"

import (
	"fmt"
	"unsafe"
)

// missing says which codecs this program was built without.
const missing = ""

// cLibraries returns the versions of the C libraries.
func cLibraries() map[string]string {
	return map[string]string{
		"LZ4 C":  C.GoString(C.LZ4_versionString()),
		"zstd C": C.GoString(C.ZSTD_versionString()),
	}
}

func cCodecs() []codec {
	return []codec{
		{name: baseline, class: inC, start: startLZ4C},
		{name: "zstd -1 C", class: inC, start: startZstdC(-1)},
		{name: "zstd 1 C", class: inC, start: startZstdC(1)},
		{name: "zstd 3 C", class: inC, start: startZstdC(3)},
	}
}

func cDeltaCodecs() []codec {
	return []codec{
		{name: xbzrleC, class: inC, start: func(int) coder { return new(cXBZRLE) }},
		{name: "LZ4 C of the XOR", class: inC, start: ofXOR(startLZ4C)},
		{name: zstdOfXOR, class: inC, start: ofXOR(startZstdC(1))},
		{name: baseline, class: inC, start: startLZ4C},
		{name: "zstd 1 C", class: inC, start: startZstdC(1)},
	}
}

// A cCoder is a blockCoder of a codec in C.
type cCoder struct {
	blockBytes               int
	encodeBlock, decodeBlock C.block_coder
	level                    C.int
	encodeState, decodeState unsafe.Pointer // live as long as the program
	xor                      bool           // with the earlier version
	encoded                  []byte
	ends                     []C.size_t
}

func startLZ4C(blockBytes int) coder {
	return &cCoder{
		blockBytes:  blockBytes,
		encodeBlock: C.block_coder(C.lz4_encode),
		decodeBlock: C.block_coder(C.lz4_decode),
		level:       1,
		encodeState: C.malloc(C.size_t(C.LZ4_sizeofState())),
	}
}

func startZstdC(level C.int) func(int) coder {
	return func(blockBytes int) coder {
		return &cCoder{
			blockBytes:  blockBytes,
			encodeBlock: C.block_coder(C.zstd_encode),
			decodeBlock: C.block_coder(C.zstd_decode),
			level:       level,
			encodeState: unsafe.Pointer(C.ZSTD_createCCtx()),
			decodeState: unsafe.Pointer(C.ZSTD_createDCtx()),
		}
	}
}

// ofXOR has a codec take the XOR of each page with its earlier version.
func ofXOR(start func(int) coder) func(int) coder {
	return func(blockBytes int) coder {
		c := start(blockBytes).(*cCoder)
		c.xor = true
		return c
	}
}

func (c *cCoder) encode(m memory) (int, error) {
	data := m.data
	room := blockRoom(c.blockBytes)
	if len(c.encoded) < len(data)+room {
		c.encoded = make([]byte, len(data)+room)
	}
	if n := len(data) / c.blockBytes; len(c.ends) != n {
		c.ends = make([]C.size_t, n)
	}
	var old []byte
	if c.xor {
		old = m.old
	}
	total := C.encode_blocks(c.encodeBlock, c.encodeState, c.level, cBytes(c.encoded), C.size_t(room),
		cBytes(data), cBytes(old), C.size_t(len(data)), C.size_t(c.blockBytes), unsafe.SliceData(c.ends))
	return int(total), nil
}

func (c *cCoder) decode(dst []byte) error {
	var xored C.int
	if c.xor {
		xored = 1
	}
	good := C.decode_blocks(c.decodeBlock, c.decodeState, cBytes(dst), xored, C.size_t(len(dst)), C.size_t(c.blockBytes),
		cBytes(c.encoded), unsafe.SliceData(c.ends))
	if int(good) != len(c.ends) {
		return fmt.Errorf("block %d does not come back", good)
	}
	return nil
}

func cBytes(b []byte) *C.uint8_t { return (*C.uint8_t)(unsafe.Pointer(unsafe.SliceData(b))) }
