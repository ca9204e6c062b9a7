package pass

import "vlec/circuit"

// Freeze makes every store learn so slowly that it holds what it has. What learns
// stays in the circuit, and loads and disturbs the rest as before.
var Freeze = Pass{
	Name:   "freeze",
	Reason: "where the same circuit is wanted with given weights",
	Run: func(c *circuit.Circuit) error {
		const slow = 1e-12
		for _, e := range c.Elements {
			if IsStore(e) || e.Kind.Name == "refresh" { // the capacitor of both
				e.Numbers("rate")[0] *= slow
				if e.HasParam("decay") {
					e.Numbers("decay")[0] *= slow
				}
			}
		}
		return nil
	},
}
