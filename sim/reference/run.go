package reference

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync/atomic"

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

	// Signals are kinds ("u") or signals ("hidden.u"), see Kinds. Nil means the
	// model's probe; an empty list that is not nil means nothing.
	Signals  []string
	Every    float64 // time between samples; 0: the model's probe, or dt
	Sink     Sink    // takes the samples; nil: Run returns them as a trace
	Duration float64 // 0: the model's

	// RelTol is the relative error allowed per step of the continuous semantics;
	// 0 means 1e-9.
	RelTol float64

	// Parts are what the network is built of, in the continuous semantics; nil means
	// perfect ones. Such a run keeps no checkpoints.
	Parts *Parts

	Metrics MetricsOptions
	Stop    StopOptions

	// Save, if not nil, is given the state of the run whenever Due says so, when
	// ctx is cancelled and at the end. Due is asked between steps, often, and told
	// the time; nil means never.
	Save func(*Checkpoint) error
	Due  func(t float64) bool
	// Resume goes on from a checkpoint of a run with the same model and options.
	Resume *Checkpoint
	// Origin tells runs apart that start from different weights, for checkpoints:
	// a name or a hash of what was applied to the model.
	Origin string

	// Progress, if not nil, is called now and then with the part of the run that
	// is done and the mean loss since the last call.
	Progress func(done, loss float64)
}

// A Result sums up a run.
type Result struct {
	Steps       int // clock steps, or steps of the integrator
	Evaluations int // of the right-hand side, continuous semantics alone

	Time    float64 // at the end; less than the duration when the run stopped early
	Stopped string  // why it did: StoppedAtLoss, StoppedByPatience, or ""

	// Mean loss over the first and the last twentieth of the run; of a run that
	// stopped early, LossLast is the last moving average.
	LossFirst, LossLast float64

	Metrics *Metrics // nil unless asked for

	Weights // at the end
}

// Run simulates a network from time 0, or from a checkpoint, and returns what it
// recorded: a sample at 0 and after every Options.Every up to the duration. In
// the synchronous semantics the sample at time k dt is the state after k steps.
// Time is in model units. The trace is nil when a Sink took the samples.
//
// It reports a network whose parts don't fit together, a signal that does not
// exist, time constants below dt (synchronous), learning that the semantics
// cannot follow, an algebraic loop without a usable solution as a *LoopError, a
// loss without bound as a *DivergedError (where there are metrics), a checkpoint
// of another run as a *ResumeError, and the cancellation of ctx.
func Run(ctx context.Context, net *model.Network, o Options) (*sim.Trace, *Result, error) {
	if err := o.complete(net); err != nil {
		return nil, nil, err
	}
	c := &course{net: net, o: o, header: headerOf(net, &o)}
	var err error
	if c.meter, err = newMeter(o.Metrics, o.Stop, o.Duration); err != nil {
		return nil, nil, err
	}
	c.tick = newTicker(o.Progress)
	defer context.AfterFunc(ctx, func() { c.cancelled.Store(true) })()
	if o.Semantics == Clocked {
		err = c.runClocked()
	} else {
		err = c.runContinuous(ctx)
	}
	if errors.Is(err, context.Canceled) {
		err = context.Cause(ctx)
	}
	if err != nil {
		return nil, nil, err
	}
	if c.meter.ended > 0 {
		c.Stopped = reasons[c.meter.ended-1]
		c.LossLast = c.meter.Average[len(c.meter.Average)-1]
	}
	c.Metrics = c.meter.done()
	return c.rec.trace(), &c.Result, nil
}

// complete fills in what the model decides and checks the rest.
func (o *Options) complete(net *model.Network) error {
	if o.Semantics == "" {
		o.Semantics = Continuous
	}
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
		if o.Signals = net.Probe.Signals; len(o.Signals) == 0 {
			o.Signals = defaultKinds
		}
	}
	if o.RelTol == 0 {
		o.RelTol = defaultRTol
	}
	if !(o.Every > 0) || !(o.Duration >= 0) || math.IsInf(o.Duration, 0) {
		return fmt.Errorf("cannot sample a run of length %g every %g", o.Duration, o.Every)
	}
	if len(o.Signals) > 0 && o.Duration/o.Every > maxSunk || o.Duration/net.Dt > model.MaxSteps {
		return fmt.Errorf("a run of length %g sampled every %g has too many samples; sample less often", o.Duration, o.Every)
	}
	if o.Semantics != Continuous && o.Semantics != Clocked {
		return fmt.Errorf("unknown semantics %q; use %s or %s", o.Semantics, Continuous, Clocked)
	}
	if o.Parts != nil && (o.Semantics != Continuous || o.Save != nil || o.Resume != nil) {
		return errors.New("parts are those of a continuous run without checkpoints")
	}
	if !o.Learning {
		return nil
	}
	return checkLearning(net, o.Semantics)
}

// A course is a run under way: what both semantics have in common.
type course struct {
	Result
	net       *model.Network
	o         Options
	header    Header
	meter     *meter
	rec       *recorder
	tick      *ticker
	cancelled atomic.Bool
}

// open prepares what the run records and, where it resumes, takes its state back.
func (c *course) open(p *plan, run observed, samples int, keep func(*ledger)) (err error) {
	if len(c.o.Signals) == 0 {
		samples = 1
	}
	if c.rec, err = newRecorder(p, run, c.o.Signals, samples, c.o.Sink); err != nil {
		return err
	}
	c.meter.gauge(p, run)
	if c.o.Resume != nil {
		if err := c.o.Resume.restore(c.header, keep); err != nil {
			return err
		}
	}
	return c.rec.begin()
}

// keep walks over what both semantics have in common.
func (c *course) keep(l *ledger) {
	l.numbers(statePrefix+"loss", &c.LossFirst, &c.LossLast)
	c.meter.keep(l)
	c.rec.keep(l)
}

// pause saves the run where that is due, and ends it where it was cancelled.
func (c *course) pause(time float64, keep func(*ledger)) error {
	cancelled := c.cancelled.Load()
	if c.o.Save != nil && (cancelled || c.o.Due != nil && c.o.Due(time)) {
		if err := c.save(time, false, keep); err != nil {
			return err
		}
	}
	if cancelled {
		return context.Canceled
	}
	return nil
}

func (c *course) save(time float64, done bool, keep func(*ledger)) error {
	h := c.header
	h.Time, h.Samples, h.Done = time, c.rec.samples, done
	return c.o.Save(save(h, keep))
}

// close ends the run.
func (c *course) close(time float64, p *plan, run observed, keep func(*ledger)) error {
	c.Time, c.Weights = time, weightsOf(p, run)
	if c.o.Save == nil {
		return nil
	}
	return c.save(time, true, keep)
}

// whole returns how many times part fits into length, forgiving rounding.
func whole(length, part float64) int { return int(math.Floor(length/part + 1e-6)) }

// windowShare is the part of a run over which the first and the last loss are
// averaged.
const windowShare = 0.05

func (c *course) runClocked() error {
	net, o := c.net, &c.o
	s, err := NewSynchronous(net, max(1, net.Learning.Batch))
	if err != nil {
		return err
	}
	if o.Learning {
		s.Learning = Local
	}
	stride, err := onClock("samples", o.Every, net.Dt)
	if err != nil {
		return err
	}
	rows := 0
	if o.Metrics.Every > 0 {
		if rows, err = onClock("metrics", o.Metrics.Every, net.Dt); err != nil {
			return err
		}
	}
	steps := whole(o.Duration, net.Dt)
	keep := func(l *ledger) {
		s.keep(l, statePrefix)
		c.keep(l)
		if l.restoring && (s.step < 0 || s.step > steps) {
			l.fail("it is at step %d of %d", s.step, steps)
		}
	}
	if err := c.open(s.plan, s, steps/stride+1, keep); err != nil {
		return err
	}
	if len(o.Signals) == 0 {
		stride = steps + 1 // no sample
	} else if c.rec.samples == 0 {
		if err := c.rec.sample(0); err != nil {
			return err
		}
	}
	window := max(1, int(windowShare*float64(steps)))
	c.tick.reportedUpTo = float64(s.step) / float64(max(1, steps))
	for s.step < steps && c.meter.ended == 0 {
		if err := c.pause(s.Time(), keep); err != nil {
			return err
		}
		s.Stimulate()
		s.Step()
		k, loss := s.step, s.Loss()
		if k <= window {
			c.LossFirst += loss / float64(window)
		}
		if k > steps-window {
			c.LossLast += loss / float64(window)
		}
		c.tick.add(float64(k)/float64(steps), loss, 1)
		if rows > 0 {
			if c.meter.add(loss, 1); k%rows == 0 {
				if err := c.meter.row(s.Time()); err != nil {
					return err
				}
			}
		}
		if k%stride == 0 {
			if err := c.rec.sample(s.Time()); err != nil {
				return err
			}
		}
	}
	c.Steps = s.step
	return c.close(s.Time(), s.plan, s, keep)
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
