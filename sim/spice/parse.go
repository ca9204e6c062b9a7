package spice

import (
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"

	"vlec/model/diag"
)

// Limits on what a file may ask for; each is far above any sensible netlist and
// far below what would exhaust a machine.
const (
	maxIncludeDepth  = 32
	maxSourceBytes   = 2 << 30
	maxErrors        = 100
	maxInstanceDepth = 64
	maxElements      = 50_000_000
)

// ParseFile reads a netlist and what it includes. The error, if any, is a
// diag.List with every complaint.
func ParseFile(path string) (*Netlist, error) {
	src, err := readText(path)
	if err != nil {
		return nil, diag.List{{Pos: diag.Pos{File: path}, Msg: "cannot read the netlist: " + reason(err)}}
	}
	return parse(path, src)
}

// readText reads a file into a string, without a copy.
func readText(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	var b strings.Builder
	if info, err := f.Stat(); err == nil && info.Size() < maxSourceBytes {
		b.Grow(int(info.Size()))
	}
	if _, err := io.Copy(&b, f); err != nil {
		return "", err
	}
	return b.String(), nil
}

// Parse reads a netlist from memory. Its first line is the title, as in every
// SPICE. Name is what errors call it; files it includes are looked for relative
// to the folder of name. The error, if any, is a diag.List.
func Parse(name string, src []byte) (*Netlist, error) { return parse(name, string(src)) }

func parse(name, src string) (*Netlist, error) {
	p := &parser{n: &Netlist{
		options: map[string]option{}, globals: map[string]bool{},
	}}
	p.n.top = newSubckt("", pos{}, nil)
	p.cur = p.n.top
	p.file(pos{}, name, src, true, "")
	for s := p.cur; s != p.n.top; s = s.parent {
		p.errorf(s.pos, "close it with .ends", ".subckt %s has no end", s.name)
	}
	p.cutErrors()
	p.n.Warnings.Sort()
	if err := p.errs.Err(); err != nil {
		return nil, err
	}
	return p.n, nil
}

// reason shortens the error of a failed read to its cause.
func reason(err error) string {
	if pe, ok := err.(*os.PathError); ok { //nolint:errorlint // ReadFile returns it bare
		return pe.Err.Error()
	}
	return err.Error()
}

type parser struct {
	n     *Netlist
	cur   *subckt
	errs  diag.List
	slab  []expr
	words []field // of the x card that is being read
	args  []param
	// what x cards are kept in
	instances slab[instanceCard]
	ints      slab[int32]
	params    slab[param]

	stack []string // files being read, outermost first
	bytes int
	ended bool // .end was seen

	// A .lib file is read for one section only: cards outside it are skipped.
	section      string
	inSection    string
	sectionFound bool

	control   bool
	controlAt pos
}

func (p *parser) errorf(at pos, hint, format string, args ...any) {
	if len(p.errs) <= maxErrors {
		p.errs.Add(p.n.toPos(at), hint, format, args...)
	}
}

func (p *parser) warnf(at pos, hint, format string, args ...any) {
	if len(p.n.Warnings) < maxErrors {
		p.n.Warnings.Add(p.n.toPos(at), hint, format, args...)
	}
}

func (p *parser) cutErrors() {
	if len(p.errs) > maxErrors {
		p.errs = p.errs[:maxErrors]
		p.errs.Add(p.errs[maxErrors-1].Pos, "correct these first", "more errors were found")
	}
}

func (p *parser) report(at pos, hint, msg string) { p.errorf(at, hint, "%s", msg) }

// file reads one file, which the card at the given place names; section selects
// a part of a library.
func (p *parser) file(at pos, name, src string, hasTitle bool, section string) {
	p.stack = append(p.stack, name)
	defer func() { p.stack = p.stack[:len(p.stack)-1] }()
	saved, savedIn, savedFound := p.section, p.inSection, p.sectionFound
	p.section, p.inSection, p.sectionFound = section, "", false
	defer func() { p.section, p.inSection, p.sectionFound = saved, savedIn, savedFound }()

	id := int32(len(p.n.files))
	p.n.files = append(p.n.files, name)
	p.bytes += len(src)
	p.cur.expect(countElements(src))
	last := pos{id, 1, 1}
	title := splitLines(id, src, hasTitle, p.report, func(l *logicalLine) bool {
		last = l.at(0)
		p.card(l)
		return !p.ended
	})
	if hasTitle {
		p.n.Title = title
	}
	if p.ended {
		return
	}
	if p.control {
		p.control = false
		p.errorf(p.controlAt, "end it with .endc", "the .control block has no end")
	}
	if section != "" && !p.sectionFound {
		p.errorf(at, "sections begin with .lib name", "library %s has no section %s", name, section)
	}
	if section != "" && p.inSection != "" {
		p.errorf(last, "end it with .endl", "the library section %q has no end", p.inSection)
	}
}

// include reads a file named in another.
func (p *parser) include(at pos, file, section string) {
	path := file
	if !filepath.IsAbs(path) {
		path = filepath.Join(filepath.Dir(p.stack[len(p.stack)-1]), file)
	}
	for _, open := range p.stack {
		if filepath.Clean(open) == filepath.Clean(path) && section == "" {
			p.errorf(at, "remove one of the two", "%s includes itself", file)
			return
		}
	}
	if len(p.stack) >= maxIncludeDepth {
		p.errorf(at, "flatten the includes", "files include each other more than %d deep", maxIncludeDepth)
		return
	}
	src, err := os.ReadFile(path)
	if err != nil {
		p.errorf(at, "paths are relative to the file that names them", "cannot read %q: %s", file, reason(err))
		return
	}
	if p.bytes+len(src) > maxSourceBytes {
		p.errorf(at, "", "the netlist and its includes are larger than %d bytes", maxSourceBytes)
		return
	}
	p.file(at, path, string(src), false, section)
}

func (p *parser) card(l *logicalLine) {
	s := &scanner{l: l}
	first := s.next()
	word := s.text(first)
	if p.control {
		p.control = word != ".endc"
		return
	}
	if p.section != "" && p.inSection == "" && word != ".lib" {
		return
	}
	switch c := l.text[0]; {
	case c == '.':
		p.directive(s, word, first)
	case isLetter(c) && first.kind == fieldWord:
		p.element(s, word)
	default:
		p.errorf(l.at(0), "a card starts with a device letter, '.', '*' or '+'", "%q does not start a card", l.raw[:1])
	}
}

// expression parses the span of a field.
func (p *parser) expression(s *scanner, f field) *expr {
	e, off, ok := p.pratt(s.l, f.off, f.end)
	if ok && off < f.end {
		p.errorf(s.l.at(off), "is an operator missing?", "unexpected %q after the expression", short(s.l.raw[off:f.end]))
	}
	return e
}

func (p *parser) pratt(l *logicalLine, off, end int) (e *expr, next int, ok bool) {
	ep := &exprParser{l: l, off: off, end: end, report: p.report, slab: &p.slab}
	e = ep.parse(0)
	ep.space()
	return e, ep.off, !ep.failed
}

func short(s string) string {
	if len(s) > 20 {
		return s[:20] + "…"
	}
	return s
}

// quantity turns a field into a value: a number, a parameter's name, or a
// braced expression.
func (p *parser) quantity(s *scanner, f field, what string) quantity {
	switch f.kind {
	case fieldWord:
		t := s.text(f)
		if v, n, amb := parseNumber(t); n == len(t) && !amb {
			if math.IsInf(v, 0) {
				p.errorf(s.pos(f), "", "%s %s is out of range", what, t)
			}
			return quantity{num: v}
		}
		return p.simplify(p.expression(s, f))
	case fieldExpr:
		return p.simplify(p.expression(s, f))
	case fieldEnd:
		p.errorf(s.l.at(max(0, len(s.l.text)-1)), "", "%s is missing", what)
	case fieldBad:
		p.errorf(s.pos(f), "close it", "%s does not end", short(s.raw(f)))
	default:
		p.errorf(s.pos(f), "", "%s expected, found %q", what, s.raw(f))
	}
	return quantity{}
}

func (p *parser) simplify(e *expr) quantity {
	if e.op == opNum {
		return quantity{num: e.num}
	}
	return quantity{x: e}
}

// assigned reads the value after '=': unlike a positional value it may be an
// expression without braces.
func (p *parser) assigned(s *scanner, what string) quantity {
	switch f := s.peek(); f.kind {
	case fieldWord, fieldPunct:
		if v, ok := s.wholeNumber(f); ok {
			s.off = f.end
			return quantity{num: v}
		}
		e, next, _ := p.pratt(s.l, f.off, len(s.l.text))
		s.off = next
		return p.simplify(e)
	default:
		s.next()
		return p.quantity(s, f, what)
	}
}

// wholeNumber reads a word that is a number and nothing but a number, also with
// what stands behind it: no expression goes on there.
func (s *scanner) wholeNumber(f field) (float64, bool) {
	if f.kind != fieldWord {
		return 0, false
	}
	v, n, ambiguous := parseNumber(s.text(f))
	if n == 0 || n < f.end-f.off || ambiguous || math.IsInf(v, 0) {
		return 0, false
	}
	rest := s.l.text[f.end:]
	for len(rest) > 0 && isSpace(rest[0]) {
		rest = rest[1:]
	}
	return v, rest == "" || isLetter(rest[0])
}

// assignment reads "name = value" and says whether there was one.
func (p *parser) assignment(s *scanner) (name field, val quantity, ok bool) {
	name = s.next()
	if name.kind != fieldWord {
		if name.kind != fieldEnd {
			p.errorf(s.pos(name), "write name=value", "parameter name expected, found %q", short(s.raw(name)))
			s.off = len(s.l.text)
		}
		return name, quantity{}, false
	}
	if eq := s.next(); !s.is(eq, '=') {
		p.errorf(s.pos(name), "write name=value", "unexpected %q", s.raw(name))
		s.off = len(s.l.text)
		return name, quantity{}, false
	}
	return name, p.assigned(s, "the value of "+s.text(name)), true
}

func (p *parser) nodeName(s *scanner) (string, field, bool) {
	f := s.next()
	for s.is(f, '(') || s.is(f, ')') { // e1 a b (c,d) 1: parentheses are blanks here
		f = s.next()
	}
	if f.kind != fieldWord {
		p.errorf(s.l.at(min(f.off, len(s.l.text)-1)), "", "node name expected")
		return "", f, false
	}
	return s.text(f), f, true
}

// element parses a device card.
func (p *parser) element(s *scanner, name string) {
	el := element{kind: name[0], name: name, pos: s.l.at(0)}
	ok := true
	nodes := func(n int) {
		for i := 0; i < n && ok; i++ {
			var node string
			if node, _, ok = p.nodeName(s); ok {
				el.node[i] = p.cur.node(node)
			}
		}
		for s.is(s.peek(), ')') { // v1 (a,b) 1
			s.next()
		}
	}
	switch el.kind {
	case 'r', 'c', 'l':
		if nodes(2); ok {
			p.passive(s, &el)
		}
	case 'k':
		p.coupling(s, &el)
	case 'v', 'i':
		if nodes(2); ok {
			p.source(s, &el)
		}
	case 'e', 'g':
		if nodes(2); ok {
			p.controlled(s, &el, nodes)
		}
	case 'f', 'h':
		if nodes(2); ok {
			p.currentControlled(s, &el)
		}
	case 'b':
		if nodes(2); ok {
			p.behavioural(s, &el)
		}
	case 'd', 'm', 'q':
		p.semiconductor(s, &el)
	case 'x':
		p.instance(s, &el)
	default:
		hint := "use r c l k v i e g f h b d m q x"
		if h := letterHints[el.kind]; h != "" {
			hint = h
		}
		p.errorf(el.pos, hint, "devices of letter %q are not supported", name[:1])
		return
	}
	if first, dup := p.cur.names[name]; dup {
		p.errorf(el.pos, "rename one; case does not distinguish names", "device %s is defined twice, first in line %d", name, p.cur.elems[first].pos.line)
		return
	}
	p.cur.names[name] = int32(len(p.cur.elems))
	p.cur.elems = append(p.cur.elems, el)
}

var letterHints = map[byte]string{
	's': "replace the switch by a smooth conductance, a g element with an expression",
	'w': "replace the switch by a smooth conductance, a g element with an expression",
	'a': "XSPICE code models run in ngspice only; use b, e or g elements",
	't': "use a ladder of l and c for the transmission line",
}

func (el *element) x() *extra {
	if el.extra == nil {
		el.extra = &extra{}
	}
	return el.extra
}

// passive reads the value and the parameters of r, c and l.
func (p *parser) passive(s *scanner, el *element) {
	what := map[byte]string{'r': "the resistance", 'c': "the capacitance", 'l': "the inductance"}[el.kind]
	given := false
	if f := s.peek(); f.kind == fieldExpr || f.kind == fieldBad || (f.kind == fieldWord && !p.assigns(s)) {
		el.value = p.quantity(s, s.next(), what)
		given = true
	}
	for s.peek().kind != fieldEnd {
		if f := s.peek(); f.kind == fieldWord && !p.assigns(s) {
			p.errorf(s.pos(f), "device models of r, c and l are not supported; write the value", "unexpected %q", s.raw(f))
			return
		}
		f, v, ok := p.assignment(s)
		if !ok {
			return
		}
		switch key := s.text(f); {
		case key == string(el.kind) || (el.kind == 'r' && key == "resistance") || (el.kind == 'c' && key == "capacitance"):
			el.value, given = v, true
		case key == "ic" && el.kind != 'r':
			el.x().ic = &v
		case key == "m":
			el.x().mult = &v
		case key == "tc1" || key == "tc":
			el.x().tc[0] = &v
		case key == "tc2":
			el.x().tc[1] = &v
		case key == "ac" || key == "temp" || key == "dtemp" || key == "noisy":
			p.warnf(s.pos(f), "", "%s of %s is ignored", key, el.name)
		default:
			p.errorf(s.pos(f), "known are "+string(el.kind)+" ic m tc1 tc2", "unknown parameter %q of %s", key, el.name)
		}
	}
	if !given {
		p.errorf(el.pos, "write it after the two nodes", "%s of %s is missing", what, el.name)
	}
}

// assigns tells whether the next field is the name in "name = …".
func (p *parser) assigns(s *scanner) bool {
	save := s.off
	defer func() { s.off = save }()
	s.next()
	return s.is(s.next(), '=')
}

func (p *parser) coupling(s *scanner, el *element) {
	for i := range 2 {
		f := s.next()
		if f.kind != fieldWord || s.text(f)[0] != 'l' {
			p.errorf(el.pos, "write k1 l1 l2 0.9", "%s couples two inductors, whose names are expected", el.name)
			return
		}
		el.x().ctrl[i] = s.text(f)
	}
	el.value = p.quantity(s, s.next(), "the coupling coefficient")
	p.atEnd(s, el)
}

// atEnd complains about what follows a complete card.
func (p *parser) atEnd(s *scanner, el *element) {
	if f := s.next(); f.kind != fieldEnd {
		p.errorf(s.pos(f), "", "unexpected %q at the end of %s", short(s.raw(f)), el.name)
	}
}

const polyHint = "write the polynomial as a b element with v= or i="

func (p *parser) controlled(s *scanner, el *element, nodes func(int)) {
	switch f := s.peek(); {
	case f.kind == fieldWord && p.assigns(s):
		key := s.text(s.next())
		s.next() // =
		if key != "value" && key != "vol" && key != "cur" {
			p.errorf(s.pos(f), "known are value, vol and cur", "unknown parameter %q of %s", key, el.name)
			return
		}
		p.body(s, el, el.kind == 'e')
		return
	case f.kind == fieldWord && s.text(f) == "value": // value {…} without '='
		s.next()
		p.body(s, el, el.kind == 'e')
		return
	case f.kind == fieldWord && strings.HasPrefix(s.text(f), "poly"):
		p.errorf(s.pos(f), polyHint, "POLY is not supported")
		return
	case f.kind == fieldWord && (s.text(f) == "table" || s.text(f) == "laplace"):
		p.errorf(s.pos(f), "use a b element with pwl(), or an rc network", "%s is not supported", strings.ToUpper(s.text(f)))
		return
	}
	save := el.node
	nodes(2)
	el.node = [4]int32{save[0], save[1], el.node[0], el.node[1]}
	f := s.next()
	for s.is(f, ')') {
		f = s.next()
	}
	el.value = p.quantity(s, f, "the gain")
	p.mult(s, el)
}

// mult reads an optional m=.
func (p *parser) mult(s *scanner, el *element) {
	for s.peek().kind != fieldEnd {
		f, v, ok := p.assignment(s)
		if !ok {
			return
		}
		if s.text(f) != "m" {
			p.errorf(s.pos(f), "known is m", "unknown parameter %q of %s", s.text(f), el.name)
			return
		}
		el.x().mult = &v
	}
}

func (p *parser) currentControlled(s *scanner, el *element) {
	f := s.next()
	switch {
	case f.kind == fieldWord && strings.HasPrefix(s.text(f), "poly"):
		p.errorf(s.pos(f), polyHint, "POLY is not supported")
		return
	case f.kind != fieldWord:
		p.errorf(el.pos, "name the voltage source whose current controls "+el.name, "controlling source expected")
		return
	}
	el.x().ctrl[0] = s.text(f)
	el.value = p.quantity(s, s.next(), "the gain")
	p.mult(s, el)
}

func (p *parser) behavioural(s *scanner, el *element) {
	f := s.next()
	if key := s.text(f); f.kind == fieldWord && (key == "v" || key == "i") {
		if eq := s.next(); s.is(eq, '=') {
			p.body(s, el, key == "v")
			return
		}
	}
	p.errorf(el.pos, "write b1 a b v={…} or i={…}", "v= or i= expected after the nodes of %s", el.name)
}

// body reads an expression, in braces, in quotes or bare.
func (p *parser) body(s *scanner, el *element, volt bool) {
	x := el.x()
	x.volt = volt
	f := s.peek()
	if f.kind == fieldExpr {
		// {a}*{b} is one expression: take the whole rest unless parameters follow.
		s.next()
		if s.l.text[f.off-1] == '\'' || s.peek().kind == fieldEnd || p.assigns(s) {
			x.body = p.expression(s, f)
			p.bodyTail(s, el)
			return
		}
		s.off = f.off - 1
	}
	if f.kind == fieldEnd {
		p.errorf(el.pos, "", "the expression of %s is missing", el.name)
		return
	}
	e, next, ok := p.pratt(s.l, s.off, len(s.l.text))
	x.body = e
	if s.off = next; ok {
		p.bodyTail(s, el)
	}
}

func (p *parser) bodyTail(s *scanner, el *element) {
	for s.peek().kind != fieldEnd {
		f := s.peek()
		if f.kind != fieldWord || !p.assigns(s) {
			p.errorf(s.pos(f), "is an operator missing?", "unexpected %q after the expression", short(s.raw(f)))
			return
		}
		f, v, ok := p.assignment(s)
		if !ok {
			return
		}
		switch s.text(f) {
		case "m":
			el.x().mult = &v
		case "tc1", "tc2", "temp", "dtemp", "reciproctc":
			p.warnf(s.pos(f), "", "%s of %s is ignored", s.text(f), el.name)
		default:
			p.errorf(s.pos(f), "", "unknown parameter %q of %s", s.text(f), el.name)
		}
	}
}

// instance reads x: nodes, the name of the subcircuit, parameters.
func (p *parser) instance(s *scanner, el *element) {
	words := p.words[:0]
	for {
		f := s.peek()
		if f.kind == fieldEnd || (f.kind == fieldWord && isParamsWord(s.text(f))) || (f.kind == fieldWord && p.assigns(s)) {
			break
		}
		s.next()
		if s.is(f, '(') || s.is(f, ')') {
			continue
		}
		if f.kind != fieldWord {
			p.errorf(s.pos(f), "parameters are written name=value after the subcircuit's name", "unexpected %q in %s", short(s.raw(f)), el.name)
			return
		}
		words = append(words, f)
	}
	if len(words) == 0 {
		p.errorf(el.pos, "write x1 node … name", "%s names no subcircuit", el.name)
		return
	}
	p.words = words
	x := p.instances.one()
	el.inst = x
	x.sub = s.text(words[len(words)-1])
	x.nodes = p.ints.take(len(words) - 1)
	for i, f := range words[:len(words)-1] {
		x.nodes[i] = p.cur.node(s.text(f))
	}
	if f := s.peek(); f.kind == fieldWord && isParamsWord(s.text(f)) {
		s.next()
	}
	args := p.args[:0]
	for s.peek().kind != fieldEnd {
		f, v, ok := p.assignment(s)
		if !ok {
			return
		}
		args = append(args, param{s.text(f), v, s.pos(f)})
	}
	p.args = args
	x.args = p.params.take(len(args))
	copy(x.args, args)
}

// countElements guesses how many elements a file has: lines that begin with a
// letter.
func countElements(src string) (n int) {
	for at := 0; at < len(src); {
		if isLetter(src[at] | 0x20) {
			n++
		}
		next := strings.IndexByte(src[at:], '\n')
		if next < 0 {
			break
		}
		at += next + 1
	}
	return n
}

// A slab hands out pieces of large slices, where there may be millions of them.
type slab[T any] struct{ free []T }

func (s *slab[T]) take(n int) []T {
	if n > len(s.free) {
		s.free = make([]T, max(n, 1024))
	}
	out := s.free[:n:n]
	s.free = s.free[n:]
	return out
}

func (s *slab[T]) one() *T { return &s.take(1)[0] }

func isParamsWord(s string) bool { return s == "params:" || s == "param:" }

// errAt is for callers without a parser.
func errAt(p diag.Pos, hint, format string, args ...any) *diag.Error {
	return &diag.Error{Pos: p, Hint: hint, Msg: fmt.Sprintf(format, args...)}
}
