package crosscheck

import (
	"fmt"
	"math"

	"vlec/emit/spice"
	"vlec/model"
	"vlec/sim"
)

// Noise in a comparison
//
// The reference is silent. A circuit whose neurons are noisy is off by its noise, and
// how large that may be follows from what is declared, as for all imperfections. The
// source of a neuron (circuit/pass, Noise) is drawn ten times in its time constant,
// with straight lines between, so that its state has the variance s^2 = Excess kT/C.
// What leads by ahead passes the source on at once:
//
//	lead = (1 - l) state + l source, l = ahead/tau
//	var(lead) = s^2 ((1 - l)^2 + 2 l (1 - l) + l^2 20 2/3) = s^2 (1 + 37/3 l^2)
//
// where 20 s^2 is the variance of the source at its corners, 2/3 of it in the mean over
// straight lines, and s^2 its covariance with the state. Error neurons, which lead
// by far more than they lag, are by far the noisiest, and magnify the noise of rates
// and errors that they hear. Where errors reach the membranes (gamma), theirs is most of
// the noise of rates, too: a lead passes l of it on at once, and of its power, which is
// drawn ten times in tau_r, a lag of tau_m leaves tau_r/10 tau_m.

// noiseShares are the expected noise of rates, and of errors, in units of the signals:
// the noisiest neuron of each.
func noiseShares(net *model.Network, side *spice.Map, ref *sim.Trace) (forward, backward float64) {
	h := net.Hardware.Spice
	if h.Noise == 0 {
		return 0, 0
	}
	const boltzmann = 1.380649e-23 // J/K
	u := side.Units
	variance := func(tau float64) float64 {
		farads := tau * u.Time / u.Resistance
		return h.Noise * boltzmann * (h.Temperature + 273.15) / farads / (u.Voltage * u.Voltage)
	}
	lead := func(tau, ahead float64) float64 {
		l := ahead / tau
		if l < 1 {
			return math.Sqrt(variance(tau-ahead) * (1 + 37./3*l*l)) // two resistors and a capacitor
		}
		return math.Sqrt(variance(tau) * (1 + 37./3*l*l))
	}
	// The noise of errors: a neuron's own, what a target makes of the noise of its rate,
	// and what comes back from other errors, both of which its lead magnifies. Loops
	// are followed once around.
	errors := map[*model.Population][]float64{}
	for range net.Populations {
		next := map[*model.Population][]float64{}
		for _, p := range net.Populations {
			heard := make([]float64, p.Size) // variance of what arrives
			for _, t := range net.Targets {
				for i := range heard {
					if t.Population == p {
						heard[i] += math.Pow(net.Beta*lead(p.TauM[i], p.TauR[i]), 2)
					}
				}
			}
			for _, k := range net.Projections {
				if from, ok := k.From.(*model.Population); ok && from == p {
					addBack(heard, k, errors[k.To])
				}
			}
			for i := range heard {
				heard[i] = math.Hypot(lead(p.TauR[i], p.TauM[i]), math.Sqrt(heard[i])*max(1, p.TauM[i]/p.TauR[i]))
			}
			next[p] = heard
		}
		errors = next
	}
	for _, p := range net.Populations {
		rate, err := ref.Signal(p.Name+".r"), ref.Signal(p.Name+".e")
		for i := range p.Size {
			if rate != nil && rms(rate, i) > 0 {
				own := lead(p.TauM[i], p.TauR[i])
				ahead := p.TauR[i] / p.TauM[i]
				coupled := net.Gamma * errors[p][i] * math.Hypot(ahead, math.Sqrt(ahead/10))
				forward = max(forward, math.Hypot(own, coupled)/rms(rate, i))
			}
			if err != nil && rms(err, i) > 0 {
				backward = max(backward, errors[p][i]/rms(err, i))
			}
		}
	}
	return forward, backward
}

// addBack adds the variance that a projection carries back, with the weights that it
// begins with.
func addBack(to []float64, k *model.Projection, errors []float64) {
	m := len(to)
	for j, e := range errors {
		for i := range to {
			b := k.W[j*m+i]
			if len(k.Feedback.B) > 0 {
				b = k.Feedback.B[i*len(errors)+j]
			}
			to[i] += b * b * e * e
		}
	}
}

// aboutNoise says what noise does to a comparison.
func aboutNoise(net *model.Network, forward, backward float64) string {
	return fmt.Sprintf("noise: the reference has none; %.3g kT/C is expected to be %.1e of rates, %.1e of errors; three times that is tolerated",
		net.Hardware.Spice.Noise, forward, backward)
}
