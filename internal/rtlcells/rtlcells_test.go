package rtlcells

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"strings"
	"testing"

	"vlec/emit/verilog/device"
	"vlec/internal/table"
	"vlec/sim/referee"
)

const recorded = "testdata/cells.json"

// TestEstimates wants estimates within 15 % of what Yosys counts, for 20 and more
// designs that no share was fitted to. docs/rtl-simulation.md shows the table.
func TestEstimates(t *testing.T) {
	all, err := Read(recorded)
	if err != nil {
		t.Fatal(err)
	}
	rows := [][]string{{"design", "LUT", "estimate", "FF", "estimate", "RAM", "estimate", "DSP", "estimate"}}
	held, worst := 0, map[string]float64{}
	for _, d := range Designs() {
		cells := all["up5k"][d.Name]
		if cells == nil {
			continue
		}
		core, err := d.Core(t.Context(), "up5k", "")
		if err != nil {
			t.Fatal(err)
		}
		e, err := core.Estimate()
		if err != nil {
			t.Fatal(err)
		}
		lut, ff, ram, dsp := cells.Count()
		row := []string{d.Name}
		for _, c := range []struct {
			name           string
			yosys, guessed int
		}{{"LUT", lut, e.LUT}, {"FF", ff, e.FF}, {"RAM", ram, e.RAM}, {"DSP", dsp, e.DSP}} {
			off := float64(c.guessed)/float64(c.yosys) - 1
			row = append(row, fmt.Sprint(c.yosys), fmt.Sprintf("%d (%+.0f %%)", c.guessed, 100*off))
			if !d.HeldOut {
				continue
			}
			worst[c.name] = math.Max(worst[c.name], math.Abs(off))
			if math.Abs(off) > 0.15 {
				t.Errorf("%s: %s %d, Yosys has %d", d.Name, c.name, c.guessed, c.yosys)
			}
		}
		if d.HeldOut {
			rows = append(rows, row)
			held++
		}
	}
	t.Logf("%d held out, worst %v\n%s", held, worst, table.Text(rows))
	if held < 20 {
		t.Errorf("only %d designs are held out", held)
	}
	text, err := os.ReadFile("../../docs/rtl-simulation.md")
	if err != nil {
		t.Fatal(err)
	}
	if want := table.Markdown(rows); !strings.Contains(string(text), want) {
		t.Errorf("docs/rtl-simulation.md does not show\n%s", want)
	}
}

// TestBlocksOfECP5: of ECP5 only block RAMs and multipliers are known.
func TestBlocksOfECP5(t *testing.T) {
	all, err := Read(recorded)
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, d := range Designs() {
		cells := all["ecp5"][d.Name]
		if cells == nil {
			continue
		}
		core, err := d.Core(t.Context(), "ecp5", "")
		if err != nil {
			t.Fatal(err)
		}
		e, err := core.Estimate()
		if err != nil {
			t.Fatal(err)
		}
		if e.RAM != cells["DP16KD"] || e.DSP != cells["MULT18X18D"] {
			t.Errorf("%s: %d block RAMs, Yosys has %d; %d multipliers, Yosys has %d", d.Name, e.RAM, cells["DP16KD"], e.DSP, cells["MULT18X18D"])
		}
		seen++
	}
	if seen < 10 {
		t.Errorf("only %d designs", seen)
	}
}

// TestFit fits the shares again.
func TestFit(t *testing.T) {
	all, err := Read(recorded)
	if err != nil {
		t.Fatal(err)
	}
	fit, err := Fit(t.Context(), all, "up5k")
	if err != nil {
		t.Fatal(err)
	}
	near := func(a, b float64) bool { return math.Abs(a-b) <= 0.005*math.Max(1, math.Abs(b)) }
	for i, x := range fit.LUT {
		if !near(device.Ice40.LUT[i], x) {
			t.Errorf("share %d of lookup tables is %.4g; fitted it is %.4g", i, device.Ice40.LUT[i], x)
		}
	}
	for k, x := range fit.FF {
		if !near(device.Ice40.FF[k], x) {
			t.Errorf("share %d of registers is %.4g; fitted it is %.4g", k, device.Ice40.FF[k], x)
		}
	}
}

// TestRecord synthesises one small design anew: the record is what Yosys says.
func TestRecord(t *testing.T) {
	if testing.Short() {
		t.Skip("synthesis takes 10 s")
	}
	all, err := Read(recorded)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range Designs() {
		if d.Name != "2-4-2 16b 1L frozen" {
			continue
		}
		cells, err := d.Synthesise(t.Context(), device.Of("up5k"))
		if _, missing := errors.AsType[*referee.MissingError](err); missing {
			t.Skip(err)
		}
		if err != nil {
			t.Fatal(err)
		}
		if !maps.Equal(cells, all["up5k"][d.Name]) {
			t.Errorf("Yosys counts %v, the record has %v", cells, all["up5k"][d.Name])
		}
	}
}
