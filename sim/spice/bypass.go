package spice

import (
	"math"

	"vlec/sim/spice/team"
)

// tangents are what behaviours look like where they were last evaluated: value
// and gradient. One whose inputs have since moved by less than a part of the
// tolerance is not evaluated again: its value is that of the tangent, off by the
// square of the distance.
type tangents struct {
	first []int32 // by behaviour: where its inputs begin below
	col   []int32 // unknowns that are inputs, ground behind the last, time -1
	x, g  []float64
	value []float64 // by behaviour
	now   []float64 // its value at the present x
	state []tangentState

	lone    []int32 // behaviours that are evaluated one by one
	batches []batch
	cost    int // of all batches, in operations

	team *team.Team // nil: one core
	s    *system    // of which batches are evaluated
}

type tangentState uint8

const (
	unknownPoint tangentState = iota
	knownPoint
	neverBypassed // its value may jump
)

// bypassed is the part of the tolerance that an input may move by.
const bypassed = 0.1

func (m *tangents) init(s *system) {
	byProgram := make([][]int32, len(s.c.programs))
	for k, f := range s.funcs {
		d := &s.c.behaviours[f.b]
		p := s.c.programs[d.prog]
		m.first = append(m.first, int32(len(m.col)))
		for _, in := range s.c.refs[d.in : d.in+int32(p.inputs)] {
			col := int32(-1)
			if in != timeRef {
				col = s.c.unknown(in)
			}
			m.col = append(m.col, col)
		}
		state := unknownPoint
		if p.jumps() || p.timeIn >= 0 {
			state = neverBypassed
		}
		m.state = append(m.state, state)
		byProgram[d.prog] = append(byProgram[d.prog], int32(k))
	}
	m.first = append(m.first, int32(len(m.col)))
	m.x, m.g = make([]float64, len(m.col)), make([]float64, len(m.col))
	m.value, m.now = make([]float64, len(s.funcs)), make([]float64, len(s.funcs))
	for k, members := range byProgram {
		p := s.c.programs[k]
		if p.back == nil || len(members) < fewestLanes {
			m.lone = append(m.lone, members...)
			continue
		}
		m.cost += p.cost() * len(members)
		for len(members) > 0 {
			n := min(len(members), largestBatch)
			m.batches = append(m.batches, newBatch(s, p, members[:n]))
			members = members[n:]
		}
	}
}

// recall sets the value of behaviour k from its tangent, or returns false where
// it must be evaluated.
func (m *tangents) recall(k int, s *system) bool {
	if m.state[k] != knownPoint {
		return false
	}
	first := m.first[k]
	col := m.col[first:m.first[k+1]]
	x, g := m.x[first:][:len(col)], m.g[first:][:len(col)]
	o := &s.c.opts
	nodes := int32(len(s.c.nodes) - 1)
	v := m.value[k]
	for i, c := range col {
		floor := o.vntol
		if c >= nodes {
			floor = o.abstol
		}
		d := s.x[c] - x[i]
		if math.Abs(d) > bypassed*(floor+o.reltol*math.Abs(x[i])) {
			return false
		}
		v += float64(g[i] * d)
	}
	m.now[k] = v
	return true
}

// note remembers the value of a behaviour that was just evaluated at the present
// x.
func (m *tangents) note(k int, s *system, v float64) {
	first := m.first[k]
	for i, c := range m.col[first:m.first[k+1]] {
		if c >= 0 {
			m.x[int(first)+i] = s.x[c]
		}
	}
	m.value[k], m.now[k] = v, v
	if m.state[k] != neverBypassed {
		m.state[k] = knownPoint
	}
}

// forget makes behaviour k be evaluated next time.
func (m *tangents) forget(k int) {
	if m.state[k] == knownPoint {
		m.state[k] = unknownPoint
	}
}

// gradient is that of behaviour k.
func (m *tangents) gradient(k int) []float64 { return m.g[m.first[k]:m.first[k+1]] }

// evaluate brings values and gradients of all behaviours up to date with x.
func (m *tangents) evaluate(s *system, t float64) {
	for _, k := range m.lone {
		if m.recall(int(k), s) {
			s.stats.Bypassed++
			continue
		}
		d := &s.c.behaviours[s.funcs[k].b]
		p := s.c.programs[d.prog]
		s.load(d, p, t)
		v := p.value(s.regs)
		p.gradient(s.regs, s.adj)
		copy(m.g[m.first[k]:], s.adj[:p.inputs])
		m.note(int(k), s, v)
	}
	m.s = s
	m.team.Do(m, len(m.batches), m.cost)
	for i := range m.batches {
		b := &m.batches[i]
		s.stats.Bypassed += len(b.members) - len(b.todo)
	}
}

// Piece evaluates one of the batches, which nothing joins.
func (m *tangents) Piece(k int) { m.batches[k].evaluate(m.s) }

// worthSharing is the number of operations from which a second core is called. Between
// two evaluations it has fallen asleep, and is woken up for more than some
// microseconds of work only.
const worthSharing = 1 << 17

// largestBatch is how many behaviours one core takes at a time.
const largestBatch = 4 * laneCount

// A batch is behaviours of one program, for lanes.
type batch struct {
	p       *program
	members []int32     // places in system.funcs
	todo    []int32     // those that must be evaluated
	r, d    [][]float64 // registers and adjoints of a block
	own     []int32     // registers of constants that differ among members
}

func newBatch(s *system, p *program, members []int32) batch {
	b := batch{p: p, members: members, todo: make([]int32, 0, len(members)), r: make([][]float64, p.regs), d: make([][]float64, p.regs)}
	n := min(laneCount, len(members))
	space := make([]float64, 2*n*p.regs)
	for k := range p.regs {
		b.r[k], b.d[k] = space[2*k*n:(2*k+1)*n:(2*k+1)*n], space[(2*k+1)*n:(2*k+2)*n:(2*k+2)*n]
	}
	for at := range p.consts {
		same := true
		first := s.constants(members[0])[at]
		for _, k := range members {
			same = same && s.constants(k)[at] == first
		}
		if !same {
			b.own = append(b.own, int32(at))
			continue
		}
		for i := range b.r[p.inputs+at] {
			b.r[p.inputs+at][i] = first
		}
	}
	return b
}

// evaluate brings the members up to date with x.
func (b *batch) evaluate(s *system) {
	m := &s.tangents
	b.todo = b.todo[:0]
	for _, k := range b.members {
		if !m.recall(int(k), s) {
			b.todo = append(b.todo, k)
		}
	}
	width := cap(b.r[0])
	for todo := b.todo; len(todo) > 0; {
		n := min(width, len(todo))
		b.block(s, todo[:n])
		todo = todo[n:]
	}
}

// block evaluates some of the members, one in each lane.
func (b *batch) block(s *system, of []int32) {
	m, p := &s.tangents, b.p
	for k := range b.r {
		b.r[k], b.d[k] = b.r[k][:len(of)], b.d[k][:len(of)]
	}
	inputs := b.r[:p.inputs]
	for lane, k := range of {
		for i, c := range m.col[m.first[k]:][:len(inputs)] {
			inputs[i][lane] = s.x[c]
		}
	}
	for _, at := range b.own {
		r := b.r[p.inputs+int(at)]
		for lane, k := range of {
			r[lane] = s.constants(k)[at]
		}
	}
	p.run(b.r)
	for lane, v := range b.r[p.out] {
		m.note(int(of[lane]), s, v)
	}
	p.gradients(b.r, b.d)
	for i, d := range b.d[:p.inputs] {
		for lane, k := range of {
			m.g[int(m.first[k])+i] = d[lane]
		}
	}
}
