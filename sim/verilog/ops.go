package verilog

import "math/bits"

// An opcode is an operator of the typed tree. Widths and signs have been
// settled when one is evaluated: the operands of add have the type of its
// result, the operands of lt share a type of their own, and every extension
// stands in the tree as an opConv.
type opcode uint8

const (
	opConst opcode = iota
	opSig
	opMem   // word of a memory, argument is the offset of the word
	opPart  // w bits of the argument from lo on
	opPartV // w bits of argument 0 from k*argument 1 + lo on
	opConcat
	opConv // to the type of the node, sign extension where both are signed
	opNeg
	opNot
	opRedAnd
	opRedOr
	opRedXor
	opLogNot
	opAdd
	opSub
	opMul
	opDiv
	opMod
	opPow
	opAnd
	opOr
	opXor
	opXnor
	opShl
	opShr
	opAshr // >>>; arithmetic where the type is signed
	opEq
	opNe
	opCeq // ===
	opCne
	opCaseZ // equal in all bits but those where either has z
	opCaseX
	opLt
	opLe
	opLogAnd
	opLogOr
	opCond
	opCall
	opSysFn
)

// eval computes one operator on four-state vectors. It is the reference that
// folds constants, runs constant functions, and serves the simulator wherever
// a bit is unknown or a vector has more than 64 bits. k and lo are the
// immediates of opPart and opPartV.
func eval(op opcode, w int, signed bool, lo, k int, a ...Value) Value {
	switch op {
	case opPart:
		v := a[0].slice(lo, w)
		v.Signed = signed
		return v
	case opPartV:
		off, ok := partOffset(a[1], lo, k)
		if !ok || off <= -w || off >= a[0].Width {
			return allX(w, signed)
		}
		v := a[0].slice(off, w)
		v.Signed = signed
		return v
	case opConcat:
		r := NewValue(w, signed)
		for pos, i := w, 0; i < len(a); i++ {
			pos -= a[i].Width
			r.insert(pos, a[i])
		}
		return r
	case opConv:
		x := a[0]
		x.Signed = x.Signed && signed
		return x.resize(w, signed)
	case opNot, opAnd, opOr, opXor, opXnor:
		return bitwise(op, w, signed, a)
	case opRedAnd, opRedOr, opRedXor:
		return reduce(op, a[0])
	case opLogNot:
		t, x := truth(a[0])
		return bit3(!t, x)
	case opLogAnd, opLogOr:
		t0, x0 := truth(a[0])
		t1, x1 := truth(a[1])
		if op == opLogAnd {
			if !t0 && !x0 || !t1 && !x1 {
				return bit3(false, false)
			}
			return bit3(true, x0 || x1)
		}
		return bit3(t0 || t1, !t0 && !t1 && (x0 || x1))
	case opEq, opNe:
		unknown := false
		for i := range a[0].A {
			known := ^(a[0].B[i] | a[1].B[i])
			if (a[0].A[i]^a[1].A[i])&known != 0 {
				return bit3(op == opNe, false)
			}
			unknown = unknown || known != ^uint64(0)
		}
		return bit3(op == opEq, unknown)
	case opCeq:
		return bit3(a[0].Same(a[1]), false)
	case opCne:
		return bit3(!a[0].Same(a[1]), false)
	case opCaseZ, opCaseX:
		return bit3(caseMatch(op, a[0], a[1]), false)
	case opCond:
		t, x := truth(a[0])
		switch {
		case !x && t:
			return a[1]
		case !x:
			return a[2]
		}
		r := NewValue(w, signed)
		for i := range r.A {
			diff := a[1].A[i] ^ a[2].A[i] | a[1].B[i] | a[2].B[i]
			r.A[i], r.B[i] = a[1].A[i]|diff, diff
		}
		r.trim()
		return r
	case opShl, opShr, opAshr:
		return shift(op, w, signed, a[0], a[1])
	}
	// What is left is arithmetic: one unknown bit spoils the whole result.
	for _, v := range a {
		if !v.Known() {
			if op == opLt || op == opLe {
				return bit3(false, true)
			}
			return allX(w, signed)
		}
	}
	switch op {
	case opLt:
		return bit3(compare(a[0], a[1]) < 0, false)
	case opLe:
		return bit3(compare(a[0], a[1]) <= 0, false)
	case opNeg:
		return addc(w, signed, NewValue(w, signed), invert(a[0]), 1)
	case opAdd:
		return addc(w, signed, a[0], a[1], 0)
	case opSub:
		return addc(w, signed, a[0], invert(a[1]), 1)
	case opMul:
		return mul(w, signed, a[0], a[1])
	case opDiv, opMod:
		return divide(op, w, signed, a[0], a[1])
	case opPow:
		return pow(w, signed, a[0], a[1])
	}
	return allX(w, signed)
}

// bit3 is one bit: x where unknown, else t.
func bit3(t, unknown bool) Value {
	v := NewValue(1, false)
	if unknown {
		v.A[0], v.B[0] = 1, 1
	} else if t {
		v.A[0] = 1
	}
	return v
}

// truth tells whether a vector counts as true: a bit is known to be 1. It is
// unknown when no bit is, but one may be.
func truth(v Value) (t, unknown bool) {
	for i := range v.A {
		if v.A[i]&^v.B[i] != 0 {
			return true, false
		}
		unknown = unknown || v.B[i] != 0
	}
	return false, unknown
}

// partOffset is k*index + lo; ok is false for an unknown index or one that is
// out of any range.
func partOffset(index Value, lo, k int) (off int, ok bool) {
	i, ok := index.Int64()
	if !ok || i > 1<<40 || i < -1<<40 {
		return 0, false
	}
	return k*int(i) + lo, true
}

func bitwise(op opcode, w int, signed bool, a []Value) Value {
	r := NewValue(w, signed)
	for i := range r.A {
		xa, xb := a[0].A[i], a[0].B[i]
		var ya, yb uint64
		if op != opNot {
			ya, yb = a[1].A[i], a[1].B[i]
		}
		switch op {
		case opNot:
			r.A[i], r.B[i] = ^xa|xb, xb
		case opAnd: // 0 wherever one is a known 0
			zero := ^xa&^xb | ^ya&^yb
			u := (xb | yb) &^ zero
			r.A[i], r.B[i] = xa&ya|u, u
		case opOr: // 1 wherever one is a known 1
			one := xa&^xb | ya&^yb
			u := (xb | yb) &^ one
			r.A[i], r.B[i] = one|u, u
		case opXor:
			u := xb | yb
			r.A[i], r.B[i] = xa^ya|u, u
		case opXnor:
			u := xb | yb
			r.A[i], r.B[i] = ^(xa^ya)|u, u
		}
	}
	r.trim()
	return r
}

func reduce(op opcode, v Value) Value {
	ones, unknown := 0, 0
	zero := false
	for i := range v.A {
		m := ^uint64(0)
		if i == len(v.A)-1 {
			m = topMask(v.Width)
		}
		ones += bits.OnesCount64(v.A[i] &^ v.B[i])
		unknown += bits.OnesCount64(v.B[i])
		zero = zero || m&^v.A[i]&^v.B[i] != 0
	}
	switch op {
	case opRedAnd:
		return bit3(!zero, !zero && unknown > 0)
	case opRedOr:
		return bit3(ones > 0, ones == 0 && unknown > 0)
	}
	return bit3(ones&1 == 1, unknown > 0)
}

func caseMatch(op opcode, x, y Value) bool {
	for i := range x.A {
		wild := x.B[i]&^x.A[i] | y.B[i]&^y.A[i]
		if op == opCaseX {
			wild = x.B[i] | y.B[i]
		}
		if (x.A[i]^y.A[i]|x.B[i]^y.B[i])&^wild != 0 {
			return false
		}
	}
	return true
}

func invert(v Value) Value {
	r := NewValue(v.Width, v.Signed)
	for i := range r.A {
		r.A[i] = ^v.A[i]
	}
	return r
}

func addc(w int, signed bool, x, y Value, carry uint64) Value {
	r := NewValue(w, signed)
	for i := range r.A {
		r.A[i], carry = bits.Add64(x.A[i], y.A[i], carry)
	}
	r.trim()
	return r
}

func mul(w int, signed bool, x, y Value) Value {
	r := NewValue(w, signed)
	for i := range r.A {
		var carry uint64
		for j := 0; i+j < len(r.A); j++ {
			hi, lo := bits.Mul64(x.A[i], y.A[j])
			var c uint64
			lo, c = bits.Add64(lo, carry, 0)
			hi += c
			r.A[i+j], c = bits.Add64(r.A[i+j], lo, 0)
			carry = hi + c
		}
	}
	r.trim()
	return r
}

func divide(op opcode, w int, signed bool, x, y Value) Value {
	if t, _ := truth(y); !t {
		return allX(w, signed)
	}
	r := NewValue(w, signed)
	x.Signed, y.Signed = signed, signed
	p, q := x.big(), y.big()
	if op == opDiv {
		r.setBig(p.Quo(p, q))
	} else {
		r.setBig(p.Rem(p, q))
	}
	return r
}

// pow follows table 5-6 of the standard: a negative exponent gives 0 but for
// the bases 1, -1 and, unknown, 0.
func pow(w int, signed bool, x, y Value) Value {
	one := NewValue(w, signed)
	one.A[0] = 1
	if y.Signed && y.negative() {
		switch t, _ := truth(x); {
		case !t:
			return allX(w, signed)
		case x.Same(one):
			return one
		case x.Signed && x.Same(invert(NewValue(w, true)).resize(w, true)):
			if odd, _ := y.bit(0); odd == 1 {
				return x
			}
			return one
		}
		return NewValue(w, signed)
	}
	r := one
	for i := y.bitLen() - 1; i >= 0; i-- {
		r = mul(w, signed, r, r)
		if b, _ := y.bit(i); b == 1 {
			r = mul(w, signed, r, x)
		}
	}
	return r
}

func shift(op opcode, w int, signed bool, x, n Value) Value {
	if !n.Known() {
		return allX(w, signed)
	}
	by := w
	if u, ok := n.Uint64(); ok && u < uint64(w) {
		by = int(u)
	}
	r := NewValue(w, signed)
	if op == opShl {
		if by < w {
			r.insert(by, x.slice(0, w-by))
		}
		return r
	}
	if op == opAshr && signed {
		a, b := x.bit(w - 1)
		r.fill(w-by, w, a, b)
	}
	if by < w {
		r.insert(0, x.slice(by, w-by))
	}
	return r
}

func compare(x, y Value) int {
	if x.Signed {
		if xn, yn := x.negative(), y.negative(); xn != yn {
			if xn {
				return -1
			}
			return 1
		}
	}
	for i := len(x.A) - 1; i >= 0; i-- {
		if x.A[i] != y.A[i] {
			if x.A[i] < y.A[i] {
				return -1
			}
			return 1
		}
	}
	return 0
}
