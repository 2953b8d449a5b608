//go:build !purego

#include "textflag.h"

#define A R0
#define B R1
#define STEPS R2
#define AGREEING V16
#define ZERO V17

// func diffBytesNEON(a, b []byte) int
// Reads a and as much of b, nothing beyond; len(a) is a multiple of 64, at
// least 64. Nothing needs alignment. Clobbers R0-R2, V0-V7, V16, V17.
//
// In each step of 64 bytes, those that agree are counted by their place in a
// vector, at most 4 in each, and these counts added up.
TEXT ·diffBytesNEON(SB), NOSPLIT, $0-56
	MOVD a_base+0(FP), A
	MOVD a_len+8(FP), STEPS
	MOVD b_base+24(FP), B
	LSR  $6, STEPS
	VEOR AGREEING.B16, AGREEING.B16, AGREEING.B16
	VEOR ZERO.B16, ZERO.B16, ZERO.B16

diffBytesStep:
	VLD1.P  64(A), [V0.B16, V1.B16, V2.B16, V3.B16]
	VLD1.P  64(B), [V4.B16, V5.B16, V6.B16, V7.B16]
	VCMEQ   V4.B16, V0.B16, V0.B16
	VCMEQ   V5.B16, V1.B16, V1.B16
	VCMEQ   V6.B16, V2.B16, V2.B16
	VCMEQ   V7.B16, V3.B16, V3.B16
	VADD    V0.B16, V1.B16, V0.B16
	VADD    V2.B16, V3.B16, V2.B16
	VADD    V0.B16, V2.B16, V0.B16
	VSUB    V0.B16, ZERO.B16, V0.B16
	VUADDLV V0.B16, V0
	VADD    V0.D2, AGREEING.D2, AGREEING.D2
	SUB     $1, STEPS
	CBNZ    STEPS, diffBytesStep

	MOVD a_len+8(FP), R0
	VMOV AGREEING.D[0], R1
	SUB  R1, R0
	MOVD R0, ret+48(FP)
	RET
