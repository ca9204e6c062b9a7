package verilog

import (
	"strconv"
	"strings"

	"vlec/model/diag"
)

const maxNesting = 400

// A parser reads modules by recursive descent. A wrong word ends the item it
// stands in: the parser notes the error, passes to the next semicolon or
// closing keyword, and goes on, so that one run reports every mistake.
type parser struct {
	pp    *preproc
	errs  *diag.List
	tok   token
	ahead []token
	depth int
	mods  []*moduleAST
	// attrs holds the names of the attributes in front of the current item.
	attrs []string
}

// bailout unwinds to the nearest item or statement after a syntax error.
type bailout struct{}

func (p *parser) advance() {
	for {
		if n := len(p.ahead); n > 0 {
			p.tok, p.ahead = p.ahead[0], p.ahead[1:]
		} else {
			p.tok = p.pp.next()
		}
		if p.tok.kind != tOp || p.tok.text != "(*" {
			return
		}
		p.attribute()
	}
}

// attribute passes (* name = value, … *).
func (p *parser) attribute() {
	start, name := p.tok.pos, true
	for {
		t := p.pp.next()
		switch {
		case t.kind == tEOF:
			p.errs.Add(start, "close it with *)", "attribute without end")
			p.ahead = append(p.ahead, t)
			return
		case t.text == "*)":
			return
		case t.text == ",":
			name = true
		case name:
			p.attrs = append(p.attrs, t.text)
			name = false
		}
	}
}

func (p *parser) fail(pos diag.Pos, hint, format string, args ...any) {
	p.errs.Add(pos, hint, format, args...)
	panic(bailout{})
}

func (t token) show() string {
	switch t.kind {
	case tEOF:
		return "end of file"
	case tString:
		return strconv.Quote(t.text)
	case tBased:
		return strconv.Quote("'" + t.text)
	}
	return strconv.Quote(t.text)
}

func (p *parser) is(text string) bool {
	return p.tok.text == text && (p.tok.kind == tOp || p.tok.kind == tKeyword)
}

func (p *parser) accept(text string) bool {
	if p.is(text) {
		p.advance()
		return true
	}
	return false
}

func (p *parser) expect(text string) diag.Pos {
	pos := p.tok.pos
	if !p.accept(text) {
		p.fail(pos, "", "%s stands where %q belongs", p.tok.show(), text)
	}
	return pos
}

func (p *parser) name(what string) (string, diag.Pos) {
	t := p.tok
	if t.kind != tIdent {
		hint := ""
		if t.kind == tKeyword {
			hint = "reserved words cannot be names"
		}
		p.fail(t.pos, hint, "%s stands where the name of a %s belongs", t.show(), what)
	}
	p.advance()
	return t.text, t.pos
}

func (p *parser) enter(pos diag.Pos) {
	if p.depth++; p.depth > maxNesting {
		p.fail(pos, "break it up", "nested more than %d deep", maxNesting)
	}
}

func (p *parser) leave() { p.depth-- }

// guard runs f and, after a syntax error in it, passes to a place where
// reading can go on.
func (p *parser) guard(f func()) {
	depth := p.depth
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(bailout); !ok {
				panic(r)
			}
			p.depth = depth
			p.sync()
		}
	}()
	f()
}

func (p *parser) sync() {
	for p.tok.kind != tEOF {
		if p.accept(";") {
			return
		}
		if p.tok.kind == tKeyword && (strings.HasPrefix(p.tok.text, "end") || p.tok.text == "module") {
			if p.tok.text != "endmodule" && p.tok.text != "module" {
				p.advance()
			}
			return
		}
		p.advance()
	}
}

func (p *parser) file() {
	p.advance()
	for p.tok.kind != tEOF && len(*p.errs) <= maxErrors {
		p.guard(func() {
			if !p.is("module") && !p.is("macromodule") {
				t := p.tok
				p.advance()
				p.fail(t.pos, "only modules stand outside of modules", "%s stands where a module belongs", t.show())
			}
			p.module()
		})
	}
}

func (p *parser) module() {
	m := &moduleAST{implicit: p.pp.netType == "wire", scale: p.pp.scale, attrs: p.attrs}
	p.attrs = nil
	p.advance()
	var pos diag.Pos
	m.name, pos = p.name("module")
	m.at = at(pos)
	p.mods = append(p.mods, m)
	p.guard(func() {
		if p.accept("#") {
			p.expect("(")
			for !p.is(")") {
				p.accept("parameter")
				m.params = append(m.params, p.paramDecl(false)...)
				if !p.accept(",") {
					break
				}
			}
			p.expect(")")
		}
		if p.accept("(") {
			p.ports(m)
			p.expect(")")
		}
		p.expect(";")
	})
	for !p.is("endmodule") && len(*p.errs) <= maxErrors {
		if p.tok.kind == tEOF || p.is("module") {
			p.errs.Add(pos, "close it with endmodule", "module %s without end", m.name)
			return
		}
		p.guard(func() { m.items = append(m.items, p.item()...) })
	}
	p.accept("endmodule")
}

// ports reads both styles of header: declarations, or bare names.
func (p *parser) ports(m *moduleAST) {
	var last *declItem
	for !p.is(")") {
		if p.is("input") || p.is("output") || p.is("inout") {
			last = p.declHead()
			last.ansi = true
			m.items = append(m.items, last)
		}
		if p.is(".") {
			p.fail(p.tok.pos, "name the port after the signal", "ports with an expression of their own are not supported")
		}
		name, pos := p.name("port")
		m.ports = append(m.ports, portAST{at(pos), name})
		if last != nil {
			d := declName{at: at(pos), name: name}
			if p.accept("=") {
				d.init = p.expr()
			}
			last.names = append(last.names, d)
		}
		if !p.accept(",") {
			return
		}
	}
}

func (p *parser) rng() *rangeAST {
	if !p.accept("[") {
		return nil
	}
	r := &rangeAST{l: p.expr()}
	p.expect(":")
	r.r = p.expr()
	p.expect("]")
	return r
}

var netKinds = map[string]bool{"wire": true, "tri": true, "uwire": true, "reg": true, "integer": true, "time": true, "genvar": true, "event": true, "supply0": true, "supply1": true}

// declHead reads what stands in front of the names: direction, kind, sign, range.
func (p *parser) declHead() *declItem {
	d := &declItem{at: at(p.tok.pos)}
	if p.is("input") || p.is("output") || p.is("inout") {
		d.dir = p.tok.text
		p.advance()
	}
	if netKinds[p.tok.text] && p.tok.kind == tKeyword {
		d.kind = p.tok.text
		if d.kind == "tri" || d.kind == "uwire" {
			d.kind = "wire"
		}
		p.advance()
	}
	if p.accept("signed") {
		d.signed = true
	}
	p.accept("vectored")
	p.accept("scalared")
	d.rng = p.rng()
	return d
}

func (p *parser) decl() *declItem {
	d := p.declHead()
	if p.is("#") {
		p.fail(p.tok.pos, "take it away", "delays of nets are not supported")
	}
	for {
		name, pos := p.name("signal")
		n := declName{at: at(pos), name: name}
		for p.is("[") {
			n.dims = append(n.dims, *p.rng())
		}
		if p.accept("=") {
			n.init = p.expr()
		}
		d.names = append(d.names, n)
		if !p.accept(",") {
			return d
		}
	}
}

// paramDecl reads one parameter and those that follow it behind commas with
// the same type; in a header the list ends where a new parameter begins.
func (p *parser) paramDecl(list bool) (out []*paramItem) {
	proto := paramItem{}
	if p.accept("signed") {
		proto.signed = true
	}
	if p.is("integer") || p.is("time") {
		proto.typ = p.tok.text
		p.advance()
	} else if p.is("real") || p.is("realtime") {
		p.fail(p.tok.pos, "use an integer", "real parameters are not supported")
	}
	proto.rng = p.rng()
	for {
		q := proto
		name, pos := p.name("parameter")
		q.name, q.at = name, at(pos)
		p.expect("=")
		q.val = p.expr()
		out = append(out, &q)
		if !list || !p.accept(",") {
			return out
		}
	}
}

func (p *parser) item() []item {
	t := p.tok
	p.enter(t.pos)
	defer p.leave()
	if t.kind == tKeyword {
		switch t.text {
		case "input", "output", "inout", "wire", "tri", "uwire", "reg", "integer", "time", "genvar", "event", "supply0", "supply1":
			d := p.decl()
			p.expect(";")
			return []item{d}
		case "parameter", "localparam":
			p.advance()
			ps := p.paramDecl(true)
			p.expect(";")
			var out []item
			for _, q := range ps {
				q.local = t.text == "localparam"
				out = append(out, q)
			}
			return out
		case "assign":
			return p.assigns()
		case "always", "initial":
			p.advance()
			return []item{&procItem{at(t.pos), t.text, p.stmt()}}
		case "function", "task":
			return []item{p.function()}
		case "generate":
			p.advance()
			var out []item
			for !p.is("endgenerate") {
				if p.tok.kind == tEOF || p.is("endmodule") {
					p.fail(t.pos, "close it with endgenerate", "generate without end")
				}
				p.guard(func() { out = append(out, p.item()...) })
			}
			p.advance()
			return out
		case "for", "if", "case":
			return []item{p.generate()}
		case "begin":
			b := p.genBlock()
			return []item{&genIf{at: b.at, cond: &number{at: b.at, val: Uint(1, 1)}, then: b}}
		case "and", "or", "xor", "nand", "nor", "xnor", "not", "buf":
			return p.instances(true)
		case "specify":
			for !p.is("endspecify") && p.tok.kind != tEOF {
				p.advance()
			}
			p.advance()
			return nil
		case "defparam":
			p.fail(t.pos, "override it in the instance: #(.NAME(value))", "defparam is not supported")
		}
		p.advance()
		p.fail(t.pos, "", "%s is not supported here", t.show())
	}
	if t.kind == tIdent {
		return p.instances(false)
	}
	if p.accept(";") {
		return nil
	}
	p.advance()
	p.fail(t.pos, "", "%s stands where a declaration, process or instance belongs", t.show())
	return nil
}

func (p *parser) assigns() (out []item) {
	p.expect("assign")
	var delay expr
	if p.accept("#") {
		delay = p.delayValue()
	}
	for {
		pos := p.tok.pos
		lhs := p.primary()
		p.expect("=")
		out = append(out, &assignItem{at: at(pos), lhs: lhs, rhs: p.expr(), delay: delay})
		if !p.accept(",") {
			break
		}
	}
	p.expect(";")
	return out
}

func (p *parser) instances(gate bool) (out []item) {
	module, pos := p.tok.text, p.tok.pos
	p.advance()
	var params []connection
	if p.accept("#") {
		if gate {
			p.delayValue()
		} else {
			p.expect("(")
			params = p.connections()
		}
	}
	for {
		in := &instItem{at: at(pos), module: module, params: params, gate: gate}
		if p.tok.kind == tIdent || !gate {
			in.name, pos = p.name("instance")
			in.at = at(pos)
		}
		in.rng = p.rng()
		p.expect("(")
		in.conns = p.connections()
		out = append(out, in)
		if !p.accept(",") {
			break
		}
	}
	p.expect(";")
	return out
}

// connections reads up to the closing parenthesis.
func (p *parser) connections() (out []connection) {
	for !p.is(")") {
		c := connection{at: at(p.tok.pos)}
		switch {
		case p.accept("."):
			c.name, _ = p.name("port")
			p.expect("(")
			if !p.is(")") {
				c.x = p.expr()
			}
			p.expect(")")
		case !p.is(","):
			c.x = p.expr()
		}
		out = append(out, c)
		if !p.accept(",") {
			break
		}
	}
	p.expect(")")
	return out
}

func (p *parser) function() *funcItem {
	f := &funcItem{at: at(p.tok.pos), task: p.is("task")}
	p.advance()
	f.automatic = p.accept("automatic")
	if !f.task {
		f.signed = p.accept("signed")
		if p.is("integer") || p.is("time") {
			f.typ = p.tok.text
			p.advance()
		}
		f.rng = p.rng()
	}
	var pos diag.Pos
	f.name, pos = p.name("function")
	f.at = at(pos)
	if p.accept("(") {
		var last *declItem
		for !p.is(")") {
			if p.is("input") || p.is("output") || p.is("inout") {
				last = p.declHead()
				last.ansi = true
				f.items = append(f.items, last)
			}
			if last == nil {
				p.fail(p.tok.pos, "", "%s stands where input belongs", p.tok.show())
			}
			name, npos := p.name("argument")
			last.names = append(last.names, declName{at: at(npos), name: name})
			if !p.accept(",") {
				break
			}
		}
		p.expect(")")
	}
	p.expect(";")
	f.items = append(f.items, p.blockDecls()...)
	end := "endfunction"
	if f.task {
		end = "endtask"
	}
	for !p.is(end) {
		if p.tok.kind == tEOF || p.is("endmodule") {
			p.fail(pos, "close it with "+end, "%s without end", f.name)
		}
		f.body = append(f.body, p.stmt())
	}
	p.advance()
	return f
}

// blockDecls reads the declarations at the beginning of a function or block.
func (p *parser) blockDecls() (out []item) {
	for {
		switch {
		case p.is("parameter") || p.is("localparam"):
			p.advance()
			for _, q := range p.paramDecl(true) {
				q.local = true
				out = append(out, q)
			}
		case p.tok.kind == tKeyword && (netKinds[p.tok.text] || p.is("input") || p.is("output") || p.is("inout")):
			out = append(out, p.decl())
		default:
			return out
		}
		p.expect(";")
	}
}

func (p *parser) generate() item {
	pos := p.tok.pos
	switch {
	case p.accept("for"):
		g := &genFor{at: at(pos)}
		p.expect("(")
		p.accept("genvar")
		g.init = p.forAssign()
		p.expect(";")
		g.cond = p.expr()
		p.expect(";")
		g.step = p.forAssign()
		p.expect(")")
		g.body = p.genBlock()
		return g
	case p.accept("if"):
		g := &genIf{at: at(pos)}
		p.expect("(")
		g.cond = p.expr()
		p.expect(")")
		g.then = p.genBlock()
		if p.accept("else") {
			g.els = p.genBlock()
		}
		return g
	}
	p.expect("case")
	g := &genCase{at: at(pos)}
	p.expect("(")
	g.x = p.expr()
	p.expect(")")
	for !p.accept("endcase") {
		var it genCaseItem
		if p.accept("default") {
			p.accept(":")
		} else {
			it.match = p.exprList()
			p.expect(":")
		}
		it.body = p.genBlock()
		g.items = append(g.items, it)
	}
	return g
}

func (p *parser) genBlock() *genBlock {
	b := &genBlock{at: at(p.tok.pos)}
	if !p.accept("begin") {
		b.items = p.item()
		return b
	}
	b.scoped = true
	if p.accept(":") {
		b.name, _ = p.name("block")
	}
	for !p.is("end") {
		if p.tok.kind == tEOF || p.is("endmodule") || p.is("endgenerate") {
			p.fail(b.pos(), "close it with end", "begin without end")
		}
		p.guard(func() { b.items = append(b.items, p.item()...) })
	}
	p.advance()
	return b
}
