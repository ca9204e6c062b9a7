package spice

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"vlec/model/diag"
	"vlec/sim/spice/sparse"
)

// Reasons for which a solve fails; explain turns them into a diagnosis.
var (
	errDiverged  = errors.New("newton iteration does not converge")
	errNotFinite = errors.New("a device has no finite value")
)

// rounding is the part of the sum of its terms to which an equation can be
// solved, with room for some operations.
const rounding = 1e-14

// newton solves the system from the guess in x, at time t, with at most limit
// iterations. It works on corrections, so that no digits are lost to large
// unknowns, and measures them in units of the tolerance.
//
// Two things are left out where they would change nothing. Factors of an older
// Jacobian serve as long as corrections shrink fast with them (a chord
// iteration). And mostly a single iteration from the extrapolated solution will
// do, since what it leaves is its correction times the contraction, which the
// last solves have shown; every few solves are made to show it again.
func (s *system) newton(t float64, limit int) error {
	const (
		enough = 1e-2 // error left, predicted
		near   = 100  // first correction up to which the contraction is believed
		renew  = 8    // solves after which it is measured again
		good   = 0.03 // contraction with which old factors are kept
		far    = 100  // correction after which neither is believed
	)
	u := &s.semis
	linear := len(s.funcs) == 0 && len(u.of) == 0
	u.setOut()
	last, rate := math.Inf(1), s.rate
	for k := range limit {
		s.stats.Iterations++
		s.bad = -1
		fresh := !s.current || rate > good || k > 0 && last > far || k > 3
		u.limiting = true
		finiteAll := s.residual(t, !linear && fresh)
		u.limiting = false
		if !finiteAll {
			s.current = false
			return errNotFinite
		}
		if fresh || linear {
			if err := s.factor(linear); err != nil {
				return err
			}
		}
		s.lu.Solve(s.r[:s.n])
		norm := s.correct()
		first := math.IsInf(last, 1) // nothing to compare with
		if !first {
			if rate = norm / last; k == 1 {
				s.rate, s.span, s.trust = rate, last, renew
			}
		}
		switch {
		case !finite(norm):
			s.current = false
			return errDiverged
		case linear:
			return nil
		case u.limited:
			last = math.Inf(1) // the solution is of devices that stand elsewhere
			s.current = false
			continue
		case norm <= enough/10:
			return nil
		case first:
			// A longer correction than the one that showed it contracts less.
			if k == 0 && s.trust > 0 && norm <= near && s.rate*norm*max(1, norm/s.span) <= enough {
				s.trust--
				return nil
			}
		default:
			if rate < 1 && norm <= far && norm*rate/(1-rate) <= enough {
				return nil
			}
			if rate > 0.5 && (norm <= 1 || s.balanced(t, rounding, 0)) {
				return nil // it will not get smaller
			}
		}
		last = norm
	}
	s.current = false
	return errDiverged
}

// balanced checks a solution by what is left of the equations: at most a part
// of the sum of the magnitudes in its row, or of the tolerance for currents and
// voltages. Corrections alone can deceive: far from a solution, where an
// exponential is so steep that all of them are short.
func (s *system) balanced(t, part, tolerance float64) bool {
	o := &s.c.opts
	s.semis.weighing = true
	ok := s.residual(t, false)
	s.semis.weighing = false
	if !ok {
		return false
	}
	size := s.scale
	for k, v := range s.rhs {
		size[k] = math.Abs(v)
	}
	for j := range s.n {
		v := math.Abs(s.x[j])
		for p := s.colptr[j]; p < s.colptr[j+1]; p++ {
			size[s.rowidx[p]] += math.Abs(s.base[p]) * v
		}
	}
	for i, row := range s.semis.rows {
		size[row] += s.semis.size[i]
	}
	nodes := len(s.c.nodes) - 1
	for k, r := range s.r[:s.n] {
		floor := o.abstol
		if k >= nodes {
			floor = o.vntol
		}
		if !(math.Abs(r) <= tolerance*floor+part*size[k]) {
			s.worst = k
			return false
		}
	}
	return true
}

// correct adds the correction in r to x and returns its largest part in units
// of the tolerance.
func (s *system) correct() (norm float64) {
	o := &s.c.opts
	nodes := len(s.c.nodes) - 1
	for j, dx := range s.r[:s.n] {
		x := s.x[j] + dx
		s.x[j] = x
		floor := o.vntol
		if j >= nodes {
			floor = o.abstol
		}
		w := math.Abs(dx) / (floor + float64(o.reltol*math.Abs(x)))
		if !(w <= norm) {
			norm, s.worst = w, j
		}
	}
	return norm
}

// factor brings the LU factors up to date with the Jacobian.
func (s *system) factor(linear bool) error {
	vals := s.vals[:len(s.base)]
	if linear {
		if s.current {
			return nil
		}
		vals = s.base
	}
	s.stats.Factorisations++
	s.current = true
	if s.pivoted {
		var err error
		if s.partly {
			err = s.lu.RefactorPart(s.varying, vals)
		} else {
			err = s.lu.Refactor(vals)
		}
		if s.partly = err == nil; s.partly {
			return nil
		}
		s.pivoted = false
	}
	if err := s.lu.Factor(vals); err != nil {
		s.current = false
		return s.singular(err)
	}
	s.pivoted, s.partly = true, true
	return nil
}

// singular names the unknown and the equation of a matrix without inverse.
func (s *system) singular(err error) error {
	var se *sparse.SingularError
	if !errors.As(err, &se) || se.Col < 0 || se.Col >= s.n {
		return err
	}
	if se.NotFinite {
		s.worst = se.Col
		return errDiverged
	}
	at, hint := diag.Pos{}, "check what is connected there"
	if t := s.c.touching(se.Col); len(t) > 0 {
		at = s.c.net.toPos(s.c.devices[t[0]].pos)
	}
	if se.Col < len(s.c.nodes)-1 {
		hint = "it needs a path to ground and a device that fixes its voltage"
	}
	return errAt(at, hint, "the equations have no unique solution: nothing determines %s", s.c.unknownName(se.Col))
}

// explain tells where a failed solve got stuck.
func (s *system) explain(err error, where string) error {
	var d *diag.Error
	if errors.As(err, &d) {
		return errAt(d.Pos, d.Hint, "%s: %s", where, d.Msg)
	}
	if errors.Is(err, errNotFinite) && s.bad >= 0 {
		dev := int32(s.bad)
		return errAt(s.c.net.toPos(s.c.devices[dev].pos), "is there a division by zero, or ln or sqrt of a negative number?",
			"%s: %s has no finite value", where, s.c.deviceName(dev))
	}
	pos := diag.Pos{}
	devices := ""
	for i, dev := range s.suspects(s.worst) {
		if i == 0 {
			pos = s.c.net.toPos(s.c.devices[dev].pos)
		}
		if i == 4 {
			devices += ", …"
			break
		}
		if i > 0 {
			devices += ", "
		}
		devices += s.c.describe(dev)
	}
	return errAt(pos, fmt.Sprintf("look at the devices there: %s; are they steep or discontinuous?", devices),
		"%s: no convergence, %s moves most (last value %.6g)", where, s.c.unknownName(s.worst), s.x[s.worst])
}

// suspects lists the devices at an unknown; when none of them is nonlinear, the
// nearest that are come first.
func (s *system) suspects(k int) []int32 {
	c := s.c
	at := c.touching(k)
	bent := map[int32]bool{}
	for _, f := range s.funcs {
		bent[c.behaviours[f.b].dev] = true
	}
	for i := range c.semis {
		bent[c.semis[i].dev] = true
	}
	reached, near := map[int32]bool{}, map[int32]bool{}
	for _, dev := range at {
		reached[dev] = true
	}
	for range 8 { // from devices to their nodes, from nodes to their devices
		var found []int32
		c.terminals(func(dev int32, nodes ...int32) {
			if reached[dev] {
				if bent[dev] {
					found = append(found, dev)
				}
				for _, n := range nodes {
					near[n] = near[n] || n != 0
				}
			}
		})
		if len(found) > 0 {
			return append(found, slices.DeleteFunc(at, func(dev int32) bool { return bent[dev] })...)
		}
		c.terminals(func(dev int32, nodes ...int32) {
			reached[dev] = reached[dev] || slices.ContainsFunc(nodes, func(n int32) bool { return near[n] })
		})
	}
	return at
}
