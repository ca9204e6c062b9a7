package pass_test

import (
	"testing"

	"vlec/circuit"
	"vlec/circuit/pass"
)

// TestCorner wants slower neurons and slower learning, the same ratios, and a
// testbench that notices nothing.
func TestCorner(t *testing.T) {
	c, err := circuit.Parse("paths", twoPaths+"net ts sum 1\nnet tu potential 1\nleaky-integrator teacher/m sum=ts state=tu tau=[1] init=[0]\n")
	if err != nil {
		t.Fatal(err)
	}
	scale := pass.Analog(circuit.Units{Time: 1e-3, Voltage: 0.5, Resistance: 1e6})[2]
	corner := pass.Corner(1.2, 0.9)
	scale.After, corner.After = nil, []string{"scale"}
	if err := pass.Run(c, []pass.Pass{scale, corner}); err != nil {
		t.Fatal(err)
	}
	by := map[string]*circuit.Element{}
	for _, e := range c.Elements {
		by[e.Name] = e
	}
	if c.Units.Resistance != 1.2e6 || c.Units.Time != 1e-3 {
		t.Errorf("%+v", c.Units)
	}
	for _, q := range []struct {
		what      string
		got, want float64
	}{
		{"tau", by["m"].Number("tau"), 1.08e-3},
		{"ahead", by["q"].Number("ahead"), 1.08e-3},
		{"rate", by["w"].Number("rate"), 925.925925925926},
		{"gain", by["nudge"].Number("gain"), 0.1},
		{"the teacher's tau", by["teacher/m"].Number("tau"), 1e-3},
	} {
		if q.got != q.want {
			t.Errorf("%s is %v, want %v", q.what, q.got, q.want)
		}
	}
}
