package pass_test

import (
	"testing"

	"vlec/circuit"
	"vlec/circuit/pass"
)

// TestRefresh wants one strobe, a refresh for every store of the circuit and none for
// the teacher's, and the capacitor of the store wherever it changes.
func TestRefresh(t *testing.T) {
	c, err := circuit.Parse("paths", twoPaths)
	if err != nil {
		t.Fatal(err)
	}
	r := pass.Refresh(pass.Refreshing{Period: 2, Grid: 0.125})
	r.After = nil
	if err := pass.Run(c, []pass.Pass{r, pass.Freeze}); err != nil {
		t.Fatal(err)
	}
	by := map[string]*circuit.Element{}
	for _, e := range c.Elements {
		by[e.Name] = e
	}
	strobe, refresh := by["refresh/strobe"], by["refresh/w"]
	if strobe == nil || refresh == nil || len(c.Elements) != 14 {
		t.Fatalf("\n%s", c)
	}
	if !strobe.Testbench() || refresh.Testbench() {
		t.Error("the strobe comes from outside, the refresh does not")
	}
	if refresh.Number("rate") != by["w"].Number("rate") || refresh.Number("grid") != 0.125 || refresh.Number("restore") != 0.03 {
		t.Errorf("\n%s", c)
	}
	// What is held by a larger capacitor is refreshed by a larger current.
	if by["w"].Number("rate") != 1e-12 {
		t.Errorf("rate %g", by["w"].Number("rate"))
	}
	if again, err := circuit.Parse("again", c.String()); err != nil || again.String() != c.String() {
		t.Errorf("the text does not read back: %v", err)
	}
}
