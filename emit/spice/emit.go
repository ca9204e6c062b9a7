// Package spice prints circuits as SPICE netlists: a top file, the library of
// the cells it uses, and a side map from every variable of the model to its
// node.
//
// # For maintainers
//
// Emission prepares, names, then prints. Preparing expands buses into nodes and
// picks a cell for every neuron (deck.go); the cells are rows of a table with
// the text of their bodies (cells.go); printing walks the elements in order and
// changes nothing (elements.go, stimuli.go). What differs between simulators is
// one row of the dialect table (dialect.go).
//
// The text keeps to a subset that means the same in ngspice, Xyce and LTspice:
// no suffixes, no indentation, braces around every expression, prefixed
// parameters, all four arguments of .tran. Two rules of ngspice shape the cells.
// Literals inside a behavioural expression are cut to 11 digits while parameters
// keep 16, so cells take their numbers as parameters. And fan-in is a node that
// sums currents, never one long expression, which would cost the square.
package spice

import (
	"cmp"
	"fmt"
	"io"
	"math"

	"vlec/circuit"
	"vlec/emit"
)

// File names of the artefacts.
const (
	NetlistFile = "net.cir"
	CellFile    = "cells.lib"
	MapFile     = "map.json"
	BillFile    = "bill.json"
	GraphFile   = "network.dot"
	NeuronFile  = "neuron.svg"
	StartFile   = "start.lib"
)

// Options describe a transient run of a circuit and the header of its netlist.
type Options struct {
	Dialect   string  // a row of the dialect table; "" is ngspice
	Level     string  // a row of the table of levels; "" is ideal
	Process   Process // what the parts of the level are like
	MOS       string  // the library of transistors; "" is GenericMOS
	Generator string  // tool and version, for the header
	Hash      string  // of the model, for the header
	Seed      uint64  // of the model's draws, for the header
	Drawn     string  // what else was drawn, for the header; "" is nothing

	Dt      float64 // step of the model's clocked semantics, for estimates [s]
	Stop    float64 // length of the transient [s]
	MaxStep float64 // longest step [s]; 0: SmallestTime / StepsPerTau, or what the level asks for
	// Save lists the signals to record; nil records all of them.
	Save []string
	// SaveStates records the states beside them, from which a next run may go on.
	SaveStates bool
	// Nulls are the potentials [V] that take away the offsets of instances, by name,
	// see Nulls; nil takes away none.
	Nulls map[string]float64
	// Start has the potentials [V] of all nodes, inner ones after their instances and
	// dots, at which a biased circuit begins while its states are where they begin. nil
	// leaves it to the simulator to find them.
	Start map[string]float64
}

// fitsMOS tells what a library of transistors does not go with.
func (o *Options) fitsMOS() error {
	if o.MOS != "" && o.Process.Pair != 1 {
		return fmt.Errorf("a design kit's transistors are those of its own temperature: leave temperature out")
	}
	if o.MOS != "" && o.Process.Transistors.AVT != 0 {
		return fmt.Errorf("avt is a figure of the generic transistors; a design kit draws its own: leave avt out")
	}
	return nil
}

// StepsPerTau is how many steps of the transient fall into the smallest time
// constant by default. Trapezoidal integration is off by (step/tau)^2/12 a
// radian, 3e-5 at 50. Transistors, whose steps cost more and are shortened by their
// truncation error, ask for fewer.
const StepsPerTau = 50

// SmallestTime returns the time [s] that a transient must resolve: the smallest
// time constant, or a radian of the fastest stimulus.
func SmallestTime(c *circuit.Circuit) float64 {
	tau := math.Inf(1)
	for _, e := range c.Elements {
		for i, spec := range e.Kind.Params {
			if spec.Dimension == circuit.Time {
				for _, t := range e.Params[i].Numbers {
					tau = math.Min(tau, t)
				}
			}
			for _, w := range e.Params[i].Waves {
				for _, t := range w {
					if f := fastest(t); f > 0 {
						tau = math.Min(tau, 1/(2*math.Pi*f))
					}
				}
			}
		}
	}
	return tau
}

// fastest is the highest frequency of an oscillating term.
func fastest(t circuit.Term) float64 {
	switch t.Shape {
	case "sine":
		return t.Numbers[1]
	case "chirp":
		return math.Max(t.Numbers[1], t.Numbers[2])
	}
	return 0
}

// Emit prepares the netlist of a circuit in volts and seconds and adds its files
// to the artefacts. It returns the side map, which is also one of the files.
func Emit(c *circuit.Circuit, o Options, files *emit.Artifacts) (*Map, error) {
	if !c.Units.Physical() {
		return nil, fmt.Errorf("the circuit is in model units; run the scale pass before printing a netlist")
	}
	dialect, err := findDialect(o.Dialect)
	if err != nil {
		return nil, err
	}
	level, err := findLevel(o.Level)
	if err != nil {
		return nil, err
	}
	if o.MaxStep == 0 {
		o.MaxStep = SmallestTime(c) / level.steps.stepsPerTau()
	}
	if !(o.Stop > 0 && o.MaxStep > 0 && !math.IsInf(o.MaxStep, 0)) {
		return nil, fmt.Errorf("the transient needs a positive stop time and step, got %g s and %g s", o.Stop, o.MaxStep)
	}
	o.Process = o.Process.known(c.Units)
	if err := level.fits(c.Units, o.Process); err != nil {
		return nil, err
	}
	if err := o.fitsMOS(); err != nil {
		return nil, err
	}
	d := prepare(c, o, dialect, level)
	if name := level.missing(d.used); name != "" {
		return nil, fmt.Errorf("the %s level has no %s yet; use --level macro", level.name, name)
	}
	if err := d.refreshes(); err != nil {
		return nil, err
	}
	m := d.sideMap()
	files.Add(NetlistFile, func(w io.Writer) error { return d.print(w) })
	files.Add(CellFile, func(w io.Writer) error { return d.printCells(w) })
	if level.biased {
		files.AddText(MOSFile, cmp.Or(o.MOS, MOSAt(o.Process.Pair)))
	}
	if o.Start != nil {
		files.Add(StartFile, func(w io.Writer) error { return d.printStart(w) })
	}
	files.AddJSON(MapFile, m)
	m.Bill = d.bill()
	files.AddJSON(BillFile, m.Bill)
	files.AddText(GraphFile, c.Dot())
	if picture := d.neuron(); picture != "" {
		files.AddText(NeuronFile, picture)
	}
	return m, nil
}
