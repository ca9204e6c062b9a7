package crosscheck

import (
	"strings"
	"testing"

	"vlec/emit"
	"vlec/internal/compile"
	"vlec/sim"
)

// The noise that is expected of rates and of errors is what a noisy circuit shows
// beside a silent one; the verdict allows for it and says so, and noise that drowns
// the errors passes for nothing.
func TestExpectedNoise(t *testing.T) {
	for _, c := range []struct {
		file     string
		learning bool
		slack    float64 // by which the expectation may exceed what is seen
	}{{chain, false, 1.5}, {chain, true, 1.5}, {recurrent, false, 5}} {
		if testing.Short() && c.learning {
			t.Log("-short leaves the chain that learns out")
			continue
		}
		net := load(t, c.file)
		net.Duration = 10
		silent, err := Spice(t.Context(), net, SpiceOptions{Learning: c.learning, Dir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		h := &net.Hardware.Spice
		h.Noise = 100
		noisy, err := Spice(t.Context(), net, SpiceOptions{Learning: c.learning, Dir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		if !noisy.Pass() || !strings.Contains(noisy.Because, "noise: the reference has none; 100 kT/C") {
			t.Errorf("%v\n%s", noisy, noisy.Because)
		}
		side, err := compile.Spice(t.Context(), net, compile.SpiceOptions{Learning: c.learning}, new(emit.Artifacts))
		if err != nil {
			t.Fatal(err)
		}
		forward, backward := noiseShares(net, side, silent.Reference)
		seen := map[string]float64{}
		for _, r := range sim.Compare(silent.Simulated, noisy.Simulated, sim.Options{Tolerance: 1}).Results {
			kind := sim.KindOf(r.Name)
			seen[kind] = max(seen[kind], r.NRMSE)
		}
		t.Logf("%s, learning %v: noise of rates %.2e, expected %.2e; of errors %.2e, expected %.2e", net.Name, c.learning, seen["r"], forward, seen["e"], backward)
		for _, q := range [][2]float64{{seen["r"], forward}, {seen["e"], backward}} {
			if q[0] > 3*q[1] || q[1] > c.slack*q[0] {
				t.Errorf("%s, learning %v: noise of %.2e where %.2e is expected", net.Name, c.learning, q[0], q[1])
			}
		}
		h.Noise = 1e8
		if drowned, err := Spice(t.Context(), net, SpiceOptions{Learning: c.learning, Dir: t.TempDir()}); err != nil || drowned.Pass() {
			t.Errorf("%v, %v", drowned, err)
		}
	}
}
