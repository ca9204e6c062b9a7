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

// perturbations are edits of the text, each of which the check must refuse. The
// pattern has to match in the file whose name ends so.
var perturbations = []struct{ file, pattern, with string }{
	{"lane", `sum_before \+ `, "sum_before - "},
	{"lane", `updated_a \+ `, "updated_a - "},
	{"lane", `\(updated_twice\[`, "(updated_a["},
	{"lead_lag", `difference = (\w+) - `, "difference = $1 + "},
	{"lead_lag", `= (delta_near_floor_w\d+) \+ \w+;`, "= $1;"},
	{"lead_lag", `(lead_floor = membrane_i_d3 \? )(\w+) : (\w+)`, "$1$3 : $2"},
	{"lead_lag", `out_3 = (\w+) \+ `, "out_3 = $1 - "},
	{"lead_lag", `state_half = \$signed\(\{state_d3, 1'd1\}`, "state_half = $$signed({state_d3, 1'd0}"},
	{"mul_16x16", ` \* `, " + "},
	{"activation", `rise_sum = (\w+) \+ `, "rise_sum = $1 - "},
	{"activation", `phi_i == 2'd0`, "phi_i == 2'd1"},
	{"back_sum", `so_far \+ `, "so_far - "},
	{"error_in", `target_i_w17 - `, "target_i_w17 + "},
	{"sweep", `word_o \+ \d'd1`, "word_o"},
	{"sweep", `sender_o == last_sender`, "sender_o >= last_sender + 1'd1"},
	{"slots", `neuron_o \+ \d'd1`, "neuron_o"},
	{"control", `time_o == 5'd(\d)\d\b`, "time_o == 5'd${1}9"},
	{"weights_0_0", `(mem\[1\] = \d+'h\w*)\w;`, "${1}0;"},
	{"table", `(mem\[\d+\] = 32'h\w*)\w;`, "${1}f;"},
}

// An edited file is refused, with a sign, a constant or a step that is wrong.
func TestPerturbedRTL(t *testing.T) {
	dir := t.TempDir()
	core, err := emitted(t, parse(t, small), VerilogOptions{Learning: true, Steps: 60}, dir)
	if err != nil {
		t.Fatal(err)
	}
	tb := filepath.Join(dir, "tb", core.Top+"_tb.v")
	if r, err := rtlrun.Run(t.Context(), rtlrun.Options{Files: []string{tb}, Dir: dir, Stdout: io.Discard}); err != nil || !r.Pass {
		t.Fatal(r, err)
	}
	for _, p := range perturbations {
		name := filepath.Join(dir, "rtl", core.Top+"_"+p.file+".v")
		good, err := os.ReadFile(name)
		if err != nil {
			t.Error(err)
			continue
		}
		at := regexp.MustCompile(p.pattern)
		text := at.ReplaceAllString(string(good), p.with)
		if text == string(good) {
			t.Errorf("%s has no %s to perturb, or stays as it is", p.file, p.pattern)
			continue
		}
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		var said strings.Builder
		r, err := rtlrun.Run(t.Context(), rtlrun.Options{Files: []string{tb}, Dir: dir, Stdout: &said})
		if err == nil && r.Pass {
			t.Errorf("%s: %s instead of %s passes", p.file, p.with, p.pattern)
		}
		if err := os.WriteFile(name, good, 0o666); err != nil {
			t.Fatal(err)
		}
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
	name := filepath.Join(edited, "rtl", "trio_lead_lag.v")
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(strings.Replace(string(text), " - subtrahend", " + subtrahend", 1)), 0o666); err != nil {
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
		net := parse(t, randnet.Model(seed, randnet.Options{Forward: true, Frozen: seed%3 == 0, Feedbacks: []string{"transpose", "fixed"}}))
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
