// Package circuit is the graph between a model and an emitted text: nets that
// carry potentials or sum currents, and the elements that join them (leaky
// integrators, prospective units, synapses, activations, weight stores, error
// units, stimuli). The graph contains the learning, not just the forward path.
//
// A graph starts in model units (package lower makes one from a model), passes
// rewrite it (package pass), and the emitters print it as SPICE or Verilog. It
// has a text form that reads back: see Circuit.String and Parse.
//
// # For maintainers
//
// Nets are buses and elements are arrays: a dense projection is one element
// with an n x m weight matrix, not n*m elements. That keeps graphs readable and
// passes fast; whoever needs single devices expands the rows while printing.
//
// The kinds of elements are rows of one table (kind.go). Verify, the text form
// and the scaling pass all read that table, so a new kind is one row here and
// one body in each emitter. The package knows neither models nor targets.
package circuit

import (
	"slices"

	"vlec/model/diag"
)

// A Circuit is a graph of elements joined by nets.
type Circuit struct {
	Name     string
	Units    Units
	Nets     []*Net
	Elements []*Element
	Signals  []Signal
}

// A Signal says on which net a variable of the model can be observed. Passes
// that remove a net move its signals to the net that now carries them.
type Signal struct {
	Name  string // "hidden.u", "in_hidden.W"
	Shape []int  // [n] or [n m], row-major on the net
	Net   *Net
}

// Units say what one model unit is in the circuit. The zero Units mean that the
// circuit is still in model units.
type Units struct {
	Time       float64 `json:"time"`       // seconds per model time unit
	Voltage    float64 `json:"voltage"`    // volts per model unit
	Resistance float64 `json:"resistance"` // ohms; Voltage/Resistance is the unit of current
}

// Physical tells whether the circuit has been put into volts and seconds.
func (u Units) Physical() bool { return u != Units{} }

// A Quantity says how a net combines what is connected to it.
type Quantity string

const (
	// Potential nets are driven by one element and read by any number.
	Potential Quantity = "potential"
	// Sum nets add what any number of elements inject; exactly one element
	// terminates them, that is, turns the sum into a potential.
	Sum Quantity = "sum"
)

// A Net is a bus of Width wires that all carry the same kind of quantity.
type Net struct {
	Name     string // "hidden.u"; unique in the circuit
	Quantity Quantity
	Width    int
}

// An Element is one row of the element table with its pins and parameters
// filled in. Pins and Params follow the order of the kind's specification.
type Element struct {
	Kind   *Kind
	Name   string   // "hidden.membrane"; unique in the circuit
	Origin diag.Pos // its place in the model file
	Pins   []*Net   // nil until connected
	Params []Param
}

// A Param is the value of one parameter: numbers, a word, or stimuli.
type Param struct {
	Numbers []float64
	Word    string
	Waves   []Wave
}

// New returns an empty circuit in model units.
func New(name string) *Circuit { return &Circuit{Name: name} }

// Net adds a net and returns it.
func (c *Circuit) Net(name string, q Quantity, width int) *Net {
	n := &Net{Name: name, Quantity: q, Width: width}
	c.Nets = append(c.Nets, n)
	return n
}

// Add appends an element with every pin open and every parameter empty; Connect
// and Set fill them in.
func (c *Circuit) Add(kind, name string, origin diag.Pos) *Element {
	e := NewElement(kind, name, origin)
	c.Elements = append(c.Elements, e)
	return e
}

// NewElement returns an element that belongs to no circuit yet. The kind must
// be one of the table's.
func NewElement(kind, name string, origin diag.Pos) *Element {
	k := Kinds[kind]
	if k == nil {
		panic("circuit: no element kind " + kind)
	}
	return &Element{Kind: k, Name: name, Origin: origin, Pins: make([]*Net, len(k.Pins)), Params: make([]Param, len(k.Params))}
}

// Connect joins a pin to a net.
func (e *Element) Connect(pin string, n *Net) *Element {
	e.Pins[e.Kind.pin(pin)] = n
	return e
}

// Set gives a numeric parameter its value, row-major. It copies the values,
// which a pass may change while a model still holds them.
func (e *Element) Set(param string, values ...float64) *Element {
	e.Params[e.Kind.param(param)].Numbers = slices.Clone(values)
	return e
}

// SetWord gives a parameter that names something its value.
func (e *Element) SetWord(param, word string) *Element {
	e.Params[e.Kind.param(param)].Word = word
	return e
}

// SetWaves gives a parameter that holds stimuli its value.
func (e *Element) SetWaves(param string, waves []Wave) *Element {
	e.Params[e.Kind.param(param)].Waves = waves
	return e
}

// Pin returns the net at a pin, nil when nothing is connected to it.
func (e *Element) Pin(name string) *Net { return e.Pins[e.Kind.pin(name)] }

// Numbers returns a numeric parameter, row-major.
func (e *Element) Numbers(param string) []float64 { return e.Params[e.Kind.param(param)].Numbers }

// HasParam tells whether the element's kind knows a parameter.
func (e *Element) HasParam(param string) bool {
	for i := range e.Kind.Params {
		if e.Kind.Params[i].Name == param {
			return true
		}
	}
	return false
}

// Number returns a scalar parameter.
func (e *Element) Number(param string) float64 { return e.Numbers(param)[0] }

// Word returns a parameter that names something.
func (e *Element) Word(param string) string { return e.Params[e.Kind.param(param)].Word }

// Waves returns a parameter that holds stimuli, one a channel.
func (e *Element) Waves(param string) []Wave { return e.Params[e.Kind.param(param)].Waves }

// FindNet returns the net of that name, or nil.
func (c *Circuit) FindNet(name string) *Net {
	for _, n := range c.Nets {
		if n.Name == name {
			return n
		}
	}
	return nil
}

// A Use is one connection of a net.
type Use struct {
	Element *Element
	Pin     int
}

// Role returns what the pin does to the net.
func (u Use) Role() Role { return u.Element.Kind.Pins[u.Pin].Role }

// Uses lists where nets are connected: for each net the elements and pins that
// touch it, in the order of the elements.
func (c *Circuit) Uses() map[*Net][]Use {
	uses := make(map[*Net][]Use, len(c.Nets))
	for _, e := range c.Elements {
		for i, n := range e.Pins {
			if n != nil {
				uses[n] = append(uses[n], Use{Element: e, Pin: i})
			}
		}
	}
	return uses
}

// Observe declares that a variable of the model stands on a net. The shape
// defaults to a vector as wide as the net.
func (c *Circuit) Observe(name string, n *Net, shape ...int) {
	if len(shape) == 0 {
		shape = []int{n.Width}
	}
	c.Signals = append(c.Signals, Signal{Name: name, Shape: shape, Net: n})
}

// Replace moves every reader and every signal of one net to another of the same
// width.
func (c *Circuit) Replace(from, to *Net) {
	for _, u := range c.Uses()[from] {
		if u.Role() == Reads {
			u.Element.Pins[u.Pin] = to
		}
	}
	for i := range c.Signals {
		if c.Signals[i].Net == from {
			c.Signals[i].Net = to
		}
	}
}

// Prune drops the nets that no element touches.
func (c *Circuit) Prune() {
	uses := c.Uses()
	kept := c.Nets[:0]
	for _, n := range c.Nets {
		if len(uses[n]) > 0 {
			kept = append(kept, n)
		}
	}
	c.Nets = kept
}
