package reference

import (
	"context"
	"math"
	"math/cmplx"

	"vlec/model"
)

// A FrequencyPoint compares the local error with the adjoint in the steady
// state under stimuli of one angular frequency. Ratios are of the amplitudes at
// that frequency, extrapolated to dt = 0 from two clock periods.
type FrequencyPoint struct {
	Omega float64
	// Gain is |e| / |adjoint| and Phase the angle by which e leads the adjoint in
	// radians, by population and neuron. A neuron that never hears an error has
	// NaN.
	Gain, Phase [][]float64
	// Own is the factor that the theory gives each neuron's own layer [ours],
	// (1 + omega^2 tau_m^2)/(1 + omega^2 tau_r^2). In a chain the gain of a neuron
	// is the product of its own factor and of those downstream.
	Own [][]float64
}

// FrequencyResponse replaces every input and every target signal of a network
// by a sine of the given angular frequency and amplitude, each with a phase of
// its own, and measures the errors against the adjoint.
//
// The inputs swing around zero and the targets around the rates at rest. So a
// small amplitude keeps a nonlinear network near one operating point, and what is
// measured is its linearisation; a standing error would be modulated by phi' and
// mix the gains at two frequencies. The targets of a teacher are left alone.
func FrequencyResponse(ctx context.Context, net *model.Network, omega, amplitude float64) (*FrequencyPoint, error) {
	probe := *net
	waves := 0
	next := func(offset float64) model.Waveform {
		waves++
		return model.Sine{Amplitude: amplitude, Frequency: omega / (2 * math.Pi), Phase: 0.7 * float64(waves), Offset: offset}
	}
	rest, err := restingRates(net)
	if err != nil {
		return nil, err
	}
	probe.Inputs, probe.Targets = nil, nil
	for _, in := range net.Inputs {
		twin := &model.Input{Name: in.Name}
		for range in.Channels {
			twin.Channels = append(twin.Channels, next(0))
		}
		probe.Inputs = append(probe.Inputs, twin)
	}
	for _, t := range net.Targets {
		twin := *t
		twin.Signal = nil
		for i := range t.Signal {
			twin.Signal = append(twin.Signal, next(rest[t.Population][i]))
		}
		probe.Targets = append(probe.Targets, &twin)
	}
	coarse, err := frequencyRatios(ctx, &probe, omega, 1)
	if err != nil {
		return nil, err
	}
	fine, err := frequencyRatios(ctx, &probe, omega, 2)
	if err != nil {
		return nil, err
	}
	pt := &FrequencyPoint{Omega: omega}
	for k, pop := range net.Populations {
		gain, phase, own := make([]float64, pop.Size), make([]float64, pop.Size), make([]float64, pop.Size)
		for i := range gain {
			q := fine[k][i] * fine[k][i] / coarse[k][i]
			gain[i], phase[i] = cmplx.Abs(q), cmplx.Phase(q)
			wm, wr := omega*pop.TauM[i], omega*pop.TauR[i]
			own[i] = (1 + wm*wm) / (1 + wr*wr)
		}
		pt.Gain, pt.Phase, pt.Own = append(pt.Gain, gain), append(pt.Phase, phase), append(pt.Own, own)
	}
	return pt, nil
}

// restingRates returns the rates that the populations reach without inputs and
// without targets.
func restingRates(net *model.Network) (map[*model.Population][]float64, error) {
	quiet := *net
	quiet.Beta = 0
	s, err := NewSynchronous(&quiet, 1)
	if err != nil {
		return nil, err
	}
	_, longest := timeConstants(net)
	for range int(15 * longest * float64(len(net.Populations)) / net.Dt) {
		s.Step()
	}
	rest := map[*model.Population][]float64{}
	for k, p := range net.Populations {
		rest[p] = s.Population(k).R
	}
	return rest, nil
}

// timeConstants returns the shortest and the longest of a network.
func timeConstants(net *model.Network) (shortest, longest float64) {
	shortest = math.Inf(1)
	for _, p := range net.Populations {
		for i := range p.Size {
			shortest = min(shortest, p.TauM[i], p.TauR[i])
			longest = max(longest, p.TauM[i], p.TauR[i])
		}
	}
	return shortest, longest
}

// frequencyRatios measures e over adjoint, by population and neuron, on a clock
// that a period of the stimulus holds a whole number of times.
func frequencyRatios(ctx context.Context, net *model.Network, omega float64, refine int) ([][]complex128, error) {
	shortest, longest := timeConstants(net)
	period := 2 * math.Pi / omega
	perPeriod := refine * int(math.Ceil(period/min(2e-3/omega, shortest/50)))
	clocked := *net
	clocked.Dt = period / float64(perPeriod)
	settle := int(math.Ceil((15*longest+period)/clocked.Dt/float64(perPeriod))) * perPeriod
	end := 2*settle + perPeriod

	sumE, sumA := make([][]complex128, len(net.Populations)), make([][]complex128, len(net.Populations))
	for k, p := range net.Populations {
		sumE[k], sumA[k] = make([]complex128, p.Size), make([]complex128, p.Size)
	}
	_, err := CheckGradient(ctx, &clocked, GradientOptions{
		Duration: float64(end) * clocked.Dt,
		Visit: func(step, k int, e, adjoint []float64) {
			if step < settle || step >= settle+perPeriod {
				return
			}
			turn := cmplx.Rect(1, -2*math.Pi*float64(step)/float64(perPeriod))
			for i := range e {
				sumE[k][i] += complex(e[i], 0) * turn
				sumA[k][i] += complex(adjoint[i], 0) * turn
			}
		},
	})
	for k := range sumE {
		for i := range sumE[k] {
			sumE[k][i] /= sumA[k][i]
		}
	}
	return sumE, err
}
