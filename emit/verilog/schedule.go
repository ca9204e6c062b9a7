package verilog

import (
	"fmt"
	"slices"

	"vlec/emit/verilog/device"
	"vlec/emit/verilog/format"
)

// A Schedule says when a folded core does what, to the cycle. All of it is known
// beforehand: no part of a core ever asks whether another one is done.
//
// Three engines work side by side. The sweep reads one word of weights per lane
// and cycle, each word once per step; lane p of a row group has row P g + p of a
// population. The slots of the shared neuron unit, one a cycle, move on either an
// error neuron (v) or a membrane (u). The pipes behind both drain by themselves.
type Schedule struct {
	Lanes int

	Neurons int     // of all populations
	Address []int   // by population: address of its first neuron
	Group   []int   // by population: its first row group
	Groups  int     // row groups of all populations
	Input   []int   // by input: address of its first channel
	One     int     // address of the sender of biases; -1: there is none
	Senders int     // addresses of the memory of rates
	Words   int     // weights of one lane, padding included
	Sweeps  []Sweep // in the order of sweeping
	Bursts  []Burst // in the order of the slots
	Period  int     // cycles from step to step
	Answer  int     // cycles from a step's first to the one in which its last rate is written

	Synapses int // weights and biases that a step works on

	t timing
	p *format.Plan
}

// A Sweep is the pass over all weights into one population.
type Sweep struct {
	Population int
	Segments   []Segment
	Row        int // cycles of one row group: the senders of all segments
	Groups     int
	Start      int // cycle of the first read
	Word       int // address of the first word in each lane
}

// End is the first cycle after the sweep.
func (s *Sweep) End() int { return s.Start + s.Row*s.Groups }

// A Segment is a projection's, or the bias's, part of a row.
type Segment struct {
	Projection int // -1: the bias
	First      int // address of its first sender
	Size       int
	Plastic    bool
	Neurons    bool // senders are neurons, whose rates start at zero
	Back       bool // errors travel back
	Fixed      bool // by weights of their own
	Learned    bool // which learn
	Opens      bool // its first row group finds no earlier part of the senders' sums
	Closes     bool // its last row group completes them
}

// A Burst is a run of slots for one population, a neuron a cycle.
type Burst struct {
	Population int
	Membrane   bool // u; v otherwise
	Start      int
}

// timing has the stages of the pipes: the number of cycles after a slot's issue
// or a weight's address.
type timing struct {
	backward, learning bool
	deep               bool // registers for slow carry chains

	nudge int // extra stages of a target: the difference, and its gain
	gamma int // extra stage of gamma e
	tree  int // extra stages of the lanes' sum of w e

	arrive int // x and the sum of w r are there
	diff   int // I and s are there
	state  int // the new state is written
	out    int // y or e is in its register
	rate   int // r is written; s of a scaled error too

	learned int // a weight that changed is written: stages after its address

	rule    bool // backward weights learn
	slow    int  // extra stage of the products of their rule and of decay, on parts with few multipliers
	aligned bool // from what neurons teach, in the step before
	now     bool // or in this one, after the error has gone back
	noise   int  // extra stage of the noise that membranes hear
	far     int  // what receivers teach is written: stages after a slot; 0: after a row
	late    int  // extra stages of w e, behind what its weight learns
	heard   int  // what they learn from is written: stages after a slot
	scaled  bool
}

func newTiming(p *format.Plan, lanes int) timing {
	t := timing{deep: !device.FamilyOf(p.Device).Carry, backward: backward(p), learning: p.Learning, scaled: p.Scaled && p.Learning}
	t.arrive = 1
	if t.backward {
		for i := range p.Populations {
			if p.Populations[i].Target != "" {
				t.nudge = 1
			}
		}
		if p.Nudged {
			t.nudge = 2
		}
		t.arrive = 3 + t.nudge
		if p.GammaWord != 0 {
			t.gamma = 1
		}
		for n := 2; n < lanes*2; n *= 4 {
			t.tree++ // two levels of adders a stage
		}
	}
	if p.Noise != nil {
		t.noise = 1
	}
	t.diff = t.arrive + t.noise + t.gamma
	t.state = t.diff + 4
	t.out = t.diff + 5
	if t.deep {
		t.state++
		t.out += 2
	}
	t.rate = t.out + 2
	t.rule = p.Rule != nil && t.backward
	part := device.Of(p.Device)
	t.slow = bit(t.rule && part != nil && part.Scarce())
	t.learned = 4
	if p.Decays() {
		t.learned = 5 + t.slow
	}
	if t.rule {
		if t.aligned = p.Rule.Kind != format.Mirror; t.aligned {
			if t.now = p.Rule.Kind == format.Scaled; !t.now {
				t.late = 4 + t.slow
			}
			t.heard = max(t.rate+t.slow, t.diff+heardLoss+2*t.slow)
			switch {
			case t.now:
				t.heard = max(t.heard, t.out+heardSquare+2*t.slow)
			case p.Rule.Kind == format.Phaseless:
				t.heard, t.far = t.arrive+heardNoise+t.slow, t.rate+highPassed
			case t.noise > 0:
				t.far = t.arrive + t.noise + disturbed
			}
		}
	}
	return t
}

// backward tells whether a core has error neurons: those that neither teach nor
// couple into membranes are left out.
func backward(p *format.Plan) bool { return p.Backward && (p.Learning || p.GammaWord != 0) }

// backSum is the stage in which a sum of w e is written.
func (t *timing) backSum() int { return sumWritten + t.tree + t.late }

// written is the stage in which the last word of a weight's address is written.
func (t *timing) written() int {
	return max(t.learned, t.taught())
}

// taught is the stage in which a backward weight that learned is written.
func (t *timing) taught() int {
	if t.aligned {
		return taughtWritten + t.slow
	}
	return t.learned
}

// errorReady is after how many cycles an error that was issued can be addressed
// by a sweep.
func (t *timing) errorReady() int {
	if t.scaled {
		return t.rate + 1
	}
	return t.out + 1
}

// drive is after how many cycles from the last address of a row its slot can be
// issued.
func (t *timing) drive() int { return sumWritten + 1 - (t.arrive - 1) }

// The stages of a lane: a weight's address at 0, its word at 1, products at 2, sums
// at 3.
const sumWritten = 3

// NewSchedule orders the work of one step for a number of lanes, so that a step
// takes as few cycles as the orders that are tried allow.
func NewSchedule(p *format.Plan, lanes int) (*Schedule, error) {
	if lanes < 1 || lanes > MaxLanes {
		return nil, fmt.Errorf("%d lanes: a core has 1 to %d", lanes, MaxLanes)
	}
	var best *Schedule
	for _, order := range orders(p) {
		if s := schedule(p, lanes, order); best == nil || s.Period < best.Period {
			best = s
		}
	}
	return best, best.check()
}

// MaxLanes is the largest number of lanes.
const MaxLanes = 64

// orders proposes orders of sweeping: from the last population to the first, so
// that the slots of one hide behind the sweep of the next; then others where there
// are few.
func orders(p *format.Plan) [][]int {
	n := len(p.Populations)
	first := make([]int, n)
	for i := range first {
		first[i] = n - 1 - i
	}
	list := [][]int{first}
	if n > 6 {
		return list
	}
	var permute func(head, rest []int)
	permute = func(head, rest []int) {
		if len(rest) == 0 {
			list = append(list, slices.Clone(head))
			return
		}
		for i, v := range rest {
			permute(append(head, v), append(slices.Clone(rest[:i]), rest[i+1:]...))
		}
	}
	permute(nil, first)
	return list
}

func schedule(p *format.Plan, lanes int, order []int) *Schedule {
	s := &Schedule{Lanes: lanes, p: p, t: newTiming(p, lanes), One: -1}
	n := len(p.Populations)
	s.Address, s.Group = make([]int, n), make([]int, n)
	for _, k := range order {
		s.Address[k], s.Group[k] = s.Neurons, s.Groups
		s.Neurons += p.Populations[k].Size
		s.Groups += (p.Populations[k].Size + lanes - 1) / lanes
	}
	s.Senders = s.Neurons
	for i := range p.Inputs {
		s.Input = append(s.Input, s.Senders)
		s.Senders += p.Inputs[i].Size
	}
	for i := range p.Populations {
		if p.Populations[i].Bias != nil && s.One < 0 {
			s.One = s.Senders
			s.Senders++
		}
	}
	for _, k := range order {
		s.addSweep(k)
	}
	s.touch()
	s.time(order)
	return s
}

// addSweep lays out the weights into population k.
func (s *Schedule) addSweep(k int) {
	p := s.p
	w := Sweep{Population: k, Groups: (p.Populations[k].Size + s.Lanes - 1) / s.Lanes, Word: s.Words}
	if p.Populations[k].Bias != nil {
		w.Segments = append(w.Segments, Segment{Projection: -1, First: s.One, Size: 1, Plastic: p.Populations[k].BiasPlastic})
	}
	for q := range p.Projections {
		l := &p.Projections[q]
		if l.To != k {
			continue
		}
		g := Segment{Projection: q, Plastic: l.Plastic, Neurons: l.From >= 0}
		if g.Neurons {
			g.First, g.Size = s.Address[l.From], p.Populations[l.From].Size
			g.Back = s.t.backward && l.Feedback != format.None && p.Populations[l.From].Error && p.Populations[k].Error
			g.Fixed = g.Back && l.B != nil
			g.Learned = g.Back && l.Learns()
		} else {
			g.First, g.Size = s.Input[l.Input], p.Inputs[l.Input].Size
		}
		w.Segments = append(w.Segments, g)
	}
	for i := range w.Segments {
		w.Row += w.Segments[i].Size
	}
	s.Synapses += w.Row * p.Populations[k].Size
	s.Words += w.Row * w.Groups
	s.Sweeps = append(s.Sweeps, w)
}

// touch finds which segments open and close the sums of w e of their senders.
func (s *Schedule) touch() {
	last := map[int]*Segment{}
	for i := range s.Sweeps {
		for j := range s.Sweeps[i].Segments {
			g := &s.Sweeps[i].Segments[j]
			if !g.Back {
				continue
			}
			g.Opens = last[g.First] == nil
			last[g.First] = g
		}
	}
	for _, g := range last {
		g.Closes = true
	}
}

// time gives every sweep and burst its start, and the step its period.
func (s *Schedule) time(order []int) {
	pops, free := s.p.Populations, 0
	errors := make([]int, len(pops)) // start of the burst of v, by population
	if s.t.backward {
		for _, k := range order {
			errors[k] = -1
			if pops[k].Error {
				errors[k] = free
				s.Bursts = append(s.Bursts, Burst{Population: k, Start: free})
				free += pops[k].Size
			}
		}
	}
	at := 1
	for i := range s.Sweeps {
		w := &s.Sweeps[i]
		w.Start = at
		if s.t.backward && errors[w.Population] >= 0 {
			for g := range w.Groups {
				lastNeuron := min((g+1)*s.Lanes, pops[w.Population].Size) - 1
				w.Start = max(w.Start, errors[w.Population]+lastNeuron+s.t.errorReady()-g*w.Row)
			}
		}
		at = w.End()
	}
	membranes := make([]int, len(pops))
	for i := range s.Sweeps {
		w := &s.Sweeps[i]
		for j := range pops[w.Population].Size {
			free = max(free, w.Start+(j/s.Lanes+1)*w.Row-1+s.t.drive()-j)
		}
		membranes[w.Population] = free
		s.Bursts = append(s.Bursts, Burst{Population: w.Population, Membrane: true, Start: free})
		free += pops[w.Population].Size
	}
	s.Answer = free - 1 + s.t.rate

	// The next step may begin when both engines are free and nothing of it would
	// read what this one has not written.
	s.Period = max(free, at)
	written := func(k, j int) int { return membranes[k] + j + s.t.rate + 1 }
	for i := range s.Sweeps {
		w := &s.Sweeps[i]
		offset := 0
		for _, g := range w.Segments {
			from := -1 // whose neurons the senders are
			if g.Neurons {
				from = s.p.Projections[g.Projection].From
				// Both go on a sender a cycle in the first row group.
				s.Period = max(s.Period, written(from, 0)-(w.Start+offset))
			}
			if g.Learned && s.t.now {
				s.Period = max(s.Period, membranes[from]+s.t.heard+1-(w.Start+offset))
			}
			if g.Learned && s.t.far > 0 {
				for j := range pops[w.Population].Size {
					s.Period = max(s.Period, membranes[w.Population]+j+s.t.far+1-(w.Start+j/s.Lanes*w.Row+offset))
				}
			}
			if g.Closes {
				end := w.End() - (w.Row - offset) + s.t.backSum() + 1
				s.Period = max(s.Period, end-errors[from])
			}
			offset += g.Size
		}
	}
	if s.t.backward {
		for k := range pops {
			if errors[k] >= 0 {
				s.Period = max(s.Period, written(k, 0)-errors[k])
			}
		}
	}
	s.Period = max(s.Period, s.loading(), (s.draining()+1)/2)
}

// portRead is after how many cycles from its grant, which a step ends before, the
// register port reads: the last weight of the step has been written then.
func (s *Schedule) portRead() int {
	last := &s.Sweeps[len(s.Sweeps)-1]
	return max(2, last.End()+s.t.written()-s.Period)
}

// loading is the time that a sample needs to come in: rates that are written go
// first.
func (s *Schedule) loading() int {
	n := s.Neurons + 2
	for _, v := range s.StreamIn() {
		n += v.Size
	}
	return n
}

// draining is from the start of a step to the next start but one that its answer
// allows: there is room for two.
func (s *Schedule) draining() int { return s.answerLatency() + size(s.StreamOut()) }

// A Vector is a part of a sample of a stream.
type Vector struct {
	Name       string `json:"name"`
	Size       int    `json:"size"`
	Population int    `json:"-"` // its rates or its target; -1: an input
	Address    int    `json:"-"`
}

// StreamIn lists what a sample holds on its way in: inputs, then targets.
func (s *Schedule) StreamIn() []Vector {
	var list []Vector
	for i, in := range s.p.Inputs {
		list = append(list, Vector{in.Name, in.Size, -1, s.Input[i]})
	}
	if s.t.backward {
		for k := range s.p.Populations {
			if q := &s.p.Populations[k]; q.Target != "" {
				list = append(list, Vector{q.Target, q.Size, k, s.Address[k]})
			}
		}
	}
	return list
}

// StreamOut lists what a sample holds on its way out: the rates of populations
// that have a target, or else of those that nothing reads, or else of all.
func (s *Schedule) StreamOut() []Vector {
	read := map[int]bool{}
	for i := range s.p.Projections {
		read[s.p.Projections[i].From] = true
	}
	for _, take := range []func(k int) bool{
		func(k int) bool { return s.p.Populations[k].Target != "" },
		func(k int) bool { return !read[k] },
		func(int) bool { return true },
	} {
		var list []Vector
		for k := range s.p.Populations {
			if q := &s.p.Populations[k]; take(k) {
				list = append(list, Vector{q.Name, q.Size, k, s.Address[k]})
			}
		}
		if len(list) > 0 {
			return list
		}
	}
	return nil
}

// Efficiency is the share of the synaptic multipliers' cycles that work on a
// synapse.
func (s *Schedule) Efficiency() float64 {
	return float64(s.Synapses) / float64(s.Lanes*s.Period)
}

// Place is where a stored weight or bias is: the lane, and the address in it.
func (s *Schedule) Place(sweep, segment, row, column int) (lane, address int) {
	w := &s.Sweeps[sweep]
	address = w.Word + row/s.Lanes*w.Row + column
	for i := range segment {
		address += w.Segments[i].Size
	}
	return row % s.Lanes, address
}
