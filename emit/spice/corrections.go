package spice

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"strconv"

	"vlec/circuit"
	"vlec/emit"
)

// Corrections are factors by which parts of the transistor level are sized apart
// from what their equations say, because transistors are not quite what equations
// say: followers lose a share of their input, mirrors see unequal potentials, and
// weak inversion ends gradually. They follow from the process alone, by dc analyses
// of single parts (internal/operating), and are printed as parameters of the
// library. 0 stands for 1: no correction.
type Corrections struct {
	Conductance float64 // of the resistor of a transconductor
	Mirror      float64 // of the width of the transistor that its current leaves through
	Correlator  float64 // of the wide side of a correlator
	Pair        float64 // of the tail of a pair, which is right at a unit then
	Steering    float64 // of the conductance by which an input of a product steers currents
}

func (c Corrections) process() []string {
	factor := func(x float64) string { return strconv.FormatFloat(cmp.Or(x, 1), 'f', 6, 64) }
	return []string{
		"* found by dc analyses of the parts alone: conductance of transconductors, width of their output",
		"* mirror, width of correlators, tail of pairs, conductance at the inputs of products",
		".param p_fix_gm=" + factor(c.Conductance),
		".param p_fix_mirror=" + factor(c.Mirror),
		".param p_fix_correlator=" + factor(c.Correlator),
		".param p_fix_pair=" + factor(c.Pair),
		".param p_fix_steer=" + factor(c.Steering),
	}
}

// A CorrectionsBench tells what its nodes hold, in volts.
type CorrectionsBench func(node string) float64

// CorrectionsNetlist writes a netlist of parts whose operating point shows how far
// they are off, and a function that turns what it shows into better corrections
// than those that p has. mos is the library of transistors, "" GenericMOS. Parts are
// sized once, under nominal conditions, whatever the circuit meets later.
func CorrectionsNetlist(u circuit.Units, p Process, mos string, files *emit.Artifacts) (func(CorrectionsBench) Corrections, error) {
	level, err := findLevel("transistor")
	if err != nil {
		return nil, err
	}
	p = p.known(u)
	if err := level.fits(u, p); err != nil {
		return nil, err
	}
	p.Pair, p.Supply = 1, 1
	u = p.Units("transistor", u)
	const m = 1.5 // units that the transconductor is sized for, over 2
	d := &deck{
		circuit: &circuit.Circuit{Units: u}, level: level, dialect: &dialects[0], options: Options{Process: p},
		used: map[string]bool{"cell_linear": true, "cell_tanh": true, "cell_tanh_slope": true, "cell_multiplier": true},
	}
	files.Add(CellFile, func(w io.Writer) error { return d.printCells(w) })
	files.AddText(MOSFile, cmp.Or(mos, GenericMOS))
	files.AddText(NetlistFile, fmt.Sprintf(`* vlec: parts to be corrected
.param p_v0=%s
.param p_r0=%s
.include "%s"
v_high high 0 dc {p_v0}
v_low low 0 dc {0-p_v0}
x_high high 0 out_high part_gm PARAMS: p_m=%g
r_high out_high 0 {p_r0}
x_zero 0 0 out_zero part_gm PARAMS: p_m=%g
r_zero out_zero 0 {p_r0}
x_low low 0 out_low part_gm PARAMS: p_m=%g
r_low out_low 0 {p_r0}
x_above high above cell_tanh
x_below low below cell_tanh
x_slope 0 0 slope cell_tanh_slope
x_same high high same part_product
r_same same 0 {p_r0}
x_opposite high low opposite part_product
r_opposite opposite 0 {p_r0}
%s
.op
.end
`, number(u.Voltage), number(u.Resistance), CellFile, m, m, m, tight))
	return func(v CorrectionsBench) Corrections {
		old, volt := p.Corrections, u.Voltage
		return Corrections{
			Conductance: cmp.Or(old.Conductance, 1) * 2 * volt / (v("out_high") - v("out_low")),
			Mirror:      cmp.Or(old.Mirror, 1) - v("out_zero")/volt/(2*m),
			Correlator:  cmp.Or(old.Correlator, 1) * volt / v("slope"),
			Pair:        cmp.Or(old.Pair, 1) * 2 * volt * math.Tanh(1) / (v("above") - v("below")),
			// Two inputs, of which some 0.8 of what they steer meets this conductance.
			Steering: cmp.Or(old.Steering, 1) * math.Pow(2*volt/(v("same")-v("opposite")), 0.5/0.8),
		}
	}, nil
}

// tight are tolerances below what corrections and nulls are rounded to.
const tight = ".options reltol=1e-9 vntol=1e-12 abstol=1e-20"
