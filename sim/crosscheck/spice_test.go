package crosscheck

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"vlec/emit"
	"vlec/internal/compile"
	"vlec/model"
	"vlec/sim"
)

const (
	chain     = "../../examples/chain/model.toml"
	recurrent = "../../testdata/models/good/recurrent.toml"
)

func load(t *testing.T, path string) *model.Network {
	t.Helper()
	net, err := model.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	return net
}

// briefly is a duration, or with -short the 4 units of time in which the slowest
// neuron of recurrent settles twice.
func briefly(duration float64) float64 {
	if testing.Short() {
		return min(duration, 4)
	}
	return duration
}

func engines(t *testing.T) []string {
	if _, err := exec.LookPath("ngspice"); err != nil {
		t.Log("ngspice is not installed: only the built-in engine is tested")
		return []string{"builtin"}
	}
	return []string{"builtin", "ngspice"}
}

// inEach checks a netlist in several engines, against one run of the reference.
func inEach(t *testing.T, engines []string, net *model.Network, o SpiceOptions) []*Verdict {
	t.Helper()
	var ref *sim.Trace
	var list []*Verdict
	for _, o.Engine = range engines {
		o.Dir = t.TempDir()
		c, err := newSpiceCheck(t.Context(), net, o)
		if err == nil && ref == nil {
			ref, err = c.reference(t.Context())
		}
		if err != nil {
			t.Fatal(err)
		}
		v, err := c.against(t.Context(), ref)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, v)
	}
	return list
}

// The netlist follows the model, in both engines, with and without learning.
func TestNetlistFollowsModel(t *testing.T) {
	for _, tc := range []struct {
		model    string
		learning bool
	}{{chain, false}, {chain, true}, {recurrent, false}, {recurrent, true}} {
		net := load(t, tc.model)
		if tc.model == recurrent {
			net.Duration = briefly(net.Duration)
		}
		list := inEach(t, engines(t), net, SpiceOptions{Learning: tc.learning})
		for _, v := range list {
			if !v.Pass() || v.Report.NRMSEMax() > 1e-4 {
				t.Errorf("learning %v: %v", tc.learning, v)
			}
			if weights := v.Reference.Signal(firstWeights(v)); tc.learning && (weights == nil || !moves(weights)) {
				t.Errorf("%s: no weight moved", tc.model)
			}
		}
		if len(list) == 2 {
			between := sim.Compare(list[0].Simulated, list[1].Simulated, sim.Options{Tolerance: 1e-3, From: 0.01})
			if !between.Pass() {
				t.Errorf("%s, learning %v: the engines disagree: %+v", tc.model, tc.learning, between.Worst())
			}
		}
	}
}

func firstWeights(v *Verdict) string {
	for _, s := range v.Reference.Signals {
		if sim.KindOf(s.Name) == "W" {
			return s.Name
		}
	}
	return ""
}

func moves(s *sim.Signal) bool {
	for i, x := range s.At(len(s.Time) - 1) {
		if d := x - s.At(0)[i]; d > 1e-3 || d < -1e-3 {
			return true
		}
	}
	return false
}

// A netlist that was changed by hand is refused, and the verdict names a neuron
// that the change reaches.
func TestEditedNetlistIsRefused(t *testing.T) {
	net := load(t, recurrent)
	net.Duration = briefly(net.Duration)
	dir := t.TempDir()
	var files emit.Artifacts // TestNetlistFollowsModel shows that they pass
	if _, err := compile.Spice(t.Context(), net, compile.SpiceOptions{}, &files); err != nil {
		t.Fatal(err)
	}
	if err := files.Commit(dir); err != nil {
		t.Fatal(err)
	}
	original, err := os.ReadFile(filepath.Join(dir, "net.cir"))
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name string
		edit func(t *testing.T, lines []string)
	}{
		{"one weight's sign", func(t *testing.T, lines []string) {
			i := find(t, lines, `^x_second_output0_0 .*p_w=`)
			lines[i] = strings.ReplaceAll(strings.Replace(lines[i], "p_w=", "p_w=-", 1), "--", "")
		}},
		{"two weights swapped", func(t *testing.T, lines []string) {
			i, j := find(t, lines, `^x_first_second0_0 .*p_w=`), find(t, lines, `^x_first_second1_0 .*p_w=`)
			w := regexp.MustCompile(`p_w=\S+`)
			a, b := w.FindString(lines[i]), w.FindString(lines[j])
			lines[i], lines[j] = w.ReplaceAllString(lines[i], b), w.ReplaceAllString(lines[j], a)
		}},
		{"one tau by 1 %", func(t *testing.T, lines []string) {
			i := find(t, lines, `^x_first_membrane1 .*p_tau=`)
			lines[i] = regexp.MustCompile(`p_tau=\S+`).ReplaceAllStringFunc(lines[i], func(s string) string {
				tau, err := strconv.ParseFloat(strings.TrimPrefix(s, "p_tau="), 64)
				if err != nil {
					t.Fatal(err)
				}
				return "p_tau=" + strconv.FormatFloat(1.01*tau, 'g', -1, 64)
			})
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			lines := strings.Split(string(original), "\n")
			tc.edit(t, lines)
			edited := filepath.Join(dir, "edited.cir")
			if err := os.WriteFile(edited, []byte(strings.Join(lines, "\n")), 0o666); err != nil {
				t.Fatal(err)
			}
			for _, v := range inEach(t, engines(t), net, SpiceOptions{Artifact: edited}) {
				worst := v.Report.Worst()
				if v.Pass() || worst.Worst == "" {
					t.Errorf("%s: passes: %v", v.Engine, v)
				}
				t.Logf("%s: %v", v.Engine, v)
			}
		})
	}
	if after, err := os.ReadFile(filepath.Join(dir, "net.cir")); err != nil || !bytes.Equal(after, original) {
		t.Error("checking an artefact changed the netlist beside it")
	}
}

func find(t *testing.T, lines []string, pattern string) int {
	t.Helper()
	re := regexp.MustCompile(pattern)
	for i, line := range lines {
		if re.MatchString(line) {
			return i
		}
	}
	t.Fatalf("no line matches %s", pattern)
	return -1
}

// Two runs leave the same bytes.
func TestSameBytes(t *testing.T) {
	var folders [2]string
	for i := range folders {
		folders[i] = t.TempDir()
		if _, err := Spice(t.Context(), load(t, chain), SpiceOptions{Learning: true, Dir: folders[i], PNG: true}); err != nil {
			t.Fatal(err)
		}
	}
	files, err := os.ReadDir(folders[0])
	if _, noPicture := os.Stat(filepath.Join(folders[0], "waveforms.png")); err != nil || noPicture != nil || len(files) < 6 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		a, errA := os.ReadFile(filepath.Join(folders[0], f.Name()))
		b, errB := os.ReadFile(filepath.Join(folders[1], f.Name()))
		if errA != nil || errB != nil || !bytes.Equal(a, b) {
			t.Errorf("%s differs between two runs (%v, %v)", f.Name(), errA, errB)
		}
	}
}
