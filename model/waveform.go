package model

import (
	"math"
	"sort"
)

// A Waveform is a stimulus as a function of model time. All of them are
// continuous, so that a lead, which looks at slopes, has something to look at:
// a step rises within Rise, a gated sine within Ramp.
type Waveform interface {
	// At returns the value at time t >= 0.
	At(t float64) float64
	// Kinks appends the instants in (0, end) at which the slope jumps.
	Kinks(dst []float64, end float64) []float64
}

// Constant is a stimulus that does not change.
type Constant struct{ Value float64 }

// Step rises from Low to High, linearly, between Start and Start+Rise.
type Step struct{ Low, High, Start, Rise float64 }

// Pulse is a train of trapezoids: from Low to High at Start within Rise, held
// for Width, back within Rise; repeated each Period, once when Period is 0.
type Pulse struct{ Low, High, Start, Rise, Width, Period float64 }

// Sine is Offset + Amplitude sin(2 pi Frequency t + Phase), the oscillating
// part gated to [Start, Stop] with linear ramps of length Ramp inside it. Stop
// of 0 means without end, and Ramp only matters where there is a gate.
type Sine struct {
	Amplitude, Frequency, Phase, Offset float64
	Start, Stop, Ramp                   float64
}

// Chirp sweeps the frequency linearly from F0 at time 0 to F1 at time Length
// and stays there.
type Chirp struct{ Amplitude, F0, F1, Length, Offset float64 }

// Sampled interpolates linearly between (Time[k], Value[k]) and holds the ends.
// Files, datasets and noise become Sampled; Origin says which it was.
type Sampled struct {
	Time, Value []float64
	Origin      string
}

// Sum is several stimuli at once.
type Sum struct{ Terms []Waveform }

// At returns the constant.
func (w Constant) At(float64) float64 { return w.Value }

// At returns the value on the ramp.
func (w Step) At(t float64) float64 { return w.Low + (w.High-w.Low)*ramp(t-w.Start, w.Rise) }

// At returns the value of the train.
func (w Pulse) At(t float64) float64 {
	s := t - w.Start
	if w.Period > 0 && s > 0 {
		s = math.Mod(s, w.Period)
	}
	return w.Low + (w.High-w.Low)*(ramp(s, w.Rise)-ramp(s-w.Rise-w.Width, w.Rise))
}

// At returns the gated sine.
func (w Sine) At(t float64) float64 {
	return w.Offset + w.Gate(t)*w.Amplitude*math.Sin(2*math.Pi*w.Frequency*t+w.Phase)
}

// Gated tells whether the sine is switched on or off within a run.
func (w Sine) Gated() bool { return w.Start > 0 || w.Stop > 0 }

// Gate returns the factor, 0 to 1, that switches the sine.
func (w Sine) Gate(t float64) float64 {
	if !w.Gated() {
		return 1
	}
	g := 1.0
	if w.Start > 0 {
		g = ramp(t-w.Start, w.Ramp)
	}
	if w.Stop > 0 {
		g -= ramp(t-(w.Stop-w.Ramp), w.Ramp)
	}
	return g
}

// At returns the swept sine.
func (w Chirp) At(t float64) float64 {
	cycles := w.F0*t + (w.F1-w.F0)*t*t/(2*w.Length)
	if t > w.Length {
		cycles = (w.F0+w.F1)*w.Length/2 + w.F1*(t-w.Length)
	}
	return w.Offset + w.Amplitude*math.Sin(2*math.Pi*cycles)
}

// At interpolates.
func (w *Sampled) At(t float64) float64 {
	n := len(w.Time)
	k := sort.SearchFloat64s(w.Time, t)
	switch {
	case n == 0:
		return 0
	case k == 0:
		return w.Value[0]
	case k == n:
		return w.Value[n-1]
	}
	f := (t - w.Time[k-1]) / (w.Time[k] - w.Time[k-1])
	return w.Value[k-1] + f*(w.Value[k]-w.Value[k-1])
}

// At adds the terms.
func (w Sum) At(t float64) float64 {
	s := 0.0
	for _, term := range w.Terms {
		s += term.At(t)
	}
	return s
}

// ramp rises from 0 at t = 0 to 1 at t = rise.
func ramp(t, rise float64) float64 {
	switch {
	case t <= 0:
		return 0
	case t >= rise:
		return 1
	default:
		return t / rise
	}
}

// Kinks appends nothing: a constant is smooth.
func (w Constant) Kinks(dst []float64, _ float64) []float64 { return dst }

// Kinks appends the two ends of the ramp.
func (w Step) Kinks(dst []float64, end float64) []float64 {
	return within(dst, end, w.Start, w.Start+w.Rise)
}

// Kinks appends the corners of every trapezoid.
func (w Pulse) Kinks(dst []float64, end float64) []float64 {
	for t := w.Start; t < end; t += w.Period {
		dst = within(dst, end, t, t+w.Rise, t+w.Rise+w.Width, t+2*w.Rise+w.Width)
		if w.Period <= 0 {
			break
		}
	}
	return dst
}

// Kinks appends the corners of the gate.
func (w Sine) Kinks(dst []float64, end float64) []float64 {
	if w.Start > 0 {
		dst = within(dst, end, w.Start, w.Start+w.Ramp)
	}
	if w.Stop > 0 {
		dst = within(dst, end, w.Stop-w.Ramp, w.Stop)
	}
	return dst
}

// Kinks appends the end of the sweep.
func (w Chirp) Kinks(dst []float64, end float64) []float64 { return within(dst, end, w.Length) }

// Kinks appends every sample.
func (w *Sampled) Kinks(dst []float64, end float64) []float64 { return within(dst, end, w.Time...) }

// Kinks appends the kinks of every term.
func (w Sum) Kinks(dst []float64, end float64) []float64 {
	for _, term := range w.Terms {
		dst = term.Kinks(dst, end)
	}
	return dst
}

func within(dst []float64, end float64, times ...float64) []float64 {
	for _, t := range times {
		if t > 0 && t < end {
			dst = append(dst, t)
		}
	}
	return dst
}
