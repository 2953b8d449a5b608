//go:build !purego

#include "textflag.h"
#include "go_asm.h"

#define LANE SI
#define LEFT CX // positions to go through
#define POS DX
#define AT DI   // where POS is in data
#define SLOT AX
#define NUMBER BX

// ENTER enters position POS+k. Its slot is that of its three bytes, times
// 2654435761 << 8, so that the fourth byte falls out.
#define ENTER(k) \
	IMUL3L $0x3779B100, k(AT), SLOT; \
	LEAL   k(POS), NUMBER; \
	SHRL   $(32-const_tableBits), SLOT; \
	MOVW   NUMBER, Lane_table(LANE)(SLOT*2)

// func fastEnterAMD64(l *Lane, n int)
// Reads n+3 bytes of the lane's data from firstPos on, writes its table.
// Clobbers AX, BX, CX, DX, DI, SI.
TEXT ·fastEnterAMD64(SB), NOSPLIT, $0-16
	MOVQ l+0(FP), LANE
	MOVQ n+8(FP), LEFT
	MOVL $const_firstPos, POS
	LEAQ (Lane_data+const_firstPos)(LANE), AT
	SUBQ $8, LEFT
	JLT  few

eight:
	ENTER(0)
	ENTER(2)
	ENTER(4)
	ENTER(6)
	ADDL $8, POS
	ADDQ $8, AT
	SUBQ $8, LEFT
	JGE  eight

few:
	ADDQ $8, LEFT
	JEQ  done

two:
	ENTER(0)
	ADDL $2, POS
	ADDQ $2, AT
	SUBQ $2, LEFT
	JGT  two

done:
	RET
