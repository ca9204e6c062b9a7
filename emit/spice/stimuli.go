package spice

import (
	"math"
	"strconv"

	"vlec/circuit"
)

// stimulus prints each channel as a stack of sources, one a term, between the
// channel's node and ground.
func (p *printer) stimulus(e *circuit.Element) {
	out := p.nodes[e.Pin("out")]
	for i, wave := range e.Waves("wave") {
		below := "0"
		for k, t := range wave {
			above, name := out[i], p.element[e][2:]+strconv.Itoa(i)
			if k < len(wave)-1 {
				above += "_sum" + strconv.Itoa(k)
			}
			if len(wave) > 1 {
				name += "_" + strconv.Itoa(k)
			}
			p.term(name, above, below, t)
			below = above
		}
	}
}

func gated(t circuit.Term) bool { return t.Shape == "sine" && (t.Numbers[4] > 0 || t.Numbers[5] > 0) }

func cellsOfStimulus(_ *deck, e *circuit.Element) []string {
	var cells []string
	for _, wave := range e.Waves("wave") {
		for _, t := range wave {
			switch {
			case gated(t):
				cells = append(cells, "cell_sine")
			case t.Shape == "chirp":
				cells = append(cells, "cell_chirp")
			}
		}
	}
	return cells
}

// term prints one source of a stack.
func (p *printer) term(name, above, below string, t circuit.Term) {
	x := make([]string, len(t.Numbers))
	for i, v := range t.Numbers {
		x[i] = number(v)
	}
	source := func(words ...string) {
		p.Wrap("+ ", append([]string{"v_" + name, above, below}, words...)...)
	}
	switch {
	case t.Shape == "constant":
		source("dc", x[0])
	case t.Shape == "step":
		source(pwl(trapezoid(t.Numbers[0], t.Numbers[1], t.Numbers[2], t.Numbers[3], math.Inf(1), 0))...)
	case t.Shape == "pulse" && t.Numbers[5] > 0:
		source("pulse("+x[0], x[1], x[2], x[3], x[3], x[4], x[5]+")")
	case t.Shape == "pulse":
		start, rise, width := t.Numbers[2], t.Numbers[3], t.Numbers[4]
		source(pwl(trapezoid(t.Numbers[0], t.Numbers[1], start, rise, start+rise+width, rise))...)
	case t.Shape == "sine" && !gated(t):
		source("sin("+x[3], x[0], x[1], "0", "0", number(t.Numbers[2]*degrees)+")")
	case t.Shape == "sine":
		p.gatedSine(name, above, below, t)
	case t.Shape == "chirp":
		middle := above + "_offset"
		p.Wrap("+ ", "v_"+name, middle, below, "dc", x[4])
		p.instance("x_"+name, []string{above, middle}, "cell_chirp",
			"p_amplitude="+x[0], "p_f0="+x[1], "p_f1="+x[2], "p_length="+x[3])
	case t.Shape == "samples":
		source(pwl(t.Numbers)...)
	default:
		panic("spice: no source for wave " + t.Shape)
	}
}

const degrees = 57.29577951308232

// gatedSine prints a sine that is switched on and off: the gate is a trapezoid
// of its own, and the cell multiplies it with the sine.
func (p *printer) gatedSine(name, above, below string, t circuit.Term) {
	start, stop, ramp := t.Numbers[4], t.Numbers[5], t.Numbers[6]
	rise, end := ramp, math.Inf(1)
	if start <= 0 {
		rise = 0 // open from the beginning
	}
	if stop > 0 {
		end = stop - ramp
	}
	gate, middle := above+"_gate", above+"_offset"
	p.Wrap("+ ", append([]string{"v_" + name + "_gate", gate, "0"}, pwl(trapezoid(0, 1, start, rise, end, ramp))...)...)
	p.Wrap("+ ", "v_"+name, middle, below, "dc", number(t.Numbers[3]))
	p.instance("x_"+name, []string{gate, above, middle}, "cell_sine",
		"p_amplitude="+number(t.Numbers[0]), "p_frequency="+number(t.Numbers[1]), "p_phase="+number(t.Numbers[2]))
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

// pwl writes time and value pairs as the words of a piecewise-linear source.
func pwl(pairs []float64) []string {
	words := make([]string, 0, len(pairs)+2)
	words = append(words, "pwl(")
	for i := 0; i < len(pairs); i += 2 {
		words = append(words, number(pairs[i])+" "+number(pairs[i+1]))
	}
	return append(words, ")")
}
