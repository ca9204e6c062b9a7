package spice

import (
	"math"
	"slices"
	"strconv"
	"strings"
)

// The transistor level is counted, not estimated: its bodies say what there is.

// count adds up what a body is made of, with the values of its parameters.
func (d *deck) count(body string, scope map[string]float64) BillRow {
	var row BillRow
	for line := range strings.SplitSeq(strings.TrimSpace(body), "\n") {
		words := strings.Fields(line)
		switch words[0][0] {
		case 'r':
			row.Ohms += evaluate(words[3], scope)
		case 'c':
			row.Farads += evaluate(words[3], scope)
		case 'x':
			row.add(d.countInstance(words, scope))
		}
	}
	return row
}

func (d *deck) countInstance(words []string, scope map[string]float64) BillRow {
	nodes, name, params := instanceOf(words)
	p := d.level.part(name)
	inner := p.scope(d.global(), params, scope)
	if p != nil {
		return d.count(p.body, inner)
	}
	row := BillRow{Transistors: 1, gates: 1e12 * inner["p_w"] * inner["p_l"]}
	if nodes[2] == "vdd" { // its source: it is as wide as what flows in it
		row.Bias = inner["p_w"] / inner["p_mw"] * d.circuit.Units.Voltage / d.circuit.Units.Resistance
	}
	return row
}

// instanceOf takes the line of an instance apart.
func instanceOf(words []string) (nodes []string, name, params string) {
	nodes = words[1:]
	if i := slices.Index(words, "PARAMS:"); i > 0 {
		nodes, params = words[1:i], strings.Join(words[i+1:], " ")
	}
	return nodes[:len(nodes)-1], nodes[len(nodes)-1], params
}

// scope adds the parameters of an instance, which are numbers, to those that every
// cell knows.
func (i instance) scope(global map[string]float64) map[string]float64 {
	assign(global, findCell(i.cell).params, global)
	for k := 0; k < len(i.params); k += 2 {
		assign(global, i.params[k]+"="+i.params[k+1], global)
	}
	return global
}

// scope adds the parameters of a part, as what is around it has them, to those that
// every cell knows. nil is a transistor, which has those alone that it is given.
func (p *part) scope(global map[string]float64, params string, around map[string]float64) map[string]float64 {
	if p != nil {
		assign(global, p.params, global)
	}
	assign(global, params, around)
	return global
}

// global are the parameters that every cell knows.
func (d *deck) global() map[string]float64 {
	p, u := d.options.Process, d.circuit.Units
	t := p.Transistors
	return map[string]float64{
		"p_v0": u.Voltage, "p_r0": u.Resistance, "p_mw": t.Width, "p_ml": t.Length, "p_vs": p.rails(),
		"p_bend": p.bend(), "p_match": t.match(), "p_forget": forgets(p.Store),
		"p_fix_gm": 1, "p_fix_mirror": 1, "p_fix_correlator": 1, "p_fix_pair": 1, "p_fix_steer": 1, // what they change does not count here
	}
}

// assign sets parameters that are written p_a=1 p_b={p_c*2}.
func assign(to map[string]float64, params string, scope map[string]float64) {
	for _, w := range strings.Fields(params) {
		name, value, _ := strings.Cut(w, "=")
		to[name] = evaluate(value, scope)
	}
}

// evaluate works out a number, or an expression in braces of the bodies: + - * /,
// signs, parentheses, max and min, parameters. It is NaN where the expression has more.
func evaluate(s string, scope map[string]float64) float64 {
	e := evaluation{strings.Trim(s, "{}"), scope}
	v := e.sum()
	if e.rest != "" {
		return math.NaN()
	}
	return v
}

type evaluation struct {
	rest  string
	scope map[string]float64
}

// eat takes one of these characters, 0 when another follows.
func (e *evaluation) eat(chars string) byte {
	if e.rest == "" || strings.IndexByte(chars, e.rest[0]) < 0 {
		return 0
	}
	c := e.rest[0]
	e.rest = e.rest[1:]
	return c
}

func (e *evaluation) sum() float64 {
	v := e.product()
	for {
		switch e.eat("+-") {
		case '+':
			v += e.product()
		case '-':
			v -= e.product()
		default:
			return v
		}
	}
}

func (e *evaluation) product() float64 {
	v := e.factor()
	for {
		switch e.eat("*/") {
		case '*':
			v *= e.factor()
		case '/':
			v /= e.factor()
		default:
			return v
		}
	}
}

func (e *evaluation) factor() float64 {
	switch e.eat("+-") {
	case '+':
		return e.factor()
	case '-':
		return -e.factor()
	}
	if e.eat("(") != 0 {
		v := e.sum()
		e.eat(")")
		return v
	}
	n := 0
	for n < len(e.rest) && (strings.IndexByte("+-*/(),", e.rest[n]) < 0 || n > 1 && e.rest[n-1] == 'e' && e.rest[0] != 'p') {
		n++ // a sign after an e belongs to a number
	}
	word := e.rest[:n]
	e.rest = e.rest[n:]
	if e.eat("(") != 0 {
		a := e.sum()
		for e.eat(",") != 0 {
			switch b := e.sum(); word {
			case "max":
				a = math.Max(a, b)
			case "min":
				a = math.Min(a, b)
			default:
				a = math.NaN()
			}
		}
		e.eat(")")
		return a
	}
	if v, err := strconv.ParseFloat(word, 64); err == nil {
		return v
	}
	if v, ok := e.scope[word]; ok {
		return v
	}
	return math.NaN()
}
