package spice

import (
	"math"
	"slices"

	"vlec/model/diag"
	"vlec/sim/spice/device"
)

// Elaborate flattens the netlist into a circuit and checks it. The error, if
// any, is a diag.List with every complaint.
func (n *Netlist) Elaborate() (*Circuit, error) {
	el := &elaborator{
		c:    &Circuit{Title: n.Title, net: n, Warnings: append(diag.List(nil), n.Warnings...)},
		n:    n,
		seen: map[string]bool{}, interned: map[string]int32{}, globals: map[string]int32{}, shapes: map[*extra]*bodyShape{},
		models: map[*modelCard]device.Params{}, judged: map[*modelCard]bool{},
	}
	c := el.c
	c.instances = []instance{{}}
	c.nodes = []place{{name: "0"}}
	top := el.newFrame(n.top)
	el.top = top
	el.expect()
	el.apply()
	for k := 1; k < len(n.top.nodes); k++ {
		top.nodes[k] = el.localNode(0, n.top.nodes[k], pos{})
	}
	el.readOptions()
	el.flatten(top)
	el.hierarchical()
	el.couple()
	el.stepSources()
	el.conditions()
	el.analyses()
	if len(el.errs) == 0 {
		el.check()
	}
	c.Warnings.Sort()
	if err := el.errs.Err(); err != nil {
		return nil, err
	}
	c.saves = n.saves
	return c, nil
}

type elaborator struct {
	c        *Circuit
	n        *Netlist
	top      *frame
	errs     diag.List
	seen     map[string]bool
	interned map[string]int32 // program key -> index
	shapes   map[*extra]*bodyShape
	models   map[*modelCard]device.Params
	judged   map[*modelCard]bool // models whose unknown parameters were told
	globals  map[string]int32
	depth    int
	failures int // complaints, repeated ones included
	full     bool
	open     []*subckt // definitions being instantiated, outermost first

	later  []laterRef
	pairs  []pair
	frames []*frame // that may be used again
}

// A laterRef is an input of a behaviour that names another place of the
// hierarchy and is looked up when all is flat.
type laterRef struct {
	at  int // into Circuit.refs
	ref bodyRef
}

type pair struct {
	names [2]string
	f     *frame
	k     float64
	dev   int32
}

// A frame is an instance being flattened.
type frame struct {
	sub   *subckt
	inst  int32
	nodes []int32 // slot -> node of the circuit
	scope *scope
	own   scope   // what scope points to
	br    []int32 // element -> branch, or -1
}

func (el *elaborator) errorf(at pos, hint, format string, args ...any) {
	el.failures++
	if len(el.errs) > maxErrors {
		return
	}
	e := errAt(el.n.toPos(at), hint, format, args...)
	if key := e.Error(); !el.seen[key] {
		el.seen[key] = true
		el.errs = append(el.errs, e)
	}
}

func (el *elaborator) warnf(at pos, hint, format string, args ...any) {
	if len(el.c.Warnings) < maxErrors {
		el.c.Warnings.Add(el.n.toPos(at), hint, format, args...)
	}
}

func (el *elaborator) report(at pos, hint, msg string) { el.errorf(at, hint, "%s", msg) }

// A scope holds the parameters of one instance. Names are looked up here, then
// in the instance around it, as ngspice does; values are worked out when first
// asked for, so that their order does not matter.
type scope struct {
	sub    *subckt
	parent *scope
	vals   []float64
	state  []scopeState
}

type scopeState uint8

const (
	paramUnset scopeState = iota
	paramBusy
	paramSet
)

// bind makes s the scope of an instance with these parameters.
func (el *elaborator) bind(s, parent *scope, args []param) {
	sub := s.sub
	s.parent = parent
	for i := range args {
		a := &args[i]
		k, ok := sub.index[a.name]
		if !ok || k >= sub.ninst {
			if a.name == "m" {
				el.errorf(a.pos, "repeat the instance", "multiplied instances (m=) are not supported")
				continue
			}
			hint := "its parameters stand on its .subckt card"
			names := make([]string, 0, sub.ninst)
			for _, p := range sub.params[:sub.ninst] {
				names = append(names, p.name)
			}
			if near := nearest(a.name, names); near != "" {
				hint = "did you mean " + near + "?"
			}
			el.errorf(a.pos, hint, "subcircuit %s has no parameter %s", sub.name, a.name)
			continue
		}
		v := a.val.num
		if a.val.x != nil {
			v = el.eval(parent, a.val, "parameter "+a.name, a.pos)
		}
		s.vals[k], s.state[k] = v, paramSet
	}
}

func (el *elaborator) lookup(s *scope, name string, at pos) (float64, bool) {
	for ; s != nil; s = s.parent {
		k, ok := s.sub.index[name]
		if !ok {
			continue
		}
		switch s.state[k] {
		case paramSet:
			return s.vals[k], true
		case paramBusy:
			el.errorf(at, "break the circle", "parameter %s depends on itself", name)
			return 0, true
		}
		s.state[k] = paramBusy
		p := &s.sub.params[k]
		v := el.eval(s, p.val, "parameter "+name, p.pos)
		s.vals[k], s.state[k] = v, paramSet
		return v, true
	}
	if v, ok := builtinConstants[name]; ok {
		return v, true
	}
	if name == "temper" {
		return el.c.opts.temp, true
	}
	return 0, false
}

// eval works out a quantity; what names it in complaints. After one it
// returns 1.
func (el *elaborator) eval(s *scope, q quantity, what string, at pos) float64 {
	if q.x == nil {
		return q.num
	}
	before := el.failures
	v := el.evalExpr(s, q.x)
	if el.failures > before {
		return 1 // whatever causes no further complaint
	}
	if math.IsNaN(v) || math.IsInf(v, 0) {
		el.errorf(at, "", "%s is not a finite number", what)
		return 1
	}
	return v
}

func (el *elaborator) evalExpr(s *scope, e *expr) float64 {
	el.depth++
	defer func() { el.depth-- }()
	if el.depth > 4*maxExprDepth {
		el.errorf(e.pos, "does something depend on itself?", "parameters depend on each other too deeply")
		return 0
	}
	switch e.op {
	case opNum:
		return e.num
	case opName:
		v, ok := el.lookup(s, e.name, e.pos)
		if !ok {
			hint := "define it with .param"
			if e.name == "time" {
				hint = "only b, e and g elements may depend on time"
			} else if near := el.nearestParam(s, e.name); near != "" {
				hint = "did you mean " + near + "?"
			}
			el.errorf(e.pos, hint, "unknown parameter %s", e.name)
		}
		return v
	case opVolt, opCurr:
		el.errorf(e.pos, "use a b, e or g element with an expression", "a parameter cannot depend on voltages or currents")
		return 0
	case opCall:
		// Functions in parameters: expand as the compiler does, then evaluate.
		c := &compiler{sub: s.sub, report: el.report, root: e.pos}
		x := c.expand(e, nil, 0)
		if c.failed {
			return 0
		}
		return el.evalExpr(s, x)
	case opPwl:
		t := make([]float64, 0, len(e.args))
		for _, a := range e.args[1:] {
			t = append(t, el.evalExpr(s, a))
		}
		y, _ := pwlAt(t, el.evalExpr(s, e.args[0]))
		return y
	case opSelect: // only the branch taken, so that the other may be undefined
		if el.evalExpr(s, e.args[0]) != 0 {
			return el.evalExpr(s, e.args[1])
		}
		return el.evalExpr(s, e.args[2])
	}
	var v [3]float64
	for i, a := range e.args {
		if i < 3 {
			v[i] = el.evalExpr(s, a)
		}
	}
	return apply(e.op, v[0], v[1], v[2])
}

func (el *elaborator) nearestParam(s *scope, name string) string {
	var names []string
	for ; s != nil; s = s.parent {
		for _, p := range s.sub.params {
			names = append(names, p.name)
		}
	}
	return nearest(name, names)
}

// localNode makes a node of an instance, or finds the global of that name.
func (el *elaborator) localNode(inst int32, name string, at pos) int32 {
	c := el.c
	if el.n.globals[name] {
		if k, ok := el.globals[name]; ok {
			return k
		}
		inst = 0
		if el.top != nil { // a global may also be a node of the top
			if slot, ok := el.n.top.slot[name]; ok && el.top.nodes[slot] != 0 {
				el.globals[name] = el.top.nodes[slot]
				return el.top.nodes[slot]
			}
		}
		el.globals[name] = int32(len(c.nodes))
	}
	c.nodes = append(c.nodes, place{inst, name, at})
	return int32(len(c.nodes)) - 1
}

// flatten adds the devices of one instance, then the instances inside it.
func (el *elaborator) flatten(f *frame) {
	c := el.c
	if len(c.devices)+len(f.sub.elems) > maxElements {
		if !el.full {
			el.errorf(f.sub.pos, "", "the circuit has more than %d elements", maxElements)
		}
		el.full = true
		return
	}
	f.br = resize(f.br, len(f.sub.elems))
	dev := int32(len(c.devices))
	for i := range f.sub.elems {
		e := &f.sub.elems[i]
		if e.kind == 'x' {
			continue
		}
		f.br[i] = -1
		if e.hasBranch() {
			f.br[i] = int32(len(c.branches))
			c.branches = append(c.branches, dev)
		}
		c.devices = append(c.devices, place{f.inst, e.name, e.pos})
		dev++
	}
	dev -= int32(len(f.sub.elems)) - int32(countInstances(f.sub))
	for i := range f.sub.elems {
		if e := &f.sub.elems[i]; e.kind != 'x' {
			el.device(f, e, dev, f.br[i])
			dev++
		}
	}
	for i := range f.sub.elems {
		if e := &f.sub.elems[i]; e.kind == 'x' && !el.full {
			el.instance(f, e)
		}
	}
}

func (e *element) hasBranch() bool {
	switch e.kind {
	case 'v', 'l', 'h':
		return true
	case 'e':
		return e.extra == nil || e.extra.body == nil || e.extra.volt
	case 'b', 'g':
		return e.extra != nil && e.extra.volt
	}
	return false
}

func countInstances(s *subckt) (n int) {
	for i := range s.elems {
		if s.elems[i].kind == 'x' {
			n++
		}
	}
	return n
}

func (el *elaborator) instance(f *frame, e *element) {
	c, x := el.c, e.inst
	sub := f.sub.lookup(x.sub)
	if sub == nil {
		hint := "define it with .subckt or .include it"
		var names []string
		for s := f.sub; s != nil; s = s.parent {
			for n := range s.defs {
				names = append(names, n)
			}
		}
		if near := nearest(x.sub, names); near != "" {
			hint = "did you mean " + near + "?"
		}
		el.errorf(e.pos, hint, "subcircuit %s is not defined", x.sub)
		return
	}
	if len(x.nodes) != sub.ports {
		el.errorf(e.pos, "its ports stand on its .subckt card", "%s connects %d nodes, subcircuit %s has %d ports", e.name, len(x.nodes), sub.name, sub.ports)
		return
	}
	if slices.Contains(el.open, sub) {
		el.errorf(e.pos, "break the circle", "subcircuit %s contains itself", sub.name)
		return
	}
	if len(el.open) >= maxInstanceDepth {
		el.errorf(e.pos, "flatten some", "instances nest more than %d deep", maxInstanceDepth)
		el.full = true
		return
	}
	el.open = append(el.open, sub)
	defer func() { el.open = el.open[:len(el.open)-1] }()
	c.instances = append(c.instances, instance{f.inst, e.name})
	g := el.newFrame(sub)
	g.inst = int32(len(c.instances)) - 1
	for k, slot := range x.nodes {
		g.nodes[k+1] = f.nodes[slot]
	}
	for k := sub.ports + 1; k < len(sub.nodes); k++ {
		g.nodes[k] = el.localNode(g.inst, sub.nodes[k], e.pos)
	}
	el.bind(&g.own, f.scope, x.args)
	pairs := len(el.pairs)
	el.flatten(g)
	if len(el.pairs) == pairs && len(sub.models) == 0 { // nobody remembers it
		el.frames = append(el.frames, g)
	}
}

// newFrame returns a frame with room for an instance of a definition, perhaps a
// used one: there may be millions of instances, one at a time.
func (el *elaborator) newFrame(sub *subckt) *frame {
	g := &frame{}
	if last := len(el.frames) - 1; last >= 0 {
		g, el.frames = el.frames[last], el.frames[:last]
	}
	g.sub, g.scope = sub, &g.own
	g.nodes = resize(g.nodes, len(sub.nodes))
	g.own.sub, g.own.parent = sub, nil
	g.own.vals, g.own.state = resize(g.own.vals, len(sub.params)), resize(g.own.state, len(sub.params))
	return g
}

// resize returns n zeros, in the memory of a slice if it suffices.
func resize[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	s = s[:n]
	clear(s)
	return s
}

// device evaluates one element into its table.
func (el *elaborator) device(f *frame, e *element, dev, br int32) {
	c := el.c
	a, b := f.nodes[e.node[0]], f.nodes[e.node[1]]
	mult := 1.0
	x := e.extra
	if x == nil {
		x = &noExtra
	}
	if x.mult != nil {
		mult = el.eval(f.scope, *x.mult, "m of "+e.name, e.pos)
	}
	value := el.eval(f.scope, e.value, "the value of "+e.name, e.pos)
	for i, tc := range x.tc {
		if dt := c.opts.temp - c.opts.tnom; tc != nil && dt != 0 {
			k := el.eval(f.scope, *tc, "the temperature coefficient of "+e.name, e.pos)
			value *= 1 + k*math.Pow(dt, float64(i+1))
		}
	}
	ic, hasIC := 0.0, x.ic != nil
	if hasIC {
		ic = el.eval(f.scope, *x.ic, "ic of "+e.name, e.pos)
	}
	switch e.kind {
	case 'r':
		g := mult / value
		if math.IsInf(g, 0) || math.IsNaN(g) {
			el.errorf(e.pos, "use a voltage source of 0 V for a wire", "the resistance of %s is %g", e.name, value)
			g = 1
		}
		c.resistors = append(c.resistors, resistor{a, b, dev, g})
	case 'c':
		c.capacitors = append(c.capacitors, capacitor{a, b, dev, hasIC, value * mult, ic})
	case 'l':
		if value == 0 {
			el.errorf(e.pos, "use a voltage source of 0 V for a wire", "the inductance of %s is 0", e.name)
		}
		c.inductors = append(c.inductors, inductor{a, b, br, dev, hasIC, value / mult, ic})
	case 'k':
		el.pairs = append(el.pairs, pair{x.ctrl, f, value, dev})
	case 'v':
		c.vsources = append(c.vsources, vsource{a, b, br, dev, el.waveform(f.scope, x.wave, e)})
	case 'i':
		c.isources = append(c.isources, isource{a, b, dev, mult, el.waveform(f.scope, x.wave, e)})
	case 'e', 'g':
		switch {
		case x.body != nil:
			el.behaviour(f, e, dev, br, mult)
		case e.kind == 'g':
			c.vccs = append(c.vccs, vccs{a, b, f.nodes[e.node[2]], f.nodes[e.node[3]], dev, value * mult})
		default:
			c.vcvs = append(c.vcvs, vcvs{a, b, f.nodes[e.node[2]], f.nodes[e.node[3]], br, dev, value})
		}
	case 'b':
		el.behaviour(f, e, dev, br, mult)
	case 'd', 'm', 'q':
		el.semiconductor(f, e, dev)
	case 'f', 'h':
		at := -1
		if r, ok := el.current(f, x.ctrl[0]); ok {
			at = int(r)
		} else {
			el.errorf(e.pos, "controlled sources sense the current of a v, e, h or l of the same subcircuit", "%s is controlled by %s, which is not there", e.name, x.ctrl[0])
			at = 0
		}
		if e.kind == 'f' {
			c.cccs = append(c.cccs, cccs{a, b, int32(at), dev, value * mult})
		} else {
			c.ccvs = append(c.ccvs, ccvs{a, b, br, int32(at), dev, value})
		}
	}
}

var noExtra extra

// current finds the branch of a device of the same instance.
func (el *elaborator) current(f *frame, name string) (br int32, ok bool) {
	k, ok := f.sub.names[name]
	if !ok || f.sub.elems[k].kind == 'x' || f.br[k] < 0 {
		return 0, false
	}
	return f.br[k], true
}

func (el *elaborator) waveform(s *scope, w *waveCard, e *element) waveform {
	out := waveform{kind: w.kind, repeat: math.NaN(), given: len(w.args)}
	opt := func(q *quantity, what string) float64 {
		if q == nil {
			return 0
		}
		return el.eval(s, *q, what+" of "+e.name, w.pos)
	}
	out.dc, out.hasDC = opt(w.dc, "the dc value"), w.dc != nil
	out.acMag, out.acPh = opt(w.acMag, "the ac magnitude"), opt(w.acPh, "the ac phase")*math.Pi/180
	if w.kind == "" {
		return out
	}
	out.arg = make([]float64, len(w.args))
	for i, q := range w.args {
		out.arg[i] = el.eval(s, q, "an argument of "+w.kind, w.pos)
	}
	if w.repeat != nil {
		if r := opt(w.repeat, "r"); r >= 0 {
			out.repeat = r
		}
	}
	out.delay = opt(w.delay, "td")
	var errs diag.List
	out.check(el.n.toPos(w.pos), &errs)
	for _, d := range errs {
		el.errorf(w.pos, d.Hint, "%s", d.Msg)
	}
	return out
}

// behaviour instantiates an expression. One that is linear in its inputs
// becomes linear sources, which cost nothing in the Newton iteration.
func (el *elaborator) behaviour(f *frame, e *element, dev, br int32, mult float64) {
	c, x := el.c, e.extra
	sh := el.shapes[x]
	if sh == nil {
		comp := &compiler{sub: f.sub, report: el.report}
		if sh = comp.compile(x.body); sh == nil {
			sh = &bodyShape{}
		}
		el.shapes[x] = sh
		if p := sh.prog; p != nil {
			key := p.key()
			k, ok := el.interned[key]
			if !ok {
				k = int32(len(c.programs))
				el.interned[key] = k
				c.programs = append(c.programs, p)
			}
			sh.index = k
		}
	}
	if sh.prog == nil {
		return // complained already
	}
	d := behaviour{
		a: f.nodes[e.node[0]], b: f.nodes[e.node[1]], br: br, dev: dev, prog: sh.index,
		in: int32(len(c.refs)), con: int32(len(c.consts)), mult: mult,
	}
	for _, q := range sh.consts {
		c.consts = append(c.consts, el.eval(f.scope, quantity{x: q}, "a constant of "+e.name, q.pos))
	}
	for _, r := range sh.inputs {
		switch {
		case r.op == opName:
			c.refs = append(c.refs, timeRef)
		case r.op == opVolt && r.slot >= 0:
			c.refs = append(c.refs, ref(f.nodes[r.slot]))
		default:
			if r.op == opCurr {
				if br, ok := el.current(f, r.name); ok {
					c.refs = append(c.refs, branchRef(br))
					continue
				}
			}
			el.later = append(el.later, laterRef{len(c.refs), r})
			c.refs = append(c.refs, 0)
		}
	}
	c.behaviours = append(c.behaviours, d)
}

// hierarchical looks up what behaviours name elsewhere in the hierarchy.
func (el *elaborator) hierarchical() {
	c := el.c
	for _, l := range el.later {
		if l.ref.op == opVolt {
			if k, ok := c.findNode(l.ref.name); ok {
				c.refs[l.at] = ref(k)
				continue
			}
			el.errorf(l.ref.pos, "check the name", "no element connects to node %s", l.ref.name)
			continue
		}
		if br, _, ok := c.findBranch(l.ref.name); ok {
			c.refs[l.at] = branchRef(br)
			continue
		}
		el.errorf(l.ref.pos, "put a voltage source of 0 V in series and name it", "%s has no current that could be sensed", l.ref.name)
	}
}

func (el *elaborator) couple() {
	c := el.c
	byBranch := map[int32]int32{}
	for i := range c.inductors {
		byBranch[c.inductors[i].br] = int32(i)
	}
	for _, p := range el.pairs {
		var l [2]int32
		ok := true
		for i, name := range p.names {
			br, found := el.current(p.f, name)
			if !found {
				el.errorf(c.devices[p.dev].pos, "", "inductor %s is not there", name)
				ok = false
				continue
			}
			l[i] = byBranch[br]
		}
		if !ok {
			continue
		}
		if math.Abs(p.k) > 1 || l[0] == l[1] {
			el.errorf(c.devices[p.dev].pos, "couple two inductors with a coefficient between -1 and 1", "the coupling %g is impossible", p.k)
			continue
		}
		m := p.k * math.Sqrt(math.Abs(c.inductors[l[0]].l*c.inductors[l[1]].l))
		c.couplings = append(c.couplings, coupling{l[0], l[1], p.dev, m})
	}
}

// conditions evaluates .ic and .nodeset.
func (el *elaborator) conditions() {
	for _, list := range []struct {
		in  []nodeValue
		out *[]nodeIC
	}{{el.n.ics, &el.c.ics}, {el.n.sets, &el.c.nodesets}} {
		for _, nv := range list.in {
			k, ok := el.c.findNode(nv.node)
			if !ok {
				hint := "check the name"
				el.errorf(nv.pos, hint, "no element connects to node %s", nv.node)
				continue
			}
			if k == 0 {
				el.errorf(nv.pos, "remove it", "ground has no initial value")
				continue
			}
			*list.out = append(*list.out, nodeIC{k, el.eval(el.top.scope, nv.val, "the initial value", nv.pos)})
		}
	}
}
