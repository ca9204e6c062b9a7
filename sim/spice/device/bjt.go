package device

import (
	"fmt"
	"math"
)

// A BJT is SPICE's bipolar transistor: Gummel and Poon's (Bell System Technical
// J. 49, 827, 1970) with a base resistance that depends on the current and a
// junction to the substrate. Terminals: collector, base and emitter behind their
// resistances, substrate, and the base before its resistance.
type BJT struct {
	sign                     float64 // +1 npn, -1 pnp
	is, bf, br               float64
	vtf, vtr                 float64 // with emission coefficients
	ise, vte, isc, vtc       float64 // leakage
	iss, vts                 float64
	invVaf, invVar           float64
	invIkf, invIkr, nkf      float64
	rbMin, rbMore, irb       float64 // base resistance, if it depends on the current
	tf, xtf, itf, invVtf, tr float64
	vt, gmin, crit           float64
	be, bc, bx               junction
	cs, vjs, mjs             float64
	lateral                  bool
	hasCharges               bool
}

const (
	bjtCollector = iota
	bjtBase
	bjtEmitter
	bjtSubstrate
	bjtBasePin
)

var bjtKind = &Kind{
	Letter: 'q', Types: []string{"npn", "pnp"}, Nodes: 3,
	Model: []string{
		"level", "is", "bf", "nf", "vaf", "ikf", "ise", "ne", "br", "nr", "var", "ikr", "isc", "nc", "rb", "irb", "rbm", "re", "rc", "cje", "vje",
		"mje", "tf", "xtf", "vtf", "itf", "cjc", "vjc", "mjc", "xcjc", "tr", "cjs", "vjs", "mjs", "xtb", "eg", "xti", "fc", "tnom", "iss", "ns",
		"subs", "nkf", "c2", "c4",
	},
	Aliases: map[string]string{
		"va": "vaf", "ik": "ikf", "jle": "ise", "jlc": "isc", "vb": "var", "pe": "vje", "me": "mje", "pc": "vjc", "mc": "mjc", "ccs": "cjs", "csub": "cjs",
		"ps": "vjs", "ms": "mjs", "nk": "nkf", "tref": "tnom",
	},
	Instance: []string{"area", "m", "temp", "dtemp"},
	IC:       []string{"vbe", "vce"},
	ICPins:   [][2]int{{bjtBase, bjtEmitter}, {bjtCollector, bjtEmitter}},
	Channels: [][2]int{{bjtCollector, bjtEmitter}, {bjtBase, bjtEmitter}, {bjtSubstrate, bjtCollector}, {bjtBasePin, bjtBase}},
	Ignored:  []string{"kf", "af", "mfg", "type", "vceo", "icrating", "vbe_max", "vbc_max", "vce_max", "ic_max", "pd_max", "te_max", "cco", "cn", "d", "gap1", "gap2"},
	Neutral: map[string]float64{
		"ptf": 0, "rco": 0, "qco": 0, "tlev": 0, "tlevc": 0, "ibe": 0, "ibc": 0, "trb1": 0, "trb2": 0, "trc1": 0, "trc2": 0, "tre1": 0, "tre2": 0,
		"trm1": 0, "trm2": 0, "tbf1": 0, "tbf2": 0, "tnf1": 0, "tnf2": 0, "tvaf1": 0, "tvaf2": 0, "ttf1": 0, "ttf2": 0, "tis1": 0, "tis2": 0,
	},
	Pins: [][2]int{{bjtBasePin, bjtBase}},
	New: func(typ string, model, inst Params, env Env) (Device, []Resistor, []Problem) {
		q, r, wrong := newBJT(typ, model, inst, env)
		return q, r, wrong
	},
}

func newBJT(typ string, model, inst Params, env Env) (q *BJT, r []Resistor, wrong []Problem) {
	if level := model.or("level", 1); level != 1 {
		return nil, nil, []Problem{{"level", fmt.Sprintf("bipolar transistors of level %g are not supported", level), "use level 1, or --engine ngspice"}}
	}
	t, tnom, wrong := env.temperatures(model, inst)
	wrong = positive(model, wrong, "is", "bf", "br", "nf", "nr", "ne", "nc", "ns", "vje", "vjc", "vjs")
	wrong = within(model, wrong, 0, 0.9999, "fc")
	wrong = within(model, wrong, 0, 0.99, "mje", "mjc", "mjs")
	wrong = within(model, wrong, 0, 1, "xcjc", "nkf")
	wrong = within(model, wrong, 0, math.Inf(1), "vaf", "var", "ikf", "ikr", "ise", "isc", "rb", "rbm", "irb", "re", "rc", "cje", "cjc", "cjs", "tf", "tr", "xtf", "itf", "vtf", "iss")
	wrong = positive(inst, wrong, "area", "m")
	if len(wrong) > 0 {
		return nil, nil, wrong
	}
	size := inst.or("area", 1) * inst.or("m", 1)
	inverse := func(name string) float64 {
		if v := model.or(name, 0); v != 0 {
			return 1 / v
		}
		return 0
	}
	leak := func(name, times string) float64 {
		is := model.or("is", 1e-16)
		v := model.or(name, model.or(times, 0)*is)
		if v > 1e-4 {
			v *= is // an old convention: a multiple of is
		}
		return v
	}
	vt := kOverQ * t
	log := math.Log(t / tnom)
	grow := (t/tnom-1)*model.or("eg", 1.11)/vt + model.or("xti", 3)*log
	beta := math.Exp(log * model.or("xtb", 0))
	is := model.or("is", 1e-16) * math.Exp(grow)
	ne, nc := model.or("ne", 1.5), model.or("nc", 2)
	q = &BJT{
		sign: 1, is: is * size,
		bf: model.or("bf", 100) * beta, br: model.or("br", 1) * beta,
		vtf: vt * model.or("nf", 1), vtr: vt * model.or("nr", 1),
		ise: leak("ise", "c2") * math.Exp(grow/ne) / beta * size, vte: vt * ne,
		isc: leak("isc", "c4") * math.Exp(grow/nc) / beta * size, vtc: vt * nc,
		iss: model.or("iss", 0) * math.Exp(grow) * size, vts: vt * model.or("ns", 1),
		invVaf: inverse("vaf"), invVar: inverse("var"),
		invIkf: inverse("ikf") / size, invIkr: inverse("ikr") / size, nkf: model.or("nkf", 0.5),
		tf: model.or("tf", 0), xtf: model.or("xtf", 0), itf: model.or("itf", 0) * size, invVtf: inverse("vtf") / 1.44, tr: model.or("tr", 0),
		vt: vt, gmin: env.Gmin * inst.or("m", 1), crit: critical(vt, is*size),
		lateral: typ == "pnp",
	}
	if typ == "pnp" {
		q.sign = -1
	}
	if subs := model.or("subs", 0); subs != 0 {
		q.lateral = subs < 0
	}
	fc := model.or("fc", 0.5)
	cjc := model.or("cjc", 0) * size
	vjc, mjc := model.or("vjc", 0.75), model.or("mjc", 0.33)
	inner := model.or("xcjc", 1)
	q.be = newJunction(model.or("cje", 0)*size, model.or("vje", 0.75), model.or("mje", 0.33), fc, t, tnom)
	q.bc = newJunction(cjc*inner, vjc, mjc, fc, t, tnom)
	q.bx = newJunction(cjc*(1-inner), vjc, mjc, fc, t, tnom)
	sub := newJunction(model.or("cjs", 0)*size, model.or("vjs", 0.75), model.or("mjs", 0), fc, t, tnom)
	q.cs, q.vjs, q.mjs = sub.c0, sub.pot, sub.m
	q.hasCharges = q.be.c0+cjc+q.cs+q.tf+q.tr != 0

	for _, s := range []struct {
		name, suffix string
		terminal     int
	}{{"rc", "collector", bjtCollector}, {"re", "emitter", bjtEmitter}} {
		if ohms := model.or(s.name, 0); ohms > 0 {
			r = append(r, Resistor{s.terminal, ohms / size, s.suffix})
		}
	}
	if rb := model.or("rb", 0); rb > 0 {
		rbm := model.or("rbm", rb)
		if rbm == rb && model.or("irb", 0) == 0 {
			r = append(r, Resistor{bjtBase, rb / size, "base"})
		} else {
			r = append(r, Resistor{bjtBase, 0, "base"}) // the device brings its own
			q.rbMin, q.rbMore, q.irb = rbm/size, (rb-rbm)/size, model.or("irb", 0)*size
		}
	}
	return q, r, nil
}

func (q *BJT) Terminals() int { return 5 }
func (q *BJT) Memory() int    { return 0 }

func (q *BJT) Stores() (s [MaxTerminals]bool) {
	to, _ := q.substrate()
	s[bjtSubstrate], s[bjtBasePin] = q.cs != 0, q.bx.c0 != 0
	s[bjtCollector], s[bjtBase], s[bjtEmitter] = q.hasCharges, q.hasCharges, q.hasCharges
	s[to] = s[to] || q.cs != 0
	return s
}

func (q *BJT) Couples(i, j int) bool {
	to, _ := q.substrate()
	pair := func(a, b int) bool { return i == a && j == b || i == b && j == a }
	switch {
	case i == j || pair(bjtSubstrate, to):
		return true
	case i == bjtSubstrate || j == bjtSubstrate:
		return false
	case pair(bjtBasePin, bjtBase):
		return q.rbMin+q.rbMore > 0
	case pair(bjtBasePin, bjtCollector):
		return q.bx.c0 != 0
	}
	return i != bjtBasePin && j != bjtBasePin
}

func (q *BJT) Start(v []float64) {
	clear(v)
	v[bjtBase], v[bjtBasePin], v[bjtCollector] = q.sign*q.crit, q.sign*q.crit, q.sign*q.crit
}

func (q *BJT) Limit(v, old []float64, alpha float64) bool {
	be, bc := q.sign*(v[bjtBase]-v[bjtEmitter]), q.sign*(v[bjtBase]-v[bjtCollector])
	was := [2]float64{q.sign * (old[bjtBase] - old[bjtEmitter]), q.sign * (old[bjtBase] - old[bjtCollector])}
	be, far := limitJunction(be, was[0], q.vt, fast(q.crit, q.vt, q.tf, alpha))
	bc, far2 := limitJunction(bc, was[1], q.vt, fast(q.crit, q.vt, q.tr, alpha))
	if far {
		v[bjtEmitter] = v[bjtBase] - q.sign*be
	}
	if far2 {
		v[bjtCollector] = v[bjtBase] - q.sign*bc
	}
	far3 := false
	if q.iss > 0 {
		to, way := q.substrate()
		vs := way * (v[bjtSubstrate] - v[to])
		if vs, far3 = limitJunction(vs, way*(old[bjtSubstrate]-old[to]), q.vts, critical(q.vts, q.iss)); far3 {
			v[bjtSubstrate] = v[to] + way*vs
		}
	}
	return far || far2 || far3
}

// substrate is the other terminal of the substrate's junction and the sign of
// its forward direction.
func (q *BJT) substrate() (to int, way float64) {
	if q.lateral {
		return bjtBase, -q.sign
	}
	return bjtCollector, q.sign
}

func (q *BJT) Eval(v, _, _ []float64, charges bool, out *Stamp) {
	const c, b, e, s, x = bjtCollector, bjtBase, bjtEmitter, bjtSubstrate, bjtBasePin
	out.reset(5)
	vbe, vbc := q.sign*(v[b]-v[e]), q.sign*(v[b]-v[c])
	ibe, gbe := exponential(vbe, q.vtf, q.is)
	ibc, gbc := exponential(vbc, q.vtr, q.is)

	// Base charge and its derivatives.
	q1 := 1 / (1 - q.invVaf*vbc - q.invVar*vbe)
	qb, dqe, dqc := q1, q1*q1*q.invVar, q1*q1*q.invVaf
	if q.invIkf != 0 || q.invIkr != 0 {
		root, slope := 1.0, 0.0
		if arg := 1 + 4*(q.invIkf*ibe+q.invIkr*ibc); arg > 0 {
			root = math.Pow(arg, q.nkf)
			slope = 2 * root * q.nkf / arg
		}
		qb = q1 * (1 + root) / 2
		dqe = q1 * (qb*q.invVar + q.invIkf*gbe*slope)
		dqc = q1 * (qb*q.invVaf + q.invIkr*gbc*slope)
	}

	it := (ibe - ibc) / qb
	out.current(c, e, q.sign*it)
	out.conduct(c, e, b, e, (gbe-it*dqe)/qb)
	out.conduct(c, e, b, c, (-gbc-it*dqc)/qb)

	diode := func(to int, i, g, leak, vt, volts float64) {
		if leak != 0 {
			di, dg := exponential(volts, vt, leak)
			i, g = i+di, g+dg
		}
		out.current(b, to, q.sign*(i+q.gmin*volts))
		out.conduct(b, to, b, to, g+q.gmin)
	}
	diode(e, ibe/q.bf, gbe/q.bf, q.ise, q.vte, vbe)
	diode(c, ibc/q.br, gbc/q.br, q.isc, q.vtc, vbc)

	if q.rbMin+q.rbMore > 0 {
		q.baseResistance(v, qb, -q.sign*(out.I[c]+out.I[e]), out)
	}

	to, way := q.substrate()
	vs := way * (v[s] - v[to])
	is, gs := exponential(vs, q.vts, q.iss)
	out.current(s, to, way*(is+q.gmin*vs))
	out.conduct(s, to, s, to, gs+q.gmin)

	if !charges || !q.hasCharges {
		return
	}
	charge, cap := q.be.charge(vbe)
	crossed := 0.0
	if q.tf != 0 {
		var tf, te, tc float64
		tf, te, tc = ibe, gbe, 0
		if vbe > 0 {
			more, slope := 0.0, 0.0
			if q.xtf != 0 {
				more = q.xtf * math.Exp(vbc*q.invVtf)
				slope = more
				if q.itf != 0 {
					p := ibe / (ibe + q.itf)
					more *= p * p
					slope = more * (3 - 2*p)
				}
				tc = ibe * more * q.invVtf
			}
			tf = ibe * (1 + more) / qb
			te = (gbe*(1+slope) - tf*dqe) / qb
			tc = (tc - tf*dqc) / qb
		}
		charge, cap, crossed = charge+q.tf*tf, cap+q.tf*te, q.tf*tc
	}
	out.store(b, e, b, e, q.sign*charge, cap)
	if crossed != 0 {
		out.store(b, e, b, c, 0, crossed)
	}
	charge, cap = q.bc.charge(vbc)
	out.store(b, c, b, c, q.sign*(charge+q.tr*ibc), cap+q.tr*gbc)
	if q.bx.c0 != 0 {
		charge, cap = q.bx.charge(q.sign * (v[x] - v[c]))
		out.store(x, c, x, c, q.sign*charge, cap)
	}
	if q.cs != 0 {
		if vs < 0 {
			arg := 1 - vs/q.vjs
			p := math.Pow(arg, -q.mjs)
			charge, cap = q.vjs*q.cs*(1-arg*p)/(1-q.mjs), q.cs*p
		} else {
			charge, cap = vs*q.cs*(1+q.mjs*vs/(2*q.vjs)), q.cs*(1+q.mjs*vs/q.vjs)
		}
		out.store(s, to, s, to, way*charge, cap)
	}
}

// baseResistance adds the one that falls with the base charge or, by irb, with
// the base current. As in SPICE it stands still in a linearisation.
func (q *BJT) baseResistance(v []float64, qb, ib float64, out *Stamp) {
	r := q.rbMin + q.rbMore/qb
	if q.irb != 0 {
		a := math.Max(ib/q.irb, 1e-9)
		z := (math.Sqrt(1+14.59025*a) - 1) / 2.4317 / math.Sqrt(a)
		tan := math.Tan(z)
		r = q.rbMin + 3*q.rbMore*(tan-z)/(z*tan*tan)
	}
	out.current(bjtBasePin, bjtBase, (v[bjtBasePin]-v[bjtBase])/r)
	out.conduct(bjtBasePin, bjtBase, bjtBasePin, bjtBase, 1/r)
}
