/*
 * lzpage for QEMU: packets of multifd as LZRW1 frames, with deltas against
 * what the destination already has.
 *
 * A source makes a session for each migration and a channel for each multifd
 * thread; a destination makes a receiver and its channels. What goes over the
 * wire is, for each packet, one sparse pages frame as pagestream/SPEC.md
 * specifies it, of region 0, in clusters of 256 pages.
 *
 * The library keeps no pointer that it is given, and writes nowhere but where
 * a call says. It starts no thread and allocates nothing before the first
 * lzpage_session_new or lzpage_receiver_new. Any thread may make any call;
 * calls on one channel wait for each other.
 *
 * Licence: MIT
 */
#ifndef LZPAGE_QEMU_H
#define LZPAGE_QEMU_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What this header describes; lzpage_abi_version() must return the same. */
#define LZPAGE_ABI_VERSION 1

/* The most pages of a packet. */
#define LZPAGE_MAX_PAGES 256

/* Pages have 512 bytes to 64 KiB, a power of two. */
#define LZPAGE_MIN_PAGE_SIZE 512
#define LZPAGE_MAX_PAGE_SIZE 65536

/* The least size of a cache, in bytes; 0 is no cache and so no deltas. */
#define LZPAGE_MIN_CACHE_SIZE (UINT64_C(4) << 20)

enum {
    LZPAGE_LEVEL_FAST = 0,
    LZPAGE_LEVEL_DENSE = 1,
};

/* Errors are negative; lzpage_strerror has words for them. */
enum {
    LZPAGE_E_HANDLE = -1,      /* no such session, channel or receiver */
    LZPAGE_E_ARGUMENT = -2,    /* a size, offset or pointer that cannot be */
    LZPAGE_E_SPACE = -3,       /* less room than lzpage_frame_bound says */
    LZPAGE_E_CORRUPT = -4,     /* a damaged frame, or not that of the packet */
    LZPAGE_E_UNSUPPORTED = -5, /* a frame of a newer version */
    LZPAGE_E_MISMATCH = -6,    /* a delta to a page that is not here */
    LZPAGE_E_MEMORY = -7,      /* the system does not have the memory */
    LZPAGE_E_FAULT = -8,       /* memory that cannot be read or written */
    LZPAGE_E_INTERNAL = -9,    /* a fault of the library */
};

/* Kinds of pages, as indices of lzpage_stats.pages. */
enum {
    LZPAGE_KIND_ZERO = 0,
    LZPAGE_KIND_WORD = 1,         /* one word of 8 bytes throughout */
    LZPAGE_KIND_DUPLICATE = 2,    /* equal to another page of the packet */
    LZPAGE_KIND_PLAIN = 3,
    LZPAGE_KIND_LZRW1 = 4,
    LZPAGE_KIND_PLAIN_PACKED = 5, /* without words of zero */
    LZPAGE_KIND_LZRW1_PACKED = 6,
    LZPAGE_KIND_DELTA = 7,
    LZPAGE_KINDS = 8,
};

/* What a session or a receiver has done, all its channels together. */
struct lzpage_stats {
    uint64_t packets;
    uint64_t pages[LZPAGE_KINDS]; /* by kind */
    uint64_t unchanged;    /* deltas of pages that had not changed at all */
    uint64_t frame_bytes;  /* of all packets' frames */
    uint64_t delta_bytes;  /* of it, what deltas take */
    uint64_t zero_told;    /* pages told to lzpage_session_zero */
    uint64_t cache_hits;   /* pages sent before, found in the cache */
    uint64_t cache_misses; /* and not found */
    uint64_t rounds;       /* begun by lzpage_session_next_round */
    uint64_t cpu_ns;       /* CPU time of encoding or decoding */
};

uint32_t lzpage_abi_version(void);

/* Returns a static string, for anything. */
const char *lzpage_strerror(int64_t error);

/*
 * The most bytes of a frame of so many pages; 0 where there is no such frame.
 */
size_t lzpage_frame_bound(uint32_t page_size, uint32_t pages);

/*
 * Make a source's session, for one migration: a migration that is tried again
 * is another one. Returns a handle, which is positive, or an error.
 */
int64_t lzpage_session_new(uint32_t page_size, uint32_t level,
                           uint64_t cache_size);

/*
 * Begin a round: whatever is encoded from now on, the destination takes up
 * only when it has taken all that was encoded before. That is so behind a sync
 * of all multifd channels, and a delta is made only to what a page was in an
 * earlier round. No channel may be encoding meanwhile. A page is to be sent once
 * in a round: a delta that arrives behind a later version is refused. Returns 0
 * or an error.
 */
int64_t lzpage_session_next_round(int64_t session);

/*
 * Tell that pages go as zero, or otherwise, by other means than a frame: pages
 * at these offsets in the RAM block that begins at ram_addr_t block. It is
 * told before the destination can know. Returns 0 or an error.
 */
int64_t lzpage_session_zero(int64_t session, uint64_t block,
                            const uint64_t *offsets, uint32_t pages);

/* Make a channel of a session or a receiver. Returns a handle or an error. */
int64_t lzpage_channel_new(int64_t session_or_receiver);

/*
 * Encode a packet: pages at these offsets, in any order, none of them twice,
 * of the RAM block that begins at ram_addr_t block and at memory, size bytes
 * long. The guest may write to its pages meanwhile: what the frame holds is a
 * copy of some moment. frame has room for lzpage_frame_bound bytes at least;
 * what is behind the frame is undefined. Returns the frame's length or an
 * error, and then the session is of no further use.
 */
int64_t lzpage_encode(int64_t channel, uint64_t block, const void *memory,
                      uint64_t size, const uint64_t *offsets, uint32_t pages,
                      void *frame, size_t frame_size);

/* Make a destination's receiver. Returns a handle or an error. */
int64_t lzpage_receiver_new(uint32_t page_size);

/*
 * Decode a packet's frame into the RAM block at memory, size bytes long. It
 * must be of the pages at these offsets, in any order, and of no others.
 * Returns 0 or an error: pages that are at these offsets are then undefined,
 * all others as they were.
 */
int64_t lzpage_decode(int64_t channel, void *memory, uint64_t size,
                      const uint64_t *offsets, uint32_t pages,
                      const void *frame, size_t frame_size);

/*
 * Fill stats, whose size is given, of a session or a receiver. Returns 0 or an
 * error.
 */
int64_t lzpage_get_stats(int64_t session_or_receiver,
                         struct lzpage_stats *stats, size_t size);

/*
 * Write to text, of size bytes, what the last error of the handle was: the
 * page, the reason. It is empty if there was none. Returns 0 or an error.
 */
int64_t lzpage_last_error(int64_t handle, char *text, size_t size);

/*
 * Free what the handle stands for. Channels of a session or receiver are freed
 * with it, if not before; a call that is under way on another thread is
 * completed. Returns 0 or an error.
 */
int64_t lzpage_free(int64_t handle);

#ifdef __cplusplus
}
#endif

#endif
