package reference

import (
	"math"
	"math/cmplx"
	"slices"

	"vlec/model"
)

// A small is a network linearised about its resting state, in continuous time
// [ours]. With the transfer functions of a neuron and of its error neuron
//
//	F = (1 + i omega tau_r)/(1 + i omega tau_m)      L = 1/F
//
// and H the second derivative of a target's cost with respect to the rates, the
// amplitudes of y and e obey, for every population,
//
//	y - F (sum_q W_q phi'_pre y_pre + gamma e)               = F sum_q W_q in
//	e - L phi' (sum_q B_q e_post + beta (target - H phi' y)) = 0
//
// a linear system S (y, e) = b. The derivatives of the loss with respect to b are
// those with respect to y and e, sent through the inverse of S conjugated and
// transposed; a drive enters b as F times itself. No operator of theory is assumed
// to be replaced by another here: with gamma = 0 and B = W^T that the phases of e
// and of the adjoint agree is a result.
type small struct {
	plan        *plan
	rate, slope [][]float64 // at rest, by population
	targets     []*model.Target
}

// maxSmall bounds the unknowns: a system of so many takes 64 megabytes.
const maxSmall = 2000

// aimAt returns the target at which there is no error at rest.
func (z *small) aimAt(t *model.Target) []float64 {
	for k, p := range z.plan.pops {
		if p != t.Population {
			continue
		}
		if t.Loss == model.CrossEntropy {
			soft := make([]float64, p.Size)
			softmax(z.rate[k], soft)
			return soft
		}
		return z.rate[k]
	}
	return nil
}

// response returns e over adjoint at an angular frequency, by population and
// neuron, under the stimuli of a Prober.
func (z *small) response(p *Prober, omega float64) [][]complex128 {
	// In this order of the unknowns, y downstream and then e upstream, the matrix of
	// a network without loops is triangular.
	order := z.plan.order
	if order == nil {
		for k := range z.plan.pops {
			order = append(order, k)
		}
	}
	n := 0
	for _, pop := range z.plan.pops {
		n += 2 * pop.Size
	}
	if n > maxSmall {
		return z.unknown()
	}
	n = 0
	y, e := make([]int, len(order)), make([]int, len(order))
	for _, k := range order {
		y[k] = n
		n += z.plan.pops[k].Size
	}
	for i := len(order) - 1; i >= 0; i-- {
		e[order[i]] = n
		n += z.plan.pops[order[i]].Size
	}
	s := newSystem(n)
	net := z.plan.net
	lead := func(k, i int) complex128 {
		pop := z.plan.pops[k]
		return complex(1, omega*pop.TauR[i]) / complex(1, omega*pop.TauM[i])
	}
	in, phases := p.phases()
	for k, pop := range z.plan.pops {
		for i := range pop.Size {
			f := lead(k, i)
			row := s.row(y[k] + i)
			row[y[k]+i]++
			row[e[k]+i] -= f * complex(net.Gamma, 0)
			for _, q := range z.plan.into[k] {
				l := &z.plan.links[q]
				for j, w := range l.W[i*l.m : (i+1)*l.m] {
					if from, ok := l.fromInput(); ok {
						s.b[y[k]+i] += f * cmplx.Rect(w, in[from][j])
					} else {
						row[y[l.from]+j] -= f * complex(w*z.slope[l.from][j], 0)
					}
				}
			}
			row = s.row(e[k] + i)
			row[e[k]+i]++
			for _, q := range z.plan.outOf[k] {
				l := &z.plan.links[q]
				for j := range l.n {
					b := l.W[j*l.m+i]
					if l.ownFeedback() {
						b = l.Feedback.B[i*l.n+j]
					}
					row[e[l.to]+j] -= complex(z.slope[k][i]*b, 0) / f
				}
			}
		}
	}
	// dC/dy = H y - phi' target, which the error neurons hear with the other sign.
	gradient := make([]complex128, n)
	type term struct {
		i, j int
		h    float64
	}
	var hessian []term
	for q, t := range p.net.Targets {
		k := z.popOf(t.Population)
		for i := range t.Population.Size {
			weight := z.slope[k][i]
			target := cmplx.Rect(weight, phases[q][i])
			gradient[y[k]+i] -= target
			s.b[e[k]+i] += complex(net.Beta, 0) / lead(k, i) * target
			for j := range t.Population.Size {
				h := 0.0
				switch soft := z.aimAt(t); {
				case t.Loss == model.CrossEntropy && i == j:
					h = soft[i] - soft[i]*soft[i]
				case t.Loss == model.CrossEntropy:
					h = -soft[i] * soft[j]
				case i == j:
					h = weight * weight
				}
				hessian = append(hessian, term{y[k] + i, y[k] + j, h})
				s.row(e[k] + i)[y[k]+j] += complex(net.Beta*h, 0) / lead(k, i)
			}
		}
	}
	back := s.adjoint()
	x := s.solve()
	for _, t := range hessian {
		gradient[t.i] += complex(t.h, 0) * x[t.j]
	}
	back.b = gradient
	mu := back.solve()
	amplitudes, adjoints := make([][]complex128, len(order)), make([][]complex128, len(order))
	for k, pop := range z.plan.pops {
		for i := range pop.Size {
			amplitudes[k] = append(amplitudes[k], x[e[k]+i])
			adjoints[k] = append(adjoints[k], -cmplx.Conj(lead(k, i))*mu[y[k]+i])
		}
	}
	return ratios(amplitudes, adjoints)
}

// unknown is the answer where the system would be too large.
func (z *small) unknown() [][]complex128 {
	var nan [][]complex128
	for _, pop := range z.plan.pops {
		nan = append(nan, slices.Repeat([]complex128{cmplx.NaN()}, pop.Size))
	}
	return nan
}

func (z *small) popOf(pop *model.Population) int {
	for k, p := range z.plan.pops {
		if p == pop {
			return k
		}
	}
	return -1
}

// A system is a set of complex linear equations.
type system struct {
	n int
	a []complex128 // n x n
	b []complex128
}

func newSystem(n int) *system {
	return &system{n: n, a: make([]complex128, n*n), b: make([]complex128, n)}
}

func (s *system) row(i int) []complex128 { return s.a[i*s.n : (i+1)*s.n] }

// adjoint returns the system of the conjugate transposed matrix, with b of zero.
func (s *system) adjoint() *system {
	t := newSystem(s.n)
	for i := range s.n {
		for j, v := range s.row(i) {
			if v != 0 {
				t.a[j*s.n+i] = cmplx.Conj(v)
			}
		}
	}
	return t
}

// solve returns the solution and leaves rubble. It pivots only where it must, so
// that a triangular matrix stays one and costs its entries.
func (s *system) solve() []complex128 {
	n := s.n
	for k := range n {
		best := k
		for i := k + 1; i < n; i++ {
			if cmplx.Abs(s.a[i*n+k]) > cmplx.Abs(s.a[best*n+k]) {
				best = i
			}
		}
		if cmplx.Abs(s.a[k*n+k]) < 1e-3*cmplx.Abs(s.a[best*n+k]) {
			top, low := s.row(k), s.row(best)
			for j := range top {
				top[j], low[j] = low[j], top[j]
			}
			s.b[k], s.b[best] = s.b[best], s.b[k]
		}
		for i := k + 1; i < n; i++ {
			if s.a[i*n+k] == 0 {
				continue
			}
			q := s.a[i*n+k] / s.a[k*n+k]
			top, low := s.row(k), s.row(i)
			for j := k + 1; j < n; j++ {
				if top[j] != 0 {
					low[j] -= q * top[j]
				}
			}
			s.b[i] -= q * s.b[k]
		}
	}
	x := make([]complex128, n)
	for i := n - 1; i >= 0; i-- {
		sum := s.b[i]
		for j := i + 1; j < n; j++ {
			if v := s.a[i*n+j]; v != 0 {
				sum -= v * x[j]
			}
		}
		x[i] = sum / s.a[i*n+i]
		if math.IsNaN(real(x[i])) {
			x[i] = cmplx.NaN()
		}
	}
	return x
}
