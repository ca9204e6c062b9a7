package reference

// An energy evaluates the energy of which the dynamics are made, and its terms
// (arXiv 2603.09600; theory section 4),
//
//	E = sum over populations |eps|^2/2 + beta sum over targets C,
//	eps = u + tau_m du/dt - sum_q W_q r_pre - b
//
// and the action S, the integral of E over time. Along the dynamics the mismatch
// eps is gamma e: with gamma = 0 membranes follow their drives exactly and E is the
// cost alone. Of a batch it is the first trial's, like all signals of neurons.
type energy struct {
	plan *plan
	run  observed
	eps  [][]float64

	// The action up to the last sample, by the trapezoid rule over the samples.
	action, time, former float64
}

func newEnergy(p *plan, run observed) *energy {
	g := &energy{plan: p, run: run}
	for _, pop := range p.pops {
		g.eps = append(g.eps, make([]float64, pop.Size))
	}
	return g
}

// mismatch returns eps of population k.
func (g *energy) mismatch(k int) []float64 {
	for i, e := range g.run.ofPopulation("e", k) {
		g.eps[k][i] = g.plan.net.Gamma * e
	}
	return g.eps[k]
}

// ofPopulation returns |eps|^2/2 of population k.
func (g *energy) ofPopulation(k int) float64 {
	eps := g.mismatch(k)
	return dot(eps, eps) / 2
}

// ofTarget returns beta C of target q.
func (g *energy) ofTarget(q int) float64 {
	aim := &g.plan.targets[q]
	return g.plan.net.Beta * cost(aim.Loss, g.run.ofTarget(q), g.run.ofPopulation("r", aim.pop))
}

// total returns E.
func (g *energy) total() float64 {
	sum := 0.0
	for k := range g.plan.pops {
		sum += g.ofPopulation(k)
	}
	for q := range g.plan.targets {
		sum += g.ofTarget(q)
	}
	return sum
}

// until goes on to a sample at time t and returns the action.
func (g *energy) until(t float64) float64 {
	now := g.total()
	g.action += (t - g.time) * (now + g.former) / 2
	g.time, g.former = t, now
	return g.action
}

// keep saves and restores the action.
func (g *energy) keep(l *ledger) {
	l.numbers(statePrefix+"action", &g.action, &g.time, &g.former)
}
