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
// The gain is that of one lead: a loop through k leads whose gains multiply to g
// counts as the k-th root of g. It is the spectral radius of the magnitudes of
// all gains, with every activation at its steepest and every plastic weight at
// its initial value: an upper bound of the small-signal gain, except for the
// curvature of phi.
func LoopGain(c *circuit.Circuit) float64 {
	v := newGains(c)
	for _, e := range v.leads {
		fill(v.value[e.Pin("lead")], 1)
	}
	// Power iteration on a matrix without negative numbers. Such a matrix may be
	// periodic: gamma > 0 makes rates and errors take turns. The growth over
	// twelve rounds, which has many divisors, does not see the turns; it is the
	// answer when it repeats. A matrix without a loop maps everything to 0 within
	// as many rounds as there are leads in a row.
	const most, tail, period = 240, 120, 12
	var growth []float64 // logarithm of the growth, by round
	for k := range most {
		norm := v.round()
		if norm == 0 {
			return 0
		}
		growth = append(growth, math.Log(norm))
		if n := k + 1; n >= 2*period && n%period == 0 {
			now, before := mean(growth[n-period:]), mean(growth[n-2*period:n-period])
			if math.Abs(now-before) < 1e-9 {
				return math.Exp(now)
			}
		}
	}
	return math.Exp(mean(growth[most-tail:]))
}

// gains holds a magnitude for every wire.
type gains struct {
	value map[*circuit.Net][]float64
	clear [][]float64        // the values that every round begins with 0
	order []*circuit.Element // what has no memory, each after what feeds it
	leads []*circuit.Element // which cut every loop
	next  [][]float64        // new values of the leads
}

func newGains(c *circuit.Circuit) *gains {
	v := &gains{value: make(map[*circuit.Net][]float64, len(c.Nets))}
	for _, n := range c.Nets {
		v.value[n] = make([]float64, n.Width)
	}
	v.sort(c)
	fixed := map[*circuit.Net]bool{}
	for _, e := range v.leads {
		fixed[e.Pin("lead")] = true
		v.next = append(v.next, make([]float64, e.Pin("lead").Width))
	}
	unit := 1.0
	if c.Units.Physical() {
		unit = c.Units.Voltage
	}
	for _, e := range c.Elements {
		if IsStore(e) {
			// A store's content does not jump; it is what the synapses multiply by.
			w := e.Pin("w")
			for i, x := range e.Numbers("init") {
				v.value[w][i] = x / unit
			}
			fixed[w] = true
		}
	}
	for _, n := range c.Nets {
		if !fixed[n] {
			v.clear = append(v.clear, v.value[n])
		}
	}
	return v
}

// round passes the values of the leads through all that has no memory and back
// to the leads, normalises them and returns what the largest of them was.
func (v *gains) round() float64 {
	for _, xs := range v.clear {
		fill(xs, 0)
	}
	for _, e := range v.order {
		v.propagate(e)
	}
	norm := 0.0
	for k, e := range v.leads {
		in, ahead, tau := v.value[e.Pin("sum")], e.Numbers("ahead"), e.Numbers("tau")
		for i := range in {
			v.next[k][i] = in[i] * ahead[i] / tau[i]
			norm = math.Max(norm, v.next[k][i])
		}
	}
	if norm > 0 {
		for k, e := range v.leads {
			out := v.value[e.Pin("lead")]
			for i, x := range v.next[k] {
				out[i] = x / norm
			}
		}
	}
	return norm
}

// sort puts the memoryless elements in an order in which each follows what
// feeds it, and lists the elements with a lead.
func (v *gains) sort(c *circuit.Circuit) {
	feeds := map[*circuit.Net][]*circuit.Element{}
	for _, e := range c.Elements {
		if isLead(e) {
			v.leads = append(v.leads, e)
			continue
		}
		for i, n := range e.Pins {
			if r := e.Kind.Pins[i].Role; r == circuit.Drives || r == circuit.Injects {
				feeds[n] = append(feeds[n], e)
			}
		}
	}
	seen := map[*circuit.Element]bool{}
	var visit func(e *circuit.Element)
	visit = func(e *circuit.Element) {
		if seen[e] {
			return
		}
		seen[e] = true
		for i, n := range e.Pins {
			if r := e.Kind.Pins[i].Role; r == circuit.Reads || r == circuit.Terminates {
				for _, f := range feeds[n] {
					visit(f)
				}
			}
		}
		v.order = append(v.order, e)
	}
	for _, e := range c.Elements {
		if !isLead(e) {
			visit(e)
		}
	}
}

func isLead(e *circuit.Element) bool {
	return e.Kind.Name == "lead-lag" || e.Kind.Name == "prospective"
}

// propagate adds an element's instantaneous gains, in magnitude. A gate has the
// gain of the steepest slope; what has memory, and the stimuli, pass nothing on.
func (v *gains) propagate(e *circuit.Element) {
	at := func(pin string) []float64 { return v.value[e.Pin(pin)] }
	add := func(pin string, from []float64, gain float64) {
		to := at(pin)
		for i := range from {
			to[i] += math.Abs(gain) * from[i]
		}
	}
	switch e.Kind.Name {
	case "synapse":
		forward(e.Numbers("w"), at("pre"), at("sum"))
	case "plastic-synapse":
		forward(at("w"), at("pre"), at("sum"))
	case "transposed-synapse":
		backward(at("w"), at("post"), at("sum"))
	case "activation":
		add("out", at("in"), steepest(e.Word("phi")))
	case "slope":
		fill(at("out"), steepest(e.Word("phi")))
	case "gate":
		in, slope, sum := at("in"), at("slope"), at("sum")
		for i := range sum {
			sum[i] += slope[i] * in[i]
		}
	case "comparator":
		add("sum", at("rate"), e.Number("gain"))
		add("sum", at("target"), e.Number("gain"))
	case "coupling":
		add("sum", at("in"), e.Number("gain"))
	case "softmax":
		// |d out_i / d in_j| adds up to 2 p_i (1 - p_i) <= 1/2 over j.
		most := 0.0
		for _, x := range at("in") {
			most = math.Max(most, x)
		}
		out := at("out")
		for i := range out {
			out[i] += most / 2
		}
	case "difference":
		add("out", at("plus"), 1)
		add("out", at("minus"), e.Number("gain"))
	}
}

// forward adds |w| x to y, w row-major; backward adds |w|^T x.
func forward(w, x, y []float64) {
	for i := range y {
		row, sum := w[i*len(x):], 0.0
		for j, v := range x {
			sum += math.Abs(row[j]) * v
		}
		y[i] += sum
	}
}

func backward(w, x, y []float64) {
	for i, v := range x {
		row := w[i*len(y):]
		for j := range y {
			y[j] += math.Abs(row[j]) * v
		}
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

func mean(xs []float64) float64 {
	sum := 0.0
	for _, x := range xs {
		sum += x
	}
	return sum / float64(len(xs))
}
