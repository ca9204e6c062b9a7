package reference

import (
	"fmt"
	"math"

	"vlec/model"
)

// A loop is the algebraic loop that a flow contains when errors act on the
// membranes (gamma > 0) or projections form a cycle. Its unknowns are the
// prospective potentials y and the prospective errors e of all populations, or
// one of the two; its equations
//
//	y - (1 - tau_r/tau_m) u - (tau_r/tau_m) (a(y) + gamma e) = 0
//	e - (1 - tau_m/tau_r) v - (tau_m/tau_r) x(y, e)          = 0
//
// are solved by Newton's method from the last solution on, with a Jacobian that
// is kept for as long as it makes the residual fall fast. A plain fixed-point
// iteration contracts only for small loop gains (it fails from gamma = 0.5 on in
// networks of ordinary weights), so it is not tried.
//
// A solution at which an eigenvalue of the loop gain has a real part above 1 is
// refused, because the smallest lag in a physical loop makes it run away there. Such
// a network has no dynamics to compare with. The eigenvalues are those of the
// identity less the Jacobian; they are computed at the first solution and after
// every so many Jacobians. In between the sign of the determinant tells when one of
// them has passed 1.
type loop struct {
	f            *flow
	withY, withE bool
	y, e         []int // place of each population's unknowns
	z, next      []float64
	res, trial   []float64
	step         []float64
	lu           *lu
	valid        bool // lu holds a factorisation
	age          int  // solutions since it was made
	proved       int  // Jacobians left until the eigenvalues are looked at again
	spectrum     *spectrum
}

// A LoopError says that the algebraic loop has no usable solution.
type LoopError struct {
	Time       float64
	Population string // where the equations are violated most
	Gain       float64
	Reason     string
}

func (e *LoopError) Error() string {
	return fmt.Sprintf("algebraic loop at t = %g, worst in population %s: %s (loop gain %.3g); lower gamma, beta, the recurrent weights or tau_r/tau_m",
		e.Time, e.Population, e.Reason, e.Gain)
}

const (
	loopTolerance  = 1e-13 // of the residual, relative to the largest unknown
	loopRounding   = 1e-9  // an eigenvalue so near to 0 may be 0
	loopSlack      = 1e3   // times the tolerance: rounding, accepted when no step helps
	loopIterations = 100

	// Eigenvalues cost about fifty times what a factorisation does.
	proofEvery = 500
	mostProved = 400     // unknowns up to which they are computed
	mostLooped = 1 << 13 // unknowns: the Jacobian of so many takes half a gigabyte
)

// newLoop reports a loop of too many neurons.
func newLoop(f *flow, withY, withE bool) (*loop, error) {
	l := &loop{f: f, withY: withY, withE: withE}
	n := 0
	for k := range f.pop {
		l.y = append(l.y, n)
		if withY {
			n += f.pop[k].Size
		}
		l.e = append(l.e, n)
		if withE {
			n += f.pop[k].Size
		}
	}
	if n > mostLooped {
		return nil, fmt.Errorf("gamma > 0 and cycles of projections make an algebraic loop of %d unknowns, at most %d can be solved; use the synchronous semantics, or gamma = 0", n, mostLooped)
	}
	for _, v := range []*[]float64{&l.z, &l.next, &l.res, &l.trial, &l.step} {
		*v = make([]float64, n)
	}
	l.lu = newLU(n)
	return l, nil
}

// residual evaluates the equations at z and returns by how much the worst one is
// violated; the flow's signals are then those of z.
func (l *loop) residual(z, res []float64) float64 {
	f := l.f
	for k := range f.pop {
		p := &f.pop[k]
		if l.withY {
			copy(p.y, z[l.y[k]:])
			activate(p.Activation, p.y, p.r, p.slope)
		}
		if l.withE {
			copy(p.e, z[l.e[k]:])
		}
	}
	for k := range f.pop {
		p := &f.pop[k]
		if l.withY {
			f.drive(k)
			for i, y := range p.y {
				res[l.y[k]+i] = y - f.prospectOf(p, i)
			}
		}
		if l.withE {
			f.receive(k)
			for i, e := range p.e {
				res[l.e[k]+i] = e - f.prospectErrorOf(p, i)
			}
		}
	}
	worst := 0.0
	for _, v := range res {
		worst = max(worst, math.Abs(v))
	}
	return worst
}

// tolerance is how much an equation may be violated at z.
func (l *loop) tolerance(z []float64) float64 {
	size := 1.0
	for _, v := range z {
		size = max(size, math.Abs(v))
	}
	return loopTolerance * size
}

// solve finds the signals at time t.
func (l *loop) solve(t float64) error {
	norm := l.residual(l.z, l.res)
	for range loopIterations {
		if norm <= l.tolerance(l.z) {
			return l.accept(t)
		}
		if !l.valid && !l.refactor() {
			return l.refuse(t, "the equations are singular")
		}
		copy(l.step, l.res)
		l.lu.solve(l.step)
		moved, was := false, norm
		for share := 1.0; share > 1e-4; share /= 2 {
			for i, d := range l.step {
				l.next[i] = l.z[i] - share*d
			}
			if n := l.residual(l.next, l.trial); n <= (1-share/4)*norm {
				norm, moved = n, true
				l.z, l.next = l.next, l.z
				l.res, l.trial = l.trial, l.res
				break
			}
			if l.age > 0 {
				break // first a fresh Jacobian
			}
		}
		switch {
		case !moved && l.age > 0:
			l.valid = false
			norm = l.residual(l.z, l.res)
		case !moved:
			if norm = l.residual(l.z, l.res); norm <= loopSlack*l.tolerance(l.z) {
				return l.accept(t)
			}
			return l.refuse(t, "Newton's method does not converge")
		case norm > was/10:
			l.valid = false
		}
	}
	return l.refuse(t, "Newton's method does not converge")
}

// accept checks that the solution is one that a physical loop would stay at.
func (l *loop) accept(t float64) error {
	const why = "the loop amplifies itself and would run away"
	l.age++
	if !l.valid || !l.lu.above {
		if !l.refactor() || !l.lu.above {
			return l.refuse(t, why)
		}
		l.age = 1
	}
	if l.proved <= 0 {
		if l.runsAway() {
			return l.refuse(t, why)
		}
		l.proved = proofEvery
	}
	return nil
}

// runsAway tells whether an eigenvalue of the Jacobian at the present signals has
// a negative real part.
func (l *loop) runsAway() bool {
	n := l.lu.n
	if n > mostProved {
		return false // the sign of the determinant has to do
	}
	if l.spectrum == nil {
		l.spectrum = newSpectrum(n)
	}
	l.assemble(l.spectrum.a)
	least, ok := l.spectrum.leftmost()
	return ok && least < -loopRounding
}

func (l *loop) refuse(t float64, reason string) error {
	worst, where := -1.0, 0
	for k := range l.f.pop {
		for i := range l.f.pop[k].Size {
			if l.withY && math.Abs(l.res[l.y[k]+i]) > worst {
				worst, where = math.Abs(l.res[l.y[k]+i]), k
			}
			if l.withE && math.Abs(l.res[l.e[k]+i]) > worst {
				worst, where = math.Abs(l.res[l.e[k]+i]), k
			}
		}
	}
	l.valid = false
	return &LoopError{Time: t, Population: l.f.pop[where].Name, Gain: l.gain(), Reason: reason}
}

// refactor assembles and factors the Jacobian at the present signals.
func (l *loop) refactor() bool {
	l.assemble(l.lu.a)
	l.valid = l.lu.factor()
	l.age = 0
	l.proved--
	return l.valid
}

// assemble writes the Jacobian at the present signals to a.
func (l *loop) assemble(a []float64) {
	f, n := l.f, l.lu.n
	clear(a)
	for i := range n {
		a[i*n+i] = 1
	}
	for k := range f.pop {
		p := &f.pop[k]
		for i := range p.Size {
			lead := p.TauR[i] / p.tauM.value[i]
			if l.withY {
				row := a[(l.y[k]+i)*n:][:n]
				for _, q := range f.into[k] {
					in := &f.links[q]
					if in.from < 0 {
						continue
					}
					w, pre := f.link[q].w.value[i*in.m:(i+1)*in.m], &f.pop[in.from]
					for j, v := range w {
						row[l.y[in.from]+j] -= lead * v * pre.slope[j]
					}
				}
				if l.withE {
					row[l.e[k]+i] -= lead * f.net.Gamma
				}
			}
			if l.withE {
				row := a[(l.e[k]+i)*n:][:n]
				for _, q := range f.outOf[k] {
					out := &f.links[q]
					for j := range out.n {
						row[l.e[out.to]+j] -= f.backWeight(q, i, j) * p.slope[i] / lead
					}
				}
				if l.withY {
					row[l.y[k]+i] -= curvature(p.Activation, p.y[i], p.r[i], p.slope[i]) * p.back[i] / lead
				}
			}
		}
	}
	if l.withY && l.withE {
		for q := range f.targets {
			l.assembleTarget(q, a)
		}
	}
}

// assembleTarget adds how the error of target q depends on y.
func (l *loop) assembleTarget(q int, a []float64) {
	f, n := l.f, l.lu.n
	aim := &f.targets[q]
	k := aim.pop
	p := &f.pop[k]
	soft := f.soft[:p.Size]
	softmax(p.r, soft)
	for i := range p.Size {
		row := a[(l.e[k]+i)*n:][:n]
		scale := f.net.Beta * p.tauM.value[i] / p.TauR[i]
		if aim.Loss == model.CrossEntropy {
			row[l.y[k]+i] += scale * soft[i]
			for j, s := range soft {
				row[l.y[k]+j] -= scale * soft[i] * s
			}
			continue
		}
		bend := curvature(p.Activation, p.y[i], p.r[i], p.slope[i])
		row[l.y[k]+i] -= scale * ((f.target[q][i]-p.r[i])*bend - p.slope[i]*p.slope[i])
	}
}

// backWeight returns B_ij of link q, from far neuron j to near neuron i.
func (f *flow) backWeight(q, i, j int) float64 {
	if l := &f.links[q]; l.ownFeedback() {
		return f.link[q].b.value[i*l.n+j]
	}
	return f.link[q].w.value[j*f.links[q].m+i]
}

// gain estimates the spectral radius of the loop at the present signals, the
// matrix I - J, by the growth of a vector under repeated application.
func (l *loop) gain() float64 {
	n := l.lu.n
	l.assemble(l.lu.a)
	x, y := make([]float64, n), make([]float64, n)
	for i := range x {
		x[i] = 1 + float64(i%7)/7
	}
	const warm, rounds = 50, 200
	growth := 0.0
	for round := range warm + rounds {
		norm := 0.0
		for i := range y {
			y[i] = x[i] - dot(l.lu.a[i*n:(i+1)*n], x)
			norm = max(norm, math.Abs(y[i]))
		}
		if norm == 0 || math.IsNaN(norm) || math.IsInf(norm, 0) {
			return norm
		}
		for i := range y {
			x[i] = y[i] / norm
		}
		if round >= warm {
			growth += math.Log(norm)
		}
	}
	return math.Exp(growth / rounds)
}
