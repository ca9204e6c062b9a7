package reference

import (
	"context"
	"math"

	"vlec/model"
)

// A GradientCheck compares, for one run with resting weights, what the local
// rule would have done with the exact gradient of the loss
//
//	L = dt sum_k C(target_k, r_k)
//
// over all steps k of the run: the derivative of the synchronous map itself, by
// a reverse sweep over its stored states (the adjoint method, backpropagation
// through time). With gamma > 0 the error neurons are part of that map.
type GradientCheck struct {
	Loss        float64
	Projections []Comparison // W, in the order of the model
	Biases      []Comparison // by population
	TauMs       []Comparison // by population

	// Feedback holds the exact derivative with respect to B, by projection, m x n;
	// nil where B is W^T. It is zero unless gamma > 0.
	Feedback [][]float64
}

// A Comparison is a local update against the exact gradient of one parameter.
type Comparison struct {
	Name string // of the projection or population
	// Local is dt times the sum of e r_pre^T, e, or -e du/dt: the descent that the
	// plain rule makes at learning rate 1. Exact is the negative gradient.
	Local, Exact []float64
	Cosine       float64 // of the angle between them
	NormRatio    float64 // |Local| / |Exact|
}

// GradientOptions says which part of a run is differentiated.
type GradientOptions struct {
	Duration float64 // 0: the model's
	// From and To bound the steps in which the use of a parameter counts, both for
	// the local and for the exact gradient; the loss is always that of the whole
	// run. In a steady state a window that leaves out both ends removes the
	// transient of the start and, for the adjoint, that of the end. To 0 means the
	// end of the run.
	From, To float64

	// Visit, if not nil, sees for every population and step (last step first) the
	// error e and the adjoint's counterpart, the derivative of -L/dt with respect
	// to the neuron's drive. The slices are only valid during the call.
	Visit func(step, population int, e, adjoint []float64)
}

// CheckGradient runs a network, in the synchronous semantics and with its
// weights at rest, and differentiates the run. Backward weights are those of the
// model file. It reports a run too long to be stored and whatever NewSynchronous
// reports.
func CheckGradient(ctx context.Context, net *model.Network, o GradientOptions) (*GradientCheck, error) {
	if o.Duration == 0 {
		o.Duration = net.Duration
	}
	if o.To == 0 {
		o.To = o.Duration
	}
	t, err := record(ctx, net, whole(o.Duration, net.Dt))
	if err != nil {
		return nil, err
	}
	d := newAdjoint(t, whole(o.From, net.Dt), whole(o.To, net.Dt))
	if o.Visit != nil {
		var scaled []float64
		d.visit = func(step, k int, drive []float64) {
			scaled = scaled[:0]
			for _, v := range drive {
				scaled = append(scaled, -v/net.Dt)
			}
			n := len(drive)
			o.Visit(step, k, t.e[k][step*n:(step+1)*n], scaled)
		}
	}
	if err := d.sweep(ctx); err != nil {
		return nil, err
	}
	c := &GradientCheck{Loss: t.loss, Feedback: d.gB}
	local := t.local(d.from, d.to)
	for k, pop := range net.Populations {
		c.Biases = append(c.Biases, compare(pop.Name, local.Bias[k], d.grad.Bias[k]))
		c.TauMs = append(c.TauMs, compare(pop.Name, local.TauM[k], d.grad.TauM[k]))
	}
	for k, pr := range net.Projections {
		c.Projections = append(c.Projections, compare(pr.Name, local.W[k], d.grad.W[k]))
	}
	return c, nil
}

// compare turns two gradients into descents and compares them.
func compare(name string, local, exact []float64) Comparison {
	c := Comparison{Name: name, Local: local, Exact: exact}
	scale(-1, local)
	scale(-1, exact)
	a, b := math.Sqrt(dot(local, local)), math.Sqrt(dot(exact, exact))
	c.Cosine, c.NormRatio = dot(local, exact)/(a*b), a/b
	return c
}

// local returns the gradient that the local rule estimates over a part of the
// tape, times dt.
func (t *tape) local(from, to int) *Gradients {
	g := &Gradients{}
	p, dt := t.s.plan, t.s.dt
	for k, pop := range p.pops {
		bias, tauM := make([]float64, pop.Size), make([]float64, pop.Size)
		for step := from; step < to; step++ {
			for i := range bias {
				e := t.e[k][step*pop.Size+i]
				bias[i] -= dt * e
				tauM[i] += dt * e * t.ud[k][step*pop.Size+i]
			}
		}
		g.Bias, g.TauM = append(g.Bias, bias), append(g.TauM, tauM)
	}
	for k := range p.links {
		l := &p.links[k]
		w := make([]float64, len(l.W))
		r, slope := make([]float64, l.m), make([]float64, l.m)
		for step := from; step < to; step++ {
			if in, ok := l.fromInput(); ok {
				r = t.input[in][step*l.m : (step+1)*l.m]
			} else if clear(r); step > 0 {
				activate(p.pops[l.from].Activation, t.y[l.from][(step-1)*l.m:step*l.m], r, slope)
			}
			for i := range l.n {
				axpy(-dt*t.e[l.to][step*l.n+i], r, w[i*l.m:(i+1)*l.m])
			}
		}
		g.W = append(g.W, w)
	}
	return g
}
