package verilog_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// TestProperties proves the properties of a small core over two steps, by the
// emitted Makefile. Each mistake that is put into the text must be found: one, and
// three with VLEC_LONG=1.
func TestProperties(t *testing.T) {
	if testing.Short() {
		t.Skip("proofs take 10 s")
	}
	for _, tool := range []string{"make", "yosys"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip(err)
		}
	}
	prove := func(dir string) error {
		c := exec.Command("make", "-s", "formal")
		c.Dir = dir
		out, err := c.CombinedOutput()
		if err != nil && !strings.Contains(string(out), "proof did fail") {
			t.Fatalf("%v\n%s", err, out)
		}
		return err
	}
	net, o := learner(1)
	o.Frozen = true
	_, dir := write(t, net, o, 1, 4, rand.New(rand.NewPCG(1, 1)))
	if err := prove(dir); err != nil {
		t.Fatal("a property does not hold")
	}
	for i, c := range [][3]string{
		{"control", "& (!cfg_write_i)", ""},                   // read what is written
		{"sweep", "active_o <= chains;", "active_o <= 1'd1;"}, // never stop
		{"slots", "active_o <= follows;", "active_o <= 1'd1;"},
	} {
		if i > 0 && os.Getenv("VLEC_LONG") == "" {
			break
		}
		name := filepath.Join(dir, "rtl", "learner_"+c[0]+".v")
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		wrong := strings.ReplaceAll(string(text), c[1], c[2])
		if wrong == string(text) {
			t.Fatalf("%s has no %q\n%s", name, c[1], text)
		}
		if err := os.WriteFile(name, []byte(wrong), 0o666); err != nil {
			t.Fatal(err)
		}
		if prove(dir) == nil {
			t.Errorf("%s: %q goes unnoticed", c[0], c[2])
		}
		if err := os.WriteFile(name, text, 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// TestPackaging reads the FuseSoC core as YAML: every file that it names exists,
// every target is made of file sets that there are, and the lists of files agree.
func TestPackaging(t *testing.T) {
	net, o := learner(3)
	_, dir := write(t, net, o, 2, 8, rand.New(rand.NewPCG(1, 1)))
	text, err := os.ReadFile(filepath.Join(dir, "learner.core"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(string(text), "CAPI=2:\n") {
		t.Error("its first line is not that of a core")
	}
	var core struct {
		Name     string
		Filesets map[string]struct {
			Files    []any
			FileType string `yaml:"file_type"`
		}
		Targets map[string]struct {
			Filesets    []string
			Toplevel    string
			DefaultTool string                    `yaml:"default_tool"`
			Tools       map[string]map[string]any `yaml:"tools"`
		}
	}
	if err := yaml.Unmarshal(text, &core); err != nil {
		t.Fatal(err)
	}
	var rtl []string
	for name, set := range core.Filesets {
		if set.FileType == "" || len(set.Files) == 0 {
			t.Errorf("file set %s is empty or has no type", name)
		}
		for _, f := range set.Files {
			path := fmt.Sprint(f)
			if m, ok := f.(map[string]any); ok {
				for k := range m {
					path = k
				}
			}
			if _, err := os.Stat(filepath.Join(dir, path)); err != nil {
				t.Error(err)
			}
			if name == "rtl" {
				rtl = append(rtl, path)
			}
		}
	}
	for _, name := range []string{"default", "lint", "sim", "synth"} {
		target, ok := core.Targets[name]
		if !ok || target.Toplevel == "" || len(target.Filesets) == 0 {
			t.Errorf("target %s is missing or empty", name)
		}
		if name != "default" && target.Tools[target.DefaultTool] == nil {
			t.Errorf("target %s has no options for its tool %q", name, target.DefaultTool)
		}
		for _, s := range target.Filesets {
			if _, ok := core.Filesets[s]; !ok {
				t.Errorf("target %s wants the files of %q, of which there are none", name, s)
			}
		}
	}
	list, err := os.ReadFile(filepath.Join(dir, "filelist.f"))
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Fields(string(list)); fmt.Sprint(got) != fmt.Sprint(rtl) {
		t.Errorf("filelist.f has %v, the core %v", got, rtl)
	}
	sby, err := os.ReadFile(filepath.Join(dir, "learner.sby"))
	if err != nil {
		t.Fatal(err)
	}
	_, files, _ := strings.Cut(string(sby), "[files]\n")
	if got := strings.Fields(files); fmt.Sprint(got) != fmt.Sprint(rtl) {
		t.Errorf("learner.sby has %v, the core %v", got, rtl)
	}
}
