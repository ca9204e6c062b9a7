package spice

import (
	"context"
	"fmt"
	"math"
	"testing"
)

// depletion is the charge of a junction, from the textbook.
func depletion(v, c0, pot, m float64) float64 {
	return c0 * pot / (1 - m) * (1 - math.Pow(1-v/pot, 1-m))
}

// TestOrderOfCharges measures the convergence order of each method where charges
// are functions of voltages: a junction and a transistor in a driven circuit.
func TestOrderOfCharges(t *testing.T) {
	const net = `* a varactor in a driven tank, and a transistor
.model v d(is=1e-16 cjo=1 vj=1 m=0.5)
.model n nmos(vto=-3 kp=0.1 gamma=0 cbd=0.5 cbs=0.5 pb=2 is=1e-16)
i1 0 k sin(0.2 0.5 0.15)
d1 0 k v
rk k 0 2
l1 k 0 1 ic=0.1
m1 k gnd o 0 n w=1u l=1u
co o 0 1 ic=0.3
ro o 0 3
.ic v(k)=2 v(o)=0.3
.options trtol=1e6 reltol=1e-10 abstol=1e-15 vntol=1e-14 gmin=1e-15 %s
.tran %g 4 0 %g uic
.end
`
	end := func(opts string, h float64) float64 {
		tr, _ := simulate(t, fmt.Sprintf(net, opts, h, h), Options{Times: []float64{4}})
		return tr.Signal("v(k)").Data[0]
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
				if math.Abs(order-m.order) > 0.1 {
					t.Errorf("%q: order %.3f, want %g", m.opts, order, m.order)
				}
			}
			last = e
		}
	}
}

// TestEnergyOfVaractor: a lossless tank of an inductor and a junction keeps its
// energy; what the trapezoidal rule loses falls with the square of the step.
func TestEnergyOfVaractor(t *testing.T) {
	const net = `* lossless
.model v d(is=1e-40 cjo=1n vj=0.8 m=0.4)
d1 0 k v
c1 k 0 0.2n ic=4
l1 k b 1u ic=0
vb b 0 3
.ic v(k)=4 v(b)=3
.options trtol=1e6 reltol=1e-9 abstol=1e-15 vntol=1e-12 gmin=1e-25
.tran %g 5u 0 %g uic
.end
`
	drift := func(h float64) float64 {
		tr, _ := simulate(t, fmt.Sprintf(net, h, h), Options{})
		v, i := tr.Signal("v(k)"), tr.Signal("i(l1)")
		energy := func(k int) float64 { // about the bias, where the source does no work
			stored := 0.0 // integral of (v - 3) dq from 3 V on
			const n = 200
			q := func(u float64) float64 { return -depletion(-u, 1e-9, 0.8, 0.4) + 0.2e-9*u }
			for s := range n {
				a := 3 + (v.Data[k]-3)*float64(s)/n
				b := 3 + (v.Data[k]-3)*float64(s+1)/n
				stored += ((a+b)/2 - 3) * (q(b) - q(a))
			}
			return stored + 0.5*1e-6*i.Data[k]*i.Data[k]
		}
		first, worst := energy(0), 0.0
		for k := range v.Data {
			worst = math.Max(worst, math.Abs(energy(k)/first-1))
		}
		return worst
	}
	coarse, fine := drift(2e-9), drift(1e-9)
	t.Logf("energy drifts by %.2g and, at half the step, %.2g", coarse, fine)
	if fine > 1e-4 || coarse/fine < 3.5 || coarse/fine > 4.5 {
		t.Errorf("energy drifts by %g and %g", coarse, fine)
	}
}

// TestChargeOfJunctions: a capacitor shares its charge with a junction, and a
// transistor with the junctions of its bulk pumps none.
func TestChargeOfJunctions(t *testing.T) {
	tr, _ := simulate(t, `* sharing
.model v d(is=1e-40 cjo=2u vj=0.7 m=0.45)
c1 a 0 1u ic=5
r1 a b 1k
d1 0 b v
.ic v(a)=5
.options reltol=1e-9 trtol=1e3 gmin=1e-30 vntol=1e-13 abstol=1e-18
.tran 1u 40m uic
.end
`, Options{})
	a, b := tr.Signal("v(a)"), tr.Signal("v(b)")
	for k := range a.Data {
		if q := a.Data[k]*1e-6 - depletion(-b.Data[k], 2e-6, 0.7, 0.45); math.Abs(q/5e-6-1) > 1e-8 {
			t.Fatalf("charge %.12g at t = %g", q, a.Time[k])
		}
	}
	if d := a.Data[len(a.Data)-1] - b.Data[len(b.Data)-1]; math.Abs(d) > 1e-3 {
		t.Errorf("the voltages end %g V apart", d)
	}

	// The gate goes up and down a hundred times; what the capacitors and junctions
	// hold together may not change. With Meyer's capacitances it does, as in every
	// SPICE; the amount is in the log.
	for _, oxide := range []string{"", "tox=20n"} {
		tr, _ = simulate(t, fmt.Sprintf(`* pumping
.model n nmos(vto=0.5 kp=100u gamma=0.3 is=1e-40 cbd=20f cbs=30f pb=0.8 mj=0.5 %s)
vg g 0 pulse(0 3 1n 1n 1n 4n 10n)
vb b 0 -1
m1 x g y b n w=4u l=1u
c1 x 0 0.2p
c2 y 0 0.1p
.ic v(x)=1 v(y)=0.2 v(b)=-1
.options gmin=1e-30 reltol=1e-6 vntol=1e-9 abstol=1e-16 chgtol=1e-20
.tran 10p 1u 0 20p uic
.end
`, oxide), Options{})
		x, y := tr.Signal("v(x)"), tr.Signal("v(y)")
		total := func(k int) float64 {
			return 0.2e-12*x.Data[k] + 0.1e-12*y.Data[k] - depletion(-1-x.Data[k], 20e-15, 0.8, 0.5) - depletion(-1-y.Data[k], 30e-15, 0.8, 0.5)
		}
		first, last := total(0), total(len(x.Data)-1)
		t.Logf("%q: charge changes by %.2g of %.2g C", oxide, last-first, first)
		if oxide == "" && math.Abs(last/first-1) > 1e-8 {
			t.Errorf("charge %g became %g", first, last)
		}
	}
}

// TestIslandsKeepTheirCharge: the two plates of a capacitor between nodes without
// another hold opposite charges, and opposite currents flow into them. What
// rounding adds after a corner would turn around at every step for ever: 3e-9 A
// beside the 1e-6 A of the signal here.
func TestIslandsKeepTheirCharge(t *testing.T) {
	c := build(t, "island.cir", `* coupling capacitor
vcc vcc 0 9
vs s 0 sin(0 5m 10meg)
rs s i 50
ci i b 10n
r1 vcc b 15k
r2 b 0 4.7k
r3 b x 60
cx x 0 2p
.options reltol=1e-5 vntol=1e-7
.tran 2n 0.4u 0 0.08n
.end
`)
	run, err := c.newTransient(Options{Method: "trap", Sink: nowhere{}}, &Stats{})
	if err != nil {
		t.Fatal(err)
	}
	if err := run.integrate(context.Background()); err != nil {
		t.Fatal(err)
	}
	i, b := c.net.top.slot["i"]-1, c.net.top.slot["b"]-1
	if len(run.islands) != 1 || len(run.islands[0]) != 2 || run.islands[0][0] != min(i, b) {
		t.Fatalf("islands %v, nodes %d and %d", run.islands, i, b)
	}
	if sum := run.qdot[i] + run.qdot[b]; math.Abs(sum) > 1e-13 || math.Abs(run.qdot[i]) < 1e-8 {
		t.Errorf("currents %g and %g A into the plates add up to %g", run.qdot[i], run.qdot[b], sum)
	}
}
