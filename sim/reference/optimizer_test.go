package reference

import (
	"context"
	"math"
	"slices"
	"testing"

	"vlec/model"
)

// learner is one linear neuron with tau_m = tau_r, so that it has no memory:
// y_k = w x_k + b, e_k = target_k - y_{k-1}, and the slope is 0 at first.
func learner(l model.Learning) *model.Network {
	in := &model.Input{Name: "in", Channels: []model.Waveform{model.Sine{Amplitude: 0.8, Frequency: 0.3, Offset: 0.3}}}
	net := &model.Network{Dt: 0.1, Duration: 10, Beta: 1, Inputs: []*model.Input{in}, Learning: l}
	p := population("n", 1, model.Linear, 1, 1)
	p.PlasticBias, p.EtaBias = true, 0.5
	net.Populations = []*model.Population{p}
	project(net, in, p, 0.2).Eta = 0.7
	net.Targets = []*model.Target{{Name: "t", Population: p, Loss: model.Squared, Signal: []model.Waveform{model.Sine{Amplitude: 0.5, Frequency: 0.2}}}}
	return net
}

// byHand computes w and b of the learner for a number of steps, from the
// formulas on paper and without the code under test: plain, with heavy ball
// (B. Polyak, 1964) or by Adam (arXiv 1412.6980, algorithm 1).
func byHand(net *model.Network, steps int) (w, b float64) {
	l := net.Learning
	w = 0.2
	var memory [2]struct{ m, v float64 }
	y, k := 0.0, 0
	pendingE, pendingX, pending, pendingFactor := 0.0, 0.0, false, 1.0
	update := func(i int, g float64) float64 { // g: descent direction
		z := &memory[i]
		switch l.Optimizer {
		case model.Momentum:
			z.m = l.Momentum*z.m + g
			return z.m
		case model.Adam:
			z.m = l.Beta1*z.m + (1-l.Beta1)*g
			z.v = l.Beta2*z.v + (1-l.Beta2)*g*g
			return z.m / (1 - math.Pow(l.Beta1, float64(k))) / (math.Sqrt(z.v/(1-math.Pow(l.Beta2, float64(k)))) + l.Epsilon)
		}
		return g
	}
	for step := range steps {
		t := float64(step) * net.Dt
		x := 0.8*math.Sin(2*math.Pi*0.3*t) + 0.3
		if pending {
			w += net.Dt * 0.7 * pendingFactor * update(0, pendingE*pendingX)
		}
		e := 0.0
		if step > 0 {
			e = 0.5*math.Sin(2*math.Pi*0.2*t) - y
		}
		y = w*x + b
		if pending = t >= l.Start-1e-9; pending {
			k++
			pendingE, pendingX, pendingFactor = e, x, 1
			if l.Schedule != nil {
				pendingFactor = l.Schedule.At(t)
			}
			b += net.Dt * 0.5 * pendingFactor * update(1, e)
		}
	}
	// The last update is still to come.
	if pending {
		w += net.Dt * 0.7 * pendingFactor * update(0, pendingE*pendingX)
	}
	return w, b
}

func TestOptimizersByHand(t *testing.T) {
	ramp := &model.Sampled{Time: []float64{0, 2, 6}, Value: []float64{0.2, 1, 0.1}}
	momentum := model.Learning{Optimizer: model.Momentum, Momentum: 0.9}
	adam := model.Learning{Optimizer: model.Adam, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8}
	late, paced, both := adam, momentum, adam
	late.Start, paced.Schedule = 3, ramp
	both.Start, both.Schedule = 2.5, ramp
	for name, l := range map[string]model.Learning{
		"sgd": {}, "sgd with schedule": {Schedule: ramp}, "sgd with start": {Start: 3},
		"momentum": momentum, "momentum with schedule": paced,
		"adam": adam, "adam with start": late, "adam with both": both,
	} {
		net := learner(l)
		_, res, err := Run(context.Background(), net, Options{Semantics: Clocked, Learning: true})
		if err != nil {
			t.Fatal(name, err)
		}
		w, b := byHand(net, 100)
		if d := max(math.Abs(res.W["in_n"][0]-w), math.Abs(res.Bias["n"][0]-b)); !(d < 1e-12) {
			t.Errorf("%s: w %.15g, b %.15g; by hand %.15g, %.15g", name, res.W["in_n"][0], res.Bias["n"][0], w, b)
		}
		// The comparison can fail: a rate that is wrong by a thousandth shows.
		net.Projections[0].Eta *= 1.001
		if _, res, _ = Run(context.Background(), net, Options{Semantics: Clocked, Learning: true}); math.Abs(res.W["in_n"][0]-w) < 1e-9 {
			t.Errorf("%s: a wrong rate goes unseen", name)
		}
	}
}

// learned runs a network and returns everything that it learned.
func learned(t *testing.T, net *model.Network) []float64 {
	t.Helper()
	_, res, err := Run(context.Background(), net, Options{Semantics: Clocked, Learning: true})
	if err != nil {
		t.Fatal(err)
	}
	var all []float64
	for _, p := range net.Projections {
		all = append(append(all, res.W[p.Name]...), res.B[p.Name]...)
	}
	for _, p := range net.Populations {
		all = append(append(all, res.Bias[p.Name]...), res.TauM[p.Name]...)
	}
	return all
}

// Without momentum the heavy ball is gradient descent.
func TestMomentumZero(t *testing.T) {
	for _, build := range []func() *model.Network{
		func() *model.Network { return randomNetwork(3, true, 0.1) },
		func() *model.Network { n := wideNetwork(); n.Duration = 0.5; return n },
	} {
		plain, ball := build(), build()
		ball.Learning = model.Learning{Optimizer: model.Momentum}
		if d := widest(learned(t, plain), learned(t, ball)); d > 1e-13 {
			t.Errorf("differs from sgd by %g", d)
		}
		ball.Learning.Momentum = 0.5
		if d := widest(learned(t, plain), learned(t, ball)); d < 1e-6 {
			t.Errorf("a momentum of 0.5 changes nothing: %g", d)
		}
	}
}

// A schedule of 0.5 is half of every rate, that of backward weights, biases, time
// constants and decay included.
func TestScheduleIsAFactor(t *testing.T) {
	build := func(share float64) *model.Network {
		net := randomNetwork(5, true, 0.05)
		for k, p := range net.Projections {
			p.Eta *= share
			p.Decay = 0.1 * share
			if _, isPop := p.From.(*model.Population); isPop {
				b := make([]float64, len(p.W))
				for i := range b {
					b[i] = 0.1 * float64(i%3)
				}
				p.Feedback = model.Feedback{Rule: model.GainAlignment, B: b, Eta: 0.3 * share}
				if k%2 == 0 {
					p.Feedback = model.Feedback{Rule: model.PAL, B: b, Eta: 0.3 * share, Decay: 1, NoiseSigma: 0.1, NoiseTau: 0.1, HighPass: 0.2}
				}
			}
		}
		for _, p := range net.Populations {
			p.EtaBias *= share
			p.EtaTauM *= share
		}
		return net
	}
	half := build(0.5)
	scheduled := build(1)
	scheduled.Learning.Schedule = model.Constant{Value: 0.5}
	for _, s := range []Semantics{Continuous, Clocked} {
		var got [2]*Result
		for k, net := range []*model.Network{half, scheduled} {
			var err error
			if _, got[k], err = Run(context.Background(), net, Options{Semantics: s, Learning: true, Duration: 2, Signals: []string{"loss"}}); err != nil {
				t.Fatal(err)
			}
		}
		worst := 0.0
		for name, w := range got[0].W {
			worst = max(worst, widest(w, got[1].W[name]))
			if b := got[0].B[name]; b != nil {
				worst = max(worst, widest(b, got[1].B[name]))
			}
		}
		for name, b := range got[0].Bias {
			worst = max(worst, widest(b, got[1].Bias[name]), widest(got[0].TauM[name], got[1].TauM[name]))
		}
		if worst > 1e-12 {
			t.Errorf("%s: a schedule of 0.5 and half the rates differ by %g", s, worst)
		}
	}
}

// Before the start nothing moves, in both semantics; after it everything does, and
// as if the run had begun there with frozen weights.
func TestStart(t *testing.T) {
	for _, s := range []Semantics{Continuous, Clocked} {
		net := chainNetwork(model.Tanh)
		net.Learning.Start = 7.005
		trace, _, err := Run(context.Background(), net, Options{Semantics: s, Learning: true, Duration: 14, Signals: []string{"W"}, Every: 0.01})
		if err != nil {
			t.Fatal(err)
		}
		w := trace.Signal("hidden_out.W")
		moved := 0.0
		for k, at := range w.Time {
			if at <= 7 && w.Data[k] != w.Data[0] {
				t.Fatalf("%s: a weight moved at %g, before learning starts", s, at)
			}
			moved = math.Abs(w.Data[k] - w.Data[0])
		}
		if moved < 1e-4 {
			t.Errorf("%s: nothing was learned after the start: %g", s, moved)
		}
	}
}

// The semantics agree about schedule and start as the step gets shorter.
func TestScheduleInBothSemantics(t *testing.T) {
	final := func(s Semantics, dt float64) float64 {
		net := chainNetwork(model.Tanh)
		net.Dt = dt
		for _, p := range net.Projections {
			p.Eta = 0.2
		}
		net.Learning.Start = 2
		net.Learning.Schedule = model.Step{Low: 1, High: 0.2, Start: 10, Rise: 2}
		_, res, err := Run(context.Background(), net, Options{Semantics: s, Learning: true, Duration: 20, Signals: []string{"loss"}, Every: 1})
		if err != nil {
			t.Fatal(err)
		}
		return res.W["drive_hidden"][0]
	}
	exact := final(Continuous, 0.01)
	coarse, fine := math.Abs(final(Clocked, 0.004)-exact), math.Abs(final(Clocked, 0.002)-exact)
	t.Logf("continuous %.6f; differences %.3g at 0.004, %.3g at 0.002", exact, coarse, fine)
	if ratio := coarse / fine; ratio < 1.8 || ratio > 2.2 {
		t.Errorf("halving the step divides the difference by %.3g, want 2", ratio)
	}
}

// batched gives every trial of a network its own stimuli.
func batched(net *model.Network, trials int) *model.Network {
	net.Learning.Batch = trials
	shift := func(waves []model.Waveform, k int) []model.Waveform {
		out := make([]model.Waveform, len(waves))
		for i, w := range waves {
			s := w.(model.Sine)
			s.Phase += float64(k)
			s.Frequency *= 1 + 0.1*float64(k)
			out[i] = s
		}
		return out
	}
	for _, in := range net.Inputs {
		for k := range trials {
			in.Trials = append(in.Trials, shift(in.Channels, k))
		}
		in.Channels = in.Trials[0]
	}
	for _, target := range net.Targets {
		for k := range trials {
			target.Trials = append(target.Trials, shift(target.Signal, k))
		}
		target.Signal = target.Trials[0]
	}
	return net
}

// With resting weights the gradients of a batch are the mean of those of its
// trials, and so is the loss.
func TestBatchIsTheMeanOfItsTrials(t *testing.T) {
	const trials, steps = 5, 300
	for name, build := range map[string]func() *model.Network{
		"random": func() *model.Network { return randomNetwork(2, true, 0.1) },
		"wide":   wideNetwork,
		"softmaxed": func() *model.Network {
			net := randomNetwork(4, false, 0)
			net.Populations[2].Activation, net.Targets[0].Loss = model.Linear, model.CrossEntropy
			return net
		},
	} {
		run := func(net *model.Network, trials int) (*Synchronous, float64) {
			s, err := NewSynchronous(net, trials)
			if err != nil {
				t.Fatal(err)
			}
			s.Learning = Accumulate
			loss := 0.0
			for range steps {
				s.Stimulate()
				s.Step()
				loss += s.Loss()
			}
			return s, loss
		}
		whole, loss := run(batched(build(), trials), trials)
		mean := 0.0
		var sums Gradients
		for k := range trials {
			net := batched(build(), trials)
			for _, in := range net.Inputs {
				in.Channels, in.Trials = in.Trials[k], nil
			}
			for _, target := range net.Targets {
				target.Signal, target.Trials = target.Trials[k], nil
			}
			s, l := run(net, 1)
			mean += l / trials
			for set, parts := range map[*[][]float64][][]float64{&sums.W: s.grad.W, &sums.Bias: s.grad.Bias, &sums.TauM: s.grad.TauM} {
				if *set == nil {
					*set = make([][]float64, len(parts))
				}
				for i, g := range parts {
					if (*set)[i] == nil {
						(*set)[i] = make([]float64, len(g))
					}
					axpy(1.0/trials, g, (*set)[i])
				}
			}
		}
		if math.Abs(loss-mean) > 1e-12*mean {
			t.Errorf("%s: loss %g, mean of the trials %g", name, loss, mean)
		}
		for _, pair := range [][2][][]float64{{whole.grad.W, sums.W}, {whole.grad.Bias, sums.Bias}, {whole.grad.TauM, sums.TauM}} {
			for i, g := range pair[0] {
				size := 0.0
				for _, v := range g {
					size = max(size, math.Abs(v))
				}
				if d := widest(g, pair[1][i]); d > 1e-12*size || size == 0 {
					t.Errorf("%s: gradients of a batch differ from the mean of its trials by %g of %g", name, d, size)
				}
			}
		}
	}
}

// Trials that see the same learn what one trial learns, by every optimiser.
func TestBatchOfEquals(t *testing.T) {
	for _, l := range []model.Learning{
		{}, {Optimizer: model.Momentum, Momentum: 0.8}, {Optimizer: model.Adam, Beta1: 0.9, Beta2: 0.99, Epsilon: 1e-3},
	} {
		for _, build := range []func() *model.Network{
			func() *model.Network { return randomNetwork(6, true, 0.1) },
			func() *model.Network { n := wideNetwork(); n.Duration = 0.4; return n },
		} {
			one, four := build(), build()
			one.Learning, four.Learning = l, l
			four.Learning.Batch = 4
			if d := widest(learned(t, one), learned(t, four)); d > 1e-12 {
				t.Errorf("%s: four equal trials differ from one by %g", l.Optimizer, d)
			}
		}
	}
}

// However strongly a time constant is pushed down it stays at dt or above.
func TestTimeConstantsStayLegal(t *testing.T) {
	for _, s := range []Semantics{Continuous, Clocked} {
		net := randomNetwork(8, false, 0)
		for _, p := range net.Populations {
			p.EtaTauM = 1e3
			for i := range p.TauM {
				p.TauM[i] = 0.3
			}
		}
		trace, _, err := Run(context.Background(), net, Options{Semantics: s, Learning: true, Signals: []string{"tau_m"}, RelTol: 1e-6})
		if err != nil {
			t.Fatalf("%s: %v", s, err)
		}
		lowest := math.Inf(1)
		for _, tau := range trace.Signals {
			lowest = min(lowest, slices.Min(tau.Data))
		}
		t.Logf("%s: the shortest is %g", s, lowest)
		if !(lowest >= net.Dt*(1-1e-3)) { // the integrator finds the instant to its tolerance
			t.Errorf("%s: a time constant fell to %g, below dt = %g", s, lowest, net.Dt)
		}
		if lowest > 2*net.Dt {
			t.Errorf("%s: the test is too gentle: the shortest is %g", s, lowest)
		}
	}
}
