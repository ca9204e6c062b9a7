package spice

import (
	"context"
	"errors"
	"fmt"
	"math"

	"vlec/sim"
	"vlec/sim/spice/flow"
)

// An explicit is a transient without a matrix: the circuit sorted into an
// explicit differential equation, and what the run needs beside it.
type explicit struct {
	c      *Circuit
	field  *flow.Field
	out    *recorder
	probes []probe // into the outputs of field, ground behind the last
	opts   flow.Options
	spec   tranSpec
	grid   []float64 // instants to report, or nil for equidistant ones
	every  float64
}

// stiffest is how many times the fastest rate of change may go into the maximum
// step before the implicit method is the cheaper one: evaluating the sorted
// equations costs a small part of an iteration with a matrix, but stability
// forbids steps beyond a few times the fastest time constant.
const stiffest = 20

// newExplicit sorts the circuit, whose waveforms are resolved. The error is a
// *flow.NotExplicitError when it needs the implicit method.
func (c *Circuit) newExplicit(spec tranSpec, hmax float64, o Options) (*explicit, error) {
	e := &explicit{c: c, spec: spec, grid: o.Times, every: math.Min(spec.step, hmax)}
	var err error
	if e.probes, err = c.probes(o); err != nil {
		return nil, err
	}
	// Probes name unknowns; the field gives only those asked for.
	ground := int32(c.unknowns())
	place := map[int32]int32{}
	var shown []int
	for _, p := range e.probes {
		for _, u := range []int32{p.a, p.b} {
			if _, ok := place[u]; !ok && u != ground {
				place[u] = int32(len(shown))
				shown = append(shown, int(u))
			}
		}
	}
	place[ground] = int32(len(shown))
	for k := range e.probes {
		p := &e.probes[k]
		p.a, p.b = place[p.a], place[p.b]
	}
	system, limit := c.equations(hmax)
	if e.field, err = flow.Compile(system, shown); err != nil {
		return nil, err
	}
	e.opts = flow.Options{
		RelTol:  min(1e-7, max(1e-13, 1e-4*c.opts.reltol)),
		AbsTol:  min(1e-9, max(1e-13, 1e-3*c.opts.vntol)),
		MaxStep: limit,
	}
	if o.MaxStep > 0 {
		e.opts.MaxStep = min(limit, o.MaxStep)
	}
	return e, nil
}

// start finds the states at t = 0: with uic from the charges that the initial
// conditions put on capacitors and the fluxes in inductors, without it from the
// operating point.
func (e *explicit) start(stats *Stats) ([]float64, error) {
	c := e.c
	x := make([]float64, e.field.States())
	if !e.spec.uic {
		z := make([]float64, c.unknowns()+1)
		if err := c.checkDC(c.ics); err != nil {
			return nil, err
		}
		if len(c.nodesets) > 0 {
			if err := c.operatingPoint(stats, z, append(append([]nodeIC(nil), c.nodesets...), c.ics...)); err != nil {
				return nil, err
			}
		}
		if err := c.operatingPoint(stats, z, c.ics); err != nil {
			return nil, err
		}
		for k := range x {
			x[k] = z[e.field.Unknown(k)]
		}
		e.field.Guess(z)
		return x, nil
	}
	given := make([]float64, len(c.nodes))
	for _, ic := range c.ics {
		given[ic.node] = ic.v
	}
	q := make([]float64, c.unknowns())
	for i := range c.capacitors {
		d := &c.capacitors[i]
		ic := d.ic
		if !d.hasIC {
			ic = given[d.a] - given[d.b]
		}
		if d.a > 0 {
			q[d.a-1] += d.c * ic
		}
		if d.b > 0 {
			q[d.b-1] -= d.c * ic
		}
	}
	flux := func(of, by int32, l float64) { // inductor of, current of inductor by
		if d := &c.inductors[by]; d.hasIC {
			q[c.unknown(branchRef(c.inductors[of].br))] -= l * d.ic
		}
	}
	for i := range c.inductors {
		flux(int32(i), int32(i), c.inductors[i].l)
	}
	for _, k := range c.couplings {
		flux(k.l1, k.l2, k.m)
		flux(k.l2, k.l1, k.m)
	}
	e.field.Initial(q, x)
	// Charge divided by capacitance is the initial value but for its last bit.
	exact := map[int]float64{}
	for i := range c.capacitors {
		d := &c.capacitors[i]
		ic := d.ic
		if !d.hasIC {
			ic = given[d.a] - given[d.b]
		}
		switch {
		case d.b == 0 && d.a > 0:
			exact[int(d.a)-1] = ic
		case d.a == 0 && d.b > 0:
			exact[int(d.b)-1] = -ic
		}
	}
	for i := range c.inductors {
		if d := &c.inductors[i]; d.hasIC {
			exact[int(c.unknown(branchRef(d.br)))] = d.ic
		}
	}
	for k := range x {
		if v, ok := exact[e.field.Unknown(k)]; ok && math.Abs(x[k]-v) <= rounding*math.Abs(v) {
			x[k] = v
		}
	}
	return x, nil
}

// run integrates to the stop time.
func (e *explicit) run(ctx context.Context, o Options, x []float64, stats *Stats) error {
	e.opts.Check = func(t float64) error {
		if o.Progress != nil {
			o.Progress(t / e.spec.stop)
		}
		return ctx.Err()
	}
	g, err := flow.NewIntegrator(e.field, x, 0, e.spec.stop, e.opts)
	if err != nil {
		return err
	}
	first := math.Ceil(e.spec.start/e.every*(1-1e-9)) * e.every
	last := int(math.Floor((e.spec.stop - first) / e.every * (1 + 1e-9)))
	times := func(k int) float64 {
		switch {
		case k < last:
			return first + float64(k)*e.every
		case k == last:
			return math.Min(e.spec.stop, first+float64(k)*e.every)
		}
		return math.Inf(1)
	}
	if e.grid != nil {
		times = func(k int) float64 {
			if k < len(e.grid) {
				return e.grid[k]
			}
			return math.Inf(1)
		}
	}
	values := make([]float64, len(e.out.values)+2)
	err = g.Run(times, e.grid == nil, func(t float64, out []float64) error {
		if t < e.spec.start {
			return nil // the end of a step before samples are wanted
		}
		values = append(append(values[:0], out...), 0)
		return e.out.sample(t, values, e.grid != nil || t >= e.spec.stop)
	})
	stats.Steps, stats.Rejected, stats.Evaluations = g.Counts.Steps, g.Counts.Rejected, g.Counts.Evaluations
	return err
}

// explicitTran runs the transient with the explicit engine where that is asked
// for, or left open and possible and promising. It says whether it did.
func (c *Circuit) explicitTran(ctx context.Context, o Options, stats *Stats) (tr *sim.Trace, ok bool, err error) {
	log := func(format string, args ...any) {
		if o.Log != nil {
			o.Log(fmt.Sprintf(format, args...))
		}
	}
	forced := false
	switch o.Engine {
	case "implicit":
		return nil, false, nil
	case "explicit":
		forced = true
	case "", "auto":
		if o.Method != "" { // a method of the implicit engine
			return nil, false, nil
		}
	default:
		return nil, false, errAt(c.net.toPos(c.tran.pos), "use auto, explicit or implicit", "unknown engine %q", o.Engine)
	}
	if len(c.semis) > 0 {
		if forced {
			return nil, false, errAt(c.net.toPos(c.devices[c.semis[0].dev].pos), "use the implicit engine", "%s is no term of an explicit differential equation", c.deviceName(c.semis[0].dev))
		}
		log("implicit engine: %s and other semiconductors", c.deviceName(c.semis[0].dev))
		return nil, false, nil
	}
	spec, hmax, timed, err := c.timing(o)
	if err != nil {
		return nil, false, err
	}
	e, err := timed.newExplicit(spec, hmax, o)
	var not *flow.NotExplicitError
	if errors.As(err, &not) && !forced {
		log("implicit engine: %v", err)
		return nil, false, nil
	}
	if err != nil {
		return nil, false, errAt(c.net.toPos(spec.pos), "use the implicit engine", "not an explicit differential equation: %v", err)
	}
	x, err := e.start(stats)
	if err != nil {
		return nil, false, err
	}
	rate, err := e.field.Stiffness(0, x)
	if err != nil || rate*hmax > stiffest {
		if !forced {
			log("implicit engine: rates of change up to %.3g/s are stiff for a step of %.3g s", rate, hmax)
			return nil, false, nil
		}
	}
	st := e.field.Stats()
	stats.Method, stats.Unknowns, stats.Structure = "dop853", st.Unknowns, st.String()
	log("explicit engine: %s; fastest rate %.3g/s", stats.Structure, rate)
	if e.out, err = newRecorder(c, o); err != nil {
		return nil, false, err
	}
	e.out.probes = e.probes
	if err := e.run(ctx, o, x, stats); err != nil {
		var step *flow.StepError
		if errors.As(err, &step) && !forced && o.Sink == nil {
			log("implicit engine: %v", err)
			return nil, false, nil
		}
		return nil, false, c.explainStep(err, spec)
	}
	return e.out.trace(), true, e.out.end()
}

// explainStep puts a place to the failure of the explicit engine.
func (c *Circuit) explainStep(err error, spec tranSpec) error {
	var step *flow.StepError
	if !errors.As(err, &step) {
		return err
	}
	at := c.net.toPos(spec.pos)
	if step.Unknown >= 0 {
		if t := c.touching(step.Unknown); len(t) > 0 {
			at = c.net.toPos(c.devices[t[0]].pos)
		}
	}
	return errAt(at, "is there a discontinuity? the implicit engine may pass it", "%v", err)
}
