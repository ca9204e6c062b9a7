package spice

import (
	"strings"
)

// directive parses a card that starts with a dot.
func (p *parser) directive(s *scanner, word string, f field) {
	at := s.pos(f)
	switch word {
	case ".end":
		p.ended = true
	case ".control":
		p.control, p.controlAt = true, at
		p.warnf(at, "the analyses of the netlist's own cards are run; put saves and options on cards", "the .control block is not executed")
	case ".subckt":
		p.subcktCard(s, at)
	case ".ends", ".eom":
		if p.cur.parent == nil {
			p.errorf(at, "", "%s without .subckt", word)
			return
		}
		if f := s.next(); f.kind == fieldWord && s.text(f) != p.cur.name {
			p.errorf(s.pos(f), "", ".ends %s closes .subckt %s", s.raw(f), p.cur.name)
		}
		p.cur = p.cur.parent
	case ".param", ".params", ".csparam":
		p.paramCard(s)
	case ".func":
		p.funcCard(s, at)
	case ".include", ".inc":
		if file, ok := p.fileName(s); ok {
			p.include(at, file, "")
		}
	case ".lib":
		p.libCard(s, at)
	case ".endl":
		p.inSection = ""
	case ".ic":
		p.n.ics = p.nodeValues(s, p.n.ics)
	case ".nodeset":
		p.n.sets = p.nodeValues(s, p.n.sets)
	case ".global":
		for f := s.next(); f.kind == fieldWord; f = s.next() {
			p.n.globals[s.text(f)] = true
		}
	case ".save", ".probe":
		p.saveCard(s, word == ".save")
	case ".print", ".plot", ".width", ".title", ".backanno", ".nopage":
		// Tolerated: they say how to print.
	case ".model":
		p.modelCard(s, at)
	case ".options", ".option", ".opt", ".opts":
		p.optionsCard(s)
	case ".temp":
		v := p.quantity(s, s.next(), "the temperature")
		p.n.temp = &v
	case ".tran":
		p.tranCard(s, at)
	case ".op":
		p.n.op = true
	case ".dc":
		p.dcCard(s, at)
	case ".ac":
		p.acCard(s, at)
	case ".meas", ".measure":
		p.measure(s, at)
	case ".noise", ".tf", ".sens", ".pz", ".disto", ".four", ".fourier", ".sp", ".hb", ".wave":
		p.warnf(at, "op, dc, ac and tran are simulated", "%s is not simulated", word)
	case ".step":
		p.stepCard(s, at)
	case ".if", ".elseif", ".else", ".endif", ".data", ".enddata", ".alter":
		p.errorf(at, "write the netlist that is meant", "%s is not supported", word)
	default:
		hint := "see the package documentation for what is supported"
		if c := nearest(word, knownCards); c != "" {
			hint = "did you mean " + c + "?"
		}
		p.errorf(at, hint, "unknown card %q", word)
	}
}

var knownCards = []string{
	".ac", ".control", ".dc", ".end", ".endl", ".ends", ".func", ".global", ".ic", ".include", ".lib", ".measure",
	".model", ".nodeset", ".op", ".options", ".param", ".print", ".save", ".step", ".subckt", ".temp", ".tran",
}

// nearest finds the word that is one or two edits away, if there is one; among
// equals the first in the alphabet.
func nearest(word string, among []string) string {
	best, at := "", min(2, len(word)/2)+1
	for _, w := range among {
		if d := distance(word, w); d < at || d == at && best != "" && w < best {
			best, at = w, d
		}
	}
	return best
}

// distance is the number of single-byte edits between two short words.
func distance(a, b string) int {
	if len(a) > 64 || len(b) > 64 {
		return 64
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

func (p *parser) subcktCard(s *scanner, at pos) {
	f := s.next()
	if f.kind != fieldWord {
		p.errorf(at, "write .subckt name node …", ".subckt needs a name")
		return
	}
	d := newSubckt(s.text(f), at, p.cur)
	if old := p.cur.defs[d.name]; old != nil {
		p.errorf(at, "rename one", ".subckt %s is defined twice, first at %s", d.name, p.n.toPos(old.pos))
	} else {
		p.cur.defs[d.name] = d
	}
	p.cur = d
	if len(p.depthOf(d)) > maxInstanceDepth {
		p.errorf(at, "", "definitions nest more than %d deep", maxInstanceDepth)
	}
	for {
		f := s.peek()
		if f.kind != fieldWord || isParamsWord(s.text(f)) || p.assigns(s) {
			break
		}
		s.next()
		name := s.text(f)
		if name == "0" || name == "gnd" {
			p.errorf(s.pos(f), "ground is global; remove the port", "ground cannot be a port")
			continue
		}
		if _, dup := d.slot[name]; dup {
			p.errorf(s.pos(f), "", "port %s is named twice", name)
			continue
		}
		d.node(name)
		d.ports++
	}
	if f := s.peek(); f.kind == fieldWord && isParamsWord(s.text(f)) {
		s.next()
	}
	for s.peek().kind != fieldEnd {
		f, v, ok := p.assignment(s)
		if !ok {
			break
		}
		p.define(s.text(f), v, s.pos(f))
	}
	d.ninst = len(d.params)
}

func (p *parser) depthOf(d *subckt) (chain []*subckt) {
	for ; d.parent != nil; d = d.parent {
		chain = append(chain, d)
	}
	return chain
}

// define adds a parameter to the current scope. As in ngspice a later
// definition replaces an earlier one.
func (p *parser) define(name string, v quantity, at pos) {
	if reservedNames[name] {
		p.warnf(at, "rename it", "parameter %s is hidden by a built-in name in some simulators", name)
	}
	if i, dup := p.cur.index[name]; dup {
		p.warnf(at, "remove one", "parameter %s is defined twice; the last counts", name)
		p.cur.params[i].val, p.cur.params[i].pos = v, at
		return
	}
	p.cur.index[name] = len(p.cur.params)
	p.cur.params = append(p.cur.params, param{name, v, at})
}

var reservedNames = map[string]bool{"e": true, "pi": true, "time": true, "temper": true, "hertz": true, "freq": true, "vt": true}

// paramCard reads .param a=1 b={2*a} f(x)={x*x}.
func (p *parser) paramCard(s *scanner) {
	for {
		f := s.next()
		if f.kind == fieldEnd {
			return
		}
		if f.kind != fieldWord {
			p.errorf(s.pos(f), "write name=value", "parameter name expected, found %q", short(s.raw(f)))
			return
		}
		if s.is(s.peek(), '(') {
			p.function(s, f)
			continue
		}
		if !s.is(s.next(), '=') {
			p.errorf(s.pos(f), "write name=value", "'=' expected after %s", s.raw(f))
			return
		}
		if q := s.peek(); q.kind == fieldString {
			p.errorf(s.pos(q), "", "string parameters are not supported")
			return
		}
		p.define(s.text(f), p.assigned(s, "the value of "+s.text(f)), s.pos(f))
	}
}

func (p *parser) funcCard(s *scanner, at pos) {
	f := s.next()
	if f.kind != fieldWord || !s.is(s.peek(), '(') {
		p.errorf(at, "write .func f(x) {…}", ".func needs a name and its arguments")
		return
	}
	p.function(s, f)
	if f := s.next(); f.kind != fieldEnd {
		p.errorf(s.pos(f), "write one function a card", "unexpected %q after the function", short(s.raw(f)))
	}
}

// function reads "(x,y) {…}" or "(x,y) = …" after a name.
func (p *parser) function(s *scanner, name field) {
	fn := &function{name: s.text(name), pos: s.pos(name)}
	s.next() // (
	for {
		f := s.next()
		if s.is(f, ')') {
			break
		}
		if f.kind != fieldWord {
			p.errorf(s.pos(name), "write f(x,y)", "the arguments of %s are not a list of names", fn.name)
			s.off = len(s.l.text)
			return
		}
		fn.params = append(fn.params, s.text(f))
	}
	if s.is(s.peek(), '=') {
		s.next()
	}
	if f := s.peek(); f.kind == fieldExpr {
		s.next()
		fn.body = p.expression(s, f)
	} else {
		e, next, _ := p.pratt(s.l, s.off, len(s.l.text))
		fn.body, s.off = e, next
	}
	if _, ok := functions[fn.name]; ok || fn.name == "v" || fn.name == "i" {
		p.errorf(fn.pos, "rename it", "%s is a built-in function", fn.name)
		return
	}
	p.cur.funcs[fn.name] = fn
}

func (p *parser) fileName(s *scanner) (string, bool) {
	f := s.next()
	switch f.kind {
	case fieldString, fieldExpr:
		return s.raw(f), true
	case fieldWord:
		return s.raw(f), true
	}
	p.errorf(s.l.at(0), "", "file name expected")
	return "", false
}

// libCard reads ".lib file section", ".lib file", and inside a library
// ".lib section", which opens a section.
func (p *parser) libCard(s *scanner, at pos) {
	name, ok := p.fileName(s)
	if !ok {
		return
	}
	f := s.next()
	switch {
	case f.kind != fieldEnd:
		if p.section == "" || p.inSection != "" {
			p.include(at, name, s.text(f))
		}
	case p.section != "":
		if foldCase(name) == p.section {
			p.inSection, p.sectionFound = p.section, true
		}
	default:
		p.include(at, name, "")
	}
}

// nodeValues reads v(a)=1 v(b)={x}.
func (p *parser) nodeValues(s *scanner, to []nodeValue) []nodeValue {
	for {
		f := s.next()
		if f.kind == fieldEnd {
			return to
		}
		var node field
		ok := f.kind == fieldWord && s.text(f) == "v" && s.is(s.next(), '(')
		if ok {
			node = s.next()
			ok = node.kind == fieldWord && s.is(s.next(), ')') && s.is(s.next(), '=')
		}
		if !ok {
			p.errorf(s.pos(f), "write v(node)=value", "initial value expected, found %q", short(s.raw(f)))
			return to
		}
		name := s.text(node)
		if p.cur.parent != nil {
			p.errorf(s.pos(f), "name the node from the top, as x1.node", "initial values inside .subckt are not supported")
		}
		to = append(to, nodeValue{name, p.assigned(s, "the value of v("+name+")"), s.pos(node)})
	}
}

// saveCard collects the vectors to keep: v(a), v(a,b), i(v1), a, all.
func (p *parser) saveCard(s *scanner, save bool) {
	text := s.l.text
	for s.off < len(text) {
		f := s.next()
		if f.kind == fieldEnd {
			break
		}
		name := s.text(f)
		if f.kind != fieldWord {
			p.errorf(s.pos(f), "write v(node), i(vname) or all", "vector expected, found %q", short(s.raw(f)))
			return
		}
		if s.is(s.peek(), '(') {
			end := strings.IndexByte(text[f.off:], ')')
			if end < 0 {
				p.errorf(s.pos(f), "close it with ')'", "%s does not end", short(s.raw(f)))
				return
			}
			name = strings.Join(strings.FieldsFunc(text[f.off:f.off+end+1], func(r rune) bool { return isSpace(byte(r)) }), "")
			s.off = f.off + end + 1
		}
		if save {
			p.n.saves = append(p.n.saves, saveItem{name, s.pos(f)})
		}
	}
}

func (p *parser) optionsCard(s *scanner) {
	for {
		f := s.next()
		if f.kind == fieldEnd {
			return
		}
		if f.kind != fieldWord {
			p.errorf(s.pos(f), "write name=value", "option name expected, found %q", short(s.raw(f)))
			return
		}
		o := option{pos: s.pos(f)}
		if s.is(s.peek(), '=') {
			s.next()
			v := s.peek()
			if t := s.text(v); v.kind == fieldWord && isLetter(t[0]) {
				o.str = t
				s.next()
			} else {
				o.val = p.assigned(s, "the value of "+s.text(f))
			}
		}
		p.n.options[s.text(f)] = o
	}
}

func (p *parser) tranCard(s *scanner, at pos) {
	t := &tranCard{pos: at}
	into := []*quantity{&t.step, &t.stop, &t.start, &t.tmax}
	names := []string{"the step", "the stop time", "the start time", "the maximum step"}
	k := 0
	for f := s.next(); f.kind != fieldEnd; f = s.next() {
		if f.kind == fieldWord && s.text(f) == "uic" {
			t.uic = true
			continue
		}
		if k == len(into) {
			p.errorf(s.pos(f), "write .tran step stop [start [maxstep]] [uic]", "unexpected %q", short(s.raw(f)))
			return
		}
		*into[k] = p.quantity(s, f, names[k])
		k++
	}
	if k < 2 {
		p.errorf(at, "write .tran step stop [start [maxstep]] [uic]", ".tran needs a step and a stop time")
		return
	}
	if p.n.tran != nil {
		p.warnf(at, "remove one", "a second .tran replaces the first")
	}
	p.n.tran = t
}

func (p *parser) dcCard(s *scanner, at pos) {
	d := &dcCard{pos: at}
	for s.peek().kind != fieldEnd {
		f := s.next()
		if f.kind != fieldWord || len(d.sweeps) == 2 {
			p.errorf(s.pos(f), "write .dc source start stop step [source2 …]", "unexpected %q", short(s.raw(f)))
			return
		}
		sw := dcSweep{source: s.text(f), pos: s.pos(f)}
		sw.start = p.quantity(s, s.next(), "the start value")
		sw.stop = p.quantity(s, s.next(), "the stop value")
		sw.step = p.quantity(s, s.next(), "the step")
		d.sweeps = append(d.sweeps, sw)
	}
	if len(d.sweeps) == 0 {
		p.errorf(at, "write .dc source start stop step", ".dc needs a source")
		return
	}
	p.n.dc = d
}

func (p *parser) acCard(s *scanner, at pos) {
	a := &acCard{pos: at}
	f := s.next()
	if a.scale = s.text(f); a.scale != "dec" && a.scale != "oct" && a.scale != "lin" {
		p.errorf(at, "write .ac dec|oct|lin points fmin fmax", ".ac needs a scale")
		return
	}
	a.points = p.quantity(s, s.next(), "the number of points")
	a.fmin = p.quantity(s, s.next(), "the lowest frequency")
	a.fmax = p.quantity(s, s.next(), "the highest frequency")
	p.n.ac = a
}
