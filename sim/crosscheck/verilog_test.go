package crosscheck

import (
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"vlec/internal/randnet"
	"vlec/internal/rtlrun"
	"vlec/model"
	"vlec/sim/verilog"
)

func loadExample(t *testing.T, name string) *model.Network {
	t.Helper()
	net, err := model.Load("../../examples/" + name + "/model.toml")
	if err != nil {
		t.Fatal(err)
	}
	net.Duration = 4
	return net
}

// small has more than one of everything.
const small = `
name = "trio"
dt = 0.01
duration = 2.0
[learning]
eta = 0.2
[input.drive]
signal = "sine"
frequency = 0.5
[population.hidden]
size = 3
tau_m = 0.3
tau_r = 0.1
u0 = [0.3, -0.2, 0.1]
[population.output]
size = 2
tau_m = [0.4, 0.2]
tau_r = 0.1
activation = "linear"
[projection.drive_hidden]
from = "drive"
to = "hidden"
weights = [[0.8], [-0.6], [1.1]]
plastic = true
[projection.hidden_output]
from = "hidden"
to = "output"
weights = [[0.5, -0.7, 0.4], [0.9, 0.2, -0.3]]
plastic = true
[target.aim]
population = "output"
channels = [{ signal = "constant", value = 0.4 }, { signal = "constant", value = -0.3 }]
`

// The chain, frozen and learning, holds; the frozen one within proved bounds.
func TestVerilogChain(t *testing.T) {
	for _, learning := range []bool{false, true} {
		net := loadExample(t, "chain")
		v, err := Verilog(t.Context(), net, RTLOptions{VerilogOptions: VerilogOptions{Learning: learning, Steps: 400}, Dir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		if !v.Pass() || len(v.Text) != 1 || v.Learning != learning {
			t.Errorf("%v\n%+v", v, v.Text)
		}
		if learning != (len(v.Bounds) == 0) {
			t.Errorf("learning is %v, %d bounds are proved", learning, len(v.Bounds))
		}
		if c := v.Continuous["r"]; !(c.NRMSE > 1e-3 && c.NRMSE < 0.1) {
			t.Errorf("the step is seen as %+v", c)
		}
	}
}

// perturbations are the edits that a tired person makes: a wrong sign, exchanged
// arms, one too many, a wrong entry of a table.
var perturbations = []struct {
	name    string
	pattern *regexp.Regexp
	with    string
}{
	{"minus for plus", regexp.MustCompile(`( = \w+) \+ (\w+;)`), "$1 - $2"},
	{"plus for minus", regexp.MustCompile(`( = \w+) - (\w+;)`), "$1 + $2"},
	{"plus for times", regexp.MustCompile(`( = \w+) \* (\w+;)`), "$1 + $2"},
	{"exchanged arms", regexp.MustCompile(`( = \w+ \? )(\w+) : (\w+);`), "$1$3 : $2;"},
	{"no step", regexp.MustCompile(`(<= \w+) \+ \d+'d1;`), "$1;"},
	{"wrong table", regexp.MustCompile(`(mem\[\d+\] = \d+'h\w*)\w;`), "${1}5;"},
}

// An edited file is refused. A perturbation stands in each place by itself, except
// in tables, where it is in all entries. A place that no run without errors of the
// stream uses may escape, so nine of ten are demanded, and every multiplier.
func TestPerturbedRTL(t *testing.T) {
	long := os.Getenv("VLEC_LONG") != ""
	for _, c := range []struct{ name, feedback string }{
		{"transpose", ""},
		{"gain-alignment", "decay = 0.5\nfeedback = { rule = \"gain-alignment\", eta = 1.0 }\n"},
		{"pal", "feedback = { rule = \"pal\", eta = 10.0, decay = 0.02, noise_sigma = 0.2, noise_tau = 0.1, high_pass = 0.2 }\n"},
		{"noise", "feedback = { rule = \"gain-alignment\", eta = 1.0, noise_sigma = 0.2, noise_tau = 0.1 }\n"},
		{"gain-transpose", "feedback = { rule = \"gain-transpose\", eta = 1.0, weights = [[0.5, 0.3], [-0.4, 0.6], [0.2, 0.1]] }\n"},
		{"kolen-pollack", "feedback = { rule = \"kolen-pollack\", eta = 0.2, decay = 0.5, weights = [[0.5, 0.3], [-0.4, 0.6], [0.2, 0.1]] }\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if !long && (c.name == "pal" || c.name == "noise") {
				t.Skip("VLEC_LONG=1 runs it")
			}
			perturb(t, strings.Replace(small, "[target.aim]", c.feedback+"[target.aim]", 1))
		})
	}
}

func perturb(t *testing.T, text string) {
	dir := t.TempDir()
	core, err := emitted(t, parse(t, text), VerilogOptions{Learning: true, Steps: 40}, dir)
	if err != nil {
		t.Fatal(err)
	}
	tb := filepath.Join(dir, "tb", core.Top+"_tb.v")
	refused := func() bool {
		r, err := rtlrun.Run(t.Context(), rtlrun.Options{Files: []string{tb}, Dir: dir, Stdout: io.Discard})
		return err != nil || !r.Pass
	}
	if refused() {
		t.Fatal("the text is refused as it was written")
	}
	files, err := filepath.Glob(filepath.Join(dir, "rtl", "*.v"))
	if err != nil {
		t.Fatal(err)
	}
	tried, found := 0, 0
	for _, name := range files {
		good, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		// Properties stand last in a module, and no simulation reads them.
		formal := strings.Index(string(good), "`ifdef FORMAL")
		for _, p := range perturbations {
			at := p.pattern.FindAllStringIndex(string(good), -1)
			if formal >= 0 {
				at = slices.DeleteFunc(at, func(i []int) bool { return i[0] > formal })
			}
			if p.name == "wrong table" && len(at) > 1 {
				at = [][]int{{at[0][0], at[len(at)-1][1]}}
			}
			for _, i := range at {
				edit := p.pattern.ReplaceAllString(string(good[i[0]:i[1]]), p.with)
				if edit == string(good[i[0]:i[1]]) {
					continue
				}
				if err := os.WriteFile(name, []byte(string(good[:i[0]])+edit+string(good[i[1]:])), 0o666); err != nil {
					t.Fatal(err)
				}
				tried++
				if refused() {
					found++
					continue
				}
				t.Logf("%s in %s passes: %s", p.name, filepath.Base(name), strings.TrimSpace(edit))
				if p.name == "plus for times" {
					t.Errorf("%s in %s passes", p.name, filepath.Base(name))
				}
			}
		}
		if err := os.WriteFile(name, good, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d of %d perturbations are refused", found, tried)
	if tried < 30 || found*10 < tried*9 {
		t.Errorf("%d of %d perturbations are refused", found, tried)
	}
}

// An artefact that somebody edited is what is judged, not what would be emitted.
func TestRTLArtifact(t *testing.T) {
	net := parse(t, small)
	edited := t.TempDir()
	o := RTLOptions{VerilogOptions: VerilogOptions{Learning: true, Steps: 40}, Dir: edited}
	if _, err := Verilog(t.Context(), net, o); err != nil {
		t.Fatal(err)
	}
	o.Artifact, o.Dir = filepath.Join(edited, "rtl", "trio.v"), t.TempDir()
	if v, err := Verilog(t.Context(), net, o); err != nil || !v.Pass() {
		t.Fatal(v, err)
	}
	name := filepath.Join(edited, "rtl", "trio_mul_16x16.v")
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(strings.Replace(string(text), " * ", " + ", 1)), 0o666); err != nil {
		t.Fatal(err)
	}
	v, err := Verilog(t.Context(), net, o)
	if err != nil || v.Pass() || !strings.Contains(v.String(), "DOES NOT HOLD: in builtin the text differs") {
		t.Errorf("%v, %v", v, err)
	}
}

// What is emitted has nothing for the sign lint to find.
func TestEmittedTextHasNoSignMistakes(t *testing.T) {
	for seed := range uint64(8) {
		net := parse(t, randnet.Model(seed, randnet.Options{Forward: true, Frozen: seed%3 == 0, Decay: true, Feedbacks: []string{"transpose", "fixed"}, Rule: ruleOf(seed)}))
		dir := t.TempDir()
		if _, err := emitted(t, net, VerilogOptions{Learning: seed%3 != 0, Bits: 10 + 2*int(seed), Lanes: 1 + int(seed)%3, Steps: 8}, dir); err != nil {
			t.Fatal(err)
		}
		files, _ := filepath.Glob(filepath.Join(dir, "rtl", "*.v"))
		slices.Sort(files)
		src, err := verilog.ParseFiles(files...)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range verilog.Lint(src) {
			t.Error(f)
		}
	}
}
