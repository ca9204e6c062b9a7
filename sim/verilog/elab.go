package verilog

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"vlec/model/diag"
)

// Limits on what a file may ask for.
const (
	maxWidth     = 1 << 16
	maxMemWords  = 1 << 24 // of 64 bits, in all memories
	maxInstances = 1 << 16
	maxGenerate  = 1 << 16
	maxDepth     = 100 // of instances and of calls
)

// A Design is an elaborated hierarchy: parameters have values, generate
// blocks are unrolled, names are resolved, widths and signs are settled.
type Design struct {
	Top     string
	Ports   []Port
	Signals []*Signal // every net, variable and memory, in order of declaration

	names   map[string]*Signal
	units   []*unit
	inits   []*sAssign // initial values of variables
	wires   []*unit    // of signals that are computed on demand
	inlined bool
	tick    int      // power of ten of a second
	files   []string // folders of the sources, where $readmemh looks
}

// A Port is a port of the top module.
type Port struct {
	*Signal
	Dir string // input, output or inout
}

// Signal returns the signal of a hierarchical name, with or without the name
// of the top module in front, or nil.
func (d *Design) Signal(name string) *Signal {
	if s := d.names[name]; s != nil {
		return s
	}
	return d.names[d.Top+"."+name]
}

// base is the last part of the name.
func (s *Signal) base() string { return s.Name[strings.LastIndexByte(s.Name, '.')+1:] }

type funcSym struct {
	ast *funcItem
	sc  *scope
}

type scopeArray map[int64]*scope

// A scope holds the names of a module instance, generate block, named block
// or function.
type scope struct {
	name   string
	full   string
	parent *scope
	mod    *moduleAST // set for the root of an instance
	syms   map[string]any
	depth  int
	nblock int // unnamed generate blocks so far
	e      *elab
}

func (e *elab) newScope(parent *scope, name string) *scope {
	s := &scope{name: name, full: name, parent: parent, syms: map[string]any{}, e: e}
	if parent != nil {
		s.full = parent.full + "." + name
		s.depth = parent.depth + 1
	}
	return s
}

func (s *scope) module() *scope {
	for s.mod == nil {
		s = s.parent
	}
	return s
}

// timeUnit is the number of ticks in the time unit of the module.
func (s *scope) timeUnit() int {
	n := 1
	for range s.module().mod.scale.unit - s.e.d.tick {
		n *= 10
	}
	return n
}

// An elab carries the work of elaboration: scopes first, then, once every name
// is known, processes and connections.
type elab struct {
	src       *Source
	d         *Design
	errs      *diag.List
	later     []func()
	instances int
	generated int
	calls     int
	inlined   int
	memory    int64
	lint      *diag.List // findings, nil when none are wanted
	noted     map[diag.Pos]bool
}

// Elaborate builds the design under the module top. params overrides its
// parameters. Errors are a diag.List with all that is wrong.
func (s *Source) Elaborate(top string, params map[string]int64) (*Design, error) {
	d, e := s.elaborate(top, params, false)
	if err := e.errs.Err(); err != nil {
		return nil, err
	}
	return d, nil
}

func (s *Source) elaborate(top string, params map[string]int64, lint bool) (*Design, *elab) {
	var errs diag.List
	m := s.modules[top]
	e := &elab{src: s, errs: &errs, d: &Design{Top: top, names: map[string]*Signal{}, files: s.folders}}
	if lint {
		e.lint, e.noted = new(diag.List), map[diag.Pos]bool{}
	}
	if m == nil {
		names := slices.Sorted(maps.Keys(s.modules))
		errs.Add(diag.Pos{}, "modules here: "+strings.Join(names, ", "), "there is no module %s", top)
		return nil, e
	}
	for _, m := range s.modules {
		e.d.tick = min(e.d.tick, m.scale.prec)
	}
	over := map[string]Value{}
	for name, v := range params {
		over[name] = Int(64, v)
		if v == int64(int32(v)) {
			over[name] = Int(32, v)
		}
	}
	e.module(m, nil, m.name, over, nil, m.pos())
	for len(e.later) > 0 && len(errs) <= maxErrors {
		f := e.later[0]
		e.later = e.later[1:]
		f()
	}
	e.checkDrivers()
	if len(errs) == 0 {
		e.finish()
	}
	return e.d, e
}

// lookup finds a name, at first in the scope and those around it, and reports
// one that is missing.
func (e *elab) lookup(sc *scope, id *ident) any {
	if s := e.find(sc, id); s != nil {
		return s
	}
	e.errs.Add(id.pos(), "declare it before", "%s is not declared", id)
	return nil
}

func (id *ident) String() string {
	var s []string
	for _, p := range id.path {
		s = append(s, p.name)
	}
	return strings.Join(s, ".")
}

func (e *elab) find(sc *scope, id *ident) any {
	for s := sc; s != nil; s = s.parent {
		if v, ok := s.syms[id.path[0].name]; ok {
			return e.descend(sc, v, id, 1)
		}
		if s.mod != nil {
			if len(id.path) == 1 {
				return nil
			}
			if s.mod.name == id.path[0].name || s.name == id.path[0].name {
				return e.descend(sc, s, id, 1)
			}
		}
	}
	return nil
}

func (e *elab) descend(sc *scope, v any, id *ident, i int) any {
	for ; ; i++ {
		if ix := id.path[i-1].index; ix != nil {
			arr, ok := v.(scopeArray)
			if !ok {
				return nil
			}
			k, ok := exprElab{e, sc}.constInt(ix)
			if !ok || arr[k] == nil {
				return nil
			}
			v = arr[k]
		}
		if i == len(id.path) {
			return v
		}
		s, ok := v.(*scope)
		if !ok {
			return nil
		}
		if v, ok = s.syms[id.path[i].name]; !ok {
			return nil
		}
	}
}

func (e *elab) declare(sc *scope, name string, pos diag.Pos, v any) bool {
	if old, ok := sc.syms[name]; ok {
		if o, ok := old.(*Signal); ok {
			e.errs.Add(pos, "rename one", "%s is declared twice; first at %s", name, o.Pos)
		} else {
			e.errs.Add(pos, "rename one", "%s is declared twice", name)
		}
		return false
	}
	sc.syms[name] = v
	return true
}

// A link is what an instance connects to a port: an expression in the scope
// of the parent, or a whole signal that the port becomes.
type link struct {
	x     expr
	sc    *scope
	pos   diag.Pos
	alias *Signal
	open  bool
}

// module elaborates one instance.
func (e *elab) module(m *moduleAST, parent *scope, name string, over map[string]Value, links map[string]*link, pos diag.Pos) {
	if e.instances++; e.instances > maxInstances {
		if e.instances == maxInstances+1 {
			e.errs.Add(pos, "", "more than %d instances", maxInstances)
		}
		return
	}
	sc := e.newScope(parent, name)
	sc.mod = m
	if sc.depth > maxDepth {
		e.errs.Add(pos, "break the circle", "instances nested more than %d deep", maxDepth)
		return
	}
	if parent != nil && !e.declare(parent, name, pos, sc) {
		return
	}
	x := exprElab{e, sc}
	for _, it := range m.items {
		if f, ok := it.(*funcItem); ok {
			e.declare(sc, f.name, f.pos(), &funcSym{f, sc})
		}
	}
	for _, p := range m.params {
		e.param(x, p, over)
	}
	e.params(x, m.items, over)
	for _, n := range slices.Sorted(maps.Keys(over)) {
		e.errs.Add(pos, "", "module %s has no parameter %s", m.name, n)
	}
	e.ports(x, m, links)
	e.items(sc, m.items)
}

func (e *elab) params(x exprElab, items []item, over map[string]Value) {
	for _, it := range items {
		if p, ok := it.(*paramItem); ok {
			e.param(x, p, over)
		}
	}
}

// param gives a parameter its value: the type is the declared one, else that
// of the value.
func (e *elab) param(x exprElab, p *paramItem, over map[string]Value) {
	v, ok := over[p.name]
	if ok && !p.local {
		delete(over, p.name)
	} else if v, ok = x.constant(p.val); !ok {
		x.sc.syms[p.name] = allX(32, true)
		return
	}
	switch {
	case p.typ == "integer":
		v = x.conv(constNode(v, p.pos()), 32, true).val
	case p.typ == "time":
		v = x.conv(constNode(v, p.pos()), 64, false).val
	case p.rng != nil:
		msb, lsb, ok := e.bounds(x, p.rng)
		if !ok {
			return
		}
		v = v.resize(max(msb-lsb, lsb-msb)+1, p.signed)
	case p.signed:
		v.Signed = true
	}
	e.declare(x.sc, p.name, p.pos(), v)
}

func (e *elab) bounds(x exprElab, r *rangeAST) (msb, lsb int, ok bool) {
	if r == nil {
		return 0, 0, true
	}
	l, ok1 := x.constInt(r.l)
	q, ok2 := x.constInt(r.r)
	if !ok1 || !ok2 {
		return 0, 0, false
	}
	const lim = 1 << 30
	if l < -lim || l > lim || q < -lim || q > lim || max(l-q, q-l) >= maxWidth {
		e.errs.Add(r.l.pos(), "", "range [%d:%d]; a vector has 1 to %d bits", l, q, maxWidth)
		return 0, 0, false
	}
	return int(l), int(q), true
}

// ports declares the ports of an instance and the nets and variables that go
// with them, because a non-ANSI header spreads one port over up to three
// declarations.
func (e *elab) ports(x exprElab, m *moduleAST, links map[string]*link) {
	type portDecl struct {
		dir, kind string
		signed    bool
		rng       *rangeAST
		init      expr
		pos       diag.Pos
	}
	decls := map[string]*portDecl{}
	for _, it := range m.items {
		if d, ok := it.(*declItem); ok && d.dir != "" {
			for _, n := range d.names {
				if decls[n.name] != nil {
					e.errs.Add(n.pos(), "", "port %s is declared twice", n.name)
				}
				decls[n.name] = &portDecl{d.dir, d.kind, d.signed, d.rng, n.init, n.pos()}
			}
		}
	}
	for _, it := range m.items {
		if d, ok := it.(*declItem); ok && d.dir == "" {
			for _, n := range d.names {
				if q := decls[n.name]; q != nil && q.kind == "" && len(n.dims) == 0 {
					q.kind = d.kind
					q.signed = q.signed || d.signed
					if q.rng == nil {
						q.rng = d.rng
					}
					if q.init == nil {
						q.init = n.init
					}
				}
			}
		}
	}
	for _, p := range m.ports {
		d := decls[p.name]
		if d == nil {
			e.errs.Add(p.pos(), "declare it input or output", "port %s has no direction", p.name)
			continue
		}
		if d.dir == "inout" && x.sc.parent != nil {
			e.errs.Add(p.pos(), "use an input and an output", "inout ports are not supported")
			continue
		}
		msb, lsb, ok := e.bounds(x, d.rng)
		if !ok {
			continue
		}
		s := &Signal{Width: max(msb-lsb, lsb-msb) + 1, Signed: d.signed, Pos: d.pos, msb: msb, lsb: lsb, scalar: d.rng == nil}
		if d.kind == "integer" || d.kind == "time" {
			s.setKind(d.kind)
		}
		s.net = d.kind == "" || d.kind == "wire"
		if d.dir != "output" && !s.net {
			e.errs.Add(d.pos, "declare it wire", "input %s cannot be a variable", p.name)
		}
		l := links[p.name]
		if l != nil {
			if a := e.aliasOf(l, s, d.dir); a != nil {
				l.alias = a
				if e.declare(x.sc, p.name, d.pos, a) {
					e.d.names[x.sc.full+"."+p.name] = a
				}
				if !s.net {
					a.net = false
				}
				e.initial(x, a, d.init)
				continue
			}
		}
		if !e.signal(x.sc, p.name, s) {
			continue
		}
		e.initial(x, s, d.init)
		switch {
		case x.sc.parent == nil:
			s.external = d.dir != "output"
			e.d.Ports = append(e.d.Ports, Port{s, d.dir})
		case l != nil && !l.open:
			e.later = append(e.later, func() { e.connect(s, d.dir, l) })
		}
	}
	for n, d := range decls {
		if !slices.ContainsFunc(m.ports, func(p portAST) bool { return p.name == n }) {
			e.errs.Add(d.pos, "add it there", "%s %s is not in the list of ports", d.dir, n)
		}
	}
}

// aliasOf tells whether a port and what it is connected to can be one signal:
// a whole signal of the same type and, for an output, not a variable.
func (e *elab) aliasOf(l *link, s *Signal, dir string) *Signal {
	id, ok := l.x.(*ident)
	if !ok || l.open {
		return nil
	}
	a, ok := e.find(l.sc, id).(*Signal)
	if !ok || a.Depth > 0 || a.Width != s.Width || a.Signed != s.Signed || a.msb != s.msb || a.lsb != s.lsb {
		return nil
	}
	if dir == "output" && !a.net || dir == "input" && a.event {
		return nil
	}
	return a
}

// connect ties a port that is a signal of its own to the parent.
func (e *elab) connect(s *Signal, dir string, l *link) {
	x := exprElab{e, l.sc}
	port := &node{op: opSig, w: s.Width, signed: s.Signed, sig: s, pos: l.pos}
	if dir == "input" {
		rhs := x.assigned(l.x, s.Width, s.Signed)
		e.assign(l.sc, &lval{sig: s, w: s.Width, whole: true, pos: l.pos}, rhs, l.pos)
		return
	}
	lv := x.lval(l.x, false)
	if lv == nil {
		return
	}
	w, signed := lv.width(), lv.whole && lv.sig.Signed && lv.addr == nil
	rhs := x.conv(x.conv(port, max(w, port.w), port.signed), w, signed)
	e.assign(l.sc, lv, rhs, l.pos)
}

func (s *Signal) setKind(kind string) {
	switch kind {
	case "integer":
		s.scalar = false
		s.Width, s.Signed, s.msb, s.lsb = 32, true, 31, 0
	case "time":
		s.scalar = false
		s.Width, s.Signed, s.msb, s.lsb = 64, false, 63, 0
	}
}

// signal enters a signal into its scope and the design.
func (e *elab) signal(sc *scope, name string, s *Signal) bool {
	s.Name = sc.full + "." + name
	if !e.declare(sc, name, s.Pos, s) {
		return false
	}
	e.d.names[s.Name] = s
	e.d.Signals = append(e.d.Signals, s)
	return true
}

// initial notes the value in a declaration: a driver of a net, the first
// value of a variable.
func (e *elab) initial(x exprElab, s *Signal, init expr) {
	if init == nil {
		return
	}
	e.later = append(e.later, func() {
		rhs := x.assigned(init, s.Width, s.Signed)
		lv := &lval{sig: s, w: s.Width, whole: true, pos: init.pos()}
		if rhs == nil {
			return
		}
		if s.net {
			e.assign(x.sc, lv, rhs, init.pos())
			return
		}
		e.d.inits = append(e.d.inits, &sAssign{lv: lv, rhs: rhs, pos: init.pos()})
	})
}

// items elaborates the items of a module or generate block: declarations
// first, because connections may use a name from further down.
func (e *elab) items(sc *scope, items []item) {
	x := exprElab{e, sc}
	for _, it := range items {
		if d, ok := it.(*declItem); ok {
			e.decl(x, d)
		}
	}
	for _, it := range items {
		switch it := it.(type) {
		case *instItem:
			if it.gate {
				e.later = append(e.later, func() { e.gate(x, it) })
			} else {
				e.instance(x, it)
			}
		case *genFor:
			e.genFor(x, it)
		case *genIf:
			v, ok := x.constant(it.cond)
			if !ok {
				continue
			}
			if t, _ := truth(v); t {
				e.genBlock(sc, it.then, nil)
			} else if it.els != nil {
				e.genBlock(sc, it.els, nil)
			}
		case *genCase:
			e.genCase(x, it)
		case *assignItem:
			e.implicit(sc, it.lhs)
			e.later = append(e.later, func() { e.assignItem(x, it) })
		case *procItem:
			e.later = append(e.later, func() { e.process(sc, it) })
		}
	}
}

func (e *elab) decl(x exprElab, d *declItem) {
	if d.kind == "genvar" {
		return
	}
	for _, n := range d.names {
		if d.dir != "" {
			continue
		}
		if old, ok := x.sc.syms[n.name].(*Signal); ok && x.sc.mod != nil && isPort(x.sc.mod, n.name) {
			_ = old
			continue
		}
		msb, lsb, ok := e.bounds(x, d.rng)
		if !ok {
			continue
		}
		s := &Signal{Width: max(msb-lsb, lsb-msb) + 1, Signed: d.signed, Pos: n.pos(), msb: msb, lsb: lsb, scalar: d.rng == nil}
		s.setKind(d.kind)
		s.net = d.kind == "wire" || d.kind == "supply0" || d.kind == "supply1"
		s.event = d.kind == "event"
		switch len(n.dims) {
		case 0:
		case 1:
			l, ok1 := x.constInt(n.dims[0].l)
			r, ok2 := x.constInt(n.dims[0].r)
			if !ok1 || !ok2 {
				continue
			}
			depth := max(l-r, r-l) + 1
			e.memory += min(depth, maxMemWords+1) * int64(words(s.Width))
			if depth < 1 || e.memory > maxMemWords {
				e.errs.Add(n.pos(), "", "memory %s of %d words of %d bits; the limit is %d bits in all memories", n.name, depth, s.Width, 64*maxMemWords)
				e.memory = 0
				continue
			}
			s.Depth, s.first = int(depth), int(min(l, r))
			if s.net {
				e.errs.Add(n.pos(), "declare it reg", "arrays of nets are not supported")
				continue
			}
		default:
			e.errs.Add(n.pos(), "use one dimension", "arrays of more than one dimension are not supported")
			continue
		}
		if !e.signal(x.sc, n.name, s) {
			continue
		}
		if n.init != nil && s.Depth > 0 {
			e.errs.Add(n.pos(), "use an initial block", "a memory cannot have one initial value")
			continue
		}
		e.initial(x, s, n.init)
		if strings.HasPrefix(d.kind, "supply") {
			e.initial(x, s, &number{at: n.at, val: Uint(1, uint64(d.kind[6]-'0')), sized: true})
		}
	}
}

func isPort(m *moduleAST, name string) bool {
	return slices.ContainsFunc(m.ports, func(p portAST) bool { return p.name == name })
}

// implicit declares the one-bit wires that a continuous assignment or a
// connection names without a declaration, where `default_nettype allows it.
func (e *elab) implicit(sc *scope, x expr) {
	switch x := x.(type) {
	case *ident:
		if len(x.path) == 1 && sc.module().mod.implicit && e.find(sc, x) == nil {
			e.signal(sc, x.path[0].name, &Signal{Width: 1, net: true, Pos: x.pos()})
		}
	case *concat:
		for _, p := range x.parts {
			e.implicit(sc, p)
		}
	}
}

func (e *elab) instance(x exprElab, in *instItem) {
	m := e.src.modules[in.module]
	if m == nil {
		e.errs.Add(in.pos(), "give its file, too", "there is no module %s", in.module)
		return
	}
	if in.rng != nil {
		e.errs.Add(in.pos(), "use generate for", "arrays of instances are not supported")
		return
	}
	over := map[string]Value{}
	header := m.params
	for _, it := range m.items {
		if p, ok := it.(*paramItem); ok && !p.local {
			header = append(header, p)
		}
	}
	for i, c := range in.params {
		name := c.name
		if name == "" {
			if i >= len(header) {
				e.errs.Add(c.pos(), "", "module %s has %d parameters", m.name, len(header))
				break
			}
			name = header[i].name
		}
		if c.x == nil {
			continue
		}
		if v, ok := x.constant(c.x); ok {
			if _, twice := over[name]; twice {
				e.errs.Add(c.pos(), "", "parameter %s is given twice", name)
			}
			over[name] = v
		}
	}
	links := map[string]*link{}
	for i, c := range in.conns {
		name := c.name
		if name == "" {
			if i >= len(m.ports) {
				e.errs.Add(c.pos(), "", "module %s has %d ports", m.name, len(m.ports))
				break
			}
			name = m.ports[i].name
		} else if !isPort(m, name) {
			e.errs.Add(c.pos(), "", "module %s has no port %s", m.name, name)
			continue
		}
		if links[name] != nil {
			e.errs.Add(c.pos(), "", "port %s is connected twice", name)
		}
		if c.x != nil {
			e.implicit(x.sc, c.x)
		}
		links[name] = &link{x: c.x, sc: x.sc, pos: c.pos(), open: c.x == nil}
	}
	e.module(m, x.sc, in.name, over, links, in.pos())
}

func (e *elab) genFor(x exprElab, g *genFor) {
	id, ok := g.init.lhs.(*ident)
	if !ok || len(id.path) != 1 {
		e.errs.Add(g.pos(), "", "the loop wants a genvar")
		return
	}
	name := id.path[0].name
	v, ok := x.constant(g.init.rhs)
	for ok {
		if e.generated++; e.generated > maxGenerate || len(*e.errs) > maxErrors {
			if e.generated == maxGenerate+1 {
				e.errs.Add(g.pos(), "look at its condition", "more than %d generated blocks", maxGenerate)
			}
			return
		}
		v = v.resize(32, true)
		// The genvar lives in a scope between the block and its surroundings.
		loop := &scope{name: x.sc.name, full: x.sc.full, parent: x.sc, syms: map[string]any{name: v}, depth: x.sc.depth, e: e}
		y := exprElab{e, loop}
		c, good := y.constant(g.cond)
		if t, _ := truth(c); !good || !t {
			return
		}
		i, known := v.Int64()
		if !known {
			e.errs.Add(g.pos(), "", "genvar %s is unknown", name)
			return
		}
		e.genBlock(loop, g.body, &i)
		v, ok = y.constant(g.step.rhs)
	}
}

func (e *elab) genCase(x exprElab, g *genCase) {
	v, ok := x.constant(g.x)
	if !ok {
		return
	}
	var def *genBlock
	for _, it := range g.items {
		if it.match == nil {
			def = it.body
		}
		for _, m := range it.match {
			w, ok := x.constant(m)
			if !ok {
				return
			}
			n, signed := max(v.Width, w.Width), v.Signed && w.Signed
			a, b := constNode(v, m.pos()), constNode(w, m.pos())
			if x.conv(a, n, signed).val.Same(x.conv(b, n, signed).val) {
				e.genBlock(x.sc, it.body, nil)
				return
			}
		}
	}
	if def != nil {
		e.genBlock(x.sc, def, nil)
	}
}

// genBlock elaborates a block of a generate construct. The blocks of a loop
// are reached as name[i]; one without a name is called genblkN.
func (e *elab) genBlock(sc *scope, b *genBlock, index *int64) {
	owner := sc
	if index != nil {
		owner = sc.parent // the scope of the genvar has no name
	}
	if !b.scoped && index == nil {
		e.params(exprElab{e, sc}, b.items, nil)
		e.items(sc, b.items)
		return
	}
	name := b.name
	if name == "" {
		if index == nil || *index == 0 {
			owner.nblock++
		}
		name = fmt.Sprintf("genblk%d", owner.nblock)
	}
	label := name
	if index != nil {
		label = fmt.Sprintf("%s[%d]", name, *index)
	}
	child := e.newScope(sc, label)
	if index == nil {
		e.declare(owner, name, b.pos(), child)
	} else {
		arr, ok := owner.syms[name].(scopeArray)
		if !ok {
			arr = scopeArray{}
			if !e.declare(owner, name, b.pos(), arr) {
				return
			}
		}
		arr[*index] = child
	}
	for _, it := range b.items {
		if f, ok := it.(*funcItem); ok {
			e.declare(child, f.name, f.pos(), &funcSym{f, child})
		}
	}
	e.params(exprElab{e, child}, b.items, nil)
	e.items(child, b.items)
}
