package spice

import (
	"slices"
	"strconv"

	"vlec/circuit"
	"vlec/emit"
)

// An instance is one cell with its nodes and parameters: everything in a netlist
// but the sources of the testbench. Parameters are name and value pairs.
type instance struct {
	name   string
	nodes  []string
	cell   string
	params []string
}

// print prints x_hidden_membrane3 nodes cell PARAMS: …
func (i instance) print(w *emit.Writer) {
	words := append(append([]string{i.name}, i.nodes...), i.cell)
	if len(i.params) > 0 {
		words = append(words, "PARAMS:")
	}
	for k := 0; k < len(i.params); k += 2 {
		words = append(words, i.params[k]+"="+i.params[k+1])
	}
	w.Wrap("+ ", words...)
}

// correction tells whether an instance only shifts what another one drives.
func (i instance) correction() bool { return i.cell == "cell_offset" || i.cell == "cell_null" }

// expand lists the instances of an element. It is the one place that knows which
// cells an element is made of.
func (d *deck) expand(e *circuit.Element, yield func(instance)) {
	if e.Testbench() {
		as := yield
		yield = func(i instance) {
			i.cell = twinOf(i.cell)
			as(i)
		}
	}
	x := expansion{d, e, yield}
	switch e.Kind.Name {
	case "synapse":
		x.synapse()
	case "plastic-synapse":
		w, pre, sum := x.nodes("w"), x.nodes("pre"), x.nodes("sum")
		x.matrix(len(sum), len(pre), func(name string, i, j int) {
			x.cell(name, "cell_multiplier", []string{w[i*len(pre)+j], pre[j], sum[i]}, x.factor(i*len(pre)+j)...)
			x.offset(name, i*len(pre)+j, sum[i])
		})
	case "transposed-synapse":
		w, post, sum := x.nodes("w"), x.nodes("post"), x.nodes("sum")
		x.matrix(len(post), len(sum), func(name string, i, j int) {
			x.cell(name, "cell_multiplier", []string{w[i*len(sum)+j], post[i], sum[j]}, x.factor(i*len(sum)+j)...)
			x.offset(name, i*len(sum)+j, sum[j])
		})
	case "weight-store":
		x.weightStore()
	case "alignment-store":
		x.alignmentStore()
	case "refresh":
		x.refresh()
	case "leaky-integrator":
		x.perNeuron("cell_leaky_integrator", []string{"sum", "state"}, "tau", "init")
	case "prospective":
		x.perNeuron("cell_prospective", []string{"sum", "state", "lead"}, "tau", "ahead")
	case "lead-lag":
		x.leadLag()
	case "activation":
		x.perNeuron("cell_"+e.Word("phi"), []string{"in", "out"})
	case "slope":
		x.perNeuron("cell_"+e.Word("phi")+"_slope", []string{"in", "rate", "out"})
	case "softmax":
		x.softmax()
	case "comparator":
		x.transconductors("cell_comparator", x.nodes("target"), x.nodes("rate"))
	case "gate":
		x.perNeuron("cell_gate", []string{"in", "slope", "sum"})
	case "coupling":
		x.transconductors("cell_coupling", x.nodes("in"), nil)
	case "difference":
		x.perNeuron("cell_difference", []string{"plus", "minus", "out"}, "gain")
	case "stimulus":
		d.stimulusCells(e, yield)
	default:
		panic("spice: no cells for " + e.Kind.Name)
	}
}

type expansion struct {
	*deck
	e     *circuit.Element
	yield func(instance)
}

func (x *expansion) nodes(pin string) []string { return x.deck.nodes[x.e.Pin(pin)] }

// cell yields an instance whose parameters are given as names and values.
func (x *expansion) cell(name, cell string, nodes []string, params ...string) {
	x.yield(instance{name, nodes, cell, params})
}

// name is the base of the element's instances.
func (x *expansion) name() string { return "x_" + x.element[x.e] }

// perNeuron yields one instance a neuron, with the numbers of the element as its
// parameters; a scalar goes to every instance. The last pin is the output, and
// what an offset is added to.
func (x *expansion) perNeuron(cell string, pins []string, params ...string) {
	for i := range x.nodes(pins[0]) {
		nodes := make([]string, len(pins))
		for k, pin := range pins {
			nodes[k] = x.nodes(pin)[i]
		}
		var values []string
		for _, name := range params {
			xs := x.e.Numbers(name)
			v := xs[i%len(xs)]
			values = append(values, "p_"+name, number(v))
		}
		values = append(values, x.factor(i)...)
		name := x.name() + strconv.Itoa(i)
		x.cell(name, cell, nodes, values...)
		into := nodes[len(nodes)-1]
		if x.e.Kind.State != "" {
			into = nodes[0]
		}
		x.offset(name, i, into)
	}
}

// factorOf is the factor of an instance of the element, 1 when there is none.
func (x *expansion) factorOf(k int) float64 {
	if x.e.HasParam("factor") && x.e.Numbers("factor") != nil {
		return x.e.Numbers("factor")[k]
	}
	return 1
}

// factor is the same as a parameter of the cell, left out when it is 1.
func (x *expansion) factor(k int) []string {
	if f := x.factorOf(k); f != 1 {
		return []string{"p_k", number(f)}
	}
	return nil
}

// offset yields the offset of an instance, if it has one: a current into the node
// that its output drives, or that it integrates on.
func (x *expansion) offset(name string, k int, node string) {
	defer x.null(name, node)
	if !x.e.HasParam("offset") || x.e.Numbers("offset") == nil {
		return
	}
	if v := x.e.Numbers("offset")[k]; v != 0 {
		x.cell(name+"_offset", "cell_offset", []string{node}, "p_offset", number(v))
	}
}

// null yields what takes the offset of an instance away, where it was measured.
func (x *expansion) null(name, node string) {
	if v := x.options.Nulls[name]; v != 0 && !x.e.Testbench() {
		x.cell(name+"_null", "cell_null", []string{node}, "p_null", number(v))
	}
}

// synapse yields a static projection; a weight of 0 is no synapse.
func (x *expansion) synapse() {
	pre, sum, w := x.nodes("pre"), x.nodes("sum"), x.e.Numbers("w")
	x.matrix(len(sum), len(pre), func(name string, i, j int) {
		if v := w[i*len(pre)+j]; v != 0 {
			plus, minus, gain := signed(v, pre[j], "0")
			x.cell(name, "cell_synapse", []string{plus, minus, sum[i]}, "p_w", number(gain))
			x.offset(name, i*len(pre)+j, sum[i])
		}
	})
}

// transconductors yields one instance a neuron that drives its sum with gain
// times what plus is above minus; nil is ground.
func (x *expansion) transconductors(cell string, plus, minus []string) {
	for i, sum := range x.nodes("sum") {
		low := "0"
		if minus != nil {
			low = minus[i]
		}
		gains := x.e.Numbers("gain")
		a, b, gain := signed(gains[i%len(gains)]*x.factorOf(i), plus[i], low)
		name := x.name() + strconv.Itoa(i)
		x.cell(name, cell, []string{a, b, sum}, "p_gain", number(gain))
		x.offset(name, i, sum)
	}
}

// signed makes a gain positive by exchanging the two nodes that it acts between:
// that is what turns the sign of a real transconductor.
func signed(gain float64, plus, minus string) (string, string, float64) {
	if gain < 0 {
		return minus, plus, -gain
	}
	return plus, minus, gain
}

func (x *expansion) leadLag() {
	sum, state, lead := x.nodes("sum"), x.nodes("state"), x.nodes("lead")
	for i, passive := range x.passive[x.e] {
		cell, nodes := "cell_lead_lag", []string{sum[i], state[i], lead[i]}
		if passive {
			cell, nodes = "cell_lead_lag_rc", nodes[:2]
		}
		name := x.name() + strconv.Itoa(i)
		x.cell(name, cell, nodes, "p_tau", number(x.e.Numbers("tau")[i]),
			"p_ahead", number(x.e.Numbers("ahead")[i]), "p_init", number(x.e.Numbers("init")[i]))
		x.offset(name, i, sum[i])
	}
}

// weightStore yields the stores, and beside each what makes it forget and what
// bounds it.
func (x *expansion) weightStore() {
	w, pre, post := x.nodes("w"), x.nodes("pre"), x.nodes("post")
	rate, decay, clip := x.e.Number("rate"), x.e.Number("decay"), x.e.Number("clip")
	x.matrix(len(post), len(pre), func(name string, i, j int) {
		k := i*len(pre) + j
		rate := rate * x.factorOf(k)
		x.cell(name, "cell_weight_store", []string{pre[j], post[i], w[k]},
			append([]string{"p_rate", number(rate), "p_init", number(x.e.Numbers("init")[k])}, x.hold(k)...)...)
		x.offset(name, k, w[k])
		if decay != 0 {
			x.cell(name+"_leak", "cell_weight_leak", w[k:k+1], "p_rate", number(rate), "p_decay", number(decay))
		}
		if clip != 0 {
			x.cell(name+"_clamp", "cell_weight_clamp", w[k:k+1], "p_clip", number(clip))
		}
	})
}

func (x *expansion) alignmentStore() {
	w, pre, post, total := x.nodes("w"), x.nodes("pre"), x.nodes("post"), x.nodes("total")
	x.matrix(len(post), len(pre), func(name string, i, j int) {
		k := i*len(pre) + j
		x.cell(name, "cell_alignment_store", []string{pre[j], post[i], total[i], w[k]},
			slices.Concat([]string{"p_rate", number(x.e.Number("rate") * x.factorOf(k)), "p_init", number(x.e.Numbers("init")[k])}, x.hold(k), x.trim(name))...)
		x.offset(name, k, w[k])
	})
}

// trimOf is what a trim is called among nulls.
func trimOf(instance string) string { return instance + "_trim" }

// trim is the null inside an instance, where one was measured, as a parameter.
func (x *expansion) trim(name string) []string {
	if v := x.options.Nulls[trimOf(name)]; v != 0 && !x.e.Testbench() {
		return []string{"p_trim", number(v)}
	}
	return nil
}

// hold is by which factor a store forgets more slowly, as a parameter of its cell.
func (x *expansion) hold(k int) []string {
	if hold := x.e.Numbers("hold"); hold != nil && hold[k] != 1 {
		return []string{"p_hold", number(hold[k])}
	}
	return nil
}

// refresh yields what restores the weights of a store.
func (x *expansion) refresh() {
	strobe := x.nodes("strobe")[0]
	for i, w := range x.nodes("w") {
		x.cell(x.name()+strconv.Itoa(i), "cell_weight_refresh", []string{strobe, w},
			"p_rate", number(x.e.Number("rate")), "p_grid", number(x.e.Number("grid")), "p_restore", number(x.e.Number("restore")))
	}
}

// softmax yields the neurons and the tail that they share. No wire of a net ends
// in a letter, so the tail cannot be one.
func (x *expansion) softmax() {
	in, out := x.nodes("in"), x.nodes("out")
	tail := out[0] + "_tail"
	x.cell(x.name()+"_tail", "cell_softmax_tail", []string{tail})
	for i := range in {
		x.cell(x.name()+strconv.Itoa(i), "cell_softmax", []string{in[i], out[i], tail})
	}
}

// matrix calls f for each entry of an n x m matrix with its instance name.
func (x *expansion) matrix(n, m int, f func(name string, i, j int)) {
	for i := range n {
		for j := range m {
			f(x.name()+strconv.Itoa(i)+"_"+strconv.Itoa(j), i, j)
		}
	}
}

// print prints an element: its equation as a comment, then its instances.
func (p *printer) print(e *circuit.Element) {
	p.Comment("*", e.Name+": "+e.Equation())
	switch e.Kind.Name {
	case "stimulus":
		p.stimulus(e)
		return
	case "lead-lag":
		p.sharedNodes(e)
	}
	p.expand(e, p.instance)
}

// sharedNodes says where to look for a sum that has no node of its own.
func (p *printer) sharedNodes(e *circuit.Element) {
	if slices.Contains(p.passive[e], true) {
		p.Comment("*", e.Pin("sum").Name+" and "+e.Pin("lead").Name+" are one node: currents add up on it to the lead")
	}
}

// instance prints an instance, of its own cell if it has one.
func (p *printer) instance(x instance) {
	if own := p.own.names[x.name]; own != "" {
		x.cell = own
	}
	x.print(p.Writer)
}
