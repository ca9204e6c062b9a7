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

const twoPaths = `circuit paths
net in potential 1
net w potential 1
net s sum 1
net u potential 1
net y potential 1
net r potential 1
net r.slope potential 1
net back sum 1
net x sum 1
net v potential 1
net e potential 1
stimulus in out=in wave=[constant(1)]
weight-store w pre=in post=e w=w rate=1 decay=0 clip=0 init=[0]
plastic-synapse k w=w pre=in sum=s
coupling nudge in=e sum=s gain=0.1
leaky-integrator m sum=s state=u tau=[1] init=[0]
prospective p sum=s state=u lead=y tau=[1] ahead=[0.1]
activation a in=y out=r phi=tanh
slope d in=y rate=r out=r.slope phi=tanh
comparator t target=in rate=r sum=back gain=1
gate g in=back slope=r.slope sum=x
leaky-integrator n sum=x state=v tau=[0.1] init=[0]
prospective q sum=x state=v lead=e tau=[0.1] ahead=[1]
`

// TestAutoZeroOfLearning wants the offsets of the forward path as they were drawn,
// and of all others what auto-zeroing leaves.
func TestAutoZeroOfLearning(t *testing.T) {
	offsets := func(s pass.Spread) map[string]float64 {
		c, err := circuit.Parse("paths", twoPaths)
		if err != nil {
			t.Fatal(err)
		}
		m := pass.Mismatch(s)
		m.After = nil
		if err := pass.Run(c, []pass.Pass{m}); err != nil {
			t.Fatal(err)
		}
		out := map[string]float64{}
		for _, e := range c.Elements {
			if !e.Testbench() {
				out[e.Name] = e.Numbers("offset")[0]
			}
		}
		return out
	}
	whole := offsets(pass.Spread{Offset: 0.1, Residue: 1, Seed: 3})
	zeroed := offsets(pass.Spread{Offset: 0.1, Residue: 0.25, ForwardKept: true, Seed: 3})
	forward := map[string]bool{"k": true, "nudge": true, "m": true, "p": true, "a": true}
	for name, want := range whole {
		if !forward[name] {
			want /= 4
		}
		if got := zeroed[name]; math.Abs(got-want) > 1e-14 || got == 0 {
			t.Errorf("%s: offset %g, want %g", name, got, want)
		}
	}
	if len(whole) != 11 {
		t.Errorf("offsets of %d elements", len(whole))
	}
}

// TestUnequalLeakage wants every store to forget at its own pace, and nothing else
// to differ.
func TestUnequalLeakage(t *testing.T) {
	c, err := circuit.Parse("paths", twoPaths)
	if err != nil {
		t.Fatal(err)
	}
	before := c.String()
	m := pass.Mismatch(pass.Spread{Leak: 0.5, Seed: 3})
	m.After = nil
	if err := pass.Run(c, []pass.Pass{m}); err != nil {
		t.Fatal(err)
	}
	hold := c.Elements[1].Numbers("hold")
	if len(hold) != 1 || hold[0] == 1 || math.Abs(math.Log(hold[0])) > 2 {
		t.Errorf("hold %v", hold)
	}
	c.Elements[1].Params[len(c.Elements[1].Params)-1].Numbers = nil
	if c.String() != before {
		t.Errorf("more differs than leakage:\n%s", c)
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
