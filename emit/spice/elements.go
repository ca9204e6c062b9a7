package spice

import (
	"strconv"

	"vlec/circuit"
)

// A body prints an element. It calls p.x for each cell instance and nothing
// that depends on earlier elements.
type body struct {
	cells func(d *deck, e *circuit.Element) []string
	print func(p *printer, e *circuit.Element)
}

func cellsOf(d *deck, e *circuit.Element) []string {
	if b, ok := bodies[e.Kind.Name]; ok && b.cells != nil {
		return b.cells(d, e)
	}
	return nil
}

func (p *printer) print(e *circuit.Element) {
	p.Comment("*", e.Name+": "+e.Kind.Equation)
	b, ok := bodies[e.Kind.Name]
	if !ok {
		panic("spice: no body for " + e.Kind.Name)
	}
	b.print(p, e)
}

func one(name string) func(*deck, *circuit.Element) []string {
	return func(*deck, *circuit.Element) []string { return []string{name} }
}

// bodies is the ideal level, by element kind; init fills it because the bodies
// refer to the printer, which refers to it.
var bodies map[string]body

func init() {
	bodies = map[string]body{
		"stimulus":           {cellsOfStimulus, (*printer).stimulus},
		"synapse":            {nil, (*printer).synapse},
		"plastic-synapse":    {one("cell_multiplier"), (*printer).plasticSynapse},
		"transposed-synapse": {one("cell_multiplier"), (*printer).transposedSynapse},
		"weight-store":       {func(_ *deck, e *circuit.Element) []string { return []string{storeCell(e)} }, (*printer).weightStore},
		"alignment-store":    {one("cell_alignment_store"), (*printer).alignmentStore},
		"leaky-integrator":   {one("cell_leaky_integrator"), perNeuron("cell_leaky_integrator", []string{"sum", "state"}, "tau", "init")},
		"prospective":        {one("cell_prospective"), perNeuron("cell_prospective", []string{"sum", "state", "lead"}, "tau", "ahead")},
		"lead-lag":           {leadLagCells, (*printer).leadLag},
		"activation": {
			func(_ *deck, e *circuit.Element) []string { return []string{"cell_" + e.Word("phi")} },
			func(p *printer, e *circuit.Element) { perNeuron("cell_"+e.Word("phi"), []string{"in", "out"})(p, e) },
		},
		"slope": {
			func(_ *deck, e *circuit.Element) []string { return []string{"cell_" + e.Word("phi") + "_slope"} },
			func(p *printer, e *circuit.Element) {
				perNeuron("cell_"+e.Word("phi")+"_slope", []string{"in", "rate", "out"})(p, e)
			},
		},
		"softmax":    {one("cell_softmax"), (*printer).softmax},
		"comparator": {one("cell_comparator"), perNeuron("cell_comparator", []string{"target", "rate", "sum"}, "gain")},
		"gate":       {one("cell_gate"), perNeuron("cell_gate", []string{"in", "slope", "sum"})},
		"coupling":   {nil, (*printer).coupling},
		"difference": {one("cell_difference"), perNeuron("cell_difference", []string{"plus", "minus", "out"}, "gain")},
	}
}

// instance prints one cell instance: x_hidden_membrane3 nodes cell PARAMS: …
func (p *printer) instance(name string, nodes []string, cell string, params ...string) {
	words := append([]string{name}, nodes...)
	words = append(words, cell)
	if len(params) > 0 {
		words = append(append(words, "PARAMS:"), params...)
	}
	p.Wrap("+ ", words...)
}

// perNeuron prints one instance of a cell a neuron, the numbers of the element
// as its parameters; a scalar goes to every instance.
func perNeuron(cell string, pins []string, params ...string) func(*printer, *circuit.Element) {
	return func(p *printer, e *circuit.Element) {
		for i := range p.nodes[e.Pin(pins[0])] {
			nodes := make([]string, len(pins))
			for k, pin := range pins {
				nodes[k] = p.nodes[e.Pin(pin)][i]
			}
			values := make([]string, len(params))
			for k, name := range params {
				xs := e.Numbers(name)
				values[k] = "p_" + name + "=" + number(xs[i%len(xs)])
			}
			p.instance(p.element[e]+strconv.Itoa(i), nodes, cell, values...)
		}
	}
}

func leadLagCells(d *deck, e *circuit.Element) []string {
	var cells []string
	for _, passive := range d.passive[e] {
		if passive {
			cells = append(cells, "cell_lead_lag_rc")
		} else {
			cells = append(cells, "cell_lead_lag")
		}
	}
	return cells
}

func (p *printer) leadLag(e *circuit.Element) {
	sum, state, lead := p.nodes[e.Pin("sum")], p.nodes[e.Pin("state")], p.nodes[e.Pin("lead")]
	for i, passive := range p.passive[e] {
		cell, nodes := "cell_lead_lag", []string{sum[i], state[i], lead[i]}
		if passive {
			cell, nodes = "cell_lead_lag_rc", nodes[:2]
		}
		p.instance(p.element[e]+strconv.Itoa(i), nodes, cell,
			"p_tau="+number(e.Numbers("tau")[i]), "p_ahead="+number(e.Numbers("ahead")[i]), "p_init="+number(e.Numbers("init")[i]))
	}
}

// synapse prints a static projection: one transconductance a weight, none for
// a weight of 0.
func (p *printer) synapse(e *circuit.Element) {
	pre, sum, w := p.nodes[e.Pin("pre")], p.nodes[e.Pin("sum")], e.Numbers("w")
	name, r0 := "g"+p.element[e][1:], p.circuit.Units.Resistance
	for i := range sum {
		for j := range pre {
			if x := w[i*len(pre)+j]; x != 0 {
				p.Linef("%s%d_%d 0 %s %s 0 %s", name, i, j, sum[i], pre[j], number(x/r0))
			}
		}
	}
}

func (p *printer) coupling(e *circuit.Element) {
	in, sum := p.nodes[e.Pin("in")], p.nodes[e.Pin("sum")]
	name, g := "g"+p.element[e][1:], number(e.Number("gain")/p.circuit.Units.Resistance)
	for i := range sum {
		p.Linef("%s%d 0 %s %s 0 %s", name, i, sum[i], in[i], g)
	}
}

func (p *printer) plasticSynapse(e *circuit.Element) {
	w, pre, sum := p.nodes[e.Pin("w")], p.nodes[e.Pin("pre")], p.nodes[e.Pin("sum")]
	p.matrix(e, len(sum), len(pre), func(name string, i, j int) {
		p.instance(name, []string{w[i*len(pre)+j], pre[j], sum[i]}, "cell_multiplier")
	})
}

func (p *printer) transposedSynapse(e *circuit.Element) {
	w, post, sum := p.nodes[e.Pin("w")], p.nodes[e.Pin("post")], p.nodes[e.Pin("sum")]
	p.matrix(e, len(post), len(sum), func(name string, i, j int) {
		p.instance(name, []string{w[i*len(sum)+j], post[i], sum[j]}, "cell_multiplier")
	})
}

func storeCell(e *circuit.Element) string {
	if e.Number("decay") != 0 {
		return "cell_weight_store_leaky"
	}
	return "cell_weight_store"
}

func (p *printer) weightStore(e *circuit.Element) {
	w, pre, post := p.nodes[e.Pin("w")], p.nodes[e.Pin("pre")], p.nodes[e.Pin("post")]
	rate, decay := number(e.Number("rate")), e.Number("decay")
	p.matrix(e, len(post), len(pre), func(name string, i, j int) {
		k := i*len(pre) + j
		params := []string{"p_rate=" + rate}
		if decay != 0 {
			params = append(params, "p_decay="+number(decay))
		}
		params = append(params, "p_init="+number(e.Numbers("init")[k]))
		p.instance(name, []string{pre[j], post[i], w[k]}, storeCell(e), params...)
	})
}

func (p *printer) alignmentStore(e *circuit.Element) {
	w, pre, post, total := p.nodes[e.Pin("w")], p.nodes[e.Pin("pre")], p.nodes[e.Pin("post")], p.nodes[e.Pin("total")]
	rate := number(e.Number("rate"))
	p.matrix(e, len(post), len(pre), func(name string, i, j int) {
		k := i*len(pre) + j
		p.instance(name, []string{pre[j], post[i], total[i], w[k]}, "cell_alignment_store",
			"p_rate="+rate, "p_init="+number(e.Numbers("init")[k]))
	})
}

// matrix calls f for each entry of an n x m matrix with its instance name.
func (p *printer) matrix(e *circuit.Element, n, m int, f func(name string, i, j int)) {
	for i := range n {
		for j := range m {
			f(p.element[e]+strconv.Itoa(i)+"_"+strconv.Itoa(j), i, j)
		}
	}
}

func (p *printer) softmax(e *circuit.Element) {
	in, out := p.nodes[e.Pin("in")], p.nodes[e.Pin("out")]
	total := p.nodes[e.Pin("out")][0] + "_total" // no wire ends in a letter
	p.Linef("r%s_total %s 0 {p_r0}", p.element[e][1:], total)
	for i := range in {
		p.instance(p.element[e]+strconv.Itoa(i), []string{in[i], out[i], total}, "cell_softmax")
	}
}
