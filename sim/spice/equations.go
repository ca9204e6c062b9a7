package spice

import (
	"math"

	"vlec/sim/spice/flow"
)

// equations writes the circuit as a system of differential-algebraic
// equations, with the rows and unknowns of the implicit engine: at a node the
// sum of the currents that leave it, at a branch the equation of its device. It
// also returns the longest step that does not risk to overlook a source.
func (c *Circuit) equations(hmax float64) (s *flow.System, limit float64) {
	b := &equationBuilder{c: c, one: -1, limit: math.Inf(1), s: &flow.System{Unknowns: c.unknowns(), Name: c.unknownName}}
	b.linear()
	b.sources()
	b.behaviours(hmax)
	return b.s, b.limit
}

type equationBuilder struct {
	c     *Circuit
	s     *flow.System
	one   int32 // the source of 1, or -1
	limit float64
}

// row is the unknown and the equation of a node, -1 for ground.
func (b *equationBuilder) row(node int32) int32 { return node - 1 }

func (b *equationBuilder) branch(br int32) int32 { return int32(len(b.c.nodes)-1) + br }

// unknown is what a ref names, -1 for ground and time.
func (b *equationBuilder) unknown(r ref) int32 {
	if r == 0 || r == timeRef {
		return -1
	}
	return b.c.unknown(r)
}

func (b *equationBuilder) add(row, col int32, g float64) {
	if row >= 0 && col >= 0 && g != 0 {
		b.s.Linear = append(b.s.Linear, flow.Entry{Row: row, Col: col, Val: g})
	}
}

func (b *equationBuilder) store(row, col int32, v float64) {
	if row >= 0 && col >= 0 && v != 0 {
		b.s.Storage = append(b.s.Storage, flow.Entry{Row: row, Col: col, Val: v})
	}
}

// input adds coef times a source to equation plus and subtracts it from minus.
func (b *equationBuilder) input(source, plus, minus int32, coef float64) {
	if plus >= 0 {
		b.s.Inputs = append(b.s.Inputs, flow.Entry{Row: plus, Col: source, Val: coef})
	}
	if minus >= 0 {
		b.s.Inputs = append(b.s.Inputs, flow.Entry{Row: minus, Col: source, Val: -coef})
	}
}

// between stamps what two nodes share.
func between(a, b int32, v float64, add func(row, col int32, v float64)) {
	add(a, a, v)
	add(b, b, v)
	add(a, b, -v)
	add(b, a, -v)
}

// transfer adds g (zp - zq) to equation plus and subtracts it from minus.
func (b *equationBuilder) transfer(plus, minus, p, q int32, g float64) {
	b.add(plus, p, g)
	b.add(plus, q, -g)
	b.add(minus, p, -g)
	b.add(minus, q, g)
}

// series adds a branch current from a to e, and va - ve to its equation.
func (b *equationBuilder) series(a, e, br int32) int32 {
	k := b.branch(br)
	b.transfer(b.row(a), b.row(e), k, -1, 1)
	b.transfer(k, -1, b.row(a), b.row(e), 1)
	return k
}

func (b *equationBuilder) linear() {
	c := b.c
	for _, d := range c.resistors {
		between(b.row(d.a), b.row(d.b), d.g, b.add)
	}
	if c.opts.rshunt > 0 {
		for k := range int32(len(c.nodes) - 1) {
			b.add(k, k, 1/c.opts.rshunt)
		}
	}
	for _, d := range c.capacitors {
		between(b.row(d.a), b.row(d.b), d.c, b.store)
	}
	for _, d := range c.inductors {
		k := b.series(d.a, d.b, d.br)
		b.store(k, k, -d.l)
	}
	for _, d := range c.couplings {
		k, l := b.branch(c.inductors[d.l1].br), b.branch(c.inductors[d.l2].br)
		b.store(k, l, -d.m)
		b.store(l, k, -d.m)
	}
	for _, d := range c.vccs {
		b.transfer(b.row(d.a), b.row(d.b), b.row(d.c), b.row(d.d), d.g)
	}
	for _, d := range c.vcvs {
		b.transfer(b.series(d.a, d.b, d.br), -1, b.row(d.c), b.row(d.d), -d.g)
	}
	for _, d := range c.cccs {
		b.transfer(b.row(d.a), b.row(d.b), b.branch(d.ctl), -1, d.g)
	}
	for _, d := range c.ccvs {
		b.transfer(b.series(d.a, d.b, d.br), -1, b.branch(d.ctl), -1, -d.g)
	}
}

func (b *equationBuilder) sources() {
	c := b.c
	for i := range c.vsources {
		d := &c.vsources[i]
		b.input(b.wave(&d.wave), b.series(d.a, d.b, d.br), -1, -1)
	}
	for i := range c.isources {
		d := &c.isources[i]
		b.input(b.wave(&d.wave), b.row(d.a), b.row(d.b), d.mult)
	}
}

func (b *equationBuilder) wave(w *waveform) int32 {
	s := flow.Source{Value: w.at, Constant: w.kind == ""}
	if at, _ := w.next(-1, 0); !math.IsInf(at, 1) {
		s.Next = func(t float64) float64 {
			at, _ := w.next(t, 0)
			return at
		}
	}
	b.limit = math.Min(b.limit, w.quarter())
	b.s.Sources = append(b.s.Sources, s)
	return int32(len(b.s.Sources)) - 1
}

// quarter is a quarter of the shortest period in a waveform, +Inf for none: all
// stages of a step of whole periods would find the same value.
func (w *waveform) quarter() float64 {
	f := 0.0
	switch w.kind {
	case "sin":
		f = math.Abs(w.arg[2])
	case "sffm":
		f = math.Abs(w.arg[2]) + math.Abs(w.arg[3]*w.arg[4])
	case "am":
		f = math.Abs(w.arg[2]) + math.Abs(w.arg[3])
	}
	return 0.25 / f
}

// constant adds v to equation plus and subtracts it from minus.
func (b *equationBuilder) constant(plus, minus int32, v float64) {
	if v == 0 {
		return
	}
	if b.one < 0 {
		b.one = int32(len(b.s.Sources))
		b.s.Sources = append(b.s.Sources, flow.Source{Value: func(float64) float64 { return 1 }, Constant: true})
	}
	b.input(b.one, plus, minus, v)
}

// behaviours adds expressions: affine ones as coefficients, products of two
// unknowns as such, which is what synapses are made of, and all others as terms.
func (b *equationBuilder) behaviours(hmax float64) {
	c, s := b.c, b.s
	bilinear := make([]bool, len(c.programs))
	regs := 0
	for k, p := range c.programs {
		s.Functions = append(s.Functions, compiled{p})
		bilinear[k] = p.bilinear()
		regs = max(regs, p.regs)
	}
	r, d := make([]float64, regs), make([]float64, regs)
	for i := range c.behaviours {
		e := &c.behaviours[i]
		p := c.programs[e.prog]
		plus, minus, coef := b.row(e.a), b.row(e.b), e.mult
		if e.br >= 0 {
			plus, minus, coef = b.series(e.a, e.b, e.br), -1, -e.mult
		}
		refs := c.refs[e.in : e.in+int32(p.inputs)]
		clear(r[:p.inputs])
		copy(r[p.inputs:], c.consts[e.con:int(e.con)+p.consts])
		switch {
		case p.affine:
			b.constant(plus, minus, coef*p.value(r))
			p.gradient(r, d)
			for k, in := range refs {
				b.transfer(plus, minus, b.unknown(in), -1, coef*d[k])
			}
		case bilinear[e.prog]:
			x, y := b.unknown(refs[0]), b.unknown(refs[len(refs)-1])
			if x < 0 || y < 0 {
				continue // times ground
			}
			for k := range refs {
				r[k] = 1
			}
			s.Products = append(s.Products, flow.Product{Plus: plus, Minus: minus, A: x, B: y, Coef: coef * p.value(r)})
		default:
			s.Terms = append(s.Terms, flow.Term{
				Plus: plus, Minus: minus, Function: e.prog, Arg: int32(len(s.Args)), Register: int32(len(s.Registers)), Coef: coef,
			})
			for _, in := range refs {
				switch in {
				case timeRef:
					s.Args = append(s.Args, flow.Time)
				case 0:
					s.Args = append(s.Args, flow.Ground)
				default:
					s.Args = append(s.Args, b.unknown(in))
				}
			}
			s.Registers = append(s.Registers, r[:p.regs]...)
			if p.timeIn >= 0 || p.jumps() {
				b.limit = math.Min(b.limit, hmax)
			}
		}
	}
}

// compiled is a program as a function of the sorted equations.
type compiled struct{ *program }

func (p compiled) Inputs() int               { return p.inputs }
func (p compiled) Registers() int            { return p.regs }
func (p compiled) Value(r []float64) float64 { return p.value(r) }
func (p compiled) Gradient(r, d []float64)   { p.gradient(r, d) }
func (p compiled) Constants() int            { return p.consts }

func (p compiled) Values(r [][]float64, out []float64) { p.values(r, out) }

// bilinear tells whether the program is a constant times the product of its two
// inputs, or times the square of its only one.
func (p *program) bilinear() bool {
	if p.timeIn >= 0 || p.inputs == 0 || p.inputs > 2 {
		return false
	}
	degree := make([][2]int, p.regs) // of a monomial in the inputs
	for k := range p.inputs {
		degree[k][k]++
	}
	for _, in := range p.code {
		a, b := degree[in.a], degree[in.b]
		switch in.op {
		case opNeg:
			degree[in.dst] = a
		case opMul:
			degree[in.dst] = [2]int{a[0] + b[0], a[1] + b[1]}
		case opDiv:
			if b != [2]int{} {
				return false
			}
			degree[in.dst] = a
		default:
			return false
		}
	}
	d := degree[p.out]
	return p.inputs == 2 && d == [2]int{1, 1} || p.inputs == 1 && d == [2]int{2, 0}
}

// jumps tells whether the value or a derivative of the program may jump where
// no source has a corner.
func (p *program) jumps() bool {
	for _, in := range p.code {
		switch in.op {
		case opNot, opLT, opLE, opGT, opGE, opEQ, opNE, opAnd, opOr, opSelect, opSgn, opStep, opFloor, opCeil, opNint, opTrunc:
			return true
		}
	}
	return false
}
