package verilog

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"vlec/internal/golden"
)

const runs = "../../testdata/verilog/run"

// Each file in testdata/verilog/run is a testbench; NAME.out holds what it
// prints and its exit status, here and in Icarus.
func TestRuns(t *testing.T) {
	files, err := filepath.Glob(runs + "/*.v")
	if err != nil || len(files) < 5 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		t.Run(strings.TrimSuffix(filepath.Base(f), ".v"), func(t *testing.T) {
			s, err := ParseFiles(f)
			if err != nil {
				t.Fatal(err)
			}
			d, err := s.Elaborate("tb", nil)
			if err != nil {
				t.Fatal(err)
			}
			m, err := NewSim(d)
			if err != nil {
				t.Fatal(err)
			}
			var out bytes.Buffer
			m.Stdout = &out
			r, err := m.Run(t.Context(), 0)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&out, "status %d\n", b2i(r.Failed))
			text := strings.ReplaceAll(out.String(), filepath.Dir(f)+"/", "")
			golden.Check(t, strings.TrimSuffix(f, ".v")+".out", text)
			want := icarusFile(t, f)
			if d := firstDifference(want, text); d != "" {
				t.Errorf("Icarus differs: %s", d)
			}
		})
	}
}

// icarusFile runs a file in its own folder.
func icarusFile(t *testing.T, file string) string {
	t.Helper()
	if _, err := exec.LookPath("iverilog"); err != nil {
		t.Skip("iverilog is not installed")
	}
	vvp := filepath.Join(t.TempDir(), "t.vvp")
	c := exec.Command("iverilog", "-g2005-sv", "-gstrict-expr-width", "-o", vvp, filepath.Base(file))
	c.Dir = filepath.Dir(file)
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("iverilog: %v\n%s", err, out)
	}
	c = exec.Command("vvp", "-n", vvp)
	c.Dir = filepath.Dir(file)
	c.Stderr = os.Stderr
	out, err := c.Output()
	status := 0
	if e, ok := err.(*exec.ExitError); ok {
		status = e.ExitCode()
	}
	var keep []string
	for line := range strings.Lines(string(out)) {
		// Icarus adds a line to what $fatal says.
		if !strings.HasPrefix(line, "       Time: ") {
			keep = append(keep, line)
		}
	}
	return strings.Join(keep, "") + fmt.Sprintf("status %d\n", status)
}
