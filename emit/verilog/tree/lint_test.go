package tree_test

import (
	"bytes"
	"strings"
	"testing"

	"vlec/emit/verilog/tree"
)

// clean is a multiply-accumulate with rounding in which all is stated; each seeded
// bug below is one slip of the kind that verilator -Wall, iverilog -Wall and yosys
// check pass in silence.
func clean() (m *tree.Module, a, b, acc *tree.Net) {
	m = tree.NewModule("mac", "acc = acc + a b")
	m.Clock()
	a, b = m.Input("a_i", tree.S(8), ""), m.Input("b_i", tree.S(8), "")
	acc = m.OutputReg("acc_o", tree.S(20), "")
	p := m.Wire("product", tree.Binary{Op: "*", X: m.Ext(a, 16), Y: m.Ext(b, 16)})
	m.At(tree.Set{To: acc, From: m.Sum("sum", acc, p, 20)})
	m.Drive(m.Output("y_o", tree.S(8), ""), m.Saturate("held", m.Near("near", acc, 6), 8))
	return m, a, b, acc
}

func TestLintIsContent(t *testing.T) {
	m, _, _, _ := clean()
	m.Finish()
	for _, w := range tree.Lint(m) {
		t.Error(w)
	}
	var text bytes.Buffer
	if err := m.Print(&text, []string{"header"}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"wire signed [15:0] a_i_w16 = $signed({{8{a_i[7]}}, a_i});",
		"wire signed [7:0] held = held_over ? held_end : near_w8;",
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %q in\n%s", want, &text)
		}
	}
}

func TestLintFindsSignBugs(t *testing.T) {
	leaf := tree.NewModule("leaf")
	leaf.Input("x_i", tree.S(8), "")
	for _, c := range []struct {
		name, want string
		bug        func(m *tree.Module, a, b, acc *tree.Net)
	}{
		// The six of the classic list.
		{"an unsigned literal in a signed sum", "mixes signed 8 bits and 8 bits", func(m *tree.Module, a, _, _ *tree.Net) {
			m.Wire("y", tree.Binary{Op: "+", X: a, Y: tree.Const{T: tree.U(8), Value: 1}})
		}},
		{"a part in a signed sum", "is an operand of +", func(m *tree.Module, a, _, acc *tree.Net) {
			m.Wire("y", tree.Binary{Op: "+", X: a, Y: tree.Part{X: acc, High: 7, Low: 0}})
		}},
		{"a concatenation in a signed product", "is an operand of *", func(m *tree.Module, a, b, _ *tree.Net) {
			m.Wire("y", tree.Binary{Op: "*", X: tree.Cat{tree.Part{X: a, High: 7, Low: 7}, a}, Y: tree.Cat{tree.Part{X: b, High: 7, Low: 7}, b}})
		}},
		{"an unsigned arm of a conditional", "?: b_i[7:0] mixes", func(m *tree.Module, a, b, _ *tree.Net) {
			m.Wire("y", tree.Cond{If: tree.Bit(true), Then: a, Else: tree.Part{X: b, High: 7, Low: 0}})
		}},
		{"a signed number compared with an unsigned one", "< 8'd5 mixes", func(m *tree.Module, a, _, _ *tree.Net) {
			m.Wire("y", tree.Binary{Op: "<", X: a, Y: tree.Const{T: tree.U(8), Value: 5}})
		}},
		{"a logical shift of a signed number", "a_i >> 2'd2 shifts signed", func(m *tree.Module, a, _, _ *tree.Net) {
			m.Wire("y", tree.Binary{Op: ">>", X: a, Y: tree.Const{T: tree.U(2), Value: 2}})
		}},
		// And their neighbours.
		{"a sign lost on the way", "8 bits takes signed 8 bits", func(m *tree.Module, a, _, _ *tree.Net) {
			m.Drive(m.Bare("y", tree.U(8)), a)
		}},
		{"a stretched number", "signed 9 bits takes signed 8 bits", func(m *tree.Module, a, _, _ *tree.Net) {
			m.Drive(m.Bare("y", tree.S(9)), a)
		}},
		{"a port of the other sign", "a port of signed 8 bits on y, 8 bits", func(m *tree.Module, a, _, _ *tree.Net) {
			y := m.Wire("y", tree.Cast{Signed: false, X: a})
			m.Place(leaf, "leaf", tree.To("x_i", y))
		}},
		{"an operation whose width the context decides", "is an operand of +", func(m *tree.Module, a, b, _ *tree.Net) {
			m.Wire("y", tree.Binary{Op: "+", X: tree.Binary{Op: "+", X: a, Y: b}, Y: b})
		}},
		{"a number that does not fit", "200 does not fit signed 8 bits", func(m *tree.Module, a, _, _ *tree.Net) {
			m.Wire("y", tree.Binary{Op: "+", X: a, Y: tree.Const{T: tree.S(8), Value: 200}})
		}},
		{"a reserved word", "is a reserved word", func(m *tree.Module, a, _, _ *tree.Net) { m.Wire("input", a) }},
		{"an input left open", "is not connected", func(m *tree.Module, _, _, _ *tree.Net) { m.Place(leaf, "leaf") }},
	} {
		m, a, b, acc := clean()
		c.bug(m, a, b, acc)
		if found := strings.Join(tree.Lint(m), "\n"); !strings.Contains(found, c.want) {
			t.Errorf("%s: want %q, found %q", c.name, c.want, found)
		}
	}
}
