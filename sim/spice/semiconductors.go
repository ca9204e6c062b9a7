package spice

import (
	"math"
	"strings"

	"vlec/sim/spice/device"
)

// A modelCard is a .model card as it is written.
type modelCard struct {
	name, typ string
	pos       pos
	params    []param
}

// model finds a .model card in this scope or one around it, and the scope it
// belongs to.
func (s *subckt) model(name string) (*modelCard, *subckt) {
	for ; s != nil; s = s.parent {
		if m := s.models[name]; m != nil {
			return m, s
		}
	}
	return nil, nil
}

// modelCard reads .model name type (name=value …).
func (p *parser) modelCard(s *scanner, at pos) {
	name, typ := s.next(), s.next()
	if name.kind != fieldWord || typ.kind != fieldWord {
		p.errorf(at, "write .model name type (parameter=value …)", ".model needs a name and a type")
		return
	}
	m := &modelCard{name: s.text(name), typ: s.text(typ), pos: at}
	if device.Find(m.typ) == nil {
		p.cur.models[m.name] = m // refused where it is used
		return
	}
	for {
		f := s.peek()
		if s.is(f, '(') || s.is(f, ')') {
			s.next()
			continue
		}
		if f.kind == fieldEnd {
			break
		}
		if f.kind == fieldWord && !p.assigns(s) {
			s.next()
			if v := s.peek(); p.isValue(s, v) && (v.kind == fieldExpr || !isLetter(s.text(v)[0])) {
				s.next() // without '=', as the oldest SPICE had it
				m.params = append(m.params, param{s.text(f), p.quantity(s, v, "the value of "+s.text(f)), s.pos(f)})
			}
			continue // else a flag
		}
		f, v, ok := p.assignment(s)
		if !ok {
			return
		}
		m.params = append(m.params, param{s.text(f), v, s.pos(f)})
	}
	if old := p.cur.models[m.name]; old != nil {
		p.warnf(at, "remove one", "model %s is defined twice, first in line %d; the first counts", m.name, old.pos.line)
		return
	}
	p.cur.models[m.name] = m
}

// semiconductor reads a d, m or q card: nodes, model, dimensions.
func (p *parser) semiconductor(s *scanner, el *element) {
	kind := device.OfLetter(el.kind)
	var words []field
	for {
		f := s.peek()
		if f.kind != fieldWord || p.assigns(s) {
			break
		}
		words = append(words, s.next())
	}
	n := kind.Nodes
	if el.kind == 'q' && len(words) >= 5 && !isPlainNumber(s.text(words[4])) && s.text(words[4]) != "off" {
		n = 4 // with a substrate
	}
	if len(words) <= n {
		p.errorf(el.pos, "write "+cardForms[el.kind], "%s needs %d nodes and a model", el.name, n)
		return
	}
	for i, f := range words[:n] {
		el.node[i] = p.cur.node(s.text(f))
	}
	x := el.x()
	x.terminals = n
	x.model, x.modelPos = s.text(words[n]), s.pos(words[n])
	for i, f := range words[n+1:] {
		switch t := s.text(f); {
		case t == "off":
		case i == 0 && el.kind != 'm':
			x.args = append(x.args, param{"area", p.quantity(s, f, "the area"), s.pos(f)})
		default:
			p.errorf(s.pos(f), "write "+cardForms[el.kind], "unexpected %q in %s", s.raw(f), el.name)
			return
		}
	}
	for s.peek().kind != fieldEnd {
		f := s.peek()
		switch {
		case f.kind == fieldExpr && el.kind != 'm' && len(x.args) == 0:
			s.next()
			x.args = append(x.args, param{"area", p.quantity(s, f, "the area"), s.pos(f)})
			continue
		case f.kind == fieldWord && s.text(f) == "off":
			s.next()
			continue
		}
		f, v, ok := p.assignment(s)
		if !ok {
			return
		}
		if s.text(f) != "ic" {
			x.args = append(x.args, param{s.text(f), v, s.pos(f)})
			continue
		}
		x.ics = []quantity{v}
		for len(x.ics) < len(kind.IC) && p.isValue(s, s.peek()) && !p.assigns(s) && s.text(s.peek()) != "off" {
			x.ics = append(x.ics, p.quantity(s, s.next(), "the initial voltage"))
		}
	}
}

var cardForms = map[byte]string{
	'd': "d1 anode cathode model [area]",
	'm': "m1 drain gate source bulk model w=… l=…",
	'q': "q1 collector base emitter [substrate] model [area]",
}

// isPlainNumber tells whether a word can only be a number; 2n2222 is a name.
func isPlainNumber(s string) bool { return strings.Trim(s, "0123456789.") == "" && s != "" }

// A semiconductor is a device with equations of its own: terminals, some of them
// internal, and initial voltages.
type semiconductor struct {
	dev   int32
	nodes [device.MaxTerminals]int32
	pins  [device.MaxTerminals]int32 // nodes of the card, before series resistances
	model device.Device
	ic    []float64 // for its kind's list, NaN where not given
	kind  *device.Kind
}

// modelParams evaluates a .model card in the scope it stands in.
func (el *elaborator) modelParams(card *modelCard, in *subckt, s *scope) device.Params {
	for s != nil && s.sub != in {
		s = s.parent
	}
	// Only the top's scope is there for the whole elaboration.
	global := s == el.top.scope
	if p, ok := el.models[card]; ok && global {
		return p
	}
	first := !el.judged[card]
	el.judged[card] = true
	p := device.Params{}
	where := map[string]pos{}
	for _, q := range card.params {
		p[q.name] = el.eval(s, q.val, "parameter "+q.name+" of model "+card.name, q.pos)
		where[q.name] = q.pos
	}
	kind := device.Find(card.typ)
	wrong, unknown := kind.Check(p)
	for _, w := range wrong {
		el.errorf(where[w.Name], "leave the effect out, or use --engine ngspice", "model %s: %s", card.name, w.Msg)
	}
	if level := p["level"]; first && len(unknown) > 0 && (level == 0 || level == 1) {
		for _, name := range unknown {
			hint := ""
			if near := nearest(name, kind.Model); near != "" {
				hint = "did you mean " + near + "?"
			}
			el.warnf(where[name], hint, "parameter %s of model %s is not known and ignored", name, card.name)
		}
	}
	if global {
		el.models[card] = p
	}
	return p
}

// semiconductor puts a d, m or q element into the circuit.
func (el *elaborator) semiconductor(f *frame, e *element, dev int32) {
	c, x := el.c, e.extra
	kind := device.OfLetter(e.kind)
	card, in := f.sub.model(x.model)
	if card == nil {
		hint := "add a .model card or .include it"
		if near := nearest(x.model, f.sub.modelNames()); near != "" {
			hint = "did you mean " + near + "?"
		}
		el.errorf(x.modelPos, hint, "model %s is not defined", x.model)
		return
	}
	if k := device.Find(card.typ); k != kind {
		hint := "name a model of type " + strings.Join(kind.Types, " or ")
		if k == nil {
			hint = "models of type " + strings.Join(supportedTypes(), ", ") + " are understood; use --engine ngspice for others"
		}
		el.errorf(x.modelPos, hint, "%s cannot use model %s of type %s", e.name, x.model, card.typ)
		return
	}
	inst := device.Params{}
	where := map[string]pos{}
	for _, a := range x.args {
		known := false
		for _, name := range kind.Instance {
			known = known || name == a.name
		}
		if !known {
			hint := "known are " + strings.Join(kind.Instance, " ")
			if near := nearest(a.name, kind.Instance); near != "" {
				hint = "did you mean " + near + "?"
			}
			el.errorf(a.pos, hint, "unknown parameter %s of %s", a.name, e.name)
			continue
		}
		inst[a.name] = el.eval(f.scope, a.val, a.name+" of "+e.name, a.pos)
		where[a.name] = a.pos
	}
	model := el.modelParams(card, in, f.scope)
	s := semiconductor{dev: dev, kind: kind}
	env := device.Env{Temp: c.opts.temp, Tnom: c.opts.tnom, Gmin: c.opts.gmin, RelTol: c.opts.reltol}
	m, series, wrong := kind.New(card.typ, model, inst, env)
	for _, w := range wrong {
		at, ok := where[w.Name]
		if !ok {
			at = x.modelPos
			for _, q := range card.params {
				if q.name == w.Name {
					at = q.pos
				}
			}
		}
		el.errorf(at, w.Hint, "%s with model %s: %s", e.name, card.name, w.Msg)
	}
	if len(wrong) > 0 {
		return
	}
	s.model = m
	for k := range x.terminals {
		s.nodes[k] = f.nodes[e.node[k]]
		s.pins[k] = s.nodes[k]
	}
	for _, p := range kind.Pins {
		s.nodes[p[0]] = s.nodes[p[1]]
		s.pins[p[0]] = s.nodes[p[1]]
	}
	for _, r := range series {
		inner := int32(len(c.nodes))
		c.nodes = append(c.nodes, place{0, c.deviceName(dev) + "#" + r.Suffix, e.pos})
		if r.R > 0 {
			c.resistors = append(c.resistors, resistor{s.nodes[r.Terminal], inner, dev, 1 / r.R})
		}
		s.nodes[r.Terminal] = inner
	}
	for _, q := range x.ics {
		s.ic = append(s.ic, el.eval(f.scope, q, "ic of "+e.name, e.pos))
	}
	c.semis = append(c.semis, s)
}

func (s *subckt) modelNames() (names []string) {
	for ; s != nil; s = s.parent {
		for name := range s.models {
			names = append(names, name)
		}
	}
	return names
}

func supportedTypes() (types []string) {
	for _, k := range device.Kinds {
		types = append(types, k.Types...)
	}
	return types
}

// A semis is the work space of a system's semiconductors.
type semis struct {
	of      []semiconductor
	rows    []int32 // of all terminals, behind one another
	first   []int32 // device -> its first terminal
	entries []semiEntry
	entry   []int32   // device -> its first one
	memory  []int32   // device -> its first value in last and next
	last    []float64 // at the last accepted instant
	next    []float64 // at the one being solved for
	old     []float64 // voltages of the last evaluation, terminal by terminal
	home    []float64 // voltages from which a solve sets out
	charge  []float64 // of every terminal, when last asked for
	size    []float64 // magnitude of what every terminal adds to its equation

	// Where every device was last evaluated, and what it is like there: between
	// this tangent and the device lies the square of the distance. Devices with a
	// memory have none.
	point   []float64
	tangent []device.Stamp
	knows   []knowledge
	close   float64 // V, as far as the tangent reaches

	stores   []int32                      // terminals that hold charge
	begun    bool                         // home holds a solution
	fixed    bool                         // the next evaluation is at old, wherever the circuit is
	history  bool                         // last holds something
	limiting bool                         // voltages are limited
	weighing bool                         // size is wanted
	limited  bool                         // one was, in the last evaluation
	at, v, f [device.MaxTerminals]float64 // of the device being evaluated
}

// A semiEntry is a derivative of a device: of its current and charge by the
// voltage of a terminal.
type semiEntry struct {
	slot         int32 // in the Jacobian
	row, col, at uint8 // terminals, and place in the stamp
}

// reach [V] is how far from a tangent's point its exponentials are believed with a
// tolerance of 1: at a hundredth of kT/q the tangent is off by 5e-5 of that
// tolerance. More would be seen: the trapezoidal rule never forgets an error of a
// charge, and adds them up.
const reach = 2.6e-4

type knowledge uint8

const (
	nothing knowledge = iota
	currents
	charges // and currents
)

func (u *semis) terminals(k int) []int32 { return u.rows[u.first[k]:u.first[k+1]] }

// addSemis reserves the matrix entries of all semiconductors and returns the
// triplets, whose places bind takes.
func (s *system) addSemis(ts []triplet) (all []triplet, mine []int) {
	u := &s.semis
	u.of = s.c.semis
	for k := range u.of {
		d := &u.of[k]
		n := d.model.Terminals()
		u.first, u.memory = append(u.first, int32(len(u.rows))), append(u.memory, int32(len(u.next)))
		u.entry = append(u.entry, int32(len(u.entries)))
		for _, node := range d.nodes[:n] {
			u.rows = append(u.rows, s.c.unknown(ref(node)))
		}
		t := u.rows[len(u.rows)-n:]
		for i, stores := range d.model.Stores() {
			if stores {
				u.stores = append(u.stores, u.first[k]+int32(i))
			}
		}
		for i, row := range t {
			for j, col := range t {
				if !d.model.Couples(i, j) {
					continue
				}
				u.entries = append(u.entries, semiEntry{row: uint8(i), col: uint8(j), at: uint8(i*n + j)})
				mine = append(mine, len(ts))
				ts = append(ts, triplet{row, col, 0, 0})
			}
		}
		u.next = append(u.next, make([]float64, d.model.Memory())...)
	}
	u.first, u.memory = append(u.first, int32(len(u.rows))), append(u.memory, int32(len(u.next)))
	u.entry = append(u.entry, int32(len(u.entries)))
	u.last = make([]float64, len(u.next))
	for _, list := range []*[]float64{&u.old, &u.home, &u.charge, &u.size, &u.point} {
		*list = make([]float64, len(u.rows))
	}
	u.close = reach * math.Sqrt(s.c.opts.reltol)
	u.tangent, u.knows = make([]device.Stamp, len(u.of)), make([]knowledge, len(u.of))
	return ts, mine
}

// eval evaluates device k at the voltages v.
func (u *semis) eval(k int, v []float64, stored bool) *device.Stamp {
	lo, hi := u.memory[k], u.memory[k+1]
	var last []float64
	if u.history {
		last = u.last[lo:hi]
	}
	st := &u.tangent[k]
	u.of[k].model.Eval(v, last, u.next[lo:hi], stored, st)
	u.knows[k] = nothing
	if lo == hi {
		copy(u.point[u.first[k]:], v)
		if u.knows[k] = currents; stored {
			u.knows[k] = charges
		}
	}
	return st
}

// near tells whether device k has a tangent that will do at these voltages.
func (s *system) near(k int, at []float64) bool {
	u := &s.semis
	if u.knows[k] == nothing || u.knows[k] == currents && s.alpha != 0 {
		return false
	}
	for i, v := range u.point[u.first[k]:][:len(at)] {
		if !(math.Abs(at[i]-v) <= u.close) {
			return false
		}
	}
	return true
}

// loadSemis adds the semiconductors to the residual and the Jacobian.
func (s *system) loadSemis(jac bool) (ok bool) {
	u := &s.semis
	ok, u.limited = true, false
	for k := range u.of {
		t := u.terminals(k)
		n := len(t)
		at := u.at[:n]
		for i, row := range t {
			at[i] = s.x[row]
		}
		old := u.old[u.first[k]:][:n]
		v := at // where the device stands
		var st *device.Stamp
		if !u.fixed && s.near(k, at) {
			s.stats.Bypassed++
			copy(old, at)
			st, v = &u.tangent[k], u.point[u.first[k]:][:n]
		} else {
			switch {
			case u.fixed:
				u.limited = true
				v = old
			case u.limiting:
				v = u.v[:n]
				copy(v, at)
				if u.of[k].model.Limit(v, old, s.alpha) {
					u.limited = true
				} else {
					v = at
				}
				copy(old, v)
			default:
				copy(old, at)
			}
			st = u.eval(k, v, s.alpha != 0)
		}
		s.stamp(k, st, at, v, jac)
		for i, row := range t {
			if f := u.f[i]; f-f == 0 {
				s.r[row] -= f
			} else {
				s.bad, ok = int(u.of[k].dev), false
				u.knows[k] = nothing
			}
		}
	}
	u.fixed = false
	return ok
}

// stamp computes what device k, linearised at v, adds to its equations at the
// voltages at, and adds its derivatives to the Jacobian.
func (s *system) stamp(k int, st *device.Stamp, at, v []float64, jac bool) {
	u := &s.semis
	n := len(at)
	var d [device.MaxTerminals]float64
	for j := range at {
		d[j] = at[j] - v[j]
	}
	f := u.f[:n]
	for i := range f {
		f[i] = st.I[i]
	}
	if s.alpha != 0 {
		for i := range f {
			f[i] += float64(s.alpha * st.Q[i])
		}
	}
	for _, e := range u.entries[u.entry[k]:u.entry[k+1]] {
		g := st.G[e.at] + float64(s.alpha*st.C[e.at])
		f[e.row] += float64(g * d[e.col])
		if jac {
			s.vals[e.slot] += g
		}
	}
	if !u.weighing {
		return
	}
	for i := range f {
		size := math.Abs(st.I[i]) + math.Abs(s.alpha*st.Q[i])
		for j := range at {
			// A charge near 0 V is a difference of what it is at a volt.
			size += math.Abs(st.G[i*n+j]*at[j]) + math.Abs(s.alpha*st.C[i*n+j])*math.Max(1, math.Abs(at[j]))
		}
		u.size[int(u.first[k])+i] = size
	}
}

// depart makes x the solution from which the next solve sets out.
func (s *system) depart(x []float64) {
	u := &s.semis
	for i, row := range u.rows {
		u.home[i] = x[row]
	}
	u.begun = true
}

// setOut makes the voltages from which limits are counted those of the last
// solution; without one the first evaluation is where devices like to begin.
func (u *semis) setOut() {
	if u.fixed = !u.begun && len(u.of) > 0; u.fixed {
		for k := range u.of {
			u.of[k].model.Start(u.home[u.first[k]:u.first[k+1]])
		}
	}
	copy(u.old, u.home)
}

// settle makes x the point at which the history of all devices begins.
func (s *system) settle(x []float64) {
	u := &s.semis
	u.history = false
	s.chargeSemis(nil, x, false)
	u.remember()
}

// remember makes the last evaluation the last accepted instant.
func (u *semis) remember() {
	u.last, u.next = u.next, u.last
	u.history = true
}

// chargeSemis adds the charges at x to q, if there is one, and keeps them. Where
// x is a solution that the devices' tangents gave, the tangents have the charges
// that belong to it; otherwise they are evaluated.
func (s *system) chargeSemis(q, x []float64, solved bool) {
	u := &s.semis
	for k := range u.of {
		t := u.terminals(k)
		n := len(t)
		at, keep := u.at[:n], u.charge[u.first[k]:][:n]
		for i, row := range t {
			at[i] = x[row]
		}
		if solved && u.knows[k] == charges {
			st := &u.tangent[k]
			copy(keep, st.Q[:n])
			var d [device.MaxTerminals]float64
			for j, v := range u.point[u.first[k]:][:n] {
				d[j] = at[j] - v
			}
			for _, e := range u.entries[u.entry[k]:u.entry[k+1]] {
				keep[e.row] += float64(st.C[e.at] * d[e.col])
			}
		} else {
			copy(keep, u.eval(k, at, true).Q[:n])
		}
		if q != nil {
			for i, row := range t {
				q[row] += keep[i]
			}
		}
	}
	s.depart(x)
}

// capacitances adds those of all semiconductors, as last evaluated at x, to the
// values of a matrix.
func (s *system) capacitances(x, vals []float64) {
	u := &s.semis
	for k := range u.of {
		t := u.terminals(k)
		at := u.at[:len(t)]
		for i, row := range t {
			at[i] = x[row]
		}
		st := u.eval(k, at, true)
		for _, e := range u.entries[u.entry[k]:u.entry[k+1]] {
			vals[e.slot] += st.C[e.at]
		}
	}
}

// initialVoltages adds the charges of all devices before the first step to q and
// settles there: at what ic= of a device says, otherwise at the differences of the
// .ic of its nodes, as for a capacitor. Guesses for nodes behind series
// resistances go into x.
func (s *system) initialVoltages(q, x []float64) {
	u := &s.semis
	u.history = false
	given := make([]float64, s.n+1)
	for _, ic := range s.c.ics {
		given[ic.node-1] = ic.v
	}
	var v [device.MaxTerminals]float64
	for k := range u.of {
		d := &u.of[k]
		t := u.terminals(k)
		for i := range t {
			v[i] = given[s.c.unknown(ref(d.pins[i]))]
		}
		for i, row := range t {
			if d.nodes[i] != d.pins[i] {
				x[row] = x[s.c.unknown(ref(d.pins[i]))]
			}
		}
		for i, ic := range d.ic {
			if pair := d.kind.ICPins[i]; !math.IsNaN(ic) {
				v[pair[0]] = v[pair[1]] + ic
			}
		}
		st := u.eval(k, v[:len(t)], true)
		for i, row := range t {
			q[row] += st.Q[i]
		}
	}
	u.remember()
}
