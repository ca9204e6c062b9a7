package flow

import (
	"errors"
	"math"
	"strings"
	"testing"
)

// A nodal builds systems for tests the way a netlist would.
type nodal struct{ s System }

func newNodal(unknowns int) *nodal { return &nodal{System{Unknowns: unknowns}} }

func (n *nodal) entry(list *[]Entry, i, j int, v float64) {
	if i >= 0 && j >= 0 {
		*list = append(*list, Entry{int32(i), int32(j), v})
	}
}

func (n *nodal) stamp(list *[]Entry, a, b int, v float64) {
	n.entry(list, a, a, v)
	n.entry(list, b, b, v)
	n.entry(list, a, b, -v)
	n.entry(list, b, a, -v)
}

func (n *nodal) conductance(a, b int, g float64) { n.stamp(&n.s.Linear, a, b, g) }
func (n *nodal) capacitor(a, b int, c float64)   { n.stamp(&n.s.Storage, a, b, c) }

// current flows out of node a.
func (n *nodal) current(a int, wave func(t float64) float64) {
	n.s.Inputs = append(n.s.Inputs, Entry{int32(a), int32(len(n.s.Sources)), 1})
	n.s.Sources = append(n.s.Sources, Source{Value: wave})
}

// gain is a current g v(c) out of node a.
func (n *nodal) gain(a, c int, g float64) { n.entry(&n.s.Linear, a, c, g) }

// product is a current g v(x) v(y) out of node a.
func (n *nodal) product(a, x, y int, g float64) {
	n.s.Products = append(n.s.Products, Product{Plus: int32(a), Minus: -1, A: int32(x), B: int32(y), Coef: g})
}

// function is a current g f(v(x), …) out of node a.
func (n *nodal) function(a int, f Function, g float64, args ...int32) {
	n.s.Functions = append(n.s.Functions, f)
	n.s.Terms = append(n.s.Terms, Term{
		Plus: int32(a), Minus: -1, Function: int32(len(n.s.Functions) - 1), Arg: int32(len(n.s.Args)),
		Register: int32(len(n.s.Registers)), Coef: g,
	})
	n.s.Args = append(n.s.Args, args...)
	n.s.Registers = append(n.s.Registers, make([]float64, f.Registers())...)
}

type tanh struct{}

func (tanh) Inputs() int               { return 1 }
func (tanh) Registers() int            { return 2 }
func (tanh) Value(r []float64) float64 { r[1] = math.Tanh(r[0]); return r[1] }
func (tanh) Gradient(r, d []float64)   { d[0] = 1 - r[1]*r[1] }

func compile(t testing.TB, n *nodal, outputs ...int) *Field {
	t.Helper()
	f, err := Compile(&n.s, outputs)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// solve integrates from zero or x to the end and returns the outputs there.
func solve(t testing.TB, f *Field, x []float64, end float64, o Options) ([]float64, Counts) {
	t.Helper()
	if x == nil {
		x = make([]float64, f.States())
	}
	g, err := NewIntegrator(f, x, 0, end, o)
	if err != nil {
		t.Fatal(err)
	}
	var out []float64
	if err := g.Run(func(k int) float64 { return []float64{end, math.Inf(1)}[min(k, 1)] }, false, func(_ float64, v []float64) error {
		out = append(out[:0], v...)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return out, g.Counts
}

// membrane is the prospective membrane: node s and the state u behind it.
func (n *nodal) membrane(s, u int, taum, taur float64) {
	n.conductance(s, -1, 1)
	n.conductance(s, u, (taum-taur)/taur)
	n.capacitor(u, -1, taum-taur)
}

// TestMembrane: s is u + tau_r u' without a differentiator, and u' is that of
// the membrane equation.
func TestMembrane(t *testing.T) {
	const taum, taur, in = 1.0, 0.1, 0.7
	n := newNodal(2)
	n.membrane(0, 1, taum, taur)
	n.current(0, func(float64) float64 { return -in })
	f := compile(t, n, 0, 1)
	if s := f.Stats(); s.States != 1 || s.Assigned != 1 || len(s.Loops) != 0 {
		t.Errorf("want one state and one assignment: %v", s)
	}
	dx, out := make([]float64, 1), make([]float64, 2)
	for _, u := range []float64{0, 0.3, -2} {
		if err := f.Derivative(0, []float64{u}, dx); err != nil {
			t.Fatal(err)
		}
		if want := (in - u) / taum; math.Abs(dx[0]-want) > 1e-14 {
			t.Errorf("u = %g: u' = %g, want %g", u, dx[0], want)
		}
		if err := f.Outputs(0, []float64{u}, out); err != nil {
			t.Fatal(err)
		}
		if want := u + taur*dx[0]; math.Abs(out[0]-want) > 1e-14 || out[1] != u {
			t.Errorf("u = %g: outputs %v, want %g and u", u, out, want)
		}
	}
}

// TestAliasesAndUnused: what repeats another node and what nothing needs costs
// nothing.
func TestAliasesAndUnused(t *testing.T) {
	n := newNodal(4)
	n.membrane(0, 1, 1, 0.5)
	n.current(0, math.Sin)
	n.conductance(2, -1, 1) // follows s
	n.gain(2, 0, -1)
	n.conductance(3, -1, 2) // follows at half, unused
	n.gain(3, 2, -1)
	f := compile(t, n, 2)
	if s := f.Stats(); s.Aliases != 1 || s.Unused != 1 || s.Assigned != 1 {
		t.Errorf("%v", s)
	}
	out := make([]float64, 1)
	if err := f.Outputs(0, []float64{0.4}, out); err != nil || math.Abs(out[0]-0.2) > 1e-15 {
		t.Errorf("alias reads %v, %v", out, err)
	}
}

// oscillator is u' = -w v, v' = w u; cos and sin.
func oscillator(w float64) *nodal {
	n := newNodal(2)
	n.capacitor(0, -1, 1)
	n.capacitor(1, -1, 1)
	n.gain(0, 1, w)
	n.gain(1, 0, -w)
	return n
}

// TestOrder measures the order of each method with steps of fixed size, at the
// end of steps and between them.
func TestOrder(t *testing.T) {
	for _, m := range []struct {
		name         string
		order, dense float64
		coarse       float64
	}{{"dopri5", 5, 4, 0.2}, {"dop853", 8, 7, 0.8}} {
		f := compile(t, oscillator(1), 0, 1)
		errorAt := func(h, at float64) float64 {
			g, err := NewIntegrator(f, []float64{1, 0}, 0, 4, Options{RelTol: 1e9, AbsTol: 1e9, MaxStep: h, Method: m.name})
			if err != nil {
				t.Fatal(err)
			}
			g.h = h
			worst := 0.0
			if err := g.Run(func(k int) float64 { return (float64(k) + at) * h }, false, func(t float64, v []float64) error {
				worst = max(worst, math.Hypot(v[0]-math.Cos(t), v[1]-math.Sin(t)))
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			return worst
		}
		for at, order := range map[float64]float64{0: m.order, 0.37: m.dense} {
			got := math.Log2(errorAt(m.coarse, at) / errorAt(m.coarse/2, at))
			if got < order-0.3 {
				t.Errorf("%s at %g of a step: order %.2f, want %g", m.name, at, got, order)
			}
		}
	}
}

// TestTolerance: the error follows the tolerance, and the work its fifth root.
func TestTolerance(t *testing.T) {
	f := compile(t, oscillator(3), 0, 1)
	last := 1.0
	for _, tol := range []float64{1e-4, 1e-6, 1e-8, 1e-10} {
		out, counts := solve(t, f, []float64{1, 0}, 10, Options{RelTol: tol, AbsTol: tol})
		e := math.Hypot(out[0]-math.Cos(30), out[1]-math.Sin(30))
		if e > 300*tol || e > last {
			t.Errorf("tolerance %g: error %.2g in %d steps", tol, e, counts.Steps)
		}
		last = e
	}
}

// TestLoop: a rate that looks ahead at its own drive, r = tanh(y) with
// y = u/2 + g r/2, is an algebraic loop; and one of a linear pair.
func TestLoop(t *testing.T) {
	for _, g := range []float64{0.3, 0.9, 1.6, -4} {
		n := newNodal(3) // s, u, r
		n.membrane(0, 1, 1, 0.5)
		n.gain(0, 2, -g)
		n.conductance(2, -1, 1)
		n.function(2, tanh{}, -1, 0)
		f := compile(t, n, 0, 2)
		if s := f.Stats(); len(s.Loops) != 1 || s.Loops[0] != 2 {
			t.Fatalf("%v", s)
		}
		out := make([]float64, 2)
		for u := -3.0; u <= 3; u += 0.01 {
			if err := f.Outputs(0, []float64{u}, out); err != nil {
				if g > 1 {
					continue // two solutions or none near: a fold
				}
				t.Fatalf("g = %g, u = %g: %v", g, u, err)
			}
			if y, r := out[0], out[1]; math.Abs(r-math.Tanh(y)) > 1e-12 || math.Abs(y-u/2-g*r/2) > 1e-12 {
				t.Fatalf("g = %g, u = %g: y = %g, r = %g do not solve the loop", g, u, y, r)
			}
		}
	}

	n := newNodal(3) // a divider of two nodes fed by a state
	n.capacitor(0, -1, 1)
	n.conductance(0, 1, 1)
	n.conductance(1, 2, 1)
	n.conductance(2, -1, 1)
	f := compile(t, n, 1, 2)
	out := make([]float64, 2)
	if err := f.Outputs(0, []float64{3}, out); err != nil || math.Abs(out[0]-2) > 1e-15 || math.Abs(out[1]-1) > 1e-15 {
		t.Errorf("divider: %v, %v", out, err)
	}
}

// TestStorageBlock: capacitors between nodes make a block that is inverted.
func TestStorageBlock(t *testing.T) {
	n := newNodal(2)
	n.capacitor(0, -1, 1)
	n.capacitor(1, -1, 2)
	n.capacitor(0, 1, 3)
	n.conductance(0, -1, 1)
	n.conductance(1, -1, 5)
	f := compile(t, n, 0, 1)
	dx := make([]float64, 2)
	if err := f.Derivative(0, []float64{1, -1}, dx); err != nil {
		t.Fatal(err)
	}
	// [4 -3; -3 5] x' = [-1; 5]
	if math.Abs(dx[0]-10./11) > 1e-14 || math.Abs(dx[1]-17./11) > 1e-14 {
		t.Errorf("x' = %v", dx)
	}
	x := make([]float64, 2)
	f.Initial([]float64{4*2 - 3*7, -3*2 + 5*7}, x)
	if math.Abs(x[0]-2) > 1e-14 || math.Abs(x[1]-7) > 1e-14 {
		t.Errorf("states of the charges: %v", x)
	}
}

func TestNotExplicit(t *testing.T) {
	floating := newNodal(2)
	floating.capacitor(0, 1, 1)
	floating.conductance(0, -1, 1)
	floating.conductance(1, -1, 1)

	held := newNodal(2) // a source across a capacitor: branch 1 sets node 0
	held.capacitor(0, -1, 1)
	held.entry(&held.s.Linear, 0, 1, 1)
	held.entry(&held.s.Linear, 1, 0, 1)

	for want, n := range map[string]*nodal{"float": floating, "no equation is left": held} {
		var not *NotExplicitError
		if _, err := Compile(&n.s, nil); !errors.As(err, &not) || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}

func TestCornersAreHit(t *testing.T) {
	n := newNodal(1) // C v' = pulse
	n.capacitor(0, -1, 1)
	n.current(0, func(t float64) float64 {
		if t > 1 && t < 2 {
			return 1 - t
		}
		if t >= 2 {
			return -1
		}
		return 0
	})
	n.s.Sources[0].Next = func(t float64) float64 {
		for _, c := range []float64{1, 2} {
			if t < c {
				return c
			}
		}
		return math.Inf(1)
	}
	f := compile(t, n, 0)
	out, counts := solve(t, f, nil, 3, Options{})
	if math.Abs(out[0]-1.5) > 1e-14 { // polynomials of low degree: exact but for rounding
		t.Errorf("v(3) = %.17g, want 1.5", out[0])
	}
	if counts.Rejected != 0 {
		t.Errorf("%d steps were rejected at corners", counts.Rejected)
	}
}

func TestStepErrorNamesTheState(t *testing.T) {
	n := newNodal(2) // x' = x², x(0) = 1 explodes at t = 1
	n.capacitor(0, -1, 1)
	n.product(0, 0, 0, -1)
	n.capacitor(1, -1, 1)
	n.s.Name = func(k int) string { return []string{"v(bang)", "v(calm)"}[k] }
	f := compile(t, n, 0)
	g, err := NewIntegrator(f, []float64{1, 0}, 0, 2, Options{})
	if err != nil {
		t.Fatal(err)
	}
	err = g.Run(func(int) float64 { return math.Inf(1) }, true, func(float64, []float64) error { return nil })
	var step *StepError
	if !errors.As(err, &step) || step.Name != "v(bang)" || math.Abs(step.Time-1) > 1e-3 {
		t.Errorf("got %v", err)
	}
}

func TestStiffness(t *testing.T) {
	for _, w := range []float64{0.5, 40} {
		f := compile(t, oscillator(w))
		if r, err := f.Stiffness(0, []float64{1, 0}); err != nil || math.Abs(r-w) > 0.05*w {
			t.Errorf("oscillator of %g: %g, %v", w, r, err)
		}
	}
	n := newNodal(2)
	n.capacitor(0, -1, 1e-3)
	n.capacitor(1, -1, 1)
	n.conductance(0, 1, 2)
	n.conductance(1, -1, 1)
	f := compile(t, n)
	if r, err := f.Stiffness(0, make([]float64, 2)); err != nil || math.Abs(r-2002) > 5 {
		t.Errorf("fast mode of 2002: %g, %v", r, err)
	}
}

func TestNoAllocation(t *testing.T) {
	n := newNodal(4)
	n.membrane(0, 1, 1, 0.5)
	n.gain(0, 2, -0.4)
	n.conductance(2, -1, 1)
	n.function(2, tanh{}, -1, 0)
	n.capacitor(3, -1, 1)
	n.product(3, 3, 2, 0.1)
	n.current(0, math.Sin)
	noAllocation(t, compile(t, n, 0, 3))
	layers := newLayers(20, 30, 0.01)
	noAllocation(t, compile(t, layers.nodal, layers.outputs...))
}

func noAllocation(t *testing.T, f *Field) {
	t.Helper()
	x := make([]float64, f.States())
	for k := range x {
		x[k] = 0.1
	}
	g, err := NewIntegrator(f, x, 0, 1e9, Options{})
	if err != nil {
		t.Fatal(err)
	}
	step := func() {
		h, end, err := g.step()
		if err != nil {
			t.Fatal(err)
		}
		if err := g.interpolate(0.5, h); err != nil {
			t.Fatal(err)
		}
		if err := f.show(end-h/2, g.trial, g.out); err != nil {
			t.Fatal(err)
		}
		g.advance(end)
	}
	for range 10 {
		step()
	}
	if a := testing.AllocsPerRun(200, step); a != 0 {
		t.Errorf("a step allocates %v times", a)
	}
}
