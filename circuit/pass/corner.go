package pass

import "vlec/circuit"

// Corner is a circuit whose process made all resistors, and the transconductors that
// follow them, and all capacitors a factor larger than wanted. Ratios stay: gains and
// weights are the same, time constants grow with both, and learning slows down. What
// is outside of the circuit, stimuli and a teacher, stays.
func Corner(resistors, capacitors float64) Pass {
	return Pass{
		Name:   "corner",
		Reason: "last: what is wanted, and rounded to a series, is what the process misses",
		After:  []string{"fold", "fuse", "scale"},
		Run: func(c *circuit.Circuit) error {
			c.Units.Resistance = fifteen(c.Units.Resistance * resistors)
			for _, e := range c.Elements {
				if e.Testbench() {
					continue
				}
				for i, spec := range e.Kind.Params {
					for k := range e.Params[i].Numbers {
						switch spec.Dimension {
						case circuit.Time:
							multiply(&e.Params[i].Numbers[k], resistors*capacitors)
						case circuit.Rate:
							multiply(&e.Params[i].Numbers[k], 1/(resistors*capacitors))
						}
					}
				}
			}
			return nil
		},
	}
}
