package spice

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
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

// randomTransistors connects transistors and differential pairs of the generic
// library at random, with nanoamperes and loads of 0.1 to 10 Gohm.
func randomTransistors(t *testing.T, seed uint64) string {
	t.Helper()
	lib, err := os.ReadFile("../../emit/spice/mos.lib")
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(seed, 7))
	var b strings.Builder
	b.WriteString("* random\n" + string(lib) + "vdd vdd 0 0.9\nvss vss 0 -0.9\nvin in 0 0.05\nib vdd bias 1n\nxb bias bias vss vss mos_n\n")
	n := 5 + r.IntN(40)
	node := func() string {
		if r.Float64() < 0.1 {
			return "in"
		}
		if r.Float64() < 0.05 {
			return "0"
		}
		return fmt.Sprintf("n%d", r.IntN(n))
	}
	for i := range n {
		fmt.Fprintf(&b, "r%d n%d %s %g\nrg%d n%d 0 1e13\n", i, i, []string{"0", "vdd", "vss", node()}[r.IntN(4)], 1e8*float64(1+r.IntN(100)), i, i)
	}
	for i := range n {
		switch r.IntN(4) {
		case 0:
			fmt.Fprintf(&b, "x%d %s %s %s vss mos_n\n", i, node(), node(), node())
		case 1:
			fmt.Fprintf(&b, "x%d %s %s %s vdd mos_p\n", i, node(), node(), node())
		case 2: // a pair with a tail and a mirror
			p, q := node(), node()
			fmt.Fprintf(&b, "xa%[1]d %[2]s %[3]s t%[1]d vss mos_n\nxb%[1]d %[4]s %[5]s t%[1]d vss mos_n\nxt%[1]d t%[1]d bias vss vss mos_n\n", i, p, node(), q, node())
			fmt.Fprintf(&b, "xc%[1]d %[2]s %[2]s vdd vdd mos_p\nxd%[1]d %[3]s %[2]s vdd vdd mos_p\n", i, p, q)
		case 3: // an inverter
			out, in := node(), node()
			fmt.Fprintf(&b, "xa%[1]d %[2]s %[3]s vdd vdd mos_p\nxb%[1]d %[2]s %[3]s vss vss mos_n\n", i, out, in)
		}
	}
	b.WriteString(".options reltol=1e-6 vntol=1e-9 abstol=1e-16\n.op\n.end\n")
	return b.String()
}

// TestWeakInversion finds operating points of circuits of nanoamperes, and checks
// the sum of currents at every node by the formula of the transistor. Only charging
// up finds 453 and 588.
func TestWeakInversion(t *testing.T) {
	iterations, most := 0, 0
	seeds := []uint64{453, 588}
	for k := range uint64(30) {
		seeds = append(seeds, k)
	}
	for _, seed := range seeds {
		c := elaborate(t, randomTransistors(t, seed))
		got, stats, err := c.OP(context.Background(), Options{})
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		iterations, most = iterations+stats.Iterations, max(most, stats.Iterations)
		sum, size := map[int32]float64{}, map[int32]float64{}
		v := func(node int32) float64 {
			if node == 0 {
				return 0
			}
			return got.Signal("v(" + c.nodeName(node) + ")").Data[0]
		}
		flow := func(a, b int32, i float64) {
			sum[a], sum[b] = sum[a]+i, sum[b]-i
			size[a], size[b] = size[a]+math.Abs(i), size[b]+math.Abs(i)
		}
		for _, r := range c.resistors {
			flow(r.a, r.b, (v(r.a)-v(r.b))*r.g)
		}
		for i := range c.behaviours {
			d := &c.behaviours[i]
			in := c.refs[d.in : d.in+4] // in the order in which mos.lib names them
			kp, sign, vb, vg := 3e-4, 1.0, v(int32(in[3])), v(int32(in[2]))
			if vb != -0.9 {
				kp, sign, vb, vg = 7e-5, -1, vg, vb
			}
			vd, vs := v(int32(in[0])), v(int32(in[1]))
			f := func(u float64) float64 {
				return math.Pow(math.Log1p(math.Exp((sign*(vg-vb)-0.45-1.3*sign*(u-vb))/(2*1.3*0.025852))), 2)
			}
			flow(d.a, d.b, 2*1.3*kp*0.025852*0.025852*(f(vs)-f(vd))*(1+(math.Hypot(vd-vs, 0.01)-0.01)/10))
		}
		for node := range size {
			if name := c.nodeName(node); strings.HasPrefix(name, "n") || strings.HasPrefix(name, "t") {
				if math.Abs(sum[node]) > 1e-4*size[node]+1e-15 {
					t.Errorf("seed %d: the currents into %s add up to %g of %g A", seed, name, sum[node], size[node])
				}
			}
		}
	}
	t.Logf("%d circuits, %d iterations, %d for one", len(seeds), iterations, most)
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
