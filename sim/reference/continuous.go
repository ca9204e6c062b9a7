package reference

import (
	"context"
	"slices"

	"vlec/model"
	"vlec/sim"
)

// runContinuous integrates the differential equations. The integrator stops at
// every sample, at every kink of a stimulus or of the schedule (a step across one
// would lose its order of accuracy) and at the ends of the two windows of the loss.
func runContinuous(ctx context.Context, net *model.Network, o Options) (*sim.Trace, *Result, error) {
	input := make([][]float64, len(net.Inputs))
	for k, in := range net.Inputs {
		input[k] = make([]float64, in.Width())
	}
	f, err := newFlow(net, net.Inputs, input, o.Learning, 0)
	if err != nil {
		return nil, nil, err
	}
	f.addLoops()

	// One more state integrates the loss.
	n := f.size
	z := append(f.initial(), 0)
	d, err := newIntegrator(func(t float64, z, dz []float64) error {
		err := f.derive(t, z, dz)
		dz[n] = f.loss()
		return err
	}, z, o.RelTol)
	if err != nil {
		return nil, nil, err
	}
	samples := whole(o.Duration, o.Every)
	rec, err := newRecorder(f.plan, f, o.Signals, samples+1)
	if err != nil {
		return nil, nil, err
	}
	meter, err := newMeter(o.Metrics, o.Duration)
	if err != nil {
		return nil, nil, err
	}

	window := windowShare * o.Duration
	stops := append(f.kinks(o.Duration), window, o.Duration-window, o.Duration)
	if o.Learning {
		stops = learningKinks(stops, net.Learning, o.Duration)
	}
	noisy := slices.ContainsFunc(f.link, func(l flowLink) bool { return l.xi != nil })
	grid := 0 // steps of dt of the noise
	if noisy {
		for k := 1; k <= whole(o.Duration, net.Dt); k++ {
			stops = append(stops, float64(k)*net.Dt)
		}
	}
	rows := 0 // of metrics
	if o.Metrics.Every > 0 {
		for k := 1; k <= whole(o.Duration, o.Metrics.Every); k++ {
			stops = append(stops, float64(k)*o.Metrics.Every)
		}
	}
	slices.Sort(stops)
	tick := newTicker(o.Progress)
	// next returns the first stop after t, if it comes clearly before the sample.
	slack := 1e-12 * o.Duration
	next := func(sample float64) float64 {
		for len(stops) > 0 && stops[0] <= d.t+slack {
			stops = stops[1:]
		}
		if len(stops) > 0 && stops[0] < sample-slack {
			return stops[0]
		}
		return sample
	}
	res := &Result{}
	first, last := -1.0, 0.0
	noted := 0.0 // integral of the loss at the last row
	visit := func() error {
		if first < 0 && d.t >= window-slack {
			first = d.z[n]
		}
		if d.t <= o.Duration-window+slack {
			last = d.z[n]
		}
		for noisy && float64(grid+1)*net.Dt <= d.t+slack {
			f.advanceNoise()
			grid++
		}
		if at := float64(rows+1) * o.Metrics.Every; o.Metrics.Every > 0 && at <= d.t+slack {
			meter.add((d.z[n]-noted)/o.Metrics.Every, 1)
			meter.row(at)
			noted = d.z[n]
			rows++
		}
		if !f.begun && d.t >= net.Learning.Start-slack {
			f.begun = true
			return d.f(d.t, d.z, d.k[0]) // the slope jumps here
		}
		return nil
	}
	if err := visit(); err != nil {
		return nil, nil, err
	}
	rec.sample(0)
	for k := 1; k <= samples+1; k++ {
		at := min(float64(k)*o.Every, o.Duration)
		if k == samples {
			at = float64(k) * o.Every // may exceed the duration by rounding
		}
		from, sum := d.t, d.z[n]
		for d.t < at {
			if err := d.advance(ctx, next(at)); err != nil {
				return nil, nil, err
			}
			if err := visit(); err != nil {
				return nil, nil, err
			}
		}
		if k <= samples {
			rec.sample(at)
		}
		if at > from {
			tick.add(at/o.Duration, (d.z[n]-sum)/(at-from), at-from)
		}
	}
	res.Steps, res.Evaluations = d.steps, d.evaluations
	if window > 0 {
		res.LossFirst, res.LossLast = first/window, (d.z[n]-last)/window
	}
	f.bind(d.z)
	res.Metrics, res.Weights = meter.done(), weightsOf(f.plan, f)
	return rec.done(), res, nil
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
