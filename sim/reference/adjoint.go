package reference

import (
	"context"

	"vlec/model"
)

// An adjoint is the state of the reverse sweep: the derivatives of the loss with
// respect to the values of one step, and of the parameters as far as they are
// summed up.
type adjoint struct {
	*tape
	pop  []adjointPop
	soft []float64
	// exact is the gradient of the loss, local what the local rule takes for it.
	exact, local Gradients
	exactB       [][]float64 // by projection, m x n; nil where B is W^T

	from, to int // steps whose use of a parameter counts
	// visit, if not nil, sees the derivative with respect to the drive of
	// population k in every step, last step first.
	visit func(step, k int, e, drive []float64)
}

// An adjointPop holds derivatives with respect to a population's values of one
// step (u, v, r, slope, e) and those of the step before while they are collected;
// all are trials x n.
type adjointPop struct {
	u, v, r, slope, e    []float64
	rWas, slopeWas, eWas []float64
	a, x, back           []float64 // with respect to drive, x and feedback
}

func newAdjoint(t *tape, from, to int) *adjoint {
	d := &adjoint{tape: t, from: from, to: to}
	for _, p := range t.s.plan.pops {
		var q adjointPop
		for _, v := range []*[]float64{
			&q.u, &q.v, &q.r, &q.slope, &q.e, &q.rWas, &q.slopeWas, &q.eWas, &q.a, &q.x, &q.back,
		} {
			*v = make([]float64, t.s.trials*p.Size)
		}
		d.pop = append(d.pop, q)
		d.soft = make([]float64, max(len(d.soft), p.Size))
	}
	d.exact, d.local = newGradients(t.s.plan), newGradients(t.s.plan)
	for k := range t.s.plan.links {
		var b []float64
		if l := &t.s.plan.links[k]; l.ownFeedback() {
			b = make([]float64, len(l.W))
		}
		d.exactB = append(d.exactB, b)
	}
	return d
}

// newGradients returns gradients of zero.
func newGradients(p *plan) Gradients {
	var g Gradients
	for _, pop := range p.pops {
		g.Bias = append(g.Bias, make([]float64, pop.Size))
		g.TauM = append(g.TauM, make([]float64, pop.Size))
	}
	for k := range p.links {
		g.W = append(g.W, make([]float64, len(p.links[k].W)))
	}
	return g
}

// run goes through the whole film, last stretch first.
func (d *adjoint) run(ctx context.Context, f *film, progress func(done float64)) error {
	for k := len(f.snapshots) - 1; k >= 0; k-- {
		if err := ctx.Err(); err != nil {
			return err
		}
		first := k * f.stretch
		progress(1 - float64(min(first+f.stretch, f.steps))/float64(f.steps))
		f.s.restore(f.snapshots[k])
		f.snapshots[k] = snapshot{}
		d.record(min(f.stretch, f.steps-first))
		d.sweep()
	}
	return nil
}

// sweep goes from the last step of the tape to the first. It is the chain rule
// applied to the equations of Synchronous line by line, in reverse. With gamma > 0
// the error neurons are part of the map and so of its derivative; without, nothing
// that they do reaches a rate.
func (d *adjoint) sweep() {
	s := d.s
	coupled := s.plan.net.Gamma != 0
	for slot := d.steps; slot > 0; slot-- {
		for q := range s.plan.targets {
			d.seed(slot, q)
		}
		for k := range s.plan.pops {
			d.membranes(slot, k)
			if coupled {
				d.errors(slot, k)
			}
		}
		if coupled {
			for q := range s.plan.targets {
				d.nudged(slot, q)
			}
		}
		for q := range s.plan.links {
			d.drives(slot, q)
			if coupled && s.plan.links[q].from >= 0 {
				d.feedback(slot, q)
			}
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
}

// counts tells whether parameters used in a slot's step count.
func (d *adjoint) counts(slot int) bool {
	step := d.first + slot - 1
	return d.from <= step && step < d.to
}

// seed adds the derivative of the loss of this step, dt C(target_k, r_k), the
// mean over trials.
func (d *adjoint) seed(slot, q int) {
	aim := &d.s.plan.targets[q]
	n, p, kept := aim.Population.Size, &d.pop[aim.pop], &d.pops[aim.pop]
	target, rate := kept.at(d.target[q], slot), kept.at(kept.r, slot)
	share := d.s.dt / float64(d.s.trials)
	if aim.Loss != model.CrossEntropy {
		for i, t := range target {
			p.r[i] += share * (rate[i] - t)
		}
		return
	}
	for first := 0; first < len(target); first += n {
		mass := 0.0
		for _, t := range target[first : first+n] {
			mass += t
		}
		soft := d.soft[:n]
		softmax(rate[first:first+n], soft)
		for i, t := range target[first : first+n] {
			p.r[first+i] += share * (mass*soft[i] - t)
		}
	}
}

// membranes goes back through the signal neurons of population k.
func (d *adjoint) membranes(slot, k int) {
	pop, p, kept := d.s.plan.pops[k], &d.pop[k], &d.pops[k]
	n, dt := pop.Size, d.s.dt
	ys, rates, slopes := kept.at(kept.y, slot), kept.at(kept.r, slot), kept.at(kept.slope, slot)
	uds, es := kept.at(kept.ud, slot), kept.at(kept.e, slot)
	for q := range p.u {
		tauM, tauR := pop.TauM[q%n], pop.TauR[q%n]
		// r = phi(y), slope = phi'(y)
		y := p.r[q] * slopes[q]
		if p.slope[q] != 0 {
			y += p.slope[q] * curvature(pop.Activation, ys[q], rates[q], slopes[q])
		}
		// y = u + tau_r ud, u' = u + dt ud, ud = (a + gamma e - u)/tau_m
		total := (tauR*y + dt*p.u[q]) / tauM
		p.u[q] += y - total
		p.a[q] = total
	}
	if d.counts(slot) {
		share := dt / float64(d.s.trials)
		for q, total := range p.a {
			d.exact.Bias[k][q%n] += total
			d.exact.TauM[k][q%n] -= total * uds[q]
			d.local.Bias[k][q%n] -= share * es[q]
			d.local.TauM[k][q%n] += share * es[q] * uds[q]
		}
	}
	if d.visit != nil {
		d.visit(d.first+slot-1, k, es, p.a)
	}
}

// errors goes back through the error neurons of population k.
func (d *adjoint) errors(slot, k int) {
	pop, p, kept := d.s.plan.pops[k], &d.pop[k], &d.pops[k]
	n, dt, gamma := pop.Size, d.s.dt, d.s.plan.net.Gamma
	vds, backs, slopesWere := kept.at(kept.vd, slot), kept.at(kept.back, slot), kept.at(kept.slope, slot-1)
	counts := d.counts(slot)
	for q := range p.v {
		tauM, tauR := pop.TauM[q%n], pop.TauR[q%n]
		e := p.e[q] + gamma*p.a[q]
		// e = v + tau_m vd, v' = v + dt vd, vd = (x - v)/tau_r
		x := (tauM*e + dt*p.v[q]) / tauR
		p.v[q] += e - x
		// x = slope back + what nudged adds
		p.x[q] = x
		p.back[q] = x * slopesWere[q]
		p.slopeWas[q] = x * backs[q]
		if counts {
			d.exact.TauM[k][q%n] += e * vds[q]
		}
	}
}

// nudged goes back through the error that target q adds to x.
func (d *adjoint) nudged(slot, q int) {
	aim := &d.s.plan.targets[q]
	n, p, kept, beta := aim.Population.Size, &d.pop[aim.pop], &d.pops[aim.pop], d.s.plan.net.Beta
	ratesWere, slopesWere := kept.at(kept.r, slot-1), kept.at(kept.slope, slot-1)
	if aim.Loss != model.CrossEntropy {
		for i, t := range kept.at(d.target[q], slot) {
			p.slopeWas[i] += beta * (t - ratesWere[i]) * p.x[i]
			p.rWas[i] -= beta * slopesWere[i] * p.x[i]
		}
		return
	}
	for first := 0; first < len(p.x); first += n {
		soft, x := d.soft[:n], p.x[first:first+n]
		softmax(ratesWere[first:first+n], soft)
		mean := dot(soft, x)
		for i, v := range x {
			p.rWas[first+i] -= beta * soft[i] * (v - mean)
		}
	}
}

// drives goes back through the drive that link q carries, and adds what the local
// rule does in this step.
func (d *adjoint) drives(slot, q int) {
	s, l := d.s, &d.s.plan.links[q]
	w, to, es := s.sweeps[q].w, &d.pop[l.to], d.pops[l.to].at(d.pops[l.to].e, slot)
	counts, share := d.counts(slot), s.dt/float64(s.trials)
	for t := range s.trials {
		var r, rWas []float64
		if in, ok := l.fromInput(); ok {
			r = d.input[in][(slot*s.trials+t)*l.m:][:l.m]
		} else {
			from := &d.pops[l.from]
			r = from.at(from.r, slot-1)[t*l.m:][:l.m]
			rWas = d.pop[l.from].rWas[t*l.m:][:l.m]
		}
		for i, a := range to.a[t*l.n : (t+1)*l.n] {
			if rWas != nil {
				axpy(a, w[i*l.m:(i+1)*l.m], rWas)
			}
			if counts {
				axpy(a, r, d.exact.W[q][i*l.m:(i+1)*l.m])
				axpy(-share*es[t*l.n+i], r, d.local.W[q][i*l.m:(i+1)*l.m])
			}
		}
	}
}

// feedback goes back through the errors that link q carries.
func (d *adjoint) feedback(slot, q int) {
	s, l := d.s, &d.s.plan.links[q]
	to, counts := &d.pop[l.to], d.counts(slot)
	for t := range s.trials {
		back := d.pop[l.from].back[t*l.m : (t+1)*l.m]
		e, eWas := d.pops[l.to].at(d.pops[l.to].e, slot-1)[t*l.n:][:l.n], to.eWas[t*l.n:][:l.n]
		if l.ownFeedback() {
			for j, c := range back {
				axpy(c, s.back[q].b[j*l.n:(j+1)*l.n], eWas)
				if counts {
					axpy(c, e, d.exactB[q][j*l.n:(j+1)*l.n])
				}
			}
			continue
		}
		w := s.sweeps[q].w
		for i := range e {
			eWas[i] += dot(w[i*l.m:(i+1)*l.m], back)
			if counts {
				axpy(e[i], back, d.exact.W[q][i*l.m:(i+1)*l.m])
			}
		}
	}
}
