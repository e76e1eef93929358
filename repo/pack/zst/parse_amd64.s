#include "textflag.h"

// STEP takes the next match of a lane, or skips a word without one, and goes on with
// the other lane. SI is src; R8 and R9 are candidates and bits, so that they go by
// position. What can hardly be foretold is decided without a branch.
//
//	p, anchor   the position, and the end of the last match
//	AX, CX      length and place of the match; then in BP, R14, DX those of the other
#define STEP(p, anchor, found, to, this, other, long, take, empty, full) \
this: \
	CMPQ      p, to; \
	JGE       full; \
	MOVQ      p, DX; \
	SHRQ      $6, DX; \
	MOVQ      (R9)(DX*8), AX; \
	SHLXQ     p, AX, AX; \
	TESTQ     AX, AX; \
	JZ        empty; \
	LZCNTQ    AX, AX; \
	ADDQ      AX, p; \
	CMPQ      p, to; \
	JGE       full; \
	MOVL      (R8)(p*4), CX; \
	VMOVDQU   (SI)(p*1), Y0; \
	VPCMPEQB  (SI)(CX*1), Y0, Y0; \
	VPMOVMSKB Y0, AX; \
	NOTL      AX; \
	TZCNTL    AX, AX; \
	JCS       long; \
	LEAQ      -3(p)(AX*1), DX; \
	CMPQ      DX, to; \
	JGE       take; \
	MOVL      (R8)(DX*4), R14; \
	CMPQ      R14, $32; \
	JLT       take; \
	VMOVDQU   (SI)(DX*1), Y0; \
	VMOVDQU   -32(SI)(DX*1), Y1; \
	VPCMPEQB  (SI)(R14*1), Y0, Y0; \
	VPCMPEQB  -32(SI)(R14*1), Y1, Y1; \
	VPMOVMSKB Y1, BP; \
	NOTL      BP; \
	LZCNTL    BP, BP; \
	MOVQ      DX, R15; \
	SUBQ      anchor, R15; \
	CMPQ      BP, R15; \
	CMOVQGT   R15, BP; \
	VPMOVMSKB Y0, R15; \
	NOTL      R15; \
	TZCNTL    R15, R15; \
	SUBQ      BP, R14; \
	SUBQ      BP, DX; \
	ADDQ      R15, BP; \
	MOVQ      DX, R15; \
	SUBQ      p, R15; \
	CMPQ      R15, $2; \
	CMOVQGT   AX, BP; \
	CMPQ      BP, AX; \
	CMOVQGT   DX, p; \
	CMOVQGT   R14, CX; \
	CMOVQGT   BP, AX; \
take: \
	MOVQ    to, DX; \
	ADDQ    $8, DX; \
	SUBQ    p, DX; \
	CMPQ    AX, DX; \
	CMOVQGT DX, AX; \
	MOVL    p, (found); \
	MOVL    AX, 4(found); \
	MOVQ    p, DX; \
	SUBQ    CX, DX; \
	MOVL    DX, 8(found); \
	ADDQ    $12, found; \
	ADDQ    AX, p; \
	MOVQ    p, anchor; \
	JMP     other; \
long: \
	LEAQ      (p)(AX*1), DX; \
	CMPQ      DX, to; \
	JGE       take; \
	LEAQ      (CX)(AX*1), R14; \
	VMOVDQU   (SI)(DX*1), Y0; \
	VPCMPEQB  (SI)(R14*1), Y0, Y0; \
	VPMOVMSKB Y0, R15; \
	NOTL      R15; \
	TZCNTL    R15, R15; \
	ADDQ      R15, AX; \
	CMPQ      R15, $32; \
	JEQ       long; \
	JMP       take; \
empty: \
	ORQ  $63, p; \
	INCQ p; \
	JMP  other

// func parse(j *parseJob)
TEXT ·parse(SB), NOSPLIT, $16-8
	MOVQ j+0(FP), AX
	MOVQ 0(AX), SI
	MOVQ 8(AX), R8
	MOVQ 16(AX), R9
	MOVQ 24(AX), CX
	SHRQ $3, CX
	SUBQ CX, R9
	SHLQ $5, CX
	SUBQ CX, R8

	MOVQ 32(AX), DI
	MOVQ 40(AX), BX
	MOVQ BX, R13
	MOVQ 48(AX), CX
	MOVQ CX, to-8(SP)

	MOVQ 64(AX), R12
	MOVQ 72(AX), R10
	MOVQ R10, R11
	MOVQ 80(AX), CX
	MOVQ CX, to2-16(SP)

	STEP(BX, R13, DI, to-8(SP), a, b, along, atake, aempty, afull)
	STEP(R10, R11, R12, to2-16(SP), b, a, blong, btake, bempty, bfull)

afull:
	CMPQ R10, to2-16(SP)
	JLT  b
	JMP  done

bfull:
	CMPQ BX, to-8(SP)
	JLT  a

done:
	MOVQ j+0(FP), R8
	MOVQ DI, AX
	SUBQ 32(R8), AX
	XORL DX, DX
	MOVL $12, CX
	DIVQ CX
	MOVQ AX, 56(R8)
	MOVQ R12, AX
	SUBQ 64(R8), AX
	XORL DX, DX
	DIVQ CX
	MOVQ AX, 88(R8)
	VZEROUPPER
	RET
