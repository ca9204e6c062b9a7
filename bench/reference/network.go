package main

import (
	"fmt"
	"math"
	"math/rand/v2"

	"vlec/model"
	"vlec/sim/reference"
)

// period is the number of samples of the stimuli, which repeat.
const period = 64

// A network is a chain of fully connected populations of tanh neurons, all of it
// learning, with its stimuli.
type network struct {
	name          string
	sizes         []int
	net           *model.Network
	input, target [][]float64 // period rows
}

func newNetwork(sizes ...int) *network {
	b := &network{sizes: sizes}
	rng := rand.New(rand.NewPCG(1, uint64(len(sizes))))
	net := &model.Network{Dt: 0.01, Duration: 1, Beta: 1, Gamma: 0.1}
	wave := func(n int) (rows [][]float64) {
		for k := range period {
			row := make([]float64, n)
			for i := range row {
				row[i] = math.Sin(2*math.Pi*float64(k)/period + float64(i))
			}
			rows = append(rows, row)
		}
		return rows
	}
	quiet := func(n int) (w []model.Waveform) {
		for range n {
			w = append(w, model.Constant{})
		}
		return w
	}
	in := &model.Input{Name: "in", Channels: quiet(sizes[0])}
	net.Inputs = []*model.Input{in}
	var from model.Source = in
	b.name = fmt.Sprint(sizes[0])
	for k, n := range sizes[1:] {
		b.name += fmt.Sprintf("-%d", n)
		pop := &model.Population{
			Name: fmt.Sprintf("layer%d", k), Size: n, Activation: model.Tanh,
			TauM: fill(n, 1), TauR: fill(n, 0.1), Bias: fill(n, 0), U0: fill(n, 0), V0: fill(n, 0),
			PlasticBias: true, EtaBias: 1e-3,
		}
		w := make([]float64, n*from.Width())
		for i := range w {
			w[i] = rng.NormFloat64() / math.Sqrt(float64(from.Width()))
		}
		net.Populations = append(net.Populations, pop)
		net.Projections = append(net.Projections, &model.Projection{
			Name: "to_" + pop.Name, From: from, To: pop, W: w, Plastic: true, Eta: 1e-3,
			Feedback: model.Feedback{Rule: model.Transpose},
		})
		from = pop
	}
	out := net.Populations[len(net.Populations)-1]
	net.Targets = []*model.Target{{Name: "t", Population: out, Loss: model.Squared, Signal: quiet(out.Size)}}
	b.net, b.input, b.target = net, wave(sizes[0]), wave(out.Size)
	return b
}

func fill(n int, v float64) []float64 {
	s := make([]float64, n)
	for i := range s {
		s[i] = v
	}
	return s
}

func (b *network) synapses() int {
	n := 0
	for _, p := range b.net.Projections {
		n += len(p.W)
	}
	return n
}

// A stepper steps the network in vlec's reference.
type stepper struct {
	*network
	s *reference.Synchronous
}

func (b *network) stepper() (*stepper, error) {
	s, err := reference.NewSynchronous(b.net, 1)
	if err != nil {
		return nil, err
	}
	s.Learning = reference.Local
	return &stepper{b, s}, nil
}

func (z *stepper) run(steps int) {
	for range steps {
		at := z.s.Steps() % period
		copy(z.s.Input(0), z.input[at])
		copy(z.s.Target(0), z.target[at])
		z.s.Step()
	}
}
