package device

import (
	"fmt"
	"math"
)

// A MOS1 is SPICE's MOS transistor of level 1: Shichman and Hodges' current,
// Meyer's gate capacitances, two junctions to the bulk. Terminals: drain, gate,
// source, bulk.
//
// Meyer's capacitances depend on all voltages and are no derivatives of charges.
// As in SPICE the charge of each grows by the mean capacitance times the change
// of its voltage, so that a gate that went round a cycle may keep some.
type MOS1 struct {
	sign               float64 // +1 n, -1 p
	beta, lambda       float64
	gamma, phi, vbi    float64 // vbi is counted positive for both signs
	cox                float64 // of the channel [F]
	covS, covD, covB   float64 // overlaps [F]
	vt, gmin           float64
	isD, isS           float64
	critD, critS       float64
	bottomD, bottomS   junction
	sideD, sideS       junction
	hasGate, hasBulkCs bool
}

var mosKind = &Kind{
	Letter: 'm', Types: []string{"nmos", "pmos"}, Nodes: 4,
	Model: []string{
		"level", "vto", "kp", "gamma", "phi", "lambda", "rd", "rs", "cbd", "cbs", "is", "pb", "cgso", "cgdo", "cgbo", "rsh", "cj", "mj",
		"cjsw", "mjsw", "js", "ld", "tox", "uo", "fc", "nsub", "tpg", "nss", "tnom",
	},
	Aliases:   map[string]string{"vt0": "vto", "u0": "uo", "tref": "tnom"},
	Instance:  []string{"w", "l", "m", "ad", "as", "pd", "ps", "nrd", "nrs", "temp", "dtemp"},
	IC:        []string{"vds", "vgs", "vbs"},
	ICPins:    [][2]int{{mosDrain, mosSource}, {mosGate, mosSource}, {mosBulk, mosSource}},
	Channels:  [][2]int{{mosDrain, mosSource}, {mosSource, mosBulk}},
	Insulated: [][2]int{{mosGate, mosSource}},
	New: func(typ string, model, inst Params, env Env) (Device, []Resistor, []Problem) {
		m, r, wrong := newMOS(typ, model, inst, env)
		return m, r, wrong
	},
	Ignored: []string{"kf", "af", "nlev", "gdsnoi", "mfg", "type"},
}

// mosLevels says what to do about a level that is not there.
const mosLevels = "level 1 is built in; use the subcircuits mos_n and mos_p of vlec for weak inversion, or --engine ngspice"

// newMOS makes a transistor and the resistors in series with its drain and source.
func newMOS(typ string, model, inst Params, env Env) (m *MOS1, r []Resistor, wrong []Problem) {
	if level := model.or("level", 1); level != 1 {
		return nil, nil, []Problem{{"level", fmt.Sprintf("MOS transistors of level %g are not supported", level), mosLevels}}
	}
	t, tnom, wrong := env.temperatures(model, inst)
	wrong = positive(inst, wrong, "w", "l", "m")
	wrong = positive(model, wrong, "phi", "pb", "is")
	wrong = within(model, wrong, 0, 0.99, "mj", "mjsw", "fc")
	wrong = within(model, wrong, 0, math.Inf(1), "kp", "gamma", "rd", "rs", "rsh", "cbd", "cbs", "cgso", "cgdo", "cgbo", "cj", "cjsw", "js", "tox", "uo", "nsub", "ld")
	wrong = within(inst, wrong, 0, math.Inf(1), "ad", "as", "pd", "ps", "nrd", "nrs")
	w, l, mult := inst.or("w", 1e-4), inst.or("l", 1e-4), inst.or("m", 1)
	leff := l - 2*model.or("ld", 0)
	if l > 0 && leff <= 0 {
		wrong = append(wrong, Problem{Name: "l", Msg: fmt.Sprintf("l=%g less twice ld=%g is no length", l, model.or("ld", 0))})
	}
	if len(wrong) > 0 {
		return nil, nil, wrong
	}
	sign := 1.0
	if typ == "pmos" {
		sign = -1
	}
	p, wrong := process(sign, model, tnom)
	if len(wrong) > 0 {
		return nil, nil, wrong
	}

	egap, egapNom := bandgap(t), bandgap(tnom)
	vt, vtNom := kOverQ*t, kOverQ*tnom
	phi := t/refTemp*((p.phi-potentialShift(tnom))/(tnom/refTemp)) + potentialShift(t)
	vbi := p.vto - sign*p.gamma*math.Sqrt(p.phi) + 0.5*(egapNom-egap) + sign*0.5*(phi-p.phi)
	ad, as := inst.or("ad", 0), inst.or("as", 0)
	isat := math.Exp(-egap/vt + egapNom/vtNom)
	isD := model.or("is", 1e-14) * isat * mult
	isS := isD
	if js := model.or("js", 0) * isat * mult; js != 0 && ad != 0 && as != 0 {
		isD, isS = js*ad, js*as
	}
	m = &MOS1{
		sign: sign,
		beta: p.kp / math.Pow(t/tnom, 1.5) * mult * w / leff, lambda: model.or("lambda", 0),
		gamma: p.gamma, phi: phi, vbi: sign * vbi,
		cox:  p.cox * leff * w * mult,
		covS: model.or("cgso", 0) * w * mult, covD: model.or("cgdo", 0) * w * mult, covB: model.or("cgbo", 0) * leff * mult,
		vt: vt, gmin: env.Gmin, isD: isD, isS: isS, critD: critical(vt, isD), critS: critical(vt, isS),
	}
	m.hasGate = m.cox+m.covS+m.covD+m.covB != 0

	pb, fc := model.or("pb", 0.8), model.or("fc", 0.5)
	bottom := func(whole string, area float64) junction {
		c := model.or("cj", 0) * area
		if model.given(whole) {
			c = model[whole]
		}
		return newJunction(c*mult, pb, model.or("mj", 0.5), fc, t, tnom)
	}
	side := func(length float64) junction {
		return newJunction(model.or("cjsw", 0)*length*mult, pb, model.or("mjsw", 0.5), fc, t, tnom)
	}
	m.bottomD, m.bottomS = bottom("cbd", ad), bottom("cbs", as)
	m.sideD, m.sideS = side(inst.or("pd", 0)), side(inst.or("ps", 0))
	m.hasBulkCs = m.bottomD.c0+m.bottomS.c0+m.sideD.c0+m.sideS.c0 != 0

	series := func(direct, squares, suffix string, terminal int) {
		ohms := model.or(direct, 0)
		if !model.given(direct) {
			ohms = model.or("rsh", 0) * inst.or(squares, 1)
		}
		if ohms > 0 {
			r = append(r, Resistor{terminal, ohms / mult, suffix})
		}
	}
	series("rd", "nrd", "drain", 0)
	series("rs", "nrs", "source", 2)
	return m, r, nil
}

// mosProcess holds what follows from oxide and doping where it is not given.
type mosProcess struct{ cox, kp, phi, gamma, vto float64 }

func process(sign float64, model Params, tnom float64) (p mosProcess, wrong []Problem) {
	p = mosProcess{kp: model.or("kp", 2e-5), phi: model.or("phi", 0.6), gamma: model.or("gamma", 0), vto: model.or("vto", 0)}
	tox := model.or("tox", 0)
	if tox == 0 {
		return p, nil
	}
	p.cox = epsOx / tox
	if !model.given("kp") {
		p.kp = model.or("uo", 600) * p.cox * 1e-4
	}
	if !model.given("nsub") {
		return p, nil
	}
	const ni = 1.45e16 // m^-3
	nsub := model["nsub"] * 1e6
	if nsub <= ni {
		return p, []Problem{{Name: "nsub", Msg: fmt.Sprintf("nsub=%g is less than the intrinsic density", model["nsub"])}}
	}
	if !model.given("phi") {
		p.phi = math.Max(0.1, 2*kOverQ*tnom*math.Log(nsub/ni))
	}
	egap := bandgap(tnom)
	gate := 3.2
	if tpg := model.or("tpg", 1); tpg != 0 {
		gate = 3.25 + 0.5*egap - sign*tpg*0.5*egap
	}
	work := gate - (3.25 + 0.5*egap + sign*0.5*p.phi)
	if !model.given("gamma") {
		p.gamma = math.Sqrt(2*epsSi*charge*nsub) / p.cox
	}
	if !model.given("vto") {
		p.vto = work - model.or("nss", 0)*1e4*charge/p.cox + sign*(p.gamma*math.Sqrt(p.phi)+p.phi)
	}
	return p, nil
}

const (
	mosDrain = iota
	mosGate
	mosSource
	mosBulk
)

func (m *MOS1) Terminals() int { return 4 }

// Memory: voltage, capacitance and charge from the gate to source, drain and bulk.
func (m *MOS1) Memory() int {
	if !m.hasGate {
		return 0
	}
	return 9
}

func (m *MOS1) Stores() (s [MaxTerminals]bool) {
	s[mosGate] = m.hasGate
	s[mosDrain], s[mosSource], s[mosBulk] = m.hasGate || m.hasBulkCs, m.hasGate || m.hasBulkCs, m.hasGate || m.hasBulkCs
	return s
}

func (m *MOS1) Couples(_, _ int) bool { return true }

func (m *MOS1) Start(v []float64) {
	on := m.vbi + m.gamma*math.Sqrt(m.phi)
	v[mosDrain], v[mosGate], v[mosSource], v[mosBulk] = 0, m.sign*on, 0, -m.sign
}

// threshold returns the gate-source voltage of the threshold for a bulk-source
// voltage, and minus its derivative. With a forward bias the root goes on as a
// straight line; SPICE takes the slope of a root there too, which its current
// does not have.
func (m *MOS1) threshold(vbs float64) (on, slope float64) {
	if vbs <= 0 {
		root := math.Sqrt(m.phi - vbs)
		return m.vbi + m.gamma*root, m.gamma / (2 * root)
	}
	root := math.Sqrt(m.phi)
	if vbs >= 2*m.phi {
		return m.vbi, 0
	}
	return m.vbi + m.gamma*(root-vbs/(2*root)), m.gamma / (2 * root)
}

func (m *MOS1) Limit(v, old []float64, _ float64) bool {
	at := func(v []float64) (gs, ds, bs float64) {
		s := v[mosSource]
		return m.sign * (v[mosGate] - s), m.sign * (v[mosDrain] - s), m.sign * (v[mosBulk] - s)
	}
	gs, ds, bs := at(v)
	gs0, ds0, bs0 := at(old)
	was := [3]float64{gs, ds, bs}
	gd := gs - ds
	if ds0 >= 0 {
		on, _ := m.threshold(bs0)
		gs = limitGate(gs, gs0, on)
		ds = limitDrain(gs-gd, ds0)
	} else {
		on, _ := m.threshold(bs0 - ds0)
		gd = limitGate(gd, gs0-ds0, on)
		ds = -limitDrain(-(gs - gd), -ds0)
		gs = gd + ds
	}
	junction := false
	if ds >= 0 {
		bs, junction = limitJunction(bs, bs0, m.vt, m.critS)
	} else {
		var bd float64
		bd, junction = limitJunction(bs-ds, bs0-ds0, m.vt, m.critD)
		bs = bd + ds
	}
	far := junction
	for k, x := range [3]float64{gs, ds, bs} {
		far = far || math.Abs(x-was[k]) > 1e-12*(1+math.Abs(x))
	}
	if far {
		s := v[mosSource]
		v[mosGate], v[mosDrain], v[mosBulk] = s+m.sign*gs, s+m.sign*ds, s+m.sign*bs
	}
	return far
}

func (m *MOS1) Eval(v, last, next []float64, charges bool, out *Stamp) {
	out.reset(4)
	d, s := mosDrain, mosSource
	if m.sign*(v[d]-v[s]) < 0 {
		d, s = s, d // the channel is symmetric
	}
	gs, ds, bs := m.sign*(v[mosGate]-v[s]), m.sign*(v[d]-v[s]), m.sign*(v[mosBulk]-v[s])
	on, slope := m.threshold(bs)
	over := gs - on
	if over > 0 {
		b := m.beta * (1 + m.lambda*ds)
		var id, gm, gds float64
		if over <= ds {
			id, gm, gds = 0.5*b*over*over, b*over, 0.5*m.lambda*m.beta*over*over
		} else {
			id = b * ds * (over - 0.5*ds)
			gm, gds = b*ds, b*(over-ds)+m.lambda*m.beta*ds*(over-0.5*ds)
		}
		out.current(d, s, m.sign*id)
		out.conduct(d, s, mosGate, s, gm)
		out.conduct(d, s, d, s, gds)
		out.conduct(d, s, mosBulk, s, gm*slope)
	}
	m.bulk(v, mosDrain, m.isD, &m.bottomD, &m.sideD, charges, out)
	m.bulk(v, mosSource, m.isS, &m.bottomS, &m.sideS, charges, out)
	if charges && m.hasGate {
		m.gate(v, gs, ds, on, s, last, next, out)
	}
}

// bulk adds the junction from the bulk to a terminal.
func (m *MOS1) bulk(v []float64, to int, is float64, bottom, side *junction, charges bool, out *Stamp) {
	vj := m.sign * (v[mosBulk] - v[to])
	i, g := -is, 0.0
	if vj > -3*m.vt {
		e := math.Exp(math.Min(maxExp, vj/m.vt))
		i, g = is*(e-1), is*e/m.vt
	}
	out.current(mosBulk, to, m.sign*(i+m.gmin*vj))
	out.conduct(mosBulk, to, mosBulk, to, g+m.gmin)
	if charges && m.hasBulkCs {
		q1, c1 := bottom.charge(vj)
		q2, c2 := side.charge(vj)
		out.store(mosBulk, to, mosBulk, to, m.sign*(q1+q2), c1+c2)
	}
}

// gate adds Meyer's capacitances; source is the terminal that acts as one.
func (m *MOS1) gate(v []float64, gs, ds, on float64, source int, last, next []float64, out *Stamp) {
	cs, cd, cb := meyer(gs-on, ds, math.Max(gs-on, 0), m.phi, m.cox)
	if source == mosDrain {
		cs, cd = cd, cs
	}
	for k, x := range [3]struct {
		to         int
		c, overlap float64
	}{{mosSource, cs, m.covS}, {mosDrain, cd, m.covD}, {mosBulk, cb, m.covB}} {
		volts := v[mosGate] - v[x.to]
		q, mean := 0.0, x.c+x.overlap
		if last != nil {
			mean = 0.5*(x.c+last[3*k+1]) + x.overlap
			q = last[3*k+2] + mean*(volts-last[3*k])
		}
		next[3*k], next[3*k+1], next[3*k+2] = volts, x.c, q
		out.store(mosGate, x.to, mosGate, x.to, q, mean)
	}
}

// meyer divides the channel's capacitance between source, drain and bulk
// (J. E. Meyer, RCA Review 32, 42, 1971). Over is the gate's voltage above the
// threshold, sat the saturation voltage, which ngspice takes as at least 25 mV.
func meyer(over, ds, sat, phi, cox float64) (cs, cd, cb float64) {
	sat = math.Max(sat, 0.025)
	switch {
	case over <= -phi:
		return 0, 0, cox
	case over <= -phi/2:
		return 0, 0, -over * cox / phi
	case over <= 0:
		cb = -over * cox / phi
		cs = over*cox/(0.75*phi) + cox/1.5
	default:
		cs = cox / 1.5
	}
	if ds < sat {
		a := 2*sat - ds
		b := sat - ds
		cd = cs * (1 - sat*sat/(a*a))
		cs *= 1 - b*b/(a*a)
	}
	return cs, cd, cb
}
