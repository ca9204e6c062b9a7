package spice_test

import (
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"vlec/circuit"
	"vlec/circuit/pass"
	"vlec/emit/spice"
	"vlec/sim"
	reader "vlec/sim/spice"
)

// memoryless is a circuit of everything that has no memory: two ramps that cross
// the range of the activations feed it, and two neurons without dynamics (tau
// far beyond the run) hold the sums.
const memoryless = `circuit memoryless
net a potential 1
net b potential 1
net ab potential 2
net w potential 2
stimulus a out=a wave=[samples(0 -6 1 6)]
stimulus b out=b wave=[samples(0 3 1 -2)]
stimulus ab out=ab wave=[samples(0 -2 1 5) samples(0 1 1 0)]
stimulus w out=w wave=[constant(0.7) constant(-1.3)]
net tanh potential 1
net tanh.slope potential 1
activation tanh in=a out=tanh phi=tanh factor=[0.9]
slope tanh.slope in=a rate=tanh out=tanh.slope phi=tanh
net softplus potential 1
net softplus.slope potential 1
activation softplus in=a out=softplus phi=softplus
slope softplus.slope in=a rate=softplus out=softplus.slope phi=softplus
net sigmoid potential 1
net sigmoid.slope potential 1
activation sigmoid in=a out=sigmoid phi=sigmoid
slope sigmoid.slope in=a rate=sigmoid out=sigmoid.slope phi=sigmoid
net relu potential 1
net relu.slope potential 1
activation relu in=a out=relu phi=relu
slope relu.slope in=a rate=relu out=relu.slope phi=relu
net linear potential 1
net linear.slope potential 1
activation linear in=a out=linear phi=linear
slope linear.slope in=a rate=linear out=linear.slope phi=linear
net softmax potential 2
softmax softmax in=ab out=softmax
net difference potential 1
difference difference plus=a minus=b out=difference gain=0.3
net s1 sum 1
net u1 potential 1
synapse synapse pre=ab sum=s1 w=[0.5 -1.5]
coupling coupling in=b sum=s1 gain=0.25 factor=[1.2] offset=[0.5]
comparator comparator target=a rate=b sum=s1 gain=2
leaky-integrator u1 sum=s1 state=u1 tau=[1000] init=[0.4]
net y1 potential 1
prospective y1 sum=s1 state=u1 lead=y1 tau=[1000] ahead=[250]
net s2 sum 1
net u2 potential 1
plastic-synapse plastic-synapse w=w pre=ab sum=s2 factor=[1 1.5]
leaky-integrator u2 sum=s2 state=u2 tau=[1000] init=[0]
net s3 sum 2
net u3 potential 2
transposed-synapse transposed-synapse w=w post=b sum=s3
leaky-integrator u3 sum=s3 state=u3 tau=[1000 1000] init=[0 0]
net back sum 1
net x sum 1
net v potential 1
net wr potential 1
weight-store wr pre=a post=b w=wr rate=1 decay=0 clip=0 init=[0.3] hold=[0.5]
net strobe potential 1
stimulus strobe out=strobe wave=[pulse(0 1 0.1 0.02 0.1 0.3)]
refresh wr.refresh strobe=strobe w=wr rate=1 grid=0.25 restore=0.1
coupling back in=a sum=back gain=1
gate gate in=back slope=b sum=x
leaky-integrator v sum=x state=v tau=[1000] init=[0]
`

// algebra says what each net of the circuit holds.
func algebra(net string, a, b float64, ab [2]float64) []float64 {
	sigmoid := 1 / (1 + math.Exp(-a))
	p := [2]float64{math.Exp(ab[0]), math.Exp(ab[1])}
	step := 0.0
	if a > 0 {
		step = 1
	}
	switch net {
	case "tanh":
		return []float64{0.9 * math.Tanh(a)}
	case "tanh.slope":
		return []float64{1 - 0.81*math.Tanh(a)*math.Tanh(a)}
	case "softplus":
		return []float64{math.Log1p(math.Exp(a))}
	case "softplus.slope", "sigmoid":
		return []float64{sigmoid}
	case "sigmoid.slope":
		return []float64{sigmoid * (1 - sigmoid)}
	case "relu":
		return []float64{math.Max(a, 0)}
	case "relu.slope":
		return []float64{step}
	case "linear":
		return []float64{a}
	case "linear.slope":
		return []float64{1}
	case "softmax":
		return []float64{p[0] / (p[0] + p[1]), p[1] / (p[0] + p[1])}
	case "difference":
		return []float64{a - 0.3*b}
	case "s1":
		return []float64{0.5*ab[0] - 1.5*ab[1] + 0.25*b + 2*(a-b) + 0.05*b + 0.5}
	case "y1": // the state moves a little
		return []float64{0.75*0.4 + 0.25*(0.5*ab[0]-1.5*ab[1]+0.25*b+2*(a-b)+0.05*b+0.5)}
	case "s2":
		return []float64{0.7*ab[0] - 1.3*1.5*ab[1]}
	case "s3":
		return []float64{0.7 * b, -1.3 * b}
	case "x":
		return []float64{a * b}
	}
	return nil
}

// TestAlgebra compares every cell without memory with its equation, over its
// range, in both simulators.
func TestAlgebra(t *testing.T) {
	c, err := circuit.Parse("memoryless", memoryless)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range c.Nets {
		c.Observe(n.Name, n)
	}
	if err := pass.Scale(c, units); err != nil {
		t.Fatal(err)
	}
	if err := c.Verify(); err != nil {
		t.Fatal(err)
	}
	for _, level := range []string{"ideal", "macro"} {
		within := 1e-7
		if level == "macro" {
			within = 5e-5 // what goodParts and the steps leave
		}
		dir, side := emitted(t, c, spice.Options{Level: level, Process: goodParts, Stop: 1e-3, MaxStep: 2e-6})
		t.Run(level+"/ngspice", func(t *testing.T) { checkAlgebra(t, ngspice(t, dir), side, within) })
		t.Run(level+"/builtin", func(t *testing.T) { checkAlgebra(t, builtin(t, dir), side, within) })
	}
}

// TestEnginesAgree runs every cell of every level in both simulators, on the
// ramps of the memoryless circuit and in a network of all rules, and compares all
// waveforms.
func TestEnginesAgree(t *testing.T) {
	memory := lowered(t, load(t, rules), true)
	ramps, err := circuit.Parse("memoryless", memoryless)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range ramps.Nets {
		ramps.Observe(n.Name, n)
	}
	if err := pass.Scale(ramps, units); err != nil {
		t.Fatal(err)
	}
	for _, level := range []string{"ideal", "macro"} {
		for name, c := range map[string]*circuit.Circuit{"ramps": ramps, "rules": memory} {
			stop, step := 1e-3, 2e-6
			if name == "rules" {
				stop, step = 3e-4, 2e-7
			}
			dir, _ := emitted(t, c, spice.Options{Level: level, Process: parts, Stop: stop, MaxStep: step})
			want := ngspice(t, dir)
			got := builtin(t, dir, want.Signals[0].Time...)
			r := sim.Compare(want, got, sim.Options{Tolerance: 1e-3, From: 1e-5})
			if !r.Pass() {
				t.Errorf("%s, %s: %+v", level, name, r.Worst())
			}
			t.Logf("%s, %s: worst nrmse %.1e of %d waveforms", level, name, r.NRMSEMax(), len(r.Results))
		}
	}
}

// builtin runs the netlist in a folder, and reports these instants or every step.
func builtin(t *testing.T, dir string, times ...float64) *sim.Trace {
	t.Helper()
	list, err := reader.ParseFile(filepath.Join(dir, spice.NetlistFile))
	if err != nil {
		t.Fatal(err)
	}
	c, err := list.Elaborate()
	if err != nil {
		t.Fatal(err)
	}
	tr, _, err := c.Tran(t.Context(), reader.Options{Times: times})
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

func checkAlgebra(t *testing.T, tr *sim.Trace, side *spice.Map, tolerance float64) {
	checked := 0
	for _, s := range side.Signals {
		for i, n := range s.Nodes {
			got := node(t, tr, n)
			worst, where := 0.0, ""
			for k, sec := range got.Time {
				x := sec / units.Time
				a, b := -6+12*x, 3-5*x
				want := algebra(s.Name, a, b, [2]float64{-2 + 7*x, 1 - x})
				if want == nil || sec == 0 || tolerance > 1e-7 && x < 0.01 {
					continue // at time 0 capacitances of nodes are still empty
				}
				checked++
				if s.Name == "relu.slope" && math.Abs(a) < 1e3*tolerance {
					continue // it rises there
				}
				v := got.Data[k] / units.Voltage
				if d := math.Abs(v-want[i]) / (1 + math.Abs(want[i])); d > worst {
					worst, where = d, fmt.Sprintf("%g instead of %g at a = %g, b = %g", v, want[i], a, b)
				}
			}
			within := tolerance
			if s.Name == "y1" {
				within = 2e-2 // its state is nearly, but not quite, at rest
			}
			if worst > within {
				t.Errorf("%s[%d]: %s", s.Name, i, where)
			}
		}
	}
	if checked < 20*400 {
		t.Errorf("only %d values were compared", checked)
	}
}

// TestEveryCellIsCovered wants each cell of the library in one of the netlists
// that the tests of this package simulate.
func TestEveryCellIsCovered(t *testing.T) {
	var text strings.Builder
	c, err := circuit.Parse("memoryless", memoryless)
	if err != nil {
		t.Fatal(err)
	}
	if err := pass.Scale(c, units); err != nil {
		t.Fatal(err)
	}
	for _, c := range []*circuit.Circuit{c, lowered(t, load(t, rules), true), lowered(t, stimulusNet(), false)} {
		dir, _ := emitted(t, c, spice.Options{Stop: 1e-3, Nulls: map[string]float64{"x_difference0": 1e-6}})
		text.WriteString(read(t, dir, spice.NetlistFile))
	}
	for _, name := range spice.Cells() {
		bench := "bench" + strings.TrimPrefix(name, "cell")
		used := func(name string) bool {
			return strings.Contains(text.String(), " "+name+" ") || strings.Contains(text.String(), " "+name+"\n")
		}
		if !used(name) && !used(bench) {
			t.Errorf("no test uses %s", name)
		}
	}
}
