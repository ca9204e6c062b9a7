package reference

import (
	"context"
	"fmt"

	"vlec/model"
)

// A tape holds what the reverse sweep needs of a forward run with resting
// weights: for every step the prospective potentials, the velocities of both
// potentials, the errors, their feedback, and the inputs and targets.
type tape struct {
	s     *Synchronous
	steps int

	y, ud, vd, e, back [][]float64 // by population, steps x n
	input, target      [][]float64 // steps x width
	loss               float64     // dt times the sum of the losses
}

// maxTape bounds the values a tape may hold: 2^28 of them are two gigabytes.
const maxTape = 1 << 28

// record runs a network for a number of steps from its initial state.
func record(ctx context.Context, net *model.Network, steps int) (*tape, error) {
	s, err := NewSynchronous(net, 1)
	if err != nil {
		return nil, err
	}
	t := &tape{s: s, steps: steps}
	width := 0
	for _, p := range s.plan.pops {
		width += 5 * p.Size
	}
	if float64(width)*float64(steps) > maxTape {
		return nil, fmt.Errorf("%d steps are too many to differentiate: at most %d for this network; shorten the run", steps, maxTape/width)
	}
	for _, p := range s.plan.pops {
		for _, v := range []*[][]float64{&t.y, &t.ud, &t.vd, &t.e, &t.back} {
			*v = append(*v, make([]float64, 0, steps*p.Size))
		}
	}
	t.input = make([][]float64, len(s.input))
	t.target = make([][]float64, len(s.target))
	for k := range steps {
		if k%1024 == 0 {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
		}
		t.step()
	}
	return t, nil
}

// step makes one step forward and appends it.
func (t *tape) step() {
	s := t.s
	s.Stimulate()
	first := make([]int, len(s.pops))
	for k := range s.pops {
		z := &s.pops[k]
		first[k] = len(t.ud[k])
		t.ud[k] = append(t.ud[k], z.U...)
		t.vd[k] = append(t.vd[k], z.V...)
	}
	// Feedback is complete once the pass over the weights is made, and X holds
	// slope times it; ask for it first.
	s.sweepAll(0)
	for k := range s.pops {
		t.back[k] = append(t.back[k], s.pops[k].back...)
	}
	s.Step()
	for k, pop := range s.plan.pops {
		z := &s.pops[k]
		t.y[k] = append(t.y[k], z.Y...)
		t.e[k] = append(t.e[k], z.E...)
		for i := range pop.Size {
			ud, vd := &t.ud[k][first[k]+i], &t.vd[k][first[k]+i]
			*ud = (z.Total[i] - *ud) / pop.TauM[i]
			*vd = (z.X[i] - *vd) / pop.TauR[i]
		}
	}
	for k := range s.input {
		t.input[k] = append(t.input[k], s.input[k]...)
	}
	for k := range s.target {
		t.target[k] = append(t.target[k], s.target[k]...)
	}
	t.loss += s.dt * s.Loss()
}

// An adjoint is the state of the reverse sweep: the derivatives of the loss with
// respect to the values of one step.
type adjoint struct {
	*tape
	pop  []adjointPop
	soft []float64
	grad Gradients
	gB   [][]float64 // by projection, m x n; nil where B is W^T

	from, to int // steps whose use of a parameter counts
	// visit, if not nil, sees the derivative with respect to the drive of
	// population k in every step, last step first.
	visit func(step, k int, drive []float64)
}

// An adjointPop holds derivatives with respect to a population's values of one
// step (u, v, r, slope, e), those of the step before while they are collected,
// and the values of the step before.
type adjointPop struct {
	u, v, r, slope, e    []float64
	rWas, slopeWas, eWas []float64
	a, x, back           []float64 // with respect to drive, x and feedback

	rate, slopeNow          []float64
	rateBefore, slopeBefore []float64
}

func newAdjoint(t *tape, from, to int) *adjoint {
	d := &adjoint{tape: t, from: from, to: to}
	for _, p := range t.s.plan.pops {
		var q adjointPop
		for _, v := range []*[]float64{
			&q.u, &q.v, &q.r, &q.slope, &q.e, &q.rWas, &q.slopeWas, &q.eWas,
			&q.a, &q.x, &q.back, &q.rate, &q.slopeNow, &q.rateBefore, &q.slopeBefore,
		} {
			*v = make([]float64, p.Size)
		}
		d.pop = append(d.pop, q)
		d.grad.Bias = append(d.grad.Bias, make([]float64, p.Size))
		d.grad.TauM = append(d.grad.TauM, make([]float64, p.Size))
		d.soft = make([]float64, max(len(d.soft), p.Size))
	}
	for k := range t.s.plan.links {
		l := &t.s.plan.links[k]
		d.grad.W = append(d.grad.W, make([]float64, len(l.W)))
		var b []float64
		if l.ownFeedback() {
			b = make([]float64, len(l.W))
		}
		d.gB = append(d.gB, b)
	}
	return d
}

// sweep goes from the last step to the first. It is the chain rule applied to
// the equations of Synchronous line by line, in reverse; with gamma > 0 the
// error neurons are part of the map and so of its derivative.
func (d *adjoint) sweep(ctx context.Context) error {
	s := d.s
	for step := d.steps - 1; step >= 0; step-- {
		if step%1024 == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		for k, pop := range s.plan.pops {
			p := &d.pop[k]
			n := pop.Size
			activate(pop.Activation, d.y[k][step*n:(step+1)*n], p.rate, p.slopeNow)
			clear(p.rateBefore)
			clear(p.slopeBefore)
			if step > 0 {
				activate(pop.Activation, d.y[k][(step-1)*n:step*n], p.rateBefore, p.slopeBefore)
			}
		}
		for q := range s.plan.targets {
			d.seed(step, q)
		}
		for k := range s.plan.pops {
			d.neurons(step, k)
		}
		for q := range s.plan.targets {
			d.nudged(step, q)
		}
		for q := range s.plan.links {
			d.weights(step, q)
		}
		for k := range d.pop {
			p := &d.pop[k]
			p.r, p.rWas = p.rWas, p.r
			p.slope, p.slopeWas = p.slopeWas, p.slope
			p.e, p.eWas = p.eWas, p.e
			clear(p.rWas)
			clear(p.slopeWas)
			clear(p.eWas)
		}
	}
	return nil
}

// seed adds the derivative of the loss of this step, dt C(target_k, r_k).
func (d *adjoint) seed(step, q int) {
	aim := &d.s.plan.targets[q]
	p, n := &d.pop[aim.pop], aim.Population.Size
	target := d.target[q][step*n : (step+1)*n]
	if aim.Loss == model.CrossEntropy {
		mass := 0.0
		for _, t := range target {
			mass += t
		}
		soft := d.soft[:n]
		softmax(p.rate, soft)
		for i, t := range target {
			p.r[i] += d.s.dt * (mass*soft[i] - t)
		}
		return
	}
	for i, t := range target {
		p.r[i] += d.s.dt * (p.rate[i] - t)
	}
}

// neurons goes back through the membranes and error neurons of population k.
func (d *adjoint) neurons(step, k int) {
	pop, p := d.s.plan.pops[k], &d.pop[k]
	n, dt, gamma := pop.Size, d.s.dt, d.s.plan.net.Gamma
	inside := step >= d.from && step < d.to
	for i := range n {
		at := step*n + i
		tauM, tauR := pop.TauM[i], pop.TauR[i]
		// r = phi(y), slope = phi'(y)
		y := p.r[i]*p.slopeNow[i] + p.slope[i]*curvature(pop.Activation, d.y[k][at], p.rate[i], p.slopeNow[i])
		// y = u + tau_r ud, u' = u + dt ud, ud = (a + gamma e - u)/tau_m
		ud := tauR*y + dt*p.u[i]
		total := ud / tauM
		p.u[i] += y - total
		p.a[i] = total
		e := p.e[i] + gamma*total
		// e = v + tau_m vd, v' = v + dt vd, vd = (x - v)/tau_r
		vd := tauM*e + dt*p.v[i]
		x := vd / tauR
		p.v[i] += e - x
		// x = slope back + what nudged adds
		p.back[i] = x * p.slopeBefore[i]
		p.slopeWas[i] = x * d.back[k][at]
		p.x[i] = x
		if inside {
			d.grad.Bias[k][i] += total
			d.grad.TauM[k][i] += e*d.vd[k][at] - total*d.ud[k][at]
		}
	}
	if d.visit != nil {
		d.visit(step, k, p.a)
	}
}

// nudged goes back through the error that target q adds to x.
func (d *adjoint) nudged(step, q int) {
	aim := &d.s.plan.targets[q]
	p, n, beta := &d.pop[aim.pop], aim.Population.Size, d.s.plan.net.Beta
	if aim.Loss == model.CrossEntropy {
		soft := d.soft[:n]
		softmax(p.rateBefore, soft)
		mean := dot(soft, p.x)
		for i, x := range p.x {
			p.rWas[i] -= beta * soft[i] * (x - mean)
		}
		return
	}
	for i, t := range d.target[q][step*n : (step+1)*n] {
		p.slopeWas[i] += beta * (t - p.rateBefore[i]) * p.x[i]
		p.rWas[i] -= beta * p.slopeBefore[i] * p.x[i]
	}
}

// weights goes back through the drive and the feedback that link q carries.
func (d *adjoint) weights(step, q int) {
	s, l := d.s, &d.s.plan.links[q]
	w, to := s.sweeps[q].w, &d.pop[l.to]
	inside := step >= d.from && step < d.to
	var r []float64
	if in, ok := l.fromInput(); ok {
		r = d.input[in][step*l.m : (step+1)*l.m]
	} else {
		r = d.pop[l.from].rateBefore
		for i, a := range to.a {
			axpy(a, w[i*l.m:(i+1)*l.m], d.pop[l.from].rWas)
		}
	}
	if inside {
		for i, a := range to.a {
			axpy(a, r, d.grad.W[q][i*l.m:(i+1)*l.m])
		}
	}
	if l.from < 0 || step == 0 || s.plan.net.Gamma == 0 {
		return
	}
	back := d.pop[l.from].back
	e := d.e[l.to][(step-1)*l.n : step*l.n]
	if l.ownFeedback() {
		for j, c := range back {
			axpy(c, s.back[q].b[j*l.n:(j+1)*l.n], to.eWas)
			if inside {
				axpy(c, e, d.gB[q][j*l.n:(j+1)*l.n])
			}
		}
		return
	}
	for i := range e {
		to.eWas[i] += dot(w[i*l.m:(i+1)*l.m], back)
		if inside {
			axpy(e[i], back, d.grad.W[q][i*l.m:(i+1)*l.m])
		}
	}
}
