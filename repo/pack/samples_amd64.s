#include "textflag.h"

// 32 samples are a step: v − the sample before + 128, modulo 2¹⁶, then low and high
// bytes apart.

// func splitSamples(low, high, samples *byte, n int)
TEXT ·splitSamples(SB), NOSPLIT, $0-32
	MOVQ     low+0(FP), DI
	MOVQ     high+8(FP), R8
	MOVQ     samples+16(FP), SI
	MOVQ     n+24(FP), CX
	VPCMPEQW Y14, Y14, Y14
	VPSRLW   $15, Y14, Y15
	VPSLLW   $7, Y15, Y15    // 0x0080
	VPSRLW   $8, Y14, Y14    // 0x00ff

split:
	VMOVDQU   (SI), Y0
	VMOVDQU   32(SI), Y1
	VPSUBW    -2(SI), Y0, Y0
	VPSUBW    30(SI), Y1, Y1
	VPADDW    Y15, Y0, Y0
	VPADDW    Y15, Y1, Y1
	VPAND     Y14, Y0, Y2
	VPAND     Y14, Y1, Y3
	VPSRLW    $8, Y0, Y0
	VPSRLW    $8, Y1, Y1
	VPACKUSWB Y3, Y2, Y2     // of the halves of both in turn
	VPACKUSWB Y1, Y0, Y0
	VPERMQ    $0xd8, Y2, Y2
	VPERMQ    $0xd8, Y0, Y0
	VMOVDQU   Y2, (DI)
	VMOVDQU   Y0, (R8)
	ADDQ      $64, SI
	ADDQ      $32, DI
	ADDQ      $32, R8
	SUBQ      $32, CX
	JNZ       split
	VZEROUPPER
	RET

DATA lastWord<>+0x00(SB)/8, $0x0f0e0f0e0f0e0f0e
DATA lastWord<>+0x08(SB)/8, $0x0f0e0f0e0f0e0f0e
GLOBL lastWord<>(SB), RODATA|NOPTR, $16

// SUM turns 8 differences into sums of them, each of all up to it.
#define SUM(x, t) \
	VPSLLDQ $2, x, t; \
	VPADDW  t, x, x; \
	VPSLLDQ $4, x, t; \
	VPADDW  t, x, x; \
	VPSLLDQ $8, x, t; \
	VPADDW  t, x, x

// 16 samples are a step. X5 is the last sample of the step before, in every place:
// nothing but one addition waits for it.

// func joinSamples(samples, low, high *byte, n int)
TEXT ·joinSamples(SB), NOSPLIT, $0-32
	MOVQ     samples+0(FP), DI
	MOVQ     low+8(FP), SI
	MOVQ     high+16(FP), R8
	MOVQ     n+24(FP), CX
	VPCMPEQW X15, X15, X15
	VPSRLW   $15, X15, X15
	VPSLLW   $7, X15, X15         // 0x0080
	VMOVDQU  lastWord<>(SB), X14
	VPXOR    X5, X5, X5

join:
	VMOVDQU    (SI), X0
	VMOVDQU    (R8), X1
	VPUNPCKLBW X1, X0, X2
	VPUNPCKHBW X1, X0, X3
	VPSUBW     X15, X2, X2
	VPSUBW     X15, X3, X3
	SUM(X2, X6)
	SUM(X3, X7)
	VPSHUFB    X14, X2, X8
	VPADDW     X8, X3, X3
	VPSHUFB    X14, X3, X9
	VPADDW     X5, X2, X2
	VPADDW     X5, X3, X3
	VPADDW     X9, X5, X5
	VMOVDQU    X2, (DI)
	VMOVDQU    X3, 16(DI)
	ADDQ       $32, DI
	ADDQ       $16, SI
	ADDQ       $16, R8
	SUBQ       $16, CX
	JNZ        join
	VZEROUPPER
	RET
