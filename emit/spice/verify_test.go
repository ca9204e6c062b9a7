package spice_test

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vlec/emit/spice"
	"vlec/model"
	"vlec/sim"
	"vlec/sim/crosscheck"
	"vlec/sim/referee"
)

// TestRulesFollowTheReference runs a model that has every feedback rule, every
// activation, noise, decay, clips and both losses, and compares all waveforms
// and weights with the model's own dynamics.
func TestRulesFollowTheReference(t *testing.T) {
	for _, engine := range []string{"builtin", "ngspice"} {
		if _, err := referee.Find("ngspice"); err != nil && engine == "ngspice" {
			t.Skip(err)
		}
		v, err := crosscheck.Spice(t.Context(), load(t, rules), crosscheck.SpiceOptions{
			Learning: true, Engine: engine, Dir: t.TempDir(), MaxStep: 5e-4, Tolerance: 2e-4,
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Log(v)
		if !v.Pass() || len(v.Report.Results) < 30 {
			t.Errorf("%d signals: %v", len(v.Report.Results), v)
			for _, row := range v.Table() {
				t.Log(row)
			}
		}
	}
}

// TestClippedWeights wants that the clamp holds a weight where the reference
// holds it.
func TestClippedWeights(t *testing.T) {
	net := load(t, chain)
	net.Projections[0].Clip = 0.6
	v, err := crosscheck.Spice(t.Context(), net, crosscheck.SpiceOptions{Learning: true, Dir: t.TempDir(), Tolerance: 1e-2})
	if err != nil {
		t.Fatal(err)
	}
	w := v.Reference.Signal("drive_hidden.W").Data
	if last := w[len(w)-1]; last < 0.599 {
		t.Fatalf("the weight only reaches %g", last)
	}
	if !v.Pass() {
		t.Error(v)
	}
	t.Log(v)
}

// TestMacroLevelFollowsTheReference compares the macro level with the model's own
// dynamics. With ordinary parts the tolerance follows from what is declared; with
// good ones the level comes close to the ideal one.
func TestMacroLevelFollowsTheReference(t *testing.T) {
	good := model.SpiceHardware{
		TimeUnit: 1e-3, VoltageUnit: 1, ResistanceUnit: 1e6, Knee: 1e-4, Temperature: 27, Supply: 1,
		OpAmp: model.OpAmp{Gain: 1e9, GBW: 1e9, Slew: 1e13, Rail: 1e3},
		OTA:   model.OTA{Range: 1e4, Gain: 1e10, Bandwidth: 1e9},
	}
	for _, c := range []struct {
		file      string
		hardware  *model.SpiceHardware
		tolerance float64
		step      float64
	}{
		{chain, nil, 0, 0},
		{recurrent, nil, 0, 0},
		{recurrent, &good, 2e-3, 0},
		{rules, &good, 2e-3, 5e-4},
	} {
		net := load(t, c.file)
		net.Duration = briefly(net.Duration)
		if c.hardware != nil {
			net.Hardware.Spice = *c.hardware
		}
		v, err := crosscheck.Spice(t.Context(), net, crosscheck.SpiceOptions{
			Learning: true, Level: "macro", Dir: t.TempDir(), Tolerance: c.tolerance, MaxStep: c.step,
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Log(v)
		if !v.Pass() || v.Report.NRMSEMax() == 0 {
			t.Error(v)
		}
		if c.hardware == nil && (v.Because == "" || v.Report.NRMSEMax() < 1e-3) {
			t.Errorf("ordinary parts leave no trace: %v, because %q", v, v.Because)
		}
	}
}

// TestWorseParts wants that each declared imperfection has an effect, and that
// the tolerance which follows from it covers the effect; that of poles and leaks the
// reference shares.
func TestWorseParts(t *testing.T) {
	worst := func(change func(*model.SpiceHardware)) *crosscheck.Verdict {
		net := load(t, chain)
		net.Duration = briefly(8)
		change(&net.Hardware.Spice)
		v, err := crosscheck.Spice(t.Context(), net, crosscheck.SpiceOptions{Level: "macro", Learning: true, Dir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	usual := worst(func(*model.SpiceHardware) {})
	ordinary := usual.Report.NRMSEMax()
	for _, c := range []struct {
		what   string
		shared bool
		change func(*model.SpiceHardware)
	}{
		{"range", false, func(h *model.SpiceHardware) { h.OTA.Range = 3 }},
		{"output resistance", false, func(h *model.SpiceHardware) { h.OTA.Gain = 300 }},
		{"bandwidth", true, func(h *model.SpiceHardware) { h.OTA.Bandwidth = 5e4 }},
		{"op-amp gain", false, func(h *model.SpiceHardware) { h.OpAmp.Gain = 20 }},
		{"gain-bandwidth product", true, func(h *model.SpiceHardware) { h.OpAmp.GBW = 2e4 }},
		{"leaking weights", true, func(h *model.SpiceHardware) { h.Store.Leak = 0.1 }},
	} {
		v := worst(c.change)
		t.Logf("%s: %v", c.what, v)
		if !v.Pass() {
			t.Errorf("%s: %v, because %s", c.what, v, v.Because)
		}
		worse := v.Report.NRMSEMax()
		if c.shared {
			worse = sim.Compare(usual.Simulated, v.Simulated, sim.Options{Tolerance: 1, From: 0.005}).NRMSEMax()
			if v.Report.NRMSEMax() > 1.5*ordinary {
				t.Errorf("%s: the reference does not share it: %v", c.what, v)
			}
		}
		if worse < 1.2*ordinary {
			t.Errorf("%s: nrmse %.2e, ordinary parts %.2e", c.what, worse, ordinary)
		}
	}
	for _, c := range []struct {
		what   string
		change func(*model.SpiceHardware)
	}{
		{"rails", func(h *model.SpiceHardware) { h.OpAmp.Rail = 0.1 }},
		{"slew rate", func(h *model.SpiceHardware) { h.OpAmp.Slew = 50 }},
	} {
		if v := worst(c.change); v.Pass() { // these have no tolerance: signals must fit
			t.Errorf("%s: %v", c.what, v)
		}
	}
}

// TestTimeScale runs the same network from biological time to a million times
// faster, over a wide range of resistances: nothing but the units changes.
func TestTimeScale(t *testing.T) {
	for _, level := range []string{"ideal", "macro"} {
		var first *crosscheck.Verdict
		for _, toml := range []string{"time_unit = 1\nresistance_unit = 1e9", "time_unit = 1e-6\ncapacitance = 1e-12\nvoltage_unit = 0.05"} {
			net := with(t, chain, "[hardware.spice]\n"+toml)
			net.Duration = 4
			v, err := crosscheck.Spice(t.Context(), net, crosscheck.SpiceOptions{Level: level, Learning: true, Dir: t.TempDir()})
			if err != nil {
				t.Fatal(err)
			}
			if !v.Pass() {
				t.Error(v)
			}
			if first == nil {
				first = v
			} else if r := sim.Compare(first.Simulated, v.Simulated, sim.Options{Tolerance: 1e-4, From: 0.005}); !r.Pass() {
				t.Errorf("%s: another time scale, another network: %+v", level, r.Worst())
			}
		}
	}
}

// TestRoundedParts wants that parts of a series leave the network near its
// model, and that finer series leave it nearer.
func TestRoundedParts(t *testing.T) {
	worst := map[string]float64{}
	for _, series := range []string{"E12", "E96"} {
		net := with(t, chain, "[hardware.spice]\nseries = \""+series+"\"")
		v, err := crosscheck.Spice(t.Context(), net, crosscheck.SpiceOptions{Dir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		if !v.Pass() {
			t.Errorf("%s: %v because %s", series, v, v.Because)
		}
		worst[series] = v.Report.NRMSEMax()
	}
	if !(worst["E12"] > 2*worst["E96"] && worst["E96"] > 1e-4) {
		t.Errorf("%v", worst)
	}
}

// TestFittedVoltage wants that a unit of voltage that was chosen keeps the bend of
// the inputs small.
func TestFittedVoltage(t *testing.T) {
	net := with(t, recurrent, "[hardware.spice]\nvoltage_unit = \"auto\"\n[hardware.spice.ota]\nrange = 0.5")
	net.Duration = briefly(net.Duration)
	v, err := crosscheck.Spice(t.Context(), net, crosscheck.SpiceOptions{Level: "macro", Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Log(v, v.Because)
	if !v.Pass() {
		t.Error(v)
	}
}

// briefly is a duration, or a period of the input where tests should be short.
func briefly(duration float64) float64 {
	if testing.Short() {
		return min(duration, 4)
	}
	return duration
}

// with loads a model with more TOML at its end.
func with(t *testing.T, file, more string) *model.Network {
	t.Helper()
	src, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	net, err := model.Parse(file, append(src, "\n"+more+"\n"...), filepath.Dir(file))
	if err != nil {
		t.Fatal(err)
	}
	return net
}

// TestThermalNoise wants the membrane of a neuron that nothing drives to move with
// a variance of kT/C, and both simulators to hear the same noise.
func TestThermalNoise(t *testing.T) {
	net := with(t, chain, "[hardware.spice]\nnoise = 4e9\nvoltage_unit = 0.1")
	net.Projections[0].W = []float64{0}
	run := func(engine string, length float64) *sim.Trace {
		net.Duration = length
		v, err := crosscheck.Spice(t.Context(), net, crosscheck.SpiceOptions{Engine: engine, Dir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		return v.Simulated
	}
	long := run("builtin", 150).Signal("hidden.u")
	sum := 0.0
	for _, x := range long.Data {
		sum += x * x
	}
	// 0.9 nF at 300.15 K, in units of 0.1 V.
	got, want := math.Sqrt(sum/float64(len(long.Data))), math.Sqrt(4e9*1.380649e-23*300.15/0.9e-9)/0.1
	if math.Abs(got/want-1) > 0.15 {
		t.Errorf("deviation %g, want %g", got, want)
	}
	t.Logf("deviation %g, kT/C is %g", got, want)
	if _, err := referee.Find("ngspice"); err != nil {
		t.Skip(err)
	}
	if r := sim.Compare(run("builtin", 4), run("ngspice", 4), sim.Options{Tolerance: 1e-2, From: 0.005}); !r.Pass() {
		t.Errorf("%+v", r.Worst())
	}
}

// TestTransistorsFollowTheReference compares networks of transistors that have no
// target, hence no errors, with the model's own dynamics: slower ones better,
// because what comes late is a smaller share of what moves.
func TestTransistorsFollowTheReference(t *testing.T) {
	var before float64
	for _, c := range []struct {
		engine, unit string
		within       float64
	}{{"builtin", "1e-3", 0.015}, {"builtin", "1e-2", 0.008}, {"ngspice", "1e-2", 0.008}} {
		if _, err := referee.Find("ngspice"); err != nil && c.engine == "ngspice" {
			t.Skip(err)
		}
		net := with(t, chain, "[hardware.spice]\ntime_unit = "+c.unit)
		net.Targets, net.Teacher, net.Duration = nil, nil, 4
		v, err := crosscheck.Spice(t.Context(), net, crosscheck.SpiceOptions{Level: "transistor", Engine: c.engine, Dir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		t.Log(v, v.Because)
		if worst := v.Report.NRMSEMax(); !v.Pass() || worst > c.within {
			t.Errorf("%v", v)
		}
		if c.engine == "ngspice" && math.Abs(v.Report.NRMSEMax()-before) > 1e-3 {
			t.Errorf("ngspice finds %g, the built-in engine %g", v.Report.NRMSEMax(), before)
		}
		before = v.Report.NRMSEMax()
	}
}

// TestEditedTransistors wants that a network of transistors which somebody changed a
// little does not pass.
func TestEditedTransistors(t *testing.T) {
	net := load(t, chain)
	net.Targets, net.Teacher, net.Duration = nil, nil, 4
	dir := t.TempDir()
	if v, err := crosscheck.Spice(t.Context(), net, crosscheck.SpiceOptions{Level: "transistor", Dir: dir}); err != nil || !v.Pass() {
		t.Fatal(v, err)
	}
	original := read(t, dir, spice.NetlistFile)
	cells := read(t, dir, spice.CellFile)
	for _, c := range []struct{ what, from, to string }{
		{"inputs exchanged", "drive_r0 0 hidden_y0 cell_synapse", "0 drive_r0 hidden_y0 cell_synapse"},
		{"a weight 5 % larger", "cell_synapse PARAMS: p_w=0.5\n", "cell_synapse PARAMS: p_w=0.525\n"},
		{"half a mirror", "x4 out pc b vdd mos_p", "x4 out vdd b vdd mos_p"},
		{"a supply too low", ".param p_vs=0.9", ".param p_vs=0.3"},
	} {
		for name, text := range map[string]string{spice.NetlistFile: original, spice.CellFile: cells} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(strings.Replace(text, c.from, c.to, 1)), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		if !strings.Contains(original+cells, c.from) {
			t.Fatalf("%s: nothing to change", c.what)
		}
		v, err := crosscheck.Spice(t.Context(), net, crosscheck.SpiceOptions{
			Artifact: filepath.Join(dir, spice.NetlistFile), Dir: t.TempDir(),
		})
		if err == nil && v.Pass() {
			t.Errorf("%s: %v", c.what, v)
		}
		t.Logf("%s: %v, %v", c.what, v, err)
	}
}

// TestTransistorsCarryErrors compares a network of transistors that has a target:
// rates within 2 %, errors within 5 %, in both engines.
func TestTransistorsCarryErrors(t *testing.T) {
	for _, engine := range []string{"builtin", "ngspice"} {
		if _, err := referee.Find("ngspice"); err != nil && engine == "ngspice" {
			t.Skip(err)
		}
		net := load(t, chain)
		if net.Duration = briefly(8); engine == "ngspice" && os.Getenv("VLEC_LONG") == "" {
			net.Duration = min(net.Duration, 4)
			if testing.Short() {
				net.Duration = 3
			}
		}
		v, err := crosscheck.Spice(t.Context(), net, crosscheck.SpiceOptions{Level: "transistor", Engine: engine, Dir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		t.Log(v, v.Because)
		if !v.Pass() {
			t.Error(v)
		}
		for _, r := range v.Report.Results {
			most := 0.02
			if kind := sim.KindOf(r.Name); kind == "e" || kind == "v" {
				most = 0.05
			}
			if r.NRMSE > most {
				t.Errorf("%s, %s: nrmse %g", engine, r.Name, r.NRMSE)
			}
		}
	}
}

// TestDeclaredTransistors wants the tolerance to cover what other currents, lengths
// and supplies do, and to be no wider than a tenth for rates.
func TestDeclaredTransistors(t *testing.T) {
	for _, toml := range []string{
		"[hardware.spice.transistors]\ncurrent = 1e-10", "[hardware.spice.transistors]\ncurrent = 5e-9",
		"[hardware.spice.transistors]\nlength = 0.5e-6", "[hardware.spice.transistors]\nlength = 2e-6",
		"[hardware.spice.transistors]\nsupply = 0.72", "[hardware.spice.transistors]\nsupply = 1.08",
	} {
		net := with(t, chain, "[hardware.spice]\ntime_unit = 1e-2\n"+toml)
		net.Duration = briefly(4)
		v, err := crosscheck.Spice(t.Context(), net, crosscheck.SpiceOptions{Level: "transistor", Dir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %v %s", toml, v, v.Because)
		if !v.Pass() || v.Tolerance > 0.1 || v.Report.NRMSEMax() < 1e-3 {
			t.Errorf("%s: %v", toml, v)
		}
	}
	net := with(t, chain, "[hardware.spice.transistors]\ncurrent = 1e-7")
	if _, err := crosscheck.Spice(t.Context(), net, crosscheck.SpiceOptions{Level: "transistor", Dir: t.TempDir()}); err == nil ||
		!strings.Contains(err.Error(), "no weak inversion") {
		t.Error(err)
	}
}
