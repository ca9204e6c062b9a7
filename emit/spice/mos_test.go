package spice_test

import (
	"context"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	emitter "vlec/emit/spice"
	"vlec/emit/spice/lint"
	"vlec/sim"
	"vlec/sim/referee"
	reader "vlec/sim/spice"
)

// mosNetlist writes a netlist beside the library of transistors.
func mosNetlist(t *testing.T, body string) string {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "net.cir")
	for name, text := range map[string]string{"net.cir": "* t\n.include \"mos.lib\"\n" + body + ".end\n", "mos.lib": emitter.GenericMOS} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

func mosCircuit(t *testing.T, path string) *reader.Circuit {
	t.Helper()
	n, err := reader.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	c, err := n.Elaborate()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// mosCurrent is the textbook's formula, written down once more.
func mosCurrent(vg, vd, vs, vt, k, n, ut, va float64) float64 {
	f := func(v float64) float64 { return math.Pow(math.Log1p(math.Exp((vg-vt-n*v)/(2*n*ut))), 2) }
	return 2 * n * k * ut * ut * (f(vs) - f(vd)) * (1 + (math.Hypot(vd-vs, 0.01)-0.01)/va)
}

// TestGenericMOS compares both transistors with the formula over ten decades of
// current, both directions and a source above the bulk.
func TestGenericMOS(t *testing.T) {
	for _, c := range []struct {
		name string
		sign float64 // potentials and current of a p transistor are turned over
		k    float64
	}{{"mos_n", 1, 3e-4}, {"mos_p", -1, 7e-5}} {
		for _, bias := range []struct{ d, s float64 }{{1.8, 0}, {0.05, 0}, {1.2, 0.3}, {0, 0.9}} {
			path := mosNetlist(t, fmt.Sprintf(
				"vd d 0 %g\nvs s 0 %g\nvg g 0 0\nx1 d g s 0 %s PARAMS: p_w=2e-06 p_l=1e-06 p_dvt=0.01\n.options gmin=1e-30\n.dc vg 0 %g %g\n.save i(vd) i(vs)\n",
				c.sign*bias.d, c.sign*bias.s, c.name, c.sign*1.8, c.sign*0.05))
			tr, _, err := mosCircuit(t, path).DC(context.Background(), reader.Options{})
			if err != nil {
				t.Fatal(err)
			}
			i, s := tr.Signal("i(vd)"), tr.Signal("i(vs)")
			for k, vg := range i.Time {
				want := mosCurrent(c.sign*vg, bias.d, bias.s, 0.46, 2*c.k, 1.3, 0.025852, 10)
				got := -c.sign * i.Data[k]
				if math.Abs(got-want) > 1e-9*math.Abs(want)+1e-22 {
					t.Errorf("%s, vg = %g, %+v: %g, want %g", c.name, vg, bias, got, want)
				}
				if i.Data[k] != -s.Data[k] {
					t.Errorf("%s, vg = %g: drain %g and source %g", c.name, vg, i.Data[k], s.Data[k])
				}
			}
		}
	}
}

func TestGenericMOSIsPortable(t *testing.T) {
	top := lint.File{Name: "net.cir", Text: "* t\n.include \"mos.lib\"\nx1 a b 0 0 mos_n PARAMS: p_w=1e-06\nr1 a b 1000\n.end\n"}
	if err := lint.Check(top, lint.File{Name: "mos.lib", Text: emitter.GenericMOS}); err != nil {
		t.Error(err)
	}
}

// ring is an oscillator of five inverters, started by a current.
const ring = `vdd vdd 0 dc 1.8
.subckt inv in out vdd
xn out in 0 0 mos_n
xp out in vdd vdd mos_p PARAMS: p_w=4e-06
.ends
x1 a1 a2 vdd inv
x2 a2 a3 vdd inv
x3 a3 a4 vdd inv
x4 a4 a5 vdd inv
x5 a5 a1 vdd inv
i1 0 a1 pulse(0 1e-05 1e-10 1e-10 1e-10 1e-09 1)
.options reltol=1e-6 vntol=1e-9 abstol=1e-15 chgtol=1e-20 trtol=1
.tran 1e-11 1e-08 0 1e-11
.save v(a1) v(a3)
`

// TestGenericMOSRing runs a large-signal circuit of transistors in both engines.
func TestGenericMOSRing(t *testing.T) {
	if _, err := exec.LookPath("ngspice"); err != nil {
		t.Skip("ngspice is not installed")
	}
	path := mosNetlist(t, ring)
	run, err := referee.Ngspice(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	var times []float64
	for k, at := range run.Trace.Signals[0].Time {
		if k%20 == 0 {
			times = append(times, at)
		}
	}
	ours, _, err := mosCircuit(t, path).Tran(context.Background(), reader.Options{Times: times})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range run.Trace.Signals {
		name := strings.ToLower(s.Name)
		m := ours.Signal(name)
		if m == nil {
			t.Fatalf("no %s", name)
		}
		theirs, err := s.Resample(times)
		if err != nil {
			t.Fatal(err)
		}
		worst := 0.0
		for k, v := range theirs.Data {
			worst = math.Max(worst, math.Abs(v-m.Data[k]))
		}
		t.Logf("%s: %.2g V", name, worst)
		if !(worst < 1.8e-3) {
			t.Errorf("%s differs by %g V", name, worst)
		}
		if low, high := bounds(m); low > 0.1 || high < 1.7 {
			t.Errorf("%s stays between %g and %g V: no oscillation", name, low, high)
		}
	}
}

func bounds(s *sim.Signal) (low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	for _, v := range s.Data {
		low, high = math.Min(low, v), math.Max(high, v)
	}
	return low, high
}
