package model

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestGoodModels loads every example and every good model.
func TestGoodModels(t *testing.T) {
	var files []string
	for _, glob := range []string{"../examples/*/model.toml", "../testdata/models/good/*.toml"} {
		found, err := filepath.Glob(glob)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	if len(files) < 3 {
		t.Fatalf("only %d models found", len(files))
	}
	for _, file := range files {
		t.Run(filepath.Base(filepath.Dir(file))+"/"+filepath.Base(file), func(t *testing.T) {
			n, err := Load(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, w := range n.Warnings {
				t.Errorf("warning: %v", w)
			}
			if err := wellFormed(n); err != nil {
				t.Error(err)
			}
			again, err := Load(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(n, again); diff != "" {
				t.Errorf("two readings differ:\n%s", diff)
			}
		})
	}
}

// parse reads a model that must be right. What is not given is filled in.
func parse(t *testing.T, src string, opts ...Option) *Network {
	t.Helper()
	if !strings.Contains(src, "duration") {
		src = "duration = 10.0\n" + src
	}
	if !strings.Contains(src, "[population.") {
		src += "\n[population.only]\nsize = 1\ntau_m = 1.0\ntau_r = 0.1\n"
	}
	n, err := Parse("test.toml", []byte(src), "../testdata/models/data", opts...)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestDefaults(t *testing.T) {
	n := parse(t, "[population.a]\nsize = 2\ntau_m = 1\ntau_r = 0.5\n")
	want := &Network{
		Name: "test", File: "test.toml", Dt: 0.01, Duration: 10, Seed: 1, Beta: 1,
		Learning: Learning{Optimizer: SGD, Batch: 1},
		Probe:    Probe{Every: 0.01},
		Hardware: Hardware{
			Spice: SpiceHardware{
				TimeUnit: 1e-3, VoltageUnit: 1, ResistanceUnit: 1e6, Temperature: 27, Supply: 1, Resistors: 1, Capacitors: 1, Knee: 0.01,
				OpAmp:       OpAmp{Gain: 1e5, GBW: 2e6, Slew: 5e7, Rail: 10},
				OTA:         OTA{Range: 10, Gain: 1e4, Bandwidth: 2e6},
				Transistors: Transistors{Current: 1e-9, Width: 1e-6, Length: 1e-6, Supply: 0.9}, Bias: "constant", Nulls: "here",
				Mismatch: Mismatch{AutoZero: 1, Zeroed: "all", Seed: 1},
			},
			Verilog: VerilogHardware{TimeUnit: 1e-3},
		},
		Populations: []*Population{{
			Name: "a", Size: 2, TauM: []float64{1, 1}, TauR: []float64{0.5, 0.5}, Activation: Tanh,
			Bias: []float64{0, 0}, U0: []float64{0, 0}, V0: []float64{0, 0}, Pos: n.Populations[0].Pos,
		}},
	}
	want.Hash, want.Warnings = n.Hash, n.Warnings
	if diff := cmp.Diff(want, n); diff != "" {
		t.Error(diff)
	}
	if len(n.Warnings) != 1 || !strings.Contains(n.Warnings[0].Msg, "no input reaches population a") {
		t.Errorf("warnings: %v", n.Warnings)
	}
}

func TestModelNames(t *testing.T) {
	for file, want := range map[string]string{
		"chain.toml": "chain", "dir/model.toml": "model", "two words.toml": "two-words", "n\u00e4her.toml": "n-her",
		"2nd.toml": "model", "": "model", ".": "model", strings.Repeat("a", 99): "model",
	} {
		if got := modelName(file); got != want || badName(got) != "" {
			t.Errorf("%q: %q, want %q", file, got, want)
		}
	}
}

// TestMatrices compares the spellings of weights with what they mean.
func TestMatrices(t *testing.T) {
	weights := func(spelling string) []float64 {
		return parse(t, `
[population.a]
size = 2
tau_m = 1
tau_r = 1
[population.b]
size = 3
tau_m = 1
tau_r = 1
[projection.p]
from = "a"
to = "b"
feedback = { rule = "fixed", weights = { init = "transpose", scale = -1 } }
weights = `+spelling).Projections[0].W
	}
	for spelling, want := range map[string][]float64{
		"[[1, 2], [3, 4], [5, 6.5]]":          {1, 2, 3, 4, 5, 6.5},
		`"w32.npy"`:                           {0, 0.1, 0.2, 0.30000000000000004, 0.4, 0.5},
		`{ init = "constant", value = -0.5 }`: {-0.5, -0.5, -0.5, -0.5, -0.5, -0.5},
	} {
		if diff := cmp.Diff(want, weights(spelling)); diff != "" {
			t.Errorf("%s: %s", spelling, diff)
		}
	}
	w := weights(`{ init = "orthogonal", scale = 2 }`)
	for i := range 2 {
		for j := range 2 {
			dot, want := w[i]*w[j]+w[2+i]*w[2+j]+w[4+i]*w[4+j], 0.0
			if i == j {
				want = 4
			}
			if math.Abs(dot-want) > 1e-12 {
				t.Errorf("columns %d and %d of an orthogonal matrix: %v", i, j, dot)
			}
		}
	}
}

// TestTransposedFeedback checks the index of B against that of W.
func TestTransposedFeedback(t *testing.T) {
	for _, feedback := range []string{
		`{ rule = "gain-alignment", eta = 0.1 }`,
		`{ rule = "fixed", weights = { init = "transpose" } }`,
		`{ rule = "fixed", weights = [[1, 3, 5], [2, 4, 6]] }`,
	} {
		n := parse(t, "[population.a]\nsize = 2\ntau_m = 1\ntau_r = 1\n[population.b]\nsize = 3\ntau_m = 1\ntau_r = 1\n"+
			"[projection.p]\nfrom = 'a'\nto = 'b'\nweights = [[1, 2], [3, 4], [5, 6]]\nfeedback = "+feedback)
		if diff := cmp.Diff([]float64{1, 3, 5, 2, 4, 6}, n.Projections[0].Feedback.B); diff != "" {
			t.Errorf("%s: %s", feedback, diff)
		}
	}
}

// TestInitialisers compares means and spreads of many draws with the formulas.
func TestInitialisers(t *testing.T) {
	const rows, cols = 300, 200
	for init, want := range map[string]struct{ mean, sigma float64 }{
		`{ init = "uniform", low = 1, high = 3 }`:              {2, 2 / math.Sqrt(12)},
		`{ init = "normal", mean = 0.5, sigma = 2 }`:           {0.5, 2},
		`{ init = "xavier" }`:                                  {0, math.Sqrt(2.0 / (rows + cols))},
		`{ init = "xavier", scale = 3 }`:                       {0, 3 * math.Sqrt(2.0/(rows+cols))},
		`{ init = "he" }`:                                      {0, math.Sqrt(2.0 / cols)},
		`{ init = "constant", value = 1, density = 0.25 }`:     {0.25, math.Sqrt(0.25 * 0.75)},
		`{ init = "log-uniform", low = 1, high = 7.38905609 }`: {(math.E*math.E - 1) / 2, 1.788},
	} {
		n := parse(t, "[population.a]\nsize = 200\ntau_m = 1\ntau_r = 1\n[population.b]\nsize = 300\ntau_m = 1\ntau_r = 1\n"+
			"[projection.p]\nfrom = 'a'\nto = 'b'\nweights = "+init)
		mean, square := 0.0, 0.0
		w := n.Projections[0].W
		for _, x := range w {
			mean += x / float64(len(w))
			square += x * x / float64(len(w))
		}
		sigma := math.Sqrt(square - mean*mean)
		if math.Abs(mean-want.mean) > 0.02*(want.sigma+want.mean) || math.Abs(sigma/want.sigma-1) > 0.02 {
			t.Errorf("%s: mean %v, sigma %v instead of %v", init, mean, sigma, want)
		}
	}
}

// TestDrawsAreIndependent adds things to a model: what was drawn before stays.
func TestDrawsAreIndependent(t *testing.T) {
	const (
		base = "[input.x]\nsignal = 'noise'\ntau = 1\n[population.a]\nsize = 3\ntau_m = 1\ntau_r = 1\n" +
			"[projection.p]\nfrom = 'x'\nto = 'a'\nweights = { init = 'normal' }\n"
		more = "[input.b]\nsignal = 'noise'\ntau = 1\n[projection.a]\nfrom = 'b'\nto = 'a'\nweights = { init = 'normal' }\n"
	)
	one, two, other := parse(t, base), parse(t, more+base), parse(t, base, WithSeed(2))
	if diff := cmp.Diff(one.Projections[0].W, two.Projections[1].W); diff != "" {
		t.Errorf("another projection changes the weights: %s", diff)
	}
	if diff := cmp.Diff(one.Inputs[0].Channels, two.Inputs[1].Channels); diff != "" {
		t.Errorf("another input changes the noise: %s", diff)
	}
	if cmp.Equal(two.Projections[0].W, two.Projections[1].W) {
		t.Error("two projections draw the same weights")
	}
	if cmp.Equal(one.Projections[0].W, other.Projections[0].W) || cmp.Equal(one.Inputs, other.Inputs) || one.Hash == other.Hash {
		t.Error("another seed changes nothing")
	}
}

// TestHash changes with the model and with every file that it reads.
func TestHash(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	model := "duration = 1\n[input.x]\nsignal = 'file'\npath = 'x.csv'\n[population.a]\nsize = 1\ntau_m = 1\ntau_r = 1\n"
	hash := func() string {
		n, err := Load(filepath.Join(dir, "m.toml"))
		if err != nil {
			t.Fatal(err)
		}
		return n.Hash
	}
	write("m.toml", model)
	write("x.csv", "1\n2\n")
	first := hash()
	write("x.csv", "1\n3\n")
	second := hash()
	write("m.toml", model+"# a comment\n")
	if third := hash(); first == second || second == third || len(first) != 64 {
		t.Errorf("hashes %s, %s, %s", first, second, third)
	}
}

func TestLoadErrors(t *testing.T) {
	for path, want := range map[string]string{
		"nowhere.toml": "nowhere.toml: no such file or directory",
		".":            ".: it is not a regular file",
		"/dev/zero":    "/dev/zero: it is not a regular file",
	} {
		if _, err := Load(path); err == nil || err.Error() != want {
			t.Errorf("Load(%q): %v", path, err)
		}
	}
}

func TestSummary(t *testing.T) {
	n, err := Load("../testdata/models/good/recurrent.toml")
	if err != nil {
		t.Fatal(err)
	}
	s := n.Summary()
	if s.Neurons != 9 || s.Synapses != 8+12+9+6+8 || s.Plastic != 8+12+9+6 || !s.Recurrent || s.Steps != 2000 ||
		s.TauM != (Range{0.3, 2}) || s.TauR != (Range{0.1, 2.5}) || len(s.Populations) != 3 {
		t.Errorf("%+v", s)
	}
	if n, err = Load("../examples/chain/model.toml"); err != nil {
		t.Fatal(err)
	}
	s = n.Summary()
	if s.Recurrent || s.Neurons != 2 || s.Targets[0].Teacher != "output" || s.Projections[0].Feedback != "" || s.Projections[1].Feedback != Transpose {
		t.Errorf("%+v", s)
	}
}
