package fixed

import "vlec/emit/verilog/format"

// noise is the processes of a population and their generators. A clear leaves
// them alone.
type noise struct {
	x []int64 // of the coming step
	s []uint32
}

func newNoise(q *format.PopulationPlan) noise {
	return noise{append([]int64(nil), q.Noise...), append([]uint32(nil), q.Seeds...)}
}

// disturb adds the noise of this step to the drives of population k.
func (c *Core) disturb(k int) {
	z, n := &c.pops[k], c.plan.Noise
	for i, x := range z.noise.x {
		lift := uint(c.plan.Drive.Frac - n.State.Frac)
		if c.wide {
			z.wideDrive[i] = z.wideDrive[i].plus(extend(x).shiftLeft(lift))
		} else {
			z.Drive[i] += x << lift
		}
	}
}

// anew makes the noise of the next step.
func (c *Core) anew(k int) {
	z, n := &c.pops[k], c.plan.Noise
	for i, x := range z.noise.x {
		kick, fade, shift := n.Lifts()
		s := z.noise.s[i]
		g := int64(2)
		for b := range 4 {
			g += int64(int8(s >> (8 * b)))
		}
		s ^= s << 13
		s ^= s >> 17
		s ^= s << 5
		z.noise.s[i] = s
		z.noise.x[i] = c.sat(x+c.scaled(n.Kick*g, -n.Fade*x, kick, fade, shift), n.State, k, "noise")
	}
}

// noiseBits is the width of what changes noise in a step.
func noiseBits(p *format.Plan) int {
	if p.Noise == nil {
		return 0
	}
	kick, fade, _ := p.Noise.Lifts()
	return max(p.Bits+10+kick, 2*p.Bits+fade)
}
