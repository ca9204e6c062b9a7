package crosscheck

import (
	"context"
	"math"
	"testing"

	"vlec/circuit/lower"
	"vlec/emit/verilog/format"
	"vlec/model"
	"vlec/sim/fixed"
	"vlec/sim/reference"
)

func planOf(t *testing.T, net *model.Network, learning bool, o format.Options) *format.Plan {
	t.Helper()
	c, err := lower.Network(net, lower.Options{Learning: learning})
	if err != nil {
		t.Fatal(err)
	}
	n, err := format.FromCircuit(c)
	if err != nil {
		t.Fatal(err)
	}
	o.Dt = net.Dt
	if o.Observed, err = Observe(context.Background(), net, learning); err != nil {
		t.Fatal(err)
	}
	p, err := format.New(n, o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestFixedChain lets the chain learn in integers and in float64.
func TestFixedChain(t *testing.T) {
	net, err := model.Load("../../examples/chain/model.toml")
	if err != nil {
		t.Fatal(err)
	}
	p := planOf(t, net, true, format.Options{Bits: 16})
	core, err := fixed.New(p)
	if err != nil {
		t.Fatal(err)
	}
	s, err := reference.NewSynchronous(net, 1)
	if err != nil {
		t.Fatal(err)
	}
	s.Learning = reference.Local
	worst := map[string]float64{}
	for range int(net.Duration / net.Dt) {
		s.Stimulate()
		s.Step()
		for k := range net.Inputs {
			for i, v := range s.Input(k) {
				core.Input(k)[i] = p.Rate.Word(v)
			}
		}
		for i, v := range s.Target(0) {
			core.Target(1)[i] = p.Rate.Word(v)
		}
		core.Step()
		for k := range net.Populations {
			z, f := s.Population(k), core.Population(k)
			see := func(n string, a float64, b float64) { worst[n] = math.Max(worst[n], math.Abs(a-b)) }
			see("u", z.U[0], p.Membrane.State.Value(f.U[0]))
			see("y", z.Y[0], p.Potential.Value(f.Y[0]))
			see("r", z.R[0], p.Rate.Value(f.R[0]))
			see("v", z.V[0], p.Neuron.State.Value(f.V[0]))
			see("e", z.E[0], p.Error.Value(f.E[0]))
		}
	}
	// Sixteen bits: a unit of the rates is 6e-5; errors magnify it by the two leads
	// of ten that they pass.
	for signal, most := range map[string]float64{"u": 2e-4, "y": 4e-4, "r": 3e-4, "v": 5e-3, "e": 0.06} {
		if !(worst[signal] <= most) {
			t.Errorf("%s is off by %.3g, want at most %.3g", signal, worst[signal], most)
		}
	}
	for k, w := range []float64{s.W(0)[0], s.W(1)[0]} {
		if got := p.Weight.Value(core.W(k)[0] - p.Half()); math.Abs(got-w) > 1e-3 {
			t.Errorf("projection %d learned %g, want %g", k, got, w)
		}
	}
	if n := core.Usage(); len(n.Saturated) > 0 || n.Updates[0].Total == 0 {
		t.Errorf("counters: %+v", n)
	}
}
