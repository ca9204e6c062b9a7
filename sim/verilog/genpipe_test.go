package verilog

import (
	"fmt"
	"strings"
	"testing"
)

// condition writes a condition of one bit each: what short-circuits.
func (r *randText) condition(bits []string, depth int) string {
	if depth == 0 || r.IntN(4) == 0 {
		return bits[r.IntN(len(bits))]
	}
	a, b := r.condition(bits, depth-1), r.condition(bits, depth-1)
	switch r.IntN(6) {
	case 0:
		return "(!" + a + ")"
	case 1:
		return "(~" + a + ")"
	}
	return fmt.Sprintf("(%s %s %s)", a, r.pick("&&", "||", "&", "|"), b)
}

// pipes writes a module of delay lines: registers that copy one another in any
// order of their text, some in a ring, some cleared, with onlookers at the same
// edge that must see what was there before it.
func (r *randText) pipes(cycles int) *randDesign {
	d := &randDesign{inputs: []randSig{{name: "a", w: 1}, {name: "b", w: 1}, {name: "c", w: 1}, {name: "x", w: 9, signed: r.IntN(2) == 0}}}
	bits := []string{"a", "b", "c"}
	var ports, body, onlookers strings.Builder
	for _, s := range d.inputs {
		fmt.Fprintf(&ports, ",\n  %s", s.decl("input wire"))
	}
	out := func(s randSig) {
		d.outputs = append(d.outputs, s)
		fmt.Fprintf(&ports, ",\n  %s", s.decl("output reg"))
	}
	fmt.Fprintf(&body, "  wire go = %s;\n  wire signed [8:0] w = x + q0_2;\n", r.condition(bits, 3))
	bits = append(bits, "go")
	for line := range 2 + r.IntN(2) {
		// The stages of one line, and what clears or holds them.
		n := 2 + r.IntN(5)
		s := randSig{w: 9, signed: r.IntN(2) == 0}
		from := r.pick("x", "w", "x ^ 9'd5", fmt.Sprintf("q%d_%d", line, n)) // the last closes a ring
		clear := r.pick("rst", "a", "go", "")
		var moves, clears []string
		for k := range n {
			s.name = fmt.Sprintf("q%d_%d", line, k+1)
			out(s)
			moves = append(moves, fmt.Sprintf("    %s <= %s;\n", s.name, from))
			if clear != "" && r.IntN(3) > 0 {
				clears = append(clears, fmt.Sprintf("      %s <= %s;\n", s.name, r.pick("9'd0", "9'h1f3", "x", "9'b1x0")))
			}
			from = s.name
		}
		r.Shuffle(len(moves), func(i, j int) { moves[i], moves[j] = moves[j], moves[i] })
		held := ""
		if r.IntN(3) == 0 {
			held = "if (" + r.condition(bits, 3) + ") "
		}
		fmt.Fprintf(&body, "  always @(posedge clk) begin\n    %sbegin\n%s    end\n", held, strings.Join(moves, ""))
		if clears != nil {
			fmt.Fprintf(&body, "    if (%s) begin\n%s    end\n", clear, strings.Join(clears, ""))
		}
		body.WriteString("  end\n")
	}
	see := func(format string, args ...any) {
		s := randSig{name: fmt.Sprintf("s%d", len(d.outputs)), w: 9}
		out(s)
		fmt.Fprintf(&onlookers, "  "+format+"\n", append([]any{s.name, r.pick("q0_1", "q0_2", "q1_1", "q1_2")}, args...)...)
	}
	see("always @(negedge clk) %[1]s <= %[2]s;")
	see("always @(posedge clk) casez ({%[3]s, %[4]s}) 2'b1?: %[1]s <= %[2]s; 2'b01: %[1]s <= x; default: if (!(%[4]s)) %[1]s <= 9'd3; endcase", r.condition(bits, 2), r.condition(bits, 2))
	// What these do happens at the edge, before any register moves.
	switch r.IntN(5) {
	case 0:
		see("wire late = clk; always @(posedge late) %[1]s <= %[2]s;")
	case 1:
		see("event tick; always @(posedge clk) if (%[3]s) -> tick; always @(tick) %[1]s = %[2]s;", r.condition(bits, 2))
	case 2:
		see("reg tick = 0; always @(posedge clk) tick = ~tick; always @(posedge tick) %[1]s <= %[2]s;")
	case 3:
		see("always begin @(posedge clk); %[1]s = %[2]s; end")
	}
	d.text = "module dut (\n  input wire clk,\n  input wire rst" + ports.String() + "\n);\n" + body.String() + onlookers.String() + "endmodule\n"
	d.feed(r, cycles)
	return d
}

func TestPipesAgreeWithIcarus(t *testing.T) {
	for seed := range seeds(20, 200) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := newRandText(uint64(2000 + seed))
			r.xs = seed%2 == 1
			agree(t, r.pipes(20).bench())
		})
	}
}
