//go:build !purego

#include "textflag.h"
#include "go_asm.h"

// Registers.
#define pos    AX  // the item decoded last
#define D      AX  // while gathering: where in the slot
#define item   CX
#define from   DX  // where a copy's bytes stand
#define IN      SI
#define OUT      DI
#define start  R8  // data[0]
#define S      R9  // in src, behind what was gathered
#define limit  R10 // below it, OUT has room for fast steps
#define bits   R11 // the superblock's items that are still to do: 1 for a copy
#define offset R12
#define fields R13 // avx2: the bits of an item's offset; else scratch
#define table  R14 // *decodeTables
#define ahead  BP  // the bits of the superblock that was gathered ahead

// On the stack.
#define groupS      v-8(SP)   // where the superblock starts in src,
#define groupOut    v-16(SP)  // and in data
#define items       v-24(SP)  // of the superblock
#define aheadS      v-32(SP)  // of the one that was gathered ahead: its start,
#define aheadItems  v-40(SP)  // its items, 0 where there is none,
#define aheadBeyond v-48(SP)  // and ones beyond them
#define slot        v-56(SP)
#define aheadSlot   v-64(SP)
#define srcLimit    v-72(SP)  // below it, the longest group may be read
#define srcEnd      v-80(SP)
#define end         v-88(SP)  // of data
#define slotA       v-288(SP) // 128 bytes, and 64 that may be read beyond
#define slotB       v-480(SP)

// GATHER appends the group at S to the slot at D and its control word to
// ahead. It goes to out, where the group might end behind src.
#define GATHER(shift, out) \
	CMPQ S, srcLimit; \
	JAE out; \
	MOVWLZX (S), CX; \
	GATHER32; \
	POPCNTL CX, DX; \
	LEAQ 18(S)(DX*1), S; \
	LEAQ 16(D)(DX*1), D; \
	SHLQ $shift, CX; \
	ORQ CX, ahead

// LONGSTEP is STEP with the literals before the copy, from item after+1 on.
#define LONGSTEP(k, after, i) \
	TZCNTQ bits, i; \
	LITERALS(k, after); \
	FIELDS(k, i); \
	REPEAT; \
	MOV16 X1, (OUT)(i*1); \
	ANDL $15, item; \
	ADDQ item, OUT; \
	CLEAR

// CHECK goes to bad where the copy reaches before data or is of offset 0.
#define CHECK \
	SUBQ offset, from; \
	CMPQ from, start; \
	JB bad; \
	TESTL offset, offset; \
	JZ bad

// SSSE3 and POPCNT. TZCNT is BSF where it is not known, which is as good
// here: what it finds for 0 is not used.

#define MOV16 MOVOU
#define GATHER32 \
	MOVOU 2(S), X0; \
	MOVOU 18(S), X1; \
	MOVOU X0, (D); \
	MOVOU X1, 16(D)
#define LITERALS(k, i) \
	MOVOU (k+1)(IN)(i*1), X0; \
	MOVOU (k+17)(IN)(i*1), X1; \
	MOVOU (k+33)(IN)(i*1), X2; \
	MOVOU (k+49)(IN)(i*1), X3; \
	MOVOU X0, 1(OUT)(i*1); \
	MOVOU X1, 17(OUT)(i*1); \
	MOVOU X2, 33(OUT)(i*1); \
	MOVOU X3, 49(OUT)(i*1)
#define CLEAR \
	LEAQ -1(bits), fields; \
	ANDQ fields, bits
#define FIELDS(k, i) \
	MOVBLZX k(IN)(i*1), item; \
	MOVBLZX (k+1)(IN)(i*1), offset; \
	LEAQ (OUT)(i*1), from; \
	MOVL item, fields; \
	SHLL $4, fields; \
	ANDL $0xF00, fields; \
	ORL fields, offset; \
	CHECK
#define REPEAT \
	MOVBLZX decodeTables_row(table)(offset*1), offset; \
	MOVOU (from), X1; \
	PSHUFB decodeTables_rows(table)(offset*8), X1
#define STEP(k) \
	TZCNTQ bits, pos; \
	FIELDS(k, pos); \
	REPEAT; \
	MOVOU (k+2)(IN)(pos*1), X0; \
	MOVOU X1, (OUT)(pos*1); \
	ANDL $15, item; \
	ADDQ item, OUT; \
	MOVOU X0, 1(OUT)(pos*1); \
	CLEAR

// func decodeSSSE3(data *byte, size, o int, src *byte, srcSize, s int) (oEnd, sEnd int)
//
// It reads src[s:srcSize] and data[:size] and writes data[o:size], at any
// alignment, and nothing beyond; what it leaves behind oEnd is undefined. Where
// a group is bad, it returns the start of this or of one up to three groups
// before. It uses all registers but SP and keeps BP.
TEXT ·decodeSSSE3(SB), 0, $480-64
#include "decode_body_amd64.h"
	RET

#undef MOV16
#undef GATHER32
#undef LITERALS
#undef CLEAR
#undef FIELDS
#undef REPEAT
#undef STEP

// AVX2, BMI1 and BMI2.

#define MOV16 VMOVDQU
#define GATHER32 \
	VMOVDQU 2(S), Y0; \
	VMOVDQU Y0, (D)
#define LITERALS(k, i) \
	VMOVDQU (k+1)(IN)(i*1), Y0; \
	VMOVDQU (k+33)(IN)(i*1), Y1; \
	VMOVDQU Y0, 1(OUT)(i*1); \
	VMOVDQU Y1, 33(OUT)(i*1)
#define CLEAR \
	BLSRQ bits, bits
#define FIELDS(k, i) \
	MOVWLZX k(IN)(i*1), item; \
	LEAQ (OUT)(i*1), from; \
	RORXL $8, item, offset; \
	PEXTL fields, offset, offset; \
	CHECK
#define REPEAT \
	MOVBLZX decodeTables_row(table)(offset*1), offset; \
	VMOVDQU (from), X1; \
	VPSHUFB decodeTables_rows(table)(offset*8), X1, X1

// STEP writes copy and literals as one, since the copies to come are often
// from here: the processor passes on to a load what one store still holds, but
// lets it wait where the bytes are of two.
#define STEP(k) \
	TZCNTQ bits, pos; \
	VBROADCASTI128 (k+2)(IN)(pos*1), Y2; \
	FIELDS(k, pos); \
	REPEAT; \
	ANDNL R15, item, offset; \
	VPAND decodeTables_keep(table)(offset*1), Y1, Y1; \
	VPSHUFB decodeTables_shift(table)(offset*1), Y2, Y2; \
	VPOR Y2, Y1, Y1; \
	VMOVDQU Y1, (OUT)(pos*1); \
	ANDL $15, item; \
	ADDQ item, OUT; \
	CLEAR

// func decodeAVX2(data *byte, size, o int, src *byte, srcSize, s int) (oEnd, sEnd int)
//
// It reads src[s:srcSize] and data[:size] and writes data[o:size], at any
// alignment, and nothing beyond; what it leaves behind oEnd is undefined. Where
// a group is bad, it returns the start of this or of one up to three groups
// before. It uses all registers but SP and keeps BP.
TEXT ·decodeAVX2(SB), 0, $480-64
	MOVL $0xF00000FF, fields // of an item, its second byte low and its first high
#include "decode_body_amd64.h"
	VZEROUPPER
	RET
