package spice

import (
	"fmt"
	"math"
)

// # Refresh
//
// What restores a weight has to know how far it is from the nearest of many levels. A
// pair of transistors bends within a unit, so that a pair for each level would need
// either an amplifier for each or levels units apart. Here the potential is folded
// instead, as in a folding converter: out = 2 - 2 abs(in) maps [-2, 2] twice onto
// itself, and seven such stages make of a ramp a triangle of 64 periods. All folds
// are at extremes of the triangle, a quarter of the grid above a level, so that what
// is soft or late in a fold is so where a weight is lost anyway; levels are where the
// triangle falls through 0.
//
// A fold is the transconductor of part_linear, whose two currents are exchanged by
// four switches; a pair of much gain, whose output two transistors connected as diodes
// keep within some units of 0, tells them which way. An error of the first fold is
// that share of the whole range, one of the last of a level.
//
// The triangle drives a pair, and a transmission gate lets its current into the weight.
// The strobe is one unit, less than it takes to open a gate: a pair compares it with a
// half, and inverters make it as large as the supplies.

const refreshNote = `All that is active is transistors: seven stages that fold the weight to a triangle with a zero at every level, a pair, and a
transmission gate that the strobe opens. The triangle has the zeros of the sine and its slope there, 1/p_restore. Its levels are within 0.06 p_grid of
multiples of p_grid up to 18 of them to either side, within 0.2 up to 31; beyond 32 there are none, and a weight may be driven away. The potentials
p_grid/4, which places the levels, and p_v0/2, at which the strobe counts as up, are ideal sources, as the limits of a clamp are.`

// refreshLevels are the levels to either side of 0 that seven folds make.
const refreshLevels = 31

// refreshes tells whether every refreshed weight begins among the levels that there are.
func (d *deck) refreshes() error {
	if !d.level.biased {
		return nil
	}
	unit := d.circuit.Units.Voltage
	for _, e := range d.circuit.Elements {
		if e.Kind.Name != "refresh" {
			continue
		}
		for _, store := range d.circuit.Elements {
			if store.Kind.State == "" || store.Pin(store.Kind.State) != e.Pin("w") {
				continue
			}
			for i, w := range store.Numbers("init") {
				if grid := e.Number("grid"); math.Abs(w) > (refreshLevels+0.5)*grid {
					return fmt.Errorf("%s is %g where it begins, and a refresh of transistors has %d levels to either side; a grid of %.2g would do",
						d.nodes[e.Pin("w")][i], math.Round(1e6*w/unit)/1e6, refreshLevels, math.Abs(w)/unit/refreshLevels)
				}
			}
		}
	}
	return nil
}

var refreshParts = []part{
	{
		cell{"part_fold", "out = 2 p_v0 - p_g/2 abs(plus - minus)", "plus minus out", "p_g=4"},
		`
xl plus minus ia ib part_linear PARAMS: p_g={p_g} p_m=3
xc plus minus up part_pair PARAMS: p_m=8 p_s=1
x1 up up 0 0 mos_n PARAMS: p_w={p_mw} p_l={p_ml}
x2 0 0 up up mos_n PARAMS: p_w={p_mw} p_l={p_ml}
x3 out up ib vss mos_n PARAMS: p_w={6*p_mw} p_l={p_ml}
x4 in 0 ib vss mos_n PARAMS: p_w={6*p_mw} p_l={p_ml}
x5 in up ia vss mos_n PARAMS: p_w={6*p_mw} p_l={p_ml}
x6 out 0 ia vss mos_n PARAMS: p_w={6*p_mw} p_l={p_ml}
xm in out part_mirror_p PARAMS: p_m=6 p_k={p_fix_mirror}
xb out part_source PARAMS: p_m=4
ro out 0 {p_r0/2}`,
	},
}

var refreshBodies = map[string]string{
	// The triangle reaches 2 units, hence its slope is 8 p_v0/p_grid.
	"cell_weight_refresh": `
vq quarter 0 dc {p_grid/4}
x1 w quarter f1 part_fold PARAMS: p_g={p_v0/(4*p_grid)}
x2 f1 0 f2 part_fold
x3 f2 0 f3 part_fold
x4 f3 0 f4 part_fold
x5 f4 0 f5 part_fold
x6 f5 0 f6 part_fold
x7 f6 0 f7 part_fold
xo f7 0 out part_pair PARAMS: p_m={p_grid/(8*p_v0*p_restore*p_rate)} p_s=1
vh half 0 dc {p_v0/2}
xs strobe half up part_pair PARAMS: p_m=2 p_s=1
x8 shut up vss vss mos_n PARAMS: p_w={p_mw} p_l={p_ml}
x9 shut up vdd vdd mos_p PARAMS: p_w={p_mw} p_l={p_ml}
x10 open shut vss vss mos_n PARAMS: p_w={p_mw} p_l={p_ml}
x11 open shut vdd vdd mos_p PARAMS: p_w={p_mw} p_l={p_ml}
x12 w open out vss mos_n PARAMS: p_w={p_mw} p_l={p_ml}
x13 w shut out vdd mos_p PARAMS: p_w={p_mw} p_l={p_ml}`,
}
