package spice

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// learningNet writes a network of layers that learns its teacher's weights, in
// the manner of the netlists that are simulated most: one subcircuit a cell, a
// plastic synapse from a multiplier into a sum and one into a weight capacitor.
// Steps are of tau/500.
func learningNet(sizes []int, steps int) string {
	rng := rand.New(rand.NewPCG(1, 2))
	var b strings.Builder
	p := func(format string, args ...any) { fmt.Fprintf(&b, format, args...) }
	p(`* learning network
.param p_t0=1m p_r0=1meg
.subckt membrane s u PARAMS: p_tm=1 p_tr=0.1
rs s 0 {p_r0}
rp s u {p_r0*p_tr/(p_tm-p_tr)}
cm u 0 {(p_tm-p_tr)*p_t0/p_r0} ic=0
.ends
.subckt tanh s r
br 0 r i={tanh(v(s))/p_r0}
rr r 0 {p_r0}
.ends
.subckt error x v e PARAMS: p_tm=1 p_tr=0.1
rx x 0 {p_r0}
gv 0 v x 0 {1/p_r0}
rv v 0 {p_r0}
cv v 0 {p_tr*p_t0/p_r0} ic=0
ge 0 e x 0 {p_tm/p_tr/p_r0}
gw 0 e v 0 {(1-p_tm/p_tr)/p_r0}
re e 0 {p_r0}
.ends
.subckt slope r z x
bx 0 x i={(1-v(r)*v(r))*v(z)/p_r0}
rz z 0 {p_r0}
.ends
.subckt synapse r s e w PARAMS: p_w0=0.5
bs 0 s i={v(w)*v(r)/p_r0}
bw 0 w i={v(e)*v(r)/p_r0}
cw w 0 {p_t0/(0.02*p_r0)} ic={p_w0}
.ends
.subckt back e w z
bz 0 z i={v(w)*v(e)/p_r0}
.ends
`)
	for k := range sizes[0] {
		p("v_in%d r0_%d 0 sin(0 1 %d 0 0 %d)\n", k, k, 100+37*k, 20*k)
	}
	for l := 1; l < len(sizes); l++ {
		last := l == len(sizes)-1
		for k := range sizes[l] {
			p("x_m%d_%d s%d_%d u%d_%d membrane PARAMS: p_tm=%g\n", l, k, l, k, l, k, 1+0.1*float64(k%5))
			p("x_t%d_%d s%d_%d r%d_%d tanh\n", l, k, l, k, l, k)
			p("x_e%d_%d x%d_%d v%d_%d e%d_%d error\n", l, k, l, k, l, k, l, k)
			if last {
				p("v_t%d tg%d 0 sin(0 0.5 %d)\n", k, k, 150+50*k)
				p("b_t%d 0 x%d_%d i={(v(tg%d)-v(r%d_%d))*(1-v(r%d_%d)*v(r%d_%d))/p_r0}\n", k, l, k, k, l, k, l, k, l, k)
			} else {
				p("x_g%d_%d r%d_%d z%d_%d x%d_%d slope\n", l, k, l, k, l, k, l, k)
			}
			for j := range sizes[l-1] {
				w := rng.NormFloat64() * 0.4
				p("x_w%d_%d_%d r%d_%d s%d_%d e%d_%d w%d_%d_%d synapse PARAMS: p_w0=%.4f\n", l, k, j, l-1, j, l, k, l, k, l, k, j, w)
				if l > 1 {
					p("x_b%d_%d_%d e%d_%d w%d_%d_%d z%d_%d back\n", l, k, j, l, k, l, k, j, l-1, j)
				}
			}
		}
	}
	p(".options trtol=1e6 reltol=1e-6 vntol=1e-9 abstol=1e-15 num_threads=1\n")
	p(".tran 2u %g 0 2u uic\n.end\n", float64(steps)*2e-6)
	return b.String()
}

// staticNet is one layer of n by n conductances.
func staticNet(n, steps int) string {
	rng := rand.New(rand.NewPCG(3, 4))
	var b strings.Builder
	b.WriteString("* static layer\n")
	for k := range n {
		fmt.Fprintf(&b, "v%d in%d 0 sin(0 1 %d)\nr%d s%d 0 1meg\nc%d s%d 0 1n ic=0\n", k, k, 100+k, k, k, k, k)
		fmt.Fprintf(&b, "b%d 0 o%d i={tanh(v(s%d))/1meg}\nro%d o%d 0 1meg\n", k, k, k, k, k)
	}
	for k := range n {
		for j := range n {
			fmt.Fprintf(&b, "g%d_%d 0 s%d in%d 0 %.5e\n", k, j, k, j, rng.NormFloat64()*1e-6)
		}
	}
	fmt.Fprintf(&b, ".options trtol=1e6 reltol=1e-6\n.tran 2u %g 0 2u uic\n.end\n", float64(steps)*2e-6)
	return b.String()
}

func TestLearningNetworkAgainstNgspice(t *testing.T) {
	src := learningNet([]int{3, 6, 4, 2}, 1000)
	ours, stats := simulate(t, src, Options{Engine: "implicit"})
	t.Logf("%+v", *stats)
	theirs := ngspice(t, src).Trace()
	for _, s := range theirs.Signals {
		if strings.HasPrefix(s.Name, "i(") {
			continue
		}
		if d := apart(s, ours.Signal(s.Name)); !(d <= 1e-3) {
			t.Errorf("%s differs by %g", s.Name, d)
		}
	}
}

func benchmarkRun(b *testing.B, src string, steps int) {
	n, err := Parse("bench.cir", []byte(src))
	if err != nil {
		b.Fatal(err)
	}
	c, err := n.Elaborate()
	if err != nil {
		b.Fatal(err)
	}
	o := Options{Engine: "implicit", Sink: discard{}, Save: []string{c.nodeName(1)}}
	for b.Loop() {
		if _, _, err := c.Tran(context.Background(), o); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*steps), "us/step")
	b.ReportAllocs()
}

func BenchmarkLearningChain(b *testing.B) { benchmarkRun(b, learningNet([]int{1, 1, 1}, 20000), 20000) }

func BenchmarkLearningSmall(b *testing.B) {
	benchmarkRun(b, learningNet([]int{5, 10, 10, 2}, 2000), 2000)
}

func BenchmarkLearningLayer(b *testing.B) { benchmarkRun(b, learningNet([]int{100, 100}, 20), 20) }

func BenchmarkStaticLayer(b *testing.B) { benchmarkRun(b, staticNet(100, 500), 500) }

func BenchmarkRead(b *testing.B) {
	src := []byte(learningNet([]int{100, 100}, 20))
	b.SetBytes(int64(len(src)))
	for b.Loop() {
		if _, err := Parse("bench.cir", src); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
}

func BenchmarkElaborate(b *testing.B) {
	n, err := Parse("bench.cir", []byte(learningNet([]int{100, 100}, 20)))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := n.Elaborate(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
}
