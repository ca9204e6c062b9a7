// Package fixed is the integer model of a fixed-point core: the synchronous
// semantics of the reference under a format plan, word for word what the RTL
// must compute.
//
// # For maintainers
//
// The arithmetic is written down in package format; this package, the RTL and the
// simulators that run the RTL each do it in their own way. Up to operands of about
// 24 bits every sum has room in 63 bits. Wider plans take their sums in 128 bits
// (wide.go), a few times slower; New chooses.
//
// The order of work is not the RTL's: populations one after another, each as
// plain loops over rows. All sums are exact, so no result depends on the order.
package fixed

import (
	"fmt"

	"vlec/emit/verilog/format"
)

// A Core is a network of integers that can be stepped. The zero value is of no
// use; call New. Step does not allocate.
type Core struct {
	// Learn may be changed between steps; a core whose plan does not learn
	// ignores it.
	Learn bool

	plan    *format.Plan
	learned bool      // in the step before
	wide    bool      // sums are taken in 128 bits
	inputs  [][]int64 // by input
	target  [][]int64 // by population, nil where there is none
	pops    []Neurons
	links   []link
	bias    [][]int64
	count   format.Usage
	lesson  lesson
}

// Neurons are the words of one population after a step.
type Neurons struct {
	U, V  []int64
	Y, R  []int64
	Slope []int64
	E, S  []int64 // prospective error, and times the learning rate's mantissa
	Back  []int64 // what the error neurons were given, before the slope
	Drive []int64 // sum of w r, and noise; of a wide plan, not kept here

	former []int64 // rates of the step before
	heard  heard   // what backward weights learn from
	noise  noise
	sum    []int64 // of w e, for the next step

	wideDrive, wideSum []int128 // of a wide plan, in the place of Drive and sum
}

type link struct {
	*format.ProjectionPlan
	n, m   int
	hidden uint    // bits of b below its operand
	count  int     // which of Usage.Updates is that of b
	w, b   []int64 // b: nil where there are none of its own
	sender []int64 // rates of the step before, or inputs
}

// New prepares a core at its start.
func New(p *format.Plan) (*Core, error) {
	wide, err := check(p)
	if err != nil {
		return nil, err
	}
	c := &Core{plan: p, Learn: p.Learning, wide: wide, lesson: newLesson(p)}
	for _, in := range p.Inputs {
		c.inputs = append(c.inputs, make([]int64, in.Size))
	}
	for i := range p.Populations {
		q := &p.Populations[i]
		z := Neurons{}
		for _, v := range []*[]int64{&z.U, &z.V, &z.Y, &z.R, &z.Slope, &z.E, &z.S, &z.Back, &z.Drive, &z.former, &z.sum} {
			*v = make([]int64, q.Size)
		}
		if wide {
			z.wideDrive, z.wideSum = make([]int128, q.Size), make([]int128, q.Size)
		}
		z.heard = newHeard(p, i)
		z.noise = newNoise(q)
		var target []int64
		if q.Target != "" {
			target = make([]int64, q.Size)
		}
		c.pops = append(c.pops, z)
		c.target = append(c.target, target)
		c.bias = append(c.bias, append([]int64(nil), q.Bias...))
	}
	for i := range p.Projections {
		q := &p.Projections[i]
		l := link{ProjectionPlan: q, n: p.Populations[q.To].Size, w: append([]int64(nil), q.W...), b: append([]int64(nil), q.B...)}
		if q.From >= 0 {
			l.sender = c.pops[q.From].former
		} else {
			l.sender = c.inputs[q.Input]
		}
		l.m = len(l.sender)
		if q.Learns() {
			l.hidden = uint(p.Rule.Hidden(p.Operand))
		}
		c.links = append(c.links, l)
	}
	c.Clear()
	return c, nil
}

// check tells whether the sums of a plan need more than 63 bits, and refuses one
// whose words do.
func check(p *format.Plan) (wide bool, err error) {
	for _, s := range []struct {
		name  string
		bits  int
		words bool // 128 bits do not help
	}{
		{"the drive", max(p.Drive.Bits, p.Drive.Bits+p.Membrane.State.Frac-p.Drive.Frac), false},
		{"the membrane", p.Membrane.State.Bits + max(p.Drive.Frac-p.Membrane.State.Frac, 0), false},
		{"the membrane", p.Membrane.State.Bits + 1, true},
		{"the lead", p.Membrane.Delta.Bits + p.Membrane.Lead.Bits - 2, true},
		{"the returning error", p.BackSum.Bits, false},
		{"the error neuron", p.Neuron.State.Bits + max(p.Slope.Frac+p.Back.Frac-p.Neuron.State.Frac, 0), false},
		{"the error neuron", p.Neuron.State.Bits + 1, true},
		{"the lead of an error", p.Neuron.Delta.Bits + p.Neuron.Lead.Bits - 2, true},
		{"a stored weight", p.Weight.Bits + 1, true},
		{"what a backward weight learns", ruleBits(p), false},
		{"noise", noiseBits(p), false},
		{"a product of operands", 2 * p.Bits, false},
		{"a product of operands", 2*p.Bits - 2, true},
	} {
		switch {
		case s.bits > 62 && s.words:
			return false, fmt.Errorf("%s needs %d bits, which the integer model does not have; plan with fewer bits", s.name, s.bits)
		case s.bits > 62:
			wide = true
		}
	}
	return wide, nil
}

// Clear takes everything but the weights back to the start.
func (c *Core) Clear() {
	for i := range c.pops {
		z, q := &c.pops[i], &c.plan.Populations[i]
		for _, v := range [][]int64{z.Y, z.R, z.Slope, z.E, z.S, z.Back, z.Drive, z.former, z.sum, z.V} {
			clear(v)
		}
		clear(z.wideDrive)
		clear(z.wideSum)
		z.heard.clear()
		copy(z.U, q.U0)
		copy(z.V, q.V0)
	}
	c.learned = false
	c.count = format.Usage{Saturated: map[string]int64{}}
	for i := range c.links {
		c.count.Updates = append(c.count.Updates, format.Updates{Name: c.links[i].Name + ".W"})
	}
	for i := range c.pops {
		c.count.Updates = append(c.count.Updates, format.Updates{Name: c.plan.Populations[i].Name + ".bias"})
	}
	for i := range c.links {
		if c.links[i].Learns() {
			c.links[i].count = len(c.count.Updates)
			c.count.Updates = append(c.count.Updates, format.Updates{Name: c.links[i].Name + ".B"})
		}
	}
}

// floor is x * 2^-k rounded down.
func floor(x int64, k int) int64 {
	if k >= 0 {
		return x >> uint(k)
	}
	return x << uint(-k)
}

// near is x * 2^-k rounded to the nearest, halves up.
func near(x int64, k int) int64 {
	if k > 0 {
		return (x + 1<<uint(k-1)) >> uint(k)
	}
	return x << uint(-k)
}

// sat holds x within a format and counts where it had to.
func (c *Core) sat(x int64, q format.Q, pop int, signal string) int64 {
	most := q.Max()
	if x >= -most && x <= most {
		return x
	}
	c.saturated(pop, signal)
	if x < 0 {
		return -most
	}
	return most
}

func (c *Core) saturated(pop int, signal string) {
	c.count.Saturated[c.plan.Populations[pop].Name+"."+signal]++
}

// wideSat is sat for a sum of 128 bits.
func (c *Core) wideSat(x int128, q format.Q, pop int, signal string) int64 {
	most := q.Max()
	held := x.clamp(most)
	if extend(held) != x {
		c.saturated(pop, signal)
	}
	return held
}

// difference is a - b, rounded to the fraction to, for words of the fractions fa
// and fb.
func difference(a int64, fa int, b int64, fb, to int) int64 {
	f := max(fa, fb)
	return near(a<<uint(f-fa)-b<<uint(f-fb), f-to)
}

// wideDifference is difference for a sum of 128 bits.
func wideDifference(a int128, fa int, b int64, fb, to int) int128 {
	f := max(fa, fb)
	return a.shiftLeft(uint(f - fa)).minus(extend(b).shiftLeft(uint(f - fb))).near(f - to)
}

// Step advances by dt with the inputs and targets that the caller has set.
func (c *Core) Step() {
	for i := range c.pops {
		copy(c.pops[i].former, c.pops[i].R)
	}
	if c.plan.Backward {
		for i := range c.pops {
			c.receive(i)
		}
	}
	for i := range c.pops {
		c.drive(i)
	}
	if c.aligns() {
		c.align()
	}
	for i := range c.links {
		c.sweep(&c.links[i], &c.count.Updates[i])
	}
	for i := range c.pops {
		c.disturb(i)
		c.advance(i)
	}
	c.learned = c.Learn
	c.count.Steps++
}

// receive moves the error neurons of population k on.
func (c *Core) receive(k int) {
	p, q, z := c.plan, &c.plan.Populations[k], &c.pops[k]
	if !q.Error {
		return
	}
	unit := p.Neuron
	for i := range q.Size {
		g := c.back(k, i)
		z.Back[i] = g
		x := z.Slope[i] * g
		var d int64
		if c.wide {
			d = c.wideSat(wideDifference(extend(x), p.Slope.Frac+p.Back.Frac, z.V[i], unit.State.Frac, unit.Delta.Frac), unit.Delta, k, "dV")
		} else {
			d = c.sat(difference(x, p.Slope.Frac+p.Back.Frac, z.V[i], unit.State.Frac, unit.Delta.Frac), unit.Delta, k, "dV")
		}
		e := near(z.V[i]+floor(q.ErrorLead[i]*d, unit.LeadShift()), unit.OutShift())
		z.E[i] = c.sat(e, p.Error, k, "e")
		z.V[i] += near(q.ErrorLag[i]*d, unit.LagShift())
		z.S[i] = z.E[i]
		if p.Scaled {
			z.S[i] = c.sat(near(q.Mantissa*z.E[i], p.Scale.Frac), p.Error, k, "s")
		}
	}
	clear(z.sum)
	clear(z.wideSum)
}

// back is what arrives at error neuron i of population k: the errors of others,
// and that of the target.
func (c *Core) back(k, i int) int64 {
	p, q, z := c.plan, &c.plan.Populations[k], &c.pops[k]
	var g int64
	if c.wide {
		g = c.wideSat(z.wideSum[i].near(p.BackSum.Frac-p.Back.Frac), p.Back, k, "back")
	} else {
		g = c.sat(near(z.sum[i], p.BackSum.Frac-p.Back.Frac), p.Back, k, "back")
	}
	if q.Target == "" {
		return g
	}
	t := c.target[k][i] - z.R[i]
	switch {
	case c.wide:
		beta, shift := int64(1), p.Rate.Frac-p.Back.Frac
		if p.Nudged {
			beta, shift = q.Beta, shift+p.Nudge.Frac
		}
		return c.wideSat(product(beta, t).near(shift).plus(extend(g)), p.Back, k, "back")
	case p.Nudged:
		t = near(q.Beta*t, p.Rate.Frac+p.Nudge.Frac-p.Back.Frac)
	default:
		t = near(t, p.Rate.Frac-p.Back.Frac)
	}
	return c.sat(g+t, p.Back, k, "back")
}

// drive starts the sums of population k with the bias, and lets it learn.
func (c *Core) drive(k int) {
	p, z := c.plan, &c.pops[k]
	clear(z.Drive)
	clear(z.wideDrive)
	for i, word := range c.bias[k] {
		one := int64(1) << uint(p.Rate.Frac)
		if c.wide {
			z.wideDrive[i] = product(word>>uint(p.Hidden()), one)
		} else {
			z.Drive[i] = (word >> uint(p.Hidden())) * one
		}
		if c.Learn && p.Populations[k].BiasPlastic {
			low, high := p.Limits()
			c.bias[k][i] = c.update(&c.count.Updates[len(c.links)+k], word, 0, z.S[i], one, low, high)
		}
	}
}

// sweep makes the pass over the weights of a projection: drive, returning error,
// update.
func (c *Core) sweep(l *link, count *format.Updates) {
	p := c.plan
	hidden := uint(p.Hidden())
	to := &c.pops[l.To]
	learn := c.Learn && l.Plastic
	if c.wide {
		c.wideSweep(l)
	}
	var sum []int64
	if l.Feedback != format.None {
		sum = c.pops[l.From].sum
	}
	for i := range l.n {
		row := l.w[i*l.m : (i+1)*l.m]
		e, s := to.E[i], to.S[i]
		drive := int64(0)
		if !c.wide {
			for j, word := range row {
				drive += (word >> hidden) * l.sender[j]
			}
		}
		to.Drive[i] += drive
		switch {
		case sum == nil || c.wide:
		case l.b != nil:
			for j, b := range l.b[i*l.m : (i+1)*l.m] {
				sum[j] += b >> l.hidden * e
			}
		default:
			for j, word := range row {
				sum[j] += (word >> hidden) * e
			}
		}
		switch {
		case !c.Learn:
		case l.Feedback == format.Mirror:
			c.mirror(l, i, s)
		case l.Feedback == format.Scaled:
			c.rescale(l, i)
		}
		if !learn || s == 0 && l.Decay == 0 {
			continue
		}
		for j, word := range row {
			lost := int64(0)
			if l.Decay != 0 {
				lost = near(l.Decay*(word>>hidden), p.DecayShift())
			}
			row[j] = c.update(count, word, lost, s, l.sender[j], l.Low, l.High)
		}
	}
}

// wideSweep is the part of sweep that sums.
func (c *Core) wideSweep(l *link) {
	hidden := uint(c.plan.Hidden())
	to := &c.pops[l.To]
	for i := range l.n {
		for j, word := range l.w[i*l.m : (i+1)*l.m] {
			w := word >> hidden
			to.wideDrive[i] = to.wideDrive[i].plus(product(w, l.sender[j]))
			if l.Feedback == format.None {
				continue
			}
			if l.b != nil {
				w = l.b[i*l.m+j] >> l.hidden
			}
			sum := c.pops[l.From].wideSum
			sum[j] = sum[j].plus(product(w, to.E[i]))
		}
	}
}

// update returns a stored weight after one step of learning, of which decay is a
// part.
func (c *Core) update(count *format.Updates, word, decay, s, r, low, high int64) int64 {
	if s == 0 || r == 0 {
		return word + decay // toward 0, which every clip holds
	}
	count.Total++
	d := near(s*r, c.plan.UpdateShift())
	if d == 0 {
		count.Lost++
	}
	word += d + decay
	if word < low || word > high {
		count.Clipped++
		word = min(max(word, low), high)
	}
	return word
}

// advance moves the membranes of population k on.
func (c *Core) advance(k int) {
	p, q, z := c.plan, &c.plan.Populations[k], &c.pops[k]
	unit := p.Membrane
	var table *format.Table
	if q.Table >= 0 {
		table = &p.Tables[q.Table]
	}
	for i := range q.Size {
		d := c.deviation(k, i)
		y := near(z.U[i]+floor(q.Lead[i]*d, unit.LeadShift()), unit.OutShift())
		if table != nil && (q.Gain == 0 || p.Rule.Kind == format.Phaseless) { // beyond the table's range phi is flat
			most := p.Potential.Max()
			y = min(max(y, -most), most)
		} else {
			y = c.sat(y, p.Potential, k, "y")
		}
		z.Y[i] = y
		z.U[i] += near(q.Lag[i]*d, unit.LagShift())
		z.R[i], z.Slope[i] = c.activate(table, q.Phi, y, k)
	}
	if c.aligns() {
		c.listen(k)
	}
	c.anew(k)
}

// deviation is the input of membrane i of population k, minus its state.
func (c *Core) deviation(k, i int) int64 {
	z, unit := &c.pops[k], c.plan.Membrane
	if c.wide {
		a, f := c.wideTotal(k, i)
		return c.wideSat(wideDifference(a, f, z.U[i], unit.State.Frac, unit.Delta.Frac), unit.Delta, k, "dU")
	}
	a, f := c.total(k, i)
	return c.sat(difference(a, f, z.U[i], unit.State.Frac, unit.Delta.Frac), unit.Delta, k, "dU")
}

// total is the total input of membrane i of population k, exact, and its fraction.
func (c *Core) total(k, i int) (a int64, frac int) {
	p, z := c.plan, &c.pops[k]
	fa, fg := p.Drive.Frac, p.Gamma.Frac+p.Error.Frac
	f := max(fa, fg)
	if p.GammaWord == 0 || !p.Populations[k].Error {
		return z.Drive[i], fa
	}
	return z.Drive[i]<<uint(f-fa) + (p.GammaWord*z.E[i])<<uint(f-fg), f
}

// wideTotal is total for sums of 128 bits.
func (c *Core) wideTotal(k, i int) (a int128, frac int) {
	p, z := c.plan, &c.pops[k]
	fa, fg := p.Drive.Frac, p.Gamma.Frac+p.Error.Frac
	f := max(fa, fg)
	if p.GammaWord == 0 || !p.Populations[k].Error {
		return z.wideDrive[i], fa
	}
	return z.wideDrive[i].shiftLeft(uint(f - fa)).plus(product(p.GammaWord, z.E[i]).shiftLeft(uint(f - fg))), f
}

// activate returns rate and slope of a potential.
func (c *Core) activate(t *format.Table, phi string, y int64, k int) (r, slope int64) {
	p := c.plan
	if t == nil {
		if phi == "relu" && y <= 0 {
			return 0, 0
		}
		return c.sat(near(y, p.Potential.Frac-p.Rate.Frac), p.Rate, k, "r"), 1 << uint(p.Slope.Frac)
	}
	rest := uint(p.Potential.Bits - p.SegmentBits())
	s := y>>rest + int64(p.Segments/2)
	slope = t.Slope[s]
	return t.Base[s] + floor(slope*(y&(1<<rest-1)), p.InterpolationShift()), slope
}

// Input returns the words of input k for the coming step, for the caller to set.
func (c *Core) Input(k int) []int64 { return c.inputs[k] }

// Target returns the words of the target of population k for the coming step, nil
// where it has none.
func (c *Core) Target(k int) []int64 { return c.target[k] }

// Population returns the words of population k after the last step.
func (c *Core) Population(k int) *Neurons { return &c.pops[k] }

// W returns the stored weights of projection k, n x m row-major, for reading and
// writing.
func (c *Core) W(k int) []int64 { return c.links[k].w }

// B returns the stored backward weights of projection k that learn, in the layout
// of W: B[i*m+j] from receiver i to sender j. Under gain-alignment and pal they are as
// the last step used them; what it taught is added in the next one. Nil where none learn.
func (c *Core) B(k int) []int64 {
	if !c.links[k].Learns() {
		return nil
	}
	return c.links[k].b
}

// Noise returns the noise that population k hears in the coming step, nil where
// there is none.
func (c *Core) Noise(k int) []int64 { return c.pops[k].noise.x }

// Bias returns the stored biases of population k, nil where there is none.
func (c *Core) Bias(k int) []int64 { return c.bias[k] }

// Plan returns the plan that the core follows.
func (c *Core) Plan() *format.Plan { return c.plan }

// Usage tells what the formats did since the start or the last Clear.
func (c *Core) Usage() *format.Usage { return &c.count }
