package reference

import (
	"fmt"
	"math"

	"vlec/model"
)

// A flow is the right-hand side of a network's differential equations. Its
// states, in one vector, are the membranes u and error potentials v, and while
// learning whatever changes: weights, backward weights, biases, time constants.
type flow struct {
	*plan
	size     int // number of states, those of the teacher included
	learning bool
	errors   bool // false for a teacher, whose error neurons have nothing to say
	explicit bool // one sweep forward and one backward give every signal

	pop     []flowPop
	link    []flowLink
	input   [][]float64
	target  [][]float64
	soft    []float64
	begun   bool    // learning
	factor  float64 // on every learning rate now
	teacher *flow
	parts   *Parts // nil: perfect ones
	slow    []slow // nil: signals are immediate
	rates   *loop  // the algebraic loop over y, or over y and e
	backs   *loop  // the algebraic loop over e alone
}

// A flowPop holds the signals of one population and where its states are.
type flowPop struct {
	*model.Population
	u, v       held
	bias, tauM held
	y, r       []float64
	slope      []float64
	x, e       []float64
	a, back    []float64
}

// A flowLink holds the weights of one link and where they are in the state.
type flowLink struct {
	w, b  held
	low   held // low-passed far rates, phaseless alignment learning alone
	xi    *noise
	heard []float64 // the noise now
}

// A held quantity is a state when it changes, and a constant otherwise.
type held struct {
	at    int // place in the state vector, -1 for a constant
	value []float64
}

// newFlow lays out the states of a network, from place first on.
func newFlow(net *model.Network, inputs []*model.Input, input [][]float64, learning bool, first int) (*flow, error) {
	p, err := newPlan(net, inputs)
	if err != nil {
		return nil, err
	}
	f := &flow{plan: p, size: first, learning: learning, errors: true, input: input, begun: net.Learning.Start <= 0}
	for _, pop := range p.pops {
		n := pop.Size
		f.pop = append(f.pop, flowPop{
			Population: pop,
			u:          f.hold(pop.U0, true),
			v:          f.hold(pop.V0, true),
			bias:       f.hold(pop.Bias, learning && pop.PlasticBias),
			tauM:       f.hold(pop.TauM, learning && pop.PlasticTauM),
			y:          make([]float64, n), r: make([]float64, n), slope: make([]float64, n),
			x: make([]float64, n), e: make([]float64, n), a: make([]float64, n), back: make([]float64, n),
		})
	}
	for k := range p.links {
		l := &p.links[k]
		fl := flowLink{
			w: f.hold(l.W, learning && l.Plastic),
			b: f.hold(l.Feedback.B, learning && l.learnsFeedback()),
		}
		if l.learnsFeedback() && l.Feedback.Rule == model.PAL {
			fl.low = f.hold(make([]float64, l.n), true)
		}
		if l.noisy() {
			fl.xi = newNoise(l.m, l.Feedback.NoiseSigma, l.Feedback.NoiseTau, net.Dt, net.Seed, uint64(k))
			fl.heard = make([]float64, l.m)
		}
		f.link = append(f.link, fl)
	}
	for _, t := range p.targets {
		f.target = append(f.target, make([]float64, t.Population.Size))
		f.soft = make([]float64, max(len(f.soft), t.Population.Size))
	}
	if net.Teacher != nil {
		if f.teacher, err = newFlow(net.Teacher, inputs, input, false, f.size); err != nil {
			return nil, fmt.Errorf("teacher: %w", err)
		}
		f.teacher.errors = false
		if err := f.teacher.addLoops(); err != nil {
			return nil, fmt.Errorf("teacher: %w", err)
		}
		f.size = f.teacher.size
	}
	return f, nil
}

// addLoops decides how the instantaneous signals are found.
func (f *flow) addLoops() (err error) {
	cyclic, coupled := f.order == nil, f.errors && f.net.Gamma != 0
	if coupled || cyclic {
		if f.rates, err = newLoop(f, true, coupled); err != nil {
			return err
		}
	}
	if cyclic && f.errors && !coupled {
		f.backs, err = newLoop(f, false, true)
	}
	f.explicit = f.rates == nil
	return err
}

// hold makes a quantity a state, or a constant.
func (f *flow) hold(initial []float64, state bool) held {
	if !state {
		return held{-1, initial}
	}
	h := held{f.size, initial}
	f.size += len(initial)
	return h
}

// everyHeld calls do for every quantity that may be a state.
func (f *flow) everyHeld(do func(*held)) {
	for k := range f.pop {
		p := &f.pop[k]
		do(&p.u)
		do(&p.v)
		do(&p.bias)
		do(&p.tauM)
	}
	for k := range f.link {
		l := &f.link[k]
		do(&l.w)
		do(&l.b)
		do(&l.low)
	}
	for k := range f.slow {
		f.everyPole(&f.slow[k], do)
	}
	if f.teacher != nil {
		f.teacher.everyHeld(do)
	}
}

// initial returns the state at time 0 and binds the flow to it.
func (f *flow) initial() []float64 {
	z := make([]float64, f.size)
	f.everyHeld(func(h *held) {
		if h.at >= 0 && len(h.value) > 0 {
			copy(z[h.at:], h.value)
		}
	})
	f.bind(z)
	return z
}

// bind lets every state read its value from z.
func (f *flow) bind(z []float64) {
	f.everyHeld(func(h *held) {
		if h.at >= 0 && len(h.value) > 0 {
			h.value = z[h.at : h.at+len(h.value) : h.at+len(h.value)]
		}
	})
}

// derive writes dz/dt at time t and state z to dz, and leaves every
// instantaneous signal in the populations.
func (f *flow) derive(t float64, z, dz []float64) error {
	f.bind(z)
	for k, in := range f.inputs {
		evaluate(f.input[k], in.Channels, t)
	}
	return f.deriveBound(t, dz)
}

func (f *flow) deriveBound(t float64, dz []float64) error {
	if f.teacher != nil {
		if err := f.teacher.deriveBound(t, dz); err != nil {
			return fmt.Errorf("teacher: %w", err)
		}
	}
	for k, aim := range f.targets {
		if aim.teacher >= 0 {
			copy(f.target[k], f.teacher.pop[aim.teacher].r)
		} else {
			evaluate(f.target[k], aim.Signal, t)
		}
	}
	for k := range f.link {
		if l := &f.link[k]; l.xi != nil {
			l.xi.at(l.heard, t, f.net.Dt)
		}
	}
	if f.slow != nil {
		f.deriveSlow(dz)
	} else if err := f.solve(t); err != nil {
		return err
	}
	f.setFactor(t)
	for k := range f.pop {
		if f.slow == nil {
			f.deriveNeurons(k, dz)
		}
		f.deriveOwn(k, dz)
		f.forget(t, &f.pop[k].bias, dz)
	}
	if f.learning {
		for k := range f.link {
			f.deriveWeights(k, dz)
			f.forget(t, &f.link[k].w, dz)
			f.forget(t, &f.link[k].b, dz)
		}
	}
	return nil
}

// setFactor finds what the schedule multiplies every rate by. Whether learning
// has begun is not asked of the time, because the step that ends at that instant
// must not see it begin.
func (f *flow) setFactor(t float64) {
	switch schedule := f.net.Learning.Schedule; {
	case !f.begun:
		f.factor = 0
	case schedule == nil:
		f.factor = 1
	default:
		f.factor = schedule.At(t)
	}
}

// solve finds the instantaneous signals: drives, rates and errors.
func (f *flow) solve(t float64) error {
	switch {
	case f.explicit:
		for _, k := range f.order {
			f.drive(k)
			f.prospect(k)
			p := &f.pop[k]
			activate(p.Activation, p.y, p.r, p.slope)
		}
	default:
		if err := f.rates.solve(t); err != nil {
			return err
		}
	}
	switch {
	case !f.errors:
	case f.backs != nil:
		return f.backs.solve(t)
	case f.explicit:
		for i := len(f.order) - 1; i >= 0; i-- {
			f.receive(f.order[i])
			f.prospectError(f.order[i])
		}
	}
	return nil
}

// drive sums what arrives at population k: bias, projections and noise.
func (f *flow) drive(k int) {
	p := &f.pop[k]
	copy(p.a, p.bias.value)
	for _, q := range f.into[k] {
		l := &f.links[q]
		r := f.source(l)
		for i := range p.a {
			p.a[i] += dot(f.link[q].w.value[i*l.m:(i+1)*l.m], r)
		}
	}
	for _, q := range f.outOf[k] {
		for i, v := range f.link[q].heard {
			p.a[i] += v
		}
	}
}

// source returns the rates at the start of a link.
func (f *flow) source(l *link) []float64 {
	if in, ok := l.fromInput(); ok {
		return f.input[in]
	}
	return f.pop[l.from].r
}

// prospect is y = u + tau_r du/dt, written without a difference:
// y = (1 - tau_r/tau_m) u + (tau_r/tau_m) (a + gamma e).
func (f *flow) prospect(k int) {
	p := &f.pop[k]
	for i := range p.y {
		p.y[i] = f.prospectOf(p, i)
	}
}

func (f *flow) prospectOf(p *flowPop, i int) float64 {
	lead := p.TauR[i] / p.tauM.value[i]
	return (1-lead)*p.u.value[i] + lead*(p.a[i]+f.net.Gamma*p.e[i])
}

// receive computes the instantaneous error of population k.
func (f *flow) receive(k int) {
	p := &f.pop[k]
	f.feedBack(k, p.back)
	for i, v := range p.back {
		p.x[i] = p.slope[i] * v
	}
	beta := f.net.Beta
	for q, aim := range f.targets {
		if aim.pop != k {
			continue
		}
		if aim.Loss == model.CrossEntropy {
			soft := f.soft[:len(p.r)]
			softmax(p.r, soft)
			for i, t := range f.target[q] {
				p.x[i] += beta * (t - soft[i])
			}
			continue
		}
		for i, t := range f.target[q] {
			p.x[i] += beta * (t - p.r[i]) * p.slope[i]
		}
	}
}

// feedBack sums what projections carry back to population k.
func (f *flow) feedBack(k int, back []float64) {
	clear(back)
	for _, q := range f.outOf[k] {
		l := &f.links[q]
		e := f.pop[l.to].e
		if l.ownFeedback() {
			for i := range back {
				back[i] += dot(f.link[q].b.value[i*l.n:(i+1)*l.n], e)
			}
			continue
		}
		for i, v := range e {
			axpy(v, f.link[q].w.value[i*l.m:(i+1)*l.m], back)
		}
	}
}

// prospectError is e = v + tau_m dv/dt, written without a difference:
// e = (1 - tau_m/tau_r) v + (tau_m/tau_r) x.
func (f *flow) prospectError(k int) {
	p := &f.pop[k]
	for i := range p.e {
		p.e[i] = f.prospectErrorOf(p, i)
	}
}

func (f *flow) prospectErrorOf(p *flowPop, i int) float64 {
	lead := p.tauM.value[i] / p.TauR[i]
	return (1-lead)*p.v.value[i] + lead*p.x[i]
}

// deriveNeurons writes the derivatives of population k.
func (f *flow) deriveNeurons(k int, dz []float64) {
	p := &f.pop[k]
	for i := range p.y {
		dz[p.u.at+i] = (p.a[i] + f.net.Gamma*p.e[i] - p.u.value[i]) / p.tauM.value[i]
		dz[p.v.at+i] = (p.x[i] - p.v.value[i]) / p.TauR[i]
	}
}

// deriveOwn writes the derivatives of what population k learns by itself.
func (f *flow) deriveOwn(k int, dz []float64) {
	p := &f.pop[k]
	for i := range p.y {
		if p.tauM.at >= 0 {
			d := -f.factor * p.EtaTauM * p.e[i] * dz[p.u.at+i]
			if p.tauM.value[i] <= f.net.Dt && d < 0 {
				d = 0
			}
			dz[p.tauM.at+i] = d
		}
		if p.bias.at >= 0 {
			dz[p.bias.at+i] = f.factor * p.EtaBias * p.e[i]
		}
	}
}

// deriveWeights writes the derivatives of the weights of link k.
func (f *flow) deriveWeights(k int, dz []float64) {
	l, fl := &f.links[k], &f.link[k]
	to := &f.pop[l.to]
	r := f.source(l)
	if fl.w.at >= 0 {
		eta, decay := f.factor*l.Eta, f.factor*l.decay()
		for i, e := range to.e {
			row := fl.w.value[i*l.m : (i+1)*l.m]
			d := dz[fl.w.at+i*l.m : fl.w.at+(i+1)*l.m]
			for j, w := range row {
				d[j] = eta*e*r[j] - decay*w
				if l.Clip > 0 && math.Abs(w) >= l.Clip && d[j]*w > 0 {
					d[j] = 0
				}
			}
		}
	}
	if fl.b.at < 0 {
		return
	}
	from := &f.pop[l.from]
	eta, decay := f.factor*l.Feedback.Eta, f.factor*l.decay()
	for i := range l.m {
		row := fl.b.value[i*l.n : (i+1)*l.n]
		d := dz[fl.b.at+i*l.n : fl.b.at+(i+1)*l.n]
		switch l.Feedback.Rule {
		case model.GainAlignment:
			total := from.a[i] + f.net.Gamma*from.e[i]
			power := restSlope(from.Activation) * total * total
			for j, b := range row {
				d[j] = eta * (from.y[i]*to.a[j] - power*b)
			}
		case model.GainTranspose:
			total := from.a[i] + f.net.Gamma*from.e[i]
			for j, b := range row {
				d[j] = eta * (from.y[i]*from.y[i]*fl.w.value[j*l.m+i] - total*total*b)
			}
		case model.KolenPollack:
			for j, b := range row {
				d[j] = eta*from.r[i]*to.e[j] - decay*b
			}
		case model.PAL:
			for j, b := range row {
				d[j] = eta * (fl.heard[i]*(to.r[j]-fl.low.value[j]) - l.Feedback.Decay*b)
			}
		}
	}
	if l.Feedback.Rule == model.PAL {
		for j, low := range fl.low.value {
			dz[fl.low.at+j] = (to.r[j] - low) / l.Feedback.HighPass
		}
	}
}

// loss returns the loss of the present rates, summed over targets.
func (f *flow) loss() float64 {
	sum := 0.0
	for k, aim := range f.targets {
		sum += cost(aim.Loss, f.target[k], f.pop[aim.pop].r)
	}
	return sum
}
