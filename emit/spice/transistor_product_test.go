package spice_test

import (
	"maps"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"vlec/circuit"
	"vlec/circuit/lower"
	"vlec/circuit/pass"
	"vlec/emit/spice"
	"vlec/internal/calibrate"
	"vlec/internal/golden"
	"vlec/sim"
)

// products is a circuit of everything that multiplies, fed by slow ramps, and a
// store of each kind that integrates them.
const products = `circuit products
net a potential 1
net b potential 1
net ab potential 2
net w potential 2
stimulus a out=a wave=[samples(0 -2 8 2)]
stimulus b out=b wave=[samples(0 1.5 8 -1.5)]
stimulus ab out=ab wave=[samples(0 -2 8 2) samples(0 1 8 0)]
stimulus w out=w wave=[constant(0.7) constant(-1.3)]
net one potential 1
stimulus one out=one wave=[constant(1.2)]
net s2 sum 1
net u2 potential 1
plastic-synapse plastic-synapse w=w pre=ab sum=s2 factor=[1 1.5]
leaky-integrator u2 sum=s2 state=u2 tau=[1e5] init=[0]
net s3 sum 2
net u3 potential 2
transposed-synapse transposed-synapse w=w post=b sum=s3
leaky-integrator u3 sum=s3 state=u3 tau=[1e5 1e5] init=[0 0]
net back sum 1
net x sum 1
net v potential 1
coupling back in=a sum=back gain=1
gate gate in=back slope=b sum=x
leaky-integrator v sum=x state=v tau=[1e5] init=[0]
net held potential 1
weight-store held pre=a post=b w=held rate=0.1 init=[0.3] decay=0 clip=0
net forgotten potential 1
weight-store forgotten pre=a post=b w=forgotten rate=0.1 init=[-0.2] decay=0.05 clip=0
net clamped potential 1
weight-store clamped pre=one post=one w=clamped rate=0.3 init=[0] decay=0 clip=1
net aligned potential 1
alignment-store aligned pre=a post=b total=one w=aligned rate=0.1 init=[0.5]
`

// multiply is what the nets of products hold a share x of the way, and how far off
// the cells may be, relative to 1 and to what they should hold.
func multiply(net string, x float64) (want []float64, within float64) {
	a, b := -2+4*x, 1.5-3*x
	area := -32 * (math.Pow(x-0.5, 3) + 0.125) // of a b = -12 (x - 1/2)^2 over 8 units of time
	switch net {
	case "s2":
		return []float64{0.7*a - 1.3*1.5*(1-x)}, 0.02
	case "s3":
		return []float64{0.7 * b, -1.3 * b}, 0.02
	case "x":
		return []float64{a * b}, 0.02
	case "held":
		return []float64{0.3 + 0.1*area}, 0.01
	}
	return nil, 0
}

// nulled is an emission with the offsets of its cells taken away.
func nulled(t *testing.T, c *circuit.Circuit, o spice.Options) spice.Options {
	t.Helper()
	o.Level = "transistor"
	if o.Process == (spice.Process{}) {
		o.Process = corrected(t, c)
	}
	var err error
	if o.Nulls, err = calibrate.Nulls(t.Context(), c, o); err != nil {
		t.Fatal(err)
	}
	return o
}

// TestTransistorProducts compares what multiplies with its equation, and the two
// simulators with each other.
func TestTransistorProducts(t *testing.T) {
	c := atTransistors(t, products)
	dir, side := started(t, c, nulled(t, c, spice.Options{Stop: 8 * units.Time, MaxStep: units.Time / 25}))
	theirs := ngspice(t, dir)
	ours := builtin(t, dir, theirs.Signals[0].Time...)
	agree(t, theirs, ours)
	checked := 0
	for _, s := range side.Signals {
		for i, name := range s.Nodes {
			n := node(t, ours, name)
			worst := 0.0
			for k, at := range n.Time {
				want, within := multiply(s.Name, at/(8*units.Time))
				if want == nil {
					break
				}
				checked++
				d := math.Abs(n.Data[k]/spice.PairVoltage-want[i]) / (1 + math.Abs(want[i]))
				if worst = math.Max(worst, d); d > within {
					t.Fatalf("%s is %g instead of %g at %g s", name, n.Data[k]/spice.PairVoltage, want[i], at)
				}
			}
			t.Logf("%s is off by %.4f at most", name, worst)
		}
	}
	if checked < 5*200 {
		t.Errorf("only %d values were compared", checked)
	}
	if w := last(node(t, ours, signal(t, side, "clamped").Nodes[0])); w < 1 || w > 1.06 {
		t.Errorf("a weight that is driven by 0.43 against a clamp at 1 stays at %g", w)
	}
	// Without input the stores keep what they have but for their leak.
	if b := side.Bill.Total; b.Transistors < 300 || math.IsNaN(b.Area) || b.Area > 1e12 {
		t.Errorf("%+v", b)
	}
}

// last is where a potential ends, in units.
func last(s *sim.Signal) float64 { return s.Data[len(s.Data)-1] / spice.PairVoltage }

// resting is a circuit whose multipliers and stores have no input for a long time.
const resting = `circuit resting
net a potential 1
stimulus a out=a wave=[constant(0)]
net w potential 1
weight-store w pre=a post=a w=w rate=0.1 init=[1] decay=0 clip=0 factor=[1.3] offset=[0.02]
net s sum 1
net u potential 1
plastic-synapse synapse w=w pre=a sum=s offset=[-0.05]
leaky-integrator u sum=s state=u tau=[1] init=[0]
`

// TestNulls wants cells without input to give nothing, also those that an offset was
// drawn for, and sees that they do not when nulls are left out, or are off.
func TestNulls(t *testing.T) {
	c := atTransistors(t, resting)
	o := spice.Options{Stop: 100 * units.Time, MaxStep: units.Time}
	at := func(o spice.Options) (drift, rest float64) {
		o.Level = "transistor"
		dir, side := started(t, c, o)
		end := builtin(t, dir)
		return last(node(t, end, signal(t, side, "w").Nodes[0])) - 1, last(node(t, end, signal(t, side, "u").Nodes[0]))
	}
	good := nulled(t, c, o)
	drift, rest := at(good)
	t.Logf("nulled: the weight drifts by %.5f in 100 time units, the neuron rests at %.5f", drift, rest)
	if math.Abs(drift) > 5e-3 || math.Abs(rest) > 1e-3 {
		t.Errorf("nulled: the weight drifts by %g, the neuron rests at %g", drift, rest)
	}
	// The nulls are those of the circuit and not of a simulator.
	good.Level = "transistor"
	dir, side := started(t, c, good)
	theirs := ngspice(t, dir)
	drift, rest = last(node(t, theirs, signal(t, side, "w").Nodes[0]))-1, last(node(t, theirs, signal(t, side, "u").Nodes[0]))
	t.Logf("nulled, in ngspice: %.5f, %.5f", drift, rest)
	if math.Abs(drift) > 5e-3 || math.Abs(rest) > 1e-3 {
		t.Errorf("nulled, in ngspice: the weight drifts by %g, the neuron rests at %g", drift, rest)
	}
	drift, rest = at(o)
	t.Logf("not nulled: %.5f, %.5f", drift, rest)
	if math.Abs(drift) < 0.1 || math.Abs(rest) < 0.03 {
		t.Errorf("not nulled: the weight drifts by %g, the neuron rests at %g: what was there to null?", drift, rest)
	}
	for name, null := range good.Nulls {
		bad := good
		bad.Nulls = maps.Clone(good.Nulls)
		bad.Nulls[name] = null + 0.01*spice.PairVoltage
		drift, rest := at(bad)
		if math.Abs(drift) < 0.05 && math.Abs(rest) < 5e-3 {
			t.Errorf("%s is off by 0.01, and nobody sees it: %g, %g", name, drift, rest)
		}
	}
	if len(good.Nulls) != 3 {
		t.Errorf("%v", good.Nulls)
	}
}

// TestGoldenLearningTransistors pins the bytes of a chain that learns, with its
// nulls, in all dialects.
func TestGoldenLearningTransistors(t *testing.T) {
	net := load(t, chain)
	c, err := lower.Network(net, lower.Options{Learning: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := pass.Run(c, pass.Analog(spice.UnitsAt("transistor", units, spice.Transistors{}))); err != nil {
		t.Fatal(err)
	}
	o := atPoint(t, c, nulled(t, c, spice.Options{
		Dt: net.Dt * units.Time, Generator: "vlec test", Hash: strings.Repeat("0", 64), Seed: net.Seed,
		Stop: net.Duration * units.Time,
	}))
	for _, o.Dialect = range spice.Dialects() {
		dir, side := started(t, c, o)
		if len(side.Nulls) < 8 {
			t.Errorf("only %d instances are nulled", len(side.Nulls))
		}
		list := []string{spice.NetlistFile}
		if o.Dialect == "ngspice" {
			list = append(list, spice.CellFile, spice.MapFile)
		}
		for _, name := range list {
			golden.Check(t, filepath.Join("testdata", "chain-transistor-learning-"+o.Dialect, name), read(t, dir, name))
		}
	}
}
