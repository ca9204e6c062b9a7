package spice

import (
	"math"
	"strconv"

	"vlec/circuit"
)

// A source is one term of a stimulus: it stands between two nodes, and the terms
// of a wave are stacked on each other.
type source struct {
	name         string
	above, below string
	term         circuit.Term
}

// sources lists the terms of a stimulus. The names of inner nodes end in a
// letter, which those of wires never do.
func (d *deck) sources(e *circuit.Element, yield func(source)) {
	out := d.nodes[e.Pin("out")]
	for i, wave := range e.Waves("wave") {
		below := "0"
		for k, t := range wave {
			above, name := out[i], d.element[e]+strconv.Itoa(i)
			if k < len(wave)-1 {
				above += "_" + strconv.Itoa(k) + "_sum"
			}
			if len(wave) > 1 {
				name += "_" + strconv.Itoa(k)
			}
			yield(source{name, above, below, t})
			below = above
		}
	}
}

func gated(t circuit.Term) bool { return t.Shape == "sine" && (t.Numbers[4] > 0 || t.Numbers[5] > 0) }

// stimulusCells lists the cells of a stimulus; most shapes are plain sources.
func (d *deck) stimulusCells(e *circuit.Element, yield func(instance)) {
	d.sources(e, func(s source) {
		x := make([]string, len(s.term.Numbers))
		for i, v := range s.term.Numbers {
			x[i] = number(v)
		}
		switch {
		case gated(s.term):
			yield(instance{
				"x_" + s.name,
				[]string{s.above + "_gate", s.above, s.above + "_offset"},
				"cell_sine",
				[]string{"p_amplitude", x[0], "p_frequency", x[1], "p_phase", x[2]},
			})
		case s.term.Shape == "chirp":
			yield(instance{
				"x_" + s.name,
				[]string{s.above, s.above + "_offset"},
				"cell_chirp",
				[]string{"p_a", x[0], "p_f0", x[1], "p_f1", x[2], "p_l", x[3]},
			})
		}
	})
}

func (p *printer) stimulus(e *circuit.Element) {
	p.sources(e, p.source)
	p.expand(e, p.instance)
}

// source prints the independent sources of a term.
func (p *printer) source(s source) {
	t := s.term
	x := make([]string, len(t.Numbers))
	for i, v := range t.Numbers {
		x[i] = number(v)
	}
	print := func(name, above, below string, words ...string) {
		p.Wrap("+ ", append([]string{"v_" + name, above, below}, words...)...)
	}
	switch {
	case t.Shape == "constant":
		print(s.name, s.above, s.below, "dc", x[0])
	case t.Shape == "step":
		print(s.name, s.above, s.below, pwl(trapezoid(t.Numbers[0], t.Numbers[1], t.Numbers[2], t.Numbers[3], math.Inf(1), 0))...)
	case t.Shape == "pulse" && t.Numbers[5] > 0 && t.Numbers[4] == 0:
		print(s.name, s.above, s.below, pwl(triangles(t.Numbers, p.options.Stop))...)
	case t.Shape == "pulse" && t.Numbers[5] > 0:
		print(s.name, s.above, s.below, "pulse("+x[0], x[1], x[2], x[3], x[3], x[4], x[5]+")")
	case t.Shape == "pulse":
		start, rise, width := t.Numbers[2], t.Numbers[3], t.Numbers[4]
		print(s.name, s.above, s.below, pwl(trapezoid(t.Numbers[0], t.Numbers[1], start, rise, start+rise+width, rise))...)
	case t.Shape == "sine" && !gated(t):
		print(s.name, s.above, s.below, "sin("+x[3], x[0], x[1], "0", "0", number(t.Numbers[2]*degrees)+")")
	case t.Shape == "sine":
		// The gate is a trapezoid of its own; the cell multiplies it with the sine.
		print(s.name+"_gate", s.above+"_gate", "0", pwl(gate(t.Numbers[4], t.Numbers[5], t.Numbers[6]))...)
		print(s.name, s.above+"_offset", s.below, "dc", x[3])
	case t.Shape == "chirp":
		print(s.name, s.above+"_offset", s.below, "dc", x[4])
	case t.Shape == "samples":
		print(s.name, s.above, s.below, pwl(t.Numbers)...)
	default:
		panic("spice: no source for wave " + t.Shape)
	}
}

const degrees = 57.29577951308232

// gate returns the corners of the factor that switches a sine on and off.
func gate(start, stop, ramp float64) []float64 {
	rise, end := ramp, math.Inf(1)
	if start <= 0 {
		rise = 0 // open from the beginning
	}
	if stop > 0 {
		end = stop - ramp
	}
	return trapezoid(0, 1, start, rise, end, ramp)
}

// trapezoid returns the corners of a wave that is low until start, high from
// start+rise until end, and low again from end+fall. Without a rise it begins
// high; an infinite end means that it stays there.
func trapezoid(low, high, start, rise, end, fall float64) []float64 {
	pairs := []float64{0, high}
	if rise > 0 {
		pairs = []float64{0, low}
		if start > 0 {
			pairs = append(pairs, start, low)
		}
		pairs = append(pairs, start+rise, high)
	}
	if !math.IsInf(end, 1) {
		if end > pairs[len(pairs)-2] {
			pairs = append(pairs, end, high)
		}
		pairs = append(pairs, end+fall, low)
	}
	return pairs
}

// triangles returns the corners of a train of pulses without width until stop. A
// pulse source cannot make them: it takes a width of 0 for one without end.
func triangles(x []float64, stop float64) []float64 {
	low, high, start, rise, period := x[0], x[1], x[2], x[3], x[5]
	pairs := []float64{0, low}
	corner := func(t, v float64) {
		if last := pairs[len(pairs)-2]; t > last+1e-9*rise { // not the foot of the pulse before
			pairs = append(pairs, t, v)
		}
	}
	for k := 0; ; k++ {
		t := start + float64(k)*period
		if t > stop {
			return pairs
		}
		corner(t, low)
		corner(t+rise, high)
		corner(t+2*rise, low)
	}
}

// pwl writes time and value pairs as the words of a piecewise-linear source.
func pwl(pairs []float64) []string {
	words := make([]string, 0, len(pairs)+2)
	words = append(words, "pwl(")
	for i := 0; i < len(pairs); i += 2 {
		words = append(words, number(pairs[i])+" "+number(pairs[i+1]))
	}
	return append(words, ")")
}
