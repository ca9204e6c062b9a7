package reference

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/cmplx"
	"runtime"
	"sync"
	"sync/atomic"

	"vlec/model"
)

// A FrequencyPoint compares the local error with the adjoint in the steady
// state under stimuli of one angular frequency. All ratios are of amplitudes at
// that frequency, by population and neuron; NaN where a neuron hears no error.
type FrequencyPoint struct {
	Omega float64
	// Gain is |e| / |adjoint| and Phase the angle by which e leads the adjoint in
	// radians, measured in two simulations of the whole network, forward and
	// adjoint, and extrapolated to dt = 0.
	Gain, Phase [][]float64
	// ExpectedGain and ExpectedPhase are what the network's linearisation says
	// about both, solved in the frequency domain [ours]. In a chain with B = W^T
	// and gamma = 0 the phase is 0 and the gain beta times the product of Own of
	// the neuron and of those downstream.
	ExpectedGain, ExpectedPhase [][]float64
	// Own is the factor that the theory gives each neuron's own layer [ours],
	// (1 + omega^2 tau_m^2)/(1 + omega^2 tau_r^2).
	Own [][]float64

	// Cosine is that of the accumulated local update of all weights with the exact
	// gradient, over two periods; Corrected the same with the gain-correct feedback
	// B* = W^T (1 + omega^2 tau_r^2)/(1 + omega^2 tau_m^2) in place of the
	// network's.
	Cosine, Corrected float64
}

// A Prober measures frequency responses around a network's resting state.
//
// Every input and every target becomes a sine of one angular frequency and a small
// amplitude, each with a phase of its own: inputs around their means, targets
// around the rates at rest. So a nonlinear network stays near one operating point,
// and what is measured is its linearisation; a standing error would be modulated
// by phi' and mix the gains at two frequencies. Backward weights stay as the model
// has them; what learns or makes noise rests. A Prober may be used concurrently.
type Prober struct {
	net   *model.Network // without stimuli
	means [][]float64    // of the inputs
	rest  *small
}

// Amplitude of the stimuli of a Prober: small enough for a linearisation to 1e-7,
// large enough to be far above rounding.
const probeAmplitude = 1e-4

// NewProber finds the resting state. It reports a network without targets, one
// that does not come to rest, and one that rests at the kink of a relu.
func NewProber(ctx context.Context, net *model.Network) (*Prober, error) {
	if len(net.Targets) == 0 {
		return nil, errors.New("the model has no target, so no error has a frequency response; add a [target]")
	}
	still := *net
	still.Learning, still.Teacher = model.Learning{}, nil
	still.Projections, still.Targets = nil, nil
	for _, q := range net.Projections {
		twin := *q
		if twin.Feedback.Rule != model.Transpose {
			twin.Feedback = model.Feedback{Rule: model.Fixed, B: q.Feedback.B}
		}
		still.Projections = append(still.Projections, &twin)
	}
	p := &Prober{net: &still}
	for _, in := range net.Inputs {
		p.means = append(p.means, meansOf(in.Channels, net.Duration))
	}
	if err := p.settle(ctx); err != nil {
		return nil, err
	}
	for _, t := range net.Targets {
		if t.Loss == model.CrossEntropy && t.Population.Size == 1 {
			return nil, fmt.Errorf("target %s: the cross-entropy of a single neuron is constant, there is nothing to probe", t.Name)
		}
		twin := *t
		twin.Teacher, twin.Trials = nil, nil
		still.Targets = append(still.Targets, &twin)
	}
	p.rest.targets = still.Targets
	return p, nil
}

// meansOf returns the means of waveforms over a run.
func meansOf(waves []model.Waveform, duration float64) []float64 {
	const samples = 4096
	means := make([]float64, len(waves))
	for i, w := range waves {
		for k := range samples {
			means[i] += w.At(duration*(float64(k)+0.5)/samples) / samples
		}
	}
	return means
}

// settle finds where the network rests without errors.
func (p *Prober) settle(ctx context.Context) error {
	quiet := p.stimulated(0, 0)
	shortest, longest := timeConstants(p.net)
	quiet.Dt = shortest / 2
	s, err := NewSynchronous(quiet, 1)
	if err != nil {
		return err
	}
	s.Stimulate()
	const patience = 2000 // times the longest time constant
	was := make([][]float64, len(s.pops))
	for k := range was {
		was[k] = make([]float64, len(s.pops[k].U))
	}
	for range patience {
		if err := ctx.Err(); err != nil {
			return err
		}
		for range int(math.Ceil(longest / quiet.Dt)) {
			s.Step()
		}
		// The very bits must rest, from one time to the next and from one step to the
		// next: what still moves is a standing error.
		moved := 0.0
		for k := range s.pops {
			z := &s.pops[k]
			for i, u := range z.U {
				d := max(math.Abs(u-was[k][i]), math.Abs(z.Y[i]-z.formerY[i]))
				if !(d <= 1e-14*(1+math.Abs(u))) {
					moved = max(moved, d) // NaN where u is
				}
			}
			copy(was[k], z.U)
		}
		switch {
		case math.IsNaN(moved) || math.IsInf(moved, 0):
			return errors.New("without stimuli the network runs away, so there is no state to probe; lower the recurrent weights")
		case moved == 0:
			return p.linearise(s)
		}
	}
	return fmt.Errorf("without stimuli the network does not come to rest within %d of its longest time constants, so there is no state to probe; lower the recurrent weights", patience)
}

func (p *Prober) linearise(s *Synchronous) error {
	p.rest = &small{plan: s.plan}
	for k, pop := range s.plan.pops {
		z := &s.pops[k]
		for i, y := range z.Y {
			if pop.Activation == model.ReLU && math.Abs(y) < 100*probeAmplitude {
				return fmt.Errorf("neuron %d of population %s rests at the kink of its relu, where there is no linear response; give it a bias", i, pop.Name)
			}
		}
		p.rest.rate, p.rest.slope = append(p.rest.rate, z.R), append(p.rest.slope, z.Slope)
	}
	return nil
}

// stimulated returns the network with stimuli of an angular frequency; amplitude
// 0 leaves the means of the inputs.
func (p *Prober) stimulated(omega, amplitude float64) *model.Network {
	net := *p.net
	net.Inputs, net.Targets = nil, nil
	in, targets := p.phases()
	wave := func(phase, offset float64) model.Waveform {
		return model.Sine{Amplitude: amplitude, Frequency: omega / (2 * math.Pi), Phase: phase, Offset: offset}
	}
	for k, was := range p.net.Inputs {
		twin := &model.Input{Name: was.Name}
		for i, mean := range p.means[k] {
			twin.Channels = append(twin.Channels, wave(in[k][i], mean))
		}
		net.Inputs = append(net.Inputs, twin)
	}
	for k, was := range p.net.Targets {
		twin := *was
		twin.Signal = nil
		for i, rest := range p.rest.aimAt(was) {
			twin.Signal = append(twin.Signal, wave(targets[k][i], rest))
		}
		net.Targets = append(net.Targets, &twin)
	}
	return &net
}

// phases of the stimuli, by input and channel and by target and neuron. Those of
// one target are spread evenly over the circle: then the targets of a
// cross-entropy keep adding up to one.
func (p *Prober) phases() (in, targets [][]float64) {
	waves := 0
	next := func() float64 { waves++; return 0.7 * float64(waves) }
	for k := range p.net.Inputs {
		in = append(in, nil)
		for range p.means[k] {
			in[k] = append(in[k], next())
		}
	}
	for k, t := range p.net.Targets {
		targets = append(targets, nil)
		start := next()
		for i := range t.Population.Size {
			targets[k] = append(targets[k], start+2*math.Pi*float64(i)/float64(t.Population.Size))
		}
	}
	return in, targets
}

// timeConstants returns the shortest and the longest of a network.
func timeConstants(net *model.Network) (shortest, longest float64) {
	shortest = math.Inf(1)
	for _, p := range net.Populations {
		for i := range p.Size {
			shortest = min(shortest, p.TauM[i], p.TauR[i])
			longest = max(longest, p.TauM[i], p.TauR[i])
		}
	}
	return shortest, longest
}

// At measures the response at one angular frequency [1/time unit].
func (p *Prober) At(ctx context.Context, omega float64) (*FrequencyPoint, error) {
	if !(omega > 0) || math.IsInf(omega, 0) {
		return nil, fmt.Errorf("an angular frequency of %g cannot be probed", omega)
	}
	net := p.stimulated(omega, probeAmplitude)
	_, longest := timeConstants(net)
	m := &measurement{net: net, omega: omega, refine: 1, settle: 10 * longest}
	// Coarsest clock first: it finds out how long the network takes to settle.
	var clocks []*measurement
	var limit [][]complex128
	for {
		if err := m.run(ctx); err != nil {
			return nil, err
		}
		clocks = append(clocks, m)
		former := limit
		limit = extrapolate(clocks)
		if len(clocks) == mostClocks || len(clocks) > 2 && agree(former, limit) {
			break
		}
		m = &measurement{net: net, omega: omega, refine: 2 * m.refine, settle: m.settle}
	}
	corrected := [2]*measurement{}
	for k := range corrected {
		corrected[k] = &measurement{net: gainCorrect(net, omega), omega: omega, refine: 2 << k, settle: m.settle}
		if err := corrected[k].run(ctx); err != nil {
			return nil, err
		}
	}
	pt := &FrequencyPoint{
		Omega:     omega,
		Cosine:    cosine(clocks[len(clocks)-2], m),
		Corrected: cosine(corrected[0], corrected[1]),
	}
	expected := p.rest.response(p, omega)
	for k, pop := range net.Populations {
		gain, phase, own := make([]float64, pop.Size), make([]float64, pop.Size), make([]float64, pop.Size)
		wantGain, wantPhase := make([]float64, pop.Size), make([]float64, pop.Size)
		for i := range gain {
			gain[i], phase[i] = cmplx.Abs(limit[k][i]), cmplx.Phase(limit[k][i])
			wantGain[i], wantPhase[i] = cmplx.Abs(expected[k][i]), cmplx.Phase(expected[k][i])
			own[i] = ownFactor(omega, pop.TauM[i], pop.TauR[i])
		}
		pt.Gain, pt.Phase, pt.Own = append(pt.Gain, gain), append(pt.Phase, phase), append(pt.Own, own)
		pt.ExpectedGain, pt.ExpectedPhase = append(pt.ExpectedGain, wantGain), append(pt.ExpectedPhase, wantPhase)
	}
	return pt, nil
}

// Sweep measures the response at several frequencies, as many at a time as there
// are processors. Progress, if not nil, is called with the part that is done.
func (p *Prober) Sweep(ctx context.Context, omegas []float64, progress func(done float64)) ([]*FrequencyPoint, error) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	points := make([]*FrequencyPoint, len(omegas))
	errs := make([]error, len(omegas))
	var next, done atomic.Int32
	var wg sync.WaitGroup
	var report sync.Mutex
	for range min(runtime.GOMAXPROCS(0), len(omegas)) {
		wg.Go(func() {
			for {
				k := int(next.Add(1)) - 1
				if k >= len(omegas) || ctx.Err() != nil {
					return
				}
				if points[k], errs[k] = p.At(ctx, omegas[k]); errs[k] != nil {
					stop(errs[k])
					return
				}
				if progress != nil {
					report.Lock()
					progress(float64(done.Add(1)) / float64(len(omegas)))
					report.Unlock()
				}
			}
		})
	}
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return nil, context.Cause(ctx)
	}
	return points, nil
}

// ownFactor is |VLE| / |adjoint| of one layer [ours].
func ownFactor(omega, tauM, tauR float64) float64 {
	wm, wr := omega*tauM, omega*tauR
	return (1 + wm*wm) / (1 + wr*wr)
}

// gainCorrect returns the network with B* of one frequency as its feedback.
func gainCorrect(net *model.Network, omega float64) *model.Network {
	fixed := *net
	fixed.Projections = nil
	for _, q := range net.Projections {
		twin := *q
		if near, ok := q.From.(*model.Population); ok {
			b := make([]float64, len(q.W))
			for i := range near.Size {
				for j := range q.To.Size {
					b[i*q.To.Size+j] = q.W[j*near.Size+i] / ownFactor(omega, near.TauM[i], near.TauR[i])
				}
			}
			twin.Feedback = model.Feedback{Rule: model.Fixed, B: b}
		}
		fixed.Projections = append(fixed.Projections, &twin)
	}
	return &fixed
}

// extrapolate goes to a clock period of 0 from ratios at periods that halve from
// one measurement to the next (Richardson, the polynomial through all). It works
// on logarithms: a delay of one clock period is a factor.
func extrapolate(clocks []*measurement) [][]complex128 {
	fine := clocks[len(clocks)-1].ratio
	limit := make([][]complex128, len(fine))
	table := make([]complex128, len(clocks))
	for k := range fine {
		for i, q := range fine[k] {
			for c, m := range clocks {
				table[c] = cmplx.Log(m.ratio[k][i] / q)
			}
			for order := 1; order < len(table); order++ {
				halved := complex(math.Exp2(float64(order)), 0)
				for c := range len(table) - order {
					table[c] = (halved*table[c+1] - table[c]) / (halved - 1)
				}
			}
			limit[k] = append(limit[k], q*cmplx.Exp(table[0]))
		}
	}
	return limit
}

// agree tells whether one more clock made no difference.
func agree(a, b [][]complex128) bool {
	for k := range a {
		for i := range a[k] {
			if d := cmplx.Abs(a[k][i]/b[k][i] - 1); d > extrapolated {
				return false
			}
		}
	}
	return true
}

// cosine is that of the gradients of two clocks, extrapolated; the gradients are,
// not the cosine, because it is sensitive where one of them is small.
func cosine(coarse, fine *measurement) float64 {
	limit := Join("")
	for i, v := range fine.update.Local {
		limit.Local = append(limit.Local, 2*v-coarse.update.Local[i])
		limit.Exact = append(limit.Exact, 2*fine.update.Exact[i]-coarse.update.Exact[i])
	}
	limit.measure()
	return limit.Cosine
}

// A measurement is one simulation of a stimulated network, forward and back, on a
// clock that a period of the stimulus holds a whole number of times.
type measurement struct {
	net    *model.Network
	omega  float64
	refine int     // 1 for the coarsest clock
	settle float64 // time left at either end; run raises it as needed

	ratio  [][]complex128 // e over adjoint, by population and neuron
	update Comparison     // of all weights
}

const (
	steady    = 1e-7 // by how much two periods may differ, relative to the largest amplitude
	doublings = 7    // of the time to settle
	// Clocks are added until two extrapolations agree to this relative difference.
	extrapolated = 3e-5
	mostClocks   = 6
	faint        = 1e-9 // amplitudes below this share of the largest, or of the stimuli, are rounding
)

// run measures two periods in the middle of a run, and with a longer one again
// if they differ.
func (m *measurement) run(ctx context.Context) error {
	shortest, _ := timeConstants(m.net)
	period := 2 * math.Pi / m.omega
	longestStep := min(0.05/m.omega, shortest/2)
	if steps := float64(m.refine) * (2*m.settle + 4*period) / longestStep; !(steps <= model.MaxSteps) {
		return fmt.Errorf("at omega = %g the response takes %.3g steps, at most %g are allowed; stay nearer to the time constants", m.omega, steps, float64(model.MaxSteps))
	}
	perPeriod := m.refine * int(math.Ceil(period/longestStep))
	clocked := *m.net
	clocked.Dt = period / float64(perPeriod)
	former := math.Inf(1)
	unit := 2 / (float64(perPeriod) * probeAmplitude) // amplitudes are relative to the stimuli
	for k := range doublings {
		// A whole number of periods, so that the stimuli start alike on all clocks.
		quiet := int(math.Ceil(m.settle/period)) * perPeriod
		var e, adjoint [2][][]complex128 // of the two periods
		for _, v := range []*[2][][]complex128{&e, &adjoint} {
			for half := range v {
				for _, p := range m.net.Populations {
					v[half] = append(v[half], make([]complex128, p.Size))
				}
			}
		}
		check, err := CheckGradient(ctx, &clocked, GradientOptions{
			Duration: float64(2*quiet+2*perPeriod) * clocked.Dt,
			From:     float64(quiet) * clocked.Dt, To: float64(quiet+2*perPeriod) * clocked.Dt,
			Visit: func(step, k int, local, exact []float64) {
				half := (step - quiet) / perPeriod
				if step < quiet || half > 1 {
					return
				}
				turn := cmplx.Rect(unit, -2*math.Pi*float64(step)/float64(perPeriod))
				for i := range local {
					e[half][k][i] += complex(local[i], 0) * turn
					adjoint[half][k][i] += complex(exact[i], 0) * turn
				}
			},
		})
		if err != nil {
			return err
		}
		off := max(difference(e[0], e[1]), difference(adjoint[0], adjoint[1]))
		if off <= steady {
			m.ratio = ratios(e[0], adjoint[0])
			m.update = Join("", check.Projections...)
			return nil
		}
		if k > 2 && off > former/2 {
			break // what dies away would by now be much less
		}
		former = off
		m.settle *= 2
	}
	return fmt.Errorf("at omega = %g the errors find no steady state within %.3g of time: with targets the clocked network oscillates by itself; lower gamma, beta or the recurrent weights", m.omega, m.settle)
}

// difference is the largest between two sets of amplitudes, relative to the
// largest amplitude.
func difference(a, b [][]complex128) float64 {
	top := 0.0
	for k := range a {
		for i := range a[k] {
			top = max(top, cmplx.Abs(a[k][i]-b[k][i]))
		}
	}
	return top / max(faint, loudest(a))
}

func loudest(a [][]complex128) float64 {
	top := 0.0
	for k := range a {
		for _, v := range a[k] {
			top = max(top, cmplx.Abs(v))
		}
	}
	return top
}

// ratios divides amplitudes, where there are any.
func ratios(e, adjoint [][]complex128) [][]complex128 {
	least, leastAdjoint := faint*max(1, loudest(e)), faint*max(1, loudest(adjoint))
	q := make([][]complex128, len(e))
	for k := range e {
		for i := range e[k] {
			ratio := cmplx.NaN()
			if cmplx.Abs(e[k][i]) > least && cmplx.Abs(adjoint[k][i]) > leastAdjoint {
				ratio = e[k][i] / adjoint[k][i]
			}
			q[k] = append(q[k], ratio)
		}
	}
	return q
}
