//go:build !purego

#include "textflag.h"

// Kernels over the 8-byte words of pages. Lengths of pages are multiples of
// 64, at least 64; a step of every loop is 64 bytes, so one byte of the map.
// The lengths of dst, set, words and b are not looked at: the caller has
// checked them. Nothing needs alignment. No kernel uses the stack or any of
// BP, R14, R15.

#define PAGE SI
#define OTHER DX   // the page to compare with
#define STEPS CX   // left to do
#define SET DI     // next byte of the map
#define BITS AX    // byte of the map at hand
#define HIGH BX    // its upper half

// ---- zeroMap and diffMap ----

// MAP8AVX2 stores the map's byte of eight words and counts its bits.
// In: masks of the words that are NOT to be in the map, four each in LOWER
// and UPPER. Uses BITS, HIGH.
#define COUNT R8
#define MAP8AVX2(LOWER, UPPER) \
	VMOVMSKPD LOWER, BITS; \
	VMOVMSKPD UPPER, HIGH; \
	SHLL      $4, HIGH; \
	ORL       HIGH, BITS; \
	XORL      $0xFF, BITS; \
	MOVB      BITS, (SET); \
	INCQ      SET; \
	POPCNTL   BITS, BITS; \
	ADDQ      BITS, COUNT

// func zeroMapAVX2(set, page []byte) int
// Reads page, writes len(page)/64 bytes of set, nothing beyond. AVX2, POPCNT.
// Clobbers AX, BX, CX, DI, SI, R8, Y0-Y2.
#define ZERO Y0
TEXT ·zeroMapAVX2(SB), NOSPLIT, $0-56
	MOVQ  set_base+0(FP), SET
	MOVQ  page_base+24(FP), PAGE
	MOVQ  page_len+32(FP), STEPS
	SHRQ  $6, STEPS
	XORL  COUNT, COUNT
	VPXOR ZERO, ZERO, ZERO

zeroMapStep:
	VPCMPEQQ (PAGE), ZERO, Y1
	VPCMPEQQ 32(PAGE), ZERO, Y2
	MAP8AVX2(Y1, Y2)
	ADDQ     $64, PAGE
	DECQ     STEPS
	JNZ      zeroMapStep

	VZEROUPPER
	MOVQ COUNT, ret+48(FP)
	RET
#undef ZERO

// func diffMapAVX2(set, a, b []byte) int
// Reads a and as much of b, writes len(a)/64 bytes of set, nothing beyond.
// AVX2, POPCNT. Clobbers AX, BX, CX, DX, DI, SI, R8, Y1, Y2.
TEXT ·diffMapAVX2(SB), NOSPLIT, $0-80
	MOVQ set_base+0(FP), SET
	MOVQ a_base+24(FP), PAGE
	MOVQ a_len+32(FP), STEPS
	MOVQ b_base+48(FP), OTHER
	SHRQ $6, STEPS
	XORL COUNT, COUNT

diffMapStep:
	VMOVDQU  (PAGE), Y1
	VMOVDQU  32(PAGE), Y2
	VPCMPEQQ (OTHER), Y1, Y1
	VPCMPEQQ 32(OTHER), Y2, Y2
	MAP8AVX2(Y1, Y2)
	ADDQ     $64, PAGE
	ADDQ     $64, OTHER
	DECQ     STEPS
	JNZ      diffMapStep

	VZEROUPPER
	MOVQ COUNT, ret+72(FP)
	RET
#undef COUNT

// SSE2 compares no 64-bit lanes. So the words' low halves are gathered in one
// vector and their high halves in another: a word is zero where both are.
// And there is no POPCNT: the masks, -1 a word, are added up in four lanes.
#define ZERO X0
#define ONES X8
#define ABSENT X7  // minus how many words are not in the map, in four lanes

// ZEROS4 makes of four words, two in A and two in B, a mask of those that are
// zero, in A, 32 bits each: of their low halves in A and high ones in T.
#define ZEROS4(A, B, T) \
	MOVAPS  A, T; \
	SHUFPS  $0x88, B, A; \
	SHUFPS  $0xDD, B, T; \
	POR     T, A; \
	PCMPEQL ZERO, A

// MAP8SSE2 stores the map's byte of the eight words in X1 to X4 that are not
// zero, and counts the others. Uses BITS, X5.
#define MAP8SSE2 \
	ZEROS4(X1, X2, X5); \
	ZEROS4(X3, X4, X5); \
	PADDL    X1, ABSENT; \
	PADDL    X3, ABSENT; \
	PACKSSLW X3, X1; \
	PXOR     ONES, X1; \
	PACKSSWB X1, X1; \
	PMOVMSKB X1, BITS; \
	MOVB     BITS, (SET); \
	INCQ     SET

// PRESENT makes of WORDS, how many a page has, how many are in the map.
// Uses X1, STEPS.
#define PRESENT(WORDS) \
	PSHUFL  $0xEE, ABSENT, X1; \
	PADDL   X1, ABSENT; \
	PSHUFL  $0x55, ABSENT, X1; \
	PADDL   X1, ABSENT; \
	MOVD    ABSENT, STEPS; \
	MOVLQSX STEPS, STEPS; \
	ADDQ    STEPS, WORDS

// func zeroMapSSE2(set, page []byte) int
// Reads page, writes len(page)/64 bytes of set, nothing beyond. SSE2.
// Clobbers AX, CX, DI, SI, X0-X5, X7, X8. A page has less than 2^31 words.
TEXT ·zeroMapSSE2(SB), NOSPLIT, $0-56
	MOVQ    set_base+0(FP), SET
	MOVQ    page_base+24(FP), PAGE
	MOVQ    page_len+32(FP), STEPS
	SHRQ    $6, STEPS
	PXOR    ZERO, ZERO
	PXOR    ABSENT, ABSENT
	PCMPEQL ONES, ONES

zeroMapStep:
	MOVOU (PAGE), X1
	MOVOU 16(PAGE), X2
	MOVOU 32(PAGE), X3
	MOVOU 48(PAGE), X4
	MAP8SSE2
	ADDQ  $64, PAGE
	DECQ  STEPS
	JNZ   zeroMapStep

	MOVQ page_len+32(FP), AX
	SHRQ $3, AX
	PRESENT(AX)
	MOVQ AX, ret+48(FP)
	RET

// func diffMapSSE2(set, a, b []byte) int
// Reads a and as much of b, writes len(a)/64 bytes of set, nothing beyond.
// SSE2. Clobbers AX, CX, DX, DI, SI, X0-X5, X7, X8. A page has less than 2^31
// words.
TEXT ·diffMapSSE2(SB), NOSPLIT, $0-80
	MOVQ    set_base+0(FP), SET
	MOVQ    a_base+24(FP), PAGE
	MOVQ    a_len+32(FP), STEPS
	MOVQ    b_base+48(FP), OTHER
	SHRQ    $6, STEPS
	PXOR    ZERO, ZERO
	PXOR    ABSENT, ABSENT
	PCMPEQL ONES, ONES

diffMapStep:
	MOVOU (PAGE), X1
	MOVOU 16(PAGE), X2
	MOVOU 32(PAGE), X3
	MOVOU 48(PAGE), X4
	MOVOU (OTHER), X5
	PXOR  X5, X1
	MOVOU 16(OTHER), X5
	PXOR  X5, X2
	MOVOU 32(OTHER), X5
	PXOR  X5, X3
	MOVOU 48(OTHER), X5
	PXOR  X5, X4
	MAP8SSE2
	ADDQ  $64, PAGE
	ADDQ  $64, OTHER
	DECQ  STEPS
	JNZ   diffMapStep

	MOVQ a_len+32(FP), AX
	SHRQ $3, AX
	PRESENT(AX)
	MOVQ AX, ret+72(FP)
	RET
#undef ZERO
#undef ONES
#undef ABSENT
#undef OTHER
#undef SET

// ---- pack and unpack ----

#define DST DI
#define MAP DX     // next byte of it
#define TABLE R9
#define LOWERN R10 // how many words the lower half of the map's byte has
#define UPPERN R11 // and the upper half

// Words of a vector as VPERMD names them, by their halves.
#define W0 0x0000000100000000
#define W1 0x0000000300000002
#define W2 0x0000000500000004
#define W3 0x0000000700000006

// packTable says for each half byte of a map, in 32 bytes, which words of a
// vector it has. What comes behind them does not matter: W0 stands there.
#define PACK(half, a, b, c, d) \
	DATA packTable<>+(32*half+0)(SB)/8, $a; \
	DATA packTable<>+(32*half+8)(SB)/8, $b; \
	DATA packTable<>+(32*half+16)(SB)/8, $c; \
	DATA packTable<>+(32*half+24)(SB)/8, $d

PACK(0, W0, W0, W0, W0)
PACK(1, W0, W0, W0, W0)
PACK(2, W1, W0, W0, W0)
PACK(3, W0, W1, W0, W0)
PACK(4, W2, W0, W0, W0)
PACK(5, W0, W2, W0, W0)
PACK(6, W1, W2, W0, W0)
PACK(7, W0, W1, W2, W0)
PACK(8, W3, W0, W0, W0)
PACK(9, W0, W3, W0, W0)
PACK(10, W1, W3, W0, W0)
PACK(11, W0, W1, W3, W0)
PACK(12, W2, W3, W0, W0)
PACK(13, W0, W2, W3, W0)
PACK(14, W1, W2, W3, W0)
PACK(15, W0, W1, W2, W3)
GLOBL packTable<>(SB), RODATA|NOPTR, $512

// unpackTable says for each half byte of a map, in 64 bytes, where a vector's
// words come from, and which words to load for that: as many as it has bits.
// W3 is not loaded, so zero, where the half has no four bits: it stands for
// the words that are absent.
#define LOAD 0xFFFFFFFFFFFFFFFF
#define UNPACK(half, a, b, c, d, load0, load1, load2, load3) \
	DATA unpackTable<>+(64*half+0)(SB)/8, $a; \
	DATA unpackTable<>+(64*half+8)(SB)/8, $b; \
	DATA unpackTable<>+(64*half+16)(SB)/8, $c; \
	DATA unpackTable<>+(64*half+24)(SB)/8, $d; \
	DATA unpackTable<>+(64*half+32)(SB)/8, $load0; \
	DATA unpackTable<>+(64*half+40)(SB)/8, $load1; \
	DATA unpackTable<>+(64*half+48)(SB)/8, $load2; \
	DATA unpackTable<>+(64*half+56)(SB)/8, $load3

UNPACK(0, W3, W3, W3, W3, 0, 0, 0, 0)
UNPACK(1, W0, W3, W3, W3, LOAD, 0, 0, 0)
UNPACK(2, W3, W0, W3, W3, LOAD, 0, 0, 0)
UNPACK(3, W0, W1, W3, W3, LOAD, LOAD, 0, 0)
UNPACK(4, W3, W3, W0, W3, LOAD, 0, 0, 0)
UNPACK(5, W0, W3, W1, W3, LOAD, LOAD, 0, 0)
UNPACK(6, W3, W0, W1, W3, LOAD, LOAD, 0, 0)
UNPACK(7, W0, W1, W2, W3, LOAD, LOAD, LOAD, 0)
UNPACK(8, W3, W3, W3, W0, LOAD, 0, 0, 0)
UNPACK(9, W0, W3, W3, W1, LOAD, LOAD, 0, 0)
UNPACK(10, W3, W0, W3, W1, LOAD, LOAD, 0, 0)
UNPACK(11, W0, W1, W3, W2, LOAD, LOAD, LOAD, 0)
UNPACK(12, W3, W3, W0, W1, LOAD, LOAD, 0, 0)
UNPACK(13, W0, W3, W1, W2, LOAD, LOAD, LOAD, 0)
UNPACK(14, W3, W0, W1, W2, LOAD, LOAD, LOAD, 0)
UNPACK(15, W0, W1, W2, W3, LOAD, LOAD, LOAD, LOAD)
GLOBL unpackTable<>(SB), RODATA|NOPTR, $1024

// HALVES takes the map's next byte apart: its halves, the upper one still
// shifted left by 4, to BITS and HIGH, their counts to LOWERN and UPPERN.
#define HALVES \
	MOVBLZX (MAP), BITS; \
	INCQ    MAP; \
	MOVL    BITS, HIGH; \
	ANDL    $0x0F, BITS; \
	ANDL    $0xF0, HIGH; \
	POPCNTL BITS, LOWERN; \
	POPCNTL HIGH, UPPERN

// func packAVX2(dst, page, set []byte)
// Reads page and len(page)/64 bytes of set. May write the first len(page)
// bytes of dst, nothing beyond: whole vectors are stored, but no vector of the
// page to where none of them has been. AVX2, POPCNT.
// Clobbers AX, BX, CX, DX, DI, SI, R9-R11, Y0, Y1.
TEXT ·packAVX2(SB), NOSPLIT, $0-72
	MOVQ dst_base+0(FP), DST
	MOVQ page_base+24(FP), PAGE
	MOVQ page_len+32(FP), STEPS
	MOVQ set_base+48(FP), MAP
	SHRQ $6, STEPS
	LEAQ packTable<>(SB), TABLE

packStep:
	HALVES
	SHLL    $5, BITS
	VMOVDQU (TABLE)(BITS*1), Y0
	VMOVDQU (TABLE)(HIGH*2), Y1
	VPERMD  (PAGE), Y0, Y0
	VPERMD  32(PAGE), Y1, Y1
	VMOVDQU Y0, (DST)
	LEAQ    (DST)(LOWERN*8), DST
	VMOVDQU Y1, (DST)
	LEAQ    (DST)(UPPERN*8), DST
	ADDQ    $64, PAGE
	DECQ    STEPS
	JNZ     packStep

	VZEROUPPER
	RET

// func unpackAVX2(page, words, set []byte)
// Reads len(page)/64 bytes of set and of words 8 for each bit that is set
// there, nothing beyond: loads are masked. Writes page. AVX2, POPCNT.
// Clobbers AX, BX, CX, DX, DI, SI, R9-R11, Y0-Y3.
#define WORDS SI
TEXT ·unpackAVX2(SB), NOSPLIT, $0-72
	MOVQ page_base+0(FP), DST
	MOVQ page_len+8(FP), STEPS
	MOVQ words_base+24(FP), WORDS
	MOVQ set_base+48(FP), MAP
	SHRQ $6, STEPS
	LEAQ unpackTable<>(SB), TABLE

unpackStep:
	HALVES
	SHLL       $6, BITS
	VMOVDQU    32(TABLE)(BITS*1), Y2
	VMOVDQU    32(TABLE)(HIGH*4), Y3
	VPMASKMOVQ (WORDS), Y2, Y2
	LEAQ       (WORDS)(LOWERN*8), WORDS
	VPMASKMOVQ (WORDS), Y3, Y3
	LEAQ       (WORDS)(UPPERN*8), WORDS
	VMOVDQU    (TABLE)(BITS*1), Y0
	VMOVDQU    (TABLE)(HIGH*4), Y1
	VPERMD     Y2, Y0, Y0
	VPERMD     Y3, Y1, Y1
	VMOVDQU    Y0, (DST)
	VMOVDQU    Y1, 32(DST)
	ADDQ       $64, DST
	DECQ       STEPS
	JNZ        unpackStep

	VZEROUPPER
	RET

// Without vectors that shuffle by a table, one word at a time: what a bit of
// the map decides is how far to move, not where to jump.
#define AT R8      // words packed, or unpacked
#define WORD BX
#define NULL R10

// PACKWORD stores word j of eight. The next one overwrites it, if it is not in
// the map.
#define PACKWORD(j) \
	MOVQ (8*j)(PAGE), WORD; \
	MOVQ WORD, (DST)(AT*8); \
	SHRL $1, BITS; \
	ADCQ $0, AT

// func packSSE2(dst, page, set []byte)
// Reads page and len(page)/64 bytes of set. May write the first len(page)
// bytes of dst, nothing beyond. Clobbers AX, BX, CX, DX, DI, SI, R8.
TEXT ·packSSE2(SB), NOSPLIT, $0-72
	MOVQ dst_base+0(FP), DST
	MOVQ page_base+24(FP), PAGE
	MOVQ page_len+32(FP), STEPS
	MOVQ set_base+48(FP), MAP
	SHRQ $6, STEPS
	XORL AT, AT

packStep:
	MOVBLZX (MAP), BITS
	INCQ    MAP
	PACKWORD(0)
	PACKWORD(1)
	PACKWORD(2)
	PACKWORD(3)
	PACKWORD(4)
	PACKWORD(5)
	PACKWORD(6)
	PACKWORD(7)
	ADDQ    $64, PAGE
	DECQ    STEPS
	JNZ     packStep
	RET

// UNPACKWORD stores word j of eight: the next one of WORDS, or zero. The carry
// is the word's bit, until the end.
#define UNPACKWORD(j) \
	MOVQ    (WORDS)(AT*8), WORD; \
	SHRL    $1, BITS; \
	CMOVQCC NULL, WORD; \
	MOVQ    WORD, (8*j)(DST); \
	ADCQ    $0, AT

// func unpackSSE2(page, words, set []byte)
// Reads len(page)/64 bytes of set and len(words) bytes of words, nothing
// beyond. len(words) is 8 for each bit that is set in the map. Writes page.
// Clobbers AX, BX, CX, DX, DI, SI, R8, R9, R10.
#define LAST R9    // where AT may stand at most to read eight words
TEXT ·unpackSSE2(SB), NOSPLIT, $0-72
	MOVQ page_base+0(FP), DST
	MOVQ page_len+8(FP), STEPS
	MOVQ words_base+24(FP), WORDS
	MOVQ words_len+32(FP), LAST
	MOVQ set_base+48(FP), MAP
	SHRQ $6, STEPS
	SHRQ $3, LAST
	SUBQ $8, LAST
	XORL AT, AT
	XORL NULL, NULL

	// An absent word reads the next present one, and takes zero: so this
	// needs as many words left as a byte of the map may have.
unpackStep:
	CMPQ    AT, LAST
	JGT     fewLeft
	MOVBLZX (MAP), BITS
	INCQ    MAP
	UNPACKWORD(0)
	UNPACKWORD(1)
	UNPACKWORD(2)
	UNPACKWORD(3)
	UNPACKWORD(4)
	UNPACKWORD(5)
	UNPACKWORD(6)
	UNPACKWORD(7)
	ADDQ    $64, DST
	DECQ    STEPS
	JNZ     unpackStep
	RET

	// Less than eight words are left, for whatever is left of the page.
fewLeft:
	MOVBLZX (MAP), BITS
	INCQ    MAP
	ORL     $0x100, BITS // comes down to 1 when all eight are done

fewWord:
	XORL WORD, WORD
	SHRL $1, BITS
	JCC  absent
	MOVQ (WORDS)(AT*8), WORD
	INCQ AT

absent:
	MOVQ WORD, (DST)
	ADDQ $8, DST
	CMPL BITS, $1
	JNE  fewWord
	DECQ STEPS
	JNZ  fewLeft
	RET
#undef AT
#undef WORD
#undef NULL
#undef LAST

// ---- merge: a map of words to be changed has long stretches of zeros, and of
// ones, so this looks at 64 bits of it at a time and goes by the bits set. ----

#define WORD R8
#define BIT BX
#define OTHERS R9  // the bits above the lowest one

// func mergeSSE2(page, words, set []byte)
// Reads len(page)/64 bytes of set and of words 8 for each bit that is set
// there, nothing beyond. Writes the words of page that set has, and no others.
// Clobbers AX, BX, CX, DX, DI, SI, R8, R9, X0-X3.
TEXT ·mergeSSE2(SB), NOSPLIT, $0-72
	MOVQ page_base+0(FP), DST
	MOVQ page_len+8(FP), STEPS
	MOVQ words_base+24(FP), WORDS
	MOVQ set_base+48(FP), MAP
	SHRQ $6, STEPS

mergeStep:
	CMPQ STEPS, $8
	JCS  fewSteps
	MOVQ (MAP), BITS
	ADDQ $8, MAP
	CMPQ BITS, $-1
	JEQ  mergeAll

mergeSome:
	TESTQ BITS, BITS
	JEQ   merged

	// TZCNT is read as BSF by processors without it, and is never given 0.
mergeWord:
	TZCNTQ BITS, BIT
	MOVQ   (WORDS), WORD
	ADDQ   $8, WORDS
	LEAQ   -1(BITS), OTHERS
	MOVQ   WORD, (DST)(BIT*8)
	ANDQ   OTHERS, BITS
	JNE    mergeWord

merged:
	ADDQ $512, DST
	SUBQ $8, STEPS
	JGT  mergeStep
	RET

	// All 64 words.
mergeAll:
	ADDQ $512, DST
	ADDQ $512, WORDS
	MOVQ $-512, BIT

mergeEight:
	MOVOU (WORDS)(BIT*1), X0
	MOVOU 16(WORDS)(BIT*1), X1
	MOVOU 32(WORDS)(BIT*1), X2
	MOVOU 48(WORDS)(BIT*1), X3
	MOVOU X0, (DST)(BIT*1)
	MOVOU X1, 16(DST)(BIT*1)
	MOVOU X2, 32(DST)(BIT*1)
	MOVOU X3, 48(DST)(BIT*1)
	ADDQ  $64, BIT
	JNE   mergeEight
	SUBQ  $8, STEPS
	JGT   mergeStep
	RET

	// Less than eight bytes of the map are left, one at least: the last goes
	// in first.
fewSteps:
	MOVQ STEPS, BIT
	XORL BITS, BITS

oneStep:
	SHLQ $8, BITS
	MOVB -1(MAP)(BIT*1), BITS
	DECQ BIT
	JNE  oneStep
	JMP  mergeSome
