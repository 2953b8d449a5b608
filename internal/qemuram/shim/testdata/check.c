/*
 * check LIBRARY: tries all functions of the library, as QEMU would use them.
 * It prints what is wrong and then exits with 1.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lzpage-qemu.h"

#define FUNCTIONS(X)                                                           \
    X(lzpage_abi_version) X(lzpage_strerror) X(lzpage_frame_bound)             \
    X(lzpage_session_new) X(lzpage_session_next_round) X(lzpage_session_zero)  \
    X(lzpage_channel_new) X(lzpage_encode) X(lzpage_receiver_new)              \
    X(lzpage_decode) X(lzpage_get_stats) X(lzpage_last_error) X(lzpage_free)
#define POINTER(name) static __typeof__(name) *p_##name;
FUNCTIONS(POINTER)

enum { PAGE = 4096, PAGES = 400, PACKET = 128 };
#define MEMORY ((uint64_t)PAGES * PAGE)
#define BLOCK UINT64_C(0x100000000)

static atomic_int failures;

#define CHECK(condition)                                                       \
    do {                                                                       \
        if (!(condition)) {                                                    \
            printf("check.c:%d: not so: %s\n", __LINE__, #condition);          \
            failures++;                                                        \
        }                                                                      \
    } while (0)

#define EQUAL(got, want)                                                       \
    do {                                                                       \
        int64_t g_ = (got), w_ = (want);                                       \
        if (g_ != w_) {                                                        \
            printf("check.c:%d: %s is %" PRId64 ", not %" PRId64 "\n",         \
                   __LINE__, #got, g_, w_);                                    \
            failures++;                                                        \
        }                                                                      \
    } while (0)

static void load(const char *path)
{
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);

    if (!library) {
        printf("%s\n", dlerror());
        exit(1);
    }
#define LOOK_UP(name)                                                          \
    *(void **)&p_##name = dlsym(library, #name);                               \
    if (!p_##name) {                                                           \
        printf("%s is missing\n", #name);                                      \
        exit(1);                                                               \
    }
    FUNCTIONS(LOOK_UP)
}

static int threads(void)
{
    DIR *d = opendir("/proc/self/task");
    int n = 0;

    while (d && readdir(d)) {
        n++;
    }
    closedir(d);
    return n - 2; /* . and .. */
}

static uint8_t *map(int protection)
{
    void *p = mmap(NULL, MEMORY, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (p == MAP_FAILED) {
        perror("mmap");
        exit(1);
    }
    return p;
}

static uint32_t next_random(uint32_t *state)
{
    *state ^= *state << 13; /* xorshift; not from 0 */
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

static void fill(uint8_t *memory, uint32_t seed)
{
    for (uint64_t i = 0; i < MEMORY; i++) {
        uint32_t r = next_random(&seed);

        memory[i] = i / PAGE % 5 && r % 16 ? (uint32_t)"a guest's memory, "[i % 18] : r;
    }
}

static void all_offsets(uint64_t *offsets, int first, int n)
{
    for (int i = 0; i < n; i++) {
        offsets[i] = (uint64_t)(first + n - 1 - i) * PAGE; /* descending */
    }
}

static uint32_t crc32c(const uint8_t *p, size_t n)
{
    uint32_t crc = ~0u;

    while (n--) {
        crc ^= *p++;
        for (int k = 0; k < 8; k++) {
            crc = crc >> 1 ^ (crc & 1 ? 0x82F63B78 : 0);
        }
    }
    return ~crc;
}

/* gives a changed frame its checksums (of a little-endian machine) */
static void seal(uint8_t *frame, size_t size)
{
    uint32_t crc = crc32c(frame + 32, size - 32);

    memcpy(frame + 24, &crc, 4);
    crc = crc32c(frame, 28);
    memcpy(frame + 28, &crc, 4);
}

/* Loading starts nothing, and what needs no session works without. */
static void check_loaded(void)
{
    uint64_t offset = 0;
    uint8_t byte[8];
    struct lzpage_stats stats;

    EQUAL(p_lzpage_abi_version(), LZPAGE_ABI_VERSION);
    EQUAL(p_lzpage_frame_bound(4096, 1), 32 + 4096 + 64 + 32);
    EQUAL(p_lzpage_frame_bound(4096, 0), 0);
    EQUAL(p_lzpage_frame_bound(4096, 257), 0);
    EQUAL(p_lzpage_frame_bound(5000, 1), 0);
    EQUAL(p_lzpage_frame_bound(256, 1), 0);
    EQUAL(p_lzpage_frame_bound(131072, 1), 0);
    CHECK(!strcmp(p_lzpage_strerror(LZPAGE_E_CORRUPT),
                  "damaged frame, or one of other pages than its packet has"));
    for (int64_t e = -12; e <= 2; e++) {
        CHECK(p_lzpage_strerror(e) && *p_lzpage_strerror(e));
    }
    EQUAL(p_lzpage_session_next_round(1), LZPAGE_E_HANDLE);
    EQUAL(p_lzpage_session_zero(1, 0, &offset, 1), LZPAGE_E_HANDLE);
    EQUAL(p_lzpage_channel_new(1), LZPAGE_E_HANDLE);
    EQUAL(p_lzpage_encode(1, 0, byte, 8, &offset, 1, byte, 8), LZPAGE_E_HANDLE);
    EQUAL(p_lzpage_decode(1, byte, 8, &offset, 1, byte, 8), LZPAGE_E_HANDLE);
    EQUAL(p_lzpage_get_stats(1, &stats, sizeof(stats)), LZPAGE_E_HANDLE);
    EQUAL(p_lzpage_last_error(1, (char *)byte, 8), LZPAGE_E_HANDLE);
    EQUAL(p_lzpage_free(1), LZPAGE_E_HANDLE);
    EQUAL(p_lzpage_session_new(1000, 0, 0), LZPAGE_E_ARGUMENT);
    EQUAL(p_lzpage_session_new(4096, 2, 0), LZPAGE_E_ARGUMENT);
    EQUAL(p_lzpage_session_new(4096, 0, LZPAGE_MIN_CACHE_SIZE - 1), LZPAGE_E_ARGUMENT);
    EQUAL(p_lzpage_session_new(4096, 0, UINT64_MAX), LZPAGE_E_ARGUMENT);
    EQUAL(p_lzpage_receiver_new(0), LZPAGE_E_ARGUMENT);
    EQUAL(threads(), 1);
}

/* Packets arrive, the third round's as deltas, and are counted. */
static void check_round_trip(void)
{
    uint8_t *memory = map(PROT_READ | PROT_WRITE), *target = map(PROT_READ | PROT_WRITE);
    size_t room = p_lzpage_frame_bound(PAGE, PACKET);
    uint8_t *frame = malloc(room + 1);
    uint64_t offsets[PACKET];
    struct lzpage_stats in, out;
    int64_t session = p_lzpage_session_new(PAGE, LZPAGE_LEVEL_DENSE, LZPAGE_MIN_CACHE_SIZE);
    int64_t channel = p_lzpage_channel_new(session), other = p_lzpage_channel_new(session);
    int64_t receiver = p_lzpage_receiver_new(PAGE), taker = p_lzpage_channel_new(receiver);
    uint64_t bytes = 0;

    CHECK(session > 0 && channel > 0 && other > 0 && receiver > 0 && taker > 0);
    CHECK(threads() > 1);
    fill(memory, 1);
    frame[room] = 77;
    for (int round = 0; round < 4; round++) {
        for (int first = 0; first < PAGES; first += PACKET) {
            int n = first + PACKET <= PAGES ? PACKET : PAGES - first;
            int64_t size;

            all_offsets(offsets, first, n);
            size = p_lzpage_encode(round & 1 ? other : channel, BLOCK, memory, MEMORY, offsets, n, frame, room);
            CHECK(size > 32);
            bytes += size;
            EQUAL(p_lzpage_decode(taker, target, MEMORY, offsets, n, frame, size), 0);
        }
        CHECK(!memcmp(memory, target, MEMORY));
        EQUAL(p_lzpage_session_next_round(session), 0);
        for (int i = 1; i < PAGES; i++) {
            memory[i * PAGE + 100 * round] ^= 1; /* but for page 0 */
        }
    }
    all_offsets(offsets, 5, 3);
    EQUAL(p_lzpage_session_zero(session, BLOCK, offsets, 3), 0);
    CHECK(frame[room] == 77);

    EQUAL(p_lzpage_get_stats(session, &in, sizeof(in)), 0);
    EQUAL(p_lzpage_get_stats(receiver, &out, sizeof(out)), 0);
    EQUAL(in.packets, 4 * 4);
    EQUAL(in.frame_bytes, bytes);
    EQUAL(in.rounds, 4);
    EQUAL(in.zero_told, 3);
    EQUAL(in.unchanged, 2);
    EQUAL(in.cache_hits + in.cache_misses, 3 * PAGES);
    EQUAL(in.pages[LZPAGE_KIND_DELTA], in.cache_hits);
    CHECK(in.cache_hits > PAGES);
    CHECK(in.pages[LZPAGE_KIND_PLAIN] >= PAGES / 5 && in.pages[LZPAGE_KIND_LZRW1] >= PAGES * 4 / 5);
    CHECK(in.delta_bytes > 0 && in.delta_bytes < 100 * in.pages[LZPAGE_KIND_DELTA]);
    CHECK(in.cpu_ns > 0 && in.cpu_ns < UINT64_C(60000000000));
    CHECK(!memcmp(in.pages, out.pages, sizeof(in.pages)));
    EQUAL(out.packets, in.packets);
    EQUAL(out.frame_bytes, in.frame_bytes);
    CHECK(out.cpu_ns > 0 && out.cache_hits == 0);
    EQUAL(p_lzpage_get_stats(session, &in, sizeof(in) - 1), LZPAGE_E_SPACE);
    EQUAL(p_lzpage_get_stats(session, NULL, sizeof(in)), LZPAGE_E_ARGUMENT);
    EQUAL(p_lzpage_get_stats(channel, &in, sizeof(in)), LZPAGE_E_HANDLE);

    EQUAL(p_lzpage_free(channel), 0);
    EQUAL(p_lzpage_encode(channel, BLOCK, memory, MEMORY, offsets, 3, frame, room), LZPAGE_E_HANDLE);
    EQUAL(p_lzpage_free(session), 0);
    EQUAL(p_lzpage_encode(other, BLOCK, memory, MEMORY, offsets, 3, frame, room), LZPAGE_E_HANDLE);
    EQUAL(p_lzpage_free(other), LZPAGE_E_HANDLE);
    EQUAL(p_lzpage_free(session), LZPAGE_E_HANDLE);
    EQUAL(p_lzpage_free(receiver), 0);
    EQUAL(p_lzpage_free(taker), LZPAGE_E_HANDLE);
    free(frame);
    munmap(memory, MEMORY);
    munmap(target, MEMORY);
}

/* What is wrong is said, by number and in words, and nothing else happens. */
static void check_errors(void)
{
    uint8_t *memory = map(PROT_READ | PROT_WRITE), *target = map(PROT_READ | PROT_WRITE);
    uint8_t *nothing = map(PROT_NONE), *before = malloc(MEMORY);
    size_t room = p_lzpage_frame_bound(PAGE, PACKET);
    uint8_t *frame = malloc(room), *damaged = malloc(room);
    uint64_t offsets[LZPAGE_MAX_PAGES + 1], wrong[2];
    char text[200];
    int64_t session = p_lzpage_session_new(PAGE, LZPAGE_LEVEL_FAST, LZPAGE_MIN_CACHE_SIZE);
    int64_t channel = p_lzpage_channel_new(session);
    int64_t receiver = p_lzpage_receiver_new(PAGE), taker = p_lzpage_channel_new(receiver);
    int64_t size, second;

    fill(memory, 2);
    all_offsets(offsets, 0, LZPAGE_MAX_PAGES + 1);
    EQUAL(p_lzpage_last_error(channel, text, sizeof(text)), 0);
    EQUAL(strlen(text), 0);

#define ENCODE(channel, memory, size, offsets, n, frame, room)                 \
    p_lzpage_encode(channel, BLOCK, memory, size, offsets, n, frame, room)
    EQUAL(ENCODE(taker, memory, MEMORY, offsets, 1, frame, room), LZPAGE_E_HANDLE);
    EQUAL(ENCODE(session, memory, MEMORY, offsets, 1, frame, room), LZPAGE_E_HANDLE);
    EQUAL(ENCODE(-1, memory, MEMORY, offsets, 1, frame, room), LZPAGE_E_HANDLE);
    EQUAL(ENCODE(channel, NULL, MEMORY, offsets, 1, frame, room), LZPAGE_E_ARGUMENT);
    EQUAL(ENCODE(channel, memory, UINT64_MAX, offsets, 1, frame, room), LZPAGE_E_ARGUMENT);
    EQUAL(ENCODE(channel, (void *)(UINTPTR_MAX - 1), 4096, offsets, 1, frame, room), LZPAGE_E_ARGUMENT);
    EQUAL(ENCODE(channel, memory, MEMORY, NULL, 1, frame, room), LZPAGE_E_ARGUMENT);
    EQUAL(ENCODE(channel, memory, MEMORY, offsets, 0, frame, room), LZPAGE_E_ARGUMENT);
    EQUAL(ENCODE(channel, memory, MEMORY, offsets, LZPAGE_MAX_PAGES + 1, frame, room), LZPAGE_E_ARGUMENT);
    EQUAL(ENCODE(channel, memory, MEMORY, offsets, UINT32_MAX, frame, room), LZPAGE_E_ARGUMENT);
    EQUAL(ENCODE(channel, memory, MEMORY, offsets, 1, NULL, room), LZPAGE_E_ARGUMENT);
    EQUAL(ENCODE(channel, memory, MEMORY, offsets, PACKET, frame, room - 1), LZPAGE_E_SPACE);
    EQUAL(ENCODE(channel, memory, MEMORY, offsets, 1, frame, 0), LZPAGE_E_SPACE);
    EQUAL(ENCODE(channel, memory, 3 * PAGE, offsets, 1, frame, room), LZPAGE_E_ARGUMENT);
    wrong[0] = 100;
    EQUAL(ENCODE(channel, memory, MEMORY, wrong, 1, frame, room), LZPAGE_E_ARGUMENT);
    wrong[0] = wrong[1] = PAGE;
    EQUAL(ENCODE(channel, memory, MEMORY, wrong, 2, frame, room), LZPAGE_E_ARGUMENT);
    EQUAL(p_lzpage_last_error(channel, text, sizeof(text)), 0);
    CHECK(strstr(text, "the page at 0x1000 is twice in a packet"));
    EQUAL(p_lzpage_last_error(channel, text, 4), 0);
    EQUAL(strlen(text), 3);
    EQUAL(p_lzpage_last_error(channel, text, 0), LZPAGE_E_ARGUMENT);
    EQUAL(p_lzpage_last_error(channel, NULL, 4), LZPAGE_E_ARGUMENT);
    EQUAL(p_lzpage_last_error(99999, text, 4), LZPAGE_E_HANDLE);
    EQUAL(p_lzpage_session_zero(session, 1, offsets, 1), LZPAGE_E_ARGUMENT);
    EQUAL(p_lzpage_session_zero(session, BLOCK, NULL, 1), LZPAGE_E_ARGUMENT);
    EQUAL(p_lzpage_session_zero(receiver, BLOCK, offsets, 1), LZPAGE_E_HANDLE);
    EQUAL(p_lzpage_session_next_round(channel), LZPAGE_E_HANDLE);
    EQUAL(p_lzpage_channel_new(channel), LZPAGE_E_HANDLE);
    EQUAL(p_lzpage_session_new(PAGE, 0, UINT64_C(1) << 46), LZPAGE_E_MEMORY);
    for (uint32_t page = LZPAGE_MIN_PAGE_SIZE; page <= LZPAGE_MAX_PAGE_SIZE; page *= 2) {
        EQUAL(p_lzpage_free(p_lzpage_session_new(page, LZPAGE_LEVEL_DENSE, LZPAGE_MIN_CACHE_SIZE)), 0);
    }

    /* a guest's page that cannot be read, and one that cannot be written */
    EQUAL(ENCODE(channel, nothing, MEMORY, offsets, PACKET, frame, room), LZPAGE_E_FAULT);
    EQUAL(p_lzpage_last_error(session, text, sizeof(text)), 0);
    CHECK(strstr(text, "memory that cannot be read or written, at 0x"));
    size = ENCODE(channel, memory, MEMORY, offsets, PACKET, frame, room);
    CHECK(size > 32);
    EQUAL(p_lzpage_decode(taker, nothing, MEMORY, offsets, PACKET, frame, size), LZPAGE_E_FAULT);
    EQUAL(p_lzpage_decode(taker, target, MEMORY, offsets, PACKET, nothing, size), LZPAGE_E_FAULT);

    /* frames that are damaged or others than they should be */
    memcpy(before, target, MEMORY);
    for (int at = 0; at < size; at += at < 2000 ? 1 : 997) {
        memcpy(damaged, frame, size);
        damaged[at] ^= 0x40;
        EQUAL(p_lzpage_decode(taker, target, MEMORY, offsets, PACKET, damaged, size), LZPAGE_E_CORRUPT);
        EQUAL(p_lzpage_decode(taker, target, MEMORY, offsets, PACKET, frame, at), LZPAGE_E_CORRUPT);
    }
    EQUAL(p_lzpage_decode(taker, target, MEMORY, offsets, PACKET - 1, frame, size), LZPAGE_E_CORRUPT);
    EQUAL(p_lzpage_decode(taker, target, MEMORY, offsets + 1, PACKET, frame, size), LZPAGE_E_CORRUPT);
    EQUAL(p_lzpage_decode(taker, target, 3 * PAGE, offsets, PACKET, frame, size), LZPAGE_E_ARGUMENT);
    EQUAL(p_lzpage_decode(channel, target, MEMORY, offsets, PACKET, frame, size), LZPAGE_E_HANDLE);
    memcpy(damaged, frame, size);
    damaged[32] = 200; /* the kind of the first page */
    seal(damaged, size);
    EQUAL(p_lzpage_decode(taker, target, MEMORY, offsets, PACKET, damaged, size), LZPAGE_E_UNSUPPORTED);
    CHECK(!memcmp(before, target, MEMORY));
    EQUAL(p_lzpage_decode(taker, target, MEMORY, offsets, PACKET, frame, size), 0);

    /* a delta to something else: what was sent twice is in the cache */
    EQUAL(p_lzpage_session_next_round(session), 0);
    CHECK(ENCODE(channel, memory, MEMORY, offsets, PACKET, frame, room) > 32);
    EQUAL(p_lzpage_session_next_round(session), 0);
    for (int i = 0; i < PAGES; i++) {
        memory[i * PAGE]++;
    }
    second = ENCODE(channel, memory, MEMORY, offsets, PACKET, frame, room);
    CHECK(second > 32 && second < size / 2);
    for (int i = 0; i < PAGES; i++) {
        target[i * PAGE + 8]++;
    }
    EQUAL(p_lzpage_decode(taker, target, MEMORY, offsets, PACKET, frame, second), LZPAGE_E_MISMATCH);
    EQUAL(p_lzpage_last_error(receiver, text, sizeof(text)), 0);
    CHECK(strstr(text, ", page "));

    EQUAL(p_lzpage_free(session), 0);
    EQUAL(p_lzpage_free(receiver), 0);
    free(before);
    free(frame);
    free(damaged);
    munmap(memory, MEMORY);
    munmap(target, MEMORY);
    munmap(nothing, MEMORY);
}

/* A migration by several threads, with a guest that writes and signals that
 * come, whose handler was there before. */

enum { CHANNELS = 3, ROUNDS = 6 };

static uint8_t *guest, *destination;
static pthread_barrier_t sync_point;
static atomic_int guest_stops, signals;

static void on_signal(int number)
{
    (void)number;
    signals++;
}

static void *run_guest(void *unused)
{
    uint32_t seed = 5;

    while (!guest_stops) {
        guest[next_random(&seed) % MEMORY] = next_random(&seed);
    }
    return unused;
}

struct channel {
    int number;
    int64_t encoder, decoder;
};

static void *run_channel(void *argument)
{
    struct channel *c = argument;
    size_t room = p_lzpage_frame_bound(PAGE, PACKET);
    uint8_t *frame = malloc(room);
    uint64_t offsets[PACKET];

    for (int round = 0; round < ROUNDS; round++) {
        pthread_barrier_wait(&sync_point);
        for (int first = (c->number + round) % CHANNELS * 20; first < PAGES; first += CHANNELS * 20) {
            int64_t size;

            all_offsets(offsets, first, 20);
            size = p_lzpage_encode(c->encoder, BLOCK, guest, MEMORY, offsets, 20, frame, room);
            CHECK(size > 32);
            EQUAL(p_lzpage_decode(c->decoder, destination, MEMORY, offsets, 20, frame, size), 0);
        }
        pthread_barrier_wait(&sync_point);
    }
    free(frame);
    return NULL;
}

static void check_threads(void)
{
    struct channel channels[CHANNELS];
    pthread_t ids[CHANNELS], guest_id;
    struct itimerval often = { { 0, 2000 }, { 0, 2000 } }, never = { { 0, 0 }, { 0, 0 } };
    struct lzpage_stats stats;
    int64_t session = p_lzpage_session_new(PAGE, LZPAGE_LEVEL_FAST, LZPAGE_MIN_CACHE_SIZE);
    int64_t receiver = p_lzpage_receiver_new(PAGE);

    guest = map(PROT_READ | PROT_WRITE);
    destination = map(PROT_READ | PROT_WRITE);
    fill(guest, 3);
    pthread_barrier_init(&sync_point, NULL, CHANNELS + 1);
    setitimer(ITIMER_REAL, &often, NULL);
    pthread_create(&guest_id, NULL, run_guest, NULL);
    for (int i = 0; i < CHANNELS; i++) {
        channels[i] = (struct channel){ i, p_lzpage_channel_new(session), p_lzpage_channel_new(receiver) };
        CHECK(channels[i].encoder > 0 && channels[i].decoder > 0);
        pthread_create(&ids[i], NULL, run_channel, &channels[i]);
    }
    for (int round = 0; round < ROUNDS; round++) {
        EQUAL(p_lzpage_session_next_round(session), 0);
        if (round == ROUNDS - 1) {
            guest_stops = 1;
            pthread_join(guest_id, NULL);
        }
        pthread_barrier_wait(&sync_point);
        pthread_barrier_wait(&sync_point);
    }
    for (int i = 0; i < CHANNELS; i++) {
        pthread_join(ids[i], NULL);
    }
    setitimer(ITIMER_REAL, &never, NULL);
    CHECK(!memcmp(guest, destination, MEMORY));
    CHECK(signals > 0);
    EQUAL(p_lzpage_get_stats(session, &stats, sizeof(stats)), 0);
    EQUAL(stats.packets, ROUNDS * PAGES / 20);
    CHECK(stats.pages[LZPAGE_KIND_DELTA] > 0);
    EQUAL(p_lzpage_free(receiver), 0);
    EQUAL(p_lzpage_free(session), 0);
}

/* MiB of memory that the process has in use */
static long resident(void)
{
    FILE *file = fopen("/proc/self/statm", "r");
    long all, pages = 0;

    if (!file || fscanf(file, "%ld %ld", &all, &pages) != 2) {
        printf("/proc/self/statm cannot be read\n");
        failures++;
    }
    if (file) {
        fclose(file);
    }
    return pages * (sysconf(_SC_PAGESIZE) >> 10) >> 10;
}

/* A session's cache goes when it is freed, not some time later: the guest's
 * machine may have no memory to spare. */
static void check_memory(void)
{
    enum { CACHE = 96 };
    size_t room = p_lzpage_frame_bound(PAGE, PACKET);
    uint64_t offsets[PACKET], size = PACKET * PAGE;
    uint8_t *frame = malloc(room), *memory = malloc(size);
    int64_t session = p_lzpage_session_new(PAGE, LZPAGE_LEVEL_FAST, (uint64_t)CACHE << 20);
    int64_t channel = p_lzpage_channel_new(session);
    uint32_t seed = 7;
    long full, after;

    all_offsets(offsets, 0, PACKET);
    for (uint64_t i = 0; i < size; i++) {
        memory[i] = next_random(&seed) >> 8;
    }
    /* What is sent for the second time enters the cache in any case. */
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < CACHE * 2; i++) {
            CHECK(p_lzpage_encode(channel, i * size, memory, size, offsets, PACKET, frame, room) > 0);
        }
        EQUAL(p_lzpage_session_next_round(session), 0);
    }
    full = resident();
    CHECK(full > CACHE * 3 / 4);
    EQUAL(p_lzpage_free(session), 0);
    for (int i = 0; (after = resident()) > full - CACHE * 3 / 4 && i < 200; i++) {
        usleep(50000);
    }
    if (after > full - CACHE * 3 / 4) {
        printf("check.c: with a cache of %d MiB %ld MiB are in use, without it %ld MiB\n", CACHE, full, after);
        failures++;
    }
    free(frame);
    free(memory);
}

/* The program's limit of open files is what the program has set. */
static void check_limit(void)
{
    struct rlimit before = { 0 }, after = { 0 };
    int64_t receiver;

    getrlimit(RLIMIT_NOFILE, &before);
    CHECK(before.rlim_cur < before.rlim_max - 1);
    receiver = p_lzpage_receiver_new(PAGE);
    CHECK(receiver > 0);
    getrlimit(RLIMIT_NOFILE, &after);
    EQUAL(after.rlim_cur, before.rlim_cur);
    EQUAL(after.rlim_max, before.rlim_max);
    EQUAL(p_lzpage_free(receiver), 0);
}

static void check_all(void)
{
    check_limit(); /* first: with it the library starts */
    check_round_trip();
    check_errors();
    check_threads();
    check_memory();
}

int main(int argc, char **argv)
{
    struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
    struct rlimit files;
    pid_t child;
    int status;

    if (argc != 2) {
        printf("usage: check LIBRARY\n");
        return 2;
    }
    sigaction(SIGALRM, &action, NULL);
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = 256;
    setrlimit(RLIMIT_NOFILE, &files);
    EQUAL(threads(), 1);
    load(argv[1]);
    EQUAL(threads(), 1);
    check_loaded();

    /* a daemon forks after loading */
    fflush(stdout);
    child = fork();
    if (child == 0) {
        check_all();
        fflush(stdout);
        _exit(failures > 0);
    }
    if (waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status)) {
        printf("in a child it fails: %x\n", status);
        failures++;
    }
    EQUAL(threads(), 1);
    check_all();
    return failures > 0;
}
