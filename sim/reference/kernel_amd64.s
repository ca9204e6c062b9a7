#include "textflag.h"

// func hasAVX() bool
//
// CPUID leaf 1 must offer AVX (bit 28) and OSXSAVE (bit 27), and the operating
// system must save the wide registers (XCR0 bits 1 and 2).
TEXT ·hasAVX(SB), NOSPLIT, $0-1
	MOVB $0, ret+0(FP)
	MOVL $1, AX
	XORL CX, CX
	CPUID
	ANDL $0x18000000, CX
	CMPL CX, $0x18000000
	JNE  no
	XORL CX, CX
	XGETBV
	ANDL $6, AX
	CMPL AX, $6
	JNE  no
	MOVB $1, ret+0(FP)
no:
	RET

// func axpyAVX(k float64, x, y *float64, quads int)
TEXT ·axpyAVX(SB), NOSPLIT, $0-32
	VBROADCASTSD k+0(FP), Y0
	MOVQ x+8(FP), SI
	MOVQ y+16(FP), DI
	MOVQ quads+24(FP), CX
	XORQ AX, AX
	SUBQ $2, CX
	JL   one
two:
	VMULPD  (SI)(AX*1), Y0, Y1
	VMULPD  32(SI)(AX*1), Y0, Y2
	VADDPD  (DI)(AX*1), Y1, Y1
	VADDPD  32(DI)(AX*1), Y2, Y2
	VMOVUPD Y1, (DI)(AX*1)
	VMOVUPD Y2, 32(DI)(AX*1)
	ADDQ    $64, AX
	SUBQ    $2, CX
	JGE     two
one:
	ADDQ $2, CX
	JZ   done
	VMULPD  (SI)(AX*1), Y0, Y1
	VADDPD  (DI)(AX*1), Y1, Y1
	VMOVUPD Y1, (DI)(AX*1)
done:
	VZEROUPPER
	RET

// func dotAVX(x, y *float64, quads int, sums *[4]float64)
//
// One accumulator a lane keeps the order of summation that the Go code has.
TEXT ·dotAVX(SB), NOSPLIT, $0-32
	MOVQ x+0(FP), SI
	MOVQ y+8(FP), DI
	MOVQ quads+16(FP), CX
	MOVQ sums+24(FP), DX
	XORQ AX, AX
	VXORPD Y0, Y0, Y0
next:
	VMOVUPD (SI)(AX*1), Y1
	VMULPD  (DI)(AX*1), Y1, Y1
	VADDPD  Y1, Y0, Y0
	ADDQ    $32, AX
	DECQ    CX
	JNZ     next
	VMOVUPD Y0, (DX)
	VZEROUPPER
	RET

// func fuseAVX(w *float64, stride, quads int, e, k *[4]float64, old, r, c *float64, sums *[16]float64)
//
// Four rows of one pass: c += e w, w += k old, sums += w r. Stride is in bytes.
TEXT ·fuseAVX(SB), NOSPLIT, $0-72
	MOVQ w+0(FP), R8
	MOVQ stride+8(FP), R12
	LEAQ (R8)(R12*1), R9
	LEAQ (R9)(R12*1), R10
	LEAQ (R10)(R12*1), R11
	MOVQ quads+16(FP), CX
	MOVQ e+24(FP), AX
	VBROADCASTSD (AX), Y4
	VBROADCASTSD 8(AX), Y5
	VBROADCASTSD 16(AX), Y6
	VBROADCASTSD 24(AX), Y7
	MOVQ k+32(FP), AX
	VBROADCASTSD (AX), Y8
	VBROADCASTSD 8(AX), Y9
	VBROADCASTSD 16(AX), Y10
	VBROADCASTSD 24(AX), Y11
	MOVQ old+40(FP), SI
	MOVQ r+48(FP), DI
	MOVQ c+56(FP), DX
	VXORPD Y0, Y0, Y0
	VXORPD Y1, Y1, Y1
	VXORPD Y2, Y2, Y2
	VXORPD Y3, Y3, Y3
	XORQ AX, AX
next:
	VMOVUPD (DX)(AX*1), Y12
	VMOVUPD (SI)(AX*1), Y13

	VMOVUPD (R8)(AX*1), Y14
	VMULPD  Y14, Y4, Y15
	VADDPD  Y15, Y12, Y12
	VMULPD  Y13, Y8, Y15
	VADDPD  Y15, Y14, Y14
	VMOVUPD Y14, (R8)(AX*1)
	VMULPD  (DI)(AX*1), Y14, Y15
	VADDPD  Y15, Y0, Y0

	VMOVUPD (R9)(AX*1), Y14
	VMULPD  Y14, Y5, Y15
	VADDPD  Y15, Y12, Y12
	VMULPD  Y13, Y9, Y15
	VADDPD  Y15, Y14, Y14
	VMOVUPD Y14, (R9)(AX*1)
	VMULPD  (DI)(AX*1), Y14, Y15
	VADDPD  Y15, Y1, Y1

	VMOVUPD (R10)(AX*1), Y14
	VMULPD  Y14, Y6, Y15
	VADDPD  Y15, Y12, Y12
	VMULPD  Y13, Y10, Y15
	VADDPD  Y15, Y14, Y14
	VMOVUPD Y14, (R10)(AX*1)
	VMULPD  (DI)(AX*1), Y14, Y15
	VADDPD  Y15, Y2, Y2

	VMOVUPD (R11)(AX*1), Y14
	VMULPD  Y14, Y7, Y15
	VADDPD  Y15, Y12, Y12
	VMULPD  Y13, Y11, Y15
	VADDPD  Y15, Y14, Y14
	VMOVUPD Y14, (R11)(AX*1)
	VMULPD  (DI)(AX*1), Y14, Y15
	VADDPD  Y15, Y3, Y3

	VMOVUPD Y12, (DX)(AX*1)
	ADDQ    $32, AX
	DECQ    CX
	JNZ     next

	MOVQ sums+64(FP), AX
	VMOVUPD Y0, (AX)
	VMOVUPD Y1, 32(AX)
	VMOVUPD Y2, 64(AX)
	VMOVUPD Y3, 96(AX)
	VZEROUPPER
	RET
