package lower

import (
	"fmt"

	"vlec/circuit"
	"vlec/model"
)

func waves(channels []model.Waveform) []circuit.Wave {
	out := make([]circuit.Wave, len(channels))
	for i, w := range channels {
		out[i] = terms(nil, w)
	}
	return out
}

// terms appends a stimulus as rows of the circuit's wave table.
func terms(dst circuit.Wave, w model.Waveform) circuit.Wave {
	term := func(shape string, numbers ...float64) circuit.Wave {
		return append(dst, circuit.Term{Shape: shape, Numbers: numbers})
	}
	switch w := w.(type) {
	case model.Constant:
		return term("constant", w.Value)
	case model.Step:
		return term("step", w.Low, w.High, w.Start, w.Rise)
	case model.Pulse:
		return term("pulse", w.Low, w.High, w.Start, w.Rise, w.Width, w.Period)
	case model.Sine:
		return term("sine", w.Amplitude, w.Frequency, w.Phase, w.Offset, w.Start, w.Stop, w.Ramp)
	case model.Chirp:
		return term("chirp", w.Amplitude, w.F0, w.F1, w.Length, w.Offset)
	case *model.Sampled:
		pairs := make([]float64, 0, 2*len(w.Time))
		for k := range w.Time {
			pairs = append(pairs, w.Time[k], w.Value[k])
		}
		return term("samples", pairs...)
	case model.Sum:
		for _, t := range w.Terms {
			dst = terms(dst, t)
		}
		return dst
	default:
		panic(fmt.Sprintf("lower: no circuit for a %T", w))
	}
}
