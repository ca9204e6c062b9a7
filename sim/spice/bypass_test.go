package spice

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"
)

// quietNet is a chain of saturating stages of which the input moves only for a
// while, beside stages that always move.
func quietNet() string {
	var b strings.Builder
	b.WriteString("* quiet\nv1 in 0 pulse(0 0.5 1m 0.1m 0.1m 1m)\nv2 m0 0 sin(0 1 1k)\n")
	last := "in"
	for k := range 20 {
		fmt.Fprintf(&b, "b%d 0 n%d i={1e-3*tanh(2*v(%s))}\nr%d n%d 0 1k\nc%d n%d 0 50n\n", k, k, last, k, k, k, k)
		last = fmt.Sprintf("n%d", k)
	}
	b.WriteString("b99 0 m1 i={1e-3*tanh(v(m0))}\nr99 m1 0 1k\nc99 m1 0 50n\n")
	b.WriteString(".options reltol=1e-6 vntol=1e-9 trtol=1e6\n.save v(n0) v(n19) v(m1)\n.tran 10u 20m 0 10u\n.end\n")
	return b.String()
}

// TestBypass: quiet behaviours are not evaluated, and nobody sees it.
func TestBypass(t *testing.T) {
	n, err := Parse("quiet.cir", []byte(quietNet()))
	if err != nil {
		t.Fatal(err)
	}
	c, err := n.Elaborate()
	if err != nil {
		t.Fatal(err)
	}
	run := func(never bool) ([][]float64, *Stats) {
		stats := &Stats{}
		tr, err := c.newTransient(Options{Method: "trap"}, stats)
		if err != nil {
			t.Fatal(err)
		}
		if never {
			for k := range tr.tangents.state {
				tr.tangents.state[k] = neverBypassed
			}
		}
		if err := tr.integrate(context.Background()); err != nil {
			t.Fatal(err)
		}
		var out [][]float64
		for _, s := range tr.out.trace().Signals {
			out = append(out, s.Data)
		}
		return out, stats
	}
	a, quiet := run(false)
	b, all := run(true)
	total := all.Iterations * 21
	if quiet.Bypassed < total/2 || all.Bypassed > 50 { // a few belong to the operating point
		t.Errorf("%d of about %d evaluations are left out, %d where none may be", quiet.Bypassed, total, all.Bypassed)
	}
	worst, size := 0.0, 0.0
	for s := range a {
		for k := range a[s] {
			worst = math.Max(worst, math.Abs(a[s][k]-b[s][k]))
			size = math.Max(size, math.Abs(b[s][k]))
		}
	}
	if worst > 1e-8 || size < 0.1 {
		t.Errorf("signals of %g differ by %g", size, worst)
	}
}

// TestQuietSemiconductors: those that stand still are not evaluated, and nobody
// sees it.
func TestQuietSemiconductors(t *testing.T) {
	var b strings.Builder
	b.WriteString("* quiet\n.model n npn(is=1e-16 bf=100 cje=1p cjc=1p tf=50p rb=50)\n.model d d(is=1e-14 cjo=1p)\nvcc vcc 0 5\nv1 in0 0 pulse(0 5 10n 1n 1n 40n)\n")
	for k := range 12 { // the transients of one inverter are over when the next begins
		fmt.Fprintf(&b, "rb%d in%d b%d 10k\nq%d c%d b%d 0 n\nd%d b%d c%d d\nrc%d vcc c%d 1k\nrd%d c%d in%d 20k\ncd%d in%d 0 0.3p\n", k, k, k, k, k, k, k, k, k, k, k, k, k, k+1, k, k+1)
	}
	b.WriteString(".options reltol=1e-5 vntol=1e-8 abstol=1e-13\n.save v(c0) v(c11)\n.tran 1n 200n 0 0.2n\n.end\n")
	c := build(t, "quiet.cir", b.String())
	var times []float64
	for k := range 400 {
		times = append(times, 0.5e-9*float64(k+1))
	}
	run := func(never bool) ([][]float64, *Stats) {
		stats := &Stats{}
		tr, err := c.newTransient(Options{Method: "trap", Times: times}, stats)
		if err != nil {
			t.Fatal(err)
		}
		if never {
			tr.semis.close = -1
		}
		if err := tr.integrate(context.Background()); err != nil {
			t.Fatal(err)
		}
		var out [][]float64
		for _, s := range tr.out.trace().Signals {
			out = append(out, s.Data)
		}
		return out, stats
	}
	a, quiet := run(false)
	z, all := run(true)
	// Those of the operating point belong to a system of its own.
	if total := all.Iterations * len(c.semis); quiet.Bypassed < total/4 || all.Bypassed > total/20 {
		t.Errorf("%d of about %d evaluations are left out, %d where none may be", quiet.Bypassed, total, all.Bypassed)
	}
	worst, size := 0.0, 0.0
	for s := range a {
		for k := range a[s] {
			worst, size = max(worst, math.Abs(a[s][k]-z[s][k])), max(size, math.Abs(z[s][k]))
		}
	}
	t.Logf("%d of about %d evaluations left out; signals of %.3g differ by %.2g", quiet.Bypassed, all.Iterations*len(c.semis), size, worst)
	if worst > 1e-4*size || size < 4 {
		t.Errorf("signals of %g differ by %g", size, worst)
	}
}

// TestJumpsAreSeen: a comparator whose input creeps through the threshold.
func TestJumpsAreSeen(t *testing.T) {
	tr, _ := simulate(t, `* creep
v1 a 0 pwl(0 -1n 1 1n)
b1 0 b i={u(v(a))}
r1 b 0 1
.options reltol=1e-3 trtol=1e6
.tran 10m 1 0 10m
.end
`, Options{Engine: "implicit"})
	s := tr.Signal("v(b)")
	if first, last := s.Data[0], s.Data[len(s.Data)-1]; first != 0 || last != 1 {
		t.Errorf("from %g to %g", first, last)
	}
}

func BenchmarkQuiet(b *testing.B) {
	n, err := Parse("quiet.cir", []byte(quietNet()))
	if err != nil {
		b.Fatal(err)
	}
	c, err := n.Elaborate()
	if err != nil {
		b.Fatal(err)
	}
	for _, never := range []bool{false, true} {
		b.Run(map[bool]string{false: "bypassed", true: "evaluated"}[never], func(b *testing.B) {
			for b.Loop() {
				tr, err := c.newTransient(Options{Method: "trap"}, &Stats{})
				if err != nil {
					b.Fatal(err)
				}
				for k := range tr.tangents.state {
					if never {
						tr.tangents.state[k] = neverBypassed
					}
				}
				if err := tr.integrate(context.Background()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
