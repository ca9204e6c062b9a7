package reference

import (
	"math"
	"math/rand/v2"
	"slices"

	"vlec/model"
)

// evaluate writes the waveforms' values at time t to dst.
func evaluate(dst []float64, waves []model.Waveform, t float64) {
	for i, w := range waves {
		dst[i] = w.At(t)
	}
}

// kinks returns the instants in (0, end), ascending and without repetition, at
// which the slope of an input or of a target jumps.
func (p *plan) kinks(end float64) []float64 {
	var at []float64
	for _, in := range p.inputs {
		for _, w := range in.Channels {
			at = w.Kinks(at, end)
		}
	}
	for _, t := range p.targets {
		for _, w := range t.Signal {
			at = w.Kinks(at, end)
		}
	}
	slices.Sort(at)
	return slices.Compact(at)
}

// noise is a vector of independent Ornstein-Uhlenbeck processes on the grid of
// the network's dt, linear in between: both semantics see the same noise.
//
// The recurrence x_{k+1} = rho x_k + sigma sqrt(1 - rho^2) N(0, 1) with
// rho = exp(-dt/tau) is exact on the grid for any dt.
type noise struct {
	pcg        *rand.PCG // the state of rng
	rng        *rand.Rand
	rho, kick  float64
	start, end []float64 // values at the two ends of the current step
	former     []float64 // start of the step before
	step       int       // number of the current step
}

// newNoise draws the stationary state and the first step. The stream is told
// apart from others of the same seed by its number.
func newNoise(size int, sigma, tau, dt float64, seed, stream uint64) *noise {
	rho := math.Exp(-dt / tau)
	pcg := rand.NewPCG(seed, stream)
	z := &noise{
		pcg: pcg, rng: rand.New(pcg),
		rho: rho, kick: sigma * math.Sqrt(1-rho*rho),
		start: make([]float64, size), end: make([]float64, size), former: make([]float64, size),
	}
	for i := range z.end {
		z.end[i] = sigma * z.rng.NormFloat64()
	}
	z.advance()
	z.step = 0
	return z
}

// advance moves on by one step of dt.
func (z *noise) advance() {
	z.step++
	copy(z.former, z.start)
	copy(z.start, z.end)
	for i := range z.end {
		z.end[i] = float64(z.rho*z.end[i]) + float64(z.kick*z.rng.NormFloat64())
	}
}

// at writes the noise at time t, which lies in the current step, to dst.
func (z *noise) at(dst []float64, t, dt float64) {
	share := min(max(t/dt-float64(z.step), 0), 1)
	for i := range dst {
		dst[i] = z.start[i] + share*(z.end[i]-z.start[i])
	}
}
