package verilog

import (
	"fmt"

	"vlec/emit/verilog/format"
	"vlec/emit/verilog/tree"
)

// errorIn is what an error neuron is given.
func (d *design) errorIn() *tree.Module {
	p, t := d.p, d.t
	m := d.module("error_in", "What an error neuron is given: x = phi'(y) (c + beta (target - r)),",
		fmt.Sprintf("where c came back through the weights. c, the nudge and their sum are in %v, x is exact.", p.Back),
		fmt.Sprintf("Latency: %d cycles from c.", 2+t.nudge))
	m.Clock()
	slope := m.Input("slope_i", tree.S(p.Slope.Bits), fmt.Sprintf("stage %d", 2+t.nudge))
	x := m.Output("x_o", tree.S(p.Slope.Bits+p.Back.Bits), fmt.Sprintf("stage %d", 3+t.nudge))

	var targets, backs, both, neither bool // kinds of populations there are
	for k := range p.Populations {
		q := &p.Populations[k]
		if !q.Error {
			continue
		}
		targets = targets || q.Target != ""
		backs = backs || d.listens(k)
		both = both || q.Target != "" && d.listens(k)
		neither = neither || q.Target == "" && !d.listens(k)
	}
	back := tree.S(p.Back.Bits)
	zero := num(back, 0)
	var nudge, c *tree.Net
	if backs {
		c = m.Delay(m.Input("back_i", back, "stage 1"), t.nudge)
	}
	if targets {
		target, rate := m.Input("target_i", d.rate, "stage 1"), m.Input("rate_i", d.rate, "stage 1")
		miss := m.Follow("miss_2", m.Difference("miss", target, rate, p.Rate.Bits+1))
		k := p.Rate.Frac - p.Back.Frac
		if p.Nudged {
			beta := m.Input("beta_i", tree.S(p.Nudge.Bits), "stage 2")
			miss = d.product(m, "nudge", beta, miss)
			k += p.Nudge.Frac
		}
		nudge = m.Near("nudge", miss, k)
	}
	if backs && (both || neither) {
		on := m.Delay(m.Input("back_on_i", tree.U(1), "stage 1: errors come back to it"), t.nudge)
		c = m.Wire("back_on", tree.Cond{If: on, Then: c, Else: zero})
	}
	var has *tree.Net
	if targets && (backs || neither) {
		has = m.Delay(m.Input("target_on_i", tree.U(1), "stage 1: it has a target"), t.nudge)
	}
	var g *tree.Net
	switch {
	case !targets && !backs:
		g = m.Wire("g", zero)
	case !targets:
		g = c
	case !both:
		g = m.Saturate("nudge_held", nudge, p.Back.Bits)
		if c == nil {
			c = m.Wire("nothing", zero)
		}
		if has != nil {
			g = m.Wire("g", tree.Cond{If: has, Then: g, Else: c})
		}
	default:
		a := m.Wire("nudge_on", tree.Cond{If: has, Then: nudge, Else: num(nudge.T, 0)})
		g = m.Saturate("g", m.Sum("given", a, c, max(a.T.Width, c.T.Width)+1), p.Back.Bits)
	}
	held := m.Follow("given_2", g)
	m.Drive(x, d.product(m, "x", slope, held))
	return m
}

// unit is the part of the neuron unit that error neurons and membranes share.
func (d *design) unit() *tree.Module {
	p, t := d.p, d.t
	u, v := p.Membrane, p.Neuron
	m := d.module("lead_lag", "The leaky integrator with its prospective output, for membranes and error neurons in turn:",
		"  d = input - state           rounded and held",
		"  out = state + (ahead/tau) d rounded and held",
		"  state = state + (dt/tau) d",
		fmt.Sprintf("Membranes: state %v, d %v, dt/tau %v, ahead/tau %v, out %v.", u.State, u.Delta, u.Lag, u.Lead, u.Out))
	if t.backward {
		m.Doc = append(m.Doc, fmt.Sprintf("Error neurons: state %v, d %v, dt/tau %v, ahead/tau %v, out %v.", v.State, v.Delta, v.Lag, v.Lead, v.Out))
	}
	m.Doc = append(m.Doc, fmt.Sprintf("Latency: %d cycles to the state, %d to the output. Stages count from input and state.", t.state-t.diff, t.out-t.diff))
	// Parts with slow carry chains have a register between rounding and holding.
	products := t.state - t.diff - 2
	split := func(name string, n *tree.Net) *tree.Net {
		if t.deep {
			return m.Follow(name, n)
		}
		return n
	}
	m.Clock()
	first := m.Input("first_i", tree.U(1), "stage 0: at the start")
	total := m.Input("drive_i", d.totalType(), "stage 0: input of a membrane")
	state := m.Input("state_i", d.state, "stage 0")
	lag, lead := m.Input("lag_i", tree.S(p.Bits), stage(products)), m.Input("lead_i", tree.S(p.Bits), stage(products))
	next, out := m.Output("state_o", d.state, stage(t.state-t.diff)), m.OutputReg("out_o", d.out, stage(t.out-t.diff))
	s0 := num(d.state, 0)
	var start tree.Expr = s0
	if d.starting() {
		start = m.Input("initial_i", d.state, "stage 0: state at the start")
	}
	s := m.Wire("state", tree.Cond{If: first, Then: start, Else: state})

	// Both kinds are brought to the same distance k above the unit of d, so that one
	// rounding serves both.
	totalFrac := d.totalFrac()
	above := func(delta format.Q, a, b format.Q) int { return max(a.Frac, b.Frac, delta.Frac) - delta.Frac }
	k := above(u.Delta, format.Q{Frac: totalFrac}, u.State)
	var kind, x *tree.Net
	if t.backward {
		kind = m.Input("membrane_i", tree.U(1), "stage 0: a membrane")
		x = m.Input("x_i", tree.S(p.Slope.Bits+p.Back.Bits), "stage 0: input of an error neuron")
		k = max(k, above(v.Delta, format.Q{Frac: p.Slope.Frac + p.Back.Frac}, v.State))
	}
	place := func(n *tree.Net, frac int, delta format.Q) *tree.Net { return m.Left(n, k-(frac-delta.Frac)) }
	a, b := place(total, totalFrac, u.Delta), place(s, u.State.Frac, u.Delta)
	width := max(a.T.Width, b.T.Width)
	if t.backward {
		xv, sv := place(x, p.Slope.Frac+p.Back.Frac, v.Delta), place(s, v.State.Frac, v.Delta)
		width = max(width, xv.T.Width, sv.T.Width)
		// At the start phi' is zero, and so is what an error neuron is given.
		xv = m.Wire("x_on", tree.Cond{If: first, Then: num(xv.T, 0), Else: xv})
		a = m.Wire("minuend", tree.Cond{If: kind, Then: m.Ext(a, width), Else: m.Ext(xv, width)})
		if u.State.Frac-u.Delta.Frac == v.State.Frac-v.Delta.Frac {
			b = m.Ext(b, width)
		} else {
			b = m.Wire("subtrahend", tree.Cond{If: kind, Then: m.Ext(b, width), Else: m.Ext(sv, width)})
		}
	}
	diff := m.Follow("difference_1", m.Difference("difference", a, b, width+1))
	rounded := split("rounded_2", m.Near("rounded", diff, k))
	delta := m.Follow("delta_held", m.Saturate("delta", rounded, p.Bits))
	ahead, behind := d.product(m, "lead", lead, delta), d.product(m, "lag", lag, delta)

	late := m.Delay(s, products+1)
	kindAt, kindAfter := kind, kind
	if kind != nil {
		kindAt, kindAfter = m.Delay(kind, products+1), m.Delay(kind, products+2)
	}
	// pick is f of the membranes' number or of the error neurons'.
	pick := func(name string, at *tree.Net, fu, fv int, f func(k int) *tree.Net) *tree.Net {
		x := f(fu)
		if at == nil || fu == fv {
			return x
		}
		y := f(fv)
		w := max(x.T.Width, y.T.Width)
		return m.Wire(name, tree.Cond{If: at, Then: m.Ext(x, w), Else: m.Ext(y, w)})
	}
	led := pick("lead_floor", kindAt, u.LeadShift(), v.LeadShift(), func(k int) *tree.Net { return m.Floor(fmt.Sprintf("lead_floor_%s", sign(k)), ahead, k) })
	y := m.Follow("led", m.Sum("out_full", late, led, max(late.T.Width, led.T.Width)+1))
	// state + floor(lag d, k) + bit k-1, the last of which enters below both.
	wide := func(k int) *tree.Net {
		f := m.Floor(fmt.Sprintf("lag_floor_%s", sign(k)), behind, k)
		if k <= 0 {
			return m.Left(f, 1)
		}
		bit := min(k, behind.T.Width) - 1
		return m.Wire(fmt.Sprintf("lag_half_%d", k), tree.Cast{Signed: true, X: tree.Cat{f, tree.Part{X: behind, High: bit, Low: bit}}})
	}
	lagged := pick("lag_half", kindAt, u.LagShift(), v.LagShift(), wide)
	twice := m.Sum("next_twice", m.Wire("state_half", tree.Cast{Signed: true, X: tree.Cat{late, num(tree.U(1), 1)}}), lagged, d.state.Width+1)
	m.Drive(next, m.Follow("next_held", m.Wire("next", tree.Cast{Signed: true, X: tree.Part{X: twice, High: d.state.Width, Low: 1}})))
	near := pick("out_near", kindAfter, u.OutShift(), v.OutShift(), func(k int) *tree.Net { return m.Near(fmt.Sprintf("out_near_%s", sign(k)), y, k) })
	m.At(tree.Set{To: out, From: m.Saturate("held", split("near_held", near), p.Bits)})
	return m
}

// stage is a remark on a port.
func stage(k int) string { return fmt.Sprintf("stage %d", k) }

// sign makes a shift part of a name.
func sign(k int) string {
	if k < 0 {
		return fmt.Sprintf("m%d", -k)
	}
	return fmt.Sprint(k)
}

// totalFrac and totalType are the format of what a membrane is given: the drive,
// with gamma e when there is a coupling.
func (d *design) totalFrac() int {
	if d.t.gamma > 0 {
		return max(d.p.Drive.Frac, d.p.Gamma.Frac+d.p.Error.Frac)
	}
	return d.p.Drive.Frac
}

func (d *design) totalType() tree.Type {
	p, f := d.p, d.totalFrac()
	w := p.Drive.Bits + f - p.Drive.Frac
	if d.t.gamma > 0 {
		w = max(w, p.Gamma.Bits+p.Error.Bits+f-p.Gamma.Frac-p.Error.Frac) + 1
	}
	return tree.S(w)
}

// starting tells whether a state does not start at zero.
func (d *design) starting() bool {
	for i := range d.p.Populations {
		q := &d.p.Populations[i]
		for k := range q.Size {
			if q.U0[k] != 0 || d.t.backward && q.Error && q.V0[k] != 0 {
				return true
			}
		}
	}
	return false
}

// activation is what becomes of an output of the neuron unit.
func (d *design) activation() *tree.Module {
	p, t := d.p, d.t
	m := d.module("activation", fmt.Sprintf("Rates and slopes of potentials: r = phi(y) in %v, phi'(y) in %v.", p.Rate, p.Slope))
	for _, tb := range p.Tables {
		m.Doc = append(m.Doc, fmt.Sprintf("  %s: base + slope rest in %d straight segments, off by at most %.2g; phi' is the slope", tb.Phi, p.Segments, tb.Err))
	}
	if t.scaled {
		m.Doc = append(m.Doc, fmt.Sprintf("The same multiplier gives errors their learning rate: s = m e, in %v.", p.Error))
	}
	m.Doc = append(m.Doc, "Latency: 2 cycles.")
	m.Clock()
	y := m.Input("out_i", d.out, "stage 0: potential of a membrane, or error")
	r, slope := m.Output("rate_o", d.rate, "stage 2"), m.Output("slope_o", tree.S(p.Slope.Bits), "stage 2")
	kinds := map[int]bool{}
	for i := range p.Populations {
		kinds[phiCode(p.Populations[i].Phi, p.Populations[i].Table)] = true
	}
	y = m.Ext(y, p.Potential.Bits)

	// One multiplier: slope by rest, or mantissa by error.
	var base, steep, rest, first, second *tree.Net
	if d.tables {
		base, steep, rest = d.lookup(m, y)
		first, second = steep, rest
	}
	if t.scaled {
		mantissa := m.Input("mantissa_i", tree.S(p.Scale.Bits), "stage 1")
		e := m.Delay(y, 1)
		if d.tables {
			kind := m.Input("membrane_i", tree.U(1), "stage 1")
			w, v := max(steep.T.Width, mantissa.T.Width), max(rest.T.Width, e.T.Width)
			first = m.Wire("factor", tree.Cond{If: kind, Then: m.Ext(steep, w), Else: m.Ext(mantissa, w)})
			second = m.Wire("other", tree.Cond{If: kind, Then: m.Ext(rest, v), Else: m.Ext(e, v)})
		} else {
			first, second = mantissa, e
		}
	}
	var product *tree.Net
	if first != nil {
		product = d.product(m, "rise", first, second)
	}
	if t.scaled {
		s := m.Output("scaled_o", d.err, "stage 2")
		m.Drive(s, m.Saturate("s", m.Near("s_near", product, p.Scale.Frac), p.Error.Bits))
	}

	var rate, steepness *tree.Net
	if d.tables {
		rise := m.Floor("rise_floor", product, p.InterpolationShift())
		w := max(p.Rate.Bits, rise.T.Width) + 1
		rate = m.Ext(m.Sum("rise_sum", m.Delay(base, 1), rise, w), p.Rate.Bits)
		steepness = m.Delay(steep, 1)
	}
	if kinds[1] || kinds[2] {
		y2 := m.Delay(y, 2)
		straight := m.Saturate("straight", m.Near("straight_near", y2, p.Potential.Frac-p.Rate.Frac), p.Rate.Bits)
		one := m.Wire("one", tree.Const{T: slope.T, Value: 1 << p.Slope.Frac})
		code := m.Input("phi_i", tree.U(2), "stage 2: 0 by table, 1 linear, 2 relu")
		if kinds[2] {
			positive := m.Wire("positive", tree.Binary{Op: ">", X: y2, Y: num(y2.T, 0)})
			off := m.Wire("off", tree.And(tree.Equal(code, 2), tree.Not(positive)))
			straight = m.Wire("rectified", tree.Cond{If: off, Then: num(d.rate, 0), Else: straight})
			one = m.Wire("gate", tree.Cond{If: off, Then: num(slope.T, 0), Else: one})
		}
		if rate == nil {
			rate, steepness = straight, one
		} else {
			table := m.Wire("by_table", tree.Equal(code, 0))
			rate = m.Wire("rate", tree.Cond{If: table, Then: rate, Else: straight})
			steepness = m.Wire("slope", tree.Cond{If: table, Then: steepness, Else: one})
		}
	}
	m.Drive(r, rate)
	m.Drive(slope, steepness)
	return m
}

// lookup reads the tables for a potential: value at the left end and slope of its
// segment, and the rest of the potential, at stage 1.
func (d *design) lookup(m *tree.Module, y *tree.Net) (base, slope, rest *tree.Net) {
	p := d.p
	restBits := p.Potential.Bits - p.SegmentBits()
	width := p.Rate.Bits + p.Slope.Bits
	var words []int64
	for _, t := range p.Tables {
		for s := range t.Base {
			words = append(words, t.Base[s]<<p.Slope.Bits|t.Slope[s]&(1<<p.Slope.Bits-1))
		}
	}
	for len(p.Tables) > 1 && len(words)&(len(words)-1) != 0 {
		words = append(words, 0)
	}
	of := d.rom("table", tree.U(width), words, fmt.Sprintf("Segments of the activations: value at the left end in %v, slope in %v.", p.Rate, p.Slope),
		"A segment's number is the upper bits of the potential, its sign turned.")
	top := p.Potential.Bits - 1
	at := tree.Cat{tree.Unary{Op: "~", X: tree.Part{X: y, High: top, Low: top}}}
	if top > restBits {
		at = append(at, tree.Part{X: y, High: top - 1, Low: restBits})
	}
	if len(p.Tables) > 1 {
		at = append(tree.Cat{m.Input("table_i", tree.U(addressBits(len(p.Tables))), "stage 0: which table")}, at...)
	}
	segment := m.Wire("segment", at)
	entry := m.Bare("entry", tree.U(width))
	m.Place(of, "rom_table", tree.To("clk_i", clockOf(m)), tree.To("addr_i", segment), tree.To("data_o", entry))
	base = m.Wire("base", tree.Cast{Signed: true, X: tree.Part{X: entry, High: width - 1, Low: p.Slope.Bits}})
	slope = m.Wire("steep", tree.Cast{Signed: true, X: tree.Part{X: entry, High: p.Slope.Bits - 1, Low: 0}})
	r := m.Wire("rest", tree.Cast{Signed: true, X: tree.Cat{num(tree.U(1), 0), tree.Part{X: y, High: restBits - 1, Low: 0}}})
	return base, slope, m.Delay(r, 1)
}
