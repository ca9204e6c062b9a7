package spice

import (
	"math"
	"path"
	"path/filepath"
	"slices"

	"vlec/circuit"
)

// A Map ties the variables of a model to the nodes of its netlist.
type Map struct {
	Model   string `json:"model"`
	Hash    string `json:"hash"`
	Level   string `json:"level"`
	Dialect string `json:"dialect"`
	Netlist string `json:"netlist"`
	// Separator stands between the name of an instance and that of a node inside
	// it: x_hidden_error0.y.
	Separator string        `json:"separator"`
	Units     circuit.Units `json:"units"`
	// Resolution is how many steps of the transient fall into the smallest time
	// constant; a trapezoidal step is off by 1/(12 Resolution^2) a radian.
	Resolution float64 `json:"resolution"`
	// Rounding is the largest relative error of a parameter whose part was rounded
	// to a series.
	Rounding float64     `json:"rounding,omitempty"`
	Signals  []MapSignal `json:"signals"`
	// Nulls take the offsets of instances away [V].
	Nulls map[string]float64 `json:"nulls,omitempty"`
	// States are the potentials that a run begins at, by element: those of a next
	// run are where this one stopped.
	States   []MapSignal  `json:"states"`
	Elements []MapElement `json:"elements"`

	Bill *Bill `json:"-"` // a file of its own
}

// A MapSignal says which nodes carry a variable: value = potential / Scale.
type MapSignal struct {
	Name  string   `json:"name"`
	Shape []int    `json:"shape"`
	Scale float64  `json:"scale"` // volts per model unit
	Nodes []string `json:"nodes"` // row-major
}

// A MapElement says how the instances of an element are called: its base
// followed by an index, or by row_column.
type MapElement struct {
	Name   string `json:"name"`
	Kind   string `json:"kind"`
	Base   string `json:"base"`
	Origin string `json:"origin,omitempty"` // file:line:col of the model
}

func (d *deck) sideMap() *Map {
	m := &Map{
		Model: d.circuit.Name, Hash: d.options.Hash, Level: d.level.name, Dialect: d.dialect.name,
		Netlist: NetlistFile, Separator: d.dialect.separator, Units: d.circuit.Units,
		Resolution: math.Round(1e6*SmallestTime(d.circuit)/d.options.MaxStep) / 1e6,
	}
	m.Nulls = d.options.Nulls
	for _, s := range d.circuit.Signals {
		m.Signals = append(m.Signals, MapSignal{Name: s.Name, Shape: s.Shape, Scale: d.circuit.Units.Voltage, Nodes: d.nodes[s.Net]})
	}
	for _, e := range d.circuit.Elements {
		if e.Kind.State != "" {
			net := e.Pin(e.Kind.State)
			m.States = append(m.States, MapSignal{Name: e.Name, Shape: []int{net.Width}, Scale: d.circuit.Units.Voltage, Nodes: d.nodes[net]})
		}
		el := MapElement{Name: e.Name, Kind: e.Kind.Name, Base: "x_" + d.element[e]}
		if pos := e.Origin; pos.IsValid() {
			pos.File = path.Base(filepath.ToSlash(pos.File)) // where the model lay does not matter
			el.Origin = pos.String()
		}
		m.Elements = append(m.Elements, el)
	}
	return m
}

// Learns tells whether weights of the netlist are states.
func (m *Map) Learns() bool {
	return slices.ContainsFunc(m.Elements, func(e MapElement) bool {
		return e.Kind == "weight-store" || e.Kind == "alignment-store"
	})
}
