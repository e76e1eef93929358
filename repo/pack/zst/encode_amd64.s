#include "textflag.h"

#define FLUSH \
	MOVQ  R8, (DI); \
	MOVQ  R9, CX; \
	SHRQ  $3, CX; \
	ADDQ  CX, DI; \
	MOVQ  R9, CX; \
	ANDQ  $56, CX; \
	SHRXQ CX, R8, R8; \
	ANDQ  $7, R9

#define STATE(code, table, state) \
	MOVBLZX code(SI), AX; \
	MOVL    table(BX)(AX*8), CX; \
	ADDL    state, CX; \
	SHRL    $16, CX; \
	BZHIL   CX, state, DX; \
	SHLXQ   R9, DX, DX; \
	ORQ     DX, R8; \
	ADDQ    CX, R9; \
	SHRXL   CX, state, state; \
	ADDL    (table+4)(BX)(AX*8), state; \
	MOVWLZX (table+512)(BX)(state*2), state

// func encode(j *encodeJob)
TEXT ·encode(SB), NOSPLIT, $0-8
	MOVQ j+0(FP), AX
	MOVQ 0(AX), R13
	MOVQ 8(AX), SI
	SHLQ $4, SI
	ADDQ R13, SI
	MOVQ 16(AX), DI
	MOVQ 32(AX), BX
	MOVQ 40(AX), R8
	MOVQ 48(AX), R9
	MOVL 56(AX), R12
	MOVL 60(AX), R10
	MOVL 64(AX), R11
	FLUSH

next:
	SUBQ $16, SI
	CMPQ SI, R13
	JCS  done
	STATE(9, 1536, R10)
	STATE(10, 3072, R11)
	STATE(8, 0, R12)
	FLUSH
	MOVQ    (SI), AX
	MOVBLZX 11(SI), CX
	SHLXQ   R9, AX, AX
	ORQ     AX, R8
	ADDQ    CX, R9
	FLUSH
	JMP     next

done:
	MOVQ j+0(FP), AX
	SUBQ 16(AX), DI
	MOVQ DI, 24(AX)
	MOVQ R8, 40(AX)
	MOVQ R9, 48(AX)
	MOVL R12, 56(AX)
	MOVL R10, 60(AX)
	MOVL R11, 64(AX)
	RET
