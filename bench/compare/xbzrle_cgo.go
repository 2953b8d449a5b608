//go:build cgo

package main

/*
#cgo CFLAGS: -O2
#include <stddef.h>
#include <stdint.h>
#include <string.h>

// A twin of QEMU's XBZRLE: the algorithm of the portable encoder and of the
// decoder in QEMU 10.0, step by step, in a text of its own. QEMU is built with
// -O2 too. What QEMU does around it, such as to look up its cache, is left out.

typedef unsigned long word;

static inline word word_at(const uint8_t *p)
{
	word w;
	memcpy(&w, p, sizeof w);
	return w;
}

// Returns where the run of equal bytes that begins at i ends. Single bytes lead
// to the next word, words as far as they are equal, bytes to the end.
static inline int end_of_equal(const uint8_t *old, const uint8_t *new, int i, int n)
{
	for (; (n - i) % sizeof(word); i++)
		if (old[i] != new[i])
			return i;
	while (i < n && word_at(old + i) == word_at(new + i))
		i += sizeof(word);
	while (i < n && old[i] == new[i])
		i++;
	return i;
}

// Returns where the run of changed bytes that begins at i ends. A word with an
// equal byte is one whose XOR has a zero byte.
static inline int end_of_changed(const uint8_t *old, const uint8_t *new, int i, int n)
{
	const word ones = (word)0x0101010101010101;
	for (; (n - i) % sizeof(word); i++)
		if (old[i] == new[i])
			return i;
	for (; i < n; i += sizeof(word)) {
		word x = word_at(old + i) ^ word_at(new + i);
		if ((x - ones) & ~x & ones << 7) {
			while (old[i] != new[i])
				i++;
			return i;
		}
	}
	return i;
}

// ULEB128 of at most two bytes.
static inline int put_length(uint8_t *dst, int n)
{
	if (n < 0x80) {
		dst[0] = n;
		return 1;
	}
	dst[0] = n | 0x80;
	dst[1] = n >> 7;
	return 2;
}

// Returns how many bytes the length takes, or -1 if it is too long.
static inline int get_length(const uint8_t *src, int *n)
{
	*n = src[0] & 0x7f;
	if (!(src[0] & 0x80))
		return 1;
	if (src[1] & 0x80)
		return -1;
	*n |= src[1] << 7;
	return 2;
}

// Returns the length of the record, 0 where nothing has changed, -1 where it
// would not fit into room. A record that ends less than two bytes before that
// counts as one that does not fit if equal bytes follow.
static int xbzrle_encode(uint8_t *dst, int room, const uint8_t *old, const uint8_t *new, int n)
{
	int used = 0;
	for (int i = 0; i < n;) {
		if (used + 2 > room)
			return -1;
		int start = i;
		i = end_of_equal(old, new, i, n);
		if (i == n)
			return used;
		used += put_length(dst + used, i - start);

		if (used + 2 > room)
			return -1;
		start = i;
		i = end_of_changed(old, new, i, n);
		used += put_length(dst + used, i - start);
		if (used + (i - start) > room)
			return -1;
		memcpy(dst + used, new + start, i - start);
		used += i - start;
	}
	return used;
}

// Returns 0, or -1 where the record is not in order.
static int xbzrle_decode(uint8_t *page, int n, const uint8_t *src, int length)
{
	int at = 0;
	for (int i = 0; i < length;) {
		int run, taken;

		if (length - i < 2)
			return -1;
		taken = get_length(src + i, &run);
		if (taken < 0 || (i > 0 && run == 0))
			return -1;
		i += taken;
		at += run;
		if (at > n)
			return -1;

		if (length - i < 2)
			return -1;
		taken = get_length(src + i, &run);
		if (taken < 0 || run == 0)
			return -1;
		i += taken;
		if (at + run > n || i + run > length)
			return -1;
		memcpy(page + at, src + i, run);
		at += run;
		i += run;
	}
	return 0;
}

// A page whose record does not fit, or is as long as the page, is stored as it
// is.
static size_t xbzrle_encode_pages(uint8_t *dst, const uint8_t *old, const uint8_t *new, size_t n, int page, size_t *ends)
{
	size_t at = 0;
	for (size_t i = 0; i < n; i += page) {
		int length = xbzrle_encode(dst + at, page, old + i, new + i, page);
		if (length < 0 || length == page) {
			memcpy(dst + at, new + i, page);
			length = page;
		}
		at += length;
		*ends++ = at;
	}
	return at;
}

// Returns how many pages came back. dst holds the old ones.
static size_t xbzrle_decode_pages(uint8_t *dst, size_t n, int page, const uint8_t *src, const size_t *ends)
{
	size_t start = 0;
	for (size_t i = 0; i < n; i += page) {
		size_t end = *ends++;
		if (end - start == page)
			memcpy(dst + i, src + start, page);
		else if (xbzrle_decode(dst + i, page, src + start, end - start) < 0)
			return i / page;
		start = end;
	}
	return n / page;
}
*/
import "C"

import (
	"fmt"
	"unsafe"

	"github.com/lzpage/lzpage/bench/pages"
)

// A cXBZRLE is a recordCoder of XBZRLE in C.
type cXBZRLE struct {
	encoded []byte
	ends    []C.size_t
}

func (c *cXBZRLE) encode(m memory) (int, error) {
	if len(c.encoded) < len(m.data) {
		c.encoded = make([]byte, len(m.data))
	}
	if n := len(m.data) / pages.Size; len(c.ends) != n {
		c.ends = make([]C.size_t, n)
	}
	total := C.xbzrle_encode_pages(cBytes(c.encoded), cBytes(m.old), cBytes(m.data), C.size_t(len(m.data)), pages.Size,
		unsafe.SliceData(c.ends))
	return int(total), nil
}

func (c *cXBZRLE) decode(dst []byte) error {
	good := C.xbzrle_decode_pages(cBytes(dst), C.size_t(len(dst)), pages.Size, cBytes(c.encoded), unsafe.SliceData(c.ends))
	if int(good) != len(c.ends) {
		return fmt.Errorf("the record of page %d is not in order", good)
	}
	return nil
}
