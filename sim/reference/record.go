package reference

import (
	"fmt"
	"slices"
	"strings"

	"vlec/sim"
)

// Kinds lists the kinds of signal that Run records, each named
// "POPULATION.u", "PROJECTION.W", "INPUT.in", "TARGET.target", or plainly "loss",
// "E" or "S". E brings its terms along: those of all populations and targets.
//
//	u v        membrane and error potentials
//	y r        prospective potential and rate
//	x e        instantaneous and prospective error
//	a          forward drive
//	bias tau_m of a population
//	W B        forward and backward weights; B where it is not W^T
//	in target  stimuli and targets
//	loss       of the present rates against their targets
//	eps        mismatch u + tau_m du/dt - a of a population
//	E          energy: |eps|^2/2 of a population; of the network, with the costs
//	cost       beta times the loss of a target
//	S          action, the integral of E
func Kinds() []string { return slices.Clone(kinds) }

var kinds = []string{"u", "v", "y", "r", "x", "e", "a", "bias", "tau_m", "W", "B", "in", "target", "loss", "eps", "E", "cost", "S"}

// defaultKinds are recorded when neither the caller nor the model says what.
var defaultKinds = []string{"u", "r", "e"}

// Bounds on the values of one trace: 2^27 of them are a gigabyte, which is enough
// for memory; a file may have four.
const (
	maxRecorded = 1 << 27
	maxSunk     = 1 << 29
)

// A Sink takes the samples of a run as they come, in place of a sim.Trace.
type Sink interface {
	// Begin is told what will come: the signals, without data, and at most how many
	// samples. A run that resumes goes on after the first kept samples; those that
	// the sink has received beyond them will come again.
	Begin(signals []*sim.Signal, samples, kept int) error
	// Sample takes the values of every signal at time t. They are valid during the
	// call only.
	Sample(t float64, values [][]float64) error
}

// An observed run gives access to its present values by kind and number.
type observed interface {
	ofPopulation(kind string, k int) []float64 // nil where the kind is not a population's
	ofProjection(kind string, k int) []float64 // nil likewise, and for B where it is W^T
	ofInput(k int) []float64
	ofTarget(k int) []float64
	loss() float64
}

// Discard is a sink that takes nothing in.
var Discard Sink = discard{}

type discard struct{}

func (discard) Begin([]*sim.Signal, int, int) error { return nil }
func (discard) Sample(float64, [][]float64) error   { return nil }

// A recorder passes signals of a run to a sink.
type recorder struct {
	sink    Sink
	signals []*sim.Signal
	fetch   []func() []float64
	values  [][]float64
	samples int     // taken so far
	limit   int     // samples that are expected at most
	time    float64 // of the present sample
	energy  *energy // nil unless something asks for it
}

// newRecorder resolves names and kinds to the signals of a run of at most the
// given number of samples. Without a sink of the caller's they become a trace.
func newRecorder(p *plan, run observed, names []string, samples int, sink Sink) (*recorder, error) {
	bound := maxSunk
	if sink == nil {
		sink, bound = &memory{}, maxRecorded
	}
	c := &recorder{sink: sink, limit: samples}
	total := 0.0
	add := func(name string, shape []int, fetch func() []float64) {
		if c.has(name) {
			return
		}
		s := &sim.Signal{Name: name, Shape: shape}
		c.signals = append(c.signals, s)
		c.fetch = append(c.fetch, fetch)
		total += float64(samples) * float64(s.Width())
	}
	// single records one number of the whole network.
	single := func(name string, value func() float64) {
		room := make([]float64, 1)
		add(name, []int{}, func() []float64 {
			room[0] = value()
			return room
		})
	}
	for _, want := range names {
		before := len(c.signals)
		owner, kind, named := cutLast(want)
		if !slices.Contains(kinds, kind) || (named && (kind == "loss" || kind == "S")) {
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
			single("loss", run.loss)
		}
		if slices.Contains([]string{"eps", "E", "cost", "S"}, kind) {
			if c.energy == nil {
				c.energy = newEnergy(p, run)
			}
			c.addEnergy(p, kind, named, mine, add, single)
		}
		if named && len(c.signals) == before && !c.has(want) {
			return nil, fmt.Errorf("no signal is called %q; the network has no %q with a signal %s", want, owner, kind)
		}
	}
	if total > float64(bound) {
		return nil, fmt.Errorf("the trace would hold %.3g values, at most %d are allowed; record fewer signals or less often", total, bound)
	}
	c.values = make([][]float64, len(c.signals))
	return c, nil
}

func (c *recorder) has(name string) bool {
	return slices.ContainsFunc(c.signals, func(s *sim.Signal) bool { return s.Name == name })
}

// addEnergy records the energy, its terms, or what they are made of.
func (c *recorder) addEnergy(p *plan, kind string, named bool, mine func(name string) bool,
	add func(name string, shape []int, fetch func() []float64), single func(name string, value func() float64),
) {
	g := c.energy
	switch {
	case kind == "E" && !named:
		single("E", g.total)
	case kind == "S":
		single("S", func() float64 { return g.until(c.time) })
	}
	for k, pop := range p.pops {
		switch {
		case !mine(pop.Name):
		case kind == "eps":
			add(pop.Name+".eps", []int{pop.Size}, func() []float64 { return g.mismatch(k) })
		case kind == "E":
			single(pop.Name+".E", func() float64 { return g.ofPopulation(k) })
		}
	}
	for q, t := range p.targets {
		if kind == "cost" && mine(t.Name) || kind == "E" && !named {
			single(t.Name+".cost", func() float64 { return g.ofTarget(q) })
		}
	}
}

// cutLast splits "hidden.u" into owner and kind; "u" has no owner.
func cutLast(name string) (owner, kind string, named bool) {
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		return name[:i], name[i+1:], true
	}
	return "", name, false
}

// begin opens the sink; call it once the number of samples already taken is
// known.
func (c *recorder) begin() error { return c.sink.Begin(c.signals, c.limit, c.samples) }

// sample takes the present values.
func (c *recorder) sample(t float64) error {
	c.time = t
	for i, fetch := range c.fetch {
		c.values[i] = fetch()
	}
	c.samples++
	return c.sink.Sample(t, c.values)
}

// keep walks over what was recorded; a sink of the caller's keeps its own.
func (c *recorder) keep(l *ledger) {
	l.counts(statePrefix+"samples", &c.samples)
	if c.energy != nil {
		c.energy.keep(l)
	}
	if m, ok := c.sink.(*memory); ok {
		l.grown(statePrefix+"trace/t", &m.time)
		if l.restoring {
			m.trace.Signals = c.signals
		}
		for _, s := range c.signals {
			l.grown(statePrefix+"trace/"+s.Name, &s.Data)
			if l.restoring && l.err == nil && (len(m.time) != c.samples || len(s.Data) != c.samples*s.Width()) {
				l.fail("the trace of %s has %d values for %d samples", s.Name, len(s.Data), c.samples)
			}
		}
	}
	if l.restoring && l.err == nil && (c.samples < 0 || c.samples > c.limit) {
		l.fail("it has %d samples of at most %d", c.samples, c.limit)
	}
}

// trace returns what was recorded, nil where a sink of the caller's took it.
func (c *recorder) trace() *sim.Trace {
	m, ok := c.sink.(*memory)
	if !ok {
		return nil
	}
	for _, s := range m.trace.Signals {
		s.Time = m.time
	}
	return &m.trace
}

// memory is the sink that makes a trace.
type memory struct {
	trace sim.Trace
	time  []float64
}

func (m *memory) Begin(signals []*sim.Signal, _, _ int) error {
	m.trace.Signals = signals
	return nil
}

func (m *memory) Sample(t float64, values [][]float64) error {
	m.time = append(m.time, t)
	for i, s := range m.trace.Signals {
		s.Append(values[i])
	}
	return nil
}
