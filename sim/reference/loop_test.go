package reference

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"vlec/model"
)

// coupledNetwork is a chain of tanh populations with gamma > 0, whose errors are
// ten times as large as what they come from.
func coupledNetwork(gamma float64) *model.Network {
	rng := rand.New(rand.NewPCG(1, 4))
	net := &model.Network{Dt: 0.01, Duration: 3, Beta: 1, Gamma: gamma, Inputs: []*model.Input{sines("in", 0.25)}}
	var from model.Source = net.Inputs[0]
	for k, n := range []int{8, 8, 1} {
		pop := population(fmt.Sprintf("layer%d", k), n, model.Tanh, 1, 0.1)
		w := make([]float64, n*from.Width())
		for i := range w {
			w[i] = rng.NormFloat64() / math.Sqrt(float64(from.Width()))
		}
		net.Populations = append(net.Populations, pop)
		project(net, from, pop, w...)
		from = pop
	}
	net.Targets = []*model.Target{{
		Name: "t", Population: net.Populations[2], Loss: model.Squared,
		Signal: []model.Waveform{model.Sine{Amplitude: 0.5, Frequency: 0.25}},
	}}
	return net
}

// A loop whose gain is well below one is solved from wherever the search starts.
// Newton's steps used to be judged by the residual over the largest unknown, which
// grows when a step makes the errors smaller.
func TestLoopOfSmallGainIsSolved(t *testing.T) {
	for _, gamma := range []float64{1e-4, 1e-3, 1e-2} {
		net := coupledNetwork(gamma)
		f, err := newFlow(net, net.Inputs, [][]float64{make([]float64, 1)}, false, 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.addLoops(); err != nil {
			t.Fatal(err)
		}
		z := f.initial()
		dz := make([]float64, len(z))
		for _, at := range []float64{0, 1e-3, 0.01, 0.1, 1, 2, 3, 0.5} {
			if err := f.derive(at, z, dz); err != nil {
				t.Fatal(err)
			}
			if gain := f.rates.gain(); gain > 0.7 {
				t.Fatalf("the gain is %.2g: no test of small ones", gain)
			}
		}
		if _, _, err := Run(context.Background(), net, Options{Learning: true, Every: 1}); err != nil {
			t.Error(err)
		}
	}
}

// knotted has n neurons without memory (y is nearly a) that excite each other
// through w.
func knotted(n int, w ...float64) *model.Network {
	net := &model.Network{Dt: 0.01, Duration: 1, Beta: 1, Inputs: []*model.Input{sines("drive", 0.2)}}
	p := population("knot", n, model.Linear, 1, 0.9)
	net.Populations = []*model.Population{p}
	drive := make([]float64, n)
	for i := range drive {
		drive[i] = 0.1
	}
	project(net, net.Inputs[0], p, drive...)
	project(net, p, p, w...)
	return net
}

// Two neurons that run away leave the determinant positive, and so does a pair that
// spirals outward; a strong inhibition is a loop that rests.
func TestLoopThatRunsAwayIsRefused(t *testing.T) {
	for _, c := range []struct {
		name   string
		w      []float64
		refuse bool
	}{
		{"one of two", []float64{2, 0, 0, 0.5}, true},
		{"two alike", []float64{2, 0, 0, 2}, true},
		{"two of a kind", []float64{2, 0, 0, 3}, true},
		{"outward spiral", []float64{1.5, 2, -2, 1.5}, true},
		{"inward spiral", []float64{0.5, 2, -2, 0.5}, false},
		{"inhibition", []float64{-5, 0, 0, -3}, false},
		{"weak", []float64{0.5, 0.3, 0.3, 0.5}, false},
	} {
		_, _, err := Run(context.Background(), knotted(2, c.w...), Options{})
		var bad *LoopError
		if errors.As(err, &bad) != c.refuse || !c.refuse && err != nil {
			t.Errorf("%s: got %v", c.name, err)
		}
	}
}

// A loop too large for a dense Jacobian is refused, and nothing is allocated.
func TestLoopTooLarge(t *testing.T) {
	net := coupledNetwork(0.1)
	const n = 5000
	big := population("big", n, model.Tanh, 1, 0.1)
	net.Populations = append(net.Populations, big)
	project(net, net.Inputs[0], big, make([]float64, n)...)
	_, _, err := Run(context.Background(), net, Options{})
	if err == nil || !strings.Contains(err.Error(), "10034 unknowns") {
		t.Errorf("got %v", err)
	}
}

// The Jacobian of every loop is the derivative of its residual: Newton's method
// would forgive a mistake, the eigenvalues that decide about a network would not.
func TestJacobian(t *testing.T) {
	checked := 0
	rapid.Check(t, func(r *rapid.T) {
		net := drawNetwork(r)
		input := make([][]float64, len(net.Inputs))
		for k, in := range net.Inputs {
			input[k] = make([]float64, in.Width())
		}
		f, err := newFlow(net, net.Inputs, input, false, 0)
		if err != nil {
			r.Fatal(err)
		}
		if err := f.addLoops(); err != nil {
			r.Fatal(err)
		}
		z := f.initial()
		_ = f.derive(0.7, z, make([]float64, len(z))) // a refusal leaves signals as well
		for _, l := range []*loop{f.rates, f.backs} {
			if l == nil {
				continue
			}
			checked++
			n := len(l.z)
			at := make([]float64, n)
			for i := range at {
				at[i] = l.z[i] + 0.3*math.Sin(float64(7*i))
				if math.IsNaN(at[i]) || math.Abs(at[i]) > 10 {
					at[i] = 0.3 * math.Sin(float64(7*i))
				}
			}
			l.residual(at, l.res)
			jacobian := make([]float64, n*n)
			l.assemble(jacobian)
			const h = 1e-5
			up, down := make([]float64, n), make([]float64, n)
			for j := range n {
				was := at[j]
				at[j] = was + h
				l.residual(at, up)
				at[j] = was - h
				l.residual(at, down)
				at[j] = was
				for i := range n {
					want := (up[i] - down[i]) / (2 * h)
					if got := jacobian[i*n+j]; math.Abs(got-want) > 1e-6*(1+math.Abs(want)) {
						r.Fatalf("entry %d, %d is %.9g, by differences %.9g", i, j, got, want)
					}
				}
			}
		}
	})
	if checked == 0 {
		t.Error("no network had a loop")
	}
}
