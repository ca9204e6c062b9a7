package device

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

var env = Env{Temp: 27, Tnom: 27, Gmin: 1e-12, RelTol: 1e-6}

// samples are devices with every effect switched on.
func samples(t testing.TB) map[string]Device {
	out := map[string]Device{}
	for _, c := range []struct {
		name, typ   string
		model, inst Params
	}{
		{"diode", "d", Params{"is": 1e-14, "n": 1.3, "bv": 3, "ikf": 1e-3, "ikr": 1e-6, "cjo": 1e-12, "tt": 1e-9, "m": 0.4, "vj": 0.8}, Params{"area": 2}},
		{"nmos", "nmos", Params{
			"vto": 0.5, "kp": 1e-4, "gamma": 0.5, "lambda": 0.05, "tox": 1e-8, "cgso": 1e-10, "cgdo": 2e-10, "cgbo": 1e-10,
			"cj": 1e-3, "cjsw": 1e-10, "mj": 0.4,
		}, Params{"w": 1e-5, "l": 1e-6, "ad": 1e-11, "as": 1e-11, "pd": 1e-5, "ps": 1e-5}},
		{"pmos", "pmos", Params{"vto": -0.5, "kp": 4e-5, "gamma": 0.5, "lambda": 0.05, "tox": 1e-8, "cbd": 1e-14}, Params{"w": 1e-5, "l": 1e-6}},
		{"npn", "npn", Params{
			"is": 1e-16, "bf": 80, "br": 2, "nf": 1.02, "vaf": 40, "var": 20, "ikf": 1e-2, "ikr": 1e-3, "ise": 1e-14, "isc": 1e-14, "rb": 100,
			"cje": 1e-12, "cjc": 1e-12, "xcjc": 0.6, "cjs": 1e-12, "mjs": 0.4, "tf": 1e-10, "tr": 1e-9, "xtf": 2, "vtf": 3, "itf": 1e-2, "iss": 1e-16,
		}, Params{"area": 2}},
		{"npn of few effects", "npn", Params{"cje": 1e-12, "cjc": 1e-12}, Params{}},
		{"pnp", "pnp", Params{"vaf": 40, "cje": 1e-12, "cjc": 1e-12, "cjs": 1e-12, "mjs": 0.4, "tf": 1e-10, "iss": 1e-16}, Params{}},
	} {
		d, _, wrong := Find(c.typ).New(c.typ, c.model, c.inst, env)
		if len(wrong) > 0 {
			t.Fatal(wrong)
		}
		out[c.name] = d
	}
	return out
}

// TestJacobians compares derivatives with differences of values, and checks that
// currents and charges of all terminals add up to nothing: at random voltages, and
// where it failed once.
func TestJacobians(t *testing.T) {
	for name, d := range samples(t) {
		n := d.Terminals()
		for _, v := range [][]float64{{1, 1, 1, 1, 1}, {0.5, 0.125, 0.5, 1.5, 1}} {
			checkJacobian(t, name, d, v[:n])
		}
		rapid.Check(t, func(t *rapid.T) {
			v := make([]float64, n)
			for i := range v {
				v[i] = rapid.Float64Range(-2, 2).Draw(t, "v")
			}
			checkJacobian(t, name, d, v)
		})
	}
}

func checkJacobian(t rapid.TB, name string, d Device, v []float64) {
	n := len(v)
	if d.Limit(v, make([]float64, n), 0) {
		return // an exponential beyond reach
	}
	mem := make([]float64, d.Memory())
	var at, up, down Stamp
	d.Eval(v, nil, mem, true, &at)
	last := append([]float64(nil), mem...)
	for i := range n {
		for j := range n {
			if !d.Couples(i, j) && (at.G[i*n+j] != 0 || at.C[i*n+j] != 0) {
				t.Fatalf("%s at %v: terminal %d depends on %d", name, v, i, j)
			}
		}
		if q := d.Stores(); !q[i] && at.Q[i] != 0 {
			t.Fatalf("%s at %v: terminal %d stores %g C", name, v, i, at.Q[i])
		}
	}
	var sumI, sumQ, sizeI, sizeQ float64
	for i := range n {
		sumI, sizeI = sumI+at.I[i], sizeI+math.Abs(at.I[i])
		sumQ, sizeQ = sumQ+at.Q[i], sizeQ+math.Abs(at.Q[i])
	}
	if math.Abs(sumI) > 1e-14*sizeI || math.Abs(sumQ) > 1e-14*sizeQ {
		t.Fatalf("%s at %v: currents sum up to %g, charges to %g", name, v, sumI, sumQ)
	}
	if sizeI > 1 {
		return // differences would show rounding only
	}
	const h = 1e-6
	for j := range n {
		was := v[j]
		v[j] = was + h
		d.Eval(v, last, mem, true, &up)
		v[j] = was - h
		d.Eval(v, last, mem, true, &down)
		v[j] = was
		for i := range n {
			g, c := (up.I[i]-down.I[i])/(2*h), (up.Q[i]-down.Q[i])/(2*h)
			// Second derivatives jump where regions meet; the bound allows for it.
			if math.Abs(g-at.G[i*n+j]) > 1e-9+1e-3*math.Abs(g) {
				t.Fatalf("%s at %v: dI%d/dV%d is %g, not %g", name, v, i, j, g, at.G[i*n+j])
			}
			if math.Abs(c-at.C[i*n+j]) > 1e-17+1e-3*math.Abs(c) {
				t.Fatalf("%s at %v: dQ%d/dV%d is %g, not %g", name, v, i, j, c, at.C[i*n+j])
			}
		}
	}
}

// TestLimit: from anywhere to anywhere, limits lead to finite currents, and are
// silent when nothing moves.
func TestLimit(t *testing.T) {
	for name, d := range samples(t) {
		n := d.Terminals()
		rapid.Check(t, func(t *rapid.T) {
			old, v := make([]float64, n), make([]float64, n)
			d.Start(old)
			mem := make([]float64, d.Memory())
			var s Stamp
			for range 3 {
				for i := range v {
					v[i] = rapid.Float64Range(-1e3, 1e3).Draw(t, "v")
				}
				d.Limit(v, old, 0)
				d.Eval(v, nil, mem, true, &s)
				for i := range n {
					if math.IsNaN(s.I[i]) || math.IsInf(s.I[i], 0) {
						t.Fatalf("%s at %v after %v: current %g", name, v, old, s.I[i])
					}
				}
				copy(old, v)
				if d.Limit(v, old, 0) {
					t.Fatalf("%s: limited at %v where it already stands", name, v)
				}
			}
		})
	}
}

// TestNoSubstrate: a junction without saturation current has no current at any
// voltage.
func TestNoSubstrate(t *testing.T) {
	q := samples(t)["npn of few effects"]
	var s Stamp
	q.Eval([]float64{0, 0, 0, 100, 0}, nil, nil, true, &s)
	for i, v := range s.I[:q.Terminals()] {
		if !(math.Abs(v) < 1e-9) {
			t.Errorf("current %g into terminal %d", v, i)
		}
	}
}
