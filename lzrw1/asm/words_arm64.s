//go:build !purego

#include "textflag.h"

// Kernels over the 8-byte words of pages. Lengths of pages are multiples of
// 64, at least 64; a step of every loop is 64 bytes, so one byte of the map.
// The lengths of dst, set, words and b are not looked at: the caller has
// checked them. Nothing needs alignment. No kernel uses the stack.

#define PAGE R0
#define OTHER R1   // the page to compare with
#define STEPS R2   // left to do
#define MAP R3     // next byte of it

// ---- zeroMap and diffMap ----

#define ZERO V16
#define WEIGHTS V17 // of eight words' bits
#define ABSENT V18  // minus how many words are not in the map, in four lanes

DATA weights<>+0(SB)/8, $0x0008000400020001
DATA weights<>+8(SB)/8, $0x0080004000200010
GLOBL weights<>(SB), RODATA|NOPTR, $16

// START sets the constants and the count. Uses R4.
#define START \
	LSR  $6, STEPS; \
	VEOR ZERO.B16, ZERO.B16, ZERO.B16; \
	VEOR ABSENT.B16, ABSENT.B16, ABSENT.B16; \
	MOVD $weights<>(SB), R4; \
	VLD1 (R4), [WEIGHTS.H8]

// MAP8 stores the map's byte of eight words and counts those that are not in
// it. In: masks of these, two each in V0 to V3, which it narrows to 32 and to
// 16 bits a word; the map's bits are the weights of the others, added up.
#define MAP8 \
	VUZP1  V1.S4, V0.S4, V0.S4; \
	VUZP1  V3.S4, V2.S4, V2.S4; \
	VADD   V0.S4, ABSENT.S4, ABSENT.S4; \
	VADD   V2.S4, ABSENT.S4, ABSENT.S4; \
	VUZP1  V2.H8, V0.H8, V0.H8; \
	VAND   WEIGHTS.B16, V0.B16, V0.B16; \
	VEOR   WEIGHTS.B16, V0.B16, V0.B16; \
	VADDV  V0.H8, V0; \
	VST1.P V0.B[0], 1(MAP)

// PRESENT makes of WORDS, how many a page has, how many are in the map.
// Uses R4.
#define PRESENT(WORDS) \
	VADDV ABSENT.S4, ABSENT; \
	VMOV  ABSENT.S[0], R4; \
	MOVW  R4, R4; \
	ADD   R4, WORDS

// func zeroMapNEON(set, page []byte) int
// Reads page, writes len(page)/64 bytes of set, nothing beyond. Clobbers
// R0, R2-R4, V0-V3, V16-V18. A page has less than 2^31 words.
TEXT ·zeroMapNEON(SB), NOSPLIT, $0-56
	MOVD set_base+0(FP), MAP
	MOVD page_base+24(FP), PAGE
	MOVD page_len+32(FP), STEPS
	START

zeroMapStep:
	VLD1.P 64(PAGE), [V0.D2, V1.D2, V2.D2, V3.D2]
	VCMEQ  ZERO.D2, V0.D2, V0.D2
	VCMEQ  ZERO.D2, V1.D2, V1.D2
	VCMEQ  ZERO.D2, V2.D2, V2.D2
	VCMEQ  ZERO.D2, V3.D2, V3.D2
	MAP8
	SUB    $1, STEPS
	CBNZ   STEPS, zeroMapStep

	MOVD page_len+32(FP), R2
	LSR  $3, R2
	PRESENT(R2)
	MOVD R2, ret+48(FP)
	RET

// func diffMapNEON(set, a, b []byte) int
// Reads a and as much of b, writes len(a)/64 bytes of set, nothing beyond.
// Clobbers R0-R4, V0-V7, V16-V18. A page has less than 2^31 words.
TEXT ·diffMapNEON(SB), NOSPLIT, $0-80
	MOVD set_base+0(FP), MAP
	MOVD a_base+24(FP), PAGE
	MOVD a_len+32(FP), STEPS
	MOVD b_base+48(FP), OTHER
	START

diffMapStep:
	VLD1.P 64(PAGE), [V0.D2, V1.D2, V2.D2, V3.D2]
	VLD1.P 64(OTHER), [V4.D2, V5.D2, V6.D2, V7.D2]
	VCMEQ  V4.D2, V0.D2, V0.D2
	VCMEQ  V5.D2, V1.D2, V1.D2
	VCMEQ  V6.D2, V2.D2, V2.D2
	VCMEQ  V7.D2, V3.D2, V3.D2
	MAP8
	SUB    $1, STEPS
	CBNZ   STEPS, diffMapStep

	MOVD a_len+32(FP), R2
	LSR  $3, R2
	PRESENT(R2)
	MOVD R2, ret+72(FP)
	RET

// ---- pack and unpack: one word at a time, in general registers. What a bit
// of the map decides is how far to move, not where to jump. ----

#define WORDS R1
#define BITS R4    // byte of the map at hand
#define AT R5      // words packed, or unpacked
#define FIRST R6
#define SECOND R7
#define BIT R8
#define BIT2 R9

// PACKPAIR stores words j and j+1 of eight. The next one overwrites one that
// is not in the map.
#define DST R1
#define PACKPAIR(j) \
	LDP.P 16(PAGE), (FIRST, SECOND); \
	UBFX  $j, BITS, $1, BIT; \
	UBFX  $(j+1), BITS, $1, BIT2; \
	MOVD  FIRST, (DST)(AT<<3); \
	ADD   BIT, AT; \
	MOVD  SECOND, (DST)(AT<<3); \
	ADD   BIT2, AT

// func packNEON(dst, page, set []byte)
// Reads page and len(page)/64 bytes of set. May write the first len(page)
// bytes of dst, nothing beyond. Clobbers R0-R9.
TEXT ·packNEON(SB), NOSPLIT, $0-72
	MOVD dst_base+0(FP), DST
	MOVD page_base+24(FP), PAGE
	MOVD page_len+32(FP), STEPS
	MOVD set_base+48(FP), MAP
	LSR  $6, STEPS
	MOVD ZR, AT

packStep:
	MOVBU.P 1(MAP), BITS
	PACKPAIR(0)
	PACKPAIR(2)
	PACKPAIR(4)
	PACKPAIR(6)
	SUB     $1, STEPS
	CBNZ    STEPS, packStep
	RET

// UNPACKPAIR stores words j and j+1 of eight: the next ones of WORDS, or
// zero. The bits are widened to masks.
#define UNPACKPAIR(j) \
	SBFX  $j, BITS, $1, BIT; \
	SBFX  $(j+1), BITS, $1, BIT2; \
	MOVD  (WORDS)(AT<<3), FIRST; \
	SUB   BIT, AT; \
	MOVD  (WORDS)(AT<<3), SECOND; \
	SUB   BIT2, AT; \
	AND   BIT, FIRST; \
	AND   BIT2, SECOND; \
	STP.P (FIRST, SECOND), 16(PAGE)

// func unpackNEON(page, words, set []byte)
// Reads len(page)/64 bytes of set and len(words) bytes of words, nothing
// beyond. len(words) is 8 for each bit that is set in the map. Writes page.
// Clobbers R0-R10.
#define LAST R10   // where AT may stand at most to read eight words
TEXT ·unpackNEON(SB), NOSPLIT, $0-72
	MOVD page_base+0(FP), PAGE
	MOVD page_len+8(FP), STEPS
	MOVD words_base+24(FP), WORDS
	MOVD words_len+32(FP), LAST
	MOVD set_base+48(FP), MAP
	LSR  $6, STEPS
	LSR  $3, LAST
	SUB  $8, LAST
	MOVD ZR, AT

	// An absent word reads the next present one, and takes zero: so this
	// needs as many words left as a byte of the map may have.
unpackStep:
	CMP     LAST, AT
	BGT     fewLeft
	MOVBU.P 1(MAP), BITS
	UNPACKPAIR(0)
	UNPACKPAIR(2)
	UNPACKPAIR(4)
	UNPACKPAIR(6)
	SUB     $1, STEPS
	CBNZ    STEPS, unpackStep
	RET

	// Less than eight words are left, for whatever is left of the page.
fewLeft:
	MOVBU.P 1(MAP), BITS
	ORR     $0x100, BITS // comes down to 1 when all eight are done

fewWord:
	MOVD ZR, FIRST
	TBZ  $0, BITS, absent
	MOVD (WORDS)(AT<<3), FIRST
	ADD  $1, AT

absent:
	MOVD.P FIRST, 8(PAGE)
	LSR    $1, BITS
	CMP    $1, BITS
	BNE    fewWord
	SUB    $1, STEPS
	CBNZ   STEPS, fewLeft
	RET
#undef BITS
#undef BIT
#undef LAST

// ---- merge: a map of words to be changed has long stretches of zeros, and of
// ones, so this looks at 64 bits of it at a time and goes by the bits set. ----

#define BITS R4
#define BIT R5
#define WORD R6
#define OTHERS R7  // the bits above the lowest one

// func mergeNEON(page, words, set []byte)
// Reads len(page)/64 bytes of set and of words 8 for each bit that is set
// there, nothing beyond. Writes the words of page that set has, and no others.
// Clobbers R0-R7, V0-V3.
TEXT ·mergeNEON(SB), NOSPLIT, $0-72
	MOVD page_base+0(FP), PAGE
	MOVD page_len+8(FP), STEPS
	MOVD words_base+24(FP), WORDS
	MOVD set_base+48(FP), MAP
	LSR  $6, STEPS

mergeStep:
	CMP    $8, STEPS
	BLT    fewSteps
	MOVD.P 8(MAP), BITS
	CMN    $1, BITS
	BEQ    mergeAll

mergeSome:
	CBZ BITS, merged

mergeWord:
	RBIT   BITS, BIT
	CLZ    BIT, BIT
	MOVD.P 8(WORDS), WORD
	SUB    $1, BITS, OTHERS
	MOVD   WORD, (PAGE)(BIT<<3)
	ANDS   OTHERS, BITS
	BNE    mergeWord

merged:
	ADD  $512, PAGE
	SUBS $8, STEPS
	BGT  mergeStep
	RET

	// All 64 words.
mergeAll:
	MOVD $8, BIT

mergeEight:
	VLD1.P 64(WORDS), [V0.B16, V1.B16, V2.B16, V3.B16]
	VST1.P [V0.B16, V1.B16, V2.B16, V3.B16], 64(PAGE)
	SUB    $1, BIT
	CBNZ   BIT, mergeEight
	SUBS   $8, STEPS
	BGT    mergeStep
	RET

	// Less than eight bytes of the map are left, one at least: the last goes
	// in first.
fewSteps:
	MOVD ZR, BITS
	ADD  STEPS, MAP

oneStep:
	MOVBU.W -1(MAP), BIT
	ORR     BITS<<8, BIT, BITS
	SUB     $1, STEPS
	CBNZ    STEPS, oneStep
	B       mergeSome
