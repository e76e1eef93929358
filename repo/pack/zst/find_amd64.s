#include "textflag.h"

// func leadingZeros(x uint32) uint32
TEXT ·leadingZeros(SB), NOSPLIT, $0-12
	LZCNTL x+0(FP), AX
	MOVL   AX, ret+8(FP)
	RET

// POSITION looks up position BX and puts it into the table. It shifts into R11
// whether the low six bytes are equal.
#define POSITION \
	MOVQ  (SI)(BX*1), AX; \
	MOVQ  AX, DX;         \
	SHLQ  $16, DX;        \
	IMULQ R9, DX;         \
	SHRQ  $48, DX;        \
	MOVL  (DI)(DX*4), CX; \
	MOVL  BX, (DI)(DX*4); \
	MOVL  CX, (R8)(BX*4); \
	XORQ  (SI)(CX*1), AX; \
	SHLQ  $16, AX;        \
	CMPQ  AX, $1;         \
	ADCQ  R11, R11;       \
	INCQ  BX

// func find(last *uint32, src *byte, cand *uint32, match *uint64, from, to int)
TEXT ·find(SB), NOSPLIT, $0-48
	MOVQ last+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ cand+16(FP), R8
	MOVQ match+24(FP), R10
	MOVQ from+32(FP), BX
	MOVQ to+40(FP), R12
	MOVQ $0x9E3779B97F4A7C15, R9 // 2⁶⁴ over the golden ratio
	LEAQ (BX*4), AX
	SUBQ AX, R8                  // so that it goes by position

word:
	CMPQ BX, R12
	JGE  done
	XORL R11, R11
	MOVL $8, R13

eight:
	POSITION
	POSITION
	POSITION
	POSITION
	POSITION
	POSITION
	POSITION
	POSITION
	DECL R13
	JNZ  eight
	MOVQ R11, (R10)
	ADDQ $8, R10
	JMP  word

done:
	RET
