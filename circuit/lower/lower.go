// Package lower turns a model into a circuit graph: the forward path, the error
// neurons, the feedback and the plasticity, each as the elements that an analog
// or digital circuit is made of.
//
// # For maintainers
//
// This is the only room that knows both models and circuits. Lowering is plain:
// it writes down the equations of theory section 2, element by element, in model
// units, and leaves every simplification to the passes. A population called
// "hidden" becomes the nets
//
//	hidden.s      sum      a + gamma e, the total input of the membrane
//	hidden.u      the membrane potential          hidden.y  the prospective potential
//	hidden.r      the rate phi(y)                 hidden.slope  phi'(y)
//	hidden.back   sum      what the feedback and the targets add up to
//	hidden.x      sum      slope * back, the instantaneous error
//	hidden.v      the error neuron's potential    hidden.e  the prospective error
//
// and a bias is a projection from a net that is always 1. Teacher populations
// carry the prefix "teacher/" and have no error neurons.
package lower

import (
	"vlec/circuit"
	"vlec/model"
	"vlec/model/diag"
)

// Options choose what of a model is lowered.
type Options struct {
	// Learning lowers plastic projections to weight stores that learn. Without
	// it their weights are constants and the circuit only infers.
	Learning bool
	// Clocked lowers for clocked hardware, which has rules for backward weights that
	// have no circuit: those weights are constants here.
	Clocked bool
}

// Network lowers a checked model. What the circuit cannot express is a
// diag.List of errors at the model's lines.
func Network(net *model.Network, o Options) (*circuit.Circuit, error) {
	l := &lowering{net: net, options: o, circuit: circuit.New(net.Name), nets: map[model.Source]*neurons{}}
	if beyond := net.Learning.Beyond(); o.Learning && beyond != "" {
		l.errs.Add(diag.Pos{File: net.File}, "remove it from [learning], or leave the learning to software: vlec run", "a circuit learns by the plain local rule and cannot follow %s", beyond)
	}
	for _, in := range net.Inputs {
		l.input(in)
	}
	if net.Teacher != nil {
		for _, p := range net.Teacher.Populations {
			l.population(p, teacherPrefix)
		}
		for k, p := range net.Teacher.Projections {
			l.projection(k, p, teacherPrefix)
		}
	}
	for _, p := range net.Populations {
		l.population(p, "")
	}
	hasError := populationsWithError(net)
	for _, p := range net.Populations {
		if hasError[p] {
			l.errorNeurons(p)
		}
	}
	for k, p := range net.Projections {
		l.projection(k, p, "")
	}
	for _, p := range net.Populations {
		l.bias(p, "")
	}
	for _, t := range net.Targets {
		l.target(t)
	}
	if err := l.errs.Err(); err != nil {
		return nil, err
	}
	l.circuit.Prune()
	return l.circuit, l.circuit.Verify()
}

const teacherPrefix = circuit.TeacherPrefix

// neurons are the nets of one population; inputs have a rate only.
type neurons struct {
	sum, state, lead, rate, slope *circuit.Net
	back, errorState, err         *circuit.Net
	drive                         *circuit.Net // the sum without gamma e, made on demand
}

type lowering struct {
	net     *model.Network
	options Options
	circuit *circuit.Circuit
	nets    map[model.Source]*neurons
	one     *circuit.Net // always 1, made on demand
	errs    diag.List
}

// populationsWithError finds the populations that an error reaches: those with
// a target and those that project to one that has an error.
func populationsWithError(net *model.Network) map[*model.Population]bool {
	has := map[*model.Population]bool{}
	for _, t := range net.Targets {
		has[t.Population] = true
	}
	for changed := true; changed; {
		changed = false
		for _, p := range net.Projections {
			if from, ok := p.From.(*model.Population); ok && has[p.To] && !has[from] {
				has[from], changed = true, true
			}
		}
	}
	return has
}

func (l *lowering) input(in *model.Input) {
	rate := l.circuit.Net(in.Name+".r", circuit.Potential, in.Width())
	l.nets[in] = &neurons{rate: rate}
	l.circuit.Add("stimulus", in.Name+".r", in.Pos).Connect("out", rate).SetWaves("wave", waves(in.Channels))
	l.circuit.Observe(in.Name+".r", rate)
}

// population adds the signal neurons.
func (l *lowering) population(p *model.Population, prefix string) {
	c, name := l.circuit, prefix+p.Name
	n := &neurons{
		sum:   c.Net(name+".s", circuit.Sum, p.Size),
		state: c.Net(name+".u", circuit.Potential, p.Size),
		lead:  c.Net(name+".y", circuit.Potential, p.Size),
		rate:  c.Net(name+".r", circuit.Potential, p.Size),
	}
	l.nets[p] = n
	c.Add("leaky-integrator", name+".membrane", p.Pos).
		Connect("sum", n.sum).Connect("state", n.state).
		Set("tau", p.TauM...).Set("init", orZero(p.U0, p.Size)...)
	c.Add("prospective", name+".prospective", p.Pos).
		Connect("sum", n.sum).Connect("state", n.state).Connect("lead", n.lead).
		Set("tau", p.TauM...).Set("ahead", p.TauR...)
	c.Add("activation", name+".activation", p.Pos).
		Connect("in", n.lead).Connect("out", n.rate).SetWord("phi", string(p.Activation))
	c.Observe(name+".u", n.state)
	c.Observe(name+".y", n.lead)
	c.Observe(name+".r", n.rate)
	if prefix != "" {
		l.bias(p, prefix)
	}
	if p.PlasticTauM && p.EtaTauM != 0 && l.options.Learning {
		l.errs.Add(p.Pos, "set plastic_tau_m = false to emit a circuit, or train with vlec run",
			"population %q learns its tau_m, which a circuit of fixed capacitors cannot", p.Name)
	}
}

// errorNeurons adds the error neurons of a population: the same two elements as
// a membrane with tau_m and tau_r swapped, behind a gate by the slope.
func (l *lowering) errorNeurons(p *model.Population) {
	c, n := l.circuit, l.nets[p]
	n.slope = c.Net(p.Name+".slope", circuit.Potential, p.Size)
	n.back = c.Net(p.Name+".back", circuit.Sum, p.Size)
	x := c.Net(p.Name+".x", circuit.Sum, p.Size)
	n.errorState = c.Net(p.Name+".v", circuit.Potential, p.Size)
	n.err = c.Net(p.Name+".e", circuit.Potential, p.Size)
	c.Add("slope", p.Name+".slope", p.Pos).
		Connect("in", n.lead).Connect("rate", n.rate).Connect("out", n.slope).SetWord("phi", string(p.Activation))
	c.Add("gate", p.Name+".gate", p.Pos).Connect("in", n.back).Connect("slope", n.slope).Connect("sum", x)
	c.Add("leaky-integrator", p.Name+".error", p.Pos).
		Connect("sum", x).Connect("state", n.errorState).
		Set("tau", p.TauR...).Set("init", orZero(p.V0, p.Size)...)
	c.Add("prospective", p.Name+".error_prospective", p.Pos).
		Connect("sum", x).Connect("state", n.errorState).Connect("lead", n.err).
		Set("tau", p.TauR...).Set("ahead", p.TauM...)
	if l.net.Gamma != 0 {
		c.Add("coupling", p.Name+".coupling", p.Pos).Connect("in", n.err).Connect("sum", n.sum).Set("gain", l.net.Gamma)
	}
	c.Observe(p.Name+".v", n.errorState)
	c.Observe(p.Name+".e", n.err)
}

// bias adds a projection from the net that is always 1.
func (l *lowering) bias(p *model.Population, prefix string) {
	n := l.nets[p]
	learns := p.PlasticBias && p.EtaBias != 0 && l.options.Learning && n.err != nil
	zero := true
	for _, b := range p.Bias {
		zero = zero && b == 0
	}
	if zero && !learns {
		return
	}
	if l.one == nil {
		l.one = l.circuit.Net("bias/one", circuit.Potential, 1)
		l.circuit.Add("stimulus", "bias/one", p.Pos).Connect("out", l.one).
			SetWaves("wave", []circuit.Wave{{{Shape: "constant", Numbers: []float64{1}}}})
	}
	name := prefix + p.Name + ".bias"
	if !learns {
		l.circuit.Add("synapse", name, p.Pos).Connect("pre", l.one).Connect("sum", n.sum).Set("w", p.Bias...)
		return
	}
	w := l.store(name, p.Pos, l.one, n.err, p.EtaBias, 0, 0, orZero(p.Bias, p.Size))
	l.circuit.Add("plastic-synapse", name+".synapse", p.Pos).Connect("w", w).Connect("pre", l.one).Connect("sum", n.sum)
	l.circuit.Observe(name, w)
}

// target adds the comparator that nudges a population.
func (l *lowering) target(t *model.Target) {
	c, n := l.circuit, l.nets[t.Population]
	var target *circuit.Net
	if t.Teacher != nil {
		target = l.nets[t.Teacher].rate
	} else {
		target = c.Net("target/"+t.Name, circuit.Potential, t.Population.Size)
		c.Add("stimulus", "target/"+t.Name, t.Pos).Connect("out", target).SetWaves("wave", waves(t.Signal))
	}
	c.Observe("target/"+t.Name, target)
	rate := n.rate
	if t.Loss == model.CrossEntropy {
		rate = c.Net("target/"+t.Name+".p", circuit.Potential, t.Population.Size)
		c.Add("softmax", "target/"+t.Name+".softmax", t.Pos).Connect("in", n.rate).Connect("out", rate)
	}
	c.Add("comparator", "target/"+t.Name+".comparator", t.Pos).
		Connect("target", target).Connect("rate", rate).Connect("sum", n.back).Set("gain", l.net.Beta)
}

// store adds a weight store whose content w learns by rate post pre^T.
func (l *lowering) store(name string, pos diag.Pos, pre, post *circuit.Net, rate, decay, clip float64, init []float64) *circuit.Net {
	w := l.circuit.Net(name, circuit.Potential, len(init))
	l.circuit.Add("weight-store", name, pos).
		Connect("pre", pre).Connect("post", post).Connect("w", w).
		Set("rate", rate).Set("decay", decay).Set("clip", clip).Set("init", init...)
	return w
}

func orZero(xs []float64, n int) []float64 {
	if len(xs) == n {
		return xs
	}
	return make([]float64, n)
}
