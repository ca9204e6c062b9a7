package reference

import (
	"fmt"
	"runtime"
	"slices"

	"vlec/model"
)

// Learning says what a Synchronous does with the local updates.
type Learning int

// What becomes of the local updates.
const (
	Off        Learning = iota // nothing changes
	Local                      // the model's optimiser applies them, at its schedule
	Accumulate                 // they are added to Gradients, for the caller
)

// A Synchronous steps a network on a clock of period dt. Every population reads
// its neighbours' values of the step before; all commit together. Several
// independent trials run side by side with the same weights; the local updates
// are their mean.
//
// One step k = 0, 1, 2, … computes, for every population,
//
//	x  = phi'(y') (B e'_post)   or   beta (target_k - r') phi'(y') at a target
//	e  = v + tau_m (x - v)/tau_r,   v += dt (x - v)/tau_r
//	a  = W r'_pre + b                           where an input is read at k
//	ud = (a + gamma e - u)/tau_m,   y = u + tau_r ud,   u += dt ud
//	r  = phi(y)
//	W += dt eta e r'_pre^T,  b += dt eta_b e,  tau_m -= dt eta_tau e ud
//
// with a prime on values of step k-1. B e'_post is formed with the weights as they
// are before the update of step k-1, which e'_post takes part in. All rates, slopes and errors are zero before the first step. A
// teacher takes its step k before the student does, so that target_k is the
// teacher's rate at step k.
//
// The last line is plain gradient descent; another optimizer of the model's
// [learning] takes its place, a schedule multiplies the rates, and before start
// nothing is learned. tau_m is held at dt or above.
//
// The zero value is of no use; call NewSynchronous. Step does not allocate.
type Synchronous struct {
	// Learning may be changed between steps.
	Learning Learning

	plan    *plan
	dt      float64
	trials  int
	step    int
	due     bool        // an update waits for the next pass over W
	carried bool        // feedback and update have been done ahead of that pass
	input   [][]float64 // by input: trials x width
	target  [][]float64 // by target: trials x size
	pops    []Neurons
	sweeps  []sweep
	back    []feedback
	bias    [][]float64
	teacher *Synchronous
	crew    *crew // nil when the caller works alone

	rule     *optimizer
	ofBias   []moments // of the optimiser, by population
	ofTauM   []moments
	factor   float64 // on every rate in this step
	learning bool    // something is learned in this step

	soft []float64 // scratch of softmax
	grad Gradients
}

// Neurons is the state of one population after a step. Every slice but TauM is
// trials x n, trial by trial.
type Neurons struct {
	U, V  []float64 // membrane and error potentials
	Y, R  []float64 // prospective potential and rate
	Slope []float64 // phi'(y)
	X, E  []float64 // instantaneous and prospective error
	A     []float64 // forward drive, bias and injected noise included
	Total []float64 // total input u + tau_m du/dt = a + gamma e
	TauM  []float64 // n, shared by the trials

	back []float64 // sum of B e over outgoing projections
	// Values of the step before.
	formerR, formerY, formerTotal []float64

	block []float64 // all of these but TauM, in one piece
}

// NewSynchronous prepares a network for stepping with the given number of
// trials. It copies the weights, so the network is never changed. It reports
// parts that don't fit together and time constants shorter than dt.
func NewSynchronous(net *model.Network, trials int) (*Synchronous, error) {
	if !(net.Dt > 0) || trials < 1 {
		return nil, fmt.Errorf("a clock of period %g and %d trials cannot be stepped", net.Dt, trials)
	}
	input := make([][]float64, len(net.Inputs))
	for k, in := range net.Inputs {
		input[k] = make([]float64, trials*in.Width())
	}
	s, err := newSynchronous(net, net.Inputs, input, net.Dt, trials)
	if err != nil {
		return nil, err
	}
	if net.Teacher != nil {
		if s.teacher, err = newSynchronous(net.Teacher, net.Inputs, input, net.Dt, trials); err != nil {
			return nil, fmt.Errorf("teacher: %w", err)
		}
	}
	s.hire(runtime.GOMAXPROCS(0))
	return s, nil
}

// hire starts a crew where there is a pass large enough to share. Its members
// end when s is no longer reachable.
func (s *Synchronous) hire(members int) {
	large := func(w sweep) bool { return w.parts != nil }
	if !slices.ContainsFunc(s.sweeps, large) && (s.teacher == nil || !slices.ContainsFunc(s.teacher.sweeps, large)) {
		return
	}
	if s.crew = newCrew(members); s.crew == nil {
		return
	}
	runtime.AddCleanup(s, (*crew).dismiss, s.crew)
	if s.teacher != nil {
		s.teacher.crew = s.crew
	}
}

// newSynchronous prepares a network or its teacher; both read the same input.
func newSynchronous(net *model.Network, inputs []*model.Input, input [][]float64, dt float64, trials int) (*Synchronous, error) {
	p, err := newPlan(net, inputs)
	if err != nil {
		return nil, err
	}
	s := &Synchronous{plan: p, dt: dt, trials: trials, input: input, factor: 1}
	if s.rule, err = newOptimizer(net.Learning); err != nil {
		return nil, err
	}
	for _, pop := range p.pops {
		for i := range pop.Size {
			if pop.TauM[i] < dt || pop.TauR[i] < dt {
				return nil, fmt.Errorf("population %s: neuron %d has a time constant below dt = %g; the synchronous semantics needs tau >= dt", pop.Name, i, dt)
			}
		}
		s.pops = append(s.pops, newNeurons(pop, trials))
		s.bias = append(s.bias, append([]float64(nil), pop.Bias...))
		s.grad.Bias = append(s.grad.Bias, make([]float64, pop.Size))
		s.grad.TauM = append(s.grad.TauM, make([]float64, pop.Size))
		s.ofBias = append(s.ofBias, s.memory(pop.PlasticBias, pop.Size))
		s.ofTauM = append(s.ofTauM, s.memory(pop.PlasticTauM, pop.Size))
	}
	for k := range p.links {
		s.addLink(k)
	}
	for _, t := range p.targets {
		s.target = append(s.target, make([]float64, trials*t.Population.Size))
		s.soft = make([]float64, max(len(s.soft), t.Population.Size))
	}
	return s, nil
}

// memory is what the optimiser keeps of n parameters, if they learn.
func (s *Synchronous) memory(plastic bool, n int) moments {
	if !plastic {
		return moments{}
	}
	return s.rule.memory(n)
}

func newNeurons(pop *model.Population, trials int) Neurons {
	size := trials * pop.Size
	whole := make([]float64, 13*size)
	block := whole
	next := func() []float64 {
		v := block[:size:size]
		block = block[size:]
		return v
	}
	z := Neurons{
		U: next(), V: next(), Y: next(), R: next(), Slope: next(), X: next(), E: next(),
		A: next(), Total: next(), back: next(), formerR: next(), formerY: next(), formerTotal: next(),
		TauM: append([]float64(nil), pop.TauM...), block: whole,
	}
	for t := range trials {
		copy(z.U[t*pop.Size:], pop.U0)
		copy(z.V[t*pop.Size:], pop.V0)
	}
	return z
}

// Gradients holds the local estimate of the gradient of the loss, the mean over
// trials, summed over steps: -e r_pre^T, -e and e du/dt.
type Gradients struct {
	W    [][]float64 // by projection, n x m
	Bias [][]float64 // by population
	TauM [][]float64 // by population
}

// Clear sets every gradient to zero.
func (g *Gradients) Clear() {
	for _, set := range [][][]float64{g.W, g.Bias, g.TauM} {
		for _, v := range set {
			clear(v)
		}
	}
}

// addLink builds the pass over the weights of link k.
func (s *Synchronous) addLink(k int) {
	l := &s.plan.links[k]
	to := &s.pops[l.to]
	w := sweep{
		w: append([]float64(nil), l.W...), n: l.n, m: l.m,
		e: to.E, a: to.A, clip: l.Clip,
	}
	if in, ok := l.fromInput(); ok {
		w.r = s.input[in]
		w.old = make([]float64, len(w.r))
	} else {
		from := &s.pops[l.from]
		w.r, w.old = from.R, from.formerR
		if !l.ownFeedback() {
			w.c = from.back
		}
	}
	w.split(s.trials)
	if l.Plastic {
		w.optimize(s.rule)
	}
	s.sweeps = append(s.sweeps, w)
	s.back = append(s.back, newFeedback(l, s.trials, s.dt, s.plan.net.Seed, uint64(k)))
	s.grad.W = append(s.grad.W, make([]float64, len(l.W)))
	s.setRates(k)
}

// setRates sets how far an update of link k goes at the present factor.
func (s *Synchronous) setRates(k int) {
	l, w := &s.plan.links[k], &s.sweeps[k]
	w.keep, w.rate = 1-float64(s.dt*l.decay()*s.factor), s.dt*l.Eta*s.factor
	if w.rule == nil {
		w.rate /= float64(s.trials) // whose updates it adds up
	}
	s.back[k].setRates(l, s.dt, s.factor)
}

// begin decides whether and how fast this step learns.
func (s *Synchronous) begin() {
	how := &s.plan.net.Learning
	s.learning = s.Learning == Local && (how.Start == 0 || s.Time() >= how.Start-1e-6*s.dt)
	if !s.learning {
		return
	}
	if how.Schedule != nil {
		s.factor = how.Schedule.At(s.Time())
		for k := range s.plan.links {
			s.setRates(k)
		}
	}
	s.rule.count()
}

// Step advances every trial by dt, with the inputs and targets that Stimulate
// or the caller has set.
func (s *Synchronous) Step() {
	if s.teacher != nil {
		s.teacher.Step()
		for k, t := range s.plan.targets {
			if t.teacher >= 0 {
				copy(s.target[k], s.teacher.pops[t.teacher].R)
			}
		}
	}
	s.gather()
	s.begin() // after the update of the step before
	for k := range s.pops {
		s.receive(k)
	}
	for k := range s.plan.targets {
		s.nudge(k)
	}
	for k := range s.pops {
		s.advance(k)
	}
	for k := range s.plan.links {
		s.settle(k)
	}
	s.due, s.carried = s.learning, false
	s.step++
}

// gather makes the pass over every weight matrix: feedback and update of the
// step before, drives of this step.
func (s *Synchronous) gather() {
	for k := range s.pops {
		z, bias := &s.pops[k], s.bias[k]
		for t := range s.trials {
			copy(z.A[t*len(bias):], bias)
		}
	}
	s.sweepAll(forward)
	for k := range s.plan.links {
		if l := &s.plan.links[k]; l.learnsFeedback() {
			s.back[k].inject(s.pops[l.from].A)
		}
	}
}

// sweepAll does a part of the pass over every weight matrix, and first what is
// still to be done of the step before.
func (s *Synchronous) sweepAll(part chore) {
	for k := range s.sweeps {
		todo := part
		if !s.carried {
			todo |= backward
			if s.due && s.plan.links[k].Plastic {
				todo |= update
			}
		}
		if todo != 0 {
			s.crew.sweep(&s.sweeps[k], s.trials, todo)
		}
	}
	s.carried = true
}

// receive turns the feedback of population k into its instantaneous error.
func (s *Synchronous) receive(k int) {
	z := &s.pops[k]
	for i, back := range z.back {
		z.X[i] = z.Slope[i] * back
	}
	clear(z.back)
}

// nudge adds the error of target k to its population.
func (s *Synchronous) nudge(k int) {
	aim := &s.plan.targets[k]
	z := &s.pops[aim.pop]
	beta := s.plan.net.Beta
	if aim.Loss != model.CrossEntropy {
		for i, target := range s.target[k] {
			z.X[i] += float64(beta * (target - z.R[i]) * z.Slope[i])
		}
		return
	}
	n := aim.Population.Size
	p := s.soft[:n]
	for first := 0; first < len(z.R); first += n {
		softmax(z.R[first:first+n], p)
		for i := range p {
			z.X[first+i] += float64(beta * (s.target[k][first+i] - p[i]))
		}
	}
}

// advance moves the neurons of population k on by one step and applies the
// local rule to bias and time constants.
func (s *Synchronous) advance(k int) {
	pop, z := s.plan.pops[k], &s.pops[k]
	dt, gamma := s.dt, s.plan.net.Gamma
	n := pop.Size
	gradBias, gradTauM := s.grad.Bias[k], s.grad.TauM[k]
	if s.Learning != Accumulate {
		clear(gradBias)
		clear(gradTauM)
	}
	share := 1 / float64(s.trials)
	copy(z.formerR, z.R)
	copy(z.formerY, z.Y)
	copy(z.formerTotal, z.Total)
	// All of one length, which the compiler then knows.
	tauM, tauR := z.TauM[:n], pop.TauR[:n]
	gradBias, gradTauM = gradBias[:n], gradTauM[:n]
	for first := 0; first < len(z.U); first += n {
		of := func(v []float64) []float64 { return v[first : first+n][:n] }
		u, v, x, a := of(z.U), of(z.V), of(z.X), of(z.A)
		y, es, totals := of(z.Y), of(z.E), of(z.Total)
		for i := range n {
			vd := (x[i] - v[i]) / tauR[i]
			e := v[i] + float64(tauM[i]*vd)
			v[i] += float64(dt * vd)
			total := a[i] + float64(gamma*e)
			ud := (total - u[i]) / tauM[i]
			y[i] = u[i] + float64(tauR[i]*ud)
			u[i] += float64(dt * ud)
			es[i], totals[i] = e, total
			gradBias[i] -= float64(share * e)
			gradTauM[i] += float64(share * e * ud)
		}
	}
	activate(pop.Activation, z.Y, z.R, z.Slope)
	if !s.learning {
		return
	}
	if pop.PlasticBias {
		s.rule.move(s.bias[k], gradBias, s.ofBias[k], -dt*pop.EtaBias*s.factor)
	}
	if pop.PlasticTauM {
		s.rule.move(z.TauM, gradTauM, s.ofTauM[k], -dt*pop.EtaTauM*s.factor)
		for i, tau := range z.TauM {
			z.TauM[i] = max(tau, dt)
		}
	}
}

// settle ends the step for link k: what the next pass will need, the gradient
// and the rules of backward weights that compare errors or noise with rates.
func (s *Synchronous) settle(k int) {
	l, w := &s.plan.links[k], &s.sweeps[k]
	if _, ok := l.fromInput(); ok {
		copy(w.old, w.r)
	}
	if s.Learning == Accumulate && l.Plastic {
		for i := range w.n {
			for t := range s.trials {
				axpy(-w.e[t*w.n+i]/float64(s.trials), w.old[t*w.m:(t+1)*w.m], s.grad.W[k][i*w.m:(i+1)*w.m])
			}
		}
	}
	if !l.ownFeedback() {
		return
	}
	b, from, to := &s.back[k], &s.pops[l.from], &s.pops[l.to]
	b.carry(to.E, from.back)
	if l.learnsFeedback() {
		if s.learning || s.Learning == Accumulate {
			b.learn(from, to, w.w)
		}
		b.advance(to.R)
	}
}

// Stimulate sets the inputs and the targets of the coming step, of every trial,
// from the waveforms of the model. Trials beyond the model's batch see what the
// first one sees.
func (s *Synchronous) Stimulate() {
	t := s.Time()
	for k, in := range s.plan.inputs {
		s.present(s.input[k], in.Channels, in.Trials, t)
	}
	for k, aim := range s.plan.targets {
		if aim.teacher < 0 {
			s.present(s.target[k], aim.Signal, aim.Trials, t)
		}
	}
}

// present evaluates the stimuli of every trial; those it shares with the first
// trial are copied.
func (s *Synchronous) present(dst []float64, first []model.Waveform, trials [][]model.Waveform, t float64) {
	n := len(first)
	evaluate(dst, first, t)
	for k := 1; k < s.trials; k++ {
		if k >= len(trials) || n == 0 || &trials[k][0] == &first[0] {
			copy(dst[k*n:(k+1)*n], dst[:n])
		} else {
			evaluate(dst[k*n:], trials[k], t)
		}
	}
}

// Time returns the model time of the coming step: dt times the steps made.
func (s *Synchronous) Time() float64 { return float64(s.step) * s.dt }

// Steps returns the number of steps made.
func (s *Synchronous) Steps() int { return s.step }

// Trials returns the number of trials side by side.
func (s *Synchronous) Trials() int { return s.trials }

// Input returns the values of input k for the coming step, trials x width, for
// the caller to set. A teacher reads the same values.
func (s *Synchronous) Input(k int) []float64 { return s.input[k] }

// Target returns the values of target k, trials x size, for the caller to set
// before a step. Those that a teacher gives are overwritten by Step.
func (s *Synchronous) Target(k int) []float64 { return s.target[k] }

// Population returns the state of population k after the last step.
func (s *Synchronous) Population(k int) *Neurons { return &s.pops[k] }

// Bias returns the bias of population k, for reading and writing.
func (s *Synchronous) Bias(k int) []float64 { return s.bias[k] }

// W returns the weights of projection k after the last step, n x m row-major,
// for reading and writing. The slice is the same at every call, and out of date
// after the next step until W is called again.
func (s *Synchronous) W(k int) []float64 {
	s.sweepAll(0)
	return s.sweeps[k].w
}

// B returns the backward weights of projection k, m x n row-major, for reading
// and writing; nil where the feedback is W^T or there is none.
func (s *Synchronous) B(k int) []float64 { return s.back[k].b }

// Noise returns what the feedback rule of projection k injects in the coming step,
// trials x m, for reading and writing; nil where it injects nothing.
func (s *Synchronous) Noise(k int) []float64 {
	if s.back[k].xi == nil {
		return nil
	}
	return s.back[k].xi.start
}

// Gradients returns the sums that Accumulate adds to.
func (s *Synchronous) Gradients() *Gradients { return &s.grad }

// Loss returns the loss of the last step's rates against its targets, summed
// over targets, mean over trials.
func (s *Synchronous) Loss() float64 {
	sum := 0.0
	for k, aim := range s.plan.targets {
		n, r := aim.Population.Size, s.pops[aim.pop].R
		for first := 0; first < len(r); first += n {
			sum += cost(aim.Loss, s.target[k][first:first+n], r[first:first+n])
		}
	}
	return sum / float64(s.trials)
}
