package calibrate

import (
	"errors"
	"math"
	"strings"
	"testing"

	"vlec/circuit"
	"vlec/circuit/pass"
	"vlec/emit/spice"
	"vlec/internal/operating"
)

// resting has a cell of each way in which a null moves an output: by itself on a sum,
// through a lead that is ten times as much, and into what a store integrates.
const resting = `circuit resting
net a potential 1
stimulus a out=a wave=[constant(0)]
net w potential 1
weight-store w pre=a post=a w=w rate=0.1 init=[1] decay=0 clip=0 offset=[0.02]
net s sum 1
net v potential 1
net e potential 1
plastic-synapse synapse w=w pre=a sum=s offset=[-0.05]
lead-lag e sum=s state=v lead=e tau=[0.1] ahead=[1] init=[0]
net r potential 1
net k potential 1
activation r in=e out=r phi=tanh
slope k in=e rate=r out=k phi=tanh
`

// built is the circuit in units of transistors of the given spread of thresholds, and
// how it is emitted.
func built(t testing.TB, text string, avt float64) (*circuit.Circuit, spice.Options) {
	t.Helper()
	c, err := circuit.Parse("resting", text)
	if err != nil {
		t.Fatal(err)
	}
	u := spice.UnitsAt("transistor", circuit.Units{Time: 1e-2, Voltage: 1, Resistance: 1e6}, spice.Transistors{})
	if err := pass.Scale(c, u); err != nil {
		t.Fatal(err)
	}
	o := spice.Options{Level: "transistor", Seed: 3, Stop: 1, MaxStep: 1}
	o.Process = spice.Process{Pair: 1, Transistors: spice.Transistors{Current: 1e-9, Width: 1e-6, Length: 1e-6, Supply: 0.9, AVT: avt}}
	if o.Process.Corrections, err = operating.Correct(t.Context(), u, o.Process, ""); err != nil {
		t.Fatal(err)
	}
	return c, o
}

// leftover is what nulls leave of the offsets, in model units, place by place.
func leftover(t testing.TB, c *circuit.Circuit, o spice.Options, shared map[string]float64) []float64 {
	t.Helper()
	bench, left, _, err := measure(t.Context(), c, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	if shared != nil {
		nulls := make([]float64, len(left))
		for k := range nulls {
			nulls[k] = shared[bench.Instance(k)]
		}
		if _, left, _, err = measure(t.Context(), c, o, nulls); err != nil {
			t.Fatal(err)
		}
	}
	for k := range left {
		left[k] /= c.Units.Voltage
	}
	return left
}

// TestNulls wants every cell without input to give what its ideal twin gives, with
// equal transistors and with unequal ones, and not to without its null.
func TestNulls(t *testing.T) {
	for _, avt := range []float64{0, 1.3e-9} {
		c, o := built(t, resting, avt)
		nulls, err := Nulls(t.Context(), c, o)
		if err != nil {
			t.Fatal(err)
		}
		if len(nulls) != 4 || nulls["x_k0"] != 0 { // a slope has none
			t.Errorf("avt %g: %v", avt, nulls)
		}
		for k, v := range leftover(t, c, o, nulls) {
			if !(math.Abs(v) < Left) {
				t.Errorf("avt %g: a null leaves %g at place %d", avt, v, k)
			}
		}
		worst := 0.0
		for _, v := range leftover(t, c, o, nil) {
			worst = max(worst, math.Abs(v))
		}
		if worst < 0.02 {
			t.Errorf("avt %g: without nulls nothing is off by more than %g", avt, worst)
		}
	}
}

// TestStart: where the search for an operating point begins is nothing that nulls know.
func TestStart(t *testing.T) {
	c, o := built(t, resting, 1.3e-9)
	_, cold, point, err := measure(t.Context(), c, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, move := range map[string]float64{"there": 0, "a millivolt away": 1e-3, "20 mV away": 0.02} {
		o.Start = map[string]float64{}
		for node, v := range point {
			o.Start[node] = v + move
		}
		_, warm, _, err := measure(t.Context(), c, o, nil)
		if err != nil {
			t.Fatal(err)
		}
		for k := range cold {
			if d := math.Abs(warm[k]-cold[k]) / c.Units.Voltage; !(d < spice.NullStep/100) {
				t.Errorf("%s: what is left at place %d differs by %g", name, k, d)
			}
		}
	}
}

// TestNext follows cells of which a null moves the output by more or less than itself,
// the other way around, and along a bend.
func TestNext(t *testing.T) {
	for name, output := range map[string]func(null float64) float64{
		"by itself":    func(null float64) float64 { return 0.3 + null },
		"ten times":    func(null float64) float64 { return 0.3 + 10*null },
		"a tenth":      func(null float64) float64 { return 0.3 + 0.1*null },
		"other way":    func(null float64) float64 { return 0.3 - 2*null },
		"along a bend": func(null float64) float64 { return math.Tanh(0.5 + null) },
	} {
		var p place
		null, rounds := 0.0, 0
		for ; math.Abs(output(null)) > Left && rounds < Rounds; rounds++ {
			null = p.next(null, output(null))
		}
		t.Logf("%s: %d rounds", name, rounds)
		if rounds == Rounds {
			t.Errorf("%s: the null %g still leaves %g", name, null, output(null))
		}
	}
}

// TestNotNulled wants the name of an error neuron whose gain at rest has vanished.
func TestNotNulled(t *testing.T) {
	c, o := built(t, `circuit error
net a potential 1
stimulus a out=a wave=[constant(0)]
net s sum 1
net v potential 1
net e potential 1
coupling s in=a sum=s gain=1
lead-lag e sum=s state=v lead=e tau=[0.1] ahead=[1] init=[0]
`, 4e-8)
	o.Seed = 1
	_, err := Nulls(t.Context(), c, o)
	if bad, ok := errors.AsType[*NotNulledError](err); !ok || bad.Instance != "x_e_2_a0" || !strings.Contains(err.Error(), "transistors of larger area") {
		t.Error(err)
	}
}

func BenchmarkNulls(b *testing.B) {
	c, o := built(b, resting, 1.3e-9)
	for b.Loop() {
		if _, err := Nulls(b.Context(), c, o); err != nil {
			b.Fatal(err)
		}
	}
}
