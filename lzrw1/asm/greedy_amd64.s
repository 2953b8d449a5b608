//go:build !purego

#include "textflag.h"
#include "go_asm.h"

// The lockstep kernels: six lanes, one item each in turn, without a branch that
// depends on the data. One lane alone waits some 35 cycles an item for the
// chain from position to hash, slot, candidate, length and next position; six
// of them fill the time. SSE2 is all they need: TZCNT is read as BSF by
// processors without it, and is never given 0.

// Where lane k has its fields, from the first lane's address on.
#define AT(k)      (k*Lane__size+Lane_at)
#define POS(k)     (k*Lane__size+Lane_pos)
#define LIMIT(k)   (k*Lane__size+Lane_limit)
#define GROUPPOS(k) (k*Lane__size+Lane_groupPos)
#define GROUPAT(k) (k*Lane__size+Lane_groupAt)
#define LENGTHS(k) (k*Lane__size+Lane_lengths)
#define TABLE(k)   (k*Lane__size+Lane_table)
#define WINDOW(k)    (k*Lane__size+Lane_data)
#define OUT(k)     (k*Lane__size+Lane_out)

#define LANES SI // address of the first lane
#define A AX
#define C CX

// Each lane's position in data, and in out where its next item goes.
#define POS0 BX
#define POS1 DX
#define POS2 DI
#define POS3 R8
#define POS4 R9
#define POS5 R10
#define O0 R11
#define O1 R12
#define O2 R13
#define O3 R14
#define O4 R15
#define O5 BP

DATA one<>+0(SB)/4, $1
GLOBL one<>(SB), RODATA|NOPTR, $4
DATA ones<>+0(SB)/4, $0xFFFFFFFF
GLOBL ones<>(SB), RODATA|NOPTR, $4
DATA twos<>+0(SB)/8, $0x0202020202020202
DATA twos<>+8(SB)/8, $0x0202020202020202
GLOBL twos<>(SB), RODATA|NOPTR, $16

// The slot of the three bytes at position I, to A: times 2654435761 << 8, so
// that the fourth byte falls out.
#define HASH(k, I) \
	IMUL3L $0x3779B100, WINDOW(k)(LANES)(I*1), A; \
	SHRL   $20, A

// The same by the hash of 1991: ((b0 << 4 ^ b1) << 4 ^ b2) * 40543, bits 4 to 15.
#define HASH1991(k, I) \
	MOVBLZX (WINDOW(k)+0)(LANES)(I*1), A; \
	SHLL    $4, A; \
	XORB    (WINDOW(k)+1)(LANES)(I*1), A; \
	SHLL    $4, A; \
	XORB    (WINDOW(k)+2)(LANES)(I*1), A; \
	IMUL3L  $40543, A, A; \
	SHRL    $4, A; \
	ANDL    $0xFFF, A

// Item number s of the group of lane k, at position I, with its slot in A. In
// the order of the lines:
// take the candidate from the slot and enter I;
// compare 16 bytes, and make a mask of those that differ, in A;
// turn the candidate into an offset, in C, and an offset beyond 4095 into a
// mask of all, so that nothing agrees;
// the lowest bit's number is the length; keep it for the control word;
// a copy item is offset bits 0-7, bits 8-11, length-1, from the high bits down;
// below a length of 3, the item is the byte at I, followed by bytes that the
// next item overwrites, and counts for 1 byte in and 1 out.
#define ITEM(k, I, O, s) \
	MOVWLZX  TABLE(k)(LANES)(A*2), C; \
	MOVW     I, TABLE(k)(LANES)(A*2); \
	MOVOU    WINDOW(k)(LANES)(C*1), X0; \
	MOVOU    WINDOW(k)(LANES)(I*1), X1; \
	PCMPEQB  X1, X0; \
	PMOVMSKB X0, A; \
	NOTL     A; \
	NEGL     C; \
	ADDL     I, C; \
	TESTL    $0xF000, C; \
	CMOVLNE  ones<>(SB), A; \
	TZCNTL   A, A; \
	MOVB     A, (LENGTHS(k)+s)(LANES); \
	IMUL3L   $0x1001, C, C; \
	SHRL     $4, C; \
	ANDL     $0xFFF0, C; \
	LEAL     -1(C)(A*1), C; \
	CMPL     A, $3; \
	CMOVLCS  WINDOW(k)(LANES)(I*1), C; \
	MOVW     C, OUT(k)(LANES)(O*1); \
	CMOVLCS  one<>(SB), A; \
	SBBQ     $-2, O; \
	ADDQ     A, I

#define FAST(k, I, O, s) HASH(k, I); ITEM(k, I, O, s)
#define REFERENCE(k, I, O, s) HASH1991(k, I); ITEM(k, I, O, s)

// One item of every lane.
#define STEP(SCHEME, s) \
	SCHEME(0, POS0, O0, s); \
	SCHEME(1, POS1, O1, s); \
	SCHEME(2, POS2, O2, s); \
	SCHEME(3, POS3, O3, s); \
	SCHEME(4, POS4, O4, s); \
	SCHEME(5, POS5, O5, s)

// Sixteen items of every lane.
#define GROUP(SCHEME) \
	STEP(SCHEME, 0); \
	STEP(SCHEME, 1); \
	STEP(SCHEME, 2); \
	STEP(SCHEME, 3); \
	STEP(SCHEME, 4); \
	STEP(SCHEME, 5); \
	STEP(SCHEME, 6); \
	STEP(SCHEME, 7); \
	STEP(SCHEME, 8); \
	STEP(SCHEME, 9); \
	STEP(SCHEME, 10); \
	STEP(SCHEME, 11); \
	STEP(SCHEME, 12); \
	STEP(SCHEME, 13); \
	STEP(SCHEME, 14); \
	STEP(SCHEME, 15)

#define ENTER(k, I, O) \
	MOVQ POS(k)(LANES), I; \
	MOVQ AT(k)(LANES), O

// Leave room for a control word.
#define BEGIN(k, I, O) \
	MOVQ I, GROUPPOS(k)(LANES); \
	MOVQ O, GROUPAT(k)(LANES); \
	ADDQ $2, O

// Write the control word: a bit for each length above 2.
#define CLOSE(k, I, O) \
	MOVOU    LENGTHS(k)(LANES), X0; \
	PCMPGTB  X2, X0; \
	PMOVMSKB X0, A; \
	MOVQ     GROUPAT(k)(LANES), C; \
	MOVW     A, OUT(k)(LANES)(C*1)

// Let A go below 0 if the lane is behind its limit.
#define CHECK(k, I, O) \
	MOVQ LIMIT(k)(LANES), C; \
	SUBQ I, C; \
	ORQ  C, A

#define LEAVE(k, I, O) \
	MOVQ I, POS(k)(LANES); \
	MOVQ O, AT(k)(LANES)

#define ALL(DO) \
	DO(0, POS0, O0); \
	DO(1, POS1, O1); \
	DO(2, POS2, O2); \
	DO(3, POS3, O3); \
	DO(4, POS4, O4); \
	DO(5, POS5, O5)

// func fastLockstep(lanes *[LaneCount]Lane)
//
// Contract: no lane has stopped. Groups are encoded in all lanes until one has
// stopped. Touches the lanes alone. Clobbers all but SP.
TEXT ·fastLockstep(SB), NOSPLIT, $8-8
	MOVQ lanes+0(FP), LANES
	ALL(ENTER)

group:
	ALL(BEGIN)
	GROUP(FAST)
	MOVOU twos<>(SB), X2
	ALL(CLOSE)
	XORL  A, A
	ALL(CHECK)
	TESTQ A, A
	JPL   group

	ALL(LEAVE)
	RET

// func referenceLockstep(lanes *[LaneCount]Lane)
//
// Contract: as fastLockstep.
TEXT ·referenceLockstep(SB), NOSPLIT, $8-8
	MOVQ lanes+0(FP), LANES
	ALL(ENTER)

group:
	ALL(BEGIN)
	GROUP(REFERENCE)
	MOVOU twos<>(SB), X2
	ALL(CLOSE)
	XORL  A, A
	ALL(CHECK)
	TESTQ A, A
	JPL   group

	ALL(LEAVE)
	RET
