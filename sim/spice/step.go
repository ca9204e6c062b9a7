package spice

import (
	"math"
	"strconv"
	"strings"

	"vlec/model/diag"
)

// A stepCard is .step: a parameter, the temperature or a source that takes
// several values, one whole run each.
type stepCard struct {
	pos               pos
	kind              string // "param", "temp", "source"
	name              string
	scale             string // lin, dec, oct, list
	start, stop, step quantity
	list              []quantity
}

// stepCard reads
//
//	.step [lin|dec|oct] param name start stop step
//	.step param name list value …
//	.step temp …            .step source …
//
// as LTspice and PSpice have it; with dec and oct the last number is points per
// decade or octave.
func (p *parser) stepCard(s *scanner, at pos) {
	const form = "write .step param name start stop step, or .step param name list value …"
	c := stepCard{pos: at, kind: "source", scale: "lin"}
	f := s.next()
	if t := s.text(f); f.kind == fieldWord && (t == "lin" || t == "dec" || t == "oct") {
		c.scale = t
		f = s.next()
	}
	if f.kind != fieldWord {
		p.errorf(at, form, ".step needs what to step")
		return
	}
	c.name = s.text(f)
	switch c.name {
	case "param":
		if f = s.next(); f.kind != fieldWord {
			p.errorf(at, form, ".step param needs the name of a parameter")
			return
		}
		c.kind, c.name = "param", s.text(f)
	case "temp":
		c.kind = "temp"
	}
	if f = s.peek(); f.kind == fieldWord && s.text(f) == "list" {
		s.next()
		c.scale = "list"
		for s.peek().kind != fieldEnd {
			c.list = append(c.list, p.quantity(s, s.next(), "a value of .step"))
		}
		if len(c.list) == 0 {
			p.errorf(at, form, "the list of .step is empty")
			return
		}
	} else {
		c.start = p.quantity(s, s.next(), "the first value")
		c.stop = p.quantity(s, s.next(), "the last value")
		c.step = p.quantity(s, s.next(), "the step")
		if f := s.next(); f.kind != fieldEnd {
			p.errorf(s.pos(f), form, "unexpected %q", short(s.raw(f)))
			return
		}
	}
	p.n.steps = append(p.n.steps, c)
}

// A Setting is one value of something that .step varies.
type Setting struct {
	Name  string // of the parameter or source, or "temp"
	Value float64
	kind  string
}

// A Point is one combination of settings, for one whole run.
type Point []Setting

// String is "r=1000 temp=85".
func (p Point) String() string {
	words := make([]string, len(p))
	for k, s := range p {
		words[k] = s.Name + "=" + trimFloat(s.Value)
	}
	return strings.Join(words, " ")
}

// maxStepPoints bounds how many runs .step cards may ask for.
const maxStepPoints = 1_000_000

// Points lists what the .step cards ask for: every combination, the first card
// fastest. A netlist without one has a single point without settings. The
// error, if any, is a diag.List.
func (n *Netlist) Points() ([]Point, error) {
	el := n.bare()
	points := []Point{nil}
	for k := range n.steps {
		c := &n.steps[k]
		values := el.stepValues(c)
		if len(values)*len(points) > maxStepPoints {
			el.errorf(c.pos, "take fewer values", ".step asks for more than %d runs", maxStepPoints)
			break
		}
		var more []Point
		for _, v := range values {
			for _, p := range points {
				more = append(more, append(p[:len(p):len(p)], Setting{c.name, v, c.kind}))
			}
		}
		points = more
	}
	return points, el.errs.Err()
}

// bare is an elaborator for expressions over the parameters of the top.
func (n *Netlist) bare() *elaborator {
	el := &elaborator{c: &Circuit{net: n, opts: defaultOptions()}, n: n, seen: map[string]bool{}}
	el.top = el.newFrame(n.top)
	el.apply()
	return el
}

func (el *elaborator) stepValues(c *stepCard) (values []float64) {
	s := el.top.scope
	if c.scale == "list" {
		for _, q := range c.list {
			values = append(values, el.eval(s, q, "a value of .step", c.pos))
		}
		return values
	}
	start := el.eval(s, c.start, "the first value", c.pos)
	stop := el.eval(s, c.stop, "the last value", c.pos)
	step := el.eval(s, c.step, "the step", c.pos)
	count, base := math.Floor((stop-start)/step*(1+1e-12)+1e-9), 0.0
	if c.scale != "lin" {
		base = map[string]float64{"dec": 10, "oct": 2}[c.scale]
		count = math.Floor(math.Log(stop/start)/math.Log(base)*step*(1+1e-12) + 1e-9)
	}
	if !(count >= 0 && count < maxStepPoints) {
		el.errorf(c.pos, "let the first value lead to the last", "stepping %s from %g to %g by %g is impossible", c.name, start, stop, step)
		return []float64{start}
	}
	for k := range int(count) + 1 {
		if base == 0 {
			values = append(values, start+float64(k)*step)
		} else {
			values = append(values, start*math.Pow(base, float64(k)/step))
		}
	}
	return values
}

// AddStep adds what a .step card would, "param r list 1k 2k" for example.
func (n *Netlist) AddStep(text string) error {
	p := &parser{n: n, cur: n.top}
	l := &logicalLine{file: int32(len(n.files)), text: foldCase(text), raw: text, first: seg{0, 1, 1}}
	n.files = append(n.files, "--step")
	if len(text) == 0 {
		return listOf(errAt(n.toPos(l.at(0)), "write param r list 1k 2k", "an empty step"))
	}
	p.stepCard(&scanner{l: l}, l.at(0))
	return p.errs.Err()
}

// HasParam tells whether the top defines a parameter.
func (n *Netlist) HasParam(name string) bool {
	_, ok := n.top.index[foldCase(name)]
	return ok
}

// At elaborates the netlist with the settings of a point. The error, if any, is a
// diag.List.
func (n *Netlist) At(p Point) (*Circuit, error) {
	m := *n
	m.point = p
	return m.Elaborate()
}

// apply puts the settings of the point into the parameters of the top and the
// temperature.
func (el *elaborator) apply() {
	s := el.top.scope
	for i, set := range el.n.point {
		switch set.kind {
		case "temp":
			el.n.temp = &quantity{num: set.Value}
		case "param":
			k, ok := s.sub.index[set.Name]
			if !ok {
				hint := "define it with .param at the top"
				if near := nearest(set.Name, sortedKeys(s.sub.index)); near != "" {
					hint = "did you mean " + near + "?"
				}
				el.errorf(el.n.steps[i].pos, hint, "there is no parameter %s to step", set.Name)
				continue
			}
			s.vals[k], s.state[k] = set.Value, paramSet
		}
	}
}

// stepSources gives the sources of the point their values.
func (el *elaborator) stepSources() {
	for i, set := range el.n.point {
		if set.kind == "source" && !el.c.setSource(set.Name, set.Value) {
			el.errorf(el.n.steps[i].pos, "name an independent source, or write .step param name …", "%s cannot be stepped", set.Name)
		}
	}
}

// setSource gives an independent source another direct value.
func (c *Circuit) setSource(name string, v float64) bool {
	for k := range c.vsources {
		if s := &c.vsources[k]; c.deviceName(s.dev) == name {
			s.wave.dc, s.wave.hasDC = v, true
			return true
		}
	}
	for k := range c.isources {
		if s := &c.isources[k]; c.deviceName(s.dev) == name {
			s.wave.dc, s.wave.hasDC = v, true
			return true
		}
	}
	return false
}

func trimFloat(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

func listOf(e *diag.Error) diag.List { return diag.List{e} }
