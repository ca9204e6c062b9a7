package spicerun_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"vlec/internal/spicerun"
	"vlec/internal/tracefile"
	"vlec/sim/spice"
)

const circuit = `a low-pass filter, stepped
.param r=1k
v1 in 0 dc 1 ac 1 pulse(0 1 0 1u 1u 1m 2m)
r1 in out {r}
c1 out 0 100n
.op
.dc v1 0 1 0.25
.ac dec 10 10 1meg
.tran 10u 2m
.measure tran rise trig v(out) val=0.1 rise=1 targ v(out) val=0.9 rise=1
.measure ac fc when vdb(out)=-3.0103 fall=1
`

func write(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "net.cir")
	if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	return name
}

func run(t *testing.T, file string, o spicerun.Options) *spicerun.Result {
	t.Helper()
	r, err := spicerun.Netlist(context.Background(), file, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestSteps steps a parameter and the temperature and finds in every run the time
// constant that its values mean.
func TestSteps(t *testing.T) {
	file := write(t, strings.Replace(circuit, "r1 in out {r}", "r1 in out {r} tc1=0.01", 1)+".step temp list 27 77\n.end\n")
	dir := t.TempDir()
	r := run(t, file, spicerun.Options{Dir: dir, Format: "csv", Steps: []string{"r=500:1.5k:500"}})
	if len(r.Runs) != 6 {
		t.Fatalf("%d runs", len(r.Runs))
	}
	f, err := os.Open(filepath.Join(dir, "steps.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(rows[0], ","); got != "folder,temp,r,fc,rise" {
		t.Errorf("header %s", got)
	}
	for k, row := range rows[1:] {
		v := make([]float64, len(row))
		for i := range row[1:] {
			if v[i], err = strconv.ParseFloat(row[i+1], 64); err != nil {
				t.Fatal(err)
			}
		}
		ohms := v[1] * (1 + 0.01*(v[0]-27))
		if want := 1 / (2 * math.Pi * ohms * 100e-9); math.Abs(v[2]/want-1) > 2e-3 {
			t.Errorf("run %d: corner at %g Hz, want %g", k+1, v[2], want)
		}
		if want := math.Log(9) * ohms * 100e-9; math.Abs(v[3]/want-1) > 2e-2 {
			t.Errorf("run %d: rise %g s, want %g", k+1, v[3], want)
		}
		if _, err := os.Stat(filepath.Join(dir, row[0], "trace.csv")); err != nil {
			t.Error(err)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*", ".vlec-*")); len(left) > 0 {
		t.Errorf("temporary files are left: %v", left)
	}
}

// TestStepAgainstNgspice runs the stepped values one by one in the referee.
func TestStepAgainstNgspice(t *testing.T) {
	if _, err := exec.LookPath("ngspice"); err != nil {
		t.Skip("ngspice is not installed")
	}
	file := write(t, circuit+".end\n")
	r := run(t, file, spicerun.Options{Steps: []string{"r=500,1k,4k"}})
	for k, ohms := range []string{"500", "1k", "4k"} {
		text := strings.Replace(circuit, "r=1k", "r="+ohms, 1)
		for _, a := range []string{".op\n", ".dc v1 0 1 0.25\n", ".tran 10u 2m\n"} {
			text = strings.Replace(text, a, "", 1)
		}
		text = text[:strings.Index(text, ".measure tran")] + text[strings.Index(text, ".measure ac"):]
		out, err := exec.Command("ngspice", "-b", write(t, text+".print ac v(out)\n.end\n")).CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		_, after, ok := strings.Cut(string(out), "fc                  =")
		if !ok {
			t.Fatalf("no fc in\n%s", out)
		}
		want, err := strconv.ParseFloat(strings.Fields(after)[0], 64)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range r.Runs[k].Analyses {
			if a.Name == "ac" && math.Abs(*a.Measures[0].Value/want-1) > 1e-5 {
				t.Errorf("r=%s: fc %g, ngspice %g", ohms, *a.Measures[0].Value, want)
			}
		}
	}
}

// TestFormats compares what the files of a streamed transient hold.
func TestFormats(t *testing.T) {
	file := write(t, "t\nv1 in 0 sin(0 1 1k)\nr1 in out 1k\nc1 out 0 100n\n.tran 1u 3m 0 1u\n.end\n")
	dir := t.TempDir()
	var data [][]float64
	for _, format := range spicerun.Formats {
		r := run(t, file, spicerun.Options{Dir: filepath.Join(dir, format), Format: format, Save: []string{"v(out)"}, Every: 7})
		name := r.Runs[0].Analyses[0].File
		switch format {
		case "npz":
			tr, err := tracefile.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			data = append(data, tr.Signal("v(out)").Data)
		case "csv":
			f, err := os.Open(name)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			rows, err := csv.NewReader(f).ReadAll()
			if err != nil {
				t.Fatal(err)
			}
			var col []float64
			for _, row := range rows[1:] {
				v, _ := strconv.ParseFloat(row[1], 64)
				col = append(col, v)
			}
			data = append(data, col)
		default:
			f, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			plots, err := spice.ReadRaw(name, bytes.NewReader(f))
			if err != nil {
				t.Fatal(err)
			}
			data = append(data, plots[0].Trace().Signal("v(out)").Data)
		}
	}
	if len(data[0]) < 400 {
		t.Errorf("%d samples", len(data[0]))
	}
	for k := range data {
		if fmt.Sprint(data[k]) != fmt.Sprint(data[0]) {
			t.Errorf("%s and %s differ", spicerun.Formats[k], spicerun.Formats[0])
		}
	}
}

// TestMemory: a run ten times as long allocates no more.
func TestMemory(t *testing.T) {
	allocated := func(ms int, format string) uint64 {
		file := write(t, fmt.Sprintf("t\nv1 in 0 sin(0 1 1k)\nr1 in out 1k\nc1 out 0 100n\nd1 out 0 m\n.model m d\n.options trtol=1e6\n.tran 1u %dm 0 1u\n.end\n", ms))
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		run(t, file, spicerun.Options{Dir: t.TempDir(), Format: format})
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	for _, format := range []string{"raw", "csv"} {
		allocated(1, format)
		short, long := allocated(10, format), allocated(100, format)
		t.Logf("%s: %d and %d bytes for 1e4 and 1e5 steps", format, short, long)
		if long > short+100_000 {
			t.Errorf("%s: memory grows with the run: %d and %d bytes", format, short, long)
		}
	}
}

func TestErrors(t *testing.T) {
	for _, c := range []struct {
		text, step, want string
		ran              bool
	}{
		{"t\nr1 a 0 1\n", "", "net.cir:1: the netlist asks for no analysis; add a .tran, .op, .dc or .ac card", false},
		{circuit, "r", "--step r: write NAME=1k,2k,5k or NAME=FIRST:LAST:STEP", false},
		{circuit, "q=1,2", "--step:1:1: q cannot be stepped; name an independent source, or write .step param name …", false},
		{circuit, "r=1:2", "--step:1:15: unexpected \":2\" after the expression", false},
		{circuit, "r=1:2:0", "--step:1:1: stepping r from 1 to 2 by 0 is impossible; let the first value lead to the last", false},
		{circuit + ".step param rr 1 2 1\n", "", "net.cir:12:1: there is no parameter rr to step; did you mean r?", false},
		{circuit, "r=0,1", "net.cir:4:1: the resistance of r1 is 0", false},
		{"t\nr1 a 0 {r}\nb1 a 0 i={sqrt(v(a)-1)}\n.param r=1\n.op\n", "r=2,3", "at r=2: ", true},
	} {
		var steps []string
		if c.step != "" {
			steps = []string{c.step}
		}
		_, err := spicerun.Netlist(context.Background(), write(t, c.text+".end\n"), spicerun.Options{Steps: steps})
		var failed *spicerun.FailedError
		if err == nil || !strings.Contains(err.Error(), c.want) || errors.As(err, &failed) != c.ran {
			t.Errorf("--step %q: %v, want %s", c.step, err, c.want)
		}
	}
}
