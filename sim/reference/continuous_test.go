package reference

import (
	"context"
	"errors"
	"math"
	"math/cmplx"
	"strings"
	"testing"

	"vlec/model"
	"vlec/sim"
)

func mustRun(t *testing.T, net *model.Network, o Options) (*sim.Trace, *Result) {
	t.Helper()
	trace, res, err := Run(context.Background(), net, o)
	if err != nil {
		t.Fatal(err)
	}
	return trace, res
}

// A linear chain under a sine has transfer functions that can be written down, for
// neurons that look less far ahead than they remember, as far, and further.
func TestContinuousAgainstTransferFunction(t *testing.T) {
	for _, lead := range []float64{0.2, 1, 2.5} {
		compareTransfer(t, lead)
	}
}

func compareTransfer(t *testing.T, lead float64) {
	net := chainNetwork(model.Linear)
	net.Duration = 120
	for i, tau := range []float64{1.3, 0.7} {
		net.Populations[i].TauM[0], net.Populations[i].TauR[0] = tau, lead*tau
	}
	tr, _ := mustRun(t, net, Options{Signals: []string{"u", "r", "e", "v"}, Every: 0.5})
	s := complex(0, 2*math.Pi*0.1)
	member := func(p *model.Population) (m, r complex128) {
		return 1 + s*complex(p.TauM[0], 0), 1 + s*complex(p.TauR[0], 0)
	}
	m0, q0 := member(net.Populations[0])
	m1, q1 := member(net.Populations[1])
	mt, qt := member(net.Teacher.Populations[0])
	w := func(k int) complex128 { return complex(net.Projections[k].W[0], 0) }
	r0 := w(0) * q0 / m0
	r1 := w(1) * r0 * q1 / m1
	teacher := complex(1.2, 0) * (qt / mt) * (qt / mt)
	e1 := (teacher - r1) * m1 / q1
	e0 := w(1) * e1 * m0 / q0
	for _, c := range []struct {
		name string
		want complex128
	}{{"hidden.u", w(0) / m0}, {"hidden.r", r0}, {"out.r", r1}, {"out.e", e1}, {"hidden.e", e0}, {"hidden.v", e0 / m0}} {
		sig := tr.Signal(c.name)
		worst := 0.0
		for k, at := range sig.Time {
			if at < 100 { // the transients are gone by then, to exp(-30)
				continue
			}
			worst = max(worst, math.Abs(sig.At(k)[0]-imag(c.want*cmplx.Exp(s*complex(at, 0)))))
		}
		if worst > 1e-8 {
			t.Errorf("tau_r = %g tau_m: %s differs from its transfer function by %.2g", lead, c.name, worst)
		}
	}
}

// As dt falls the synchronous semantics approaches the continuous one, in first
// order. This is asked of learning networks with every kind of loop.
func TestSynchronousConvergesToContinuous(t *testing.T) {
	for _, c := range []struct {
		name string
		net  *model.Network
	}{
		{"forward", randomNetwork(1, false, 0)},
		{"gamma", randomNetwork(2, false, 0.5)},
		{"recurrent", randomNetwork(3, true, 0)},
		{"both", randomNetwork(4, true, 0.3)},
		{"teacher", chainNetwork(model.Tanh)},
		{"cross-entropy", crossEntropyNetwork(5)},
	} {
		t.Run(c.name, func(t *testing.T) {
			signals := []string{"u", "v", "r", "e", "W", "bias", "tau_m"}
			want, _ := mustRun(t, c.net, Options{Learning: true, Signals: signals, Every: 0.05})
			var dist [2]float64
			for i, dt := range []float64{0.002, 0.001} {
				fine := *c.net
				fine.Dt = dt
				got, _ := mustRun(t, &fine, Options{Semantics: Clocked, Learning: true, Signals: signals, Every: 0.05})
				for k, s := range want.Signals {
					// Skip the first samples: the clocked rates start at zero.
					from := len(s.Data) / 5 / s.Width() * s.Width()
					dist[i] = max(dist[i], widest(s.Data[from:], got.Signals[k].Data[from:]))
				}
			}
			t.Logf("distance %.3g at dt 0.002, %.3g at 0.001", dist[0], dist[1])
			if q := dist[0] / dist[1]; dist[1] > 0.05 || q < 1.8 || q > 2.2 {
				t.Errorf("distances %.3g and %.3g do not fall in proportion to dt", dist[0], dist[1])
			}
		})
	}
}

// crossEntropyNetwork is a random network with a linear output and a constant
// class as its target.
func crossEntropyNetwork(seed uint64) *model.Network {
	net := randomNetwork(seed, false, 0.2)
	net.Populations[2].Activation = model.Linear
	t := net.Targets[0]
	t.Loss = model.CrossEntropy
	t.Signal = []model.Waveform{model.Constant{Value: 1}, model.Constant{}}
	return net
}

// A tighter tolerance must not change the answer by more than the looser one
// promises.
func TestContinuousTolerance(t *testing.T) {
	net := randomNetwork(6, true, 0.4)
	o := Options{Learning: true, Signals: []string{"u", "r", "e", "W"}, Every: 0.1}
	a, ra := mustRun(t, net, o)
	o.RelTol = 1e-12
	b, rb := mustRun(t, net, o)
	for k, s := range a.Signals {
		if d := widest(s.Data, b.Signals[k].Data); d > 1e-7 {
			t.Errorf("%s moves by %.2g when the tolerance falls to 1e-12", s.Name, d)
		}
	}
	if rb.Steps < 2*ra.Steps {
		t.Errorf("%d steps at 1e-9 and %d at 1e-12: the tolerance is not heard", ra.Steps, rb.Steps)
	}
}

// A population that excites itself by more than 1 through its instantaneous
// rate has no stable solution.
func TestLoopRefused(t *testing.T) {
	net := &model.Network{Dt: 0.01, Duration: 1, Beta: 1}
	in := sines("drive", 0.2)
	net.Inputs = []*model.Input{in}
	p := population("knot", 1, model.Tanh, 1, 0.9)
	net.Populations = []*model.Population{p}
	project(net, in, p, 1)
	loop := project(net, p, p, 0.8)
	if _, _, err := Run(context.Background(), net, Options{}); err != nil {
		t.Errorf("a loop of gain 0.72 was refused: %v", err)
	}
	loop.W[0] = 2
	_, _, err := Run(context.Background(), net, Options{})
	var bad *LoopError
	if !errors.As(err, &bad) {
		t.Fatalf("a loop of gain 1.8 gave %v, want a LoopError", err)
	}
	if bad.Population != "knot" || math.Abs(bad.Gain-1.8) > 1e-6 {
		t.Errorf("the error names population %q and gain %g, want knot and 1.8", bad.Population, bad.Gain)
	}
	t.Log(err)
}

// The mean losses of both semantics agree, and learning lowers them.
func TestRunLosses(t *testing.T) {
	net := chainNetwork(model.Tanh)
	net.Duration = 400
	for _, p := range net.Projections {
		p.Eta = 0.3
	}
	_, c := mustRun(t, net, Options{Learning: true, Signals: []string{"loss"}, Every: 1})
	_, d := mustRun(t, net, Options{Semantics: Clocked, Learning: true, Signals: []string{"loss"}, Every: 1})
	t.Logf("continuous %.4g -> %.4g, synchronous %.4g -> %.4g", c.LossFirst, c.LossLast, d.LossFirst, d.LossLast)
	if math.Abs(c.LossFirst/d.LossFirst-1) > 0.05 {
		t.Errorf("first losses %g and %g disagree", c.LossFirst, d.LossFirst)
	}
	if c.LossLast > c.LossFirst/100 || d.LossLast > d.LossFirst/100 {
		t.Errorf("the losses hardly fell: %g -> %g and %g -> %g", c.LossFirst, c.LossLast, d.LossFirst, d.LossLast)
	}
}

// Learning that a semantics cannot follow is refused, not ignored.
func TestRefusedLearning(t *testing.T) {
	adam := model.Learning{Optimizer: model.Adam, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8}
	mirrored := chainNetwork(model.Tanh)
	mirrored.Learning = adam
	mirrored.Projections[1].Feedback = model.Feedback{Rule: model.KolenPollack, B: []float64{1}, Eta: 1, Decay: 1}
	with := func(l model.Learning) *model.Network {
		net := chainNetwork(model.Tanh)
		net.Learning = l
		return net
	}
	for _, c := range []struct {
		net  *model.Network
		s    Semantics
		want string
	}{
		{with(adam), Continuous, "optimizer adam makes steps"},
		{with(model.Learning{Optimizer: model.Momentum}), Continuous, "optimizer momentum makes steps"},
		{with(model.Learning{Batch: 2}), Continuous, "batch of 2"},
		{with(model.Learning{Optimizer: "newton"}), Clocked, "unknown optimizer"},
		{with(model.Learning{Optimizer: model.Momentum, Momentum: 1}), Clocked, "less than 1"},
		{mirrored, Clocked, "kolen-pollack"},
	} {
		_, _, err := Run(context.Background(), c.net, Options{Semantics: c.s, Learning: true, Duration: 1})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want an error with %q", c.s, err, c.want)
		}
	}
	// Without learning there is nothing to refuse.
	if _, _, err := Run(context.Background(), with(adam), Options{Duration: 1}); err != nil {
		t.Error(err)
	}
}

func TestSignalErrors(t *testing.T) {
	net := chainNetwork(model.Tanh)
	for _, bad := range []string{"q", "hidden.q", "nobody.u", "hidden.W", "x.loss"} {
		if _, _, err := Run(context.Background(), net, Options{Signals: []string{bad}}); err == nil {
			t.Errorf("signal %q was accepted", bad)
		} else {
			t.Log(err)
		}
	}
}
