package spice

import (
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"vlec/circuit"
	"vlec/emit"
)

// A deck is a netlist that has been prepared: every wire has its node name and
// every element its name and cells, so that printing decides nothing.
type deck struct {
	circuit *circuit.Circuit
	options Options
	dialect *dialect
	level   *level
	nodes   map[*circuit.Net][]string   // one name a wire
	element map[*circuit.Element]string // base of the names of its devices, without their letter
	passive map[*circuit.Element][]bool // lead-lags whose neuron i is two resistors and a capacitor
	used    map[string]bool             // cells
	own     ownCells                    // of instances whose transistors were drawn
}

func prepare(c *circuit.Circuit, o Options, dialect *dialect, level *level) *deck {
	d := &deck{
		circuit: c, options: o, dialect: dialect, level: level,
		nodes:   make(map[*circuit.Net][]string, len(c.Nets)),
		element: make(map[*circuit.Element]string, len(c.Elements)),
		passive: map[*circuit.Element][]bool{},
		used:    map[string]bool{},
	}
	nodes, devices := newBases(), newBases()
	for _, n := range c.Nets {
		d.nodes[n] = d.wires(nodes.of(n.Name), n)
	}
	for _, e := range c.Elements {
		d.element[e] = devices.of(e.Name)
	}
	d.choosePassive()
	for _, e := range c.Elements {
		d.expand(e, func(x instance) { d.used[x.cell] = true })
	}
	d.drawOwn()
	return d
}

// bases are unique identifiers that end in a letter, so that an index can follow
// and two of them with their indices never meet.
type bases struct {
	names *emit.Names
	taken map[string]bool
}

func newBases() *bases { return &bases{emit.NewNames(emit.Spice), map[string]bool{}} }

func (b *bases) of(name string) string {
	id := b.names.Of(name)
	stem := id[:min(len(id), 40)]
	for k := 0; id[len(id)-1] <= '9' || b.taken[id]; k++ {
		letters := ""
		for n := k; n >= 0; n = n/26 - 1 {
			letters = string(rune('a'+n%26)) + letters
		}
		id = b.names.Of(stem + "_" + letters)
	}
	b.taken[id] = true
	return id
}

// wires names the nodes of a net: hidden_u3, and in_hidden_w3_7 where a signal
// says that the net holds a matrix.
func (d *deck) wires(base string, n *circuit.Net) []string {
	columns := 0
	for _, s := range d.circuit.Signals {
		if s.Net == n && len(s.Shape) == 2 {
			columns = s.Shape[1]
		}
	}
	nodes := make([]string, n.Width)
	for i := range nodes {
		if columns > 0 {
			nodes[i] = base + strconv.Itoa(i/columns) + "_" + strconv.Itoa(i%columns)
		} else {
			nodes[i] = base + strconv.Itoa(i)
		}
	}
	return nodes
}

// choosePassive finds the neurons that need no active part; the lead of such a
// neuron is the potential of its sum node.
func (d *deck) choosePassive() {
	uses := d.circuit.Uses()
	for _, e := range d.circuit.Elements {
		if e.Kind.Name != "lead-lag" {
			continue
		}
		sum, lead := d.nodes[e.Pin("sum")], d.nodes[e.Pin("lead")]
		passive := e.Passive(uses)
		for i := range sum {
			if passive[i] {
				sum[i] = lead[i]
			}
		}
		d.passive[e] = passive
	}
}

// print prints the top file.
func (d *deck) print(out io.Writer) error {
	p := &printer{deck: d, Writer: emit.NewWriter(out)}
	p.header()
	p.section("network")
	for _, e := range d.circuit.Elements {
		if !e.Testbench() {
			p.print(e)
		}
	}
	p.section("testbench: stimuli, targets and teacher")
	for _, e := range d.circuit.Elements {
		if e.Testbench() {
			p.print(e)
		}
	}
	p.section("initial state")
	p.initialState()
	p.section("analysis")
	p.analysis()
	p.Line(".end")
	return p.Flush()
}

type printer struct {
	*deck
	*emit.Writer
}

func (p *printer) header() {
	o, u := p.options, p.circuit.Units
	p.Comment("*", "vlec: "+p.circuit.Name)
	p.Comment("*", "generator "+o.Generator)
	p.Comment("*", "model hash "+o.Hash)
	p.Linef("* dialect %s, level %s, seed %d", p.dialect.name, p.level.name, o.Seed)
	if o.Drawn != "" {
		p.Comment("*", o.Drawn)
	}
	if text := o.unequal(); text != "" && p.level.biased {
		p.Comment("*", text)
	}
	p.Linef("* one model unit of time is %s s, of potential %s V, of current %s A", number(u.Time), number(u.Voltage), rounded(u.Voltage/u.Resistance))
	p.Blank()
	p.Linef(".param p_v0=%s", number(u.Voltage))
	p.Linef(".param p_r0=%s", number(u.Resistance))
	p.Linef(".include \"%s\"", CellFile)
}

func (p *printer) section(title string) {
	p.Blank()
	p.Line("* " + title)
}

// initialState writes every state once more as .ic, beside the ic= of its
// capacitor: simulators differ in which of the two they believe.
func (p *printer) initialState() {
	for _, e := range p.circuit.Elements {
		if e.Kind.State == "" {
			continue
		}
		init := e.Numbers("init")
		for i, node := range p.nodes[e.Pin(e.Kind.State)] {
			p.Linef(".ic v(%s)=%s", node, number(init[i]))
		}
	}
	if p.options.Start != nil {
		p.Linef(".include \"%s\"", StartFile)
	}
}

// printStart prints the potentials that a biased circuit begins with, except those
// of states.
func (d *deck) printStart(out io.Writer) error {
	states := map[string]bool{}
	for _, e := range d.circuit.Elements {
		if e.Kind.State != "" {
			for _, node := range d.nodes[e.Pin(e.Kind.State)] {
				states[node] = true
			}
		}
	}
	w := emit.NewWriter(out)
	w.Line("* vlec operating point, found beforehand while the states were held")
	for _, node := range slices.Sorted(maps.Keys(d.options.Start)) {
		if !states[node] {
			v := strconv.FormatFloat(math.Round(1e6*d.options.Start[node])/1e6, 'g', -1, 64)
			w.Line(".ic v(" + strings.ReplaceAll(node, ".", d.dialect.separator) + ")=" + v)
		}
	}
	return w.Flush()
}

func (p *printer) analysis() {
	o, u := p.options, p.circuit.Units
	for _, line := range p.dialect.options(p.level.steps, u.Voltage, u.Voltage/u.Resistance) {
		p.Line(line)
	}
	written := map[*circuit.Net]bool{} // several signals may stand on one net
	var nodes []string
	record := func(n *circuit.Net) {
		if !written[n] {
			nodes = append(nodes, p.nodes[n]...)
		}
		written[n] = true
	}
	for _, s := range p.saved() {
		record(s.Net)
	}
	for _, e := range p.circuit.Elements {
		if e.Kind.State != "" && (o.Save == nil || o.SaveStates) {
			record(e.Pin(e.Kind.State))
		}
	}
	p.Wrap("+ ", p.dialect.save(nodes)...)
	step := number(o.MaxStep)
	p.Linef("%s", p.dialect.tran(step, number(o.Stop), !p.level.biased || o.Start != nil))
}

// saved lists the signals that are recorded.
func (d *deck) saved() []circuit.Signal {
	if d.options.Save == nil {
		return d.circuit.Signals
	}
	wanted := map[string]bool{}
	for _, name := range d.options.Save {
		wanted[name] = true
	}
	var list []circuit.Signal
	for _, s := range d.circuit.Signals {
		if wanted[s.Name] {
			list = append(list, s)
		}
	}
	return list
}

// number prints a number without suffix or unit, so that it reads back exactly.
func number(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }

// rounded prints what was computed here to 15 digits: 1e-10 and not
// 1.0000000000000002e-10.
func rounded(x float64) string {
	r, _ := strconv.ParseFloat(strconv.FormatFloat(x, 'g', 15, 64), 64)
	return number(r)
}
