package verilog

import "vlec/emit/verilog/tree"

// A span is a run of addresses that a stream goes through.
type streamSpan struct {
	first, last int
	target      bool
}

func (d *design) spans(list []Vector) []streamSpan {
	var spans []streamSpan
	for i, v := range list {
		s := streamSpan{v.Address, v.Address + v.Size - 1, v.Population >= 0}
		if n := len(spans); i > 0 && spans[n-1].last+1 == s.first && spans[n-1].target == s.target {
			spans[n-1].last = s.last
			continue
		}
		spans = append(spans, s)
	}
	return spans
}

// walker adds an address and the number of its span, which go on when step is
// true and begin anew after the last one. It returns the address, whether it is
// the last of all, and the flag of its span.
func (d *design) walker(m *tree.Module, spans []streamSpan, step *tree.Net, restart tree.Expr) (addr, last, target *tree.Net) {
	addr = m.Reg("address", d.index)
	span := m.Reg("span", tree.U(addressBits(len(spans)+1)))
	end := m.Wire("end_of_span", tree.Binary{Op: "==", X: addr, Y: m.Lookup("last_address", d.index, span, ints(spans, func(s streamSpan) int { return s.last }))})
	final := make([]int64, len(spans))
	final[len(spans)-1] = 1
	last = m.Wire("last", tree.And(end, m.Lookup("last_span", tree.U(1), span, final)))
	next := m.Wire("next_span", tree.Inc(span))
	firsts := ints(spans, func(s streamSpan) int { return s.first })
	first := m.Lookup("first_address", d.index, next, append(firsts, firsts[0]))
	target = m.Lookup("target", tree.U(1), span, ints(spans, func(s streamSpan) int { return bit(s.target) }))
	m.At(
		tree.If{Cond: step, Then: []tree.Stmt{
			tree.Set{To: addr, From: tree.Inc(addr)},
			tree.If{Cond: end, Then: []tree.Stmt{tree.Set{To: span, From: next}, tree.Set{To: addr, From: first}}},
		}},
		tree.If{Cond: restart, Then: []tree.Stmt{
			tree.Set{To: span, From: num(span.T, 0)},
			tree.Set{To: addr, From: num(d.index, spans[0].first)},
		}},
	)
	return addr, last, target
}

// streamIn takes a sample in.
func (d *design) streamIn() *tree.Module {
	m := d.module("stream_in", "AXI4-Stream of samples: the words of every input, then those of every target;",
		"tlast is with the last word. The next sample may come in while a step works on this one.")
	m.Clock()
	rst := m.Input("rst_i", tree.U(1), "")
	data := m.Input("s_tdata_i", d.stream, "")
	valid, tlast := m.Input("s_tvalid_i", tree.U(1), ""), m.Input("s_tlast_i", tree.U(1), "")
	ready := m.Output("s_tready_o", tree.U(1), "")
	go_, busy := m.Input("go_i", tree.U(1), "the sample is taken"), m.Input("busy_i", tree.U(1), "the memory of rates takes a rate")
	loaded := m.OutputReg("loaded_o", tree.U(1), "a sample is complete")
	wrong := m.OutputReg("frame_error_o", tree.U(1), "a sample had the wrong length, or a word was out of range")
	m.Drive(ready, m.Wire("open", tree.And(tree.Not(loaded), tree.Not(busy))))
	accept := m.Wire("accept", tree.And(valid, tree.Not(loaded), tree.Not(busy)))
	restart := m.Wire("restart", tree.Or(rst, tree.And(accept, tlast)))
	addr, last, target := d.walker(m, d.spans(d.in), accept, restart)
	m.Drive(m.Output("we_o", tree.U(1), ""), tree.And(accept, tree.Not(target)))
	m.Drive(m.Output("address_o", d.index, ""), addr)
	if d.t.backward {
		m.Drive(m.Output("target_we_o", tree.U(1), ""), tree.And(accept, target))
	}
	word := m.Ext(data, d.p.Rate.Bits)
	m.Drive(m.Output("data_o", d.rate, ""), word)
	bad := tree.Expr(tree.Binary{Op: "!=", X: tlast, Y: last})
	if d.stream.Width > d.p.Rate.Bits {
		upper := m.Wire("upper", tree.Part{X: data, High: d.stream.Width - 1, Low: d.p.Rate.Bits - 1})
		bad = tree.Or(bad, tree.Not(tree.Or(tree.Unary{Op: "&", X: upper}, tree.Not(tree.Unary{Op: "|", X: upper}))))
	}
	m.At(
		tree.If{Cond: go_, Then: []tree.Stmt{tree.Set{To: loaded, From: tree.Bit(false)}}},
		tree.If{Cond: accept, Then: []tree.Stmt{
			tree.If{Cond: last, Then: []tree.Stmt{tree.Set{To: loaded, From: tree.Bit(true)}}},
			tree.If{Cond: bad, Then: []tree.Stmt{tree.Set{To: wrong, From: tree.Bit(true)}}},
		}},
		tree.If{Cond: rst, Then: []tree.Stmt{tree.Set{To: loaded, From: tree.Bit(false)}, tree.Set{To: wrong, From: tree.Bit(false)}}},
	)
	d.proves(m, within("we_o", "address_o", d.index, d.s.Senders))
	return m
}

// streamOut sends an answer.
func (d *design) streamOut() *tree.Module {
	m := d.module("stream_out", "AXI4-Stream of answers: the rates of the populations that leave the core, after each step;",
		"tlast is with the last word. One answer may wait while the next one is made.")
	m.Clock()
	rst := m.Input("rst_i", tree.U(1), "")
	we, page, to := m.Input("we_i", tree.U(1), "a rate that leaves"), m.Input("page_i", tree.U(1), ""), m.Input("neuron_i", d.neuron, "")
	rate, complete := m.Input("rate_i", d.rate, ""), m.Input("complete_i", tree.U(1), "the last one of a step")
	data := m.Output("m_tdata_o", d.stream, "")
	valid, tlast := m.OutputReg("m_tvalid_o", tree.U(1), ""), m.OutputReg("m_tlast_o", tree.U(1), "")
	ready := m.Input("m_tready_i", tree.U(1), "")
	drained := m.Output("drained_o", tree.U(1), "an answer has gone")

	waiting := m.Reg("waiting", tree.U(2))
	fetch := m.Reg("fetch", tree.U(1))
	from := m.Reg("page", tree.U(1))
	sent := m.Wire("sent", tree.And(valid, ready))
	gone := m.Wire("gone", tree.And(sent, tlast))
	read := m.Wire("read", tree.Or(fetch, tree.And(sent, tree.Not(tlast))))
	idle := m.Wire("idle", tree.Not(tree.Or(fetch, valid)))
	start := m.Wire("begins", tree.And(idle, tree.Unary{Op: "|", X: waiting}))
	addr, last, _ := d.walker(m, d.spans(d.outs), read, m.Wire("restart", tree.Or(start, rst)))
	m.Drive(drained, gone)
	wa := m.Wire("write_address", tree.Cat{page, to})
	ra := m.Wire("read_address", tree.Cat{from, m.Ext(addr, d.neuron.Width)})
	q := d.memory(m, "answers", d.ram(d.rate, 2<<d.neuron.Width, nil, ""), read, ra, we, wa, rate)
	m.Drive(data, m.Ext(q, d.stream.Width))
	m.At(
		tree.Set{To: fetch, From: start},
		tree.If{Cond: read, Then: []tree.Stmt{tree.Set{To: valid, From: tree.Bit(true)}, tree.Set{To: tlast, From: last}}},
		tree.If{Cond: gone, Then: []tree.Stmt{
			tree.Set{To: valid, From: tree.Bit(false)}, tree.Set{To: tlast, From: tree.Bit(false)}, tree.Set{To: from, From: tree.Not(from)},
		}},
		tree.If{Cond: tree.And(complete, tree.Not(gone)), Then: []tree.Stmt{tree.Set{To: waiting, From: tree.Inc(waiting)}}},
		tree.If{Cond: tree.And(gone, tree.Not(complete)), Then: []tree.Stmt{
			tree.Set{To: waiting, From: tree.Binary{Op: "-", X: waiting, Y: num(waiting.T, 1)}},
		}},
		tree.If{Cond: rst, Then: []tree.Stmt{
			tree.Set{To: valid, From: tree.Bit(false)},
			tree.Set{To: tlast, From: tree.Bit(false)},
			tree.Set{To: fetch, From: tree.Bit(false)},
			tree.Set{To: waiting, From: num(waiting.T, 0)},
			tree.Set{To: from, From: tree.Bit(false)},
		}},
	)
	return m
}
