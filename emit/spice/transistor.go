package spice

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"vlec/circuit"
)

// # The transistor level
//
// Everything active is a transistor between two supplies around ground, which is
// the zero of the model. One unit of potential is p_v0 = 2 n Ut, at which a
// differential pair in weak inversion is tanh(v/p_v0); one unit of current is
// p_v0/p_r0. There is one reference current; every bias is a mirror of it.
//
// Mirrors, sinks and sources are cascoded: with an Early voltage of some volts the
// 0.9 V between an output and a supply would else be 10 % of a current. Cascode
// gates stand on nc and pc (cascodes.go).
//
// What has to be linear is a pair of super source followers (Carvajal et al., IEEE
// TCAS-I 52, 1276, 2005) with a resistor between: the potential across it is that
// of the inputs, and the transistors that sink its current are copied into the
// output.
//
// Sinks, mirrors and followers are sized in units of current: p_m units flow in a
// transistor that is p_m times as wide.

// A Transistors says what the transistors of a circuit are like.
type Transistors struct {
	Current       float64 // that stands for 1 [A]
	Width, Length float64 // of a transistor that carries it [m]
	Supply        float64 // of either sign [V]
	AVT           float64 // standard deviation of thresholds times the root of the area [V m]
}

// What is known here of the generic transistors; mos.lib has the same numbers.
const (
	mosSlope = 1.3      // n
	mosUt    = 0.025852 // [V]
	mosKN    = 3e-4     // mobility times cox of mos_n [A/V^2]
	mosKP    = 7e-5     // of mos_p
)

// PairVoltage is 2 n Ut of the generic transistors at 27 degrees Celsius [V]: the unit
// of potential of the transistor level.
const PairVoltage = 2 * mosSlope * mosUt

// inversion is the largest current over the generic transistors' is at which
// inversion counts as weak.
const inversion = 0.05

// fits tells whether cells of the level work with these units and parts.
func (l *level) fits(u circuit.Units, p Process) error {
	if !l.biased {
		return nil
	}
	if unit := PairVoltage * p.rise(); math.Abs(u.Voltage/unit-1) > 1e-9 {
		return fmt.Errorf("the transistor level works at %g V for 1, not at %g V", unit, u.Voltage)
	}
	const is = 2 * mosSlope * mosKP * mosUt * mosUt // of mos_p, as long as it is wide
	t := p.Transistors
	if most := inversion * is * t.Width / t.Length; u.Voltage/u.Resistance > most {
		return fmt.Errorf("%.3g A are no weak inversion in transistors of %g by %g m, which carry %.2g A; make them wider or the current smaller",
			u.Voltage/u.Resistance, t.Width, t.Length, most)
	}
	return nil
}

// UnitsAt are the units of a circuit at a level, of those that it has at others:
// transistors choose their own voltage, and what they carry is declared.
func UnitsAt(level string, u circuit.Units, t Transistors) circuit.Units {
	if level == "transistor" {
		if t.Current == 0 {
			t = ordinary(u).Transistors
		}
		u.Voltage, u.Resistance = PairVoltage, PairVoltage/t.Current
	}
	return u
}

// Units are UnitsAt under the conditions of a process.
func (p Process) Units(level string, u circuit.Units) circuit.Units {
	u = UnitsAt(level, u, p.Transistors)
	if level == "transistor" {
		u.Voltage *= p.rise()
	}
	return u
}

// rise is by what the unit of potential is larger than at 27 degrees Celsius.
func (p Process) rise() float64 {
	if p.PTAT {
		return p.Pair
	}
	return 1
}

// rails is the supply as it is, of either sign [V].
func (p Process) rails() float64 { return p.Transistors.Supply * p.Supply }

// Reach and ProductReach are the largest inputs of transconductors and of what
// multiplies, in model units: beyond them currents end.
const (
	Reach        = 5
	ProductReach = 2.5
)

// MOSFile is the library of transistors, beside the cells.
const MOSFile = "mos.lib"

// biasNodes are the same everywhere.
var biasNodes = []string{"vdd", "vss", "nb", "nc", "pb", "pc"}

func transistorProcess(p Process) []string {
	t := p.Transistors
	lines := []string{
		"* supplies and bias lines: a unit of current flows in a transistor between nb and vss, or pb and",
		"* vdd, that is p_mw wide and p_ml long; nc and pc are gates of cascodes",
		".include \"" + MOSFile + "\"",
		".param p_mw=" + number(t.Width),
		".param p_ml=" + number(t.Length),
		".param p_vs=" + number(p.rails()),
	}
	for _, node := range biasNodes {
		lines = append(lines, ".global "+node)
	}
	lines = append(lines, p.Corrections.process()...)
	lines = append(lines, productProcess(p)...)
	lines = append(lines, "v_vdd vdd 0 dc {p_vs}", "v_vss vss 0 dc {0-p_vs}")
	lines = append(lines, p.cascodes()...)
	return append(lines,
		"i_bias 0 nb dc {p_v0/p_r0}",
		"x_na bias_a nb vss vss mos_n PARAMS: p_w={p_mw} p_l={p_ml}",
		"x_nb nb nc bias_a vss mos_n PARAMS: p_w={p_mw} p_l={p_ml}",
		"x_nc bias_b nb vss vss mos_n PARAMS: p_w={p_mw} p_l={p_ml}",
		"x_nd pb nc bias_b vss mos_n PARAMS: p_w={p_mw} p_l={p_ml}",
		"x_pa bias_c pb vdd vdd mos_p PARAMS: p_w={p_mw} p_l={p_ml}",
		"x_pb pb pc bias_c vdd mos_p PARAMS: p_w={p_mw} p_l={p_ml}",
	)
}

var transistorParts = slices.Concat([]part{
	{
		cell{"part_sink", "p_m units flow into out and on to vss", "out", "p_m=1"},
		`
x1 a nb vss vss mos_n PARAMS: p_w={p_m*p_mw} p_l={p_ml}
x2 out nc a vss mos_n PARAMS: p_w={p_m*p_mw} p_l={p_ml}`,
	},
	{
		cell{"part_source", "p_m units flow from vdd out of out", "out", "p_m=1"},
		`
x1 a pb vdd vdd mos_p PARAMS: p_w={p_m*p_mw} p_l={p_ml}
x2 out pc a vdd mos_p PARAMS: p_w={p_m*p_mw} p_l={p_ml}`,
	},
	{
		cell{"part_mirror_n", "p_k times what flows into in flows into out; p_m units fit", "in out", "p_m=1 p_k=1"},
		`
x1 a in vss vss mos_n PARAMS: p_w={p_m*p_mw} p_l={p_ml}
x2 in nc a vss mos_n PARAMS: p_w={p_m*p_mw} p_l={p_ml}
x3 b in vss vss mos_n PARAMS: p_w={p_k*p_m*p_mw} p_l={p_ml}
x4 out nc b vss mos_n PARAMS: p_w={p_k*p_m*p_mw} p_l={p_ml}`,
	},
	{
		cell{"part_mirror_p", "p_k times what flows out of in flows out of out; p_m units fit", "in out", "p_m=1 p_k=1"},
		`
x1 a in vdd vdd mos_p PARAMS: p_w={p_m*p_mw} p_l={p_ml}
x2 in pc a vdd mos_p PARAMS: p_w={p_m*p_mw} p_l={p_ml}
x3 b in vdd vdd mos_p PARAMS: p_w={p_k*p_m*p_mw} p_l={p_ml}
x4 out pc b vdd mos_p PARAMS: p_w={p_k*p_m*p_mw} p_l={p_ml}`,
	},
	{
		cell{
			"part_follower",
			"x = in + a constant, whatever flows out of x up to 2 p_m units; a transistor as that at y sinks 2 p_m units less that",
			"in x y", "p_m=1",
		},
		`
x1 y in x x mos_p PARAMS: p_w={p_m*p_mw} p_l={p_ml}
x2 c y vss vss mos_n PARAMS: p_w={2*p_m*p_mw} p_l={p_ml}
x3 x nc c vss mos_n PARAMS: p_w={2*p_m*p_mw} p_l={p_ml}
xs y part_sink PARAMS: p_m={p_m}
xb x part_source PARAMS: p_m={3*p_m}`,
	},
	{
		cell{
			"part_linear",
			"into ia flow 2 p_m units less i, into ib as many more, i = p_g/(2 p_r0) (plus - minus)",
			"plus minus ia ib", "p_g=1 p_m=1.5",
		},
		`
xp plus xp yp part_follower PARAMS: p_m={p_m}
xm minus xm ym part_follower PARAMS: p_m={p_m}
r1 xp xm {2*p_r0/max(p_g*p_fix_gm,1e-06)}
x1 a yp vss vss mos_n PARAMS: p_w={2*p_m*p_mw} p_l={p_ml}
x2 ia nc a vss mos_n PARAMS: p_w={2*p_m*p_mw} p_l={p_ml}
x3 b ym vss vss mos_n PARAMS: p_w={2*p_m*p_mw} p_l={p_ml}
x4 ib nc b vss mos_n PARAMS: p_w={2*p_m*p_mw} p_l={p_ml}`,
	},
	{
		cell{
			"part_gm", "current p_g/p_r0 (plus - minus) out of out, up to 4 p_m units",
			"plus minus out", "p_g=1 p_m=1.5",
		},
		`
xl plus minus out ib part_linear PARAMS: p_g={p_g} p_m={p_m}
xm ib out part_mirror_p PARAMS: p_m={2*p_m} p_k={p_fix_mirror}`,
	},
	{
		cell{"part_pair", "p_m units tanh((plus - minus)/p_v0) out of out", "plus minus out", "p_m=1 p_s=10"},
		`
xs s part_sink PARAMS: p_m={p_m*p_fix_pair}
x1 a plus s vss mos_n PARAMS: p_w={p_s*p_m*p_mw} p_l={p_ml}
x2 b minus s vss mos_n PARAMS: p_w={p_s*p_m*p_mw} p_l={p_ml}
xa a out part_mirror_p PARAMS: p_m={p_m}
xb b c part_mirror_p PARAMS: p_m={p_m}
xc c out part_mirror_n PARAMS: p_m={p_m}`,
	},
	{
		cell{
			"part_leg", "what flows into drain and out of tail rises by e for every p_v0 of gate - tail: two transistors in wells of their own",
			"drain gate tail", "",
		},
		`
x1 drain gate a a mos_n PARAMS: p_w={10*p_mw} p_l={p_ml}
x2 a a tail tail mos_n PARAMS: p_w={10*p_mw} p_l={p_ml}`,
	},
	{
		cell{
			"part_correlator", "a, b are what flows out of the inputs; p_k a b/(a + b) flows out of out",
			"a b out", "p_k=1",
		},
		`
xa a c part_mirror_p
xb b d part_mirror_p
x1 c c vss vss mos_n PARAMS: p_w={p_mw} p_l={0.5*p_ml}
x2 d d vss vss mos_n PARAMS: p_w={p_mw} p_l={0.5*p_ml}
x3 e c vss vss mos_n PARAMS: p_w={p_k*p_mw} p_l={0.5*p_ml}
x4 f d e vss mos_n PARAMS: p_w={p_k*p_mw} p_l={0.5*p_ml}
x5 g nc f vss mos_n PARAMS: p_w={p_mw} p_l={p_ml}
xo g out part_mirror_p`,
	},
}, productParts, refreshParts)

// transistorBodies is the transistor level. Resistors and capacitors are real;
// gates draw no current, so that no output is loaded.
var transistorBodies = merged(productBodies, refreshBodies, map[string]string{
	"cell_synapse": `
xw plus minus sum part_gm PARAMS: p_g={p_w} p_m={1.5*max(p_w,0.5)}`,

	"cell_lead_lag_rc": idealBodies["cell_lead_lag_rc"],

	// Two conductances: the lead is the state and p_ahead/p_tau times what the sum is
	// above it, a small difference, so that the large gain meets small inputs.
	"cell_lead_lag": `
rs sum 0 {p_r0}
xm sum 0 state part_gm
rm state 0 {p_r0}
cm state 0 {p_tau/p_r0} ic={p_init}
xl sum state lead part_gm PARAMS: p_g={p_ahead/p_tau}
xu state 0 lead part_gm
rl lead 0 {p_r0}`,

	"cell_leaky_integrator": `
rs sum 0 {p_r0}
xm sum 0 state part_gm
rm state 0 {p_r0}
cm state 0 {p_tau/p_r0} ic={p_init}`,

	"cell_prospective": `
xl sum state lead part_gm PARAMS: p_g={p_ahead/p_tau}
xu state 0 lead part_gm
rl lead 0 {p_r0}`,

	"cell_tanh": `
xo in 0 out part_pair PARAMS: p_m={p_k}
ro out 0 {p_r0}`,

	// In weak inversion the slope of what a pair does is the product of what flows in
	// its sides over the sum, which two transistors in series give (Delbrück, IJCNN 1991).
	"cell_tanh_slope": `
xs s part_sink PARAMS: p_m={p_k}
x1 a in s vss mos_n PARAMS: p_w={10*p_k*p_mw} p_l={p_ml}
x2 b 0 s vss mos_n PARAMS: p_w={10*p_k*p_mw} p_l={p_ml}
xc a b out part_correlator PARAMS: p_k={4*p_fix_correlator}
ro out 0 {p_r0}`,

	// The tail of two legs is the logarithm of the sum of exponentials.
	"cell_softplus": `
xs s part_sink
x1 vdd in s part_leg
x2 vdd 0 s part_leg
xr ref part_sink
x3 vdd 0 ref part_leg
xo s ref out part_gm PARAMS: p_g={p_k}
ro out 0 {p_r0}`,

	"cell_softplus_slope": sigmoidOfTransistors,

	"cell_sigmoid": sigmoidOfTransistors,

	"cell_sigmoid_slope": `
xs s part_sink PARAMS: p_m={p_k}
x1 a in s part_leg
x2 b 0 s part_leg
xc a b out part_correlator
ro out 0 {p_r0}`,

	// A mirror passes one direction on.
	"cell_relu": `
xi in 0 a part_gm PARAMS: p_g={p_k}
xn a b part_mirror_n
xp b out part_mirror_p
ro out 0 {p_r0}`,

	"cell_relu_slope": `
xi in 0 a part_gm PARAMS: p_g=20
ra a 0 {p_r0}
xs s part_sink PARAMS: p_m={p_k}
x1 b a s vss mos_n PARAMS: p_w={10*p_k*p_mw} p_l={p_ml}
x2 vdd 0 s vss mos_n PARAMS: p_w={10*p_k*p_mw} p_l={p_ml}
xp b out part_mirror_p
ro out 0 {p_r0}`,

	"cell_softmax": `
x1 a in tail part_leg
xp a out part_mirror_p
ro out 0 {p_r0}`,

	"cell_softmax_tail": `
xs tail part_sink`,

	"cell_linear": `
xo in 0 out part_gm PARAMS: p_g={p_k}
ro out 0 {p_r0}`,

	"cell_linear_slope": `
xo out part_source PARAMS: p_m={p_k}
ro out 0 {p_r0}`,

	"cell_coupling": `
xc plus minus sum part_gm PARAMS: p_g={p_gain} p_m={1.5*max(p_gain,0.5)}`,

	"cell_comparator": `
xt target rate sum part_gm PARAMS: p_g={p_gain} p_m={1.5*max(p_gain,0.5)}`,

	"cell_difference": `
xp plus 0 out part_gm PARAMS: p_g={p_k}
xm 0 minus out part_gm PARAMS: p_g={p_k*p_gain} p_m={1.5*max(p_gain,0.5)}
ro out 0 {p_r0}`,

	"cell_offset": idealBodies["cell_offset"],
})

const sigmoidOfTransistors = `
xs s part_sink PARAMS: p_m={p_k}
x1 a in s part_leg
x2 vdd 0 s part_leg
xp a out part_mirror_p
ro out 0 {p_r0}`

// merged is all bodies of all.
func merged(list ...map[string]string) map[string]string {
	all := map[string]string{}
	for _, bodies := range list {
		maps.Copy(all, bodies)
	}
	return all
}
