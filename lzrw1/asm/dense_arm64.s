//go:build !purego

#include "textflag.h"
#include "go_asm.h"

// The phases of level Dense; dense.go says what they compute. None branches on
// data but where its loops end. B is a register here, and JMP the instruction.

// Instructions that the assembler does not know. Arguments are the numbers of
// vector registers, the destination first.

// MUL multiplies eight words, and MLA adds the product to what is there.
#define MUL(d, n, m) WORD $(0x4E609C00 | (m)<<16 | (n)<<5 | (d))
#define MLA(d, n, m) WORD $(0x4E609400 | (m)<<16 | (n)<<5 | (d))

// UMINP takes the lesser one of each two neighbouring bytes of n and of m.
#define UMINP(d, n, m) WORD $(0x6E20AC00 | (m)<<16 | (n)<<5 | (d))

// What the search loads where it needs it, by its place in searchTable.
#define LENGTHS   0x00 // the agreement's length less one, by the first byte that differs
#define IOTA      0x10 // 0, 1 ... 7
#define EIGHT     0x20
#define MAXNUMBER 0x30
#define LOSS1     0x40 // what a key loses one, two, four and eight positions on
#define LOSS2     0x50
#define LOSS4     0x60
#define LOSS8     0x70
#define LOSSLOW   0x80 // and on its way to the 1st, 2nd ... 16th position behind it:
#define LOSSHIGH  0x90 // all of it at last
#define HASHA     0xA0
#define HASHB     0xB0
#define HASHC     0xC0
#define HASHD     0xD0

// WORDS8 defines eight equal words.
#define WORDS8(place, value) \
	DATA searchTable<>+(place)(SB)/8, value; \
	DATA searchTable<>+((place)+8)(SB)/8, value

DATA searchTable<>+0x00(SB)/8, $0x0605040302010000
DATA searchTable<>+0x08(SB)/8, $0x0E0D0C0B0A090807
DATA searchTable<>+0x10(SB)/8, $0x0003000200010000
DATA searchTable<>+0x18(SB)/8, $0x0007000600050004
WORDS8(0x20, $0x0008000800080008)
WORDS8(0x30, $0x0FFE0FFE0FFE0FFE)
WORDS8(0x40, $0x1000100010001000)
WORDS8(0x50, $0x2000200020002000)
WORDS8(0x60, $0x4000400040004000)
WORDS8(0x70, $0x8000800080008000)
DATA searchTable<>+0x80(SB)/8, $0x4000300020001000
DATA searchTable<>+0x88(SB)/8, $0x8000700060005000
DATA searchTable<>+0x90(SB)/8, $0xC000B000A0009000
DATA searchTable<>+0x98(SB)/8, $0xFFFFF000E000D000
WORDS8(0xA0, $0x9E379E379E379E37)
WORDS8(0xB0, $0x6F4F6F4F6F4F6F4F)
WORDS8(0xC0, $0xB5C9B5C9B5C9B5C9)
WORDS8(0xD0, $0x1D351D351D351D35)
GLOBL searchTable<>(SB), RODATA|NOPTR, $0xE0

// ---- search ----

#define NUMBER R1  // of the next position to enter
#define ENTERED R2 // so many positions
#define COUNT R3   // of all
#define KEYS R4    // where the next ones go
#define LENS R5
#define RECENT R6  // of the table
#define LONG R7
#define SLOTS R8   // of the next positions
#define AT R9      // where they stand
#define RING R10   // the block's candidates,
#define LONGRING R11
#define HALF R12   // 0 or 64: which half of the ring that is
#define WINDOW R13 // where the bytes of number 0 stand
#define SCRATCH R14
#define CONSTANTS R15

// Scratch, and where the candidates of two positions stand.
#define A R16
#define B R17
#define C R19
#define D R20
#define LATEST0 R21
#define LATEST1 R22
#define OLDER0 R23
#define OLDER1 R24
#define LONG0 R25
#define LONG1 R26

// From recentSlots to longSlots, and from a block's long candidates to its
// agreements.
#define LONGSLOTS (DenseScratch_longSlots-DenseScratch_recentSlots)
#define AGREE (DenseScratch_agree-DenseScratch_long)

// SLOTS16 hashes 16 positions from AT on: the even ones, then the odd ones.
// V20 to V23 are hashA to hashD. It reads 22 bytes.
#define SLOTS16 \
	FMOVQ (AT), F0; \
	FMOVQ 1(AT), F1; \
	FMOVQ 2(AT), F2; \
	FMOVQ 3(AT), F3; \
	FMOVQ 4(AT), F4; \
	FMOVQ 5(AT), F5; \
	FMOVQ 6(AT), F6; \
	MUL(16, 0, 20); \
	MUL(17, 1, 21); \
	MUL(18, 1, 20); \
	MUL(19, 2, 21); \
	VADD  V16.H8, V17.H8, V17.H8; \
	VADD  V16.H8, V19.H8, V16.H8; \
	VADD  V18.H8, V19.H8, V19.H8; \
	MLA(18, 3, 21); \
	MLA(16, 4, 22); \
	MLA(18, 5, 22); \
	MLA(16, 5, 23); \
	MLA(18, 6, 23); \
	VUSHR $(16-const_denseBits), V17.H8, V17.H8; \
	VUSHR $(16-const_denseBits), V19.H8, V19.H8; \
	VUSHR $(16-const_denseBits), V16.H8, V16.H8; \
	VUSHR $(16-const_denseBits), V18.H8, V18.H8; \
	FMOVQ F17, (SLOTS); \
	FMOVQ F19, 16(SLOTS); \
	FMOVQ F16, LONGSLOTS(SLOTS); \
	FMOVQ F18, (LONGSLOTS+16)(SLOTS)

// ENTER enters the position NUMBER, whose slots are at byte slot, goes on to the
// next one, and finds where its candidates stand. RECENTLY becomes the two
// latest ones; the long one goes to word k of the ring.
#define ENTER(slot, k, RECENTLY, LATESTAT, OLDERAT, LONGAT) \
	MOVHU (slot)(SLOTS), A; \
	MOVHU (LONGSLOTS+slot)(SLOTS), B; \
	MOVWU (RECENT)(A<<2), RECENTLY; \
	MOVHU (LONG)(B<<1), LONGAT; \
	ORRW  RECENTLY<<16, NUMBER, LATESTAT; \
	MOVW  LATESTAT, (RECENT)(A<<2); \
	MOVH  NUMBER, (LONG)(B<<1); \
	MOVH  LONGAT, (2*(k))(LONGRING); \
	ADD   $1, NUMBER; \
	ADD   RECENTLY.UXTH, WINDOW, LATESTAT; \
	ADD   RECENTLY>>16, WINDOW, OLDERAT; \
	ADD   WINDOW, LONGAT

// AGREE2 compares 16 bytes each at X and at Y with V0 and V1: the bytes that
// differ become the lengths of agreements that end there, the others 255. V2
// and V3 become the lesser ones of neighbours, in one register, number d.
#define AGREE2(X, Y, d) \
	FMOVQ (X), F2; \
	FMOVQ (Y), F3; \
	VCMEQ V0.B16, V2.B16, V2.B16; \
	VCMEQ V1.B16, V3.B16, V3.B16; \
	VORR  V10.B16, V2.B16, V2.B16; \
	VORR  V10.B16, V3.B16, V3.B16; \
	UMINP(d, 2, 3)

// PAIR enters positions k and k+1 of the block and compares their candidates,
// into registers d, d+2 and d+4.
#define PAIR(k, d) \
	ENTER(k, k, C, LATEST0, OLDER0, LONG0); \
	ENTER(16+k, k+1, D, LATEST1, OLDER1, LONG1); \
	STPW  (C, D), (4*(k))(RING); \
	FMOVQ (k)(AT), F0; \
	FMOVQ (k+1)(AT), F1; \
	AGREE2(LATEST0, LATEST1, d); \
	AGREE2(OLDER0, OLDER1, d+2); \
	AGREE2(LONG0, LONG1, d+4)

// QUAD does so for four positions, into registers d, d+4 and d+8.
#define QUAD(k, d) \
	PAIR(k, 4); \
	PAIR(k+2, 5); \
	UMINP(d, 4, 5); \
	UMINP(d+4, 6, 7); \
	UMINP(d+8, 8, 9)

// LEAST makes of registers d to d+3 one, d: a byte for each of 16 positions.
#define LEAST(d) \
	UMINP(d, d, d+1); \
	UMINP(d+2, d+2, d+3); \
	UMINP(d, d, d+2)

// CANDIDATE makes keys of eight candidates' numbers N: 0 where the offset is not
// legal. FIRST is the positions' numbers less 4095, LENGTH the agreements'
// lengths less one. T is scratch, V12 MAXNUMBER.
#define CANDIDATE(N, FIRST, LENGTH, T) \
	VSUB  FIRST.H8, N.H8, N.H8; \
	VUMIN V12.H8, N.H8, T.H8; \
	VCMEQ T.H8, N.H8, N.H8; \
	VSLI  $12, LENGTH.H8, T.H8; \
	VAND  T.B16, N.B16, N.B16

// LESS takes LOSS from KEY, as far as there is something to take.
#define LESS(LOSS, KEY) \
	VUMAX LOSS.H8, KEY.H8, KEY.H8; \
	VSUB  LOSS.H8, KEY.H8, KEY.H8

// BEHIND lets the keys of a block, V4 and V6, become those so many bytes before
// them, less LOSS, where these are better. V0 and V1 are scratch, V11 is 0.
#define BEHIND(bytes, LOSS) \
	VEXT  $(16-bytes), V4.B16, V11.B16, V0.B16; \
	VEXT  $(16-bytes), V6.B16, V4.B16, V1.B16; \
	LESS(LOSS, V0); \
	LESS(LOSS, V1); \
	VUMAX V0.H8, V4.H8, V4.H8; \
	VUMAX V1.H8, V6.H8, V6.H8

// LENSOF makes V0 the lens of the keys LOW and HIGH, and V1 all ones where they
// are none. V2 and V3 are scratch, V11 is 0.
#define LENSOF(LOW, HIGH) \
	VUZP2 HIGH.B16, LOW.B16, V0.B16; \
	VUSHR $4, V0.B16, V0.B16; \
	VMOVI $14, V2.B16; \
	VMOVI $const_noCopy, V3.B16; \
	VAND  V2.B16, V0.B16, V1.B16; \
	VCMEQ V11.B16, V1.B16, V1.B16; \
	VAND  V3.B16, V1.B16, V3.B16; \
	VORR  V3.B16, V0.B16, V0.B16

// func denseSearchNEON(data *byte, i, n, x int, t *DenseTable, s *DenseScratch) int
//
// n is at most maxStretch. Reads data[i:i+n+15] and 16 bytes at earlier
// positions. Writes n keys and lens, and the ring and slots of s. Clobbers all
// registers but R0, R18 and R27 up.
//
// A turn enters a block of 16 positions and compares it, and chooses the keys
// of the block before it, whose candidates were stored one by one and can be
// loaded as vectors by then. In vector registers stay:
//
//	V10 LENGTHS   V11 0   V12 MAXNUMBER   V13 15, 16 times   V14 LOSS1
//	V15 LOSS2     V28 LOSS4
//	V29 how many positions have no copy, in sixteen parts
//	V30 the numbers of the next eight to choose for, less 4095
//	V31 the key of the position before them, eight times
TEXT ·denseSearchNEON(SB), NOSPLIT, $0-56
	MOVD data+0(FP), WINDOW
	MOVD i+8(FP), NUMBER
	MOVD n+16(FP), COUNT
	MOVD x+24(FP), A
	MOVD t+32(FP), RECENT
	MOVD s+40(FP), SCRATCH
	ADD  $DenseTable_Long, RECENT, LONG
	ADD  $DenseTable_Recent, RECENT
	ADD  $DenseScratch_keys, SCRATCH, KEYS
	ADD  A<<1, KEYS
	ADD  $DenseScratch_lens, SCRATCH, LENS
	ADD  A, LENS
	MOVD $searchTable<>(SB), CONSTANTS

	// Slots.
	ADD   NUMBER, WINDOW, AT
	ADD   $DenseScratch_recentSlots, SCRATCH, SLOTS
	MOVD  COUNT, B
	FMOVQ HASHA(CONSTANTS), F20
	FMOVQ HASHB(CONSTANTS), F21
	FMOVQ HASHC(CONSTANTS), F22
	FMOVQ HASHD(CONSTANTS), F23

slots:
	SLOTS16
	ADD  $16, AT
	ADD  $32, SLOTS
	SUBS $16, B
	BNE  slots

	ADD   NUMBER, WINDOW, AT
	ADD   $DenseScratch_recentSlots, SCRATCH, SLOTS
	FMOVQ LENGTHS(CONSTANTS), F10
	VEOR  V11.B16, V11.B16, V11.B16
	FMOVQ MAXNUMBER(CONSTANTS), F12
	VMOVI $15, V13.B16
	FMOVQ LOSS1(CONSTANTS), F14
	FMOVQ LOSS2(CONSTANTS), F15
	FMOVQ LOSS4(CONSTANTS), F28
	VEOR  V29.B16, V29.B16, V29.B16
	FMOVQ IOTA(CONSTANTS), F30
	SUB   $const_maxOffset, NUMBER, B
	VDUP  B, V0.H8
	VADD  V0.H8, V30.H8, V30.H8
	SUB   $2, KEYS, B
	VLD1R (B), [V31.H8]
	MOVD  ZR, ENTERED
	MOVD  ZR, HALF

turn:
	CMP  COUNT, ENTERED
	BEQ  entered
	ADD  $DenseScratch_recent, SCRATCH, RING
	ADD  HALF, RING
	ADD  $DenseScratch_long, SCRATCH, LONGRING
	ADD  HALF>>1, LONGRING
	QUAD(0, 16)
	QUAD(4, 17)
	QUAD(8, 18)
	QUAD(12, 19)
	LEAST(16)
	LEAST(20)
	LEAST(24)
	FMOVQ F16, AGREE(LONGRING)
	FMOVQ F20, (AGREE+2*const_searchRing)(LONGRING)
	FMOVQ F24, (AGREE+4*const_searchRing)(LONGRING)
	ADD   $16, AT
	ADD   $32, SLOTS

entered:
	EOR $64, HALF
	CBZ ENTERED, next
	ADD $DenseScratch_recent, SCRATCH, RING
	ADD HALF, RING
	ADD $DenseScratch_long, SCRATCH, LONGRING
	ADD HALF>>1, LONGRING

	// The candidates' numbers: latest, older and long ones of the first eight
	// positions to V4, V5 and V8, of the others to V6, V7 and V9.
	FMOVQ (RING), F0
	FMOVQ 16(RING), F1
	FMOVQ 32(RING), F2
	FMOVQ 48(RING), F3
	VUZP1 V1.H8, V0.H8, V4.H8
	VUZP2 V1.H8, V0.H8, V5.H8
	VUZP1 V3.H8, V2.H8, V6.H8
	VUZP2 V3.H8, V2.H8, V7.H8
	FMOVQ (LONGRING), F8
	FMOVQ 16(LONGRING), F9

	// Their agreements' lengths less one, to V16, V18 and V20, V17, V19 and V21.
	FMOVQ   AGREE(LONGRING), F0
	FMOVQ   (AGREE+2*const_searchRing)(LONGRING), F1
	FMOVQ   (AGREE+4*const_searchRing)(LONGRING), F2
	VUMIN   V13.B16, V0.B16, V0.B16
	VUMIN   V13.B16, V1.B16, V1.B16
	VUMIN   V13.B16, V2.B16, V2.B16
	VUXTL   V0.B8, V16.H8
	VUXTL2  V0.B16, V17.H8
	VUXTL   V1.B8, V18.H8
	VUXTL2  V1.B16, V19.H8
	VUXTL   V2.B8, V20.H8
	VUXTL2  V2.B16, V21.H8

	// The best keys, to V4 and V6.
	FMOVQ EIGHT(CONSTANTS), F3
	VADD  V3.H8, V30.H8, V22.H8
	CANDIDATE(V4, V30, V16, V0)
	CANDIDATE(V6, V22, V17, V1)
	CANDIDATE(V5, V30, V18, V0)
	CANDIDATE(V7, V22, V19, V1)
	CANDIDATE(V8, V30, V20, V0)
	CANDIDATE(V9, V22, V21, V1)
	VADD  V3.H8, V22.H8, V30.H8
	VUMAX V5.H8, V4.H8, V4.H8
	VUMAX V7.H8, V6.H8, V6.H8
	VUMAX V8.H8, V4.H8, V4.H8
	VUMAX V9.H8, V6.H8, V6.H8

	// Where a position before has a better one, less what it loses on the way,
	// the key becomes that: in the block, and then from before it.
	BEHIND(2, V14)
	BEHIND(4, V15)
	BEHIND(8, V28)
	FMOVQ LOSS8(CONSTANTS), F2
	FMOVQ LOSSLOW(CONSTANTS), F3
	FMOVQ LOSSHIGH(CONSTANTS), F5
	VUMAX V2.H8, V4.H8, V0.H8
	VSUB  V2.H8, V0.H8, V0.H8
	VUMAX V0.H8, V6.H8, V6.H8
	VUMAX V3.H8, V31.H8, V0.H8
	VUMAX V5.H8, V31.H8, V1.H8
	VSUB  V3.H8, V0.H8, V0.H8
	VSUB  V5.H8, V1.H8, V1.H8
	VUMAX V0.H8, V4.H8, V4.H8
	VUMAX V1.H8, V6.H8, V6.H8
	VDUP  V6.H[7], V31.H8
	FMOVQ F4, (KEYS)
	FMOVQ F6, 16(KEYS)

	LENSOF(V4, V6)
	VSUB  V1.B16, V29.B16, V29.B16
	FMOVQ F0, (LENS)
	ADD   $32, KEYS
	ADD   $16, LENS

next:
	CMP COUNT, ENTERED
	ADD $16, ENTERED
	BLT turn

	VUADDLV V29.B16, V29
	FMOVS   F29, A
	SUB     A, COUNT
	MOVD    COUNT, ret+48(FP)
	RET

#undef NUMBER
#undef ENTERED
#undef COUNT
#undef KEYS
#undef LENS
#undef RECENT
#undef LONG
#undef SLOTS
#undef AT
#undef RING
#undef LONGRING
#undef HALF
#undef WINDOW
#undef SCRATCH
#undef CONSTANTS
#undef C
#undef D
#undef LATEST0
#undef LATEST1
#undef OLDER0
#undef OLDER1
#undef LONG0
#undef LONG1

// ---- parse ----

// What a copy saves, by its length less one: nine bits a byte less 17, and less
// than nothing where there is no copy.
DATA saves<>+0(SB)/8, $0xFFF00000FFF00000
DATA saves<>+8(SB)/8, $0x000000130000000A
DATA saves<>+16(SB)/8, $0x000000250000001C
DATA saves<>+24(SB)/8, $0x000000370000002E
DATA saves<>+32(SB)/8, $0x0000004900000040
DATA saves<>+40(SB)/8, $0x0000005B00000052
DATA saves<>+48(SB)/8, $0x0000006D00000064
DATA saves<>+56(SB)/8, $0x0000007F00000076
DATA saves<>+64(SB)/8, $0xFFF00000FFF00000
GLOBL saves<>(SB), RODATA|NOPTR, $72

// The longest copies that end at the 16th position, as keys.
DATA endLength<>+0(SB)/8, $0xC000D000E000F000
DATA endLength<>+8(SB)/8, $0x80009000A000B000
DATA endLength<>+16(SB)/8, $0x4000500060007000
DATA endLength<>+24(SB)/8, $0x0000100020003000
GLOBL endLength<>(SB), RODATA|NOPTR, $32

#define SCRATCH R0
#define Q R1
#define LEFT R2  // of the section, from the stretch on
#define KEYS R3  // of the stretch
#define LENS R4
#define LENGTH R5
#define LANES R6
#define END R7
#define S0 R8    // what each stretch saves from the position on,
#define S1 R9
#define S2 R10
#define S3 R11
#define AT0 R12  // and where that stands
#define AT1 R13
#define AT2 R14
#define AT3 R15
#define SAVES R19

// CUT cuts eight keys, K, to the lengths LONGEST. V5 is the length's bits, V16
// the others.
#define CUT(K, LONGEST) \
	VAND  V5.B16, K.B16, V0.B16; \
	VAND  V16.B16, K.B16, K.B16; \
	VUMIN LONGEST.H8, V0.H8, V0.H8; \
	VORR  V0.B16, K.B16, K.B16

// LANE_PARSE finds what the best parse from position k behind LENS on saves, in
// the stretch: what it saves from the next position on, which S and the word at
// AT hold, or with the copy there.
#define LANE_PARSE(S, AT, lane, k) \
	MOVBU  (lane*const_lanePitch+const_lanePad+k)(LENS), A; \
	MOVHU  (AT)(A<<1), B; \
	MOVW   (SAVES)(A<<2), A; \
	ADDW   B, A; \
	CMPW   S, A; \
	CSELW  GT, A, S, S; \
	MOVH.W S, -2(AT)

// func denseParseNEON(s *DenseScratch, q, n int) int
//
// Reads and writes, in s alone, up to 16 positions before each stretch and up
// to 18 behind it. Clobbers R0-R17, R19, V0-V7, V11, V16.
TEXT ·denseParseNEON(SB), NOSPLIT, $0-32
	MOVD s+0(FP), SCRATCH
	MOVD q+8(FP), Q
	MOVD n+16(FP), LEFT

	// Cut the copies that pass a stretch's end, and give the last stretch the
	// full length, without copies.
	MOVD  $endLength<>(SB), A
	FMOVQ (A), F6
	FMOVQ 16(A), F7
	MOVD  $0xF000, A
	VDUP  A, V5.H8
	MOVD  $0x0FFF, A
	VDUP  A, V16.H8
	VEOR  V11.B16, V11.B16, V11.B16
	ADD   $(DenseScratch_keys+2*const_lanePad), SCRATCH, KEYS
	ADD   $(DenseScratch_lens+const_lanePad), SCRATCH, LENS
	MOVD  $const_stretches, LANES

cut:
	CMP   $0, LEFT
	CSEL  GT, LEFT, ZR, LENGTH
	CMP   Q, LENGTH
	CSEL  GT, Q, LENGTH, LENGTH
	ADD   LENGTH<<1, KEYS, A
	FMOVQ -32(A), F4
	FMOVQ -16(A), F17
	CUT(V4, V6)
	CUT(V17, V7)
	FMOVQ F4, -32(A)
	FMOVQ F17, -16(A)
	LENSOF(V4, V17)
	ADD   LENGTH, LENS, A
	FMOVQ F0, -16(A)
	VMOVI $const_noCopy, V0.B16
	ADD   Q, LENS, END

fill:
	CMP   END, A
	BHS   filled
	FMOVQ F0, (A)
	ADD   $16, A
	JMP     fill

filled:
	SUB  Q, LEFT
	ADD  $(2*const_lanePitch), KEYS
	ADD  $const_lanePitch, LENS
	SUBS $1, LANES
	BNE  cut

	// Nothing is saved at the stretches' ends.
	MOVD ZR, S0
	MOVD ZR, S1
	MOVD ZR, S2
	MOVD ZR, S3
	ADD  $DenseScratch_saved, SCRATCH, AT0
	ADD  Q<<1, AT0
	ADD  $(2*const_lanePitch), AT0, AT1
	ADD  $(2*const_lanePitch), AT1, AT2
	ADD  $(2*const_lanePitch), AT2, AT3
	MOVH ZR, (AT0)
	MOVH ZR, (AT1)
	MOVH ZR, (AT2)
	MOVH ZR, (AT3)
	ADD  $DenseScratch_lens, SCRATCH, LENS
	ADD  Q, LENS
	MOVD $saves<>(SB), SAVES

	// Backwards, two positions of each stretch a turn.
parse:
	LANE_PARSE(S0, AT0, 0, -1)
	LANE_PARSE(S1, AT1, 1, -1)
	LANE_PARSE(S2, AT2, 2, -1)
	LANE_PARSE(S3, AT3, 3, -1)
	LANE_PARSE(S0, AT0, 0, -2)
	LANE_PARSE(S1, AT1, 1, -2)
	LANE_PARSE(S2, AT2, 2, -2)
	LANE_PARSE(S3, AT3, 3, -2)
	SUB  $2, LENS
	SUBS $2, Q
	BNE  parse

	ADD  S0, S1
	ADD  S2, S3
	ADD  S1, S3
	MOVD S3, ret+24(FP)
	RET

#undef SCRATCH
#undef Q
#undef LEFT
#undef KEYS
#undef LENS
#undef LENGTH
#undef LANES
#undef END

// ---- walk ----

// Shuffle: from byte 16-r on, the last r bytes first, then zeros.
DATA tail<>+0(SB)/8, $0x0706050403020100
DATA tail<>+8(SB)/8, $0x0F0E0D0C0B0A0908
DATA tail<>+16(SB)/8, $0xFFFFFFFFFFFFFFFF
DATA tail<>+24(SB)/8, $0xFFFFFFFFFFFFFFFF
GLOBL tail<>(SB), RODATA|NOPTR, $32

#define DATAAT R0 // the stretch's bytes, its positions' keys, lens and savings
#define KEYS R1
#define LENS R2
#define SAVED R3
#define WORDS R4   // where the next items of the first stretch go
#define LENGTHSAT R5
#define Q R6
#define LEFT R7    // of the section, from the stretch on
#define LENGTH R8  // of the stretch, still to do
#define LANES R9
#define GAP R10    // from a stretch's end to the next one

// The lists: each stretch's keys, its lens, and the position in it.
#define K0 R6
#define K1 R7
#define K2 R8
#define K3 R9
#define L0 R10
#define L1 R11
#define L2 R12
#define L3 R13
#define I0 R14
#define I1 R15
#define I2 R19
#define I3 R20
#define B0 R21
#define B1 R22
#define B2 R23
#define B3 R24

// EIGHT_ITEMS turns the keys K into the items there: those of copies, or the
// bytes BYTES where SAME, what is saved from each position on and from the next
// one on are equal. V16 is 0x0FFF, eight times.
#define EIGHT_ITEMS(K, BYTES, SAME, T) \
	VEOR  V16.B16, K.B16, K.B16; \ // length less one, offset
	VUSHR $4, K.H8, T.H8; \        // 4 bits each: zeros, length, offset
	VSRI  $12, K.H8, T.H8; \       // with the length as the low ones
	VSLI  $8, K.H8, T.H8; \        // and the offset's low 8 as the high ones
	VBIT  SAME.B16, BYTES.B16, T.B16

// ITEMS turns the keys of 16 positions into the items there, and lens into their
// lengths. V20 are their bytes, V11 is 0, V17 1, 16 times.
#define ITEMS \
	FMOVQ  (SAVED), F0; \
	FMOVQ  16(SAVED), F1; \
	FMOVQ  2(SAVED), F2; \
	FMOVQ  18(SAVED), F3; \
	VCMEQ  V2.H8, V0.H8, V0.H8; \
	VCMEQ  V3.H8, V1.H8, V1.H8; \
	FMOVQ  (KEYS), F4; \
	FMOVQ  16(KEYS), F5; \
	VUXTL  V20.B8, V2.H8; \
	VUXTL2 V20.B16, V3.H8; \
	EIGHT_ITEMS(V4, V2, V0, V6); \
	EIGHT_ITEMS(V5, V3, V1, V7); \
	FMOVQ  F6, (KEYS); \
	FMOVQ  F7, 16(KEYS); \
	FMOVQ  (LENS), F2; \
	VUZP1  V1.B16, V0.B16, V0.B16; \
	VBIT   V0.B16, V11.B16, V2.B16; \
	VADD   V17.B16, V2.B16, V2.B16; \
	FMOVQ  F2, (LENS)

// LIST lists the item at position I of a stretch as its k-th behind WORDS and
// goes on behind it. LENGTHOF becomes its length, 0 at the stretch's end.
#define LIST(K, L, I, LENGTHOF, lane, k) \
	MOVHU (K)(I<<1), A; \
	MOVBU (L)(I), LENGTHOF; \
	MOVH  A, (2*(lane*const_lanePitch+k))(WORDS); \
	MOVB  LENGTHOF, (lane*const_lanePitch+k)(LENGTHSAT); \
	ADD   LENGTHOF, I

// func denseWalkNEON(data *byte, s *DenseScratch, q, n int)
//
// Needs n of 16 at least, and reads data[:n]. In s it reads and writes up to 16
// positions behind a stretch's end and two items behind a list's. Clobbers
// R0-R16, R19-R24, V0-V7, V11, V16, V17, V20, V21.
TEXT ·denseWalkNEON(SB), NOSPLIT, $0-32
	MOVD  data+0(FP), DATAAT
	MOVD  s+8(FP), A
	MOVD  q+16(FP), Q
	MOVD  n+24(FP), LEFT
	ADD   $(DenseScratch_keys+2*const_lanePad), A, KEYS
	ADD   $(DenseScratch_lens+const_lanePad), A, LENS
	ADD   $DenseScratch_saved, A, SAVED
	ADD   $(DenseScratch_words+2*const_lanePad), A, WORDS
	ADD   $(DenseScratch_lengths+const_lanePad), A, LENGTHSAT
	VEOR  V11.B16, V11.B16, V11.B16
	VMOVI $1, V17.B16
	MOVD  $0x0FFF, A
	VDUP  A, V16.H8
	MOVD  $const_stretches, LANES

items:
	CMP  $0, LEFT
	CSEL GT, LEFT, ZR, LENGTH
	CMP  Q, LENGTH
	CSEL GT, Q, LENGTH, LENGTH
	SUB  LENGTH, LEFT
	MOVD $const_lanePitch, GAP
	SUBS $16, LENGTH
	BLT  partial

whole:
	FMOVQ (DATAAT), F20
	ITEMS
	ADD   $16, DATAAT
	ADD   $32, KEYS
	ADD   $16, LENS
	ADD   $32, SAVED
	SUB   $16, GAP
	SUBS  $16, LENGTH
	BGE   whole

partial:
	ADDS $16, LENGTH
	BEQ  end

	// The last LENGTH bytes, by way of the 16 that end with them.
	ADD   LENGTH, DATAAT, A
	FMOVQ -16(A), F20
	MOVD  $tail<>(SB), A
	ADD   $16, A
	SUB   LENGTH, A
	FMOVQ (A), F21
	VTBL  V21.B16, [V20.B16], V20.B16
	ITEMS

end:
	MOVB ZR, (LENS)(LENGTH)
	ADD  GAP<<1, KEYS
	ADD  GAP, LENS
	ADD  GAP<<1, SAVED
	SUBS $1, LANES
	BNE  items

	// The lists, two items of each stretch a turn, until all are at their end.
	MOVD s+8(FP), A
	ADD  $(DenseScratch_keys+2*const_lanePad), A, K0
	ADD  $(2*const_lanePitch), K0, K1
	ADD  $(2*const_lanePitch), K1, K2
	ADD  $(2*const_lanePitch), K2, K3
	ADD  $(DenseScratch_lens+const_lanePad), A, L0
	ADD  $const_lanePitch, L0, L1
	ADD  $const_lanePitch, L1, L2
	ADD  $const_lanePitch, L2, L3
	MOVD ZR, I0
	MOVD ZR, I1
	MOVD ZR, I2
	MOVD ZR, I3

walk:
	LIST(K0, L0, I0, B0, 0, 0)
	LIST(K1, L1, I1, B1, 1, 0)
	LIST(K2, L2, I2, B2, 2, 0)
	LIST(K3, L3, I3, B3, 3, 0)
	LIST(K0, L0, I0, B0, 0, 1)
	LIST(K1, L1, I1, B1, 1, 1)
	LIST(K2, L2, I2, B2, 2, 1)
	LIST(K3, L3, I3, B3, 3, 1)
	ADD  $4, WORDS
	ADD  $2, LENGTHSAT
	ORR  B1, B0
	ORR  B3, B2
	ORR  B2, B0
	CBNZ B0, walk
	RET

#undef WORDS
#undef LANES

// ---- emit ----

#define OUT R0
#define PENDING R1
#define LIST0 R2    // words of the list, as far as the pad before it,
#define LISTL0 R3   // and lengths
#define WORDS R4    // of the group
#define GROUP R5    // lengths of the group
#define LANES R6
#define ONE R7
#define CONTROL R8

// The control word's bits, in its two bytes.
DATA itemBits<>+0(SB)/8, $0x8040201008040201
DATA itemBits<>+8(SB)/8, $0x8040201008040201
GLOBL itemBits<>(SB), RODATA|NOPTR, $16

// PUT writes item k of the group: both bytes always, of which the next item
// overwrites a literal's second one. The carry is set if it has two.
#define PUT(k) \
	MOVHU (2*k)(WORDS), A; \
	MOVBU k(GROUP), B; \
	MOVH  A, (OUT); \
	CMP   $2, B; \
	ADC   ONE, OUT

// func denseEmitNEON(dst *byte, s *DenseScratch, pending int) (o, left int)
//
// Writes one byte behind a group's end at most. Clobbers R0-R8, R16, R17, V0-V2,
// V11, V17, V18.
TEXT ·denseEmitNEON(SB), NOSPLIT, $0-40
	MOVD  dst+0(FP), OUT
	MOVD  s+8(FP), LIST0
	MOVD  pending+16(FP), PENDING
	ADD   $DenseScratch_lengths, LIST0, LISTL0
	ADD   $DenseScratch_words, LIST0
	MOVD  $const_stretches, LANES
	MOVD  $1, ONE
	VEOR  V11.B16, V11.B16, V11.B16
	VMOVI $1, V17.B16
	MOVD  $itemBits<>(SB), A
	FMOVQ (A), F18

list:
	// The items left of the list before stand before the list.
	ADD $(2*const_lanePad), LIST0, WORDS
	SUB PENDING<<1, WORDS
	ADD $const_lanePad, LISTL0, GROUP
	SUB PENDING, GROUP

group:
	FMOVQ   (GROUP), F0
	VCMEQ   V11.B16, V0.B16, V1.B16
	VUADDLV V1.B16, V1
	FMOVS   F1, A
	CBNZ    A, endOfList

	// The control word: a bit for each length that is not 1, eight to a byte;
	// adding neighbours three times makes bytes 0 and 1 of it.
	VCMEQ V17.B16, V0.B16, V0.B16
	VAND  V18.B16, V0.B16, V0.B16
	VEOR  V18.B16, V0.B16, V0.B16
	VADDP V0.B16, V0.B16, V0.B16
	VADDP V0.B16, V0.B16, V0.B16
	VADDP V0.B16, V0.B16, V0.B16
	FMOVS F0, CONTROL
	MOVH  CONTROL, (OUT)
	ADD   $2, OUT
	PUT(0)
	PUT(1)
	PUT(2)
	PUT(3)
	PUT(4)
	PUT(5)
	PUT(6)
	PUT(7)
	PUT(8)
	PUT(9)
	PUT(10)
	PUT(11)
	PUT(12)
	PUT(13)
	PUT(14)
	PUT(15)
	ADD   $32, WORDS
	ADD   $16, GROUP
	JMP     group

endOfList:
	// So many items are left.
	MOVD GROUP, B

leftOver:
	MOVBU.P 1(B), A
	CBNZ    A, leftOver
	SUB     GROUP, B, PENDING
	SUB     $1, PENDING

	// They go before the next list, the last ones before the first.
	ADD  PENDING<<1, WORDS, A
	ADD  PENDING, GROUP, B
	ADD  $(2*const_lanePitch), LIST0
	ADD  $const_lanePitch, LISTL0
	SUBS $1, LANES
	BNE  move
	MOVD s+8(FP), LIST0
	ADD  $DenseScratch_lengths, LIST0, LISTL0
	ADD  $DenseScratch_words, LIST0

move:
	FMOVQ -32(A), F0
	FMOVQ -16(A), F1
	FMOVQ -16(B), F2
	FMOVQ F0, (LIST0)
	FMOVQ F1, 16(LIST0)
	FMOVQ F2, (LISTL0)
	CBNZ  LANES, list

	MOVD dst+0(FP), A
	SUB  A, OUT
	MOVD OUT, o+24(FP)
	MOVD PENDING, left+32(FP)
	RET
