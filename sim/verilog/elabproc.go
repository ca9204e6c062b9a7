package verilog

import (
	"math"
	"slices"

	"vlec/model/diag"
)

// assign enters a continuous assignment.
func (e *elab) assign(sc *scope, lv *lval, rhs *node, pos diag.Pos) {
	if lv == nil || rhs == nil {
		return
	}
	e.drive(lv)
	e.unit(&unit{kind: unitComb, assign: true, body: &sAssign{lv: lv, rhs: rhs, pos: pos}, pos: pos, scope: sc, name: "assign"})
}

func (e *elab) unit(u *unit) {
	u.index = len(e.d.units)
	e.d.units = append(e.d.units, u)
}

// drive notes which bits of which nets an assignment drives.
func (e *elab) drive(l *lval) {
	for _, p := range l.parts {
		e.drive(p)
	}
	if l.sig == nil {
		return
	}
	d := driver{l.lo, l.w, l.pos}
	if l.base != nil {
		d.lo, d.w = 0, l.sig.Width
	}
	l.sig.driven = append(l.sig.driven, d)
}

func (e *elab) assignItem(x exprElab, it *assignItem) {
	if it.delay != nil {
		e.errs.Add(it.pos(), "take it away", "delays of continuous assignments are not supported")
		return
	}
	lv := x.lval(it.lhs, false)
	if lv == nil {
		return
	}
	e.assign(x.sc, lv, x.assigned(it.rhs, lv.width(), lv.signed()), it.pos())
}

func (l *lval) signed() bool { return l.whole && l.sig.Signed }

// gate turns a primitive into a continuous assignment.
func (e *elab) gate(x exprElab, g *instItem) {
	args := g.conns
	if len(args) < 2 {
		e.errs.Add(g.pos(), "", "gate %s wants an output and an input", g.module)
		return
	}
	var in *node
	outs := args[:1]
	if g.module == "buf" || g.module == "not" {
		outs, args = args[:len(args)-1], args[len(args)-2:]
	}
	op := map[string]opcode{"and": opAnd, "nand": opAnd, "or": opOr, "nor": opOr, "xor": opXor, "xnor": opXor}[g.module]
	for _, c := range args[1:] {
		if c.x == nil {
			e.errs.Add(c.pos(), "connect it", "open input of a gate")
			return
		}
		n := x.final(c.x)
		if n = x.conv(n, 1, false); n == nil {
			return
		}
		if in != nil {
			n = x.mk(op, 1, false, g.pos(), in, n)
		}
		in = n
	}
	switch g.module {
	case "nand", "nor", "xnor", "not":
		in = x.mk(opNot, 1, false, g.pos(), in)
	}
	for _, c := range outs {
		if c.x == nil {
			continue
		}
		if lv := x.lval(c.x, false); lv != nil {
			e.assign(x.sc, lv, x.conv(in, lv.width(), lv.signed()), g.pos())
		}
	}
}

// A label is a named block that disable may leave.
type label struct {
	name string
	sc   *scope
	blk  *sBlock
}

// A procElab turns the statements of one process into the typed tree.
type procElab struct {
	exprElab
	labels []label
	inFunc bool
	waits  *bool // set when a statement waits
}

// process enters an always or initial block.
func (e *elab) process(sc *scope, it *procItem) {
	waits := false
	p := procElab{exprElab: exprElab{e, sc}, waits: &waits}
	u := &unit{kind: unitProc, pos: it.pos(), scope: sc, name: it.kind}
	if it.kind == "initial" {
		u.body = p.stmt(it.body)
		e.unit(u)
		return
	}
	ev, ok := it.body.(*eventStmt)
	if !ok {
		u.body = &sLoop{body: p.stmt(it.body), pos: it.pos()}
		if !waits {
			e.errs.Add(it.pos(), "write always @(posedge …) or always @*", "always block without an event or delay never ends")
		}
		e.unit(u)
		return
	}
	body := p.stmt(ev.body)
	if ev.ev.star && !waits {
		u.kind, u.body = unitComb, body
		e.unit(u)
		return
	}
	u.body = body
	u.findReads()
	trig := p.triggers(ev.ev, u.reads)
	if trig == nil {
		return
	}
	edges := !slices.ContainsFunc(trig, func(t trigger) bool { return t.edge == anyEdge })
	switch {
	case !waits && edges:
		u.kind, u.trig = unitClocked, trig
	case !waits && !slices.ContainsFunc(u.reads, func(s *Signal) bool {
		return !slices.Contains(trig, trigger{s, anyEdge}) && !slices.Contains(u.writes, s)
	}) && !slices.ContainsFunc(trig, func(t trigger) bool { return t.edge != anyEdge || !slices.Contains(u.reads, t.sig) }):
		u.kind = unitComb
	default:
		u.body = &sLoop{body: &sBlock{[]st{&sEvent{trig}, body}}, pos: it.pos()}
	}
	e.unit(u)
}

// triggers resolves an event control; star stands for reads. An expression
// that is more than a signal gets a hidden wire to wait for.
func (p procElab) triggers(ev *eventCtrl, reads []*Signal) (out []trigger) {
	if ev.star {
		for _, s := range reads {
			out = append(out, trigger{s, anyEdge})
		}
		if len(out) == 0 {
			p.fail(ev.pos(), "", "@* without anything to wait for")
		}
		return out
	}
	for _, t := range ev.terms {
		n := p.final(t.x)
		if n == nil {
			return nil
		}
		tr := trigger{edge: map[string]edge{"": anyEdge, "posedge": posEdge, "negedge": negEdge}[t.edge]}
		if n.op == opSig && (tr.edge == anyEdge || n.w == 1) {
			tr.sig = n.sig
		} else {
			if tr.edge != anyEdge {
				n = p.conv(n, 1, false)
			}
			tr.sig = p.hidden(n)
		}
		tr.sig.watched = true
		out = append(out, tr)
	}
	return out
}

// hidden makes a wire that follows an expression.
func (p procElab) hidden(n *node) *Signal {
	s := &Signal{Name: p.sc.full + ".\\wait", Width: n.w, Signed: n.signed, net: true, hidden: true, Pos: n.pos, msb: n.w - 1}
	p.e.d.Signals = append(p.e.d.Signals, s)
	p.e.assign(p.sc, &lval{sig: s, w: s.Width, whole: true, pos: n.pos}, n, n.pos)
	return s
}

func (p procElab) wait(pos diag.Pos) {
	if p.inFunc {
		p.fail(pos, "use a task", "a function cannot wait")
	}
	*p.waits = true
}

// delay resolves the value behind # to a number of ticks.
func (p procElab) delay(x expr) *node {
	unit := p.sc.timeUnit()
	if r, ok := x.(*realLit); ok {
		// Rounded to the precision of the module.
		s := p.sc.module().mod.scale
		prec := math.Pow(10, float64(s.prec-s.unit))
		t := math.Round(r.v/prec) * prec * float64(unit)
		if t > 1<<60 {
			p.fail(x.pos(), "", "delay is too long")
			return nil
		}
		return constNode(Uint(64, uint64(math.Round(t))), x.pos())
	}
	n := p.final(x)
	if n == nil {
		return nil
	}
	n = p.conv(p.conv(n, max(64, n.w), n.signed), 64, false)
	return p.fold(&node{op: opMul, w: 64, a: []*node{n, constNode(Uint(64, uint64(unit)), n.pos)}, pos: n.pos})
}

func (p procElab) stmt(s stmt) st {
	switch s := s.(type) {
	case nil, *nullStmt:
		return nil
	case *blockStmt:
		return p.block(s)
	case *ifStmt:
		c := p.final(s.cond)
		then, els := p.stmt(s.then), p.stmt(s.els)
		if c == nil {
			return nil
		}
		if c.op == opConst {
			if t, _ := truth(c.val); t {
				return then
			}
			return els
		}
		return &sIf{c, then, els}
	case *caseStmt:
		return p.caseStmt(s)
	case *forStmt:
		init, step, c := p.assign(s.init), p.assign(s.step), p.final(s.cond)
		body := p.stmt(s.body)
		if init == nil || step == nil || c == nil {
			return nil
		}
		return &sBlock{[]st{init, &sLoop{c: c, body: body, step: step, pos: s.pos()}}}
	case *loopStmt:
		var n *node
		if s.x != nil {
			if n = p.final(s.x); n == nil {
				return nil
			}
		}
		if s.kind == "repeat" {
			// A negative or unknown count repeats nothing.
			return &sRepeat{n, p.stmt(s.body)}
		}
		before := *p.waits
		*p.waits = false
		body := p.stmt(s.body)
		if s.kind == "forever" && !*p.waits && !p.canLeave(s.body) {
			p.fail(s.pos(), "put an event or a delay in", "forever loop without waiting never ends")
		}
		*p.waits = *p.waits || before
		return &sLoop{c: n, body: body, pos: s.pos()}
	case *assignStmt:
		if a := p.assign(s); a != nil {
			return a
		}
		return nil
	case *delayStmt:
		p.wait(s.pos())
		d, body := p.delay(s.d), p.stmt(s.body)
		return &sBlock{[]st{&sDelay{d}, body}}
	case *eventStmt:
		p.wait(s.pos())
		body := p.stmt(s.body)
		var reads []*Signal
		if s.ev.star {
			u := unit{body: body}
			u.findReads()
			reads = u.reads
			for _, r := range reads {
				r.watched = true
			}
		}
		return &sBlock{[]st{&sEvent{p.triggers(s.ev, reads)}, body}}
	case *waitStmt:
		p.wait(s.pos())
		c, body := p.final(s.cond), p.stmt(s.body)
		if c == nil {
			return nil
		}
		u := unit{body: &sIf{c: c}}
		u.findReads()
		for _, r := range u.reads {
			r.watched = true
		}
		return &sBlock{[]st{&sWait{c, u.reads}, body}}
	case *sysStmt:
		return p.sysTask(s)
	case *taskStmt:
		return p.task(s)
	case *disableStmt:
		if len(s.fn.path) == 1 {
			for i := len(p.labels) - 1; i >= 0; i-- {
				if p.labels[i].name == s.fn.path[0].name {
					return &sDisable{p.labels[i].blk}
				}
			}
		}
		p.fail(s.pos(), "only a block around the statement can be disabled", "%s is not a block around this", s.fn)
		return nil
	case *triggerStmt:
		if sig, ok := p.e.lookup(p.sc, s.ev).(*Signal); ok && sig.event {
			return &sTrigger{sig}
		}
		p.fail(s.pos(), "", "%s is not an event", s.ev)
		return nil
	}
	p.fail(s.pos(), "", "statement is not supported")
	return nil
}

// canLeave tells whether a loop body holds a disable or $finish.
func (p procElab) canLeave(s stmt) bool {
	switch s := s.(type) {
	case *disableStmt, *sysStmt, *taskStmt:
		return true
	case *blockStmt:
		return slices.ContainsFunc(s.body, p.canLeave)
	case *ifStmt:
		return p.canLeave(s.then) || s.els != nil && p.canLeave(s.els)
	case *caseStmt:
		return slices.ContainsFunc(s.items, func(it caseItem) bool { return p.canLeave(it.body) })
	}
	return false
}

func (p procElab) block(b *blockStmt) st {
	blk := &sBlock{}
	if b.name != "" {
		p.labels = append(slices.Clip(p.labels), label{b.name, p.sc, blk})
	}
	if b.name != "" {
		child := p.e.newScope(p.sc, b.name)
		if !p.inFunc {
			p.e.declare(p.sc, b.name, b.pos(), child)
		}
		p.sc = child
		p.locals(b.items, blk)
	}
	for _, s := range b.body {
		if t := p.stmt(s); t != nil {
			blk.list = append(blk.list, t)
		}
	}
	return blk
}

// locals declares the variables of a named block or function.
func (p procElab) locals(items []item, blk *sBlock) {
	p.e.params(p.exprElab, items, nil)
	for _, it := range items {
		d, ok := it.(*declItem)
		if !ok || d.dir != "" {
			continue
		}
		if d.kind == "wire" {
			p.fail(d.pos(), "declare it reg", "a block cannot hold a net")
			continue
		}
		before := len(p.e.d.Signals)
		p.e.decl(p.exprElab, d)
		if p.inFunc {
			for _, s := range p.e.d.Signals[before:] {
				s.local = true
				delete(p.e.d.names, s.Name)
			}
		}
	}
}

func (p procElab) caseStmt(s *caseStmt) st {
	c := &sCase{op: map[string]opcode{"case": opCeq, "casez": opCaseZ, "casex": opCaseX}[s.kind]}
	// All expressions of the statement share one width and sign.
	c.x = p.resolve(s.x)
	if c.x == nil {
		return nil
	}
	w, signed := c.x.w, c.x.signed
	for _, it := range s.items {
		arm := sArm{body: p.stmt(it.body)}
		if it.match == nil {
			c.def = arm.body
			continue
		}
		for _, m := range it.match {
			n := p.resolve(m)
			if n == nil {
				return nil
			}
			p.lintPair(m.pos(), "case", s.x, m, c.x, n)
			w, signed = max(w, n.w), signed && n.signed
			arm.match = append(arm.match, n)
		}
		c.arms = append(c.arms, arm)
	}
	c.x = p.coerce(c.x, w, signed)
	for _, a := range c.arms {
		for i := range a.match {
			a.match[i] = p.coerce(a.match[i], w, signed)
		}
	}
	return c
}

func (p procElab) assign(s *assignStmt) *sAssign {
	lv := p.lval(s.lhs, true)
	if lv == nil {
		return nil
	}
	a := &sAssign{lv: lv, nb: s.nb, pos: s.pos()}
	if a.rhs = p.assigned(s.rhs, lv.width(), lv.signed()); a.rhs == nil {
		return nil
	}
	if s.delay != nil {
		if a.delay = p.delay(s.delay); a.delay == nil {
			return nil
		}
	}
	if s.event != nil {
		if s.nb {
			p.fail(s.pos(), "wait before the assignment", "nonblocking assignment with an event inside is not supported")
			return nil
		}
		a.event = p.triggers(s.event, nil)
	}
	if s.repeat != nil {
		a.repeat = p.final(s.repeat)
	}
	if a.delay != nil && !s.nb || a.event != nil {
		p.wait(s.pos())
	}
	if s.nb && p.inFunc {
		p.fail(s.pos(), "use =", "a function cannot assign with <=")
	}
	var mark func(l *lval)
	mark = func(l *lval) {
		for _, q := range l.parts {
			mark(q)
		}
		if l.sig != nil {
			l.sig.procs = true
		}
	}
	mark(lv)
	return a
}

// An inlined is a function or task in the place of one call.
type inlined struct {
	list    []st
	out     []st // assignments of the outputs of a task
	ret     *Signal
	argVals []*node
}

// inline copies the body of a function or task, with fresh variables, and the
// assignments of its arguments in front.
func (e *elab) inline(fs *funcSym, pos diag.Pos, x exprElab, args []expr) *inlined {
	f := fs.ast
	if e.calls++; e.calls > maxDepth {
		e.errs.Add(pos, "write a loop", "calls of %s nest more than %d deep; recursion is not supported", f.name, maxDepth)
		return nil
	}
	defer func() { e.calls-- }()
	if e.inlined++; e.inlined > maxGenerate {
		e.errs.Add(pos, "", "more than %d calls", maxGenerate)
		return nil
	}
	sc := e.newScope(fs.sc, f.name)
	in := &inlined{}
	blk := &sBlock{}
	waits := false
	p := procElab{exprElab: exprElab{e, sc}, waits: &waits, inFunc: true, labels: []label{{f.name, sc, blk}}}
	local := func(name string, s *Signal) {
		s.Name, s.local = sc.full+"."+name, true
		e.declare(sc, name, s.Pos, s)
		e.d.Signals = append(e.d.Signals, s)
	}
	if !f.task {
		in.ret = &Signal{Width: 1, Signed: f.signed, Pos: f.pos()}
		msb, lsb, ok := e.bounds(p.exprElab, f.rng)
		if !ok {
			return nil
		}
		in.ret.msb, in.ret.lsb, in.ret.Width = msb, lsb, max(msb-lsb, lsb-msb)+1
		in.ret.setKind(f.typ)
		local(f.name, in.ret)
	}
	p.e.params(p.exprElab, f.items, nil)
	n := 0
	for _, it := range f.items {
		d, ok := it.(*declItem)
		if !ok {
			continue
		}
		if d.dir == "" {
			continue
		}
		for _, name := range d.names {
			msb, lsb, ok := e.bounds(p.exprElab, d.rng)
			if !ok {
				return nil
			}
			s := &Signal{Width: max(msb-lsb, lsb-msb) + 1, Signed: d.signed, msb: msb, lsb: lsb, Pos: name.pos()}
			s.setKind(d.kind)
			local(name.name, s)
			if n >= len(args) {
				e.errs.Add(pos, "", "%s wants more than %d arguments", f.name, len(args))
				return nil
			}
			a := args[n]
			n++
			whole := &lval{sig: s, w: s.Width, whole: true, pos: pos}
			if d.dir != "output" {
				v := x.assigned(a, s.Width, s.Signed)
				if v == nil {
					return nil
				}
				in.argVals = append(in.argVals, v)
				in.list = append(in.list, &sAssign{lv: whole, rhs: v, pos: pos})
			}
			if d.dir != "input" {
				if !f.task {
					e.errs.Add(name.pos(), "use a task", "a function has inputs only")
					return nil
				}
				lv := x.lval(a, true)
				if lv == nil {
					return nil
				}
				rhs := &node{op: opSig, w: s.Width, signed: s.Signed, sig: s, pos: pos}
				in.out = append(in.out, &sAssign{lv: lv, rhs: x.conv(x.conv(rhs, max(rhs.w, lv.width()), rhs.signed), lv.width(), lv.signed()), pos: pos})
			}
		}
	}
	if n != len(args) {
		e.errs.Add(pos, "", "%s wants %d arguments and got %d", f.name, n, len(args))
		return nil
	}
	var decls []item
	for _, it := range f.items {
		if d, ok := it.(*declItem); ok && d.dir == "" {
			decls = append(decls, d)
		}
	}
	p.locals(decls, blk)
	p.inFunc = !f.task
	for _, s := range f.body {
		if t := p.stmt(s); t != nil {
			blk.list = append(blk.list, t)
		}
	}
	in.list = append(in.list, blk)
	if waits && !f.task {
		return nil
	}
	return in
}

func (p procElab) task(s *taskStmt) st {
	fs := p.function(s.fn)
	if fs == nil {
		return nil
	}
	if !fs.ast.task {
		p.fail(s.pos(), "", "%s is not a task", s.fn)
		return nil
	}
	in := p.e.inline(fs, s.pos(), p.exprElab, s.args)
	if in == nil {
		return nil
	}
	// The body was elaborated on its own; whether it waits shows in its tree.
	blk := &sCall{list: append(in.list, in.out...)}
	walk(blk, func(*node) {}, func(s st) {
		switch s := s.(type) {
		case *sDelay, *sEvent, *sWait:
			p.wait(diag.Pos{})
		case *sAssign:
			if s.event != nil || s.delay != nil && !s.nb {
				p.wait(diag.Pos{})
			}
		}
	})
	return blk
}

// findReads collects the signals that a unit reads and writes, each once, in
// order of appearance; variables of functions are not among them.
func (u *unit) findReads() {
	seenR, seenW := map[*Signal]bool{}, map[*Signal]bool{}
	u.reads, u.writes, u.later = nil, nil, nil
	read := func(s *Signal) {
		if s != nil && !s.local && !seenR[s] {
			seenR[s] = true
			u.reads = append(u.reads, s)
		}
	}
	var write func(l *lval, nb bool)
	write = func(l *lval, nb bool) {
		for _, p := range l.parts {
			write(p, nb)
		}
		if nb && l.sig != nil {
			u.later = append(u.later, l.sig)
		}
		if l.sig != nil && !l.sig.local && !seenW[l.sig] {
			seenW[l.sig] = true
			u.writes = append(u.writes, l.sig)
		}
	}
	walk(u.body, func(n *node) {
		if n.op == opSig || n.op == opMem {
			read(n.sig)
		}
	}, func(s st) {
		switch s := s.(type) {
		case *sAssign:
			write(s.lv, s.nb)
		case *sSys:
			for _, a := range s.args {
				read(a.sig)
			}
		}
	})
}

// checkDrivers reports nets whose bits are driven twice, and variables that a
// process and an assignment drive.
func (e *elab) checkDrivers() {
	for _, s := range e.d.Signals {
		if s.net && s.external && len(s.driven) > 0 {
			e.errs.Add(s.driven[0].pos, "", "input %s is driven from inside", s.base())
		}
		if s.procs && len(s.driven) > 0 {
			e.errs.Add(s.driven[0].pos, "", "%s is driven by a process and by an assignment", s.base())
		}
		ds := slices.Clone(s.driven)
		slices.SortStableFunc(ds, func(a, b driver) int { return a.lo - b.lo })
		for i := 1; i < len(ds); i++ {
			if ds[i].lo < ds[i-1].lo+ds[i-1].w {
				e.errs.Add(ds[i].pos, "drive it once", "%s is driven twice; also at %s", s.base(), ds[i-1].pos)
				break
			}
		}
	}
}

// finish collects what the simulator wants to know of each unit.
func (e *elab) finish() {
	for _, u := range e.d.units {
		u.findReads()
	}
}
