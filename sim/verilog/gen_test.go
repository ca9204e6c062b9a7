package verilog

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// A randText writes random Verilog. It knows widths only as far as the
// language demands it: that parts lie inside, and that a width stays small.
type randText struct {
	*rand.Rand
	sigs []randSig
	xs   bool // literals and vectors with unknown bits
	// narrow keeps every context below 65 bits and allows division: Icarus 11
	// divides wider nets wrongly (a/1 gives 0).
	narrow bool
}

type randSig struct {
	name   string
	w      int
	signed bool
	mem    int // words
}

func newRandText(seed uint64) *randText {
	return &randText{Rand: rand.New(rand.NewPCG(seed, 0x5eed))}
}

func (r *randText) width() int {
	switch r.IntN(6) {
	case 0:
		return 1
	case 1:
		if !r.narrow {
			return 60 + r.IntN(11)
		}
	}
	return 1 + r.IntN(24)
}

func (r *randText) pick(list ...string) string { return list[r.IntN(len(list))] }

// digits writes w random bits; small numbers, all ones and all zeros are as
// likely as noise.
func (r *randText) bits(w int) string {
	var s strings.Builder
	mode := r.IntN(5)
	for i := range w {
		b := "01"[r.IntN(2)]
		switch {
		case mode == 0 && i < w-3:
			b = '0'
		case mode == 1 && i < w-3:
			b = '1'
		case mode == 2 && i > 0:
			b = '0'
		}
		if r.xs && r.IntN(12) == 0 {
			b = "xz"[r.IntN(2)]
		}
		s.WriteByte(b)
	}
	return s.String()
}

func (r *randText) literal() string {
	switch r.IntN(5) {
	case 0:
		return fmt.Sprint(r.IntN(20))
	case 1:
		// Unsized and signed is left to the golden cases: Icarus takes 'shad
		// for a negative number of 8 bits.
		return fmt.Sprintf("'h%x", r.Uint32()>>1)
	}
	w := r.width()
	return fmt.Sprintf("%d'%sb%s", w, r.pick("", "s"), r.bits(w))
}

func (r *randText) leaf() string {
	if len(r.sigs) == 0 || r.IntN(5) == 0 {
		return r.literal()
	}
	s := r.sigs[r.IntN(len(r.sigs))]
	if s.mem > 0 {
		return fmt.Sprintf("%s[%s]", s.name, r.small(s.mem))
	}
	if s.w > 1 {
		switch r.IntN(8) {
		case 0:
			return fmt.Sprintf("%s[%s]", s.name, r.small(s.w))
		case 1:
			lo := r.IntN(s.w)
			return fmt.Sprintf("%s[%d:%d]", s.name, lo+r.IntN(s.w-lo), lo)
		case 2:
			n := 1 + r.IntN(s.w)
			return fmt.Sprintf("%s[%s %s %d]", s.name, r.small(s.w), r.pick("+:", "-:"), n)
		}
	}
	return s.name
}

// small writes an index: mostly constant, mostly in range.
func (r *randText) small(n int) string {
	if len(r.sigs) > 0 && r.IntN(2) == 0 {
		if s := r.sigs[r.IntN(len(r.sigs))]; s.mem == 0 {
			// Icarus cuts an index of more than 32 bits; the standard does not.
			if r.IntN(3) == 0 && s.w <= 30 {
				return s.name
			}
			return fmt.Sprintf("%s & %d", s.name, 1<<r.IntN(5)-1)
		}
	}
	return fmt.Sprint(r.IntN(n))
}

func (r *randText) expr(depth int) string {
	if depth <= 0 {
		return r.leaf()
	}
	sub := func() string { return r.expr(depth - 1 - r.IntN(2)) }
	switch r.IntN(16) {
	case 0, 1, 2:
		return fmt.Sprintf("(%s %s %s)", sub(), r.pick("+", "-", "*", "&", "|", "^", "~^"), sub())
	case 3:
		return fmt.Sprintf("(%s %s %s)", sub(), r.pick("+", "-", "*"), sub())
	case 4:
		return fmt.Sprintf("(%s %s %s)", sub(), r.pick("<", "<=", ">", ">=", "==", "!=", "===", "!=="), sub())
	case 5, 6:
		return fmt.Sprintf("(%s %s %s)", sub(), r.pick("<<", ">>", "<<<", ">>>"), r.pick(fmt.Sprint(r.IntN(9)), "(("+sub()+") & 15)", sub()))
	case 7, 8:
		return fmt.Sprintf("(%s ? %s : %s)", sub(), sub(), sub())
	case 9:
		return fmt.Sprintf("%s(%s)", r.pick("$signed", "$unsigned"), sub())
	case 10:
		return fmt.Sprintf("(%s%s)", r.pick("-", "~", "!", "&", "|", "^", "~&", "~|", "~^", "+"), sub())
	case 11:
		n := 1 + r.IntN(3)
		parts := make([]string, n)
		for i := range parts {
			parts[i] = fmt.Sprintf("(%s)", r.sized(depth-1))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case 12:
		return fmt.Sprintf("{%d{%s}}", 1+r.IntN(3), r.sized(depth-1))
	case 13:
		if !r.narrow {
			return r.leaf()
		}
		return fmt.Sprintf("(%s %s %s)", sub(), r.pick("/", "%"), sub())
	case 14:
		return fmt.Sprintf("(%s %s %s)", sub(), r.pick("&&", "||"), sub())
	}
	return r.leaf()
}

// sized is an operand that may stand in a concatenation and is not too wide.
func (r *randText) sized(depth int) string {
	if s := r.sigs[r.IntN(len(r.sigs))]; s.mem == 0 && r.IntN(2) == 0 {
		return s.name
	}
	w := 1 + r.IntN(12)
	return fmt.Sprintf("%d'%sb%s", w, r.pick("", "s"), r.bits(w))
}

func (r *randText) declare(name string, kind string) (randSig, string) {
	s := randSig{name: name, w: r.width(), signed: r.IntN(2) == 0}
	return s, s.decl(kind)
}

func (s randSig) decl(kind string) string {
	sign := ""
	if s.signed {
		sign = " signed"
	}
	rng := ""
	if s.w > 1 {
		rng = fmt.Sprintf(" [%d:0]", s.w-1)
	}
	dim := ""
	if s.mem > 0 {
		dim = fmt.Sprintf(" [0:%d]", s.mem-1)
	}
	return fmt.Sprintf("%s%s%s %s%s", kind, sign, rng, s.name, dim)
}

// expressions is a testbench that prints the values of random expressions in
// every context: wires, variables, cases and arguments of $display.
func (r *randText) expressions(n, vectors int) string {
	var t strings.Builder
	t.WriteString("module tb;\n")
	for i := range 6 {
		s, d := r.declare(fmt.Sprintf("s%d", i), "reg")
		r.sigs = append(r.sigs, s)
		fmt.Fprintf(&t, "  %s;\n", d)
	}
	inputs := r.sigs
	for i := range n {
		s, d := r.declare(fmt.Sprintf("w%d", i), "wire")
		e := r.expr(1 + r.IntN(4))
		fmt.Fprintf(&t, "  %s = %s;\n", d, e)
		if i < 4 {
			r.sigs = append(r.sigs, s)
		}
	}
	t.WriteString("  initial begin\n")
	for v := range vectors {
		for _, s := range inputs {
			fmt.Fprintf(&t, "    %s = %d'b%s;\n", s.name, s.w, r.bits(s.w))
		}
		t.WriteString("    #1;\n")
		for i := range n {
			fmt.Fprintf(&t, "    $display(\"%d w%d %%b\", w%d);\n", v, i, i)
		}
		// The widths are those of the expression itself here. (Icarus 11
		// prints a self-determined ?: with unknown condition wrongly: none.)
		for i := range 3 {
			fmt.Fprintf(&t, "    $display(\"%d e%d %%b\", {%s});\n", v, i, r.sized(1))
		}
	}
	t.WriteString("    $finish;\n  end\nendmodule\n")
	return t.String()
}
