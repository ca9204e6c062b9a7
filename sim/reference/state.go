package reference

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"vlec/internal/npy"
)

// A ledger is one walk over everything that a run must remember to go on as if
// nothing had happened. The same walk writes it down and takes it back, so that
// the two cannot drift apart: what is listed is saved and restored, and what is
// not listed is neither.
//
// Names without a stroke are those of weights ("hidden_out.W"), for whoever reads
// a checkpoint as weights; all else is "state/…".
type ledger struct {
	restoring bool
	entries   []npy.Entry           // written down
	known     map[string]*npy.Array // to take back; each is taken once
	err       error
}

// floats keeps a vector of a length that follows from the model.
func (l *ledger) floats(name string, v []float64) {
	if !l.restoring {
		l.put(name, npy.Of(v, len(v)))
	} else if a := l.take(name); a != nil {
		if got, ok := a.Data.([]float64); !ok || len(got) != len(v) {
			l.fail("%s has %d values of %T, not %d of float64", name, a.Len(), a.Data, len(v))
		} else {
			copy(v, got)
		}
	}
}

// grown keeps a vector that a run makes longer.
func (l *ledger) grown(name string, v *[]float64) {
	if !l.restoring {
		l.put(name, npy.Of(*v, len(*v)))
	} else if a := l.take(name); a != nil {
		if got, ok := a.Data.([]float64); ok {
			*v = slices.Clone(got)
		} else {
			l.fail("%s holds %T, not float64", name, a.Data)
		}
	}
}

// numbers keeps single floating-point values.
func (l *ledger) numbers(name string, v ...*float64) {
	row := make([]float64, len(v))
	for i, p := range v {
		row[i] = *p
	}
	if l.floats(name, row); l.restoring && l.err == nil {
		for i, p := range v {
			*p = row[i]
		}
	}
}

// counts keeps whole numbers.
func (l *ledger) counts(name string, v ...*int) {
	row := make([]int64, len(v))
	for i, p := range v {
		row[i] = int64(*p)
	}
	if !l.restoring {
		l.put(name, npy.Of(row, len(row)))
	} else if a := l.take(name); a != nil {
		if got, ok := a.Data.([]int64); !ok || len(got) != len(v) {
			l.fail("%s has %d values of %T, not %d of int64", name, a.Len(), a.Data, len(v))
		} else {
			for i, p := range v {
				*p = int(got[i])
			}
		}
	}
}

// flags keeps truths.
func (l *ledger) flags(name string, v ...*bool) {
	row := make([]bool, len(v))
	for i, p := range v {
		row[i] = *p
	}
	if !l.restoring {
		l.put(name, npy.Of(row, len(row)))
	} else if a := l.take(name); a != nil {
		if got, ok := a.Data.([]bool); !ok || len(got) != len(v) {
			l.fail("%s has %d values of %T, not %d of bool", name, a.Len(), a.Data, len(v))
		} else {
			for i, p := range v {
				*p = got[i]
			}
		}
	}
}

// random keeps a source of random numbers.
func (l *ledger) random(name string, r *rand.PCG) {
	if !l.restoring {
		b, _ := r.MarshalBinary() // a PCG has no error to report
		l.put(name, npy.Of(b, len(b)))
	} else if a := l.take(name); a != nil {
		b, ok := a.Data.([]uint8)
		if !ok || r.UnmarshalBinary(b) != nil {
			l.fail("%s is not the state of a random source", name)
		}
	}
}

func (l *ledger) put(name string, a *npy.Array) {
	l.entries = append(l.entries, npy.Entry{Name: name, Array: a})
}

func (l *ledger) take(name string) *npy.Array {
	a := l.known[name]
	if a == nil {
		l.fail("there is no %s", name)
	}
	delete(l.known, name)
	return a
}

func (l *ledger) fail(format string, args ...any) {
	if l.err == nil {
		l.err = fmt.Errorf(format, args...)
	}
}

// close reports the first mistake, or what nobody took.
func (l *ledger) close() error {
	if l.err == nil && len(l.known) > 0 {
		names := make([]string, 0, len(l.known))
		for name := range l.known {
			names = append(names, name)
		}
		l.fail("nobody knows %s", slices.Min(names))
	}
	return l.err
}

// keep walks over a network that is stepped, and over its teacher.
func (s *Synchronous) keep(l *ledger, prefix string) {
	if s.teacher != nil {
		s.teacher.keep(l, prefix+"teacher/")
	}
	// A teacher's weights rest, and are not written down. Those of the student are
	// made up to date first, for whoever reads them as weights.
	student := prefix == statePrefix
	if !l.restoring {
		s.sweepAll(0)
	}
	l.counts(prefix+"step", &s.step)
	l.flags(prefix+"pending", &s.due, &s.carried, &s.learning)
	l.numbers(prefix+"factor", &s.factor)
	for k, pop := range s.plan.pops {
		z := &s.pops[k]
		if student {
			l.floats(pop.Name+".bias", s.bias[k])
			l.floats(pop.Name+".tau_m", z.TauM)
			l.moments(prefix+pop.Name+".bias", s.ofBias[k])
			l.moments(prefix+pop.Name+".tau_m", s.ofTauM[k])
		}
		l.floats(prefix+pop.Name+".neurons", z.block)
	}
	for k := range s.plan.links {
		link, w, b := &s.plan.links[k], &s.sweeps[k], &s.back[k]
		at := prefix + link.Name + "."
		if student {
			l.matrix(link.Name+".W", w.w, link.n, link.m)
			l.moments(at+"W", w.moments)
		}
		if _, ok := link.fromInput(); ok {
			l.floats(at+"old", w.old)
		}
		if b.b != nil {
			l.matrix(link.Name+".B", b.b, link.m, link.n)
		}
		if b.low != nil {
			l.floats(at+"low", b.low)
		}
		l.noise(at+"noise", b.xi)
		if l.restoring {
			s.setRates(k)
		}
	}
	if student {
		for k, in := range s.plan.inputs {
			l.floats(prefix+in.Name+".in", s.input[k])
		}
		for k, t := range s.plan.targets {
			l.floats(prefix+t.Name+".target", s.target[k])
		}
		if o := s.rule; o != nil {
			l.numbers(prefix+"optimizer", &o.left1, &o.left2, &o.fix1, &o.fix2)
		}
	}
}

const statePrefix = "state/"

// matrix keeps weights in their shape.
func (l *ledger) matrix(name string, v []float64, rows, cols int) {
	if !l.restoring {
		l.put(name, npy.Of(v, rows, cols))
		return
	}
	l.floats(name, v)
}

// echo writes down what is not taken back.
func (l *ledger) echo(name string, v []float64, shape ...int) {
	if l.restoring {
		l.take(name)
	} else {
		l.put(name, npy.Of(v, shape...))
	}
}

func (l *ledger) moments(name string, m moments) {
	if m.first != nil {
		l.floats(name+".first", m.first)
	}
	if m.second != nil {
		l.floats(name+".second", m.second)
	}
}

func (l *ledger) noise(name string, z *noise) {
	if z == nil {
		return
	}
	l.random(name+".random", z.pcg)
	l.floats(name+".start", z.start)
	l.floats(name+".end", z.end)
	l.floats(name+".former", z.former)
	l.counts(name+".step", &z.step)
}

// keep walks over a right-hand side and its teacher's. Its states are the
// integrator's; what else there is guesses solutions, and guesses show in the
// last bits.
func (f *flow) keep(l *ledger, prefix string) {
	if f.teacher != nil {
		f.teacher.keep(l, prefix+"teacher/")
	}
	l.flags(prefix+"begun", &f.begun)
	for k := range f.pop {
		p, at := &f.pop[k], prefix+f.pop[k].Name+"."
		l.floats(at+"y", p.y)
		l.floats(at+"r", p.r)
		l.floats(at+"slope", p.slope)
		l.floats(at+"x", p.x)
		l.floats(at+"e", p.e)
		l.floats(at+"a", p.a)
		l.floats(at+"back", p.back)
	}
	for k := range f.link {
		l.noise(prefix+f.links[k].Name+".noise", f.link[k].xi)
	}
	f.rates.keep(l, prefix+"loop/rates.")
	f.backs.keep(l, prefix+"loop/errors.")
	if prefix != statePrefix {
		return
	}
	// For whoever reads the checkpoint as weights; the run has them in its states.
	for k, pop := range f.plan.pops {
		l.echo(pop.Name+".bias", f.pop[k].bias.value, pop.Size)
		l.echo(pop.Name+".tau_m", f.pop[k].tauM.value, pop.Size)
	}
	for k := range f.links {
		link := &f.links[k]
		l.echo(link.Name+".W", f.link[k].w.value, link.n, link.m)
		if link.ownFeedback() {
			l.echo(link.Name+".B", f.link[k].b.value, link.m, link.n)
		}
	}
}

func (l *loop) keep(to *ledger, prefix string) {
	if l == nil {
		return
	}
	to.floats(prefix+"solution", l.z)
	to.floats(prefix+"factors", l.lu.a)
	perm := make([]*int, len(l.lu.perm))
	for i := range perm {
		perm[i] = &l.lu.perm[i]
	}
	to.counts(prefix+"order", perm...)
	to.counts(prefix+"age", &l.age)
	to.flags(prefix+"valid", &l.valid, &l.lu.above)
	for _, p := range l.lu.perm {
		if p < 0 || p >= l.lu.n {
			to.fail("%sorder is no permutation", prefix)
		}
	}
}

func (d *integrator) keep(l *ledger) {
	l.floats(statePrefix+"z", d.z)
	l.floats(statePrefix+"slope", d.k[0])
	l.numbers(statePrefix+"clock", &d.t, &d.h, &d.lastErr)
	l.counts(statePrefix+"work", &d.steps, &d.evaluations)
}
