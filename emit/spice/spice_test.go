package spice_test

import (
	"errors"
	"math"
	"os"
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
	"vlec/model"
	"vlec/sim"
	"vlec/sim/referee"
	reader "vlec/sim/spice"
)

var units = circuit.Units{Time: 1e-3, Voltage: 0.5, Resistance: 1e5}

// parts are ordinary ones, goodParts so good that the macro level is nearly ideal.
var (
	parts = spice.Process{
		OpAmp: spice.OpAmp{Gain: 1e5, GBW: 2e6, Slew: 2.5e7, Rail: 5},
		OTA:   spice.OTA{Range: 5, Gain: 1e4, Bandwidth: 2e6},
		Store: spice.Store{Leak: 100},
		Knee:  0.005, Pair: 1,
	}
	goodParts = spice.Process{
		OpAmp: spice.OpAmp{Gain: 1e9, GBW: 1e9, Slew: 1e12, Rail: 1e3},
		OTA:   spice.OTA{Range: 1e4, Gain: 1e12, Bandwidth: 1e9},
		Knee:  1e-7, Pair: 1,
	}
)

func load(t testing.TB, file string) *model.Network {
	t.Helper()
	net, err := model.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	return net
}

// lowered returns the circuit of a network in volts and seconds.
func lowered(t testing.TB, net *model.Network, learning bool, more ...pass.Pass) *circuit.Circuit {
	t.Helper()
	c, err := lower.Network(net, lower.Options{Learning: learning})
	if err != nil {
		t.Fatal(err)
	}
	list := pass.Analog(units)
	list = append(list[:len(list)-1:len(list)-1], append(more, list[len(list)-1])...)
	if err := pass.Run(c, list); err != nil {
		t.Fatal(err)
	}
	return c
}

// emitted prints a circuit into a new folder, and checks that the text keeps to
// the portable subset and that the reader understands it.
func emitted(t testing.TB, c *circuit.Circuit, o spice.Options) (dir string, side *spice.Map) {
	t.Helper()
	var files emit.Artifacts
	side, err := spice.Emit(c, o, &files)
	if err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	if err := files.Commit(dir); err != nil {
		t.Fatal(err)
	}
	lints(t, dir)
	list, err := reader.ParseFile(filepath.Join(dir, spice.NetlistFile))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := list.Elaborate(); err != nil {
		t.Fatal(err)
	}
	return dir, side
}

func read(t testing.TB, dir, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func lints(t testing.TB, dir string) {
	t.Helper()
	err := lint.Check(lint.File{Name: spice.NetlistFile, Text: read(t, dir, spice.NetlistFile)},
		lint.File{Name: spice.CellFile, Text: read(t, dir, spice.CellFile)})
	if err != nil {
		t.Errorf("not in the portable subset:\n%v", err)
	}
}

// ngspice runs the netlist in a folder, and wants no warning.
func ngspice(t testing.TB, dir string) *sim.Trace {
	t.Helper()
	run, err := referee.Ngspice(t.Context(), filepath.Join(dir, spice.NetlistFile))
	if missing, ok := errors.AsType[*referee.MissingError](err); ok {
		t.Skip(missing)
	}
	if err != nil {
		t.Fatal(err)
	}
	if len(run.Warnings) > 0 {
		t.Errorf("ngspice warns: %q", run.Warnings)
	}
	return run.Trace
}

// node returns what was saved of a node.
func node(t testing.TB, tr *sim.Trace, name string) *sim.Signal {
	t.Helper()
	s := tr.Signal("v(" + name + ")")
	if s == nil {
		t.Fatalf("node %s was not saved", name)
	}
	return s
}

func signal(t testing.TB, side *spice.Map, name string) spice.MapSignal {
	t.Helper()
	for _, s := range side.Signals {
		if s.Name == name {
			return s
		}
	}
	t.Fatalf("no signal %s in the side map", name)
	return spice.MapSignal{}
}

const (
	chain     = "../../examples/chain/model.toml"
	recurrent = "../../testdata/models/good/recurrent.toml"
	rules     = "../../circuit/lower/testdata/rules.toml"
)

func TestGolden(t *testing.T) {
	for _, c := range []struct {
		name, file     string
		level, dialect string
		learning       bool
		save           []string
	}{
		{"chain", chain, "ideal", "ngspice", true, nil},
		{"chain-static", chain, "ideal", "ngspice", false, []string{"output.r", "output.e"}},
		{"chain-xyce", chain, "ideal", "xyce", true, nil},
		{"chain-ltspice", chain, "ideal", "ltspice", true, nil},
		{"rules", rules, "ideal", "ngspice", true, nil},
		{"rules-macro", rules, "macro", "ngspice", true, nil},
		{"refresh", chain, "ideal", "ngspice", true, nil},
		{"refresh-macro", chain, "macro", "ngspice", true, nil},
		{"rules-macro-xyce", rules, "macro", "xyce", true, nil},
		{"rules-macro-ltspice", rules, "macro", "ltspice", true, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			net := load(t, c.file)
			var more []pass.Pass
			if strings.HasPrefix(c.name, "refresh") {
				more = append(more, pass.Mismatch(pass.Spread{Leak: 0.5, Seed: 2}), pass.Refresh(pass.Refreshing{Period: 4, Grid: 0.125}))
			}
			dir, _ := emitted(t, lowered(t, net, c.learning, more...), spice.Options{
				Level: c.level, Dialect: c.dialect, Process: parts, Dt: net.Dt * units.Time,
				Generator: "vlec test", Hash: strings.Repeat("0", 64), Seed: net.Seed,
				Stop: net.Duration * units.Time, Save: c.save,
			})
			list := []string{spice.NetlistFile, spice.CellFile, spice.MapFile}
			if c.dialect == "ngspice" {
				list = append(list, spice.BillFile, spice.NeuronFile)
			}
			for _, name := range list {
				golden.Check(t, filepath.Join("testdata", c.name, name), read(t, dir, name))
			}
		})
	}
}

// goodModels are all sound models of the project that a circuit can be made of.
func goodModels(t testing.TB) []string {
	t.Helper()
	files := []string{rules}
	for _, pattern := range []string{"../../testdata/models/good/*.toml", "../../examples/*/model.toml"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	return files
}

// TestInitialState wants that ngspice runs every netlist without a warning, and
// begins at the states that the model asks for. It prints nothing at time 0, so
// this looks at the end of a step that is too short for anything to move.
func TestInitialState(t *testing.T) {
	models := 0
	for _, file := range goodModels(t) {
		net := load(t, file)
		c, err := lower.Network(net, lower.Options{Learning: true})
		if err != nil {
			c, err = lower.Network(net, lower.Options{})
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := pass.Run(c, pass.Analog(units)); err != nil {
			t.Fatal(err)
		}
		synapses := 0
		for _, p := range net.Projections {
			synapses += len(p.W)
		}
		if synapses > 2000 {
			continue // the same cells again, and minutes of ngspice
		}
		models++
		for _, level := range []string{"ideal", "macro"} {
			dir, side := emitted(t, c, spice.Options{Level: level, Process: parts, Stop: 1e-15, MaxStep: 1e-15})
			tr := ngspice(t, dir)
			states := 0
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
						if got, want := node(t, tr, n).Data[0], e.Numbers("init")[i]; math.Abs(got-want) > 1e-12 {
							t.Errorf("%s, %s: %s[%d] begins at %g, want %g", net.Name, level, s.Name, i, got, want)
						}
					}
				}
			}
			if states < 2 {
				t.Errorf("%s: only %d states", net.Name, states)
			}
		}
	}
	if models < 4 {
		t.Errorf("only %d models", models)
	}
}

func TestEmitRefuses(t *testing.T) {
	net := load(t, chain)
	inModelUnits, err := lower.Network(net, lower.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		circuit *circuit.Circuit
		o       spice.Options
		want    string
	}{
		{inModelUnits, spice.Options{Stop: 1}, "run the scale pass"},
		{lowered(t, net, false), spice.Options{Stop: 1, Dialect: "hspice"}, `there is no SPICE dialect "hspice"; known are ngspice, xyce, ltspice`},
		{lowered(t, net, false), spice.Options{Stop: 1, Level: "layout"}, `there is no level "layout" of cells; known are ideal, macro, transistor`},
		{lowered(t, net, false), spice.Options{Stop: 1, Level: "transistor"}, "works at 0.0672152 V for 1, not at 0.5 V"},
		{lowered(t, net, false), spice.Options{}, "needs a positive stop time"},
		{lowered(t, net, false), spice.Options{Stop: 1, MaxStep: -1}, "needs a positive stop time and step"},
	} {
		if _, err := spice.Emit(c.circuit, c.o, new(emit.Artifacts)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %s", err, c.want)
		}
	}
}
