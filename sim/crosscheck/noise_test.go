package crosscheck

import (
	"strings"
	"testing"

	"vlec/emit/spice"
	"vlec/sim"
)

// The noise that is expected of rates and of errors is what a noisy circuit shows
// beside a silent one; the verdict allows for it and says so, and noise that drowns
// the errors passes for nothing. -short runs 4 of 10 units of time.
func TestExpectedNoise(t *testing.T) {
	for _, c := range []struct {
		file     string
		learning bool
		duration float64
		slack    float64 // by which the expectation of errors may exceed what is seen
	}{{chain, false, briefly(10), 1.5}, {chain, true, 10, 1.5}, {recurrent, false, briefly(10), 5}} {
		if testing.Short() && c.learning {
			t.Log("-short leaves the chain that learns out")
			continue
		}
		net := load(t, c.file)
		net.Duration = c.duration
		h := &net.Hardware.Spice
		var ref *sim.Trace // noise is the circuit's alone
		var side *spice.Map
		at := func(noise float64) *Verdict {
			h.Noise = noise
			check, err := newSpiceCheck(t.Context(), net, SpiceOptions{Learning: c.learning, Dir: t.TempDir()})
			if err != nil {
				t.Fatal(err)
			}
			if side = check.side; ref == nil {
				if ref, err = check.reference(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			v, err := check.against(t.Context(), ref)
			if err != nil {
				t.Fatal(err)
			}
			return v
		}
		silent, noisy := at(0), at(100)
		if !noisy.Pass() || !strings.Contains(noisy.Because, "noise: the reference has none; 100 kT/C") {
			t.Errorf("%v\n%s", noisy, noisy.Because)
		}
		forward, backward := noiseShares(net, side, ref)
		seen := map[string]float64{}
		for _, r := range sim.Compare(silent.Simulated, noisy.Simulated, sim.Options{Tolerance: 1}).Results {
			kind := sim.KindOf(r.Name)
			seen[kind] = max(seen[kind], r.NRMSE)
		}
		t.Logf("%s, learning %v: noise of rates %.2e, expected %.2e; of errors %.2e, expected %.2e", net.Name, c.learning, seen["r"], forward, seen["e"], backward)
		for _, q := range []struct{ seen, expected, slack float64 }{{seen["r"], forward, 1.5}, {seen["e"], backward, c.slack}} {
			if q.seen > 2*q.expected || q.expected > q.slack*q.seen {
				t.Errorf("%s, learning %v: noise of %.2e where %.2e is expected", net.Name, c.learning, q.seen, q.expected)
			}
		}
		if drowned := at(1e8); drowned.Pass() {
			t.Error(drowned)
		}
	}
}
