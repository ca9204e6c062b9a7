package crosscheck

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"vlec/emit"
	"vlec/internal/table"
)

// A synthesised design: a network of layers, and what Yosys made of it.
type synthesised struct {
	First    int    `json:"first"` // neurons
	Second   int    `json:"second"`
	Bits     int    `json:"bits"`
	Lanes    int    `json:"lanes"`
	Device   string `json:"device"`
	Learning bool   `json:"learning"`
	LUT      int    `json:"lut"`
	FF       int    `json:"ff"`
	RAM      int    `json:"ram"`
	DSP      int    `json:"dsp"`
}

func (s *synthesised) model() string {
	var b strings.Builder
	layer := func(name, tau, tauR, more string, size int) {
		fmt.Fprintf(&b, "[population.%s]\nsize = %d\ntau_m = %s\ntau_r = %s\n%s", name, size, tau, tauR, more)
	}
	join := func(from, to string) {
		fmt.Fprintf(&b, "[projection.%s_%s]\nfrom = %q\nto = %q\nweights = { init = \"xavier\" }\nplastic = true\n", from, to, from, to)
	}
	b.WriteString("name = \"est\"\ndt = 0.01\nduration = 2.0\n[learning]\neta = 0.1\n[input.drive]\nsize = 2\nsignal = \"sine\"\nfrequency = 0.5\n")
	layer("first", `{ init = "uniform", low = 0.3, high = 1.0 }`, "0.1", "", s.First)
	join("drive", "first")
	layer("output", "0.5", "0.1", "activation = \"linear\"\n", 2)
	b.WriteString("[target.aim]\npopulation = \"output\"\nchannels = [{ signal = \"constant\", value = 0.4 }, { signal = \"constant\", value = -0.4 }]\n")
	last := "first"
	if s.Second > 0 {
		layer("second", "0.5", "0.2", "", s.Second)
		join("first", "second")
		last = "second"
	}
	join(last, "output")
	return b.String()
}

// Estimates are within 15 % of what Yosys 0.23 made of the same designs (read_verilog,
// synth_ice40 -dsp, stat). Cycles are exact: testbenches count them.
// testdata/estimates.json holds what Yosys
// printed; docs/rtl-simulation.md shows the table.
func TestEstimates(t *testing.T) {
	text, err := os.ReadFile("testdata/estimates.json")
	if err != nil {
		t.Fatal(err)
	}
	var designs []synthesised
	if err := json.Unmarshal(text, &designs); err != nil {
		t.Fatal(err)
	}
	rows := [][]string{{"network", "bits", "lanes", "device", "learns", "LUT", "estimate", "FF", "estimate", "RAM", "estimate", "DSP", "estimate"}}
	worst := 0.0
	for _, s := range designs {
		var files emit.Artifacts
		core, err := EmitVerilog(t.Context(), parse(t, s.model()), VerilogOptions{Learning: s.Learning, Bits: s.Bits, Lanes: s.Lanes, Device: s.Device, Steps: 16}, &files)
		if err != nil {
			t.Fatal(err)
		}
		e, err := core.Estimate()
		if err != nil {
			t.Fatal(err)
		}
		layers := fmt.Sprintf("2-%d-%d-2", s.First, s.Second)
		if s.Second == 0 {
			layers = fmt.Sprintf("2-%d-2", s.First)
		}
		row := []string{layers, fmt.Sprint(s.Bits), fmt.Sprint(s.Lanes), s.Device, map[bool]string{true: "yes", false: "no"}[s.Learning]}
		for _, c := range []struct {
			name           string
			yosys, guessed int
		}{{"LUT", s.LUT, e.LUT}, {"FF", s.FF, e.FF}, {"RAM", s.RAM, e.RAM}, {"DSP", s.DSP, e.DSP}} {
			off := 0.0
			if c.yosys != c.guessed {
				off = float64(c.guessed)/math.Max(float64(c.yosys), 1e-9) - 1
			}
			worst = math.Max(worst, math.Abs(off))
			if math.Abs(off) > 0.15 {
				t.Errorf("%+v: %s %d, Yosys has %d", s, c.name, c.guessed, c.yosys)
			}
			row = append(row, fmt.Sprint(c.yosys), fmt.Sprintf("%d (%+.0f %%)", c.guessed, 100*off))
		}
		rows = append(rows, row)
	}
	t.Logf("worst %.1f %%\n%s", 100*worst, table.Text(rows))
	if len(designs) < 20 {
		t.Errorf("only %d designs", len(designs))
	}
	inDocument(t, "../../docs/rtl-simulation.md", table.Markdown(rows))
}
