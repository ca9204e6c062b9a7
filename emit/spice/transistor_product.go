package spice

import "math"

// # Products
//
// A product is a Gilbert quad in weak inversion, where it is exact whatever the
// currents (Gilbert, IEEE JSSC 3, 365, 1968). Either input bends the currents of a
// pair whose sources are tied to their common sink by resistors; those of a pass
// through transistors connected as diodes, whose logarithms steer the quad, those of
// b are what it steers. Both inputs reach p_x units, at which one side of a pair
// has all the current; at two units a product is 2 % less than it should be.
//
// Every transistor carries its current at the density of a unit, so that mirrors
// and their cascodes see the same potentials, and 1/gm is the same p_bend units of
// potential over the current everywhere: F(v) = i/is makes it
// n Ut y/(1 - exp(-y)), y = sqrt(i/is) (see mos.lib).
//
// Nulls take away what a product gives at rest, and nothing of what it gives in
// proportion to one input while the other rests. Where weights stand on a and rates
// on b, an offset of b would add a share of the weight: where thresholds differ, its
// pair is larger.
//
// A store is the same multiplier on a capacitor: its offset is what a weight drifts
// by, and its output resistance what a weight is forgotten by. The offset is nulled
// (internal/calibrate); the outputs of stores are cascodes of long
// transistors, some thousand p_r0.

// productProcess are parameters that follow from what transistors are like.
func productProcess(p Process) []string {
	lines := []string{
		"* a unit over the transconductance of its transistor [V]",
		".param p_bend=" + rounded(p.bend()),
		"* how many times as wide and long the inputs of products are that carry rates",
		".param p_match=" + number(p.Transistors.match()),
	}
	return append(lines, forgetting(p.Store)...)
}

// match is how many times as wide and long the transistors are whose threshold would
// add a share of a weight to a product. Where thresholds do not differ they would only
// be slow.
func (t Transistors) match() float64 {
	if t.AVT < 1e-10 { // 0.1 mV um: nothing to match
		return 1
	}
	return 4
}

// bend is i/gm [V] of a transistor that carries a unit at 27 degrees Celsius. It is what
// resistors are made for, whose ohms do not know the temperature: beside a unit of
// potential that follows it, bend does so, too.
func (p Process) bend() float64 {
	t := p.Transistors
	y := math.Sqrt(t.Current / (2 * mosSlope * mosKN * t.Width / t.Length * mosUt * mosUt))
	return p.rise() * mosSlope * mosUt * y / -math.Expm1(-y)
}

// productParts and productBodies are what multiplies, stores and forgets at the
// transistor level.
var productParts = []part{
	{
		cell{
			"part_steer", "in a sink of 2 p_m units, those through ib are p_m (1 + in/(p_x p_v0)), through ia what remains",
			"in ia ib", "p_m=1 p_x=5 p_s=1",
		},
		`
xs s part_sink PARAMS: p_m={2*p_m}
ra a s {(p_x*p_v0-2*p_bend)*p_r0/(2*p_m*p_v0*p_fix_steer)}
rb b s {(p_x*p_v0-2*p_bend)*p_r0/(2*p_m*p_v0*p_fix_steer)}
x1 ib in b b mos_n PARAMS: p_w={p_s*p_m*p_mw} p_l={p_s*p_ml}
x2 ia 0 a a mos_n PARAMS: p_w={p_s*p_m*p_mw} p_l={p_s*p_ml}`,
	},
	{
		cell{
			"part_quad", "into plus less into minus flows p_k a b/(p_v0 p_r0), into both p_k p_x^2 units; inputs up to p_x/2 units",
			"a b plus minus", "p_k=1 p_x=5",
		},
		`
xa a la lb part_steer PARAMS: p_m={p_k*p_x*p_x/4} p_x={p_x}
x1 vdd vdd la la mos_n PARAMS: p_w={p_k*p_x*p_x/4*p_mw} p_l={p_ml}
x2 vdd vdd lb lb mos_n PARAMS: p_w={p_k*p_x*p_x/4*p_mw} p_l={p_ml}
xb b ca cb part_steer PARAMS: p_m={p_k*p_x*p_x/2} p_x={p_x} p_s={p_match}
x3 plus la cb cb mos_n PARAMS: p_w={p_k*p_x*p_x/4*p_mw} p_l={p_ml}
x4 minus lb cb cb mos_n PARAMS: p_w={p_k*p_x*p_x/4*p_mw} p_l={p_ml}
x5 minus la ca ca mos_n PARAMS: p_w={p_k*p_x*p_x/4*p_mw} p_l={p_ml}
x6 plus lb ca ca mos_n PARAMS: p_w={p_k*p_x*p_x/4*p_mw} p_l={p_ml}`,
	},
	{
		cell{
			"part_difference", "what flows out of plus less what flows out of minus flows out of out; p_m units at rest, transistors p_s times as long",
			"plus minus out", "p_m=1 p_s=1",
		},
		`
x1 plus plus vdd vdd mos_p PARAMS: p_w={p_s*p_m*p_mw} p_l={p_s*p_ml}
x2 a plus vdd vdd mos_p PARAMS: p_w={p_s*p_m*p_mw} p_l={p_s*p_ml}
x3 out pc a a mos_p PARAMS: p_w={p_s*p_m*p_mw} p_l={p_s*p_ml}
x4 minus minus vdd vdd mos_p PARAMS: p_w={p_s*p_m*p_mw} p_l={p_s*p_ml}
x5 b minus vdd vdd mos_p PARAMS: p_w={p_s*p_m*p_mw} p_l={p_s*p_ml}
x6 c pc b b mos_p PARAMS: p_w={p_s*p_m*p_mw} p_l={p_s*p_ml}
x7 c c d d mos_n PARAMS: p_w={p_s*p_m*p_mw} p_l={p_s*p_ml}
x8 d d vss vss mos_n PARAMS: p_w={p_s*p_m*p_mw} p_l={p_s*p_ml}
x9 out c e e mos_n PARAMS: p_w={p_s*p_m*p_mw} p_l={p_s*p_ml}
x10 e d vss vss mos_n PARAMS: p_w={p_s*p_m*p_mw} p_l={p_s*p_ml}`,
	},
	{
		cell{"part_product", "current p_k a b/(p_v0 p_r0) out of out; inputs up to p_x/2 units", "a b out", "p_k=1 p_x=5 p_s=1"},
		`
xq a b p m part_quad PARAMS: p_k={p_k} p_x={p_x}
xd p m out part_difference PARAMS: p_m={p_k*p_x*p_x/2} p_s={p_s}`,
	},
}

var productBodies = map[string]string{
	"cell_multiplier": `
xm a b sum part_product PARAMS: p_k={p_k}`,

	"cell_gate": `
ri in 0 {p_r0}
xm in slope sum part_product PARAMS: p_k={p_k}`,

	// The switch that writes a weight leaks when it is off, by what is declared.
	"cell_weight_store": `
xm post pre w part_product PARAMS: p_s=3
cw w 0 {1/(p_rate*p_r0)} ic={p_init}
gw w 0 w 0 {1/(p_hold*p_forget*p_rate*p_r0)}`,

	"cell_alignment_store": `
xm post pre w part_product PARAMS: p_s=3
xs total total s part_product
rs s 0 {p_r0}
it s 0 dc {p_trim/p_r0}
xt s w p m part_quad
xd m p w part_difference PARAMS: p_m=12.5 p_s=3
cw w 0 {1/(p_rate*p_r0)} ic={p_init}
gw w 0 w 0 {1/(p_hold*p_forget*p_rate*p_r0)}`,

	"cell_weight_leak": `
rw w 0 {p_r0*p_rate/p_decay}`,

	"cell_null": `
io 0 out dc {p_null/p_r0}`,

	// Each side is a pair that compares the weight with its limit, and a mirror that
	// takes what the one side carries more than the other, but not less, eight times.
	// Long transistors keep what leaks through the mirror when it is off small.
	"cell_weight_clamp": `
vh hi 0 dc {p_clip}
xh h part_source PARAMS: p_m=4
xh1 ha w h h mos_p PARAMS: p_w={4*p_mw} p_l={p_ml}
xh2 hb hi h h mos_p PARAMS: p_w={4*p_mw} p_l={p_ml}
xh3 ha ha vss vss mos_n PARAMS: p_w={4*p_mw} p_l={p_ml}
xh4 hb ha vss vss mos_n PARAMS: p_w={4*p_mw} p_l={p_ml}
xh5 hb hb vss vss mos_n PARAMS: p_w={0.25*p_mw} p_l={5*p_ml}
xh6 w hb vss vss mos_n PARAMS: p_w={2*p_mw} p_l={5*p_ml}
vl lo 0 dc {0-p_clip}
xl l part_sink PARAMS: p_m=4
xl1 la w l l mos_n PARAMS: p_w={4*p_mw} p_l={p_ml}
xl2 lb lo l l mos_n PARAMS: p_w={4*p_mw} p_l={p_ml}
xl3 la la vdd vdd mos_p PARAMS: p_w={4*p_mw} p_l={p_ml}
xl4 lb la vdd vdd mos_p PARAMS: p_w={4*p_mw} p_l={p_ml}
xl5 lb lb vdd vdd mos_p PARAMS: p_w={0.25*p_mw} p_l={5*p_ml}
xl6 w lb vdd vdd mos_p PARAMS: p_w={2*p_mw} p_l={5*p_ml}`,
}

// forgetting prints what stores leak.
func forgetting(s Store) []string {
	what := "* weights are forgotten with this time constant [s]"
	if s.Leak == 0 {
		what = "* weights are not forgotten"
	}
	return []string{what, ".param p_forget=" + number(forgets(s))}
}

// forgets is the time constant by which a weight is forgotten [s].
func forgets(s Store) float64 {
	if s.Leak > 0 {
		return s.Leak
	}
	return 1e30
}
