package spice

import (
	"cmp"

	"vlec/circuit"
)

// A Process says what the parts of a circuit are like. It is declared: the emitter
// takes it from the model's [hardware.spice] and derives nothing. The zero Process
// stands for ordinary parts.
type Process struct {
	OpAmp       OpAmp
	OTA         OTA
	Store       Store
	Transistors Transistors
	Corrections Corrections
	Knee        float64 // width of the bend of rectifiers and clamps [V]
	Area        float64 // of a transistor, for estimates [um^2]; 0: an ordinary one

	// The conditions that the circuit meets; it was designed for none of them.
	Pair   float64 // potential that bends a differential pair, in volts per model unit: absolute temperature over that of 27 degrees Celsius
	Supply float64 // of transistors, of the nominal one
	PTAT   bool    // the unit of potential of transistors is proportional to absolute temperature, and so is that of current
}

// An OpAmp has one pole, and limits on how far and how fast its output goes.
type OpAmp struct {
	Gain float64 // at dc [1]
	GBW  float64 // gain-bandwidth product [Hz]
	Slew float64 // fastest change of the output [V/s]
	Rail float64 // largest output, of either sign [V]
}

// An OTA is a transconductor: i = gm range tanh(v / range). Multipliers have two
// such inputs.
type OTA struct {
	Range     float64 // inputs beyond which it bends [V]; the bias current is gm times this
	Gain      float64 // gm times output resistance [1]
	Bandwidth float64 // of a node with a resistance p_r0 [Hz]
}

// A Store is a capacitor that holds a weight.
type Store struct {
	Leak float64 // time constant by which it forgets [s]; 0: it does not
}

// ordinary parts are good enough for the units of a circuit.
func ordinary(u circuit.Units) Process {
	return Process{
		OpAmp:       OpAmp{Gain: 1e5, GBW: 2e3 / u.Time, Slew: 5e4 * u.Voltage / u.Time, Rail: 10 * u.Voltage},
		OTA:         OTA{Range: 10 * u.Voltage, Gain: 1e4, Bandwidth: 2e3 / u.Time},
		Knee:        u.Voltage / 100,
		Pair:        1,
		Transistors: Transistors{Current: 1e-9, Width: 1e-6, Length: 1e-6, Supply: 0.9},
	}
}

// known is the process, or an ordinary one where nothing is said but what has been
// found out about it.
func (p Process) known(u circuit.Units) Process {
	found := p.Corrections
	if p.Corrections = (Corrections{}); p == (Process{}) {
		p = ordinary(u)
	}
	p.Corrections = found
	p.Pair, p.Supply = cmp.Or(p.Pair, 1), cmp.Or(p.Supply, 1)
	return p
}

// macroProcess prints a process as the parameters of macroBodies.
func macroProcess(p Process) []string {
	lines := []string{
		"* transconductors: range [V], intrinsic gain, time constant of a node [s]",
		".param p_range=" + number(p.OTA.Range),
		".param p_ota_gain=" + number(p.OTA.Gain),
		".param p_node={1/(p_turn*" + number(p.OTA.Bandwidth) + ")}",
		"* op-amps: gain, gain-bandwidth product [Hz], slew rate [V/s], rails [V]; p_reach is the",
		"* input at which they slew [V], p_knee the width of bends [V]",
		".param p_open_loop=" + number(p.OpAmp.Gain),
		".param p_gbw=" + number(p.OpAmp.GBW),
		".param p_slew=" + number(p.OpAmp.Slew),
		".param p_rail=" + number(p.OpAmp.Rail),
		".param p_reach={p_slew/(p_turn*p_gbw)}",
		".param p_knee=" + number(p.Knee),
		"* a differential pair bends at p_pair [V]",
		".param p_pair={" + number(p.Pair) + "*p_v0}",
	}
	return append(lines, forgetting(p.Store)...)
}

var macroParts = []part{
	{
		cell{"part_ota", "current p_gm p_range tanh((plus - minus)/p_range) into out, whose resistance is p_ota_gain/p_gm", "plus minus out", "p_gm=1"},
		`
bo 0 out i={p_gm*p_range*tanh((v(plus)-v(minus))/p_range)}
ro out 0 {p_ota_gain/max(abs(p_gm),1e-06/p_r0)}`,
	},
	{
		cell{"part_multiplier", "current p_k a b/(p_v0 p_r0) into out, a and b bent like the input of a transconductor", "a b out", "p_k=1"},
		`
bm 0 out i={p_k*p_range*p_range*tanh(v(a)/p_range)*tanh(v(b)/p_range)/(p_v0*p_r0)}
rm out 0 {p_ota_gain*p_v0*p_r0/p_range}`,
	},
	{
		cell{"part_update", "part_multiplier behind a cascode: what its output resistance would be is part of p_forget", "a b out", "p_k=1"},
		`
bm 0 out i={p_k*p_range*p_range*tanh(v(a)/p_range)*tanh(v(b)/p_range)/(p_v0*p_r0)}`,
	},
	{
		cell{"part_load", "turns current into potential: 1/p_r0 at a node of finite bandwidth", "node", ""},
		`
rl node 0 {p_r0}
cl node 0 {p_node/p_r0}`,
	},
	// One pole whose transconductance saturates: that is the slew rate. What
	// would drive the output past a rail flows off through a rectifier, which is a
	// softplus: exponentials of real diodes only make iterations longer.
	{
		cell{"part_follower", "out = in: an op-amp with its output tied to its inverting input", "in out", ""},
		`
ba 0 a i={p_reach*tanh((v(in)-v(a))/p_reach)/p_r0}
bh a 0 i={100*(max(v(a)-p_rail,0)+p_knee*ln(1+exp(-abs(v(a)-p_rail)/p_knee)))/p_r0}
bl 0 a i={100*(max(-p_rail-v(a),0)+p_knee*ln(1+exp(-abs(-p_rail-v(a))/p_knee)))/p_r0}
ra a 0 {p_open_loop*p_r0}
ca a 0 {1/(p_turn*p_gbw*p_r0)}
ea out 0 a 0 1`,
	},
}

// macroBodies is the macro level. R and C are good; what is active is an op-amp,
// a transconductor or a multiplier, with the limits of the process.
var macroBodies = map[string]string{
	"cell_synapse": `
xw plus minus sum part_ota PARAMS: p_gm={p_w/p_r0}`,

	"cell_multiplier": `
xm a b sum part_multiplier PARAMS: p_k={p_k}`,

	"cell_lead_lag_rc": `
xs sum part_load
rp sum state {p_r0*p_ahead/(p_tau-p_ahead)}
cm state 0 {(p_tau-p_ahead)/p_r0} ic={p_init}`,

	// The follower puts the sum across rm and cm. The current it gives, mirrored
	// p_ahead/p_tau times, is the derivative of the state; no two large currents
	// are subtracted.
	"cell_lead_lag": `
xs sum part_load
xf sum y part_follower
rm y state {p_r0}
cm state 0 {p_tau/p_r0} ic={p_init}
gd 0 lead y state {p_ahead/(p_tau*p_r0)}
xu state 0 lead part_ota PARAMS: p_gm={1/p_r0}
xl lead part_load`,

	"cell_leaky_integrator": `
xs sum part_load
xf sum y part_follower
rm y state {p_r0}
cm state 0 {p_tau/p_r0} ic={p_init}`,

	"cell_prospective": `
xd sum state lead part_ota PARAMS: p_gm={p_ahead/(p_tau*p_r0)}
xu state 0 lead part_ota PARAMS: p_gm={1/p_r0}
xl lead part_load`,

	// A differential pair is a tanh.
	"cell_tanh": `
bo 0 out i={p_v0*tanh(v(in)/p_pair)*p_k/p_r0}
ro out 0 {p_ota_gain*p_r0}
xo out part_load`,

	"cell_tanh_slope": `
io 0 out dc {p_v0*p_k/p_r0}
xm rate rate out part_multiplier PARAMS: p_k={0-p_k}
xo out part_load`,

	"cell_softplus": `
bo 0 out i={(max(v(in),0)+p_pair*ln(1+exp(-abs(v(in))/p_pair)))*p_k/p_r0}
xo out part_load`,

	"cell_softplus_slope": `
bo 0 out i={0.5*p_v0*(1+tanh(0.5*v(in)/p_pair))*p_k/p_r0}
xo out part_load`,

	"cell_sigmoid": `
bo 0 out i={0.5*p_v0*(1+tanh(0.5*v(in)/p_pair))*p_k/p_r0}
xo out part_load`,

	"cell_sigmoid_slope": `
xu rate 0 out part_ota PARAMS: p_gm={p_k/p_r0}
xm rate rate out part_multiplier PARAMS: p_k={0-p_k}
xo out part_load`,

	"cell_relu": `
bo 0 out i={(max(v(in),0)+p_knee*ln(1+exp(-abs(v(in))/p_knee)))*p_k/p_r0}
xo out part_load`,

	"cell_relu_slope": `
bo 0 out i={0.5*p_v0*(1+tanh(0.5*v(in)/p_knee))*p_k/p_r0}
xo out part_load`,

	"cell_linear": `
xu in 0 out part_ota PARAMS: p_gm={p_k/p_r0}
xo out part_load`,

	"cell_linear_slope": `
io 0 out dc {p_k*p_v0/p_r0}
xo out part_load`,

	// The currents of all neurons flow into the tail, which sinks one unit.
	"cell_softmax": `
be x 0 v={(v(in)-v(tail))/p_pair}
bt 0 tail i={p_v0*exp(min(v(x),1))*(1+max(v(x)-1,0))/p_r0}
bo 0 out i={p_v0*exp(min(v(x),1))*(1+max(v(x)-1,0))/p_r0}
xo out part_load`,

	"cell_softmax_tail": `
it tail 0 dc {p_v0/p_r0}
rt tail 0 {p_ota_gain*p_r0}
ct tail 0 {p_node/p_r0}`,

	"cell_gate": `
xi in part_load
xm in slope sum part_multiplier PARAMS: p_k={p_k}`,

	"cell_coupling": `
xc plus minus sum part_ota PARAMS: p_gm={p_gain/p_r0}`,

	"cell_comparator": `
xt target rate sum part_ota PARAMS: p_gm={p_gain/p_r0}`,

	"cell_difference": `
xp plus 0 out part_ota PARAMS: p_gm={p_k/p_r0}
xm minus 0 out part_ota PARAMS: p_gm={0-p_k*p_gain/p_r0}
xo out part_load`,

	"cell_weight_store": `
xw post pre w part_update
cw w 0 {1/(p_rate*p_r0)} ic={p_init}
rw w 0 {p_hold*p_forget*p_rate*p_r0}`,

	"cell_alignment_store": `
xw post pre w part_update
xs total total s part_multiplier
xl s part_load
xt s w w part_update PARAMS: p_k=-1
cw w 0 {1/(p_rate*p_r0)} ic={p_init}
rw w 0 {p_hold*p_forget*p_rate*p_r0}`,

	"cell_weight_leak": `
rw w 0 {p_r0*p_rate/p_decay}`,

	// What the buffered weight lacks to the next level is folded into a potential; a
	// transconductor brings it back to the store as long as the strobe lets it.
	"cell_weight_refresh": `
xb w y part_follower
bf 0 f i={p_grid*sin(p_turn*v(y)/p_grid)/(p_turn*p_r0)}
xf f part_load
br w 0 i={p_range*tanh(v(f)/p_range)*v(strobe)/(p_v0*p_restore*p_rate*p_r0)}`,

	"cell_offset": `
io 0 out dc {p_offset/p_r0}`,

	"cell_null": idealBodies["cell_null"],

	// Two rectifiers that carry a unit of current p_knee beyond the limits.
	"cell_weight_clamp": `
bh w 0 i={p_v0*(max(v(w)-p_clip,0)/p_knee+ln(1+exp(-abs(v(w)-p_clip)/p_knee)))/p_r0}
bl 0 w i={p_v0*(max(-p_clip-v(w),0)/p_knee+ln(1+exp(-abs(-p_clip-v(w))/p_knee)))/p_r0}`,

	"cell_sine":  idealBodies["cell_sine"],
	"cell_chirp": idealBodies["cell_chirp"],
}
