package format

import (
	"fmt"
	"math"
	"strings"

	"vlec/emit/verilog/device"
	"vlec/model/diag"
)

// Options are what the planner is asked for.
type Options struct {
	Dt     float64 // step of the clocked semantics [time unit], > 0
	Bits   int     // operand width; 0: what the device's multipliers take
	Device string  // one of device.Names; "" for none

	// Headroom multiplies what was observed where no useful bound is proved;
	// 0 is 2.
	Headroom float64
	// Segments is the length of each activation table, a power of two; 0 is chosen
	// from Bits.
	Segments int
	// Frozen plans a core that does not learn, though it has error neurons.
	Frozen bool

	// Observed has the largest magnitudes of a run by signal: "hidden.r", and with
	// the suffixes y, u, v, e, back (feedback and target before the slope), dU and
	// dV (input minus state), a (drive) and total (with gamma e); "in_hidden.W" and
	// "in_hidden.B"; "hidden.bias"; inputs "drive.r" and targets "target/output". A signal that is missing was not observed.
	Observed map[string]float64
}

const (
	minBits, maxBits = 8, 32

	// Bits that a weight's fraction has below the smallest update of a unit error
	// and a unit rate: with them learning ends where float64 does.
	weightGuard = 8

	// The least number of hidden bits. A rounded update is half a unit off, and the
	// halves of some thousand steps add up to some ten units: these bits keep them
	// below the operand.
	leastHidden = 6
)

// New plans the formats of a network: of each kind of signal one, because all
// neurons share the multipliers. What cannot be planned is reported all at once,
// with the signal and the reason.
func New(n *Network, o Options) (*Plan, error) {
	c := &chooser{n: n, o: o, proved: newRanges(n), seen: newRanges(n)}
	c.p = &Plan{
		Name: n.Name, Dt: o.Dt, Bits: o.Bits, Device: o.Device,
		Backward: n.Backward, Learning: n.Learning && !o.Frozen, Segments: o.Segments,
		network: n, bounds: c.proved,
	}
	if c.p.Bits == 0 {
		c.p.Bits = 16
		if d := device.Of(o.Device); d != nil {
			c.p.Bits = d.Bits
		}
	}
	if c.o.Headroom == 0 {
		c.o.Headroom = 2
	}
	if c.p.Segments == 0 {
		c.p.Segments = 1 << min(max((c.p.Bits+2)/2, 5), 12)
	}
	c.checkOptions()
	c.checkNetwork()
	if err := c.errs.Err(); err != nil {
		return nil, err
	}
	c.weights()
	c.forward()
	if n.Backward {
		c.backward()
		c.rule()
	}
	if err := c.errs.Err(); err != nil {
		return nil, err // words want all formats
	}
	c.parts()
	if err := c.errs.Err(); err != nil {
		return nil, err
	}
	return c.p, nil
}

type chooser struct {
	n            *Network
	o            Options
	p            *Plan
	proved, seen *ranges
	bounded      bool // a run was observed, and all that moved in it stayed finite
	errs         diag.List
}

func (c *chooser) fail(pos diag.Pos, todo, what string, args ...any) {
	c.errs.Add(pos, todo, what, args...)
}

func (c *chooser) checkOptions() {
	if !(c.o.Dt > 0) {
		c.fail(diag.Pos{}, "set dt in the model", "a step of %g cannot be clocked", c.o.Dt)
	}
	if c.o.Device != "" && device.Of(c.o.Device) == nil {
		c.fail(diag.Pos{}, "use one of "+strings.Join(device.Names(), ", "), "there is no device %q", c.o.Device)
	}
	if c.p.Bits < minBits || c.p.Bits > maxBits {
		c.fail(diag.Pos{}, fmt.Sprintf("use %d to %d bits", minBits, maxBits), "operands of %d bits cannot be planned", c.p.Bits)
	}
	if s := c.p.Segments; s < 2 || s&(s-1) != 0 || s > 1<<min(c.p.Bits-2, 16) {
		c.fail(diag.Pos{}, "use a power of two well below 2^bits", "a table of %d segments does not fit operands of %d bits", s, c.p.Bits)
	}
}

// checkNetwork refuses what the arithmetic of the package comment does not cover.
func (c *chooser) checkNetwork() {
	for i := range c.n.Populations {
		p := &c.n.Populations[i]
		for k := range p.Size {
			if p.TauM[k] < c.o.Dt || p.TauR[k] < c.o.Dt {
				c.fail(p.Pos, "make dt smaller or the time constants larger", "population %s: neuron %d has a time constant below dt = %g", p.Name, k, c.o.Dt)
				break
			}
		}
		if _, ok := c.rate(i); !ok {
			c.fail(p.Pos, "give all that arrives at a population one learning rate", "population %s: its projections, their kolen-pollack feedback and its bias learn at different rates, but its neurons scale their error once", p.Name)
		}
	}
}

// rate is the learning rate of all that arrives at a population, false if there
// is more than one.
func (c *chooser) rate(to int) (float64, bool) {
	rate, same := -1.0, true
	note := func(plastic bool, v float64) {
		if plastic && rate >= 0 && v != rate {
			same = false
		}
		if plastic {
			rate = v
		}
	}
	for i := range c.n.Projections {
		if l := &c.n.Projections[i]; l.To == to {
			note(l.Plastic, l.Rate)
			note(l.Feedback.Kind == Mirror, l.Feedback.Rate)
		}
	}
	note(c.n.Populations[to].BiasPlastic, c.n.Populations[to].BiasRate)
	return max(rate, 0), same
}

// weights chooses the formats of weights and fills in their bounds and those of
// what comes from outside.
func (c *chooser) weights() {
	most := 0.0
	limit := make([]float64, len(c.n.Projections))
	for i := range c.n.Projections {
		l := &c.n.Projections[i]
		seen := math.Max(largest(l.W), c.o.Observed[l.Name+".W"])
		limit[i] = largest(l.W)
		switch {
		case c.p.Learning && l.Plastic && l.Clip > 0:
			limit[i] = math.Max(l.Clip, limit[i])
		case c.p.Learning && l.Plastic:
			limit[i] = math.Inf(1) // to the end of the format
			most = math.Max(most, c.o.Headroom*seen)
		}
		if !math.IsInf(limit[i], 1) {
			most = math.Max(most, limit[i])
		}
		if l.Feedback.B != nil {
			b := largest(l.Feedback.B)
			if c.learnsBack(l) {
				b = c.o.Headroom * math.Max(b, c.o.Observed[l.Name+".B"])
			}
			most = math.Max(most, b)
		}
		c.seen.w[i] = seen
	}
	for i := range c.n.Populations {
		p := &c.n.Populations[i]
		seen := math.Max(largest(p.Bias), c.o.Observed[p.Name+".bias"])
		if c.p.Learning && p.BiasPlastic {
			most = math.Max(most, c.o.Headroom*seen)
		} else {
			most = math.Max(most, seen)
		}
		c.seen.bias[i] = seen
		if p.Target != nil {
			t := waveBound(p.Target.Waves)
			if o, ok := c.o.Observed["target/"+p.Target.Name]; ok {
				t = math.Max(t, o)
			}
			c.seen.targets[i], c.proved.targets[i] = t, t
		}
	}
	for i, in := range c.n.Inputs {
		v := math.Max(waveBound(in.Waves), c.o.Observed[in.Name+".r"])
		c.seen.inputs[i], c.proved.inputs[i] = v, v
	}
	p := c.p
	if c.p.Learning {
		most = math.Max(most, 1)
	}
	p.Operand = holding(p.Bits, most)
	p.Weight = p.Operand
	if p.Learning {
		fastest := 0.0
		for i := range c.n.Populations {
			r, _ := c.rate(i)
			fastest = math.Max(fastest, r*c.o.Dt)
		}
		if fastest > 0 {
			p.RateShift = int(math.Ceil(-math.Log2(fastest)))
		}
		hidden := max(p.RateShift+weightGuard-p.Operand.Frac, leastHidden, c.decay())
		p.Weight = Q{Bits: p.Operand.Bits + hidden, Frac: p.Operand.Frac + hidden}
		p.Scale = Q{Bits: p.Bits, Frac: p.Bits - 2}
	}
	for i := range limit {
		c.proved.w[i] = math.Min(limit[i], p.Operand.Limit())
		c.proved.b[i] = c.proved.w[i]
		if l := &c.n.Projections[i]; c.learnsBack(l) {
			c.proved.b[i] = p.Operand.Limit() // to the end of the format
		} else if l.Feedback.B != nil {
			c.proved.b[i] = largest(l.Feedback.B)
		}
	}
	for i := range c.n.Populations {
		c.proved.bias[i] = c.seen.bias[i]
		if c.p.Learning && c.n.Populations[i].BiasPlastic {
			c.proved.bias[i] = p.Operand.Limit()
		}
	}
	c.noise()
	c.proved.prove(c.n, c.o.Dt)
	c.bounded = c.o.Observed != nil
	for _, v := range c.o.Observed {
		c.bounded = c.bounded && !math.IsInf(v, 1)
	}
	for i := range c.n.Populations {
		name := c.n.Populations[i].Name
		for kind, at := range map[string]*float64{
			"r": &c.seen.r[i], "y": &c.seen.y[i], "u": &c.seen.u[i], "v": &c.seen.v[i], "e": &c.seen.e[i],
			"back": &c.seen.back[i], "dU": &c.seen.dU[i], "dV": &c.seen.dV[i], "total": &c.seen.total[i],
		} {
			*at = c.o.Observed[name+"."+kind]
		}
	}
	note := ""
	if d := device.Of(p.Device); d != nil && p.Bits > d.Bits {
		note = fmt.Sprintf("%s has multipliers of %d bits: each of these takes several", p.Device, d.Bits)
	}
	c.row("w operand", largest(c.proved.w), largest(c.seen.w), p.Operand, note)
	c.row("w stored", largest(c.proved.w), largest(c.seen.w), p.Weight, fmt.Sprintf("%d hidden bits", p.Hidden()))
	if p.Decays() {
		c.row("decay", p.Decay.Limit(), 0, p.Decay, fmt.Sprintf("of a step; ends within %.2g of 0", p.Operand.LSB()))
	}
}

// decay chooses the format of what weights lose in a step, and returns the hidden
// bits with which a weight of one operand unit still loses a stored unit: neither
// where decay ends nor the balance with learning is off by more than that.
func (c *chooser) decay() (hidden int) {
	most := 0.0
	add := func(l *Projection, decay float64) {
		v := decay * c.o.Dt
		if v == 0 {
			return
		}
		if v >= 1 {
			c.fail(l.Pos, "make dt or the decay smaller", "projection %s: a decay of %g takes more than all of a weight in a step", l.Name, decay)
		}
		most = math.Max(most, v)
		hidden = max(hidden, int(math.Ceil(-math.Log2(v))))
	}
	for i := range c.n.Projections {
		l := &c.n.Projections[i]
		if l.Plastic {
			add(l, l.Decay)
		}
		if l.Feedback.Kind == Mirror {
			add(l, l.Feedback.Decay)
		}
	}
	if most > 0 {
		c.p.Decay = holding(c.p.Bits, most)
	}
	return hidden
}

// span is the magnitude that a kind's format must hold: the proved bound where it
// costs no more bits than what was observed with headroom, which it then replaces.
func (c *chooser) span(kind string, proved, seen []float64, only func(i int) bool) (v float64, note string) {
	note = "cannot saturate"
	for i := range proved {
		if only != nil && !only(i) {
			continue
		}
		b, o := proved[i], seen[i]
		switch {
		case o > 0 && integerBits(c.p.Bits, b) > integerBits(c.p.Bits, o*c.o.Headroom):
			b, note = c.o.Headroom*o, "saturates"
		case math.IsInf(b, 1) && o == 0 && c.bounded: // a rate of relu that stayed 0, say
			b, note = 1, "never moved; saturates"
		case math.IsInf(b, 1):
			c.fail(c.n.Populations[i].Pos, "plan with observed ranges, or break the loop, or clip the weights",
				"population %s: %s has neither a bound nor an observed range", c.n.Populations[i].Name, kind)
			b = 0
		}
		v = math.Max(v, b)
	}
	return v, note
}

func (c *chooser) forward() {
	p := c.p
	rates := math.Max(largest(c.seen.inputs), largest(c.seen.targets))
	r, note := c.span("r", c.proved.r, c.seen.r, nil)
	for i := range c.n.Populations {
		if c.n.Populations[i].Bias != nil {
			r = math.Max(r, 1) // the sender of a bias
		}
	}
	p.Rate = holding(p.Bits, math.Max(rates, r))
	c.row("r", largest(c.proved.r), largest(c.seen.r), p.Rate, note)

	y, slope := 0.0, 0.0
	for i := range c.n.Populations {
		phi := c.n.Populations[i].Phi
		v, _ := c.span("y", c.proved.y[i:i+1], c.seen.y[i:i+1], nil)
		if !c.aligned(i) { // whose rule hears all of a potential
			v = math.Min(v, saturates(phi, p.Bits))
		}
		y = math.Max(y, v)
		switch phi {
		case "sigmoid":
			slope = math.Max(slope, 0.25)
		case "tanh", "softplus":
			slope = math.Max(slope, Q{Bits: p.Bits, Frac: p.Bits - 1}.Limit())
		default:
			slope = math.Max(slope, 1)
		}
	}
	p.Potential = holding(p.Bits, y)
	p.Slope = holding(p.Bits, slope)
	c.row("y", largest(c.proved.y), largest(c.seen.y), p.Potential, "")
	c.row("phi'", slope, 0, p.Slope, "")

	dU, note := c.span("I - u", c.proved.dU, c.seen.dU, nil)
	sum, total := 0.0, 0.0
	for i := range c.n.Populations {
		v := c.driveBound(i)
		sum = math.Max(sum, v)
		if c.n.Gamma != 0 {
			// The error's format is not known yet; what it was seen to do with headroom,
			// and its format is made to hold no more.
			e, _ := c.span("e", c.proved.e[i:i+1], c.seen.e[i:i+1], nil)
			v += math.Abs(c.n.Gamma) * 2 * e
		}
		total = math.Max(total, math.Max(v, largest(c.n.Populations[i].U0)))
	}
	p.Drive = Q{Frac: p.Operand.Frac + p.Rate.Frac}
	p.Drive.Bits = wide(sum, p.Drive.Frac)
	p.Membrane = c.leadLag(total, dU, p.Potential, func(q *Population) (tau, ahead []float64) { return q.TauM, q.TauR })
	c.row("sum w r", sum, 0, p.Drive, "cannot saturate")
	c.row("I - u", largest(c.proved.dU), largest(c.seen.dU), p.Membrane.Delta, note)
	c.row("u", largest(c.proved.u), largest(c.seen.u), p.Membrane.State, "cannot saturate")
}

// driveBound is what the sum of w r and of the bias of a population can reach,
// whatever the words are.
func (c *chooser) driveBound(to int) float64 {
	v := c.proved.bias[to] + c.proved.noise[to]
	for i := range c.n.Projections {
		l := &c.n.Projections[i]
		if l.To == to {
			v += c.proved.w[i] * math.Min(c.proved.sender(l), c.p.Rate.Limit()) * float64(l.senders(c.n))
		}
	}
	return v
}

func (c *chooser) backward() {
	p := c.p
	has := func(i int) bool { return c.n.Populations[i].Error }
	back, note := c.span("the arriving error", c.proved.back, c.seen.back, has)
	p.Back = holding(p.Bits, back)
	c.row("back", largest(c.proved.back), largest(c.seen.back), p.Back, note)
	dV, dNote := c.span("x - v", c.proved.dV, c.seen.dV, has)
	e, eNote := c.span("e", c.proved.e, c.seen.e, has)
	p.Error = holding(p.Bits, e)

	sum, total := 0.0, p.Back.Limit()*math.Min(p.Slope.Limit(), 1.0)
	for i := range c.n.Populations {
		total = math.Max(total, largest(c.n.Populations[i].V0))
		v := 0.0
		for q := range c.n.Projections {
			if l := &c.n.Projections[q]; l.From == i && l.Feedback.Kind != None {
				v += c.proved.b[q] * p.Error.Limit() * float64(c.n.Populations[l.To].Size)
			}
		}
		sum = math.Max(sum, v)
	}
	p.BackSum = Q{Frac: p.Operand.Frac + p.Error.Frac}
	p.BackSum.Bits = wide(sum, p.BackSum.Frac)
	p.Neuron = c.leadLag(total, dV, p.Error, func(q *Population) (tau, ahead []float64) { return q.TauR, q.TauM })
	c.row("sum w e", sum, 0, p.BackSum, "cannot saturate")
	c.row("x - v", largest(c.proved.dV), largest(c.seen.dV), p.Neuron.Delta, dNote)
	c.row("v", largest(c.proved.v), largest(c.seen.v), p.Neuron.State, "cannot saturate")
	c.row("e", largest(c.proved.e), largest(c.seen.e), p.Error, eNote)

	beta := 0.0
	for i := range c.n.Populations {
		if t := c.n.Populations[i].Target; t != nil {
			beta = math.Max(beta, math.Abs(t.Beta))
			p.Nudged = p.Nudged || t.Beta != 1
		}
	}
	p.Nudge = holding(p.Bits, beta)
	if c.n.Gamma != 0 {
		p.Gamma = holding(p.Bits, math.Abs(c.n.Gamma))
		p.GammaWord = p.Gamma.Word(c.n.Gamma)
	}
}

// wide is the width of a sum that reaches v with the given fraction; one bit more
// than needed takes the constants that rounding adds.
func wide(v float64, frac int) int {
	return max(int(math.Ceil(math.Log2(math.Max(v, 1e-9)*1.001)))+frac+2, 4)
}

// leadLag chooses the formats of the leaky integrators of one kind. The state has
// enough fraction bits below the difference that drives it and below its output
// for a step of dt/tau of one unit to count: the dead band is at most one unit.
func (c *chooser) leadLag(total, delta float64, out Q, taus func(*Population) (tau, ahead []float64)) LeadLag {
	bits := c.p.Bits
	slowest, lag, lead := 1.0, 0.0, 0.0
	for i := range c.n.Populations {
		tau, ahead := taus(&c.n.Populations[i])
		for k := range tau {
			slowest = math.Max(slowest, tau[k]/c.o.Dt)
			lag = math.Max(lag, c.o.Dt/tau[k])
			lead = math.Max(lead, ahead[k]/tau[k])
		}
	}
	l := LeadLag{Out: out, Delta: holding(bits, delta), Lag: holding(bits, lag), Lead: holding(bits, lead)}
	guard := 1 + int(math.Ceil(math.Log2(slowest)))
	l.State.Frac = max(out.Frac, l.Delta.Frac) + guard
	// One unit of delta more than the input: rounding may carry the state beyond.
	l.State.Bits = wide(total+l.Delta.LSB(), l.State.Frac)
	return l
}

// parts turns populations, projections and tables into words.
func (c *chooser) parts() {
	p := c.p
	for _, in := range c.n.Inputs {
		p.Inputs = append(p.Inputs, InputPlan{Name: in.Name, Size: in.Size})
	}
	table := map[string]int{}
	for i := range c.n.Populations {
		q := &c.n.Populations[i]
		pop := PopulationPlan{Name: q.Name, Size: q.Size, Phi: q.Phi, Table: -1, Error: q.Error, BiasPlastic: q.BiasPlastic && p.Learning}
		if activation(q.Phi) != nil {
			if _, ok := table[q.Phi]; !ok {
				table[q.Phi] = len(p.Tables)
				t := Table{Phi: q.Phi}
				t.fill(p)
				p.Tables = append(p.Tables, t)
			}
			pop.Table = table[q.Phi]
		}
		for k := range q.Size {
			pop.Lag = append(pop.Lag, c.coefficient(q, "tau_m", p.Membrane.Lag, c.o.Dt/q.TauM[k]))
			pop.Lead = append(pop.Lead, c.coefficient(q, "tau_r/tau_m", p.Membrane.Lead, q.TauR[k]/q.TauM[k]))
			pop.U0 = append(pop.U0, p.Membrane.State.Word(q.U0[k]))
			if p.Backward {
				pop.ErrorLag = append(pop.ErrorLag, c.coefficient(q, "tau_r", p.Neuron.Lag, c.o.Dt/q.TauR[k]))
				pop.ErrorLead = append(pop.ErrorLead, c.coefficient(q, "tau_m/tau_r", p.Neuron.Lead, q.TauM[k]/q.TauR[k]))
				pop.V0 = append(pop.V0, p.Neuron.State.Word(q.V0[k]))
			}
		}
		if q.Noise != nil {
			p.draw(i, &pop, q.Noise)
		}
		if q.Bias != nil {
			pop.Bias = p.stored(q.Bias)
		}
		if rate, _ := c.rate(i); p.Learning && rate > 0 {
			pop.Mantissa = p.Scale.Word(math.Ldexp(rate*c.o.Dt, p.RateShift))
			p.Scaled = p.Scaled || pop.Mantissa != 1<<p.Scale.Frac
			if pop.Mantissa == 0 {
				c.fail(q.Pos, "bring the learning rates of the populations closer together", "population %s: its learning rate is too small beside the largest", q.Name)
			}
		}
		if q.Target != nil {
			pop.Target, pop.Beta = q.Target.Name, p.Nudge.Word(q.Target.Beta)
		}
		p.Populations = append(p.Populations, pop)
	}
	for i := range c.n.Projections {
		q := &c.n.Projections[i]
		l := ProjectionPlan{Name: q.Name, Input: q.Input, From: q.From, To: q.To, W: p.stored(q.W), Plastic: q.Plastic && p.Learning, Feedback: q.Feedback.Kind}
		l.Low, l.High = p.Limits()
		if l.Plastic && q.Clip > 0 {
			clip := min(int64(math.Round(math.Ldexp(q.Clip, p.Weight.Frac))), l.High-p.Half())
			l.Low, l.High = p.Half()-clip, p.Half()+clip
			for i, w := range l.W {
				l.W[i] = min(max(w, l.Low), l.High)
			}
		}
		if l.Plastic && q.Decay != 0 {
			l.Decay = -c.coefficient(&c.n.Populations[q.To], "decay of "+q.Name, p.Decay, q.Decay*c.o.Dt)
		}
		if c.learnsBack(q) && q.Feedback.Kind == Mirror && q.Feedback.Decay != 0 {
			l.BackDecay = -c.coefficient(&c.n.Populations[q.To], "decay of the feedback of "+q.Name, p.Decay, q.Feedback.Decay*c.o.Dt)
		}
		switch {
		case c.learnsBack(q):
			l.B = p.Rule.stored(p.Operand, q.Feedback.B)
		case q.Feedback.B != nil:
			if q.Feedback.Kind.learns() {
				l.Feedback = Fixed // nothing learns
			}
			for _, b := range q.Feedback.B {
				l.B = append(l.B, p.Operand.Word(b))
			}
		}
		p.Projections = append(p.Projections, l)
	}
	c.ruleParts()
	for _, t := range p.Tables {
		c.row("table "+t.Phi, 0, 0, p.Rate, fmt.Sprintf("%d segments, error %.2g", p.Segments, t.Err))
	}
}

// stored turns weights into stored words.
func (p *Plan) stored(w []float64) []int64 {
	words := make([]int64, len(w))
	low, high := p.Limits()
	for i, v := range w {
		words[i] = min(max(p.Weight.Word(v)+p.Half(), low), high)
	}
	return words
}

// coefficient rounds a coefficient and refuses one that vanishes.
func (c *chooser) coefficient(p *Population, name string, q Q, v float64) int64 {
	w := q.Word(v)
	if q.Value(w) < v-q.LSB() {
		c.fail(p.Pos, "", "population %s: the coefficient of %s, %.3g, does not fit %v", p.Name, name, v, q)
	}
	if w == 0 {
		c.fail(p.Pos, "make dt larger, use more bits, or bring the time constants closer together", "population %s: the coefficient of %s, %.3g, is zero in %v", p.Name, name, v, q)
	}
	return w
}

func (c *chooser) row(signal string, proved, seen float64, q Q, note string) {
	c.p.Rows = append(c.p.Rows, Row{Signal: signal, Bound: proved, Observed: seen, Format: q, Note: note})
}
