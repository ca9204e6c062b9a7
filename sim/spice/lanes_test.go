package spice

import (
	"context"
	"fmt"
	"math"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"

	emitter "vlec/emit/spice"
)

// TestLanes evaluates programs side by side and one by one: the same bits, of
// values and of gradients.
func TestLanes(t *testing.T) {
	for _, text := range []string{
		"v(a)*v(b)-k*v(c)", "ln(1+exp((v(a)-k)/0.7))*ln(1+exp((v(a)-k)/0.7))-ln(exp(v(b)*3)+1)", "tanh(v(a)+v(b))/(2+v(c)*v(c))*v(a)",
		"sqrt(v(a)*v(a)+0.01)-exp(-v(b))*sin(v(c))", "-(-v(a))/(-v(b)-3)+cosh(v(a)*v(c))", "ln(1+exp(v(a)))/ln(1+exp(v(b)))*v(c)", "v(a)*v(a)*v(b)+atan(v(c))",
	} {
		var b strings.Builder
		b.WriteString("* lanes\nv1 a 0 1\nv2 b 0 1\nv3 c 0 1\n.subckt s a b c d params: k=1\nb1 d 0 v={" + text + "}\n.ends\n")
		const n = 70 // a full block and a part of one
		for i := range n {
			b.WriteString("x" + trimFloat(float64(i)) + " a b c d" + trimFloat(float64(i)) + " s params: k=" + trimFloat(0.3+float64(i)/n) + "\n")
		}
		c := build(t, "lanes.cir", b.String())
		s, err := newSystem(c, &Stats{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		m := &s.tangents
		if len(m.batches) != 1 || len(m.lone) != 0 || len(m.now) != n {
			t.Fatalf("%s: %d batches, %d alone", text, len(m.batches), len(m.lone))
		}
		for k := range s.x[:s.n] {
			s.x[k] = math.Sin(float64(5*k + 1))
		}
		m.evaluate(s, 0)
		for k := range m.now {
			d := &c.behaviours[s.funcs[k].b]
			p := c.programs[d.prog]
			s.load(d, p, 0)
			v := p.value(s.regs)
			p.gradient(s.regs, s.adj)
			if v != m.now[k] {
				t.Fatalf("%s: value %v in a lane, %v alone", text, m.now[k], v)
			}
			for i, g := range m.gradient(k) {
				if g != s.adj[i] {
					t.Fatalf("%s: derivative %d is %v in a lane, %v alone", text, i, g, s.adj[i])
				}
			}
		}
	}
}

// TestAlone: what does not suit lanes is evaluated one by one.
func TestAlone(t *testing.T) {
	for _, text := range []string{"v(a)*time*v(a)", "v(a)>0 ? sqrt(v(a)) : 1", "max(v(a),1)", "limit(v(a),0,1)", "pwl(v(a),0,0,1,2)", "abs(v(a))"} {
		c := build(t, "alone.cir", "* alone\nv1 a 0 1\nb1 d 0 v={"+text+"}\nb2 e 0 v={"+text+"}\nb3 f 0 v={"+text+"}\nb4 g 0 v={"+text+"}\nb5 h 0 v={"+text+"}\n")
		s, err := newSystem(c, &Stats{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(s.tangents.batches) != 0 || len(s.tangents.lone) < 4 {
			t.Errorf("%s: %d batches, %d alone", text, len(s.tangents.batches), len(s.tangents.lone))
		}
	}
}

// TestSoftplusIsFound in the ways in which it is written, and nowhere else.
func TestSoftplusIsFound(t *testing.T) {
	for text, want := range map[string]int{
		"ln(1+exp(v(a)/2))": 1, "log(exp(v(a))+1)": 1, "ln(1+exp(v(a)))*ln(1+exp(v(a)))": 1, "ln(1+exp(v(a)))-ln(1+exp(2*v(a)))": 2,
		"ln(2+exp(v(a)))": 0, "ln(1-exp(v(a)))": 0, "exp(1+ln(v(a)))": 0, "ln(1+exp(1))*v(a)*v(a)": 0, "ln(1+v(a))": 0, "log10(1+exp(v(a)))": 0,
	} {
		c := build(t, "soft.cir", "* soft\nv1 a 0 1\nb1 d 0 v={"+text+"}\nr1 d 0 1\n")
		got := 0
		for _, in := range c.programs[0].code {
			if in.op == opSoftplus {
				got++
			}
		}
		if got != want {
			t.Errorf("%s: %d, want %d", text, got, want)
		}
	}
}

// TestTwoCores: with another core come the same bits.
func TestTwoCores(t *testing.T) {
	c := build(t, "pairs.cir", pairsNet(500, false))
	var times []float64
	for k := range 40 {
		times = append(times, 1e-5*float64(k+1))
	}
	run := func(cores int) []float64 {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(cores))
		tr, err := c.newTransient(Options{Method: "gear", Times: times, Save: []string{"v(n500)", "v(t7)"}}, &Stats{})
		if err != nil {
			t.Fatal(err)
		}
		if len(tr.tangents.batches) < 4 {
			t.Fatalf("%d batches", len(tr.tangents.batches))
		}
		tr.tangents.cost = worthSharing // if there were more of them
		if err := tr.integrate(context.Background()); err != nil {
			t.Fatal(err)
		}
		var out []float64
		for _, s := range tr.out.trace().Signals {
			out = append(append(out, s.Data...), s.Time...)
		}
		return append(out, float64(tr.stats.Iterations), float64(tr.stats.Bypassed))
	}
	one, two := run(1), run(2)
	if !slices.Equal(one, two) || len(one) != 162 {
		t.Errorf("%d values on one core, %d on two, and not the same", len(one), len(two))
	}
}

// TestWorthSharing counts the transistors of mos.lib from which a second core is
// called, which docs/engine.md states.
func TestWorthSharing(t *testing.T) {
	const n = 1000
	var b strings.Builder
	b.WriteString("* mos\n" + emitter.GenericMOS + "v1 g 0 0.4\n")
	for k := range n {
		fmt.Fprintf(&b, "xn%[1]d d%[1]d g 0 0 mos_n\nr%[1]d d%[1]d 0 1e9\n", k)
	}
	s, err := newSystem(build(t, "mos.cir", b.String()), &Stats{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	from := (worthSharing*n + s.tangents.cost - 1) / s.tangents.cost
	t.Logf("%d operations a transistor: a second core from %d transistors on", s.tangents.cost/n, from)
	text, err := os.ReadFile("../../docs/engine.md")
	if want := fmt.Sprintf("From %d transistors on", from); err != nil || !strings.Contains(string(text), want) {
		t.Errorf("docs/engine.md does not say %q, %v", want, err)
	}
}
