package tree

import (
	"fmt"
	"slices"

	"vlec/emit"
)

// Lint reports what a reader of a module would have to look up in the standard:
// signs that mix, signs that get lost, widths that are stretched or cut in
// silence. What it lets pass has, at every place, the sign and the width that
// stand there.
func Lint(modules ...*Module) []string {
	l := &linter{}
	for _, m := range modules {
		l.m = m
		l.names()
		for _, it := range m.Items {
			l.item(it)
		}
	}
	return l.wrong
}

type linter struct {
	m     *Module
	at    string // the net that is driven
	wrong []string
}

func (l *linter) say(format string, args ...any) {
	l.wrong = append(l.wrong, fmt.Sprintf("%s: %s: ", l.m.Name, l.at)+fmt.Sprintf(format, args...))
}

// names wants no word of Verilog or SystemVerilog as a name.
func (l *linter) names() {
	see := func(name string) {
		if l.at = name; emit.Verilog.Reserves(name) {
			l.say("is a reserved word")
		}
	}
	see(l.m.Name)
	for _, n := range l.m.Ports {
		see(n.Name)
	}
	for _, it := range l.m.Items {
		switch it := it.(type) {
		case Decl:
			see(it.Net.Name)
		case Instance:
			see(it.Name)
		case *Memory:
			see(it.Name)
		}
	}
}

func (l *linter) item(it Item) {
	switch it := it.(type) {
	case Decl:
		if it.From != nil {
			l.assign(it.Net.Name, it.Net.T, it.From)
		}
	case Assign:
		l.assign(it.To.Name, it.To.T, it.From)
	case Process:
		l.block(it.Body)
	case Table:
		l.at = it.To.Name
		if it.At.T.Signed {
			l.say("the index %s is signed", it.At.Name)
		}
		for i, v := range it.Values {
			l.fits(Const{it.To.T, v})
			l.fits(Const{it.At.T, int64(i)})
		}
	case Instance:
		l.instance(it)
	}
}

func (l *linter) block(body []Stmt) {
	for _, s := range body {
		switch s := s.(type) {
		case Set:
			l.assign(s.To.Name, s.To.T, s.From)
		case Store:
			l.assign(s.To.Name, s.To.T, s.From)
			l.index(s.At)
		case Load:
			l.at = s.To.Name
			if s.To.T != s.From.T {
				l.say("%s takes words of %s", s.To.T, s.From.T)
			}
			l.index(s.At)
		case If:
			l.at = "if"
			l.condition(s.Cond)
			l.block(s.Then)
			l.block(s.Else)
		}
	}
}

func (l *linter) assign(name string, t Type, from Expr) {
	l.at = name
	f := from.Type()
	if f.Signed != t.Signed {
		l.say("%s takes %s: say $signed or $unsigned", t, f)
	}
	if f.Width != t.Width {
		l.say("%s takes %s", t, f)
	}
	l.expr(from)
}

func (l *linter) index(x Expr) {
	if x.Type().Signed {
		l.say("the index %s is signed", Text(x))
	}
	l.expr(x)
}

func (l *linter) condition(x Expr) {
	if x.Type().Width != 1 {
		l.say("the condition %s has %s", Text(x), x.Type())
	}
	l.expr(x)
}

// expr checks an expression from the top down.
func (l *linter) expr(x Expr) {
	switch x := x.(type) {
	case Const:
		l.fits(x)
	case Unary:
		l.unary(x)
	case Binary:
		l.binary(x)
	case Cond:
		l.condition(x.If)
		l.same("?:", x.Then, x.Else)
		l.expr(x.Then)
		l.expr(x.Else)
	case Part:
		if x.Low < 0 || x.High < x.Low || x.High >= x.X.T.Width {
			l.say("%s is outside of %s", Text(x), x.X.T)
		}
	case Cat:
		for _, e := range x {
			l.expr(e)
		}
	case Repeat:
		l.expr(x.X)
	case Cast:
		switch x.X.(type) {
		case *Net, Part, Cat, Repeat:
			l.expr(x.X)
		default:
			l.say("a cast of an operation, %s: give the operation a wire of its own", Text(x))
		}
	}
}

func (l *linter) unary(x Unary) {
	t := x.X.Type()
	if x.Op == "-" && !t.Signed {
		l.say("minus of %s, which is unsigned", Text(x.X))
	}
	if x.Op == "!" && t.Width != 1 {
		l.say("! of %s, which has %s", Text(x.X), t)
	}
	l.expr(x.X)
}

func (l *linter) binary(x Binary) {
	a, b := x.X.Type(), x.Y.Type()
	switch x.Op {
	case ">>", "<<", ">>>", "<<<":
		if (x.Op == ">>") == a.Signed || x.Op == ">>>" && !a.Signed {
			l.say("%s shifts %s", Text(x), a)
		}
		if b.Signed {
			l.say("%s shifts by a signed number", Text(x))
		}
		l.plain(x.Op, x.X)
	case "*":
		// A product is as wide as both operands together: it stands in a wire of that
		// width whose operands are stretched before.
		l.same(x.Op, x.X, x.Y)
		l.plain(x.Op, x.X, x.Y)
	case "&&", "||":
		l.condition(x.X)
		l.condition(x.Y)
		return
	default:
		l.same(x.Op, x.X, x.Y)
		if x.Op.arithmetic() {
			l.plain(x.Op, x.X, x.Y)
		}
	}
	l.expr(x.X)
	l.expr(x.Y)
}

// same wants operands of one type.
func (l *linter) same(op Op, x, y Expr) {
	a, b := x.Type(), y.Type()
	if a.Signed != b.Signed {
		l.say("%s %s %s mixes %s and %s", Text(x), op, Text(y), a, b)
	} else if a.Width != b.Width {
		l.say("%s %s %s has %s and %s", Text(x), op, Text(y), a, b)
	}
}

// plain wants operands of arithmetic to be nets and numbers: no operation, whose
// width would depend on the context, and no part or concatenation, which have
// lost their sign.
func (l *linter) plain(op Op, operands ...Expr) {
	for _, x := range operands {
		switch x := x.(type) {
		case *Net, Const:
		default:
			l.say("%s is an operand of %s: give it a wire of its own", Text(x), op)
		}
	}
}

func (l *linter) fits(c Const) {
	v, w := c.Value, c.T.Width
	switch {
	case w < 1:
		l.say("a number of %d bits", w)
	case c.T.Signed && w < 64 && (v >= 1<<(w-1) || v <= -1<<(w-1)):
		// The most negative word has no literal: minus is an operator.
		l.say("%d does not fit %s", v, c.T)
	case !c.T.Signed && (v < 0 || w < 63 && v >= 1<<w):
		l.say("%d does not fit %s", v, c.T)
	}
}

func (l *linter) instance(it Instance) {
	seen := map[string]bool{}
	for _, c := range it.Ports {
		l.at = it.Name + "." + c.Port
		i := slices.IndexFunc(it.Of.Ports, func(n *Net) bool { return n.Name == c.Port })
		if i < 0 {
			l.say("%s has no such port", it.Of.Name)
			continue
		}
		if seen[c.Port] {
			l.say("connected twice")
		}
		seen[c.Port] = true
		port := it.Of.Ports[i]
		if c.To == nil {
			if port.Kind == Input {
				l.say("an input is left open")
			}
			continue
		}
		if t := c.To.Type(); t != port.T {
			l.say("a port of %s on %s, %s", port.T, Text(c.To), t)
		}
		switch c.To.(type) {
		case *Net, Const:
		case Part:
			if port.T.Signed {
				l.say("a signed port on a part")
			}
		default:
			l.say("a port on an operation: give it a wire of its own")
		}
	}
	for _, n := range it.Of.Ports {
		if !seen[n.Name] {
			l.at = it.Name + "." + n.Name
			l.say("is not connected")
		}
	}
}
