// The body of the decode kernels; decode_amd64.s includes it once for
// each of them, after defining for the instruction set:
//
//	MOV16          the instruction that moves 16 bytes, aligned or not
//	GATHER32       moves 32 bytes from 2(S) to (D)
//	LITERALS(k, i) moves 64 bytes from k+1(IN)(i) to 1(OUT)(i)
//	CLEAR          clears the lowest bit of bits; sets ZF where none is left
//	FIELDS(k, i)   item, offset and from of the copy at k(IN)(i); bits 0 to 3
//	               of item are its length-1; goes to bad where offset is illegal
//	REPEAT         X1 = 16 bytes of the copy at from; offset is lost
//	STEP(k)        decodes the copy at the lowest bit of bits, which becomes
//	               pos, and 16 bytes of literals behind it; then CLEAR
//
// How it works. The items of four groups are copied, without the control
// words, into a slot on the stack, and the control words are put together into
// one word, bits: a superblock of 64 items. This costs less than ending loops
// four times as often where no branch predictor sees it coming. Item i of
// a superblock stands at IN+i, where IN is the slot's address plus the number of
// copies before, and goes to OUT+i, where OUT is the superblock's address plus
// what the copies before came to beyond a byte each. So the lowest bit of bits
// is all that a step needs to know.
//
// While one superblock is decoded, the next is gathered already: its slot is
// in the first-level cache by the time it is read, and so is its length.

	MOVQ ·tables(SB), table
	LEAQ slotA, AX
	MOVQ AX, slot
	LEAQ slotB, AX
	MOVQ AX, aheadSlot

	// fast steps need 158 bytes of room: two copies, 30 beyond a byte each, and 64
	// literals from item 64 on; or four copies, 60, and 32 from item 63 on
	MOVQ data+0(FP), start
	MOVQ size+8(FP), AX
	LEAQ (start)(AX*1), BX
	MOVQ BX, end
	SUBQ $157, BX
	XORL CX, CX
	CMPQ AX, $157
	CMOVQLT CX, BX // none, and no address below 0
	MOVQ BX, limit
	MOVQ o+16(FP), OUT
	ADDQ start, OUT

	// gathering reads the 34 bytes of the longest group
	MOVQ src+24(FP), S
	MOVQ srcSize+32(FP), AX
	LEAQ (S)(AX*1), BX
	MOVQ BX, srcEnd
	SUBQ $33, BX
	CMPQ AX, $33
	CMOVQLT CX, BX
	MOVQ BX, srcLimit
	ADDQ s+40(FP), S

	// the first superblock is empty: there is nothing to do but to gather
	XORL ahead, ahead
	MOVQ ahead, aheadItems
	MOVQ $-1, aheadBeyond
	MOVQ S, aheadS

superblock:
	// what was gathered becomes current
	MOVQ aheadS, AX
	MOVQ AX, groupS
	MOVQ OUT, groupOut
	MOVQ aheadItems, AX
	MOVQ AX, items
	MOVQ aheadBeyond, R12
	MOVQ ahead, bits
	MOVQ aheadSlot, IN
	MOVQ slot, D
	MOVQ D, aheadSlot
	MOVQ IN, slot

	// gather up to four whole groups
	MOVQ S, aheadS
	XORL ahead, ahead
	GATHER(0, gathered0)
	GATHER(16, gathered1)
	GATHER(32, gathered2)
	GATHER(48, gathered3)
	MOVL $64, CX
	XORL DX, DX
gathered:
	MOVQ CX, aheadItems
	MOVQ DX, aheadBeyond
	MOVL $15, R15 // for STEP

	// STEP moves 16 literals behind each copy. BX = the items that this
	// reaches: the first 16, copies, the 16 behind each, and none beyond the end
	LEAQ (bits)(bits*1), BX
	ORQ bits, BX
	LEAQ (BX*4), CX
	ORQ CX, BX
	MOVQ BX, CX
	SHLQ $4, CX
	ORQ CX, BX
	MOVQ BX, CX
	SHLQ $8, CX
	ORQ CX, BX
	ADDQ BX, BX
	ORQ bits, BX
	ORQ R12, BX
	ORQ $0xFFFF, BX
	MOVQ $-1, pos
	CMPQ BX, $-1
	JNE longRuns
	TESTQ bits, bits
	JZ longRuns

	CMPQ OUT, limit
	JAE nearFirst
	MOV16 (IN), X0
	MOV16 X0, (OUT)
steps:
	STEP(0)
	JZ done
	STEP(1)
	JZ done
	STEP(2)
	JZ done
	STEP(3)
	JZ done
	ADDQ $4, IN
	CMPQ OUT, limit
	JB steps

	// near the end of data: room for the 32 bytes that a step may write is
	// tested at each
near:
	TZCNTQ bits, BX
	LEAQ 32(OUT)(BX*1), BX
	CMPQ BX, end
	JA exact
	STEP(0)
	JZ done
	INCQ IN
	JMP near
nearFirst:
	LEAQ 16(OUT), BX
	CMPQ BX, end
	JA exact
	MOV16 (IN), X0
	MOV16 X0, (OUT)
	JMP near

	// somewhere more than 16 literals are in a row: 64 are moved each time
longRuns:
	CMPQ OUT, limit
	JAE exact
	TESTQ bits, bits
	JZ longEnd0
longSteps:
	LONGSTEP(0, pos, BX)
	JZ longEnd1
	LONGSTEP(1, BX, pos)
	JZ longEnd2
	ADDQ $2, IN
	CMPQ OUT, limit
	JB longSteps
	JMP exact
longEnd0:
	LITERALS(0, pos)
	JMP done
longEnd1:
	LITERALS(1, BX)
	JMP done
longEnd2:
	LITERALS(2, pos)

done:
	ADDQ items, OUT
	CMPQ aheadItems, $0
	JNE superblock

	// Fewer than 34 bytes of src are left: a superblock of one group, whose
	// items are copied to their end and no farther. BX = their bytes.
	MOVQ srcEnd, BX
	SUBQ S, BX
	SUBQ $2, BX
	JLE return // all done, or no items
	MOVWLZX (S), ahead
	MOVQ aheadSlot, D
	CMPQ BX, $16
	JLT bytes8
	MOV16 2(S), X0
	MOV16 -14(S)(BX*1), X1
	MOV16 X0, (D)
	MOV16 X1, -16(D)(BX*1)
	JMP gatheredLast
bytes8:
	CMPQ BX, $8
	JLT bytes1
	MOVQ 2(S), CX
	MOVQ -6(S)(BX*1), DX
	MOVQ CX, (D)
	MOVQ DX, -8(D)(BX*1)
	JMP gatheredLast
bytes1:
	MOVQ BX, CX
byte1:
	MOVB 1(S)(CX*1), DX
	MOVB DX, -1(D)(CX*1)
	DECQ CX
	JNZ byte1
gatheredLast:
	// it is whole where 16 items and a byte more for each copy are there;
	// else there must be items, and no copies beyond them
	POPCNTL ahead, AX
	SUBQ AX, BX
	MOVL $16, CX
	CMPQ BX, CX
	JGE whole
	MOVQ BX, CX
	TESTQ CX, CX
	JLE return
	MOVL ahead, DX
	SHRL CX, DX
	JNZ return
whole:
	MOVQ CX, aheadItems
	LEAQ 2(S)(CX*1), S
	ADDQ AX, S
	MOVQ $-1, DX
	SHLQ CX, DX
	MOVQ DX, aheadBeyond
	JMP superblock

	// At the end of data: literals behind pos and then a copy, nothing read or
	// written beyond end.
exact:
	MOVQ end, R15
	LEAQ 1(OUT)(pos*1), DX // literals: to DX,
	SUBQ DX, R15         // where R15 bytes are left,
	LEAQ 1(IN)(pos*1), R12 // from R12,
	MOVQ items, BX
	TZCNTQ bits, CX
	TESTQ bits, bits
	CMOVQNE CX, BX // up to item BX,
	MOVQ BX, CX
	SUBQ pos, CX
	DECQ CX // so many
	MOVQ BX, pos
	CMPQ CX, R15
	JGT bad
literals16:
	CMPQ R15, $16
	JLT literals1
	MOV16 (R12), X0
	MOV16 X0, (DX)
	ADDQ $16, R12
	ADDQ $16, DX
	SUBQ $16, R15
	SUBQ $16, CX
	JGT literals16
	JMP exactCopy
literals1:
	TESTQ CX, CX
	JZ exactCopy
literal1:
	MOVB -1(R12)(CX*1), R15
	MOVB R15, -1(DX)(CX*1)
	DECQ CX
	JNZ literal1
exactCopy:
	TESTQ bits, bits
	JZ done
	FIELDS(0, pos)
	LEAQ 16(OUT)(pos*1), BX
	CMPQ BX, end
	JA copy1
	REPEAT
	MOV16 X1, (OUT)(pos*1)
	JMP exactNext
copy1:
	SUBQ $16, BX
	MOVQ end, R15
	SUBQ BX, R15 // bytes left
	MOVL item, R12
	ANDL $15, R12
	CMPQ R12, R15
	JGE bad
copyByte:
	MOVB (from), R15
	MOVB R15, (BX)
	INCQ from
	INCQ BX
	DECL R12
	JGE copyByte
exactNext:
	ANDL $15, item
	ADDQ item, OUT
	INCQ IN
	CLEAR
	JMP exact

gathered0:
	XORL CX, CX
	MOVQ $-1, DX
	JMP gathered
gathered1:
	MOVL $16, CX
	MOVQ $-1<<16, DX
	JMP gathered
gathered2:
	MOVL $32, CX
	MOVQ $-1<<32, DX
	JMP gathered
gathered3:
	MOVL $48, CX
	MOVQ $-1<<48, DX
	JMP gathered

	// whatever is wrong, the caller finds it from this superblock's start on
bad:
	MOVQ groupS, S
	MOVQ groupOut, OUT
return:
	SUBQ start, OUT
	MOVQ OUT, oEnd+48(FP)
	SUBQ src+24(FP), S
	MOVQ S, sEnd+56(FP)
