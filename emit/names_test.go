package emit_test

import (
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"vlec/emit"
)

var legal = regexp.MustCompile(`^[a-z][a-z0-9]*(_[a-z0-9]+)*$`)

func TestNames(t *testing.T) {
	n := emit.NewNames(emit.Spice, "vdd", "Top")
	for _, c := range []struct{ name, want string }{
		{"hidden.u", "hidden_u"},
		{"Hidden u", "hidden_u_2"},
		{"HIDDEN.U", "hidden_u_3"},
		{"hidden.u", "hidden_u"}, // the same again
		{"hidden_u_2", "hidden_u_2_2"},
		{"in[3,0]", "in_3_0"},
		{"__a__b__", "a_b"},
		{"3x", "n3x"},
		{"", "n_2"}, // n alone is reserved
		{"!?", "n_3"},
		{"τ_m", "tau_m"},
		{"x\n.control\nshell rm", "x_control_shell_rm"},
		{`"quoted" \escape `, "quoted_escape"},
		{"gnd", "gnd_2"},
		{"0", "n0"},
		{"time", "time_2"},
		{"Vdd", "vdd_2"},
		{"top", "top_2"},
		{"\xff\xfe", "n_4"},
		{strings.Repeat("long ", 30), strings.TrimRight(strings.Repeat("long_", 30)[:64], "_")},
		{strings.Repeat("long ", 31), strings.Repeat("long_", 30)[:62] + "_2"},
	} {
		if got := n.Of(c.name); got != c.want {
			t.Errorf("Of(%q) = %s, want %s", c.name, got, c.want)
		}
	}
	v := emit.NewNames(emit.Verilog, "clk")
	for name, want := range map[string]string{"wire": "wire_2", "Logic": "logic_2", "int": "int_2", "clk": "clk_2", "gnd": "gnd"} {
		if got := v.Of(name); got != want {
			t.Errorf("Verilog: Of(%q) = %s, want %s", name, got, want)
		}
	}
}

// TestNamesInjective wants legal identifiers, a different one for each name, and
// the same ones in a second run.
func TestNamesInjective(t *testing.T) {
	hostile := rapid.OneOf(
		rapid.String(),
		rapid.StringMatching(`[aA][ ._]?[bB1](_[23])?`), // these collide often
		rapid.SampledFrom([]string{"wire", "WIRE", "wire_2", "gnd", "n", "", "own", "x\n.control", "\x00", "µ", "μ", "ſ", "K", "İ"}),
		rapid.StringOfN(rapid.SampledFrom([]rune("ab ")), 60, 80, -1),
	)
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SliceOf(hostile).Draw(t, "names")
		language, keyword := emit.Spice, "gnd"
		if rapid.Bool().Draw(t, "Verilog") {
			language, keyword = emit.Verilog, "wire"
		}
		first, second := emit.NewNames(language, "own"), emit.NewNames(language, "own")
		owner := map[string]string{"own": "the printer"}
		for _, name := range names {
			id := first.Of(name)
			if !legal.MatchString(id) || len(id) > 64 {
				t.Fatalf("%q: %q is not legal", name, id)
			}
			if id == keyword {
				t.Fatalf("%q: %q is reserved", name, id)
			}
			if other, ok := owner[id]; ok && other != name {
				t.Fatalf("%q and %q are both %s", other, name, id)
			}
			owner[id] = name
			if again := second.Of(name); again != id || first.Of(name) != id {
				t.Fatalf("%q: %s, then %s", name, id, again)
			}
		}
	})
}

func BenchmarkNames(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		n := emit.NewNames(emit.Verilog)
		for i := range 1000 {
			n.Of(strings.Repeat("x.", i%7) + "u")
			n.Of(strings.Repeat("?", i))
		}
	}
}
