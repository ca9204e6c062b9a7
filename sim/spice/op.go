package spice

import (
	"fmt"
	"math"

	"vlec/model/diag"
)

// operatingPoint solves for the direct current with sources at their values for
// t = 0, into x, which holds the first guess. It tries Newton's iteration, then
// charging up from zero, then shunts at every node that are removed step by step,
// then the sources raised from zero. Clamp holds nodes at .ic voltages.
func (c *Circuit) operatingPoint(stats *Stats, x []float64, clamp []nodeIC) error {
	held := make([]int32, len(clamp))
	for k, ic := range clamp {
		held[k] = ic.node
	}
	s, err := newSystem(c, stats, held)
	if err != nil {
		return s.explain(err, "operating point")
	}
	copy(s.x, x[:s.n])
	if err = s.solveDC(1, 0, clamp, c.opts.itl1); err == nil {
		copy(x, s.x[:s.n])
		return nil
	}
	err = s.explain(err, "operating point")
	t, err2 := newSystem(c, stats, c.allNodes())
	if err2 == nil && t.stepDC(clamp) {
		copy(x, t.x[:t.n])
		return nil
	}
	return err
}

// stepDC approaches the operating point from a simpler circuit.
func (s *system) stepDC(clamp []nodeIC) bool {
	limit := s.c.opts.itl1
	if s.chargeUp(clamp) {
		return true
	}
	// gmin stepping
	clear(s.x)
	s.semis.begun = false
	g, factor := 1e-2, 10.0
	saved := make([]float64, len(s.x))
	ok := s.solveDC(1, g, clamp, limit) == nil
	for ok {
		copy(saved, s.x)
		if g < s.c.opts.gmin {
			if s.solveDC(1, 0, clamp, limit) == nil {
				return true
			}
			break
		}
		next := g / factor
		if s.solveDC(1, next, clamp, limit) == nil {
			g = next
			factor = min(factor*1.5, 10)
			continue
		}
		copy(s.x, saved)
		if factor = 1 + (factor-1)/3; factor < 1.001 {
			break
		}
	}
	// source stepping
	clear(s.x)
	s.semis.begun = false
	if s.solveDC(0, 0, clamp, limit) == nil {
		at, step := 0.0, 0.1
		for at < 1 {
			copy(saved, s.x)
			next := min(1, at+step)
			if s.solveDC(next, 0, clamp, limit) == nil {
				at, step = next, step*2
				continue
			}
			copy(s.x, saved)
			if step /= 4; step < 1e-7 {
				break
			}
		}
		return at == 1
	}
	return false
}

// chargeUp lets the circuit find its operating point as it would in time: every
// node has the same capacitor, and steps of Euler's backward rule grow as long as
// they can be solved. A solution that moves away from a fold of the other ways
// is only a short step from the last one here. (Pseudo-transient continuation:
// Kelley and Keyes, SIAM J. Numer. Anal. 35, 508, 1998.)
func (s *system) chargeUp(clamp []nodeIC) bool {
	const (
		first, last = 1e-2, 1e-18 // S, capacitance over step
		solves      = 300
		limit       = 30 // iterations a step; more is a sign to take a shorter one
	)
	clear(s.x)
	s.semis.begun = false
	s.anchor = make([]float64, len(s.x))
	defer func() { s.anchor = nil }()
	g, factor, grow := first, 4.0, 1.5
	for range solves {
		if s.solveDC(1, g, clamp, limit) == nil {
			copy(s.anchor, s.x)
			if g < last {
				s.anchor = nil
				return s.solveDC(1, 0, clamp, s.c.opts.itl1) == nil
			}
			g /= factor
			factor = min(factor*grow, 10)
			continue
		}
		copy(s.x, s.anchor)
		g *= factor
		factor, grow = math.Sqrt(factor), 1.2
	}
	return false
}

// clampG is the conductance that holds a node at its initial voltage during the
// operating point.
const clampG = 1e10

// solveDC is one solve with scaled sources and a conductance at every node, to
// ground or to where the anchor is.
func (s *system) solveDC(scale, gmin float64, clamp []nodeIC, limit int) error {
	s.sources(0, scale)
	s.current, s.partly = false, false
	copy(s.base, s.static)
	if gmin > 0 {
		for k := range int32(len(s.c.nodes) - 1) {
			s.base[s.diagonal(k)] += gmin
			if s.anchor != nil {
				s.rhs[k] += gmin * s.anchor[k]
			}
		}
	}
	for _, ic := range clamp {
		s.base[s.diagonal(ic.node-1)] += clampG
		s.rhs[ic.node-1] += clampG * ic.v
	}
	copy(s.guess, s.x)
	s.rate = 1 // far from the solution old factors do not help
	err := s.newton(0, limit)
	if err == nil && !s.balanced(0, 1e-3, 1) {
		err = errDiverged
	}
	if err != nil && len(s.funcs)+len(s.semis.of) > 0 {
		copy(s.x, s.guess)
		if again := s.damped(0, limit); again == nil && s.balanced(0, 1e-3, 1) {
			err = nil
		}
	}
	if err == nil {
		s.depart(s.x)
	}
	copy(s.base, s.static)
	s.current, s.partly = false, false
	return err
}

// diagonal is the place of entry (k, k).
func (s *system) diagonal(k int32) int32 {
	for p := s.colptr[k]; p < s.colptr[k+1]; p++ {
		if s.rowidx[p] == k {
			return p
		}
	}
	panic(fmt.Sprintf("spice: no diagonal entry %d", k))
}

// checkDC finds nodes whose direct voltage nothing determines.
func (c *Circuit) checkDC(clamped []nodeIC) error {
	set := c.connected(true)
	for _, ic := range clamped {
		set.join(0, ic.node)
	}
	if c.opts.rshunt > 0 {
		return c.wireLoops().Err()
	}
	errs := c.wireLoops()
	for k := 1; k < len(c.nodes); k++ {
		if root := set.find(int32(k)); root != set.find(0) && !set.told(root) {
			errs.Add(c.net.toPos(c.whereNode(int32(k))), "add a resistor, an .ic, or uic to .tran",
				"node %s has no path for direct current to ground", c.nodeName(int32(k)))
			if len(errs) == maxErrors {
				break
			}
		}
	}
	return errs.Err()
}

// wireLoops finds loops of inductors, which are wires at direct current, and
// voltage sources: nothing determines the current around one.
func (c *Circuit) wireLoops() (errs diag.List) {
	set := newUnion(len(c.nodes))
	for _, v := range c.vsources {
		set.join(v.a, v.b)
	}
	for _, v := range c.vcvs {
		set.join(v.a, v.b)
	}
	for _, v := range c.ccvs {
		set.join(v.a, v.b)
	}
	for _, v := range c.behaviours {
		if v.br >= 0 {
			set.join(v.a, v.b)
		}
	}
	for _, l := range c.inductors {
		if !set.join(l.a, l.b) && len(errs) < maxErrors {
			errs.Add(c.net.toPos(c.devices[l.dev].pos), "put a resistor into the loop, or uic and ic= on the inductors",
				"at direct current %s closes a loop of inductors and voltage sources", c.deviceName(l.dev))
		}
	}
	return errs
}

// allNodes lists every node, for systems that need all diagonal entries.
func (c *Circuit) allNodes() []int32 {
	out := make([]int32, len(c.nodes)-1)
	for k := range out {
		out[k] = int32(k) + 1
	}
	return out
}
