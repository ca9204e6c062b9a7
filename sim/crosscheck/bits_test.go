package crosscheck

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"vlec/emit/verilog/format"
	"vlec/internal/golden"
	"vlec/internal/plot"
	"vlec/internal/table"
	"vlec/model"
	"vlec/sim"
	"vlec/sim/reference"
)

// layers is a network 1-8-8-1 of tanh neurons with a linear output, which learns
// when it is let.
const layers = `
name = "layers"
dt = 0.0009765625
duration = 5.0
[learning]
eta = 0.05
[input.drive]
signal = "sines"
count = 3
f_min = 0.1
f_max = 0.5
amplitude = 0.6
[population.first]
size = 8
tau_m = 1.0
tau_r = 0.25
[population.second]
size = 8
tau_m = { init = "uniform", low = 0.5, high = 1.5 }
tau_r = 0.25
[population.output]
size = 1
tau_m = 1.0
tau_r = 0.5
activation = "linear"
[projection.drive_first]
from = "drive"
to = "first"
weights = { init = "uniform", low = -1.2, high = 1.2 }
plastic = true
[projection.first_second]
from = "first"
to = "second"
weights = { init = "xavier" }
plastic = true
[projection.second_output]
from = "second"
to = "output"
weights = { init = "xavier" }
plastic = true
[target.aim]
population = "output"
signal = "sine"
frequency = 0.25
amplitude = 0.4
`

func parse(t testing.TB, text string) *model.Network {
	t.Helper()
	net, err := model.Parse("model.toml", []byte(text), ".")
	if err != nil {
		t.Fatal(err)
	}
	return net
}

// The error of the outputs against the width of the operands: every bit halves the
// distance to the synchronous semantics, and with it that to the continuous one
// until the error of the step dominates. docs/rtl-simulation.md shows the table
// and the figure; VLEC_GOLDEN=1 draws it anew.
func TestErrorAgainstBits(t *testing.T) {
	net := parse(t, layers)
	net.Probe.Every = 16 * net.Dt
	continuous, _, err := reference.Run(t.Context(), net, reference.Options{Signals: []string{"output.r"}, Every: net.Probe.Every})
	if err != nil {
		t.Fatal(err)
	}
	var x, bound, step []float64
	var clock, flow [2][]float64
	for bits := 8; bits <= 32; bits += 2 {
		x = append(x, float64(bits))
		for k, learning := range []bool{false, true} {
			p, err := Plan(t.Context(), net, learning, format.Options{Bits: bits})
			if err != nil {
				t.Fatal(err)
			}
			r, err := RunFixed(t.Context(), net, p, learning)
			if err != nil {
				t.Fatal(err)
			}
			clock[k] = append(clock[k], nrmseOf(r.Reference, r.Integer, "output.r", 0))
			if k == 0 {
				flow[k] = append(flow[k], nrmseOf(continuous, r.Integer, "output.r", net.Dt))
				step = append(step, nrmseOf(continuous, r.Reference, "output.r", net.Dt))
				bound = append(bound, p.OutputDistance())
				if d := r.Distance["output.r"]; d > p.OutputDistance() {
					t.Errorf("%d bits: %g off, proved are %g", bits, d, p.OutputDistance())
				}
			}
		}
	}
	at := func(v []float64, bits int) float64 { return v[(bits-8)/2] }
	for k, name := range []string{"frozen", "learning"} {
		if rate := math.Log2(at(clock[k], 12)/at(clock[k], 22)) / 10; rate < 0.85 || rate > 1.2 {
			t.Errorf("%s: a bit takes %.2f halvings off the error", name, rate)
		}
	}
	if off := at(flow[0], 32)/step[0] - 1; math.Abs(off) > 0.01 {
		t.Errorf("at 32 bits the distance to the continuous semantics is %.1f %% off that of the step alone", 100*off)
	}
	if at(flow[0], 8) < 3*step[0] {
		t.Error("at 8 bits the step dominates; the figure shows nothing")
	}

	rows := [][]string{{"bits", "to the clocked semantics", "while it learns", "to the continuous semantics", "proved bound of the largest error"}}
	for bits := 8; bits <= 32; bits += 2 {
		cell := func(v []float64) string { return fmt.Sprintf("%.1e", at(v, bits)) }
		rows = append(rows, []string{fmt.Sprint(bits), cell(clock[0]), cell(clock[1]), cell(flow[0]), cell(bound)})
	}
	t.Logf("nrmse of output.r\n%s", table.Text(rows))
	inDocument(t, "../../docs/rtl-simulation.md", table.Markdown(rows))
	var svg bytes.Buffer
	unit := make([]float64, len(x)) // of an operand with one sign bit and no integer bits
	for i := range x {
		unit[i] = math.Exp2(1 - x[i])
	}
	if err := plot.Convergence("error against bits", "network 1-8-8-1, dt = tau/1024, 8 to 32 bits; dashed: halved by every bit", "unit of an operand, 2^(1 - bits)", "nrmse of the output", 1, []plot.Series{
		{Name: "to the clocked semantics", X: unit, Y: clock[0]},
		{Name: "the same while it learns", X: unit, Y: clock[1]},
		{Name: "to the continuous semantics", X: unit, Y: flow[0]},
	}).SVG(&svg); err != nil {
		t.Fatal(err)
	}
	golden.Check(t, "../../docs/figures/error-bits.svg", svg.Bytes())
}

// inDocument wants a table to stand in a document as it was measured.
func inDocument(t *testing.T, name, table string) {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Error(err)
	} else if !strings.Contains(string(text), table) {
		t.Errorf("%s does not show\n%s", name, table)
	}
}

func nrmseOf(ref, got *sim.Trace, name string, from float64) float64 {
	one := &sim.Trace{Signals: []*sim.Signal{ref.Signal(name)}}
	report := sim.Compare(one, got, sim.Options{Tolerance: 1, From: from})
	return report.NRMSEMax()
}
