package format

// A Plan holds everything that is a number in a fixed-point core: formats,
// coefficients, weights and tables as words. It says nothing about time: how many
// multipliers share the work is the schedule's affair, and no result depends on
// it.
//
// The arithmetic that the numbers are for is written down in the package comment.
type Plan struct {
	Name     string  `json:"name"`
	Dt       float64 `json:"dt"`       // one step of the clocked semantics [time unit]
	Bits     int     `json:"bits"`     // of every operand of a multiplier
	Device   string  `json:"device"`   // whose multipliers set Bits; "" for none
	Learning bool    `json:"learning"` // weights change
	Backward bool    `json:"backward"` // there are error neurons

	Rate      Q `json:"rate"`      // r, the inputs and the targets
	Operand   Q `json:"operand"`   // w as a multiplier sees it
	Weight    Q `json:"weight"`    // w as it is stored: Operand and hidden bits below
	Drive     Q `json:"drive"`     // the sum of w r
	Potential Q `json:"potential"` // y
	Slope     Q `json:"slope"`     // phi'(y)
	Back      Q `json:"back"`      // the error that arrives, before the slope
	BackSum   Q `json:"back_sum"`  // the sum of w e
	Error     Q `json:"error"`     // e, and e times the learning rate's mantissa
	Scale     Q `json:"scale"`     // the learning rate's mantissa
	Nudge     Q `json:"nudge"`     // beta
	Gamma     Q `json:"gamma"`     // gamma
	Decay     Q `json:"decay"`     // dt decay; 0 bits: no weight decays

	Noise *NoisePlan `json:"noise,omitempty"` // that membranes hear; nil: none

	Rule *Rule `json:"rule,omitempty"` // of backward weights that learn; nil: none do

	Membrane LeadLag `json:"membrane"`
	Neuron   LeadLag `json:"error_neuron"`

	// RateShift is LR: the learning rate of one step is mantissa * 2^-LR.
	RateShift int   `json:"rate_shift"`
	Scaled    bool  `json:"scaled"`     // some mantissa is not 1
	Nudged    bool  `json:"nudged"`     // some beta is not 1
	GammaWord int64 `json:"gamma_word"` // 0: errors stay out of the membrane

	Inputs      []InputPlan      `json:"inputs"`
	Populations []PopulationPlan `json:"populations"`
	Projections []ProjectionPlan `json:"projections"`
	Tables      []Table          `json:"-"`
	Segments    int              `json:"segments"` // of each table

	Rows []Row `json:"report"` // the table of formats

	network *Network // what was planned
	bounds  *ranges  // proved, of real numbers
}

// A LeadLag has the formats of one leaky integrator with its prospective output.
type LeadLag struct {
	State Q `json:"state"`
	Delta Q `json:"delta"` // input minus state
	Lag   Q `json:"lag"`   // dt/tau
	Lead  Q `json:"lead"`  // ahead/tau
	Out   Q `json:"out"`
}

// LagShift is how far the product of lag and delta is shifted to the right to
// stand on the state's fraction; to the left where it is negative.
func (l LeadLag) LagShift() int { return l.Delta.Frac + l.Lag.Frac - l.State.Frac }

// LeadShift is the same for the product of lead and delta.
func (l LeadLag) LeadShift() int { return l.Delta.Frac + l.Lead.Frac - l.State.Frac }

// OutShift is how far a state is shifted to the right to stand on the output's
// fraction.
func (l LeadLag) OutShift() int { return l.State.Frac - l.Out.Frac }

// Hidden is the number of bits of a stored weight below its operand.
func (p *Plan) Hidden() int { return p.Weight.Frac - p.Operand.Frac }

// Half is what a stored weight is above its value, so that dropping the hidden
// bits rounds to the nearest operand.
func (p *Plan) Half() int64 {
	if p.Hidden() == 0 {
		return 0
	}
	return 1 << (p.Hidden() - 1)
}

// UpdateShift is how far the product of a scaled error and a rate is shifted to
// the right to stand on the stored weight's fraction.
func (p *Plan) UpdateShift() int {
	return p.Error.Frac + p.Rate.Frac + p.RateShift - p.Weight.Frac
}

// Decays tells whether weights decay.
func (p *Plan) Decays() bool { return p.Decay.Bits > 0 }

// DecayShift is how far the product of a decay and an operand is shifted to the
// right to stand on the stored weight's fraction.
func (p *Plan) DecayShift() int { return p.Decay.Frac - p.Hidden() }

// An InputPlan is a vector from outside, in the format of rates.
type InputPlan struct {
	Name string `json:"name"`
	Size int    `json:"size"`
}

// A PopulationPlan is a population. Slices have length Size.
type PopulationPlan struct {
	Name  string `json:"name"`
	Size  int    `json:"size"`
	Phi   string `json:"phi"`
	Table int    `json:"table"` // -1: linear or relu, which need none

	Lag, Lead           []int64 `json:"-"` // membrane: dt/tau_m, tau_r/tau_m
	ErrorLag, ErrorLead []int64 `json:"-"` // error neuron: dt/tau_r, tau_m/tau_r
	U0, V0              []int64 `json:"-"` // initial states

	Noise []int64  `json:"-"` // at the start; nil: there is none
	Seeds []uint32 `json:"-"` // of the generators of noise, none 0

	Bias        []int64 `json:"-"` // stored words; nil: there is no bias
	BiasPlastic bool    `json:"bias_plastic"`
	Mantissa    int64   `json:"mantissa"` // of the learning rate of all that arrives
	Error       bool    `json:"error"`
	Target      string  `json:"target,omitempty"` // its name; "": there is none
	Beta        int64   `json:"beta,omitempty"`   // in Nudge

	// Of what backward weights of its projections learn from, in Rule.Scale.
	Gain int64 `json:"gain,omitempty"` // the mantissa of their rate; 0: none learns
	Loss int64 `json:"loss,omitempty"` // times the slope at rest; of pal the decay, in Rule.Loss
}

// A ProjectionPlan is a projection of m senders to n receivers.
type ProjectionPlan struct {
	Name    string  `json:"name"`
	Input   int     `json:"input"` // sender, or -1
	From    int     `json:"from"`  // sender, or -1
	To      int     `json:"to"`
	W       []int64 `json:"-"` // stored words, n x m row-major
	Plastic bool    `json:"plastic"`
	Low     int64   `json:"low"` // bounds of a stored word
	High    int64   `json:"high"`
	Decay   int64   `json:"decay,omitempty"` // -dt decay, in Decay

	Feedback  FeedbackKind `json:"feedback"`
	BackDecay int64        `json:"back_decay,omitempty"` // of B, in Decay
	B         []int64      `json:"-"`                    // in the layout of W: operands, or stored words where they learn; nil: none of its own
}

// Limits are the bounds of a stored weight that no clip narrows.
func (p *Plan) Limits() (low, high int64) {
	most := p.Operand.Max() << p.Hidden()
	return p.Half() - most, p.Half() + most
}

// A Row is a line of the table of formats.
type Row struct {
	Signal   string  `json:"signal"`
	Bound    float64 `json:"bound"`    // proved; +Inf: none
	Observed float64 `json:"observed"` // largest magnitude in a run; 0: not observed
	Format   Q       `json:"format"`
	Note     string  `json:"note,omitempty"`
}
