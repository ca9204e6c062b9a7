package model

import (
	"math"
	"slices"
)

// A Summary is what one wants to know of a model at a glance.
type Summary struct {
	Name        string  `json:"name"`
	Description string  `json:"description,omitempty"`
	Hash        string  `json:"hash"`
	Dt          float64 `json:"dt"`
	Duration    float64 `json:"duration"`
	Steps       int     `json:"steps"` // of the synchronous semantics
	Beta        float64 `json:"beta"`
	Gamma       float64 `json:"gamma"`
	Neurons     int     `json:"neurons"`
	Synapses    int     `json:"synapses"`         // entries of all weight matrices
	Plastic     int     `json:"plastic_synapses"` // of these
	TauM        Range   `json:"tau_m"`            // over all populations [time unit]
	TauR        Range   `json:"tau_r"`
	Recurrent   bool    `json:"recurrent"` // a population can reach itself

	Inputs      []InputSummary      `json:"inputs"`
	Populations []PopulationSummary `json:"populations"`
	Projections []ProjectionSummary `json:"projections"`
	Targets     []TargetSummary     `json:"targets"`
}

// A Range is the smallest and the largest of some numbers.
type Range struct {
	Min float64 `json:"min"`
	Max float64 `json:"max"`
}

// InputSummary describes an input.
type InputSummary struct {
	Name     string `json:"name"`
	Channels int    `json:"channels"`
}

// PopulationSummary describes a population.
type PopulationSummary struct {
	Name       string     `json:"name"`
	Size       int        `json:"size"`
	Activation Activation `json:"activation"`
	TauM       Range      `json:"tau_m"`
	TauR       Range      `json:"tau_r"`
}

// ProjectionSummary describes a projection.
type ProjectionSummary struct {
	Name     string       `json:"name"`
	From     string       `json:"from"`
	To       string       `json:"to"`
	Rows     int          `json:"rows"` // receiving neurons
	Cols     int          `json:"cols"` // sending values
	Plastic  bool         `json:"plastic"`
	Feedback FeedbackRule `json:"feedback,omitempty"` // empty for those from an input
}

// TargetSummary describes a target. Teacher is empty where signals are given.
type TargetSummary struct {
	Name       string `json:"name"`
	Population string `json:"population"`
	Loss       Loss   `json:"loss"`
	Teacher    string `json:"teacher,omitempty"`
}

// Steps returns the number of synchronous steps in a run: Duration / Dt, rounded
// up where it is not whole.
func (n *Network) Steps() int { return int(math.Ceil(n.Duration/n.Dt - 1e-9)) }

// Neurons returns the number of signal neurons, the teacher's not counted.
func (n *Network) Neurons() int {
	sum := 0
	for _, p := range n.Populations {
		sum += p.Size
	}
	return sum
}

// Summary describes the network. The teacher is not counted.
func (n *Network) Summary() Summary {
	s := Summary{
		Name: n.Name, Description: n.Description, Hash: n.Hash, Dt: n.Dt, Duration: n.Duration, Steps: n.Steps(),
		Beta: n.Beta, Gamma: n.Gamma, Neurons: n.Neurons(), Recurrent: n.Recurrent(),
	}
	for _, in := range n.Inputs {
		s.Inputs = append(s.Inputs, InputSummary{in.Name, in.Width()})
	}
	for i, p := range n.Populations {
		row := PopulationSummary{p.Name, p.Size, p.Activation, rangeOf(p.TauM), rangeOf(p.TauR)}
		s.Populations = append(s.Populations, row)
		if i == 0 {
			s.TauM, s.TauR = row.TauM, row.TauR
		}
		s.TauM, s.TauR = s.TauM.with(row.TauM), s.TauR.with(row.TauR)
	}
	for _, p := range n.Projections {
		row := ProjectionSummary{p.Name, p.From.ID(), p.To.Name, p.To.Size, p.From.Width(), p.Plastic, p.Feedback.Rule}
		if _, isInput := p.From.(*Input); isInput {
			row.Feedback = ""
		}
		s.Projections = append(s.Projections, row)
		s.Synapses += len(p.W)
		if p.Plastic {
			s.Plastic += len(p.W)
		}
	}
	for _, t := range n.Targets {
		row := TargetSummary{Name: t.Name, Population: t.Population.Name, Loss: t.Loss}
		if t.Teacher != nil {
			row.Teacher = t.Teacher.Name
		}
		s.Targets = append(s.Targets, row)
	}
	return s
}

func rangeOf(values []float64) Range { return Range{slices.Min(values), slices.Max(values)} }

func (r Range) with(q Range) Range { return Range{min(r.Min, q.Min), max(r.Max, q.Max)} }

// Recurrent tells whether some population can reach itself. With recurrence, or
// with Gamma > 0, rates and errors depend on each other at each instant.
func (n *Network) Recurrent() bool {
	// Take away populations that nothing left over projects to (Kahn); what
	// cannot be taken away lies on or behind a cycle.
	into := map[*Population]int{}
	out := map[*Population][]*Population{}
	for _, p := range n.Projections {
		if from, ok := p.From.(*Population); ok {
			into[p.To]++
			out[from] = append(out[from], p.To)
		}
	}
	var free []*Population
	for _, p := range n.Populations {
		if into[p] == 0 {
			free = append(free, p)
		}
	}
	taken := 0
	for len(free) > 0 {
		p := free[len(free)-1]
		free = free[:len(free)-1]
		taken++
		for _, q := range out[p] {
			if into[q]--; into[q] == 0 {
				free = append(free, q)
			}
		}
	}
	return taken < len(n.Populations)
}
