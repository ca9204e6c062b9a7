package spice

import (
	"fmt"
	"hash/fnv"
	"io"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"vlec/emit"
)

// # Unequal transistors
//
// Where thresholds differ, no two instances of a cell are the same circuit. Each
// gets a subcircuit of its own, in which the parts are written out, and every
// transistor has its width, its length and its own p_dvt as literal numbers. A draw
// depends on the seed and the path of the transistor alone.
//
// sigma(Vt) = avt/sqrt(width length): Pelgrom, IEEE JSSC 24, 1989.

// ownCells are the subcircuits of a netlist's instances, by instance.
type ownCells struct {
	names map[string]string
	list  []ownCell
	from  map[string]bool // cells that no instance uses any more
}

type ownCell struct {
	cell
	lines [][]string
}

// drawOwn gives every instance that has transistors a cell of its own.
func (d *deck) drawOwn() {
	if !d.level.biased || d.options.Process.Transistors.AVT == 0 {
		return
	}
	d.own.names, d.own.from = map[string]string{}, map[string]bool{}
	global := d.exactly()
	for _, e := range d.circuit.Elements {
		if e.Testbench() {
			continue
		}
		d.expand(e, func(x instance) {
			own := ownCell{cell: *findCell(x.cell)}
			w := writtenOut{deck: d, cell: &own, instance: x.name, global: global}
			w.body(d.level.bodies[x.cell], "", nil, x.scope(maps.Clone(global)))
			if w.transistors == 0 {
				return
			}
			own.name = x.cell + "_" + strings.TrimPrefix(x.name, "x_")
			d.own.names[x.name], d.own.from[x.cell] = own.name, true
			d.own.list = append(d.own.list, own)
		})
	}
}

// exactly are the parameters that every cell knows, corrections and all.
func (d *deck) exactly() map[string]float64 {
	scope := d.global()
	for _, line := range d.options.Process.Corrections.process() {
		if param, ok := strings.CutPrefix(line, ".param "); ok {
			assign(scope, param, scope)
		}
	}
	return scope
}

// writtenOut collects the devices of a cell without the parts between.
type writtenOut struct {
	*deck
	cell        *ownCell
	instance    string
	global      map[string]float64 // what exactly returns
	transistors int
}

// body adds the devices of a body, which stands at a path inside the cell, with its
// pins tied to nodes. What stands in a part has numbers for its parameters.
func (w *writtenOut) body(body, path string, pins map[string]string, scope map[string]float64) {
	for line := range strings.SplitSeq(strings.TrimSpace(body), "\n") {
		words := strings.Fields(line)
		if words[0][0] == 'x' {
			w.part(words, path, pins, scope)
			continue
		}
		if path != "" {
			words[0] = words[0][:1] + path + "_" + words[0]
			for i := 1; i <= 2; i++ {
				words[i] = inside(words[i], path, pins)
			}
			for i := 3; i < len(words); i++ {
				if strings.HasPrefix(words[i], "{") {
					words[i] = literal(words[i], scope)
				}
			}
			if strings.IndexByte("rci", words[0][0]) < 0 {
				panic("spice: a part has a " + words[0])
			}
		}
		w.cell.lines = append(w.cell.lines, words)
	}
}

// part adds what an instance inside a body is made of: devices, or a transistor.
func (w *writtenOut) part(words []string, path string, pins map[string]string, scope map[string]float64) {
	nodes, name, params := instanceOf(words)
	here := words[0]
	if path != "" {
		here = path + "_" + here
	}
	tied := make([]string, len(nodes))
	for i, n := range nodes {
		tied[i] = inside(n, path, pins)
	}
	p := w.level.part(name)
	inner := p.scope(maps.Clone(w.global), params, scope)
	if p != nil {
		outside := map[string]string{}
		for i, pin := range strings.Fields(p.pins) {
			outside[pin] = tied[i]
		}
		w.body(p.body, here, outside, inner)
		return
	}
	w.transistors++
	t := w.options.Process.Transistors
	h := fnv.New64a()
	io.WriteString(h, w.instance+" "+here)
	draw := rand.New(rand.NewPCG(w.options.Seed, h.Sum64())).NormFloat64()
	// A threshold to 1 uV: what a library of the system makes of the last digits of a
	// logarithm does not matter then.
	dvt := math.Round(1e6*draw*t.AVT/math.Sqrt(inner["p_w"]*inner["p_l"])) / 1e6
	w.cell.lines = append(w.cell.lines, append(append([]string{here}, tied...), name, "PARAMS:",
		"p_w="+rounded(inner["p_w"]), "p_l="+rounded(inner["p_l"]), "p_dvt="+number(dvt)))
}

// inside is what a node of a body at a path is called in the cell.
func inside(node, path string, pins map[string]string) string {
	if tied, ok := pins[node]; ok {
		return tied
	}
	if path == "" || node == "0" || slices.Contains(biasNodes, node) {
		return node
	}
	return path + "_" + node
}

func literal(expression string, scope map[string]float64) string {
	v := evaluate(expression, scope)
	if math.IsNaN(v) {
		panic("spice: nobody knows what " + expression + " is")
	}
	return rounded(v)
}

func (d *deck) printOwn(w *emit.Writer) {
	for _, own := range d.own.list {
		var body strings.Builder
		for _, words := range own.lines {
			body.WriteString(strings.Join(words, " ") + "\n")
		}
		printCell(w, own.name, own.cell, body.String())
	}
}

// unequal says how far transistors differ, for the header of a netlist.
func (o Options) unequal() string {
	t := o.Process.Transistors
	if t.AVT == 0 {
		return ""
	}
	return fmt.Sprintf("thresholds of transistors: %.4g V m over the square root of their area, drawn with seed %d", t.AVT, o.Seed)
}
