package spice

import (
	"context"
	"math"

	"vlec/sim"
	"vlec/sim/spice/sparse"
)

// steady is a copy of the circuit whose sources stand still: at their dc value,
// or where a waveform without one begins, as ngspice has it.
func (c *Circuit) steady(o Options) *Circuit {
	step, stop := 1.0, 1.0
	if c.tran != nil {
		step, stop = c.tran.step, c.tran.stop
	}
	opts := c.opts
	if o.RelTol > 0 {
		opts.reltol = o.RelTol
	}
	d := c.timed(step, stop, opts)
	still := func(w *waveform) {
		if !w.hasDC {
			w.dc = w.at(0)
		}
		w.kind = ""
	}
	for i := range d.vsources {
		still(&d.vsources[i].wave)
	}
	for i := range d.isources {
		still(&d.isources[i].wave)
	}
	return d
}

// OP finds the operating point. Every signal of the trace has one sample, at
// time 0. Nodes with .nodeset are held there for a first solve, which starts
// the second; .ic holds for transients only.
func (c *Circuit) OP(ctx context.Context, o Options) (*sim.Trace, *Stats, error) {
	stats := &Stats{}
	d := c.steady(o)
	out, err := newRecorder(d, o)
	if err != nil {
		return nil, stats, err
	}
	x, err := d.findPoint(ctx, stats)
	if err != nil {
		return nil, stats, err
	}
	if err := out.sample(0, x, true); err != nil {
		return nil, stats, err
	}
	return out.trace(), stats, out.end()
}

// findPoint solves for the operating point of a steady circuit.
func (c *Circuit) findPoint(ctx context.Context, stats *Stats) ([]float64, error) {
	stats.Unknowns = c.unknowns()
	x := make([]float64, c.unknowns()+1)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := c.checkDC(nil); err != nil {
		return nil, err
	}
	if len(c.nodesets) > 0 {
		if err := c.operatingPoint(stats, x, c.nodesets); err != nil {
			return nil, err
		}
	}
	return x, c.operatingPoint(stats, x, nil)
}

// maxSweepPoints bounds what a .dc or .ac card may ask for.
const maxSweepPoints = 10_000_000

// DC runs the .dc card: operating points along one swept source, or along a
// first for every value of a second. The time of the signals is the value of
// the first source; with two it starts again for every value of the second.
func (c *Circuit) DC(ctx context.Context, o Options) (*sim.Trace, *Stats, error) {
	stats := &Stats{}
	if len(c.dc) == 0 {
		return nil, stats, errAt(c.net.toPos(pos{0, 1, 0}), "add one to the netlist", "there is no .dc card")
	}
	d := c.steady(o)
	if err := d.checkDC(nil); err != nil {
		return nil, stats, err
	}
	out, err := newRecorder(d, o)
	if err != nil {
		return nil, stats, err
	}
	sys, err := newSystem(d, stats, nil)
	if err != nil {
		return nil, stats, sys.explain(err, "dc sweep")
	}
	stats.Unknowns, stats.Entries = sys.n, len(sys.rowidx)
	sys.setAlpha(0)
	inner, outer := c.dc[0], dcSpec{points: 1}
	if len(c.dc) > 1 {
		outer = c.dc[1]
	}
	x := make([]float64, sys.n+1)
	started := false
	for j := range outer.points {
		outer.set(d, j)
		for i := range inner.points {
			if err := ctx.Err(); err != nil {
				return nil, stats, err
			}
			at := inner.set(d, i)
			// From the last point if there is one; all means where that fails.
			solved := false
			if started {
				copy(sys.x, x)
				sys.depart(x)
				sys.sources(0, 1)
				solved = sys.newton(0, d.opts.itl1) == nil && sys.balanced(0, 1e-3, 1)
			}
			if solved {
				copy(x, sys.x)
			} else if err := d.operatingPoint(stats, x, nil); err != nil {
				return nil, stats, err
			}
			started = true
			if err := out.sample(at, x, false); err != nil {
				return nil, stats, err
			}
		}
		if o.Progress != nil {
			o.Progress(float64(j+1) / float64(outer.points))
		}
	}
	return out.trace(), stats, out.end()
}

// A dcSpec is one swept source with numbers in it.
type dcSpec struct {
	v, i        int32 // index of the source among vsources or isources, or -1
	start, step float64
	points      int
}

// set puts the source at its k-th value.
func (s *dcSpec) set(c *Circuit, k int) float64 {
	at := s.start + float64(k)*s.step
	switch {
	case s.points == 1 && s.step == 0:
	case s.v >= 0:
		c.vsources[s.v].wave.dc = at
	case s.i >= 0:
		c.isources[s.i].wave.dc = at
	}
	return at
}

// sweeps evaluates .dc.
func (el *elaborator) sweeps() {
	n, c := el.n, el.c
	if n.dc == nil {
		return
	}
	s := el.top.scope
	for _, sw := range n.dc.sweeps {
		spec := dcSpec{v: -1, i: -1}
		for k := range c.vsources {
			if c.deviceName(c.vsources[k].dev) == sw.source {
				spec.v = int32(k)
			}
		}
		for k := range c.isources {
			if c.deviceName(c.isources[k].dev) == sw.source {
				spec.i = int32(k)
			}
		}
		if spec.v < 0 && spec.i < 0 {
			el.errorf(sw.pos, "name an independent source", "%s cannot be swept", sw.source)
		}
		spec.start = el.eval(s, sw.start, "the start value", sw.pos)
		stop := el.eval(s, sw.stop, "the stop value", sw.pos)
		spec.step = el.eval(s, sw.step, "the step", sw.pos)
		count := math.Floor((stop-spec.start)/spec.step*(1+1e-12)+1e-9) + 1
		if !(count >= 1) || spec.step == 0 || count > maxSweepPoints {
			el.errorf(sw.pos, "let start lead to stop in at most ten million steps", "the sweep from %g to %g by %g is impossible", spec.start, stop, spec.step)
			count = 1
		}
		spec.points = int(count)
		c.dc = append(c.dc, spec)
	}
}

// An acSpec is .ac with its frequencies.
type acSpec struct {
	freqs []float64 // Hz
}

func (el *elaborator) frequencies() {
	a := el.n.ac
	if a == nil {
		return
	}
	s := el.top.scope
	points := el.eval(s, a.points, "the number of points", a.pos)
	lo := el.eval(s, a.fmin, "the lowest frequency", a.pos)
	hi := el.eval(s, a.fmax, "the highest frequency", a.pos)
	if points < 1 || points != math.Trunc(points) || points > maxSweepPoints || lo < 0 || hi < lo || a.scale != "lin" && lo == 0 {
		el.errorf(a.pos, "frequencies ascend, from above 0 for dec and oct", "%g points per %s from %g to %g Hz are impossible", points, a.scale, lo, hi)
		return
	}
	spec := &acSpec{}
	if a.scale == "lin" {
		step := 0.0
		if points > 1 {
			step = (hi - lo) / (points - 1)
		}
		for k := range int(points) {
			spec.freqs = append(spec.freqs, lo+float64(k)*step)
		}
	} else {
		base := map[string]float64{"dec": 10, "oct": 2}[a.scale]
		total := math.Log(hi/lo) / math.Log(base) * points
		if total > maxSweepPoints {
			el.errorf(a.pos, "", "the sweep has more than %d points", maxSweepPoints)
			return
		}
		for k := 0; float64(k) <= total*(1+1e-12)+1e-9; k++ {
			spec.freqs = append(spec.freqs, lo*math.Pow(base, float64(k)/points))
		}
	}
	el.c.ac = spec
}

// AC runs the .ac card: the circuit is linearised at its operating point and
// driven by the ac values of the sources. Every sample has two numbers, the
// real and the imaginary part; the time of the signals is the frequency in Hz.
// A Sink is not supported.
func (c *Circuit) AC(ctx context.Context, o Options) (*sim.Trace, *Stats, error) {
	stats := &Stats{}
	if c.ac == nil {
		return nil, stats, errAt(c.net.toPos(pos{0, 1, 0}), "add one to the netlist", "there is no .ac card")
	}
	d := c.steady(o)
	probes, err := d.probes(o)
	if err != nil {
		return nil, stats, err
	}
	x, err := d.findPoint(ctx, stats)
	if err != nil {
		return nil, stats, err
	}
	sys, err := newSystem(d, stats, nil)
	if err != nil {
		return nil, stats, sys.explain(err, "ac analysis")
	}
	stats.Unknowns, stats.Entries = sys.n, len(sys.rowidx)
	sys.setAlpha(0)
	copy(sys.x, x)
	if !sys.residual(0, true) {
		return nil, stats, sys.explain(errNotFinite, "ac analysis")
	}
	stored := append(sys.dynamic[:len(sys.dynamic):len(sys.dynamic)], 0)
	sys.capacitances(sys.x, stored)
	lu, err := sparse.NewComplex(sys.n, sys.colptr, sys.rowidx)
	if err != nil {
		return nil, stats, sys.singular(err)
	}
	drive := make([]complex128, sys.n+1)
	for i := range d.vsources {
		v := &d.vsources[i]
		drive[len(d.nodes)-1+int(v.br)] = polar(v.wave.acMag, v.wave.acPh)
	}
	for i := range d.isources {
		v := &d.isources[i]
		cur := polar(v.wave.acMag*v.mult, v.wave.acPh)
		drive[d.unknown(ref(v.a))] -= cur
		drive[d.unknown(ref(v.b))] += cur
	}
	out := &sim.Trace{}
	freqs := d.ac.freqs
	for _, p := range probes {
		out.Signals = append(out.Signals, &sim.Signal{Name: p.name, Unit: p.unit, Shape: []int{2}, Time: freqs, Data: make([]float64, 0, 2*len(freqs))})
	}
	vals := make([]complex128, len(sys.base))
	z := make([]complex128, sys.n+1)
	factored := false
	for _, f := range freqs {
		if err := ctx.Err(); err != nil {
			return nil, stats, err
		}
		for k := range vals {
			vals[k] = complex(sys.vals[k], 2*math.Pi*f*stored[k])
		}
		stats.Factorisations++
		if !factored || lu.Refactor(vals) != nil {
			if err := lu.Factor(vals); err != nil {
				return nil, stats, sys.explain(sys.singular(err), "ac analysis")
			}
			factored = true
		}
		copy(z, drive)
		lu.Solve(z[:sys.n])
		z[sys.n] = 0
		for k, p := range probes {
			v := z[p.a] - z[p.b]
			out.Signals[k].Data = append(out.Signals[k].Data, real(v), imag(v))
		}
		stats.Steps++
	}
	return out, stats, nil
}

func polar(mag, ph float64) complex128 {
	sin, cos := math.Sincos(ph)
	return complex(mag*cos, mag*sin)
}

// Analyses tells which of op, dc, ac and tran the netlist asks for, in the order
// in which ngspice runs them.
func (c *Circuit) Analyses() []string {
	var out []string
	for _, a := range []struct {
		name string
		has  bool
	}{{"op", c.net.op}, {"dc", c.dc != nil}, {"ac", c.ac != nil}, {"tran", c.tran != nil}} {
		if a.has {
			out = append(out, a.name)
		}
	}
	return out
}
