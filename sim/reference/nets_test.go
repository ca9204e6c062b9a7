package reference

import (
	"fmt"
	"math"
	"math/rand/v2"

	"vlec/model"
)

// sines is an input of sine waves of amplitude 1, one a frequency.
func sines(name string, frequencies ...float64) *model.Input {
	in := &model.Input{Name: name}
	for i, f := range frequencies {
		in.Channels = append(in.Channels, model.Sine{Amplitude: 1, Frequency: f, Phase: float64(i)})
	}
	return in
}

// population is n neurons of one kind without bias.
func population(name string, n int, phi model.Activation, tauM, tauR float64) *model.Population {
	p := &model.Population{
		Name: name, Size: n, Activation: phi,
		TauM: make([]float64, n), TauR: make([]float64, n), Bias: make([]float64, n),
		U0: make([]float64, n), V0: make([]float64, n),
	}
	for i := range n {
		p.TauM[i], p.TauR[i] = tauM, tauR
	}
	return p
}

// project adds a plastic projection with transposed feedback.
func project(net *model.Network, from model.Source, to *model.Population, w ...float64) *model.Projection {
	p := &model.Projection{
		Name: from.ID() + "_" + to.Name, From: from, To: to, W: w, Plastic: true, Eta: 0.02,
		Feedback: model.Feedback{Rule: model.Transpose},
	}
	net.Projections = append(net.Projections, p)
	return p
}

// chainNetwork is input, hidden and output of one neuron each, with a teacher
// of the same form.
func chainNetwork(phi model.Activation) *model.Network {
	in := sines("drive", 0.1)
	build := func(w ...float64) *model.Network {
		net := &model.Network{Dt: 0.01, Duration: 20, Beta: 1, Seed: 1, Inputs: []*model.Input{in}}
		h, o := population("hidden", 1, phi, 1, 0.1), population("out", 1, phi, 1, 0.1)
		net.Populations = []*model.Population{h, o}
		project(net, in, h, w[0])
		project(net, h, o, w[1])
		return net
	}
	net := build(0.4, 0.6)
	net.Teacher = build(1, 1.2)
	net.Targets = []*model.Target{{
		Name: "target", Population: net.Populations[1], Loss: model.Squared, Teacher: net.Teacher.Populations[1],
	}}
	return net
}

// randomNetwork draws a network of three populations with mixed time constants,
// activations, a skip and, if asked for, a recurrent projection. Waveform
// targets; everything plastic.
func randomNetwork(seed uint64, recurrent bool, gamma float64) *model.Network {
	rng := rand.New(rand.NewPCG(seed, 77))
	draw := func(n int, scale float64) []float64 {
		w := make([]float64, n)
		for i := range w {
			w[i] = scale * (2*rng.Float64() - 1)
		}
		return w
	}
	between := func(lo, hi float64) float64 { return lo + (hi-lo)*rng.Float64() }
	in := sines("drive", between(0.1, 0.5), between(0.1, 0.5))
	net := &model.Network{Dt: 0.01, Duration: 5, Beta: 0.7, Gamma: gamma, Seed: seed, Inputs: []*model.Input{in}}
	phis := []model.Activation{model.Tanh, model.Softplus, model.Sigmoid}
	for k, n := range []int{3 + rng.IntN(3), 2 + rng.IntN(3), 2} {
		p := population(fmt.Sprintf("layer%d", k), n, phis[rng.IntN(len(phis))], 1, 1)
		for i := range n {
			p.TauM[i], p.TauR[i] = between(0.5, 1.5), between(0.4, 1.2)
		}
		p.Bias, p.U0, p.V0 = draw(n, 0.2), draw(n, 0.3), draw(n, 0.1)
		p.PlasticBias, p.EtaBias, p.PlasticTauM, p.EtaTauM = true, 0.03, true, 0.02
		net.Populations = append(net.Populations, p)
	}
	l := net.Populations
	dense := func(from model.Source, to *model.Population, scale float64) {
		m := from.Width()
		project(net, from, to, draw(to.Size*m, scale/math.Sqrt(float64(m)))...)
	}
	dense(in, l[0], 1)
	dense(l[0], l[1], 1)
	dense(l[1], l[2], 1)
	dense(l[0], l[2], 1)
	if recurrent { // weak, because the leads amplify by up to 3.75 either way
		dense(l[1], l[1], 0.2)
		dense(l[1], l[0], 0.2)
	}
	var signal []model.Waveform
	for range l[2].Size {
		signal = append(signal, model.Sine{Amplitude: 0.5, Frequency: between(0.1, 0.4), Offset: 0.2})
	}
	net.Targets = []*model.Target{{Name: "target", Population: l[2], Loss: model.Squared, Signal: signal}}
	return net
}

// widest returns the largest difference between two slices of one length.
func widest(a, b []float64) float64 {
	d := 0.0
	for i := range a {
		d = max(d, math.Abs(a[i]-b[i]))
	}
	if len(a) != len(b) {
		return math.Inf(1)
	}
	return d
}
