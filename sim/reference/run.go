package reference

import (
	"context"
	"fmt"
	"math"

	"vlec/model"
	"vlec/sim"
)

// Semantics names one of the two meanings of a model.
type Semantics string

// The semantics.
const (
	Continuous  Semantics = "continuous"  // the differential equations
	Clocked     Semantics = "synchronous" // forward Euler on a clock of period dt
	defaultRTol           = 1e-9
)

// Options says how Run simulates and what it records. The zero value simulates
// the differential equations without learning and records what the model's
// probe asks for.
type Options struct {
	Semantics Semantics // "" means Continuous
	Learning  bool      // apply the plasticity of the model; otherwise all weights rest

	Signals  []string // kinds ("u") or signals ("hidden.u"), see Kinds; nil: the model's probe
	Every    float64  // time between samples; 0: the model's probe, or dt
	Duration float64  // 0: the model's

	// RelTol is the relative error allowed per step of the continuous semantics;
	// 0 means 1e-9.
	RelTol float64

	Metrics MetricsOptions

	// Progress, if not nil, is called now and then with the part of the run that
	// is done and the mean loss since the last call.
	Progress func(done, loss float64)
}

// A Result sums up a run.
type Result struct {
	Steps       int // clock steps, or steps of the integrator
	Evaluations int // of the right-hand side, continuous semantics alone

	// Mean loss over the first and the last twentieth of the run.
	LossFirst, LossLast float64

	Metrics *Metrics // nil unless asked for

	Weights // at the end
}

// Run simulates a network from time 0 and returns what it recorded: a sample at
// 0 and after every Options.Every up to the duration. In the synchronous
// semantics the sample at time k dt is the state after k steps. Time is in model
// units.
//
// It reports a network whose parts don't fit together, a signal that does not
// exist, time constants below dt (synchronous), an algebraic loop without a
// usable solution as a *LoopError, and the cancellation of ctx.
func Run(ctx context.Context, net *model.Network, o Options) (*sim.Trace, *Result, error) {
	if o.Every == 0 {
		o.Every = net.Probe.Every
	}
	if o.Every == 0 {
		o.Every = net.Dt
	}
	if o.Duration == 0 {
		o.Duration = net.Duration
	}
	if o.Signals == nil {
		o.Signals = net.Probe.Signals
	}
	if len(o.Signals) == 0 {
		o.Signals = defaultKinds
	}
	if o.RelTol == 0 {
		o.RelTol = defaultRTol
	}
	if !(o.Every > 0) || !(o.Duration >= 0) || math.IsInf(o.Duration, 0) {
		return nil, nil, fmt.Errorf("cannot sample a run of length %g every %g", o.Duration, o.Every)
	}
	if o.Duration/o.Every > maxRecorded {
		return nil, nil, fmt.Errorf("a run of length %g sampled every %g has too many samples; sample less often", o.Duration, o.Every)
	}
	if o.Semantics == "" {
		o.Semantics = Continuous
	}
	if o.Learning {
		if err := checkLearning(net, o.Semantics); err != nil {
			return nil, nil, err
		}
	}
	switch o.Semantics {
	case Continuous:
		return runContinuous(ctx, net, o)
	case Clocked:
		return runClocked(ctx, net, o)
	}
	return nil, nil, fmt.Errorf("unknown semantics %q; use %s or %s", o.Semantics, Continuous, Clocked)
}

// whole returns how many times part fits into length, forgiving rounding.
func whole(length, part float64) int { return int(math.Floor(length/part + 1e-6)) }

// windowShare is the part of a run over which the first and the last loss are
// averaged.
const windowShare = 0.05

func runClocked(ctx context.Context, net *model.Network, o Options) (*sim.Trace, *Result, error) {
	s, err := NewSynchronous(net, max(1, net.Learning.Batch))
	if err != nil {
		return nil, nil, err
	}
	if o.Learning {
		s.Learning = Local
	}
	stride, err := onClock("samples", o.Every, net.Dt)
	if err != nil {
		return nil, nil, err
	}
	rows := 0
	if o.Metrics.Every > 0 {
		if rows, err = onClock("metrics", o.Metrics.Every, net.Dt); err != nil {
			return nil, nil, err
		}
	}
	meter, err := newMeter(o.Metrics, o.Duration)
	if err != nil {
		return nil, nil, err
	}
	steps := whole(o.Duration, net.Dt)
	rec, err := newRecorder(s.plan, s, o.Signals, steps/stride+1)
	if err != nil {
		return nil, nil, err
	}
	res := &Result{Steps: steps}
	window := max(1, int(windowShare*float64(steps)))
	tick := newTicker(o.Progress)
	rec.sample(0)
	for k := range steps {
		if k%256 == 0 {
			if err := ctx.Err(); err != nil {
				return nil, nil, err
			}
		}
		s.Stimulate()
		s.Step()
		loss := s.Loss()
		if k < window {
			res.LossFirst += loss / float64(window)
		}
		if k >= steps-window {
			res.LossLast += loss / float64(window)
		}
		tick.add(float64(k+1)/float64(steps), loss, 1)
		if rows > 0 {
			if meter.add(loss, 1); (k+1)%rows == 0 {
				meter.row(float64(k+1) * net.Dt)
			}
		}
		if (k+1)%stride == 0 {
			rec.sample(float64(k+1) * net.Dt)
		}
	}
	res.Metrics, res.Weights = meter.done(), weightsOf(s.plan, s)
	return rec.done(), res, nil
}

// onClock returns how many periods dt fit into the time between two of what.
func onClock(what string, every, dt float64) (int, error) {
	n := whole(every, dt)
	if n < 1 || math.Abs(every/dt-float64(n)) > 1e-6 {
		return 0, fmt.Errorf("%s every %g do not fall on a clock of period %g; choose a multiple", what, every, dt)
	}
	return n, nil
}

// A ticker calls a progress function about a thousand times a run.
type ticker struct {
	call         func(done, loss float64)
	sum, weight  float64
	reportedUpTo float64
}

func newTicker(call func(done, loss float64)) *ticker { return &ticker{call: call} }

// add says that the run is done up to a share, with a loss of a given weight
// since the last time.
func (t *ticker) add(done, loss, weight float64) {
	if t.call == nil {
		return
	}
	t.sum += loss * weight
	t.weight += weight
	if done >= 1 || done-t.reportedUpTo >= 1e-3 {
		t.call(done, t.sum/t.weight)
		t.sum, t.weight, t.reportedUpTo = 0, 0, done
	}
}

// What is recorded of a batch is its first trial.
func (s *Synchronous) ofPopulation(kind string, k int) []float64 {
	z, n := &s.pops[k], s.plan.pops[k].Size
	switch kind {
	case "u":
		return z.U[:n]
	case "v":
		return z.V[:n]
	case "y":
		return z.Y[:n]
	case "r":
		return z.R[:n]
	case "x":
		return z.X[:n]
	case "e":
		return z.E[:n]
	case "a":
		return z.A[:n]
	case "bias":
		return s.bias[k]
	case "tau_m":
		return z.TauM
	}
	return nil
}

func (s *Synchronous) ofProjection(kind string, k int) []float64 {
	switch kind {
	case "W":
		return s.W(k)
	case "B":
		return s.B(k)
	}
	return nil
}

func (s *Synchronous) ofInput(k int) []float64 {
	return s.input[k][:s.plan.inputs[k].Width()]
}

func (s *Synchronous) ofTarget(k int) []float64 {
	return s.target[k][:s.plan.targets[k].Population.Size]
}

func (s *Synchronous) loss() float64 { return s.Loss() }
