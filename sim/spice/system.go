package spice

import (
	"vlec/sim/spice/sparse"
)

// A system is the circuit as a set of differential-algebraic equations,
//
//	d/dt (C x + q(x)) + G x + f(x, t) = b(t),
//
// with one row per unknown: at a node the sum of the currents that leave it, at
// a branch the equation of its device. All linear devices are added up in C and
// G; f holds the behavioural sources that are not linear, f and q the
// semiconductors; b the independent sources. An integration method turns the time derivative at the new instant
// into alpha·C x minus a history, so that every solve of the engine, at any
// instant and by any method, is Newton's iteration on
//
//	(G + alpha C) x + alpha q(x) + f(x, t) = b(t) + history.
type system struct {
	c *Circuit
	n int

	// The pattern that C, G and the Jacobian share, by compressed columns.
	colptr, rowidx []int32
	static         []float64 // G
	dynamic        []float64 // C
	base           []float64 // G + alpha C
	alpha          float64
	vals           []float64 // the Jacobian; one more entry collects what belongs to ground

	// C alone, by compressed columns: it is much sparser.
	cptr, crow []int32
	cval       []float64

	bias     []float64 // constant terms of linear behaviours
	funcs    []funcRef // behaviours that are not linear
	slots    []int32   // places of their derivatives in vals, two an input
	semis    semis
	tangents tangents

	islands [][]int32 // nodes that capacitances join, but not with ground

	lu      *sparse.LU
	varying *sparse.Part // entries that change while base does not
	partly  bool         // the factors are of this base
	pivoted bool         // lu has pivots that may be kept
	current bool         // lu has factors of this alpha, if of an earlier x

	// One more place than unknowns: the last is ground, held at zero.
	x, rhs, r []float64
	scale     []float64
	guess     []float64 // scratch of op.go and damped.go
	anchor    []float64 // where shunts of op.go end, nil for ground
	try, step []float64
	regs, adj []float64

	rate  float64 // contraction of the last solve that showed it
	span  float64 // and the correction by which it did
	trust int     // solves for which it is believed

	stats *Stats
	worst int // unknown that moved most in the last iteration, by tolerance
	bad   int // device with a value that is not finite, or -1
}

type funcRef struct {
	b        int32 // into Circuit.behaviours
	slot     int32 // into slots
	pos, neg int32 // rows in which the value stands with either sign
	sign     float64
}

// A triplet collects one stamp.
type triplet struct {
	row, col int32
	g, c     float64
}

// newSystem adds the circuit up. Clamps are nodes that need a diagonal entry.
func newSystem(c *Circuit, stats *Stats, clamp []int32) (*system, error) {
	s := &system{c: c, n: c.unknowns(), stats: stats, bad: -1}
	s.x, s.rhs, s.r = make([]float64, s.n+1), make([]float64, s.n+1), make([]float64, s.n+1)
	s.guess, s.try, s.step = make([]float64, s.n+1), make([]float64, s.n+1), make([]float64, s.n+1)
	s.bias, s.scale = make([]float64, s.n+1), make([]float64, s.n+1)

	var ts []triplet
	ground := int32(s.n)
	add := func(row, col int32, g, cc float64) { ts = append(ts, triplet{row, col, g, cc}) }
	node := func(k int32) int32 {
		if k == 0 {
			return ground
		}
		return k - 1
	}
	branch := func(br int32) int32 { return int32(len(c.nodes)-1) + br }
	two := func(a, b int32, g, cc float64) {
		a, b = node(a), node(b)
		add(a, a, g, cc)
		add(b, b, g, cc)
		add(a, b, -g, -cc)
		add(b, a, -g, -cc)
	}
	series := func(a, b, br int32) int32 { // a branch current from a to b and its voltage row
		k := branch(br)
		add(node(a), k, 1, 0)
		add(node(b), k, -1, 0)
		add(k, node(a), 1, 0)
		add(k, node(b), -1, 0)
		return k
	}
	for _, d := range c.resistors {
		two(d.a, d.b, d.g, 0)
	}
	if c.opts.rshunt > 0 {
		for k := range int32(len(c.nodes) - 1) {
			add(k, k, 1/c.opts.rshunt, 0)
		}
	}
	for _, d := range c.capacitors {
		two(d.a, d.b, 0, d.c)
	}
	for _, d := range c.inductors {
		k := series(d.a, d.b, d.br)
		add(k, k, 0, -d.l)
	}
	for _, d := range c.couplings {
		k, l := branch(c.inductors[d.l1].br), branch(c.inductors[d.l2].br)
		add(k, l, 0, -d.m)
		add(l, k, 0, -d.m)
	}
	for _, d := range c.vsources {
		series(d.a, d.b, d.br)
	}
	for _, d := range c.vccs {
		a, b, cc, dd := node(d.a), node(d.b), node(d.c), node(d.d)
		add(a, cc, d.g, 0)
		add(a, dd, -d.g, 0)
		add(b, cc, -d.g, 0)
		add(b, dd, d.g, 0)
	}
	for _, d := range c.vcvs {
		k := series(d.a, d.b, d.br)
		add(k, node(d.c), -d.g, 0)
		add(k, node(d.d), d.g, 0)
	}
	for _, d := range c.cccs {
		add(node(d.a), branch(d.ctl), d.g, 0)
		add(node(d.b), branch(d.ctl), -d.g, 0)
	}
	for _, d := range c.ccvs {
		k := series(d.a, d.b, d.br)
		add(k, branch(d.ctl), -d.g, 0)
	}
	for _, k := range clamp {
		add(node(k), node(k), 0, 0)
	}
	regs := 0
	for _, p := range c.programs {
		regs = max(regs, p.regs)
	}
	s.regs, s.adj = make([]float64, regs), make([]float64, regs)
	var pending []int // triplet of each slot
	for i := range c.behaviours {
		d := &c.behaviours[i]
		p := c.programs[d.prog]
		if d.br >= 0 {
			series(d.a, d.b, d.br)
		}
		pos, neg, sign := s.rowsOf(d)
		if p.affine {
			clear(s.x)
			s.load(d, p, 0)
			v := p.value(s.regs)
			p.gradient(s.regs, s.adj)
			s.bias[pos] -= sign * v * d.mult
			s.bias[neg] += sign * v * d.mult
			for k, in := range c.refs[d.in : d.in+int32(p.inputs)] {
				add(pos, c.unknown(in), sign*s.adj[k]*d.mult, 0)
				add(neg, c.unknown(in), -sign*s.adj[k]*d.mult, 0)
			}
			continue
		}
		s.funcs = append(s.funcs, funcRef{int32(i), int32(len(pending)), pos, neg, sign * d.mult})
		for _, in := range c.refs[d.in : d.in+int32(p.inputs)] {
			col := ground
			if in != timeRef {
				col = c.unknown(in)
			}
			pending = append(pending, len(ts), len(ts)+1)
			add(pos, col, 0, 0)
			add(neg, col, 0, 0)
		}
	}
	ts, mine := s.addSemis(ts)
	place := s.assemble(ts)
	for k, t := range mine {
		s.semis.entries[k].slot = place[t]
	}
	s.slots = make([]int32, len(pending))
	for k, t := range pending {
		s.slots[k] = place[t]
	}
	s.splitDynamic()
	lu, err := sparse.New(s.n, s.colptr, s.rowidx)
	if err != nil {
		return s, s.singular(err)
	}
	s.lu = lu
	var varying []int32
	for _, k := range s.slots {
		if int(k) < len(s.base) {
			varying = append(varying, k)
		}
	}
	for _, e := range s.semis.entries {
		if int(e.slot) < len(s.base) {
			varying = append(varying, e.slot)
		}
	}
	s.varying = lu.NewPart(varying)
	s.tangents.init(s)
	s.findIslands()
	s.alpha = -1
	s.setAlpha(0)
	return s, nil
}

// rowsOf gives the rows in which a behaviour stands with + and with -, for a
// value that leaves the first: a current at its nodes, a voltage in its branch
// row, from which it is subtracted.
func (s *system) rowsOf(d *behaviour) (pos, neg int32, sign float64) {
	ground := int32(s.n)
	if d.br >= 0 {
		return int32(len(s.c.nodes)-1) + d.br, ground, -1
	}
	pos, neg = d.a-1, d.b-1
	if d.a == 0 {
		pos = ground
	}
	if d.b == 0 {
		neg = ground
	}
	return pos, neg, 1
}

// assemble sums the triplets into compressed columns and returns the place of
// each among the values; what belongs to ground goes behind the last.
func (s *system) assemble(ts []triplet) []int32 {
	n := s.n
	order := make([]int32, len(ts))
	next := make([]int32, n+2)
	sortBy := func(in []int32, key func(t *triplet) int32) []int32 { // stable counting sort
		clear(next)
		for i := range ts {
			next[key(&ts[i])+1]++
		}
		for k := 1; k < len(next); k++ {
			next[k] += next[k-1]
		}
		out := make([]int32, len(in))
		for _, t := range in {
			k := key(&ts[t])
			out[next[k]] = t
			next[k]++
		}
		return out
	}
	for i := range order {
		order[i] = int32(i)
	}
	order = sortBy(order, func(t *triplet) int32 { return t.row })
	order = sortBy(order, func(t *triplet) int32 { return t.col })

	place := make([]int32, len(ts))
	s.colptr = make([]int32, n+1)
	lastRow, lastCol := int32(-1), int32(-1)
	for _, k := range order {
		t := &ts[k]
		if t.row == int32(n) || t.col == int32(n) {
			place[k] = -1
			continue
		}
		if t.row != lastRow || t.col != lastCol {
			s.rowidx = append(s.rowidx, t.row)
			s.static = append(s.static, 0)
			s.dynamic = append(s.dynamic, 0)
			s.colptr[t.col+1]++
			lastRow, lastCol = t.row, t.col
		}
		at := len(s.rowidx) - 1
		place[k] = int32(at)
		s.static[at] += t.g
		s.dynamic[at] += t.c
	}
	for k := range n {
		s.colptr[k+1] += s.colptr[k]
	}
	for k := range place {
		if place[k] < 0 {
			place[k] = int32(len(s.rowidx))
		}
	}
	s.base = make([]float64, len(s.rowidx))
	s.vals = make([]float64, len(s.rowidx)+1)
	return place
}

// splitDynamic extracts C.
func (s *system) splitDynamic() {
	s.cptr = make([]int32, s.n+1)
	for j := range s.n {
		for p := s.colptr[j]; p < s.colptr[j+1]; p++ {
			if s.dynamic[p] != 0 {
				s.crow = append(s.crow, s.rowidx[p])
				s.cval = append(s.cval, s.dynamic[p])
			}
		}
		s.cptr[j+1] = int32(len(s.crow))
	}
}

// charge computes q = C x + q(x) and keeps the charges of the semiconductors. Solved
// says that x is the solution of the last iteration.
func (s *system) charge(q, x []float64, solved bool) {
	clear(q)
	for j := range s.n {
		v := x[j]
		for p := s.cptr[j]; p < s.cptr[j+1]; p++ {
			q[s.crow[p]] += float64(s.cval[p] * v)
		}
	}
	if len(s.semis.of) > 0 {
		s.chargeSemis(q, x, solved)
	}
}

// setAlpha chooses the factor before C.
func (s *system) setAlpha(alpha float64) {
	if alpha == s.alpha {
		return
	}
	s.alpha, s.current, s.partly = alpha, false, false
	for k, g := range s.static {
		s.base[k] = g + float64(alpha*s.dynamic[k])
	}
}

// sources fills rhs with b(t), independent sources scaled.
func (s *system) sources(t, scale float64) {
	copy(s.rhs, s.bias)
	c := s.c
	for i := range c.vsources {
		v := &c.vsources[i]
		s.rhs[len(c.nodes)-1+int(v.br)] += scale * v.wave.at(t)
	}
	for i := range c.isources {
		v := &c.isources[i]
		cur := scale * v.wave.at(t) * v.mult
		if v.a > 0 {
			s.rhs[v.a-1] -= cur
		}
		if v.b > 0 {
			s.rhs[v.b-1] += cur
		}
	}
}

// load puts the inputs and constants of a behaviour into the registers.
func (s *system) load(d *behaviour, p *program, t float64) {
	c := s.c
	nodes := int32(len(c.nodes) - 1)
	for k, in := range c.refs[d.in : d.in+int32(p.inputs)] {
		switch {
		case in == timeRef:
			s.regs[k] = t
		case in > 0:
			s.regs[k] = s.x[in-1]
		case in < 0:
			s.regs[k] = s.x[nodes+int32(^in)]
		default:
			s.regs[k] = 0
		}
	}
	copy(s.regs[p.inputs:], c.consts[d.con:int(d.con)+p.consts])
}

// constants are those of behaviour k of funcs.
func (s *system) constants(k int32) []float64 {
	d := &s.c.behaviours[s.funcs[k].b]
	return s.c.consts[d.con : int(d.con)+s.c.programs[d.prog].consts]
}

// residual computes r = rhs - (G + alpha C) x - f(x, t), and with jac the
// Jacobian into vals. It says whether all is finite.
func (s *system) residual(t float64, jac bool) bool {
	copy(s.r, s.rhs)
	for j := range s.n {
		v := s.x[j]
		for p := s.colptr[j]; p < s.colptr[j+1]; p++ {
			s.r[s.rowidx[p]] -= float64(s.base[p] * v)
		}
	}
	if jac {
		copy(s.vals, s.base)
	}
	ok := true
	m := &s.tangents
	m.evaluate(s, t)
	for i := range s.funcs {
		f := &s.funcs[i]
		v := f.sign * m.now[i]
		if v-v != 0 { // NaN or infinite
			s.bad, ok = int(s.c.behaviours[f.b].dev), false
			m.forget(i)
			continue
		}
		s.r[f.pos] -= v
		s.r[f.neg] += v
		if !jac {
			continue
		}
		for k, g := range m.gradient(i) {
			g *= f.sign
			if g-g != 0 {
				s.bad, ok = int(s.c.behaviours[f.b].dev), false
				m.forget(i)
				continue
			}
			at := s.slots[int(f.slot)+2*k:]
			s.vals[at[0]] += g
			s.vals[at[1]] -= g
		}
	}
	if len(s.semis.of) > 0 && !s.loadSemis(jac) {
		ok = false
	}
	s.r[s.n] = 0
	return ok
}
