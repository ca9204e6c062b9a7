package crosscheck

import (
	"context"
	"fmt"
	"math"
	"slices"

	"vlec/emit/verilog/format"
	"vlec/model"
	"vlec/sim"
	"vlec/sim/fixed"
	"vlec/sim/reference"
)

// A Pair is the integer model of a plan beside the synchronous reference, both
// fed by the model's stimuli.
type Pair struct {
	Reference *reference.Synchronous
	Core      *fixed.Core

	plan    *format.Plan
	pops    []int // number of a planned population in the model
	inputs  []int // number of a planned input in the model
	targets []int // number of a planned population's target in the model, -1 for none
	links   []int // number of a planned projection in the model
	noises  []int // number in the model of the projection whose noise a planned population hears, -1 for none

	formerB [][]float64 // by planned projection: the reference's before the step, where the core is a step late
}

// NewPair prepares both at their start.
func NewPair(net *model.Network, p *format.Plan, learning bool) (*Pair, error) {
	s, err := reference.NewSynchronous(net, 1)
	if err != nil {
		return nil, err
	}
	if learning {
		s.Learning = reference.Local
	}
	core, err := fixed.New(p)
	if err != nil {
		return nil, err
	}
	c := &Pair{Reference: s, Core: core, plan: p}
	for i := range p.Inputs {
		c.inputs = append(c.inputs, slices.IndexFunc(net.Inputs, func(in *model.Input) bool { return in.Name == p.Inputs[i].Name }))
	}
	for i := range p.Populations {
		q := &p.Populations[i]
		c.pops = append(c.pops, slices.IndexFunc(net.Populations, func(o *model.Population) bool { return o.Name == q.Name }))
		noise := -1
		for k, l := range net.Projections {
			if from, ok := l.From.(*model.Population); ok && from.Name == q.Name && s.Noise(k) != nil {
				noise = k
			}
		}
		c.noises = append(c.noises, noise)
		c.targets = append(c.targets, slices.IndexFunc(net.Targets, func(t *model.Target) bool { return t.Name == q.Target }))
	}
	for i := range p.Projections {
		c.links = append(c.links, slices.IndexFunc(net.Projections, func(o *model.Projection) bool { return o.Name == p.Projections[i].Name }))
	}
	if slices.Contains(c.inputs, -1) || slices.Contains(c.pops, -1) || slices.Contains(c.links, -1) {
		return nil, fmt.Errorf("the plan %s belongs to another model than %s", p.Name, net.Name)
	}
	c.formerB = make([][]float64, len(c.links))
	return c, nil
}

// late tells whether the core takes in what backward weights were taught a step
// later than the reference.
func late(l *format.ProjectionPlan) bool {
	return l.Learns() && l.Feedback != format.Mirror && l.Feedback != format.Scaled
}

// Step advances both by dt, and lets the reference hear the noise of the core. The
// reference goes first, because its teacher gives the targets.
func (c *Pair) Step() {
	for i, k := range c.links {
		if late(&c.plan.Projections[i]) {
			c.formerB[i] = append(c.formerB[i][:0], c.Reference.B(k)...)
		}
	}
	for i, k := range c.noises {
		if x := c.Core.Noise(i); k >= 0 && x != nil {
			for j := range x {
				c.Reference.Noise(k)[j] = c.plan.Noise.State.Value(x[j])
			}
		}
	}
	c.Reference.Stimulate()
	c.Reference.Step()
	for i, k := range c.inputs {
		words(c.plan.Rate, c.Core.Input(i), c.Reference.Input(k))
	}
	for i, k := range c.targets {
		if k >= 0 {
			words(c.plan.Rate, c.Core.Target(i), c.Reference.Target(k))
		}
	}
	c.Core.Step()
}

func words(q format.Q, to []int64, from []float64) {
	for i, v := range from {
		to[i] = q.Word(v)
	}
}

// A watched signal, as both have it now, in model units.
type watched struct {
	name      string
	shape     []int
	reference func() []float64
	core      func() []float64
}

// signals lists all that both have.
func (c *Pair) signals() []watched {
	p, s := c.plan, c.Reference
	var list []watched
	values := func(q format.Q, w []int64) func() []float64 {
		v := make([]float64, len(w))
		return func() []float64 {
			for i := range w {
				v[i] = q.Value(w[i])
			}
			return v
		}
	}
	weights := func(w []int64) func() []float64 {
		v := make([]float64, len(w))
		return func() []float64 {
			for i := range w {
				v[i] = p.Weight.Value(w[i] - p.Half())
			}
			return v
		}
	}
	for i, k := range c.pops {
		q, z, f := &p.Populations[i], s.Population(k), c.Core.Population(i)
		add := func(kind string, ref func() []float64, core func() []float64) {
			list = append(list, watched{q.Name + "." + kind, []int{q.Size}, ref, core})
		}
		add("u", func() []float64 { return z.U }, values(p.Membrane.State, f.U))
		add("y", func() []float64 { return z.Y }, values(p.Potential, f.Y))
		add("r", func() []float64 { return z.R }, values(p.Rate, f.R))
		if q.Error {
			add("v", func() []float64 { return z.V }, values(p.Neuron.State, f.V))
			add("e", func() []float64 { return z.E }, values(p.Error, f.E))
		}
		if q.BiasPlastic {
			add("bias", func() []float64 { return s.Bias(k) }, weights(c.Core.Bias(i)))
		}
	}
	for i, k := range c.links {
		l := &p.Projections[i]
		n := p.Populations[l.To].Size
		if l.Plastic {
			list = append(list, watched{l.Name + ".W", []int{n, len(l.W) / n}, func() []float64 { return s.W(k) }, weights(c.Core.W(i))})
		}
		if l.Learns() {
			b := func() []float64 { return s.B(k) }
			if late(l) {
				b = func() []float64 { return c.formerB[i] }
			}
			list = append(list, watched{l.Name + ".B", []int{len(l.B) / n, n}, b, backward(p, c.Core.B(i), n)})
		}
	}
	return list
}

// backward returns the values of stored backward weights in the layout of B.
func backward(p *format.Plan, words []int64, n int) func() []float64 {
	v := make([]float64, len(words))
	m, half := len(words)/n, p.Rule.Half(p.Operand)
	return func() []float64 {
		for i := range n {
			for j := range m {
				v[j*n+i] = p.Rule.Weight.Value(words[i*m+j] - half)
			}
		}
		return v
	}
}

// A FixedRun is what the integer model did beside the reference.
type FixedRun struct {
	Reference *sim.Trace // in model units
	Integer   *sim.Trace // the same signals
	Usage     *format.Usage
	Steps     int
	Distance  map[string]float64 // by signal: the largest difference at any step
	Largest   map[string]float64 // by signal: the integer model's largest magnitude at any step
}

// RunFixed runs the integer model of a plan beside the synchronous reference for
// the model's duration, and records both every Probe.Every.
func RunFixed(ctx context.Context, net *model.Network, p *format.Plan, learning bool) (*FixedRun, error) {
	c, err := NewPair(net, p, learning)
	if err != nil {
		return nil, err
	}
	list := c.signals()
	r := &FixedRun{
		Reference: &sim.Trace{}, Integer: &sim.Trace{}, Usage: c.Core.Usage(),
		Steps: Steps(net), Distance: map[string]float64{}, Largest: map[string]float64{},
	}
	for _, w := range list {
		r.Reference.Signals = append(r.Reference.Signals, &sim.Signal{Name: w.name, Shape: w.shape})
		r.Integer.Signals = append(r.Integer.Signals, &sim.Signal{Name: w.name, Shape: w.shape})
	}
	every := max(int(math.Round(net.Probe.Every/net.Dt)), 1)
	distance, largest := make([]float64, len(list)), make([]float64, len(list))
	var times []float64
	for k := 1; k <= r.Steps; k++ {
		if k&1023 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		c.Step()
		sample := k%every == 0
		if sample {
			times = append(times, float64(k)*net.Dt)
		}
		for i, w := range list {
			if last := w.name[len(w.name)-1]; !sample && (last == 'W' || last == 'B' || last == 's') {
				continue // weights move slowly, and are many
			}
			a, b := w.reference(), w.core()
			for j := range a {
				distance[i] = math.Max(distance[i], math.Abs(a[j]-b[j]))
				largest[i] = math.Max(largest[i], math.Abs(b[j]))
			}
			if sample {
				r.Reference.Signals[i].Append(a)
				r.Integer.Signals[i].Append(b)
			}
		}
	}
	for i, w := range list {
		r.Reference.Signals[i].Time, r.Integer.Signals[i].Time = times, times
		r.Distance[w.name], r.Largest[w.name] = distance[i], largest[i]
	}
	return r, nil
}

// Steps is the number of clocked steps in a model's duration.
func Steps(net *model.Network) int { return int(math.Round(net.Duration / net.Dt)) }
