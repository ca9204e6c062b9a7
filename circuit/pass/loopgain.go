package pass

import (
	"math"

	"vlec/circuit"
)

// LoopGain estimates how strongly a circuit's instantaneous loops feed back on
// themselves. Leads pass a fraction of their input on without delay, so gamma >
// 0 and recurrent projections close algebraic loops; below 1 an iteration
// around them contracts, at or above 1 the circuit may have several solutions
// or none. A circuit without such a loop has gain 0.
//
// The estimate is the spectral radius of the magnitudes of all gains, with every
// activation at its steepest and every plastic weight at its initial value: an
// upper bound of the small-signal gain, except for the curvature of phi.
func LoopGain(c *circuit.Circuit) float64 {
	v := gains{value: map[*circuit.Net][]float64{}}
	for _, n := range c.Nets {
		v.value[n] = make([]float64, n.Width)
	}
	order, leads := v.order(c)
	// One round propagates the leads' values through everything that has no
	// memory and back to the leads. Power iteration on that map; its nonnegative
	// matrix may be periodic, hence the geometric mean over the last rounds.
	for _, e := range leads {
		fill(v.value[e.Pin("lead")], 1)
	}
	const rounds, tail = 200, 100
	logSum, n := 0.0, 0
	for k := range rounds {
		for _, net := range c.Nets {
			if net.Quantity == circuit.Sum || !v.isLead(net, leads) {
				fill(v.value[net], 0)
			}
		}
		for _, e := range order {
			v.propagate(e)
		}
		norm := 0.0
		for _, e := range leads {
			for _, x := range v.leadValue(e) {
				norm = math.Max(norm, x)
			}
		}
		if norm == 0 {
			return 0
		}
		for _, e := range leads {
			out := v.value[e.Pin("lead")]
			for i, x := range v.leadValue(e) {
				out[i] = x / norm
			}
		}
		if k >= rounds-tail {
			logSum, n = logSum+math.Log(norm), n+1
		}
	}
	if r := math.Exp(logSum / float64(n)); r > 1e-12 {
		return r
	}
	return 0
}

type gains struct{ value map[*circuit.Net][]float64 }

// order sorts the memoryless elements so that each follows what feeds it, and
// lists the elements with a lead, which cut every loop.
func (v *gains) order(c *circuit.Circuit) (sorted, leads []*circuit.Element) {
	feeds := map[*circuit.Net][]*circuit.Element{}
	for _, e := range c.Elements {
		if isLead(e) {
			leads = append(leads, e)
			continue
		}
		for i, n := range e.Pins {
			if r := e.Kind.Pins[i].Role; n != nil && (r == circuit.Drives || r == circuit.Injects) {
				feeds[n] = append(feeds[n], e)
			}
		}
	}
	state := map[*circuit.Element]int{}
	var visit func(e *circuit.Element)
	visit = func(e *circuit.Element) {
		if state[e] != 0 {
			return
		}
		state[e] = 1
		for i, n := range e.Pins {
			if r := e.Kind.Pins[i].Role; n != nil && (r == circuit.Reads || r == circuit.Terminates) {
				for _, f := range feeds[n] {
					visit(f)
				}
			}
		}
		sorted = append(sorted, e)
	}
	for _, e := range c.Elements {
		if !isLead(e) {
			visit(e)
		}
	}
	return sorted, leads
}

func isLead(e *circuit.Element) bool {
	return e.Kind.Name == "lead-lag" || e.Kind.Name == "prospective"
}

func (v *gains) isLead(n *circuit.Net, leads []*circuit.Element) bool {
	for _, e := range leads {
		if e.Pin("lead") == n {
			return true
		}
	}
	return false
}

func (v *gains) leadValue(e *circuit.Element) []float64 {
	in := v.value[e.Pin("sum")]
	out := make([]float64, len(in))
	for i := range in {
		out[i] = in[i] * e.Numbers("ahead")[i] / e.Numbers("tau")[i]
	}
	return out
}

// propagate adds an element's instantaneous gains, in magnitude.
func (v *gains) propagate(e *circuit.Element) {
	at := func(pin string) []float64 { return v.value[e.Pin(pin)] }
	add := func(pin string, from []float64, gain float64) {
		for i := range from {
			at(pin)[i] += math.Abs(gain) * from[i]
		}
	}
	matrix := func(w, pre, sum []float64, transposed bool) {
		n, m := len(sum), len(pre)
		for i := range n {
			for j := range m {
				k := i*m + j
				if transposed {
					k = j*n + i
				}
				sum[i] += math.Abs(w[k]) * pre[j]
			}
		}
	}
	switch e.Kind.Name {
	case "synapse":
		matrix(e.Numbers("w"), at("pre"), at("sum"), false)
	case "weight-store", "alignment-store":
		// A store's content does not jump; its initial value is what the synapses
		// on it multiply by, so it travels as the value of its net.
		copy(at("w"), e.Numbers("init"))
	case "plastic-synapse":
		matrix(at("w"), at("pre"), at("sum"), false)
	case "transposed-synapse":
		matrix(at("w"), at("post"), at("sum"), true)
	case "activation":
		add("out", at("in"), steepest(e.Word("phi")))
	case "gate":
		add("sum", at("in"), 1)
	case "comparator":
		add("sum", at("rate"), e.Number("gain"))
		add("sum", at("target"), e.Number("gain"))
	case "coupling":
		add("sum", at("in"), e.Number("gain"))
	case "softmax":
		add("out", at("in"), 0.5)
	case "difference":
		add("out", at("plus"), 1)
		add("out", at("minus"), e.Number("gain"))
	}
}

// steepest is the largest slope of an activation.
func steepest(phi string) float64 {
	if phi == "sigmoid" {
		return 0.25
	}
	return 1
}

func fill(xs []float64, x float64) {
	for i := range xs {
		xs[i] = x
	}
}
