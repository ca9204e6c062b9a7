package spice

import (
	"io"
	"strings"

	"vlec/emit"
)

// A cell is a subcircuit of the library. Its body refers to the parameters that
// the top file sets: p_v0, the volts of one model unit, and p_r0, the resistance
// that turns a potential into the current of the same number.
type cell struct {
	name     string
	equation string // as a comment above the cell
	pins     string
	params   string // with defaults, "" for none
	body     string
}

// The ideal level: R, C, and controlled sources. A sum node is a wire on which
// currents meet; the cell that terminates it owns its resistance p_r0, so that
// the potential of a sum node is the sum.
var idealCells = []cell{
	{
		name:     "cell_lead_lag_rc",
		equation: "p_tau du/dt = -u + sum, v(sum) becomes u + p_ahead du/dt; needs p_ahead < p_tau, two resistors and a capacitor",
		pins:     "sum state",
		params:   "p_tau=1 p_ahead=0.1 p_init=0",
		body: `
rs sum 0 {p_r0}
rp sum state {p_r0*p_ahead/(p_tau-p_ahead)}
cm state 0 {(p_tau-p_ahead)/p_r0} ic={p_init}`,
	},
	{
		name:     "cell_lead_lag",
		equation: "p_tau du/dt = -u + sum, lead = (1 - p_ahead/p_tau) u + p_ahead/p_tau sum",
		pins:     "sum state lead",
		params:   "p_tau=1 p_ahead=0.1 p_init=0",
		body: `
rs sum 0 {p_r0}
gm 0 state sum 0 {1/p_r0}
rm state 0 {p_r0}
cm state 0 {p_tau/p_r0} ic={p_init}
gl 0 lead sum 0 {p_ahead/(p_tau*p_r0)}
gu 0 lead state 0 {(1-p_ahead/p_tau)/p_r0}
rl lead 0 {p_r0}`,
	},
	{
		name:     "cell_leaky_integrator",
		equation: "p_tau du/dt = -u + sum",
		pins:     "sum state",
		params:   "p_tau=1 p_init=0",
		body: `
rs sum 0 {p_r0}
gm 0 state sum 0 {1/p_r0}
rm state 0 {p_r0}
cm state 0 {p_tau/p_r0} ic={p_init}`,
	},
	{
		name:     "cell_prospective",
		equation: "lead = (1 - p_ahead/p_tau) u + p_ahead/p_tau sum",
		pins:     "sum state lead",
		params:   "p_tau=1 p_ahead=0.1",
		body: `
gl 0 lead sum 0 {p_ahead/(p_tau*p_r0)}
gu 0 lead state 0 {(1-p_ahead/p_tau)/p_r0}
rl lead 0 {p_r0}`,
	},
	{
		name:     "cell_tanh",
		equation: "out = tanh(in)",
		pins:     "in out",
		body: `
bo 0 out i={p_v0*tanh(v(in)/p_v0)/p_r0}
ro out 0 {p_r0}`,
	},
	{
		name:     "cell_tanh_slope",
		equation: "out = 1 - rate^2",
		pins:     "in rate out",
		body: `
bo 0 out i={(p_v0-v(rate)*v(rate)/p_v0)/p_r0}
ro out 0 {p_r0}`,
	},
	{
		name:     "cell_softplus",
		equation: "out = ln(1 + exp(in)), written so that no exponential overflows",
		pins:     "in out",
		body: `
bo 0 out i={(max(v(in),0)+p_v0*ln(1+exp(-abs(v(in))/p_v0)))/p_r0}
ro out 0 {p_r0}`,
	},
	{
		name:     "cell_softplus_slope",
		equation: "out = 1/(1 + exp(-in))",
		pins:     "in rate out",
		body: `
bo 0 out i={0.5*p_v0*(1+tanh(0.5*v(in)/p_v0))/p_r0}
ro out 0 {p_r0}`,
	},
	{
		name:     "cell_sigmoid",
		equation: "out = 1/(1 + exp(-in))",
		pins:     "in out",
		body: `
bo 0 out i={0.5*p_v0*(1+tanh(0.5*v(in)/p_v0))/p_r0}
ro out 0 {p_r0}`,
	},
	{
		name:     "cell_sigmoid_slope",
		equation: "out = rate (1 - rate)",
		pins:     "in rate out",
		body: `
bo 0 out i={v(rate)*(1-v(rate)/p_v0)/p_r0}
ro out 0 {p_r0}`,
	},
	{
		name:     "cell_relu",
		equation: "out = max(in, 0)",
		pins:     "in out",
		body: `
bo 0 out i={max(v(in),0)/p_r0}
ro out 0 {p_r0}`,
	},
	{
		name:     "cell_relu_slope",
		equation: "out = 0 below 0, 1 above; a step would stop the simulator, so it rises within 1e-6 of a unit",
		pins:     "in rate out",
		body: `
bo 0 out i={p_v0*min(1,max(0,1000000*v(in)/p_v0))/p_r0}
ro out 0 {p_r0}`,
	},
	{
		name:     "cell_softmax",
		equation: "out = exp(in)/total; total is a node shared by the population",
		pins:     "in out total",
		body: `
bt 0 total i={p_v0*exp(v(in)/p_v0)/p_r0}
bo 0 out i={p_v0*p_v0*exp(v(in)/p_v0)/(max(v(total),1e-30)*p_r0)}
ro out 0 {p_r0}`,
	},
	{
		name:     "cell_multiplier",
		equation: "sum += a b",
		pins:     "a b sum",
		body: `
bm 0 sum i={v(a)*v(b)/(p_v0*p_r0)}`,
	},
	{
		name:     "cell_gate",
		equation: "sum += slope in; terminates in",
		pins:     "in slope sum",
		body: `
ri in 0 {p_r0}
bm 0 sum i={v(in)*v(slope)/(p_v0*p_r0)}`,
	},
	{
		name:     "cell_comparator",
		equation: "sum += p_gain (target - rate)",
		pins:     "target rate sum",
		params:   "p_gain=1",
		body: `
gt 0 sum target 0 {p_gain/p_r0}
gr sum 0 rate 0 {p_gain/p_r0}`,
	},
	{
		name:     "cell_difference",
		equation: "out = plus - p_gain minus",
		pins:     "plus minus out",
		params:   "p_gain=1",
		body: `
gp 0 out plus 0 {1/p_r0}
gm out 0 minus 0 {p_gain/p_r0}
ro out 0 {p_r0}`,
	},
	{
		name:     "cell_weight_store",
		equation: "dw/dt = p_rate post pre; the learning rate is a capacitor",
		pins:     "pre post w",
		params:   "p_rate=1 p_init=0",
		body: `
bw 0 w i={v(post)*v(pre)/(p_v0*p_r0)}
cw w 0 {1/(p_rate*p_r0)} ic={p_init}`,
	},
	{
		name:     "cell_weight_store_leaky",
		equation: "dw/dt = p_rate post pre - p_decay w",
		pins:     "pre post w",
		params:   "p_rate=1 p_decay=1 p_init=0",
		body: `
bw 0 w i={v(post)*v(pre)/(p_v0*p_r0)}
rw w 0 {p_r0*p_rate/p_decay}
cw w 0 {1/(p_rate*p_r0)} ic={p_init}`,
	},
	{
		name:     "cell_alignment_store",
		equation: "dw/dt = p_rate (post pre - total^2 w)",
		pins:     "pre post total w",
		params:   "p_rate=1 p_init=0",
		body: `
bw 0 w i={(v(post)*v(pre)-v(total)*v(total)*v(w)/p_v0)/(p_v0*p_r0)}
cw w 0 {1/(p_rate*p_r0)} ic={p_init}`,
	},
	{
		name:     "cell_sine",
		equation: "out = p_amplitude gate sin(2 pi p_frequency t + p_phase) as a source between out and ref",
		pins:     "gate out ref",
		params:   "p_amplitude=1 p_frequency=1 p_phase=0",
		body: `
bs out ref v={p_amplitude*v(gate)*sin(6.283185307179586*p_frequency*time+p_phase)}`,
	},
	{
		name:     "cell_chirp",
		equation: "the frequency rises from p_f0 to p_f1 within p_length and stays there",
		pins:     "out ref",
		params:   "p_amplitude=1 p_f0=1 p_f1=2 p_length=1",
		body: `
bc out ref v={p_amplitude*sin(6.283185307179586*(p_f1*time+(p_f0-p_f1)*min(time,p_length)*(1-0.5*min(time,p_length)/p_length)))}`,
	},
}

// printCells prints the library: the cells that the netlist uses, in the order
// of the table.
func (d *deck) printCells(out io.Writer) error {
	w := emit.NewWriter(out)
	w.Linef("* vlec cell library, level ideal")
	w.Linef("* p_v0: volts per model unit; p_r0: ohms; a current of p_v0/p_r0 stands for 1")
	for i := range idealCells {
		c := &idealCells[i]
		if !d.used[c.name] {
			continue
		}
		w.Blank()
		w.Comment("*", c.name+": "+c.equation)
		line := ".subckt " + c.name + " " + c.pins
		if c.params != "" {
			line += " PARAMS: " + c.params
		}
		w.Linef("%s", line)
		w.Linef("%s", strings.TrimSpace(c.body))
		w.Linef(".ends")
	}
	return w.Flush()
}
