package verilog

import (
	"fmt"

	"vlec/emit/verilog/tree"
)

// A lane's timing: address at 0, word at 1, products at 2, sums at 3 (sumWritten),
// the new word at 4, later where weights decay (timing.learned).

// lane is the arithmetic of one synapse a cycle.
func (d *design) lane() *tree.Module {
	p := d.p
	what := "One synapse a cycle, up to three multiplications with one word that was read:"
	if d.t.rule || p.Decays() {
		what = "One synapse a cycle, all multiplications with the words that were read:"
	}
	m := d.module("lane", what,
		fmt.Sprintf("  drive     a += w r              exact, at %d fraction bits", p.Drive.Frac))
	m.Clock()
	fresh := m.Input("fresh_i", tree.U(1), "stage 2: first weight of a row")
	word := m.Input("word_i", d.stored, "stage 1: stored weight")
	r := m.Input("rate_i", d.rate, "stage 1: rate of the sender")
	sum := m.OutputReg("drive_o", tree.S(p.Drive.Bits), "stage 3: sum of w r so far")

	w := m.Floor("w", word, p.Hidden())
	wr := d.product(m, "wr", w, r)
	// A row begins with its first product.
	begin := m.Wire("sum_before", tree.Cond{If: fresh, Then: num(sum.T, 0), Else: sum})
	m.At(tree.Set{To: sum, From: m.Sum("sum", begin, wr, p.Drive.Bits)})
	if d.back() {
		m.Doc = append(m.Doc, fmt.Sprintf("  feedback  p = w e               exact, at %d fraction bits", p.BackSum.Frac))
		e := m.Input("error_i", d.err, "stage 1: error of the receiver")
		some, all := d.fixed()
		b := w
		switch {
		case d.mirrors():
			b = d.ownOrForward(m, w, all)
		case d.t.rule:
			if d.t.far == 0 && !d.t.now {
				d.far(m, sum)
			}
			b, e = d.teach(m, w, all), m.Delay(e, d.t.late)
		case some:
			fixed := m.Input("back_i", d.operand, "stage 1: weight of the way back")
			b = fixed
			if !all {
				is := m.Input("fixed_i", tree.U(1), "stage 1: which of both")
				b = m.Wire("b", tree.Cond{If: is, Then: fixed, Else: w})
			}
		}
		we := d.product(m, "we", b, e)
		m.Drive(m.Output("back_o", we.T, fmt.Sprintf("stage %d: weight times error", 2+d.t.late)), we)
	}
	if d.t.learning {
		m.Doc = append(m.Doc, fmt.Sprintf("  learning  w += s r rounded      to %d fraction bits, held within its bounds", p.Weight.Frac))
		if p.Decays() {
			m.Doc = append(m.Doc, "  decay     w += d w rounded      d = -dt decay, at the same time")
		}
		s := m.Input("scaled_i", d.err, "stage 1: error of the receiver times the learning rate")
		clip := m.Input("clip_i", tree.U(addressBits(len(d.clipList()))), fmt.Sprintf("stage %d: which bounds", d.t.learned-1))
		sr := d.product(m, "sr", s, r)
		change := d.changed(m, "", word, sr)
		width := change.T.Width
		moved := m.Follow("moved", change)
		low := make([]int64, 0, len(d.clipList()))
		high := make([]int64, 0, len(d.clipList()))
		for _, c := range d.clipList() {
			low, high = append(low, c[0]), append(high, c[1])
		}
		lo := m.Ext(m.Lookup("low", d.stored, clip, low), width)
		hi := m.Ext(m.Lookup("high", d.stored, clip, high), width)
		if len(low) > 1 {
			m.Say("The bounds move on with the weight.")
		}
		under := m.Follow("under", m.Wire("too_low", tree.Binary{Op: "<", X: moved, Y: lo}))
		over := m.Follow("over", m.Wire("too_high", tree.Binary{Op: ">", X: moved, Y: hi}))
		held := m.Wire("held", tree.Cond{If: over, Then: m.Delay(hi, 1), Else: m.Delay(moved, 1)})
		clamped := m.Wire("clamped", tree.Cond{If: under, Then: m.Delay(lo, 1), Else: held})
		if d.mirrors() {
			d.mirror(m, sr)
		}
		m.Drive(m.Output("word_o", d.stored, fmt.Sprintf("stage %d: the weight after this step", d.t.learned)), m.Ext(clamped, p.Weight.Bits))
	}
	return m
}

// changed is a stored weight with what a step adds to it and what decays, at
// stage 2, or 3 where weights decay; the prefix tells forward and backward weights apart.
func (d *design) changed(m *tree.Module, prefix string, word, sr *tree.Net) *tree.Net {
	p := d.p
	before := m.Follow(prefix+"word_2", word)
	if p.Decays() {
		decay := m.Input(prefix+"decay_i", tree.S(p.Decay.Bits), "stage 1: what the weight loses")
		lost := d.ruled(m, prefix+"dw", m.Floor(prefix+"w", word, p.Hidden()), decay)
		before = m.Follow(prefix+"decayed", d.plus(m, prefix+"faded", prefix+"loss", m.Delay(before, d.t.slow), lost, p.DecayShift()))
		sr = m.Delay(sr, 1+d.t.slow)
	}
	return d.plus(m, prefix+"updated", prefix+"change", before, sr, p.UpdateShift())
}

// plus is x + near(y, k), in as many bits as it needs; by names floor(y, k).
func (d *design) plus(m *tree.Module, name, by string, x, y *tree.Net, k int) *tree.Net {
	f := m.Floor(by, y, k)
	width := max(x.T.Width, f.T.Width) + 1
	if k <= 0 {
		return m.Sum(name, x, f, width)
	}
	// The rounding bit enters below both.
	return d.carryAdd(m, name, x, f, y, k, width)
}

// carryAdd is x + floor(y, k) + bit k-1 of y, with f = floor(y, k), in one adder.
func (d *design) carryAdd(m *tree.Module, name string, x, f, y *tree.Net, k, width int) *tree.Net {
	bit := min(k, y.T.Width) - 1
	a := m.Wire(name+"_a", tree.Cast{Signed: true, X: tree.Cat{m.Ext(x, width), num(tree.U(1), 1)}})
	b := m.Wire(name+"_b", tree.Cast{Signed: true, X: tree.Cat{m.Ext(f, width), tree.Part{X: y, High: bit, Low: bit}}})
	twice := m.Wire(name+"_twice", tree.Binary{Op: "+", X: a, Y: b})
	return m.Wire(name, tree.Cast{Signed: true, X: tree.Part{X: twice, High: width, Low: 1}})
}

// weights are the banks of one lane: the word in pieces that are one block RAM
// each.
func (d *design) weights(lane int, words map[int]int64, name string, t tree.Type) *tree.Module {
	m := d.module(fmt.Sprintf("%s_%d", name, lane),
		fmt.Sprintf("Words of lane %d: %d words of %d bits, in the order of the sweep.", lane, d.s.Words, t.Width))
	m.Clock()
	re, ra := m.Input("re_i", tree.U(1), ""), m.Input("raddr_i", d.word, "")
	we, wa, data := m.Input("we_i", tree.U(1), ""), m.Input("waddr_i", d.word, ""), m.Input("data_i", t, "")
	q := m.Output("data_o", t, "one cycle after re_i")
	depth, width := d.s.Words, d.bankWidth(d.s.Words)
	from, to, enable := tree.Expr(ra), tree.Expr(wa), tree.Expr(we)
	switch spare := d.bankWidth(2 << d.word.Width); {
	case !d.masked(width):
	case spare == width:
		m.Say("Nothing enables the writing: when there is nothing to write, a half takes it that nobody reads.")
		depth, enable = 2<<d.word.Width, nil
		from, to = m.Wire("from", tree.Cat{num(tree.U(1), 0), ra}), m.Wire("to", tree.Cat{tree.Not(we), wa})
	default:
		m.Say("Nothing enables the writing: when there is nothing to write, the last word takes it, which nobody reads.")
		depth, enable = 1<<d.word.Width, nil
		to = m.Wire("to", tree.Cond{If: we, Then: wa, Else: num(d.word, 1<<d.word.Width-1)})
	}
	var parts tree.Cat
	for high := t.Width - 1; high >= 0; {
		low := max(high-width+1, 0)
		if high == t.Width-1 && t.Width > width && t.Width-d.p.Operand.Bits < width && d.p.Operand.Bits <= width {
			low = t.Width - d.p.Operand.Bits // operand and hidden bits apart
		}
		piece := map[int]int64{}
		for a := range d.s.Words {
			piece[a] = words[a] >> low & (1<<(high-low+1) - 1)
		}
		of := d.bank(tree.U(high-low+1), depth, piece, fmt.Sprintf("%s_%d_%d", name, lane, len(parts)), enable != nil)
		of.Doc = append(of.Doc, fmt.Sprintf("Bits %d to %d of each of the %d words of lane %d.", high, low, d.s.Words, lane))
		in := m.Wire(fmt.Sprintf("data_%d", len(parts)), tree.Part{X: data, High: high, Low: low})
		parts = append(parts, d.memory(m, fmt.Sprintf("bank_%d", len(parts)), of, re, from, enable, to, in))
		high = low - 1
	}
	m.Drive(q, tree.Cast{Signed: true, X: parts})
	d.noCollision(m)
	return m
}

// bankWidth is how wide a block RAM of the part is that has a number of words; its
// narrowest form is used several times for more than it has.
func (d *design) bankWidth(words int) int {
	width := 0
	for _, b := range d.family.Blocks {
		if width = b.Bits; words <= b.Words {
			break
		}
	}
	return width
}

// masked tells whether a block RAM of a width has a mask, which is active low: an
// inverter would stand before it. iCE40's has when it is 16 bits wide.
func (d *design) masked(width int) bool { return d.family.OnlyBlocks && width == 16 }

// words collects what the banks hold at the start, by lane and address.
func (d *design) words() (w, b []map[int]int64) {
	for range d.s.Lanes {
		// What no synapse has is a weight of 0, within any clip.
		fill := map[int]int64{}
		for a := range d.s.Words {
			fill[a] = d.p.Half()
		}
		back := map[int]int64{}
		if d.t.rule {
			for a := range d.s.Words {
				back[a] = d.p.Rule.Half(d.p.Operand)
			}
		}
		w, b = append(w, fill), append(b, back)
	}
	d.s.stored(func(g *Segment, population, lane, at, i int) {
		if g.Projection < 0 {
			w[lane][at] = d.p.Populations[population].Bias[i]
			return
		}
		l := &d.p.Projections[g.Projection]
		w[lane][at] = l.W[i]
		if l.B != nil {
			b[lane][at] = l.B[i]
			if d.t.rule && !l.Learns() {
				b[lane][at] = d.p.Rule.Store(d.p.Operand, l.B[i])
			}
		}
	})
	return w, b
}

// backSum adds up the errors that travel back.
func (d *design) backSum() *tree.Module {
	p := d.p
	k := p.BackSum.Frac - p.Back.Frac
	sum := tree.S(p.BackSum.Bits)
	m := d.module("back_sum", "Errors that come back to the senders: c = sum of w e over all receivers, exact, then rounded",
		fmt.Sprintf("and held within %v. The sums stand in a memory and grow by one row at a time.", p.Back))
	m.Clock()
	valid := m.Input("valid_i", tree.U(1), "stage 1")
	sender := m.Input("sender_i", d.neuron, "stage 1")
	opens, closes := m.Input("opens_i", tree.U(1), "stage 1: its first part"), m.Input("closes_i", tree.U(1), "stage 1: its last part")
	var level []*tree.Net
	for i := range d.s.Lanes {
		level = append(level, m.Input(fmt.Sprintf("p%d_i", i), tree.S(p.Operand.Bits+p.Error.Bits), "stage 2: product of a lane"))
	}
	we := m.Output("we_o", tree.U(1), fmt.Sprintf("stage %d", sumWritten+d.t.tree))
	out := m.Output("sender_o", d.neuron, "")
	c := m.Output("back_o", tree.S(p.Back.Bits), "")

	for n := 1; len(level) > 1; n++ {
		var next []*tree.Net
		for i := 0; i < len(level); i += 2 {
			if i+1 == len(level) {
				next = append(next, level[i])
				continue
			}
			next = append(next, m.Sum(fmt.Sprintf("level%d_%d", n, i/2), level[i], level[i+1], min(max(level[i].T.Width, level[i+1].T.Width)+1, sum.Width)))
		}
		level = next
		if n%2 == 0 || len(level) == 1 {
			for i := range level {
				level[i] = m.Follow(level[i].Name+"_r", level[i])
			}
		}
	}
	part := level[0]
	at, before := d.t.tree+1, d.t.tree // stages 2+tree and 1+tree, counted from stage 1
	reads, from := m.Delay(valid, before), m.Delay(sender, before)
	writes, to := m.Delay(valid, at), m.Delay(sender, at)
	total := m.Bare("total", sum)
	done := m.Follow("done", total)
	read := reads
	var same *tree.Net
	if d.repeats() {
		m.Say("The same sender in two cycles on end: its sum is on its way to the memory, and is taken from here.")
		same = m.Wire("same", tree.And(reads, writes, tree.Binary{Op: "==", X: from, Y: to}))
		read = m.Wire("read", tree.And(reads, tree.Not(same)))
	}
	q := d.memory(m, "sums", d.ram(sum, d.s.Neurons, nil, ""), read, from, writes, to, total)
	if same != nil {
		q = m.Wire("former", tree.Cond{If: m.Delay(same, 1), Then: done, Else: q})
	}
	half := int64(0)
	if k > 0 {
		half = 1 << (k - 1)
	}
	begin := m.Wire("so_far", tree.Cond{If: m.Delay(opens, at), Then: tree.Const{T: sum, Value: half}, Else: q})
	m.Drive(total, m.Sum("grown", begin, part, sum.Width))
	m.Drive(we, m.Delay(m.Wire("complete", tree.And(valid, closes)), at+1))
	m.Drive(out, m.Delay(sender, at+1))
	m.Drive(c, m.Saturate("c", m.Floor("rounded", done, k), p.Back.Bits))
	return m
}

// repeats tells whether a sender's sum can grow in two cycles on end.
func (d *design) repeats() bool {
	for i := range d.s.Sweeps {
		w := &d.s.Sweeps[i]
		for j := range w.Segments {
			g, next := &w.Segments[j], &w.Segments[(j+1)%len(w.Segments)]
			if g.Back && next.Back && g.First+g.Size-1 == next.First && (j < len(w.Segments)-1 || w.Groups > 1) {
				return true
			}
		}
		if i+1 < len(d.s.Sweeps) {
			g, next := &w.Segments[len(w.Segments)-1], &d.s.Sweeps[i+1].Segments[0]
			if g.Back && next.Back && g.First+g.Size-1 == next.First && w.End() == d.s.Sweeps[i+1].Start {
				return true
			}
		}
	}
	return false
}
