#include "textflag.h"

// A block is 8 rows of 16 words of 64 bits. G (RFC 9106, 3.5) adds x and y, mixes
// each row, then each pair of columns, and adds x and y again. Two rows are mixed
// at a time, or two pairs of columns, so that there is work while a product is
// waited for. Registers:
//
//	Y0 Y1  a     Y2 Y3  b     Y4 Y5  c     Y6 Y7  d
//	Y8 Y9  products           Y14 Y15  bytes as after a rotation by 24 and 16

DATA rotate24<>+0x00(SB)/8, $0x0201000706050403
DATA rotate24<>+0x08(SB)/8, $0x0a09080f0e0d0c0b
DATA rotate24<>+0x10(SB)/8, $0x0201000706050403
DATA rotate24<>+0x18(SB)/8, $0x0a09080f0e0d0c0b
GLOBL rotate24<>(SB), RODATA|NOPTR, $32

DATA rotate16<>+0x00(SB)/8, $0x0100070605040302
DATA rotate16<>+0x08(SB)/8, $0x09080f0e0d0c0b0a
DATA rotate16<>+0x10(SB)/8, $0x0100070605040302
DATA rotate16<>+0x18(SB)/8, $0x09080f0e0d0c0b0a
GLOBL rotate16<>(SB), RODATA|NOPTR, $32

// p += q + 2 · low half of p · low half of q, twice
#define ADD(p0, p1, q0, q1) \
	VPMULUDQ p0, q0, Y8; \
	VPMULUDQ p1, q1, Y9; \
	VPADDQ   q0, p0, p0; \
	VPADDQ   q1, p1, p1; \
	VPADDQ   Y8, Y8, Y8; \
	VPADDQ   Y9, Y9, Y9; \
	VPADDQ   Y8, p0, p0; \
	VPADDQ   Y9, p1, p1

#define QUARTERS \
	ADD(Y0, Y1, Y2, Y3); \
	VPXOR   Y0, Y6, Y6; \
	VPXOR   Y1, Y7, Y7; \
	VPSHUFD $0xb1, Y6, Y6; \
	VPSHUFD $0xb1, Y7, Y7; \
	ADD(Y4, Y5, Y6, Y7); \
	VPXOR   Y4, Y2, Y2; \
	VPXOR   Y5, Y3, Y3; \
	VPSHUFB Y14, Y2, Y2; \
	VPSHUFB Y14, Y3, Y3; \
	ADD(Y0, Y1, Y2, Y3); \
	VPXOR   Y0, Y6, Y6; \
	VPXOR   Y1, Y7, Y7; \
	VPSHUFB Y15, Y6, Y6; \
	VPSHUFB Y15, Y7, Y7; \
	ADD(Y4, Y5, Y6, Y7); \
	VPXOR   Y4, Y2, Y2; \
	VPXOR   Y5, Y3, Y3; \
	VPADDQ  Y2, Y2, Y8; \
	VPADDQ  Y3, Y3, Y9; \
	VPSRLQ  $63, Y2, Y2; \
	VPSRLQ  $63, Y3, Y3; \
	VPXOR   Y8, Y2, Y2; \
	VPXOR   Y9, Y3, Y3

// Rows: a register holds 4 words of a row, so diagonals are turns within it.
#define ROWS \
	QUARTERS; \
	VPERMQ $0x39, Y2, Y2; \
	VPERMQ $0x39, Y3, Y3; \
	VPERMQ $0x4e, Y4, Y4; \
	VPERMQ $0x4e, Y5, Y5; \
	VPERMQ $0x93, Y6, Y6; \
	VPERMQ $0x93, Y7, Y7; \
	QUARTERS; \
	VPERMQ $0x93, Y2, Y2; \
	VPERMQ $0x93, Y3, Y3; \
	VPERMQ $0x4e, Y4, Y4; \
	VPERMQ $0x4e, Y5, Y5; \
	VPERMQ $0x39, Y6, Y6; \
	VPERMQ $0x39, Y7, Y7

// Columns: each half of a register holds 2 words of a pair of columns, and the
// register beside it the other 2, so diagonals turn through both. c turns by
// changing places.
#define COLUMNS \
	QUARTERS; \
	VPALIGNR $8, Y2, Y3, Y10; \
	VPALIGNR $8, Y3, Y2, Y3; \
	VMOVDQA  Y10, Y2; \
	VPALIGNR $8, Y7, Y6, Y10; \
	VPALIGNR $8, Y6, Y7, Y7; \
	VMOVDQA  Y10, Y6; \
	VMOVDQA  Y4, Y11; \
	VMOVDQA  Y5, Y4; \
	VMOVDQA  Y11, Y5; \
	QUARTERS; \
	VPALIGNR $8, Y3, Y2, Y10; \
	VPALIGNR $8, Y2, Y3, Y3; \
	VMOVDQA  Y10, Y2; \
	VPALIGNR $8, Y6, Y7, Y10; \
	VPALIGNR $8, Y7, Y6, Y7; \
	VMOVDQA  Y10, Y6; \
	VMOVDQA  Y4, Y11; \
	VMOVDQA  Y5, Y4; \
	VMOVDQA  Y11, Y5

#define TAKE(at, reg) \
	VMOVDQU at(SI), reg; \
	VPXOR   at(DX), reg, reg

#define TWOROWS(at) \
	TAKE((at+0), Y0); \
	TAKE((at+32), Y2); \
	TAKE((at+64), Y4); \
	TAKE((at+96), Y6); \
	TAKE((at+128), Y1); \
	TAKE((at+160), Y3); \
	TAKE((at+192), Y5); \
	TAKE((at+224), Y7); \
	ROWS; \
	VMOVDQU Y0, (at+0)(SP); \
	VMOVDQU Y2, (at+32)(SP); \
	VMOVDQU Y4, (at+64)(SP); \
	VMOVDQU Y6, (at+96)(SP); \
	VMOVDQU Y1, (at+128)(SP); \
	VMOVDQU Y3, (at+160)(SP); \
	VMOVDQU Y5, (at+192)(SP); \
	VMOVDQU Y7, (at+224)(SP)

#define LOADCOLUMNS(at) \
	VMOVDQU (at+0)(SP), Y0; \
	VMOVDQU (at+128)(SP), Y1; \
	VMOVDQU (at+256)(SP), Y2; \
	VMOVDQU (at+384)(SP), Y3; \
	VMOVDQU (at+512)(SP), Y4; \
	VMOVDQU (at+640)(SP), Y5; \
	VMOVDQU (at+768)(SP), Y6; \
	VMOVDQU (at+896)(SP), Y7; \
	COLUMNS

#define SET(at, reg) \
	VPXOR   at(SI), reg, reg; \
	VPXOR   at(DX), reg, reg; \
	VMOVDQU reg, at(DI)

#define XOR(at, reg) \
	VPXOR at(DI), reg, reg; \
	SET(at, reg)

#define COLUMNSTO(PUT, at) \
	LOADCOLUMNS(at); \
	PUT((at+0), Y0); \
	PUT((at+128), Y1); \
	PUT((at+256), Y2); \
	PUT((at+384), Y3); \
	PUT((at+512), Y4); \
	PUT((at+640), Y5); \
	PUT((at+768), Y6); \
	PUT((at+896), Y7)

#define BEGIN \
	MOVQ    out+0(FP), DI; \
	MOVQ    x+8(FP), SI; \
	MOVQ    y+16(FP), DX; \
	VMOVDQU rotate24<>(SB), Y14; \
	VMOVDQU rotate16<>(SB), Y15; \
	TWOROWS(0); \
	TWOROWS(256); \
	TWOROWS(512); \
	TWOROWS(768)

// func mix(out, x, y *block)
TEXT ·mix(SB), 0, $1024-24
	BEGIN
	COLUMNSTO(SET, 0)
	COLUMNSTO(SET, 32)
	COLUMNSTO(SET, 64)
	COLUMNSTO(SET, 96)
	VZEROUPPER
	RET

// func mixInto(out, x, y *block)
TEXT ·mixInto(SB), 0, $1024-24
	BEGIN
	COLUMNSTO(XOR, 0)
	COLUMNSTO(XOR, 32)
	COLUMNSTO(XOR, 64)
	COLUMNSTO(XOR, 96)
	VZEROUPPER
	RET
