//go:build !purego

#include "go_asm.h"
#include "textflag.h"

// The phases of level Dense with AVX2, BMI1, BMI2 and POPCNT; dense.go says
// what they compute. None branches on data but where its loops end.

// BROADCAST defines 32 bytes of constant from 8.
#define BROADCAST(name, value) \
	DATA name+0(SB)/8, value  \
	DATA name+8(SB)/8, value  \
	DATA name+16(SB)/8, value \
	DATA name+24(SB)/8, value \
	GLOBL name(SB), RODATA|NOPTR, $32

// Multipliers of the hashes: hashA to hashD.
BROADCAST(mulA<>, $0x9E379E379E379E37)
BROADCAST(mulB<>, $0x6F4F6F4F6F4F6F4F)
BROADCAST(mulC<>, $0xB5C9B5C9B5C9B5C9)
BROADCAST(mulD<>, $0x1D351D351D351D35)

// What a key loses one, two, and four positions on.
BROADCAST(loss1<>, $0x1000100010001000)
BROADCAST(loss2<>, $0x2000200020002000)
BROADCAST(loss4<>, $0x4000400040004000)

// What a key loses on its way to the 1st, 2nd ... 16th position behind it: all
// of it at last.
DATA loss<>+0(SB)/8, $0x4000300020001000
DATA loss<>+8(SB)/8, $0x8000700060005000
DATA loss<>+16(SB)/8, $0xC000B000A0009000
DATA loss<>+24(SB)/8, $0xFFFFF000E000D000
GLOBL loss<>(SB), RODATA|NOPTR, $32

// The same from the last word of the low half to those of the high half.
DATA halfLoss<>+0(SB)/8, $0xFFFFFFFFFFFFFFFF
DATA halfLoss<>+8(SB)/8, $0xFFFFFFFFFFFFFFFF
DATA halfLoss<>+16(SB)/8, $0x4000300020001000
DATA halfLoss<>+24(SB)/8, $0x8000700060005000
GLOBL halfLoss<>(SB), RODATA|NOPTR, $32

// Shuffle: the fourth word everywhere.
BROADCAST(word3<>, $0x0706070607060706)

// A multiplier that takes 2^n-1 to a number of its own in the four high bits,
// for each n from 3 to 16; lengthOf takes that to n-1. Smaller n give 0.
BROADCAST(lengthHash<>, $0x0F2D0F2D0F2D0F2D)

DATA lengthOf<>+0(SB)/8, $0x0E020A080D000700
DATA lengthOf<>+8(SB)/8, $0x0F03040B05090C06
DATA lengthOf<>+16(SB)/8, $0x0E020A080D000700
DATA lengthOf<>+24(SB)/8, $0x0F03040B05090C06
GLOBL lengthOf<>(SB), RODATA|NOPTR, $32

// 0, 1 ... 15.
DATA iota<>+0(SB)/8, $0x0003000200010000
DATA iota<>+8(SB)/8, $0x0007000600050004
DATA iota<>+16(SB)/8, $0x000B000A00090008
DATA iota<>+24(SB)/8, $0x000F000E000D000C
GLOBL iota<>(SB), RODATA|NOPTR, $32

// The longest copies that end at the 16th position, as keys.
DATA endLength<>+0(SB)/8, $0xC000D000E000F000
DATA endLength<>+8(SB)/8, $0x80009000A000B000
DATA endLength<>+16(SB)/8, $0x4000500060007000
DATA endLength<>+24(SB)/8, $0x0000100020003000
GLOBL endLength<>(SB), RODATA|NOPTR, $32

BROADCAST(minusOne<>, $0xFFFFFFFFFFFFFFFF)
BROADCAST(one<>, $0x0001000100010001)
BROADCAST(lowWord<>, $0x0000FFFF0000FFFF)
BROADCAST(two<>, $0x0002000200020002)
BROADCAST(sixteen<>, $0x0010001000100010)
BROADCAST(noCopies<>, $0x1010101010101010)
BROADCAST(lengthBits<>, $0xF000F000F000F000)
BROADCAST(numberBits<>, $0x0FFF0FFF0FFF0FFF)
BROADCAST(maxNumber<>, $0x0FFE0FFE0FFE0FFE)
BROADCAST(nibble1<>, $0x00F000F000F000F0)
BROADCAST(lowByte<>, $0x00FF00FF00FF00FF)
BROADCAST(bytes1<>, $0x0101010101010101)

// SLOTS hashes the positions from DI+R8 on, the even ones to the bytes from
// 2*R8 on of the slot arrays, which begin at R10+RECENT and R10+LONG, the odd
// ones to those from 2*R8+32 on: 32 positions with Y registers, 16 with X
// registers. It reads 38 or 22 bytes.
#define SLOTS(RECENT, LONG, W0, W1, W2, W3, W4, W5, W6, W7) \
	VMOVDQU (DI)(R8*1), W0                             \
	VMOVDQU 1(DI)(R8*1), W1                            \
	VMOVDQU 2(DI)(R8*1), W2                            \
	VMOVDQU 3(DI)(R8*1), W3                            \
	VMOVDQU 4(DI)(R8*1), W4                            \
	VMOVDQU 5(DI)(R8*1), W5                            \
	VMOVDQU 6(DI)(R8*1), W6                            \
	VPMULLW mulA<>(SB), W0, W0                         \
	VPMULLW mulB<>(SB), W1, W7                         \
	VPADDW  W0, W7, W7                                 \
	VPSRLW  $(16-const_denseBits), W7, W7              \
	VMOVDQU W7, RECENT(R10)(R8*2)                      \
	VPMULLW mulA<>(SB), W1, W1                         \
	VPMULLW mulB<>(SB), W2, W2                         \
	VPADDW  W1, W2, W7                                 \
	VPSRLW  $(16-const_denseBits), W7, W7              \
	VMOVDQU W7, (RECENT+32)(R10)(R8*2)                 \
	VPMULLW mulC<>(SB), W4, W4                         \
	VPMULLW mulD<>(SB), W5, W7                         \
	VPADDW  W0, W2, W0                                 \
	VPADDW  W4, W7, W7                                 \
	VPADDW  W0, W7, W7                                 \
	VPSRLW  $(16-const_denseBits), W7, W7              \
	VMOVDQU W7, LONG(R10)(R8*2)                        \
	VPMULLW mulB<>(SB), W3, W3                         \
	VPMULLW mulC<>(SB), W5, W5                         \
	VPMULLW mulD<>(SB), W6, W6                         \
	VPADDW  W1, W3, W3                                 \
	VPADDW  W5, W6, W6                                 \
	VPADDW  W3, W6, W6                                 \
	VPSRLW  $(16-const_denseBits), W6, W6              \
	VMOVDQU W6, (LONG+32)(R10)(R8*2)

// Stores go out one a cycle, so what was in the tables is stored several
// positions at a time.

// ENTER_RECENT enters positions SI+k and the next in Recent, and stores what was
// there in the ring, from DX+k on. Their slots are at byte AX+slot and 32 bytes
// on. R15 is 16; BX, CX, DI and R12 are scratch.
#define ENTER_RECENT(slot, k) \
	MOVWLZX (DenseScratch_recentSlots+(slot))(R10)(AX*1), BX    \
	MOVL    DenseTable_Recent(R9)(BX*4), CX                   \
	SHLXL   R15, CX, DI                                       \
	LEAL    (k)(DI)(SI*1), DI                                   \
	MOVL    DI, DenseTable_Recent(R9)(BX*4)                   \
	MOVWLZX (DenseScratch_recentSlots+32+(slot))(R10)(AX*1), BX \
	MOVL    DenseTable_Recent(R9)(BX*4), R12                  \
	SHLXL   R15, R12, DI                                      \
	LEAL    (k+1)(DI)(SI*1), DI                               \
	MOVL    DI, DenseTable_Recent(R9)(BX*4)                   \
	SHLQ    $32, R12                                          \
	ORQ     R12, CX                                           \
	MOVQ    CX, (DenseScratch_recent+4*(k))(R10)(DX*4)

// ENTER_LONG enters position SI+k in Long; what was there becomes word w of X0.
// Its slot is at byte AX+slot. BX and CX are scratch.
#define ENTER_LONG(slot, k, w) \
	MOVWLZX (DenseScratch_longSlots+(slot))(R10)(AX*1), BX \
	VPINSRW $w, DenseTable_Long(R9)(BX*2), X0, X0        \
	LEAL    (k)(SI), CX                                    \
	MOVW    CX, DenseTable_Long(R9)(BX*2)

// ENTER8 enters eight positions from SI+k on.
#define ENTER8(slot, k) \
	ENTER_RECENT(slot+0, k+0)                         \
	ENTER_RECENT(slot+2, k+2)                         \
	ENTER_RECENT(slot+4, k+4)                         \
	ENTER_RECENT(slot+6, k+6)                         \
	ENTER_LONG(slot+0, k+0, 0)                        \
	ENTER_LONG(slot+32, k+1, 1)                       \
	ENTER_LONG(slot+2, k+2, 2)                        \
	ENTER_LONG(slot+34, k+3, 3)                       \
	ENTER_LONG(slot+4, k+4, 4)                        \
	ENTER_LONG(slot+36, k+5, 5)                       \
	ENTER_LONG(slot+6, k+6, 6)                        \
	ENTER_LONG(slot+38, k+7, 7)                       \
	VMOVDQU X0, (DenseScratch_long+2*(k))(R10)(DX*2)

// AGREE compares the 16 bytes at four positions, which Y0 and Y2 hold, with
// those at the numbers at first and from there on every step bytes, and stores
// 16 bits for each: those of the bytes that agree. AX, BX, CX, R12, Y1 and Y3
// are scratch.
#define AGREE(first, step, scale, to) \
	MOVWLZX     (first)(R10)(DX*scale), AX          \
	MOVWLZX     (first+step)(R10)(DX*scale), BX     \
	MOVWLZX     (first+2*step)(R10)(DX*scale), CX   \
	MOVWLZX     (first+3*step)(R10)(DX*scale), R12  \
	VMOVDQU     (R11)(AX*1), X1                     \
	VINSERTI128 $1, (R11)(BX*1), Y1, Y1             \
	VMOVDQU     (R11)(CX*1), X3                     \
	VINSERTI128 $1, (R11)(R12*1), Y3, Y3            \
	VPCMPEQB    Y0, Y1, Y1                          \
	VPMOVMSKB   Y1, AX                              \
	VPCMPEQB    Y2, Y3, Y3                          \
	VPMOVMSKB   Y3, CX                              \
	MOVL        AX, (to)(R10)(DX*2)                 \
	MOVL        CX, (to+4)(R10)(DX*2)

// AGREE_BYTES loads the 31 bytes of the block before SI: Y9 and Y11 hold those
// from its first position on and from 16 behind it on, and in their high halves
// those one position on. X13 is scratch.
#define AGREE_BYTES \
	VMOVDQU     -16(R11)(SI*1), X9          \
	VINSERTI128 $1, -15(R11)(SI*1), Y9, Y9  \
	VMOVDQU     -1(R11)(SI*1), X11          \
	VPSRLDQ     $2, X11, X13                \
	VPSRLDQ     $1, X11, X11                \
	VINSERTI128 $1, X13, Y11, Y11

// AGREE4 does AGREE for three candidates each of the block's positions from k
// on. SI is the first position behind the block.
#define AGREE4(k) \
	VPALIGNR $(k), Y9, Y11, Y0   \
	VPALIGNR $(k+2), Y9, Y11, Y2 \
	AGREE(DenseScratch_recent+4*(k), 4, 4, DenseScratch_agree+2*(k))                        \
	AGREE(DenseScratch_recent+4*(k)+2, 4, 4, DenseScratch_agree+2*const_searchRing+2*(k))  \
	AGREE(DenseScratch_long+2*(k), 2, 2, DenseScratch_agree+4*const_searchRing+2*(k))

// CANDIDATE takes 16 candidates' numbers N and their agreements T. M becomes
// 4095 less their offsets, where they are legal. T becomes 2^n-1 where the first
// n bytes agree and the offset is legal, else 0. Y15 is scratch.
#define CANDIDATE(N, T, M) \
	VPSUBW   Y14, N, N             \
	VPADDW   one<>(SB), T, Y15     \
	VPMINUW  maxNumber<>(SB), N, M \
	VPANDN   T, Y15, T             \
	VPCMPEQW M, N, N               \
	VPAND    N, T, T

// CHOOSE1 to CHOOSE6 find the keys of a block, in Y4, Y5, Y6, Y8, Y9, Y11, Y13
// and Y15. They are one long chain of operations, so they are spread over the
// turn where that is possible.

// CHOOSE1 loads the block at DX: the latest positions' numbers to Y13, those
// before them to Y4, the long ones' to Y6, their agreements to Y8, Y9 and Y11.
#define CHOOSE1 \
	VMOVDQU   DenseScratch_recent(R10)(DX*4), Y4                         \
	VMOVDQU   (DenseScratch_recent+32)(R10)(DX*4), Y5                    \
	VMOVDQU   DenseScratch_long(R10)(DX*2), Y6                           \
	VMOVDQU   DenseScratch_agree(R10)(DX*2), Y8                          \
	VMOVDQU   (DenseScratch_agree+2*const_searchRing)(R10)(DX*2), Y9     \
	VMOVDQU   (DenseScratch_agree+4*const_searchRing)(R10)(DX*2), Y11    \
	VPAND     lowWord<>(SB), Y4, Y13                                     \
	VPAND     lowWord<>(SB), Y5, Y15                                     \
	VPACKUSDW Y15, Y13, Y13                                              \
	VPSRLD    $16, Y4, Y4                                                \
	VPSRLD    $16, Y5, Y5                                                \
	VPACKUSDW Y5, Y4, Y4                                                 \
	VPERMQ    $0xD8, Y13, Y13                                            \
	VPERMQ    $0xD8, Y4, Y4

#define CHOOSE2 \
	CANDIDATE(Y13, Y8, Y5)  \
	CANDIDATE(Y4, Y9, Y13)  \
	CANDIDATE(Y6, Y11, Y4)

// CHOOSE3 finds the longest agreement, Y6, and the nearest of those that have
// it, Y8.
#define CHOOSE3 \
	VPMAXUW  Y8, Y9, Y6   \
	VPMAXUW  Y11, Y6, Y6  \
	VPCMPEQW Y6, Y8, Y8   \
	VPCMPEQW Y6, Y9, Y9   \
	VPCMPEQW Y6, Y11, Y11 \
	VPAND    Y5, Y8, Y8   \
	VPAND    Y13, Y9, Y9  \
	VPAND    Y4, Y11, Y11 \
	VPMAXUW  Y8, Y9, Y8   \
	VPMAXUW  Y11, Y8, Y8

// CHOOSE4 makes a key of them, Y4.
#define CHOOSE4 \
	VPMULLW  lengthHash<>(SB), Y6, Y6 \
	VPSRLW   $12, Y6, Y6              \
	VPSHUFB  Y6, Y10, Y6              \
	VPSLLW   $12, Y6, Y6              \
	VPOR     Y6, Y8, Y4               \
	VPSLLDQ  $2, Y4, Y5               \
	VPSUBUSW loss1<>(SB), Y5, Y5      \
	VPMAXUW  Y4, Y5, Y4

// Where a position before it has a better one, less what it loses on the way,
// the key becomes that: within each half, from half to half, and from Y7, the
// key before the block.
#define CHOOSE5 \
	VPSLLDQ  $4, Y4, Y5           \
	VPSUBUSW loss2<>(SB), Y5, Y5  \
	VPMAXUW  Y4, Y5, Y4           \
	VPSLLDQ  $8, Y4, Y5           \
	VPSUBUSW loss4<>(SB), Y5, Y5  \
	VPMAXUW  Y4, Y5, Y4           \
	VPERMQ   $0x50, Y4, Y5        \
	VPSHUFB  word3<>(SB), Y5, Y5  \
	VPSUBUSW halfLoss<>(SB), Y5, Y5 \
	VPMAXUW  Y4, Y5, Y4           \
	VPSUBUSW loss<>(SB), Y7, Y7   \
	VPMAXUW  Y4, Y7, Y4           \
	VPERMQ   $0xFF, Y4, Y7        \
	VPSHUFB  word3<>(SB), Y7, Y7

// CHOOSE6 stores the keys and lens, and counts the positions without a copy. AX
// is scratch.
#define CHOOSE6 \
	VMOVDQU      Y4, (R13)             \
	VPSRLW       $12, Y4, Y4           \
	VPCMPGTW     Y4, Y12, Y5           \
	VPAND        sixteen<>(SB), Y5, Y5 \
	VPOR         Y4, Y5, Y4            \
	VEXTRACTI128 $1, Y4, X5            \
	VPACKUSWB    X5, X4, X4            \
	VMOVDQU      X4, (R14)             \
	VPSLLW       $3, X4, X4            \
	VPMOVMSKB    X4, AX                \
	POPCNTL      AX, AX                \
	SUBQ         AX, ret+48(FP)        \
	VPADDW       sixteen<>(SB), Y14, Y14 \
	ADDQ         $32, R13              \
	ADDQ         $16, R14

// RING makes DX the place in the ring of the block that begins back positions
// before R8; SLOTS_AT makes AX that of the slots of R8's block. BX is scratch.
#define RING(back) \
	LEAL -back(R8), DX                 \
	ANDL $(const_searchRing-1), DX

#define SLOTS_AT \
	MOVL R8, BX           \
	MOVL R8, AX           \
	ANDL $~31, BX         \
	ANDL $16, AX          \
	LEAQ (AX)(BX*2), AX

// ENTER_BOTH enters position SI+k in both tables. Its slots are at bytes slot
// and slot+64 of R10. BX, CX, DX and R12 are scratch. The latest position moves
// up by a load and a store of 16 bits, so that of positions with one slot, each
// waits for the number of the one before alone, and not for all before them.
#define ENTER_BOTH(slot, k) \
	MOVWLZX slot(R10), BX                     \
	MOVWLZX (slot+64)(R10), DX                \
	LEAL    k(SI), R12                        \
	MOVWLZX DenseTable_Recent(R9)(BX*4), CX   \
	MOVW    CX, DenseTable_Recent+2(R9)(BX*4) \
	MOVW    R12, DenseTable_Recent(R9)(BX*4)  \
	MOVW    R12, DenseTable_Long(R9)(DX*2)

// ENTER_BOTH16 enters 16 positions from SI+k on, the even ones with slots from
// byte slot on, the odd ones 32 bytes behind.
#define ENTER_BOTH16(slot, k) \
	ENTER_BOTH(slot+0, k+0)   \
	ENTER_BOTH(slot+32, k+1)  \
	ENTER_BOTH(slot+2, k+2)   \
	ENTER_BOTH(slot+34, k+3)  \
	ENTER_BOTH(slot+4, k+4)   \
	ENTER_BOTH(slot+36, k+5)  \
	ENTER_BOTH(slot+6, k+6)   \
	ENTER_BOTH(slot+38, k+7)  \
	ENTER_BOTH(slot+8, k+8)   \
	ENTER_BOTH(slot+40, k+9)  \
	ENTER_BOTH(slot+10, k+10) \
	ENTER_BOTH(slot+42, k+11) \
	ENTER_BOTH(slot+12, k+12) \
	ENTER_BOTH(slot+44, k+13) \
	ENTER_BOTH(slot+14, k+14) \
	ENTER_BOTH(slot+46, k+15)

// func denseEnterAVX2(data *byte, i, n int, t *DenseTable)
//
// Reads data[i:i+n+6]. The slots of the positions at hand lie on the stack.
//
//	SI  the first position to enter, and DI where it is
//	R8  0    R9  t    R10 the slots    R11 positions left
TEXT ·denseEnterAVX2(SB), NOSPLIT, $128-32
	MOVQ data+0(FP), DI
	MOVQ i+8(FP), SI
	MOVQ n+16(FP), R11
	MOVQ t+24(FP), R9
	LEAQ slots-128(SP), R10
	ADDQ SI, DI
	XORL R8, R8
	SUBQ $32, R11
	JLT  enter16

enter32:
	SLOTS(0, 64, Y0, Y1, Y2, Y3, Y4, Y5, Y6, Y7)
	ENTER_BOTH16(0, 0)
	ENTER_BOTH16(16, 16)
	ADDQ $32, SI
	ADDQ $32, DI
	SUBQ $32, R11
	JGE  enter32
	VZEROUPPER

enter16:
	ADDQ $32, R11
	JEQ  entered
	SLOTS(0, 64, X0, X1, X2, X3, X4, X5, X6, X7)
	ENTER_BOTH16(0, 0)

entered:
	RET

// func denseSearchAVX2(data *byte, i, n, x int, t *DenseTable, s *DenseScratch) int
//
// n is at most maxStretch. Reads data[i:i+n+15] and 16 bytes at earlier
// positions. Writes 32 bytes of keys and 16 of lens at a time, n of each in
// all.
//
// Once the slots are known, the positions pass three stages by blocks of 16: a
// turn enters a block, compares the one before it, and chooses the keys of the
// one before that, so that what a stage reads was written a turn ago, and that
// stores, loads and vectors, which bound one stage each, overlap. The blocks'
// candidates and agreements lie in a ring.
//
//	R8  the first position to enter, counted from i, and SI its number
//	DX  a block's place in the ring
//	R9  t    R10 s    R11 data    R15 16
//	R13 and R14 where the next keys and lens go
TEXT ·denseSearchAVX2(SB), NOSPLIT, $0-56
	MOVQ data+0(FP), R11
	MOVQ i+8(FP), SI
	MOVQ n+16(FP), DX
	MOVQ x+24(FP), AX
	MOVQ t+32(FP), R9
	MOVQ s+40(FP), R10
	LEAQ (R11)(SI*1), DI
	LEAQ DenseScratch_keys(R10)(AX*2), R13
	LEAQ DenseScratch_lens(R10)(AX*1), R14
	MOVQ DX, ret+48(FP) // less those without a copy, in time

	// Slots.
	XORL R8, R8

slots:
	LEAQ 32(R8), AX
	CMPQ AX, DX
	JGT  slots16
	SLOTS(DenseScratch_recentSlots, DenseScratch_longSlots, Y0, Y1, Y2, Y3, Y4, Y5, Y6, Y10)
	MOVQ AX, R8
	CMPQ R8, DX
	JLT  slots
	JMP  search

slots16:
	SLOTS(DenseScratch_recentSlots, DenseScratch_longSlots, X0, X1, X2, X3, X4, X5, X6, X10)

search:
	VPBROADCASTW -2(R13), Y7
	VMOVDQU      lengthOf<>(SB), Y10
	VMOVDQU      two<>(SB), Y12
	LEAL         -const_maxOffset(SI), AX
	VMOVD        AX, X14
	VPBROADCASTW X14, Y14
	VPADDW       iota<>(SB), Y14, Y14 // the block's numbers less 4095
	MOVL         $16, R15
	XORL         R8, R8
	MOVQ         n+16(FP), CX

turn:
	CMPQ R8, CX
	JGE  compare
	CMPQ R8, $32
	JGE  fullTurn
	RING(0)
	SLOTS_AT
	ENTER8(0, 0)
	ENTER8(8, 8)
	MOVQ n+16(FP), CX

compare:
	LEAQ -16(R8), DX
	CMPQ DX, CX
	JCC  choose // before the first block and behind the last one
	RING(16)
	AGREE_BYTES
	AGREE4(0)
	AGREE4(4)
	AGREE4(8)
	AGREE4(12)

choose:
	CMPQ R8, $32
	JLT  next
	RING(32)
	CHOOSE1
	CHOOSE2
	CHOOSE3
	CHOOSE4
	CHOOSE5
	CHOOSE6
	JMP next

fullTurn:
	RING(0)
	SLOTS_AT
	ENTER8(0, 0)
	ENTER8(8, 8)
	RING(32)
	CHOOSE1
	CHOOSE2
	CHOOSE3
	RING(16)
	AGREE_BYTES
	AGREE4(0)
	CHOOSE4
	AGREE4(4)
	AGREE4(8)
	CHOOSE5
	AGREE4(12)
	CHOOSE6

next:
	ADDQ $16, R8
	ADDQ $16, SI
	MOVQ n+16(FP), CX
	LEAQ -32(R8), AX
	CMPQ AX, CX
	JLT  turn
	VZEROUPPER
	RET

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

// LANE_PARSE finds what the best parse from position R9+k of a stretch on
// saves: what it saves from R9+k+1 on, which S holds, or with the copy there.
// R11 is s+2*R9. AX and BX are scratch.
#define LANE_PARSE(S, lane, k) \
	MOVBLZX (DenseScratch_lens+const_lanePad+lane*const_lanePitch+k)(R10)(R9*1), AX \
	MOVWLZX (DenseScratch_saved+2*lane*const_lanePitch+2*k+2)(R11)(AX*2), BX        \
	ADDL    (R12)(AX*4), BX                                                        \
	CMPL    BX, S                                                                  \
	CMOVLGT BX, S                                                                  \
	MOVW    S, (DenseScratch_saved+2*lane*const_lanePitch+2*k)(R11)

// func denseParseAVX2(s *DenseScratch, q, n int) int
//
// Reads and writes, in s alone, up to 16 positions before each stretch and up
// to 18 behind it.
TEXT ·denseParseAVX2(SB), NOSPLIT, $0-32
	MOVQ s+0(FP), R10
	MOVQ q+8(FP), DX
	MOVQ n+16(FP), CX

	// Cut the copies that pass a stretch's end, and give the last stretch the
	// full length, without copies.
	VMOVDQU endLength<>(SB), Y3
	VMOVDQU two<>(SB), Y4
	VMOVDQU noCopies<>(SB), X5
	LEAQ    (DenseScratch_keys+2*const_lanePad)(R10), SI
	LEAQ    (DenseScratch_lens+const_lanePad)(R10), DI
	MOVL    $const_stretches, R8

cut:
	XORL    AX, AX
	CMPQ    CX, AX
	CMOVQGT CX, AX
	CMPQ    AX, DX
	CMOVQGT DX, AX // the stretch's length
	VMOVDQU -32(SI)(AX*2), Y0
	VPAND   lengthBits<>(SB), Y0, Y1
	VPAND   numberBits<>(SB), Y0, Y0
	VPMINUW Y3, Y1, Y1
	VPOR    Y0, Y1, Y0
	VMOVDQU Y0, -32(SI)(AX*2)
	VPSRLW       $12, Y0, Y0
	VPCMPGTW     Y0, Y4, Y1
	VPAND        sixteen<>(SB), Y1, Y1
	VPOR         Y0, Y1, Y0
	VEXTRACTI128 $1, Y0, X1
	VPACKUSWB    X1, X0, X0
	VMOVDQU      X0, -16(DI)(AX*1)

fill:
	CMPQ    AX, DX
	JGE     filled
	VMOVDQU X5, (DI)(AX*1)
	ADDQ    $16, AX
	JMP     fill

filled:
	SUBQ DX, CX
	ADDQ $(2*const_lanePitch), SI
	ADDQ $const_lanePitch, DI
	DECL R8
	JNE  cut
	VZEROUPPER

	// Nothing is saved at the stretches' ends.
	XORL SI, SI
	XORL DI, DI
	XORL R8, R8
	XORL R13, R13
	MOVQ DX, R9
	LEAQ (R10)(R9*2), R11
	MOVW SI, DenseScratch_saved(R11)
	MOVW SI, (DenseScratch_saved+2*const_lanePitch)(R11)
	MOVW SI, (DenseScratch_saved+4*const_lanePitch)(R11)
	MOVW SI, (DenseScratch_saved+6*const_lanePitch)(R11)
	LEAQ saves<>(SB), R12

	// Backwards, two positions of each stretch a turn.
parse:
	LANE_PARSE(SI, 0, -1)
	LANE_PARSE(DI, 1, -1)
	LANE_PARSE(R8, 2, -1)
	LANE_PARSE(R13, 3, -1)
	LANE_PARSE(SI, 0, -2)
	LANE_PARSE(DI, 1, -2)
	LANE_PARSE(R8, 2, -2)
	LANE_PARSE(R13, 3, -2)
	SUBQ $4, R11
	SUBQ $2, R9
	JNE  parse

	ADDL SI, DI
	ADDL R8, R13
	ADDL DI, R13
	MOVQ R13, ret+24(FP)
	RET

// Shuffle: from byte 16-r on, the last r bytes first, then zeros.
DATA tail<>+0(SB)/8, $0x0706050403020100
DATA tail<>+8(SB)/8, $0x0F0E0D0C0B0A0908
DATA tail<>+16(SB)/8, $0x8080808080808080
DATA tail<>+24(SB)/8, $0x8080808080808080
GLOBL tail<>(SB), RODATA|NOPTR, $32

// ITEMS turns the keys of 16 positions at R11 into the items there, and lens at
// R12 into their lengths. R13 is where their savings are, X4 their bytes.
#define ITEMS \
	VMOVDQU      (R13), Y0                        \
	VPCMPEQW     2(R13), Y0, Y0                   \ // literals: all ones
	VMOVDQU      (R11), Y1                        \
	VPXOR        minusOne<>(SB), Y1, Y2           \
	VPSLLW       $8, Y2, Y3                       \ // the offset's low byte
	VPSRLW       $4, Y2, Y2                       \
	VPAND        nibble1<>(SB), Y2, Y2            \ // its high bits
	VPSRLW       $12, Y1, Y1                      \ // the length less one
	VPOR         Y2, Y3, Y3                       \
	VPOR         Y1, Y3, Y3                       \
	VPMOVZXBW    X4, Y4                           \
	VPBLENDVB    Y0, Y4, Y3, Y3                   \
	VMOVDQU      Y3, (R11)                        \
	VEXTRACTI128 $1, Y0, X1                       \
	VPACKSSWB    X1, X0, X0                       \
	VPANDN       (R12), X0, X0                    \
	VPADDB       bytes1<>(SB), X0, X0             \
	VMOVDQU      X0, (R12)

// STEP lists the item at position I of a stretch as its number R14+k and goes
// on behind it. B is left with its length, 0 at the stretch's end. AX is
// scratch.
#define STEP(I, lane, k, B) \
	MOVWLZX (DenseScratch_keys+2*const_lanePad+2*lane*const_lanePitch)(R10)(I*2), AX     \
	MOVBLZX (DenseScratch_lens+const_lanePad+lane*const_lanePitch)(R10)(I*1), B          \
	MOVW    AX, (DenseScratch_words+2*const_lanePad+2*lane*const_lanePitch+2*k)(R10)(R14*2) \
	MOVB    B, (DenseScratch_lengths+const_lanePad+lane*const_lanePitch+k)(R10)(R14*1)   \
	ADDL    B, I

// func denseWalkAVX2(data *byte, s *DenseScratch, q, n int)
//
// Needs n of 16 at least, and reads data[:n]. In s it reads and writes up to 16
// positions behind a stretch's end and two items behind a list's.
TEXT ·denseWalkAVX2(SB), NOSPLIT, $0-32
	MOVQ data+0(FP), DI
	MOVQ s+8(FP), R10
	MOVQ q+16(FP), DX
	MOVQ n+24(FP), CX
	LEAQ (DenseScratch_keys+2*const_lanePad)(R10), R11
	LEAQ (DenseScratch_lens+const_lanePad)(R10), R12
	LEAQ DenseScratch_saved(R10), R13
	LEAQ tail<>(SB), R8
	MOVL $const_stretches, R9

items:
	XORL    AX, AX
	CMPQ    CX, AX
	CMOVQGT CX, AX
	CMPQ    AX, DX
	CMOVQGT DX, AX // the stretch's length
	SUBQ    AX, CX
	MOVQ    R11, SI
	SUBQ    $16, AX
	JLT     partial

whole:
	VMOVDQU (DI), X4
	ITEMS
	ADDQ $16, DI
	ADDQ $32, R11
	ADDQ $16, R12
	ADDQ $32, R13
	SUBQ $16, AX
	JGE  whole

partial:
	ADDQ $16, AX
	JEQ  end

	// The last AX bytes, by way of the 16 that end with them.
	VMOVDQU -16(DI)(AX*1), X4
	MOVL    $16, BX
	SUBQ    AX, BX
	VPSHUFB (R8)(BX*1), X4, X4
	ITEMS

end:
	MOVB $0, (R12)(AX*1)

	// On to the next stretch: R11 minus SI is twice as far as the others went.
	SUBQ R11, SI
	ADDQ $(2*const_lanePitch), R11
	ADDQ SI, R11
	ADDQ $(2*const_lanePitch), R13
	ADDQ SI, R13
	SARQ $1, SI
	ADDQ $const_lanePitch, R12
	ADDQ SI, R12
	DECL R9
	JNE  items
	VZEROUPPER

	// The lists, two items of each stretch a turn, until all are at their end.
	XORL SI, SI
	XORL DI, DI
	XORL R8, R8
	XORL R13, R13
	XORL R14, R14

walk:
	STEP(SI, 0, 0, BX)
	STEP(DI, 1, 0, CX)
	STEP(R8, 2, 0, DX)
	STEP(R13, 3, 0, R9)
	STEP(SI, 0, 1, BX)
	STEP(DI, 1, 1, CX)
	STEP(R8, 2, 1, DX)
	STEP(R13, 3, 1, R9)
	ADDQ $2, R14
	ORL  CX, BX
	ORL  R9, DX
	ORL  DX, BX
	JNE  walk
	RET

// QUARTER writes four items, without the second byte of literals, at off(DI)
// plus R8, as 8 bytes. AX is scratch.
#define QUARTER(k, at) \
	MOVQ  (8*k)(R12), AX       \
	PEXTQ keep-(32-8*k)(SP), AX, AX \
	MOVQ  AX, at

// func denseEmitAVX2(dst *byte, s *DenseScratch, pending int) (o, left int)
//
// Writes up to 16 bytes behind a group's end.
TEXT ·denseEmitAVX2(SB), NOSPLIT, $32-40
	MOVQ    dst+0(FP), DI
	MOVQ    s+8(FP), R10
	MOVQ    pending+16(FP), DX
	VPXOR   X5, X5, X5
	VMOVDQU bytes1<>(SB), X6
	VMOVDQU lowByte<>(SB), Y7
	LEAQ    (DenseScratch_words)(R10), R9   // before the list
	LEAQ    (DenseScratch_lengths)(R10), R11
	MOVL    $const_stretches, R14

list:
	// The items left of the list before stand before the list.
	MOVL $const_lanePad, AX
	SUBQ DX, AX
	LEAQ (R9)(AX*2), R12
	LEAQ (R11)(AX*1), R13

group:
	VMOVDQU   (R13), X0
	VPCMPEQB  X5, X0, X1
	VPMOVMSKB X1, AX
	TESTL     AX, AX
	JNE       endOfList

	// The control word, and which bytes of the items count.
	VPCMPGTB  X6, X0, X0
	VPMOVMSKB X0, CX
	VPMOVSXBW X0, Y0
	VPOR      Y7, Y0, Y0
	VMOVDQU   Y0, keep-32(SP)
	MOVW      CX, (DI)
	MOVL      CX, AX
	ANDL      $0xF, AX
	POPCNTL   AX, R8
	MOVL      CX, AX
	ANDL      $0xFF, AX
	POPCNTL   AX, BX
	MOVL      CX, AX
	ANDL      $0xFFF, AX
	POPCNTL   AX, SI
	POPCNTL   CX, CX
	QUARTER(0, 2(DI))
	QUARTER(1, 6(DI)(R8*1))
	QUARTER(2, 10(DI)(BX*1))
	QUARTER(3, 14(DI)(SI*1))
	LEAQ 18(DI)(CX*1), DI
	ADDQ $32, R12
	ADDQ $16, R13
	JMP  group

endOfList:
	// The items left go before the next list, the last ones before the first.
	BSFL AX, DX
	ADDQ $(2*const_lanePitch), R9
	ADDQ $const_lanePitch, R11
	DECL R14
	JNE  move
	LEAQ DenseScratch_words(R10), R9
	LEAQ DenseScratch_lengths(R10), R11

move:
	VMOVDQU -32(R12)(DX*2), Y0
	VMOVDQU -16(R13)(DX*1), X1
	VMOVDQU Y0, (R9)
	VMOVDQU X1, (R11)
	TESTL   R14, R14
	JNE     list

	SUBQ dst+0(FP), DI
	MOVQ DI, o+24(FP)
	MOVQ DX, left+32(FP)
	VZEROUPPER
	RET
