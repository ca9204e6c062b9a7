package fixed

import "vlec/emit/verilog/format"

// heard is what backward weights learn from, of one population. Values of two
// steps are kept, because a drive hears of the rates of the step before it, and
// is added up before the weights that learn from it are read again.
type heard struct {
	near, loss             []int64 // of the last step
	formerNear, formerLoss []int64 // of the one before
	far                    []int64 // of the last step; nil where nobody listens
	low                    []int64 // of the rates of the last step, for their high-pass
}

func newHeard(p *format.Plan, k int) heard {
	if p.Rule == nil || p.Rule.Kind == format.Mirror {
		return heard{}
	}
	of := func() []int64 { return make([]int64, p.Populations[k].Size) }
	h := heard{near: of(), loss: of(), formerNear: of(), formerLoss: of()}
	for i := range p.Projections {
		if l := &p.Projections[i]; l.To == k && l.Learns() && l.Feedback != format.Scaled {
			h.far, h.low = of(), of()
		}
	}
	return h
}

func (h *heard) clear() {
	for _, v := range [][]int64{h.near, h.loss, h.formerNear, h.formerLoss, h.far, h.low} {
		clear(v)
	}
}

// ruleBits is the width of the sum of what a backward weight learns in a step.
func ruleBits(p *format.Plan) int {
	if p.Rule == nil || p.Rule.Kind == format.Mirror {
		return 0
	}
	gain, loss, _ := p.Rule.Lifts(p.Operand)
	return 2*p.Bits + max(gain, loss)
}

// listen takes down what backward weights hear of population k.
func (c *Core) listen(k int) {
	r, q, z := c.plan.Rule, &c.plan.Populations[k], &c.pops[k]
	h := &z.heard
	if r.Kind == format.Phaseless {
		c.listenToNoise(k)
		return
	}
	h.near, h.formerNear = h.formerNear, h.near
	h.loss, h.formerLoss = h.formerLoss, h.loss
	for i := range q.Size {
		switch {
		case h.far == nil:
		case c.wide:
			h.far[i] = c.wideSat(z.wideDrive[i].near(c.plan.Drive.Frac-r.Far.Frac), r.Far, k, "a")
		default:
			h.far[i] = c.sat(near(z.Drive[i], c.plan.Drive.Frac-r.Far.Frac), r.Far, k, "a")
		}
		if q.Gain == 0 {
			continue
		}
		var total int64
		if c.wide {
			a, f := c.wideTotal(k, i)
			total = c.wideSat(a.near(f-r.Total.Frac), r.Total, k, "I")
		} else {
			a, f := c.total(k, i)
			total = c.sat(near(a, f-r.Total.Frac), r.Total, k, "I")
		}
		square := near(total*total, 2*r.Total.Frac-r.Loss.Frac)
		h.loss[i] = near(q.Loss*square, r.Scale.Frac)
		y := z.Y[i]
		if r.Kind == format.Scaled {
			y = near(y*y, 2*c.plan.Potential.Frac-r.Near.Frac)
		}
		h.near[i] = near(q.Gain*y, r.Scale.Frac)
	}
}

// listenToNoise is listen for phaseless alignment learning: to the noise that was
// injected, and to rates without what is slow in them.
func (c *Core) listenToNoise(k int) {
	r, q, z := c.plan.Rule, &c.plan.Populations[k], &c.pops[k]
	h := &z.heard
	h.near, h.formerNear = h.formerNear, h.near
	for i := range q.Size {
		if h.far != nil {
			h.far[i] = c.sat(difference(z.R[i], c.plan.Rate.Frac, h.low[i], r.Low.Frac, r.Far.Frac), r.Far, k, "high")
			h.low[i] += near(r.Follow*h.far[i], r.LowShift())
		}
		if q.Gain != 0 {
			h.near[i] = near(q.Gain*z.noise.x[i], r.Scale.Frac)
			h.loss[i], h.formerLoss[i] = q.Loss, q.Loss
		}
	}
}

// align lets backward weights learn from the step before.
func (c *Core) align() {
	if c.plan.Rule.Kind == format.Scaled {
		return // they learn last
	}
	for k := range c.links {
		l := &c.links[k]
		if !l.Learns() || !c.learned {
			continue
		}
		from, far := &c.pops[l.From].heard, c.pops[l.To].heard.far
		for i := range l.n {
			row := l.b[i*l.m : (i+1)*l.m]
			for j, word := range row {
				row[j] = c.taught(l, word, from.formerNear[j]*far[i], from.formerLoss[j]*(word>>l.hidden))
			}
		}
	}
}

// rescale lets the backward weights of receiver i learn as gain-transpose does.
func (c *Core) rescale(l *link, i int) {
	from, hidden := &c.pops[l.From].heard, uint(c.plan.Hidden())
	row := l.b[i*l.m : (i+1)*l.m]
	for j, word := range row {
		row[j] = c.taught(l, word, from.near[j]*(l.w[i*l.m+j]>>hidden), from.loss[j]*(word>>l.hidden))
	}
}

// A lesson has what is the same for all backward weights that are taught.
type lesson struct {
	gain, loss, shift int   // Rule.Lifts
	low, high         int64 // Rule.Limits
}

func newLesson(p *format.Plan) (t lesson) {
	if p.Rule != nil {
		t.gain, t.loss, t.shift = p.Rule.Lifts(p.Operand)
		t.low, t.high = p.Rule.Limits(p.Operand)
	}
	return t
}

// taught is a backward weight after it has learned: the products of near and far,
// and of loss and its operand.
func (c *Core) taught(l *link, word, up, down int64) int64 {
	if up == 0 && down == 0 {
		return word
	}
	t := &c.lesson
	count := &c.count.Updates[l.count]
	count.Total++
	d := c.scaled(up, down, t.gain, t.loss, t.shift)
	if d == 0 {
		count.Lost++
	}
	if word += d; word < t.low || word > t.high {
		count.Clipped++
		word = min(max(word, t.low), t.high)
	}
	return word
}

// aligns tells whether backward weights learn from what neurons teach.
func (c *Core) aligns() bool { return c.plan.Rule != nil && c.plan.Rule.Kind != format.Mirror }

// mirror lets the backward weights of receiver i do as its forward weights do.
func (c *Core) mirror(l *link, i int, s int64) {
	p := c.plan
	low, high := p.Limits()
	row := l.b[i*l.m : (i+1)*l.m]
	for j, word := range row {
		lost := near(l.BackDecay*(word>>l.hidden), p.DecayShift())
		row[j] = c.update(&c.count.Updates[l.count], word, lost, s, l.sender[j], low, high)
	}
}

// scaled is up 2^gain - down 2^loss, shifted to the right.
func (c *Core) scaled(up, down int64, gain, loss, shift int) int64 {
	if c.wide {
		x := extend(up).shiftLeft(uint(gain)).minus(extend(down).shiftLeft(uint(loss))).near(shift)
		return int64(x.lo)
	}
	return near(up<<uint(gain)-down<<uint(loss), shift)
}
