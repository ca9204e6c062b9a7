package verilog

import (
	"slices"

	"vlec/model/diag"
)

// compile turns a design into a program: slots for signals, an order of
// evaluation, code.
func compile(d *Design) (*program, error) {
	d.inline()
	p := &program{d: d, alone: d.alone(), sigAt: map[uint16]*Signal{}, wirePC: map[*Signal]int{}}
	g := &gen{p: p, consts: map[string]operand{}, constAt: map[uint16]Value{}, exits: map[*sBlock][]int{}, placed: map[*Signal]bool{}, persist: map[*unit][]uint16{}}
	for _, s := range d.Signals {
		if !s.local {
			g.place(s)
		}
	}
	p.nsig = g.next
	p.order()
	p.watchers()
	for i := range p.units {
		g.unit(&p.units[i])
	}
	g.inits()
	for _, u := range d.wires {
		c := unitCode{u: u}
		g.unit(&c)
		p.wirePC[u.body.(*sAssign).lv.sig] = c.pc
	}
	g.copies()
	p.nslots = g.next
	p.passing = make([]bool, p.nslots)
	for _, slot := range append(g.temps, g.scope...) {
		p.passing[slot] = true
	}
	for _, i := range p.procs {
		p.persist = append(p.persist, g.persist[p.units[i].u])
	}
	p.number()
	p.fuse()
	if err := g.errs.Err(); err != nil {
		return nil, err
	}
	return p, nil
}

// gen writes code.
type gen struct {
	p       *program
	errs    diag.List
	next    int // first free slot
	consts  map[string]operand
	constAt map[uint16]Value
	temps   []uint16
	ntemp   int
	exits   map[*sBlock][]int
	current *unit
	placed  map[*Signal]bool
	persist map[*unit][]uint16
	scope   []uint16 // further slots that mean nothing between units
}

func (g *gen) slots(n int) uint16 {
	at := g.next
	if g.next += n; g.next > maxSlots {
		if at <= maxSlots {
			g.errs.Add(diag.Pos{}, "simulate a part of it", "design needs more than %d words for signals and constants", maxSlots)
		}
		g.next = maxSlots + 1
		return 0
	}
	return uint16(at)
}

// place gives a signal its storage.
func (g *gen) place(s *Signal) {
	if g.placed[s] {
		return
	}
	g.placed[s] = true
	if s.Depth > 0 {
		s.slot = uint32(len(g.p.mems))
		g.p.mems = append(g.p.mems, s)
		return
	}
	s.slot = uint32(g.slots(words(s.Width)))
	if s.local {
		g.lives(int(s.slot), words(s.Width))
		g.passes(s.slot, words(s.Width))
	}
	g.p.sigAt[uint16(s.slot)] = s
}

// lives notes slots that must keep their value while the process waits.
func (g *gen) lives(slot, n int) {
	if g.current != nil && g.current.kind == unitProc {
		for i := range n {
			g.persist[g.current] = append(g.persist[g.current], uint16(slot+i))
		}
	}
}

// passes notes slots that mean nothing between units.
func (g *gen) passes(slot uint32, n int) {
	if g.current == nil || g.current.kind != unitProc {
		for i := range n {
			g.scope = append(g.scope, uint16(int(slot)+i))
		}
	}
}

func (g *gen) sig(s *Signal) operand {
	if s.local {
		g.place(s)
	}
	return operand{uint16(s.slot), s.Width, s.Signed}
}

func (g *gen) constant(v Value) operand {
	key := v.String()
	if o, ok := g.consts[key]; ok {
		return o
	}
	o := operand{g.slots(words(v.Width)), v.Width, v.Signed}
	g.consts[key] = o
	g.constAt[o.slot] = v
	g.p.consts = append(g.p.consts, constSlot{o.slot, v})
	return o
}

// temp is a slot that lives to the end of the statement.
func (g *gen) temp(w int, signed bool) operand {
	if w > 64 {
		o := operand{g.slots(words(w)), w, signed}
		for i := range words(w) {
			g.scope = append(g.scope, o.slot+uint16(i))
		}
		return o
	}
	if g.ntemp == len(g.temps) {
		g.temps = append(g.temps, g.slots(1))
	}
	g.ntemp++
	return operand{g.temps[g.ntemp-1], w, signed}
}

func (g *gen) emit(in instr) int {
	if len(g.p.code) >= maxCode {
		if len(g.p.code) == maxCode {
			g.errs.Add(diag.Pos{}, "", "design needs more than %d instructions", maxCode)
			g.p.code = append(g.p.code, instr{})
			g.p.cells = append(g.p.cells, nil)
		}
		return 0
	}
	g.p.code = append(g.p.code, in)
	g.p.cells = append(g.p.cells, nil)
	return len(g.p.code) - 1
}

func (g *gen) data(in instr, c *cell) operand {
	in.d = c.dst.slot
	g.p.cells[g.emit(in)] = c
	return c.dst
}

func (g *gen) here() int32 { return int32(len(g.p.code)) }

func (g *gen) unit(u *unitCode) {
	g.current = u.u
	u.pc = len(g.p.code)
	g.stmt(u.u.body)
	g.emit(instr{op: iEnd})
}

func (g *gen) inits() {
	for _, a := range g.p.d.inits {
		if a.rhs.op != opConst {
			// An initial value that reads signals is an initial block.
			g.p.units = append(g.p.units, unitCode{u: &unit{kind: unitProc, body: a, pos: a.pos}, bit: -1})
			g.unit(&g.p.units[len(g.p.units)-1])
			g.p.procs = append(g.p.procs, len(g.p.units)-1)
		}
	}
}

// value compiles an expression; with a destination, its last instruction
// writes there.
func (g *gen) value(n *node, dst *operand) operand {
	switch n.op {
	case opConst:
		o := g.constant(n.val)
		if !n.val.Known() {
			c := &cell{op: opConv, dst: g.into(n, dst), args: []operand{o}}
			return g.data(instr{op: iUnknown, x: o.slot}, c)
		}
		return g.move(o, dst)
	case opSig:
		return g.move(g.sig(n.sig), dst)
	case opCall:
		g.unset(n.pre, n.sig)
		for _, s := range n.pre {
			g.stmt(s)
		}
		return g.move(g.sig(n.sig), dst)
	case opSysFn:
		o := g.into(n, dst)
		switch n.sys {
		case "$time":
			g.emit(instr{op: iTime, d: o.slot, imm: int32(len(g.p.consts))})
			g.p.consts = append(g.p.consts, constSlot{g.slots(1), Uint(64, uint64(n.k))})
			if o.w < 64 {
				g.data(instr{op: iZext, x: o.slot, sh: uint8(64 - o.w)}, &cell{op: opConv, dst: o, args: []operand{{o.slot, 64, false}}})
			}
		case "$random":
			g.emit(instr{op: iRandom, d: o.slot, k: b2i(n.signed)})
		}
		return o
	case opConv:
		return g.conv(n, dst)
	case opMem:
		addr := g.value(n.a[0], nil)
		c := &cell{op: opMem, dst: g.into(n, dst), args: []operand{addr}, mem: int(n.sig.slot)}
		op := iMemRd
		if n.w > 64 || addr.w > 64 || addr.w == 64 && !addr.signed {
			op = iGeneric
		}
		return g.data(instr{op: op, x: addr.slot, imm: int32(n.sig.slot)}, c)
	case opConcat:
		if c := simplify(n); c != n {
			return g.value(c, dst)
		}
		return g.concat(n, dst)
	case opPart, opPartV:
		return g.part(n, dst)
	case opCeq, opCne:
		if o, ok := g.never(n, dst); ok {
			return o
		}
	}
	args := make([]operand, len(n.a))
	for i, a := range n.a {
		if i > 0 && a == n.a[i-1] {
			args[i] = args[i-1]
			continue
		}
		args[i] = g.value(a, nil)
	}
	return g.op(n.op, g.into(n, dst), args)
}

// never compiles a comparison by === or !== with a constant that has unknown bits.
func (g *gen) never(n *node, dst *operand) (operand, bool) {
	unknown := func(a *node) bool { return a.op == opConst && !a.val.Known() }
	if !unknown(n.a[0]) && !unknown(n.a[1]) {
		return operand{}, false
	}
	c := &cell{op: n.op, args: make([]operand, 2)}
	for i, a := range n.a {
		if a.op == opConst {
			c.args[i] = g.constant(a.val)
		} else {
			c.args[i] = g.value(a, nil)
		}
	}
	c.dst = g.into(n, dst)
	op := iFalse
	if n.op == opCne {
		op = iTrue
	}
	return g.data(instr{op: op}, c), true
}

func b2i(b bool) int8 {
	if b {
		return 1
	}
	return 0
}

// into is the place of a result: the wanted one, else a temporary.
func (g *gen) into(n *node, dst *operand) operand {
	if dst != nil {
		return *dst
	}
	return g.temp(n.w, n.signed)
}

// move brings a value to the wanted place, if one is wanted.
func (g *gen) move(o operand, dst *operand) operand {
	if dst == nil {
		return o
	}
	in := instr{op: iMov, x: o.slot}
	if o.w > 64 || dst.w > 64 {
		in.op = iGeneric
	}
	return g.data(in, &cell{op: opConv, dst: *dst, args: []operand{o}})
}

// conv changes the type of a value. Because slots are extended to the whole
// word, only a cut or a change of sign costs an instruction.
func (g *gen) conv(n *node, dst *operand) operand {
	n = simplify(n)
	if n.op != opConv {
		return g.value(n, dst)
	}
	a := n.a[0]
	if n.signed && n.w == a.w && n.w <= 64 {
		switch a.op {
		case opPart:
			return g.part(&node{op: opPart, w: n.w, signed: true, a: a.a, lo: a.lo, pos: a.pos}, dst)
		case opConcat:
			return g.concat(signedConcat(a), dst)
		}
	}
	o := g.value(a, nil)
	if n.w > 64 || a.w > 64 {
		if a.w > 64 && n.w <= 64 && !n.signed {
			return g.data(instr{op: iZext, x: o.slot, sh: uint8(64 - n.w)}, &cell{op: opConv, dst: g.into(n, dst), args: []operand{o}})
		}
		return g.data(instr{op: iGeneric}, &cell{op: opConv, dst: g.into(n, dst), args: []operand{o}})
	}
	c := &cell{op: opConv, args: []operand{o}}
	in := instr{x: o.slot, sh: uint8(64 - n.w)}
	switch {
	case n.w > a.w && (!a.signed || n.signed), n.w == a.w && a.signed == n.signed:
		if dst == nil {
			return operand{o.slot, n.w, n.signed}
		}
		in.op = iMov
	case n.signed:
		in.op = iSext
	default:
		in.op = iZext
		if a.signed && a.w < n.w {
			in.sh = uint8(64 - a.w)
		}
	}
	c.dst = g.into(n, dst)
	return g.data(in, c)
}

// signedConcat is a concatenation as a signed number: what extends its first
// part to the word extends all of it.
func signedConcat(n *node) *node {
	a := slices.Clone(n.a)
	a[0] = &node{op: opConv, w: a[0].w, signed: true, a: []*node{a[0]}, pos: n.pos}
	return &node{op: opConcat, w: n.w, signed: true, a: a, pos: n.pos}
}

func (g *gen) concat(n *node, dst *operand) operand {
	args := make([]operand, len(n.a))
	for i, a := range n.a {
		if i > 0 && a == n.a[i-1] {
			args[i] = args[i-1]
			continue
		}
		args[i] = g.value(a, nil)
	}
	if n.w > 64 {
		return g.data(instr{op: iGeneric}, &cell{op: opConcat, dst: g.into(n, dst), args: args})
	}
	acc := args[0]
	for i, a := range args[1:] {
		var d operand
		if i == len(args)-2 {
			d = g.into(n, dst)
		} else {
			d = g.temp(acc.w+a.w, n.signed)
		}
		acc = g.data(instr{op: iCat, x: acc.slot, y: a.slot, lo: uint8(a.w)}, &cell{op: opConcat, dst: d, args: []operand{acc, a}})
	}
	return acc
}

func (g *gen) part(n *node, dst *operand) operand {
	a := n.a[0]
	if a.op == opConv && a.a[0].w == a.w {
		a = a.a[0] // the sign does not matter to a part inside the vector
	}
	o := g.value(a, nil)
	c := &cell{op: n.op, args: []operand{o}, lo: n.lo, k: n.k}
	in := instr{op: iGeneric, x: o.slot, sh: uint8(64 - min(n.w, 64))}
	switch {
	case n.op == opPart && n.w <= 64 && n.lo >= 0 && n.lo+n.w <= o.w:
		in.op, in.lo = iPart, uint8(n.lo&63)
		in.x += uint16(n.lo >> 6)
		switch {
		case n.lo&63+n.w > 64 && n.signed:
			in.op = iPartXS
		case n.lo&63+n.w > 64:
			in.op = iPartX
		case n.signed:
			in.op = iPartS
		}
	case n.op == opPartV:
		i := g.value(n.a[1], nil)
		c.args = append(c.args, i)
		in.y, in.imm, in.k = i.slot, int32(n.lo), int8(n.k)
		if n.w <= 64 && n.w <= o.w && i.w <= 64 && (i.w < 64 || i.signed) && o.w-n.w < 1<<16 {
			in.op, in.z = iPartV, uint16(o.w-n.w)
			if o.w > 64 {
				in.op = iPartVW
			}
		}
	}
	c.dst = g.into(n, dst)
	return g.data(in, c)
}

// fastOps chooses the instruction of an operator on at most 64 bits: the
// first for an unsigned result, the second for a signed one.
var fastOps = map[opcode][2]iop{
	opNeg: {iNegZ, iNegS}, opNot: {iNotZ, iNot}, opAdd: {iAddZ, iAddS}, opSub: {iSubZ, iSubS}, opMul: {iMulZ, iMulS},
	opDiv: {iDivU, iDivS}, opMod: {iModU, iModS}, opAnd: {iAnd, iAnd}, opOr: {iOr, iOr}, opXor: {iXor, iXor}, opXnor: {iXnorZ, iXnor},
	opShl: {iShlZ, iShlS}, opShr: {iShr, iShrS}, opAshr: {iShr, iSar}, opEq: {iEq, iEq}, opLt: {iLtU, iLtS}, opLe: {iLeU, iLeS}, opNe: {iNe, iNe}, opCeq: {iEq, iEq}, opCne: {iNe, iNe},
	opLogNot: {iLogNot, iLogNot}, opLogAnd: {iLogAnd, iLogAnd}, opLogOr: {iLogOr, iLogOr}, opCond: {iSel, iSel},
	opRedAnd: {iRedAnd, iRedAnd}, opRedOr: {iRedOr, iRedOr}, opRedXor: {iRedXor, iRedXor}, opCaseZ: {iEq, iEq}, opCaseX: {iEq, iEq},
}

// op emits an operator whose operands are in place.
func (g *gen) op(op opcode, dst operand, args []operand) operand {
	c := &cell{op: op, dst: dst, args: args}
	in := instr{op: iGeneric, sh: uint8(64 - min(dst.w, 64))}
	wide := dst.w > 64
	for i, a := range args {
		wide = wide || a.w > 64
		switch i {
		case 0:
			in.x = a.slot
		case 1:
			in.y = a.slot
		case 2:
			in.z = a.slot
		}
	}
	fast, ok := fastOps[op]
	if wide || !ok {
		return g.data(in, c)
	}
	in.op = fast[b2i(dst.signed)]
	switch op {
	case opLt, opLe:
		in.op = fast[b2i(args[0].signed)]
	case opRedAnd:
		in.sh = uint8(64 - args[0].w)
	case opShl, opShr, opAshr:
		if v, ok := g.known(args[1]); ok && v < 64 {
			in.lo = uint8(v)
			in.op = map[iop]iop{iShlZ: iShlCZ, iShlS: iShlCS, iShr: iShrC, iShrS: iShrCS, iSar: iSarC}[in.op]
		}
	}
	return g.data(in, c)
}

// known is the value of an operand that is a constant.
func (g *gen) known(o operand) (uint64, bool) {
	v, ok := g.constAt[o.slot]
	if !ok {
		return 0, false
	}
	return v.Uint64()
}
