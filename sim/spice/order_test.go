package spice

import (
	"fmt"
	"math"
	"testing"
)

// TestConvergenceOrder halves the step of a nonlinear oscillator driven by a
// sine and watches the error at the end fall by 2 to the order of the method.
func TestConvergenceOrder(t *testing.T) {
	const net = `* driven, nonlinear, two states
c1 x 0 1 ic=0.5
l1 x 0 1 ic=0.2
b1 x 0 i={0.3*tanh(v(x))+0.1*v(x)*v(x)*v(x)}
i1 0 x sin(0 0.5 0.2)
.options trtol=1e6 reltol=1e-9 abstol=1e-15 vntol=1e-14 %s
.tran %g 4 0 %g uic
.end
`
	end := func(opts string, h float64) float64 {
		tr, _ := simulate(t, fmt.Sprintf(net, opts, h, h), Options{Times: []float64{4}, Engine: "implicit"})
		return tr.Signal("v(x)").Data[0]
	}
	exact := end("", 1.0/8192)
	for _, m := range []struct {
		opts  string
		order float64
	}{{"", 2}, {"method=gear", 2}, {"maxord=1", 1}} {
		last := 0.0
		for _, h := range []float64{1.0 / 64, 1.0 / 128, 1.0 / 256} {
			e := math.Abs(end(m.opts, h) - exact)
			if last > 0 {
				order := math.Log2(last / e)
				t.Logf("%q h=%g error %.3g order %.3f", m.opts, h, e, order)
				if math.Abs(order-m.order) > 0.06 {
					t.Errorf("%q: order %.3f, want %g", m.opts, order, m.order)
				}
			}
			last = e
		}
	}
}

// TestTruncationControl asks for less error and gets it.
func TestTruncationControl(t *testing.T) {
	const net = `* rc with a pulse
v1 in 0 pulse(0 1 0.1 0 0 0.5 2)
r1 in a 1
c1 a 0 %g
.options reltol=%g vntol=1e-12 abstol=1e-15 chgtol=1e-20
.tran 1m 1 0 1
.end
`
	last := math.Inf(1)
	for _, rel := range []float64{1e-3, 1e-5, 1e-7} {
		tau := 0.05
		tr, stats := simulate(t, fmt.Sprintf(net, tau, rel), Options{Engine: "implicit"})
		a := tr.Signal("v(a)")
		worst := 0.0
		for k, s := range a.Time {
			// Edges of 1 ms replace those of no length, as in ngspice.
			ramp := func(t float64) float64 {
				if t <= 0 {
					return 0
				}
				return t + tau*math.Expm1(-t/tau)
			}
			want := (ramp(s-0.1) - ramp(s-0.101) - ramp(s-0.601) + ramp(s-0.602)) / 1e-3
			worst = math.Max(worst, math.Abs(want-a.Data[k]))
		}
		t.Logf("reltol %g: error %.2g in %d steps, %d rejected", rel, worst, stats.Steps, stats.Rejected)
		if worst > 10*math.Pow(rel, 2.0/3) || worst > last/10 {
			t.Errorf("reltol %g: error %g", rel, worst)
		}
		last = worst
	}
}

// TestPassiveProspectiveMembrane checks the cell of two resistors and a
// capacitor: V(s) = (1 + tau_r d/dt) u to rounding when the step is resolved,
// that is y - u - tau_r du/dt vanishes with the derivative taken from the
// circuit's own equation.
func TestPassiveProspectiveMembrane(t *testing.T) {
	const taum, taur = 1.0, 0.3
	src := fmt.Sprintf(`* membrane
.param tm=%g tr=%g
i1 0 s sin(0 1 0.2)
r0 s 0 1
rp s u {tr/(tm-tr)}
c1 u 0 {tm-tr} ic=0.25
.options trtol=1e6
.tran 1m 10 0 1m uic
.end
`, taum, taur)
	tr, _ := simulate(t, src, Options{Engine: "implicit"})
	s, u := tr.Signal("v(s)"), tr.Signal("v(u)")
	worst, exact := 0.0, 0.0
	w := 2 * math.Pi * 0.2
	for k, tt := range s.Time {
		in := math.Sin(w * tt)
		y := (1-taur/taum)*u.Data[k] + taur/taum*in
		if k > 0 { // the first sample holds the state and solves for s
			worst = math.Max(worst, math.Abs(y-s.Data[k]))
		}
		// tau_m u' = -u + sin wt, u(0) = 0.25
		d := 1 + w*w*taum*taum
		ana := (in-w*taum*math.Cos(w*tt))/d + (0.25+w*taum/d)*math.Exp(-tt/taum)
		exact = math.Max(exact, math.Abs(ana-u.Data[k]))
	}
	t.Logf("lead %.2g, membrane against the analytic solution %.2g", worst, exact)
	if worst > 1e-13 || exact > 1e-6 {
		t.Errorf("lead off by %g, membrane by %g", worst, exact)
	}
	if u.Data[0] != 0.25 {
		t.Errorf("u(0) reads back as %v", u.Data[0])
	}
}

// TestEnergy: an ideal LC circuit under the trapezoidal rule neither gains nor
// loses energy, and charge is conserved when capacitors share it.
func TestEnergy(t *testing.T) {
	tr, _ := simulate(t, `* lc
c1 a 0 1u ic=1
l1 a 0 1m ic=0
.options trtol=1e6
.tran 1u 5m 0 1u uic
.end
`, Options{Engine: "implicit"})
	v, i := tr.Signal("v(a)"), tr.Signal("i(l1)")
	for k := range v.Data {
		e := 0.5*1e-6*v.Data[k]*v.Data[k] + 0.5*1e-3*i.Data[k]*i.Data[k]
		if math.Abs(e/0.5e-6-1) > 1e-9 {
			t.Fatalf("energy %g at t = %g, began with 0.5e-6", e, v.Time[k])
		}
	}
	tr, _ = simulate(t, `* charge sharing
c1 a 0 1u ic=1
r1 a b 1k
c2 b 0 3u ic=0
.tran 1u 20m uic
.end
`, Options{Engine: "implicit"})
	a, b := tr.Signal("v(a)"), tr.Signal("v(b)")
	for k := range a.Data {
		if q := a.Data[k] + 3*b.Data[k]; math.Abs(q-1) > 1e-11 {
			t.Fatalf("charge %.15g at t = %g", q, a.Time[k])
		}
	}
}
