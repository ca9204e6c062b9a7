package fixed

import (
	"math"
	"testing"

	"vlec/emit/verilog/format"
)

// Noise in words has the deviation and the correlation that the plan was made for.
func TestNoise(t *testing.T) {
	const neurons, steps = 4, 200000
	for _, c := range []struct{ sigma, tau float64 }{{0.1, 0.05}, {0.02, 0.4}} {
		n := &format.Network{Name: "noise", Inputs: []format.Input{{Name: "drive", Size: 1}}}
		pop := format.Population{Name: "cell", Size: neurons, Phi: "linear", Noise: &format.Noise{Sigma: c.sigma, Tau: c.tau, Seed: 3}}
		for range neurons {
			pop.TauM, pop.TauR = append(pop.TauM, 1), append(pop.TauR, 1)
			pop.U0, pop.V0 = append(pop.U0, 0), append(pop.V0, 0)
		}
		n.Populations = []format.Population{pop}
		n.Projections = []format.Projection{{Name: "w", Input: 0, From: -1, To: 0, W: make([]float64, neurons)}}
		p, err := format.New(n, format.Options{Dt: 0.01, Bits: 16, Observed: map[string]float64{"drive.r": 1}})
		if err != nil {
			t.Fatal(err)
		}
		core, err := New(p)
		if err != nil {
			t.Fatal(err)
		}
		var power, next, cross, mean float64
		former := make([]float64, neurons)
		for range steps {
			core.Step()
			x := core.Noise(0)
			for i, w := range x {
				v := p.Noise.State.Value(w)
				power += v * v / steps / neurons
				next += v * former[i] / steps / neurons
				mean += v / steps / neurons
				former[i] = v
			}
			cross += p.Noise.State.Value(x[0]) * p.Noise.State.Value(x[1]) / steps
		}
		rho := math.Exp(-0.01 / c.tau)
		// As many independent samples as steps over two correlation times.
		spread := math.Sqrt(2 * c.tau / 0.01 / steps)
		near := func(what string, got, want, off float64) {
			if math.Abs(got-want) > off {
				t.Errorf("sigma %g, tau %g: %s is %.4g, want %.4g within %.2g", c.sigma, c.tau, what, got, want, off)
			}
		}
		s2 := c.sigma * c.sigma
		near("the variance", power/s2, 1, 3*spread)
		near("the correlation of steps", next/power, rho, 3*spread*(1-rho))
		near("the mean", mean/c.sigma, 0, 3*spread)
		near("the correlation of neurons", cross/s2, 0, 5*spread)
		if len(core.Usage().Saturated) > 0 {
			t.Errorf("sigma %g, tau %g: %v", c.sigma, c.tau, core.Usage().Saturated)
		}
	}
}
