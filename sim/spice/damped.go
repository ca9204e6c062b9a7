package spice

import "math"

// damped is Newton's iteration with shortened steps, for starts far from the
// solution: a step is halved until the correction that would follow it, with
// the same factors, is smaller. This is the natural monotonicity test of
// Deuflhard (Newton Methods for Nonlinear Problems, 2004, section 3.3): unlike
// a test of residuals it does not depend on how equations are scaled, volts
// beside amperes.
func (s *system) damped(t float64, limit int) error {
	const shortest = 1e-7
	n := s.n
	x0, dx := s.try[:n], s.step[:n]
	lambda := 1.0
	for range limit {
		s.stats.Iterations++
		s.bad, s.current = -1, false
		if !s.residual(t, true) {
			return errNotFinite
		}
		if err := s.factor(false); err != nil {
			return err
		}
		copy(dx, s.r[:n])
		s.lu.Solve(dx)
		copy(x0, s.x[:n])
		size := s.length(dx, x0)
		if !finite(size) {
			return errDiverged
		}
		if size <= 1e-3 {
			for j, d := range dx {
				s.x[j] = x0[j] + d
			}
			return nil
		}
		for lambda = math.Min(1, 4*lambda); ; lambda /= 2 {
			if lambda < shortest {
				return errDiverged
			}
			for j, d := range dx {
				s.x[j] = x0[j] + float64(lambda*d)
			}
			if !s.residual(t, false) {
				continue
			}
			s.lu.Solve(s.r[:n])
			if next := s.length(s.r[:n], x0); next <= (1-lambda/4)*size {
				break
			}
		}
	}
	return errDiverged
}

// length is the largest part of a correction in units of the tolerance at x.
func (s *system) length(dx, x []float64) float64 {
	o := &s.c.opts
	nodes := len(s.c.nodes) - 1
	norm := 0.0
	for j, d := range dx {
		floor := o.vntol
		if j >= nodes {
			floor = o.abstol
		}
		if w := math.Abs(d) / (floor + float64(o.reltol*math.Abs(x[j]))); !(w <= norm) {
			norm, s.worst = w, j
		}
	}
	return norm
}
