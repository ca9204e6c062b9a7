package archtest_test

import (
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"vlec/internal/archtest"
)

func TestModule(t *testing.T) {
	wrong, err := archtest.Check(os.DirFS("../.."), "vlec", archtest.Rooms)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range wrong {
		t.Error(w)
	}
}

// TestCheckFails builds a house with one fault of each kind.
func TestCheckFails(t *testing.T) {
	source := func(name string, imports ...string) *fstest.MapFile {
		text := "// Package " + name + " is synthetic.\n//\n// # For maintainers\n//\n// It has faults.\npackage " + name + "\n"
		for _, i := range imports {
			text += "import _ \"" + i + "\"\n"
		}
		return &fstest.MapFile{Data: []byte(text)}
	}
	bare := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	house := fstest.MapFS{
		"model/m.go":             source("model", "vlec/model/diag", "vlec/sim"),
		"model/diag/d.go":        source("diag"),
		"circuit/c.go":           source("circuit", "vlec/model"),
		"circuit/lower/l.go":     source("lower", "vlec/circuit", "vlec/model"),
		"emit/e.go":              source("emit", "vlec/circuit"),
		"sim/s.go":               source("sim"),
		"sim/spice/s.go":         source("spice", "vlec/sim", "vlec/internal/helper"),
		"sim/spice/s_test.go":    source("spice", "vlec/emit"), // tests may
		"sim/spice/sparse/s.go":  source("sparse"),
		"sim/spice/x/x.go":       source("x", "vlec/sim/spice/sparse"),
		"sim/crosscheck/c.go":    source("crosscheck", "vlec/emit", "vlec/model", "vlec/cmd/vlec"),
		"internal/helper/h.go":   source("helper", "vlec/emit"),
		"cmd/vlec/main.go":       source("main", "math", "vlec/model"),
		"attic/a.go":             source("attic"),
		"sim/verilog/v.go":       bare("package verilog\n"),
		"sim/verilog/one/o.go":   bare("// Something else.\n//\n// # For maintainers\npackage one\n"),
		"sim/verilog/two/a.go":   source("two"),
		"sim/verilog/two/b.go":   source("two"),
		"sim/verilog/three/t.go": bare("// Package three has no essay.\npackage three\n"),
		"sim/long_test.go":       bare("package sim\n" + strings.Repeat("//\n", 1000)),
		"testdata/broken.go":     bare("not Go"),
		"tools/go.mod":           bare("module vlec/tools\n"),
		"tools/t.go":             bare("package tools\n"),
	}
	got, err := archtest.Check(house, "vlec", archtest.Rooms)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"attic/a.go:6:1: package attic is in no room; give it one in internal/archtest",
		"circuit/c.go:7:8: circuit reaches model; the graph stands between model and text and knows neither",
		"circuit/c.go:7:8: circuit reaches sim through model; the graph stands between model and text and knows neither",
		"circuit/lower/l.go:8:8: circuit/lower reaches sim through model; the only room that knows both model and circuit",
		"cmd/vlec/main.go:7:8: cmd/vlec imports math; commands hold no logic",
		"emit/e.go:7:8: emit reaches model through circuit; printers see the graph, never the model or a simulator",
		"emit/e.go:7:8: emit reaches sim through circuit; printers see the graph, never the model or a simulator",
		"model/m.go:8:8: model reaches sim; a model is read and checked without knowing what becomes of it",
		"sim/crosscheck/c.go:9:8: sim/crosscheck reaches cmd/vlec; here the ways meet",
		"sim/long_test.go: 1001 lines; a file is one concept: split it",
		"sim/spice/s.go:8:8: sim/spice reaches circuit through internal/helper; a reader that knew the printer would read back its mistakes",
		"sim/spice/s.go:8:8: sim/spice reaches emit through internal/helper; a reader that knew the printer would read back its mistakes",
		"sim/spice/s.go:8:8: sim/spice reaches internal/helper; a reader that knew the printer would read back its mistakes",
		"sim/spice/s.go:8:8: sim/spice reaches model through internal/helper; a reader that knew the printer would read back its mistakes",
		`sim/verilog/one/o.go:4:1: the comment of package sim/verilog/one does not begin with Package`,
		`sim/verilog/three/t.go:2:1: the comment of package sim/verilog/three has no part "# For maintainers"`,
		"sim/verilog/two/a.go:6:1: package sim/verilog/two has 2 comments; one is read",
		"sim/verilog/v.go:1:1: package sim/verilog has no comment",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}
