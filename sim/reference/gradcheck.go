package reference

import (
	"context"
	"errors"
	"fmt"
	"math"

	"vlec/model"
)

// A GradientCheck compares, for one run with resting weights, what the local
// rule would have done with the exact gradient of the loss
//
//	L = dt sum_k C(target_k, r_k)                 (of several trials the mean)
//
// over all steps k of the run: the derivative of the synchronous map itself, by
// a reverse sweep over its states (the adjoint method, backpropagation through
// time). With gamma > 0 the error neurons are part of that map.
type GradientCheck struct {
	Loss        float64
	Steps       int
	Trials      int
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
	Cosine       float64 // of the angle between them; NaN where one of them is zero
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
	// to the neuron's drive, both trials x n; the adjoint is multiplied by the
	// number of trials, so that it belongs to the loss of its own. The slices are
	// only valid during the call.
	Visit func(step, population int, e, adjoint []float64)

	// Progress, if not nil, is called now and then with the part that is done.
	Progress func(done float64)
}

// CheckGradient runs a network, in the synchronous semantics and with its
// weights at rest, and differentiates the run, all trials of a batch together.
// Backward weights are those of the model file. Memory grows with the square root
// of the number of steps. It reports a network without a target, a window outside
// the run, a run that leaves the finite numbers or is too long to be kept, and
// whatever NewSynchronous reports.
func CheckGradient(ctx context.Context, net *model.Network, o GradientOptions) (*GradientCheck, error) {
	if o.Duration == 0 {
		o.Duration = net.Duration
	}
	if o.To == 0 {
		o.To = o.Duration
	}
	if len(net.Targets) == 0 {
		return nil, errors.New("the model has no target, so there is no loss to differentiate; add a [target]")
	}
	s, err := NewSynchronous(net, max(1, net.Learning.Batch))
	if err != nil {
		return nil, err
	}
	if !(o.Duration/net.Dt <= model.MaxSteps) {
		return nil, fmt.Errorf("a run of length %g has too many steps of dt = %g, at most %g are allowed", o.Duration, net.Dt, float64(model.MaxSteps))
	}
	steps, from, to := whole(o.Duration, net.Dt), whole(o.From, net.Dt), whole(o.To, net.Dt)
	if !(0 <= from && from < to && to <= steps) {
		return nil, fmt.Errorf("there is no step of dt = %g from %g to %g in a run from 0 to %g", net.Dt, o.From, o.To, o.Duration)
	}
	progress := o.Progress
	if progress == nil {
		progress = func(float64) {}
	}
	const forth = 0.2 // share of the first run in the work
	f, err := newFilm(s, steps)
	if err != nil {
		return nil, err
	}
	if err := f.shoot(ctx, func(done float64) { progress(forth * done) }); err != nil {
		return nil, err
	}
	d := newAdjoint(newTape(s, min(f.stretch, steps)), from, to)
	if o.Visit != nil {
		var scaled []float64
		d.visit = func(step, k int, e, drive []float64) {
			scaled = scaled[:0]
			for _, v := range drive {
				scaled = append(scaled, -v*float64(s.trials)/net.Dt)
			}
			o.Visit(step, k, e, scaled)
		}
	}
	if err := d.run(ctx, f, func(done float64) { progress(forth + (1-forth)*done) }); err != nil {
		return nil, err
	}
	c := &GradientCheck{Loss: f.loss, Steps: steps, Trials: s.trials, Feedback: d.exactB}
	for k, pop := range net.Populations {
		c.Biases = append(c.Biases, compare(pop.Name, d.local.Bias[k], d.exact.Bias[k]))
		c.TauMs = append(c.TauMs, compare(pop.Name, d.local.TauM[k], d.exact.TauM[k]))
	}
	for k, pr := range net.Projections {
		c.Projections = append(c.Projections, compare(pr.Name, d.local.W[k], d.exact.W[k]))
	}
	for _, set := range [][]Comparison{c.Projections, c.Biases, c.TauMs} {
		for _, p := range set {
			if n := length(p.Exact); math.IsNaN(n) || math.IsInf(n, 0) {
				return nil, fmt.Errorf("the gradient at %s is not a finite number: it grows without bound on its way back in time; shorten the run, or lower the recurrent weights", p.Name)
			}
		}
	}
	return c, nil
}

// Join puts comparisons together as if their parameters were one vector: unlike
// the single ones it sees when the local rule moves one of them too fast.
func Join(name string, parts ...Comparison) Comparison {
	c := Comparison{Name: name}
	for _, p := range parts {
		c.Local, c.Exact = append(c.Local, p.Local...), append(c.Exact, p.Exact...)
	}
	c.measure()
	return c
}

// compare turns two gradients into descents and compares them.
func compare(name string, local, exact []float64) Comparison {
	c := Comparison{Name: name, Local: local, Exact: exact}
	scale(-1, local)
	scale(-1, exact)
	c.measure()
	return c
}

func (c *Comparison) measure() {
	a, b := length(c.Local), length(c.Exact)
	c.NormRatio = a / b
	sum := 0.0
	for i, v := range c.Local {
		sum += (v / a) * (c.Exact[i] / b)
	}
	c.Cosine = sum
	if a == 0 || b == 0 {
		c.Cosine = math.NaN()
	}
}

// length is the Euclidean norm, without overflow or underflow of squares.
func length(v []float64) float64 {
	top := 0.0
	for _, x := range v {
		top = max(top, math.Abs(x))
	}
	if top == 0 || math.IsNaN(top) || math.IsInf(top, 0) {
		return top
	}
	sum := 0.0
	for _, x := range v {
		sum += (x / top) * (x / top)
	}
	return top * math.Sqrt(sum)
}
