package spice_test

import (
	"math"
	"strings"
	"testing"

	"vlec/circuit"
	"vlec/circuit/pass"
	"vlec/emit"
	"vlec/emit/spice"
	"vlec/emit/spice/lint"
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

// started emits a netlist of transistors that begins at its operating point.
func started(t *testing.T, c *circuit.Circuit, o spice.Options) (dir string, side *spice.Map) {
	t.Helper()
	o.Level = "transistor"
	var search, files emit.Artifacts
	if _, err := spice.Emit(c, o, &search); err != nil {
		t.Fatal(err)
	}
	var err error
	if o.Start, err = operating.Start(t.Context(), &search); err != nil {
		t.Fatal(err)
	}
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

const conductors = `circuit conductors
net a potential 1
net b potential 1
stimulus a out=a wave=[samples(0 -2 1 2)]
stimulus b out=b wave=[samples(0 1 1 -1)]
net tanh potential 1
activation tanh in=a out=tanh phi=tanh factor=[0.9]
net linear potential 1
net linear.slope potential 1
activation linear in=a out=linear phi=linear
slope linear.slope in=a rate=linear out=linear.slope phi=linear
net difference potential 1
difference difference plus=a minus=b out=difference gain=0.3
net s1 sum 1
net u1 potential 1
synapse synapse pre=b sum=s1 w=[-1.5]
coupling coupling in=b sum=s1 gain=-0.25 factor=[1.2] offset=[0.5]
comparator comparator target=a rate=b sum=s1 gain=0.4
leaky-integrator u1 sum=s1 state=u1 tau=[1000] init=[0.4]
net y1 potential 1
prospective y1 sum=s1 state=u1 lead=y1 tau=[1000] ahead=[250]
`

// conduct is what the nets of conductors hold.
func conduct(net string, a, b float64) (float64, bool) {
	s1 := -1.5*b - 0.3*b + 0.5 + 0.4*(a-b)
	v, ok := map[string]float64{
		"tanh": 0.9 * math.Tanh(a), "linear": a, "linear.slope": 1, "difference": a - 0.3*b,
		"s1": s1, "y1": 0.75*0.4 + 0.25*s1,
	}[net]
	return v, ok
}

// TestTransistorCells compares cells without memory with their equations, and the
// two simulators with each other.
func TestTransistorCells(t *testing.T) {
	dir, side := started(t, atTransistors(t, conductors), spice.Options{Stop: units.Time, MaxStep: units.Time / 200})
	theirs := ngspice(t, dir)
	ours := builtin(t, dir, theirs.Signals[0].Time...)
	agree(t, theirs, ours)
	volts := spice.PairVoltage
	for _, s := range side.Signals {
		worst := 0.0
		n := node(t, ours, s.Nodes[0])
		for k, at := range n.Time {
			x := at / units.Time
			if want, ok := conduct(s.Name, -2+4*x, 1-2*x); ok {
				worst = math.Max(worst, math.Abs(n.Data[k]/volts-want))
			}
		}
		t.Logf("%s is off by %.4f at most", s.Name, worst)
		if worst > 0.05 {
			t.Errorf("%s is off by %g", s.Name, worst)
		}
	}
	if b := side.Bill.Total; b.Transistors < 200 || math.IsNaN(b.Area) || b.Power < 1e-8 || b.Power > 1e-6 {
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

// TestMissingCell wants a level to name what it cannot build.
func TestMissingCell(t *testing.T) {
	c := atTransistors(t, "circuit softmax\nnet a potential 2\nnet b potential 2\nstimulus a out=a wave=[constant(0) constant(1)]\nsoftmax b in=a out=b\n")
	_, err := spice.Emit(c, spice.Options{Level: "transistor", Stop: 1, MaxStep: 1}, new(emit.Artifacts))
	if err == nil || !strings.Contains(err.Error(), "the transistor level has no cell_softmax yet; use --level macro") {
		t.Error(err)
	}
}

// TestStartIsWritten wants that a run begins where its operating point is, and not
// with the supplies being switched on.
func TestStartIsWritten(t *testing.T) {
	dir, side := started(t, atTransistors(t, conductors), spice.Options{Stop: 1e-9, MaxStep: 1e-9})
	text := read(t, dir, spice.StartFile)
	if !strings.Contains(text, ".ic v(vdd)=0.9\n") || !strings.Contains(text, ".ic v(x_linear0.xo.xl.xp)=") || strings.Contains(text, "v("+signal(t, side, "u1").Nodes[0]+")") {
		t.Error(text)
	}
	before, after := ngspice(t, dir), builtin(t, dir)
	for name, want := range map[string]float64{"linear": -2 * spice.PairVoltage, "u1": 0.4 * spice.PairVoltage} {
		n := signal(t, side, name).Nodes[0]
		for _, tr := range []*sim.Trace{before, after} {
			s := node(t, tr, n)
			if got := s.Data[len(s.Data)-1]; math.Abs(got-want) > 0.02*spice.PairVoltage {
				t.Errorf("%s begins at %g V, want %g", n, got, want)
			}
		}
	}
}
