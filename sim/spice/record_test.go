package spice

import (
	"bytes"
	"context"
	"io"
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const rc = `* rc
v1 in 0 sin(0 1 1k)
r1 in out 1k
c1 out 0 100n
.tran 10u 1m 0 10u
`

// memFile is a file in memory, for the writer that seeks.
type memFile struct {
	b  []byte
	at int
}

func (m *memFile) Write(p []byte) (int, error) {
	n := copy(m.b[m.at:], p)
	m.b = append(m.b, p[n:]...)
	m.at += len(p)
	return len(p), nil
}

func (m *memFile) Seek(off int64, whence int) (int64, error) {
	switch whence {
	case io.SeekStart:
		m.at = int(off)
	case io.SeekEnd:
		m.at = len(m.b) + int(off)
	}
	return int64(m.at), nil
}

// TestRawRoundTrip: what is written reads back bit by bit, binary and ASCII,
// and two runs write the same bytes.
func TestRawRoundTrip(t *testing.T) {
	want, _ := simulate(t, rc, Options{})
	for _, ascii := range []bool{false, true} {
		var files [2]memFile
		for k := range files {
			tr, _ := simulate(t, rc, Options{Sink: NewRawWriter(&files[k], "rc", ascii)})
			if tr != nil {
				t.Error("a trace besides the sink")
			}
		}
		if !bytes.Equal(files[0].b, files[1].b) {
			t.Error("two runs differ")
		}
		plots, err := ReadRaw("out.raw", bytes.NewReader(files[0].b))
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, plots[0].Trace()); d != "" {
			t.Errorf("ascii %v: %s", ascii, d)
		}
	}
}

// TestRawReadByNgspice loads our file in the referee.
func TestRawReadByNgspice(t *testing.T) {
	path := t.TempDir() + "/ours.raw"
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	simulate(t, rc, Options{Sink: NewRawWriter(f, "rc", false)})
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	out := ngspiceScript(t, "load "+path+"\nprint length(v(out)) maximum(v(out))\n")
	want, _ := simulate(t, rc, Options{})
	s := want.Signal("v(out)")
	most := 0.0
	for _, v := range s.Data {
		most = math.Max(most, v)
	}
	for name, want := range map[string]float64{"length": float64(len(s.Data)), "maximum": most} {
		m := regexp.MustCompile(name + `\S* = (\S+)`).FindStringSubmatch(out)
		if m == nil {
			t.Fatalf("ngspice does not print %s:\n%s", name, out)
		}
		if got, err := strconv.ParseFloat(m[1], 64); err != nil || math.Abs(got/want-1) > 1e-6 {
			t.Errorf("ngspice reads %s %s back, want %g", name, m[1], want)
		}
	}
}

func TestRawErrors(t *testing.T) {
	var f memFile
	simulate(t, rc, Options{Sink: NewRawWriter(&f, "rc", false)})
	for name, b := range map[string][]byte{
		"empty": nil, "cut": f.b[:len(f.b)-3], "no header": []byte("hello\nworld\n"),
		"huge": []byte("Title: x\nNo. Variables: 2\nNo. Points: 1000000000000\nVariables:\n 0 time time\n 1 a voltage\nBinary:\nabc"),
		"mad":  []byte("No. Variables: 99999999999\n"),
	} {
		if _, err := ReadRaw("x.raw", bytes.NewReader(b)); err == nil {
			t.Errorf("%s: no error", name)
		} else if !strings.Contains(err.Error(), "x.raw") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzReadRaw(f *testing.F) {
	for _, ascii := range []bool{false, true} {
		var m memFile
		simulate(f, strings.Replace(rc, "1m 0 10u", "50u 0 10u", 1), Options{Sink: NewRawWriter(&m, "rc", ascii)})
		f.Add(m.b)
	}
	f.Fuzz(func(_ *testing.T, b []byte) {
		_, _ = ReadRaw("fuzz.raw", bytes.NewReader(b)) // must only return
	})
}

func TestCSV(t *testing.T) {
	var b bytes.Buffer
	simulate(t, rc, Options{Sink: NewCSVWriter(&b), Save: []string{"V(out)", "v(in,out)", "i(v1)"}, Times: []float64{0, 1e-4}})
	lines := strings.Split(strings.TrimSpace(b.String()), "\n")
	if len(lines) != 3 || lines[0] != `time,v(out),"v(in,out)",i(v1)` || lines[1] != "0,0,0,-0" && lines[1] != "0,0,0,0" || !strings.HasPrefix(lines[2], "0.0001,") {
		t.Errorf("got %q", lines)
	}
}

// TestSave: what the netlist or the caller selects, in that order; decimation;
// requested instants exactly.
func TestSave(t *testing.T) {
	src := strings.Replace(rc, ".tran", ".save out i(v1) v(in,out)\n.tran", 1)
	tr, _ := simulate(t, src, Options{})
	var names []string
	for _, s := range tr.Signals {
		names = append(names, s.Name)
	}
	if d := cmp.Diff([]string{"v(out)", "i(v1)", "v(in,out)"}, names); d != "" {
		t.Error(d)
	}
	full := len(tr.Signals[0].Time)
	tr, _ = simulate(t, src, Options{Every: 10})
	if n := len(tr.Signals[0].Time); n < full/10 || n > full/10+2 {
		t.Errorf("every tenth of %d is %d", full, n)
	}
	times := []float64{0, 3.3e-5, 1e-4, 0.000777}
	tr, _ = simulate(t, src, Options{Times: times})
	if d := cmp.Diff(times, tr.Signals[0].Time); d != "" {
		t.Error(d)
	}
}

// TestStartTime: .tran's third argument suppresses what comes before.
func TestStartTime(t *testing.T) {
	tr, _ := simulate(t, strings.Replace(rc, "1m 0 10u", "1m 0.5m 10u", 1), Options{})
	if s := tr.Signals[0]; s.Time[0] < 0.5e-3*(1-1e-9) || s.Time[0] > 0.52e-3 || s.Time[len(s.Time)-1] != 1e-3 {
		t.Errorf("from %g to %g", s.Time[0], s.Time[len(s.Time)-1])
	}
}

// TestNoAllocationPerStep runs a learning network for n and for 2n steps.
func TestNoAllocationPerStep(t *testing.T) {
	src, err := os.ReadFile(shared + "/probe_ngspice.cir")
	if err != nil {
		t.Skipf("no netlist: %v", err)
	}
	count := func(stop string) float64 {
		n, err := Parse("p.cir", []byte(strings.Replace(string(src), "1e-5 0.05", "1e-5 "+stop, 1)))
		if err != nil {
			t.Fatal(err)
		}
		c, err := n.Elaborate()
		if err != nil {
			t.Fatal(err)
		}
		return testing.AllocsPerRun(3, func() {
			if _, _, err := c.Tran(context.Background(), Options{Sink: discard{}, Engine: "implicit"}); err != nil {
				t.Fatal(err)
			}
		})
	}
	if short, long := count("0.02"), count("0.1"); long > short {
		t.Errorf("2000 steps allocate %g times, 10000 steps %g", short, long)
	}
}

type discard struct{}

func (discard) Begin(_, _ []string) error       { return nil }
func (discard) Sample(float64, []float64) error { return nil }
func (discard) End() error                      { return nil }

// TestPerturbationIsSeen: one resistor 1 % off must show, or the comparisons
// above prove nothing.
func TestPerturbationIsSeen(t *testing.T) {
	for name, body := range circuits {
		old, changed := "", ""
		for _, r := range [][2]string{{"r1 a 0 1k", "r1 a 0 1.01k"}, {"r1 in out 1k", "r1 in out 1.01k"}, {"r1 in a 1k", "r1 in a 1.01k"}, {"r2 e 0 1k", "r2 e 0 1.01k"}, {"r1 in a 10\n", "r1 in a 10.1\n"}} {
			if strings.Contains(body, r[0]) {
				old, changed = r[0], r[1]
			}
		}
		if old == "" {
			continue
		}
		a, _ := simulate(t, "* t"+body+tight, Options{})
		b, _ := simulate(t, "* t"+strings.Replace(body, old, changed, 1)+tight, Options{})
		worst := 0.0
		for k := range a.Signals {
			worst = math.Max(worst, apart(a.Signals[k], b.Signals[k]))
		}
		if worst <= 1e-3 {
			t.Errorf("%s: 1 %% of %q changes waveforms by %g only", name, old, worst)
		}
	}
}
