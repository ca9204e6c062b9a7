package verilog

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Each file in testdata/verilog/signbugs holds a bug that no compiler warns
// of, marked with what the lint says, and the text that was meant next to it.
func TestLintCatchesSignBugs(t *testing.T) {
	files, err := filepath.Glob("../../testdata/verilog/signbugs/*.v")
	if err != nil || len(files) < 6 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		name := strings.TrimSuffix(filepath.Base(f), ".v")
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			s, err := ParseFiles(f)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(string(text), "// want: ") {
				t.Fatal("no bug is marked")
			}
			compareErrors(t, string(text), Lint(s).Err())
			// The bug is one: what comes out is not what was meant.
			m := build(t, string(text), name)
			for port, v := range map[string]int64{"x_i": -100, "z_i": 3, "u_i": 0, "sel_i": 1} {
				if err := m.Set(port, v); err != nil {
					t.Fatal(err)
				}
			}
			y, err := m.Get("y_o")
			if err != nil {
				t.Fatal(err)
			}
			meant, err := m.Get("meant_o")
			if err != nil {
				t.Fatal(err)
			}
			if y == meant {
				t.Errorf("y_o is what was meant: %d", y)
			}
			t.Logf("%d instead of %d", y, meant)
		})
	}
}

func TestLintIsSilentOnCleanCode(t *testing.T) {
	files, err := filepath.Glob("../../testdata/verilog/clean/*.v")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		s, err := ParseFiles(f)
		if err != nil {
			t.Fatal(err)
		}
		if l := Lint(s); len(l) > 0 {
			t.Errorf("%v", l)
		}
	}
}

// The classic six are silent elsewhere, which is why there is a lint.
func TestOthersAreSilent(t *testing.T) {
	if _, err := exec.LookPath("iverilog"); err != nil {
		t.Skip("iverilog is not installed")
	}
	for _, name := range []string{"mixed_arm", "part_select", "concatenation", "unsigned_literal", "logical_shift", "mixed_compare"} {
		out, err := exec.Command("iverilog", "-g2005", "-Wall", "-t", "null", "../../testdata/verilog/signbugs/"+name+".v").CombinedOutput()
		if err != nil || len(out) > 0 {
			t.Errorf("%s: %v %s", name, err, out)
		}
	}
}
