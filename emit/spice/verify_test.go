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
