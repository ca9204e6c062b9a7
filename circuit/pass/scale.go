package pass

import (
	"errors"
	"strconv"

	"vlec/circuit"
)

// Scale puts a circuit from model units into volts and seconds: times are
// multiplied by the unit of time, rates divided by it, potentials multiplied by
// the unit of voltage, ratios left alone. It reads the dimensions of the element
// and wave tables and knows no kind by name.
func Scale(c *circuit.Circuit, units circuit.Units) error {
	if c.Units.Physical() {
		return errors.New("the circuit is in volts and seconds already")
	}
	if !(units.Time > 0 && units.Voltage > 0 && units.Resistance > 0) {
		return errors.New("the units of time, voltage and resistance must be positive")
	}
	c.Units = units
	factor := map[circuit.Dimension]float64{
		circuit.Pure: 1, circuit.Time: units.Time, circuit.Rate: 1 / units.Time, circuit.Level: units.Voltage,
	}
	for _, e := range c.Elements {
		for i := range e.Params {
			p := &e.Params[i]
			p.Numbers = scaled(p.Numbers, func(int) float64 { return factor[e.Kind.Params[i].Dimension] })
			for _, w := range p.Waves {
				for t := range w {
					w[t].Numbers = scaled(w[t].Numbers, func(k int) float64 { return factor[w[t].Dimension(k)] })
				}
			}
		}
	}
	return nil
}

// scaled returns the numbers times their factors, in a slice of its own because
// the model still holds the old one.
func scaled(xs []float64, factor func(int) float64) []float64 {
	out := make([]float64, len(xs))
	for i, x := range xs {
		if f := factor(i); f != 1 {
			x = round(x * f)
		}
		out[i] = x
	}
	return out
}

// round keeps 15 significant digits, so that 0.3 of a millisecond is 0.0003 in
// the netlist and not 0.00029999999999999997.
func round(x float64) float64 {
	r, _ := strconv.ParseFloat(strconv.FormatFloat(x, 'g', 15, 64), 64)
	return r
}
