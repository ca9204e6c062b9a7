package spice

// Instances of one program, the transistors of a netlist for instance, are
// evaluated side by side: one instruction for a block of them before the next,
// each in a lane of its own. What an instruction costs beside its arithmetic is
// paid once a block. The bits are those of one instance at a time.
const (
	laneCount   = 64 // registers of a block stay in the nearest cache
	fewestLanes = 4  // instances for which lanes pay
)

// backward is an instruction of the reverse sweep: what becomes of the
// adjoints of its operands.
type backward struct {
	instr
	toA, toB adjoint
}

type adjoint uint8

const (
	dropped  adjoint = iota // a constant: nobody asks
	assigned                // the first to contribute
	added
)

// reverse prepares the reverse sweep for lanes. Programs that choose between
// operands are left out: what is not chosen may be infinite, and has no adjoint
// at all, which only one instance at a time can say.
func (p *program) reverse() {
	p.back = nil
	if p.timeIn >= 0 {
		return
	}
	reached := make([]bool, p.regs)
	reached[p.out] = true
	to := func(r int32) adjoint {
		switch {
		case int(r) >= p.inputs && int(r) < p.inputs+p.consts:
			return dropped
		case !reached[r]:
			reached[r] = true
			return assigned
		}
		return added
	}
	back := make([]backward, 0, len(p.code))
	for k := len(p.code) - 1; k >= 0; k-- {
		b := backward{instr: p.code[k]}
		if !reached[b.dst] {
			return
		}
		switch b.op {
		case opAdd, opSub, opMul, opDiv:
			b.toA = to(b.a)
			b.toB = to(b.b)
		case opNeg, opSqrt, opExp, opLn, opSin, opCos, opAtan, opSinh, opCosh, opTanh, opSoftplus:
			b.toA = to(b.a)
		default:
			return
		}
		back = append(back, b)
	}
	for _, ok := range reached[:p.inputs] {
		if !ok {
			return
		}
	}
	p.back = back
}

// cost is how many simple operations a value and its gradient take, about.
func (p *program) cost() int {
	n := 2 * len(p.code)
	for _, in := range p.code {
		if in.op >= opSqrt {
			n += 20
		}
	}
	return n
}

// gradients is gradient for lanes after values: d[k] becomes the derivatives of
// the results with respect to input k.
func (p *program) gradients(r, d [][]float64) {
	one := d[p.out]
	for i := range one {
		one[i] = 1
	}
	for k := range p.back {
		in := &p.back[k]
		g, a, b, y := d[in.dst], r[in.a], r[in.b], r[in.dst]
		da, db := d[in.a], d[in.b]
		switch in.op {
		case opNeg:
			in.toA.less(da, g)
		case opAdd:
			in.toA.more(da, g)
			in.toB.more(db, g)
		case opSub:
			in.toA.more(da, g)
			in.toB.less(db, g)
		case opMul:
			in.toA.product(da, g, b)
			in.toB.product(db, g, a)
		case opDiv:
			in.toA.quotient(da, g, b)
			if in.toB != dropped {
				for i, g := range g { // y is no longer needed
					y[i] = -float64(g / divisor(b[i]) * y[i])
				}
				in.toB.more(db, y)
			}
		case opSoftplus:
			in.toA.product(da, g, b)
		case opTanh:
			for i, t := range y {
				y[i] = (1 - t) * (1 + t)
			}
			in.toA.product(da, g, y)
		case opSqrt:
			for i, root := range y {
				y[i] = 0.5 / max(root, 1e-15) // of slopeTiny
			}
			in.toA.product(da, g, y)
		default:
			for i, t := range y {
				y[i] = slope(in.op, a[i], t)
			}
			in.toA.product(da, g, y)
		}
	}
}

func (to adjoint) more(d, g []float64) {
	d = d[:len(g)]
	switch to {
	case assigned:
		copy(d, g)
	case added:
		for i, v := range g {
			d[i] += v
		}
	}
}

func (to adjoint) less(d, g []float64) {
	d = d[:len(g)]
	switch to {
	case assigned:
		for i, v := range g {
			d[i] = -v
		}
	case added:
		for i, v := range g {
			d[i] -= v
		}
	}
}

func (to adjoint) product(d, g, b []float64) {
	d, b = d[:len(g)], b[:len(g)]
	switch to {
	case assigned:
		for i, v := range g {
			d[i] = v * b[i]
		}
	case added:
		for i, v := range g {
			d[i] += float64(v * b[i])
		}
	}
}

func (to adjoint) quotient(d, g, b []float64) {
	d, b = d[:len(g)], b[:len(g)]
	switch to {
	case assigned:
		for i, v := range g {
			d[i] = v / divisor(b[i])
		}
	case added:
		for i, v := range g {
			d[i] += v / divisor(b[i])
		}
	}
}
