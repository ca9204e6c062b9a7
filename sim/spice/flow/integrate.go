package flow

import (
	"fmt"
	"math"

	"vlec/sim/spice/team"
)

// Options of an integration. Zero values mean the defaults.
type Options struct {
	RelTol  float64 // error of a step relative to the state; default 1e-6
	AbsTol  float64 // and absolute; default 1e-9
	MaxStep float64 // default: the whole interval
	Method  string  // "dop853" (default) or "dopri5"
	// Check is called every few hundred steps; an error ends the run.
	Check func(t float64) error
}

// Counts of an integration.
type Counts struct {
	Steps       int // accepted
	Rejected    int
	Evaluations int // of x' = f(x, t)
	Samples     int
}

// A StepError says at which time and for which unknown the step became too
// small to go on: a jump, a singularity, or a loop without solution.
type StepError struct {
	Time    float64
	Unknown int // -1 when no single one is to blame
	Name    string
	Err     error // what the last evaluation said, or nil
}

func (e *StepError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("time step too small at t = %g: %v", e.Time, e.Err)
	}
	return fmt.Sprintf("time step too small at t = %g, because of %s", e.Time, e.Name)
}

func (e *StepError) Unwrap() error { return e.Err }

// stepControl of Hairer and Wanner's codes: a proportional-integral controller.
const (
	safety     = 0.9
	integral   = 0.04
	mostShrink = 0.2
	mostGrow   = 10.0
)

// An Integrator follows a Field through time.
type Integrator struct {
	field *Field
	opts  Options
	m     *method

	t, t1  float64
	x      []float64 // at t, plastic matrices apart
	next   []float64 // at the end of the step under trial
	k      [][]float64
	trial  []float64 // states of a stage
	learns []*learner
	h      float64 // size of the next step
	memory float64 // last error, for the controller
	fresh  bool    // k[0] is the derivative at t
	dense  bool    // the stages for dense output are there
	shrank bool    // the last step was rejected
	worst  int     // state with the largest error

	weights []float64
	out     []float64
	Counts  Counts
}

// NewIntegrator starts at x, which is copied, at time t0.
func NewIntegrator(f *Field, x []float64, t0, t1 float64, o Options) (*Integrator, error) {
	if o.RelTol == 0 {
		o.RelTol = 1e-6
	}
	if o.AbsTol == 0 {
		o.AbsTol = 1e-9
	}
	if o.MaxStep == 0 {
		o.MaxStep = math.Inf(1)
	}
	g := &Integrator{field: f, opts: o, t: t0, t1: t1, memory: 1e-4}
	switch o.Method {
	case "", "dop853":
		g.m = &dop853
	case "dopri5":
		g.m = &dopri5
	default:
		return nil, fmt.Errorf("flow: unknown method %q", o.Method)
	}
	n := f.apart
	g.x = append([]float64(nil), x[:n]...)
	g.next, g.trial = make([]float64, n), make([]float64, n)
	for range g.m.c {
		g.k = append(g.k, make([]float64, n))
	}
	for _, m := range f.plastic {
		g.learns = append(g.learns, newLearner(m, x[m.first:m.first+m.rows*m.cols], len(g.m.c), g.opts.AbsTol, g.opts.RelTol))
	}
	g.weights = make([]float64, len(g.k))
	g.out = make([]float64, len(f.outputs))
	return g, nil
}

// Run integrates to the end and calls sample with the outputs at the instants
// times(0), times(1), … as they are passed; they ascend, and +Inf ends them.
// With steps, the end of every step is a sample, too, and with it every corner.
// An error of sample ends the run.
func (g *Integrator) Run(times func(k int) float64, steps bool, sample func(t float64, out []float64) error) error {
	g.field.team = team.New()
	defer func() {
		g.field.team.Stop()
		g.field.team = nil
	}()
	k := 0
	for times(k) < g.t {
		k++
	}
	if steps || times(k) == g.t {
		g.hold()
		if err := g.emit(g.t, g.x, sample); err != nil {
			return err
		}
	}
	for times(k) <= g.t {
		k++
	}
	for g.t < g.t1 {
		if g.opts.Check != nil && g.Counts.Steps&0xff == 0 {
			if err := g.opts.Check(g.t); err != nil {
				return err
			}
		}
		h, end, err := g.step()
		if err != nil {
			return err
		}
		t0 := g.t
		for ; times(k) < end; k++ {
			if err := g.interpolate((times(k)-t0)/h, h); err != nil {
				return err
			}
			if err := g.emit(times(k), g.trial, sample); err != nil {
				return err
			}
		}
		if steps || times(k) == end {
			for _, l := range g.learns {
				l.show(&l.result)
			}
			if err := g.emit(end, g.next, sample); err != nil {
				return err
			}
		}
		for times(k) <= end {
			k++
		}
		g.advance(end)
	}
	return nil
}

func (g *Integrator) emit(t float64, x []float64, sample func(float64, []float64) error) error {
	g.Counts.Samples++
	if err := g.field.show(t, x, g.out); err != nil {
		return err
	}
	return sample(t, g.out)
}

// State is x at the time reached.
func (g *Integrator) State() (t float64, x []float64) {
	x = append([]float64(nil), g.x...)
	for _, l := range g.learns {
		x = append(x, l.w...)
	}
	return g.t, x
}

// hold shows the plastic matrices at the beginning of the step.
func (g *Integrator) hold() {
	for _, l := range g.learns {
		l.m.base, l.m.share, l.m.terms = l.w, 1, l.m.terms[:0]
	}
}

// step tries steps until one is accepted, and returns its size and its end,
// where the state is in next. It ends on corners of the sources, never beyond.
func (g *Integrator) step() (size, end float64, err error) {
	if !g.fresh {
		g.hold()
		if err := g.evaluate(g.t, g.x, 0); err != nil {
			return 0, 0, &StepError{g.t, -1, "", err}
		}
		g.fresh = true
	}
	if g.h == 0 {
		g.h = g.firstStep()
	}
	barrier := min(g.field.corner(g.t), g.t1)
	for {
		h, full := min(g.h, g.opts.MaxStep), false
		if rest := barrier - g.t; h >= rest*(1-1e-9) {
			h, full = rest, true
		} else if h > rest/2 {
			h = rest / 2 // no sliver before a corner
		}
		if !(g.t+h > g.t) || h < 1e-14*math.Abs(g.t) && !full {
			return 0, 0, g.tooSmall(nil)
		}
		size, err := g.try(h)
		if err != nil || math.IsNaN(size) || math.IsInf(size, 0) {
			if g.h = h * mostShrink; !(g.t+g.h > g.t) {
				return 0, 0, g.tooSmall(err)
			}
			g.Counts.Rejected++
			g.shrank = true
			continue
		}
		exponent := 1 / float64(g.m.order)
		factor := math.Pow(size, exponent-0.75*integral)
		if size > 1 {
			g.h = h / min(1/mostShrink, factor/safety)
			g.Counts.Rejected++
			g.shrank = true
			continue
		}
		factor /= math.Pow(g.memory, integral) * safety
		grown := h / max(1/mostGrow, min(1/mostShrink, factor))
		if g.shrank {
			grown = min(grown, h)
		}
		if h < g.h { // cut short by a corner, not by its error
			grown = max(grown, g.h)
		}
		g.h = grown
		g.memory = max(size, 1e-4)
		g.shrank = false
		g.Counts.Steps++
		if full {
			return h, barrier, nil
		}
		return h, g.t + h, nil
	}
}

func (g *Integrator) tooSmall(err error) error {
	u := g.field.Unknown(g.worst)
	return &StepError{g.t, u, g.field.sys.name(u), err}
}

// advance makes the end of an accepted step the new beginning.
func (g *Integrator) advance(end float64) {
	g.t = end
	g.x, g.next = g.next, g.x
	g.dense = false
	last := g.stages() - 1
	for _, l := range g.learns {
		l.step(g.field.team)
		if g.m.reuse {
			l.reuse(last)
		}
	}
	if g.m.reuse {
		g.k[0], g.k[last] = g.k[last], g.k[0]
	} else {
		g.fresh = false
	}
}

// stages is their number without those for dense output.
func (g *Integrator) stages() int { return len(g.m.c) - g.m.extra }

// evaluate computes the derivatives of stage i, for which the plastic matrices
// are shown.
func (g *Integrator) evaluate(t float64, x []float64, i int) error {
	g.Counts.Evaluations++
	err := g.field.rate(t, x, g.k[i])
	for _, l := range g.learns {
		l.leave(i, g.field.pool)
	}
	return err
}

// stage computes stage i of a step of size h from those before.
func (g *Integrator) stage(i int, h float64) error {
	combine(g.trial, g.x, h, g.m.a[i], g.k)
	for _, l := range g.learns {
		l.enter(i, h, g.m.a[i])
	}
	return g.evaluate(g.t+g.m.c[i]*h, g.trial, i)
}

// try computes a step of size h into next and returns the size of its error
// against the tolerance, worst state.
func (g *Integrator) try(h float64) (float64, error) {
	last := g.stages()
	if g.m.reuse {
		last--
	}
	for i := 1; i < last; i++ {
		if err := g.stage(i, h); err != nil {
			return 0, err
		}
	}
	combine(g.next, g.x, h, g.m.result, g.k)
	for _, l := range g.learns {
		l.combine(&l.result, 1, h, g.m.result)
	}
	if g.m.reuse {
		for _, l := range g.learns {
			l.enter(last, h, g.m.result)
		}
		if err := g.evaluate(g.t+h, g.next, last); err != nil {
			return 0, err
		}
	}
	var size [2]float64
	for e, c := range g.m.errors {
		combine(g.trial, nil, h, c, g.k)
		worst := g.worst
		if size[e] = g.measure(); e > 0 {
			g.worst = worst
		}
		for _, l := range g.learns {
			l.combine(&l.estimates[e], 0, h, c)
		}
	}
	if size[0] > 1 && len(g.m.errors) == 1 {
		return size[0], nil // rejected already
	}
	for _, l := range g.learns {
		x := l.errors(g.field.team)
		if !(x.size[0] <= size[0]) {
			size[0], g.worst = x.size[0], l.m.first+max(0, x.at)
		}
		if !(x.size[1] <= size[1]) {
			size[1] = x.size[1]
		}
	}
	if len(g.m.errors) == 1 {
		return size[0], nil
	}
	if size[0] == 0 {
		return 0, nil
	}
	// Two estimates of low orders make one of high order (section II.10).
	return size[0] * size[0] / math.Hypot(size[0], 0.1*size[1]), nil
}

// measure is the largest of the errors in trial against the tolerance.
func (g *Integrator) measure() float64 {
	worst := 0.0
	abs, rel := g.opts.AbsTol, g.opts.RelTol
	next, x := g.next[:len(g.trial)], g.x[:len(g.trial)]
	for i, e := range g.trial {
		size := math.Abs(e) / (abs + rel*max(math.Abs(x[i]), math.Abs(next[i])))
		if !(size <= worst) {
			g.worst = i
			if worst = size; math.IsNaN(size) {
				break
			}
		}
	}
	return worst
}

// firstStep guesses the size of the first step from the first two derivatives
// (Hairer, Nørsett and Wanner, section II.4).
func (g *Integrator) firstStep() float64 {
	limit := min(g.opts.MaxStep, g.t1-g.t)
	scale := func(v []float64) float64 {
		s := 0.0
		for i, x := range g.x {
			s = max(s, math.Abs(v[i])/(g.opts.AbsTol+g.opts.RelTol*math.Abs(x)))
		}
		return s
	}
	d0, d1 := scale(g.x), scale(g.k[0])
	h := 1e-6 * limit
	if d0 > 1e-5 && d1 > 1e-5 {
		h = min(0.01*d0/d1, limit)
	}
	for i := range g.trial {
		g.trial[i] = g.x[i] + h*g.k[0][i]
	}
	for _, l := range g.learns {
		l.enter(1, h, []float64{1})
	}
	if err := g.evaluate(g.t+h, g.trial, 1); err != nil {
		return h
	}
	for i := range g.trial {
		g.trial[i] = (g.k[1][i] - g.k[0][i]) / h
	}
	d := max(d1, scale(g.trial))
	next := 100 * h
	if d > 0 {
		next = min(next, math.Pow(0.01/d, 1/float64(g.m.order)))
	}
	if !(next > 0) {
		next = h
	}
	return min(next, limit)
}

// interpolate sets trial, and what the plastic matrices show, to the state at
// the fraction theta of the step.
func (g *Integrator) interpolate(theta, h float64) error {
	if !g.dense {
		for i := g.stages(); i < len(g.m.c); i++ {
			if err := g.stage(i, h); err != nil {
				return &StepError{g.t, -1, "", err}
			}
		}
		g.dense = true
	}
	g.m.dense(theta, g.weights)
	for _, l := range g.learns {
		l.combine(&l.between, 1, h, g.weights)
		l.show(&l.between)
	}
	if g.field.direct {
		for _, s := range g.field.outputs {
			if s >= virtual {
				continue
			}
			sum := 0.0
			for i, w := range g.weights {
				sum += float64(w * g.k[i][s])
			}
			g.trial[s] = g.x[s] + float64(h*sum)
		}
		return nil
	}
	combine(g.trial, g.x, h, g.weights, g.k)
	return nil
}

// combine sets dst to x + h sum of c[j] k[j], x being zero when nil.
func combine(dst, x []float64, h float64, c []float64, k [][]float64) {
	if x == nil {
		clear(dst)
	} else {
		copy(dst, x)
	}
	const block = 1024 // a piece of dst stays in the nearest cache
	n := len(dst)
	for lo := 0; lo < n; lo += block {
		hi := min(n, lo+block)
		d := dst[lo:hi]
		j := 0
		for ; j+1 < len(c); j += 2 {
			a, b := h*c[j], h*c[j+1]
			switch {
			case a == 0 && b == 0:
			case b == 0:
				axpy(d, a, k[j][lo:hi])
			case a == 0:
				axpy(d, b, k[j+1][lo:hi])
			default:
				p, q := k[j][lo:hi], k[j+1][lo:hi]
				p, q = p[:len(d)], q[:len(d)]
				for i := range d {
					d[i] += float64(a*p[i]) + float64(b*q[i])
				}
			}
		}
		if j < len(c) && c[j] != 0 {
			axpy(d, h*c[j], k[j][lo:hi])
		}
	}
}

func axpy(d []float64, a float64, p []float64) {
	p = p[:len(d)]
	for i := range d {
		d[i] += float64(a * p[i])
	}
}
