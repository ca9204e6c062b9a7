package verilog

import (
	"fmt"

	"vlec/emit/verilog/tree"
)

// describe tells what a sweep goes through.
func (d *design) describe(w *Sweep) []string {
	p := d.p
	doc := []string{fmt.Sprintf("sweep from cycle %d: into %s, %d row groups of %d cycles, from word %d", w.Start, p.Populations[w.Population].Name, w.Groups, w.Row, w.Word)}
	for _, g := range w.Segments {
		what := "its bias"
		if g.Projection >= 0 {
			what = "projection " + p.Projections[g.Projection].Name
			if g.Back {
				what += fmt.Sprintf(", feedback %s", p.Projections[g.Projection].Feedback)
			}
		}
		if g.Plastic {
			what += ", plastic"
		}
		doc = append(doc, fmt.Sprintf("  senders %d to %d: %s", g.First, g.First+g.Size-1, what))
	}
	return doc
}

// core is the top of the design.
func (d *design) core() *tree.Module {
	p, t, s := d.p, d.t, d.s
	m := tree.NewModule(d.top, fmt.Sprintf("Network %s: %d neurons, %d weights and biases, %d lanes, %d cycles a step.", p.Name, s.Neurons, s.Synapses, s.Lanes, s.Period),
		"Joins the engines, the pipes behind them, and the memories. Stages count from an address of a weight",
		"(sweep) or from a neuron's slot.")
	for i := range p.Populations {
		q := &p.Populations[i]
		m.Doc = append(m.Doc, fmt.Sprintf("  neurons %d to %d: population %s, %s", s.Address[i], s.Address[i]+q.Size-1, q.Name, q.Phi))
	}
	for i, in := range p.Inputs {
		m.Doc = append(m.Doc, fmt.Sprintf("  senders %d to %d: input %s", s.Input[i], s.Input[i]+in.Size-1, in.Name))
	}
	if s.One >= 0 {
		m.Doc = append(m.Doc, fmt.Sprintf("  sender %d: 1, for biases", s.One))
	}
	clk := m.Clock()
	rst := m.Input("rst_i", tree.U(1), "synchronous")
	step := m.Input("step_i", tree.U(1), "let steps start")
	clear := m.Input("clear_i", tree.U(1), "the next step begins at initial states; weights stay")
	learnEn := m.Input("learn_en_i", tree.U(1), "weights change; sampled as a step starts")
	busy := m.Output("busy_o", tree.U(1), "a step is running")
	sData := m.Input("s_tdata_i", d.stream, "samples: "+d.rateDoc())
	sValid, sLast := m.Input("s_tvalid_i", tree.U(1), ""), m.Input("s_tlast_i", tree.U(1), "")
	sReady := m.Output("s_tready_o", tree.U(1), "")
	frame := m.Output("frame_error_o", tree.U(1), "a sample had the wrong length, or a word was out of range")
	mData := m.Output("m_tdata_o", d.stream, "answers: "+d.rateDoc())
	mValid, mLast := m.Output("m_tvalid_o", tree.U(1), ""), m.Output("m_tlast_o", tree.U(1), "")
	mReady := m.Input("m_tready_i", tree.U(1), "")
	laneBits := 0
	if s.Lanes > 1 {
		laneBits = addressBits(s.Lanes)
	}
	cfgValid, cfgWrite := m.Input("cfg_valid_i", tree.U(1), "register port of weights, served between steps"), m.Input("cfg_write_i", tree.U(1), "")
	wordDoc, dataDoc := "word, then lane in the low bits", fmt.Sprintf("stored weight: %d fraction bits", p.Weight.Frac)
	if t.rule {
		wordDoc = "the highest bit: of the way back; word, then lane in the low bits"
		dataDoc += fmt.Sprintf(", of the way back %d", p.Rule.Weight.Frac)
	}
	cfgAddr := m.Input("cfg_addr_i", tree.U(d.word.Width+laneBits+bit(t.rule)), wordDoc)
	cfgData := m.Input("cfg_data_i", d.port, dataDoc)
	cfgReady := m.Output("cfg_ready_o", tree.U(1), "")
	cfgOut := m.OutputReg("cfg_data_o", d.port, "")

	to := tree.To
	// Engines.
	wire := func(name string, t tree.Type) *tree.Net { return m.Bare(name, t) }
	goN, first0, learn := wire("go", tree.U(1)), wire("first", tree.U(1)), wire("learn", tree.U(1))
	time := wire("time_of_step", tree.U(addressBits(s.Period)))
	page := wire("page", tree.U(1))
	loaded, drained := wire("loaded", tree.U(1)), wire("drained", tree.U(1))
	cfgLoad, cfgRead, cfgStore := wire("cfg_load", tree.U(1)), wire("cfg_read", tree.U(1)), wire("cfg_store", tree.U(1))
	controls := []tree.Connection{
		to("clk_i", clk), to("rst_i", rst), to("step_i", step), to("clear_i", clear), to("learn_en_i", learnEn),
		to("loaded_i", loaded), to("drained_i", drained), to("cfg_valid_i", cfgValid), to("cfg_write_i", cfgWrite), to("go_o", goN),
		to("time_o", time), to("running_o", busy), to("page_o", page), to("first_o", first0), to("learn_o", learn),
		to("cfg_load_o", cfgLoad), to("cfg_read_o", cfgRead), to("cfg_store_o", cfgStore), to("cfg_ready_o", cfgReady),
	}
	var turn, taught, second *tree.Net
	if t.aligned && !t.now {
		turn, taught = wire("turn", tree.U(1)), wire("taught", tree.U(1))
		controls = append(controls, to("turn_o", turn), to("taught_o", taught))
		if d.phaseless() {
			second = wire("second", tree.U(1))
			controls = append(controls, to("second_o", second))
		}
	}
	m.Place(d.control(), "control", controls...)

	m.Say("The sweep over the weights, stage 0.")
	sweep := d.sweep()
	cfgWord := cfgAddr
	if cfgAddr.T.Width > d.word.Width {
		cfgWord = m.Wire("cfg_word", tree.Part{X: cfgAddr, High: laneBits + d.word.Width - 1, Low: laneBits})
	}
	w := d.open(m, sweep, "sweep", map[string]tree.Expr{
		"clk_i": clk, "rst_i": rst, "go_i": goN, "time_i": time, "cfg_load_i": cfgLoad, "cfg_word_i": cfgWord,
	})
	m.Say("The slots of the neuron unit, stage 0.")
	slot := d.open(m, d.slots(), "slots", map[string]tree.Expr{"clk_i": clk, "rst_i": rst, "go_i": goN, "time_i": time})
	membrane, neuron, valid := slot["membrane_o"], slot["neuron_o"], slot["active_o"]
	group, lane := neuron, (*tree.Net)(nil)
	if s.Lanes > 1 {
		group, lane = slot["group_o"], slot["lane_o"]
	} else {
		group = m.Ext(neuron, d.group.Width)
	}
	isU := m.Control(m.Wire("u_slot", tree.And(valid, membrane)), rst)
	m.Control(valid, rst)
	m.Control(w["active_o"], rst)
	var isV *tree.Net
	if t.backward {
		isV = m.Control(m.Wire("v_slot", tree.And(valid, tree.Not(membrane))), rst)
	}

	// Results of the pipes that memories take, declared before they are driven.
	rate, slope := wire("rate", d.rate), wire("slope", tree.S(p.Slope.Bits))
	newState, out := wire("new_state", d.state), wire("out", d.out)
	isRate := m.Delay(isU, t.rate)
	otherPage := m.Wire("next_page", tree.Not(page))
	ratePage := m.Delay(otherPage, t.rate)

	m.Say("Rates of neurons, two pages: one is read while the other one is made. Inputs and the sender of")
	m.Say("biases stand behind them.")
	in := d.open(m, d.streamIn(), "stream_in", map[string]tree.Expr{
		"clk_i": clk, "rst_i": rst, "s_tdata_i": sData, "s_tvalid_i": sValid, "s_tlast_i": sLast, "s_tready_o": sReady,
		"go_i": goN, "busy_i": isRate, "loaded_o": loaded, "frame_error_o": frame,
	})
	rateAt := m.Ext(m.Delay(neuron, t.rate), d.index.Width)
	ratesWE := m.Wire("rates_we", tree.Or(isRate, in["we_o"]))
	ratesAt := m.Wire("rates_at", tree.Cond{If: isRate, Then: m.Wire("rate_at", tree.Cat{ratePage, rateAt}), Else: m.Wire("input_at", tree.Cat{otherPage, in["address_o"]})})
	ratesIn := m.Wire("rates_in", tree.Cond{If: isRate, Then: rate, Else: in["data_o"]})
	var one map[int]int64
	if s.One >= 0 {
		one = map[int]int64{s.One: 1 << p.Rate.Frac, s.One + 1<<d.index.Width: 1 << p.Rate.Frac}
	}
	read := m.Wire("sweep_at", tree.Cat{page, w["sender_o"]})
	sent := d.memory(m, "rates", d.ram(d.rate, 2<<d.index.Width, one, "rates"), w["active_o"], read, ratesWE, ratesAt, ratesIn)
	// At the start neurons have no rate yet.
	mute := m.Follow("mute", tree.And(first0, w["neurons_o"]))
	r := m.Wire("sender_rate", tree.Cond{If: mute, Then: num(d.rate, 0), Else: sent})

	h := &hearing{taught: learn}
	if t.aligned {
		h = d.hear(m, w, isU, neuron, page, turn)
		h.taught = taught
		if t.now {
			h.taught = m.Wire("teaches", tree.And(learn, tree.Not(first0)))
		}
		if d.phaseless() { // no rate has heard of noise yet
			quiet := m.Follow("quiet", second)
			h.near = m.Wire("near_on", tree.Cond{If: quiet, Then: num(h.near.T, 0), Else: h.near})
		}
	}
	drives := d.lanes(m, w, r, learn, rst, cfg{cfgAddr, cfgRead, cfgStore, cfgData, cfgOut, laneBits}, slotPipe{isU, isV, group, lane, out}, h)

	m.Say("Sums of w r wait for their slot.")
	at := t.arrive - 1
	total := d.drive(m, w, drives, rst, m.Delay(isU, at), m.Delay(group, at), lane)
	var noise *tree.Net
	if t.noise > 0 {
		total, noise = d.disturb(m, total, isU, neuron, slot["noisy_o"])
	}
	if t.far > 0 {
		d.teachFar(m, h, total, isU, neuron, first0, rate)
	}
	if t.gamma > 0 {
		total = d.couple(m, total, isV, isU, neuron, out)
	}

	switch {
	case d.phaseless():
		m.Place(d.heardOfNoise(), "heard", to("clk_i", clk), to("noise_i", noise), to("gain_i", m.Delay(slot["gain_o"], t.arrive)), to("near_o", h.nearIn))
	case t.aligned:
		m.Place(d.heard(), "heard", to("clk_i", clk), to("total_i", total), to("out_i", out), to("gain_i", m.Delay(slot["gain_o"], t.out+t.square())),
			to("loss_i", m.Delay(slot["loss_o"], t.diff+4+t.slow)), to("loss_o", h.lossIn), to("near_o", h.nearIn))
	}
	var x *tree.Net
	if t.backward {
		x = d.errors(m, slot, in, isV, isU, neuron, page, otherPage, rate, slope, w)
	}

	m.Say("States of membranes and error neurons.")
	stateAt := neuron
	if t.backward {
		stateAt = m.Wire("state_at", tree.Cat{membrane, neuron})
	}
	state := d.memory(m, "states", d.ram(d.state, d.states(), nil, ""), m.Delay(valid, t.diff-1), m.Delay(stateAt, t.diff-1),
		m.Delay(valid, t.state), m.Delay(stateAt, t.state), newState)
	lag, lead := d.coefficients(m, membrane, stateAt)
	ports := []tree.Connection{
		to("clk_i", clk), to("first_i", m.Delay(first0, t.diff)), to("drive_i", total), to("state_i", state), to("lag_i", lag), to("lead_i", lead),
		to("state_o", newState), to("out_o", out),
	}
	if d.starting() {
		ports = append(ports, to("initial_i", d.initial(m, stateAt)))
	}
	if t.backward {
		ports = append(ports, to("membrane_i", m.Delay(membrane, t.diff)), to("x_i", x))
	}
	m.Place(d.unit(), "lead_lag", ports...)
	of := d.activation()
	values := map[string]tree.Expr{"clk_i": clk, "out_i": out, "rate_o": rate, "slope_o": slope}
	for _, n := range of.Ports {
		switch n.Name {
		case "membrane_i":
			values[n.Name] = m.Delay(membrane, t.out+1)
		case "mantissa_i":
			values[n.Name] = m.Delay(slot["mantissa_o"], t.out+1)
		case "phi_i":
			values[n.Name] = m.Delay(slot["phi_o"], t.out+2)
		case "table_i":
			values[n.Name] = m.Delay(slot["table_o"], t.out)
		case "scaled_o":
			values[n.Name] = d.scaledNet
		}
	}
	d.open(m, of, "activation", values)
	d.open(m, d.streamOut(), "stream_out", map[string]tree.Expr{
		"clk_i": clk, "rst_i": rst, "we_i": m.Delay(m.Control(m.Wire("answer", tree.And(isU, slot["answers_o"])), rst), t.rate), "page_i": ratePage,
		"neuron_i": m.Delay(neuron, t.rate), "rate_i": rate, "complete_i": m.Delay(m.Control(m.Wire("completes", tree.And(isU, slot["completes_o"])), rst), t.rate),
		"m_tdata_o": mData, "m_tvalid_o": mValid, "m_tlast_o": mLast, "m_tready_i": mReady, "drained_o": drained,
	})
	d.assumesReset(m)
	return m
}

func (d *design) rateDoc() string {
	return fmt.Sprintf("words of %d bits, %d of them fraction", d.p.Rate.Bits, d.p.Rate.Frac)
}

// open places a module, with a new wire on each port that is not given, and
// returns the wires by port.
func (d *design) open(m, of *tree.Module, name string, given map[string]tree.Expr) map[string]*tree.Net {
	var ports []tree.Connection
	wires := map[string]*tree.Net{}
	for _, n := range of.Ports {
		to, ok := given[n.Name]
		if !ok {
			wire := m.Bare(name+"_"+n.Name[:len(n.Name)-2], n.T)
			wires[n.Name], to = wire, wire
		}
		ports = append(ports, tree.To(n.Name, to))
	}
	m.Place(of, name, ports...)
	return wires
}

// cfg is the register port.
type cfg struct {
	addr, read, store, data, out *tree.Net
	laneBits                     int
}

// slotPipe is what lanes need of the slots: errors on their way.
type slotPipe struct {
	isU, isV, group, lane *tree.Net
	out                   *tree.Net
}

// lanes places the lanes with their weights and errors, and returns their sums of
// w r at stage 3.
func (d *design) lanes(m *tree.Module, w map[string]*tree.Net, r, learn, rst *tree.Net, port cfg, slot slotPipe, h *hearing) []*tree.Net {
	p, t, s := d.p, d.t, d.s
	to := tree.To
	active := w["active_o"]
	some, all := d.fixed()
	words, fixed := d.words()
	read := m.Wire("weights_re", tree.Or(active, port.read))
	atBack := m.Delay(active, 1+t.late)
	writeAt := m.Delay(w["word_o"], t.learned)
	var learned, clip, decay *tree.Net
	if t.learning {
		learned = m.Delay(m.Control(m.Wire("learns", tree.And(active, w["plastic_o"], learn)), rst), t.learned)
		clip = m.Delay(w["clip_o"], t.learned-1)
		if p.Decays() {
			decay = m.Delay(w["decay_o"], 1)
		}
	}
	fresh := m.Delay(w["fresh_o"], 2)
	laneModule := d.lane()
	var drives, backs, stored, storedBack []*tree.Net
	var taught, toBack, taughtAt *tree.Net
	isBack := tree.Part{X: port.addr, High: port.addr.T.Width - 1, Low: port.addr.T.Width - 1} // where some learn
	if t.rule {
		taught = m.Delay(m.Control(m.Wire("takes", tree.And(active, w["learned_o"], h.taught)), rst), t.taught())
		toBack = m.Wire("cfg_store_back", tree.And(port.store, isBack))
		port.store = m.Wire("cfg_store_word", tree.And(port.store, tree.Not(isBack)))
		taughtAt = m.Delay(w["word_o"], t.taught())
	}
	var scaled *tree.Net
	if t.scaled {
		scaled = m.Bare("scaled", d.err)
	}
	for l := range s.Lanes {
		m.Say("Lane %d.", l)
		name := func(what string) string { return fmt.Sprintf("%s_%d", what, l) }
		here := func(x *tree.Net) *tree.Net { // x, for this lane
			if port.laneBits == 0 {
				return x
			}
			part := m.Wire(name(x.Name+"_here"), tree.And(x, tree.Binary{Op: "==", X: tree.Part{X: port.addr, High: port.laneBits - 1, Low: 0}, Y: num(tree.U(port.laneBits), l)}))
			return part
		}
		store := here(port.store)
		loaded := m.Ext(port.data, d.stored.Width)
		we, wa, data := store, w["word_o"], loaded
		newWord := (*tree.Net)(nil)
		if t.learning {
			newWord = m.Bare(name("new_word"), d.stored)
			we = m.Wire(name("weight_we"), tree.Or(learned, store))
			wa = m.Wire(name("weight_at"), tree.Cond{If: learned, Then: writeAt, Else: w["word_o"]})
			data = m.Wire(name("weight_in"), tree.Cond{If: learned, Then: newWord, Else: loaded})
		}
		word := m.Bare(name("weight"), d.stored)
		m.Place(d.weights(l, words[l], "weights", d.stored), name("weights"), to("clk_i", clockOf(m)), to("re_i", read), to("raddr_i", w["word_o"]),
			to("we_i", we), to("waddr_i", wa), to("data_i", data), to("data_o", word))
		stored = append(stored, word)
		drive := m.Bare(name("drive"), tree.S(p.Drive.Bits))
		drives = append(drives, drive)
		ports := []tree.Connection{to("clk_i", clockOf(m)), to("fresh_i", fresh), to("word_i", word), to("rate_i", r), to("drive_o", drive)}
		if d.back() || t.learning {
			hereAt := func(is *tree.Net, k int) tree.Expr {
				if slot.lane == nil {
					return m.Delay(is, k)
				}
				return m.Wire(name("v_here"), tree.And(m.Delay(is, k), tree.Equal(m.Delay(slot.lane, k), int64(l))))
			}
			errorWE := func(k int) tree.Expr { return hereAt(slot.isV, k) }
			zero := d.blank(l)
			ram := d.ram(d.err, s.Groups, zero, fmt.Sprintf("errors_%d", l))
			e := d.memory(m, name("errors"), ram, active, w["group_o"], errorWE(t.out), m.Delay(slot.group, t.out), m.Ext(slot.out, d.err.Width))
			if d.back() {
				ports = append(ports, to("error_i", e))
				back := m.Bare(name("back"), tree.S(p.Operand.Bits+p.Error.Bits))
				backs = append(backs, back)
				ports = append(ports, to("back_o", back))
				switch {
				case t.rule:
					storeBack := here(toBack)
					next := m.Bare(name("next_back"), d.backStored)
					b := m.Bare(name("back_weight"), d.backStored)
					m.Place(d.weights(l, fixed[l], "back_weights", d.backStored), name("back_weights"), to("clk_i", clockOf(m)), to("re_i", read), to("raddr_i", w["word_o"]),
						to("we_i", m.Wire(name("back_we"), tree.Or(taught, storeBack))),
						to("waddr_i", m.Wire(name("back_to"), tree.Cond{If: taught, Then: taughtAt, Else: w["word_o"]})),
						to("data_i", m.Wire(name("back_in"), tree.Cond{If: taught, Then: next, Else: m.Ext(port.data, d.backStored.Width)})), to("data_o", b))
					storedBack = append(storedBack, b)
					ports = append(ports, to("back_i", b), to("back_word_o", next))
					if t.aligned {
						ports = append(ports, to("near_i", h.near), to("loss_i", h.loss))
					}
					if t.aligned && !t.now {
						far := h.farIn
						var done tree.Expr
						var group *tree.Net
						var zeros map[int]int64
						if t.far > 0 {
							zeros = zero // rows that pad a group have no slot
							done, group = hereAt(slot.isU, t.far), m.Delay(slot.group, t.far)
						} else {
							far = m.Bare(name("far_in"), tree.S(p.Rule.Far.Bits))
							row, of := d.rowDone(m, w, rst)
							done, group = m.Delay(row, farWritten-sumWritten), m.Delay(of, farWritten-sumWritten)
							ports = append(ports, to("far_o", far))
						}
						heard := d.memory(m, name("far"), d.ram(far.T, s.Groups, zeros, fmt.Sprintf("far_%d", l)), active, w["group_o"], done, group, far)
						ports = append(ports, to("far_i", heard), to("learned_i", taught))
					}
					if !all {
						ports = append(ports, to("fixed_i", m.Delay(w["fixed_o"], 1+t.late)))
					}
				case some:
					b := m.Bare(name("back_weight"), d.operand)
					m.Place(d.weights(l, fixed[l], "back_weights", d.operand), name("back_weights"), to("clk_i", clockOf(m)), to("re_i", active), to("raddr_i", w["word_o"]),
						to("we_i", tree.Bit(false)), to("waddr_i", w["word_o"]), to("data_i", num(d.operand, 0)), to("data_o", b))
					ports = append(ports, to("back_i", b))
					if !all {
						ports = append(ports, to("fixed_i", m.Delay(w["fixed_o"], 1)))
					}
				}
			}
			if t.learning {
				se := e
				if t.scaled {
					ram := d.ram(d.err, s.Groups, zero, fmt.Sprintf("scaled_%d", l))
					se = d.memory(m, name("scaled_errors"), ram, active, w["group_o"], errorWE(t.rate), m.Delay(slot.group, t.rate), scaled)
				}
				ports = append(ports, to("scaled_i", se), to("clip_i", clip), to("word_o", newWord))
				if decay != nil {
					ports = append(ports, to("decay_i", decay))
					if d.mirrors() {
						ports = append(ports, to("back_decay_i", m.Delay(w["back_decay_o"], 1)))
					}
				}
			}
		}
		m.Place(laneModule, name("lane"), ports...)
	}
	d.scaledNet = scaled
	if t.rule {
		showsBack := m.Wire("shows_back", isBack)
		for l := range stored {
			stored[l] = m.Wire(fmt.Sprintf("read_%d", l), tree.Cond{If: showsBack, Then: m.Ext(storedBack[l], d.port.Width), Else: m.Ext(stored[l], d.port.Width)})
		}
	}
	shown := stored[0]
	for l := 1; l < s.Lanes; l++ {
		is := m.Wire(fmt.Sprintf("shows_%d", l), tree.Binary{Op: "==", X: tree.Part{X: port.addr, High: port.laneBits - 1, Low: 0}, Y: num(tree.U(port.laneBits), l)})
		shown = m.Wire(fmt.Sprintf("shown_%d", l), tree.Cond{If: is, Then: stored[l], Else: shown})
	}
	m.At(tree.Set{To: port.out, From: shown})
	if d.back() {
		m.Say("Errors on their way back.")
		sums := d.backSum()
		ports := []tree.Connection{
			to("clk_i", clockOf(m)), to("valid_i", m.Wire("back_valid", tree.And(atBack, m.Delay(w["back_o"], 1+t.late)))),
			to("sender_i", m.Ext(m.Delay(w["sender_o"], 1+t.late), d.neuron.Width)), to("opens_i", m.Delay(w["opens_o"], 1+t.late)), to("closes_i", m.Delay(w["closes_o"], 1+t.late)),
		}
		for l, b := range backs {
			ports = append(ports, to(fmt.Sprintf("p%d_i", l), b))
		}
		d.backWE, d.backAt, d.backC = m.Bare("back_we", tree.U(1)), m.Bare("back_at", d.neuron), m.Bare("back_c", tree.S(p.Back.Bits))
		m.Place(sums, "back_sum", append(ports, to("we_o", d.backWE), to("sender_o", d.backAt), to("back_o", d.backC))...)
	}
	return drives
}

// blank is zeros for the errors of a lane: those of populations without error
// neurons and of rows that pad the last group are never written.
func (d *design) blank(lane int) map[int]int64 {
	zero := map[int]int64{}
	for k := range d.p.Populations {
		q := &d.p.Populations[k]
		for g := range (q.Size + d.s.Lanes - 1) / d.s.Lanes {
			if !q.Error || g*d.s.Lanes+lane >= q.Size {
				zero[d.s.Group[k]+g] = 0
			}
		}
	}
	if len(zero) == 0 {
		return nil
	}
	return zero
}

// drive keeps finished sums of w r until their slot.
func (d *design) drive(m *tree.Module, w map[string]*tree.Net, drives []*tree.Net, rst, re, group, lane *tree.Net) *tree.Net {
	done, to := d.rowDone(m, w, rst)
	var read []*tree.Net
	ram := d.ram(tree.S(d.p.Drive.Bits), d.s.Groups, nil, "")
	for l, v := range drives {
		read = append(read, d.memory(m, fmt.Sprintf("drives_%d", l), ram, re, group, done, to, v))
	}
	total := read[0]
	for l := 1; l < len(read); l++ {
		is := m.Wire(fmt.Sprintf("drive_of_%d", l), tree.Equal(m.Delay(lane, d.t.arrive), int64(l)))
		total = m.Wire(fmt.Sprintf("drive_upto_%d", l), tree.Cond{If: is, Then: read[l], Else: total})
	}
	return total
}

// rowDone is when the sum of w r of a row group is complete, and which one.
func (d *design) rowDone(m *tree.Module, w map[string]*tree.Net, rst *tree.Net) (done, group *tree.Net) {
	if d.done == nil {
		d.done = m.Delay(m.Control(m.Wire("row_done", tree.And(w["active_o"], w["done_o"])), rst), sumWritten)
	}
	return d.done, m.Delay(w["group_o"], sumWritten)
}

// teachFar places what a receiver teaches after its slot.
func (d *design) teachFar(m *tree.Module, h *hearing, total, isU, neuron, first, rate *tree.Net) {
	if !d.phaseless() {
		m.Place(d.farOfDrive(), "far", tree.To("clk_i", clockOf(m)), tree.To("drive_i", total), tree.To("far_o", h.farIn))
		return
	}
	at := d.t.rate
	of := tree.S(d.p.Rule.Low.Bits)
	next := m.Bare("next_low", of)
	low := d.memory(m, "low", d.ram(of, d.s.Neurons, nil, ""), m.Delay(isU, at-1), m.Delay(neuron, at-1), m.Delay(isU, at+lowWritten), m.Delay(neuron, at+lowWritten), next)
	m.Place(d.highPass(), "high_pass", tree.To("clk_i", clockOf(m)), tree.To("first_i", m.Delay(first, at)), tree.To("rate_i", rate), tree.To("low_i", low),
		tree.To("far_o", h.farIn), tree.To("low_o", next))
}

// couple adds gamma e to the drive, one stage later.
func (d *design) couple(m *tree.Module, drive, isV, isU, neuron, out *tree.Net) *tree.Net {
	p, t := d.p, d.t
	m.Say("The error goes into the membrane.")
	zero := map[int]int64{}
	for k := range p.Populations {
		for j := range p.Populations[k].Size {
			if !p.Populations[k].Error {
				zero[d.s.Address[k]+j] = 0
			}
		}
	}
	if len(zero) == 0 {
		zero = nil
	}
	at := t.arrive + t.noise - 2
	e := d.memory(m, "coupled", d.ram(d.err, d.s.Neurons, zero, "coupled"), m.Delay(isU, at), m.Delay(neuron, at),
		m.Delay(isV, t.out), m.Delay(neuron, t.out), m.Ext(out, d.err.Width))
	gamma := m.Wire("gamma", tree.Const{T: tree.S(p.Gamma.Bits), Value: p.GammaWord})
	ge := d.product(m, "coupling", gamma, e)
	f := d.totalFrac()
	a, b := m.Left(drive, f-p.Drive.Frac), m.Left(ge, f-p.Gamma.Frac-p.Error.Frac)
	return m.Follow("driven", m.Sum("coupled_drive", a, b, d.totalType().Width))
}

// errors places what comes before the neuron unit for an error neuron, and
// returns x at the unit's first stage.
func (d *design) errors(m *tree.Module, slot, in map[string]*tree.Net, isV, isU, neuron, page, otherPage, rate, slope *tree.Net, w map[string]*tree.Net) *tree.Net {
	t := d.t
	m.Say("What error neurons are given.")
	values := map[string]tree.Expr{"clk_i": clockOf(m)}
	of := d.errorIn()
	memory := func(name string, ty tree.Type, we, wa, data tree.Expr, paged bool) *tree.Net {
		depth, ra := d.s.Neurons, tree.Expr(neuron)
		if paged {
			depth, ra = 2<<d.neuron.Width, m.Wire(name+"_from", tree.Cat{page, neuron})
		}
		return d.memory(m, name, d.ram(ty, depth, nil, ""), isV, ra, we, wa, data)
	}
	for _, n := range of.Ports {
		switch n.Name {
		case "back_i":
			values[n.Name] = memory("backs", n.T, d.backWE, m.Wire("backs_to", tree.Cat{m.Delay(otherPage, t.backSum()), d.backAt}), d.backC, true)
		case "target_i":
			values[n.Name] = memory("targets", n.T, in["target_we_o"], m.Wire("targets_to", tree.Cat{otherPage, m.Ext(in["address_o"], d.neuron.Width)}), in["data_o"], true)
		case "rate_i":
			values[n.Name] = memory("own_rates", n.T, m.Delay(isU, t.rate), m.Delay(neuron, t.rate), rate, false)
		case "target_on_i":
			values[n.Name] = m.Delay(slot["target_o"], 1)
		case "back_on_i":
			values[n.Name] = m.Delay(slot["back_o"], 1)
		case "beta_i":
			values[n.Name] = m.Delay(slot["beta_o"], 2)
		case "slope_i":
			values[n.Name] = d.memory(m, "slopes", d.ram(n.T, d.s.Neurons, nil, ""), m.Delay(isV, 1+t.nudge), m.Delay(neuron, 1+t.nudge),
				m.Delay(isU, t.rate), m.Delay(neuron, t.rate), slope)
		}
	}
	x := d.open(m, of, "error_in", values)["x_o"]
	return m.Delay(x, t.noise+t.gamma)
}

// coefficients are dt/tau and ahead/tau of the neuron in the unit's third stage:
// numbers where all neurons of a kind share them, a memory otherwise.
func (d *design) coefficients(m *tree.Module, membrane, stateAt *tree.Net) (lag, lead *tree.Net) {
	p := d.p
	ty := tree.S(p.Bits)
	same := true
	var u, v [2]int64
	seenU, seenV := false, false
	for k := range p.Populations {
		q := &p.Populations[k]
		for j := range q.Size {
			c := [2]int64{q.Lag[j], q.Lead[j]}
			same = same && (!seenU || c == u)
			u, seenU = c, true
			if d.t.backward && q.Error {
				c := [2]int64{q.ErrorLag[j], q.ErrorLead[j]}
				same = same && (!seenV || c == v)
				v, seenV = c, true
			}
		}
	}
	if same {
		pick := func(name string, i int) *tree.Net {
			if !d.t.backward || u[i] == v[i] {
				return m.Wire(name, tree.Const{T: ty, Value: u[i]})
			}
			return m.Wire(name, tree.Cond{If: m.Delay(membrane, d.t.state-2), Then: tree.Const{T: ty, Value: u[i]}, Else: tree.Const{T: ty, Value: v[i]}})
		}
		return pick("lag_of", 0), pick("lead_of", 1)
	}
	words := make([]int64, d.states())
	for k := range p.Populations {
		q := &p.Populations[k]
		for j := range q.Size {
			at := d.s.Address[k] + j
			if d.t.backward {
				if q.Error {
					words[at] = q.ErrorLag[j]<<p.Bits | q.ErrorLead[j]
				}
				at += 1 << d.neuron.Width
			}
			words[at] = q.Lag[j]<<p.Bits | q.Lead[j]
		}
	}
	of := d.rom("coefficients", tree.U(2*p.Bits), words, "dt/tau and ahead/tau of every neuron; membranes behind error neurons.")
	entry := m.Bare("coefficient", tree.U(2*p.Bits))
	m.Place(of, "rom_coefficients", tree.To("clk_i", clockOf(m)), tree.To("addr_i", m.Delay(stateAt, d.t.state-3)), tree.To("data_o", entry))
	return m.Wire("lag_of", tree.Cast{Signed: true, X: tree.Part{X: entry, High: 2*p.Bits - 1, Low: p.Bits}}),
		m.Wire("lead_of", tree.Cast{Signed: true, X: tree.Part{X: entry, High: p.Bits - 1, Low: 0}})
}

// states is the number of states, padding between error neurons and membranes
// included.
func (d *design) states() int {
	if d.t.backward {
		return 2 << d.neuron.Width
	}
	return d.s.Neurons
}

// initial are the states at the start, at the unit's first stage.
func (d *design) initial(m *tree.Module, stateAt *tree.Net) *tree.Net {
	words := make([]int64, d.states())
	for k := range d.p.Populations {
		q := &d.p.Populations[k]
		for j := range q.Size {
			at := d.s.Address[k] + j
			if d.t.backward {
				if q.Error {
					words[at] = q.V0[j]
				}
				at += 1 << d.neuron.Width
			}
			words[at] = q.U0[j]
		}
	}
	of := d.rom("initial", d.state, words, "States at the start; membranes behind error neurons.")
	q := m.Bare("at_start", d.state)
	m.Place(of, "rom_initial", tree.To("clk_i", clockOf(m)), tree.To("addr_i", m.Delay(stateAt, d.t.diff-1)), tree.To("data_o", q))
	return q
}
