//go:build !purego

#include "textflag.h"
#include "go_asm.h"

// How it works is said in decode_body_amd64.h. This is the same, but for the
// registers, of which there are enough here.

// Registers.
#define start       R0  // data[0]
#define end         R1  // of data
#define OUT           R2  // item i of the superblock goes to OUT+i
#define S           R3  // in src, behind what was gathered
#define srcEnd      R4
#define srcLimit    R5  // below it, the longest group may be read
#define limit       R6  // below it, OUT has room for fast steps
#define bits        R7  // the superblock's items that are still to do: 1 for a copy
#define IN           R8  // item i stands at IN+i
#define pos         R9  // the item decoded last
#define item        R10
#define offset      R11
#define from        R12 // where a copy's bytes stand
#define at          R13 // where it goes to
#define t           R14
#define u           R15
#define D           R16 // while gathering: where in the slot
#define ahead       R17 // of the superblock that was gathered ahead: its bits,
#define aheadS      R19 // its start,
#define aheadItems  R20 // its items, 0 where there is none,
#define aheadBeyond R21 // and ones beyond them
#define slot        R22
#define aheadSlot   R23
#define items       R24 // of the superblock
#define rows        R25 // decodeTables.rows

// On the stack.
#define groupS   v-8(SP)   // where the superblock starts in src,
#define groupOut v-16(SP)  // and in data
#define slotA    v-208(SP) // 128 bytes, and 64 that may be read beyond
#define slotB    v-400(SP)

// GATHER appends the group at S to the slot at D and its control word to
// ahead. It goes to out, where the group might end behind src.
#define GATHER(shift, out) \
	CMP srcLimit, S; \
	BHS out; \
	MOVHU (S), t; \
	FMOVQ 2(S), F0; \
	FMOVQ 18(S), F1; \
	FMOVQ F0, (D); \
	FMOVQ F1, 16(D); \
	COPIES(t, u); \
	ORR t<<shift, ahead, ahead; \
	ADD $18, S; \
	ADD u, S; \
	ADD $16, D; \
	ADD u, D

// COPIES counts the ones of control into n.
#define COPIES(control, n) \
	FMOVS control, F2; \
	VCNT V2.B8, V2.B8; \
	VUADDLV V2.B8, V2; \
	FMOVS F2, n

// LOWEST finds the lowest one of bits.
#define LOWEST(i) \
	RBIT bits, i; \
	CLZ i, i

// FIELDS takes the copy at IN+i apart: item, whose bits 0 to 3 are its length-1,
// offset, from and at. It goes to bad where the offset is 0 or reaches before
// data.
#define FIELDS(i) \
	ADD IN, i, t; \
	MOVBU (t), item; \
	MOVBU 1(t), offset; \
	UBFX $4, item, $4, u; \
	ORR u<<8, offset, offset; \
	ADD OUT, i, at; \
	SUB offset, at, from; \
	CBZ offset, bad; \
	CMP start, from; \
	BLO bad

// REPEAT gets V1, 16 bytes of the copy.
#define REPEAT \
	CMP $16, offset; \
	MOVD $16, t; \
	CSEL LO, offset, t, offset; \
	ADD offset<<4, rows, t; \
	FMOVQ (t), F2; \
	FMOVQ (from), F1; \
	VTBL V2.B16, [V1.B16], V1.B16

// NEXT goes on to the item behind the copy.
#define NEXT \
	AND $15, item, item; \
	ADD item, OUT; \
	ADD $1, IN; \
	SUB $1, bits, t; \
	AND t, bits, bits

// STEP decodes the copy at the lowest bit of bits, which becomes pos, and 16
// bytes of literals behind it.
#define STEP \
	LOWEST(pos); \
	FIELDS(pos); \
	REPEAT; \
	FMOVQ F1, (at); \
	NEXT; \
	ADD IN, pos, t; \
	FMOVQ 1(t), F0; \
	ADD OUT, pos, u; \
	FMOVQ F0, 1(u)

// LITERALS moves 64 bytes of literals from item pos+1 on.
#define LITERALS \
	ADD IN, pos, t; \
	ADD OUT, pos, u; \
	FMOVQ 1(t), F0; \
	FMOVQ 17(t), F1; \
	FMOVQ 33(t), F2; \
	FMOVQ 49(t), F3; \
	FMOVQ F0, 1(u); \
	FMOVQ F1, 17(u); \
	FMOVQ F2, 33(u); \
	FMOVQ F3, 49(u)

// func decodeNEON(data *byte, size, o int, src *byte, srcSize, s int) (oEnd, sEnd int)
//
// It reads src[s:srcSize] and data[:size] and writes data[o:size], at any
// alignment, and nothing beyond; what it leaves behind oEnd is undefined. Where
// a group is bad, it returns the start of this or of one up to three groups
// before.
TEXT ·decodeNEON(SB), 0, $400-64
	MOVD ·tables(SB), rows
	ADD  $decodeTables_rows, rows
	MOVD $slotA, slot
	MOVD $slotB, aheadSlot

	// fast steps need 128 bytes of room, for 64 literals from item 64 on
	MOVD data+0(FP), start
	MOVD size+8(FP), t
	ADD  t, start, end
	SUB  $127, end, limit
	CMP  $127, t
	CSEL LT, ZR, limit, limit // none, and no address below 0
	MOVD o+16(FP), OUT
	ADD  start, OUT

	// gathering reads the 34 bytes of the longest group
	MOVD src+24(FP), S
	MOVD srcSize+32(FP), t
	ADD  t, S, srcEnd
	SUB  $33, srcEnd, srcLimit
	CMP  $33, t
	CSEL LT, ZR, srcLimit, srcLimit
	MOVD s+40(FP), t
	ADD  t, S

	// the first superblock is empty: there is nothing to do but to gather
	MOVD ZR, ahead
	MOVD ZR, aheadItems
	MOVD $-1, aheadBeyond
	MOVD S, aheadS

superblock:
	// what was gathered becomes current
	MOVD aheadS, groupS
	MOVD OUT, groupOut
	MOVD aheadItems, items
	MOVD ahead, bits
	MOVD aheadBeyond, item // until the test below
	MOVD aheadSlot, IN
	MOVD slot, aheadSlot
	MOVD IN, slot

	// gather up to four whole groups
	MOVD S, aheadS
	MOVD ZR, ahead
	MOVD aheadSlot, D
	MOVD ZR, aheadItems
	GATHER(0, gathered)
	MOVD $16, aheadItems
	GATHER(16, gathered)
	MOVD $32, aheadItems
	GATHER(32, gathered)
	MOVD $48, aheadItems
	GATHER(48, gathered)
	MOVD $64, aheadItems
	MOVD ZR, aheadBeyond
	B    current
gathered:
	MOVD $-1, t
	LSL  aheadItems, t, aheadBeyond

current:
	// STEP moves 16 literals behind each copy. t = the items that this reaches:
	// the first 16, copies, the 16 behind each, and none beyond the end
	ORR  bits<<1, bits, t
	ORR  t<<2, t, t
	ORR  t<<4, t, t
	ORR  t<<8, t, t
	ORR  t<<1, bits, t
	ORR  item, t, t
	ORR  $0xFFFF, t, t
	MOVD $-1, pos
	CMN  $1, t
	BNE  longRuns
	CBZ  bits, longRuns

	ADD   $16, OUT, t
	CMP   end, t
	BHI   exact
	FMOVQ (IN), F0
	FMOVQ F0, (OUT)
steps:
	CMP  limit, OUT
	BHS  near
	STEP
	CBNZ bits, steps
	B    done

	// near the end of data: room for the 32 bytes that a step may write is
	// tested at each
near:
	LOWEST(t)
	ADD  OUT, t, t
	ADD  $32, t, t
	CMP  end, t
	BHI  exact
	STEP
	CBNZ bits, near
	B    done

	// somewhere more than 16 literals are in a row: 64 are moved each time
longRuns:
	CMP   limit, OUT
	BHS   exact
	LITERALS
	CBZ   bits, done
	LOWEST(pos)
	FIELDS(pos)
	REPEAT
	FMOVQ F1, (at)
	NEXT
	B     longRuns

done:
	ADD  items, OUT
	CBNZ aheadItems, superblock

	// Fewer than 34 bytes of src are left: a superblock of one group, whose
	// items are copied to their end and no farther. t = their bytes.
	SUB   S, srcEnd, t
	SUBS  $2, t
	BLE   return // all done, or no items
	MOVHU (S), ahead
	ADD   $2, S, from
	MOVD  aheadSlot, D
	MOVD  t, u
gatherByte:
	MOVBU.P 1(from), item
	MOVB.P item, 1(D)
	SUBS  $1, u
	BNE   gatherByte

	// it is whole where 16 items and a byte more for each copy are there;
	// else there must be items, and no copies beyond them
	COPIES(ahead, u)
	SUB  u, t
	MOVD $16, aheadItems
	CMP  $16, t
	BGE  whole
	CMP  $0, t
	BLE  return
	MOVD t, aheadItems
	LSR  t, ahead, t
	CBNZ t, return
whole:
	ADD  $2, S
	ADD  aheadItems, S
	ADD  u, S
	MOVD $-1, t
	LSL  aheadItems, t, aheadBeyond
	B    superblock

	// At the end of data: literals behind pos and then a copy, nothing read or
	// written beyond end.
exact:
	ADD  $1, pos
	LOWEST(t) // 64 where there are no copies
	CMP  items, t
	CSEL LO, t, items, t
	SUB  pos, t, item // so many
	ADD  IN, pos, from // from here
	ADD  OUT, pos, at   // to here,
	SUB  at, end, u   // where u bytes are left
	MOVD t, pos
	CMP  u, item
	BGT  bad
literals16:
	CMP  $16, u
	BLT  literals1
	FMOVQ (from), F0
	FMOVQ F0, (at)
	ADD  $16, from
	ADD  $16, at
	SUB  $16, u
	SUBS $16, item
	BGT  literals16
	B    exactCopy
literals1:
	CBZ  item, exactCopy
literal1:
	MOVBU.P 1(from), t
	MOVB.P t, 1(at)
	SUBS $1, item
	BNE  literal1
exactCopy:
	CBZ  bits, done
	FIELDS(pos)
	SUB  at, end, u
	CMP  $16, u
	BLT  copy1
	REPEAT
	FMOVQ F1, (at)
	B    exactNext
copy1:
	AND  $15, item, t
	CMP  u, t
	BGE  bad
copyByte:
	MOVBU.P 1(from), u
	MOVB.P u, 1(at)
	SUBS $1, t
	BGE  copyByte
exactNext:
	NEXT
	B    exact

	// whatever is wrong, the caller finds it from this superblock's start on
bad:
	MOVD groupS, S
	MOVD groupOut, OUT
return:
	SUB  start, OUT
	MOVD OUT, oEnd+48(FP)
	MOVD src+24(FP), t
	SUB  t, S
	MOVD S, sEnd+56(FP)
	RET
