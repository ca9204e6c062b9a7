package verilog

import (
	"fmt"

	"vlec/model/diag"
)

// Lint looks for places where the rules of sign and width do something that is
// seldom meant, and that other tools are silent about:
//
//   - signed and unsigned operands of one operator, which make all of them
//     unsigned: so do a part, a concatenation and a literal such as 8'd1;
//   - arms of ?: and labels of a case that differ in sign;
//   - comparisons of signed with unsigned values;
//   - >> on a signed value, and >>> where the context, or the value itself, is
//     unsigned;
//   - values that an assignment, an argument or a port cuts, and unsigned ones
//     that become wider signed ones or the other way round.
//
// Each module that no other instantiates is elaborated with its own
// parameters, so that widths are what they are in use. What is wrong in
// another way comes as findings, too. Code that states every width and sign
// has none.
//
// A constant counts by its value: one that is not negative may stand next to
// an unsigned operand (count == N - 1), and one that fits may be assigned.
func Lint(s *Source) diag.List {
	var all diag.List
	used := s.instantiated()
	for _, m := range s.order {
		if used[m.name] {
			continue
		}
		_, e := s.elaborate(m.name, nil, true)
		all = append(all, *e.errs...)
		all = append(all, *e.lint...)
	}
	all.Sort()
	return all
}

// note adds a finding, unless the same place has one already: what follows
// from a mixed sum is no news.
func (x exprElab) note(pos diag.Pos, hint, format string, args ...any) {
	if !x.e.noted[pos] {
		x.e.noted[pos] = true
		x.e.lint.Add(pos, hint, format, args...)
	}
}

func signText(signed bool) string {
	if signed {
		return "signed"
	}
	return "unsigned"
}

// lintPair reports operands of different sign. what names the place.
func (x exprElab) lintPair(pos diag.Pos, what string, ea, eb expr, a, b *node) {
	if x.e.lint == nil || a.signed == b.signed || x.harmless(a, b) {
		return
	}
	e := ea
	if a.signed {
		e = eb
	}
	x.note(pos, hintFor(e), "%s of signed and unsigned values: both count as unsigned, because %s is", what, x.nameOf(e))
}

// harmless tells whether the signed one of two operands is a constant that is
// not negative.
func (x exprElab) harmless(a, b *node) bool {
	c, other := a, b
	if b.signed {
		c, other = b, a
	}
	n, ok := x.try(c)
	if _, both := x.try(other); both && ok {
		return true
	}
	return ok && n.Known() && !n.negative()
}

// try evaluates a resolved node if it is constant, in its own context.
func (x exprElab) try(n *node) (Value, bool) {
	v, err := runConst(n)
	return v, err == nil && n.op != opCall
}

func hintFor(e expr) string {
	switch e := e.(type) {
	case *number:
		if e.sized {
			return fmt.Sprintf("write the literal signed: %d's…", e.val.Width)
		}
		return "write the literal signed, with a width"
	case *partExpr, *indexExpr:
		return "a part is unsigned even of a signed value: use $signed, or a signed wire of its own"
	case *concat, *repl:
		return "a concatenation is unsigned: use $signed, or a signed wire of its own"
	}
	return "use $signed with a zero in front, or declare it signed"
}

func (x exprElab) nameOf(e expr) string {
	switch e := e.(type) {
	case *ident:
		return e.String()
	case *number:
		return e.val.String()
	case *partExpr:
		return "a part"
	case *indexExpr:
		return "an element"
	case *concat, *repl:
		return "a concatenation"
	case *call:
		if e.fn == nil {
			return e.sys
		}
		return e.fn.String()
	}
	return "one side"
}

// lintAssign reports what happens to a value on its way into a target of w
// bits. n has its self-determined type.
func (x exprElab) lintAssign(e expr, n *node, w int, signed bool) {
	if x.e.lint == nil {
		return
	}
	if v, ok := x.try(n); ok {
		x.lintConst(e, v, w, signed)
		return
	}
	switch {
	case n.w > w:
		hint := "cut it with a part, or widen the target"
		if unsized(e) {
			hint = "give the literal a width: without one it has 32 bits"
		}
		x.note(e.pos(), hint, "%d bits are cut to %d", n.w, w)
	case n.w < w && n.signed != signed && (n.w > 1 || signed && !truthy(e)):
		x.note(e.pos(), hintFor(e), "%s value of %d bits becomes a %s one of %d: it is extended by %s",
			signText(n.signed), n.w, signText(signed), w, map[bool]string{true: "its sign", false: "zeros"}[n.signed])
	}
}

// truthy tells whether an expression is a yes or no, which is 0 or 1 in any
// width and sign.
func truthy(e expr) bool {
	switch e := e.(type) {
	case *binary:
		switch binaryOps[e.op] {
		case opEq, opNe, opCeq, opCne, opLt, opLe, opLogAnd, opLogOr:
			return true
		}
	case *unary:
		return e.op != "-" && e.op != "+" && e.op != "~"
	}
	return false
}

// unsized tells whether a literal without a width makes an expression wide.
func unsized(e expr) bool {
	switch e := e.(type) {
	case *number:
		return !e.sized
	case *unary:
		return unsized(e.x)
	case *binary:
		switch binaryOps[e.op] {
		case opShl, opShr, opAshr, opPow:
			return unsized(e.x)
		}
		return unsized(e.x) || unsized(e.y)
	case *ternary:
		return unsized(e.x) || unsized(e.y)
	}
	return false
}

// lintConst reports a constant that its target cannot hold.
func (x exprElab) lintConst(e expr, v Value, w int, signed bool) {
	if v.Width <= w && (v.Signed == signed || !v.Signed) || !v.Known() {
		// A sized unsigned literal for a signed target of the same width is a
		// pattern of bits; a narrower one keeps its value.
		return
	}
	n := v.big()
	bits := n.BitLen()
	if n.Sign() < 0 {
		// Minus one for all ones is custom, in unsigned targets, too.
		bits = v.resize(v.Width, true).big().Not(n).BitLen() + 1
	} else if signed {
		bits++
	}
	if bits > w {
		x.note(e.pos(), "widen the target", "constant %s needs %d bits and gets %d", n, bits, w)
	}
}

// lintShift reports shifts that do not do to the sign what they seem to.
func (x exprElab) lintShift(e *binary, a *node) {
	if x.e.lint == nil {
		return
	}
	if _, ok := x.try(a); ok {
		return
	}
	switch {
	case e.op == ">>" && a.signed:
		x.note(e.pos(), "use >>>, or $unsigned if zeros are meant", ">> shifts zeros into a signed value")
	case e.op == ">>>" && !a.signed:
		x.note(e.pos(), hintFor(e.x), ">>> shifts zeros into an unsigned value")
	}
}
