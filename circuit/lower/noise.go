package lower

import (
	"math"
	"math/rand/v2"

	"vlec/circuit"
	"vlec/model"
)

// noise adds the sources that inject the noise of a projection's feedback rule
// into the sending neurons of projection number k, and returns their net.
func (l *lowering) noise(k int, p *model.Projection, into *neurons) *circuit.Net {
	c, name := l.circuit, p.Name+".xi"
	xi := c.Net(name, circuit.Potential, into.rate.Width)
	c.Add("stimulus", name, p.Pos).Connect("out", xi).
		SetWaves("wave", ornsteinUhlenbeck(l.net, k, xi.Width, p.Feedback.NoiseSigma, p.Feedback.NoiseTau))
	c.Add("coupling", name+".injection", p.Pos).Connect("in", xi).Connect("sum", into.sum).Set("gain", 1)
	return xi
}

// ornsteinUhlenbeck draws, for each of n neurons, a noise of standard deviation
// sigma and correlation time tau at every step of dt, linear in between. A
// circuit and the model's own dynamics must hear the same noise: generator,
// stream and order of the draws are part of what the model means. They are
// PCG(seed, number of the projection), and neuron by neuron within a step. The
// recurrence is exact on the grid.
func ornsteinUhlenbeck(net *model.Network, stream, n int, sigma, tau float64) []circuit.Wave {
	rng := rand.New(rand.NewPCG(net.Seed, uint64(stream)))
	rho := math.Exp(-net.Dt / tau)
	kick := sigma * math.Sqrt(1-rho*rho)
	steps := int(math.Ceil(net.Duration/net.Dt-1e-6)) + 1
	waves := make([]circuit.Wave, n)
	x := make([]float64, n)
	for i := range waves {
		x[i] = sigma * rng.NormFloat64()
		waves[i] = circuit.Wave{{Shape: "samples", Numbers: make([]float64, 0, 2*(steps+1))}}
	}
	for k := range steps + 1 {
		for i := range waves {
			t := &waves[i][0]
			t.Numbers = append(t.Numbers, float64(k)*net.Dt, x[i])
			x[i] = float64(rho*x[i]) + float64(kick*rng.NormFloat64())
		}
	}
	return waves
}
