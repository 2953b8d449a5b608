//go:build !purego

#include "textflag.h"
#include "go_asm.h"

// The lockstep kernels: six lanes, one item each in turn, without a branch that
// depends on the data. One lane alone waits for the chain from position to
// hash, slot, candidate, length and next position; six of them fill the time.
// NEON makes the control words alone: to compare 16 bytes takes fewer
// instructions in general registers, as one pair of them also gives the hash
// its bytes.

// Where a lane has its fields, from its table on.
#define AT        (Lane_at-Lane_table)
#define POS       (Lane_pos-Lane_table)
#define LIMIT     (Lane_limit-Lane_table)
#define GROUPPOS  (Lane_groupPos-Lane_table)
#define GROUPAT   (Lane_groupAt-Lane_table)
#define LENGTHS   (Lane_lengths-Lane_table)
#define WINDOW    (Lane_data-Lane_table)
#define OUT       (Lane_out-Lane_table)

// Each lane's table, and where its next item is in memory, in data and in out.
#define T0 R0
#define T1 R1
#define T2 R2
#define T3 R3
#define T4 R4
#define T5 R5
#define P0 R6
#define P1 R7
#define P2 R8
#define P3 R9
#define P4 R10
#define P5 R11
#define O0 R12
#define O1 R13
#define O2 R14
#define O3 R15
#define O4 R16
#define O5 R17

// Scratch. R18 and R27 up belong to others.
#define A R19
#define B R20
#define C R21
#define X R22
#define Y R23

// Constants.
#define ONE R24
#define EIGHT R25
#define FACTOR R26 // of the hash

#define LITERAL V16 // a literal's length, 16 times
#define WEIGHTS V17 // of the control word's bits, in its two bytes

DATA controlBits<>+0(SB)/8, $0x8040201008040201
DATA controlBits<>+8(SB)/8, $0x8040201008040201
GLOBL controlBits<>(SB), RODATA|NOPTR, $16

// The slot of the three low bytes of X, to A: times 2654435761 << 8, so that
// the fourth byte falls out.
#define FASTFACTOR $0x3779B100
#define HASH \
	MULW FACTOR, X, A; \
	LSRW $20, A

// The same by the hash of 1991: ((b0 << 4 ^ b1) << 4 ^ b2) * 40543, bits 4 to 15.
#define FACTOR1991 $40543
#define HASH1991 \
	UBFIZW $8, X, $8, A; \
	UBFXW  $8, X, $8, B; \
	UBFXW  $16, X, $8, C; \
	EORW   B<<4, A; \
	EORW   C, A; \
	MULW   FACTOR, A, A; \
	UBFXW  $4, A, $12, A

// Item number s of the group of the lane with table T, at P in data, to O in
// out. In the order of the lines:
// load 16 bytes, and hash the first three;
// take the candidate from the slot, turn it into an address, and enter P;
// load 16 bytes there, and turn the address into an offset;
// subtract: the lowest bit that is not 0 is where the lowest was that differed;
// count the bits below it in the first eight bytes, or in the others if these
// are all 0, where there may be 64; that makes the length;
// set the carry if there is a copy: the offset at most 4095, the length 3 or
// more;
// a copy item is offset bits 0-7, bits 8-11, length-1, from the high bits down;
// otherwise the item is the byte at P, followed by bytes that the next item
// overwrites, and counts for 1 byte in and 1 out;
// keep the length for the control word.
#define ITEM(HASH, T, P, O, s) \
	LDP   (P), (X, Y); \
	HASH; \
	MOVHU (T)(A<<1), C; \
	ADD   $WINDOW, T, B; \
	ADD   B, C; \
	SUB   B, P, B; \
	MOVH  B, (T)(A<<1); \
	LDP   (C), (A, B); \
	SUB   C, P, C; \
	SUBS  A, X, A; \
	SUB   B, Y, B; \
	CSEL  NE, A, B, B; \
	CSEL  NE, ZR, EIGHT, A; \
	RBIT  B, B; \
	CLZ   B, B; \
	ADD   B>>3, A, A; \
	ADD   C<<12, C, B; \
	AND   $~0xFF, B, B; \
	ADD   B>>4, A, B; \
	SUB   $1, B, B; \
	TST   $0xF000, C; \
	CCMP  EQ, A, $3, $0; \
	CSEL  HS, B, X, B; \
	MOVH  B, (O); \
	CSINC HS, A, ZR, A; \
	MOVB  A, (LENGTHS+s)(T); \
	ADC   ONE, O, O; \
	ADD   A, P, P

#define FAST(T, P, O, s) ITEM(HASH, T, P, O, s)
#define REFERENCE(T, P, O, s) ITEM(HASH1991, T, P, O, s)

// One item of every lane.
#define STEP(SCHEME, s) \
	SCHEME(T0, P0, O0, s); \
	SCHEME(T1, P1, O1, s); \
	SCHEME(T2, P2, O2, s); \
	SCHEME(T3, P3, O3, s); \
	SCHEME(T4, P4, O4, s); \
	SCHEME(T5, P5, O5, s)

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

// Find the table of the lane whose address is in C, and go on to the next one.
#define ENTER(T, P, O) \
	ADD  $Lane_table, C, T; \
	MOVD POS(T), A; \
	ADD  $WINDOW, T, B; \
	ADD  A, B, P; \
	MOVD AT(T), A; \
	ADD  $OUT, T, B; \
	ADD  A, B, O; \
	ADD  $Lane__size, C

// Turn the addresses back into positions: in data, A, and in out, B.
#define POSITIONS(T, P, O) \
	ADD $WINDOW, T, A; \
	SUB A, P, A; \
	ADD $OUT, T, B; \
	SUB B, O, B

// Leave room for a control word.
#define BEGIN(T, P, O) \
	POSITIONS(T, P, O); \
	MOVD A, GROUPPOS(T); \
	MOVD B, GROUPAT(T); \
	ADD  $2, O

// Write the control word: a bit for each length that is not a literal's, eight
// to a byte; adding neighbours three times makes bytes 0 and 1 of it.
#define CLOSE(T, P, O) \
	SUB   $-LENGTHS, T, A; \
	VLD1  (A), [V0.B16]; \
	VCMEQ LITERAL.B16, V0.B16, V0.B16; \
	VAND  WEIGHTS.B16, V0.B16, V0.B16; \
	VEOR  WEIGHTS.B16, V0.B16, V0.B16; \
	VADDP V0.B16, V0.B16, V0.B16; \
	VADDP V0.B16, V0.B16, V0.B16; \
	VADDP V0.B16, V0.B16, V0.B16; \
	MOVD  GROUPAT(T), B; \
	ADD   $OUT, T, A; \
	ADD   B, A; \
	VST1  V0.H[0], (A)

// Let X go below 0 if the lane is behind its limit.
#define CHECK(T, P, O) \
	POSITIONS(T, P, O); \
	MOVD LIMIT(T), B; \
	SUB  A, B; \
	ORR  B, X

#define LEAVE(T, P, O) \
	POSITIONS(T, P, O); \
	MOVD A, POS(T); \
	MOVD B, AT(T)

#define ALL(DO) \
	DO(T0, P0, O0); \
	DO(T1, P1, O1); \
	DO(T2, P2, O2); \
	DO(T3, P3, O3); \
	DO(T4, P4, O4); \
	DO(T5, P5, O5)

#define CONSTANTS \
	MOVD  $1, ONE; \
	MOVD  $8, EIGHT; \
	VMOVI $1, LITERAL.B16; \
	MOVD  $controlBits<>(SB), A; \
	VLD1  (A), [WEIGHTS.B16]

// func fastLockstepNEON(lanes *[LaneCount]Lane)
//
// Contract: no lane has stopped. Groups are encoded in all lanes until one has
// stopped. Touches the lanes alone. Clobbers R0-R17, R19-R26, V0, V16, V17.
TEXT ·fastLockstepNEON(SB), NOSPLIT, $0-8
	MOVD lanes+0(FP), C
	ALL(ENTER)
	CONSTANTS
	MOVD FASTFACTOR, FACTOR

group:
	ALL(BEGIN)
	GROUP(FAST)
	ALL(CLOSE)
	MOVD ZR, X
	ALL(CHECK)
	TBZ  $63, X, group

	ALL(LEAVE)
	RET

// func referenceLockstepNEON(lanes *[LaneCount]Lane)
//
// Contract: as fastLockstepNEON.
TEXT ·referenceLockstepNEON(SB), NOSPLIT, $0-8
	MOVD lanes+0(FP), C
	ALL(ENTER)
	CONSTANTS
	MOVD FACTOR1991, FACTOR

group:
	ALL(BEGIN)
	GROUP(REFERENCE)
	ALL(CLOSE)
	MOVD ZR, X
	ALL(CHECK)
	TBZ  $63, X, group

	ALL(LEAVE)
	RET
