#include "textflag.h"

// func gather(j *gatherJob)
TEXT ·gather(SB), NOSPLIT, $16-8
	MOVQ j+0(FP), AX
	MOVQ 0(AX), SI
	MOVQ SI, src-16(SP)
	ADDQ 8(AX), SI           // the next literal
	MOVQ 16(AX), R8
	IMUL3Q $12, 24(AX), CX
	ADDQ R8, CX
	MOVQ CX, stop-8(SP)
	MOVQ 32(AX), DI
	MOVQ 48(AX), R9
	MOVQ 64(AX), BX
	MOVL 72(AX), R11
	MOVL 76(AX), R12
	MOVL 80(AX), R13

loop:
	CMPQ    R8, stop-8(SP)
	JCC     done
	MOVL    (R8), AX
	ADDQ    src-16(SP), AX
	SUBQ    SI, AX           // literals
	VMOVDQU (SI), Y0
	VMOVDQU Y0, (DI)
	CMPL    AX, $32
	JHI     longrun

copied:
	ADDQ AX, SI
	ADDQ AX, DI
	MOVL 4(R8), CX
	ADDQ CX, SI
	SUBL $3, CX
	MOVL 8(R8), DX
	CMPL DX, R11
	JEQ  first
	CMPL DX, R12
	JEQ  second
	CMPL DX, R13
	JEQ  third
fresh:
	MOVL R12, R13
	MOVL R11, R12
	MOVL DX, R11
	ADDL $3, DX

coded:
	BSRL    DX, R14
	BTRL    R14, DX
	CMPL    AX, $64
	JCC     llbig
	MOVBLZX (BX)(AX*1), BP
lldone:
	SUBL    192(BX)(BP*4), AX
	MOVBLZX 448(BX)(BP*1), R15
	CMPL    CX, $128
	JCC     mlbig
	MOVBLZX 64(BX)(CX*1), R10
mldone:
	SUBL    512(BX)(R10*4), CX
	SHLXQ   R15, CX, CX
	ORQ     CX, AX
	MOVBLZX 768(BX)(R10*1), CX
	ADDL    CX, R15
	SHLXQ   R15, DX, DX
	ORQ     DX, AX
	ADDL    R14, R15
	MOVQ    AX, (R9)
	MOVB    BP, 8(R9)
	MOVB    R14, 9(R9)
	MOVB    R10, 10(R9)
	MOVB    R15, 11(R9)
	INCL    832(BX)(BP*4)
	INCL    1088(BX)(R14*4)
	INCL    1344(BX)(R10*4)
	ADDQ    $12, R8
	ADDQ    $16, R9
	JMP     loop

llbig:
	BSRL AX, BP
	ADDL $19, BP
	JMP  lldone

mlbig:
	BSRL CX, R10
	ADDL $36, R10
	JMP  mldone

longrun:
	MOVQ SI, R14
	MOVQ DI, R15
	MOVQ AX, CX
more:
	VMOVDQU (R14), Y0
	VMOVDQU Y0, (R15)
	ADDQ    $32, R14
	ADDQ    $32, R15
	SUBQ    $32, CX
	JGT     more
	JMP     copied

first:
	TESTL AX, AX
	JEQ   fresh
	MOVL  $1, DX
	JMP   coded

second:
	MOVL R11, R12
	MOVL DX, R11
	MOVL $1, DX
	CMPL AX, $1
	SBBL $-1, DX // 2, or 1 without literals
	JMP  coded

third:
	MOVL R12, R13
	MOVL R11, R12
	MOVL DX, R11
	MOVL $2, DX
	CMPL AX, $1
	SBBL $-1, DX // 3, or 2
	JMP  coded

done:
	MOVQ j+0(FP), AX
	SUBQ src-16(SP), SI
	MOVQ SI, 8(AX)
	SUBQ 32(AX), DI
	ADDQ DI, 40(AX)
	SUBQ 48(AX), R9
	SHRQ $4, R9
	ADDQ R9, 56(AX)
	MOVL R11, 72(AX)
	MOVL R12, 76(AX)
	MOVL R13, 80(AX)
	VZEROUPPER
	RET
