package circuit_test

import (
	"math"
	"strings"
	"testing"

	"vlec/circuit"
	"vlec/model/diag"
)

// TestVerify breaks each rule once.
func TestVerify(t *testing.T) {
	const nets = "net p potential 2\nnet q potential 2\nnet w potential 4\nnet s sum 2\nnet one potential 1\n"
	const sound = nets +
		"stimulus p out=p wave=[constant(1) constant(2)] @ m:1:1\n" +
		"synapse syn pre=p sum=s w=[1 2 3 4] @ m:2:1\n" +
		"leaky-integrator lag sum=s state=q tau=[1 2] init=[0 0] @ m:3:1\n"
	if err := mustParse(t, sound).Verify(); err != nil {
		t.Fatalf("the sound graph: %v", err)
	}
	for _, c := range []struct{ name, from, to, want string }{
		{"name taken", "lag", "p", `m:3:1: leaky-integrator "p": the name is taken`},
		{"open pin", " pre=p", "", `m:2:1: synapse "syn": pin pre is open`},
		{"drives a sum", "out=p", "out=s", `m:1:1: stimulus "p": pin out drives, but net "s" is a sum`},
		{"injects into a potential", "sum=s w", "sum=q w", `m:2:1: synapse "syn": pin sum injects, but net "q" is a potential`},
		{"terminates a potential", "sum=s state", "sum=p state", `m:3:1: leaky-integrator "lag": pin sum terminates, but net "p" is a potential`},
		{"widths differ", "state=q", "state=w", `m:3:1: leaky-integrator "lag": pin state is 4 wide, want n = 2`},
		{"too few numbers", "[1 2 3 4]", "[1 2 3]", `m:2:1: synapse "syn": parameter w has 3 numbers, want 4`},
		{"not finite", "[1 2 3 4]", "[1 2 NaN 4]", `m:2:1: synapse "syn": parameter w[2] = NaN is out of range`},
		{"infinite", "init=[0 0]", "init=[0 -Inf]", `m:3:1: leaky-integrator "lag": parameter init[1] = -Inf is out of range`},
		{"not positive", "tau=[1 2]", "tau=[1 0]", `m:3:1: leaky-integrator "lag": parameter tau[1] = 0 is out of range`},
		{"missing numbers", " tau=[1 2]", "", `m:3:1: leaky-integrator "lag": parameter tau has 0 numbers, want 2`},
		{"too few waves", "constant(1) ", "", `m:1:1: stimulus "p": parameter wave has 1 waves, want 2`},
		{"numbers of a wave", "constant(1)", "constant(1 2)", `m:1:1: stimulus "p": wave constant has 2 numbers`},
		{"odd samples", "constant(1)", "samples(0 1 2)", `wave samples has 3 numbers`},
		{"no samples", "constant(1)", "samples()", `wave samples has 0 numbers`},
		{"samples not sorted", "constant(1)", "samples(0 1 0 2)", `the times of wave samples do not ascend at 0`},
		{"wave not finite", "constant(1)", "constant(NaN)", `number 0 of wave constant is NaN`},
		{"driven twice", "lag sum=s state=q", "lag sum=s state=p", `m:3:1: leaky-integrator "lag": net "p" is already owned by "p"`},
		{"not driven", "pre=p", "pre=w", `m:2:1: synapse "syn": nothing drives net "w"`},
		{"not terminated", "leaky-integrator lag sum=s state=q tau=[1 2] init=[0 0]", "coupling lag in=p sum=s gain=1", `m:2:1: synapse "syn": nothing terminates net "s"`},
		{"matrix of another size", "leaky-integrator lag sum=s state=q tau=[1 2] init=[0 0]", "weight-store lag pre=p post=p w=one rate=1 decay=0 clip=0 init=[0 0 0 0]", `pin w is 1 wide, want 2 x 2`},
		{"unknown function", "leaky-integrator lag sum=s state=q tau=[1 2] init=[0 0]", "activation lag in=p out=q phi=sin", `m:3:1: activation "lag": parameter phi is "sin"; it is tanh, softplus, relu, sigmoid, linear`},
		{"unknown quantity", "net one potential", "net one current", `net "one" carries an unknown quantity "current"`},
		{"signal on a narrow net", "\n", "\nsignal x p 3\n", `signal "x" of shape [3] is not on a net of that width`},
		{"signal of a shape without end", "\n", "\nsignal x p 268435456 268435456 256 2\n", `signal "x" of shape`},
	} {
		// The last match: the net lines above use the same words.
		at := strings.LastIndex(sound, c.from)
		if at < 0 {
			t.Fatalf("%s: no %q to replace", c.name, c.from)
		}
		err := mustParse(t, sound[:at]+c.to+sound[at+len(c.from):]).Verify()
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v\nwant %s", c.name, err, c.want)
		}
	}
}

// TestVerifyGraph breaks what the text form cannot say.
func TestVerifyGraph(t *testing.T) {
	pos := diag.Pos{File: "m", Line: 1, Col: 1}
	for _, c := range []struct {
		want  string
		build func(*circuit.Circuit)
	}{
		{`two nets are named "a"`, func(c *circuit.Circuit) { c.Net("a", circuit.Sum, 1); c.Net("a", circuit.Sum, 1) }},
		{`net "a" has width 0`, func(c *circuit.Circuit) { c.Net("a", circuit.Sum, 0) }},
		{`m:1:1: softmax "x": pin in is on a net "b" of another circuit`, func(c *circuit.Circuit) {
			other := circuit.New("other").Net("b", circuit.Potential, 1)
			c.Add("softmax", "x", pos).Connect("in", other).Connect("out", c.Net("a", circuit.Potential, 1))
		}},
		{`m:1:1: stimulus "x": a wave has no term`, func(c *circuit.Circuit) {
			c.Add("stimulus", "x", pos).Connect("out", c.Net("a", circuit.Potential, 1)).SetWaves("wave", []circuit.Wave{{}})
		}},
		{`m:1:1: stimulus "x": there is no wave shape "square"`, func(c *circuit.Circuit) {
			c.Add("stimulus", "x", pos).Connect("out", c.Net("a", circuit.Potential, 1)).
				SetWaves("wave", []circuit.Wave{{{Shape: "square", Numbers: []float64{1}}}})
		}},
		{`signal "x" of shape [1] is not on a net`, func(c *circuit.Circuit) {
			c.Observe("x", circuit.New("other").Net("b", circuit.Potential, 1))
		}},
		{`m:1:1: coupling "x": parameter gain[0] = NaN is out of range`, func(c *circuit.Circuit) {
			c.Add("coupling", "x", pos).Connect("in", c.Net("a", circuit.Potential, 1)).Connect("sum", c.Net("b", circuit.Sum, 1)).Set("gain", math.NaN())
		}},
	} {
		g := circuit.New("x")
		c.build(g)
		if err := g.Verify(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v\nwant %s", err, c.want)
		}
	}
}

func TestReplaceAndPrune(t *testing.T) {
	c := mustParse(t, "net a potential 1\nnet b potential 1\nnet s sum 1\n"+
		"stimulus a out=a wave=[constant(1)] @ m:1:1\nactivation f in=a out=b phi=tanh @ m:2:1\ncoupling k in=b sum=s gain=1 @ m:3:1\nsignal r b 1\n")
	c.Replace(c.FindNet("b"), c.FindNet("a")) // moves k and r, not what drives b
	c.Elements = append(c.Elements[:1], c.Elements[2:]...)
	c.Prune()
	want := "circuit \"\"\nnet a potential 1\nnet s sum 1\n" +
		"stimulus a out=a wave=[constant(1)] @ m:1:1\ncoupling k in=a sum=s gain=1 @ m:3:1\nsignal r a 1\n"
	if got := c.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestDot(t *testing.T) {
	c := mustParse(t, "circuit \"a \\\"b\\\"\\n\"\nnet a potential 2\nnet s sum 2\nnet u potential 2\n"+
		"stimulus in out=a wave=[constant(1) constant(1)]\ncoupling k in=a sum=s gain=1\nleaky-integrator m sum=s state=u tau=[1 1] init=[0 0]\n"+
		"prospective p sum=s state=u lead=a tau=[1 1] ahead=[1 1]\n")
	got := c.Dot()
	for _, want := range []string{
		`digraph "a \"b\"\n" {`,
		`e0 [label="stimulus\nin"`,
		`e0 -> e1 [label="a [2]"];`,
		`e1 -> e2 [label="s [2]"];`,
		`e2 -> e3 [label="u [2]"];`,
		`e2 -> e3 [label="s [2]", style=dashed];`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in\n%s", want, got)
		}
	}
}
