package verilog

import (
	"fmt"

	"vlec/emit/verilog/tree"
)

// Properties for formal tools, in the text behind `ifdef FORMAL. A core is in reset
// for settling cycles at first, until what was in its pipes has gone; from then on
// they must hold, whatever comes in.

// settling is how long that is: the longest way from an issue to a memory, and the
// register port's.
func (s *Schedule) settling() int {
	t := &s.t
	longest := t.rate
	if t.rule {
		longest = max(t.rate+lowWritten, t.heard, t.far) + t.late
	}
	return longest + t.tree + s.portRead() + 4
}

func (d *design) age() tree.Raw {
	t := tree.U(addressBits(d.s.settling() + 1))
	last := fmt.Sprintf("%d'd%d", t.Width, d.s.settling())
	return tree.Raw{
		"`ifdef FORMAL", fmt.Sprintf("reg [%d:0] f_age = %d'd0;", t.Width-1, t.Width), "wire f_settled = f_age == " + last + ";",
		fmt.Sprintf("always @(posedge clk_i) if (!f_settled) f_age <= f_age + %d'd1;", t.Width),
	}
}

// proves adds properties to a module, conditions on its own nets.
func (d *design) proves(m *tree.Module, properties ...string) {
	text := d.age()
	for _, p := range properties {
		text = append(text, fmt.Sprintf("always @(posedge clk_i) if (f_settled) assert (%s);", p))
	}
	m.Items = append(m.Items, append(text, "`endif"))
}

// assumesReset adds the reset at the start to the top.
func (d *design) assumesReset(m *tree.Module) {
	m.Items = append(m.Items, append(d.age(), "always @(posedge clk_i) if (!f_settled) assume (rst_i);", "`endif"))
}

// noCollision is a property of every memory.
func (d *design) noCollision(m *tree.Module) { d.proves(m, "!re_i || !we_i || raddr_i != waddr_i") }

// within is the property that a counter stays below a number while it is in use.
func within(inUse, counter string, t tree.Type, n int) string {
	return fmt.Sprintf("!%s || %s <= %d'd%d", inUse, counter, t.Width, min(n, 1<<t.Width)-1)
}

// formal is the script that proves all properties for a number of cycles, over two
// whole steps and more, for everything that can come in. What does not reach them is
// taken out before.
func (c *Core) formal() (prepare []string, cycles int) {
	s := c.Schedule
	return []string{"prep -top " + c.Top + " -flatten", "delete -port " + c.Top + "/o:*", "opt_clean -purge"}, s.settling() + 2*s.Period + s.t.rate
}
