package format

import (
	"fmt"
	"slices"
	"strings"

	"vlec/circuit"
	"vlec/model/diag"
)

// A Network is what the planner finds in a circuit graph: populations of neurons
// with their error neurons, and the projections that join them. Numbers are in
// model units.
type Network struct {
	Name        string
	Inputs      []Input
	Populations []Population
	Projections []Projection
	Gamma       float64
	Learning    bool // something is plastic
	Backward    bool // there are error neurons
}

// An Input is a vector that comes from outside.
type Input struct {
	Name  string
	Size  int
	Waves []circuit.Wave
}

// A Population is n neurons. Slices have length Size.
type Population struct {
	Name   string
	Pos    diag.Pos
	Size   int
	Phi    string
	TauM   []float64 // membrane time constants [time unit]
	TauR   []float64 // prospective time constants [time unit]
	U0, V0 []float64 // initial potentials

	Bias        []float64 // nil: there is none
	BiasPlastic bool
	BiasRate    float64 // [1/time unit]

	Noise *Noise // injected into its membranes; nil: none

	Error  bool        // has error neurons
	Target *TargetSpec // nil: there is none
}

// Noise is an Ornstein-Uhlenbeck process in each neuron of a population.
type Noise struct {
	Projection string  // whose feedback it is for
	Sigma      float64 // standard deviation
	Tau        float64 // correlation time [time unit]
	Seed       uint64
}

// A TargetSpec says that rates of a population are compared with a target.
type TargetSpec struct {
	Name  string
	Beta  float64
	Waves []circuit.Wave // nil: the rates of a teacher outside the circuit
}

// A Projection joins m senders to n receivers. W is n x m, row-major.
type Projection struct {
	Name    string
	Pos     diag.Pos
	Input   int // sender: an input, or -1
	From    int // sender: a population, or -1
	To      int
	W       []float64
	Plastic bool
	Rate    float64 // [1/time unit]
	Decay   float64 // [1/time unit]
	Clip    float64 // 0: none

	Feedback Feedback
}

// A Feedback says how errors travel back through a projection.
type Feedback struct {
	Kind  FeedbackKind
	B     []float64 // own weights in the layout of W: B[i*m+j] from receiver i to sender j
	Rate  float64   // of their rule [1/time unit]
	Decay float64   // [1/time unit]
	Slope float64   // of the sender at rest, for gain alignment
	Tau   float64   // of the high-pass of phaseless alignment learning [time unit]
}

// learns tells whether there are backward weights with a rule.
func (k FeedbackKind) learns() bool {
	return k == Mirror || k == Alignment || k == Scaled || k == Phaseless
}

// A FeedbackKind tells where backward weights come from.
type FeedbackKind string

// The kinds of feedback.
const (
	None      FeedbackKind = ""
	Transpose FeedbackKind = "transpose"      // the forward weights themselves
	Fixed     FeedbackKind = "fixed"          // own weights that never change
	Mirror    FeedbackKind = "kolen-pollack"  // own weights with the update of the forward ones
	Alignment FeedbackKind = "gain-alignment" // own weights with the rule of gain alignment
	Scaled    FeedbackKind = "gain-transpose" // own weights with the rule of the transpose with learned gains, for which there is no circuit
	Phaseless FeedbackKind = "pal"            // own weights with the rule of phaseless alignment learning
)

// FromCircuit finds the neurons in a circuit in model units, as lowering leaves
// it: before activations of linear populations are folded away and integrators
// fused with their leads. What clocked hardware cannot do is reported at its
// place in the model.
//
// Teachers are left out: hardware is given its targets.
func FromCircuit(c *circuit.Circuit) (*Network, error) {
	f := &finder{c: c, net: &Network{Name: c.Name}, popOf: map[*circuit.Net]int{}, inputOf: map[*circuit.Net]int{}, outside: map[*circuit.Element]bool{}}
	if c.Units.Physical() {
		return nil, fmt.Errorf("circuit %s is in volts and seconds; RTL is planned in model units", c.Name)
	}
	f.leaveTeacherOut()
	for _, e := range f.of("stimulus") {
		f.input(e)
	}
	for _, e := range f.of("activation") {
		f.population(e)
	}
	for i := range f.net.Populations {
		f.into(i)
	}
	for i := range f.net.Populations {
		f.back(i)
	}
	f.refuse()
	if err := f.errs.Err(); err != nil {
		return nil, err
	}
	if len(f.net.Populations) == 0 {
		return nil, fmt.Errorf("circuit %s has no neurons", c.Name)
	}
	return f.net, nil
}

// neuronNets are the nets of a population.
type neuronNets struct{ sum, state, lead, rate, slope, back, x, errorState, err *circuit.Net }

type finder struct {
	c       *circuit.Circuit
	net     *Network
	nets    []neuronNets
	popOf   map[*circuit.Net]int // by rate net and by error net
	inputOf map[*circuit.Net]int
	outside map[*circuit.Element]bool
	one     *circuit.Net
	errs    diag.List
}

// of lists the elements of a kind that belong to the network.
func (f *finder) of(kind string) []*circuit.Element {
	var list []*circuit.Element
	for _, e := range f.c.Elements {
		if e.Kind.Name == kind && !f.outside[e] {
			list = append(list, e)
		}
	}
	return list
}

// at returns the elements of a kind whose pin is on a net.
func (f *finder) at(kind, pin string, n *circuit.Net) []*circuit.Element {
	var list []*circuit.Element
	for _, e := range f.of(kind) {
		if n != nil && e.Pin(pin) == n {
			list = append(list, e)
		}
	}
	return list
}

// leaveTeacherOut marks everything that works for nothing but a target.
func (f *finder) leaveTeacherOut() {
	drives := map[*circuit.Net][]*circuit.Element{}
	for _, e := range f.c.Elements {
		for i, n := range e.Pins {
			if r := e.Kind.Pins[i].Role; n != nil && r != circuit.Reads {
				drives[n] = append(drives[n], e)
			}
		}
	}
	// Everything that can be reached against the current from an error neuron's
	// population or from an input of one belongs to the network. A teacher's
	// activation drives a comparator's target, and no gate reads its slope.
	var mark func(n *circuit.Net)
	mark = func(n *circuit.Net) {
		for _, e := range drives[n] {
			if f.outside[e] || e.Kind.Name == "stimulus" {
				continue
			}
			f.outside[e] = true
			for _, m := range e.Pins {
				if m != nil {
					mark(m)
				}
			}
		}
	}
	for _, e := range f.c.Elements {
		if e.Kind.Name != "comparator" {
			continue
		}
		for _, d := range drives[e.Pin("target")] {
			if d.Kind.Name == "activation" {
				mark(e.Pin("target"))
			}
		}
	}
}

func (f *finder) input(e *circuit.Element) {
	out, waves := e.Pin("out"), e.Waves("wave")
	if out.Width == 1 && len(waves[0]) == 1 && waves[0][0].Shape == "constant" && waves[0][0].Numbers[0] == 1 && e.Name == "bias/one" {
		f.one = out
		return
	}
	for _, u := range f.c.Uses()[out] {
		if u.Element.Kind.Name == "comparator" || u.Element.Kind.Name == "coupling" {
			return // a target, or noise
		}
	}
	f.inputOf[out] = len(f.net.Inputs)
	f.net.Inputs = append(f.net.Inputs, Input{Name: strings.TrimSuffix(e.Name, ".r"), Size: out.Width, Waves: waves})
}

func first(list []*circuit.Element) *circuit.Element {
	if len(list) == 0 {
		return nil
	}
	return list[0]
}

func (f *finder) population(phi *circuit.Element) {
	y := phi.Pin("in")
	n := neuronNets{lead: y, rate: phi.Pin("out")}
	lead := first(f.at("prospective", "lead", y))
	if lead == nil {
		f.errs.Add(phi.Origin, "hand over the circuit as it was lowered, before any pass", "activation %s reads no prospective unit", phi.Name)
		return
	}
	n.sum, n.state = lead.Pin("sum"), lead.Pin("state")
	membrane := first(f.at("leaky-integrator", "state", n.state))
	if membrane == nil {
		f.errs.Add(phi.Origin, "hand over the circuit as it was lowered, before any pass", "prospective unit %s leads no integrator", lead.Name)
		return
	}
	p := Population{
		Name: strings.TrimSuffix(n.rate.Name, ".r"), Pos: phi.Origin, Size: y.Width, Phi: phi.Word("phi"),
		TauM: membrane.Numbers("tau"), TauR: lead.Numbers("ahead"), U0: membrane.Numbers("init"),
		V0: make([]float64, y.Width),
	}
	if slope := first(f.at("slope", "in", y)); slope != nil {
		n.slope = slope.Pin("out")
		if gate := first(f.at("gate", "slope", n.slope)); gate != nil {
			n.back, n.x = gate.Pin("in"), gate.Pin("sum")
			f.errorNeurons(&p, &n)
		}
	}
	f.popOf[n.rate] = len(f.net.Populations)
	f.nets = append(f.nets, n)
	f.net.Populations = append(f.net.Populations, p)
}

func (f *finder) errorNeurons(p *Population, n *neuronNets) {
	lag, lead := first(f.at("leaky-integrator", "sum", n.x)), first(f.at("prospective", "sum", n.x))
	if lag == nil || lead == nil {
		f.errs.Add(p.Pos, "hand over the circuit as it was lowered, before any pass", "the error neurons of %s are incomplete", p.Name)
		return
	}
	n.errorState, n.err = lag.Pin("state"), lead.Pin("lead")
	p.Error, p.V0 = true, lag.Numbers("init")
	f.net.Backward = true
	if !slices.Equal(lag.Numbers("tau"), p.TauR) || !slices.Equal(lead.Numbers("ahead"), p.TauM) {
		f.errs.Add(p.Pos, "give the error neurons the time constants of the membranes, exchanged", "the error neurons of %s have time constants of their own", p.Name)
	}
	f.popOf[n.err] = len(f.net.Populations)
}

// into finds what arrives at a population.
func (f *finder) into(to int) {
	n := &f.nets[to]
	for _, e := range f.c.Elements {
		if f.outside[e] || !injects(e, n.sum) {
			continue
		}
		switch e.Kind.Name {
		case "synapse":
			f.arrive(to, e, Projection{W: e.Numbers("w")})
		case "plastic-synapse":
			store := first(f.at("weight-store", "w", e.Pin("w")))
			if store == nil || store.Pin("post") != n.err {
				f.errs.Add(e.Origin, "let the weights learn from the receiver's error", "the weights of %s do not learn as those of a forward projection", e.Name)
				continue
			}
			f.net.Learning = true
			f.arrive(to, e, Projection{
				W: store.Numbers("init"), Plastic: true, Rate: store.Number("rate"), Decay: store.Number("decay"), Clip: store.Number("clip"),
			})
		case "coupling":
			if e.Pin("in") != n.err {
				f.noise(to, e)
				continue
			}
			if f.net.Gamma != 0 && f.net.Gamma != e.Number("gain") {
				f.errs.Add(e.Origin, "give every population the same gamma", "the coupling %s differs from the others", e.Name)
			}
			f.net.Gamma = e.Number("gain")
		default:
			f.errs.Add(e.Origin, "", "clocked hardware has no %s into a membrane", e.Kind.Name)
		}
	}
}

// noise notes the noise that a coupling injects.
func (f *finder) noise(to int, e *circuit.Element) {
	pop := &f.net.Populations[to]
	for _, s := range f.of("stimulus") {
		if s.Pin("out") != e.Pin("in") {
			continue
		}
		if pop.Noise != nil {
			f.errs.Add(e.Origin, "give noise to one of the projections that leave it", "population %s has two noises, and clocked hardware makes one for each neuron", pop.Name)
			return
		}
		pop.Noise = &Noise{Projection: strings.TrimSuffix(s.Name, ".xi")}
		return
	}
	f.errs.Add(e.Origin, "", "clocked hardware has no coupling %s into a membrane", e.Name)
}

func injects(e *circuit.Element, sum *circuit.Net) bool {
	for i, n := range e.Pins {
		if n == sum && e.Kind.Pins[i].Role == circuit.Injects {
			return true
		}
	}
	return false
}

// arrive adds a projection, or the bias.
func (f *finder) arrive(to int, e *circuit.Element, p Projection) {
	pre := e.Pin("pre")
	pop := &f.net.Populations[to]
	if pre == f.one {
		pop.Bias, pop.BiasPlastic, pop.BiasRate = p.W, p.Plastic, p.Rate
		return
	}
	p.Name, p.Pos, p.To, p.Input, p.From = e.Name, e.Origin, to, -1, -1
	if in, ok := f.inputOf[pre]; ok {
		p.Input = in
	} else if from, ok := f.popOf[pre]; ok {
		p.From = from
	} else {
		f.errs.Add(e.Origin, "", "projection %s starts neither at an input nor at rates", e.Name)
		return
	}
	f.net.Projections = append(f.net.Projections, p)
}

// back finds what carries errors to a population.
func (f *finder) back(from int) {
	p, n := &f.net.Populations[from], &f.nets[from]
	if !p.Error {
		return
	}
	for _, e := range f.c.Elements {
		if f.outside[e] || !injects(e, n.back) {
			continue
		}
		switch e.Kind.Name {
		case "comparator":
			f.target(p, n, e)
		case "transposed-synapse":
			f.carry(from, e, e.Pin("post"), Feedback{Kind: Transpose}, e.Pin("w"))
		case "synapse":
			to, ok := f.popOf[e.Pin("pre")]
			if !ok {
				f.errs.Add(e.Origin, "", "feedback %s does not start at errors", e.Name)
				continue
			}
			f.carry(from, e, e.Pin("pre"), Feedback{Kind: Fixed, B: Transposed(e.Numbers("w"), p.Size, f.net.Populations[to].Size)}, nil)
		case "plastic-synapse":
			f.learned(from, e)
		default:
			f.errs.Add(e.Origin, "", "clocked hardware has no %s into an error neuron", e.Kind.Name)
		}
	}
}

func (f *finder) target(p *Population, n *neuronNets, e *circuit.Element) {
	switch {
	case e.Pin("rate") != n.rate:
		f.errs.Add(e.Origin, "use the squared loss, or emit SPICE", "target %s needs a softmax, which the RTL does not have", strings.TrimPrefix(strings.TrimSuffix(e.Name, ".comparator"), "target/"))
		return
	case p.Target != nil:
		f.errs.Add(e.Origin, "give each population one target", "population %s has more than one target", p.Name)
		return
	}
	p.Target = &TargetSpec{Name: strings.TrimPrefix(strings.TrimSuffix(e.Name, ".comparator"), "target/"), Beta: e.Number("gain")}
	for _, s := range f.of("stimulus") {
		if s.Pin("out") == e.Pin("target") {
			p.Target.Waves = s.Waves("wave")
		}
	}
}

func (f *finder) learned(from int, e *circuit.Element) {
	f.net.Learning = true
	to := f.popOf[e.Pin("pre")]
	n, m := f.net.Populations[to].Size, f.net.Populations[from].Size
	w := e.Pin("w")
	if s := first(f.at("weight-store", "w", w)); s != nil && s.Pin("pre") != e.Pin("pre") {
		fb := Feedback{Kind: Phaseless, B: Transposed(s.Numbers("init"), m, n), Rate: s.Number("rate"), Decay: s.Number("decay")}
		if d := first(f.at("difference", "out", s.Pin("pre"))); d != nil {
			if low := first(f.at("leaky-integrator", "state", d.Pin("minus"))); low != nil {
				fb.Tau = low.Numbers("tau")[0]
			}
		}
		if fb.Tau == 0 {
			f.errs.Add(s.Origin, "", "%s does not hear rates that are high-passed", s.Name)
			return
		}
		f.carry(from, e, e.Pin("pre"), fb, nil)
	} else if s != nil {
		f.carry(from, e, e.Pin("pre"), Feedback{Kind: Mirror, B: Transposed(s.Numbers("init"), m, n), Rate: s.Number("rate"), Decay: s.Number("decay")}, nil)
	} else if s := first(f.at("alignment-store", "w", w)); s != nil {
		slope := 1.0
		if s.Pin("total") != f.nets[from].sum {
			// A share of the total input, whose square is slope I^2.
			part := first(f.at("difference", "out", s.Pin("total")))
			if part == nil || part.Pin("plus") != f.nets[from].sum || part.Pin("minus") != part.Pin("plus") {
				f.errs.Add(s.Origin, "", "%s does not hear the total input of the senders", s.Name)
				return
			}
			slope = (1 - part.Number("gain")) * (1 - part.Number("gain"))
		}
		f.carry(from, e, e.Pin("pre"), Feedback{Kind: Alignment, B: Transposed(s.Numbers("init"), m, n), Rate: s.Number("rate"), Slope: slope}, nil)
	}
}

// carry gives the projection that an error goes back through its feedback. A
// feedback without a forward projection of its own cannot be.
func (f *finder) carry(from int, e *circuit.Element, post *circuit.Net, fb Feedback, w *circuit.Net) {
	to := f.popOf[post]
	for i := range f.net.Projections {
		p := &f.net.Projections[i]
		if p.From != from || p.To != to || p.Feedback.Kind != None {
			continue
		}
		if w != nil && !f.reads(p.Name, w) {
			continue
		}
		if fb.Kind == Fixed && !p.Plastic && slices.Equal(fb.B, p.W) {
			fb = Feedback{Kind: Transpose}
		}
		p.Feedback = fb
		return
	}
	f.errs.Add(e.Origin, "", "feedback %s belongs to no projection", e.Name)
}

// reads tells whether the element of that name reads the weights w.
func (f *finder) reads(name string, w *circuit.Net) bool {
	for _, e := range f.at("plastic-synapse", "w", w) {
		if e.Name == name {
			return true
		}
	}
	return false
}

// refuse reports what the folded core cannot do.
func (f *finder) refuse() {
	for i := range f.net.Populations {
		p := &f.net.Populations[i]
		arrives := false
		for _, q := range f.net.Projections {
			arrives = arrives || q.To == i
		}
		if !arrives {
			f.errs.Add(p.Pos, "add a projection to it, or remove it", "nothing arrives at population %s", p.Name)
		}
	}
}

// Transposed turns a row-major m x n matrix into n x m.
func Transposed(b []float64, m, n int) []float64 {
	t := make([]float64, len(b))
	for j := range m {
		for i := range n {
			t[i*m+j] = b[j*n+i]
		}
	}
	return t
}
