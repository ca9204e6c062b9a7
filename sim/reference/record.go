package reference

import (
	"fmt"
	"slices"
	"strings"

	"vlec/sim"
)

// Kinds lists the kinds of signal that Run records, each named
// "POPULATION.u", "PROJECTION.W", "INPUT.in", "TARGET.target" or plainly "loss".
//
//	u v        membrane and error potentials
//	y r        prospective potential and rate
//	x e        instantaneous and prospective error
//	a          forward drive
//	bias tau_m of a population
//	W B        forward and backward weights; B where it is not W^T
//	in target  stimuli and targets
//	loss       of the present rates against their targets
func Kinds() []string { return slices.Clone(kinds) }

var kinds = []string{"u", "v", "y", "r", "x", "e", "a", "bias", "tau_m", "W", "B", "in", "target", "loss"}

// defaultKinds are recorded when neither the caller nor the model says what.
var defaultKinds = []string{"u", "r", "e"}

// maxRecorded bounds the values of one trace: 2^27 of them are a gigabyte.
const maxRecorded = 1 << 27

// An observed run gives access to its present values by kind and number.
type observed interface {
	ofPopulation(kind string, k int) []float64 // nil where the kind is not a population's
	ofProjection(kind string, k int) []float64 // nil likewise, and for B where it is W^T
	ofInput(k int) []float64
	ofTarget(k int) []float64
	loss() float64
}

// A recorder copies signals of a run into a trace.
type recorder struct {
	run     observed
	trace   *sim.Trace
	time    []float64
	fetch   []func() []float64
	scratch [1]float64
}

// newRecorder resolves names and kinds to the signals of a run of at most the
// given number of samples.
func newRecorder(p *plan, run observed, names []string, samples int) (*recorder, error) {
	c := &recorder{run: run, trace: &sim.Trace{}}
	total := 0
	add := func(name string, shape []int, fetch func() []float64) {
		if c.trace.Signal(name) != nil {
			return
		}
		s := &sim.Signal{Name: name, Shape: shape}
		c.trace.Signals = append(c.trace.Signals, s)
		c.fetch = append(c.fetch, fetch)
		total += samples * s.Width()
	}
	for _, want := range names {
		before := len(c.trace.Signals)
		owner, kind, named := cutLast(want)
		if !slices.Contains(kinds, kind) || (named && kind == "loss") {
			return nil, fmt.Errorf("no signal is called %q; the kinds are %s, alone or as in hidden.u", want, strings.Join(kinds, ", "))
		}
		mine := func(name string) bool { return !named || owner == name }
		for k, pop := range p.pops {
			if mine(pop.Name) && run.ofPopulation(kind, k) != nil {
				add(pop.Name+"."+kind, []int{pop.Size}, func() []float64 { return run.ofPopulation(kind, k) })
			}
		}
		for k, l := range p.links {
			if mine(l.Name) && run.ofProjection(kind, k) != nil {
				shape := []int{l.n, l.m}
				if kind == "B" {
					shape = []int{l.m, l.n}
				}
				add(l.Name+"."+kind, shape, func() []float64 { return run.ofProjection(kind, k) })
			}
		}
		if kind == "in" {
			for k, in := range p.inputs {
				if mine(in.Name) {
					add(in.Name+".in", []int{in.Width()}, func() []float64 { return run.ofInput(k) })
				}
			}
		}
		if kind == "target" {
			for k, t := range p.targets {
				if mine(t.Name) {
					add(t.Name+".target", []int{t.Population.Size}, func() []float64 { return run.ofTarget(k) })
				}
			}
		}
		if kind == "loss" {
			add("loss", []int{}, func() []float64 {
				c.scratch[0] = run.loss()
				return c.scratch[:]
			})
		}
		if named && len(c.trace.Signals) == before && c.trace.Signal(want) == nil {
			return nil, fmt.Errorf("no signal is called %q; the network has no %q with a signal %s", want, owner, kind)
		}
	}
	if total > maxRecorded {
		return nil, fmt.Errorf("the trace would hold %d values, at most %d are allowed; record fewer signals or less often", total, maxRecorded)
	}
	return c, nil
}

// cutLast splits "hidden.u" into owner and kind; "u" has no owner.
func cutLast(name string) (owner, kind string, named bool) {
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		return name[:i], name[i+1:], true
	}
	return "", name, false
}

// sample appends the present values.
func (c *recorder) sample(t float64) {
	c.time = append(c.time, t)
	for i, s := range c.trace.Signals {
		s.Append(c.fetch[i]())
	}
}

// done closes the trace.
func (c *recorder) done() *sim.Trace {
	for _, s := range c.trace.Signals {
		s.Time = c.time
	}
	return c.trace
}
