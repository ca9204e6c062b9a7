package verilog

import (
	"fmt"
	"strings"
)

// A randDesign is a random synchronous module and what its testbench feeds it.
type randDesign struct {
	text    string
	inputs  []randSig
	outputs []randSig
	vectors [][]string // by cycle, the bits of each input
}

// sequential writes a module with registers, a memory, combinational always
// blocks, functions and a sub-module, all on one clock.
func (r *randText) sequential(cycles int) *randDesign {
	d := &randDesign{}
	var ports, body strings.Builder
	for i := range 4 {
		s, decl := r.declare(fmt.Sprintf("i%d", i), "input wire")
		d.inputs = append(d.inputs, s)
		fmt.Fprintf(&ports, ",\n  %s", decl)
	}
	r.sigs = append(r.sigs, d.inputs...)
	mem := randSig{name: "mem", w: r.width(), signed: r.IntN(2) == 0, mem: 8}
	fmt.Fprintf(&body, "  %s;\n  reg [2:0] ra;\n", mem.decl("reg"))
	var regs []randSig
	for i := range 5 {
		s, decl := r.declare(fmt.Sprintf("q%d", i), "output reg")
		regs = append(regs, s)
		fmt.Fprintf(&ports, ",\n  %s", decl)
	}
	d.outputs = append(d.outputs, regs...)
	r.sigs = append(r.sigs, regs...)
	r.sigs = append(r.sigs, mem)
	// Wires, in any order of their text: the order of evaluation is the
	// simulator's business.
	var lines []string
	for i := range 6 {
		s, decl := r.declare(fmt.Sprintf("w%d", i), "wire")
		lines = append(lines, fmt.Sprintf("  assign %s = %s;\n", s.name, r.expr(3)))
		fmt.Fprintf(&body, "  %s;\n", decl)
		r.sigs = append(r.sigs, s)
	}
	r.Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
	body.WriteString(strings.Join(lines, ""))
	// A combinational process with defaults and a case.
	c0, decl0 := r.declare("c0", "reg")
	c1, decl1 := r.declare("c1", "reg")
	fmt.Fprintf(&body, "  %s;\n  %s;\n  always @* begin\n", decl0, decl1)
	fmt.Fprintf(&body, "    c0 = %s;\n    c1 = %s;\n", r.expr(2), r.expr(2))
	// In braces: Icarus repeats an unknown sign bit of a selector even where
	// an unsigned label makes the comparison unsigned.
	fmt.Fprintf(&body, "    %s ({%s})\n", r.pick("case", "casez", "casex"), r.sized(1))
	for range 4 {
		fmt.Fprintf(&body, "      %s: c0 = %s;\n", r.literal(), r.expr(2))
	}
	fmt.Fprintf(&body, "      default: if (%s) c1 = %s; else begin c1 = c1 + %s; c0 = c1; end\n", r.expr(2), r.expr(2), r.expr(1))
	fmt.Fprintf(&body, "    endcase\n  end\n")
	r.sigs = append(r.sigs, c0, c1)
	// A function with a loop.
	fa, fr := r.width(), r.width()
	fmt.Fprintf(&body, `  function automatic %s [%d:0] f(input %s [%d:0] x, input [7:0] y);
    integer k;
    reg [7:0] t;
    begin
      f = x; t = y;
      for (k = 0; k < 3; k = k + 1) begin
        f = f + (t ^ k);
        if (t[k]) t = t - x; else f = f <<< 1;
      end
    end
  endfunction
`, r.pick("", "signed"), fr-1, r.pick("", "signed"), fa-1)
	fmt.Fprintf(&body, "  wire signed [%d:0] fw = f(%s, %s);\n", fr-1, r.expr(1), r.expr(1))
	r.sigs = append(r.sigs, randSig{name: "fw", w: fr, signed: true})
	// A sub-module with parameters, connected by name and with expressions.
	sub, subDecl := r.declare("so", "wire")
	// A plain name: Icarus evaluates what is connected in its own width, where
	// the standard has a continuous assignment to the port.
	fmt.Fprintf(&body, "  %s;\n  sub #(.W(%d)) u (.clk(clk), .a(%s), .y(so), .z());\n", subDecl, 1+r.IntN(40), r.pick("i0", "i1", "i2", "q0", "w1"))
	r.sigs = append(r.sigs, sub)
	// Generated bits.
	n := 2 + r.IntN(6)
	fmt.Fprintf(&body, `  wire [%d:0] gen;
  genvar i;
  generate for (i = 0; i < %d; i = i + 1) begin : g
    wire t = (i1 >> i %% %d) ^ (i > 0 ? gen[(i + %d - 1) %% %d] : 1'b0);
    if (i == 1) begin : one assign gen[i] = ~t; end
    else begin : other assign gen[i] = t; end
  end endgenerate
`, n-1, n, d.inputs[1].w, n, n)
	r.sigs = append(r.sigs, randSig{name: "gen", w: n})
	// Clocked processes.
	fmt.Fprintf(&body, "  always @(posedge clk) begin\n    if (rst) begin\n")
	for _, q := range regs[:3] {
		fmt.Fprintf(&body, "      %s <= %s;\n", q.name, r.literal())
	}
	fmt.Fprintf(&body, "    end else begin\n")
	for _, q := range regs[:3] {
		switch r.IntN(4) {
		case 0:
			fmt.Fprintf(&body, "      if (%s) %s <= %s;\n", r.expr(2), q.name, r.expr(3))
		case 1:
			if q.w > 1 {
				fmt.Fprintf(&body, "      %s[%s] <= %s;\n", q.name, r.small(q.w), r.expr(3))
			}
		default:
			fmt.Fprintf(&body, "      %s <= %s;\n", q.name, r.expr(3))
		}
	}
	fmt.Fprintf(&body, "    end\n  end\n")
	fmt.Fprintf(&body, "  always @(posedge clk) begin\n    if (%s) mem[%s] <= %s;\n    ra <= %s;\n    q3 <= mem[ra];\n    {q4} <= {%s};\n  end\n",
		r.expr(1), r.small(8), r.expr(2), r.expr(1), r.sized(1))
	d.text = "module sub #(parameter W = 4) (input wire clk, input wire signed [W-1:0] a, output reg [W:0] y, output wire z);\n" +
		"  localparam signed [W:0] K = -3;\n  initial y = 0;\n  assign z = ^a;\n  always @(posedge clk) y <= y + a * K;\nendmodule\n" +
		"module dut (\n  input wire clk,\n  input wire rst" + ports.String() + "\n);\n" + body.String() + "endmodule\n"
	d.feed(r, cycles)
	return d
}

// feed draws what the inputs get.
func (d *randDesign) feed(r *randText, cycles int) {
	for range cycles {
		var v []string
		for _, s := range d.inputs {
			v = append(v, r.bits(s.w))
		}
		d.vectors = append(d.vectors, v)
	}
}

// bench wraps a design into a testbench that prints the outputs before every
// edge.
func (d *randDesign) bench() string {
	var t strings.Builder
	t.WriteString(d.text)
	t.WriteString("module tb;\n  reg clk = 0;\n  reg rst = 1;\n")
	conns := []string{".clk(clk)", ".rst(rst)"}
	for _, s := range d.inputs {
		fmt.Fprintf(&t, "  %s;\n", s.decl("reg"))
		conns = append(conns, fmt.Sprintf(".%s(%s)", s.name, s.name))
	}
	for _, s := range d.outputs {
		fmt.Fprintf(&t, "  %s;\n", s.decl("wire"))
		conns = append(conns, fmt.Sprintf(".%s(%s)", s.name, s.name))
	}
	fmt.Fprintf(&t, "  dut d (%s);\n  initial begin\n", strings.Join(conns, ", "))
	for c, v := range d.vectors {
		fmt.Fprintf(&t, "    rst = %d;\n", b2i(c < 2))
		for i, s := range d.inputs {
			fmt.Fprintf(&t, "    %s = %d'b%s;\n", s.name, s.w, v[i])
		}
		t.WriteString("    #1 clk = 1;\n    #1 clk = 0;\n")
		for _, s := range d.outputs {
			fmt.Fprintf(&t, "    $display(\"%d %s %%b\", %s);\n", c, s.name, s.name)
		}
	}
	t.WriteString("    $finish;\n  end\nendmodule\n")
	return t.String()
}
