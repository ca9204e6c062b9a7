package flow

import (
	"fmt"
	"math"
)

// Options of an integration. Zero values mean the defaults.
type Options struct {
	RelTol  float64 // error of a step relative to the state; default 1e-6
	AbsTol  float64 // and absolute; default 1e-9
	MaxStep float64 // default: the whole interval
	Method  string  // "dopri5"
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
	x      []float64 // at t
	next   []float64 // at the end of the step under trial
	k      [][]float64
	trial  []float64 // states of a stage
	h      float64   // size of the next step
	memory float64   // last error, for the controller
	fresh  bool      // k[0] is the derivative at t
	shrank bool      // the last step was rejected
	worst  int       // state with the largest error

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
	case "", "dopri5":
		g.m = &dopri5
	default:
		return nil, fmt.Errorf("flow: unknown method %q", o.Method)
	}
	n := f.States()
	g.x = append([]float64(nil), x[:n]...)
	g.next, g.trial = make([]float64, n), make([]float64, n)
	for range len(g.m.c) + g.m.extra {
		g.k = append(g.k, make([]float64, n))
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
	k := 0
	for times(k) < g.t {
		k++
	}
	if steps || times(k) == g.t {
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
			g.interpolate((times(k)-t0)/h, h)
			if err := g.emit(times(k), g.trial, sample); err != nil {
				return err
			}
		}
		if steps || times(k) == end {
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
	if err := g.field.Outputs(t, x, g.out); err != nil {
		return err
	}
	return sample(t, g.out)
}

// State is x at the time reached.
func (g *Integrator) State() (t float64, x []float64) { return g.t, g.x }

// step tries steps until one is accepted, and returns its size and its end,
// where the state is in next. It ends on corners of the sources, never beyond.
func (g *Integrator) step() (size, end float64, err error) {
	if !g.fresh {
		if err := g.evaluate(g.t, g.x, g.k[0]); err != nil {
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
	if last := len(g.m.c) - 1; g.m.reuse {
		g.k[0], g.k[last] = g.k[last], g.k[0]
	} else {
		g.fresh = false
	}
}

func (g *Integrator) evaluate(t float64, x, dx []float64) error {
	g.Counts.Evaluations++
	return g.field.Derivative(t, x, dx)
}

// try computes a step of size h into next and returns the size of its error
// against the tolerance, worst state.
func (g *Integrator) try(h float64) (float64, error) {
	stages := len(g.m.c)
	last := stages
	if g.m.reuse {
		last--
	}
	for i := 1; i < last; i++ {
		combine(g.trial, g.x, h, g.m.a[i], g.k)
		if err := g.evaluate(g.t+g.m.c[i]*h, g.trial, g.k[i]); err != nil {
			return 0, err
		}
	}
	combine(g.next, g.x, h, g.m.result, g.k)
	if g.m.reuse {
		if err := g.evaluate(g.t+h, g.next, g.k[last]); err != nil {
			return 0, err
		}
	}
	combine(g.trial, nil, h, g.m.errors[0], g.k)
	return g.measure(), nil
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
	if err := g.evaluate(g.t+h, g.trial, g.k[1]); err != nil {
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

// interpolate sets trial to the state at the fraction theta of the step.
func (g *Integrator) interpolate(theta, h float64) {
	g.m.dense(theta, g.weights)
	if g.field.direct {
		for _, s := range g.field.outputs {
			sum := 0.0
			for i, w := range g.weights {
				sum += float64(w * g.k[i][s])
			}
			g.trial[s] = g.x[s] + float64(h*sum)
		}
		return
	}
	combine(g.trial, g.x, h, g.weights, g.k)
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
