package verilog

import (
	"fmt"

	"vlec/emit/verilog/format"
	"vlec/emit/verilog/tree"
)

// Stages of what backward weights learn from: of the square of a total input,
// after the total input; of a drive, after the last address of its row.
const (
	heardLoss  = 6
	farWritten = 5
)

// taughtWritten is the stage in which a weight that neurons have taught is written.
const taughtWritten = 5

// square is by how many stages the gain of a squared potential comes later.
func (t *timing) square() int {
	if t.now {
		return 2 + t.slow
	}
	return 0
}

// heardSquare is the stage of the square of a potential, after the potential.
const heardSquare = 4

// Stages of the same after a slot: of noise, after the drive; of a drive with
// noise; of a rate without what is slow in it, after the rate.
const (
	heardNoise = 2
	disturbed  = 2
	highPassed = 2
)

// phaseless tells whether backward weights learn by phaseless alignment learning.
func (d *design) phaseless() bool { return d.t.aligned && d.p.Rule.Kind == format.Phaseless }

// gains are the coefficients of the rule by population; those to whose errors no
// backward weight that learns leads take over others, which nothing reads.
func (d *design) gains() (gain, loss []int64) {
	gain, loss = make([]int64, len(d.p.Populations)), make([]int64, len(d.p.Populations))
	var g, l int64
	for i := range d.p.Populations {
		if q := &d.p.Populations[i]; q.Gain != 0 {
			g, l = q.Gain, q.Loss
		}
	}
	for i := range d.p.Populations {
		gain[i], loss[i] = g, l
		if q := &d.p.Populations[i]; q.Gain != 0 {
			gain[i], loss[i] = q.Gain, q.Loss
		}
	}
	return gain, loss
}

// heard is what a sender teaches the backward weights that lead to its error.
func (d *design) heard() *tree.Module {
	p, t, r := d.p, d.t, d.p.Rule
	m := d.module("heard", fmt.Sprintf("What a neuron teaches the backward weights that lead to its error, by %s:", r.Kind),
		fmt.Sprintf("  near = m y               in %v", r.Near),
		fmt.Sprintf("  loss = m s I^2           in %v, with I in %v", r.Loss, r.Total),
		"m is the rate of a step, s the slope at rest. Stages count from the total input I.")
	m.Clock()
	total := m.Input("total_i", d.totalType(), "stage 0: total input")
	y := m.Input("out_i", d.out, fmt.Sprintf("stage %d: potential", t.out-t.diff))
	gain, loss := m.Input("gain_i", tree.S(r.Scale.Bits), fmt.Sprintf("stage %d: m", t.out-t.diff+t.square())), m.Input("loss_i", tree.S(r.Scale.Bits), fmt.Sprintf("stage %d: m s", 4+t.slow))
	rounded := m.Follow("rounded_1", m.Near("rounded", total, d.totalFrac()-r.Total.Frac))
	i := m.Follow("total_2", m.Saturate("total", rounded, r.Total.Bits))
	square := m.Follow("square_4", m.Ext(m.Near("square_near", d.ruled(m, "square", i, i), 2*r.Total.Frac-r.Loss.Frac), r.Loss.Bits))
	lost := m.Follow("loss_6", m.Ext(m.Near("loss_near", d.ruled(m, "lost", square, loss), r.Scale.Frac), r.Loss.Bits))
	end := t.heard - t.diff
	m.Drive(m.Output("loss_o", tree.S(r.Loss.Bits), stage(end)), m.Delay(lost, end-heardLoss-2*t.slow))
	y, ready := m.Ext(y, p.Potential.Bits), t.out+2+t.slow
	if t.now {
		m.Doc[1] = fmt.Sprintf("  near = m y^2             in %v", r.Near)
		y = m.Follow("y_square_2", m.Ext(m.Near("y_square_near", d.ruled(m, "y_square", y, y), 2*p.Potential.Frac-r.Near.Frac), r.Near.Bits))
		ready = t.out + heardSquare + 2*t.slow
	}
	near := m.Follow("near_2", m.Ext(m.Near("near", d.ruled(m, "taught", y, gain), r.Scale.Frac), r.Near.Bits))
	m.Drive(m.Output("near_o", tree.S(r.Near.Bits), stage(end)), m.Delay(near, t.heard-ready))
	return m
}

// hearing has the wires of what backward weights learn from.
type hearing struct {
	nearIn, lossIn *tree.Net // of a neuron, at its slot's stage timing.heard
	near, loss     *tree.Net // of a sender, at stage 1 of the sweep
	farIn          *tree.Net // of a neuron, at its slot's stage timing.far
	taught         *tree.Net // what was taught counts
}

// hear places the memories of what senders teach: four pages, for a drive
// hears of the rates of one step, and weights hear of the drive in the next one;
// or two, where weights learn from the forward weights instead of drives.
func (d *design) hear(m *tree.Module, w map[string]*tree.Net, isU, neuron, page, turn *tree.Net) *hearing {
	r := d.p.Rule
	if d.t.now {
		m.Say("What backward weights learn from their senders: written in one step, read in the next.")
	} else {
		m.Say("What backward weights learn from their senders: written in one step, read in the next but one.")
	}
	h := &hearing{nearIn: m.Bare("near_in", tree.S(r.Near.Bits))}
	if d.t.far > 0 {
		h.farIn = m.Bare("far_in", tree.S(r.Far.Bits))
	}
	at := d.t.heard
	we := m.Delay(isU, at)
	var to, from *tree.Net
	pages := 4
	if d.t.now {
		pages = 2
		to = m.Wire("heard_to", tree.Cat{m.Delay(page, at), m.Delay(neuron, at)})
		from = m.Wire("heard_from", tree.Cat{tree.Unary{Op: "~", X: page}, m.Ext(w["sender_o"], d.neuron.Width)})
	} else {
		to = m.Wire("heard_to", tree.Cat{m.Delay(turn, at), m.Delay(page, at), m.Delay(neuron, at)})
		from = m.Wire("heard_from", tree.Cat{tree.Unary{Op: "~", X: turn}, page, m.Ext(w["sender_o"], d.neuron.Width)})
	}
	h.near = d.memory(m, "near", d.ram(h.nearIn.T, pages<<d.neuron.Width, nil, ""), w["active_o"], from, we, to, h.nearIn)
	if d.phaseless() {
		h.loss = m.Delay(w["loss_o"], 1)
		return h
	}
	h.lossIn = m.Bare("loss_in", tree.S(r.Loss.Bits))
	h.loss = d.memory(m, "loss", d.ram(h.lossIn.T, pages<<d.neuron.Width, nil, ""), w["active_o"], from, we, to, h.lossIn)
	return h
}

// teach is the part of a lane in which a backward weight learns: it returns the
// operand with which the error goes back, timing.late stages late.
func (d *design) teach(m *tree.Module, w *tree.Net, all bool) *tree.Net {
	p, r := d.p, d.p.Rule
	gain, loss, shift := r.Lifts(p.Operand)
	m.Doc = append(m.Doc, fmt.Sprintf("  rule      b += near far - loss b rounded to %d fraction bits, held within its bounds", r.Weight.Frac))
	word := m.Input("back_i", d.backStored, "stage 1: stored weight of the way back")
	near, far := m.Input("near_i", tree.S(r.Near.Bits), "stage 1: of the sender"), w
	lossNow := m.Input("loss_i", tree.S(r.Loss.Bits), "stage 1: of the sender")
	var on *tree.Net
	if !d.t.now {
		far = m.Input("far_i", tree.S(r.Far.Bits), "stage 1: drive of the receiver")
		on = m.Input("learned_i", tree.U(1), stage(1+d.t.late)+": the weight learns")
	}
	b := m.Floor("b", word, r.Hidden(p.Operand))
	up, down := m.Left(m.Delay(d.product(m, "up", near, far), d.t.slow), gain), m.Left(d.ruled(m, "down", lossNow, b), loss)
	change := m.Follow("taught_3", m.Difference("taught", up, down, max(up.T.Width, down.T.Width)+1))
	clamped := d.clampBack(m, d.plus(m, "back_updated", "back_change", m.Delay(word, 2+d.t.slow), change, shift))
	learned := stage(d.t.taught()) + ": the weight of the way back, after it has learned"
	if d.t.now { // the error goes back through the weight as it is
		m.Drive(m.Output("back_word_o", d.backStored, learned), clamped)
		if all {
			return b
		}
		is := m.Input("fixed_i", tree.U(1), "stage 1: which of both")
		return m.Wire("back", tree.Cond{If: is, Then: b, Else: w})
	}
	next := m.Wire("back_next", tree.Cond{If: on, Then: clamped, Else: m.Delay(word, d.t.late)})
	m.Drive(m.Output("back_word_o", d.backStored, learned), next)
	operand := m.Floor("back_operand", next, r.Hidden(p.Operand))
	if all {
		return operand
	}
	is := m.Input("fixed_i", tree.U(1), stage(1+d.t.late)+": which of both")
	return m.Wire("back", tree.Cond{If: is, Then: operand, Else: m.Delay(w, d.t.late)})
}

// clampBack holds a backward weight within its bounds, two stages later.
func (d *design) clampBack(m *tree.Module, changed *tree.Net) *tree.Net {
	moved := m.Follow("back_moved", changed)
	low, high := d.p.Rule.Limits(d.p.Operand)
	lo, hi := tree.Const{T: moved.T, Value: low}, tree.Const{T: moved.T, Value: high}
	under := m.Follow("back_under", m.Wire("back_too_low", tree.Binary{Op: "<", X: moved, Y: lo}))
	over := m.Follow("back_over", m.Wire("back_too_high", tree.Binary{Op: ">", X: moved, Y: hi}))
	held := m.Wire("back_held", tree.Cond{If: over, Then: hi, Else: m.Delay(moved, 1)})
	return m.Ext(m.Wire("back_clamped", tree.Cond{If: under, Then: lo, Else: held}), d.backStored.Width)
}

// mirrors tells whether backward weights do what forward weights do.
func (d *design) mirrors() bool { return d.t.rule && !d.t.aligned }

// ownOrForward is the operand with which an error goes back, at stage 1, where
// backward weights learn after it.
func (d *design) ownOrForward(m *tree.Module, w *tree.Net, all bool) *tree.Net {
	d.backWord = m.Input("back_i", d.backStored, "stage 1: stored weight of the way back")
	b := m.Floor("b", d.backWord, d.p.Rule.Hidden(d.p.Operand))
	if all {
		return b
	}
	is := m.Input("fixed_i", tree.U(1), "stage 1: which of both")
	return m.Wire("back", tree.Cond{If: is, Then: b, Else: w})
}

// mirror is the part of a lane in which a backward weight does what the forward
// one does.
func (d *design) mirror(m *tree.Module, sr *tree.Net) {
	m.Doc = append(m.Doc, "  rule      b += s r + d b rounded  like w")
	next := d.clampBack(m, d.changed(m, "back_", d.backWord, sr))
	m.Drive(m.Output("back_word_o", d.backStored, stage(d.t.learned)+": the weight of the way back after this step"), next)
}

// decays are what weights lose in a step, and those of the way back, by segment;
// those that do not learn take over another one, which nothing uses.
func (d *design) decays() (forward, back func(g *Segment) int) {
	var some, someBack int64
	for i := range d.p.Projections {
		l := &d.p.Projections[i]
		if l.Plastic {
			some = l.Decay
		}
		if l.Learns() {
			someBack = l.BackDecay
		}
	}
	forward = func(g *Segment) int {
		switch {
		case !g.Plastic:
			return int(some)
		case g.Projection < 0:
			return 0
		}
		return int(d.p.Projections[g.Projection].Decay)
	}
	back = func(g *Segment) int {
		if !g.Learned {
			return int(someBack)
		}
		return int(d.p.Projections[g.Projection].BackDecay)
	}
	return forward, back
}

// far is the part of a lane that gives the drive to the backward weights of its
// row.
func (d *design) far(m *tree.Module, drive *tree.Net) {
	p, r := d.p, d.p.Rule
	rounded := m.Follow("far_4", m.Near("far_near", drive, p.Drive.Frac-r.Far.Frac))
	m.Drive(m.Output("far_o", tree.S(r.Far.Bits), fmt.Sprintf("stage %d: the drive as an operand", farWritten)), m.Follow("far_5", m.Saturate("far", rounded, r.Far.Bits)))
}
