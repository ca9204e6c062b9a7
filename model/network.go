// Package model describes networks of Latent-Equilibrium neurons: populations
// of leaky integrators with a prospective output, the projections that join
// them, their error neurons and their local plasticity.
//
// A Network is what a model file (TOML) says after every default has been
// filled in, every file read, every random weight drawn and every mistake
// reported. Load reads one; nothing below this package sees TOML.
//
// Equations, symbols and units are those of the Variational Latent Equilibrium
// (arXiv 2603.09600) and of GLE (arXiv 2403.16933): all quantities are in model
// units, times in the model's time unit. Volts, seconds and fixed-point formats
// appear only when a network is lowered to a circuit.
//
// # For maintainers
//
// Network is plain data: it holds no equations. The reference simulator, the
// lowering to circuits and the integer model each read it and write their own
// dynamics, so that a mistake in one is seen by the others. What is shared on
// purpose are the stimuli (Waveform): every way to a number must be fed alike.
package model

import "vlec/model/diag"

// A Network is a checked model. Slices are in the order of the model file,
// which is the order of evaluation, of traces and of emitted text.
type Network struct {
	Name        string
	Description string
	File        string // path of the model file, "" when built in memory
	Hash        string // SHA-256, hex, of the model file and every file it read

	Dt       float64 // step of the synchronous semantics and of recorded samples [time unit]
	Duration float64 // length of a run [time unit]
	Seed     uint64  // source of every random draw
	Beta     float64 // nudging strength of the targets [1]
	Gamma    float64 // coupling of the prospective error into the membrane [1]

	Learning Learning

	Inputs      []*Input
	Populations []*Population
	Projections []*Projection
	Targets     []*Target

	// Teacher is a second network that sees the same inputs and gives targets.
	// It has populations and static projections only; nil when there is none.
	Teacher *Network

	Probe    Probe
	Hardware Hardware

	// Warnings are doubts about a legal model, such as a population that nothing
	// reaches.
	Warnings diag.List
}

// A Source is what a projection may read: an Input or a Population.
type Source interface {
	ID() string // the name in the model file
	Width() int // number of values
}

// An Input is a vector of stimuli, one Waveform a channel.
type Input struct {
	Name     string
	Pos      diag.Pos
	Channels []Waveform   // of the first trial
	Trials   [][]Waveform // of every trial of the batch; Trials[0] is Channels
}

// ID returns the input's name.
func (in *Input) ID() string { return in.Name }

// Width returns the number of channels.
func (in *Input) Width() int { return len(in.Channels) }

// Learning says how software applies the local updates of all that is plastic.
// Emitted circuits follow the plain local rule: gradient descent, one trial, the
// rates as they are.
type Learning struct {
	Optimizer Optimizer
	Momentum  float64  // of Momentum: velocity = Momentum velocity + gradient
	Beta1     float64  // of Adam: memory of the gradient's mean
	Beta2     float64  // of Adam: memory of the gradient's square
	Epsilon   float64  // of Adam: keeps the step finite where there is no gradient
	Schedule  Waveform // factor on every learning rate as a function of time; nil: 1
	Start     float64  // nothing is learned before this time [time unit]
	Batch     int      // trials run side by side; their updates are averaged
}

// Beyond names what of this goes beyond the plain local rule, "" when nothing
// does. Who can only do the plain rule refuses the rest by this name.
func (l Learning) Beyond() string {
	switch {
	case l.Optimizer != "" && l.Optimizer != SGD:
		return "optimizer " + string(l.Optimizer)
	case l.Schedule != nil:
		return "schedule"
	case l.Start > 0:
		return "start"
	case l.Batch > 1:
		return "batch"
	}
	return ""
}

// Optimizer names a way to turn gradients into steps.
type Optimizer string

// The optimisers of the model language.
const (
	SGD      Optimizer = "sgd"
	Momentum Optimizer = "momentum"
	Adam     Optimizer = "adam" // arXiv 1412.6980, with bias correction
)

// Optimizers lists every optimiser.
var Optimizers = []Optimizer{SGD, Momentum, Adam}

// A Population is a group of n signal neurons and their n error neurons.
//
//	tau_m du/dt = -u + a + gamma e      y = u + tau_r du/dt     r = phi(y)
//	tau_r dv/dt = -v + x                e = v + tau_m dv/dt
//
// where a is the sum over all incoming projections plus the bias and x the
// instantaneous error. All slices have length Size.
type Population struct {
	Name       string
	Pos        diag.Pos
	Size       int
	TauM       []float64 // membrane time constants [time unit], > 0
	TauR       []float64 // prospective time constants [time unit], > 0
	Activation Activation
	Bias       []float64 // [1]
	U0, V0     []float64 // initial membrane and error potentials [1]

	PlasticBias bool
	EtaBias     float64 // learning rate of the bias [1/time unit]
	PlasticTauM bool
	EtaTauM     float64 // learning rate of tau_m [time unit/time unit]
}

// ID returns the population's name.
func (p *Population) ID() string { return p.Name }

// Width returns the number of neurons.
func (p *Population) Width() int { return p.Size }

// Activation names the function phi that turns a prospective potential into a
// rate.
type Activation string

// The activations of the model language.
const (
	Tanh     Activation = "tanh"
	Softplus Activation = "softplus" // ln(1 + exp(y))
	ReLU     Activation = "relu"     // max(y, 0); its slope at 0 is 0
	Sigmoid  Activation = "sigmoid"  // 1/(1 + exp(-y))
	Linear   Activation = "linear"
)

// Activations lists every activation, in the order of the documentation.
var Activations = []Activation{Tanh, Softplus, ReLU, Sigmoid, Linear}

// A Projection joins a source of m values to a population of n neurons: it adds
// W r to the drive of the population and, unless it starts at an input, carries
// the errors back as B e.
type Projection struct {
	Name string
	Pos  diag.Pos
	From Source
	To   *Population

	W       []float64 // n x m, row-major: W[i*m+j] from sender j to neuron i
	Plastic bool
	Eta     float64 // learning rate [1/time unit]
	Decay   float64 // weight decay: dW/dt gets -Decay*W [1/time unit]
	Clip    float64 // |W| is held at or below Clip; 0 means no clip

	Feedback Feedback
}

// Feedback says where the backward weights B of a projection come from
// (theory: section 5).
type Feedback struct {
	Rule  FeedbackRule
	B     []float64 // m x n, row-major, initial value; nil when Rule is Transpose
	Eta   float64   // learning rate of B [1/time unit]
	Decay float64   // decay of B: alpha of pal; lambda of kolen-pollack, by which W decays too [1/time unit]

	// Independent Ornstein-Uhlenbeck noise injected into each sending neuron (pal,
	// and gain-alignment where it is wanted), and the high-pass that recovers it
	// from the rates of the receiving ones (pal).
	NoiseSigma float64 // standard deviation [1]; 0: none
	NoiseTau   float64 // correlation time [time unit]
	HighPass   float64 // time constant of the high-pass [time unit]
}

// FeedbackRule names a rule for the backward weights.
type FeedbackRule string

// The feedback rules of the model language.
const (
	Transpose     FeedbackRule = "transpose"      // B = W^T at all times
	Fixed         FeedbackRule = "fixed"          // drawn or given once
	GainAlignment FeedbackRule = "gain-alignment" // dB = eta_B (y a^T - s I^2 B)
	GainTranspose FeedbackRule = "gain-transpose" // dB = eta_B (y^2 W^T - I^2 B)
	PAL           FeedbackRule = "pal"            // phaseless alignment learning, arXiv 2212.10249
	KolenPollack  FeedbackRule = "kolen-pollack"  // dB = eta_B r e^T - lambda B
)

// FeedbackRules lists every rule, in the order of the documentation.
var FeedbackRules = []FeedbackRule{Transpose, Fixed, GainAlignment, GainTranspose, PAL, KolenPollack}

// A Target nudges one population toward given rates. Exactly one of Signal and
// Teacher is set.
type Target struct {
	Name       string
	Pos        diag.Pos
	Population *Population
	Loss       Loss
	Signal     []Waveform   // one a neuron, of the first trial
	Trials     [][]Waveform // of every trial of the batch; Trials[0] is Signal
	Teacher    *Population  // a population of Network.Teacher, of the same size
}

// Loss names the cost of a target.
type Loss string

// The losses of the model language.
const (
	Squared      Loss = "squared"       // sum (target - r)^2 / 2
	CrossEntropy Loss = "cross-entropy" // -sum target ln softmax(r); needs a linear population
)

// Losses lists every loss.
var Losses = []Loss{Squared, CrossEntropy}

// Probe says what a run records.
type Probe struct {
	Signals []string // kinds ("u") or signals ("hidden.u"); empty: u, r, e
	Every   float64  // time between samples [time unit]; a multiple of Dt
}

// Hardware holds the sections that only targets read.
type Hardware struct {
	Spice   SpiceHardware
	Verilog VerilogHardware
}

// SpiceHardware places a network in volts, seconds and ohms, and declares what
// the parts that realise it are like.
type SpiceHardware struct {
	TimeUnit       float64 // seconds per model time unit
	VoltageUnit    float64 // volts per model unit; 0: chosen so that all signals fit
	ResistanceUnit float64 // ohms: VoltageUnit across it is the unit of current
	MaxStep        float64 // longest transient step [time unit]; 0: from the smallest time constant
	Series         string  // of resistors and capacitors, "E24"; "": any value is to be had
	Temperature    float64 // degrees Celsius

	Noise  float64 // power of the noise of a neuron over kT/C; 0: silent
	Supply float64 // of the nominal supply: rails, slew rate and ranges follow it

	Resistors, Capacitors float64 // of what was wanted: what the process made of them

	Knee        float64 // width of the bend of rectifiers and clamps [V]
	OpAmp       OpAmp
	OTA         OTA
	Store       Store
	Transistors Transistors
	Bias        string // what the unit of current of transistors does at other temperatures: "constant" or "ptat"
	Nulls       string // where their offsets are nulled: "here", under the conditions above, or "nominal"
	Mismatch    Mismatch
}

// A Transistors is what carries the currents of a circuit at the transistor level,
// whose unit of potential is given by physics.
type Transistors struct {
	Current       float64 // that stands for 1 [A]
	Width, Length float64 // of one that carries it [m]
	Supply        float64 // of either sign [V]
	AVT           float64 // standard deviation of thresholds times the root of the area [V m]
}

// A Mismatch says how far equal parts of a circuit differ. Gain, Tau and Offset
// are standard deviations; where they are 0 and there is an Area, they follow from
// it.
type Mismatch struct {
	Gain     float64 // of the logarithm of gains
	Tau      float64 // of the logarithm of time constants
	Offset   float64 // [V]
	Area     float64 // of a transistor [um^2]
	Process  string  // whose transistors
	Leak     float64 // of the logarithm of the time constants of leakage
	AutoZero float64 // share of each offset that auto-zeroing leaves; 1: there is none
	Zeroed   string  // what is auto-zeroed: "all", or "learning" for all but the forward path
	Seed     uint64
}

// An OpAmp is the operational amplifier of a circuit.
type OpAmp struct {
	Gain float64 // at dc [1]
	GBW  float64 // gain-bandwidth product [Hz]
	Slew float64 // fastest change of the output [V/s]
	Rail float64 // largest output, of either sign [V]
}

// An OTA is the transconductor of a circuit: i = gm Range tanh(v/Range).
type OTA struct {
	Range     float64 // [V]
	Gain      float64 // intrinsic: transconductance times output resistance [1]
	Bandwidth float64 // of the nodes that transconductors drive [Hz]
}

// A Store is the capacitor that holds a weight.
type Store struct {
	Leak    float64 // time constant by which it forgets [s]; 0: it does not
	Refresh float64 // period at which it is refreshed [s]; 0: never
	Grid    float64 // distance of the levels that a refresh restores [1]
}

// VerilogHardware asks for a fixed-point realisation.
type VerilogHardware struct {
	Bits   int     // operand width; 0: planned from Error
	Error  float64 // wanted output error; 0: planned from Bits
	Lanes  int     // synapses worked on side by side; 0: as many as Clock wants, or 1
	Device string  // "up5k", "hx8k", "ecp5", "xilinx"

	Clock    float64 // [MHz] that must keep up with real time; 0: none
	TimeUnit float64 // seconds per model time unit
}
