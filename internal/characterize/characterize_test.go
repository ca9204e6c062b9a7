package characterize

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"vlec/emit"
	emitter "vlec/emit/spice"
	"vlec/internal/golden"
)

// TestDatasheets measures all cells and compares the pages with those in docs.
func TestDatasheets(t *testing.T) {
	o := Options{Units: DefaultUnits}
	sheets, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	var files emit.Artifacts
	Pages(sheets, o, &files)
	dir := t.TempDir()
	if err := files.Commit(dir); err != nil {
		t.Fatal(err)
	}
	for _, name := range files.Paths() {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		golden.Check(t, filepath.Join("../../docs/cells", name), string(text))
	}
	for _, s := range sheets {
		if s.Level == "ideal" && s.Errors[2] > 1e-6 {
			t.Errorf("the ideal %s differs from itself by %g", s.Cell, s.Errors[2])
		}
		if s.Built.Transistors == 0 && s.Cell != "cell_lead_lag_rc" && s.Cell != "cell_weight_leak" && s.Cell != "cell_offset" {
			t.Errorf("%s is made of nothing", s.Cell)
		}
	}
}

// TestEveryCellHasASheet wants a datasheet for every cell but those of stimuli, and
// what takes the offsets of others away.
func TestEveryCellHasASheet(t *testing.T) {
	benched := emitter.Benched()
	for _, name := range emitter.Cells() {
		if !slices.Contains(benched, name) && name != "cell_sine" && name != "cell_chirp" && name != "cell_null" {
			t.Errorf("%s cannot be characterised", name)
		}
	}
}

// TestWorseParts wants the measured error of cells to grow with the imperfections
// that are declared.
func TestWorseParts(t *testing.T) {
	good := emitter.Process{
		OpAmp: emitter.OpAmp{Gain: 1e5, GBW: 2e6, Slew: 5e7, Rail: 10},
		OTA:   emitter.OTA{Range: 10, Gain: 1e4, Bandwidth: 2e6},
		Knee:  0.01, Pair: 1,
	}
	narrow, lossy, slow, blunt, hot := good, good, good, good, good
	narrow.OTA.Range = 2
	blunt.Knee = 0.1
	hot.Pair = 1.3
	lossy.OTA.Gain = 50
	slow.OpAmp.GBW = 1e4
	dir := t.TempDir()
	for _, c := range []struct {
		cell  string
		worse emitter.Process
	}{{"cell_synapse", narrow}, {"cell_multiplier", narrow}, {"cell_synapse", lossy}, {"cell_lead_lag", slow}, {"cell_weight_clamp", blunt}, {"cell_softmax", hot}} {
		var e [2]float64
		for i, p := range []emitter.Process{good, c.worse} {
			var err error
			if e[i], _, err = measure(t.Context(), dir, c.cell, "macro", Options{Units: DefaultUnits, Process: p}, 1); err != nil {
				t.Fatal(err)
			}
		}
		if e[1] < 3*e[0] {
			t.Errorf("%s: error %g with good parts, %g with worse ones", c.cell, e[0], e[1])
		}
	}
	if _, _, err := measure(t.Context(), dir, "cell_chirp", "macro", Options{Units: DefaultUnits}, 1); err == nil {
		t.Error("a stimulus was characterised")
	}
}
