package verilog

// stmt compiles a statement. Temporaries of a statement are free again behind
// it, except for those of the statement around it.
func (g *gen) stmt(s st) {
	mark := g.ntemp
	defer func() { g.ntemp = mark }()
	switch s := s.(type) {
	case nil:
	case *sBlock:
		for _, x := range s.list {
			g.stmt(x)
		}
		for _, at := range g.exits[s] {
			g.p.code[at].imm = g.here()
		}
		delete(g.exits, s)
	case *sCall:
		g.unset(s.list, nil)
		for _, x := range s.list {
			g.stmt(x)
		}
	case *sIf:
		not := g.branch(s.c, false, true)
		g.stmt(s.then)
		if s.els == nil {
			g.land(not)
			return
		}
		end := g.emit(instr{op: iJmp})
		g.land(not)
		g.stmt(s.els)
		g.land([]int{end})
	case *sCase:
		g.caseStmt(s)
	case *sLoop:
		top := g.here()
		var end []int
		if s.c != nil {
			end = g.branch(s.c, false, true)
		}
		g.stmt(s.body)
		g.stmt(s.step)
		g.emit(instr{op: iJmp, imm: top})
		g.land(end)
	case *sRepeat:
		g.repeat(s.n, func() { g.stmt(s.body) })
	case *sAssign:
		g.assign(s)
	case *sDelay:
		o := g.value(s.d, nil)
		g.emit(instr{op: iDelay, x: o.slot})
	case *sEvent:
		g.event(s.ev)
	case *sWait:
		top := g.here()
		met := g.branch(s.c, true, false)
		ev := make([]trigger, len(s.wake))
		for i, w := range s.wake {
			ev[i] = trigger{w, anyEdge}
		}
		g.event(ev)
		g.emit(instr{op: iJmp, imm: top})
		g.land(met)
	case *sSys:
		sc := sysCode{s: s, args: make([]operand, len(s.args))}
		for i, a := range s.args {
			if a.x != nil && a.x.op == opConst {
				sc.args[i] = g.constant(a.x.val)
			} else if a.x != nil {
				sc.args[i] = g.value(a.x, nil)
			}
		}
		g.emit(instr{op: iSys, imm: int32(len(g.p.sys))})
		g.p.sys = append(g.p.sys, sc)
	case *sDisable:
		g.exits[s.target] = append(g.exits[s.target], g.emit(instr{op: iJmp}))
	case *sTrigger:
		g.emit(instr{op: iTrigger, d: g.sig(s.sig).slot})
	}
}

// branch compiles a condition into jumps, whose targets are still open, that
// are taken when it is want, or unknown where that counts, too. What the first
// operand of a logical operator decides, the second is not asked.
func (g *gen) branch(c *node, want, unknown bool) []int {
	for c.op == opConv && c.a[0].w <= c.w {
		c = c.a[0] // as true as before
	}
	switch {
	case c.op == opLogNot, c.op == opNot && c.w == 1:
		return g.branch(c.a[0], !want, unknown)
	case c.op == opLogAnd, c.op == opLogOr, (c.op == opAnd || c.op == opOr) && c.w == 1:
		decides := c.op == opLogOr || c.op == opOr // the value that one operand alone gives the whole
		if want == decides {
			return append(g.branch(c.a[0], want, unknown), g.branch(c.a[1], want, unknown)...)
		}
		past := g.branch(c.a[0], !want, !unknown)
		jumps := g.branch(c.a[1], want, unknown)
		g.land(past)
		return jumps
	}
	o := g.value(c, nil)
	if o.w > 64 {
		o = g.op(opRedOr, g.temp(1, false), []operand{o})
	}
	ops := [2][2]iop{{iJzK, iJz}, {iJnz, iJnzX}}
	return []int{g.emit(instr{op: ops[b2i(want)][b2i(unknown)], x: o.slot})}
}

// land lets jumps come here.
func (g *gen) land(jumps []int) {
	for _, at := range jumps {
		g.p.code[at].imm = g.here()
	}
}

func (g *gen) event(ev []trigger) {
	g.emit(instr{op: iEvent, imm: int32(len(g.p.events))})
	g.p.events = append(g.p.events, ev)
}

// repeat runs body n times, counting down in a slot of its own that lives
// while the body waits.
func (g *gen) repeat(n *node, body func()) {
	x := exprElab{}
	count := operand{g.slots(1), 64, true}
	g.lives(int(count.slot), 1)
	n = x.conv(n, max(n.w, 64), n.signed)
	g.value(x.conv(n, 64, true), &count)
	top := g.here()
	more := g.op(opLt, g.temp(1, false), []operand{g.constant(Int(64, 0)), count})
	jz := g.emit(instr{op: iJz, x: more.slot})
	g.op(opSub, count, []operand{count, g.constant(Int(64, 1))})
	body()
	g.emit(instr{op: iJmp, imm: top})
	g.p.code[jz].imm = g.here()
}

// caseStmt compares arm by arm; where all labels are constants of at most 64
// bits a jump table goes in front, which is used while the selector is known.
func (g *gen) caseStmt(s *sCase) {
	x := g.value(s.x, nil)
	table := -1
	simple := x.w <= 64 && len(s.arms) > 2
	for _, a := range s.arms {
		for _, m := range a.match {
			simple = simple && m.op == opConst && (m.val.Known() || s.op == opCeq)
		}
	}
	if simple {
		table = len(g.p.tables)
		g.p.tables = append(g.p.tables, switchTable{m: map[uint64]int32{}})
		g.emit(instr{op: iSwitch, x: x.slot, imm: int32(table)})
	}
	var jumps [][]int
	for _, a := range s.arms {
		var js []int
		for _, m := range a.match {
			js = append(js, g.emit(instr{op: iJnz, x: g.match(s.op, x, m)}))
		}
		jumps = append(jumps, js)
	}
	def := g.emit(instr{op: iJmp})
	var ends []int
	for i, a := range s.arms {
		at := g.here()
		for k, j := range jumps[i] {
			g.p.code[j].imm = at
			if simple && a.match[k].val.Known() {
				v := a.match[k].val
				u := extended(v)
				if _, ok := g.p.tables[table].m[u]; !ok {
					g.p.tables[table].m[u] = at
				}
			}
		}
		g.stmt(a.body)
		ends = append(ends, g.emit(instr{op: iJmp}))
	}
	g.p.code[def].imm = g.here()
	if simple {
		g.p.tables[table].def = g.here()
		g.p.tables[table].pack()
	}
	g.stmt(s.def)
	for _, j := range ends {
		g.p.code[j].imm = g.here()
	}
}

// match compares the selector with one label.
func (g *gen) match(op opcode, x operand, m *node) uint16 {
	d := g.temp(1, false)
	if m.op != opConst {
		return g.op(op, d, []operand{x, g.value(m, nil)}).slot
	}
	y := g.constant(m.val)
	if m.val.Known() || x.w > 64 {
		return g.op(op, d, []operand{x, y}).slot
	}
	// Wild bits of the label are masked; a label with an x or z that is not
	// wild never matches a known selector.
	mask := NewValue(x.w, false)
	dead := false
	for i := range x.w {
		a, b := m.val.bit(i)
		wild := b == 1 && (op == opCaseX || op == opCaseZ && a == 0)
		dead = dead || b == 1 && !wild
		if !wild {
			mask.setBit(i, 1, 0)
		}
	}
	c := &cell{op: op, dst: d, args: []operand{x, y}}
	if dead {
		return g.data(instr{op: iGeneric}, c).slot
	}
	return g.data(instr{op: iMatch, x: x.slot, y: y.slot, z: g.constant(mask).slot}, c).slot
}

// extended is a known value of at most 64 bits as slots hold it.
func extended(v Value) uint64 {
	if v.Signed && v.negative() {
		return v.A[0] | ^topMask(v.Width)
	}
	return v.A[0]
}

// pack turns a table with small labels into an array.
func (t *switchTable) pack() {
	lo, hi := ^uint64(0), uint64(0)
	for u := range t.m {
		lo, hi = min(lo, u), max(hi, u)
	}
	if len(t.m) == 0 || hi-lo > 4*uint64(len(t.m))+64 {
		return
	}
	t.min = lo
	t.dense = make([]int32, hi-lo+1)
	for i := range t.dense {
		t.dense[i] = t.def
		if at, ok := t.m[lo+uint64(i)]; ok {
			t.dense[i] = at
		}
	}
}

func (g *gen) assign(a *sAssign) {
	lv := a.lv
	switch {
	case a.delay != nil && !a.nb, a.event != nil:
		v := g.keep(a.rhs)
		if a.delay != nil {
			g.emit(instr{op: iDelay, x: g.value(a.delay, nil).slot})
		} else if a.repeat != nil {
			g.repeat(a.repeat, func() { g.event(a.event) })
		} else {
			g.event(a.event)
		}
		g.store(lv, v, false, 0)
		return
	case a.nb && a.delay != nil:
		d := g.value(a.delay, nil)
		g.store(lv, g.value(a.rhs, nil), true, d.slot)
		return
	}
	if lv.parts == nil && lv.whole && lv.addr == nil && !a.nb && !g.p.isWatched(lv.sig) {
		d := g.sig(lv.sig)
		g.value(a.rhs, &d)
		return
	}
	g.store(lv, g.value(a.rhs, nil), a.nb, 0)
}

// keep puts a value into a slot of its own that lives across a wait.
func (g *gen) keep(n *node) operand {
	o := operand{g.slots(words(n.w)), n.w, n.signed}
	g.lives(int(o.slot), words(n.w))
	return g.value(n, &o)
}

func (p *program) isWatched(s *Signal) bool {
	return !s.local && (len(p.watch[s.slot]) > 0 || p.special[s.slot])
}

// store assigns a value. delay is the slot of a delay of a nonblocking
// assignment, else 0.
func (g *gen) store(l *lval, v operand, nb bool, delay uint16) {
	if l.parts != nil {
		hi := v.w
		for _, q := range l.parts {
			w := q.width()
			hi -= w
			n := &node{op: opPart, w: w, lo: hi, a: []*node{{op: opSig, w: v.w}}}
			part := g.partOf(n, v)
			if q.signed() {
				part = g.op2conv(part, w, true)
			}
			g.store(q, part, nb, delay)
		}
		return
	}
	s := l.sig
	d := dest{w: s.Width, sgn: s.Signed, lo: l.lo, n: l.w, whole: l.whole, mem: -1, val: v, pos: l.pos}
	in := instr{op: iStL, x: v.slot, z: delay}
	if nb {
		in.op = iNbaL
	}
	if s.Depth > 0 {
		d.mem = int(s.slot)
		d.addr = g.value(l.addr, nil)
	} else {
		d.slot = g.sig(s).slot
	}
	if l.base != nil {
		d.base = g.value(l.base, nil)
		d.k = l.k
	}
	small := s.Width <= 64 && delay == 0 && l.whole
	switch {
	case small && s.Depth == 0 && !nb && !g.p.isWatched(s):
		g.move(v, &operand{d.slot, s.Width, s.Signed})
		return
	case small && s.Depth == 0 && !nb:
		g.emit(instr{op: iSt, d: d.slot, x: v.slot})
		return
	case small && s.Depth == 0:
		op := iNba
		if g.p.quick[d.slot] {
			op = iNbaQ
		}
		g.emit(instr{op: op, d: d.slot, x: v.slot})
		return
	case small && d.addr.w <= 64 && (d.addr.w < 64 || d.addr.signed):
		op := iMemWr
		if nb {
			op = iNbaMem
		}
		in = instr{op: op, x: v.slot, y: d.addr.slot}
	}
	in.imm = int32(len(g.p.dests))
	g.p.dests = append(g.p.dests, d)
	g.emit(in)
}

// partOf cuts a finished operand.
func (g *gen) partOf(n *node, o operand) operand {
	c := &cell{op: opPart, dst: g.temp(n.w, false), args: []operand{o}, lo: n.lo}
	in := instr{op: iGeneric, sh: uint8(64 - min(n.w, 64))}
	if n.w <= 64 {
		in.op, in.lo, in.x = iPart, uint8(n.lo&63), o.slot+uint16(n.lo>>6)
		if n.lo&63+n.w > 64 {
			in.op = iPartX
		}
	}
	return g.data(in, c)
}

func (g *gen) op2conv(o operand, w int, signed bool) operand {
	in := instr{op: iGeneric}
	if w <= 64 {
		in = instr{op: iZext, x: o.slot, sh: uint8(64 - w)}
		if signed {
			in.op = iSext
		}
	}
	return g.data(in, &cell{op: opConv, dst: g.temp(w, signed), args: []operand{o}})
}

// unset gives an unknown value to those variables of a function or task that
// some path reads before it writes them. (The others need none, and a known
// value everywhere is what the fast mode lives on.)
func (g *gen) unset(list []st, ret *Signal) {
	f := flow{bad: map[*Signal]bool{}}
	set := map[*Signal]bool{}
	for _, s := range list {
		f.stmt(s, set)
	}
	if ret != nil {
		f.read(ret, set)
	}
	for _, s := range f.order {
		v := allX(s.Width, s.Signed)
		d := g.sig(s)
		g.value(constNode(v, s.Pos), &d)
	}
}

// flow finds local variables that may be read before they are written.
type flow struct {
	bad   map[*Signal]bool
	order []*Signal
}

func (f *flow) read(s *Signal, set map[*Signal]bool) {
	if s.local && !set[s] && !f.bad[s] {
		f.bad[s] = true
		f.order = append(f.order, s)
	}
}

func (f *flow) node(n *node, set map[*Signal]bool) {
	if n == nil {
		return
	}
	for _, a := range n.a {
		f.node(a, set)
	}
	for _, s := range n.pre {
		f.stmt(s, set)
	}
	if n.op == opSig || n.op == opCall {
		f.read(n.sig, set)
	}
}

func copySet(m map[*Signal]bool) map[*Signal]bool {
	c := make(map[*Signal]bool, len(m))
	for s := range m {
		c[s] = true
	}
	return c
}

// meet keeps in set what all of the branches have written.
func meet(set map[*Signal]bool, branches ...map[*Signal]bool) {
	for s := range branches[0] {
		all := true
		for _, b := range branches[1:] {
			all = all && b[s]
		}
		if all {
			set[s] = true
		}
	}
}

func (f *flow) lval(l *lval, set map[*Signal]bool) {
	for _, p := range l.parts {
		f.lval(p, set)
	}
	f.node(l.addr, set)
	f.node(l.base, set)
	if l.sig == nil {
		return
	}
	if l.whole {
		set[l.sig] = true
	} else {
		f.read(l.sig, set)
	}
}

func (f *flow) stmt(s st, set map[*Signal]bool) {
	switch s := s.(type) {
	case *sBlock:
		inner := copySet(set)
		left := false
		for _, x := range s.list {
			f.stmt(x, inner)
		}
		walk(s, func(*node) {}, func(x st) {
			d, ok := x.(*sDisable)
			left = left || ok && d.target == s
		})
		if !left {
			meet(set, inner)
		}
	case *sCall:
		for _, x := range s.list {
			f.stmt(x, set)
		}
	case *sIf:
		f.node(s.c, set)
		a, b := copySet(set), copySet(set)
		f.stmt(s.then, a)
		f.stmt(s.els, b)
		meet(set, a, b)
	case *sCase:
		f.node(s.x, set)
		def := copySet(set)
		branches := []map[*Signal]bool{def}
		for _, a := range s.arms {
			for _, m := range a.match {
				f.node(m, set)
			}
			b := copySet(set)
			f.stmt(a.body, b)
			branches = append(branches, b)
		}
		f.stmt(s.def, def)
		meet(set, branches...)
	case *sLoop:
		f.node(s.c, set)
		in := copySet(set)
		f.stmt(s.body, in)
		f.stmt(s.step, in)
	case *sRepeat:
		f.node(s.n, set)
		f.stmt(s.body, copySet(set))
	case *sAssign:
		f.node(s.rhs, set)
		f.node(s.delay, set)
		f.node(s.repeat, set)
		f.lval(s.lv, set)
	case *sDelay:
		f.node(s.d, set)
	case *sWait:
		f.node(s.c, set)
	case *sSys:
		for _, a := range s.args {
			f.node(a.x, set)
		}
	}
}
