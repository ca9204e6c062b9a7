package crosscheck

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vlec/internal/compile"
	"vlec/internal/golden"
	"vlec/internal/plot"
	"vlec/model"
	"vlec/sim/reference"
)

// A netlist trains itself as well as the reference, at every level and in every
// engine, in one run or in several that follow each other.
func TestNetlistTrainsItself(t *testing.T) {
	net := load(t, chain)
	for _, level := range []string{"ideal", "macro"} {
		var once *Training
		for _, engine := range engines(t) {
			for _, segments := range []int{1, 3} {
				if engine == "ngspice" && segments == 1 {
					continue // the same as for three, and slower
				}
				dir := t.TempDir()
				got, err := Train(t.Context(), net, TrainOptions{Level: level, Engine: engine, Segments: segments, Dir: dir})
				if err != nil {
					t.Fatal(err)
				}
				t.Logf("%d segments: %v", segments, got)
				if !got.Pass() || got.Last > got.First/50 {
					t.Error(got)
				}
				if once == nil {
					once = got
				}
				for name, w := range once.Weights {
					if len(w) == 0 || math.Abs(got.Weights[name][0]-w[0]) > 2e-3 {
						t.Errorf("%s, %s, %d segments: %s ends at %v, in one run at %v", level, engine, segments, name, got.Weights[name], w)
					}
				}
				if segments == 3 {
					second, err := os.ReadFile(filepath.Join(dir, "segment2", "net.cir"))
					if err != nil || strings.Contains(string(second), ".ic v(hidden_output_w0_0)=0.6\n") {
						t.Errorf("the second segment begins at the model's weights, %v", err)
					}
				}
			}
		}
	}
}

// The chain with its error neurons trains itself in transistors: its loss falls as
// that of the reference does. Without nulls it falls less. VLEC_LONG=1 trains five
// times as long, where what offsets leave counts, and in ngspice, too.
func TestTransistorsTrainThemselves(t *testing.T) {
	net := load(t, chain)
	net.Hardware.Spice.TimeUnit = 0.01
	trained := func(net *model.Network, o TrainOptions) *Training {
		o.Level, o.Dir = "transistor", t.TempDir()
		got, err := Train(t.Context(), net, o)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("nulls %v: %v, by a factor of %.0f", !o.NoNull, got, got.First/got.Last)
		return got
	}
	good, bad := trained(net, TrainOptions{}), trained(net, TrainOptions{NoNull: true})
	if good.Ref.Ratio > 1.1 || good.Last > good.First/30 {
		t.Error(good)
	}
	if bad.Last < 1.05*good.Last {
		t.Errorf("without nulls: %v", bad)
	}
	if os.Getenv("VLEC_LONG") == "" {
		return
	}
	long := load(t, "../../examples/chain/transistors.toml")
	good, bad = trained(long, TrainOptions{}), trained(long, TrainOptions{NoNull: true})
	if good.Ref.Ratio > 1.2 || good.Last > good.First/1000 || bad.Ref.Ratio < 2 {
		t.Errorf("%v; without nulls %v", good, bad)
	}
	unequal := load(t, "../../examples/chain/transistors.toml")
	unequal.Hardware.Spice.Transistors.AVT, unequal.Seed = 4e-9, 3
	drawLosses(t, long, good, bad, trained(unequal, TrainOptions{}), trained(unequal, TrainOptions{NoNull: true}))
	if len(engines(t)) > 1 {
		if theirs := trained(net, TrainOptions{Engine: "ngspice", MaxStep: net.Dt}); theirs.Ref.Ratio > 1.1 || theirs.Last > theirs.First/30 {
			t.Error(theirs)
		}
	}
}

// drawLosses draws how the loss of the chain falls in transistors.
func drawLosses(t *testing.T, net *model.Network, nulled, not, unequal, unequalNot *Training) {
	ref, _, err := reference.Run(t.Context(), net, reference.Options{
		Semantics: reference.Continuous, Learning: true, Signals: []string{"loss"}, Every: net.Dt,
	})
	if err != nil {
		t.Fatal(err)
	}
	s := ref.Signal("loss")
	m := &lossMeter{time: s.Time, loss: s.Data}
	time, loss := m.windows(net.Duration, lossWindows)
	var svg bytes.Buffer
	err = plot.Loss("The chain trains itself in transistors", "examples/chain/transistors.toml; unequal: thresholds differ by 4 mV um", "time units", 8, []plot.Series{
		{Name: "reference", X: time, Y: loss},
		{Name: "nulled", X: nulled.Time, Y: nulled.Loss},
		{Name: "not nulled", X: not.Time, Y: not.Loss},
		{Name: "unequal, nulled", X: unequal.Time, Y: unequal.Loss},
		{Name: "unequal, not nulled", X: unequalNot.Time, Y: unequalNot.Loss},
	}).SVG(&svg)
	if err != nil {
		t.Fatal(err)
	}
	golden.Check(t, "../../docs/figures/transistor-loss.svg", svg.String())
}

// With unequal transistors the nulls decide whether a circuit learns. VLEC_LONG=1
// draws more of them.
func TestUnequalTransistorsTrainThemselves(t *testing.T) {
	seeds := []uint64{3}
	if os.Getenv("VLEC_LONG") != "" {
		seeds = []uint64{1, 2, 3, 4, 5, 6, 7}
	}
	for _, seed := range seeds {
		net := load(t, chain)
		net.Hardware.Spice.TimeUnit, net.Hardware.Spice.Transistors.AVT, net.Seed = 0.01, 4e-9, seed
		var last [2]float64
		for i, without := range []bool{false, true} {
			got, err := Train(t.Context(), net, TrainOptions{Level: "transistor", NoNull: without, NoCheck: true, Dir: t.TempDir()})
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("seed %d, nulls %v: %v", seed, !without, got)
			last[i] = got.Last
		}
		if last[1] < 3*last[0] || seed == 3 && last[0] > 0.0677/30 {
			t.Errorf("seed %d: nulled %g, not nulled %g", seed, last[0], last[1])
		}
	}
}

// Weights that are held do not pass for weights that learn.
func TestFrozenNetlistFails(t *testing.T) {
	net := load(t, chain)
	got, err := Train(t.Context(), net, TrainOptions{Dir: t.TempDir(), Frozen: true})
	if err != nil {
		t.Fatal(err)
	}
	if w := got.Weights["hidden_output.W"][0]; math.Abs(w-0.6) > 1e-6 {
		t.Errorf("a frozen weight moved to %g", w)
	}
	if got.Ref.Last < 10e-3 || !got.Pass() {
		t.Errorf("the reference of a frozen circuit is frozen, too: %v", got)
	}
	learned, err := Train(t.Context(), net, TrainOptions{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	got.Ref = learned.Ref
	got.Ref.Ratio = got.Last / learned.Ref.Last
	if got.Pass() {
		t.Errorf("a circuit that did not learn passes: %v", got)
	}
}

// A checkpoint belongs to one model.
func TestForeignCheckpoint(t *testing.T) {
	net := load(t, chain)
	file := filepath.Join(t.TempDir(), "checkpoint.json")
	for text, want := range map[string]string{
		`{"model":"chain","hash":"0","time":1}`:                  "another model",
		`{"model":"chain","hash":"` + net.Hash + `","time":400}`: "the run stopped at 400; the model lasts 40",
		`{`: "checkpoint.json: unexpected end",
	} {
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := compile.Read(file, net); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// Temporal XOR, with feedback that learns, trains itself in the netlist to at most
// twice the reference's loss, at every level and in every engine.
func TestTemporalXORTrainsItself(t *testing.T) {
	if os.Getenv("VLEC_LONG") == "" {
		t.Skip("ngspice takes minutes; VLEC_LONG=1 runs it")
	}
	net := load(t, "../../examples/temporal-xor/model.toml")
	for _, level := range []string{"ideal", "macro"} {
		for _, engine := range engines(t) {
			got, err := Train(t.Context(), net, TrainOptions{Level: level, Engine: engine, Dir: t.TempDir()})
			if err != nil {
				t.Fatal(err)
			}
			t.Log(got)
			if !got.Pass() || got.Last > got.First/100 {
				t.Error(got)
			}
		}
	}
}
