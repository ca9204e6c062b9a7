package spice_test

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vlec/emit"
	"vlec/emit/spice"
	"vlec/emit/spice/lint"
	"vlec/internal/compile"
	"vlec/sim"
	"vlec/sim/crosscheck"
	"vlec/sim/referee"
	reader "vlec/sim/spice"
)

// TestMOSAt compares a hot and a cold transistor with the formula: a millivolt of
// threshold a kelvin, mobility as T^-1.5.
func TestMOSAt(t *testing.T) {
	for _, kelvin := range []float64{233.15, 358.15} {
		library := spice.MOSAt(kelvin / 300.15)
		if err := lint.Check(lint.File{Name: "net.cir", Text: "* t\n.include \"mos.lib\"\nx1 a b 0 0 mos_n PARAMS: p_w=1e-06\nr1 a b 1000\n.end\n"},
			lint.File{Name: "mos.lib", Text: library}); err != nil {
			t.Error(err)
		}
		for name, k := range map[string]float64{"mos_n": 3e-4, "mos_p": 7e-5} {
			sign := 1.0
			if name == "mos_p" {
				sign = -1
			}
			path := mosNetlist(t, fmt.Sprintf("vd d 0 %g\nvg g 0 0\nx1 d g 0 0 %s\n.options gmin=1e-30\n.dc vg 0 %g %g\n.save i(vd)\n", sign*0.9, name, sign*1.8, sign*0.1))
			if err := os.WriteFile(filepath.Join(filepath.Dir(path), "mos.lib"), []byte(library), 0o666); err != nil {
				t.Fatal(err)
			}
			tr, _, err := mosCircuit(t, path).DC(t.Context(), reader.Options{})
			if err != nil {
				t.Fatal(err)
			}
			i := tr.Signal("i(vd)")
			for at, vg := range i.Time {
				want := mosCurrent(sign*vg, 0.9, 0, 0.45-1e-3*(kelvin-300.15), k*math.Pow(kelvin/300.15, -1.5), 1.3, 0.025852*kelvin/300.15, 10)
				if got := -sign * i.Data[at]; math.Abs(got-want) > 1e-9*want {
					t.Errorf("%s at %g K, vg = %g: %g, want %g", name, kelvin, vg, got, want)
				}
			}
		}
	}
	if spice.MOSAt(1) != spice.GenericMOS {
		t.Error("27 degrees Celsius are another temperature")
	}
}

// TestTemperatureInNgspice wants both engines to see the same hot and the same cold
// circuit; errors look ahead, and steps show in them.
func TestTemperatureInNgspice(t *testing.T) {
	if _, err := referee.Find("ngspice"); err != nil {
		t.Skip(err)
	}
	if testing.Short() {
		t.Skip("-short leaves ngspice out, which takes seconds for each temperature")
	}
	for _, celsius := range []string{"85", "-40", "85\n[hardware.spice.transistors]\nbias = \"ptat\""} {
		net := with(t, chain, "[hardware.spice]\ntime_unit = 1e-2\ntemperature = "+celsius)
		net.Duration = 2
		var runs [2]*sim.Trace
		for i, engine := range []string{"builtin", "ngspice"} {
			v, err := crosscheck.Spice(t.Context(), net, crosscheck.SpiceOptions{Level: "transistor", Engine: engine, Dir: t.TempDir()})
			if err != nil {
				t.Fatal(err)
			}
			runs[i] = v.Simulated
		}
		report := sim.Compare(runs[0], runs[1], sim.Options{Tolerance: 1e-4, Kinds: map[string]float64{"v": 0.02, "e": 0.02}, From: 0.1})
		t.Logf("%q degrees Celsius: %+v", celsius, report.Summary())
		if !report.Pass() {
			t.Errorf("%q degrees Celsius: the engines differ: %+v", celsius, report.Summary())
		}
	}
}

// TestTemperature wants the pairs of a circuit to bend where the temperature says,
// unless its units follow the temperature as well. It is sized once, for 27 degrees
// Celsius, and keeps the nulls that it had there if it is told to.
func TestTemperature(t *testing.T) {
	type result struct {
		rates float64
		nulls map[string]float64
		sizes string
		steer float64 // what the resistors of products are made of
	}
	run := func(celsius, transistors string) result {
		net := with(t, chain, "[hardware.spice]\ntime_unit = 1e-2\ntemperature = "+celsius+"\n[hardware.spice.transistors]\n"+transistors)
		if net.Duration = 4; testing.Short() {
			net.Duration = 1.5
		}
		dir := t.TempDir()
		v, err := crosscheck.Spice(t.Context(), net, crosscheck.SpiceOptions{Level: "transistor", Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		var files emit.Artifacts
		side, err := compile.Spice(t.Context(), net, compile.SpiceOptions{Level: "transistor", Learning: true}, &files)
		if err != nil {
			t.Fatal(err)
		}
		cells, err := os.ReadFile(filepath.Join(dir, spice.CellFile))
		if err != nil {
			t.Fatal(err)
		}
		r := result{rates: v.Report.Summary()["r"].NRMSE, nulls: side.Nulls}
		for line := range strings.Lines(string(cells)) {
			if strings.HasPrefix(line, ".param p_fix_") {
				r.sizes += line
			}
			fmt.Sscanf(line, ".param p_bend=%g", &r.steer)
		}
		r.steer /= side.Units.Voltage
		return r
	}
	nominal, following := run("27", ""), run("27", `bias = "ptat"`)
	if cold := run("-40\nsupply = 0.9", "nulls = \"nominal\"\nbias = \"ptat\""); following.rates > 0.02 || cold.rates > 0.02 {
		t.Errorf("cascodes that follow the temperature: rates are off by %g, at -40 degrees Celsius and a low supply by %g", following.rates, cold.rates)
	}
	if low := run("27\nsupply = 0.9", ""); low.sizes != nominal.sizes || low.rates == nominal.rates {
		t.Errorf("a supply of 0.9 makes for sizes\n%s and rates that are off by %g, the nominal one\n%s and %g", low.sizes, low.rates, nominal.sizes, nominal.rates)
	}
	temperatures := map[string]float64{"85": 358.15, "-40": 233.15}
	if testing.Short() {
		delete(temperatures, "-40")
	}
	for celsius, kelvin := range temperatures {
		constant, ptat := run(celsius, ""), run(celsius, `bias = "ptat"`)
		t.Logf("%s degrees Celsius: rates are off by %.3g, and by %.3g where units follow the temperature", celsius, constant.rates, ptat.rates)
		if constant.rates < 0.1 || ptat.rates > 0.03 {
			t.Errorf("%s degrees Celsius: rates are off by %g, and by %g where units follow the temperature", celsius, constant.rates, ptat.rates)
		}
		kept, scaled := run(celsius, `nulls = "nominal"`), run(celsius, "nulls = \"nominal\"\nbias = \"ptat\"")
		moved := 0.0
		for name, v := range nominal.nulls {
			if kept.nulls[name] != v {
				t.Errorf("%s degrees Celsius: a null of %g V that was kept is %g V", celsius, v, kept.nulls[name])
			}
			moved = max(moved, math.Abs(constant.nulls[name]-v))
		}
		for name, v := range following.nulls {
			if d := math.Abs(scaled.nulls[name] - v*kelvin/300.15); d > 2*spice.NullStep*spice.PairVoltage {
				t.Errorf("%s degrees Celsius: a null of %g V does not follow the unit of current: %g V", celsius, v, scaled.nulls[name])
			}
		}
		if moved < 1e-3*spice.PairVoltage || len(kept.nulls) != len(nominal.nulls) {
			t.Errorf("%s degrees Celsius: nulls move by %g V at most; %d of %d are kept", celsius, moved, len(kept.nulls), len(nominal.nulls))
		}
		for _, c := range []struct{ r, at27 result }{{constant, nominal}, {kept, nominal}, {ptat, following}, {scaled, following}} {
			if c.r.sizes != c.at27.sizes || math.Abs(c.r.steer/c.at27.steer-1) > 1e-12 {
				t.Errorf("%s degrees Celsius: sized\n%s, %g, at 27 degrees\n%s, %g", celsius, c.r.sizes, c.r.steer, c.at27.sizes, c.at27.steer)
			}
		}
	}
}
