package format

import (
	"fmt"
	"math"

	"vlec/model/diag"
)

// A Rule has the formats of the rule by which backward weights learn. A core has
// one. What a synapse from neuron j to neuron i does with its backward weight is
//
//	word = min(max(word + near(near_j far_i - loss_j b, Shift), Low), High)
//
// with the operand b of the word, for gain alignment with
//
//	near  m y      of j, one step before the drive
//	far   a        the drive of i, without errors
//	loss  m s I^2  of j, one step before the drive
//
// where m 2^-RateShift is the rate of a step, m at most 1, and s the slope of j at rest.
//
// For gain-transpose they are, for weights that learn after the error has gone back
// through them,
//
//	near  m y^2    of j, one step before
//	far   w        the operand of the forward weight, before it learns
//	loss  m I^2    of j, one step before
//
// For pal they are
//
//	near  m x         the noise x of j, one step before the rate
//	far   r - low     of i, where low follows r: low = low + near(Follow far, LowShift)
//	loss  m alpha
//
// Under kolen-pollack it does what a forward weight does, with the same s and r,
// in the same format: only Kind and Weight have a meaning.
type Rule struct {
	Kind   FeedbackKind `json:"kind"`
	Weight Q            `json:"weight"` // b as it is stored: Operand and hidden bits below
	Scale  Q            `json:"scale"`  // m, and m s
	Near   Q            `json:"near"`
	Far    Q            `json:"far"`
	Total  Q            `json:"total"` // I as an operand
	Loss   Q            `json:"loss"`  // I^2, and m s I^2; m alpha

	Low     Q     `json:"low"` // what a high-pass takes away
	FollowQ Q     `json:"follow_format"`
	Follow  int64 `json:"follow"` // dt/tau of the high-pass

	RateShift int `json:"rate_shift"`
}

// Hidden is the number of bits of a stored backward weight below its operand.
func (r *Rule) Hidden(operand Q) int { return r.Weight.Frac - operand.Frac }

// Half is what a stored backward weight is above its value.
func (r *Rule) Half(operand Q) int64 { return 1 << (r.Hidden(operand) - 1) }

// Store is the stored word of an operand.
func (r *Rule) Store(operand Q, b int64) int64 { return b<<r.Hidden(operand) + r.Half(operand) }

// Limits are the bounds of a stored backward weight.
func (r *Rule) Limits(operand Q) (low, high int64) {
	most := operand.Max() << r.Hidden(operand)
	return r.Half(operand) - most, r.Half(operand) + most
}

// LowShift is how far the product of follow and far is shifted to the right to
// stand on the fraction of low.
func (r *Rule) LowShift() int { return r.FollowQ.Frac + r.Far.Frac - r.Low.Frac }

// Lifts are how far the products of near and far and of loss and b are shifted to
// the left to stand on one fraction; Shift is how far their difference is shifted
// to the right to stand on the fraction of the stored weight.
func (r *Rule) Lifts(operand Q) (gain, loss, shift int) {
	a, b := r.Near.Frac+r.Far.Frac, r.Loss.Frac+operand.Frac
	f := max(a, b)
	return f - a, f - b, f + r.RateShift - r.Weight.Frac
}

func (r *Rule) stored(operand Q, b []float64) []int64 {
	words := make([]int64, len(b))
	low, high := r.Limits(operand)
	for i, v := range b {
		words[i] = min(max(r.Weight.Word(v)+r.Half(operand), low), high)
	}
	return words
}

// Learns tells whether the backward weights of a projection do.
func (l *ProjectionPlan) Learns() bool { return l.Feedback.learns() }

// learnsBack tells the same of what is to be planned.
func (c *chooser) learnsBack(l *Projection) bool {
	return c.p.Learning && l.Feedback.Kind.learns()
}

// aligned tells whether backward weights learn from the potentials of a
// population.
func (c *chooser) aligned(pop int) bool {
	for i := range c.n.Projections {
		if l := &c.n.Projections[i]; l.From == pop && c.learnsBack(l) && (l.Feedback.Kind == Alignment || l.Feedback.Kind == Scaled) {
			return true
		}
	}
	return false
}

// rule chooses the formats of the rule of backward weights.
func (c *chooser) rule() {
	fastest := 0.0
	heard := make([]bool, len(c.n.Populations)) // whose drives are listened to
	rate := make([]float64, len(c.n.Populations))
	kind := None
	for i := range c.n.Projections {
		l := &c.n.Projections[i]
		if !c.learnsBack(l) {
			continue
		}
		if kind != None && kind != l.Feedback.Kind {
			c.fail(l.Pos, "use one rule in all projections", "projection %s: a core has one rule for backward weights, and this is the second: %s beside %s", l.Name, l.Feedback.Kind, kind)
		}
		if r := rate[l.From]; r != 0 && l.Feedback.Kind != Mirror && r != l.Feedback.Rate {
			c.fail(l.Pos, "give the feedback of all projections that leave a population one rate",
				"projection %s: backward weights to the errors of population %s learn at different rates", l.Name, c.n.Populations[l.From].Name)
		}
		kind, rate[l.From] = l.Feedback.Kind, l.Feedback.Rate
		heard[l.To] = l.Feedback.Kind != Scaled
		fastest = math.Max(fastest, l.Feedback.Rate*c.o.Dt)
	}
	if kind == None {
		return
	}
	p := c.p
	if kind == Mirror {
		p.Rule = &Rule{Kind: kind, Weight: p.Weight}
		c.row("b stored", p.Operand.Limit(), c.seenBack(), p.Weight, fmt.Sprintf("%d hidden bits", p.Hidden()))
		return
	}
	r := &Rule{Kind: kind, Scale: Q{Bits: p.Bits, Frac: p.Bits - 2}}
	p.Rule = r
	r.RateShift = int(math.Floor(-math.Log2(fastest))) // no m is above 1
	hidden := max(r.RateShift+weightGuard-p.Operand.Frac, leastHidden)
	if kind == Phaseless {
		c.phaseless(hidden)
		return
	}
	r.Near = p.Potential
	r.Weight = Q{Bits: p.Operand.Bits + hidden, Frac: p.Operand.Frac + hidden}

	drives := make([]float64, len(heard))
	seen := make([]float64, len(heard))
	for i := range heard {
		drives[i], seen[i] = c.driveBound(i), c.o.Observed[c.n.Populations[i].Name+".a"]
	}
	a, aNote := c.span("the drive", drives, seen, func(i int) bool { return heard[i] })
	r.Far = holding(p.Bits, a)
	if kind == Scaled {
		r.Far = p.Operand
		r.Near = Q{Bits: p.Bits, Frac: 2*p.Potential.Frac - p.Bits + 1}
	}
	total, note := c.span("the total input", c.proved.total, c.seen.total, func(i int) bool { return rate[i] != 0 })
	r.Total = holding(p.Bits, total)
	// The square of the largest word is below the end of this one.
	r.Loss = Q{Bits: p.Bits, Frac: 2*r.Total.Frac - p.Bits + 1}

	c.row("b stored", p.Operand.Limit(), c.seenBack(), r.Weight, fmt.Sprintf("%d hidden bits", hidden))
	if kind == Scaled {
		c.row("y^2", p.Potential.Limit()*p.Potential.Limit(), 0, r.Near, "cannot saturate")
	} else {
		c.row("a", largest(drives), largest(seen), r.Far, aNote)
	}
	c.row("I", largest(c.proved.total), largest(c.seen.total), r.Total, note)
	c.row("I^2", r.Total.Limit()*r.Total.Limit(), 0, r.Loss, "cannot saturate")
}

// phaseless chooses the formats of phaseless alignment learning, with so many
// hidden bits or more.
func (c *chooser) phaseless(hidden int) {
	p, r := c.p, c.p.Rule
	tau, most := 0.0, 0.0
	for i := range c.n.Projections {
		l := &c.n.Projections[i]
		if !c.learnsBack(l) {
			continue
		}
		if c.n.Populations[l.From].Noise == nil {
			c.fail(l.Pos, "", "projection %s: pal without noise in its senders", l.Name)
			return
		}
		if p.Noise == nil {
			return // it cannot be planned, which has been said
		}
		if tau != 0 && tau != l.Feedback.Tau {
			c.fail(l.Pos, "give all feedback one high_pass", "projection %s: its high-pass differs from that of others", l.Name)
		}
		tau = l.Feedback.Tau
		if tau < c.o.Dt {
			c.fail(l.Pos, "make dt smaller or high_pass larger", "projection %s: its high-pass has a time constant below dt = %g", l.Name, c.o.Dt)
		}
		most = math.Max(most, math.Ldexp(l.Feedback.Decay*c.o.Dt, r.RateShift))
		// What noise of sigma teaches is smaller than what a unit does.
		hidden = max(hidden, r.RateShift+weightGuard-p.Operand.Frac+max(0, int(math.Ceil(-math.Log2(c.n.Populations[l.From].Noise.Sigma)))))
		if l.Feedback.Decay > 0 {
			hidden = max(hidden, int(math.Ceil(-math.Log2(l.Feedback.Decay*c.o.Dt))))
		}
	}
	r.Near, r.Far = p.Noise.State, Q{Bits: p.Bits, Frac: p.Rate.Frac - 1}
	r.Weight = Q{Bits: p.Operand.Bits + hidden, Frac: p.Operand.Frac + hidden}
	r.Loss = holding(p.Bits, most)
	r.FollowQ = holding(p.Bits, c.o.Dt/tau)
	r.Follow = r.FollowQ.Word(c.o.Dt / tau)
	guard := 1 + int(math.Ceil(math.Log2(tau/c.o.Dt)))
	r.Low.Frac = r.Far.Frac + guard
	r.Low.Bits = wide(p.Rate.Limit()+r.Far.LSB(), r.Low.Frac)
	if r.Follow == 0 {
		c.fail(diag.Pos{}, "use more bits, or a smaller high_pass", "the coefficient of high_pass, %.3g, is zero in %v", c.o.Dt/tau, r.FollowQ)
	}
	c.row("b stored", p.Operand.Limit(), c.seenBack(), r.Weight, fmt.Sprintf("%d hidden bits", hidden))
	c.row("r - low", 2*p.Rate.Limit(), 0, r.Far, "cannot saturate")
	c.row("low", p.Rate.Limit(), 0, r.Low, "cannot saturate")
}

// seenBack is the largest backward weight that learns, in a run.
func (c *chooser) seenBack() float64 {
	back := 0.0
	for i := range c.n.Projections {
		if l := &c.n.Projections[i]; c.learnsBack(l) {
			back = math.Max(back, math.Max(largest(l.Feedback.B), c.o.Observed[l.Name+".B"]))
		}
	}
	return back
}

// ruleParts turns the rates of the rule into words.
func (c *chooser) ruleParts() {
	r := c.p.Rule
	if r == nil || r.Kind == Mirror {
		return
	}
	for i := range c.n.Projections {
		l := &c.n.Projections[i]
		if !c.learnsBack(l) {
			continue
		}
		from := &c.p.Populations[l.From]
		m := math.Ldexp(l.Feedback.Rate*c.o.Dt, r.RateShift)
		from.Gain, from.Loss = r.Scale.Word(m), r.Scale.Word(m*l.Feedback.Slope)
		if r.Kind == Phaseless {
			from.Loss = r.Loss.Word(math.Ldexp(l.Feedback.Decay*c.o.Dt, r.RateShift))
		}
		if from.Gain == 0 || from.Loss == 0 && (r.Kind != Phaseless || l.Feedback.Decay > 0) {
			c.fail(l.Pos, "bring the rates of feedback closer together", "projection %s: the rate of its feedback is too small beside the largest", l.Name)
		}
	}
}
