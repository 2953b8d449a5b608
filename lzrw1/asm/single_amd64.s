//go:build !purego

#include "textflag.h"
#include "go_asm.h"

// The kernels for one lane alone. A copy's length, the slot behind it and that
// slot's candidate are a chain of some 25 cycles which nothing shortens, and
// whether an item is a literal or a copy is a branch that is often mispredicted,
// for as long again. So that the two do not add up, an item looks up before its
// branch where the next item begins in either case: one position on, and
// behind the copy. By the time that a copy taken for a literal is known for
// one, its chain is done.
//
// The fast kernel of SSE2 hashes where it looks up; the others hash ahead, 16
// or 8 positions at a time, which takes four cycles off the chain. TZCNT is
// read as BSF by processors without it, and is never given 0.

#define BYTES SI   // address of data
#define TABLE R8   // address of the table
#define SLOTS R9   // address of the slots hashed ahead, less 2*POS of the first
#define POS BX     // in data
#define TO DI      // where the item goes, less POS: literals leave it as it is
#define WORDAT R10 // where the group's control word goes
#define WORD R11   // the control word so far
#define A AX
#define BEHIND BP  // position behind the copy,
#define BSLOT R14  // its slot
#define BCAND R15  // and its candidate

// Slot and candidate of an item are in one of these pairs, those of the next
// one in the other.
#define SLOT0 DX
#define CAND0 CX
#define SLOT1 R12
#define CAND1 R13

// The slot of the three bytes at position I+by, to S: times 2654435761 << 8, so
// that the fourth byte falls out.
#define HASH(I, by, S) \
	IMUL3L $0x3779B100, by(BYTES)(I*1), S; \
	SHRL   $20, S

// The same, hashed ahead.
#define HASHED(I, by, S) MOVWLZX (2*by)(SLOTS)(I*2), S

// The item at POS, with slot S and candidate C. In the order of the lines:
// enter it;
// compare 16 bytes, and make a mask of those that differ;
// look up the next position, in case of a literal;
// look up behind the first byte that differs, in case of a copy;
// branch if the first three bytes agree: found by a compare of its own, which
// is done earlier than the mask.
// A literal's byte is where it belongs already, see SPREAD.
#define ITEM(LOOK, S, C, NEXTS, NEXTC, copy, literal) \
	MOVW     POS, (TABLE)(S*2); \
	MOVOU    (BYTES)(C*1), X0; \
	MOVOU    (BYTES)(POS*1), X1; \
	PCMPEQB  X1, X0; \
	PMOVMSKB X0, A; \
	NOTL     A; \
	LOOK(POS, 1, NEXTS); \
	MOVWLZX  (TABLE)(NEXTS*2), NEXTC; \
	TZCNTL   A, BEHIND; \
	ADDL     POS, BEHIND; \
	LOOK(BEHIND, 0, BSLOT); \
	MOVWLZX  (TABLE)(BSLOT*2), BCAND; \
	MOVL     (BYTES)(C*1), A; \
	XORL     (BYTES)(POS*1), A; \
	SHLL     $8, A; \
	JEQ      copy; \
literal: \
	INCL     POS

// What an item that is a copy does instead of the last line. In the order of
// the lines:
// an offset beyond 4095 makes it a literal after all;
// what was looked up behind the copy is the next item's;
// a copy item is offset bits 0-7, bits 8-11, length-1, from the high bits down.
#define COPY(C, NEXTS, NEXTC, bit, copy, literal, next) \
copy: \
	MOVL   POS, A; \
	SUBL   C, A; \
	TESTL  $0xF000, A; \
	JNE    literal; \
	MOVL   BSLOT, NEXTS; \
	MOVL   BCAND, NEXTC; \
	ORL    $bit, WORD; \
	IMUL3L $0x1001, A, A; \
	SHRL   $4, A; \
	ANDL   $0xFFF0, A; \
	MOVL   BEHIND, BSLOT; \
	SUBL   POS, BSLOT; \
	LEAL   -1(A)(BSLOT*1), A; \
	MOVW   A, (TO)(POS*1); \
	MOVL   BEHIND, POS; \
	SUBQ   BSLOT, TO; \
	ADDQ   $2, TO; \
	SPREAD; \
	JMP    next

// Write 16 bytes, as if only literals followed: a group has no more, and
// whatever else follows overwrites them.
#define SPREAD \
	MOVOU (BYTES)(POS*1), X0; \
	MOVOU X0, (TO)(POS*1)

#define EVEN(LOOK, copy, literal) ITEM(LOOK, SLOT0, CAND0, SLOT1, CAND1, copy, literal)
#define ODD(LOOK, copy, literal) ITEM(LOOK, SLOT1, CAND1, SLOT0, CAND0, copy, literal)
#define EVENCOPY(bit, copy, literal, next) COPY(CAND0, SLOT1, CAND1, bit, copy, literal, next)
#define ODDCOPY(bit, copy, literal, next) COPY(CAND1, SLOT0, CAND0, bit, copy, literal, next)

// Take up the lane. SLOT0 and CAND0 are those of POS from LOOKUP on.
#define ENTER \
	MOVQ l+0(FP), A; \
	LEAQ Lane_data(A), BYTES; \
	LEAQ Lane_table(A), TABLE; \
	MOVQ Lane_pos(A), POS; \
	LEAQ Lane_out(A), TO; \
	ADDQ Lane_at(A), TO; \
	SUBQ POS, TO

#define LOOKUP(LOOK) \
	LOOK(POS, 0, SLOT0); \
	MOVWLZX (TABLE)(SLOT0*2), CAND0

// Sixteen items, and the way out: groups are encoded until POS is behind the
// lane's limit, each from label group on.
#define GROUP(LOOK) \
	MOVQ l+0(FP), A; \
	MOVQ POS, Lane_groupPos(A); \
	LEAQ (TO)(POS*1), WORDAT; \
	XORL WORD, WORD; \
	ADDQ $2, TO; \
	SPREAD; \
	EVEN(LOOK, copy0, literal0); \
next1: \
	ODD(LOOK, copy1, literal1); \
next2: \
	EVEN(LOOK, copy2, literal2); \
next3: \
	ODD(LOOK, copy3, literal3); \
next4: \
	EVEN(LOOK, copy4, literal4); \
next5: \
	ODD(LOOK, copy5, literal5); \
next6: \
	EVEN(LOOK, copy6, literal6); \
next7: \
	ODD(LOOK, copy7, literal7); \
next8: \
	EVEN(LOOK, copy8, literal8); \
next9: \
	ODD(LOOK, copy9, literal9); \
next10: \
	EVEN(LOOK, copy10, literal10); \
next11: \
	ODD(LOOK, copy11, literal11); \
next12: \
	EVEN(LOOK, copy12, literal12); \
next13: \
	ODD(LOOK, copy13, literal13); \
next14: \
	EVEN(LOOK, copy14, literal14); \
next15: \
	ODD(LOOK, copy15, literal15); \
next16: \
	MOVW WORD, (WORDAT); \
	MOVQ l+0(FP), A; \
	CMPQ POS, Lane_limit(A); \
	JLS  group; \
	MOVQ POS, Lane_pos(A); \
	ADDQ POS, TO; \
	LEAQ Lane_out(A), BSLOT; \
	SUBQ BSLOT, WORDAT; \
	SUBQ BSLOT, TO; \
	MOVQ WORDAT, Lane_groupAt(A); \
	MOVQ TO, Lane_at(A); \
	RET; \
	EVENCOPY(1<<0, copy0, literal0, next1); \
	ODDCOPY(1<<1, copy1, literal1, next2); \
	EVENCOPY(1<<2, copy2, literal2, next3); \
	ODDCOPY(1<<3, copy3, literal3, next4); \
	EVENCOPY(1<<4, copy4, literal4, next5); \
	ODDCOPY(1<<5, copy5, literal5, next6); \
	EVENCOPY(1<<6, copy6, literal6, next7); \
	ODDCOPY(1<<7, copy7, literal7, next8); \
	EVENCOPY(1<<8, copy8, literal8, next9); \
	ODDCOPY(1<<9, copy9, literal9, next10); \
	EVENCOPY(1<<10, copy10, literal10, next11); \
	ODDCOPY(1<<11, copy11, literal11, next12); \
	EVENCOPY(1<<12, copy12, literal12, next13); \
	ODDCOPY(1<<13, copy13, literal13, next14); \
	EVENCOPY(1<<14, copy14, literal14, next15); \
	ODDCOPY(1<<15, copy15, literal15, next16)

// Slots are hashed ahead for AHEAD positions and as many more as a group that
// begins in them can look up, up to the lane's limit and so many more.
#define AHEAD 2048
#define GROUPLOOKS 257 // 16 copies of 16 bytes, and the position behind them

// Whether POS is behind what was hashed ahead for: to label ahead then.
#define CHECK \
	CMPQ POS, end-8(SP); \
	JCC  ahead

// Hash from POS on: from A, which is POS at first, until it is BSLOT or more.
#define BEGINAHEAD \
	LEAQ    AHEAD(POS), BSLOT; \
	MOVQ    BSLOT, end-8(SP); \
	MOVQ    l+0(FP), A; \
	MOVQ    Lane_limit(A), A; \
	CMPQ    BSLOT, A; \
	CMOVQHI A, BSLOT; \
	ADDQ    $GROUPLOOKS, BSLOT; \
	LEAQ    slots-4648(SP), SLOTS; \
	SUBQ    POS, SLOTS; \
	SUBQ    POS, SLOTS; \
	MOVQ    POS, A

// func fastSingleSSE2(l *Lane)
//
// Contract: the lane has not stopped. Touches the lane and its frame alone.
// Clobbers all but SP.
TEXT ·fastSingleSSE2(SB), NOSPLIT, $8-8
	ENTER
	LOOKUP(HASH)

group:
	GROUP(HASH)

// For the positions p, p+1, p+2, p+3 and p+8, p+9, p+10, p+11 of 16 bytes at p:
// a zero byte and the position's three bytes.
DATA threes<>+0(SB)/8, $0x0302018002010080
DATA threes<>+8(SB)/8, $0x0504038004030280
DATA threes<>+16(SB)/8, $0x0B0A09800A090880
DATA threes<>+24(SB)/8, $0x0D0C0B800C0B0A80
GLOBL threes<>(SB), RODATA|NOPTR, $32
DATA factor<>+0(SB)/4, $2654435761
GLOBL factor<>(SB), RODATA|NOPTR, $4

// func fastSingleAVX2(l *Lane)
//
// Contract: as fastSingleSSE2. The frame has 8 bytes for end and
// two for each slot: AHEAD + GROUPLOOKS of them, and room for the last step.
TEXT ·fastSingleAVX2(SB), 0, $4648-8
	ENTER

ahead:
	BEGINAHEAD
	VMOVDQU      threes<>(SB), Y2
	VPBROADCASTD factor<>(SB), Y3

	// Four positions and four that are eight on, and the same from the fifth
	// on, so that packing puts them in order.
hash:
	VBROADCASTI128 (BYTES)(A*1), Y0
	VBROADCASTI128 4(BYTES)(A*1), Y1
	VPSHUFB        Y2, Y0, Y0
	VPSHUFB        Y2, Y1, Y1
	VPMULLD        Y3, Y0, Y0
	VPMULLD        Y3, Y1, Y1
	VPSRLD         $20, Y0, Y0
	VPSRLD         $20, Y1, Y1
	VPACKUSDW      Y1, Y0, Y0
	VMOVDQU        Y0, (SLOTS)(A*2)
	ADDQ           $16, A
	CMPQ           A, BSLOT
	JCS            hash
	VZEROUPPER
	LOOKUP(HASHED)

group:
	CHECK
	GROUP(HASHED)

DATA factor1991<>+0(SB)/8, $0x9E5F9E5F9E5F9E5F
DATA factor1991<>+8(SB)/8, $0x9E5F9E5F9E5F9E5F
GLOBL factor1991<>(SB), RODATA|NOPTR, $16

// func referenceSingleSSE2(l *Lane)
//
// Contract: as fastSingleSSE2. The frame is as that of fastSingleAVX2.
TEXT ·referenceSingleSSE2(SB), 0, $4648-8
	ENTER

ahead:
	BEGINAHEAD
	MOVOU factor1991<>(SB), X4
	PXOR  X5, X5

	// b0 << 8 ^ b1 << 4 ^ b2, times 40543, bits 4 to 15, for eight positions.
hash:
	MOVQ      (BYTES)(A*1), X0
	MOVQ      1(BYTES)(A*1), X1
	MOVQ      2(BYTES)(A*1), X2
	PUNPCKLBW X5, X0
	PUNPCKLBW X5, X1
	PUNPCKLBW X5, X2
	PSLLW     $8, X0
	PSLLW     $4, X1
	PXOR      X1, X0
	PXOR      X2, X0
	PMULLW    X4, X0
	PSRLW     $4, X0
	MOVOU     X0, (SLOTS)(A*2)
	ADDQ      $8, A
	CMPQ      A, BSLOT
	JCS       hash
	LOOKUP(HASHED)

group:
	CHECK
	GROUP(HASHED)
