package spice

import (
	"fmt"
	"strings"
	"testing"
)

// layerNet is a learning layer as a netlist: inputs, one synapse each to every
// neuron, errors that go back through the same weights to a first layer, which
// learns, too; and a static matrix beside the plastic one.
func layerNet(in, out int) string {
	var b strings.Builder
	b.WriteString("* layer" + cells)
	for j := range in {
		fmt.Fprintf(&b, "vi%d i%d 0 sin(0 1 %g)\n", j, j, 0.1+0.01*float64(j))
		fmt.Fprintf(&b, "xa%d y%d i%d f%d a%d synapse PARAMS: p_w=%g\n", j, j, j, j, j, 0.5+0.02*float64(j))
		fmt.Fprintf(&b, "xm%d y%d u%d membrane\nxr%d y%d r%d rate\nrf%d f%d 0 1\n", j, j, j, j, j, j, j, j)
	}
	for i := range out {
		fmt.Fprintf(&b, "xo%d s%d o%d membrane PARAMS: p_m=2 p_r=0.4\nvt%d t%d 0 sin(0 0.5 0.2)\n", i, i, i, i, i)
		fmt.Fprintf(&b, "gt%d 0 e%d t%d s%d 1\nre%d e%d 0 1\n", i, i, i, i, i, i)
		for j := range in {
			fmt.Fprintf(&b, "xs%d_%d s%d r%d e%d w%d_%d synapse PARAMS: p_w=%g\n", i, j, i, j, i, i, j, 0.1*float64((3*i+5*j)%7-3))
			fmt.Fprintf(&b, "bb%d_%d 0 f%d i={v(w%d_%d)*v(e%d)}\n", i, j, j, i, j, i)
			fmt.Fprintf(&b, "gs%d_%d 0 s%d i%d 0 %g\n", i, j, i, j, 0.05*float64((2*i+3*j)%5-2))
		}
	}
	fmt.Fprintf(&b, ".options reltol=1e-6 vntol=1e-9 trtol=1e6\n.save v(u0) v(o1) v(e2) v(f3) v(w0_0) v(w%d_%d) v(a1)\n.tran 5m 4 0 5m uic\n.end\n", out-1, in-1)
	return b.String()
}

// TestLayerIsMatrix: a layer is found in the netlist, and both engines agree on
// what it does.
func TestLayerIsMatrix(t *testing.T) {
	src := layerNet(20, 16)
	var times []float64
	for k := range 41 {
		times = append(times, 0.1*float64(k))
	}
	a, stats := simulate(t, src, Options{Times: times})
	if want := "320 in dense blocks, 320 synapses in plastic matrices"; !strings.Contains(stats.Structure, want) {
		t.Errorf("%s; want %s", stats.Structure, want)
	}
	b, _ := simulate(t, src, Options{Times: times, Engine: "implicit"})
	c, _ := simulate(t, strings.Replace(src, "xs3_4 s3 r4", "xs3_4 s3 r5", 1), Options{Times: times})
	noticed := false
	for _, s := range a.Signals {
		if d := apart(s, b.Signal(s.Name)); !(d <= 1e-4) {
			t.Errorf("%s differs by %g", s.Name, d)
		}
		noticed = noticed || apart(s, c.Signal(s.Name)) > 1e-4
	}
	if !noticed {
		t.Error("a synapse at the wrong neuron goes unnoticed")
	}
}

// TestImplicitStepAllocatesNothing, once it goes on and on.
func TestImplicitStepAllocatesNothing(t *testing.T) {
	for name, src := range map[string]string{"layer": layerNet(8, 6), "quiet": quietNet(), "pairs": pairsNet(70, false)} {
		n, err := Parse("net.cir", []byte(src))
		if err != nil {
			t.Fatal(err)
		}
		c, err := n.Elaborate()
		if err != nil {
			t.Fatal(err)
		}
		for _, method := range []string{"trap", "gear"} {
			run, err := c.newTransient(Options{Method: method, Sink: nowhere{}}, &Stats{})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := run.start(); err != nil {
				t.Fatal(err)
			}
			step := func() {
				to := run.t + run.hmax
				if err := run.attempt(run.hmax, to, run.method()); err != nil {
					t.Fatal(err)
				}
				run.accept(run.hmax, to)
				if err := run.sample(false); err != nil {
					t.Fatal(err)
				}
			}
			for range 10 {
				step()
			}
			if a := testing.AllocsPerRun(100, step); a != 0 {
				t.Errorf("%s, %s: a step allocates %v times", name, method, a)
			}
		}
	}
}

// pairsNet is n differential pairs of transistors in weak inversion, one beside or
// one behind another.
func pairsNet(n int, chain bool) string {
	var b strings.Builder
	b.WriteString(`* pairs
.subckt nmos d g s
b1 d s i={1e-6*(ln(1+exp((v(g)-0.5-1.3*v(s))/0.067))*ln(1+exp((v(g)-0.5-1.3*v(s))/0.067))-ln(1+exp((v(g)-0.5-1.3*v(d))/0.067))*ln(1+exp((v(g)-0.5-1.3*v(d))/0.067)))}
.ends
v1 n0 0 sin(0.9 0.05 1k)
v2 cm 0 0.9
vdd vdd 0 1.8
`)
	for k := range n {
		from := 0
		if chain {
			from = k
		}
		fmt.Fprintf(&b, "xa%[1]d n%[2]d n%[3]d t%[1]d nmos\nxb%[1]d vdd cm t%[1]d nmos\ni%[1]d t%[1]d 0 1n\nr%[1]d vdd n%[2]d 1.8e9\nc%[1]d n%[2]d 0 10f\n", k, k+1, from)
	}
	b.WriteString(".options abstol=1e-16\n.tran 10u 3m 0 10u\n.end\n")
	return b.String()
}

// nowhere is a sink that drops all.
type nowhere struct{}

func (nowhere) Begin(_, _ []string) error       { return nil }
func (nowhere) Sample(float64, []float64) error { return nil }
func (nowhere) End() error                      { return nil }
