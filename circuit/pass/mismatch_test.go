package pass_test

import (
	"math"
	"strings"
	"testing"

	"vlec/circuit"
	"vlec/circuit/pass"
)

const unequal = `circuit unequal
net pre potential 40
net s sum 50
net u potential 50
net y potential 50
net r potential 50
net x sum 1
net v potential 1
net e potential 1
stimulus pre out=pre wave=[` + "WAVES" + `]
synapse k pre=pre sum=s w=[WEIGHTS]
lead-lag m sum=s state=u lead=y tau=[ONES] ahead=[TENTHS] init=[ZEROS]
activation a in=y out=r phi=tanh
synapse teacher/k pre=pre sum=x w=[FORTY]
lead-lag n sum=x state=v lead=e tau=[0.1] ahead=[1] init=[0]
`

func unequalCircuit(t *testing.T) *circuit.Circuit {
	t.Helper()
	text := strings.NewReplacer(
		"WAVES", strings.TrimSpace(strings.Repeat("constant(1) ", 40)), "WEIGHTS", strings.TrimSpace(strings.Repeat("2 ", 2000)),
		"ONES", strings.TrimSpace(strings.Repeat("1 ", 50)), "TENTHS", strings.TrimSpace(strings.Repeat("0.1 ", 50)),
		"ZEROS", strings.TrimSpace(strings.Repeat("0 ", 50)), "FORTY", strings.TrimSpace(strings.Repeat("1 ", 40)),
	).Replace(unequal)
	c, err := circuit.Parse("unequal", text)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestMismatch wants the draws to have the spread that was asked for, to repeat,
// to differ between seeds, and to leave the testbench alone.
func TestMismatch(t *testing.T) {
	run := func(s pass.Spread) *circuit.Circuit {
		c := unequalCircuit(t)
		m := pass.Mismatch(s)
		m.After = nil
		if err := pass.Run(c, []pass.Pass{m}); err != nil {
			t.Fatal(err)
		}
		return c
	}
	spread := pass.Spread{Gain: 0.1, Tau: 0.2, Offset: 0.03, Residue: 0.5, Seed: 7}
	c := run(spread)
	if c.String() != run(spread).String() {
		t.Error("the same seed drew another circuit")
	}
	other := spread
	other.Seed = 8
	if c.String() == run(other).String() {
		t.Error("another seed drew the same circuit")
	}
	deviation := func(xs []float64, f func(float64) float64) float64 {
		sum := 0.0
		for _, x := range xs {
			sum += f(x) * f(x)
		}
		return math.Sqrt(sum / float64(len(xs)))
	}
	by := map[string]*circuit.Element{}
	for _, e := range c.Elements {
		by[e.Name] = e
	}
	for _, q := range []struct {
		what      string
		got, want float64
		within    float64
	}{
		{"weights", deviation(by["k"].Numbers("w"), func(x float64) float64 { return math.Log(x / 2) }), 0.1, 0.05},
		{"offsets of weights", deviation(by["k"].Numbers("offset"), func(x float64) float64 { return x }), 0.015, 0.05},
		{"lags", deviation(by["m"].Numbers("tau"), math.Log), 0.2, 0.3},
		{"leads", deviation(by["m"].Numbers("ahead"), func(x float64) float64 { return math.Log(10 * x) }), 0.2, 0.3},
		{"activations", deviation(by["a"].Numbers("factor"), math.Log), 0.1, 0.3},
	} {
		if math.Abs(q.got/q.want-1) > q.within {
			t.Errorf("%s: spread %g, want %g", q.what, q.got, q.want)
		}
	}
	for _, x := range by["m"].Numbers("offset") {
		if x != 0 {
			t.Error("resistors and a capacitor have an offset")
			break
		}
	}
	if by["n"].Numbers("offset")[0] == 0 {
		t.Error("an active lead-lag has no offset")
	}
	for _, w := range by["teacher/k"].Numbers("w") {
		if w != 1 {
			t.Error("the teacher is drawn, too")
			break
		}
	}
	if quiet := run(pass.Spread{Gain: 0.1, Residue: 1, Seed: 7}); strings.Contains(quiet.String(), "offset=") {
		t.Error("offsets without an offset")
	}

	// Another element changes no draw of this one.
	before := by["a"].Numbers("factor")[3]
	c = unequalCircuit(t)
	c.Elements = append(c.Elements[:1:1], c.Elements[2:]...)
	m := pass.Mismatch(spread)
	if err := m.Run(c); err != nil {
		t.Fatal(err)
	}
	for _, e := range c.Elements {
		if e.Name == "a" && e.Numbers("factor")[3] != before {
			t.Error("a draw depends on what else there is")
		}
	}
}

// TestFromArea checks a published pair of figures: 3.9 mV um at 1 um^2 is 11.6 %
// of the current in weak inversion.
func TestFromArea(t *testing.T) {
	s := pass.FromArea(3.9, 1, 300)
	if math.Abs(s.Gain-0.116) > 0.001 || math.Abs(s.Offset-3.9e-3*math.Sqrt2) > 1e-9 {
		t.Errorf("%+v", s)
	}
	if quarter := pass.FromArea(3.9, 4, 300); math.Abs(quarter.Gain*2-s.Gain) > 1e-12 {
		t.Errorf("four times the area halves the spread: %+v", quarter)
	}
}
