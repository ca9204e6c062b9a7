package crosscheck

import (
	"math"
	"strings"
	"testing"

	"vlec/model"
	"vlec/sim"
	"vlec/sim/reference"
)

// lossless are parts without any limit but those that a test declares.
func lossless(net *model.Network, bandwidth float64) *model.Network {
	h := &net.Hardware.Spice
	h.Knee = 1e-9
	h.OTA = model.OTA{Range: 1e4, Gain: 1e12, Bandwidth: bandwidth}
	h.OpAmp = model.OpAmp{Gain: 1e9, GBW: bandwidth, Slew: 1e12, Rail: 1e3}
	return net
}

// The reference with the declared poles follows a slow circuit ten times as closely
// as without; with other ones it does not.
func TestPolesAreMirrored(t *testing.T) {
	net := lossless(load(t, chain), 1e5) // 1.6 % of the shortest time constant
	net.Duration = 8
	dir := t.TempDir()
	v, err := Spice(t.Context(), net, SpiceOptions{Level: "macro", Learning: true, Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if !v.Pass() || v.Report.NRMSEMax() > 4e-3 {
		t.Errorf("%v", v)
	}
	t.Log(v, v.Because)
	if !strings.Contains(v.Because, "poles 6.4e-03") {
		t.Errorf("%s", v.Because)
	}
	worst := func(p *reference.Parts) float64 {
		ref, _, err := reference.Run(t.Context(), net, reference.Options{Learning: true, Signals: []string{"u", "r", "e", "W"}, Every: net.Probe.Every, Parts: p})
		if err != nil {
			t.Fatal(err)
		}
		return sim.Compare(ref, v.Simulated, sim.Options{Tolerance: 1, From: net.Probe.Every / 2}).NRMSEMax()
	}
	node := 1 / (2 * 3.14159265 * 1e5 * 1e-3)
	same, none := worst(&reference.Parts{Node: node, Follower: node}), worst(nil)
	other := worst(&reference.Parts{Node: 1.5 * node, Follower: node})
	if same > v.Report.NRMSEMax()+1e-6 || none < 10*same || other < 3*same {
		t.Errorf("nrmse %.1e with the poles, %.1e without, %.1e with other ones", same, none, other)
	}
}

// Weights that leak and are refreshed follow the reference in both engines, at both
// levels; without the refresh nothing is left of them.
func TestRefreshedWeights(t *testing.T) {
	net := lossless(load(t, chain), 1e6)
	net.Duration = 4
	if testing.Short() {
		net.Duration = 2.5 // two refreshes
	}
	for _, p := range net.Projections {
		p.Eta /= 100 // far less within a period than a level
	}
	h := &net.Hardware.Spice
	h.Store = model.Store{Leak: 5e-3, Refresh: 1e-3, Grid: 0.25}
	for _, level := range []string{"ideal", "macro"} {
		who := engines(t)
		if testing.Short() && level == "macro" {
			t.Log("-short leaves ngspice at the macro level out, the slowest by far")
			who = []string{"builtin"}
		}
		for _, v := range inEach(t, who, net, SpiceOptions{Level: level, Learning: true}) {
			engine, within := v.Engine, 1e-4
			if level == "macro" {
				within = 2e-2
			}
			for _, r := range v.Report.Results {
				if sim.KindOf(r.Name) == "W" && r.MaxAbs > within*0.25 {
					t.Errorf("%s, %s: %+v", level, engine, r)
				}
			}
			w := v.Simulated.Signal("hidden_output.W") // begins at 0.6
			if last := w.Data[len(w.Data)-1]; last < 0.41 || last > 0.51 {
				t.Errorf("%s, %s: the weight ends at %g", level, engine, last)
			}
		}
	}
	h.Store.Refresh, h.Store.Grid = 0, 0
	v, err := Spice(t.Context(), net, SpiceOptions{Level: "macro", Learning: true, Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	w := v.Simulated.Signal("hidden_output.W")
	if last := w.Data[len(w.Data)-1]; last > 1.1*0.6*math.Exp(-net.Duration/5) {
		t.Errorf("a weight that leaks is still %g", last)
	}
	if !v.Pass() {
		t.Errorf("%v", v)
	}
}

// TestRefreshedTransistors wants stores of transistors to be refreshed as the reference
// is, to a level within what the datasheet of the cell says.
func TestRefreshedTransistors(t *testing.T) {
	const grid, leak = 0.25, 20
	net := load(t, chain)
	net.Duration = 9
	for _, p := range net.Projections {
		p.Eta /= 10
	}
	net.Hardware.Spice.Store = model.Store{Leak: leak * 1e-3, Refresh: 4e-3, Grid: grid} // strobes from 4 and 8 on
	v, err := Spice(t.Context(), net, SpiceOptions{Level: "transistor", Learning: true, Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range v.Report.Results {
		if sim.KindOf(r.Name) == "W" && r.MaxAbs > 0.15*grid { // while the strobe rises
			t.Errorf("%+v", r)
		}
	}
	for _, name := range []string{"hidden_output.W", "drive_hidden.W"} { // begin at 0.6 and 0.5
		w := v.Simulated.Signal(name)
		last, want := w.Data[len(w.Data)-1], 0.5*math.Exp(-0.56/leak)
		t.Logf("%s: %.4f, should be %.4f", name, last, want)
		if !(math.Abs(last-want) < 0.06*grid) {
			t.Errorf("%s ends at %g, want %g", name, last, want)
		}
	}
}
