package reference

import (
	"math"
	"math/cmplx"
	"testing"

	"vlec/model"
)

// One neuron that a sine drives, with the lead longer than the lag, answers with the
// gain and phase of its equations: sum, follower, state and lead each have a pole.
func TestPolesOfANeuron(t *testing.T) {
	for _, tauR := range []float64{0.5, 0.05} {
		net, err := model.Parse("poles.toml", []byte(`
duration = 12.0
[input.x]
signal = "sine"
frequency = 0.5
[population.n]
size = 1
tau_m = 0.2
tau_r = 1
activation = "linear"
[projection.xn]
from = "x"
to = "n"
weights = 0.7
`), ".")
		if err != nil {
			t.Fatal(err)
		}
		net.Populations[0].TauR[0] = tauR
		parts := Parts{Node: 0.03, Follower: 0.07}
		trace, _, err := Run(t.Context(), net, Options{Signals: []string{"y", "u"}, Every: 0.01, Parts: &parts})
		if err != nil {
			t.Fatal(err)
		}
		jw := complex(0, 2*math.Pi*0.5)
		lag := func(tau float64) complex128 { return 1 / (1 + jw*complex(tau, 0)) }
		z := 0.7 * lag(parts.Node) * lag(parts.Follower)
		u := z * lag(0.2)
		y := (u + complex(tauR/0.2, 0)*(z-u)) * lag(parts.Node)
		if tauR < 0.2 { // two resistors and a capacitor
			u = 0.7 * lag(0.2+parts.Node)
			y = u * (1 + jw*complex(tauR, 0))
		}
		for name, want := range map[string]complex128{"n.u": u, "n.y": y} {
			s := trace.Signal(name)
			for k := 1000; k < len(s.Time); k++ { // the beginning is forgotten
				at := imag(want * cmplx.Exp(jw*complex(s.Time[k], 0)))
				if math.Abs(s.Data[k]-at) > 1e-7 {
					t.Fatalf("tau_r %g: %s is %g at %g, want %g", tauR, name, s.Data[k], s.Time[k], at)
				}
			}
		}
	}
}

// Faster and faster poles approach the network without any, loops included, and at
// first order.
func TestPolesVanish(t *testing.T) {
	for _, file := range []string{"../../examples/chain/model.toml", "../../testdata/models/good/recurrent.toml"} {
		net, err := model.Load(file)
		if err != nil {
			t.Fatal(err)
		}
		run := func(p *Parts) *Result {
			_, r, err := Run(t.Context(), net, Options{Learning: true, Duration: 3, Signals: []string{}, Parts: p, RelTol: 1e-7})
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		exact := run(nil)
		var off [2]float64
		for i, node := range []float64{4e-3, 1e-3} {
			r := run(&Parts{Node: node, Follower: node})
			for name, w := range r.W {
				for k := range w {
					off[i] = max(off[i], math.Abs(w[k]-exact.W[name][k]))
				}
			}
		}
		if ratio := off[0] / off[1]; ratio < 2.5 || ratio > 6 || off[1] > 1e-3 {
			t.Errorf("%s: weights are off by %.2e and %.2e", net.Name, off[0], off[1])
		}
	}
}

// A weight that nothing teaches decays exponentially between strobes, and falls to the
// nearest level with each.
func TestForgettingAndRefreshing(t *testing.T) {
	net, err := model.Load("../../examples/chain/model.toml")
	if err != nil {
		t.Fatal(err)
	}
	net.Beta = 0 // no errors
	start := net.Projections[0].W[0]
	run := func(p Parts, duration float64) float64 {
		_, r, err := Run(t.Context(), net, Options{Learning: true, Duration: duration, Signals: []string{}, Parts: &p})
		if err != nil {
			t.Fatal(err)
		}
		return r.W[net.Projections[0].Name][0]
	}
	if got, want := run(Parts{Leak: 2}, 3), start*math.Exp(-1.5); math.Abs(got-want) > 1e-8 {
		t.Errorf("a weight leaks to %g, want %g", got, want)
	}
	for _, level := range []float64{0.3, 0.4, 0.35} { // 0.5 falls to 0.6, 0.4 and 0.35
		grid := level
		want := grid * math.Round(start/grid)
		if got := run(Parts{Refresh: 1, Grid: grid}, 5); math.Abs(got-want) > 1e-3*grid {
			t.Errorf("grid %g: a weight of %g falls to %g, want %g", grid, start, got, want)
		}
	}
	// It loses 5 % within a period, 0.006 of a level of 0.25.
	if got := run(Parts{Leak: 20, Refresh: 1, Grid: 0.25}, 100.9); math.Abs(got-0.5*math.Exp(-0.78/20)) > 5e-3 {
		t.Errorf("after a hundred periods the weight is %g", got)
	}
}

func TestPartsRefuse(t *testing.T) {
	net, err := model.Load("../../examples/chain/model.toml")
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range []Options{
		{Semantics: Clocked, Parts: &Parts{Node: 1}},
		{Parts: &Parts{Node: 1}, Save: func(*Checkpoint) error { return nil }},
	} {
		if _, _, err := Run(t.Context(), net, o); err == nil {
			t.Errorf("%+v was run", o)
		}
	}
}
