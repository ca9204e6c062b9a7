package verilog_test

import (
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vlec/emit"
	"vlec/internal/golden"
	"vlec/model"
	"vlec/sim/crosscheck"
	"vlec/sim/referee"
)

// designs are small cores whose every byte is kept.
var designs = []struct {
	name, model string
	o           crosscheck.VerilogOptions
}{
	{"chain", "../../examples/chain/model.toml", crosscheck.VerilogOptions{Learning: true, Device: "up5k", Steps: 8}},
	{"tiny-frozen", "../../examples/tiny/model.toml", crosscheck.VerilogOptions{Device: "ecp5", Lanes: 2, Steps: 8}},
	{"aligned", "../../examples/chain/learned.toml", crosscheck.VerilogOptions{Learning: true, Device: "up5k", Steps: 8}},
	{"mixed", "testdata/mixed.toml", crosscheck.VerilogOptions{Learning: true, Device: "ecp5", Lanes: 2, Steps: 8}},
}

func compile(t *testing.T, file string, o crosscheck.VerilogOptions) *emit.Artifacts {
	t.Helper()
	net, err := model.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	files := new(emit.Artifacts)
	if _, err := crosscheck.EmitVerilog(context.Background(), net, o, files); err != nil {
		t.Fatal(err)
	}
	return files
}

// TestGolden keeps the bytes of small designs, and lets their testbenches run.
func TestGolden(t *testing.T) {
	for _, d := range designs {
		t.Run(d.name, func(t *testing.T) {
			files := compile(t, d.model, d.o)
			for _, name := range files.Paths() {
				text, err := files.Content(name)
				if err != nil {
					t.Fatal(err)
				}
				golden.Check(t, "testdata/"+d.name+"/"+name, text)
			}
			dir := t.TempDir()
			if err := files.Commit(dir); err != nil {
				t.Fatal(err)
			}
			tb, err := filepath.Glob(filepath.Join(dir, "tb", "*_tb.v"))
			if err != nil || len(tb) != 1 {
				t.Fatal(tb, err)
			}
			rtl, err := filepath.Glob(filepath.Join(dir, "rtl", "*.v"))
			if err != nil {
				t.Fatal(err)
			}
			top := strings.TrimSuffix(filepath.Base(tb[0]), ".v")
			passes(t, referee.Icarus, referee.VerilogJob{Files: append(rtl, tb...), Top: top, Dir: dir})
		})
	}
}

// TestHostileNames wants names nowhere but in identifiers that emit.Names made,
// and in comments. The model language refuses such names; a graph that was built
// by hand may have them.
func TestHostileNames(t *testing.T) {
	const hostile = "x; endmodule $system(\"rm -rf /\"); /* */ \\\n`include \"/etc/passwd\"\r\nwire\u2028$evil"
	r := rand.New(rand.NewPCG(3, 3))
	net, o := randomNetwork(r)
	rename := func(name *string) {
		for key, v := range o.Observed {
			if rest, ok := strings.CutPrefix(key, *name+"."); ok {
				o.Observed[hostile+*name+"."+rest] = v
			}
		}
		o.Observed["target/"+hostile+*name] = 1
		*name = hostile + *name
	}
	net.Name = hostile
	for i := range net.Inputs {
		rename(&net.Inputs[i].Name)
	}
	for i := range net.Populations {
		rename(&net.Populations[i].Name)
		if t := net.Populations[i].Target; t != nil {
			rename(&t.Name)
		}
	}
	for i := range net.Projections {
		rename(&net.Projections[i].Name)
	}
	c, dir := write(t, net, o, 2, 8, r)
	files, err := filepath.Glob(filepath.Join(dir, "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	top, err := filepath.Glob(filepath.Join(dir, "*.*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range append(files, top...) {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(name, ".json") {
			continue // JSON quotes what it holds
		}
		for line := range strings.Lines(string(text)) {
			code, _, _ := strings.Cut(line, "//")
			for _, evil := range []string{"$system", "endmodule ", "rm -rf /", "/etc", "$evil"} {
				if strings.Contains(code, evil) && !strings.HasPrefix(line, "#") {
					t.Errorf("%s: a name got out: %s", name, line)
				}
			}
		}
	}
	passes(t, referee.Icarus, job(t, c, dir))
}
