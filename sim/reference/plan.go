package reference

import (
	"fmt"
	"slices"

	"vlec/model"
)

// A plan numbers the parts of a network, so that the simulators can use slices
// where the model uses pointers.
type plan struct {
	net     *model.Network
	inputs  []*model.Input
	pops    []*model.Population
	links   []link
	targets []aim

	into  [][]int // links that arrive at a population
	outOf [][]int // links that leave a population

	// order is a topological order of the populations; nil when projections form
	// a cycle.
	order []int
}

// A link is a projection with its ends numbered.
type link struct {
	*model.Projection
	from int // population, or -1-input
	to   int
	m, n int // width of the source, size of the population
}

// fromInput returns the number of the input that the link starts at, if any.
func (l *link) fromInput() (int, bool) { return -1 - l.from, l.from < 0 }

// learnsFeedback tells whether the link has backward weights that change.
func (l *link) learnsFeedback() bool {
	switch l.Feedback.Rule {
	case model.GainAlignment, model.GainTranspose, model.PAL, model.KolenPollack:
		return l.from >= 0
	}
	return false
}

// ownFeedback tells whether the link has backward weights besides W.
func (l *link) ownFeedback() bool {
	return l.from >= 0 && (l.Feedback.Rule == model.Fixed || l.learnsFeedback())
}

// noisy tells whether the link injects noise into its source.
func (l *link) noisy() bool {
	switch l.Feedback.Rule {
	case model.GainAlignment, model.PAL:
		return l.from >= 0 && l.Feedback.NoiseSigma > 0
	}
	return false
}

// An aim is a target with its population numbered.
type aim struct {
	*model.Target
	pop     int
	teacher int // population of the teacher, -1 when the target is a signal
}

// newPlan numbers a network and refuses one whose parts do not fit together.
// Networks from model files always fit; those built in memory may not. The
// inputs are those of the network itself, or for a teacher of its student.
func newPlan(net *model.Network, inputs []*model.Input) (*plan, error) {
	p := &plan{
		net: net, inputs: inputs, pops: net.Populations,
		into:  make([][]int, len(net.Populations)),
		outOf: make([][]int, len(net.Populations)),
	}
	popOf := map[*model.Population]int{}
	for k, pop := range p.pops {
		popOf[pop] = k
		if err := checkPopulation(pop); err != nil {
			return nil, err
		}
	}
	for k, pr := range net.Projections {
		l := link{Projection: pr}
		to, ok := popOf[pr.To]
		if !ok {
			return nil, fmt.Errorf("projection %s ends at a population that is not in the network", pr.Name)
		}
		l.to, l.n = to, pr.To.Size
		switch from := pr.From.(type) {
		case *model.Population:
			if l.from, ok = popOf[from]; !ok {
				return nil, fmt.Errorf("projection %s starts at a population that is not in the network", pr.Name)
			}
			p.outOf[l.from] = append(p.outOf[l.from], k)
		case *model.Input:
			in := slices.IndexFunc(inputs, func(i *model.Input) bool { return i.Name == from.Name })
			if in < 0 {
				return nil, fmt.Errorf("projection %s starts at input %s, which is not in the network", pr.Name, from.Name)
			}
			l.from = -1 - in
		default:
			return nil, fmt.Errorf("projection %s starts nowhere", pr.Name)
		}
		l.m = pr.From.Width()
		if err := checkLink(&l); err != nil {
			return nil, err
		}
		p.into[to] = append(p.into[to], k)
		p.links = append(p.links, l)
	}
	for _, t := range net.Targets {
		a := aim{Target: t, teacher: -1}
		var ok bool
		if a.pop, ok = popOf[t.Population]; !ok {
			return nil, fmt.Errorf("target %s names a population that is not in the network", t.Name)
		}
		if t.Teacher != nil {
			if net.Teacher == nil {
				return nil, fmt.Errorf("target %s asks for a teacher and the network has none", t.Name)
			}
			if a.teacher = slices.Index(net.Teacher.Populations, t.Teacher); a.teacher < 0 {
				return nil, fmt.Errorf("target %s names a population that is not in the teacher", t.Name)
			}
			if t.Teacher.Size != t.Population.Size {
				return nil, fmt.Errorf("target %s: the teacher has %d neurons and the population %d", t.Name, t.Teacher.Size, t.Population.Size)
			}
		} else if len(t.Signal) != t.Population.Size {
			return nil, fmt.Errorf("target %s has %d signals for %d neurons", t.Name, len(t.Signal), t.Population.Size)
		}
		if t.Loss == model.CrossEntropy && t.Population.Activation != model.Linear {
			return nil, fmt.Errorf("target %s: cross-entropy needs a linear population", t.Name)
		}
		p.targets = append(p.targets, a)
	}
	p.order = p.topological()
	return p, nil
}

func checkPopulation(pop *model.Population) error {
	for _, s := range []struct {
		name   string
		values []float64
	}{{"tau_m", pop.TauM}, {"tau_r", pop.TauR}, {"bias", pop.Bias}, {"u0", pop.U0}, {"v0", pop.V0}} {
		if len(s.values) != pop.Size {
			return fmt.Errorf("population %s: %s has %d values for %d neurons", pop.Name, s.name, len(s.values), pop.Size)
		}
	}
	for i := range pop.Size {
		if !(pop.TauM[i] > 0 && pop.TauR[i] > 0) {
			return fmt.Errorf("population %s: the time constants of neuron %d are not positive", pop.Name, i)
		}
	}
	if !slices.Contains(model.Activations, pop.Activation) {
		return fmt.Errorf("population %s: unknown activation %q", pop.Name, pop.Activation)
	}
	return nil
}

func checkLink(l *link) error {
	if len(l.W) != l.n*l.m {
		return fmt.Errorf("projection %s has %d weights for a %d x %d matrix", l.Name, len(l.W), l.n, l.m)
	}
	if !l.ownFeedback() {
		return nil
	}
	f := &l.Feedback
	if len(f.B) != l.n*l.m {
		return fmt.Errorf("projection %s has %d backward weights for a %d x %d matrix", l.Name, len(f.B), l.m, l.n)
	}
	if l.noisy() && !(f.NoiseTau > 0) {
		return fmt.Errorf("projection %s: the noise needs a positive time constant", l.Name)
	}
	if f.Rule == model.PAL && !(f.NoiseSigma > 0 && f.HighPass > 0) {
		return fmt.Errorf("projection %s: pal needs noise, and a positive time constant of its high-pass", l.Name)
	}
	return nil
}

// topological returns the populations in an order in which every projection
// leads forward, or nil. Among the populations that are ready the one that
// comes first in the model goes first.
func (p *plan) topological() []int {
	waits := make([]int, len(p.pops))
	for _, l := range p.links {
		if l.from >= 0 {
			waits[l.to]++
		}
	}
	done := make([]bool, len(p.pops))
	order := make([]int, 0, len(p.pops))
	for len(order) < len(p.pops) {
		k := 0
		for k < len(p.pops) && (done[k] || waits[k] > 0) {
			k++
		}
		if k == len(p.pops) {
			return nil
		}
		done[k] = true
		order = append(order, k)
		for _, q := range p.outOf[k] {
			waits[p.links[q].to]--
		}
	}
	return order
}
