package operating

import (
	"math"
	"testing"

	"vlec/circuit"
	"vlec/emit/spice"
)

// TestCorrect wants corrections that make parts right: with them in place nothing
// is left to correct, and without them there is.
func TestCorrect(t *testing.T) {
	u := spice.UnitsAt("transistor", circuit.Units{Time: 1e-3}, spice.Transistors{Current: 1e-9})
	p := spice.Process{Pair: 1, Transistors: spice.Transistors{Current: 1e-9, Width: 1e-6, Length: 1e-6, Supply: 0.9}}
	c, err := Correct(t.Context(), u, p, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", c)
	for _, x := range []float64{c.Conductance, c.Mirror, c.Correlator, c.Pair} {
		if d := math.Abs(x - 1); d < 5e-4 || d > 0.05 {
			t.Errorf("a correction is %g", x)
		}
	}
	p.Corrections = c
	again, err := Correct(t.Context(), u, p, "")
	if err != nil {
		t.Fatal(err)
	}
	for i, pair := range [][2]float64{{c.Conductance, again.Conductance}, {c.Mirror, again.Mirror}, {c.Correlator, again.Correlator}, {c.Pair, again.Pair}} {
		if math.Abs(pair[0]-pair[1]) > 1e-5 {
			t.Errorf("correction %d goes from %g to %g", i, pair[0], pair[1])
		}
	}
	if _, err := Correct(t.Context(), circuit.Units{Time: 1, Voltage: 1, Resistance: 1}, p, ""); err == nil {
		t.Error("the level works at any voltage")
	}
}
