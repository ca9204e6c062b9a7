package reference

import (
	"context"
	"slices"
)

// runContinuous integrates the differential equations. The integrator stops at
// every sample, at every row of metrics, at every kink of a stimulus or of the
// schedule (a step across one would lose its order of accuracy) and at the ends
// of the two windows of the loss.
func (c *course) runContinuous(ctx context.Context) error {
	net, o := c.net, &c.o
	input := make([][]float64, len(net.Inputs))
	for k, in := range net.Inputs {
		input[k] = make([]float64, in.Width())
	}
	f, err := newFlow(net, net.Inputs, input, o.Learning, 0)
	if err != nil {
		return err
	}
	f.addParts(o.Parts)
	if f.slow == nil {
		if err := f.addLoops(); err != nil {
			return err
		}
	}

	// One more state integrates the loss.
	n := f.size
	z := append(f.initial(), 0)
	d, err := newIntegrator(func(t float64, z, dz []float64) error {
		err := f.derive(t, z, dz)
		dz[n] = f.loss()
		return err
	}, z, o.RelTol)
	if err != nil {
		return err
	}
	t := &transit{
		course: c, f: f, d: d, first: -1,
		window: windowShare * o.Duration,
		slack:  1e-12 * o.Duration,
		noisy:  slices.ContainsFunc(f.link, func(l flowLink) bool { return l.xi != nil }),
	}
	t.stops = t.planStops()
	samples := whole(o.Duration, o.Every)
	if err := c.open(f.plan, f, samples+1, t.keep); err != nil {
		return err
	}
	if len(o.Signals) == 0 {
		samples = -1
	}
	if o.Resume == nil {
		if err := t.visit(); err != nil {
			return err
		}
		if samples >= 0 {
			if err := c.rec.sample(0); err != nil {
				return err
			}
		}
	}
	c.tick.reportedUpTo = d.t / o.Duration
	for c.meter.ended == 0 && (d.t < o.Duration || c.rec.samples <= samples) {
		at, k := o.Duration, c.rec.samples
		if k <= samples {
			at = float64(k) * o.Every // may exceed the duration by rounding
		}
		for d.t < at && c.meter.ended == 0 {
			if err := c.pause(d.t, t.keep); err != nil {
				return err
			}
			from, sum := d.t, d.z[n]
			if err := d.advance(ctx, t.next(at)); err != nil {
				if ctx.Err() != nil {
					c.cancelled.Store(true)
					return c.pause(d.t, t.keep)
				}
				return err
			}
			if err := t.visit(); err != nil {
				return err
			}
			c.tick.add(d.t/o.Duration, (d.z[n]-sum)/(d.t-from), d.t-from)
		}
		if k <= samples && d.t >= at {
			if err := c.rec.sample(at); err != nil {
				return err
			}
		}
	}
	c.Steps, c.Evaluations = d.steps, d.evaluations
	if t.window > 0 {
		c.LossFirst, c.LossLast = t.first/t.window, (d.z[n]-t.last)/t.window
	}
	f.bind(d.z)
	return c.close(min(d.t, o.Duration), f.plan, f, t.keep)
}

// A transit is a continuous run under way.
type transit struct {
	*course
	f *flow
	d *integrator

	stops         []float64 // still to come, ascending
	window, slack float64
	noisy         bool

	// The integral of the loss: at the end of the first window (-1 before it), at
	// the beginning of the last, and at the last row of metrics.
	first, last, noted float64
	rows               int // of metrics
	grid               int // steps of dt of the noise
}

func (t *transit) planStops() []float64 {
	end := t.o.Duration
	stops := append(t.f.kinks(end), t.window, end-t.window, end)
	stops = append(stops, t.o.Parts.kinks(end)...)
	if t.o.Learning {
		stops = learningKinks(stops, t.net.Learning, end)
	}
	every := func(period float64) {
		for k := 1; k <= whole(end, period); k++ {
			stops = append(stops, float64(k)*period)
		}
	}
	if t.noisy {
		every(t.net.Dt)
	}
	if t.o.Metrics.Every > 0 {
		every(t.o.Metrics.Every)
	}
	slices.Sort(stops)
	return stops
}

// next returns the first stop from now on, if it comes clearly before the sample.
func (t *transit) next(sample float64) float64 {
	for len(t.stops) > 0 && t.stops[0] <= t.d.t+t.slack {
		t.stops = t.stops[1:]
	}
	if len(t.stops) > 0 && t.stops[0] < sample-t.slack {
		return t.stops[0]
	}
	return sample
}

// visit does what is to be done at the present stop.
func (t *transit) visit() error {
	d, f := t.d, t.f
	loss := d.z[f.size]
	if t.first < 0 && d.t >= t.window-t.slack {
		t.first = loss
	}
	if d.t <= t.o.Duration-t.window+t.slack {
		t.last = loss
	}
	for t.noisy && float64(t.grid+1)*t.net.Dt <= d.t+t.slack {
		f.advanceNoise()
		t.grid++
	}
	if every := t.o.Metrics.Every; every > 0 && float64(t.rows+1)*every <= d.t+t.slack {
		t.rows++
		t.meter.add((loss-t.noted)/every, 1)
		t.noted = loss
		if err := t.meter.row(float64(t.rows) * every); err != nil {
			return err
		}
	}
	if !f.begun && d.t >= t.net.Learning.Start-t.slack {
		f.begun = true
		return d.f(d.t, d.z, d.k[0]) // the slope jumps here
	}
	return nil
}

func (t *transit) keep(l *ledger) {
	t.f.bind(t.d.z)
	t.f.keep(l, statePrefix)
	t.d.keep(l)
	l.numbers(statePrefix+"integral", &t.first, &t.last, &t.noted)
	l.counts(statePrefix+"grid", &t.rows, &t.grid)
	t.course.keep(l)
	t.f.bind(t.d.z)
}

// advanceNoise moves every noise process on to its next step.
func (f *flow) advanceNoise() {
	for k := range f.link {
		if xi := f.link[k].xi; xi != nil {
			xi.advance()
		}
	}
}

func (f *flow) ofPopulation(kind string, k int) []float64 {
	p := &f.pop[k]
	switch kind {
	case "u":
		return p.u.value
	case "v":
		return p.v.value
	case "y":
		return p.y
	case "r":
		return p.r
	case "x":
		return p.x
	case "e":
		return p.e
	case "a":
		return p.a
	case "bias":
		return p.bias.value
	case "tau_m":
		return p.tauM.value
	}
	return nil
}

func (f *flow) ofProjection(kind string, k int) []float64 {
	switch kind {
	case "W":
		return f.link[k].w.value
	case "B":
		if f.links[k].ownFeedback() {
			return f.link[k].b.value
		}
	}
	return nil
}

func (f *flow) ofInput(k int) []float64  { return f.input[k] }
func (f *flow) ofTarget(k int) []float64 { return f.target[k] }
