package pass_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"vlec/circuit"
	"vlec/circuit/pass"
)

// TestTexts runs passes on the graphs under testdata: each archive names the
// passes in its comment and holds the text before and after them, with the nets
// that pruning leaves.
func TestTexts(t *testing.T) {
	units := circuit.Units{Time: 1e-3, Voltage: 0.1, Resistance: 1e5}
	passes := map[string]pass.Pass{}
	for _, p := range pass.Analog(units) {
		p.After = nil
		passes[p.Name] = p
	}
	for _, name := range pass.SeriesNames {
		p, err := pass.Series(name, new([]pass.Rounding))
		if err != nil {
			t.Fatal(err)
		}
		passes[name] = p
	}
	files, _ := filepath.Glob("testdata/*.txtar")
	if len(files) == 0 {
		t.Fatal("no test data")
	}
	for _, name := range files {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			before, after := section(t, a, "before"), section(t, a, "after")
			first, _, _ := strings.Cut(string(a.Comment), "\n")
			list := []pass.Pass{}
			for word := range strings.FieldsSeq(strings.TrimPrefix(first, "passes:")) {
				p, ok := passes[word]
				if !ok {
					t.Fatalf("there is no pass %q", word)
				}
				list = append(list, p)
			}
			c, err := circuit.Parse("before", before)
			if err != nil {
				t.Fatal(err)
			}
			if err := c.Verify(); err != nil {
				t.Fatal(err)
			}
			if err := pass.Run(c, list); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(after, c.String()); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

func section(t *testing.T, a *txtar.Archive, name string) string {
	for _, f := range a.Files {
		if f.Name == name {
			return string(f.Data)
		}
	}
	t.Fatalf("no section %q", name)
	return ""
}

const tiny = "net a potential 1\nstimulus a out=a wave=[constant(1)] @ m:1:1\n"

// TestRun wants that a list in the wrong order is refused, and that the pass
// that breaks a graph is named.
func TestRun(t *testing.T) {
	parse := func() *circuit.Circuit {
		c, err := circuit.Parse("x", tiny)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	if err := pass.Run(parse(), []pass.Pass{pass.Fuse}); err == nil || !strings.Contains(err.Error(), "pass fuse must run after fold") {
		t.Errorf("wrong order: %v", err)
	}
	saw := pass.Pass{Name: "saw", Run: func(c *circuit.Circuit) error { c.Elements[0].Pins[0] = nil; return nil }}
	if err := pass.Run(parse(), []pass.Pass{saw}); err == nil || !strings.Contains(err.Error(), `pass saw broke the circuit: m:1:1: stimulus "a": pin out is open`) {
		t.Errorf("a pass that breaks the graph: %v", err)
	}
	refuse := pass.Pass{Name: "refuse", Run: func(*circuit.Circuit) error { return errors.New("no") }}
	if err := pass.Run(parse(), []pass.Pass{refuse}); err == nil || err.Error() != "pass refuse: no" {
		t.Errorf("a pass that fails: %v", err)
	}
	for _, list := range [][]pass.Pass{pass.Analog(circuit.Units{Time: 1, Voltage: 1, Resistance: 1}), pass.Digital()} {
		if err := pass.Run(parse(), list); err != nil {
			t.Error(err)
		}
		for _, p := range list {
			if p.Name == "" || p.Reason == "" {
				t.Errorf("pass %q has no name or no reason", p.Name)
			}
		}
	}
}

func TestScaleRefuses(t *testing.T) {
	one := circuit.Units{Time: 1, Voltage: 1, Resistance: 1}
	c, _ := circuit.Parse("x", tiny)
	if err := pass.Scale(c, circuit.Units{Time: 1}); err == nil {
		t.Error("units without volts were accepted")
	}
	if err := pass.Scale(c, one); err != nil {
		t.Fatal(err)
	}
	if err := pass.Scale(c, one); err == nil {
		t.Error("a circuit was scaled twice")
	}
}
