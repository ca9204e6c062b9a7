package gradient

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"vlec/model"
	"vlec/sim/reference"
)

// mixed is a network with something of everything that the report tells apart: a
// batch, several neurons, a parameter that no target hears of.
const mixed = `
name = "mixed"
duration = 4.0
dt = 0.02
[learning]
eta = 0.1
batch = 2
[input.drive]
signal = "sines"
count = 2
f_min = 0.1
f_max = 0.5
[population.hidden]
size = 3
tau_m = [0.5, 1.0, 2.0]
tau_r = 0.1
[population.deaf]
size = 1
tau_m = 1.0
tau_r = 0.1
[population.output]
size = 1
tau_m = 1.0
tau_r = 0.2
activation = "linear"
[projection.a]
from = "drive"
to = "hidden"
weights = { init = "normal" }
plastic = true
[projection.b]
from = "hidden"
to = "output"
weights = { init = "normal" }
plastic = true
[projection.c]
from = "hidden"
to = "deaf"
weights = { init = "normal" }
[target.output]
population = "output"
signal = "sine"
frequency = 0.3
`

func load(t *testing.T, source string) *model.Network {
	t.Helper()
	file := filepath.Join(t.TempDir(), "model.toml")
	if err := os.WriteFile(file, []byte(source), 0o666); err != nil {
		t.Fatal(err)
	}
	net, err := model.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	return net
}

func TestCheck(t *testing.T) {
	net := load(t, mixed)
	c, err := NewCheck(context.Background(), net, reference.GradientOptions{From: 1}, true)
	if err != nil {
		t.Fatal(err)
	}
	table := c.Table()
	if got, want := len(table), 1+3+3+3+1; got != want {
		t.Fatalf("%d rows, want %d", got, want)
	}
	for _, row := range table {
		if deaf := row[1] == "c" || row[1] == "deaf"; deaf != (row[4] == "–") {
			t.Errorf("row %v: what no target hears has no cosine, all else has", row)
		}
	}
	if !strings.Contains(c.Silent(), "no effect") {
		t.Errorf("the dashes are explained by %q", c.Silent())
	}
	if _, err := json.Marshal(c.JSON(true)); err != nil {
		t.Error(err)
	}

	// What is kept for the picture are the errors that made the update: with a bias
	// their sum is the local gradient, of the mean of the two trials. Compare with a
	// run of the first trial alone.
	net.Learning.Batch = 1
	single, err := NewCheck(context.Background(), net, reference.GradientOptions{From: 1}, true)
	if err != nil {
		t.Fatal(err)
	}
	output := single.errors[2]
	sum, exact := 0.0, 0.0
	for i := range output.local {
		sum += net.Dt * output.local[i]
		exact += net.Dt * output.adjoint[i]
	}
	if got := single.Biases[2]; math.Abs(sum-got.Local[0]) > 1e-12 || math.Abs(exact-got.Exact[0]) > 1e-12 {
		t.Errorf("the kept errors add up to %g and %g, the updates are %g and %g", sum, exact, got.Local[0], got.Exact[0])
	}
	var a, b bytes.Buffer
	if err := c.Figure().SVG(&a); err != nil {
		t.Fatal(err)
	}
	if err := single.Figure().SVG(&b); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(a.Bytes(), b.Bytes()) {
		t.Error("the picture of a batch is not that of its first trial")
	}
}

// A network of many populations is drawn as far as there is room.
func TestCheckOfManyPopulations(t *testing.T) {
	source := mixed
	for k := range 10 {
		source += fmt.Sprintf("[population.more%d]\nsize = 2\ntau_m = 1.0\ntau_r = 0.1\n[projection.p%d]\nfrom = \"hidden\"\nto = \"more%d\"\nweights = { init = \"normal\" }\n", k, k, k)
	}
	c, err := NewCheck(context.Background(), load(t, source), reference.GradientOptions{Duration: 1}, true)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Biases) != 13 || len(c.errors) != maxPopulations {
		t.Errorf("%d populations compared and %d drawn", len(c.Biases), len(c.errors))
	}
	var svg bytes.Buffer
	if err := c.Figure().SVG(&svg); err != nil || !strings.Contains(svg.String(), "first 8 populations of 13") {
		t.Errorf("the picture does not say what it leaves out: %v", err)
	}
}

func TestSweep(t *testing.T) {
	net := load(t, mixed)
	omegas, err := Frequencies(net, 0, 0, 3)
	if err != nil {
		t.Fatal(err)
	}
	if omegas[0] != 0.05 || math.Abs(omegas[2]-20) > 1e-9 {
		t.Errorf("frequencies go from %g to %g, want 0.1/2 to 10/0.5", omegas[0], omegas[2])
	}
	s, err := NewSweep(context.Background(), net, omegas, nil)
	if err != nil {
		t.Fatal(err)
	}
	if gain, phase := s.Worst(); !s.Pass() || gain > 1e-4 || phase > 1e-4 {
		t.Errorf("off by %g and %g", gain, phase)
	}
	dir := t.TempDir()
	if err := s.Write(dir); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(filepath.Join(dir, "response.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil || len(rows) != 1+3*5 {
		t.Fatalf("%d rows of CSV, %v", len(rows), err)
	}
	for _, row := range rows[1:] {
		gain, _ := strconv.ParseFloat(row[3], 64)
		if deaf := row[1] == "deaf"; deaf != math.IsNaN(gain) {
			t.Errorf("%v: gain %g", row, gain)
		}
	}
	if _, err := json.Marshal(s.JSON()); err != nil {
		t.Error(err)
	}
	var names []string
	for _, n := range s.shown {
		names = append(names, n.name)
	}
	if got := strings.Join(names, " "); got != "hidden[0] hidden[2] output" {
		t.Errorf("shown are %s; want the extremes of hidden, and output", got)
	}

	// A network that leaves the theory is no pass.
	s.points[1].Gain[0][1] *= 1.02
	if s.Pass() {
		t.Error("a gain that is off by two percent passes")
	}
}

func TestFrequenciesRefuses(t *testing.T) {
	net := load(t, mixed)
	for _, bad := range []struct {
		low, high float64
		points    int
	}{{-1, 1, 3}, {2, 1, 3}, {1, 2, 0}, {1, 2, 1e6}, {1, math.Inf(1), 3}, {math.NaN(), 1, 3}} {
		if _, err := Frequencies(net, bad.low, bad.high, bad.points); err == nil {
			t.Errorf("%+v is accepted", bad)
		}
	}
	if w, err := Frequencies(net, 3, 0, 1); err != nil || len(w) != 1 || w[0] != 3 {
		t.Errorf("one point from 3 on: %v, %v", w, err)
	}
}
