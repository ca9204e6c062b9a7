package reference

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
	"vlec/model"
)

// runLoss returns dt times the sum of the losses of a run.
func runLoss(net *model.Network, steps int) float64 {
	s, err := NewSynchronous(net, max(1, net.Learning.Batch))
	if err != nil {
		panic(err)
	}
	sum := 0.0
	for range steps {
		s.Stimulate()
		s.Step()
		sum += net.Dt * s.Loss()
	}
	return sum
}

// differences returns the descent direction of the loss by central differences
// of fourth order.
func differences(net *model.Network, steps int, at []float64) []float64 {
	const h = 5e-4
	g := make([]float64, len(at))
	for i, was := range at {
		move := func(k float64) float64 {
			at[i] = was + k*h
			return runLoss(net, steps)
		}
		g[i] = -(8*(move(1)-move(-1)) - (move(2) - move(-2))) / (12 * h)
		at[i] = was
	}
	return g
}

// distance is the relative error of a vector.
func distance(got, want []float64) float64 {
	d := make([]float64, len(want))
	for i := range d {
		d[i] = got[i] - want[i]
	}
	return norm(d) / norm(want)
}

func norm(v []float64) float64 { return math.Sqrt(dot(v, v)) }

// checkAgainstDifferences returns the worst relative error over all parameters.
// A parameter with less than a thousandth of the largest gradient is measured
// against that thousandth: its differences drown in rounding.
func checkAgainstDifferences(net *model.Network, steps int) (worst float64, where string) {
	c, err := CheckGradient(context.Background(), net, GradientOptions{Duration: float64(steps) * net.Dt})
	if err != nil {
		return math.Inf(1), err.Error()
	}
	type pair struct {
		name      string
		got, want []float64
	}
	var pairs []pair
	for k, p := range net.Projections {
		pairs = append(pairs, pair{p.Name, c.Projections[k].Exact, differences(net, steps, p.W)})
		if b := c.Feedback[k]; b != nil && net.Gamma != 0 {
			got := append([]float64(nil), b...)
			scale(-1, got)
			pairs = append(pairs, pair{p.Name + " B", got, differences(net, steps, p.Feedback.B)})
		}
	}
	for k, p := range net.Populations {
		pairs = append(
			pairs,
			pair{p.Name + " bias", c.Biases[k].Exact, differences(net, steps, p.Bias)},
			pair{p.Name + " tau_m", c.TauMs[k].Exact, differences(net, steps, p.TauM)},
		)
	}
	largest := 1e-9 // a gradient of zero has no relative error
	for _, p := range pairs {
		largest = max(largest, norm(p.want))
	}
	for _, p := range pairs {
		off := make([]float64, len(p.want))
		for i := range off {
			off[i] = p.got[i] - p.want[i]
		}
		if d := norm(off) / max(norm(p.want), 1e-3*largest); !(d <= worst) {
			worst, where = d, p.name
		}
	}
	return worst, where
}

// drawNetwork draws a network of every form that has a gradient: deep, with skips
// and loops, several inputs and targets, neurons of their own time constants with
// tau_r on either side of tau_m, both losses, every feedback rule with its noise,
// a teacher, a batch.
func drawNetwork(r *rapid.T) *model.Network {
	number := func(name string, lo, hi float64) float64 { return rapid.Float64Range(lo, hi).Draw(r, name) }
	size := func(name string, hi int) int { return rapid.IntRange(1, hi).Draw(r, name) }
	yes := rapid.Bool()
	rng := rand.New(rand.NewPCG(rapid.Uint64Range(0, 1<<20).Draw(r, "seed"), 7))
	values := func(n int, scale float64) []float64 {
		v := make([]float64, n)
		for i := range v {
			v[i] = scale * (2*rng.Float64() - 1)
		}
		return v
	}
	net := &model.Network{Dt: 0.05, Duration: 3, Beta: number("beta", 0.5, 1.5), Seed: rng.Uint64()}
	if yes.Draw(r, "gamma > 0") {
		net.Gamma = number("gamma", 0.05, 0.3)
	}
	net.Learning.Batch = size("trials", 3)
	waves := func(n int) (trials [][]model.Waveform) {
		for range net.Learning.Batch {
			var w []model.Waveform
			for range n {
				w = append(w, model.Sine{Amplitude: 0.8, Frequency: 0.1 + 0.4*rng.Float64(), Phase: 6 * rng.Float64(), Offset: 0.1})
			}
			trials = append(trials, w)
		}
		return trials
	}
	for k := range size("inputs", 2) {
		t := waves(size("channels", 2))
		net.Inputs = append(net.Inputs, &model.Input{Name: fmt.Sprintf("in%d", k), Channels: t[0], Trials: t})
	}
	layers := size("layers", 5)
	phis := []model.Activation{model.Tanh, model.Softplus, model.Sigmoid, model.Linear}
	dense := func(from model.Source, to *model.Population, scale float64) {
		w := values(to.Size*from.Width(), scale/math.Sqrt(float64(from.Width())))
		p := project(net, from, to, w...)
		p.Name = fmt.Sprintf("p%d", len(net.Projections))
		p.Feedback.Rule = rapid.SampledFrom(model.FeedbackRules).Draw(r, "rule")
		p.Feedback.B = values(len(w), 0.3)
		p.Feedback.NoiseSigma, p.Feedback.NoiseTau, p.Feedback.HighPass = 0.05, 0.3, 1
	}
	for k := range layers {
		p := population(fmt.Sprintf("layer%d", k), size("size", 3), rapid.SampledFrom(phis).Draw(r, "phi"), 1, 1)
		for i := range p.Size {
			p.TauM[i], p.TauR[i] = 0.4+rng.Float64(), 0.4+rng.Float64()
		}
		p.Bias, p.U0, p.V0 = values(p.Size, 0.2), values(p.Size, 0.3), values(p.Size, 0.1)
		net.Populations = append(net.Populations, p)
	}
	for k, p := range net.Populations {
		for q, in := range net.Inputs {
			if k == 0 || q > 0 && yes.Draw(r, "input further in") {
				dense(in, p, 1)
			}
		}
		if k > 0 {
			dense(net.Populations[k-1], p, 1)
		}
		if k > 1 && yes.Draw(r, "skip") {
			dense(net.Populations[rapid.IntRange(0, k-2).Draw(r, "from")], p, 0.7)
		}
		if yes.Draw(r, "loop") {
			dense(p, net.Populations[rapid.IntRange(0, k).Draw(r, "back to")], 0.3)
		}
	}
	for k := range size("targets", 2) {
		p := net.Populations[layers-1]
		if k > 0 {
			p = net.Populations[rapid.IntRange(0, layers-1).Draw(r, "target")]
		}
		t := &model.Target{Name: fmt.Sprintf("t%d", k), Population: p, Loss: model.Squared}
		switch rapid.IntRange(0, 2).Draw(r, "kind of target") {
		case 0:
			t.Trials = waves(p.Size)
			t.Signal = t.Trials[0]
		case 1:
			p.Activation, t.Loss = model.Linear, model.CrossEntropy
			for range p.Size {
				t.Signal = append(t.Signal, model.Constant{Value: 1.1 / float64(p.Size)}) // also one that does not add up to 1
			}
			for range net.Learning.Batch {
				t.Trials = append(t.Trials, t.Signal)
			}
		case 2:
			if net.Teacher == nil {
				net.Teacher = &model.Network{Dt: net.Dt, Inputs: net.Inputs, Seed: 1}
			}
			t.Teacher = population(fmt.Sprintf("teacher%d", k), p.Size, model.Tanh, 0.9, 0.2)
			net.Teacher.Populations = append(net.Teacher.Populations, t.Teacher)
			project(net.Teacher, net.Inputs[0], t.Teacher, values(p.Size*net.Inputs[0].Width(), 1)...)
		}
		net.Targets = append(net.Targets, t)
	}
	return net
}

func TestAdjointAgainstCentralDifferences(t *testing.T) {
	overall := 0.0
	rapid.Check(t, func(r *rapid.T) {
		net := drawNetwork(r)
		worst, where := checkAgainstDifferences(net, 60)
		if !(worst <= 1e-6) {
			r.Fatalf("%s: the adjoint is off by %.3g", where, worst)
		}
		overall = max(overall, worst)
	})
	t.Logf("largest relative error %.3g", overall)
}

// The comparison with differences must see a gradient of a slightly different
// map: every parameter of the map, a little wrong, in turn.
func TestAdjointCheckCanFail(t *testing.T) {
	build := func() *model.Network {
		net := randomNetwork(3, true, 0.3)
		net.Dt = 0.05
		return net
	}
	net := build()
	const layer = 1
	want := differences(net, 60, net.Projections[layer].W)
	exact := func(net *model.Network) float64 {
		c, err := CheckGradient(context.Background(), net, GradientOptions{Duration: 3})
		if err != nil {
			t.Fatal(err)
		}
		return distance(c.Projections[layer].Exact, want)
	}
	if d := exact(net); d > 1e-8 {
		t.Fatalf("the gradient itself is off by %.2g", d)
	}
	for name, spoil := range map[string]func(net *model.Network){
		"gamma":            func(net *model.Network) { net.Gamma *= 1.0001 },
		"beta":             func(net *model.Network) { net.Beta *= 1.0001 },
		"tau_m":            func(net *model.Network) { net.Populations[0].TauM[0] *= 1.0001 },
		"tau_r":            func(net *model.Network) { net.Populations[1].TauR[0] *= 1.0001 },
		"bias":             func(net *model.Network) { net.Populations[1].Bias[0] += 1e-4 },
		"a weight":         func(net *model.Network) { net.Projections[2].W[1] += 1e-4 },
		"a looping weight": func(net *model.Network) { net.Projections[4].W[0] += 1e-4 },
		"u at the start":   func(net *model.Network) { net.Populations[0].U0[0] += 1e-4 },
		"v at the start":   func(net *model.Network) { net.Populations[1].V0[0] += 1e-3 },
	} {
		wrong := build()
		spoil(wrong)
		if d := exact(wrong); d < 1e-6 {
			t.Errorf("%s a little wrong moves the gradient by %.2g only", name, d)
		}
	}
}

// The gradient is the same to the last bit however long the stretches are that
// are made again from snapshots: nothing that a step reads is left out of them.
func TestGradientDoesNotDependOnSnapshots(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		net := drawNetwork(r)
		const steps = 40
		gradient := func(stretch int) *adjoint {
			s, err := NewSynchronous(net, net.Learning.Batch)
			if err != nil {
				r.Fatal(err)
			}
			f, err := newFilm(s, steps)
			if err != nil {
				r.Fatal(err)
			}
			f.stretch = stretch
			if err := f.shoot(context.Background(), func(float64) {}); err != nil {
				r.Fatal(err)
			}
			d := newAdjoint(newTape(s, stretch), 0, steps)
			if err := d.run(context.Background(), f, func(float64) {}); err != nil {
				r.Fatal(err)
			}
			return d
		}
		whole := gradient(steps)
		for _, stretch := range []int{1, rapid.IntRange(2, steps-1).Draw(r, "stretch")} {
			d := gradient(stretch)
			if !cmp.Equal(d.exact, whole.exact) || !cmp.Equal(d.local, whole.local) {
				r.Fatalf("stretches of %d steps give another gradient than one of %d", stretch, steps)
			}
		}
	})
}

// The local gradient of the tape is the one that Accumulate collects.
func TestLocalGradientIsAccumulated(t *testing.T) {
	net := randomNetwork(8, true, 0.2)
	c, err := CheckGradient(context.Background(), net, GradientOptions{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := NewSynchronous(net, 1)
	if err != nil {
		t.Fatal(err)
	}
	s.Learning = Accumulate
	for range whole(net.Duration, net.Dt) {
		s.Stimulate()
		s.Step()
	}
	g := s.Gradients()
	for _, set := range []struct {
		sums [][]float64
		want []Comparison
	}{{g.W, c.Projections}, {g.Bias, c.Biases}, {g.TauM, c.TauMs}} {
		for k, sum := range set.sums {
			scale(-net.Dt, sum)
			if d := distance(sum, set.want[k].Local); d > 1e-12 {
				t.Errorf("%s: accumulated and recorded gradients differ by %.2g", set.want[k].Name, d)
			}
		}
	}
}

func ExampleCheckGradient() {
	net := chainNetwork(model.Tanh)
	net.Duration = 100
	c, err := CheckGradient(context.Background(), net, GradientOptions{From: 20, To: 90})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, p := range c.Projections {
		fmt.Printf("%s: cosine %.3f\n", p.Name, p.Cosine)
	}
	// Output:
	// drive_hidden: cosine 1.000
	// hidden_out: cosine 1.000
}
