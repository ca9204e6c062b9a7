package spice

import (
	"errors"
	"fmt"
	"math"

	"vlec/model/diag"
	"vlec/sim/spice/sparse"
)

// Reasons for which a solve fails; explain turns them into a diagnosis.
var (
	errDiverged  = errors.New("newton iteration does not converge")
	errNotFinite = errors.New("a device has no finite value")
)

// newton solves the system from the guess in x, at time t, with at most max
// iterations. It works on corrections, so that the last digits do not depend on
// how large the unknowns are, and stops when the error that the observed
// contraction predicts is below tolerance.
func (s *system) newton(t float64, limit int) error {
	const (
		first  = 1e-3 // a first correction this small needs no second: it contracts quadratically
		target = 1e-1 // predicted error, in units of the tolerance
	)
	o := &s.c.opts
	linear := len(s.funcs) == 0
	nodes := len(s.c.nodes) - 1
	last := math.Inf(1)
	for k := 0; k < limit; k++ {
		s.stats.Iterations++
		s.bad = -1
		if !s.residual(t, !linear) {
			return errNotFinite
		}
		if err := s.factor(linear); err != nil {
			return err
		}
		s.lu.Solve(s.r[:s.n])
		norm := 0.0
		for j := range s.n {
			dx := s.r[j]
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
		switch {
		case !finite(norm):
			return errDiverged
		case linear || norm <= first:
			return nil
		}
		if rate := norm / last; k > 0 && rate < 1 && norm*rate/(1-rate) <= target {
			return nil
		}
		last = norm
	}
	return errDiverged
}

// factor brings the LU factors up to date with the Jacobian.
func (s *system) factor(linear bool) error {
	vals := s.vals[:len(s.base)]
	if linear {
		if s.exact {
			return nil
		}
		vals = s.base
	}
	s.stats.Factorisations++
	if s.factored {
		if s.lu.Refactor(vals) == nil {
			s.exact = linear
			return nil
		}
		s.factored = false
	}
	if err := s.lu.Factor(vals); err != nil {
		return s.singular(err)
	}
	s.factored, s.exact = true, linear
	return nil
}

// singular names the unknown and the equation of a matrix without inverse.
func (s *system) singular(err error) error {
	var se *sparse.SingularError
	if !errors.As(err, &se) || se.Col < 0 || se.Col >= s.n {
		return err
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
	for i, dev := range s.c.touching(s.worst) {
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
