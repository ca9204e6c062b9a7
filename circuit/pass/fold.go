package pass

import "vlec/circuit"

// Fold removes what does nothing: linear activations (the rate is the
// prospective potential itself), their slopes of 1 with the gates that multiply
// by them, synapses whose weights are all 0 and couplings of gain 0.
var Fold = Pass{
	Name:   "fold",
	Reason: "first, because every later pass is shorter on a graph without idle elements",
	Run:    fold,
}

func fold(c *circuit.Circuit) error {
	unity := map[*circuit.Net]bool{} // slopes that are 1
	kept := c.Elements[:0]
	var gates []*circuit.Element
	for _, e := range c.Elements {
		switch {
		case e.Kind.Name == "activation" && e.Word("phi") == "linear":
			c.Replace(e.Pin("out"), e.Pin("in"))
		case e.Kind.Name == "slope" && e.Word("phi") == "linear":
			unity[e.Pin("out")] = true
		case e.Kind.Name == "synapse" && allZero(e.Numbers("w")):
		case e.Kind.Name == "coupling" && e.Number("gain") == 0:
		default:
			if e.Kind.Name == "gate" {
				gates = append(gates, e)
			}
			kept = append(kept, e)
		}
	}
	c.Elements = kept
	for _, g := range gates {
		if unity[g.Pin("slope")] {
			merge(c, g.Pin("in"), g.Pin("sum"))
			remove(c, g)
		}
	}
	return nil
}

// merge makes everything that injects into one sum inject into another.
func merge(c *circuit.Circuit, from, into *circuit.Net) {
	for _, u := range c.Uses()[from] {
		if u.Role() == circuit.Injects || u.Role() == circuit.Reads {
			u.Element.Pins[u.Pin] = into
		}
	}
}

func remove(c *circuit.Circuit, gone *circuit.Element) {
	kept := c.Elements[:0]
	for _, e := range c.Elements {
		if e != gone {
			kept = append(kept, e)
		}
	}
	c.Elements = kept
}

func allZero(xs []float64) bool {
	for _, x := range xs {
		if x != 0 {
			return false
		}
	}
	return true
}
