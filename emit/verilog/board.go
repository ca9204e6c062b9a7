package verilog

import (
	"fmt"
	"io"

	"vlec/emit"
	"vlec/emit/verilog/tree"
)

// A board is what a core is tried on: its clock and the pins of a serial line.
type board struct {
	name, title string
	device      string // the part on it
	size, pack  string // how nextpnr calls it, and its package
	mega        int    // clock [MHz]
	pins        [][2]string
	format      string // of a constraint: pin of a net
	extra       []string
	extension   string
}

// boards are those that constraints are written for. The pins are those of the
// boards' own documentation.
var boards = []board{
	{
		"icebreaker", "iCEBreaker, iCE40 UP5K-SG48", "up5k", "up5k", "sg48", 12,
		[][2]string{{"clk_i", "35"}, {"rx_i", "6"}, {"tx_o", "9"}, {"button_ni", "10"}, {"led_o", "11"}},
		"set_io %s %s", nil, "pcf",
	},
	{
		"hx8k", "iCE40HX8K-B-EVN, iCE40 HX8K-CT256", "hx8k", "hx8k", "ct256", 12,
		[][2]string{{"clk_i", "J3"}, {"rx_i", "B10"}, {"tx_o", "B12"}, {"button_ni", "A16"}, {"led_o", "B5"}},
		"set_io -nowarn %s %s", nil, "pcf",
	},
	{
		"ulx3s", "ULX3S, ECP5 LFE5U-CABGA381", "ecp5", "85k", "CABGA381", 25,
		[][2]string{{"clk_i", "G2"}, {"rx_i", "M1"}, {"tx_o", "L4"}, {"button_ni", "D6"}, {"led_o", "B2"}},
		`LOCATE COMP "%s" SITE "%s";`,
		[]string{
			`FREQUENCY PORT "clk_i" 25 MHZ;`,
			`IOBUF PORT "clk_i" IO_TYPE=LVCMOS33;`, `IOBUF PORT "rx_i" IO_TYPE=LVCMOS33;`, `IOBUF PORT "tx_o" IO_TYPE=LVCMOS33;`,
			`IOBUF PORT "button_ni" PULLMODE=UP IO_TYPE=LVCMOS33;`, `IOBUF PORT "led_o" IO_TYPE=LVCMOS33;`,
		},
		"lpf",
	},
}

// BoardOf is the name of the board that has a device, and that of the device's
// package, as nextpnr calls it; "" where there is none.
func BoardOf(device string) (name, pack string) {
	for i := range boards {
		if b := &boards[i]; b.device == device {
			return b.name, b.pack
		}
	}
	return "", ""
}

const baud = 115200

// link joins a core to a serial line: 8 bits, no parity, one stop bit. A frame is
// one byte of control, then the words of a sample, low bytes first; the answer
// comes back as its words. Other frames read and load a stored weight.
func (d *design) link(core *tree.Module) *tree.Module {
	port := func(name string) tree.Type {
		for _, n := range core.Ports {
			if n.Name == name {
				return n.T
			}
		}
		panic("a core has no port " + name)
	}
	at, stored := port("cfg_addr_i"), port("cfg_data_i")
	addrBytes, wordBytes := (at.Width+7)/8, (stored.Width+7)/8
	m := d.module("link", "A serial line, 8N1, for samples and answers. A frame is a byte of control (bit 0: learn,",
		fmt.Sprintf("bit 1: clear), then the words of a sample, %d of %d bytes, low bytes first. The answer comes back", size(d.in), d.stream.Width/8),
		"as its words. With bit 2 of control a frame is about a stored weight: its address follows, of",
		fmt.Sprintf("%d bytes, and the weight's %d bytes come back. With bit 3, too, it loads one: the weight's bytes", addrBytes, wordBytes),
		"follow, then those of the address, and nothing comes back.")
	m.Clock()
	rst := m.Input("rst_i", tree.U(1), "")
	divider := m.Input("divider_i", tree.U(12), "cycles of a bit, less one")
	rx, tx := m.Input("rx_i", tree.U(1), ""), m.Output("tx_o", tree.U(1), "")
	data := m.OutputReg("m_tdata_o", d.stream, "")
	valid, tlast := m.OutputReg("m_tvalid_o", tree.U(1), ""), m.OutputReg("m_tlast_o", tree.U(1), "")
	ready := m.Input("m_tready_i", tree.U(1), "")
	learn, clear := m.OutputReg("learn_en_o", tree.U(1), ""), m.OutputReg("clear_o", tree.U(1), "")
	answer, answers, take := m.Input("s_tdata_i", d.stream, ""), m.Input("s_tvalid_i", tree.U(1), ""), m.Output("s_tready_o", tree.U(1), "")
	asks, writes := m.Output("cfg_valid_o", tree.U(1), ""), m.OutputReg("cfg_write_o", tree.U(1), "")
	addr, load := m.Output("cfg_addr_o", at, ""), m.Output("cfg_data_o", stored, "")
	served, shown := m.Input("cfg_ready_i", tree.U(1), ""), m.Input("cfg_data_i", stored, "")
	set := func(n *tree.Net, v int) tree.Stmt { return tree.Set{To: n, From: num(n.T, v)} }
	down := func(n *tree.Net) tree.Stmt {
		return tree.Set{To: n, From: tree.Binary{Op: "-", X: n, Y: num(n.T, 1)}}
	}

	m.Say("Bytes that come.")
	line := m.Follow("line", m.Follow("line_1", rx))
	count, place, byte8 := m.Reg("count", divider.T), m.Reg("place", tree.U(4)), m.Reg("byte_in", tree.U(8))
	busy, got := m.Reg("busy", tree.U(1)), m.Reg("got", tree.U(1))
	half := m.Wire("half", tree.Cat{num(tree.U(1), 0), tree.Part{X: divider, High: 11, Low: 1}})
	shifted := m.Wire("shifted", tree.Cat{line, tree.Part{X: byte8, High: 7, Low: 1}})
	m.At(
		set(got, 0),
		tree.If{Cond: tree.Not(busy), Then: []tree.Stmt{
			tree.Set{To: busy, From: tree.Not(line)}, tree.Set{To: count, From: half}, set(place, 0),
		}, Else: []tree.Stmt{
			tree.If{Cond: tree.Equal(count, 0), Then: []tree.Stmt{
				tree.Set{To: count, From: divider},
				tree.Set{To: place, From: tree.Inc(place)},
				tree.If{Cond: tree.Equal(place, 0), Then: []tree.Stmt{tree.Set{To: busy, From: tree.Not(line)}}},
				tree.If{Cond: tree.Equal(place, 9), Then: []tree.Stmt{set(busy, 0), tree.Set{To: got, From: line}}, Else: []tree.Stmt{
					tree.Set{To: byte8, From: shifted},
				}},
			}, Else: []tree.Stmt{down(count)}},
		}},
		tree.If{Cond: rst, Then: []tree.Stmt{set(busy, 0), set(got, 0)}},
	)

	m.Say("Frames of a byte of control and the words of a sample.")
	bytes := d.stream.Width / 8
	head, part, word := m.Reg("head", tree.U(1)), m.Reg("part", tree.U(addressBits(bytes+1))), m.Reg("word", tree.U(addressBits(size(d.in)+1)))
	lastPart, lastWord := m.Wire("last_part", tree.Equal(part, int64(bytes-1))), m.Wire("last_word", tree.Equal(word, int64(size(d.in)-1)))
	var next tree.Cat
	next = append(next, byte8)
	if bytes > 1 {
		next = append(next, tree.Part{X: data, High: d.stream.Width - 1, Low: 8})
	}
	grown := m.Wire("data_next", tree.Cast{Signed: true, X: next})
	// Of a frame about a weight the address comes last, and stands at the upper end.
	weight := m.Reg("weight", tree.U(8*(wordBytes+addrBytes)))
	toGo, about, pending := m.Reg("to_go", tree.U(addressBits(wordBytes+addrBytes+1))), m.Reg("about_weight", tree.U(1)), m.Reg("pending", tree.U(1))
	weightNext := m.Wire("weight_next", tree.Cat{byte8, tree.Part{X: weight, High: weight.T.Width - 1, Low: 8}})
	longer := m.Wire("frame_bytes", tree.Cond{If: m.Wire("loads", tree.Part{X: byte8, High: 3, Low: 3}), Then: num(toGo.T, wordBytes+addrBytes), Else: num(toGo.T, addrBytes)})
	m.Drive(addr, tree.Part{X: weight, High: 8*wordBytes + at.Width - 1, Low: 8 * wordBytes})
	m.Drive(load, tree.Cast{Signed: true, X: tree.Part{X: weight, High: stored.Width - 1, Low: 0}})
	m.At(
		set(clear, 0),
		tree.If{Cond: ready, Then: []tree.Stmt{set(valid, 0)}},
		tree.If{Cond: got, Then: []tree.Stmt{
			tree.If{Cond: head, Then: []tree.Stmt{
				set(head, 0),
				tree.Set{To: about, From: tree.Part{X: byte8, High: 2, Low: 2}},
				tree.If{Cond: tree.Part{X: byte8, High: 2, Low: 2}, Then: []tree.Stmt{
					tree.Set{To: writes, From: tree.Part{X: byte8, High: 3, Low: 3}}, tree.Set{To: toGo, From: longer},
				}, Else: []tree.Stmt{
					tree.Set{To: learn, From: tree.Part{X: byte8, High: 0, Low: 0}}, tree.Set{To: clear, From: tree.Part{X: byte8, High: 1, Low: 1}},
				}},
			}},
			tree.If{Cond: tree.And(about, tree.Not(head)), Then: []tree.Stmt{
				tree.Set{To: weight, From: weightNext},
				down(toGo),
				tree.If{Cond: tree.Equal(toGo, 1), Then: []tree.Stmt{set(head, 1), set(pending, 1)}},
			}},
			tree.If{Cond: tree.Not(tree.Or(about, head)), Then: []tree.Stmt{
				tree.Set{To: data, From: grown},
				tree.Set{To: part, From: tree.Inc(part)},
				tree.If{Cond: lastPart, Then: []tree.Stmt{
					set(part, 0), set(valid, 1),
					tree.Set{To: tlast, From: lastWord},
					tree.Set{To: word, From: tree.Inc(word)},
					tree.If{Cond: lastWord, Then: []tree.Stmt{set(word, 0), set(head, 1)}},
				}},
			}},
		}},
		tree.If{Cond: served, Then: []tree.Stmt{set(pending, 0)}},
		tree.If{Cond: rst, Then: []tree.Stmt{set(head, 1), set(part, 0), set(word, 0), set(valid, 0), set(learn, 0), set(pending, 0)}},
	)

	m.Say("Bytes that go: start bit, eight bits, stop bit, for each byte of a word.")
	out := m.Reg("out", tree.U(max(d.stream.Width, 8*wordBytes)))
	bits := m.Reg("bits", tree.U(4)) // of the byte that are still to go, start and stop included
	left := m.Reg("left", tree.U(addressBits(max(bytes, wordBytes)+1)))
	pace, level := m.Reg("pace", divider.T), m.Reg("level", tree.U(1))
	idle := m.Wire("idle", tree.And(tree.Equal(bits, 0), tree.Equal(left, 0)))
	takes := m.Wire("takes", tree.And(idle, tree.Not(pending)))
	m.Drive(take, takes)
	m.Drive(asks, tree.And(idle, pending))
	m.Drive(tx, level)
	wide := func(name string, n *tree.Net) *tree.Net {
		return m.Wire(name, tree.Cast{Signed: false, X: m.Ext(n, out.T.Width)})
	}
	word8, shown8 := wide("answer_bits", answer), wide("weight_bits", shown)
	shows := m.Wire("shows", tree.And(served, tree.Not(writes)))
	rest := m.Wire("out_next", tree.Cat{num(tree.U(1), 0), tree.Part{X: out, High: out.T.Width - 1, Low: 1}})
	m.At(
		tree.If{Cond: tree.Equal(pace, 0), Then: []tree.Stmt{
			tree.Set{To: pace, From: divider},
			set(level, 1),
			tree.If{Cond: tree.Equal(bits, 0), Then: []tree.Stmt{
				tree.If{Cond: tree.Not(tree.Equal(left, 0)), Then: []tree.Stmt{set(level, 0), set(bits, 9), down(left)}},
			}, Else: []tree.Stmt{
				down(bits),
				tree.If{Cond: tree.Not(tree.Equal(bits, 1)), Then: []tree.Stmt{
					tree.Set{To: level, From: tree.Part{X: out, High: 0, Low: 0}}, tree.Set{To: out, From: rest},
				}},
			}},
		}, Else: []tree.Stmt{down(pace)}},
		tree.If{Cond: tree.And(answers, takes), Then: []tree.Stmt{tree.Set{To: out, From: word8}, set(left, bytes)}},
		tree.If{Cond: shows, Then: []tree.Stmt{tree.Set{To: out, From: shown8}, set(left, wordBytes)}},
		tree.If{Cond: rst, Then: []tree.Stmt{set(bits, 0), set(left, 0), set(level, 1), set(pace, 0)}},
	)
	return m
}

// onBoard is the top of a design for a board.
func (d *design) onBoard(b *board, core, link *tree.Module) *tree.Module {
	m := tree.NewModule(d.top+"_"+b.name, fmt.Sprintf("The core on a board, %s: a serial line of %d baud at %d MHz.", b.title, baud, b.mega),
		"The button starts anew; the light shows a sample that was wrong.")
	clk := m.Clock()
	rx, tx := m.Input("rx_i", tree.U(1), ""), m.Output("tx_o", tree.U(1), "")
	button, led := m.Input("button_ni", tree.U(1), ""), m.Output("led_o", tree.U(1), "")
	m.Say("Reset after power-up and while the button is pressed.")
	waited := m.Reg("waited", tree.U(5))
	m.Items = append(m.Items, tree.Raw{"initial waited = 5'd0;"})
	pressed := m.Follow("pressed", m.Follow("pressed_1", tree.Not(button)))
	rst := m.Reg("rst", tree.U(1))
	full := m.Wire("full", tree.Unary{Op: "&", X: waited})
	m.At(
		tree.Set{To: rst, From: tree.Not(full)},
		tree.If{Cond: tree.Not(full), Then: []tree.Stmt{tree.Set{To: waited, From: tree.Inc(waited)}}},
		tree.If{Cond: pressed, Then: []tree.Stmt{tree.Set{To: waited, From: num(waited.T, 0)}}},
	)
	taken, answer, answers := m.Bare("taken", tree.U(1)), m.Bare("answer", d.stream), m.Bare("answers", tree.U(1))
	served, stored := m.Bare("served", tree.U(1)), m.Bare("stored", d.port)
	l := d.open(m, link, "link", map[string]tree.Expr{
		"clk_i": clk, "rst_i": rst, "divider_i": num(tree.U(12), b.mega*1000000/baud-1), "rx_i": rx, "tx_o": tx,
		"m_tready_i": taken, "s_tdata_i": answer, "s_tvalid_i": answers, "cfg_ready_i": served, "cfg_data_i": stored,
	})
	d.open(m, core, "core", map[string]tree.Expr{
		"clk_i": clk, "rst_i": rst, "step_i": tree.Bit(true), "clear_i": l["clear_o"], "learn_en_i": l["learn_en_o"],
		"s_tdata_i": l["m_tdata_o"], "s_tvalid_i": l["m_tvalid_o"], "s_tlast_i": l["m_tlast_o"], "s_tready_o": taken,
		"frame_error_o": led, "m_tdata_o": answer, "m_tvalid_o": answers, "m_tready_i": l["s_tready_o"],
		"cfg_valid_i": l["cfg_valid_o"], "cfg_write_i": l["cfg_write_o"], "cfg_addr_i": l["cfg_addr_o"], "cfg_data_i": l["cfg_data_o"],
		"cfg_ready_o": served, "cfg_data_o": stored,
	})
	return m
}

// boards are the modules around the core: the serial line, then a top for each
// board.
func (d *design) boards(core *tree.Module) []*tree.Module {
	list := []*tree.Module{d.link(core)}
	for i := range boards {
		list = append(list, d.onBoard(&boards[i], core, list[0]))
	}
	return list
}

// boards adds the modules around the core, and the constraints of each board.
func (c *Core) boards(files *emit.Artifacts) {
	for _, m := range c.boardModules {
		files.Add("boards/"+m.Name+".v", func(w io.Writer) error { return m.Print(w, c.header()) })
	}
	for i := range boards {
		b := &boards[i]
		files.Add("boards/"+b.name+"."+b.extension, func(w io.Writer) error {
			out := emit.NewWriter(w)
			out.Comment("#", b.title)
			for _, p := range b.pins {
				out.Linef(b.format, p[0], p[1])
			}
			for _, l := range b.extra {
				out.Line(l)
			}
			return out.Flush()
		})
	}
}
