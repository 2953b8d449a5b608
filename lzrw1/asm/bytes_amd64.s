//go:build !purego

#include "textflag.h"

// Kernels over the bytes in which words of two pages differ. Lengths of pages
// are multiples of 64, at least 64. Nothing needs alignment. No kernel uses
// BP or R15.

// ---- diffBytes: in each step of 64 bytes, those that agree are counted by
// their place in a vector, at most 4 in each, and these counts added up. ----

#define A SI
#define B DX
#define STEPS CX

// func diffBytesAVX2(a, b []byte) int
// Reads a and as much of b, nothing beyond. AVX2 alone.
// Clobbers AX, CX, DX, SI, Y0-Y3.
#define AGREEING Y0
#define ZERO Y3
TEXT ·diffBytesAVX2(SB), NOSPLIT, $0-56
	MOVQ  a_base+0(FP), A
	MOVQ  a_len+8(FP), STEPS
	MOVQ  b_base+24(FP), B
	SHRQ  $6, STEPS
	VPXOR AGREEING, AGREEING, AGREEING
	VPXOR ZERO, ZERO, ZERO

diffBytesStep:
	VMOVDQU  (A), Y1
	VMOVDQU  32(A), Y2
	VPCMPEQB (B), Y1, Y1
	VPCMPEQB 32(B), Y2, Y2
	VPADDB   Y1, Y2, Y1
	VPSUBB   Y1, ZERO, Y1
	VPSADBW  ZERO, Y1, Y1
	VPADDQ   Y1, AGREEING, AGREEING
	ADDQ     $64, A
	ADDQ     $64, B
	DECQ     STEPS
	JNZ      diffBytesStep

	VEXTRACTI128 $1, AGREEING, X1
	VPADDQ       X1, X0, X0
	VPSRLDQ      $8, X0, X1
	VPADDQ       X1, X0, X0
	VMOVQ        X0, CX
	MOVQ         a_len+8(FP), AX
	SUBQ         CX, AX
	VZEROUPPER
	MOVQ         AX, ret+48(FP)
	RET
#undef AGREEING
#undef ZERO

// func diffBytesSSE2(a, b []byte) int
// Reads a and as much of b, nothing beyond. SSE2.
// Clobbers AX, CX, DX, SI, X0-X6.
#define AGREEING X0
#define ZERO X6
#define AGREE(at, X) \
	MOVOU   at(A), X; \
	MOVOU   at(B), X5; \
	PCMPEQB X5, X
TEXT ·diffBytesSSE2(SB), NOSPLIT, $0-56
	MOVQ a_base+0(FP), A
	MOVQ a_len+8(FP), STEPS
	MOVQ b_base+24(FP), B
	SHRQ $6, STEPS
	PXOR AGREEING, AGREEING
	PXOR ZERO, ZERO

diffBytesStep:
	AGREE(0, X1)
	AGREE(16, X2)
	AGREE(32, X3)
	AGREE(48, X4)
	PADDB  X2, X1
	PADDB  X4, X3
	PADDB  X3, X1
	PXOR   X2, X2
	PSUBB  X1, X2
	PSADBW ZERO, X2
	PADDQ  X2, AGREEING
	ADDQ   $64, A
	ADDQ   $64, B
	DECQ   STEPS
	JNZ    diffBytesStep

	MOVO   AGREEING, X1
	PSRLO  $8, X1
	PADDQ  X1, AGREEING
	MOVQ   AGREEING, CX
	MOVQ   a_len+8(FP), AX
	SUBQ   CX, AX
	MOVQ   AX, ret+48(FP)
	RET
#undef A
#undef B
#undef AGREEING
#undef ZERO

// ---- packBytes and mergeBytes: by the bits of the map, 64 at a time. A word
// whose bytes are to be taken apart or put together has, beside its mask of
// bits, one of bytes, FF for each that differs. ----

#define MAP DX      // next byte of it
#define BITS AX
#define BIT BX
#define MASKS R8    // where the next mask is
#define MASK R9
#define BYTEMASK R10
#define WORD R11
#define COUNT R12   // of bytes that differ

// NEXTBITS takes the next eight bytes of the map to BITS or, where less are
// left, these and zeros. Uses BIT.
#define NEXTBITS(few, one, taken) \
	CMPQ  STEPS, $8; \
	JCS   few; \
	MOVQ  (MAP), BITS; \
	ADDQ  $8, MAP; \
	JMP   taken; \
few: \
	MOVQ  STEPS, BIT; \
	XORL  BITS, BITS; \
one: \
	SHLQ  $8, BITS; \
	MOVB  -1(MAP)(BIT*1), BITS; \
	DECQ  BIT; \
	JNE   one; \
taken:

// func packBytesAVX2(masks, dst, old, new, set []byte) int
// Reads old, new and len(new)/64 bytes of set. Writes a byte of masks for each
// bit set there. May write eight bytes of dst for each, nothing beyond: whole
// words are stored. BMI1, BMI2, POPCNT and AVX.
// Clobbers AX, BX, CX, DX, DI, SI, R8-R13, X0, X1.
#define DST DI
#define NEW SI
#define OLD R13
TEXT ·packBytesAVX2(SB), NOSPLIT, $0-128
	MOVQ masks_base+0(FP), MASKS
	MOVQ dst_base+24(FP), DST
	MOVQ old_base+48(FP), OLD
	MOVQ new_base+72(FP), NEW
	MOVQ new_len+80(FP), STEPS
	MOVQ set_base+96(FP), MAP
	SHRQ $6, STEPS

packStep:
	NEXTBITS(packFew, packOne, packBits)
	TESTQ BITS, BITS
	JEQ   packed

packWord:
	TZCNTQ    BITS, BIT
	VMOVQ     (NEW)(BIT*8), X0
	VMOVQ     (OLD)(BIT*8), X1
	VPCMPEQB  X0, X1, X1
	VMOVQ     X1, BYTEMASK
	VPMOVMSKB X1, MASK
	MOVQ      (NEW)(BIT*8), WORD
	NOTQ      BYTEMASK
	NOTL      MASK
	PEXTQ     BYTEMASK, WORD, WORD
	MOVB      MASK, (MASKS)
	INCQ      MASKS
	MOVBLZX   MASK, COUNT
	POPCNTL   COUNT, COUNT
	MOVQ      WORD, (DST)
	ADDQ      COUNT, DST
	BLSRQ     BITS, BITS
	JNE       packWord

packed:
	ADDQ $512, OLD
	ADDQ $512, NEW
	SUBQ $8, STEPS
	JGT  packStep

	SUBQ dst_base+24(FP), DST
	MOVQ DST, ret+120(FP)
	RET
#undef DST
#undef NEW
#undef OLD

// func mergeBytesAVX2(page, masks, src, set []byte)
// Reads len(page)/64 bytes of set, a byte of masks for each bit set there, and
// src, as many bytes as these have bits, nothing beyond. Writes the words of
// page that set has, and no others. BMI1, BMI2 and POPCNT.
// Clobbers AX, BX, CX, DX, DI, SI, R8-R14. Uses 16 bytes of stack.
#define PAGE DI
#define SRC SI
#define LAST R13   // where SRC may stand at most to read eight bytes
#define BIT0S R14  // the lowest bit of each byte
TEXT ·mergeBytesAVX2(SB), NOSPLIT, $16-96
	MOVQ page_base+0(FP), PAGE
	MOVQ page_len+8(FP), STEPS
	MOVQ masks_base+24(FP), MASKS
	MOVQ src_base+48(FP), SRC
	MOVQ src_len+56(FP), LAST
	MOVQ set_base+72(FP), MAP
	SHRQ $6, STEPS
	LEAQ -8(SRC)(LAST*1), LAST
	MOVQ $0x0101010101010101, BIT0S

mergeStep:
	NEXTBITS(mergeFew, mergeOne, mergeBits)
	TESTQ BITS, BITS
	JEQ   merged

mergeWord:
	CMPQ SRC, LAST
	JHI  fewBytes

mergeBytes:
	MOVBLZX (MASKS), MASK
	INCQ    MASKS
	POPCNTL MASK, COUNT
	TZCNTQ  BITS, BIT
	PDEPQ   BIT0S, MASK, MASK
	MOVQ    MASK, BYTEMASK
	SHLQ    $8, BYTEMASK
	SUBQ    MASK, BYTEMASK // times 255
	MOVQ    (SRC), WORD
	PDEPQ   BYTEMASK, WORD, WORD
	ADDQ    COUNT, SRC
	ANDNQ   (PAGE)(BIT*8), BYTEMASK, BYTEMASK
	ORQ     BYTEMASK, WORD
	MOVQ    WORD, (PAGE)(BIT*8)
	BLSRQ   BITS, BITS
	JNE     mergeWord

merged:
	ADDQ $512, PAGE
	SUBQ $8, STEPS
	JGT  mergeStep
	RET

	// The last bytes, less than eight, go on from the stack, where as many
	// can be read behind them.
fewBytes:
	XORL WORD, WORD
	MOVQ WORD, rest-8(SP)
	SUBQ SRC, LAST
	ADDQ $8, LAST // bytes left
	JEQ  gathered

gather:
	SHLQ $8, WORD
	MOVB -1(SRC)(LAST*1), WORD
	DECQ LAST
	JNE  gather

gathered:
	MOVQ WORD, rest-16(SP)
	LEAQ rest-16(SP), SRC
	MOVQ $-1, LAST
	JMP  mergeBytes
