package reference

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

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
		f.addLoops()
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
