package reference

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
)

// A tape holds what the reverse sweep needs of a stretch of a run with resting
// weights. Its slot k is step first+k-1, so that slot 0 is the step before the
// stretch; a slot is trials x n values of a population, trials x width of an input
// or a target.
type tape struct {
	s     *Synchronous
	first int // step of slot 1
	steps int // filled slots besides slot 0

	pops          []tapePop
	input, target [][]float64
}

// A tapePop is what a tape keeps of a population.
type tapePop struct {
	width          int       // of a slot
	y, r, slope, e []float64 // after the step
	ud, vd         []float64 // du/dt and dv/dt in the step
	back           []float64 // feedback that arrived in the step
}

// at returns slot k of v.
func (p *tapePop) at(v []float64, k int) []float64 { return v[k*p.width : (k+1)*p.width] }

// newTape makes a tape for stretches of at most the given number of steps.
func newTape(s *Synchronous, steps int) *tape {
	t := &tape{s: s}
	for _, p := range s.plan.pops {
		q := tapePop{width: s.trials * p.Size}
		for _, v := range []*[]float64{&q.y, &q.r, &q.slope, &q.e, &q.ud, &q.vd, &q.back} {
			*v = make([]float64, (steps+1)*q.width)
		}
		t.pops = append(t.pops, q)
	}
	for _, v := range s.input {
		t.input = append(t.input, make([]float64, (steps+1)*len(v)))
	}
	for _, v := range s.target {
		t.target = append(t.target, make([]float64, (steps+1)*len(v)))
	}
	return t
}

// record makes steps from where s is and writes them to the tape.
func (t *tape) record(steps int) {
	t.first, t.steps = t.s.step, steps
	for k := range t.pops {
		p, z := &t.pops[k], &t.s.pops[k]
		copy(p.at(p.r, 0), z.R)
		copy(p.at(p.slope, 0), z.Slope)
		copy(p.at(p.e, 0), z.E)
	}
	for slot := 1; slot <= steps; slot++ {
		t.step(slot)
	}
}

func (t *tape) step(slot int) {
	s := t.s
	s.Stimulate()
	s.sweepAll(0) // only then is the feedback complete
	for k := range s.pops {
		p, z := &t.pops[k], &s.pops[k]
		copy(p.at(p.ud, slot), z.U)
		copy(p.at(p.vd, slot), z.V)
		copy(p.at(p.back, slot), z.back)
	}
	s.Step()
	for k, pop := range s.plan.pops {
		p, z := &t.pops[k], &s.pops[k]
		copy(p.at(p.y, slot), z.Y)
		copy(p.at(p.r, slot), z.R)
		copy(p.at(p.slope, slot), z.Slope)
		copy(p.at(p.e, slot), z.E)
		ud, vd := p.at(p.ud, slot), p.at(p.vd, slot)
		for q := range ud {
			i := q % pop.Size
			ud[q] = (z.Total[q] - ud[q]) / pop.TauM[i]
			vd[q] = (z.X[q] - vd[q]) / pop.TauR[i]
		}
	}
	for k, v := range s.input {
		copy(t.input[k][slot*len(v):], v)
	}
	for k, v := range s.target {
		copy(t.target[k][slot*len(v):], v)
	}
}

// maxTape bounds the values that a gradient check keeps: 2^27 are a gigabyte.
const maxTape = 1 << 27

// A film is a whole run, kept as snapshots from which any stretch of it can be
// made again. With stretches as long as there are stretches the memory grows with
// the square root of the length of the run, and the run is made twice.
type film struct {
	s         *Synchronous
	steps     int
	stretch   int // steps between snapshots
	snapshots []snapshot
	loss      float64 // dt times the sum of the losses
}

// newFilm plans the film of a run of s, which is at its start.
func newFilm(s *Synchronous, steps int) (*film, error) {
	const perSnapshot, perStep = 7, 7 // values a neuron
	neurons := 0
	for _, p := range s.plan.pops {
		neurons += s.trials * p.Size
	}
	f := &film{s: s, steps: steps, stretch: max(1, int(math.Sqrt(float64(steps)*perSnapshot/perStep)))}
	if kept := float64(neurons) * (perSnapshot*float64(steps)/float64(f.stretch) + perStep*float64(f.stretch)); kept > maxTape {
		return nil, fmt.Errorf("%d steps of %d neurons are too many to differentiate: %.3g values would have to be kept, at most %d may be; shorten the run",
			steps, neurons, kept, maxTape)
	}
	return f, nil
}

// shoot makes the run and keeps it.
func (f *film) shoot(ctx context.Context, progress func(done float64)) error {
	s := f.s
	for k := range f.steps {
		if k%f.stretch == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
			progress(float64(k) / float64(f.steps))
			f.snapshots = append(f.snapshots, s.snapshot())
		}
		s.Stimulate()
		s.Step()
		f.loss += s.dt * s.Loss()
		if err := s.finite(k%f.stretch == f.stretch-1 || k == f.steps-1, f.loss); err != nil {
			return err
		}
	}
	return nil
}

// finite reports a run whose loss, or with all set any potential, has left the
// numbers.
func (s *Synchronous) finite(all bool, loss float64) error {
	if !all && !math.IsNaN(loss) && !math.IsInf(loss, 0) {
		return nil
	}
	for k, pop := range s.plan.pops {
		z := &s.pops[k]
		for q := range z.U {
			if v := z.U[q] + z.V[q]; math.IsNaN(v) || math.IsInf(v, 0) {
				return fmt.Errorf("neuron %d of population %s has left the finite numbers by t = %g: there is no gradient; lower gamma, beta, the weights or tau_r/tau_m",
					q%pop.Size, pop.Name, s.Time())
			}
		}
	}
	if math.IsNaN(loss) || math.IsInf(loss, 0) {
		return fmt.Errorf("the loss is not a finite number at t = %g: there is no gradient; look at the targets", s.Time())
	}
	return nil
}

// A snapshot is a copy of all that steps with resting weights change.
type snapshot struct {
	step    int
	values  []float64
	noises  []noise
	teacher *snapshot
}

// snapshot copies the state between two steps.
func (s *Synchronous) snapshot() snapshot {
	s.sweepAll(0)
	z := snapshot{step: s.step}
	s.eachState(func(v []float64) { z.values = append(z.values, v...) })
	for k := range s.back {
		if xi := s.back[k].xi; xi != nil {
			z.noises = append(z.noises, xi.clone())
		}
	}
	if s.teacher != nil {
		t := s.teacher.snapshot()
		z.teacher = &t
	}
	return z
}

// restore goes back to a snapshot.
func (s *Synchronous) restore(z snapshot) {
	s.step, s.due, s.carried = z.step, false, true
	values := z.values
	s.eachState(func(v []float64) { values = values[copy(v, values):] })
	noises := z.noises
	for k := range s.back {
		if s.back[k].xi != nil {
			*s.back[k].xi = noises[0].clone()
			noises = noises[1:]
		}
	}
	if s.teacher != nil {
		s.teacher.restore(*z.teacher)
	}
}

// eachState calls do for every vector that a step with resting weights both reads
// and changes, once the pass over the weights is made.
func (s *Synchronous) eachState(do func([]float64)) {
	for k := range s.pops {
		z := &s.pops[k]
		for _, v := range [][]float64{z.U, z.V, z.Y, z.R, z.Slope, z.E, z.back} {
			do(v)
		}
	}
	for k := range s.back {
		do(s.back[k].low)
	}
}

// clone returns a noise that goes on like z and shares nothing with it.
func (z *noise) clone() noise {
	c := *z
	pcg := *z.pcg
	c.pcg, c.rng = &pcg, rand.New(&pcg)
	for _, v := range []*[]float64{&c.start, &c.end, &c.former} {
		*v = append([]float64(nil), *v...)
	}
	return c
}
