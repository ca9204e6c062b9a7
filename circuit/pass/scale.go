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
			f := factor[e.Kind.Params[i].Dimension]
			for k := range e.Params[i].Numbers {
				multiply(&e.Params[i].Numbers[k], f)
			}
			for _, w := range e.Params[i].Waves {
				for _, t := range w {
					for k := range t.Numbers {
						multiply(&t.Numbers[k], factor[t.Dimension(k)])
					}
				}
			}
		}
	}
	return nil
}

func multiply(x *float64, factor float64) {
	if factor != 1 {
		*x = fifteen(*x * factor)
	}
}

// fifteen keeps 15 significant digits, so that 0.3 of a millisecond is 0.0003 in
// the netlist and not 0.00029999999999999997.
func fifteen(x float64) float64 {
	x, _ = strconv.ParseFloat(strconv.FormatFloat(x, 'g', 15, 64), 64)
	return x
}
