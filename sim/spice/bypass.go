package spice

import "math"

// bypass remembers where behaviours were last linearised. One whose inputs have
// since moved by less than a part of the tolerance is not evaluated again: its
// value is that of the tangent, off by the square of the distance.
type bypass struct {
	first []int32 // by behaviour: where its inputs begin below
	x, g  []float64
	value []float64
	state []bypassState
}

type bypassState uint8

const (
	unknownPoint bypassState = iota
	knownPoint
	neverBypassed // its value may jump
)

// bypassed is the part of the tolerance that an input may move by.
const bypassed = 0.1

func (m *bypass) init(s *system) {
	for _, f := range s.funcs {
		p := s.c.programs[s.c.behaviours[f.b].prog]
		m.first = append(m.first, int32(len(m.x)))
		m.x = append(m.x, make([]float64, p.inputs)...)
		state := unknownPoint
		if p.jumps() || p.timeIn >= 0 {
			state = neverBypassed
		}
		m.state = append(m.state, state)
	}
	m.g, m.value = make([]float64, len(m.x)), make([]float64, len(s.funcs))
}

// recall returns the value and the gradient of behaviour k from its tangent, or
// false where it must be evaluated.
func (m *bypass) recall(k int, s *system, refs []ref) (v float64, g []float64, ok bool) {
	if m.state[k] != knownPoint {
		return 0, nil, false
	}
	first := m.first[k]
	x, g := m.x[first:][:len(refs)], m.g[first:][:len(refs)]
	o := &s.c.opts
	nodes := len(s.c.nodes) - 1
	v = m.value[k]
	for i, in := range refs {
		at, now, floor := x[i], 0.0, o.vntol
		switch {
		case in > 0:
			now = s.x[in-1]
		case in < 0:
			now, floor = s.x[nodes+int(^in)], o.abstol
		}
		d := now - at
		if math.Abs(d) > bypassed*(floor+o.reltol*math.Abs(at)) {
			return 0, nil, false
		}
		v += float64(g[i] * d)
	}
	s.stats.Bypassed++
	return v, g, true
}

// note remembers a behaviour that was just evaluated with its gradient.
func (m *bypass) note(k int, s *system, inputs int, v float64) {
	if m.state[k] == neverBypassed {
		return
	}
	at := m.first[k]
	copy(m.x[at:], s.regs[:inputs])
	copy(m.g[at:], s.adj[:inputs])
	m.value[k], m.state[k] = v, knownPoint
}
