package reference

import (
	"bytes"
	"context"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vlec/model"
)

// feedbackNetwork learns everything there is to learn.
func feedbackNetwork() *model.Network {
	net := randomNetwork(11, true, 0.05)
	for _, p := range net.Projections {
		if _, isPop := p.From.(*model.Population); isPop {
			p.Feedback = model.Feedback{Rule: model.GainAlignment, B: make([]float64, len(p.W)), Eta: 0.3, NoiseSigma: 0.05, NoiseTau: 0.2}
		}
	}
	return net
}

func writeWeights(t *testing.T, w *Weights, net *model.Network) string {
	t.Helper()
	var b bytes.Buffer
	if err := w.Write(&b, net); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "weights.npz")
	if err := os.WriteFile(name, b.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	return name
}

// A frozen run from saved weights has the weights that were learned, in a file
// and back, and the given network is left alone.
func TestWeightsThereAndBack(t *testing.T) {
	net := feedbackNetwork()
	_, res, err := Run(context.Background(), net, Options{Semantics: Clocked, Learning: true})
	if err != nil {
		t.Fatal(err)
	}
	read, err := ReadWeights(writeWeights(t, &res.Weights, net))
	if err != nil {
		t.Fatal(err)
	}
	before := net.Projections[0].W[0]
	trained, err := read.Apply(net)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []Semantics{Continuous, Clocked} {
		_, frozen, err := Run(context.Background(), trained, Options{Semantics: s, Duration: 1})
		if err != nil {
			t.Fatal(err)
		}
		for _, pair := range [][2]map[string][]float64{{res.W, frozen.W}, {res.B, frozen.B}, {res.Bias, frozen.Bias}, {res.TauM, frozen.TauM}} {
			for name, want := range pair[0] {
				if d := widest(want, pair[1][name]); d != 0 {
					t.Errorf("%s: %s differs by %g", s, name, d)
				}
			}
		}
	}
	if net.Projections[0].W[0] != before || net.Projections[0].To != net.Populations[0] {
		t.Error("the network was changed")
	}
	if trained.Targets[0].Population != trained.Populations[2] {
		t.Error("the target is of the old network")
	}
}

func TestForeignWeights(t *testing.T) {
	net := feedbackNetwork()
	good := func() *Weights {
		_, res, err := Run(context.Background(), net, Options{Semantics: Clocked, Duration: 0.1})
		if err != nil {
			t.Fatal(err)
		}
		return &res.Weights
	}
	for _, c := range []struct {
		want  string
		spoil func(*Weights)
	}{
		{"no weights for projection drive_layer0", func(w *Weights) { delete(w.W, "drive_layer0") }},
		{"W of other, which the model does not have", func(w *Weights) { w.W["other"] = []float64{1} }},
		{"W of drive_layer0 has 1 values", func(w *Weights) { w.W["drive_layer0"] = []float64{1} }},
		{"tau_m of layer1 has 0 values", func(w *Weights) { w.TauM["layer1"] = nil }},
	} {
		w := good()
		c.spoil(w)
		if _, err := w.Apply(net); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want an error with %q", err, c.want)
		}
	}
	// Without biases, time constants and backward weights the model's are kept.
	w := good()
	w.B, w.Bias, w.TauM = nil, nil, nil
	if _, err := w.Apply(net); err != nil {
		t.Error(err)
	}
}

func TestMetrics(t *testing.T) {
	for _, s := range []Semantics{Continuous, Clocked} {
		net := chainNetwork(model.Tanh)
		trace, res, err := Run(context.Background(), net, Options{
			Semantics: s, Learning: true, Signals: []string{"loss"}, Every: 0.01, Duration: 20,
			Metrics: MetricsOptions{Every: 0.5, Window: 2},
		})
		if err != nil {
			t.Fatal(err)
		}
		m, loss := res.Metrics, trace.Signal("loss").Data
		if m == nil || len(m.Time) != 40 || math.Abs(m.Time[39]-20) > 1e-9 {
			t.Fatalf("%s: %v", s, m)
		}
		for k := range m.Time {
			// A mean over steps, or an integral, here by the trapezoidal rule.
			step, tolerance := func(i int) float64 { return loss[i] }, 1e-12
			if s == Continuous {
				step, tolerance = func(i int) float64 { return (loss[i-1] + loss[i]) / 2 }, 1e-3
			}
			row, window := 0.0, 0.0
			for i := 1; i <= 50; i++ {
				row += step(50*k+i) / 50
			}
			from := max(0, k-3)
			for i := 50*from + 1; i <= 50*(k+1); i++ {
				window += step(i) / float64(50*(k+1-from))
			}
			if math.Abs(m.Loss[k]-row) > tolerance*row || math.Abs(m.Average[k]-window) > tolerance*window {
				t.Errorf("%s: row %d: loss %g, average %g; from the trace %g, %g", s, k, m.Loss[k], m.Average[k], row, window)
			}
		}
	}
}

func TestBadMetrics(t *testing.T) {
	for _, o := range []MetricsOptions{{Every: -1}, {Every: math.NaN()}, {Every: 1, Window: 0.1}, {Every: 1e-9}, {Every: 0.015}} {
		if _, _, err := Run(context.Background(), chainNetwork(model.Tanh), Options{Semantics: Clocked, Metrics: o}); err == nil {
			t.Errorf("%+v is accepted", o)
		}
	}
}
