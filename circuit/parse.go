package circuit

import (
	"math"
	"strconv"
	"strings"

	"vlec/model/diag"
)

// MaxWires bounds the wires of one net that Parse accepts.
const MaxWires = 1 << 28

// Parse reads the text form that String writes. Name is the file name for
// errors, which are a diag.List and stand at the line and column of the text.
// Empty lines and lines that start with # are skipped. Parse checks the syntax
// and the names it refers to; Verify checks the rest. An element without an
// origin gets its own place in the text.
func Parse(name, text string) (*Circuit, error) {
	p := &parser{file: name, nets: map[string]*Net{}, circuit: New("")}
	for i, line := range strings.Split(text, "\n") {
		p.line, p.text, p.at = i+1, line, 0
		p.statement()
	}
	if err := p.errs.Err(); err != nil {
		return nil, err
	}
	return p.circuit, nil
}

type parser struct {
	file    string
	line    int
	text    string // the current line
	at      int    // byte offset in it
	failed  bool   // the current line has an error already
	nets    map[string]*Net
	circuit *Circuit
	errs    diag.List
}

func (p *parser) fail(at int, hint, format string, args ...any) {
	if !p.failed {
		p.errs.Add(diag.Pos{File: p.file, Line: p.line, Col: at + 1}, hint, format, args...)
	}
	p.failed = true
}

func (p *parser) statement() {
	p.failed = false
	p.space()
	if p.done() || p.text[p.at] == '#' {
		return
	}
	start := p.at
	switch word := p.word(); word {
	case "circuit":
		p.circuit.Name = p.word()
	case "units":
		p.units()
	case "net":
		p.net()
	case "signal":
		p.signal()
	default:
		if Kinds[word] == nil {
			p.fail(start, "a line starts with circuit, units, net, signal or a kind of element", "unknown word %q", word)
			return
		}
		p.element(word)
	}
	if p.space(); !p.failed && !p.done() {
		p.fail(p.at, "", "unexpected %q", p.text[p.at:])
	}
}

func (p *parser) units() {
	for _, u := range []struct {
		key string
		to  *float64
	}{{"time", &p.circuit.Units.Time}, {"voltage", &p.circuit.Units.Voltage}, {"resistance", &p.circuit.Units.Resistance}} {
		p.space()
		if key := p.word(); key != u.key {
			p.fail(p.at, "units are time=, voltage= and resistance=", "found %q, want %q", key, u.key)
			return
		}
		p.expect('=')
		*u.to = p.number()
		if !p.failed && !(*u.to > 0 && !math.IsInf(*u.to, 0)) {
			p.fail(p.at, "", "%s is not a positive number", u.key)
		}
	}
}

func (p *parser) net() {
	p.space()
	start := p.at
	name := p.word()
	quantity := Quantity(p.word())
	p.space()
	at := p.at
	width, err := strconv.Atoi(p.word())
	if err != nil || width < 1 || width > MaxWires {
		p.fail(at, "write: net NAME potential|sum WIDTH", "the width of net %q is not a positive number", name)
		return
	}
	if p.nets[name] != nil {
		p.fail(start, "give one of them another name", "two nets are named %q", name)
		return
	}
	p.nets[name] = p.circuit.Net(name, quantity, width)
}

func (p *parser) signal() {
	s := Signal{Name: p.word()}
	p.space()
	at := p.at
	if s.Net = p.nets[p.word()]; s.Net == nil {
		p.fail(at, "declare it above with a net line", "signal %q is on a net that is not there", s.Name)
		return
	}
	for p.space(); !p.failed && !p.done(); p.space() {
		at := p.at
		n, err := strconv.Atoi(p.word())
		if err != nil || n < 1 || n > MaxWires {
			p.fail(at, "write: signal NAME NET WIDTH...", "the shape of signal %q is not made of positive numbers", s.Name)
			return
		}
		s.Shape = append(s.Shape, n)
	}
	p.circuit.Signals = append(p.circuit.Signals, s)
}

func (p *parser) element(kind string) {
	p.space()
	e := NewElement(kind, p.word(), diag.Pos{File: p.file, Line: p.line, Col: 1})
	for p.space(); !p.failed && !p.done(); p.space() {
		at := p.at
		if p.text[p.at] == '@' {
			p.at++
			p.origin(e)
			break
		}
		key := p.word()
		p.expect('=')
		if p.failed {
			return
		}
		p.assign(e, key, at)
	}
	if !p.failed {
		p.circuit.Elements = append(p.circuit.Elements, e)
	}
}

func (p *parser) assign(e *Element, key string, at int) {
	for i := range e.Kind.Pins {
		if e.Kind.Pins[i].Name == key {
			if e.Pins[i] != nil {
				p.fail(at, "remove one of them", "%s is given twice", key)
				return
			}
			at = p.at
			name := p.word()
			if e.Pins[i] = p.nets[name]; e.Pins[i] == nil {
				p.fail(at, "declare it above with a net line", "there is no net %q", name)
			}
			return
		}
	}
	for i := range e.Kind.Params {
		if spec := &e.Kind.Params[i]; spec.Name == key {
			if to := &e.Params[i]; to.Numbers != nil || to.Word != "" || to.Waves != nil {
				p.fail(at, "remove one of them", "%s is given twice", key)
				return
			}
			p.param(&e.Params[i], spec)
			return
		}
	}
	p.fail(at, "see the table of elements", "%s has neither pin nor parameter %q", e.Kind.Name, key)
}

func (p *parser) param(to *Param, spec *ParamSpec) {
	switch {
	case spec.Dimension == Word:
		to.Word = p.word()
	case spec.Dimension == Stim:
		p.expect('[')
		for p.space(); !p.failed && !p.peek(']'); p.space() {
			to.Waves = append(to.Waves, p.wave())
		}
		p.expect(']')
	case p.peek('['):
		p.at++
		to.Numbers = p.numbers(']')
	default:
		to.Numbers = []float64{p.number()}
	}
}

func (p *parser) wave() Wave {
	var w Wave
	for !p.failed {
		start := p.at
		for p.at < len(p.text) && p.text[p.at] >= 'a' && p.text[p.at] <= 'z' {
			p.at++
		}
		shape := p.text[start:p.at]
		if FindShape(shape) == nil {
			p.fail(start, "see the table of waves", "there is no wave shape %q", shape)
			break
		}
		p.expect('(')
		w = append(w, Term{Shape: shape, Numbers: p.numbers(')')})
		if !p.peek('+') {
			break
		}
		p.at++
	}
	return w
}

func (p *parser) numbers(end byte) []float64 {
	xs := []float64{}
	for p.space(); !p.failed && !p.peek(end); p.space() {
		xs = append(xs, p.number())
	}
	p.expect(end)
	return xs
}

func (p *parser) number() float64 {
	start := p.at
	for p.at < len(p.text) && isWord(rune(p.text[p.at])) {
		p.at++
	}
	x, err := strconv.ParseFloat(p.text[start:p.at], 64)
	if err != nil {
		p.fail(start, "write it as 0.1 or 1e-9", "%q is not a number", p.text[start:p.at])
	}
	return x
}

func (p *parser) origin(e *Element) {
	p.space()
	e.Origin.File = p.word()
	for _, to := range []*int{&e.Origin.Line, &e.Origin.Col} {
		p.expect(':')
		at := p.at
		n, err := strconv.Atoi(p.word())
		if err != nil {
			p.fail(at, "an origin is FILE:LINE:COL", "not a number")
		}
		*to = n
	}
}

// word reads a plain or quoted word and the space before it.
func (p *parser) word() string {
	p.space()
	if p.peek('"') {
		q, err := strconv.QuotedPrefix(p.text[p.at:])
		if err != nil {
			p.fail(p.at, "close it on the same line", "a quoted name does not end")
			return ""
		}
		p.at += len(q)
		s, err := strconv.Unquote(q)
		if err != nil {
			p.fail(p.at, "", "not a quoted name: %s", q)
		}
		return s
	}
	start := p.at
	for p.at < len(p.text) && isWord(rune(p.text[p.at])) {
		p.at++
	}
	if start == p.at {
		p.fail(p.at, "", "a name or word is missing")
	}
	return p.text[start:p.at]
}

func (p *parser) expect(c byte) {
	if !p.peek(c) {
		p.fail(p.at, "", "expected %q", string(c))
		return
	}
	p.at++
}

func (p *parser) peek(c byte) bool { return p.at < len(p.text) && p.text[p.at] == c }

func (p *parser) done() bool { return p.at >= len(p.text) }

func (p *parser) space() {
	for p.at < len(p.text) && (p.text[p.at] == ' ' || p.text[p.at] == '\t' || p.text[p.at] == '\r') {
		p.at++
	}
}
