package spice

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"

	"vlec/sim"
)

func elaborate(t testing.TB, src string) *Circuit {
	t.Helper()
	n, err := Parse("test.cir", []byte(src))
	if err != nil {
		t.Fatal(err)
	}
	c, err := n.Elaborate()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// nonlinear has a stable fixed point that takes some finding: an exponential
// with its knee far from zero, and a feedback of tanh.
const nonlinear = `* dc
v1 in 0 2 ac 1 30
r1 in a 1k
b1 a 0 i={1e-12*(exp(v(a)/0.02585)-1)}
e1 b 0 a 0 3
r2 b c 10k
c1 c 0 1n
b2 0 d i={1m*tanh(v(c)-v(d))}
r3 d 0 2k
c2 d 0 3n
l1 d e 1m
r4 e 0 5k
`

func TestOperatingPointAgainstNgspice(t *testing.T) {
	src := nonlinear + tight + ".op\n.end\n"
	got, _, err := elaborate(t, src).OP(context.Background(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	compareSamples(t, ngspice(t, src).Trace(), got, 1e-6)
}

func compareSamples(t *testing.T, want, got *sim.Trace, tol float64) {
	t.Helper()
	for _, w := range want.Signals {
		g := got.Signal(w.Name)
		if g == nil {
			t.Errorf("%s is missing", w.Name)
			continue
		}
		if len(g.Data) != len(w.Data) {
			t.Errorf("%s has %d values, want %d", w.Name, len(g.Data), len(w.Data))
			continue
		}
		size := 1e-12
		for _, v := range w.Data {
			size = math.Max(size, math.Abs(v))
		}
		for k, v := range w.Data {
			if !(math.Abs(v-g.Data[k]) <= tol*size) {
				t.Errorf("%s[%d] at %g is %g, want %g", w.Name, k, w.Time[min(k, len(w.Time)-1)], g.Data[k], v)
				break
			}
		}
	}
}

func TestSweepsAgainstNgspice(t *testing.T) {
	for _, card := range []string{".dc v1 -2 3 0.25", ".dc v1 0 2 0.5 i9 -1m 1m 0.5m"} {
		src := nonlinear + "i9 0 a 0\n" + tight + card + "\n.end\n"
		got, stats, err := elaborate(t, src).DC(context.Background(), Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%+v", *stats)
		compareSamples(t, ngspice(t, src).Trace(), got, 1e-5)
	}
}

func TestACAgainstNgspice(t *testing.T) {
	for _, card := range []string{".ac dec 7 10 1meg", ".ac oct 3 100 20k", ".ac lin 11 1k 100k"} {
		src := nonlinear + tight + card + "\n.end\n"
		got, _, err := elaborate(t, src).AC(context.Background(), Options{})
		if err != nil {
			t.Fatal(err)
		}
		p := ngspice(t, src)
		want := p.Trace()
		for k, s := range want.Signals { // interleave, as ours are
			both := make([]float64, 0, 2*len(s.Data))
			for i := range s.Data {
				both = append(both, s.Data[i], p.Imag[k+1][i])
			}
			s.Data = both
		}
		for i, f := range p.Data[0] {
			if math.Abs(got.Signals[0].Time[i]/f-1) > 1e-9 {
				t.Fatalf("frequency %d is %g, want %g", i, got.Signals[0].Time[i], f)
			}
		}
		compareSamples(t, want, got, 1e-5)
	}
}

// TestHardOperatingPoints need more than Newton's iteration from zero.
func TestHardOperatingPoints(t *testing.T) {
	for name, body := range map[string]string{
		"two junctions in series": `
v1 in 0 5
r1 in a 100
b1 a b i={1e-14*(exp(v(a,b)/0.02585)-1)}
b2 b 0 i={1e-14*(exp(v(b)/0.02585)-1)}
`,
		"high gain loop": `
v1 in 0 0.3
b1 out 0 v={5*tanh(1e5*(v(in)-v(fb)))}
r1 out fb 1k
r2 fb 0 1k
`,
		"bridge": `
v1 in y 9
rs in x 100
rl p 0 1k
rg y 0 10meg
b1 x p i={1e-13*(exp(v(x,p)/0.02585)-1)}
b2 y p i={1e-13*(exp(v(y,p)/0.02585)-1)}
b3 0 x i={1e-13*(exp(-v(x)/0.02585)-1)}
b4 0 y i={1e-13*(exp(-v(y)/0.02585)-1)}
`,
	} {
		src := "* " + name + body + ".options reltol=1e-6\n.op\n.end\n"
		c := elaborate(t, src)
		got, stats, err := c.OP(context.Background(), Options{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		t.Logf("%s: %d iterations", name, stats.Iterations)
		if name == "bridge" {
			// ngspice 39 answers -1e51 V and reports success; the drop of two
			// junctions can be worked out: 0.02585 ln(7 mA/1e-13 A) each.
			p, drop := got.Signal("v(p)").Data[0], 0.02585*math.Log(7.008091e-3/1e-13)
			if math.Abs(got.Signal("v(x)").Data[0]-p-drop) > 1e-6 || math.Abs(9-100*p/1e3-2*drop-p) > 1e-6 {
				t.Errorf("bridge: v(p) = %g", p)
			}
			continue
		}
		compareSamples(t, ngspice(t, src).Trace(), got, 1e-4)
	}
}

// TestWeakInversion finds the operating point of a chain of differential pairs of
// nanoamperes and of picoamperes, at which ngspice 39 gives up (with a fault), and
// checks the sums of currents by the formula of the transistor.
func TestWeakInversion(t *testing.T) {
	for _, tail := range []float64{1e-9, 1e-12} {
		src := pairsNet(70, true)
		src = strings.ReplaceAll(src, " 0 1n", fmt.Sprintf(" 0 %g", tail))
		src = strings.ReplaceAll(src, "1.8e9", fmt.Sprintf("%g", 1.8/tail))
		src = strings.Replace(src, "sin(0.9 0.05 1k)", "0.901", 1)
		c := elaborate(t, strings.Replace(src, "abstol=1e-16", fmt.Sprintf("reltol=1e-6 vntol=1e-9 abstol=%g", 1e-7*tail), 1))
		got, stats, err := c.OP(context.Background(), Options{})
		if err != nil {
			t.Fatal(err)
		}
		at := func(format string, k int) float64 { return got.Signal("v(" + fmt.Sprintf(format, k) + ")").Data[0] }
		current := func(d, g, s float64) float64 {
			f := func(v float64) float64 { return math.Pow(math.Log1p(math.Exp((g-0.5-1.3*v)/0.067)), 2) }
			return 1e-6 * (f(s) - f(d))
		}
		for k := range 70 {
			in, out, s := at("n%d", k), at("n%d", k+1), at("t%d", k)
			a, b := current(out, in, s), current(1.8, 0.9, s)
			if math.Abs(a+b-tail) > 1e-5*tail || math.Abs(out-1.8+1.8/tail*a) > 1e-5 {
				t.Fatalf("%g A, stage %d: %g and %g A, output %g V", tail, k, a, b, out)
			}
		}
		if end := at("n%d", 70); math.Abs(end-1.8) > 0.01 && math.Abs(end) > 0.01 {
			t.Errorf("%g A: the chain ends at %g V", tail, end)
		}
		t.Logf("%g A: %d iterations", tail, stats.Iterations)
	}
}

func TestSweepErrors(t *testing.T) {
	for card, want := range map[string]string{
		".dc r1 0 1 1":     "r1 cannot be swept; name an independent source",
		".dc v1 0 1 0":     "the sweep from 0 to 1 by 0 is impossible",
		".dc v1 0 1 -1":    "the sweep from 0 to 1 by -1 is impossible",
		".ac dec 5 0 10":   "5 points per dec from 0 to 10 Hz are impossible",
		".ac log 5 1 10":   ".ac needs a scale",
		".dc v1 0 1 1e-12": "by 1e-12 is impossible",
	} {
		n, err := Parse("t.cir", []byte("* t\nv1 a 0 1\nr1 a 0 1\n"+card+"\n"))
		if err == nil {
			_, err = n.Elaborate()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", card, err, want)
		}
	}
}
