package verilog_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"vlec/emit"
	"vlec/emit/verilog"
	"vlec/emit/verilog/format"
	"vlec/emit/verilog/tree"
	"vlec/sim/fixed"
)

// randomNetwork draws a network of any shape that the planner takes: chains, skips
// and loops, several inputs and targets, time constants of each neuron's own.
func randomNetwork(r *rand.Rand) (*format.Network, format.Options) {
	n := &format.Network{Name: "random", Backward: true, Learning: r.IntN(4) > 0}
	o := format.Options{Dt: 0.01, Bits: 10 + r.IntN(9), Device: []string{"", "up5k", "ecp5"}[r.IntN(3)], Observed: map[string]float64{}}
	if r.IntN(4) == 0 {
		n.Gamma = r.Float64()
	}
	for i := range 1 + r.IntN(2) {
		n.Inputs = append(n.Inputs, format.Input{Name: fmt.Sprint("in", i), Size: 1 + r.IntN(4)})
		o.Observed[fmt.Sprint("in", i, ".r")] = 1
	}
	pops := 1 + r.IntN(4)
	same, eta := r.IntN(2) == 0, math.Exp2(-float64(r.IntN(5)))
	if r.IntN(2) == 0 {
		eta *= 1 + r.Float64()
	}
	for k := range pops {
		p := format.Population{Name: fmt.Sprint("pop", k), Size: 1 + r.IntN(7), Error: true}
		p.Phi = []string{"tanh", "tanh", "linear", "relu", "sigmoid", "softplus"}[r.IntN(6)]
		for range p.Size {
			m, q := 0.5, 0.05
			if !same {
				m, q = 0.02+r.Float64(), 0.02+r.Float64()
			}
			p.TauM, p.TauR = append(p.TauM, m), append(p.TauR, q)
			u := 0.0
			if r.IntN(8) == 0 {
				u = r.Float64()
			}
			p.U0, p.V0 = append(p.U0, u), append(p.V0, u/2)
		}
		if r.IntN(3) == 0 {
			p.Bias = weights(r, p.Size)
			p.BiasPlastic, p.BiasRate = n.Learning && r.IntN(2) == 0, eta
		}
		if k == pops-1 || r.IntN(4) == 0 {
			p.Target = &format.TargetSpec{Name: fmt.Sprint("aim", k), Beta: 1}
			if r.IntN(3) == 0 {
				p.Target.Beta = 2 * r.Float64()
			}
			o.Observed["target/"+p.Target.Name] = 1
		}
		for _, s := range []string{"r", "y", "u", "v", "e", "back", "dU", "dV", "a", "total"} {
			o.Observed[p.Name+"."+s] = 0.3 + 2*r.Float64()
		}
		n.Populations = append(n.Populations, p)
	}
	align := eta * (1 + r.Float64())
	join := func(in, from, to int) {
		l := format.Projection{Name: fmt.Sprint("w", len(n.Projections)), Input: in, From: from, To: to, Plastic: n.Learning && r.IntN(4) > 0, Rate: eta}
		m := 0
		if in >= 0 {
			m = n.Inputs[in].Size
		} else {
			m = n.Populations[from].Size
			switch r.IntN(5) {
			case 0:
				l.Feedback = format.Feedback{Kind: format.Fixed, B: weights(r, m*n.Populations[to].Size)}
			case 1:
			case 2:
				l.Feedback = format.Feedback{Kind: format.Alignment, B: weights(r, m*n.Populations[to].Size), Rate: align, Slope: 0.5}
			default:
				l.Feedback = format.Feedback{Kind: format.Transpose}
			}
		}
		l.W = weights(r, m*n.Populations[to].Size)
		if l.Plastic && r.IntN(3) == 0 {
			l.Decay = r.Float64()
		}
		if l.Plastic && r.IntN(3) == 0 {
			l.Clip = 0.5 + r.Float64()
		}
		o.Observed[l.Name+".W"], o.Observed[l.Name+".B"] = 1.5, 1.5
		n.Projections = append(n.Projections, l)
	}
	for k := range pops {
		if k == 0 || r.IntN(3) == 0 {
			join(r.IntN(len(n.Inputs)), -1, k)
		}
		if k > 0 {
			join(-1, k-1, k)
		}
		if r.IntN(4) == 0 {
			join(-1, r.IntN(pops), k)
		}
	}
	return n, o
}

func weights(r *rand.Rand, n int) []float64 {
	w := make([]float64, n)
	for i := range w {
		w[i] = 2*r.Float64() - 1
	}
	return w
}

// goldenRun runs the integer model on random samples.
func goldenRun(t *testing.T, c *verilog.Core, r *rand.Rand, steps int) *verilog.Vectors {
	t.Helper()
	p := c.Plan
	f, err := fixed.New(p)
	if err != nil {
		t.Fatal(err)
	}
	v := verilog.NewVectors(steps)
	slow := map[int]int64{}
	for step := range steps {
		if step == v.Clear {
			f.Clear()
		}
		f.Learn = p.Learning && step < v.Still
		var sample, answer []int64
		inputs := 0
		for _, q := range c.Schedule.StreamIn() {
			to := f.Input(min(inputs, len(p.Inputs)-1))
			if q.Population >= 0 {
				to = f.Target(q.Population)
			} else {
				inputs++
			}
			for i := range to {
				key := len(sample)
				if r.IntN(10) == 0 {
					slow[key] = int64(float64(p.Rate.Max()) * (2*r.Float64() - 1))
				}
				to[i] = slow[key]
				sample = append(sample, to[i])
			}
		}
		f.Step()
		for _, q := range c.Schedule.StreamOut() {
			answer = append(answer, f.Population(q.Population).R...)
		}
		v.Stimulus, v.Expected = append(v.Stimulus, sample), append(v.Expected, answer)
	}
	var w, bias, b [][]int64
	for k := range p.Projections {
		w, b = append(w, f.W(k)), append(b, f.B(k))
	}
	for k := range p.Populations {
		bias = append(bias, f.Bias(k))
	}
	v.Weights = c.Schedule.Arrange(w, bias, b)
	return v
}

// write emits a random core with its testbench into a new folder.
func write(t *testing.T, n *format.Network, o format.Options, lanes, steps int, r *rand.Rand) (*verilog.Core, string) {
	t.Helper()
	p, err := format.New(n, o)
	if err != nil {
		t.Fatal(err)
	}
	c, err := verilog.New(p, verilog.Options{Generator: "test", Lanes: lanes})
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range tree.Lint(c.Modules...) {
		t.Error(w)
	}
	var files emit.Artifacts
	if err := c.Add(goldenRun(t, c, r, steps), &files); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := files.Commit(dir); err != nil {
		t.Fatal(err)
	}
	return c, dir
}
