package flow

import (
	"math"
	"math/rand/v2"
	"runtime"
	"testing"
)

// layers is a learning network of two layers: inputs r, hidden membranes driven
// by V r, an output layer that compares U tanh(u) with zero, and errors that go
// back through Uᵀ. Both V and U learn; V decays, and reaches the hidden layer
// through summing nodes, U through a static dense matrix beside it.
type layers struct {
	*nodal
	hidden, out []int // state of each hidden neuron, error of each output
	v, u        [][]int
	outputs     []int
}

func newLayers(in, hidden int, decay float64) *layers {
	const out = 12
	l := &layers{nodal: newNodal(0)}
	node := func() int {
		l.s.Unknowns++
		return l.s.Unknowns - 1
	}
	random := rand.New(rand.NewPCG(1, 2))
	var r, y, e, back []int
	for k := range in {
		i := node()
		l.conductance(i, -1, 1)
		l.current(i, func(t float64) float64 { return -math.Sin(t*(1+0.05*float64(k)) + float64(k)) })
		r = append(r, i)
	}
	for range hidden {
		s, u, rate := node(), node(), node()
		l.membrane(s, u, 1, 0.3)
		l.conductance(rate, -1, 1)
		l.function(rate, tanh{}, -1, int32(s))
		l.hidden = append(l.hidden, s)
		y = append(y, rate)
		back = append(back, node())
		l.conductance(back[len(back)-1], -1, 1)
	}
	for range out {
		i := node()
		l.conductance(i, -1, 1)
		e = append(e, i)
	}
	synapses := func(post, errors, pre []int, decay float64) [][]int {
		w := make([][]int, len(post))
		for i := range post {
			for j := range pre {
				k := node()
				l.capacitor(k, -1, 20)
				if decay > 0 {
					l.conductance(k, -1, decay)
				}
				l.product(k, errors[i], pre[j], 1)
				l.product(post[i], k, pre[j], -0.2)
				w[i] = append(w[i], k)
			}
		}
		return w
	}
	l.v = synapses(l.hidden, back, r, decay)
	l.u = synapses(e, e, y, 0)
	for i := range e {
		for j := range y {
			l.product(back[j], l.u[i][j], e[i], -1)
			l.gain(e[i], y[j], 0.1*random.NormFloat64())
		}
		l.out = append(l.out, e[i])
	}
	l.outputs = append(append([]int{}, l.hidden...), l.out...)
	for _, w := range [][][]int{l.v, l.u} {
		for _, row := range w {
			l.outputs = append(l.outputs, row...)
		}
	}
	return l
}

// start is weights that differ and states at rest, in the order of the field.
func start(f *Field) []float64 {
	x := make([]float64, f.States())
	for k := range x {
		x[k] = 0.3 * math.Sin(float64(f.Unknown(k)))
	}
	return x
}

// follow integrates to the end and returns all samples.
func follow(t testing.TB, f *Field, x []float64, end, every float64) (list [][]float64) {
	t.Helper()
	g, err := NewIntegrator(f, x, 0, end, Options{RelTol: 1e-10, AbsTol: 1e-12})
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Run(func(k int) float64 { return float64(k) * every }, true, func(_ float64, v []float64) error {
		list = append(list, append([]float64(nil), v...))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return list
}

// TestPlastic compares a network whose weights are matrices with the same
// network whose weights are states.
func TestPlastic(t *testing.T) {
	for _, decay := range []float64{0, 0.5} {
		l := newLayers(25, 40, decay)
		f := compile(t, l.nodal, l.outputs...)
		plain, err := compileWith(&l.s, l.outputs, math.MaxInt)
		if err != nil {
			t.Fatal(err)
		}
		if s := f.Stats(); s.Plastic != 25*40+12*40 || s.Dense != 12*40 || s.Products != 0 {
			t.Errorf("decay %g: %v", decay, s)
		}
		if s := plain.Stats(); s.Plastic != 0 {
			t.Errorf("%v", s)
		}
		// The derivatives, state by state.
		x := start(f)
		dx, want := make([]float64, len(x)), make([]float64, len(x))
		if err := f.Derivative(0.3, x, dx); err != nil {
			t.Fatal(err)
		}
		if err := plain.Derivative(0.3, start(plain), want); err != nil {
			t.Fatal(err)
		}
		for k := range dx {
			if w := want[plain.StateOf(f.Unknown(k))]; math.Abs(dx[k]-w) > 1e-13*(1+math.Abs(w)) {
				t.Fatalf("decay %g: derivative of unknown %d is %g, want %g", decay, f.Unknown(k), dx[k], w)
			}
		}
		// And the way, at instants within steps.
		const every = 0.07
		at := func(f *Field) (list [][]float64) {
			g, err := NewIntegrator(f, start(f), 0, 10, Options{RelTol: 1e-10, AbsTol: 1e-12})
			if err != nil {
				t.Fatal(err)
			}
			if err := g.Run(func(k int) float64 { return float64(k) * every }, false, func(_ float64, v []float64) error {
				list = append(list, append([]float64(nil), v...))
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			now, x := g.State()
			if now != 10 || len(x) != f.States() {
				t.Errorf("ends at %g with %d states", now, len(x))
			}
			return list
		}
		a, b := at(f), at(plain)
		worst, moved := 0.0, 0.0
		for k := range a {
			for i := range a[k] {
				worst = max(worst, math.Abs(a[k][i]-b[k][i]))
				moved = max(moved, math.Abs(b[k][i]-b[0][i]))
			}
		}
		if worst > 1e-8 || moved < 0.1 || len(a) != len(b) {
			t.Errorf("decay %g: off by %.2g where signals move by %.2g", decay, worst, moved)
		}
	}
}

// TestPlasticIsExact: what is nearly a layer of synapses stays states.
func TestPlasticIsExact(t *testing.T) {
	for name, spoil := range map[string]func(l *layers){
		"another rate":     func(l *layers) { l.capacitor(l.v[3][5], -1, 1) },
		"another decay":    func(l *layers) { l.conductance(l.v[3][5], -1, 1) },
		"another strength": func(l *layers) { l.product(l.hidden[3], l.v[3][5], 2, -0.1) },
		"read elsewhere":   func(l *layers) { l.gain(l.out[1], l.v[3][5], 0.1) },
		"a function of it": func(l *layers) { l.function(l.out[1], tanh{}, 1, int32(l.v[3][5])) },
		"two of them":      func(l *layers) { l.product(l.out[1], l.v[3][5], l.v[4][4], 1) },
	} {
		l := newLayers(25, 40, 0.5)
		spoil(l)
		f := compile(t, l.nodal, l.outputs...)
		plain, err := compileWith(&l.s, l.outputs, math.MaxInt)
		if err != nil {
			t.Fatal(err)
		}
		if f.Stats().Plastic >= 25*40+12*40 {
			t.Errorf("%s: %v", name, f.Stats())
		}
		dx, want := make([]float64, f.States()), make([]float64, f.States())
		if err := f.Derivative(0.3, start(f), dx); err != nil {
			t.Fatal(err)
		}
		if err := plain.Derivative(0.3, start(plain), want); err != nil {
			t.Fatal(err)
		}
		for k := range dx {
			if w := want[plain.StateOf(f.Unknown(k))]; math.Abs(dx[k]-w) > 1e-13*(1+math.Abs(w)) {
				t.Fatalf("%s: derivative of unknown %d is %g, want %g", name, f.Unknown(k), dx[k], w)
			}
		}
	}
}

// TestCores: one core and two give the same bits.
func TestCores(t *testing.T) {
	if runtime.NumCPU() < 2 {
		t.Skip("there is one core only")
	}
	l := newLayers(300, 250, 0.5)
	run := func(cores int) [][]float64 {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(cores))
		f := compile(t, l.nodal, l.outputs...)
		return follow(t, f, start(f), 0.5, 0.2)
	}
	one, two := run(1), run(2)
	if len(one) != len(two) {
		t.Fatalf("%d samples, and %d", len(one), len(two))
	}
	for k := range one {
		for i := range one[k] {
			if math.Float64bits(one[k][i]) != math.Float64bits(two[k][i]) {
				t.Fatalf("sample %d of unknown %d: %v, and %v", k, l.outputs[i], one[k][i], two[k][i])
			}
		}
	}
}

// BenchmarkStep takes steps of a network with a learning layer.
func BenchmarkStep(b *testing.B) {
	for _, n := range []int{100, 300} {
		l := newLayers(n, n, 0)
		f := compile(b, l.nodal, l.outputs...)
		g, err := NewIntegrator(f, start(f), 0, 1e9, Options{})
		if err != nil {
			b.Fatal(err)
		}
		b.Run(itoa(n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, end, err := g.step()
				if err != nil {
					b.Fatal(err)
				}
				g.advance(end)
			}
		})
	}
}
