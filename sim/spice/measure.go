package spice

import (
	"cmp"
	"math"

	"vlec/sim"
)

// A Measurement is the result of one .measure card. Value is NaN, and Err says
// why, when the event it waits for does not happen.
type Measurement struct {
	Name  string
	Value float64
	Err   error
}

// A measCard is a .measure card: what is looked for, and where.
type measCard struct {
	pos      pos
	analysis string // tran, ac, dc
	name     string
	kind     string // find, when, deriv, delay, param; avg, rms, min, max, pp, integ, min_at, max_at
	out      *expr  // measured, for all kinds but when and delay
	at       *quantity
	when     event // find, deriv and when; the start of delay
	targ     event // the end of delay
	from, to *quantity
}

// An event is the n-th crossing of a value by a quantity.
type event struct {
	out, val *expr
	at       *quantity // instead: a given instant
	td       *quantity
	edge     string // cross, rise, fall
	n        *quantity
	last     bool
}

var statKinds = map[string]bool{
	"avg": true, "rms": true, "min": true, "max": true, "pp": true, "integ": true, "min_at": true, "max_at": true,
}

// measure parses .measure analysis name …
func (p *parser) measure(s *scanner, at pos) {
	m := measCard{pos: at, analysis: s.text(s.next()), name: s.text(s.next())}
	if m.analysis != "tran" && m.analysis != "ac" && m.analysis != "dc" || m.name == "" {
		p.errorf(at, "write .measure tran name …", ".measure names its analysis, then its result")
		return
	}
	f := s.next()
	word := s.text(f)
	ok := true
	switch {
	case word == "trig":
		m.kind = "delay"
		if m.when, ok = p.event(s, true); !ok {
			return
		}
		if t := s.next(); s.text(t) != "targ" {
			p.errorf(s.pos(t), "write trig … targ …", "targ expected")
			return
		}
		m.targ, ok = p.event(s, true)
	case word == "when":
		m.kind = word
		m.when, ok = p.event(s, false)
	case word == "find" || word == "deriv" || word == "derivative":
		m.kind = "find"
		if word != "find" {
			m.kind = "deriv"
		}
		m.out = p.output(s)
		switch t := s.next(); s.text(t) {
		case "when":
			m.when, ok = p.event(s, false)
		case "at":
			m.at, ok = p.measValue(s)
		default:
			p.errorf(s.pos(t), "write find v(a) at=… or find v(a) when v(b)=…", "at or when expected")
			return
		}
	case statKinds[word]:
		m.kind = word
		m.out = p.output(s)
	case word == "param":
		m.kind = word
		if !s.is(s.next(), '=') {
			p.errorf(at, "write param='…'", "'=' expected after param")
			return
		}
		m.out = p.measExpr(s)
	default:
		p.errorf(s.pos(f), "use trig, find, when, deriv, avg, rms, min, max, pp, integ, min_at, max_at or param", "measurement %q is not supported", short(s.raw(f)))
		return
	}
	for ok && s.peek().kind != fieldEnd {
		f := s.next()
		var v *quantity
		switch s.text(f) {
		case "from":
			v, ok = p.measValue(s)
			m.from = v
		case "to":
			v, ok = p.measValue(s)
			m.to = v
		default:
			p.errorf(s.pos(f), "", "unexpected %q in .measure", short(s.raw(f)))
			return
		}
	}
	if ok {
		p.n.meas = append(p.n.meas, m)
	}
}

// measValue reads "= value".
func (p *parser) measValue(s *scanner) (*quantity, bool) {
	if eq := s.next(); !s.is(eq, '=') {
		p.errorf(s.l.at(min(eq.off, len(s.l.text)-1)), "write name=value", "'=' expected in .measure")
		return nil, false
	}
	v := p.quantity(s, s.next(), "the value")
	return &v, true
}

// output reads what is measured: v(a), v(a,b), i(v1), vm(a), par('…').
func (p *parser) output(s *scanner) *expr {
	f := s.peek()
	if f.kind == fieldExpr || f.kind == fieldWord && s.text(f) == "par" {
		return p.measExpr(s)
	}
	// A single operand, so that the '=' after it is left alone.
	ep := &exprParser{l: s.l, off: f.off, end: len(s.l.text), report: p.report, slab: &p.slab}
	e := ep.primary()
	s.off = ep.off
	return e
}

// measExpr reads '…', {…} or par('…').
func (p *parser) measExpr(s *scanner) *expr {
	f := s.next()
	wrapped := f.kind == fieldWord && s.text(f) == "par"
	if wrapped {
		s.next() // (
		f = s.next()
	}
	e := p.quantity(s, f, "the expression")
	if wrapped {
		s.next() // )
	}
	if e.x != nil {
		return e.x
	}
	return &expr{op: opNum, pos: s.pos(f), num: e.num}
}

// event reads v(a)=0.5 rise=1 td=…; after trig and targ v(a) val=0.5 and at=….
func (p *parser) event(s *scanner, trig bool) (ev event, ok bool) {
	if f := s.peek(); trig && f.kind == fieldWord && s.text(f) == "at" {
		s.next()
		ev.at, ok = p.measValue(s)
		return ev, ok
	}
	ev.out = p.output(s)
	ev.edge = "cross"
	if !trig {
		if eq := s.next(); !s.is(eq, '=') {
			p.errorf(s.l.at(min(eq.off, len(s.l.text)-1)), "write when v(a)=0.5", "'=' expected after when")
			return ev, false
		}
		if f := s.peek(); f.kind == fieldWord && s.l.text[f.end:] != "" && s.l.text[f.end] == '(' {
			ev.val = p.output(s)
		} else {
			ev.val = p.asExpr(p.quantity(s, s.next(), "the value"), s)
		}
	}
	for {
		f := s.peek()
		word := ""
		if f.kind == fieldWord {
			word = s.text(f)
		}
		switch word {
		case "val", "td", "rise", "fall", "cross":
		default:
			if ev.val == nil {
				p.errorf(s.l.at(min(f.off, len(s.l.text)-1)), "write trig v(a) val=0.5 rise=1", "val= is missing")
				return ev, false
			}
			return ev, true
		}
		s.next()
		if eq := s.next(); !s.is(eq, '=') {
			p.errorf(s.pos(f), "write name=value", "'=' expected after %s", word)
			return ev, false
		}
		if t := s.peek(); t.kind == fieldWord && s.text(t) == "last" {
			s.next()
			ev.edge, ev.last = word, true
			continue
		}
		v := p.quantity(s, s.next(), "the value of "+word)
		switch word {
		case "val":
			ev.val = p.asExpr(v, s)
		case "td":
			ev.td = &v
		default:
			ev.edge, ev.n = word, &v
		}
	}
}

func (p *parser) asExpr(q quantity, s *scanner) *expr {
	if q.x != nil {
		return q.x
	}
	return &expr{op: opNum, pos: s.l.at(0), num: q.num}
}

// Measure evaluates the .measure cards of one analysis ("tran", "ac", "dc") on
// the trace of its run, which must hold the signals that they name. Results may
// be used by later cards with param=.
func (c *Circuit) Measure(analysis string, tr *sim.Trace) ([]Measurement, error) {
	m := &measurer{c: c, tr: tr, done: map[string]float64{}}
	m.el = c.net.bare()
	var out []Measurement
	for i := range c.net.meas {
		card := &c.net.meas[i]
		if card.analysis != analysis {
			continue
		}
		m.err = nil
		v := m.measure(card)
		if m.err == nil && len(m.el.errs) > 0 {
			return out, m.el.errs.Err()
		}
		if m.err != nil {
			v = math.NaN()
		}
		m.done[card.name] = v
		out = append(out, Measurement{card.name, v, m.err})
	}
	return out, nil
}

type measurer struct {
	c    *Circuit
	tr   *sim.Trace
	el   *elaborator
	done map[string]float64
	err  error
}

func (m *measurer) fail(at pos, hint, format string, args ...any) {
	if m.err == nil {
		m.err = errAt(m.c.net.toPos(at), hint, format, args...)
	}
}

func (m *measurer) number(q *quantity, otherwise float64) float64 {
	if q == nil {
		return otherwise
	}
	if q.x != nil {
		return m.series(q.x, nil)[0]
	}
	return q.num
}

func (m *measurer) measure(card *measCard) float64 {
	if card.kind == "param" {
		return m.series(card.out, nil)[0]
	}
	if len(m.tr.Signals) == 0 || len(m.tr.Signals[0].Time) < 2 {
		m.fail(card.pos, "", "the trace is empty")
		return 0
	}
	t := m.tr.Signals[0].Time
	lo, hi := m.number(card.from, t[0]), m.number(card.to, t[len(t)-1])
	switch card.kind {
	case "delay":
		start := m.cross(card, &card.when, t, t[0], hi)
		return m.cross(card, &card.targ, t, t[0], hi) - start
	case "when":
		return m.cross(card, &card.when, t, lo, hi)
	case "find", "deriv":
		at := m.number(card.at, 0)
		if card.at == nil {
			at = m.cross(card, &card.when, t, lo, hi)
		}
		y := m.series(card.out, t)
		if m.err != nil {
			return 0
		}
		if at < t[0] || at > t[len(t)-1] {
			m.fail(card.pos, "", "%s: %g lies outside the run", card.name, at)
			return 0
		}
		k := segment(t, at)
		if card.kind == "deriv" {
			return derivative(t, y, k, at)
		}
		return y[k-1] + (y[k]-y[k-1])/(t[k]-t[k-1])*(at-t[k-1])
	}
	y := m.series(card.out, t)
	if m.err != nil {
		return 0
	}
	if !(lo < hi) || lo > t[len(t)-1] || hi < t[0] {
		m.fail(card.pos, "let from lie before to, both within the run", "%s: nothing lies between %g and %g", card.name, lo, hi)
		return 0
	}
	return statistic(card.kind, t, y, lo, hi)
}

// derivative is that of the parabola through the three samples around at, which
// lies between samples k-1 and k.
func derivative(t, y []float64, k int, at float64) float64 {
	slope := func(i, j int) float64 { return (y[j] - y[i]) / (t[j] - t[i]) }
	if at-t[k-1] < t[k]-at {
		k--
	}
	if k = min(k, len(t)-2); k < 1 { // at an end
		return slope(k, k+1)
	}
	bend := (slope(k, k+1) - slope(k-1, k)) / (t[k+1] - t[k-1])
	return slope(k-1, k) + bend*(2*at-t[k-1]-t[k])
}

// segment is the index k >= 1 with t[k-1] <= at <= t[k].
func segment(t []float64, at float64) int {
	lo, hi := 0, len(t)-1
	for hi-lo > 1 {
		if mid := (lo + hi) / 2; t[mid] <= at {
			lo = mid
		} else {
			hi = mid
		}
	}
	return hi
}

// statistic works on the samples between lo and hi and the interpolated values
// at both.
func statistic(kind string, t, y []float64, lo, hi float64) float64 {
	least, most, leastAt, mostAt := math.Inf(1), math.Inf(-1), lo, lo
	area, square, span := 0.0, 0.0, 0.0
	for k := 1; k < len(t); k++ {
		a, b := math.Max(t[k-1], lo), math.Min(t[k], hi)
		if a > b || t[k] <= t[k-1] {
			continue
		}
		slope := (y[k] - y[k-1]) / (t[k] - t[k-1])
		ya, yb := y[k-1]+slope*(a-t[k-1]), y[k-1]+slope*(b-t[k-1])
		for _, e := range [2][2]float64{{a, ya}, {b, yb}} {
			if e[1] < least {
				least, leastAt = e[1], e[0]
			}
			if e[1] > most {
				most, mostAt = e[1], e[0]
			}
		}
		area += (b - a) * (ya + yb) / 2
		square += (b - a) * (ya*ya + ya*yb + yb*yb) / 3
		span += b - a
	}
	switch kind {
	case "avg":
		return area / span
	case "rms":
		return math.Sqrt(square / span)
	case "integ":
		return area
	case "min":
		return least
	case "max":
		return most
	case "pp":
		return most - least
	case "min_at":
		return leastAt
	}
	return mostAt
}

// cross finds the instant of an event.
func (m *measurer) cross(card *measCard, ev *event, t []float64, lo, hi float64) float64 {
	if ev.at != nil {
		return m.number(ev.at, 0)
	}
	y, val := m.series(ev.out, t), m.series(ev.val, t)
	if m.err != nil {
		return 0
	}
	lo = math.Max(lo, m.number(ev.td, lo))
	want := int(m.number(ev.n, 1))
	count, found := 0, math.NaN()
	for k := 1; k < len(t) && m.err == nil; k++ {
		d0, d1 := y[k-1]-val[(k-1)%len(val)], y[k]-val[k%len(val)]
		rise, fall := d0 < 0 && d1 >= 0, d0 > 0 && d1 <= 0
		if ev.edge == "rise" && !rise || ev.edge == "fall" && !fall || !rise && !fall {
			continue
		}
		at := t[k-1] + (t[k]-t[k-1])*d0/(d0-d1)
		if at < lo || at > hi {
			continue
		}
		count++
		found = at
		if count == want && !ev.last {
			return at
		}
	}
	if !ev.last || count == 0 {
		m.fail(card.pos, "", "%s: the event does not happen", card.name)
	}
	return found
}

// series evaluates an expression at every sample; without samples it is a
// single number made of parameters and earlier results.
func (m *measurer) series(e *expr, t []float64) []float64 {
	n := max(1, len(t))
	out := make([]float64, n)
	switch e.op {
	case opNum:
		for k := range out {
			out[k] = e.num
		}
		return out
	case opName:
		if e.name == "time" && t != nil {
			return t
		}
		v, ok := m.done[e.name]
		if !ok {
			if v, ok = m.el.lookup(m.el.top.scope, e.name, e.pos); !ok {
				m.fail(e.pos, "name a parameter or an earlier measurement", "unknown name %s", e.name)
			}
		}
		for k := range out {
			out[k] = v
		}
		return out
	case opVolt, opCurr:
		return m.signal(e, "", t, out)
	case opCall:
		if part, ok := acParts[e.name]; ok && len(e.args) >= 1 && e.args[0].op == opName {
			v := &expr{op: opVolt, pos: e.pos, name: e.args[0].name}
			if len(e.args) == 2 && e.args[1].op == opName {
				v.ref = e.args[1].name
			}
			return m.signal(v, part, t, out)
		}
		c := &compiler{sub: m.c.net.top, report: m.el.report, root: e.pos}
		x := c.expand(e, nil, 0)
		if c.failed {
			m.fail(e.pos, "", "the expression cannot be evaluated")
			return out
		}
		return m.series(x, t)
	}
	args := make([][]float64, max(3, len(e.args)))
	for i, a := range e.args {
		args[i] = m.series(a, t)
	}
	at := func(i, k int) float64 {
		if args[i] == nil {
			return 0
		}
		return args[i][k]
	}
	for k := range out {
		out[k] = apply(e.op, at(0, k), at(1, k), at(2, k))
	}
	return out
}

// acParts are the outputs of a small-signal run.
var acParts = map[string]string{"vm": "m", "vdb": "db", "vp": "p", "vr": "r", "vi": "i"}

// signal finds a saved vector, or the difference of two. Of a small-signal run
// it gives the part asked for, the magnitude by default.
func (m *measurer) signal(e *expr, part string, t, out []float64) []float64 {
	if t == nil {
		m.fail(e.pos, "use find or avg first", "a single number is expected, not a waveform")
		return out
	}
	var a, b *sim.Signal
	if e.op == opCurr {
		name := "i(" + e.name + ")"
		if br, _, ok := m.c.findBranch(e.name); ok {
			name = m.c.unknownName(len(m.c.nodes) - 1 + int(br))
		}
		a = m.saved(name, e.pos)
	} else {
		if e.ref != "" {
			a = m.tr.Signal("v(" + e.name + "," + e.ref + ")")
		}
		if a == nil {
			a, b = m.voltage(e.name, e.pos), m.voltage(e.ref, e.pos)
		}
	}
	if m.err != nil {
		return out
	}
	value := func(k int) float64 {
		v := 0.0
		if a != nil {
			v = a.Data[k]
		}
		if b != nil {
			v -= b.Data[k]
		}
		return v
	}
	if cmp.Or(a, b) == nil || cmp.Or(a, b).Width() == 1 {
		for k := range out {
			out[k] = value(k)
		}
		return out
	}
	for k := range out {
		re, im := value(2*k), value(2*k+1)
		switch part {
		case "db":
			out[k] = 20 * math.Log10(math.Hypot(re, im))
		case "p":
			out[k] = math.Atan2(im, re)
		case "r":
			out[k] = re
		case "i":
			out[k] = im
		default:
			out[k] = math.Hypot(re, im)
		}
	}
	return out
}

// voltage is nil for ground.
func (m *measurer) voltage(node string, at pos) *sim.Signal {
	if k, ok := m.c.findNode(node); node == "" || ok && k == 0 {
		return nil
	}
	return m.saved("v("+node+")", at)
}

func (m *measurer) saved(name string, at pos) *sim.Signal {
	s := m.tr.Signal(name)
	if s == nil {
		m.fail(at, "add it to .save", "%s was not saved", name)
	}
	return s
}

// Measures tells whether the netlist has .measure cards for an analysis.
func (c *Circuit) Measures(analysis string) bool {
	for i := range c.net.meas {
		if c.net.meas[i].analysis == analysis {
			return true
		}
	}
	return false
}
