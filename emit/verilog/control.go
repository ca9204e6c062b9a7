package verilog

import (
	"fmt"
	"slices"

	"vlec/emit/verilog/tree"
)

// control starts steps, counts their cycles, and serves the register port in
// between.
func (d *design) control() *tree.Module {
	m := d.module("control",
		"Starts a step when a sample is there, step_i is high, and there is room for its answer;",
		"counts the cycles of the step. Between steps it serves the register port of weights.")
	m.Clock()
	rst := m.Input("rst_i", tree.U(1), "")
	step, clear := m.Input("step_i", tree.U(1), "let steps start"), m.Input("clear_i", tree.U(1), "the next step begins at initial states")
	learnEn := m.Input("learn_en_i", tree.U(1), "")
	loaded, drained := m.Input("loaded_i", tree.U(1), "a sample is complete"), m.Input("drained_i", tree.U(1), "an answer has gone")
	cfgValid, cfgWrite := m.Input("cfg_valid_i", tree.U(1), ""), m.Input("cfg_write_i", tree.U(1), "")
	go_ := m.Output("go_o", tree.U(1), "the cycle before the first of a step")
	time := m.OutputReg("time_o", tree.U(addressBits(d.s.Period)), "cycle of the step")
	running := m.OutputReg("running_o", tree.U(1), "")
	page := m.OutputReg("page_o", tree.U(1), "page of rates that the step reads")
	first := m.OutputReg("first_o", tree.U(1), "the step begins at initial states")
	learn := m.OutputReg("learn_o", tree.U(1), "weights change in this step")
	cfgLoad := m.Output("cfg_load_o", tree.U(1), "take the address of the register port")
	cfgRead := m.Output("cfg_read_o", tree.U(1), "")
	cfgStore := m.Output("cfg_store_o", tree.U(1), "")
	cfgReady := m.OutputReg("cfg_ready_o", tree.U(1), "")

	var rule []tree.Stmt // what the reset does to it
	begins := []tree.Stmt{
		tree.Set{To: time, From: num(time.T, 0)},
		tree.Set{To: running, From: tree.Bit(true)},
		tree.Set{To: page, From: tree.Not(page)},
	}
	cleared := m.Reg("cleared", tree.U(1))
	if d.t.aligned && !d.t.now {
		turn := m.OutputReg("turn_o", tree.U(1), "above page_o: of four pages")
		taught := m.OutputReg("taught_o", tree.U(1), "backward weights take in what the step before has taught")
		lesson := tree.And(learn, tree.Not(cleared), tree.Not(clear))
		if d.phaseless() {
			second := m.OutputReg("second_o", tree.U(1), "the step before began at initial states")
			begins = append(begins, tree.Set{To: second, From: first})
		} else { // which teaches nothing in its first step
			lesson = tree.And(lesson, tree.Not(first))
		}
		begins = append(begins, tree.Set{To: turn, From: tree.Binary{Op: "^", X: turn, Y: page}}, tree.Set{To: taught, From: lesson})
		rule = []tree.Stmt{tree.Set{To: turn, From: tree.Bit(false)}, tree.Set{To: taught, From: tree.Bit(false)}}
	}
	live := m.Reg("live", tree.U(2))
	portRead := d.s.portRead()
	cfg := m.Reg("cfg", tree.U(addressBits(portRead+2)))
	last := m.Wire("last", tree.And(running, tree.Equal(time, int64(d.s.Period-1))))
	rest := m.Wire("rest", tree.Or(tree.Not(running), last))
	quiet := m.Wire("quiet", tree.Equal(cfg, 0))
	m.Drive(go_, tree.And(rest, loaded, step, quiet, tree.Not(cfgValid), tree.Not(tree.Part{X: live, High: 1, Low: 1})))
	grant := m.Wire("grant", tree.And(tree.Not(running), quiet, cfgValid, tree.Not(cfgReady)))
	m.Drive(cfgLoad, grant)
	// The cycles before it let the last weight of a step be written.
	m.Drive(cfgRead, m.Wire("show", tree.And(tree.Equal(cfg, int64(portRead)), tree.Not(cfgWrite))))
	m.Drive(cfgStore, m.Wire("store", tree.And(tree.Equal(cfg, int64(portRead)), cfgWrite)))
	body := []tree.Stmt{
		tree.Set{To: time, From: tree.Inc(time)},
		tree.If{Cond: clear, Then: []tree.Stmt{tree.Set{To: cleared, From: tree.Bit(true)}}},
		tree.If{Cond: go_, Then: append(begins,
			tree.Set{To: first, From: tree.Or(cleared, clear)},
			tree.Set{To: cleared, From: tree.Bit(false)},
			tree.Set{To: learn, From: learnEn},
		), Else: []tree.Stmt{tree.If{Cond: last, Then: []tree.Stmt{tree.Set{To: running, From: tree.Bit(false)}}}}},
		tree.If{Cond: tree.And(go_, tree.Not(drained)), Then: []tree.Stmt{tree.Set{To: live, From: tree.Inc(live)}}},
		tree.If{Cond: tree.And(drained, tree.Not(go_)), Then: []tree.Stmt{
			tree.Set{To: live, From: tree.Binary{Op: "-", X: live, Y: num(live.T, 1)}},
		}},
		tree.Set{To: cfgReady, From: tree.Equal(cfg, int64(portRead+1))},
		tree.If{Cond: grant, Then: []tree.Stmt{tree.Set{To: cfg, From: num(cfg.T, 1)}}},
	}
	for i := 1; i <= portRead+1; i++ {
		body = append(body, tree.If{Cond: tree.Equal(cfg, int64(i)), Then: []tree.Stmt{tree.Set{To: cfg, From: num(cfg.T, (i+1)%(portRead+2))}}})
	}
	m.At(append(body,
		tree.If{Cond: rst, Then: append(rule,
			tree.Set{To: running, From: tree.Bit(false)},
			tree.Set{To: page, From: tree.Bit(false)},
			tree.Set{To: first, From: tree.Bit(false)},
			tree.Set{To: learn, From: tree.Bit(false)},
			tree.Set{To: cleared, From: tree.Bit(true)},
			tree.Set{To: live, From: num(live.T, 0)},
			tree.Set{To: cfg, From: num(cfg.T, 0)},
			tree.Set{To: cfgReady, From: tree.Bit(false)},
		)},
	)...)
	d.proves(m, within("running_o", "time_o", time.T, d.s.Period))
	return m
}

// starts is the condition that an engine which waits begins in the next cycle:
// the time of its entry has come.
func (d *design) starts(m *tree.Module, time, entry *tree.Net, at []int64) *tree.Net {
	t := m.Lookup("start", time.T, entry, at)
	return m.Wire("due", tree.Binary{Op: "==", X: time, Y: t})
}

// sweep walks over the weights.
func (d *design) sweep() *tree.Module {
	m := d.module("sweep", "Reads each weight once per step, in the order in which they are stored: population by",
		"population, row group by row group, sender by sender. All outputs are of stage 0.")
	type entry struct {
		w      *Sweep
		g      *Segment
		first  int // segment at which the row begins
		last   bool
		final  bool // of the last sweep
		chains bool // the next sweep follows at once
	}
	var list []entry
	for i := range d.s.Sweeps {
		w := &d.s.Sweeps[i]
		m.Doc = append(m.Doc, d.describe(w)...)
		first := len(list)
		for j := range w.Segments {
			list = append(list, entry{
				w, &w.Segments[j], first, j == len(w.Segments)-1, i == len(d.s.Sweeps)-1,
				i < len(d.s.Sweeps)-1 && d.s.Sweeps[i+1].Start == w.End(),
			})
		}
	}
	m.Clock()
	rst := m.Input("rst_i", tree.U(1), "")
	go_ := m.Input("go_i", tree.U(1), "")
	time := m.Input("time_i", tree.U(addressBits(d.s.Period)), "")
	load, at := m.Input("cfg_load_i", tree.U(1), ""), m.Input("cfg_word_i", d.word, "")
	active := m.OutputReg("active_o", tree.U(1), "")
	word := m.OutputReg("word_o", d.word, "address of the weight")
	sender := m.OutputReg("sender_o", d.index, "address of its sender")
	group := m.OutputReg("group_o", d.group, "row group")
	fresh := m.OutputReg("fresh_o", tree.U(1), "first weight of a row")
	done := m.Output("done_o", tree.U(1), "last weight of a row")

	seg := m.Reg("segment", tree.U(addressBits(len(list)+1)))
	armed := m.Reg("armed", tree.U(1))
	look := func(name string, t tree.Type, f func(e entry) int) *tree.Net {
		return m.Lookup(name, t, seg, ints(list, f))
	}
	end := m.Wire("end_of_segment", tree.Binary{Op: "==", X: sender, Y: look("last_sender", d.index, func(e entry) int { return e.g.First + e.g.Size - 1 })})
	row := m.Wire("end_of_row", tree.And(end, look("last_segment", tree.U(1), func(e entry) int { return bit(e.last) })))
	closing := m.Wire("last_group", tree.Binary{Op: "==", X: group, Y: look("group_of_last", d.group, func(e entry) int {
		return d.s.Group[e.w.Population] + e.w.Groups - 1
	})})
	all := m.Wire("end_of_sweep", tree.And(row, closing))
	again := m.Wire("again", tree.And(row, tree.Not(closing)))
	next := m.Wire("next_segment", tree.Cond{If: again, Then: look("first_segment", seg.T, func(e entry) int { return e.first }), Else: m.Wire("segment_up", tree.Inc(seg))})
	firsts := ints(list, func(e entry) int { return e.g.First })
	firstSender := m.Lookup("first_sender", d.index, next, append(firsts, firsts[0]))
	final := m.Wire("end_of_step", tree.And(all, look("of_last_sweep", tree.U(1), func(e entry) int { return bit(e.final) })))
	chains := look("chains", tree.U(1), func(e entry) int { return bit(e.chains) })
	due := d.starts(m, time, seg, ints(list, func(e entry) int { return e.w.Start - 1 }))
	m.Drive(done, row)

	body := []tree.Stmt{
		tree.If{Cond: tree.And(armed, due), Then: []tree.Stmt{tree.Set{To: active, From: tree.Bit(true)}}},
		tree.If{Cond: active, Then: []tree.Stmt{
			tree.Set{To: word, From: tree.Inc(word)},
			tree.Set{To: fresh, From: row},
			tree.If{Cond: end, Then: []tree.Stmt{
				tree.Set{To: seg, From: next},
				tree.Set{To: sender, From: firstSender},
			}, Else: []tree.Stmt{tree.Set{To: sender, From: tree.Inc(sender)}}},
			tree.If{Cond: row, Then: []tree.Stmt{tree.Set{To: group, From: tree.Inc(group)}}},
			tree.If{Cond: all, Then: []tree.Stmt{tree.Set{To: active, From: chains}}},
			tree.If{Cond: final, Then: []tree.Stmt{tree.Set{To: armed, From: tree.Bit(false)}}},
		}},
		tree.If{Cond: load, Then: []tree.Stmt{tree.Set{To: word, From: at}}},
		tree.If{Cond: go_, Then: []tree.Stmt{
			tree.Set{To: armed, From: tree.Bit(true)},
			tree.Set{To: word, From: num(d.word, 0)},
			tree.Set{To: seg, From: num(seg.T, 0)},
			tree.Set{To: sender, From: num(d.index, list[0].g.First)},
			tree.Set{To: group, From: num(d.group, 0)},
			tree.Set{To: fresh, From: tree.Bit(true)},
		}},
		tree.If{Cond: rst, Then: []tree.Stmt{tree.Set{To: active, From: tree.Bit(false)}, tree.Set{To: armed, From: tree.Bit(false)}}},
	}
	// Flags of the segment.
	flag := func(name, doc string, f func(e entry) int) {
		m.Drive(m.Output(name, tree.U(1), doc), look(name[:len(name)-2]+"_flag", tree.U(1), f))
	}
	flag("neurons_o", "the sender is a neuron", func(e entry) int { return bit(e.g.Neurons) })
	if d.t.learning {
		flag("plastic_o", "", func(e entry) int { return bit(e.g.Plastic) })
		clip := m.Output("clip_o", tree.U(addressBits(len(d.clipList()))), "which bounds the weight has")
		m.Drive(clip, look("clip", clip.T, func(e entry) int { return d.clipOf(e.g) }))
		if d.p.Decays() {
			decay, backDecay := d.decays()
			out := m.Output("decay_o", tree.S(d.p.Decay.Bits), "what the weight loses in a step")
			m.Drive(out, look("decay", out.T, func(e entry) int { return decay(e.g) }))
			if d.mirrors() {
				out := m.Output("back_decay_o", tree.S(d.p.Decay.Bits), "the same of the way back")
				m.Drive(out, look("back_decay", out.T, func(e entry) int { return backDecay(e.g) }))
			}
		}
	}
	if d.back() {
		flag("back_o", "the sender has an error neuron that listens", func(e entry) int { return bit(e.g.Back) })
		flag("fixed_o", "through weights of its own", func(e entry) int { return bit(e.g.Fixed) })
		if d.t.rule {
			flag("learned_o", "which learn", func(e entry) int { return bit(e.g.Learned) })
			if d.phaseless() {
				_, loss := d.gains()
				out := m.Output("loss_o", tree.S(d.p.Rule.Loss.Bits), "what they lose in a step")
				m.Drive(out, look("loss", out.T, func(e entry) int {
					if !e.g.Learned {
						return int(loss[0])
					}
					return int(d.p.Populations[d.p.Projections[e.g.Projection].From].Loss)
				}))
			}
		}
		opening := m.Reg("first_group", tree.U(1))
		body = append(body, tree.If{Cond: tree.And(active, row), Then: []tree.Stmt{tree.Set{To: opening, From: closing}}},
			tree.If{Cond: go_, Then: []tree.Stmt{tree.Set{To: opening, From: tree.Bit(true)}}})
		opens, closes := m.Output("opens_o", tree.U(1), "its sum begins"), m.Output("closes_o", tree.U(1), "its sum is complete")
		m.Drive(opens, tree.And(opening, look("opens_flag", tree.U(1), func(e entry) int { return bit(e.g.Opens) })))
		m.Drive(closes, tree.And(closing, look("closes_flag", tree.U(1), func(e entry) int { return bit(e.g.Closes) })))
	}
	m.At(body...)
	d.proves(m, within("active_o", "word_o", d.word, d.s.Words), within("active_o", "sender_o", d.index, d.s.Senders), within("active_o", "group_o", d.group, d.s.Groups))
	return m
}

// back tells whether errors travel back through any projection.
func (d *design) back() bool {
	for i := range d.s.Sweeps {
		for _, g := range d.s.Sweeps[i].Segments {
			if g.Back {
				return true
			}
		}
	}
	return false
}

// fixed tells whether any errors travel back through weights of their own, and
// whether all do.
func (d *design) fixed() (some, all bool) {
	all = true
	for i := range d.s.Sweeps {
		for _, g := range d.s.Sweeps[i].Segments {
			some = some || g.Fixed
			all = all && (g.Fixed || !g.Back)
		}
	}
	return some, all && some
}

// clipList are the different pairs of bounds that stored weights have.
func (d *design) clipList() [][2]int64 {
	if d.clips == nil {
		low, high := d.p.Limits()
		d.clips = [][2]int64{{low, high}}
		for i := range d.p.Projections {
			l := &d.p.Projections[i]
			c, known := [2]int64{l.Low, l.High}, !l.Plastic
			for _, other := range d.clips {
				known = known || other == c
			}
			if !known {
				d.clips = append(d.clips, c)
			}
		}
	}
	return d.clips
}

func (d *design) clipOf(g *Segment) int {
	if g.Projection < 0 || !g.Plastic {
		return 0
	}
	l := &d.p.Projections[g.Projection]
	for i, c := range d.clipList() {
		if c == [2]int64{l.Low, l.High} {
			return i
		}
	}
	return 0
}

// slots hands the neuron unit one neuron a cycle.
func (d *design) slots() *tree.Module {
	m := d.module("slots", "Hands the neuron unit one neuron a cycle: error neurons before their weights are read,",
		"membranes after. All outputs are of stage 0.")
	pops := d.p.Populations
	list := d.s.Bursts
	for i, b := range list {
		what := "error neurons"
		if b.Membrane {
			what = "membranes"
		}
		m.Doc = append(m.Doc, fmt.Sprintf("burst %d, from cycle %d: %d %s of %s", i, b.Start, pops[b.Population].Size, what, pops[b.Population].Name))
	}
	m.Clock()
	rst := m.Input("rst_i", tree.U(1), "")
	go_ := m.Input("go_i", tree.U(1), "")
	time := m.Input("time_i", tree.U(addressBits(d.s.Period)), "")
	active := m.OutputReg("active_o", tree.U(1), "")
	addr := m.OutputReg("neuron_o", d.neuron, "address of the neuron")
	burst := m.Reg("burst", tree.U(addressBits(len(list)+1)))
	armed := m.Reg("armed", tree.U(1))
	look := func(name string, t tree.Type, f func(b Burst) int) *tree.Net {
		return m.Lookup(name, t, burst, ints(list, f))
	}
	end := m.Wire("end_of_burst", tree.Binary{Op: "==", X: addr, Y: look("last_neuron", d.neuron, func(b Burst) int {
		return d.s.Address[b.Population] + pops[b.Population].Size - 1
	})})
	follows := make([]int64, len(list)) // the next burst begins at once
	for i := range len(list) - 1 {
		follows[i] = int64(bit(list[i+1].Start == list[i].Start+pops[list[i].Population].Size))
	}
	final := make([]int64, len(list))
	final[len(list)-1] = 1
	next := m.Wire("next_burst", tree.Inc(burst))
	firsts := ints(list, func(b Burst) int { return d.s.Address[b.Population] })
	first := m.Lookup("first_neuron", d.neuron, next, append(firsts, firsts[0]))
	due := d.starts(m, time, burst, ints(list, func(b Burst) int { return max(b.Start-1, 0) }))
	body := []tree.Stmt{
		tree.If{Cond: tree.And(armed, due), Then: []tree.Stmt{tree.Set{To: active, From: tree.Bit(true)}}},
		tree.If{Cond: active, Then: []tree.Stmt{
			tree.Set{To: addr, From: tree.Inc(addr)},
			tree.If{Cond: end, Then: []tree.Stmt{
				tree.Set{To: burst, From: next},
				tree.Set{To: addr, From: first},
				tree.Set{To: active, From: m.Lookup("follows", tree.U(1), burst, follows)},
				tree.If{Cond: m.Lookup("of_last_burst", tree.U(1), burst, final), Then: []tree.Stmt{tree.Set{To: armed, From: tree.Bit(false)}}},
			}},
		}},
		tree.If{Cond: go_, Then: []tree.Stmt{
			tree.Set{To: armed, From: tree.Bit(true)},
			tree.Set{To: active, From: tree.Bit(list[0].Start == 0)},
			tree.Set{To: burst, From: num(burst.T, 0)},
			tree.Set{To: addr, From: num(d.neuron, d.s.Address[list[0].Population])},
		}},
	}
	if d.s.Lanes > 1 {
		lane := m.OutputReg("lane_o", tree.U(addressBits(d.s.Lanes)), "its lane")
		group := m.OutputReg("group_o", d.group, "its row group")
		groups := ints(list, func(b Burst) int { return d.s.Group[b.Population] })
		firstGroup := m.Lookup("first_group", d.group, next, append(groups, groups[0]))
		wrap := m.Wire("last_lane", tree.Equal(lane, int64(d.s.Lanes-1)))
		body = append(body, tree.If{Cond: active, Then: []tree.Stmt{
			tree.Set{To: lane, From: tree.Inc(lane)},
			tree.If{Cond: wrap, Then: []tree.Stmt{tree.Set{To: lane, From: num(lane.T, 0)}, tree.Set{To: group, From: tree.Inc(group)}}},
			tree.If{Cond: end, Then: []tree.Stmt{tree.Set{To: lane, From: num(lane.T, 0)}, tree.Set{To: group, From: firstGroup}}},
		}}, tree.If{Cond: go_, Then: []tree.Stmt{
			tree.Set{To: lane, From: num(lane.T, 0)},
			tree.Set{To: group, From: num(d.group, int(groups[0]))},
		}})
	}
	body = append(body, tree.If{Cond: rst, Then: []tree.Stmt{tree.Set{To: active, From: tree.Bit(false)}, tree.Set{To: armed, From: tree.Bit(false)}}})
	m.At(body...)

	flag := func(name, doc string, t tree.Type, f func(b Burst) int) {
		m.Drive(m.Output(name, t, doc), look(name[:len(name)-2]+"_flag", t, f))
	}
	flag("membrane_o", "a membrane; an error neuron otherwise", tree.U(1), func(b Burst) int { return bit(b.Membrane) })
	flag("answers_o", "its rate leaves the core", tree.U(1), func(b Burst) int { return bit(b.Membrane && d.outputs[b.Population]) })
	flag("phi_o", "0: by table, 1: linear, 2: relu", tree.U(2), func(b Burst) int { return phiCode(pops[b.Population].Phi, pops[b.Population].Table) })
	if len(d.p.Tables) > 1 {
		flag("table_o", "which table", tree.U(addressBits(len(d.p.Tables))), func(b Burst) int { return max(pops[b.Population].Table, 0) })
	}
	if d.t.backward {
		flag("target_o", "it has a target", tree.U(1), func(b Burst) int { return bit(pops[b.Population].Target != "") })
		flag("back_o", "errors come back to it", tree.U(1), func(b Burst) int { return bit(d.listens(b.Population)) })
		if d.p.Nudged {
			flag("beta_o", "gain of its target", tree.S(d.p.Nudge.Bits), func(b Burst) int { return int(pops[b.Population].Beta) })
		}
		if d.t.scaled {
			flag("mantissa_o", "of its learning rate", tree.S(d.p.Scale.Bits), func(b Burst) int { return int(pops[b.Population].Mantissa) })
		}
	}
	if d.t.aligned {
		gain, loss := d.gains()
		flag("gain_o", "rate of what its potential teaches", tree.S(d.p.Rule.Scale.Bits), func(b Burst) int { return int(gain[b.Population]) })
		if !d.phaseless() {
			flag("loss_o", "the same of the square of its input", tree.S(d.p.Rule.Scale.Bits), func(b Burst) int { return int(loss[b.Population]) })
		}
	}
	if d.t.noise > 0 {
		flag("noisy_o", "it hears noise", tree.U(1), func(b Burst) int { return bit(pops[b.Population].Noise != nil) })
	}
	// The last rate of a step that leaves the core.
	lastOut := make([]int64, len(list))
	lastAddr := 0
	for i, b := range slices.Backward(list) {
		if b.Membrane && d.outputs[b.Population] {
			lastOut[i], lastAddr = 1, d.s.Address[b.Population]+pops[b.Population].Size-1
			break
		}
	}
	completes := m.Output("completes_o", tree.U(1), "the answer is complete with it")
	m.Drive(completes, tree.And(m.Lookup("completes_flag", tree.U(1), burst, lastOut), tree.Equal(addr, int64(lastAddr))))
	d.proves(m, within("active_o", "neuron_o", d.neuron, d.s.Neurons))
	return m
}

// listens tells whether errors come back to a population.
func (d *design) listens(k int) bool {
	for i := range d.s.Sweeps {
		for _, g := range d.s.Sweeps[i].Segments {
			if g.Back && g.First == d.s.Address[k] {
				return true
			}
		}
	}
	return false
}

func phiCode(phi string, table int) int {
	switch {
	case table >= 0:
		return 0
	case phi == "relu":
		return 2
	}
	return 1
}
