package spice

import (
	"fmt"
	"io"
	"maps"
	"strings"

	"vlec/emit"
)

// A level is how much of a real circuit the bodies of the cells show. All levels
// fill the same contracts (cells.go), so that the network above them is the same
// text.
//
// To add a level, add a row and one body for each cell. A body may use parts: the
// op-amps, transconductors or transistors that several cells are built from.
type level struct {
	name    string
	what    string // in a sentence, for the header of the library
	bodies  map[string]string
	parts   []part
	notes   map[string]string      // for the datasheets of cells: what a body does not do, or does otherwise
	process func(Process) []string // the lines that say what the parts are like
	steps   integration            // what the fastest poles of the level ask for
	// biased circuits have potentials inside their cells that a run must begin with,
	// or it would begin with the switching on of the supplies.
	biased bool
}

// A part is a subcircuit that cells of one level are built from.
type part struct {
	cell
	body string
}

var levels = []level{
	{
		name:    "ideal",
		what:    "resistors, capacitors and controlled sources that obey their equations",
		bodies:  idealBodies,
		process: func(Process) []string { return nil },
		steps:   integration{method: "trap"},
	},
	{
		name:    "macro",
		what:    "op-amps, transconductors and multipliers with the limits that are declared below",
		bodies:  macroBodies,
		parts:   macroParts,
		process: macroProcess,
		// Parasitic poles are faster than a step. The trapezoidal rule would let them
		// ring; Gear's rule damps them.
		steps: integration{method: "gear", controlled: true},
	},
	{
		name:    "transistor",
		what:    "transistors in weak inversion between two supplies, resistors and capacitors",
		bodies:  transistorBodies,
		parts:   transistorParts,
		notes:   map[string]string{"cell_weight_refresh": refreshNote},
		process: transistorProcess,
		steps:   integration{method: "gear", controlled: true, perTau: 10, charge: 1e-18},
		biased:  true,
	},
}

// Levels lists the names of the levels.
func Levels() []string {
	names := make([]string, len(levels))
	for i := range levels {
		names[i] = levels[i].name
	}
	return names
}

// Biased tells whether a level's circuits begin at an operating point, Options.Start.
func Biased(name string) bool {
	l, err := findLevel(name)
	return err == nil && l.biased
}

func findLevel(name string) (*level, error) {
	if name == "" {
		name = "ideal"
	}
	for i := range levels {
		if levels[i].name == name {
			return &levels[i], nil
		}
	}
	return nil, fmt.Errorf("there is no level %q of cells; known are %s", name, strings.Join(Levels(), ", "))
}

// printCells prints the library: the parts, the cells that the netlist uses, in
// the order of the table, and those of its testbench, which are ideal at every
// level.
func (d *deck) printCells(out io.Writer) error {
	w := emit.NewWriter(out)
	w.Line("* vlec cell library, level " + d.level.name)
	w.Comment("*", d.level.what)
	w.Line("* p_v0: volts per model unit; p_r0: ohms; a current of p_v0/p_r0 stands for 1")
	w.Line(".param p_turn=6.283185307179586")
	for _, line := range d.level.process(d.options.Process) {
		w.Line(line)
	}
	used := maps.Clone(d.used)
	maps.DeleteFunc(used, func(cell string, _ bool) bool { return d.own.from[cell] })
	for _, p := range d.level.parts {
		if d.level.uses(p.name, used) {
			printCell(w, p.name, p.cell, p.body)
		}
	}
	for _, c := range cells {
		if used[c.name] {
			printCell(w, c.name, c, d.level.bodies[c.name])
		}
	}
	d.printOwn(w)
	for _, c := range cells {
		if name := twinOf(c.name); d.used[name] {
			printCell(w, name, c, idealBodies[c.name])
		}
	}
	return w.Flush()
}

// part is the part of that name, nil when there is none.
func (l *level) part(name string) *part {
	for i := range l.parts {
		if l.parts[i].name == name {
			return &l.parts[i]
		}
	}
	return nil
}

// uses tells whether one of the used cells is built from a part, directly or
// through other parts.
func (l *level) uses(part string, used map[string]bool) bool {
	for name, body := range l.bodies {
		if used[name] && strings.Contains(body, " "+part) {
			return true
		}
	}
	for _, p := range l.parts {
		if p.name != part && strings.Contains(p.body, " "+part) && l.uses(p.name, used) {
			return true
		}
	}
	return false
}

// missing is the first of the used cells that the level has no body for, "" when
// it has all.
func (l *level) missing(used map[string]bool) string {
	for _, c := range cells {
		if _, ok := l.bodies[c.name]; used[c.name] && !ok {
			return c.name
		}
	}
	return ""
}

func printCell(w *emit.Writer, name string, c cell, body string) {
	w.Blank()
	w.Comment("*", name+": "+c.equation)
	words := append([]string{".subckt", name}, strings.Fields(c.pins)...)
	if c.params != "" {
		words = append(append(words, "PARAMS:"), strings.Fields(c.params)...)
	}
	w.Wrap("+ ", words...)
	for line := range strings.SplitSeq(strings.TrimSpace(body), "\n") {
		w.Wrap("+ ", strings.Fields(line)...)
	}
	w.Line(".ends")
}

// twinOf is what a cell is called in the testbench: a teacher is no part of the
// circuit, and has none of its imperfections.
func twinOf(cell string) string { return "bench" + strings.TrimPrefix(cell, "cell") }
