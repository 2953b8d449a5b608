//go:build !purego

#include "go_asm.h"
#include "textflag.h"

// The search of level Dense with SSSE3 and SSE4.1; dense.go says what it
// computes. It does not branch on data but where its loops end.

// BROADCAST16 defines 16 bytes of constant from 8.
#define BROADCAST16(name, value) \
	DATA name+0(SB)/8, value \
	DATA name+8(SB)/8, value \
	GLOBL name(SB), RODATA|NOPTR, $16

// Multipliers of the hashes: hashA to hashD.
BROADCAST16(mulA<>, $0x9E379E379E379E37)
BROADCAST16(mulB<>, $0x6F4F6F4F6F4F6F4F)
BROADCAST16(mulC<>, $0xB5C9B5C9B5C9B5C9)
BROADCAST16(mulD<>, $0x1D351D351D351D35)

// What a key loses one, two and four positions on.
BROADCAST16(loss1<>, $0x1000100010001000)
BROADCAST16(loss2<>, $0x2000200020002000)
BROADCAST16(loss4<>, $0x4000400040004000)

// What a key loses on its way to the 1st, 2nd ... 8th position behind it.
DATA loss<>+0(SB)/8, $0x4000300020001000
DATA loss<>+8(SB)/8, $0x8000700060005000
GLOBL loss<>(SB), RODATA|NOPTR, $16

// A multiplier that takes 2^n-1 to a number of its own in the four high bits,
// for each n from 3 to 16; lengthOf takes that to n-1. Smaller n give 0.
BROADCAST16(lengthHash<>, $0x0F2D0F2D0F2D0F2D)

DATA lengthOf<>+0(SB)/8, $0x0E020A080D000700
DATA lengthOf<>+8(SB)/8, $0x0F03040B05090C06
GLOBL lengthOf<>(SB), RODATA|NOPTR, $16

// 0, 1 ... 7.
DATA iota<>+0(SB)/8, $0x0003000200010000
DATA iota<>+8(SB)/8, $0x0007000600050004
GLOBL iota<>(SB), RODATA|NOPTR, $16

BROADCAST16(one<>, $0x0001000100010001)
BROADCAST16(two<>, $0x0002000200020002)
BROADCAST16(eight<>, $0x0008000800080008)
BROADCAST16(sixteen<>, $0x0010001000100010)
BROADCAST16(lowWord<>, $0x0000FFFF0000FFFF)
BROADCAST16(maxNumber<>, $0x0FFE0FFE0FFE0FFE)

// STORE_SLOTS stores the slots of the hashes H at off behind R13.
#define STORE_SLOTS(H, off) \
	PSRLW $(16-const_denseBits), H \
	MOVOU H, off(R13)

// SLOTS16 hashes 16 positions from DI on, the even ones to R13 and from there to
// longSlots, the odd ones 16 bytes on. It reads 22 bytes.
#define LONGSLOTS (DenseScratch_longSlots-DenseScratch_recentSlots)
#define SLOTS16 \
	MOVOU  (DI), X0  \
	MOVOU  1(DI), X1 \
	MOVOU  2(DI), X2 \
	MOVOU  3(DI), X3 \
	MOVOU  4(DI), X4 \
	MOVOU  5(DI), X5 \
	MOVOU  6(DI), X6 \
	MOVO   X1, X7    \
	MOVO   X5, X12   \
	PMULLW X8, X0    \
	PMULLW X9, X7    \
	PADDW  X0, X7    \
	STORE_SLOTS(X7, 0) \
	PMULLW X8, X1    \
	PMULLW X9, X2    \
	PADDW  X2, X0    \
	PADDW  X1, X2    \
	STORE_SLOTS(X2, 16) \
	PMULLW X10, X4   \
	PMULLW X11, X12  \
	PADDW  X4, X0    \
	PADDW  X12, X0   \
	STORE_SLOTS(X0, LONGSLOTS) \
	PMULLW X9, X3    \
	PMULLW X10, X5   \
	PMULLW X11, X6   \
	PADDW  X3, X1    \
	PADDW  X5, X1    \
	PADDW  X6, X1    \
	STORE_SLOTS(X1, LONGSLOTS+16)

// ENTER_RECENT enters positions SI+k and the next in Recent, and stores what was
// there in the ring, from DX+k on. BX, CX, DI and R12 are scratch.
#define ENTER_RECENT(k) \
	MOVWLZX k(R13), BX                                \
	MOVL    DenseTable_Recent(R9)(BX*4), CX           \
	MOVL    CX, DI                                    \
	SHLL    $16, DI                                   \
	LEAL    (k)(DI)(SI*1), DI                         \
	MOVL    DI, DenseTable_Recent(R9)(BX*4)           \
	MOVWLZX (16+k)(R13), BX                           \
	MOVL    DenseTable_Recent(R9)(BX*4), R12          \
	MOVL    R12, DI                                   \
	SHLL    $16, DI                                   \
	LEAL    (k+1)(DI)(SI*1), DI                       \
	MOVL    DI, DenseTable_Recent(R9)(BX*4)           \
	SHLQ    $32, R12                                  \
	ORQ     R12, CX                                   \
	MOVQ    CX, (DenseScratch_recent+4*(k))(R10)(DX*4)

// ENTER_LONG enters position SI+k, whose slot is slot bytes behind R13's, in
// Long; what was there becomes word w of X0. BX and CX are scratch.
#define ENTER_LONG(slot, k, w) \
	MOVWLZX (LONGSLOTS+slot)(R13), BX             \
	PINSRW  $w, DenseTable_Long(R9)(BX*2), X0     \
	LEAL    (k)(SI), CX                           \
	MOVW    CX, DenseTable_Long(R9)(BX*2)

// ENTER8 enters eight positions from SI+k on.
#define ENTER8(k) \
	ENTER_RECENT(k)             \
	ENTER_RECENT(k+2)           \
	ENTER_RECENT(k+4)           \
	ENTER_RECENT(k+6)           \
	ENTER_LONG(k, k, 0)         \
	ENTER_LONG(k+16, k+1, 1)    \
	ENTER_LONG(k+2, k+2, 2)     \
	ENTER_LONG(k+18, k+3, 3)    \
	ENTER_LONG(k+4, k+4, 4)     \
	ENTER_LONG(k+20, k+5, 5)    \
	ENTER_LONG(k+6, k+6, 6)     \
	ENTER_LONG(k+22, k+7, 7)    \
	MOVOU X0, (DenseScratch_long+2*(k))(R10)(DX*2)

// AGREE compares the 16 bytes at two positions, which X0 and X1 hold, with
// those at the numbers at first and step bytes on, and stores 16 bits for each:
// those of the bytes that agree. BX, CX, X2 and X3 are scratch.
#define AGREE(first, step, scale, to) \
	MOVWLZX  (first)(R10)(DX*scale), BX      \
	MOVWLZX  (first+step)(R10)(DX*scale), CX \
	MOVOU    (R11)(BX*1), X2                 \
	MOVOU    (R11)(CX*1), X3                 \
	PCMPEQB  X0, X2                          \
	PCMPEQB  X1, X3                          \
	PMOVMSKB X2, BX                          \
	PMOVMSKB X3, CX                          \
	SHLL     $16, CX                         \
	ORL      CX, BX                          \
	MOVL     BX, (to)(R10)(DX*2)

// AGREE2 does AGREE for three candidates each of positions SI+k and the next.
#define AGREE2(k) \
	MOVOU (k)(R11)(SI*1), X0   \
	MOVOU (k+1)(R11)(SI*1), X1 \
	AGREE(DenseScratch_recent+4*(k), 4, 4, DenseScratch_agree+2*(k))                      \
	AGREE(DenseScratch_recent+4*(k)+2, 4, 4, DenseScratch_agree+2*const_searchRing+2*(k)) \
	AGREE(DenseScratch_long+2*(k), 2, 2, DenseScratch_agree+4*const_searchRing+2*(k))

// CANDIDATE takes eight candidates' numbers N and their agreements T. M becomes
// 4095 less their offsets, where they are legal. A becomes 2^n-1 where the first
// n bytes agree and the offset is legal, else 0.
#define CANDIDATE(N, T, M, A) \
	PSUBW   X14, N         \
	MOVO    N, M           \
	PMINUW  maxNumber<>(SB), M \
	MOVO    T, A           \
	PADDW   one<>(SB), A   \
	PANDN   T, A           \
	PCMPEQW M, N           \
	PAND    N, A

// NEAREST leaves the candidates M whose agreements A are as long as X0.
#define NEAREST(M, A) \
	PCMPEQW X0, A \
	PAND    A, M

// BEHIND lets the keys X4 become those so many bytes before them, less LOSS,
// where these are better. X5 is scratch.
#define BEHIND(bytes, LOSS) \
	MOVO    X4, X5      \
	PSLLO   $bytes, X5  \
	PSUBUSW LOSS(SB), X5 \
	PMAXUW  X5, X4

// CHOOSE finds the keys of eight positions, word k of the ring's at DX and on.
// X7 is the key before them, eight times; X14 their numbers less 4095; X13 counts
// the positions without a copy. X0 to X6, X8 to X12 and X15 are scratch.
#define CHOOSE(k) \
	MOVOU (DenseScratch_recent+4*(k))(R10)(DX*4), X4    \
	MOVOU (DenseScratch_recent+4*(k)+16)(R10)(DX*4), X5 \
	MOVOU (DenseScratch_long+2*(k))(R10)(DX*2), X6      \
	MOVOU (DenseScratch_agree+2*(k))(R10)(DX*2), X8     \
	MOVOU (DenseScratch_agree+2*const_searchRing+2*(k))(R10)(DX*2), X9  \
	MOVOU (DenseScratch_agree+4*const_searchRing+2*(k))(R10)(DX*2), X10 \
	MOVO     X4, X3            \ // the latest positions,
	MOVO     X5, X11           \
	PAND     lowWord<>(SB), X3 \
	PAND     lowWord<>(SB), X11 \
	PACKUSDW X11, X3           \
	PSRLL    $16, X4           \ // and those before them
	PSRLL    $16, X5           \
	PACKUSDW X5, X4            \
	CANDIDATE(X3, X8, X1, X11) \
	CANDIDATE(X4, X9, X2, X12) \
	CANDIDATE(X6, X10, X5, X15) \
	MOVO     X11, X0           \ // the longest agreement, and the nearest
	PMAXUW   X12, X0           \ // candidate of those that have it
	PMAXUW   X15, X0           \
	NEAREST(X1, X11)           \
	NEAREST(X2, X12)           \
	NEAREST(X5, X15)           \
	PMAXUW   X2, X1            \
	PMAXUW   X5, X1            \
	PMULLW   lengthHash<>(SB), X0 \
	PSRLW    $12, X0           \
	MOVO     lengthOf<>(SB), X4 \
	PSHUFB   X0, X4            \
	PSLLW    $12, X4           \
	POR      X1, X4            \ // as keys
	BEHIND(2, loss1<>)         \
	BEHIND(4, loss2<>)         \
	BEHIND(8, loss4<>)         \
	PSUBUSW  loss<>(SB), X7    \
	PMAXUW   X7, X4            \
	PSHUFHW  $0xFF, X4, X7     \
	PSHUFD   $0xFF, X7, X7     \
	MOVOU    X4, (R14)         \
	PSRLW    $12, X4           \
	MOVO     two<>(SB), X5     \
	PCMPGTW  X4, X5            \
	PSUBW    X5, X13           \
	PAND     sixteen<>(SB), X5 \
	POR      X5, X4            \
	PACKUSWB X4, X4            \
	MOVQ     X4, (R15)         \
	PADDW    eight<>(SB), X14  \
	ADDQ     $16, R14          \
	ADDQ     $8, R15

// func denseSearchSSSE3(data *byte, i, n, x int, t *DenseTable, s *DenseScratch) int
//
// n is at most maxStretch. Reads data[i:i+n+15] and 16 bytes at earlier
// positions. Writes n keys and lens.
//
// A turn enters a block of 16 positions and compares it, and chooses the keys
// of the block before it, so that what is read as vectors was written a turn
// ago. The blocks' candidates and agreements lie in a ring.
//
//	R8  the first position to enter, counted from i, and SI its number
//	AX  n    R9 t    R10 s    R11 data
//	DX  a block's place in the ring
//	R13 the block's slots
//	R14 and R15 where the next keys and lens go
TEXT ·denseSearchSSSE3(SB), NOSPLIT, $0-56
	MOVQ data+0(FP), R11
	MOVQ i+8(FP), SI
	MOVQ n+16(FP), AX
	MOVQ x+24(FP), BX
	MOVQ t+32(FP), R9
	MOVQ s+40(FP), R10
	LEAQ DenseScratch_keys(R10)(BX*2), R14
	LEAQ DenseScratch_lens(R10)(BX*1), R15

	// Slots.
	MOVO mulA<>(SB), X8
	MOVO mulB<>(SB), X9
	MOVO mulC<>(SB), X10
	MOVO mulD<>(SB), X11
	LEAQ (R11)(SI*1), DI
	LEAQ (DI)(AX*1), BX
	LEAQ DenseScratch_recentSlots(R10), R13

slots:
	SLOTS16
	ADDQ $16, DI
	ADDQ $32, R13
	CMPQ DI, BX
	JLT  slots

	LEAQ    DenseScratch_recentSlots(R10), R13
	MOVWLZX -2(R14), BX
	MOVQ    BX, X7
	PSHUFLW $0, X7, X7
	PSHUFD  $0, X7, X7
	LEAL    -const_maxOffset(SI), BX
	MOVQ    BX, X14
	PSHUFLW $0, X14, X14
	PSHUFD  $0, X14, X14
	PADDW   iota<>(SB), X14
	PXOR    X13, X13
	XORL    R8, R8

turn:
	CMPQ R8, AX
	JGE  choose
	MOVL R8, DX
	ANDL $16, DX
	ENTER8(0)
	ENTER8(8)
	AGREE2(0)
	AGREE2(2)
	AGREE2(4)
	AGREE2(6)
	AGREE2(8)
	AGREE2(10)
	AGREE2(12)
	AGREE2(14)
	ADDQ $16, SI
	ADDQ $32, R13

choose:
	TESTQ R8, R8
	JEQ   next
	LEAL  -16(R8), DX
	ANDL  $16, DX
	CHOOSE(0)
	CHOOSE(8)

next:
	ADDQ $16, R8
	LEAQ -16(R8), BX
	CMPQ BX, AX
	JLT  turn

	// Each word of X13 is below 2^15.
	PMADDWL one<>(SB), X13
	PSHUFD  $0x4E, X13, X0
	PADDL   X0, X13
	PSHUFD  $0xB1, X13, X0
	PADDL   X0, X13
	MOVQ    X13, BX
	MOVL    BX, BX
	SUBQ    BX, AX
	MOVQ    AX, ret+48(FP)
	RET
