package circuit_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"vlec/circuit"
	"vlec/model/diag"
)

// chainText has one of everything that the text form can say.
const chainText = `circuit "a chain"
units time=0.001 voltage=0.1 resistance=100000
net in potential 2
net hidden.s sum 1
net hidden.u potential 1
net hidden.y potential 1
net hidden.r potential 1
net "w\nnet x sum 1" potential 2
stimulus drive out=in wave=[sine(1 250 0 0 0 0 0)+constant(-0.5) samples(0 1 0.1 -0)] @ model.toml:3:1
weight-store W pre=in post=hidden.r w="w\nnet x sum 1" rate=100 decay=0 clip=0 init=[0.1 1e-300] @ "my model.toml":4:2
plastic-synapse W.synapse w="w\nnet x sum 1" pre=in sum=hidden.s @ model.toml:5:1
lead-lag hidden.membrane sum=hidden.s state=hidden.u lead=hidden.y tau=[0.001] ahead=[0.0001] init=[0] @ model.toml:6:1
activation hidden.activation in=hidden.y out=hidden.r phi=tanh @ model.toml:6:1
signal hidden.u hidden.u 1
signal W "w\nnet x sum 1" 1 2
`

func TestTextReadsBack(t *testing.T) {
	c := mustParse(t, chainText)
	if diff := cmp.Diff(chainText, c.String()); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if err := c.Verify(); err != nil {
		t.Error(err)
	}
}

func mustParse(t *testing.T, text string) *circuit.Circuit {
	t.Helper()
	c, err := circuit.Parse("x.circuit", text)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestTextLayout reads what a person may write: comments, blanks, any order of
// pins, elements without an origin.
func TestTextLayout(t *testing.T) {
	c := mustParse(t, "# a comment\n\ncircuit x\r\n  net a potential 1\n net b sum 1\n"+
		"coupling c\tgain=2  sum=b in=a\n")
	want := "circuit x\nnet a potential 1\nnet b sum 1\ncoupling c in=a sum=b gain=2 @ x.circuit:6:1\n"
	if diff := cmp.Diff(want, c.String()); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// hostile are names that would change the text, or the netlist made from it, if
// they were printed as they are.
var hostile = rapid.OneOf(
	rapid.String(),
	rapid.SampledFrom([]string{
		"", "hidden.u", "Hidden.U", "net", "@", "#", "a b", `"`, `\`, "\n.control\nquit\n.endc", "in=x", "[0 1]", "0", "-1", "a:b",
		"\x00", "\xff\xfe", "\u2028", "τ", ";", "x\r", "'", "{p_v0}", "+", "time",
	}),
)

// randomCircuit draws a graph that the text form can express, whether or not it
// makes sense.
func randomCircuit(t *rapid.T) *circuit.Circuit {
	c := circuit.New(hostile.Draw(t, "name"))
	if rapid.Bool().Draw(t, "physical") {
		unit := rapid.Float64Range(1e-12, 1e12)
		c.Units = circuit.Units{Time: unit.Draw(t, "s"), Voltage: unit.Draw(t, "V"), Resistance: unit.Draw(t, "ohm")}
	}
	for _, name := range rapid.SliceOfNDistinct(hostile, 1, 6, rapid.ID).Draw(t, "nets") {
		q := rapid.SampledFrom([]circuit.Quantity{circuit.Potential, circuit.Sum}).Draw(t, "quantity")
		c.Net(name, q, rapid.IntRange(1, 9).Draw(t, "width"))
	}
	net := rapid.SampledFrom(c.Nets)
	for range rapid.IntRange(0, 5).Draw(t, "elements") {
		kind := rapid.SampledFrom(circuit.KindList).Draw(t, "kind")
		e := c.Add(kind.Name, hostile.Draw(t, "element"), diag.Pos{
			File: hostile.Draw(t, "file"), Line: rapid.IntRange(1, 99).Draw(t, "line"), Col: rapid.Int().Draw(t, "col"),
		})
		for i := range e.Pins {
			if rapid.IntRange(0, 9).Draw(t, "open") > 0 {
				e.Pins[i] = net.Draw(t, "net")
			}
		}
		for i, spec := range kind.Params {
			switch spec.Dimension {
			case circuit.Word:
				e.Params[i].Word = hostile.Draw(t, "word")
			case circuit.Stim:
				e.Params[i].Waves = rapid.SliceOfN(wave, 0, 3).Draw(t, "waves")
			default:
				e.Params[i].Numbers = numbers.Draw(t, "numbers")
			}
		}
	}
	for range rapid.IntRange(0, 3).Draw(t, "signals") {
		c.Observe(hostile.Draw(t, "signal"), net.Draw(t, "net"), rapid.SliceOfN(rapid.IntRange(1, 9), 1, 3).Draw(t, "shape")...)
	}
	return c
}

var (
	numbers = rapid.SliceOfN(rapid.Float64(), 0, 4)
	wave    = rapid.Custom(func(t *rapid.T) circuit.Wave {
		w := make(circuit.Wave, rapid.IntRange(1, 3).Draw(t, "terms"))
		for i := range w {
			w[i] = circuit.Term{Shape: rapid.SampledFrom(circuit.Shapes).Draw(t, "shape").Shape, Numbers: numbers.Draw(t, "numbers")}
		}
		return w
	})
)

// TestTextRoundTrip prints random graphs, reads them and prints them again.
func TestTextRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := randomCircuit(t).String()
		back, err := circuit.Parse("x", text)
		if err != nil {
			t.Fatalf("%v in\n%s", err, text)
		}
		if diff := cmp.Diff(text, back.String()); diff != "" {
			t.Fatalf("-printed +read back\n%s", diff)
		}
		back.Verify() // finds plenty, but must not panic
		back.Dot()
	})
}

func TestParseErrors(t *testing.T) {
	const head = "net a potential 1\nnet b sum 1\n"
	for _, c := range []struct{ text, want string }{
		{"nets a sum 1", `x:1:1: unknown word "nets"`},
		{"net a potential 0", `x:1:17: the width of net "a" is not a positive number`},
		{"net a potential 99999999999", `x:1:17: the width of net "a"`},
		{"net a potential 1\nnet a sum 1", `x:2:5: two nets are named "a"`},
		{"net a potential 1 2", `x:1:19: unexpected "2"`},
		{"net", "x:1:4: a name or word is missing"},
		{`net "a potential 1`, "x:1:5: a quoted name does not end"},
		{head + "coupling c im=a", `x:3:12: coupling has neither pin nor parameter "im"`},
		{head + "coupling c in=d", `x:3:15: there is no net "d"`},
		{head + "coupling c in=a in=a", `x:3:17: in is given twice`},
		{head + "coupling c gain=1 gain=2", `x:3:19: gain is given twice`},
		{head + "coupling c in", `x:3:14: expected "="`},
		{head + "coupling c gain=1m", `x:3:17: "1m" is not a number`},
		{head + "coupling c gain=[1", `x:3:19: "" is not a number`},
		{head + "coupling c @ m.toml:1", `x:3:22: expected ":"`},
		{head + "coupling c @ m.toml:1:x", `not a number`},
		{head + "stimulus s wave=constant(1)", `x:3:17: expected "["`},
		{head + "stimulus s wave=[square(1)]", `x:3:18: there is no wave shape "square"`},
		{head + "stimulus s wave=[constant 1]", `x:3:26: expected "("`},
		{head + "signal s c 1", `x:3:10: signal "s" is on a net that is not there`},
		{head + "signal s a x", `x:3:12: the shape of signal "s" is not made of positive numbers`},
		{"units time=1 voltage=1", "a name or word is missing"},
		{"units time=0 voltage=1 resistance=1", "time is not a positive number"},
		{"units voltage=1 time=1 resistance=1", `found "voltage", want "time"`},
	} {
		got, err := circuit.Parse("x", c.text)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, want %s\n%v", c.text, err, c.want, got)
		}
	}
}

// TestParseReportsAll wants one error a line, of all lines.
func TestParseReportsAll(t *testing.T) {
	_, err := circuit.Parse("x", "net a potential 0\nfoo\nnet b sum 1\ncoupling c in=z sum=q gain=w\n")
	list, ok := err.(diag.List)
	if !ok || len(list) != 3 {
		t.Errorf("want three errors, got %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(chainText)
	f.Add("units time=1 voltage=NaN resistance=1\nnet \"\" sum 1\nsignal \"\" \"\" 9 9 9 268435456 268435456 268435456")
	f.Add("stimulus \"\\xff\" wave=[samples(0 1)+constant(+Inf)] @ \"\":-1:0")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := circuit.Parse("x", text)
		if err != nil {
			return
		}
		c.Verify()
		first := c.String()
		back, err := circuit.Parse("x", first)
		if err != nil {
			t.Fatalf("%v\n%s", err, first)
		}
		// An element without an origin has got one in the first reading.
		if second := back.String(); second != first {
			t.Fatalf("printed\n%s\nread back as\n%s", first, second)
		}
	})
}
