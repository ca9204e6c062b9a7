package verilog

import (
	"math/bits"

	"vlec/model/diag"
)

// Widths and signs, by section 5.4 and 5.5 of IEEE 1364-2005, in two passes.
// resolve works from the leaves up: every node gets its self-determined type,
// and operands that are self-determined are finished on the spot. coerce works
// from the root down: the type of the context enters the operands that are
// context-determined, and stops at a leaf, which is extended there: by its
// sign only if the context is signed, too.

// An exprElab resolves expressions in one scope.
type exprElab struct {
	e  *elab
	sc *scope
}

// final resolves an expression in no context.
func (x exprElab) final(e expr) *node {
	n := x.resolve(e)
	if n == nil {
		return nil
	}
	return x.coerce(n, n.w, n.signed)
}

// assigned resolves the right side of an assignment to w bits of the given
// sign: the width of the context is the larger one, its sign is that of the
// right side alone.
func (x exprElab) assigned(e expr, w int, signed bool) *node {
	n := x.resolve(e)
	if n == nil {
		return nil
	}
	x.lintAssign(e, n, w, signed)
	return x.conv(x.coerce(n, max(w, n.w), n.signed), w, signed)
}

func (x exprElab) fail(pos diag.Pos, hint, format string, args ...any) *node {
	x.e.errs.Add(pos, hint, format, args...)
	return nil
}

func constNode(v Value, pos diag.Pos) *node {
	return &node{op: opConst, w: v.Width, signed: v.Signed, val: v, pos: pos}
}

// conv brings a finished node to a type.
func (x exprElab) conv(n *node, w int, signed bool) *node {
	if n == nil || n.w == w && n.signed == signed {
		return n
	}
	if n.op == opConst {
		v := n.val
		if w > v.Width && n.fill > '0' {
			v = v.resize(w, false)
			v.fill(n.w, w, uint64(n.fill&1^1), 1)
		}
		v.Signed = v.Signed && signed
		return constNode(v.resize(w, signed), n.pos)
	}
	return &node{op: opConv, w: w, signed: signed, a: []*node{n}, pos: n.pos}
}

// coerce gives a resolved node the type of its context.
func (x exprElab) coerce(n *node, w int, signed bool) *node {
	if n == nil {
		return nil
	}
	switch n.op {
	case opNeg, opNot, opAdd, opSub, opMul, opDiv, opMod, opAnd, opOr, opXor, opXnor:
		for i := range n.a {
			n.a[i] = x.coerce(n.a[i], w, signed)
		}
	case opShl, opShr, opAshr, opPow:
		if n.op == opAshr && n.signed && !signed && x.e.lint != nil {
			x.note(n.pos, "shift in a signed wire of its own", ">>> shifts zeros in: an unsigned operand next to it makes it unsigned")
		}
		n.a[0] = x.coerce(n.a[0], w, signed)
	case opCond:
		n.a[1] = x.coerce(n.a[1], w, signed)
		n.a[2] = x.coerce(n.a[2], w, signed)
		if c := n.a[0]; c != nil && c.op == opConst {
			if t, unknown := truth(c.val); t {
				return n.a[1]
			} else if !unknown {
				return n.a[2]
			}
		}
	default:
		return x.conv(n, w, signed)
	}
	n.w, n.signed = w, signed
	return x.fold(n)
}

// fold replaces an operator on constants by its result.
func (x exprElab) fold(n *node) *node {
	if len(n.a) == 0 {
		return n
	}
	args := make([]Value, len(n.a))
	for i, a := range n.a {
		if a == nil {
			return nil
		}
		if a.op != opConst {
			return n
		}
		args[i] = a.val
	}
	if n.op == opMem || n.op == opCall || n.op == opSysFn {
		return n
	}
	if n.op == opPow && n.w > 4096 {
		x.e.errs.Add(n.pos, "", "power of more than 4096 bits")
		return nil
	}
	return constNode(eval(n.op, n.w, n.signed, n.lo, n.k, args...), n.pos)
}

func (x exprElab) mk(op opcode, w int, signed bool, pos diag.Pos, a ...*node) *node {
	for _, n := range a {
		if n == nil {
			return nil
		}
	}
	return &node{op: op, w: w, signed: signed, a: a, pos: pos}
}

var binaryOps = map[string]opcode{
	"+": opAdd, "-": opSub, "*": opMul, "/": opDiv, "%": opMod, "&": opAnd, "|": opOr, "^": opXor, "^~": opXnor,
	"<<": opShl, "<<<": opShl, ">>": opShr, ">>>": opAshr, "**": opPow,
	"==": opEq, "!=": opNe, "===": opCeq, "!==": opCne, "<": opLt, "<=": opLe, ">": opLt, ">=": opLe,
	"&&": opLogAnd, "||": opLogOr,
}

func (x exprElab) resolve(e expr) *node {
	switch e := e.(type) {
	case *number:
		n := constNode(e.val, e.pos())
		if !e.sized {
			n.fill = e.fill
		}
		return n
	case *strLit:
		return constNode(stringValue(e.s), e.pos())
	case *realLit:
		return x.fail(e.pos(), "real numbers belong into delays only", "real number in an expression of bits")
	case *ident:
		return x.name(e)
	case *indexExpr, *partExpr:
		return x.selection(e)
	case *unary:
		return x.unary(e)
	case *binary:
		return x.binary(e)
	case *ternary:
		c, a, b := x.final(e.c), x.resolve(e.x), x.resolve(e.y)
		if c == nil || a == nil || b == nil {
			return nil
		}
		x.lintPair(e.pos(), "choice", e.x, e.y, a, b)
		return x.mk(opCond, max(a.w, b.w), a.signed && b.signed, e.pos(), c, a, b)
	case *concat:
		return x.concat(e.parts, e.pos())
	case *repl:
		return x.repl(e)
	case *call:
		if e.fn == nil {
			return x.sysCall(e)
		}
		return x.call(e)
	}
	return x.fail(e.pos(), "", "this is not an expression")
}

func (x exprElab) unary(e *unary) *node {
	n := x.resolve(e.x)
	if n == nil {
		return nil
	}
	switch e.op {
	case "+":
		// The operand keeps its context: a plus sign changes nothing.
		return n
	case "-":
		return x.mk(opNeg, n.w, n.signed, e.pos(), n)
	case "~":
		return x.mk(opNot, n.w, n.signed, e.pos(), n)
	}
	n = x.coerce(n, n.w, n.signed)
	op := map[string]opcode{
		"!": opLogNot, "&": opRedAnd, "~&": opRedAnd, "|": opRedOr, "~|": opRedOr, "^": opRedXor, "~^": opRedXor,
	}[e.op]
	r := x.mk(op, 1, false, e.pos(), x.conv(n, n.w, false))
	if r == nil {
		return nil
	}
	r = x.fold(r)
	if e.op[0] == '~' {
		// ~& and its like are one-bit operators: the inversion must not see a
		// wider context.
		r = x.fold(x.mk(opLogNot, 1, false, e.pos(), r))
	}
	return r
}

func (x exprElab) binary(e *binary) *node {
	op := binaryOps[e.op]
	a, b := x.resolve(e.x), x.resolve(e.y)
	if a == nil || b == nil {
		return nil
	}
	pos := e.pos()
	switch op {
	case opAdd, opSub, opMul, opDiv, opMod, opAnd, opOr, opXor, opXnor:
		x.lintPair(pos, e.op, e.x, e.y, a, b)
		return x.mk(op, max(a.w, b.w), a.signed && b.signed, pos, a, b)
	case opShl, opShr, opAshr:
		x.lintShift(e, a)
		// The amount counts as unsigned, whatever it was declared.
		return x.mk(op, a.w, a.signed, pos, a, x.conv(x.coerce(b, b.w, b.signed), b.w, false))
	case opPow:
		return x.mk(op, a.w, a.signed, pos, a, x.coerce(b, b.w, b.signed))
	case opLogAnd, opLogOr:
		return x.fold(x.mk(op, 1, false, pos, x.coerce(a, a.w, a.signed), x.coerce(b, b.w, b.signed)))
	}
	// A comparison is a context of its own: as wide as the wider side, signed
	// only if both are.
	x.lintPair(pos, "comparison "+e.op, e.x, e.y, a, b)
	w, signed := max(a.w, b.w), a.signed && b.signed
	a, b = x.coerce(a, w, signed), x.coerce(b, w, signed)
	if e.op == ">" || e.op == ">=" {
		a, b = b, a
	}
	n := x.mk(op, 1, false, pos, a, b)
	if n == nil {
		return nil
	}
	return x.fold(n)
}

func (x exprElab) concat(parts []expr, pos diag.Pos) *node {
	n := &node{op: opConcat, pos: pos}
	for _, p := range parts {
		if c, ok := p.(*number); ok && !c.sized {
			x.fail(p.pos(), "give it a width: 8'd1", "number without a width in a concatenation")
			return nil
		}
		a := x.final(p)
		if a == nil {
			return nil
		}
		n.a = append(n.a, x.conv(a, a.w, false))
		n.w += a.w
	}
	if n.w > maxWidth {
		return x.fail(pos, "", "vector of %d bits; the limit is %d", n.w, maxWidth)
	}
	if len(n.a) == 1 {
		return x.closed(n.a[0])
	}
	return x.fold(n)
}

// closed keeps the context of a self-determined operand out of it: an
// operator that is finished must not be widened again.
func (x exprElab) closed(n *node) *node {
	if n == nil || n.op == opConst || n.op == opConv {
		return n
	}
	return &node{op: opConv, w: n.w, signed: n.signed, a: []*node{n}, pos: n.pos}
}

func (x exprElab) repl(e *repl) *node {
	k, ok := x.constInt(e.n)
	c := x.concat(e.parts, e.pos())
	if !ok || c == nil {
		return nil
	}
	if k < 1 || k > maxWidth || int(k)*c.w > maxWidth {
		return x.fail(e.pos(), "", "replication of %d bits %d times; a vector has 1 to %d bits", c.w, k, maxWidth)
	}
	n := &node{op: opConcat, w: int(k) * c.w, pos: e.pos()}
	for range k {
		n.a = append(n.a, c)
	}
	if k == 1 {
		return c
	}
	return x.fold(n)
}

func (x exprElab) name(e *ident) *node {
	switch s := x.e.lookup(x.sc, e).(type) {
	case nil:
		return nil
	case Value:
		return constNode(s, e.pos())
	case *Signal:
		if s.Depth > 0 {
			return x.fail(e.pos(), "choose a word: "+s.base()+"[i]", "memory %s is used as a whole", s.base())
		}
		return &node{op: opSig, w: s.Width, signed: s.Signed, sig: s, pos: e.pos()}
	}
	return x.fail(e.pos(), "", "%s is not a value", e)
}

// A target is what a chain of indexes and parts selects, for reading and for
// writing alike.
type target struct {
	sig    *Signal
	val    *Value
	addr   *node
	lo, w  int
	base   *node
	k      int
	whole  bool
	signed bool
}

func (x exprElab) selection(e expr) *node {
	t := x.target(e)
	if t == nil {
		return nil
	}
	var n *node
	switch {
	case t.val != nil:
		n = constNode(*t.val, e.pos())
	case t.addr != nil:
		n = &node{op: opMem, w: t.sig.Width, signed: t.sig.Signed, sig: t.sig, a: []*node{t.addr}, pos: e.pos()}
	default:
		n = &node{op: opSig, w: t.sig.Width, signed: t.sig.Signed, sig: t.sig, pos: e.pos()}
	}
	if t.whole {
		return n
	}
	n = x.conv(n, n.w, false)
	if t.base != nil {
		n = &node{op: opPartV, w: t.w, lo: t.lo, k: t.k, a: []*node{n, t.base}, pos: e.pos()}
	} else {
		n = &node{op: opPart, w: t.w, lo: t.lo, a: []*node{n}, pos: e.pos()}
	}
	return x.fold(n)
}

// target resolves name, name[i], name[i][j], name[l:r] and so on.
func (x exprElab) target(e expr) *target {
	switch e := e.(type) {
	case *ident:
		switch s := x.e.lookup(x.sc, e).(type) {
		case nil:
			return nil
		case Value:
			return &target{val: &s, lo: 0, w: s.Width, whole: true, signed: s.Signed}
		case *Signal:
			return &target{sig: s, lo: 0, w: s.Width, whole: true, signed: s.Signed}
		}
		x.fail(e.pos(), "", "%s is not a signal", e)
		return nil
	case *indexExpr:
		t := x.target(e.x)
		if t == nil {
			return nil
		}
		i := x.final(e.i)
		if i == nil {
			return nil
		}
		if t.sig != nil && t.sig.Depth > 0 && t.addr == nil {
			t.addr = x.offset(i, -t.sig.first, 1)
			return t
		}
		return x.bits(t, e.pos(), i, 1, 0)
	case *partExpr:
		t := x.target(e.x)
		if t == nil {
			return nil
		}
		if t.sig != nil && t.sig.Depth > 0 && t.addr == nil {
			x.fail(e.pos(), "choose one word", "part of a memory %s", t.sig.base())
			return nil
		}
		if e.mode == ':' {
			l, ok1 := x.constInt(e.l)
			r, ok2 := x.constInt(e.r)
			if !ok1 || !ok2 {
				return nil
			}
			msb, lsb := t.bounds()
			if l != r && (l > r) != (msb >= lsb) {
				x.fail(e.pos(), "", "part [%d:%d] runs against the declaration [%d:%d]", l, r, msb, lsb)
				return nil
			}
			w := max(l-r, r-l) + 1
			if w > maxWidth {
				x.fail(e.pos(), "", "part of %d bits; the limit is %d", w, maxWidth)
				return nil
			}
			return x.bits(t, e.pos(), constNode(Int(64, min(l, r)), e.pos()), int(w), '+')
		}
		w, ok := x.constInt(e.r)
		i := x.final(e.l)
		if !ok || i == nil {
			return nil
		}
		if w < 1 || w > maxWidth {
			x.fail(e.r.pos(), "", "part of %d bits; a part has 1 to %d", w, maxWidth)
			return nil
		}
		return x.bits(t, e.pos(), i, int(w), e.mode)
	}
	x.fail(e.pos(), "give the expression a name first", "only a name can be indexed or assigned")
	return nil
}

func (t *target) bounds() (msb, lsb int64) {
	if t.sig != nil {
		return int64(t.sig.msb), int64(t.sig.lsb)
	}
	return int64(t.w - 1), 0
}

// bits narrows a target to the w bits that begin (mode '+') or end (mode '-')
// at index i, or to bit i (mode 0).
func (x exprElab) bits(t *target, pos diag.Pos, i *node, w int, mode byte) *target {
	if !t.whole {
		x.fail(pos, "", "part of a part")
		return nil
	}
	if t.sig != nil && t.sig.scalar {
		x.fail(pos, "declare it with a range: [0:0]", "%s is a scalar and has no parts", t.sig.base())
		return nil
	}
	msb, lsb := t.bounds()
	// The lowest selected bit, counted from the lowest of the vector, is
	// k*i + lo.
	k, lo := 1, -int(lsb)
	if mode == '-' {
		lo -= w - 1
	}
	if msb < lsb {
		k, lo = -1, int(lsb)
		if mode != '-' {
			lo -= w - 1
		}
	}
	t.whole, t.signed, t.w = false, false, w
	if i.op == opConst {
		off, ok := partOffset(i.val, lo, k)
		if !ok {
			off = -1 << 30 // nowhere: reads x, writes nothing
		}
		t.lo = off
		return t
	}
	t.base, t.lo, t.k = i, lo, k
	return t
}

// offset is i + c as an address; the simulator adds c itself.
func (x exprElab) offset(i *node, c, k int) *node {
	if c == 0 {
		return i
	}
	w := max(i.w, bits.Len(uint(max(c, -c)))) + 2
	if i.op == opConst && !i.val.Known() {
		return i
	}
	a := x.conv(i, w, i.signed)
	a = x.conv(a, w, true)
	return x.fold(&node{op: opAdd, w: w, signed: true, a: []*node{a, constNode(Int(w, int64(c)), i.pos)}, pos: i.pos})
}

// constant resolves an expression that must not depend on signals.
func (x exprElab) constant(e expr) (v Value, ok bool) {
	before := len(*x.e.errs)
	n := x.final(e)
	if n == nil {
		if len(*x.e.errs) == before {
			x.fail(e.pos(), "", "expression is not constant")
		}
		return v, false
	}
	if n.op != opConst {
		if n.op == opSig {
			x.fail(e.pos(), "make it a parameter", "%s is not constant", n.sig.base())
		} else {
			x.fail(e.pos(), "", "expression is not constant")
		}
		return v, false
	}
	return n.val, true
}

func (x exprElab) constInt(e expr) (int64, bool) {
	v, ok := x.constant(e)
	if !ok {
		return 0, false
	}
	i, ok := v.Int64()
	if !ok {
		x.fail(e.pos(), "", "%s is not a usable number", v)
	}
	return i, ok
}

// lval resolves the target of an assignment.
func (x exprElab) lval(e expr, proc bool) *lval {
	if c, ok := e.(*concat); ok {
		l := &lval{pos: e.pos()}
		for _, p := range c.parts {
			q := x.lval(p, proc)
			if q == nil {
				return nil
			}
			l.parts = append(l.parts, q)
		}
		return l
	}
	t := x.target(e)
	if t == nil {
		return nil
	}
	if t.sig == nil {
		x.fail(e.pos(), "", "a parameter cannot be assigned")
		return nil
	}
	s := t.sig
	if s.Depth > 0 && t.addr == nil {
		x.fail(e.pos(), "assign its words one by one", "memory %s is assigned as a whole", s.base())
		return nil
	}
	if proc && s.net {
		x.fail(e.pos(), "declare it reg", "net %s is assigned in a process", s.base())
		return nil
	}
	if !proc && !s.net {
		x.fail(e.pos(), "declare it wire", "variable %s is assigned continuously", s.base())
		return nil
	}
	return &lval{sig: s, addr: t.addr, lo: t.lo, w: t.w, base: t.base, k: t.k, whole: t.whole, pos: e.pos()}
}

func (x exprElab) sysCall(e *call) *node {
	arg := func(i int) *node {
		if i >= len(e.args) || e.args[i] == nil {
			return x.fail(e.pos(), "", "%s wants an argument", e.sys)
		}
		return x.final(e.args[i])
	}
	switch e.sys {
	case "$signed", "$unsigned":
		n := arg(0)
		if n == nil {
			return nil
		}
		return x.closed(x.conv(n, n.w, e.sys == "$signed"))
	case "$clog2":
		n := arg(0)
		if n == nil {
			return nil
		}
		v, ok := x.constant(e.args[0])
		if !ok {
			return nil
		}
		if !v.Known() {
			return constNode(allX(32, true), e.pos())
		}
		v.Signed = false
		r := 0
		if v.bitLen() > 0 {
			r = addc(v.Width, false, v, invert(NewValue(v.Width, false)), 0).bitLen()
		}
		return constNode(Int(32, int64(r)), e.pos())
	case "$time", "$realtime":
		return &node{op: opSysFn, w: 64, sys: "$time", k: x.sc.timeUnit(), pos: e.pos()}
	case "$stime":
		return &node{op: opSysFn, w: 32, sys: "$time", k: x.sc.timeUnit(), pos: e.pos()}
	case "$random", "$urandom":
		return &node{op: opSysFn, w: 32, signed: e.sys == "$random", sys: "$random", pos: e.pos()}
	case "$test$plusargs", "$value$plusargs":
		return constNode(Int(32, 0), e.pos())
	}
	return x.fail(e.pos(), "", "system function %s is not supported", e.sys)
}

// function finds a function or task; inside of a function its name is also
// that of a variable.
func (x exprElab) function(id *ident) *funcSym {
	for s := x.sc; s != nil; s = s.parent {
		if fs, ok := s.syms[id.path[0].name].(*funcSym); ok && len(id.path) == 1 {
			return fs
		}
	}
	v := x.e.lookup(x.sc, id)
	fs, ok := v.(*funcSym)
	if !ok && v != nil {
		x.fail(id.pos(), "", "%s is not a function or task", id)
	}
	return fs
}

// call puts the body of a function in the place of its call, with variables
// of its own.
func (x exprElab) call(e *call) *node {
	fs := x.function(e.fn)
	if fs == nil {
		return nil
	}
	if fs.ast.task {
		return x.fail(e.pos(), "", "%s is a task, not a function", fs.ast.name)
	}
	n := &node{op: opCall, pos: e.pos()}
	in := x.e.inline(fs, e.pos(), x, e.args)
	if in == nil {
		return nil
	}
	n.pre, n.sig = in.list, in.ret
	n.w, n.signed = in.ret.Width, in.ret.Signed
	for _, c := range in.argVals {
		if c == nil || c.op != opConst {
			return n
		}
	}
	v, err := runConst(n)
	if err != nil {
		if err == errNotConst {
			return n
		}
		return x.fail(e.pos(), "", "function %s: %v", fs.ast.name, err)
	}
	return constNode(v, e.pos())
}
