package referee

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// run runs a netlist, or skips the test without ngspice.
func run(t *testing.T, ctx context.Context, netlist string) (*SpiceRun, error) {
	t.Helper()
	r, err := Ngspice(ctx, netlist)
	if missing, ok := errors.AsType[*MissingError](err); ok {
		t.Skip(missing)
	}
	return r, err
}

func netlist(t *testing.T, lines ...string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "net.cir")
	if err := os.WriteFile(name, []byte(strings.Join(lines, "\n")+"\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestNgspice(t *testing.T) {
	r, err := run(t, t.Context(), "testdata/rc.cir")
	if err != nil {
		t.Fatal(err)
	}
	if r.Version == "" || len(r.Warnings) > 0 {
		t.Errorf("version %q, warnings %q", r.Version, r.Warnings)
	}
	for name, tau := range map[string]float64{"v(fast)": 0.1, "v(slow)": 1} {
		s := r.Trace.Signal(name)
		if s == nil {
			t.Fatalf("no %s in %v", name, r.Trace.Signals)
		}
		if s.Unit != "V" || len(s.Time) < 2000 || len(s.Time) != len(s.Data) || math.Abs(s.Time[len(s.Time)-1]-2) > 1e-9 {
			t.Fatalf("%s: %d samples in %q up to %g", name, len(s.Data), s.Unit, s.Time[len(s.Time)-1])
		}
		for k, v := range s.Data {
			if want := 1 - math.Exp(-s.Time[k]/tau); math.Abs(v-want) > 1e-4 {
				t.Fatalf("%s at %g: %g, want %g", name, s.Time[k], v, want)
			}
		}
	}
	if i := r.Trace.Signal("i(vin)"); i == nil || i.Unit != "A" {
		t.Errorf("i(vin): %v", i)
	}
	if left, _ := filepath.Glob("testdata/*.raw"); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// TestNgspiceFails runs what ngspice refuses, gives up, or passes over with exit
// status 0.
func TestNgspiceFails(t *testing.T) {
	for _, c := range []struct {
		name string
		file string
		want []string
	}{
		{"unknown value", netlist(t, "* x", "v1 a 0 1", "r1 a 0 foo", ".tran 1 2", ".end"), []string{"exit status 1", "r1 a 0 foo"}},
		{"no analysis", netlist(t, "* x", "v1 a 0 1", "r1 a 0 1", ".end"), []string{"needs a .tran line"}},
		{"only an operating point", netlist(t, "* x", "v1 a 0 1", "r1 a 0 1", ".op", ".end"), []string{"no transient analysis"}},
		{
			"no step is small enough",
			netlist(t, "* x", "v1 a 0 sin(0 1 1)", "b1 b 0 V={1e9*u(v(a)-v(b))-v(b)*v(b)*1e12}", "r1 b 0 1", "c1 b a 1e-3", ".tran 0.1 5 0 0.1 uic", ".end"),
			[]string{"Timestep too small", `trouble with node "b"`},
		},
		{"missing include", netlist(t, "* x", ".include nothing.lib", "v1 a 0 1", "r1 a 0 1", ".tran 1 2", ".end"), []string{"nothing.lib"}},
	} {
		_, err := run(t, t.Context(), c.file)
		if _, ok := errors.AsType[*RunError](err); !ok {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v\nwant %q", c.name, err, want)
			}
		}
	}
	if _, err := run(t, t.Context(), "testdata/none.cir"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
}

func TestNgspiceOP(t *testing.T) {
	lines := []string{"* divider", "v1 a 0 3", "x1 a b half", "r1 b 0 2k", ".subckt half in out", "r1 in n 500", "r2 n out 500", ".ends", "d1 0 b dx", ".model dx d(rs=1)", ".op", ".end"}
	point, err := NgspiceOP(t.Context(), netlist(t, lines...))
	if missing, ok := errors.AsType[*MissingError](err); ok {
		t.Skip(missing)
	}
	if err != nil {
		t.Fatal(err)
	}
	for node, want := range map[string]float64{"a": 3, "x1.n": 2.5, "b": 2} {
		if v, ok := point[node]; !ok || math.Abs(v-want) > 1e-6 {
			t.Errorf("%s is at %g V, want %g V", node, v, want)
		}
	}
	if len(point) != 3 { // none inside the diode
		t.Errorf("%v", point)
	}
	lines[len(lines)-2] = ".tran 1 2"
	if _, err := NgspiceOP(t.Context(), netlist(t, lines...)); err == nil || !strings.Contains(err.Error(), "needs a .op line") {
		t.Errorf("a transient: %v", err)
	}
	if _, err := NgspiceOP(t.Context(), netlist(t, "* x", "v1 a 0 1", "v2 a 0 2", ".op", ".end")); err == nil {
		t.Error("two sources in parallel have an operating point")
	}
}

func TestNgspiceStops(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	start := time.Now()
	_, err := run(t, ctx, netlist(t, "* hours", "v1 a 0 sin(0 1 1)", "r1 a b 1", "c1 b 0 1", ".tran 1e-6 1e6 0 1e-6 uic", ".save v(b)", ".end"))
	if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > 10*time.Second {
		t.Errorf("after %v: %v", time.Since(start), err)
	}
}

func TestMissing(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := Ngspice(t.Context(), "testdata/rc.cir")
	if _, ok := errors.AsType[*MissingError](err); !ok || !strings.Contains(err.Error(), "apt-get install ngspice") {
		t.Errorf("error %v", err)
	}
	for _, f := range Doctor(t.Context()) {
		if f.Path != "" || f.Version != "" || f.Purpose == "" || f.Package == "" {
			t.Errorf("%+v", f)
		}
	}
	if _, err := Find("none"); err == nil {
		t.Error("found what is no referee")
	}
}

// TestDoctor gives each tool a stand-in, so that it does not depend on what is
// installed.
func TestDoctor(t *testing.T) {
	bin := t.TempDir()
	for name, script := range map[string]string{
		"ngspice":       "echo '** ngspice-39.3 : Circuit level'",
		"iverilog":      "echo 'Icarus Verilog version 11.0 (stable)'; exit 1",
		"verilator":     "echo 'Verilator 5.006 2023-01-22'",
		"yosys":         "echo 'Yosys 0.23 (git sha1 7ce)'",
		"nextpnr-ice40": `echo '"nextpnr-ice40" -- Next Generation (Version 0.4-1+b1)' >&2`,
		"icepack":       "exit 1",
		"dot":           "echo 'dot - graphviz version 2.43.0 (0)' >&2",
		"python3":       "echo 'No module named torch' >&2; exit 1",
	} {
		if err := os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\n"+script+"\n"), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", bin)
	got := map[string]string{}
	for _, f := range Doctor(t.Context()) {
		if f.Path != "" {
			got[f.Name] = f.Version
		}
	}
	want := map[string]string{
		"ngspice": "39.3", "iverilog": "11.0", "verilator": "5.006", "yosys": "0.23", "nextpnr-ice40": "0.4-1+b1", "icepack": "", "dot": "2.43.0",
	}
	for name := range want {
		if v, ok := got[name]; !ok || v != want[name] {
			t.Errorf("%s: found %v, version %q, want %q", name, ok, v, want[name])
		}
	}
	if _, ok := got["python3-torch"]; ok {
		t.Error("a python3 without torch counts as torch")
	}
}

// TestInstallScript runs the script that make test begins with where it may not
// install anything: it names what is missing and succeeds.
func TestInstallScript(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("bash is not installed; the script is not run")
	}
	script, err := filepath.Abs("../../tools/install-referees.sh")
	if err != nil {
		t.Fatal(err)
	}
	empty := t.TempDir()
	sudoless := t.TempDir()
	for name, text := range map[string]string{"apt-get": "exit 100", "id": "echo 1000"} {
		if err := os.WriteFile(filepath.Join(sudoless, name), []byte("#!/bin/sh\n"+text+"\n"), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ name, path, env, want string }{
		{"no apt-get", empty, "", "there is no apt-get here"},
		{"not asked to", empty, "VLEC_NO_INSTALL=1", "VLEC_NO_INSTALL is set"},
		{"no root", sudoless, "", "this needs root"},
	} {
		cmd := exec.Command(bash, script)
		cmd.Env = []string{"PATH=" + c.path, c.env}
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), c.want) {
			t.Errorf("%s: %v\n%s", c.name, err, out)
		}
		for _, tool := range tools {
			if tool.command == "" && !strings.Contains(string(out), tool.Package) {
				t.Errorf("%s: the script does not install %s", c.name, tool.Package)
			}
		}
	}
}

const rawHeader = "Title: x\nDate: never\nPlotname: Transient Analysis\nFlags: real\nNo. Variables: 2\nNo. Points: 2   \n" +
	"Variables:\n\t0\ttime\ttime\n\t1\tV(A)\tvoltage\nBinary:\n"

func TestReadRaw(t *testing.T) {
	numbers := bytes.Repeat([]byte{0, 0, 0, 0, 0, 0, 0xf0, 0x3f}, 4)
	ac := strings.NewReplacer("Transient", "AC", "real", "complex").Replace(rawHeader)
	file := ac + strings.Repeat("\n", 64) + rawHeader + string(numbers)
	plots, err := readRaw(strings.NewReader(file))
	if err != nil || len(plots) != 2 || plots[0].variables != nil || plots[1].variables[1].name != "v(a)" || plots[1].variables[1].data[1] != 1 {
		t.Errorf("%+v, %v", plots, err)
	}
	for _, c := range []struct{ name, file, want string }{
		{"empty", "", "empty"},
		{"cut samples", rawHeader + string(numbers[:30]), "2 samples are announced, 1 are there"},
		{"cut header", rawHeader[:60], "unexpected EOF"},
		{"no header", "hello\n", "no header line"},
		{"negative", strings.Replace(rawHeader, "Points: 2", "Points: -2", 1), `"-2" points`},
		{"many", strings.Replace(rawHeader, "Variables: 2", "Variables: 99999999999", 1), "variables"},
		{"huge", strings.Replace(rawHeader, "Points: 2", "Points: 9999999999", 1), "are there"},
		{"unordered", strings.Replace(rawHeader, "\t1\t", "\t7\t", 1), "is not variable 1 of 2"},
		{"no list", "Plotname: x\nBinary:\n", "before the list"},
		{"text", strings.Replace(rawHeader, "Binary:", "Values:", 1), "filetype=binary"},
		{"no line end", strings.Repeat("x", 1<<17), "without end"},
	} {
		if _, err := readRaw(strings.NewReader(c.file)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.want)
		}
	}
}

func FuzzReadRaw(f *testing.F) {
	f.Add([]byte(rawHeader + "0123456789abcdef0123456789abcdef"))
	f.Add([]byte(strings.Replace(rawHeader, "real", "complex", 1) + rawHeader))
	f.Fuzz(func(t *testing.T, file []byte) {
		plots, err := readRaw(bytes.NewReader(file))
		if err != nil {
			return
		}
		for _, p := range plots {
			for _, v := range p.variables {
				if len(v.data) != p.points {
					t.Errorf("%s: %d samples of %d", v.name, len(v.data), p.points)
				}
			}
		}
	})
}
