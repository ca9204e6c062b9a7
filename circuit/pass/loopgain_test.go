package pass_test

import (
	"fmt"
	"math"
	"testing"

	"vlec/circuit"
	"vlec/circuit/lower"
	"vlec/circuit/pass"
	"vlec/model"
)

// population returns neurons of which all have the same time constants.
func population(name string, n int, tauM, tauR float64, phi model.Activation) *model.Population {
	p := &model.Population{Name: name, Size: n, Activation: phi, TauM: make([]float64, n), TauR: make([]float64, n)}
	for i := range n {
		p.TauM[i], p.TauR[i] = tauM, tauR
	}
	p.Bias = make([]float64, n)
	return p
}

func project(from model.Source, to *model.Population, w ...float64) *model.Projection {
	return &model.Projection{
		Name: from.ID() + "_" + to.Name, From: from, To: to, W: w, Feedback: model.Feedback{Rule: model.Transpose},
	}
}

// loopGain returns the gain of a network, and checks that neither the passes nor
// the volts change it.
func loopGain(t *testing.T, net *model.Network) float64 {
	t.Helper()
	net.Name = "net"
	net.Inputs = []*model.Input{{Name: "in", Channels: []model.Waveform{model.Constant{Value: 1}}}}
	net.Projections = append(net.Projections, project(net.Inputs[0], net.Populations[0], make([]float64, net.Populations[0].Size)...))
	var gain float64
	for i, list := range [][]pass.Pass{nil, pass.Digital(), pass.Analog(circuit.Units{Time: 1e-3, Voltage: 0.2, Resistance: 1e5})} {
		c, err := lower.Network(net, lower.Options{Learning: true})
		if err != nil {
			t.Fatal(err)
		}
		if err := pass.Run(c, list); err != nil {
			t.Fatal(err)
		}
		g := pass.LoopGain(c)
		if i > 0 && math.Abs(g-gain) > 1e-9*(1+gain) {
			t.Errorf("%d passes changed the loop gain from %g to %g", len(list), gain, g)
		}
		gain = g
	}
	return gain
}

// TestLoopGain compares with gains worked out by hand. The lead of a membrane
// passes tau_r/tau_m of its input on at once, that of an error neuron tau_m/tau_r.
func TestLoopGain(t *testing.T) {
	const sevens = "a ring of seven, whose turns do not divide twelve"
	target := func(p *model.Population) []*model.Target {
		w := make([]model.Waveform, p.Size)
		for i := range w {
			w[i] = model.Constant{Value: 1}
		}
		return []*model.Target{{Name: p.Name, Population: p, Loss: model.Squared, Signal: w}}
	}
	for _, c := range []struct {
		name string
		net  func() *model.Network
		want float64
	}{
		{"one neuron, no loop", func() *model.Network {
			p := population("p", 1, 1, 0.1, model.Tanh)
			return &model.Network{Populations: []*model.Population{p}, Targets: target(p), Beta: 3}
		}, 0},
		{"gamma: y to e by beta tau_m/tau_r, e to y by gamma tau_r/tau_m, two leads", func() *model.Network {
			p := population("p", 1, 1, 0.1, model.Linear)
			return &model.Network{Populations: []*model.Population{p}, Targets: target(p), Beta: 3, Gamma: 0.2}
		}, math.Sqrt(3 * 0.2)},
		{"gamma with a sigmoid: the rate and the gate are four times flatter each", func() *model.Network {
			p := population("p", 1, 1, 0.1, model.Sigmoid)
			return &model.Network{Populations: []*model.Population{p}, Targets: target(p), Beta: 3, Gamma: 0.2}
		}, math.Sqrt(3 * 0.2 / 16)},
		{"a tanh neuron on itself: w tau_r/tau_m", func() *model.Network {
			p := population("p", 1, 2, 0.5, model.Tanh)
			return &model.Network{Populations: []*model.Population{p}, Projections: []*model.Projection{project(p, p, -0.8)}}
		}, 0.8 * 0.5 / 2},
		{"a ring of three tanh neurons: the cube root of the product", func() *model.Network {
			p := population("p", 3, 1, 0.5, model.Tanh)
			return &model.Network{Populations: []*model.Population{p}, Projections: []*model.Projection{project(p, p, 0, 0, 2, 3, 0, 0, 0, -4, 0)}}
		}, 0.5 * math.Cbrt(24)},
		{sevens, func() *model.Network {
			w := make([]float64, 49)
			for i := range 7 {
				w[i*7+(i+1)%7] = float64(1 + i)
			}
			p := population("p", 7, 1, 1, model.Tanh)
			return &model.Network{Populations: []*model.Population{p}, Projections: []*model.Projection{project(p, p, w...)}}
		}, math.Pow(5040, 1./7)},
		{"a delay line inside one population has no loop", func() *model.Network {
			w := make([]float64, 400)
			for i := range 19 {
				w[(i+1)*20+i] = 5
			}
			p := population("p", 20, 1, 1, model.Tanh)
			return &model.Network{Populations: []*model.Population{p}, Projections: []*model.Projection{project(p, p, w...)}}
		}, 0},
		{"a full matrix: its spectral radius, (5 + sqrt 33)/2 of [1 2; 3 4]", func() *model.Network {
			p := population("p", 2, 1, 0.1, model.Tanh)
			return &model.Network{Populations: []*model.Population{p}, Projections: []*model.Projection{project(p, p, 1, -2, -3, 4)}}
		}, 0.1 * (5 + math.Sqrt(33)) / 2},
		{"plastic weights count with their first value; errors go around by w tau_m/tau_r", func() *model.Network {
			p := population("p", 1, 1, 0.5, model.Tanh)
			w := project(p, p, 0.4)
			w.Plastic, w.Eta = true, 0.1
			return &model.Network{Populations: []*model.Population{p}, Projections: []*model.Projection{w}, Targets: target(p), Beta: 1}
		}, 0.8},
	} {
		within := 1e-6
		if c.name == sevens {
			within = 1e-2 // the mean over its last rounds is not one over whole turns
		}
		if got := loopGain(t, c.net()); math.Abs(got-c.want) > within*c.want {
			t.Errorf("%s: %g, want %g", c.name, got, c.want)
		}
	}
}

// BenchmarkLoopGain is the time that vlec check spends on a large recurrent
// network: it must grow with the synapses.
func BenchmarkLoopGain(b *testing.B) {
	for _, n := range []int{100, 1000} {
		b.Run(fmt.Sprintf("%dx%d", n, n), func(b *testing.B) {
			w := make([]float64, n*n)
			for i := range w {
				w[i] = math.Sin(float64(i)) / float64(n)
			}
			p := population("p", n, 1, 0.1, model.Tanh)
			net := &model.Network{Populations: []*model.Population{p}, Projections: []*model.Projection{project(p, p, w...)}}
			c, err := lower.Network(net, lower.Options{})
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				pass.LoopGain(c)
			}
		})
	}
}
