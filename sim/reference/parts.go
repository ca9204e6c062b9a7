package reference

import (
	"math"

	"vlec/model"
)

// Parts is what is declared of the parts of a circuit and is linear, or at least
// exactly known: the poles of its nodes, how its stores forget, and how they are
// refreshed. With it the continuous semantics is that of the network built of these
// parts. All times are in time units; 0 means that a part is perfect.
//
// With Node > 0 every node that carries a sum, a lead, a rate, a slope or an error
// follows what drives it with that time constant, from 0 on:
//
//	Node ds/dt = (a + gamma e) - s         Follower dz/dt = s - z
//	tau_m du/dt = z - u                    Node dy/dt = u + (tau_r/tau_m) (z - u) - y
//	Node dr/dt = phi(y) - r                Node dk/dt = phi'(y) - k
//	Node db/dt = sum of B e, targets - b   Node dx/dt = k b - x
//
// and for errors as for membranes, with v, e and the time constants swapped. A neuron
// whose lead is shorter than its lag is two resistors and a capacitor. The capacitance
// of its one node counts as part of that capacitor, its own pole, shorter by lead over
// lag than the others, as immediate:
//
//	(tau_m + Node) du/dt = a + gamma e - u    y = u + tau_r du/dt
//
// A linear neuron passes on its lead itself, and has no slope: r = y, x = b, without
// poles of their own; if there are loops its one node is a state. The teacher is no
// part of the circuit.
type Parts struct {
	Node     float64 // time constant of a node
	Follower float64 // of the amplifier that a lead longer than its lag needs
	Leak     float64 // time constant by which weights are forgotten
	Refresh  float64 // period at which weights fall to the nearest multiple of Grid [1]
	Grid     float64
}

// A strobe comes up with the end of every period, first of all of the first: for a
// tenth of it, within a fiftieth, down within another. As long as it is up, weights
// fall by a sine with zeros at the multiples of the grid, eight times the reciprocal
// of its area within it.
const (
	strobeHigh    = 0.1
	strobeEdge    = 0.02
	strobeRestore = (strobeHigh + strobeEdge) / 8
)

// slow are the states that poles add to a population.
type slow struct {
	s, z, y held // sum, follower and lead of a membrane that is not two resistors
	r, k, b held // rate, slope, feedback
	x, f, e held // sum, follower and lead of an error neuron that is not
	soft    held // of a target with cross-entropy

	read       bool // somebody reads the sums, which must have nodes then
	want, temp []float64
}

// addParts lays out the states that parts add.
func (f *flow) addParts(parts *Parts) {
	f.parts = parts
	if parts == nil || parts.Node <= 0 {
		return
	}
	f.slow = make([]slow, len(f.pop))
	for k := range f.links { // what this rule reads
		if l := &f.links[k]; f.learning && l.learnsFeedback() && l.Feedback.Rule == model.GainAlignment {
			f.slow[l.from].read, f.slow[l.to].read = true, true
		}
	}
	for k := range f.pop {
		q, n := &f.slow[k], f.pop[k].Size
		q.want, q.temp = make([]float64, n), make([]float64, n)
		f.everyPole(q, func(h *held) { *h = f.hold(make([]float64, n), true) })
	}
}

func (f *flow) everyPole(q *slow, do func(*held)) {
	for _, h := range []*held{&q.s, &q.z, &q.y, &q.r, &q.k, &q.b, &q.x, &q.f, &q.e, &q.soft} {
		do(h)
	}
}

// deriveSlow writes the derivatives of a network whose nodes have poles, and leaves
// all signals in the populations. There is no algebraic loop: what goes around one
// passes a rate or an error that is a state.
func (f *flow) deriveSlow(dz []float64) {
	for k := range f.pop {
		f.recall(k)
	}
	for n := range f.pop {
		f.deriveMembranes(f.inOrder(n), dz)
	}
	for n := range f.pop {
		f.deriveErrors(f.inOrder(len(f.pop)-1-n), dz)
	}
}

// inOrder is the population that is n-th in line; any order will do in a cycle.
func (f *flow) inOrder(n int) int {
	if f.order == nil {
		return n
	}
	return f.order[n]
}

// coupled tells whether signals go around a loop.
func (f *flow) coupled() bool { return f.order == nil || f.net.Gamma != 0 }

// recall takes the signals of population k that are states from there.
func (f *flow) recall(k int) {
	p, q := &f.pop[k], &f.slow[k]
	linear := p.Activation == model.Linear
	if !linear {
		copy(p.r, q.r.value)
		copy(p.slope, q.k.value)
		copy(p.back, q.b.value)
	}
	for i := range p.y {
		tauM, tauR := p.tauM.value[i], p.TauR[i]
		if ownNodes(tauM, tauR, q.read) || linear && f.coupled() {
			p.y[i] = q.y.value[i]
		}
		if linear {
			p.r[i], p.slope[i] = p.y[i], 1
		}
		switch {
		case ownNodes(tauR, tauM, false) || linear && f.coupled():
			p.e[i] = q.e.value[i]
		case !linear:
			p.x[i] = p.slope[i] * p.back[i]
			p.e[i], _ = f.twoResistors(p.x[i], p.v.value[i], tauR, tauM)
		}
	}
}

// twoResistors returns the lead and the derivative of the state of a neuron that has
// no node of its own for its sum.
func (f *flow) twoResistors(sum, state, lag, ahead float64) (lead, derivative float64) {
	derivative = (sum - state) / (lag + f.parts.Node)
	return state + ahead*derivative, derivative
}

// neuron writes the derivatives of a neuron, i-th of its quantities, and returns its
// lead, which is that of its state where it has one.
func (f *flow) neuron(dz []float64, i int, sum float64, state, node, buffer, lead *held, lag, ahead float64, read, always bool) float64 {
	parts := f.parts
	u := state.value[i]
	switch {
	case ownNodes(lag, ahead, read):
		s, z := node.value[i], buffer.value[i]
		dz[node.at+i] = (sum - s) / parts.Node
		dz[buffer.at+i] = (s - z) / parts.Follower
		dz[lead.at+i] = (u + ahead/lag*(z-u) - lead.value[i]) / parts.Node
		dz[state.at+i] = (z - u) / lag
		return lead.value[i]
	case always: // the node is a state of its own
		y := lead.value[i]
		dz[state.at+i] = (y - u) / ahead
		dz[lead.at+i] = (sum - y - (lag-ahead)*(y-u)/ahead) / parts.Node
		return y
	}
	y, derivative := f.twoResistors(sum, u, lag, ahead)
	dz[state.at+i] = derivative
	return y
}

func (f *flow) deriveMembranes(k int, dz []float64) {
	p, q := &f.pop[k], &f.slow[k]
	linear, gamma := p.Activation == model.Linear, f.net.Gamma
	f.drive(k)
	for i := range p.y {
		p.y[i] = f.neuron(dz, i, p.a[i]+gamma*p.e[i], &p.u, &q.s, &q.z, &q.y, p.tauM.value[i], p.TauR[i], q.read, linear && f.coupled())
		if ownNodes(p.tauM.value[i], p.TauR[i], q.read) {
			p.a[i] = q.s.value[i] - gamma*p.e[i] // as others read it
		}
	}
	if linear {
		copy(p.r, p.y)
		return
	}
	activate(p.Activation, p.y, q.want, q.temp)
	for i, r := range p.r {
		switch p.Activation { // these slopes are made of the rate
		case model.Tanh:
			q.temp[i] = 1 - r*r
		case model.Sigmoid:
			q.temp[i] = r * (1 - r)
		}
		dz[q.r.at+i] = (q.want[i] - r) / f.parts.Node
		dz[q.k.at+i] = (q.temp[i] - p.slope[i]) / f.parts.Node
	}
}

func (f *flow) deriveErrors(k int, dz []float64) {
	p, q := &f.pop[k], &f.slow[k]
	linear := p.Activation == model.Linear
	f.feedBack(k, q.want)
	for t, aim := range f.targets {
		if aim.pop != k {
			continue
		}
		rate := p.r
		if aim.Loss == model.CrossEntropy {
			softmax(p.r, q.temp)
			for i, want := range q.temp {
				dz[q.soft.at+i] = (want - q.soft.value[i]) / f.parts.Node
			}
			rate = q.soft.value
		}
		for i, target := range f.target[t] {
			q.want[i] += f.net.Beta * (target - rate[i])
		}
	}
	for i, back := range q.want {
		x := back
		if !linear {
			dz[q.b.at+i] = (back - p.back[i]) / f.parts.Node
			x = p.slope[i] * p.back[i]
		} else {
			p.back[i] = back
		}
		p.e[i] = f.neuron(dz, i, x, &p.v, &q.x, &q.f, &q.e, p.TauR[i], p.tauM.value[i], false, linear && f.coupled())
		p.x[i] = x
		if ownNodes(p.TauR[i], p.tauM.value[i], false) {
			p.x[i] = q.x.value[i]
		}
	}
}

// ownNodes tells whether a neuron of that lag and lead has nodes of its own for its
// sum and its lead; otherwise two resistors and a capacitor have one for both.
func ownNodes(lag, lead float64, read bool) bool { return read || !(lead < lag) }

// forget adds what stores lose to the derivative of a quantity, where it is one.
func (f *flow) forget(t float64, h *held, dz []float64) {
	if h.at < 0 || f.parts == nil {
		return
	}
	if leak := f.parts.Leak; leak > 0 {
		for i, w := range h.value {
			dz[h.at+i] -= w / leak
		}
	}
	if up := f.parts.strobe(t); up > 0 {
		grid := f.parts.Grid
		rate := up * grid / (2 * math.Pi * strobeRestore * f.parts.Refresh)
		for i, w := range h.value {
			dz[h.at+i] -= rate * math.Sin(2*math.Pi*w/grid)
		}
	}
}

// strobe is how far it is up.
func (p *Parts) strobe(t float64) float64 {
	if p.Refresh <= 0 || t < p.Refresh {
		return 0
	}
	phase := math.Mod(t/p.Refresh, 1)
	return max(0, min(1, phase/strobeEdge, (2*strobeEdge+strobeHigh-phase)/strobeEdge))
}

// kinks of the strobe before the end.
func (p *Parts) kinks(end float64) []float64 {
	if p == nil || p.Refresh <= 0 {
		return nil
	}
	var at []float64
	for k := 1; float64(k)*p.Refresh < end; k++ {
		for _, corner := range []float64{0, strobeEdge, strobeEdge + strobeHigh, 2*strobeEdge + strobeHigh} {
			at = append(at, (float64(k)+corner)*p.Refresh)
		}
	}
	return at
}
