package verilog

import "fmt"

// Vectors are a golden run: what goes into a core and what must come out, word
// for word. They come from an integer model, never from the text they judge.
type Vectors struct {
	Stimulus [][]int64 // by step: the words of a sample, in the order of Schedule.StreamIn
	Expected [][]int64 // by step: the words of an answer, in the order of Schedule.StreamOut
	Weights  []int64   // after the last step, by address of the register port without gaps: word by word, lane by lane

	Steps int
	Stall int // from this step on both streams pause now and then; before, cycles are counted
	Clear int // this step begins at initial states
	Still int // from this step on nothing learns
}

// NewVectors is an empty run of so many steps, with its events in the places that
// testbenches have them.
func NewVectors(steps int) *Vectors {
	return &Vectors{Steps: steps, Stall: max(steps/2, 1), Clear: max(steps*5/8, 1), Still: max(steps*7/8, 1)}
}

// Undisturbed is an empty run of so many steps in which nothing happens but
// steps.
func Undisturbed(steps int) *Vectors {
	return &Vectors{Steps: steps, Stall: steps, Clear: steps, Still: steps}
}

// check tells what a testbench could not use.
func (v *Vectors) check(s *Schedule) error {
	in, out := size(s.StreamIn()), size(s.StreamOut())
	if len(v.Stimulus) < 4 || len(v.Expected) != len(v.Stimulus) {
		return fmt.Errorf("a testbench needs as many samples as answers, at least 4")
	}
	for k := range v.Stimulus {
		if len(v.Stimulus[k]) != in || len(v.Expected[k]) != out {
			return fmt.Errorf("step %d has %d words in and %d out; the core has %d and %d", k, len(v.Stimulus[k]), len(v.Expected[k]), in, out)
		}
	}
	if n := s.Words * s.Lanes * s.memories(); len(v.Weights) != n {
		return fmt.Errorf("%d final weights for %d words", len(v.Weights), n)
	}
	return nil
}

func size(list []Vector) int {
	n := 0
	for _, v := range list {
		n += v.Size
	}
	return n
}

// memories is how many weights the register port shows of each synapse.
func (s *Schedule) memories() int { return 1 + bit(s.t.rule) }

// Arrange puts the stored words of a run into the order of the register port;
// w has them by projection, bias by population, and b those of the way back by
// projection, nil for those that do not learn. All of b stand behind all of w.
func (s *Schedule) Arrange(w, bias, b [][]int64) []int64 {
	n := s.Words * s.Lanes
	list := make([]int64, n*s.memories())
	for i := range list {
		list[i] = s.p.Half() // what no synapse has is a weight of 0, within any clip
		if i >= n {
			list[i] = s.p.Rule.Half(s.p.Operand)
		}
	}
	s.stored(func(g *Segment, population, lane, at, i int) {
		from := bias[population]
		if g.Projection >= 0 {
			from = w[g.Projection]
		}
		list[at*s.Lanes+lane] = from[i]
		switch {
		case !s.t.rule || !g.Fixed:
		case g.Learned:
			list[n+at*s.Lanes+lane] = b[g.Projection][i]
		default:
			list[n+at*s.Lanes+lane] = s.p.Rule.Store(s.p.Operand, s.p.Projections[g.Projection].B[i])
		}
	})
	return list
}

// stored visits every stored weight and bias: its segment, the population that it
// leads to, its lane and address, and its place in the words of its projection or bias.
func (s *Schedule) stored(visit func(g *Segment, population, lane, at, i int)) {
	for i := range s.Sweeps {
		sweep := &s.Sweeps[i]
		for j := range sweep.Segments {
			g := &sweep.Segments[j]
			for row := range s.p.Populations[sweep.Population].Size {
				for c := range g.Size {
					lane, at := s.Place(i, j, row, c)
					visit(g, sweep.Population, lane, at, row*g.Size+c)
				}
			}
		}
	}
}
