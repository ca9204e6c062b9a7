package spice

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"vlec/circuit"
	"vlec/emit"
)

// A Datasheet is what one cell at one level promises, and where a netlist that
// measures it shows what it does: beside its ideal twin, with the same inputs.
type Datasheet struct {
	Cell     string
	Level    string
	Equation string
	Pins     []string
	Params   string
	Body     string  // of the level
	Note     string  // what it does not do, or does otherwise; "" for most
	Out      string  // node of the cell's output
	Twin     string  // node of the ideal twin's
	Noise    float64 // 0 where nobody knows it
	Built    BillRow
}

// A bench says how a cell is driven: the nodes that get a voltage, the pin that gets
// a current, the pin that is measured, and whether that is a sum without an owner.
// Cells that do nothing alone have others with them.
type bench struct {
	volts   []string
	current string
	high    string // is at 1
	out     string
	load    bool
	params  []string // in model units
	with    []companion
}

// A companion is a cell of the same level beside the one that is measured. Its nodes
// are those of the bench.
type companion struct {
	cell   string
	nodes  []string
	params []string
}

// tail is what two neurons of a softmax share.
var tail = companion{cell: "cell_softmax_tail", nodes: []string{"tail"}}

// written is a store whose weight others bear on.
var written = companion{"cell_weight_store", []string{"pre", "post", "w"}, []string{"p_rate", "1"}}

// between is a store whose weight begins between two levels of a refresh.
var between = companion{"cell_weight_store", []string{"pre", "post", "w"}, []string{"p_rate", "1", "p_init", "1.2"}}

// slopeOf is the bench of a slope, whose rate is that of its activation.
func slopeOf(activation string) bench {
	return bench{volts: []string{"in"}, out: "out", with: []companion{{cell: activation, nodes: []string{"in", "rate"}}}}
}

// Has tells whether a level has all that the bench of a cell needs.
func Has(level, cell string) bool {
	l, err := findLevel(level)
	if err != nil || l.bodies[cell] == "" {
		return false
	}
	return !slices.ContainsFunc(benches[cell].with, func(x companion) bool { return l.bodies[x.cell] == "" })
}

var benches = map[string]bench{
	"cell_synapse":          {volts: []string{"plus", "minus"}, out: "sum", load: true, params: []string{"p_w", "1"}},
	"cell_multiplier":       {volts: []string{"a", "b"}, out: "sum", load: true},
	"cell_lead_lag_rc":      {current: "sum", out: "sum", params: []string{"p_tau", "1", "p_ahead", "0.1"}},
	"cell_lead_lag":         {current: "sum", out: "lead", params: []string{"p_tau", "0.1", "p_ahead", "1"}},
	"cell_leaky_integrator": {current: "sum", out: "state", params: []string{"p_tau", "1"}},
	"cell_prospective":      {volts: []string{"sum", "state"}, out: "lead", params: []string{"p_tau", "1", "p_ahead", "0.1"}},
	"cell_tanh":             {volts: []string{"in"}, out: "out"},
	"cell_tanh_slope":       slopeOf("cell_tanh"),
	"cell_softplus":         {volts: []string{"in"}, out: "out"},
	"cell_softplus_slope":   slopeOf("cell_softplus"),
	"cell_sigmoid":          {volts: []string{"in"}, out: "out"},
	"cell_sigmoid_slope":    slopeOf("cell_sigmoid"),
	"cell_relu":             {volts: []string{"in"}, out: "out"},
	"cell_relu_slope":       slopeOf("cell_relu"),
	"cell_linear":           {volts: []string{"in"}, out: "out"},
	"cell_linear_slope":     slopeOf("cell_linear"),
	"cell_gate":             {current: "in", volts: []string{"slope"}, out: "sum", load: true},
	"cell_coupling":         {volts: []string{"plus", "minus"}, out: "sum", load: true, params: []string{"p_gain", "1"}},
	"cell_comparator":       {volts: []string{"target", "rate"}, out: "sum", load: true, params: []string{"p_gain", "1"}},
	"cell_difference":       {volts: []string{"plus", "minus"}, out: "out", params: []string{"p_gain", "1"}},
	"cell_weight_store":     {volts: []string{"pre", "post"}, out: "w", params: []string{"p_rate", "0.5"}},
	"cell_alignment_store":  {volts: []string{"pre", "post", "total"}, out: "w", params: []string{"p_rate", "0.5"}},
	"cell_weight_leak": {
		volts: []string{"pre", "post"}, out: "w", params: []string{"p_rate", "1", "p_decay", "0.2"}, with: []companion{written},
	},
	"cell_weight_clamp": {volts: []string{"pre", "post"}, out: "w", params: []string{"p_clip", "1"}, with: []companion{written}},
	"cell_weight_refresh": {
		volts: []string{"pre", "post"}, high: "strobe", out: "w",
		params: []string{"p_rate", "1", "p_grid", "0.5", "p_restore", "0.05"}, with: []companion{between},
	},
	"cell_offset": {current: "out", out: "out", load: true, params: []string{"p_offset", "0.1"}},
	"cell_softmax": {
		volts: []string{"in", "other"}, out: "out",
		with: []companion{{cell: "cell_softmax", nodes: []string{"other", "rest", "tail"}}, tail},
	},
	"cell_softmax_tail": {
		volts: []string{"in", "other"}, out: "out",
		with: []companion{{cell: "cell_softmax", nodes: []string{"in", "out", "tail"}}, {cell: "cell_softmax", nodes: []string{"other", "rest", "tail"}}},
	},
}

// Benched lists the cells that can be characterised, in the order of the table.
func Benched() []string {
	var names []string
	for _, c := range cells {
		if _, ok := benches[c.name]; ok {
			names = append(names, c.name)
		}
	}
	return names
}

// BenchLength is how long a characterisation runs, in time units.
const BenchLength = 40

// Bench writes a netlist that measures a cell beside its ideal twin. The inputs are
// sines of an amplitude [model units] and of frequencies that have no common
// period, slow enough for nothing but the cell's own time constants to matter.
func Bench(name, levelName string, u circuit.Units, p Process, amplitude float64, files *emit.Artifacts) (*Datasheet, error) {
	c := findCell(name)
	b, ok := benches[name]
	if c == nil || !ok {
		return nil, fmt.Errorf("there is no bench for a cell %q; there are %s", name, strings.Join(Benched(), ", "))
	}
	level, err := findLevel(levelName)
	if err != nil {
		return nil, err
	}
	p = p.known(u)
	twin := twinOf(name)
	d := &deck{
		circuit: &circuit.Circuit{Name: name, Units: u}, level: level, dialect: &dialects[0],
		options: Options{Process: p}, used: map[string]bool{name: true, twin: true},
	}
	for _, x := range b.with {
		d.used[x.cell], d.used[twinOf(x.cell)] = true, true
	}
	sheet := &Datasheet{
		Cell: name, Level: level.name, Equation: c.equation, Pins: strings.Fields(c.pins), Params: c.params,
		Body: strings.TrimSpace(level.bodies[name]), Note: level.notes[name], Out: "dut_" + b.out, Twin: "twin_" + b.out,
	}
	if err := level.fits(u, p); err != nil {
		return nil, err
	}
	if level.missing(d.used) != "" {
		return nil, fmt.Errorf("the %s level has no %s yet", level.name, name)
	}
	params := physical(b.params, u)
	sheet.Built = d.build(instance{name, nil, name, params})
	sheet.Built.finish(p)
	if !level.biased || slices.Contains([]string{"state", "w"}, b.out) {
		sheet.Noise = noise(b, params, u, p)
	}

	var volts, currents []string
	frequencies := []float64{0.05, 0.0309, 0.0191} // by the golden ratio, per time unit
	for i, pin := range append(slices.Clone(b.volts), b.current) {
		if pin == "" {
			continue
		}
		sine := fmt.Sprintf("sin(0 %s %s 0 0 0)", number(amplitude*u.Voltage), number(frequencies[i]/u.Time))
		if pin == b.current {
			sine = fmt.Sprintf("sin(0 %s %s 0 0 0)", number(amplitude*u.Voltage/u.Resistance), number(0.25/u.Time))
			currents = append(currents, "i_dut 0 dut_"+pin+" "+sine, "i_twin 0 twin_"+pin+" "+sine)
			continue
		}
		volts = append(volts, "v_"+pin+" "+pin+" 0 "+sine)
	}
	if b.high != "" {
		volts = append(volts, "v_"+b.high+" "+b.high+" 0 dc "+number(u.Voltage))
	}
	files.Add(NetlistFile, func(out io.Writer) error {
		w := emit.NewWriter(out)
		w.Comment("*", "vlec: "+name+" beside its ideal twin")
		w.Line(".param p_v0=" + number(u.Voltage))
		w.Line(".param p_r0=" + number(u.Resistance))
		w.Line(".include \"" + CellFile + "\"")
		for _, line := range append(volts, currents...) {
			w.Line(line)
		}
		for _, side := range []string{"dut_", "twin_"} {
			// A node is that of this side unless a source drives it for both.
			print := func(name string, x companion) {
				here := instance{name: name, cell: x.cell, params: x.params}
				for _, node := range x.nodes {
					if !slices.Contains(b.volts, node) && node != b.high {
						node = side + node
					}
					here.nodes = append(here.nodes, node)
				}
				if side == "twin_" {
					here.cell = twinOf(x.cell)
				}
				here.print(w)
			}
			print("x_"+strings.TrimSuffix(side, "_"), companion{name, sheet.Pins, params})
			for i, x := range b.with {
				print("x_"+side+string(rune('a'+i)), companion{x.cell, x.nodes, physical(x.params, u)})
			}
			if b.load {
				w.Line("r_" + side + "load " + side + b.out + " 0 {p_r0}")
			}
			if level.biased && b.out == "w" {
				w.Line(".ic v(" + side + "w)=" + number(begins(b, u)))
			}
		}
		for _, line := range d.dialect.options(level.steps, u.Voltage, u.Voltage/u.Resistance) {
			w.Line(line)
		}
		w.Wrap("+ ", d.dialect.save([]string{sheet.Out, sheet.Twin})...)
		w.Line(d.dialect.tran(number(u.Time/100), number(BenchLength*u.Time), !level.biased))
		w.Line(".end")
		return w.Flush()
	})
	if level.biased {
		files.AddText(MOSFile, MOSAt(p.Pair))
	}
	files.Add(CellFile, func(w io.Writer) error { return d.printCells(w) })
	return sheet, nil
}

// physical puts the parameters of a bench into seconds and volts.
func physical(params []string, u circuit.Units) []string {
	out := slices.Clone(params)
	for i := 0; i < len(out); i += 2 {
		switch v := parameter(out, out[i]); out[i] {
		case "p_tau", "p_ahead", "p_restore":
			out[i+1] = rounded(v * u.Time)
		case "p_rate", "p_decay":
			out[i+1] = rounded(v / u.Time)
		case "p_clip", "p_offset", "p_grid", "p_init":
			out[i+1] = rounded(v * u.Voltage)
		}
	}
	return out
}

// begins is where a weight begins [V].
func begins(b bench, u circuit.Units) float64 {
	for _, x := range b.with {
		if slices.Contains(x.params, "p_init") {
			return parameter(physical(x.params, u), "p_init")
		}
	}
	return 0
}

// noise is sqrt(kT/C) at 300 K of the capacitance that the output stands on.
func noise(b bench, params []string, u circuit.Units, p Process) float64 {
	farads := 1 / (2 * math.Pi * p.OTA.Bandwidth * u.Resistance)
	switch b.out {
	case "state":
		farads = parameter(params, "p_tau") / u.Resistance
	case "w":
		for _, x := range b.with {
			params = physical(x.params, u)
		}
		farads = 1 / (parameter(params, "p_rate") * u.Resistance)
	}
	const boltzmann, kelvin = 1.380649e-23, 300
	return math.Sqrt(boltzmann * kelvin / farads)
}
