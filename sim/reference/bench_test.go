package reference

import (
	"testing"

	"vlec/model"
)

// stepBenchmark steps a chain of populations of n neurons, all of it learning.
func stepBenchmark(b *testing.B, phi model.Activation, sizes ...int) {
	learningBenchmark(b, model.Learning{}, phi, sizes...)
}

func learningBenchmark(b *testing.B, l model.Learning, phi model.Activation, sizes ...int) {
	net := &model.Network{Dt: 0.01, Duration: 1, Beta: 1, Gamma: 0.1, Learning: l}
	in := sines("drive", make([]float64, sizes[0])...)
	net.Inputs = []*model.Input{in}
	var from model.Source = in
	for k, n := range sizes[1:] {
		p := population(string(rune('a'+k)), n, phi, 1, 0.1)
		p.PlasticBias, p.EtaBias = true, 1e-3
		w := make([]float64, n*from.Width())
		for i := range w {
			w[i] = 0.1 / float64(from.Width()) * float64(i%7-3)
		}
		net.Populations = append(net.Populations, p)
		project(net, from, p, w...).Eta = 1e-3
		from = p
	}
	out := net.Populations[len(net.Populations)-1]
	net.Targets = []*model.Target{{Name: "t", Population: out, Loss: model.Squared, Signal: sines("", make([]float64, out.Size)...).Channels}}
	s, err := NewSynchronous(net, max(1, l.Batch))
	if err != nil {
		b.Fatal(err)
	}
	s.Learning = Local
	s.Stimulate()
	b.ReportAllocs()
	for b.Loop() {
		s.Step()
	}
}

func BenchmarkStepChain(b *testing.B)   { stepBenchmark(b, model.Tanh, 1, 1, 1) }
func BenchmarkStep1_8_8_1(b *testing.B) { stepBenchmark(b, model.Tanh, 1, 8, 8, 1) }
func BenchmarkStep30(b *testing.B)      { stepBenchmark(b, model.Tanh, 30, 30, 3) }
func BenchmarkStep28_28_7(b *testing.B) { stepBenchmark(b, model.Tanh, 28, 28, 7) }
func BenchmarkStep1000(b *testing.B)    { stepBenchmark(b, model.Tanh, 1000, 1000) }
func BenchmarkStep4096(b *testing.B)    { stepBenchmark(b, model.Tanh, 1, 4096, 4096) }

// derivativeBenchmark evaluates the right-hand side of the differential equations
// of a learning 1-8-8-1 network.
func derivativeBenchmark(b *testing.B, gamma float64) {
	net := coupledNetwork(gamma)
	f, err := newFlow(net, net.Inputs, [][]float64{make([]float64, 1)}, true, 0)
	if err != nil {
		b.Fatal(err)
	}
	if err := f.addLoops(); err != nil {
		b.Fatal(err)
	}
	z := f.initial()
	dz := make([]float64, len(z))
	t := 0.0
	b.ReportAllocs()
	for b.Loop() {
		t += 1e-4
		if err := f.derive(t, z, dz); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDerivative1_8_8_1(b *testing.B)        { derivativeBenchmark(b, 0) }
func BenchmarkDerivativeCoupled1_8_8_1(b *testing.B) { derivativeBenchmark(b, 0.01) }

func BenchmarkMomentum1000(b *testing.B) {
	learningBenchmark(b, model.Learning{Optimizer: model.Momentum, Momentum: 0.9}, model.Tanh, 1000, 1000)
}

func BenchmarkAdam1000(b *testing.B) {
	learningBenchmark(b, model.Learning{Optimizer: model.Adam, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8}, model.Tanh, 1000, 1000)
}

func BenchmarkBatch32of100(b *testing.B) {
	learningBenchmark(b, model.Learning{Batch: 32}, model.Tanh, 100, 100)
}
