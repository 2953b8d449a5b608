//go:build linux && cgo

/*
 * The functions of lzpage-qemu.h: what can be said without Go, and the checks
 * of what goes there.
 */
#include <string.h>

#include "_cgo_export.h"
#include "lzpage-qemu.h"
#include "start.h"

uint32_t lzpage_abi_version(void)
{
    return LZPAGE_ABI_VERSION;
}

const char *lzpage_strerror(int64_t error)
{
    switch (error) {
    case LZPAGE_E_HANDLE:
        return "no such session, channel or receiver";
    case LZPAGE_E_ARGUMENT:
        return "invalid argument";
    case LZPAGE_E_SPACE:
        return "not enough room for the result";
    case LZPAGE_E_CORRUPT:
        return "damaged frame, or one of other pages than its packet has";
    case LZPAGE_E_UNSUPPORTED:
        return "frame of a newer version";
    case LZPAGE_E_MISMATCH:
        return "delta to another version of a page than is here";
    case LZPAGE_E_MEMORY:
        return "not enough memory or threads";
    case LZPAGE_E_FAULT:
        return "memory that cannot be read or written";
    case LZPAGE_E_INTERNAL:
        return "internal error";
    }
    return error < 0 ? "unknown error" : "no error";
}

static int page_size_ok(uint32_t page_size)
{
    return page_size >= LZPAGE_MIN_PAGE_SIZE &&
           page_size <= LZPAGE_MAX_PAGE_SIZE &&
           (page_size & (page_size - 1)) == 0;
}

/* Whether there may be so many bytes at p. */
static int range_ok(const void *p, uint64_t size)
{
    return p && size <= PTRDIFF_MAX && (uintptr_t)p + size >= (uintptr_t)p;
}

static int offsets_ok(const uint64_t *offsets, uint32_t pages)
{
    return pages >= 1 && pages <= LZPAGE_MAX_PAGES &&
           range_ok(offsets, pages * sizeof(*offsets)) &&
           (uintptr_t)offsets % sizeof(*offsets) == 0;
}

/* Handles there are only once Go runs. */
static int handle_ok(int64_t handle)
{
    return handle > 0 && lzpage_started();
}

size_t lzpage_frame_bound(uint32_t page_size, uint32_t pages)
{
    if (!page_size_ok(page_size) || pages < 1 || pages > LZPAGE_MAX_PAGES) {
        return 0;
    }
    /* header, and for each page itself, a map of its words, its record */
    return 32 + (size_t)pages * (page_size + page_size / 64 + 32);
}

int64_t lzpage_session_new(uint32_t page_size, uint32_t level,
                           uint64_t cache_size)
{
    if (!page_size_ok(page_size) ||
        (level != LZPAGE_LEVEL_FAST && level != LZPAGE_LEVEL_DENSE) ||
        (cache_size != 0 && cache_size < LZPAGE_MIN_CACHE_SIZE) ||
        cache_size > PTRDIFF_MAX / 2) {
        return LZPAGE_E_ARGUMENT;
    }
    if (lzpage_start()) {
        return LZPAGE_E_MEMORY;
    }
    return goSessionNew(page_size, level, cache_size);
}

int64_t lzpage_session_next_round(int64_t session)
{
    return handle_ok(session) ? goNextRound(session) : LZPAGE_E_HANDLE;
}

int64_t lzpage_session_zero(int64_t session, uint64_t block,
                            const uint64_t *offsets, uint32_t pages)
{
    if (!handle_ok(session)) {
        return LZPAGE_E_HANDLE;
    }
    if (!offsets_ok(offsets, pages)) {
        return LZPAGE_E_ARGUMENT;
    }
    return goZero(session, block, (void *)offsets, pages);
}

int64_t lzpage_channel_new(int64_t session_or_receiver)
{
    return handle_ok(session_or_receiver) ? goChannelNew(session_or_receiver)
                                          : LZPAGE_E_HANDLE;
}

int64_t lzpage_encode(int64_t channel, uint64_t block, const void *memory,
                      uint64_t size, const uint64_t *offsets, uint32_t pages,
                      void *frame, size_t frame_size)
{
    if (!handle_ok(channel)) {
        return LZPAGE_E_HANDLE;
    }
    if (!range_ok(memory, size) || !offsets_ok(offsets, pages) ||
        !range_ok(frame, frame_size)) {
        return LZPAGE_E_ARGUMENT;
    }
    return goEncode(channel, block, (void *)memory, size, (void *)offsets,
                    pages, frame, frame_size);
}

int64_t lzpage_receiver_new(uint32_t page_size)
{
    if (!page_size_ok(page_size)) {
        return LZPAGE_E_ARGUMENT;
    }
    if (lzpage_start()) {
        return LZPAGE_E_MEMORY;
    }
    return goReceiverNew(page_size);
}

int64_t lzpage_decode(int64_t channel, void *memory, uint64_t size,
                      const uint64_t *offsets, uint32_t pages,
                      const void *frame, size_t frame_size)
{
    if (!handle_ok(channel)) {
        return LZPAGE_E_HANDLE;
    }
    if (!range_ok(memory, size) || !offsets_ok(offsets, pages) ||
        !range_ok(frame, frame_size)) {
        return LZPAGE_E_ARGUMENT;
    }
    return goDecode(channel, memory, size, (void *)offsets, pages,
                    (void *)frame, frame_size);
}

int64_t lzpage_get_stats(int64_t session_or_receiver,
                         struct lzpage_stats *stats, size_t size)
{
    if (!handle_ok(session_or_receiver)) {
        return LZPAGE_E_HANDLE;
    }
    if (!stats) {
        return LZPAGE_E_ARGUMENT;
    }
    if (size < sizeof(*stats)) {
        return LZPAGE_E_SPACE;
    }
    memset(stats, 0, sizeof(*stats));
    return goGetStats(session_or_receiver, stats);
}

int64_t lzpage_last_error(int64_t handle, char *text, size_t size)
{
    if (!handle_ok(handle)) {
        return LZPAGE_E_HANDLE;
    }
    if (size < 1 || !range_ok(text, size)) {
        return LZPAGE_E_ARGUMENT;
    }
    return goLastError(handle, text, size);
}

int64_t lzpage_free(int64_t handle)
{
    return handle_ok(handle) ? goFree(handle) : LZPAGE_E_HANDLE;
}
