package reference

import (
	"bytes"
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	"vlec/model"
)

// fastChain learns its teacher's weights well within a run.
func fastChain() *model.Network {
	net := chainNetwork(model.Tanh)
	net.Duration = 400
	for _, p := range net.Projections {
		p.Eta = 0.3
	}
	return net
}

func TestStopsAtLoss(t *testing.T) {
	for _, s := range []Semantics{Continuous, Clocked} {
		o := Options{Semantics: s, Learning: true, Signals: []string{}, RelTol: 1e-6, Metrics: MetricsOptions{Every: 1, Window: 10}}
		_, whole, err := Run(context.Background(), fastChain(), o)
		if err != nil {
			t.Fatal(err)
		}
		o.Stop.Loss = 1e-3
		_, res, err := Run(context.Background(), fastChain(), o)
		if err != nil {
			t.Fatal(err)
		}
		m, n := res.Metrics, len(res.Metrics.Time)
		t.Logf("%s: stopped at t = %g", s, res.Time)
		if res.Stopped != StoppedAtLoss || res.LossLast > 1e-3 || res.LossLast != m.Average[n-1] || res.Time != m.Time[n-1] {
			t.Errorf("%s: stopped %q at %g with loss %g", s, res.Stopped, res.Time, res.LossLast)
		}
		// Until then it went as without the target, and it stopped as soon as it could.
		for k, loss := range m.Loss {
			if loss != whole.Metrics.Loss[k] {
				t.Fatalf("%s: row %d differs", s, k)
			}
			if k >= 9 && k < n-1 && m.Average[k] <= 1e-3 {
				t.Errorf("%s: should have stopped at %g", s, m.Time[k])
			}
		}
	}
}

func TestPatience(t *testing.T) {
	net := fastChain()
	for _, p := range net.Projections {
		p.Eta = 0 // nothing gets better
	}
	o := Options{
		Semantics: Clocked, Learning: true, Signals: []string{},
		Metrics: MetricsOptions{Every: 10, Window: 20}, Stop: StopOptions{Patience: 50},
	}
	_, res, err := Run(context.Background(), net, o)
	if err != nil {
		t.Fatal(err)
	}
	if res.Stopped != StoppedByPatience || res.Time > 150 {
		t.Errorf("stopped %q at %g", res.Stopped, res.Time)
	}
	_, res, err = Run(context.Background(), fastChain(), o)
	if err != nil {
		t.Fatal(err)
	}
	if res.Time < 150 {
		t.Errorf("stopped %q at %g although the loss was falling", res.Stopped, res.Time)
	}
}

func TestDivergence(t *testing.T) {
	net := chainNetwork(model.Linear)
	net.Duration = 100
	for _, p := range net.Projections {
		p.Eta = 200
	}
	_, _, err := Run(context.Background(), net, Options{Semantics: Clocked, Learning: true, Signals: []string{}, Metrics: MetricsOptions{Every: 0.1}})
	var diverged *DivergedError
	if !errors.As(err, &diverged) || !(diverged.Time > 0 && diverged.Time < 100) {
		t.Errorf("got %v, want a divergence", err)
	}
}

func TestGauges(t *testing.T) {
	net := fastChain()
	net.Duration = 20
	net.Projections[1].Feedback = model.Feedback{Rule: model.GainAlignment, B: []float64{-0.5}, Eta: 0.3}
	net.Populations[0].PlasticBias, net.Populations[0].EtaBias = true, 0.1
	trace, res, err := Run(context.Background(), net, Options{
		Semantics: Clocked, Learning: true, Signals: []string{"W", "B", "bias"}, Every: 0.5, Metrics: MetricsOptions{Every: 0.5},
	})
	if err != nil {
		t.Fatal(err)
	}
	for gauge, signal := range map[string]string{
		"drive_hidden.W[0][0]": "drive_hidden.W", "hidden_out.W[0][0]": "hidden_out.W", "hidden_out.B[0][0]": "hidden_out.B", "hidden.bias[0]": "hidden.bias",
	} {
		got, want := res.Metrics.Gauge(gauge), trace.Signal(signal).Data[1:]
		if got == nil || widest(got, want) != 0 {
			t.Errorf("%s is not what the trace says: %v", gauge, got)
		}
	}
	last := len(res.Metrics.Time) - 1
	w, b := res.W["drive_hidden"][0], res.B["hidden_out"][0]
	if d := res.Metrics.Gauge("drive_hidden.W.distance")[last]; math.Abs(d-math.Abs(w-1)) > 1e-15 {
		t.Errorf("distance %g of weight %g from 1", d, w)
	}
	if c := res.Metrics.Gauge("hidden_out.B.cosine"); c[0] != -1 || c[last] != math.Copysign(1, b*res.W["hidden_out"][0]) {
		t.Errorf("cosine %g at first, %g at last", c[0], c[last])
	}
	var csv bytes.Buffer
	if err := res.Metrics.CSV(&csv); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(csv.String()), "\n")
	if !strings.HasPrefix(lines[0], "t,loss,loss_average,drive_hidden.W[0][0],drive_hidden.W.distance") || len(lines) != last+2 {
		t.Errorf("%d lines, %s", len(lines), lines[0])
	}
	if n := strings.Count(lines[last+1], ","); n != strings.Count(lines[0], ",") {
		t.Errorf("%d commas in the last line", n)
	}
	// A large network has no single values.
	net = wideNetwork()
	_, res, err = Run(context.Background(), net, Options{Semantics: Clocked, Learning: true, Signals: []string{}, Metrics: MetricsOptions{Every: 0.1}, Duration: 0.4})
	if err != nil {
		t.Fatal(err)
	}
	if g := res.Metrics.Gauges; len(g) != 4 || g[0].Name != "drive_a.W.norm" {
		t.Errorf("%v", g)
	}
}
