package spice_test

import (
	"math"
	"testing"

	"vlec/emit/spice"
	"vlec/model"
	"vlec/sim"
)

// stimuli are all shapes with their corner cases; times are in model units.
var stimuli = []struct {
	name string
	wave model.Waveform
}{
	{"constant", model.Constant{Value: -0.7}},
	{"step", model.Step{Low: 0.2, High: 1, Start: 0.5, Rise: 0.1}},
	{"step at once", model.Step{Low: 0.2, High: -1, Rise: 0.1}},
	{"step after the end", model.Step{Low: 0.2, High: -1, Start: 99, Rise: 0.1}},
	{"pulse", model.Pulse{Low: -1, High: 1, Start: 0.5, Rise: 0.1, Width: 0.3}},
	{"pulse at once", model.Pulse{Low: -1, High: 1, Rise: 0.1, Width: 0.3}},
	{"pulses", model.Pulse{Low: -1, High: 1, Start: 0.5, Rise: 0.1, Width: 0.3, Period: 0.7}},
	{"pulses at once", model.Pulse{Low: -1, High: 1, Rise: 0.1, Width: 0.3, Period: 0.7}},
	{"pulses without a pause", model.Pulse{Low: -1, High: 1, Rise: 0.2, Width: 0.3, Period: 0.7}},
	{"triangle", model.Pulse{Low: 0, High: 1, Start: 0.5, Rise: 0.1}},
	{"triangles", model.Pulse{Low: 0, High: 1, Start: 0.5, Rise: 0.1, Period: 0.4}},
	{"triangles without a pause", model.Pulse{Low: 0, High: 1, Start: 0.5, Rise: 0.2, Period: 0.4}},
	{"sine", model.Sine{Amplitude: 1.5, Frequency: 0.7}},
	{"sine with phase and offset", model.Sine{Amplitude: 1.5, Frequency: 0.7, Phase: -2, Offset: 0.3}},
	{"gated sine", model.Sine{Amplitude: 1.5, Frequency: 2, Phase: 1, Offset: 0.3, Start: 0.5, Stop: 2, Ramp: 0.2}},
	{"sine that starts", model.Sine{Amplitude: 1.5, Frequency: 2, Phase: 1, Start: 0.5, Ramp: 0.2}},
	{"sine that stops", model.Sine{Amplitude: 1.5, Frequency: 2, Phase: 1, Stop: 1.5, Ramp: 0.2}},
	{"sine that starts and stops at once", model.Sine{Amplitude: 1.5, Frequency: 2, Start: 0.5, Stop: 0.9, Ramp: 0.2}},
	{"chirp", model.Chirp{Amplitude: 1.5, F0: 0.5, F1: 3, Length: 2, Offset: 0.3}},
	{"chirp down", model.Chirp{Amplitude: 1.5, F0: 3, F1: 0.5, Length: 99}},
	{"samples", &model.Sampled{Time: []float64{0, 0.3, 0.4, 2}, Value: []float64{1, -1, 0.5, 0.7}}},
	{"samples that begin late", &model.Sampled{Time: []float64{0.3, 0.4}, Value: []float64{1, -1}}},
	{"one sample", &model.Sampled{Time: []float64{0.3}, Value: []float64{0.4}}},
	{"one sample at once", &model.Sampled{Time: []float64{0}, Value: []float64{0.4}}},
	{"sum", model.Sum{Terms: []model.Waveform{
		model.Constant{Value: 0.5},
		model.Sine{Amplitude: 1, Frequency: 2, Start: 0.5, Stop: 2, Ramp: 0.2},
		model.Chirp{Amplitude: 1, F0: 1, F1: 2, Length: 1, Offset: 1},
		model.Sum{Terms: []model.Waveform{model.Sine{Amplitude: 0.2, Frequency: 3}, model.Step{High: 1, Start: 1, Rise: 0.5}}},
	}}},
}

func stimulusNet() *model.Network {
	in := &model.Input{Name: "in"}
	net := &model.Network{Name: "stimuli", Dt: 0.01, Duration: 3, Inputs: []*model.Input{in}}
	for _, s := range stimuli {
		in.Channels = append(in.Channels, s.wave)
	}
	return net
}

// checkStimuli compares what a simulator saw on the input nodes with the
// stimuli of the model, which is what the reference is fed with.
func checkStimuli(t *testing.T, tr *sim.Trace, side *spice.Map, within float64) {
	nodes := signal(t, side, "in.r").Nodes
	for i, s := range stimuli {
		got := node(t, tr, nodes[i])
		worst, at := 0.0, 0.0
		for k, sec := range got.Time {
			if sec == 0 {
				continue // with uic ngspice prints 0 for all but the states
			}
			x := sec / units.Time
			if d := math.Abs(got.Data[k]/units.Voltage - s.wave.At(x)); d > worst {
				worst, at = d, x
			}
		}
		if worst > within || len(got.Time) < 300 {
			t.Errorf("%s: off by %g at %g of %d samples", s.name, worst, at, len(got.Time))
		}
	}
}

func TestStimuliInNgspice(t *testing.T) {
	net := stimulusNet()
	dir, side := emitted(t, lowered(t, net, false), spice.Options{Stop: 3e-3, MaxStep: 1e-5})
	checkStimuli(t, ngspice(t, dir), side, 1e-9)
}
