package lint_test

import (
	"strings"
	"testing"

	"vlec/emit/spice/lint"
)

const netlist = `* a title, whatever É it says

.param p_v0=1 p_r0=1e+06
.include "cells.lib"
* network
x_a in out cell_a PARAMS: p_k=2.5e-09
+ p_l={p_r0*2}
v_in in 0 sin(0 1 250 0 0 0)
i1 0 out dc 1
b1 out 0 i={p_v0*tanh(v(in)/p_v0)+1.5e-3*time}
c1 out 0 1e-09 ic=0
m1 out in 0 0 nmos w=1e-06 l={p_v0}
.ic v(out)=0.5
.options method=trap
.save v(out)
.tran 1e-06 0.001 0 1e-06 uic
.end
`

const library = `* a library
.subckt cell_a in out PARAMS: p_k=1 p_l=2
g1 0 out in 0 {p_k/p_l}
r1 out 0 {p_r0}
.ends
`

func check(netlist, library string) error {
	return lint.Check(lint.File{Name: "net", Text: netlist}, lint.File{Name: "lib", Text: library})
}

func TestSound(t *testing.T) {
	if err := check(netlist, library); err != nil {
		t.Error(err)
	}
}

// TestRules breaks each rule once.
func TestRules(t *testing.T) {
	for _, c := range []struct{ from, to, want string }{
		{"* a title", "r1 a b 1\n* a title", "net:1: the first line is a title"},
		{".end\n", ".end", "net:1: the last line is dropped"},
		{".end\n", "", `the last line is ".tran`},
		{"v_in in", "  v_in in", "net:8: blanks around the line"},
		{"c1 out 0 1e-09", "c1 out 0 1n", `net:11: "1n" is not a number`},
		{"i1 0 out dc 1", "i1 0 out dc 1meg", `net:9: "1meg"`},
		{"1.5e-3*time", "1.5m*time", `net:10: "1.5m"`},
		{"c1 out", "C1 out", "net:11: upper case"},
		{"v(out)=0.5", "v(Out)=0.5", "net:13: upper case"},
		{"{p_v0*tanh(v(in)/p_v0)+1.5e-3*time}", "tanh(v(in))", "expressions are in braces"},
		{"+1.5e-3*time", "+gain*time", `net:10: "gain" may be shadowed`},
		{"tanh(", "limit(", "net:10: the function limit"},
		{"+1.5e-3*time", "^2", `net:10: "^" means`},
		{"p_v0=1", "v0=1", `net:3: "v0=1" is not a parameter`},
		{"p_v0=1", "p_v0=1 p_v0=1", "net:3: parameter p_v0 is given twice"},
		{"p_k=2.5e-09", "p_j=2.5e-09", "net:6: cell_a has no parameter p_j"},
		{"x_a in out", "x_a in", "net:6: cell_a has 2 pins, not 1"},
		{"cell_a PARAMS: p_k=2", "cell_b PARAMS: p_k=2", `net:6: there is no cell "cell_b"`},
		{"x_a in out", "x_a in- out", `net:6: "in-" is no name for a node`},
		{"c1 out", "i1 out", "net:11: i1 is defined twice"},
		{"sin(0 1 250 0 0 0)", "sin(0 1 250)", "net:8: sin has 3 of its 6 numbers"},
		{"sin(0 1 250 0 0 0)", "exp(0 1 250 0 0 0)", "net:8: no source of the subset"},
		{"1e-09 ic=0", "1e-09 m=2", `net:11: "m=2" after the value`},
		{"w=1e-06", "nf=2", `net:12: "nf=2" is not a dimension`},
		{"c1 out 0 1e-09 ic=0", "l1 out 0 1e-09", "net:11: no device of the subset"},
		{"c1 out 0 1e-09 ic=0", ".control", "net:11: .control is not in the subset"},
		{"c1 out 0 1e-09 ic=0", "c1 out 0 1e-09 ic=0 ; x", `";" means`},
		{"c1 out 0 1e-09 ic=0", "c1 out 0 1e-09 ic=0 // x", "// is a comment"},
		{"0 1e-06 uic", "", "the meaning of the first number of .tran"},
		{`"cells.lib"`, `"../cells.lib"`, "net:4: .include"},
		{`"cells.lib"`, "cells.lib", "net:4: .include"},
		{"* network", "* net\twork", "net:5: control character"},
		{"* network", "* " + strings.Repeat("x", 99), "net:5: the line has 101 columns"},
		{".ic v(out)=0.5", ".ic out=0.5", "net:13: .ic"},
		{"+ p_l", "+p_l", "net:7:"},
		{"in out PARAMS: p_k=1", "in in PARAMS: p_k=1", "lib:2: pin in is ground or there twice"},
		{".ends\n", "", "the cell cell_a does not end"},
		{".ends\n", ".ends\n.ends\n", "lib:6: .ends without .subckt"},
		{"r1 out 0 {p_r0}", "g1 out 0 in 0 {p_r0}", "lib:4: g1 is defined twice"},
		{".ends\n", ".ends\n.subckt cell_a a b\n.ends\n", "lib:6: two cells are called cell_a"},
		{"{p_k/p_l}", "p_k", `lib:3: "p_k" is not a number`},
	} {
		n, l := netlist, library
		if strings.Contains(n, c.from) {
			n = strings.Replace(n, c.from, c.to, 1)
		} else if strings.Contains(l, c.from) {
			l = strings.Replace(l, c.from, c.to, 1)
		} else {
			t.Fatalf("no %q", c.from)
		}
		if err := check(n, l); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q -> %q: %v\nwant %s", c.from, c.to, err, c.want)
		}
	}
}
