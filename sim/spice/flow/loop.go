package flow

import (
	"errors"
	"math"

	"vlec/sim/spice/sparse"
	"vlec/sim/spice/team"
)

// A loop is an algebraic loop: unknowns that depend on each other at one
// instant, such as the rates of a recurrent population that look ahead. Its
// equations F(y) = 0 are solved by Newton's method with exact derivatives.
//
// The factors of the Jacobian are kept from call to call and only renewed when
// the iteration contracts too slowly: from one stage of a Runge-Kutta step to
// the next y hardly moves, and an iteration with old factors costs a fraction.
type loop struct {
	unknowns []int32 // for reports
	slot     []int32 // of the unknowns
	external *rows   // what the equations have from outside, into base
	linear   bool

	// The inside of the equations.
	inside rows // linear parts and products, rows by equation
	calls  []insideCall

	lu       *sparse.LU
	constant []float64 // values of the Jacobian that never change
	jacobian []float64
	products []jacobianProduct
	fresh    bool // factors belong to the current point
	ready    bool

	base, residual, start []float64
	gradient              []float64
}

// insideCall is a term of the loop: its value enters equations, and its
// derivatives the Jacobian.
type insideCall struct {
	f        Function
	register int32
	arg      []int32 // slots
	dst      int32
	enters   []entersAt
}

type entersAt struct {
	row  int32
	coef float64
	at   []int32 // per input: place in the Jacobian, or -1
}

// jacobianProduct adds coef in[slot] to a value of the Jacobian.
type jacobianProduct struct {
	at, slot int32
	coef     float64
}

const (
	loopIterations = 50
	loopTolerance  = 1e-13 // of a correction, relative to the unknown or to 1
	slowest        = 0.2   // contraction that old factors may have
)

// ErrLoop is returned when an algebraic loop has no solution near the last.
var ErrLoop = errors.New("flow: an algebraic loop does not converge")

// newLoop compiles the equations of a block.
func newLoop(p *planner, block []int32) *loop {
	n := len(block)
	l := &loop{
		base: make([]float64, n), residual: make([]float64, n), start: make([]float64, n),
		linear: true,
	}
	column := map[int32]int32{}
	for j, v := range block {
		column[v] = int32(j)
		l.unknowns = append(l.unknowns, v)
		l.slot = append(l.slot, p.slot[v])
	}
	jac := newJacobianBuilder(n)
	outside, inside := &rowsBuilder{p: p}, &rowsBuilder{p: p}
	callOf := map[int]int{}
	for i, v := range block {
		row := p.rowOf[v]
		outside.open(int32(i))
		inside.open(int32(i))
		vals, coefs := p.linear(row)
		for k, u := range vals {
			j, own := column[u]
			t := p.termOf(u)
			switch {
			case own:
				inside.linear(p.slot[u], coefs[k])
				jac.constant(i, j, coefs[k])
			case t >= 0 && p.inLoop[t] == p.blockOf[v]:
				l.linear = false
				if _, ok := callOf[t]; !ok {
					callOf[t] = len(l.calls)
					l.calls = append(l.calls, l.call(p, t))
				}
				e := entersAt{row: int32(i), coef: coefs[k]}
				for _, a := range p.sys.args(&p.sys.Terms[t]) {
					at := int32(-1)
					if j, ok := column[a]; ok {
						at = jac.place(i, j)
					}
					e.at = append(e.at, at)
				}
				c := &l.calls[callOf[t]]
				c.enters = append(c.enters, e)
			default:
				outside.linear(p.slot[p.alias[u]], coefs[k])
			}
		}
		x, y, coefs := p.products(row)
		for k := range x {
			jx, inX := column[x[k]]
			jy, inY := column[y[k]]
			sx, sy := p.slot[p.alias[x[k]]], p.slot[p.alias[y[k]]]
			if !inX && !inY {
				outside.product(sx, sy, coefs[k])
				continue
			}
			l.linear = l.linear && !(inX && inY)
			inside.product(sx, sy, coefs[k])
			if inX {
				l.products = append(l.products, jacobianProduct{jac.place(i, jx), sy, coefs[k]})
			}
			if inY {
				l.products = append(l.products, jacobianProduct{jac.place(i, jy), sx, coefs[k]})
			}
		}
		outside.close()
		inside.close()
	}
	l.external, l.inside = outside.build(), inside.r
	l.finish(jac)
	return l
}

func (l *loop) call(p *planner, t int) insideCall {
	term := &p.sys.Terms[t]
	c := insideCall{f: p.sys.Functions[term.Function], register: term.Register, dst: p.slot[p.sys.term(int32(t))]}
	for _, a := range p.sys.args(term) {
		c.arg = append(c.arg, p.slot[p.value(a)])
	}
	if r := c.f.Registers(); r > len(l.gradient) {
		l.gradient = make([]float64, r)
	}
	return c
}

// A jacobianBuilder gives every entry of the Jacobian a number, first come
// first served, and later its place by columns.
type jacobianBuilder struct {
	n     int
	index map[[2]int32]int32 // column, row -> number
	keys  [][2]int32
	fixed []float64
}

func newJacobianBuilder(n int) *jacobianBuilder {
	return &jacobianBuilder{n: n, index: map[[2]int32]int32{}}
}

func (b *jacobianBuilder) place(i int, j int32) int32 {
	key := [2]int32{j, int32(i)}
	k, ok := b.index[key]
	if !ok {
		k = int32(len(b.keys))
		b.index[key] = k
		b.keys = append(b.keys, key)
		b.fixed = append(b.fixed, 0)
	}
	return k
}

func (b *jacobianBuilder) constant(i int, j int32, v float64) { b.fixed[b.place(i, j)] += v }

// finish sorts the Jacobian by columns and analyses it.
func (l *loop) finish(b *jacobianBuilder) {
	colptr := make([]int32, b.n+1)
	for _, k := range b.keys {
		colptr[k[0]+1]++
	}
	for j := range b.n {
		colptr[j+1] += colptr[j]
	}
	at := append([]int32(nil), colptr...)
	rowidx, to := make([]int32, len(b.keys)), make([]int32, len(b.keys))
	l.constant = make([]float64, len(b.keys))
	for k, key := range b.keys {
		to[k] = at[key[0]]
		at[key[0]]++
		rowidx[to[k]] = key[1]
		l.constant[to[k]] = b.fixed[k]
	}
	for i := range l.products {
		l.products[i].at = to[l.products[i].at]
	}
	for _, c := range l.calls {
		for _, e := range c.enters {
			for k, a := range e.at {
				if a >= 0 {
					e.at[k] = to[a]
				}
			}
		}
	}
	l.jacobian = make([]float64, len(l.constant))
	lu, err := sparse.New(b.n, colptr, rowidx)
	if err != nil { // cannot be: the block comes from a complete matching
		panic(err)
	}
	l.lu = lu
}

// solve finds y in the pool, starting from what is there.
func (l *loop) solve(pool, registers []float64, t *team.Team) error {
	if l.external != nil {
		l.external.eval(pool, l.base, t)
	}
	for j, s := range l.slot {
		l.start[j] = pool[s]
	}
	for attempt := 0; ; attempt++ {
		err := l.iterate(pool, registers)
		if err == nil || attempt == 1 {
			return err
		}
		// Begin again from the same place with new factors.
		l.ready = false
		for j, s := range l.slot {
			pool[s] = l.start[j]
		}
	}
}

func (l *loop) iterate(pool, registers []float64) error {
	l.fresh = false
	last := math.Inf(1)
	for range loopIterations {
		l.evaluate(pool, registers)
		if !l.ready {
			if err := l.factor(pool, registers); err != nil {
				return err
			}
		}
		l.lu.Solve(l.residual)
		size := 0.0
		for j, s := range l.slot {
			d := l.residual[j]
			y := pool[s] - d
			pool[s] = y
			size = max(size, math.Abs(d)/max(1, math.Abs(y)))
		}
		switch {
		case math.IsNaN(size) || math.IsInf(size, 0):
			return ErrLoop
		case size <= loopTolerance, l.linear && l.fresh && len(l.products) == 0:
			l.publish(pool, registers)
			return nil
		case size > slowest*last:
			if l.fresh && size >= last && size < 1e-9 { // rounding is all that is left
				l.publish(pool, registers)
				return nil
			}
			l.ready = false
		}
		if l.linear && len(l.products) == 0 {
			l.fresh = true // constant matrix: one more pass cleans up rounding
		}
		last = size
	}
	return ErrLoop
}

// publish stores the values of terms at the solution for those outside.
func (l *loop) publish(pool, registers []float64) {
	for k := range l.calls {
		c := &l.calls[k]
		pool[c.dst] = c.value(pool, registers)
	}
}

func (c *insideCall) value(pool, registers []float64) float64 {
	r := registers[c.register : int(c.register)+c.f.Registers()]
	for k, a := range c.arg {
		r[k] = pool[a]
	}
	return c.f.Value(r)
}

// evaluate computes F(y).
func (l *loop) evaluate(pool, registers []float64) {
	l.inside.eval(pool, l.residual, nil)
	if l.external != nil {
		for i, b := range l.base {
			l.residual[i] += b
		}
	}
	for k := range l.calls {
		c := &l.calls[k]
		v := c.value(pool, registers)
		for i := range c.enters {
			l.residual[c.enters[i].row] += float64(c.enters[i].coef * v)
		}
	}
}

// factor computes and factors the Jacobian at the last point evaluated.
func (l *loop) factor(pool, registers []float64) error {
	copy(l.jacobian, l.constant)
	for _, p := range l.products {
		l.jacobian[p.at] += float64(p.coef * pool[p.slot])
	}
	for k := range l.calls {
		c := &l.calls[k]
		r := registers[c.register : int(c.register)+c.f.Registers()]
		d := l.gradient[:len(r)]
		c.f.Gradient(r, d)
		for i := range c.enters {
			e := &c.enters[i]
			for j, at := range e.at {
				if at >= 0 {
					l.jacobian[at] += float64(e.coef * d[j])
				}
			}
		}
	}
	err := l.lu.Refactor(l.jacobian)
	if err != nil {
		err = l.lu.Factor(l.jacobian)
	}
	if err != nil {
		return err
	}
	l.ready, l.fresh = true, true
	return nil
}
