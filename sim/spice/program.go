package spice

import (
	"encoding/binary"
	"math"
)

// A program is an expression compiled to straight-line code over registers:
//
//	registers = inputs | constants | temporaries
//
// Inputs are unknowns of the circuit (node voltages, branch currents) and time;
// constants are whatever depended on parameters alone. Instances of one
// subcircuit, and elements of equal form, share a program and differ in their
// inputs and constants, so that a layer of synapses is one program over arrays.
//
// The derivatives with respect to all inputs come from one sweep over the code
// in reverse (adjoint mode): exact, and at a cost that does not grow with the
// number of inputs.
type program struct {
	code   []instr
	inputs int
	timeIn int // input that is time, or -1
	consts int
	regs   int
	out    int32
	affine bool       // linear in its inputs with constant coefficients, and free of time
	back   []backward // the code in reverse for lanes, nil if it does not suit them
}

// An instr sets register dst to op(a, b, c). For opPwl b is the first constant
// of the table and c the number of its points; for opSoftplus b is the register
// that takes the slope.
type instr struct {
	op           opcode
	dst, a, b, c int32
}

// Saturations that keep an expression finite, all as in ngspice 39.
const (
	expLimit  = 227.9559242
	expMax    = 1e99
	divFudge  = 1e-32
	slopeTiny = 1e-30 // argument below which the slope of sqrt and ln stops growing
	smallest  = 1e-150
)

func divisor(b float64) float64 {
	if b >= 0 {
		return b + divFudge
	}
	return b - divFudge
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// apply gives every operation its meaning, in netlists, parameters and programs
// alike. Sqrt and ln of a negative number are NaN: the caller says where.
func apply(op opcode, a, b, c float64) float64 {
	switch op {
	case opNeg:
		return -a
	case opNot:
		return truth(a == 0)
	case opAdd:
		return a + b
	case opSub:
		return a - b
	case opMul:
		return a * b
	case opDiv:
		return a / divisor(b)
	case opPow:
		return math.Pow(math.Abs(a), b)
	case opPwr:
		return math.Copysign(math.Pow(math.Abs(a), b), a)
	case opLT:
		return truth(a < b)
	case opLE:
		return truth(a <= b)
	case opGT:
		return truth(a > b)
	case opGE:
		return truth(a >= b)
	case opEQ:
		return truth(a == b)
	case opNE:
		return truth(a != b)
	case opAnd:
		return truth(a != 0 && b != 0)
	case opOr:
		return truth(a != 0 || b != 0)
	case opSelect:
		if a != 0 {
			return b
		}
		return c
	case opMin:
		return math.Min(a, b)
	case opMax:
		return math.Max(a, b)
	case opAtan2:
		return math.Atan2(a, b)
	case opHypot:
		return math.Hypot(a, b)
	case opLimit:
		return math.Max(math.Min(a, math.Max(b, c)), math.Min(b, c))
	case opAbs:
		return math.Abs(a)
	case opSgn:
		return truth(a > 0) - truth(a < 0)
	case opStep:
		return 0.5 * (1 + truth(a > 0) - truth(a < 0))
	case opRamp:
		return math.Max(a, 0)
	case opClip1:
		return math.Min(math.Max(a, 0), 1)
	case opSqrt:
		return math.Sqrt(a)
	case opExp:
		if a > expLimit {
			return expMax
		}
		return math.Exp(a)
	case opLn:
		return math.Log(a)
	case opLog10:
		return math.Log10(a)
	case opSin:
		return math.Sin(a)
	case opCos:
		return math.Cos(a)
	case opTan:
		return math.Tan(a)
	case opAsin:
		return math.Asin(a)
	case opAcos:
		return math.Acos(a)
	case opAtan:
		return math.Atan(a)
	case opSinh:
		return math.Sinh(a)
	case opCosh:
		return math.Cosh(a)
	case opTanh:
		return math.Tanh(a)
	case opAsinh:
		return math.Asinh(a)
	case opAcosh:
		return math.Acosh(a)
	case opAtanh:
		return math.Atanh(a)
	case opFloor:
		return math.Floor(a)
	case opCeil:
		return math.Ceil(a)
	case opNint:
		return math.RoundToEven(a)
	case opTrunc:
		return math.Trunc(a)
	}
	return math.NaN()
}

// value runs the code forward. Inputs and constants must be in place.
func (p *program) value(r []float64) float64 {
	for k := range p.code {
		in := &p.code[k]
		a := r[in.a]
		switch in.op {
		case opAdd:
			r[in.dst] = a + r[in.b]
		case opSub:
			r[in.dst] = a - r[in.b]
		case opMul:
			r[in.dst] = a * r[in.b]
		case opNeg:
			r[in.dst] = -a
		case opDiv:
			r[in.dst] = a / divisor(r[in.b])
		case opTanh:
			r[in.dst] = math.Tanh(a)
		case opPwl:
			r[in.dst], _ = pwlAt(r[in.b:in.b+in.c], a)
		case opSoftplus:
			softplus(r[in.dst:in.dst+1], r[in.b:in.b+1], r[in.a:in.a+1])
		default:
			r[in.dst] = apply(in.op, a, r[in.b], r[in.c])
		}
	}
	return r[p.out]
}

// values is value for many sets of registers: r[k] holds register k of all.
func (p *program) values(r [][]float64, out []float64) {
	p.run(r)
	copy(out, r[p.out])
}

// run runs the code forward for many sets of registers.
func (p *program) run(r [][]float64) {
	n := len(r[p.out])
	for k := range p.code {
		in := &p.code[k]
		d, a := r[in.dst][:n], r[in.a][:n]
		switch in.op {
		case opNeg:
			for i := range d {
				d[i] = -a[i]
			}
		case opAdd:
			b := r[in.b][:n]
			for i := range d {
				d[i] = a[i] + b[i]
			}
		case opSub:
			b := r[in.b][:n]
			for i := range d {
				d[i] = a[i] - b[i]
			}
		case opMul:
			b := r[in.b][:n]
			for i := range d {
				d[i] = a[i] * b[i]
			}
		case opDiv:
			b := r[in.b][:n]
			for i := range d {
				d[i] = a[i] / divisor(b[i])
			}
		case opTanh:
			for i := range d {
				d[i] = math.Tanh(a[i])
			}
		case opSqrt:
			for i := range d {
				d[i] = math.Sqrt(a[i])
			}
		case opExp:
			for i := range d {
				d[i] = apply(opExp, a[i], 0, 0)
			}
		case opSoftplus:
			softplus(d, r[in.b], a)
		case opPwl:
			table := make([]float64, in.c)
			for i := range d {
				for j := range table {
					table[j] = r[int(in.b)+j][i]
				}
				d[i], _ = pwlAt(table, a[i])
			}
		default:
			b, c := r[in.b][:n], r[in.c][:n]
			for i := range d {
				d[i] = apply(in.op, a[i], b[i], c[i])
			}
		}
	}
}

// gradient runs the code backward after value: d[k] becomes the derivative of
// the result with respect to input k. It needs p.regs places in d.
func (p *program) gradient(r, d []float64) {
	clear(d[:p.regs])
	d[p.out] = 1
	for k := len(p.code) - 1; k >= 0; k-- {
		in := &p.code[k]
		g := d[in.dst]
		if g == 0 {
			continue // also keeps the branch not taken from spoiling the sum with 0·Inf
		}
		a, b, y := r[in.a], r[in.b], r[in.dst]
		switch in.op {
		case opNeg:
			d[in.a] -= g
		case opAdd:
			d[in.a] += g
			d[in.b] += g
		case opSub:
			d[in.a] += g
			d[in.b] -= g
		case opMul:
			d[in.a] += float64(g * b)
			d[in.b] += float64(g * a)
		case opDiv:
			q := g / divisor(b)
			d[in.a] += q
			d[in.b] -= float64(q * y)
		case opPow, opPwr:
			// d|a|^b/da = b |a|^(b-1) sgn a, and without the sign for pwr.
			m := math.Abs(a)
			if b != 0 && (m > 0 || b >= 1) {
				s := b * math.Pow(m, b-1)
				if in.op == opPow && a < 0 {
					s = -s
				}
				d[in.a] += float64(g * s)
			}
			if m > 0 {
				d[in.b] += float64(g * y * math.Log(m))
			}
		case opSelect:
			if a != 0 {
				d[in.b] += g
			} else {
				d[in.c] += g
			}
		case opMin:
			if a <= b {
				d[in.a] += g
			} else {
				d[in.b] += g
			}
		case opMax:
			if a >= b {
				d[in.a] += g
			} else {
				d[in.b] += g
			}
		case opAtan2:
			// Scaled, so that no square vanishes; 0 where there is no direction.
			if s := max(math.Abs(a), math.Abs(b)); s > smallest {
				a, b := a/s, b/s
				q := g / s / (float64(a*a) + float64(b*b))
				d[in.a] += float64(q * b)
				d[in.b] -= float64(q * a)
			}
		case opHypot:
			if y > smallest {
				d[in.a] += float64(g * (a / y))
				d[in.b] += float64(g * (b / y))
			}
		case opLimit:
			lo, hi := in.b, in.c
			if r[lo] > r[hi] {
				lo, hi = hi, lo
			}
			switch {
			case a < r[lo]:
				d[lo] += g
			case a > r[hi]:
				d[hi] += g
			default:
				d[in.a] += g
			}
		case opPwl:
			_, slope := pwlAt(r[in.b:in.b+in.c], a)
			d[in.a] += float64(g * slope)
		case opSoftplus:
			d[in.a] += float64(g * b)
		default:
			d[in.a] += float64(g * slope(in.op, a, y))
		}
	}
}

// slope is the derivative of a function of one argument a with value y. Steps
// have none.
func slope(op opcode, a, y float64) float64 {
	switch op {
	case opAbs:
		return truth(a > 0) - truth(a < 0)
	case opRamp:
		return truth(a > 0)
	case opClip1:
		return truth(a > 0 && a < 1)
	case opSqrt:
		return 0.5 / math.Sqrt(math.Max(a, slopeTiny))
	case opExp:
		return y
	case opLn:
		return 1 / math.Max(a, slopeTiny)
	case opLog10:
		return 1 / (math.Ln10 * math.Max(a, slopeTiny))
	case opSin:
		return math.Cos(a)
	case opCos:
		return -math.Sin(a)
	case opTan:
		return 1 + y*y
	case opAsin:
		return 1 / math.Sqrt(math.Max((1-a)*(1+a), slopeTiny))
	case opAcos:
		return -1 / math.Sqrt(math.Max((1-a)*(1+a), slopeTiny))
	case opAtan:
		return 1 / (1 + a*a)
	case opSinh:
		return math.Cosh(a)
	case opCosh:
		return math.Sinh(a)
	case opTanh:
		return (1 - y) * (1 + y)
	case opAsinh:
		return 1 / math.Sqrt(1+a*a)
	case opAcosh:
		return 1 / math.Sqrt(math.Max((a-1)*(a+1), slopeTiny))
	case opAtanh:
		return 1 / ((1 - a) * (1 + a))
	}
	return 0
}

// pwlAt interpolates a table x1 y1 x2 y2 … with ascending x; outside it holds
// the end values.
func pwlAt(t []float64, x float64) (y, slope float64) {
	n := len(t) / 2
	if x <= t[0] {
		return t[1], 0
	}
	if x >= t[2*n-2] {
		return t[2*n-1], 0
	}
	lo, hi := 0, n-1 // t[2lo] < x < t[2hi]
	for hi-lo > 1 {
		if m := (lo + hi) / 2; t[2*m] <= x {
			lo = m
		} else {
			hi = m
		}
	}
	slope = (t[2*hi+1] - t[2*lo+1]) / (t[2*hi] - t[2*lo])
	return t[2*lo+1] + float64(slope*(x-t[2*lo])), slope
}

// key identifies programs of equal code.
func (p *program) key() string {
	b := make([]byte, 0, 32+20*len(p.code))
	for _, v := range []int{p.inputs, p.timeIn, p.consts, int(p.out)} {
		b = binary.AppendVarint(b, int64(v))
	}
	for _, in := range p.code {
		b = append(b, byte(in.op))
		for _, v := range []int32{in.dst, in.a, in.b, in.c} {
			b = binary.AppendVarint(b, int64(v))
		}
	}
	return string(b)
}

// analyse finds out whether the program is affine: the degree of every register
// in the inputs is 0, 1 or more.
func (p *program) analyse() {
	const nonlinear = 2
	degree := make([]int, p.regs)
	for k := range p.inputs {
		degree[k] = 1
		if k == p.timeIn {
			degree[k] = nonlinear
		}
	}
	for _, in := range p.code {
		a, b := degree[in.a], degree[in.b]
		d := 0
		switch in.op {
		case opNeg:
			d = a
		case opAdd, opSub:
			d = max(a, b)
		case opMul:
			d = a + b
		case opDiv:
			if d = a; b > 0 {
				d = nonlinear
			}
		default:
			d = nonlinear
		}
		degree[in.dst] = min(d, nonlinear)
	}
	p.affine = degree[p.out] < nonlinear
	p.reverse()
}
