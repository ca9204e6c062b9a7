package format

import (
	"math"
	"math/rand/v2"

	"vlec/model/diag"
)

// A NoisePlan has the formats of an Ornstein-Uhlenbeck process, one for each neuron
// of a noisy population. A step adds its word x to the drive and then does
//
//	x = sat(x + near(Kick g + Fade x, Shift))
//	s = s ^ s<<13;  s = s ^ s>>17;  s = s ^ s<<5         32 bits
//
// where g is 2 plus the sum of the four signed bytes of s: the generator is the
// one of Marsaglia (Xorshift RNGs, J. Stat. Softw. 8(14), 2003), and g is about
// normal, of mean 0 and variance 21845. With rho = exp(-dt/tau), Fade is rho - 1,
// and Kick makes the standard deviation sigma: the recurrence is that of the
// reference, and exact on the grid.
type NoisePlan struct {
	State Q `json:"state"`
	FadeQ Q `json:"fade_format"`
	KickQ Q `json:"kick_format"`

	Fade int64 `json:"fade"`
	Kick int64 `json:"kick"`
}

// Lifts are how far the products of kick and g and of fade and x are shifted to
// the left to stand on one fraction; Shift is how far their sum is shifted to the
// right to stand on that of x.
func (n *NoisePlan) Lifts() (kick, fade, shift int) {
	a, b := n.KickQ.Frac, n.FadeQ.Frac+n.State.Frac
	f := max(a, b)
	return f - a, f - b, f - n.State.Frac
}

// deviation is the standard deviation of g.
var deviation = math.Sqrt(4 * (256*256 - 1) / 12.0)

// noise chooses the formats of noise, and bounds it.
func (c *chooser) noise() {
	var one *Noise
	var pos diag.Pos
	for i := range c.n.Populations {
		p := &c.n.Populations[i]
		z := p.Noise
		if z == nil {
			continue
		}
		if one != nil && (z.Sigma != one.Sigma || z.Tau != one.Tau) {
			c.fail(p.Pos, "give all noise one noise_sigma and one noise_tau", "population %s: its noise differs from that of others, and a core has one generator", p.Name)
		}
		one, pos = z, p.Pos
	}
	if one == nil {
		return
	}
	if !(one.Sigma > 0 && one.Tau > 0) {
		c.fail(pos, "", "noise of %g and a correlation time of %g cannot be planned", one.Sigma, one.Tau)
		return
	}
	bits := c.p.Bits
	rho := math.Exp(-c.o.Dt / one.Tau)
	kick := one.Sigma * math.Sqrt(1-rho*rho) / deviation
	n := &NoisePlan{State: holding(bits, 6*one.Sigma), FadeQ: holding(bits, 1-rho), KickQ: Q{Bits: bits, Frac: bits - 1 - int(math.Ceil(math.Log2(kick)))}}
	n.State.Frac = min(n.State.Frac, c.p.Operand.Frac+6)
	n.Fade, n.Kick = -n.FadeQ.Word(1-rho), n.KickQ.Word(kick)
	if n.Fade == 0 || kick*deviation < n.State.LSB() {
		c.fail(pos, "use more bits, or a shorter noise_tau", "the noise moves by less than a unit of %v in a step", n.State)
	}
	c.p.Noise = n
	for i := range c.n.Populations {
		if c.n.Populations[i].Noise != nil {
			c.proved.noise[i] = n.State.Limit()
		}
	}
	c.row("noise", n.State.Limit(), 0, n.State, "saturates at six standard deviations")
}

// draw makes the start of the noise of a population.
func (p *Plan) draw(i int, pop *PopulationPlan, n *Noise) {
	r := rand.New(rand.NewPCG(n.Seed, uint64(i)))
	for range pop.Size {
		pop.Noise = append(pop.Noise, p.Noise.State.Word(n.Sigma*r.NormFloat64()))
		pop.Seeds = append(pop.Seeds, max(r.Uint32(), 1))
	}
}
