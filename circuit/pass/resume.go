package pass

import (
	"fmt"
	"math"
	"slices"

	"vlec/circuit"
	"vlec/model/diag"
)

// Resume lets a circuit go on where a run stopped: every state begins at what it
// was then, and the stimuli at that instant. The states are by element, times and
// levels in the units of the circuit. Length is how long the next run will last.
func Resume(at, length float64, states map[string][]float64) Pass {
	return Pass{
		Name:   "resume",
		Reason: "before scale: what a run left is kept in model units, so that the next may have other ones",
		Run: func(c *circuit.Circuit) error {
			var errs diag.List
			for _, e := range c.Elements {
				if e.Kind.State != "" {
					init := e.Numbers("init")
					kept, ok := states[e.Name]
					if !ok || len(kept) != len(init) {
						errs.Add(e.Origin, "give the run that the same model left", "%s: the run left %d states of it, not %d", e.Name, len(kept), len(init))
						continue
					}
					copy(init, kept)
				}
				for i := range e.Params {
					for _, w := range e.Params[i].Waves {
						for k := range w {
							t, err := later(w[k], at, length)
							if err != nil {
								errs.Add(e.Origin, "end the first run earlier or later", "%s: %v", e.Name, err)
								continue
							}
							w[k] = t
						}
					}
				}
			}
			return errs.Err()
		},
	}
}

// later is a term as it is heard from an instant on.
func later(t circuit.Term, at, length float64) (circuit.Term, error) {
	x := slices.Clone(t.Numbers)
	switch t.Shape {
	case "constant":
	case "samples":
		x = cut(x, at)
	case "step":
		low, high, start, rise := x[0], x[1], x[2], x[3]
		return samples(cut([]float64{start, low, start + rise, high}, at)), nil
	case "pulse":
		return samples(pulses(x, at, length)), nil
	case "sine":
		frequency, start, stop, ramp := x[1], x[4], x[5], x[6]
		x[2] = math.Mod(x[2]+2*math.Pi*frequency*at, 2*math.Pi)
		switch {
		case stop > 0 && at >= stop:
			return circuit.Term{Shape: "constant", Numbers: []float64{x[3]}}, nil
		case start > 0 && at >= start && at < start+ramp, stop > 0 && at > stop-ramp:
			return t, fmt.Errorf("a sine is being switched at %g", at)
		}
		x[4] = max(0, start-at)
		if start > 0 && at >= start+ramp {
			x[4] = 0
		}
		if stop > 0 {
			x[5] = stop - at
		}
	case "chirp":
		amplitude, f0, f1, end, offset := x[0], x[1], x[2], x[3], x[4]
		if at < end {
			return t, fmt.Errorf("a chirp sweeps until %g, after %g", end, at)
		}
		phase := 2 * math.Pi * ((f0+f1)*end/2 + f1*(at-end))
		return circuit.Term{Shape: "sine", Numbers: []float64{amplitude, f1, math.Mod(phase, 2*math.Pi), offset, 0, 0, 0}}, nil
	}
	return circuit.Term{Shape: t.Shape, Numbers: x}, nil
}

func samples(pairs []float64) circuit.Term { return circuit.Term{Shape: "samples", Numbers: pairs} }

// cut drops what of a piecewise-linear wave is heard before an instant.
func cut(pairs []float64, at float64) []float64 {
	n := len(pairs)
	k := 0
	for k < n && pairs[k] <= at {
		k += 2
	}
	switch k {
	case 0:
		out := slices.Clone(pairs)
		for i := 0; i < n; i += 2 {
			out[i] -= at
		}
		return out
	case n:
		return []float64{0, pairs[n-1]}
	}
	t0, v0, t1, v1 := pairs[k-2], pairs[k-1], pairs[k], pairs[k+1]
	out := []float64{0, v0 + (v1-v0)*(at-t0)/(t1-t0)}
	for ; k < n; k += 2 {
		out = append(out, pairs[k]-at, pairs[k+1])
	}
	return out
}

// pulses lists the corners of a train of pulses from an instant on.
func pulses(x []float64, at, length float64) []float64 {
	low, high, start, rise, width, period := x[0], x[1], x[2], x[3], x[4], x[5]
	pairs := []float64{min(0, start), low}
	for k := 0; ; k++ {
		t := start + float64(k)*period
		if period > 0 && t+2*rise+width < at {
			skip := math.Floor((at-start)/period) - 1
			k = max(k, int(skip))
			t = start + float64(k)*period
		}
		if t > at+length {
			break
		}
		for _, corner := range [][2]float64{{t, low}, {t + rise, high}, {t + rise + width, high}, {t + 2*rise + width, low}} {
			if corner[0] > pairs[len(pairs)-2] {
				pairs = append(pairs, corner[0], corner[1])
			}
		}
		if period <= 0 {
			break
		}
	}
	return cut(pairs, at)
}
