package spice

import (
	"context"
	"fmt"
	"math"
	"slices"

	"vlec/sim"
	"vlec/sim/spice/team"
)

// Options choose what a run reports and how it works. The zero value does what
// the netlist says.
type Options struct {
	// Times, if not empty, are the instants (ascending, in seconds) that are
	// reported. Integration steps onto each of them; nothing is interpolated.
	// Without Times every accepted step is reported, from the start time on.
	Times []float64
	// Save names the vectors to report: v(node), v(a,b), i(device), all. Nil
	// means what the netlist's .save says, and all without one.
	Save []string
	// Every keeps one in so many steps; 0 and 1 keep all. Times are never dropped.
	Every int
	// Sink receives the samples instead of the trace, so that memory stays
	// bounded however long the run.
	Sink Sink

	Method  string  // "trap", "gear", or "" for the netlist's .options method
	MaxStep float64 // s; 0 means the netlist's
	RelTol  float64 // 0 means the netlist's
	// Engine is "implicit" for modified nodal analysis, "explicit" for the sorted
	// equations and an explicit method, or "" or "auto" for the faster of the two
	// that can.
	Engine string

	Progress func(done float64) // called now and then with the part that is done
	Log      func(string)       // called with decisions and warnings
}

// Stats counts the work of a run.
type Stats struct {
	Unknowns       int
	Entries        int // of the matrix
	Steps          int // accepted
	Rejected       int // by truncation error or because Newton failed
	Iterations     int // of Newton
	Factorisations int
	Bypassed       int // evaluations that quiet behaviours were spared, by the implicit engine
	Evaluations    int // of the sorted equations, by the explicit engine
	Method         string
	Structure      string // what the explicit engine made of the circuit
}

// A Sink takes samples as they come. Begin is called once; the values of Sample
// are reused after it returns.
type Sink interface {
	Begin(names, units []string) error
	Sample(t float64, values []float64) error
	End() error
}

// Tran runs the transient analysis of the netlist's .tran card. The signals of
// the trace are called v(node) and i(device), lower case, in the order asked
// for, and share one time axis in seconds. With Options.Sink the trace is nil.
//
// With uic integration starts from ic= of the devices and .ic of the nodes:
// states keep these values, and all other unknowns of t = 0 are solved for.
func (c *Circuit) Tran(ctx context.Context, o Options) (*sim.Trace, *Stats, error) {
	stats := &Stats{}
	if c.tran == nil {
		return nil, stats, errAt(c.net.toPos(pos{0, 1, 0}), "add one to the netlist", "there is no .tran card")
	}
	if tr, ok, err := c.explicitTran(ctx, o, stats); ok || err != nil {
		return tr, stats, err
	}
	run, err := c.newTransient(o, stats)
	if err != nil {
		return nil, stats, err
	}
	if err := run.integrate(ctx); err != nil {
		return nil, stats, err
	}
	return run.out.trace(), stats, run.out.end()
}

// A transient is one run in progress.
type transient struct {
	*system
	spec   tranSpec
	o      Options
	out    *recorder
	hmax   float64
	gear   bool
	lte    bool // steps are chosen by truncation error, not only by hmax
	trtol  float64
	waves  []*waveform // those with corners
	states []state     // what truncation error is measured on
	tight  int         // that of them which the last step was chosen by

	t, h float64 // the last accepted instant, and the step to it

	// The last accepted solutions and charges C x, newest first. Since counts
	// those after the last discontinuity. States are continuous there, so that
	// smooth, which counts for them, includes the one at it.
	past    [4][]float64
	pastQ   [4][]float64 // charges of the semiconductors
	times   [4]float64
	since   int
	smooth  int
	q, qOld []float64
	qNew    []float64
	qdot    []float64 // C dx/dt at t
	qdotNew []float64
	history []float64
}

// A state is a voltage across capacitors or a current through an inductor:
// x[a]-x[b], and the floor below which its truncation error does not matter.
type state struct {
	a, b  int32
	floor float64 // absolute error allowed
	rate  float64 // and per second
}

func (c *Circuit) newTransient(o Options, stats *Stats) (*transient, error) {
	spec, hmax, c, err := c.timing(o)
	if err != nil {
		return nil, err
	}
	run := &transient{spec: spec, o: o, hmax: hmax, gear: c.opts.gear, trtol: c.opts.trtol}
	switch o.Method {
	case "":
	case "trap", "gear":
		run.gear = o.Method == "gear"
	default:
		return nil, errAt(c.net.toPos(spec.pos), "use trap or gear", "unknown integration method %q", o.Method)
	}
	if c.opts.maxord == 1 {
		run.gear = false
	}
	// Truncation error is controlled unless trtol is so large that it never
	// would be; then every step is the largest one.
	run.lte = run.trtol < 1e4

	sys, err := newSystem(c, stats, nil)
	if err != nil {
		return nil, sys.explain(err, "transient")
	}
	run.system = sys
	stats.Unknowns, stats.Entries, stats.Method = sys.n, len(sys.rowidx), "trap"
	if run.gear {
		stats.Method = "gear"
	}
	if o.Log != nil {
		o.Log(fmt.Sprintf("implicit engine: %s, %d equations, %d entries, %d behaviours that are not linear", stats.Method, sys.n, stats.Entries, len(sys.funcs)))
	}
	if run.out, err = newRecorder(c, o); err != nil {
		return nil, err
	}
	for i := range c.vsources {
		run.addWave(&c.vsources[i].wave)
	}
	for i := range c.isources {
		run.addWave(&c.isources[i].wave)
	}
	run.findStates()
	for k := range run.past {
		run.past[k] = make([]float64, sys.n+1)
		run.pastQ[k] = make([]float64, len(sys.semis.rows))
	}
	for _, v := range []*[]float64{&run.q, &run.qOld, &run.qNew, &run.qdot, &run.qdotNew, &run.history} {
		*v = make([]float64, sys.n+1)
	}
	return run, nil
}

// timing is the .tran card with what the options change, the largest step, and
// the circuit with waveforms and tolerances to match.
func (c *Circuit) timing(o Options) (spec tranSpec, hmax float64, timed *Circuit, err error) {
	spec = *c.tran
	opts := c.opts
	if o.RelTol > 0 {
		opts.reltol = o.RelTol
	}
	timed = c.timed(spec.step, spec.stop, opts)
	for k, t := range o.Times {
		if t < 0 || !finite(t) || k > 0 && t <= o.Times[k-1] {
			return spec, 0, nil, errAt(c.net.toPos(spec.pos), "give ascending instants from 0 on", "the requested instants do not ascend")
		}
	}
	if n := len(o.Times); n > 0 {
		spec.stop, spec.start = o.Times[n-1], 0
	}
	hmax = spec.tmax
	if hmax == 0 {
		hmax = min(spec.step, (spec.stop-spec.start)/50)
	}
	if o.MaxStep > 0 {
		hmax = o.MaxStep
	}
	return spec, hmax, timed, nil
}

func (run *transient) addWave(w *waveform) {
	if w.kind == "" {
		return
	}
	if at, _ := w.next(-1, run.hmax); !math.IsInf(at, 1) {
		run.waves = append(run.waves, w)
	}
}

// findStates lists what truncation error is measured on; parallel capacitors
// are one state.
func (run *transient) findStates() {
	c, o := run.c, &run.c.opts
	ground := int32(run.n)
	node := func(k int32) int32 {
		if k == 0 {
			return ground
		}
		return k - 1
	}
	for _, d := range c.capacitors {
		if size := math.Abs(d.c); size > 0 && d.a != d.b {
			run.states = append(run.states, state{node(d.a), node(d.b), o.reltol * o.chgtol / size, o.abstol / size})
		}
	}
	for _, d := range c.inductors {
		size := math.Abs(d.l)
		run.states = append(run.states, state{c.unknown(branchRef(d.br)), ground, o.reltol * o.chgtol / size, o.vntol / size})
	}
	slices.SortFunc(run.states, func(p, q state) int {
		if p.a != q.a {
			return int(p.a) - int(q.a)
		}
		return int(p.b) - int(q.b)
	})
	run.states = slices.CompactFunc(run.states, func(p, q state) bool { return p.a == q.a && p.b == q.b })
}

// tiny is the part of a step that integration spends by backward Euler after a
// discontinuity: it damps what the trapezoidal rule would let ring, and its
// error, second order in the step, disappears behind that of the next step.
const tiny = 1e-4

// shortest is the part of the largest step below which integration gives up.
const shortest = 1e-9

// integrate runs from zero to the stop time.
func (run *transient) integrate(ctx context.Context) error {
	if run.tangents.cost >= worthSharing {
		run.tangents.team = team.New()
		defer func() {
			run.tangents.team.Stop()
			run.tangents.team = nil
		}()
	}
	stop := run.spec.stop
	restart, err := run.start()
	if err != nil {
		return err
	}
	restart = restart || run.lte
	if err := run.sample(true); err != nil {
		return err
	}
	h := run.hmax
	if run.lte {
		h = min(h, run.spec.step) / 100
	}
	ahead := run.newAgenda()
	pace := max(1, 1_000_000/(run.n+1)) // steps between reports
	for run.t < stop {
		if err := ctx.Err(); err != nil {
			return err
		}
		if run.o.Progress != nil && run.stats.Steps%pace == 0 {
			run.o.Progress(run.t / stop)
		}
		target, onGrid, atCorner := ahead.next()
		if target-run.t <= ahead.close && target < stop {
			// Less than what time resolves: nothing changes.
			run.t, run.times[0] = target, target
			if onGrid {
				if err := run.sample(true); err != nil {
					return err
				}
			}
			if ahead.passed(onGrid, atCorner) {
				run.since, run.smooth, restart = 0, 1, true
			}
			continue
		}
		if restart {
			if err := run.leaveCorner(min(h, target-run.t)); err != nil {
				return err
			}
			restart = false
			continue // it may have arrived
		}
		dt, land := run.divide(h, target-run.t)
		to := run.t + dt
		if land {
			to = target
		}
		m := run.method()
		if err := run.attempt(dt, to, m); err != nil {
			run.stats.Rejected++
			run.restore()
			if h = dt / 8; h < shortest*run.hmax || run.t+h == run.t {
				return run.explain(err, run.when())
			}
			continue
		}
		factor := 2.0 // by which the next step may be longer
		if run.lte {
			factor = 0.9 * run.truncation(dt, to, m)
			if factor < 0.8 && dt > shortest*run.hmax {
				run.stats.Rejected++
				run.restore()
				h = dt * max(0.1, factor)
				continue
			}
		}
		run.accept(dt, to)
		h = min(run.hmax, min(factor*dt, 2*max(h, dt)))
		if h > dt && h < 1.2*dt {
			h = dt // not worth a factorisation
		}
		if land && onGrid || len(run.o.Times) == 0 {
			if err := run.sample(onGrid); err != nil {
				return err
			}
		}
		if land && ahead.passed(onGrid, atCorner) {
			run.since, run.smooth, restart = 0, 1, true
			if run.lte {
				h = max(h/10, shortest*run.hmax)
			}
		}
	}
	if run.o.Progress != nil {
		run.o.Progress(1)
	}
	return nil
}

// method is that of the next step.
func (run *transient) method() method {
	switch {
	case run.c.opts.maxord == 1:
		return euler
	case run.gear && run.since >= 2:
		return gear2
	}
	return trapezoidal
}

// leaveCorner takes a short backward Euler step away from a discontinuity.
func (run *transient) leaveCorner(h float64) error {
	for h = min(h, max(tiny*h, 1e-2*tiny*run.hmax)); ; h /= 10 {
		err := run.attempt(h, run.t+h, euler)
		if err == nil {
			run.accept(h, run.t+h)
			return nil
		}
		run.stats.Rejected++
		run.restore()
		if h < tiny*shortest*run.hmax || run.t+h == run.t {
			return run.explain(err, run.when())
		}
	}
}

// An agenda knows the instants that integration must not step over: those to
// report, the corners of the sources, and the end.
type agenda struct {
	run    *transient
	grid   []float64
	corner float64
	hard   bool // integration must start afresh at the corner
	close  float64
}

func (run *transient) newAgenda() *agenda {
	a := &agenda{run: run, grid: run.o.Times, close: max(1e-13*run.spec.stop, shortest*run.hmax)}
	for len(a.grid) > 0 && a.grid[0] <= 0 {
		a.grid = a.grid[1:]
	}
	a.corner, a.hard = run.nextCorner()
	return a
}

// next is the nearest of them, and what is to happen there. A corner next to an
// instant to report is taken together with it.
func (a *agenda) next() (target float64, onGrid, atCorner bool) {
	target = a.run.spec.stop
	if len(a.grid) > 0 && a.grid[0] <= target {
		target, onGrid = a.grid[0], true
	}
	if atCorner = a.corner <= target+a.close; atCorner && a.corner < target-a.close {
		target, onGrid = a.corner, false
	}
	return target, onGrid, atCorner
}

// passed says that an instant was reached, and whether it was a hard corner.
func (a *agenda) passed(onGrid, atCorner bool) (restart bool) {
	if onGrid {
		a.grid = a.grid[1:]
	}
	if atCorner {
		restart = a.hard
		a.corner, a.hard = a.run.nextCorner()
	}
	return restart
}

// timed is a copy of the circuit whose waveforms have the defaults of a
// transient with this step and stop time, and these options.
func (c *Circuit) timed(step, stop float64, opts options) *Circuit {
	d := *c
	d.opts = opts
	d.vsources, d.isources = slices.Clone(c.vsources), slices.Clone(c.isources)
	for i := range d.vsources {
		d.vsources[i].wave = d.vsources[i].wave.resolve(step, stop)
	}
	for i := range d.isources {
		d.isources[i].wave = d.isources[i].wave.resolve(step, stop)
	}
	return &d
}

// divide cuts the way to the next target into equal steps of at most h, so that
// no short one is left over, and keeps the last step where it fits, since a new
// step size costs a factorisation.
func (run *transient) divide(h, gap float64) (dt float64, land bool) {
	n := math.Ceil(gap / h * (1 - 1e-9))
	if n <= 1 {
		return gap, true
	}
	dt = h
	if !run.lte || n == 2 {
		dt = gap / n
	}
	if math.Abs(dt-run.h) < 1e-7*dt {
		dt = run.h
	}
	return dt, false
}

// nextCorner is the first corner of any source after t.
func (run *transient) nextCorner() (at float64, hard bool) {
	at = math.Inf(1)
	for _, w := range run.waves {
		switch t, d := w.next(run.t, run.hmax); {
		case t < at*(1-1e-12):
			at, hard = t, d
		case t <= at*(1+1e-12):
			hard = hard || d
		}
	}
	return at, hard
}

type method uint8

const (
	euler method = iota
	trapezoidal
	gear2
)

// attempt solves for the instant to, dt after the last, into x.
func (run *transient) attempt(dt, to float64, m method) error {
	// The same step up to rounding is the same step: the factors stay valid.
	if math.Abs(dt-run.h) < 1e-9*dt {
		dt = run.h
	}
	s := run.system
	var alpha float64
	switch m {
	case euler:
		alpha = 1 / dt
		for k, q := range run.q {
			run.history[k] = alpha * q
		}
	case trapezoidal:
		alpha = 2 / dt
		for k, q := range run.q {
			run.history[k] = float64(alpha*q) + run.qdot[k]
		}
	case gear2:
		h0 := run.times[0] - run.times[1]
		if math.Abs(h0-dt) < 1e-9*dt {
			h0 = dt
		}
		a0, a1, a2 := bdf2(dt, h0)
		alpha = a0
		for k, q := range run.q {
			run.history[k] = -float64(a1*q) - float64(a2*run.qOld[k])
		}
	}
	run.predict(to)
	s.setAlpha(alpha)
	s.sources(to, 1)
	for k, v := range run.history {
		s.rhs[k] += v
	}
	limit := s.c.opts.itl4
	if err := s.newton(to, limit); err != nil {
		return err
	}
	s.charge(run.qNew, s.x, true)
	// The difference of two charges over a step that is short among its neighbours
	// is rounding and what Newton left, and the trapezoidal rule would never forget
	// it: take the equations instead.
	if m == euler && s.c.opts.maxord > 1 || dt < 1e-3*run.h {
		run.derivative(to, run.qdotNew)
		return nil
	}
	for k, q := range run.qNew {
		run.qdotNew[k] = float64(alpha*q) - run.history[k]
	}
	return nil
}

// bdf2 gives the weights of q(t1), q(t0) and q(t-1) in the derivative at t1 of
// the parabola through the three, h and h0 apart.
func bdf2(h, h0 float64) (a0, a1, a2 float64) {
	a0 = 1/h + 1/(h+h0)
	a1 = -(h + h0) / (h * h0)
	a2 = h / (h0 * (h + h0))
	return a0, a1, a2
}

// predict extrapolates the last solutions as the first guess.
func (run *transient) predict(to float64) {
	x, p := run.x, &run.past
	switch h := to - run.times[0]; {
	case run.since < 2:
		copy(x, p[0])
	case run.since == 2:
		a := h / (run.times[0] - run.times[1])
		for k, v := range p[0] {
			x[k] = v + float64(a*(v-p[1][k]))
		}
	default:
		h1, h2 := run.times[0]-run.times[1], run.times[0]-run.times[2]
		w1 := -h * (h + h2) / (h1 * (h2 - h1))
		w2 := h * (h + h1) / (h2 * (h2 - h1))
		w0 := 1 - w1 - w2
		for k, v := range p[0] {
			x[k] = float64(w0*v) + float64(w1*p[1][k]) + float64(w2*p[2][k])
		}
	}
	x[run.n] = 0
}

// restore puts the last accepted solution back.
func (run *transient) restore() { copy(run.x, run.past[0]) }

// accept makes the solved instant the last one.
func (run *transient) accept(dt, to float64) {
	p := &run.past
	p[0], p[1], p[2], p[3] = p[3], p[0], p[1], p[2]
	copy(p[0], run.x)
	q := &run.pastQ
	q[0], q[1], q[2], q[3] = q[3], q[0], q[1], q[2]
	copy(q[0], run.semis.charge)
	copy(run.times[1:], run.times[:3])
	run.times[0] = to
	run.q, run.qOld, run.qNew = run.qNew, run.q, run.qOld
	run.qdot, run.qdotNew = run.qdotNew, run.qdot
	run.since, run.smooth = min(run.since+1, 4), min(run.smooth+1, 4)
	run.semis.remember()
	run.t, run.h = to, dt
	run.stats.Steps++
}

// truncation estimates by how much the step might have been longer: the local
// error of the method, from divided differences of the last solutions, against
// SPICE's tolerance (Nagel 1975, section 4.4), for the worst state.
func (run *transient) truncation(dt, to float64, m method) float64 {
	o := &run.c.opts
	order := 2.0
	worst := 0.0
	t1, t2, t3 := run.times[0], run.times[1], run.times[2]
	x, p := run.x, &run.past
	switch {
	case run.smooth < 2:
		return 1 // nothing to compare with yet
	case run.smooth == 2 || m == euler:
		order = 1
	}
	// The error is linear in the last values: its weights are those of a divided
	// difference times what the method makes of it.
	h01, h12, h23 := to-t1, t1-t2, t2-t3
	scale, order3 := dt*dt, 0.0
	if order != 1 {
		order3 = 1 / (to - t3)
		scale = dt * dt * dt / 2
		if m == gear2 {
			a0, _, _ := bdf2(dt, h12)
			scale = dt * (dt + h12) / a0
		}
	}
	near := [3]float64{1 / h01, -1/h01 - 1/h12, 1 / h12}
	var w [4]float64
	for k, v := range near {
		w[k] = scale * v / (to - t2)
	}
	if order3 != 0 {
		far := [3]float64{1 / h12, -1/h12 - 1/h23, 1 / h23}
		for k, v := range w {
			w[k] = v * order3
		}
		for k, v := range far {
			w[k+1] -= scale * order3 * v / (t1 - t3)
		}
	}
	local := func(v0, v1, v2, v3 float64) float64 {
		return float64(w[0]*v0) + float64(w[1]*v1) + float64(w[2]*v2) + float64(w[3]*v3)
	}
	e := run.history // free until the next attempt
	for k, v := range x {
		e[k] = local(v, p[0][k], p[1][k], p[2][k])
	}
	last := p[0]
	for k := -1; k < len(run.states); k++ {
		i := k
		if k < 0 { // that of the last step first: beside it the others are small
			if i = run.tight; i >= len(run.states) {
				continue
			}
		}
		st := &run.states[i]
		v0 := math.Abs(x[st.a] - x[st.b])
		r := math.Abs(e[st.a] - e[st.b])
		if r <= worst*(float64(o.reltol*v0)+st.floor) {
			continue // the tolerance is no smaller than this
		}
		v1 := math.Abs(last[st.a] - last[st.b])
		moved := math.Abs((x[st.a] - x[st.b]) - (last[st.a] - last[st.b]))
		tol := max(float64(o.reltol*moved)+st.rate*dt, float64(o.reltol*max(v0, v1))+st.floor)
		// Differences of large potentials carry rounding, which no short step cures.
		tol = max(tol, rounding*(math.Abs(x[st.a])+math.Abs(x[st.b])))
		if r > worst*tol {
			worst, run.tight = r/tol, i
		}
	}
	q := &run.pastQ
	for _, i := range run.semis.stores {
		v0 := run.semis.charge[i]
		e := local(v0, q[0][i], q[1][i], q[2][i])
		size := max(math.Abs(v0), math.Abs(q[0][i]))
		tol := max(o.reltol*math.Abs(v0-q[0][i])+o.abstol*dt, o.reltol*max(size, o.chgtol)) + rounding*size
		if r := math.Abs(e); r > worst*tol {
			worst = r / tol
		}
	}
	worst /= run.trtol
	return min(10, math.Pow(worst+1e-9, -1/(order+1)))
}

func (run *transient) when() string {
	return "transient at t = " + formatSI(run.t)
}

// sample reports the solution. Steps may be decimated, requested instants not.
func (run *transient) sample(requested bool) error {
	if len(run.o.Times) > 0 {
		if run.t == 0 && run.o.Times[0] != 0 {
			return nil
		}
	} else if run.t < run.spec.start*(1-1e-12) {
		return nil
	}
	return run.out.sample(run.t, run.x, requested || run.t >= run.spec.stop)
}
