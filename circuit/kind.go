package circuit

// A Role is what a pin does to its net.
type Role string

// The roles of pins.
const (
	Reads      Role = "reads"      // senses a potential, or the value of a terminated sum
	Drives     Role = "drives"     // makes a potential
	Injects    Role = "injects"    // adds to a sum
	Terminates Role = "terminates" // turns a sum into a potential and owns it
)

// A Dimension is the physical kind of a number: it says how the scaling pass
// converts it and which unit it then has.
type Dimension string

// The dimensions of parameters.
const (
	Pure  Dimension = "1"       // a ratio: weights, gains
	Time  Dimension = "time"    // time constants
	Rate  Dimension = "1/time"  // learning rates, decays, frequencies
	Level Dimension = "level"   // potentials
	Word  Dimension = "word"    // names a function; no number
	Stim  Dimension = "stimuli" // one wave a channel
)

// Widths and shapes are written in two letters that Verify binds: n counts the
// receiving side of an element, m the sending side.
type (
	// A PinSpec describes one pin. Width is "n", "m" or "nm".
	PinSpec struct {
		Name  string
		Role  Role
		Width string
	}
	// A ParamSpec describes one parameter. Shape is "", "n", "m" or "nm".
	ParamSpec struct {
		Name      string
		Dimension Dimension
		Shape     string
		Positive  bool     // every number must be > 0
		Optional  bool     // may be left out: what only some passes fill in
		Words     []string // the words that are allowed, of a Word
	}
	// A Kind is a row of the element table. The equation is written in the names of
	// the pins and parameters; a clip of 0 is none. State names the pin whose
	// potential is a state of the circuit; it is "" where there is no memory.
	//
	// What real parts do beside the equation stands in two optional parameters: the
	// factor multiplies what the element contributes (the rate of a store), and the
	// offset is added to it, or to what the element integrates where it has a state. A
	// store forgets with a time constant that is hold times the declared one.
	Kind struct {
		Name     string
		Equation string
		Pins     []PinSpec
		Params   []ParamSpec
		State    string
	}
)

func (k *Kind) pin(name string) int {
	for i := range k.Pins {
		if k.Pins[i].Name == name {
			return i
		}
	}
	panic("circuit: " + k.Name + " has no pin " + name)
}

func (k *Kind) param(name string) int {
	for i := range k.Params {
		if k.Params[i].Name == name {
			return i
		}
	}
	panic("circuit: " + k.Name + " has no parameter " + name)
}

// Kinds is the element table by name, KindList the same in the order of the
// documentation.
var (
	KindList = kindTable()
	Kinds    = byName(KindList)
)

func byName(list []*Kind) map[string]*Kind {
	m := make(map[string]*Kind, len(list))
	for _, k := range list {
		m[k.Name] = k
	}
	return m
}

// Activations are the words for phi.
var Activations = []string{"tanh", "softplus", "relu", "sigmoid", "linear"}

// kindTable is the element table. A membrane and an error neuron are the same
// two elements with the time constants swapped (theory, section 2): a membrane
// lags by tau_m and leads by tau_r, an error neuron lags by tau_r and leads by
// tau_m.
func kindTable() []*Kind {
	reads := func(name, width string) PinSpec { return PinSpec{Name: name, Role: Reads, Width: width} }
	drives := func(name, width string) PinSpec { return PinSpec{Name: name, Role: Drives, Width: width} }
	injects := func(name, width string) PinSpec { return PinSpec{Name: name, Role: Injects, Width: width} }
	ends := func(name, width string) PinSpec { return PinSpec{Name: name, Role: Terminates, Width: width} }
	hold := ParamSpec{Name: "hold", Dimension: Pure, Shape: "nm", Optional: true, Positive: true}
	factor := func(shape string) ParamSpec {
		return ParamSpec{Name: "factor", Dimension: Pure, Shape: shape, Optional: true}
	}
	offset := func(shape string) ParamSpec {
		return ParamSpec{Name: "offset", Dimension: Level, Shape: shape, Optional: true}
	}
	phi := []ParamSpec{{Name: "phi", Dimension: Word, Words: Activations}, factor("n"), offset("n")}
	return []*Kind{
		{
			Name:     "stimulus",
			Equation: "out = wave(t)",
			Pins:     []PinSpec{drives("out", "n")},
			Params:   []ParamSpec{{Name: "wave", Dimension: Stim, Shape: "n"}},
		},
		{
			Name:     "synapse",
			Equation: "sum += w pre",
			Pins:     []PinSpec{reads("pre", "m"), injects("sum", "n")},
			Params:   []ParamSpec{{Name: "w", Dimension: Pure, Shape: "nm"}, offset("nm")},
		},
		{
			Name:     "plastic-synapse",
			Equation: "sum += w pre",
			Pins:     []PinSpec{reads("w", "nm"), reads("pre", "m"), injects("sum", "n")},
			Params:   []ParamSpec{factor("nm"), offset("nm")},
		},
		{
			Name:     "transposed-synapse",
			Equation: "sum += w^T post",
			Pins:     []PinSpec{reads("w", "nm"), reads("post", "n"), injects("sum", "m")},
			Params:   []ParamSpec{factor("nm"), offset("nm")},
		},
		{
			Name:     "weight-store",
			Equation: "d(w)/dt = rate post pre^T - decay w, |w| <= clip",
			Pins:     []PinSpec{reads("pre", "m"), reads("post", "n"), drives("w", "nm")},
			Params: []ParamSpec{
				{Name: "rate", Dimension: Rate},
				{Name: "decay", Dimension: Rate},
				{Name: "clip", Dimension: Level},
				{Name: "init", Dimension: Level, Shape: "nm"},
				factor("nm"), offset("nm"), hold,
			},
			State: "w",
		},
		{
			Name:     "alignment-store",
			Equation: "d(w)/dt = rate (post pre^T - total^2 w)",
			Pins:     []PinSpec{reads("pre", "m"), reads("post", "n"), reads("total", "n"), drives("w", "nm")},
			Params: []ParamSpec{
				{Name: "rate", Dimension: Rate},
				{Name: "init", Dimension: Level, Shape: "nm"},
				factor("nm"), offset("nm"), hold,
			},
			State: "w",
		},
		{
			// A sine in place of a staircase: it has the same zeros, and no jumps.
			Name:     "refresh",
			Equation: "d(w)/dt -= strobe grid/(2 pi restore) sin(2 pi w/grid): w falls to the nearest multiple of grid",
			Pins:     []PinSpec{reads("strobe", "k"), reads("w", "n")},
			Params: []ParamSpec{
				{Name: "rate", Dimension: Rate}, // of the store
				{Name: "grid", Dimension: Level, Positive: true},
				{Name: "restore", Dimension: Time, Positive: true},
			},
		},
		{
			Name:     "leaky-integrator",
			Equation: "tau d(state)/dt = -state + sum",
			Pins:     []PinSpec{ends("sum", "n"), drives("state", "n")},
			Params: []ParamSpec{
				{Name: "tau", Dimension: Time, Shape: "n", Positive: true},
				{Name: "init", Dimension: Level, Shape: "n"},
				offset("n"),
			},
			State: "state",
		},
		{
			Name:     "prospective",
			Equation: "lead = state + ahead d(state)/dt = (1 - ahead/tau) state + ahead/tau sum",
			Pins:     []PinSpec{reads("sum", "n"), reads("state", "n"), drives("lead", "n")},
			Params: []ParamSpec{
				{Name: "tau", Dimension: Time, Shape: "n", Positive: true},
				{Name: "ahead", Dimension: Time, Shape: "n", Positive: true},
				offset("n"),
			},
		},
		{
			Name:     "lead-lag",
			Equation: "tau d(state)/dt = -state + sum, lead = state + ahead d(state)/dt",
			Pins:     []PinSpec{ends("sum", "n"), drives("state", "n"), drives("lead", "n")},
			Params: []ParamSpec{
				{Name: "tau", Dimension: Time, Shape: "n", Positive: true},
				{Name: "ahead", Dimension: Time, Shape: "n", Positive: true},
				{Name: "init", Dimension: Level, Shape: "n"},
				offset("n"),
			},
			State: "state",
		},
		{
			Name:     "activation",
			Equation: "out = phi(in)",
			Pins:     []PinSpec{reads("in", "n"), drives("out", "n")},
			Params:   phi,
		},
		{
			Name:     "slope",
			Equation: "out = phi'(in), where rate = phi(in)",
			Pins:     []PinSpec{reads("in", "n"), reads("rate", "n"), drives("out", "n")},
			Params:   phi,
		},
		{
			Name:     "softmax",
			Equation: "out_i = exp(in_i) / sum_j exp(in_j)",
			Pins:     []PinSpec{reads("in", "n"), drives("out", "n")},
		},
		{
			Name:     "comparator",
			Equation: "sum += gain (target - rate)",
			Pins:     []PinSpec{reads("target", "n"), reads("rate", "n"), injects("sum", "n")},
			Params:   []ParamSpec{{Name: "gain", Dimension: Pure}, factor("n"), offset("n")},
		},
		{
			Name:     "gate",
			Equation: "sum += slope in",
			Pins:     []PinSpec{ends("in", "n"), reads("slope", "n"), injects("sum", "n")},
			Params:   []ParamSpec{factor("n"), offset("n")},
		},
		{
			Name:     "coupling",
			Equation: "sum += gain in",
			Pins:     []PinSpec{reads("in", "n"), injects("sum", "n")},
			Params:   []ParamSpec{{Name: "gain", Dimension: Pure}, factor("n"), offset("n")},
		},
		{
			Name:     "difference",
			Equation: "out = plus - gain minus",
			Pins:     []PinSpec{reads("plus", "n"), reads("minus", "n"), drives("out", "n")},
			Params:   []ParamSpec{{Name: "gain", Dimension: Pure}, factor("n"), offset("n")},
		},
	}
}
