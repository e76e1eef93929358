#include "textflag.h"

// Registers: Z0 to Z15 are the words of the state, a lane in each element, and
// Z16 to Z31 those of the message. Z8 to Z15 are free until the message is there.

DATA words<>+0x00(SB)/4, $0x6a09e667
DATA words<>+0x04(SB)/4, $0xbb67ae85
DATA words<>+0x08(SB)/4, $0x3c6ef372
DATA words<>+0x0c(SB)/4, $0xa54ff53a
DATA words<>+0x10(SB)/4, $64
GLOBL words<>(SB), RODATA|NOPTR, $20

#define G(a, b, c, d, x, y) \
	VPADDD a, b, a;     \
	VPADDD a, x, a;     \
	VPXORD d, a, d;     \
	VPRORD $16, d, d;   \
	VPADDD c, d, c;     \
	VPXORD b, c, b;     \
	VPRORD $12, b, b;   \
	VPADDD a, b, a;     \
	VPADDD a, y, a;     \
	VPXORD d, a, d;     \
	VPRORD $8, d, d;    \
	VPADDD c, d, c;     \
	VPXORD b, c, b;     \
	VPRORD $7, b, b

// Four lanes' rows of words become words' rows of four lanes, in each quarter.
#define QUARTER(a, b, c, d) \
	VPUNPCKLDQ  b, a, Z8;    \
	VPUNPCKHDQ  b, a, Z9;    \
	VPUNPCKLDQ  d, c, Z10;   \
	VPUNPCKHDQ  d, c, Z11;   \
	VPUNPCKLQDQ Z10, Z8, a;  \
	VPUNPCKHQDQ Z10, Z8, b;  \
	VPUNPCKLQDQ Z11, Z9, c;  \
	VPUNPCKHQDQ Z11, Z9, d

// The quarters of four registers change places, as in a matrix that is transposed.
#define QUARTERS(a, b, c, d) \
	VSHUFI32X4 $0x88, b, a, Z8;    \
	VSHUFI32X4 $0xdd, b, a, Z9;    \
	VSHUFI32X4 $0x88, d, c, Z10;   \
	VSHUFI32X4 $0xdd, d, c, Z11;   \
	VSHUFI32X4 $0x88, Z10, Z8, a;  \
	VSHUFI32X4 $0x88, Z11, Z9, b;  \
	VSHUFI32X4 $0xdd, Z10, Z8, c;  \
	VSHUFI32X4 $0xdd, Z11, Z9, d

#define ROW(lane, row) \
	MOVQ      8*lane(DI), AX; \
	VMOVDQU32 (AX)(SI*1), row

#define ROUND(m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15) \
	G(Z0, Z4, Z8, Z12, m0, m1);    \
	G(Z1, Z5, Z9, Z13, m2, m3);    \
	G(Z2, Z6, Z10, Z14, m4, m5);   \
	G(Z3, Z7, Z11, Z15, m6, m7);   \
	G(Z0, Z5, Z10, Z15, m8, m9);   \
	G(Z1, Z6, Z11, Z12, m10, m11); \
	G(Z2, Z7, Z8, Z13, m12, m13);  \
	G(Z3, Z4, Z9, Z14, m14, m15)

#define STORE(to) \
	VMOVDQU32 Z0, (to+0)(DI);   \
	VMOVDQU32 Z1, (to+64)(DI);  \
	VMOVDQU32 Z2, (to+128)(DI); \
	VMOVDQU32 Z3, (to+192)(DI); \
	VMOVDQU32 Z4, (to+256)(DI); \
	VMOVDQU32 Z5, (to+320)(DI); \
	VMOVDQU32 Z6, (to+384)(DI); \
	VMOVDQU32 Z7, (to+448)(DI)

// func sixteen(j *job)
TEXT ·sixteen(SB), NOSPLIT, $0-8
	MOVQ j+0(FP), DI
	XORL SI, SI       // of each input, where the next block stands
	LEAQ 128(DI), BX
	LEAQ 192(DI), DX
	MOVQ 224(DI), CX
	MOVQ 232(DI), R9
	MOVL 240(DI), R8
	KMOVW 252(DI), K1
	VPBROADCASTD 0(DX), Z0
	VPBROADCASTD 4(DX), Z1
	VPBROADCASTD 8(DX), Z2
	VPBROADCASTD 12(DX), Z3
	VPBROADCASTD 16(DX), Z4
	VPBROADCASTD 20(DX), Z5
	VPBROADCASTD 24(DX), Z6
	VPBROADCASTD 28(DX), Z7

next:
	CMPQ CX, $1
	JNE  message
	ORL  248(DI), R8

message:
	ROW(0, Z16)
	ROW(1, Z17)
	ROW(2, Z18)
	ROW(3, Z19)
	ROW(4, Z20)
	ROW(5, Z21)
	ROW(6, Z22)
	ROW(7, Z23)
	ROW(8, Z24)
	ROW(9, Z25)
	ROW(10, Z26)
	ROW(11, Z27)
	ROW(12, Z28)
	ROW(13, Z29)
	ROW(14, Z30)
	ROW(15, Z31)
	QUARTER(Z16, Z17, Z18, Z19)
	QUARTER(Z20, Z21, Z22, Z23)
	QUARTER(Z24, Z25, Z26, Z27)
	QUARTER(Z28, Z29, Z30, Z31)
	QUARTERS(Z16, Z20, Z24, Z28)
	QUARTERS(Z17, Z21, Z25, Z29)
	QUARTERS(Z18, Z22, Z26, Z30)
	QUARTERS(Z19, Z23, Z27, Z31)

	VPBROADCASTD words<>+0x00(SB), Z8
	VPBROADCASTD words<>+0x04(SB), Z9
	VPBROADCASTD words<>+0x08(SB), Z10
	VPBROADCASTD words<>+0x0c(SB), Z11
	VMOVDQU32    (BX), Z12
	VPXORD       Z13, Z13, Z13
	VPBROADCASTD words<>+0x10(SB), Z14
	VPBROADCASTD R8, Z15
	CMPQ         CX, R9
	JNE          rounds
	ORL          248(DI), R8
	MOVL         256(DI), AX
	VPBROADCASTD AX, K1, Z14
	VPBROADCASTD R8, K1, Z15

rounds:
	ROUND(Z16, Z17, Z18, Z19, Z20, Z21, Z22, Z23, Z24, Z25, Z26, Z27, Z28, Z29, Z30, Z31)
	ROUND(Z18, Z22, Z19, Z26, Z23, Z16, Z20, Z29, Z17, Z27, Z28, Z21, Z25, Z30, Z31, Z24)
	ROUND(Z19, Z20, Z26, Z28, Z29, Z18, Z23, Z30, Z22, Z21, Z25, Z16, Z27, Z31, Z24, Z17)
	ROUND(Z26, Z23, Z28, Z25, Z30, Z19, Z29, Z31, Z20, Z16, Z27, Z18, Z21, Z24, Z17, Z22)
	ROUND(Z28, Z29, Z25, Z27, Z31, Z26, Z30, Z24, Z23, Z18, Z21, Z19, Z16, Z17, Z22, Z20)
	ROUND(Z25, Z30, Z27, Z21, Z24, Z28, Z31, Z17, Z29, Z19, Z16, Z26, Z18, Z22, Z20, Z23)
	ROUND(Z27, Z31, Z21, Z16, Z17, Z25, Z24, Z22, Z30, Z26, Z18, Z28, Z19, Z20, Z23, Z29)

	VPXORD Z8, Z0, Z0
	VPXORD Z9, Z1, Z1
	VPXORD Z10, Z2, Z2
	VPXORD Z11, Z3, Z3
	VPXORD Z12, Z4, Z4
	VPXORD Z13, Z5, Z5
	VPXORD Z14, Z6, Z6
	VPXORD Z15, Z7, Z7

	CMPQ CX, R9
	JNE  on
	STORE(776)

on:
	MOVL 244(DI), R8
	ADDQ $64, SI
	DECQ CX
	JNE  next
	STORE(264)
	VZEROUPPER
	RET
