package spice

import (
	"context"
	"encoding/csv"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"vlec/sim"
)

const shared = "../../../shared/reference/spice"

// simulate parses, elaborates and runs, and fails the test on any error.
func simulate(t testing.TB, src string, o Options) (*sim.Trace, *Stats) {
	t.Helper()
	n, err := Parse("test.cir", []byte(src))
	if err != nil {
		t.Fatal(err)
	}
	c, err := n.Elaborate()
	if err != nil {
		t.Fatal(err)
	}
	tr, stats, err := c.Tran(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	return tr, stats
}

// readCSV reads a golden answer: first column time, then named vectors.
func readCSV(t testing.TB, path string) (names []string, cols [][]float64) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Skipf("no golden answer: %v", err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	cols = make([][]float64, len(rows[0]))
	for _, row := range rows[1:] {
		for k, s := range row {
			v, err := strconv.ParseFloat(s, 64)
			if err != nil {
				t.Fatal(err)
			}
			cols[k] = append(cols[k], v)
		}
	}
	return rows[0], cols
}

func TestProbeAgreesWithBothReferees(t *testing.T) {
	for _, ref := range []struct {
		csv string
		tol float64
	}{{"probe_ngspice39.csv", 2e-5}, {"probe_xyce78.csv", 1e-4}} {
		names, want := readCSV(t, filepath.Join(shared, ref.csv))
		n, err := ParseFile(filepath.Join(shared, "probe_ngspice.cir"))
		if err != nil {
			t.Fatal(err)
		}
		c, err := n.Elaborate()
		if err != nil {
			t.Fatal(err)
		}
		tr, stats, err := c.Tran(context.Background(), Options{Times: want[0]})
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%+v", *stats)
		for k, name := range names[1:] {
			s := tr.Signal(foldCase(name))
			worst := 0.0
			for i, v := range want[k+1] {
				worst = math.Max(worst, math.Abs(v-s.Data[i]))
			}
			t.Logf("%s %s: %.2g", ref.csv, name, worst)
			if !(worst <= ref.tol) {
				t.Errorf("%s: %s differs by %g", ref.csv, name, worst)
			}
		}
		if w := tr.Signal("v(w1)"); math.Abs(w.Data[len(w.Data)-1]-0.70225) > 1e-5 {
			t.Errorf("final weight %v", w.Data[len(w.Data)-1])
		}
	}
}
