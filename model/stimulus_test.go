package model

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestWaveforms compares stimuli with their formulas at chosen times.
func TestWaveforms(t *testing.T) {
	for src, want := range map[string]map[float64]float64{
		"signal = 'constant'\nvalue = 3":                                                                     {0: 3, 9: 3},
		"signal = 'step'\nlow = 1\nhigh = 2\nstart = 1\nrise = 0.5":                                          {0: 1, 1: 1, 1.25: 1.5, 1.5: 2, 9: 2},
		"signal = 'pulse'\nstart = 1\nrise = 0.5\nwidth = 1\nperiod = 4":                                     {0: 0, 1.25: 0.5, 2: 1, 2.75: 0.5, 3: 0, 6: 1},
		"signal = 'sine'\nfrequency = 0.25\namplitude = 2\noffset = 1":                                       {0: 1, 1: 3, 2: 1, 3: -1},
		"signal = 'sine'\nfrequency = 0.25\nstart = 2\nstop = 6\nramp = 1":                                   {1: 0, 3: -1, 5: 1, 7: 0},
		"signal = 'chirp'\nf0 = 0.25\nf1 = 0.25\noffset = 1":                                                 {0: 1, 1: 2, 2: 1},
		"signal = 'points'\npoints = [[1, 0], [2, 4], [4, 0]]":                                               {0: 0, 1.5: 2, 3: 2, 9: 0},
		"signal = 'file'\npath = 'two.csv'\ncolumn = 'left'\ntime = 't'":                                     {0: 1, 0.25: 0.75, 1: 0, 9: 0.5},
		"signal = 'file'\npath = 'two.csv'\ncolumn = 1\ndt = 1":                                              {0: 1, 0.5: 0.75, 2: 0},
		"signal = 'file'\npath = 'two.csv'\ncolumn = 'left'\ntime = 0\nrepeat = true\nscale = 2\noffset = 1": {0: 3, 2: 3, 2.5: 2, 9: 1},
		"terms = [{ signal = 'constant', value = 1 }, { signal = 'points', points = [[0, 0], [10, 10]] }]":   {0: 1, 5: 6},
	} {
		w := parse(t, "[input.x]\n"+src).Inputs[0].Channels[0]
		for at, v := range want {
			if got := w.At(at); math.Abs(got-v) > 1e-12 {
				t.Errorf("%q at %v: %v, want %v", src, at, got, v)
			}
		}
	}
}

// TestNoise compares spread and correlation with those of the process.
func TestNoise(t *testing.T) {
	n := parse(t, "duration = 2000\ndt = 0.02\n[input.x]\nsignal = 'noise'\nsigma = 0.5\ntau = 0.4\noffset = 1")
	w := n.Inputs[0].Channels[0].(*Sampled)
	if len(w.Time) != n.Steps()+1 || w.Time[1] != 0.02 {
		t.Fatalf("%d samples, %v apart", len(w.Time), w.Time[1])
	}
	const lag = 20 // one tau
	var mean, square, product float64
	for k := range w.Value[lag:] {
		x, y := w.Value[k]-1, w.Value[k+lag]-1
		mean, square, product = mean+x, square+x*x, product+x*y
	}
	count := float64(len(w.Value) - lag)
	mean, square, product = mean/count, square/count, product/count
	if math.Abs(mean) > 0.05 || math.Abs(math.Sqrt(square)-0.5) > 0.02 || math.Abs(product/square-math.Exp(-1)) > 0.03 {
		t.Errorf("mean %v, sigma %v, correlation over tau %v", mean, math.Sqrt(square), product/square)
	}
}

// TestSines wants frequencies in their band, sounding in windows inside the run.
func TestSines(t *testing.T) {
	n := parse(t, "[input.x]\nsize = 2\nsignal = 'sines'\ncount = 50\nf_min = 0.5\nf_max = 2\nwindow = 3\nramp = 0.5\namplitude = 0.1")
	a, b := n.Inputs[0].Channels[0].(Sum), n.Inputs[0].Channels[1].(Sum)
	if len(a.Terms) != 50 || cmp.Equal(a, b) {
		t.Errorf("%d sines, or both channels the same", len(a.Terms))
	}
	for _, term := range a.Terms {
		w := term.(Sine)
		if w.Frequency < 0.5 || w.Frequency > 2 || w.Start < 0 || w.Stop > 10 || math.Abs(w.Stop-w.Start-3) > 1e-9 || w.Amplitude != 0.1 {
			t.Errorf("%+v", w)
		}
	}
}

// TestDatasets shows features, labels, series and values.
func TestDatasets(t *testing.T) {
	n := parse(t, `
duration = 12
[dataset.features]
x = "x.npy"
y = "labels.npy"
sample_time = 2.0
rise = 0.5
[dataset.series]
x = "series.npy"
y = "y.npy"
layout = "series"
sample_time = 5.0
[input.features]
dataset = "features"
scale = 2
offset = 1
[input.series]
dataset = "series"
[population.a]
size = 2
tau_m = 1
tau_r = 1
[population.b]
size = 2
tau_m = 1
tau_r = 1
[target.a]
population = "a"
dataset = "features"
[target.b]
population = "b"
dataset = "series"
`)
	at := func(waves []Waveform, t float64) (values []float64) {
		for _, w := range waves {
			values = append(values, math.Round(w.At(t)*1e9)/1e9)
		}
		return values
	}
	for _, c := range []struct {
		what  string
		waves []Waveform
		t     float64
		want  []float64
	}{
		{"first sample", n.Inputs[0].Channels, 0, []float64{1, 3, 5}},
		{"held", n.Inputs[0].Channels, 2, []float64{1, 3, 5}},
		{"halfway to the next", n.Inputs[0].Channels, 2.25, []float64{11, 13, 15}},
		{"second", n.Inputs[0].Channels, 2.5, []float64{21, 23, 25}},
		{"from the start again", n.Inputs[0].Channels, 9, []float64{1, 3, 5}},
		{"label 0", n.Targets[0].Signal, 1, []float64{1, 0}},
		{"label 1", n.Targets[0].Signal, 3, []float64{0, 1}},
		{"series", n.Inputs[1].Channels, 3, []float64{3}},
		{"between points", n.Inputs[1].Channels, 6.5, []float64{11.5}},
		{"values", n.Targets[1].Signal, 5.01, []float64{0.2, 0.3}},
	} {
		if diff := cmp.Diff(c.want, at(c.waves, c.t)); diff != "" {
			t.Errorf("%s: %s", c.what, diff)
		}
	}
}

// TestBatch wants every trial to have its own samples and noise, and every
// sample to be shown once a pass, to input and target alike.
func TestBatch(t *testing.T) {
	n := parse(t, `
duration = 2
[learning]
batch = 2
[dataset.d]
x = "x.npy"
y = "labels.npy"
sample_time = 1.0
order = "shuffled"
[input.d]
dataset = "d"
[input.noise]
signal = "noise"
tau = 1
[input.same]
signal = "constant"
value = 1
[population.a]
size = 2
tau_m = 1
tau_r = 1
[target.a]
population = "a"
dataset = "d"
`)
	labels := []float64{0, 1, 1, 0}
	seen := map[float64]bool{}
	for b := range 2 {
		for _, at := range []float64{0.5, 1.5} {
			x := n.Inputs[0].Trials[b][0].At(at)
			seen[x] = true
			if got := n.Targets[0].Trials[b][1].At(at); got != labels[int(x/10)] {
				t.Errorf("trial %d at %v: sample %v has the target %v", b, at, x, got)
			}
		}
	}
	if len(seen) != 4 {
		t.Errorf("shown: %v", seen)
	}
	if cmp.Equal(n.Inputs[1].Trials[0], n.Inputs[1].Trials[1]) {
		t.Error("both trials have the same noise")
	}
	if !cmp.Equal(n.Inputs[2].Trials[0], n.Inputs[2].Trials[1]) {
		t.Error("a constant differs between trials")
	}
	shared := n.Inputs[0].Trials[0][0].(*Sampled).Time
	if &shared[0] != &n.Inputs[0].Trials[0][1].(*Sampled).Time[0] {
		t.Error("channels do not share their times")
	}
}
