package plot

import (
	"fmt"

	"vlec/sim"
)

// Compared draws what a comparison found: of each kind of signal (membranes,
// rates, errors, weights) the neuron that is worst, with its nrmse. Signals that
// could not be compared are left out; the report tells about them.
func Compared(title, subtitle, timeUnit string, ref, got *sim.Trace, report *sim.Report) *Figure {
	worst := map[string]*sim.Result{}
	var kinds []string
	for i := range report.Results {
		r := &report.Results[i]
		switch known := worst[r.Kind]; {
		case r.Problem != "":
		case known == nil:
			kinds = append(kinds, r.Kind)
			worst[r.Kind] = r
		case r.NRMSE > known.NRMSE:
			worst[r.Kind] = r
		}
	}
	var waves []Waveform
	for _, kind := range kinds {
		if w, ok := waveformOf(ref, got, worst[kind]); ok {
			waves = append(waves, w)
		}
	}
	return Waveforms(title, subtitle, timeUnit, waves)
}

func waveformOf(ref, got *sim.Trace, r *sim.Result) (w Waveform, ok bool) {
	a, b := ref.Signal(r.Name), got.Signal(r.Name)
	if a == nil || b == nil {
		return w, false
	}
	if r.Resampled {
		var err error
		if b, err = b.Resample(a.Time); err != nil {
			return w, false
		}
	}
	remark := fmt.Sprintf("nrmse %.1e", r.NRMSE)
	if !r.Pass() {
		remark += ", fails"
	}
	return Waveform{
		Name: r.Worst, Unit: a.Unit, Time: a.Time, Remark: remark,
		Reference: column(a, r.Index), Simulated: column(b, r.Index),
	}, true
}

// column is the course of value j of each sample.
func column(s *sim.Signal, j int) []float64 {
	out := make([]float64, len(s.Time))
	for k := range out {
		out[k] = s.At(k)[j]
	}
	return out
}
