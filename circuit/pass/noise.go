package pass

import (
	"fmt"
	"math"

	"vlec/circuit"
)

// Thermal says how noisy the parts of a circuit are.
type Thermal struct {
	Excess float64 // noise power of a neuron over that of its resistors alone, kT/C; 0: silent
	Kelvin float64
	Units  circuit.Units
	Length float64 // of the run [model time unit]
	Seed   uint64
}

// samplesPerTau is how often the noise of a neuron is drawn within its time
// constant: what is faster the neuron does not hear.
const samplesPerTau = 10

// mostNoise bounds the samples of all sources, a gigabyte.
const mostNoise = 1 << 26

// Noise gives every neuron a source of noise of its own, drawn by us and written
// as the corners of a piecewise-linear current: no two simulators agree on noise in
// a transient analysis. Its power is such that the state of the neuron, left alone,
// has the variance Excess kT/C. The source is white up to ten times what the neuron
// can follow.
func Noise(n Thermal) Pass {
	return Pass{
		Name:   "noise",
		Reason: "before scale, as all that makes elements; after mismatch, whose time constants it wants",
		After:  []string{"fold", "fuse"},
		Run:    n.run,
	}
}

func (n Thermal) run(c *circuit.Circuit) error {
	uses := c.Uses()
	total := 0
	for _, e := range append([]*circuit.Element(nil), c.Elements...) {
		if e.Testbench() || e.Kind.Name != "lead-lag" && e.Kind.Name != "leaky-integrator" {
			continue
		}
		tau := e.Numbers("tau")
		passive := make([]bool, len(tau))
		if e.Kind.Name == "lead-lag" {
			passive = e.Passive(uses)
		}
		waves := make([]circuit.Wave, len(tau))
		for i := range tau {
			farads := tau[i] * n.Units.Time / n.Units.Resistance
			if passive[i] {
				farads = (tau[i] - e.Numbers("ahead")[i]) * n.Units.Time / n.Units.Resistance
			}
			const boltzmann = 1.380649e-23 // J/K
			variance := n.Excess * boltzmann * n.Kelvin / farads / (n.Units.Voltage * n.Units.Voltage)
			count := int(math.Ceil(n.Length/tau[i]*samplesPerTau)) + 2
			if total += count; total > mostNoise {
				return fmt.Errorf("%s: noise over %g time units takes more than %d samples; shorten the run", e.Name, n.Length, mostNoise)
			}
			waves[i] = circuit.Wave{{Shape: "samples", Numbers: n.samples(e, i, tau[i], variance, count)}}
		}
		name := circuit.NoisePrefix + e.Name
		net := c.Net(name, circuit.Potential, len(tau))
		c.Add("stimulus", name, e.Origin).Connect("out", net).SetWaves("wave", waves)
		c.Add("coupling", name+"/injection", e.Origin).Connect("in", net).Connect("sum", e.Pin("sum")).Set("gain", 1)
	}
	return nil
}

// samples draws independent values h apart, straight lines between them. Such a
// wave of variance s^2 at its corners has the two-sided power density s^2 h at
// frequencies far below 1/h, of which a low-pass of time constant tau keeps
// s^2 h/(2 tau).
func (n Thermal) samples(e *circuit.Element, i int, tau, variance float64, count int) []float64 {
	h := tau / samplesPerTau
	sigma := math.Sqrt(variance * 2 * tau / h)
	rng := Spread{Seed: n.Seed}.rng(e, fmt.Sprintf("noise %d", i))
	pairs := make([]float64, 0, 2*count)
	for k := range count {
		pairs = append(pairs, float64(k)*h, fifteen(sigma*rng.NormFloat64()))
	}
	return pairs
}
