package device

import (
	"fmt"
	"math"
)

// A Diode is SPICE's: a junction with breakdown, high injection, depletion and
// diffusion charge. Terminals: anode, cathode.
type Diode struct {
	is, vt     float64 // vt includes the emission coefficient
	gmin       float64
	ikf, ikr   float64 // 0: no knee
	bv, vtbrk  float64 // bv is matched to the breakdown current; NaN: none
	crit       float64
	tt         float64
	j          junction
	hasCharges bool
}

var diodeKind = &Kind{
	Letter: 'd', Types: []string{"d"}, Nodes: 2,
	Model: []string{
		"level", "is", "n", "rs", "cjo", "vj", "m", "fc", "tt", "bv", "ibv", "nbv", "eg", "xti", "tnom", "ikf", "ikr", "trs1", "trs2", "tcv",
	},
	Aliases:  map[string]string{"js": "is", "cj0": "cjo", "cj": "cjo", "pb": "vj", "mj": "m", "ik": "ikf", "trs": "trs1", "tref": "tnom", "vb": "bv", "ib": "ibv"},
	Instance: []string{"area", "m", "temp", "dtemp", "pj"},
	IC:       []string{"vd"},
	ICPins:   [][2]int{{0, 1}},
	Channels: [][2]int{{0, 1}},
	New: func(_ string, model, inst Params, env Env) (Device, []Resistor, []Problem) {
		d, r, wrong := newDiode(model, inst, env)
		return d, r, wrong
	},
	Ignored: []string{"kf", "af", "fv_max", "bv_max", "id_max", "pd_max", "te_max", "rth0", "cth0", "vpk", "mfg", "type", "iave"},
	Neutral: map[string]float64{
		"jsw": 0, "cjp": 0, "cjsw": 0, "isr": 0, "jtun": 0, "jtunsw": 0, "tlev": 0, "tlevc": 0, "ttt1": 0, "ttt2": 0, "tm1": 0, "tm2": 0,
		"thmode": 0, "cta": 0, "ctp": 0,
	},
}

// newDiode makes a diode, and the resistor in series with its anode if it has
// one.
func newDiode(model, inst Params, env Env) (d *Diode, r []Resistor, wrong []Problem) {
	t, tnom, wrong := env.temperatures(model, inst)
	wrong = positive(model, wrong, "n", "vj", "nbv", "is", "ibv")
	wrong = within(model, wrong, 0, 0.99, "m", "fc")
	wrong = within(model, wrong, 0, math.Inf(1), "rs", "cjo", "tt", "bv", "ikf", "ikr")
	wrong = positive(inst, wrong, "area", "m")
	if level := model.or("level", 1); level != 1 {
		wrong = append(wrong, Problem{"level", fmt.Sprintf("diodes of level %g are not supported", level), "use level 1"})
	}
	if len(wrong) > 0 {
		return nil, nil, wrong
	}
	size := inst.or("area", 1) * inst.or("m", 1)
	n := model.or("n", 1)
	vt := kOverQ * t
	is := model.or("is", 1e-14) * size
	is *= math.Exp((t/tnom-1)*model.or("eg", 1.11)/(n*vt) + model.or("xti", 3)/n*math.Log(t/tnom))
	grading := math.Min(model.or("m", 0.5), 0.9)
	d = &Diode{
		is: is, vt: n * vt, gmin: env.Gmin,
		ikf: model.or("ikf", 0) * size, ikr: model.or("ikr", 0) * size,
		bv: math.NaN(), crit: critical(n*vt, is),
		tt: model.or("tt", 0),
		j:  newJunction(model.or("cjo", 0)*size, model.or("vj", 1), grading, model.or("fc", 0.5), t, tnom),
	}
	d.hasCharges = d.tt != 0 || d.j.c0 != 0
	if bv := model.or("bv", 0); bv > 0 {
		d.vtbrk = model.or("nbv", n) * vt
		d.bv = matchBreakdown(bv-model.or("tcv", 0)*(t-tnom), model.or("ibv", 1e-3)*inst.or("m", 1), is, vt, d.vtbrk, env.RelTol)
	}
	if rs := model.or("rs", 0); rs > 0 {
		dt := t - tnom
		r = append(r, Resistor{0, rs / size * (1 + model.or("trs1", 0)*dt + model.or("trs2", 0)*dt*dt), "internal"})
	}
	return d, r, nil
}

// matchBreakdown finds the voltage at which the exponential of breakdown begins,
// so that at bv the current is ibv.
func matchBreakdown(bv, ibv, is, vt, vtbrk, tol float64) float64 {
	if ibv < is*bv/vt {
		return bv // the reverse current alone is as large
	}
	x := bv - vtbrk*math.Log(1+ibv/is)
	for range 25 {
		x = bv - vtbrk*math.Log(ibv/is+1-x/vt)
		if i := is * (math.Exp((bv-x)/vtbrk) - 1 + x/vt); math.Abs(i-ibv) <= tol*ibv {
			break
		}
	}
	return x
}

func (d *Diode) Terminals() int { return 2 }
func (d *Diode) Memory() int    { return 0 }

func (d *Diode) Couples(_, _ int) bool { return true }

func (d *Diode) Stores() (s [MaxTerminals]bool) {
	s[0], s[1] = d.hasCharges, d.hasCharges
	return s
}

func (d *Diode) Start(v []float64) { v[0], v[1] = d.crit, 0 }

func (d *Diode) Limit(v, old []float64, alpha float64) bool {
	vd, was := v[0]-v[1], old[0]-old[1]
	limited := false
	if vd < math.Min(0, 10*d.vtbrk-d.bv) { // false without breakdown
		var back float64
		back, limited = limitJunction(-(vd + d.bv), -(was + d.bv), d.vtbrk, d.crit)
		vd = -(back + d.bv)
	} else {
		vd, limited = limitJunction(vd, was, d.vt, fast(d.crit, d.vt, d.tt, alpha))
	}
	if limited {
		v[0] = v[1] + vd
	}
	return limited
}

func (d *Diode) Eval(v, _, _ []float64, charges bool, out *Stamp) {
	out.reset(2)
	vd := v[0] - v[1]
	var i, g float64
	if vd < -d.bv && vd < -3*d.vt {
		e := d.is * math.Exp(-(d.bv+vd)/d.vtbrk)
		i, g = -e, e/d.vtbrk
	} else {
		i, g = exponential(vd, d.vt, d.is)
	}
	if charges && d.hasCharges {
		q, c := d.j.charge(vd)
		out.store(0, 1, 0, 1, q+d.tt*i, c+d.tt*g)
	}
	knee := d.ikf
	if vd < -3*d.vt {
		knee = d.ikr
	}
	if knee > 0 && math.Abs(i) > 1e-18 {
		s := math.Sqrt(math.Abs(i) / knee)
		i, g = i/(1+s), g*(1+s/2)/((1+s)*(1+s))
	}
	out.current(0, 1, i+d.gmin*vd)
	out.conduct(0, 1, 0, 1, g+d.gmin)
}
