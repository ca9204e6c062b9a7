package spice

import (
	"context"
	"math"
	"strings"
	"testing"

	"vlec/sim"
)

const cells = `
.subckt membrane s u PARAMS: p_m=1.0 p_r=0.1
rs s 0 1
rp s u {p_r/(p_m-p_r)}
cm u 0 {p_m-p_r} ic=0
.ends
.subckt rate s r
br 0 r i={tanh(v(s))}
rr r 0 1
.ends
.subckt synapse s r e w PARAMS: p_w=0.5 p_eta=0.05
bs 0 s i={v(w)*v(r)/1.0}
bw 0 w i={v(e)*v(r)/1.0}
cw w 0 {1/p_eta} ic={p_w}
.ends
.subckt error x e v PARAMS: p_m=1.0 p_r=0.1
rv x v 1
cv v 0 {p_r} ic=0
g1 0 e v 0 {1-p_m/p_r}
g2 0 e x 0 {p_m/p_r}
re e 0 1
.ends
`

// explicitNets are circuits for which the explicit engine is made.
var explicitNets = map[string]string{
	"forward": cells + `
v1 r0 0 sin(0 1 0.2)
g1 0 s1 r0 0 0.8
x1 s1 u1 membrane
xr s1 r1 rate
g2 0 s2 r1 0 -1.3
g3 0 s2 r0 0 0.2
x2 s2 u2 membrane PARAMS: p_m=2.0 p_r=0.5
.tran 0.02 20 0 0.02 uic
`,
	// A learning chain: target unit, error neurons of both layers, plasticity.
	"learning": cells + `
v1 r0 0 sin(0 1 0.2)
vt t 0 sin(0 0.6 0.2)
xw1 s1 r0 e1 w1 synapse PARAMS: p_w=0.5
x1 s1 u1 membrane
xr1 s1 r1 rate
xw2 s2 r1 e2 w2 synapse PARAMS: p_w=0.4
x2 s2 u2 membrane
xr2 s2 r2 rate
bx2 0 x2i i={(v(t)-v(r2))*(1-v(r2)*v(r2))}
rx2 x2i 0 1
ex2 x2 0 x2i 0 1
xe2 x2 e2 v2 error
bx1 0 x1i i={v(w2)*v(e2)*(1-v(r1)*v(r1))}
rx1 x1i 0 1
ex1 x1 0 x1i 0 1
xe1 x1 e1 v1 error
.tran 0.02 60 0 0.02 uic
`,
	// Recurrent rates that look ahead: an algebraic loop at every instant.
	"recurrent": cells + `
v1 r0 0 sin(0 1 0.2)
g1 0 s1 r0 0 0.8
g2 0 s1 r2 0 -0.9
x1 s1 u1 membrane PARAMS: p_m=1.0 p_r=0.6
xr1 s1 r1 rate
g3 0 s2 r1 0 1.4
x2 s2 u2 membrane PARAMS: p_m=1.5 p_r=0.5
xr2 s2 r2 rate
.tran 0.02 20 0 0.02 uic
`,
	"operating point first": cells + `
v1 r0 0 pwl(0 0.5 5 0.5 6 -0.5 20 -0.5)
g1 0 s1 r0 0 0.8
x1 s1 u1 membrane
xr1 s1 r1 rate
.tran 0.02 20 0 0.02
`,
}

// TestEnginesAgree runs both engines on the same netlists.
func TestEnginesAgree(t *testing.T) {
	for name, body := range explicitNets {
		t.Run(name, func(t *testing.T) {
			src := "* " + name + body + ".options reltol=1e-6 vntol=1e-9\n.end\n"
			var times []float64
			for k := range 401 {
				times = append(times, float64(k)*20/400)
			}
			a, stats := simulate(t, src, Options{Times: times, Engine: "explicit"})
			b, _ := simulate(t, src, Options{Times: times, Engine: "implicit", MaxStep: 0.001})
			t.Logf("%s; %d steps, %d evaluations", stats.Structure, stats.Steps, stats.Evaluations)
			differ := 0
			for _, s := range a.Signals {
				if d := apart(s, b.Signal(s.Name)); !(d <= 2e-5) {
					t.Errorf("%s differs by %g", s.Name, d)
				}
			}
			// The comparison can fail: one component off by a per cent.
			c, _ := simulate(t, strings.Replace(src, "rp s u {p_r", "rp s u {1.01*p_r", 1), Options{Times: times, Engine: "explicit"})
			for _, s := range c.Signals {
				if apart(s, b.Signal(s.Name)) > 2e-5 {
					differ++
				}
			}
			if differ == 0 {
				t.Errorf("a wrong resistor goes unnoticed")
			}
		})
	}
}

// TestEngineIsChosen: from the netlist, and only as far as it is left open.
func TestEngineIsChosen(t *testing.T) {
	floating := `
v1 a 0 sin(0 1 1k)
r1 a b 1k
c1 b c 1u
r2 c 0 1k
.tran 10u 2m
`
	stiff := `
v1 a 0 sin(0 1 1k)
r1 a b 1k
c1 b 0 1u
r2 b c 1
c2 c 0 1n
.tran 10u 2m
`
	for _, test := range []struct{ body, engine, method, why string }{
		{explicitNets["learning"], "", "dop853", "explicit engine"},
		{explicitNets["learning"], "implicit", "trap", ""},
		{floating, "auto", "trap", "float"},
		{strings.Replace(stiff, "1n", "1p", 1), "auto", "trap", "stiff"},
		{stiff, "explicit", "dop853", ""},
	} {
		log := ""
		_, stats := simulate(t, "* test"+test.body+".end\n", Options{Engine: test.engine, Log: func(s string) { log += s + "\n" }})
		if stats.Method != test.method || !strings.Contains(log, test.why) {
			t.Errorf("engine %q: method %s, log %q; want %s, %q", test.engine, stats.Method, log, test.method, test.why)
		}
	}
	n, err := Parse("test.cir", []byte("* test"+floating+".end\n"))
	if err != nil {
		t.Fatal(err)
	}
	c, err := n.Elaborate()
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.Tran(context.Background(), Options{Engine: "explicit"}); err == nil || !strings.Contains(err.Error(), "v(b)") {
		t.Errorf("forced on a floating capacitor: %v", err)
	}
}

// TestExplicitIsAccurate: a sine through a membrane has an analytic answer.
func TestExplicitIsAccurate(t *testing.T) {
	src := "* test" + cells + `
i1 0 s sin(0 1 0.25)
x1 s u membrane PARAMS: p_m=2.0 p_r=0.5
.tran 0.1 40 0 0.1 uic
.end
`
	tr, stats := simulate(t, src, Options{Engine: "explicit"})
	const w, taum, taur = 2 * math.Pi * 0.25, 2.0, 0.5
	// tau u' = -u + sin wt from rest
	a := 1 / (1 + w*w*taum*taum)
	u := func(t float64) float64 { return a * (math.Sin(w*t) - w*taum*math.Cos(w*t) + w*taum*math.Exp(-t/taum)) }
	worst := 0.0
	var su, ss *sim.Signal = tr.Signal("v(u)"), tr.Signal("v(s)")
	for k, now := range su.Time {
		d := (math.Sin(w*now) - u(now)) / taum
		worst = max(worst, math.Abs(su.Data[k]-u(now)), math.Abs(ss.Data[k]-u(now)-taur*d))
	}
	if worst > 1e-6 || stats.Steps > 400 {
		t.Errorf("error %.2g in %d steps", worst, stats.Steps)
	}
}
