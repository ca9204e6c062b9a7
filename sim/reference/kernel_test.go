package reference

import (
	"context"
	"math"
	"math/rand/v2"
	"runtime"
	"testing"

	"vlec/model"
)

// wideNetwork has passes that are shared, vectors with and without tails, decay,
// clip and every kind of link.
func wideNetwork() *model.Network {
	rng := rand.New(rand.NewPCG(5, 5))
	in := sines("drive", 0.1, 0.2, 0.3)
	net := &model.Network{Dt: 0.02, Duration: 1, Beta: 1, Gamma: 0.1, Inputs: []*model.Input{in}}
	dense := func(from model.Source, to *model.Population) *model.Projection {
		w := make([]float64, from.Width()*to.Size)
		for i := range w {
			w[i] = (2*rng.Float64() - 1) / math.Sqrt(float64(from.Width()))
		}
		p := project(net, from, to, w...)
		p.Eta = 0.5
		return p
	}
	a := population("a", 203, model.Tanh, 1, 0.5)
	b := population("b", 198, model.Tanh, 0.8, 0.4)
	c := population("c", 21, model.Tanh, 1.2, 0.4)
	net.Populations = []*model.Population{a, b, c}
	dense(in, a)
	dense(a, b)
	dense(b, c).Decay = 0.1
	dense(a, c).Clip = 0.12
	net.Targets = []*model.Target{{Name: "t", Population: c, Loss: model.Squared}}
	for i := range c.Size {
		net.Targets[0].Signal = append(net.Targets[0].Signal, model.Sine{Amplitude: 0.5, Frequency: 0.1 * float64(i%5+1)})
	}
	return net
}

// digest runs steps and returns the bits of everything that may have changed.
func digest(t *testing.T, net *model.Network, trials, members int) []uint64 {
	t.Helper()
	s, err := NewSynchronous(net, trials)
	if err != nil {
		t.Fatal(err)
	}
	if s.crew != nil {
		s.crew.dismiss()
		s.crew = nil
	}
	s.hire(members)
	s.Learning = Local
	for range 40 {
		s.Stimulate()
		s.Step()
	}
	var bits []uint64
	for k := range net.Projections {
		for _, w := range s.W(k) {
			bits = append(bits, math.Float64bits(w))
		}
	}
	for k := range net.Populations {
		z := s.Population(k)
		for i := range z.U {
			bits = append(bits, math.Float64bits(z.U[i]), math.Float64bits(z.E[i]), math.Float64bits(z.R[i]))
		}
	}
	runtime.KeepAlive(s)
	return bits
}

func sameBits(a, b []uint64) bool {
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return len(a) == len(b)
}

// Every bit is the same with one, two and three workers.
func TestWorkersDoNotMatter(t *testing.T) {
	net := wideNetwork()
	for _, trials := range []int{1, 3} {
		alone := digest(t, net, trials, 1)
		for _, members := range []int{2, 3} {
			if !sameBits(alone, digest(t, net, trials, members)) {
				t.Errorf("%d trials: the results of %d workers differ from those of one", trials, members)
			}
		}
		net.Projections[1].W[77] = math.Nextafter(net.Projections[1].W[77], 1)
		if sameBits(alone, digest(t, net, trials, 1)) {
			t.Errorf("a weight that differs in its last bit changes nothing")
		}
	}
}

// A step allocates nothing, shared passes included.
func TestStepDoesNotAllocate(t *testing.T) {
	for _, net := range []*model.Network{wideNetwork(), chainNetwork(model.Tanh)} {
		for _, rule := range model.FeedbackRules {
			for _, p := range net.Projections {
				p.Feedback = model.Feedback{
					Rule: rule, B: make([]float64, len(p.W)), Eta: 0.01, Decay: 0.1,
					NoiseSigma: 0.1, NoiseTau: 0.1, HighPass: 1,
				}
			}
			s, err := NewSynchronous(net, 2)
			if err != nil {
				t.Fatal(err)
			}
			for _, s.Learning = range []Learning{Off, Local, Accumulate} {
				if n := testing.AllocsPerRun(20, func() { s.Stimulate(); s.Step() }); n != 0 {
					t.Errorf("%s, learning %d: %g allocations a step", rule, s.Learning, n)
				}
			}
		}
	}
}

// Neither does one of another optimiser, at a schedule, nor the loop of a run.
func TestLearningDoesNotAllocate(t *testing.T) {
	for _, l := range []model.Learning{
		{Optimizer: model.Momentum, Momentum: 0.9, Batch: 3},
		{Optimizer: model.Adam, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8, Schedule: model.Step{Low: 1, High: 0.5, Start: 0.1, Rise: 1}},
	} {
		for _, net := range []*model.Network{batched(wideNetwork(), 3), randomNetwork(1, true, 0.1)} {
			net.Learning = l
			s, err := NewSynchronous(net, max(1, l.Batch))
			if err != nil {
				t.Fatal(err)
			}
			s.Learning = Local
			if n := testing.AllocsPerRun(20, func() { s.Stimulate(); s.Step() }); n != 0 {
				t.Errorf("%s: %g allocations a step", l.Optimizer, n)
			}
			run := func(duration float64) float64 {
				return testing.AllocsPerRun(3, func() {
					o := Options{
						Semantics: Clocked, Learning: true, Signals: []string{"u"}, Every: net.Dt, Sink: Discard, Duration: duration,
						Due: func(float64) bool { return false }, Save: func(*Checkpoint) error { return nil },
					}
					if _, _, err := Run(context.Background(), net, o); err != nil {
						t.Fatal(err)
					}
				})
			}
			if short, long := run(0.4), run(1.6); long-short > 30 {
				t.Errorf("%s: a run allocates %g times, one four times as long %g times", l.Optimizer, short, long)
			}
		}
	}
}

// Trials side by side are those that run alone, and their update is the mean.
func TestTrialsAreIndependent(t *testing.T) {
	net := randomNetwork(9, true, 0.2)
	pair, err := NewSynchronous(net, 2)
	if err != nil {
		t.Fatal(err)
	}
	var single [2]*Synchronous
	for k := range single {
		if single[k], err = NewSynchronous(net, 1); err != nil {
			t.Fatal(err)
		}
		single[k].Learning = Accumulate
	}
	pair.Learning = Accumulate
	for step := range 200 {
		for k, s := range single {
			for i := range s.Input(0) {
				v := math.Sin(0.05*float64(step*(k+1)) + float64(i))
				s.Input(0)[i] = v
				pair.Input(0)[k*len(s.Input(0))+i] = v
			}
			for i := range s.Target(0) {
				v := 0.3 * math.Cos(0.03*float64(step)+float64(k))
				s.Target(0)[i] = v
				pair.Target(0)[k*len(s.Target(0))+i] = v
			}
			s.Step()
		}
		pair.Step()
	}
	for p := range net.Populations {
		both := append(append([]float64(nil), single[0].Population(p).E...), single[1].Population(p).E...)
		if d := widest(pair.Population(p).E, both); d != 0 {
			t.Errorf("population %d: errors differ by %.2g from those of single trials", p, d)
		}
	}
	for q := range net.Projections {
		g, g0, g1 := pair.Gradients().W[q], single[0].Gradients().W[q], single[1].Gradients().W[q]
		for i := range g {
			if d := math.Abs(g[i] - (g0[i]+g1[i])/2); d > 1e-12 {
				t.Fatalf("projection %d: the gradient is off the mean by %.2g", q, d)
			}
		}
	}
}

// Looking at the weights between steps takes the pass over them apart, and changes
// no bit.
func TestLookingChangesNothing(t *testing.T) {
	for name, build := range map[string]func() *model.Network{
		"wide": wideNetwork, "random": func() *model.Network { return randomNetwork(3, true, 0.1) }, "feedback": feedbackNetwork,
	} {
		for _, l := range []model.Learning{{}, {Optimizer: model.Adam, Beta1: 0.9, Beta2: 0.99, Epsilon: 1e-3}} {
			for _, trials := range []int{1, 3} {
				net := build()
				net.Learning = l
				var seen [2][]float64
				for look := range seen {
					s, err := NewSynchronous(net, trials)
					if err != nil {
						t.Fatal(err)
					}
					s.Learning = Local
					for range 60 {
						s.Stimulate()
						s.Step()
						if look == 1 {
							s.W(0)
						}
					}
					for k := range net.Projections {
						seen[look] = append(append(seen[look], s.W(k)...), s.B(k)...)
					}
					for k := range net.Populations {
						seen[look] = append(append(seen[look], s.Population(k).E...), s.Population(k).Y...)
					}
				}
				if d := widest(seen[0], seen[1]); d != 0 {
					t.Errorf("%s, %d trials, %q: differs by %g", name, trials, l.Optimizer, d)
				}
			}
		}
	}
}
