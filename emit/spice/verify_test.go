package spice_test

import (
	"testing"

	"vlec/sim/crosscheck"
	"vlec/sim/referee"
)

// TestRulesFollowTheReference runs a model that has every feedback rule, every
// activation, noise, decay, clips and both losses, and compares all waveforms
// and weights with the model's own dynamics.
func TestRulesFollowTheReference(t *testing.T) {
	for _, engine := range []string{"builtin", "ngspice"} {
		if _, err := referee.Find("ngspice"); err != nil && engine == "ngspice" {
			t.Skip(err)
		}
		v, err := crosscheck.Spice(t.Context(), load(t, rules), crosscheck.SpiceOptions{
			Learning: true, Engine: engine, Dir: t.TempDir(), MaxStep: 5e-4, Tolerance: 2e-4,
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Log(v)
		if !v.Pass() || len(v.Report.Results) < 30 {
			t.Errorf("%d signals: %v", len(v.Report.Results), v)
			for _, row := range v.Table() {
				t.Log(row)
			}
		}
	}
}

// TestClippedWeights wants that the clamp holds a weight where the reference
// holds it.
func TestClippedWeights(t *testing.T) {
	net := load(t, chain)
	net.Projections[0].Clip = 0.6
	v, err := crosscheck.Spice(t.Context(), net, crosscheck.SpiceOptions{Learning: true, Dir: t.TempDir(), Tolerance: 1e-2})
	if err != nil {
		t.Fatal(err)
	}
	w := v.Reference.Signal("drive_hidden.W").Data
	if last := w[len(w)-1]; last < 0.599 {
		t.Fatalf("the weight only reaches %g", last)
	}
	if !v.Pass() {
		t.Error(v)
	}
	t.Log(v)
}
