package verilog

import "strconv"

func (p *parser) stmt() stmt {
	t := p.tok
	p.enter(t.pos)
	defer p.leave()
	pos := at(t.pos)
	switch t.kind {
	case tSys:
		p.advance()
		s := &sysStmt{at: pos, name: t.text}
		if p.accept("(") {
			s.args = p.sysArgs()
		}
		p.expect(";")
		return s
	case tOp:
		switch t.text {
		case ";":
			p.advance()
			return &nullStmt{pos}
		case "#":
			p.advance()
			d := p.delayValue()
			return &delayStmt{pos, d, p.stmt()}
		case "@":
			ev := p.eventCtrl()
			return &eventStmt{pos, ev, p.stmt()}
		case "->":
			p.advance()
			s := &triggerStmt{pos, p.hier()}
			p.expect(";")
			return s
		case "{":
			s := p.assign()
			p.expect(";")
			return s
		}
	case tIdent:
		s := p.assignOrTask()
		p.expect(";")
		return s
	case tKeyword:
		switch t.text {
		case "begin":
			return p.block()
		case "if":
			p.advance()
			s := &ifStmt{at: pos}
			p.expect("(")
			s.cond = p.expr()
			p.expect(")")
			s.then = p.stmt()
			if p.accept("else") {
				s.els = p.stmt()
			}
			return s
		case "case", "casez", "casex":
			return p.caseStmt()
		case "for":
			p.advance()
			s := &forStmt{at: pos}
			p.expect("(")
			s.init = p.forAssign()
			p.expect(";")
			s.cond = p.expr()
			p.expect(";")
			s.step = p.forAssign()
			p.expect(")")
			s.body = p.stmt()
			return s
		case "while", "repeat":
			p.advance()
			p.expect("(")
			x := p.expr()
			p.expect(")")
			return &loopStmt{pos, t.text, x, p.stmt()}
		case "forever":
			p.advance()
			return &loopStmt{pos, t.text, nil, p.stmt()}
		case "wait":
			p.advance()
			p.expect("(")
			x := p.expr()
			p.expect(")")
			return &waitStmt{pos, x, p.stmt()}
		case "disable":
			p.advance()
			s := &disableStmt{pos, p.hier()}
			p.expect(";")
			return s
		case "fork":
			// Passed as a whole, so that its end is not an error of its own.
			for depth := 0; p.tok.kind != tEOF && !p.is("endmodule"); p.advance() {
				if p.is("fork") {
					depth++
				} else if p.is("join") {
					if depth--; depth == 0 {
						break
					}
				}
			}
			p.accept("join")
			p.errs.Add(t.pos, "use several initial blocks", "fork is not supported")
			return &nullStmt{pos}
		case "assign", "deassign", "force", "release":
			p.fail(t.pos, "see the package comment for what is", "%s is not supported in a process", t.text)
		}
	}
	p.fail(t.pos, "", "%s stands where a statement belongs", t.show())
	return nil
}

func (p *parser) block() *blockStmt {
	b := &blockStmt{at: at(p.expect("begin"))}
	if p.accept(":") {
		b.name, _ = p.name("block")
	}
	b.items = p.blockDecls()
	if len(b.items) > 0 && b.name == "" {
		p.errs.Add(b.items[0].pos(), "write begin : name", "declarations need a block with a name")
	}
	for !p.is("end") {
		if p.tok.kind == tEOF || p.is("endmodule") || p.is("endtask") || p.is("endfunction") || p.is("module") {
			p.fail(b.pos(), "close it with end", "begin without end")
		}
		p.guard(func() { b.body = append(b.body, p.stmt()) })
		if len(*p.errs) > maxErrors {
			p.fail(b.pos(), "", "too many errors")
		}
	}
	p.advance()
	return b
}

func (p *parser) caseStmt() stmt {
	s := &caseStmt{at: at(p.tok.pos), kind: p.tok.text}
	p.advance()
	p.expect("(")
	s.x = p.expr()
	p.expect(")")
	for !p.accept("endcase") {
		if p.tok.kind == tEOF {
			p.fail(s.pos(), "close it with endcase", "case without end")
		}
		it := caseItem{at: at(p.tok.pos)}
		if p.accept("default") {
			p.accept(":")
		} else {
			it.match = p.exprList()
			p.expect(":")
		}
		it.body = p.stmt()
		s.items = append(s.items, it)
	}
	return s
}

func (p *parser) assignOrTask() stmt {
	pos := at(p.tok.pos)
	lhs := p.primary()
	if p.is("=") || p.is("<=") {
		return p.assignTail(pos, lhs)
	}
	switch c := lhs.(type) {
	case *ident:
		return &taskStmt{at: pos, fn: c}
	case *call:
		if c.fn != nil {
			return &taskStmt{at: pos, fn: c.fn, args: c.args}
		}
	}
	p.fail(p.tok.pos, "", "%s stands where = or <= belongs", p.tok.show())
	return nil
}

func (p *parser) assign() stmt {
	pos := at(p.tok.pos)
	return p.assignTail(pos, p.primary())
}

func (p *parser) assignTail(pos at, lhs expr) stmt {
	s := &assignStmt{at: pos, lhs: lhs}
	if p.accept("<=") {
		s.nb = true
	} else {
		p.expect("=")
	}
	switch {
	case p.accept("#"):
		s.delay = p.delayValue()
	case p.is("@"):
		s.event = p.eventCtrl()
	case p.accept("repeat"):
		p.expect("(")
		s.repeat = p.expr()
		p.expect(")")
		s.event = p.eventCtrl()
	}
	s.rhs = p.expr()
	return s
}

func (p *parser) forAssign() *assignStmt {
	pos := at(p.tok.pos)
	lhs := p.primary()
	p.expect("=")
	return &assignStmt{at: pos, lhs: lhs, rhs: p.expr()}
}

// delayValue reads what may stand behind #: a number, a name or (expression).
func (p *parser) delayValue() expr {
	switch t := p.tok; {
	case p.accept("("):
		x := p.expr()
		if p.accept(":") { // min:typ:max, the middle one counts
			x = p.expr()
			p.expect(":")
			p.expr()
		}
		p.expect(")")
		return x
	case t.kind == tNumber, t.kind == tReal:
		return p.primary()
	case t.kind == tIdent:
		return p.hier()
	default:
		p.fail(t.pos, "", "%s stands where a delay belongs", t.show())
		return nil
	}
}

func (p *parser) eventCtrl() *eventCtrl {
	ev := &eventCtrl{at: at(p.expect("@"))}
	if p.accept("*") {
		ev.star = true
		return ev
	}
	if p.tok.kind == tIdent {
		ev.terms = []eventTerm{{x: p.hier()}}
		return ev
	}
	p.expect("(")
	if p.accept("*") {
		ev.star = true
		p.expect(")")
		return ev
	}
	for {
		var t eventTerm
		if p.is("posedge") || p.is("negedge") {
			t.edge = p.tok.text
			p.advance()
		}
		t.x = p.expr()
		ev.terms = append(ev.terms, t)
		if !p.accept("or") && !p.accept(",") {
			break
		}
	}
	p.expect(")")
	return ev
}

// sysArgs reads the arguments of a system task, where one may be empty; the
// opening parenthesis is passed.
func (p *parser) sysArgs() (out []expr) {
	if p.accept(")") {
		return nil
	}
	for {
		if p.is(",") || p.is(")") {
			out = append(out, nil)
		} else {
			out = append(out, p.expr())
		}
		if !p.accept(",") {
			break
		}
	}
	p.expect(")")
	return out
}

func (p *parser) exprList() (out []expr) {
	for {
		out = append(out, p.expr())
		if !p.accept(",") {
			return out
		}
	}
}

// Expressions, by precedence climbing (table 5-4 of the standard).

var precedence = map[string]int{
	"||": 1, "&&": 2, "|": 3, "^": 4, "^~": 4, "~^": 4, "&": 5,
	"==": 6, "!=": 6, "===": 6, "!==": 6, "<": 7, "<=": 7, ">": 7, ">=": 7,
	"<<": 8, ">>": 8, "<<<": 8, ">>>": 8, "+": 9, "-": 9, "*": 10, "/": 10, "%": 10, "**": 11,
}

func (p *parser) expr() expr {
	p.enter(p.tok.pos)
	defer p.leave()
	c := p.binary(1)
	if !p.is("?") {
		return c
	}
	pos := at(p.tok.pos)
	p.advance()
	x := p.expr()
	p.expect(":")
	return &ternary{pos, c, x, p.expr()}
}

func (p *parser) binary(min int) expr {
	p.enter(p.tok.pos)
	defer p.leave()
	x := p.unary()
	for n := 0; ; n++ {
		prec := 0
		if p.tok.kind == tOp {
			prec = precedence[p.tok.text]
		}
		if prec < min || prec == 0 {
			return x
		}
		if n > 50*maxNesting {
			p.fail(p.tok.pos, "break it up", "expression of more than %d terms", n)
		}
		op, pos := p.tok.text, at(p.tok.pos)
		p.advance()
		if op == "~^" {
			op = "^~"
		}
		x = &binary{pos, op, x, p.binary(prec + 1)}
	}
}

func (p *parser) unary() expr {
	t := p.tok
	if t.kind == tOp {
		switch t.text {
		case "+", "-", "!", "~", "&", "|", "^", "~&", "~|", "~^", "^~":
			p.advance()
			p.enter(t.pos)
			defer p.leave()
			op := t.text
			if op == "^~" {
				op = "~^"
			}
			return &unary{at(t.pos), op, p.unary()}
		}
	}
	return p.primary()
}

func (p *parser) primary() expr {
	t := p.tok
	pos := at(t.pos)
	switch t.kind {
	case tNumber, tBased:
		return p.number()
	case tReal:
		p.advance()
		v, err := strconv.ParseFloat(t.text, 64)
		if err != nil {
			p.fail(t.pos, "", "%q is not a number", t.text)
		}
		return &realLit{pos, v}
	case tString:
		p.advance()
		return &strLit{pos, t.text}
	case tSys:
		p.advance()
		c := &call{at: pos, sys: t.text}
		if p.accept("(") {
			c.args = p.sysArgs()
		}
		return c
	case tIdent:
		return p.selects()
	case tOp:
		switch t.text {
		case "(":
			p.advance()
			x := p.expr()
			p.expect(")")
			return x
		case "{":
			p.advance()
			x := p.expr()
			if p.is("{") {
				p.advance()
				r := &repl{pos, x, p.exprList()}
				p.expect("}")
				p.expect("}")
				return r
			}
			c := &concat{pos, []expr{x}}
			if p.accept(",") {
				c.parts = append(c.parts, p.exprList()...)
			}
			p.expect("}")
			return c
		}
	}
	p.fail(t.pos, "", "%s stands where an expression belongs", t.show())
	return nil
}

func (p *parser) number() expr {
	n := &number{at: at(p.tok.pos), fill: '0'}
	w := 0
	if p.tok.kind == tNumber {
		text := p.tok.text
		p.advance()
		if p.tok.kind != tBased {
			v, _, err := parseDigits(text, 'd', 0, true)
			if err != nil {
				p.fail(n.pos(), "", "%v", err)
			}
			if len(text) > 1000 {
				p.fail(n.pos(), "", "number of more than 1000 digits")
			}
			// Without a size a decimal is signed and has at least 32 bits.
			if v.negative() {
				v = Value{Width: v.Width, A: v.A, B: v.B}.resize(v.Width+1, true)
			}
			n.val = v
			return n
		}
		var err error
		if w, err = strconv.Atoi(text); err != nil || w < 1 || w > maxWidth {
			p.fail(n.pos(), "", "a literal cannot be %s bits wide", text)
		}
		n.sized = true
	}
	n.based = true
	text := p.tok.text
	signed := text[0] == 's'
	if signed {
		text = text[1:]
	}
	if len(text) > maxWidth/4 {
		p.fail(n.pos(), "", "number of more than %d digits", maxWidth/4)
	}
	v, fill, err := parseDigits(text[1:], text[0], w, signed)
	if err != nil {
		p.fail(p.tok.pos, "", "%v", err)
	}
	p.advance()
	n.val, n.fill = v, fill
	return n
}

// hier reads a name that may reach into other scopes: a.b[1].c.
func (p *parser) hier() *ident {
	x := p.selects()
	id, ok := x.(*ident)
	if !ok {
		p.fail(x.pos(), "", "a name belongs here")
	}
	return id
}

// selects reads a name, then its indexes, parts, members and arguments.
func (p *parser) selects() expr {
	name, np := p.name("signal")
	id := &ident{at(np), []pathElem{{name: name}}}
	if p.is("(") {
		p.advance()
		c := &call{at: at(np), fn: id}
		if !p.accept(")") {
			c.args = p.exprList()
			p.expect(")")
		}
		return c
	}
	var x expr = id
	for {
		pos := at(p.tok.pos)
		switch {
		case p.accept("."):
			// An index so far belonged to a scope, not to a vector.
			switch y := x.(type) {
			case *ident:
			case *indexExpr:
				if y.x != expr(id) {
					p.fail(p.tok.pos, "", "only a scope has members")
				}
				id.path[len(id.path)-1].index = y.i
			default:
				p.fail(p.tok.pos, "", "only a scope has members")
			}
			n, _ := p.name("signal")
			id.path = append(id.path, pathElem{name: n})
			x = id
			if p.is("(") {
				p.advance()
				c := &call{at: at(np), fn: id}
				if !p.accept(")") {
					c.args = p.exprList()
					p.expect(")")
				}
				return c
			}
		case p.accept("["):
			l := p.expr()
			switch {
			case p.accept("]"):
				x = &indexExpr{pos, x, l}
				continue
			case p.is(":"), p.is("+:"), p.is("-:"):
				mode := p.tok.text[0]
				p.advance()
				x = &partExpr{pos, x, l, p.expr(), mode}
				p.expect("]")
			default:
				p.expect("]")
			}
		default:
			return x
		}
	}
}
