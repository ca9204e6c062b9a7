package pass

import "vlec/circuit"

// Fuse joins each leaky integrator with the prospective unit on its state into
// one lead-lag element.
var Fuse = Pass{
	Name: "fuse",
	Reason: "a lead-lag has cheaper bodies than its halves: two resistors and a capacitor where the lead " +
		"is shorter than the lag, one multiply-accumulate in clocked hardware",
	After: []string{"fold"},
	Run:   fuse,
}

func fuse(c *circuit.Circuit) error {
	integrator := map[*circuit.Net]*circuit.Element{} // by state net
	for _, e := range c.Elements {
		if e.Kind.Name == "leaky-integrator" {
			integrator[e.Pin("state")] = e
		}
	}
	fused := map[*circuit.Element]*circuit.Element{} // by integrator
	used := map[*circuit.Element]bool{}              // prospective units that vanish
	for _, e := range c.Elements {
		if e.Kind.Name != "prospective" {
			continue
		}
		lag := integrator[e.Pin("state")]
		if lag == nil || fused[lag] != nil || lag.Pin("sum") != e.Pin("sum") || !equal(lag.Numbers("tau"), e.Numbers("tau")) {
			continue
		}
		used[e] = true
		fused[lag] = circuit.NewElement("lead-lag", lag.Name, lag.Origin).
			Connect("sum", e.Pin("sum")).Connect("state", e.Pin("state")).Connect("lead", e.Pin("lead")).
			Set("tau", lag.Numbers("tau")...).Set("ahead", e.Numbers("ahead")...).Set("init", lag.Numbers("init")...)
	}
	kept := c.Elements[:0]
	for _, e := range c.Elements {
		if used[e] {
			continue
		}
		if f := fused[e]; f != nil {
			e = f
		}
		kept = append(kept, e)
	}
	c.Elements = kept
	return nil
}

func equal(a, b []float64) bool {
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return len(a) == len(b)
}
