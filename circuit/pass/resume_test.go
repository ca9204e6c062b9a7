package pass_test

import (
	"math"
	"sort"
	"strings"
	"testing"

	"vlec/circuit"
	"vlec/circuit/lower"
	"vlec/circuit/pass"
	"vlec/model"
)

// TestResumedStimuli wants that every stimulus, heard from an instant on, is what
// it would have been, wherever the cut lies.
func TestResumedStimuli(t *testing.T) {
	waves := []model.Waveform{
		model.Constant{Value: 0.7},
		model.Step{Low: -1, High: 2, Start: 3, Rise: 0.5},
		model.Pulse{Low: -0.5, High: 1, Start: 1, Rise: 0.1, Width: 0.4, Period: 1.7},
		model.Pulse{Low: 0, High: 1, Start: 2, Rise: 0.5, Width: 3},
		model.Sine{Amplitude: 1.5, Frequency: 0.3, Phase: 0.4, Offset: 0.1},
		model.Sine{Amplitude: 1.5, Frequency: 0.3, Phase: 0.4, Offset: 0.1, Start: 6.1, Stop: 20, Ramp: 0.3},
		model.Sine{Amplitude: 1.5, Frequency: 0.3, Start: 0.2, Stop: 2, Ramp: 0.3},
		&model.Sampled{Time: []float64{0, 1, 2.5, 4, 9}, Value: []float64{0, 1, -1, 3, 2}},
		model.Chirp{Amplitude: 1, F0: 0.1, F1: 0.4, Length: 2.2, Offset: 0.3},
		model.Sum{Terms: []model.Waveform{model.Constant{Value: 1}, model.Sine{Amplitude: 1, Frequency: 1.1}}},
	}
	net := &model.Network{
		Name: "x", Dt: 0.01, Duration: 12, Beta: 1,
		Inputs: []*model.Input{{Name: "in", Channels: waves}},
		Populations: []*model.Population{{
			Name: "p", Size: 1, TauM: []float64{1}, TauR: []float64{0.1}, Activation: model.Tanh, Bias: []float64{0},
		}},
	}
	net.Projections = []*model.Projection{{Name: "k", From: net.Inputs[0], To: net.Populations[0], W: ones(len(waves))}}
	for _, at := range []float64{2.3, 3.2, 4, 5.05, 6} {
		c, err := lower.Network(net, lower.Options{})
		if err != nil {
			t.Fatal(err)
		}
		resume := pass.Resume(at, net.Duration-at, map[string][]float64{"p.membrane": {0.25}})
		if err := pass.Run(c, []pass.Pass{resume}); err != nil {
			t.Fatalf("at %g: %v", at, err)
		}
		for _, e := range c.Elements {
			if e.Kind.State != "" && e.Numbers("init")[0] != 0.25 {
				t.Errorf("%s begins at %g", e.Name, e.Numbers("init")[0])
			}
			if e.Kind.Name != "stimulus" {
				continue
			}
			for i, w := range e.Waves("wave") {
				for k := range 200 {
					s := (net.Duration - at) * float64(k) / 200
					if got, want := heard(w, s), waves[i].At(at+s); math.Abs(got-want) > 1e-9 {
						t.Fatalf("%T cut at %g: %g at %g, want %g", waves[i], at, got, at+s, want)
					}
				}
			}
		}
	}
	for at, want := range map[float64]string{1: "a chirp sweeps until 2.2, after 1", 6.2: "a sine is being switched at 6.2"} {
		c, err := lower.Network(net, lower.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := pass.Resume(at, 1, map[string][]float64{"p.membrane": {0}}).Run(c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("cut at %g: %v, want %s", at, err, want)
		}
		if err := pass.Resume(5, 1, nil).Run(c); err == nil || !strings.Contains(err.Error(), "the run left 0 states of it, not 1") {
			t.Errorf("no states: %v", err)
		}
	}
}

func ones(n int) []float64 {
	xs := make([]float64, n)
	for i := range xs {
		xs[i] = 1
	}
	return xs
}

// heard is the value of a circuit's wave, by the model's own waveforms.
func heard(w circuit.Wave, at float64) float64 {
	sum := 0.0
	for _, t := range w {
		x := t.Numbers
		switch t.Shape {
		case "constant":
			sum += x[0]
		case "sine":
			sum += model.Sine{Amplitude: x[0], Frequency: x[1], Phase: x[2], Offset: x[3], Start: x[4], Stop: x[5], Ramp: x[6]}.At(at)
		case "samples":
			s := &model.Sampled{}
			for k := 0; k < len(x); k += 2 {
				s.Time, s.Value = append(s.Time, x[k]), append(s.Value, x[k+1])
			}
			if !sort.Float64sAreSorted(s.Time) {
				return math.NaN()
			}
			sum += s.At(at)
		default:
			return math.NaN()
		}
	}
	return sum
}
