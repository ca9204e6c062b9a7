package spice_test

import (
	"math"
	"path/filepath"
	"strings"
	"testing"

	"vlec/circuit"
	"vlec/circuit/lower"
	"vlec/circuit/pass"
	"vlec/emit"
	"vlec/emit/spice"
	"vlec/emit/spice/lint"
	"vlec/internal/golden"
	"vlec/internal/operating"
	"vlec/sim"
)

// atTransistors is the memoryless text, or another, in the units of the level.
func atTransistors(t *testing.T, text string) *circuit.Circuit {
	t.Helper()
	c, err := circuit.Parse("transistors", text)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range c.Nets {
		c.Observe(n.Name, n)
	}
	if err := pass.Scale(c, spice.UnitsAt("transistor", units, spice.Transistors{})); err != nil {
		t.Fatal(err)
	}
	return c
}

// corrections are those of ordinary transistors by the units that they work in.
var corrections = map[circuit.Units]spice.Corrections{}

// corrected are ordinary transistors whose parts have been corrected.
func corrected(t *testing.T, c *circuit.Circuit) spice.Process {
	t.Helper()
	p := spice.Process{Pair: 1, Transistors: spice.Transistors{Current: 1e-9, Width: 1e-6, Length: 1e-6, Supply: 0.9}}
	if known, ok := corrections[c.Units]; ok {
		p.Corrections = known
		return p
	}
	var err error
	if p.Corrections, err = operating.Correct(t.Context(), c.Units, p, ""); err != nil {
		t.Fatal(err)
	}
	corrections[c.Units] = p.Corrections
	return p
}

// atPoint is an emission that begins at its operating point, whatever the dialect.
func atPoint(t *testing.T, c *circuit.Circuit, o spice.Options) spice.Options {
	t.Helper()
	o.Level = "transistor"
	if o.Process == (spice.Process{}) {
		o.Process = corrected(t, c)
	}
	var search emit.Artifacts
	cold := o
	cold.Dialect = "ngspice"
	if _, err := spice.Emit(c, cold, &search); err != nil {
		t.Fatal(err)
	}
	var err error
	if o.Start, err = operating.Start(t.Context(), &search); err != nil {
		t.Fatal(err)
	}
	return o
}

// started emits a netlist of transistors that begins at its operating point, which
// is looked for where it is not known.
func started(t *testing.T, c *circuit.Circuit, o spice.Options) (dir string, side *spice.Map) {
	t.Helper()
	if o.Start == nil {
		o = atPoint(t, c, o)
	}
	var err error
	var files emit.Artifacts
	if side, err = spice.Emit(c, o, &files); err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	if err := files.Commit(dir); err != nil {
		t.Fatal(err)
	}
	var library []lint.File
	for _, name := range []string{spice.CellFile, spice.MOSFile, spice.StartFile} {
		library = append(library, lint.File{Name: name, Text: read(t, dir, name)})
	}
	if err := lint.Check(lint.File{Name: spice.NetlistFile, Text: read(t, dir, spice.NetlistFile)}, library...); err != nil {
		t.Error(err)
	}
	return dir, side
}

// conductors is a circuit of all that transistors do without multiplying and
// without memory: slow ramps feed it.
const conductors = `circuit conductors
net a potential 1
net b potential 1
net ab potential 2
stimulus a out=a wave=[samples(0 -3 100 3)]
stimulus b out=b wave=[samples(0 1 100 -1)]
stimulus ab out=ab wave=[samples(0 -2 100 3) samples(0 1 100 0)]
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
synapse synapse pre=b sum=s1 w=[-1.5]
coupling coupling in=b sum=s1 gain=-0.25 factor=[1.2] offset=[0.5]
comparator comparator target=a rate=b sum=s1 gain=0.4
leaky-integrator u1 sum=s1 state=u1 tau=[1e6] init=[0.4]
net y1 potential 1
prospective y1 sum=s1 state=u1 lead=y1 tau=[1e6] ahead=[250000]
`

// conduct is what the nets of conductors hold a share x of the way, and how far off
// the cells may be: bends, leaking mirrors and delays. It is nil for what has memory.
func conduct(net string, x float64) (want []float64, within float64) {
	a, b := -3+6*x, 1-2*x
	s1 := -1.5*b - 0.3*b + 0.5 + 0.4*(a-b)
	switch net {
	case "s1":
		return []float64{s1}, 5e-3
	case "y1":
		return []float64{0.75*0.4 + 0.25*s1}, 5e-3
	case "tanh.slope":
		return []float64{1 - math.Tanh(a)*math.Tanh(a)}, 0.02
	case "linear", "linear.slope", "difference":
		within = 2e-3
	case "relu":
		within = 0.05 // what the mirror's input has to be charged with before it conducts
	case "relu.slope":
		if within = 0.01; math.Abs(a) < 0.15 {
			return nil, 0
		}
	default:
		within = 0.012
	}
	return algebra(net, a, b, [2]float64{-2 + 5*x, 1 - x}), within
}

// TestTransistorCells compares cells without memory with their equations, and the
// two simulators with each other.
func TestTransistorCells(t *testing.T) {
	dir, side := started(t, atTransistors(t, conductors), spice.Options{Stop: 100 * units.Time, MaxStep: units.Time})
	theirs := ngspice(t, dir)
	ours := builtin(t, dir, theirs.Signals[0].Time...)
	agree(t, theirs, ours)
	checked := 0
	for _, s := range side.Signals {
		for i, name := range s.Nodes {
			worst, most := 0.0, 0.0
			n := node(t, ours, name)
			for k, at := range n.Time {
				if want, within := conduct(s.Name, at/(100*units.Time)); want != nil {
					worst, most = math.Max(worst, math.Abs(n.Data[k]/spice.PairVoltage-want[i])), within
					checked++
				}
			}
			t.Logf("%s is off by %.4f at most", name, worst)
			if worst > most {
				t.Errorf("%s is off by %g, more than %g", name, worst, most)
			}
		}
	}
	if checked < 17*80 {
		t.Errorf("only %d values were compared", checked)
	}
	if b := side.Bill.Total; b.Transistors < 200 || math.IsNaN(b.Area) || b.Power < 1e-8 || b.Power > 2e-6 {
		t.Errorf("%+v", b)
	}
}

// agree wants two runs to be within 1e-3 of a unit.
func agree(t *testing.T, theirs, ours *sim.Trace) {
	t.Helper()
	most := 0.0
	for _, s := range theirs.Signals {
		n := ours.Signal(s.Name)
		for k, v := range s.Data {
			if d := math.Abs(v-n.Data[k]) / spice.PairVoltage; d > most {
				if most = d; d > 1e-3 {
					t.Errorf("%s differs by %g at %g s", s.Name, d, s.Time[k])
				}
			}
		}
	}
	t.Logf("the engines differ by %.1e at most", most)
}

// TestLevelsHaveAllCells: a netlist may move to any level.
func TestLevelsHaveAllCells(t *testing.T) {
	for _, level := range spice.Levels() {
		for _, cell := range spice.Cells() {
			switch cell {
			case "cell_sine", "cell_chirp": // stimuli are ideal at every level
				continue
			}
			if !spice.Has(level, cell) {
				t.Errorf("level %s has no %s", level, cell)
			}
		}
	}
}

// TestStartIsWritten wants that a run begins where its operating point is, and not
// with the supplies being switched on.
func TestStartIsWritten(t *testing.T) {
	dir, side := started(t, atTransistors(t, conductors), spice.Options{Stop: 1e-15, MaxStep: 1e-15})
	text := read(t, dir, spice.StartFile)
	if !strings.Contains(text, ".ic v(vdd)=0.9\n") || !strings.Contains(text, ".ic v(x_linear0.xo.xl.xp)=") || strings.Contains(text, "v("+signal(t, side, "u1").Nodes[0]+")") {
		t.Error(text)
	}
	before, after := ngspice(t, dir), builtin(t, dir)
	for name, want := range map[string]float64{"linear": -3 * spice.PairVoltage, "u1": 0.4 * spice.PairVoltage} {
		n := signal(t, side, name).Nodes[0]
		for _, tr := range []*sim.Trace{before, after} {
			s := node(t, tr, n)
			within := 5e-3 * spice.PairVoltage
			if name == "u1" {
				within = 1e-12 // it is a state
			}
			if got := s.Data[len(s.Data)-1]; math.Abs(got-want) > within {
				t.Errorf("%s begins at %g V, want %g", n, got, want)
			}
		}
	}
}

// TestGoldenTransistors pins the bytes of a network of transistors in all dialects.
func TestGoldenTransistors(t *testing.T) {
	net := load(t, chain)
	net.Targets, net.Teacher = nil, nil
	c, err := lower.Network(net, lower.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := pass.Run(c, pass.Analog(spice.UnitsAt("transistor", units, spice.Transistors{}))); err != nil {
		t.Fatal(err)
	}
	o := atPoint(t, c, spice.Options{
		Dt: net.Dt * units.Time, Generator: "vlec test", Hash: strings.Repeat("0", 64), Seed: net.Seed,
		Stop: net.Duration * units.Time,
	})
	for _, o.Dialect = range spice.Dialects() {
		dir, _ := started(t, c, o)
		list := []string{spice.NetlistFile, spice.StartFile}
		if o.Dialect == "ngspice" {
			list = append(list, spice.CellFile, spice.BillFile, spice.MapFile)
		}
		for _, name := range list {
			golden.Check(t, filepath.Join("testdata", "chain-transistor-"+o.Dialect, name), read(t, dir, name))
		}
	}
}

// TestTransistorStates wants networks of transistors that learn, with all their
// cells, to keep to the portable subset in every dialect, to run in ngspice without
// a warning, and to begin at the states that the model asks for.
func TestTransistorStates(t *testing.T) {
	for _, file := range []string{chain, "../../examples/unequal/model.toml"} {
		net := load(t, file)
		c, err := lower.Network(net, lower.Options{Learning: true})
		if err != nil {
			t.Fatal(err)
		}
		if err := pass.Run(c, pass.Analog(spice.UnitsAt("transistor", units, spice.Transistors{}))); err != nil {
			t.Fatal(err)
		}
		o := atPoint(t, c, spice.Options{Stop: 1e-15, MaxStep: 1e-15})
		for _, o.Dialect = range spice.Dialects() {
			dir, side := started(t, c, o)
			if o.Dialect != "ngspice" {
				continue // started has looked at the text
			}
			picture := read(t, dir, spice.NeuronFile)
			if soundSVG(t, picture); !strings.Contains(picture, "triangles, crosses and boxes are transistors") || !strings.Contains(picture, " (sum - v)") {
				t.Error("the picture is not that of the level")
			}
			tr, states := ngspice(t, dir), 0
			for _, e := range c.Elements {
				if e.Kind.State == "" {
					continue
				}
				for _, s := range c.Signals {
					if s.Net != e.Pin(e.Kind.State) {
						continue
					}
					for i, n := range signal(t, side, s.Name).Nodes {
						states++
						// What start.lib rounds off moves a little charge in the first step.
						if got, want := node(t, tr, n).Data[0], e.Numbers("init")[i]; math.Abs(got-want) > 1e-10*spice.PairVoltage {
							t.Errorf("%s: %s[%d] begins at %g, want %g", net.Name, s.Name, i, got, want)
						}
					}
				}
			}
			if states < 6 {
				t.Errorf("%s: only %d states", net.Name, states)
			}
		}
	}
}
