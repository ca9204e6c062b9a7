package format

import (
	"math"

	"vlec/circuit"
)

// ranges are the largest magnitudes of each kind of signal, one a population,
// except weights, forward and backward, one a projection.
type ranges struct {
	r, y, u, total, dU []float64
	back, v, e, dV     []float64
	w, b, bias, noise  []float64
	inputs, targets    []float64
}

func newRanges(n *Network) *ranges {
	k := len(n.Populations)
	f := func() []float64 { return make([]float64, k) }
	return &ranges{
		r: f(), y: f(), u: f(), total: f(), dU: f(), back: f(), v: f(), e: f(), dV: f(),
		bias: f(), noise: f(), targets: f(), w: make([]float64, len(n.Projections)), b: make([]float64, len(n.Projections)), inputs: make([]float64, len(n.Inputs)),
	}
}

// prove computes bounds by interval arithmetic on magnitudes. On the convex form
//
//	u' = (1-a) u + a I,    0 < a <= 1
//
// the membrane stays within the hull of its start and its input in one step, where
// the interval of u + a (I - u) would grow for ever. The lead (1-k) u + k I is a
// convex sum up to k = 1 and at most 2k-1 times as large beyond. Loops are iterated;
// what still grows after as many rounds as there are populations has no bound.
//
// Weights, biases, inputs and targets are given; all else is computed.
func (b *ranges) prove(n *Network, dt float64) {
	rounds := 2*len(n.Populations) + 2
	for round := range rounds {
		changed := false
		raise := func(at *float64, v float64) {
			if v > *at*(1+1e-12) {
				*at, changed = v, true
				if round == rounds-1 {
					*at = math.Inf(1)
				}
			}
		}
		for i := range n.Populations {
			p := &n.Populations[i]
			total := b.bias[i]
			for q := range n.Projections {
				l := &n.Projections[q]
				if l.To == i {
					total += b.w[q] * b.sender(l) * float64(l.senders(n))
				}
			}
			total += b.noise[i] + finite(math.Abs(n.Gamma), b.e[i])
			raise(&b.total[i], total)
			raise(&b.u[i], math.Max(largest(p.U0), b.total[i]))
			raise(&b.dU[i], b.u[i]+b.total[i])
			raise(&b.y[i], lead(p.TauR, p.TauM)*b.u[i])
			raise(&b.r[i], bound(p.Phi, b.y[i]))
			if !p.Error {
				continue
			}
			back := 0.0
			if p.Target != nil {
				back = math.Abs(p.Target.Beta) * (b.targets[i] + b.r[i])
			}
			for q := range n.Projections {
				l := &n.Projections[q]
				if l.From == i && l.Feedback.Kind != None {
					back += finite(b.b[q]*float64(n.Populations[l.To].Size), b.e[l.To])
				}
			}
			raise(&b.back[i], back)
			raise(&b.v[i], math.Max(largest(p.V0), b.back[i]))
			raise(&b.dV[i], b.v[i]+b.back[i])
			raise(&b.e[i], lead(p.TauM, p.TauR)*b.v[i])
		}
		if !changed {
			break
		}
	}
}

func (b *ranges) sender(l *Projection) float64 {
	if l.From >= 0 {
		return b.r[l.From]
	}
	return b.inputs[l.Input]
}

func (l *Projection) senders(n *Network) int {
	if l.From >= 0 {
		return n.Populations[l.From].Size
	}
	return n.Inputs[l.Input].Size
}

// finite is a product in which 0 times no bound is 0.
func finite(a, b float64) float64 {
	if a == 0 || b == 0 {
		return 0
	}
	return a * b
}

// lead is the largest gain of (1-k) u + k I, k = ahead/tau, for |I|, |u| <= 1.
func lead(ahead, tau []float64) float64 {
	g := 1.0
	for i := range tau {
		g = math.Max(g, 2*ahead[i]/tau[i]-1)
	}
	return g
}

func largest(v []float64) float64 {
	m := 0.0
	for _, x := range v {
		m = math.Max(m, math.Abs(x))
	}
	return m
}

// waveBound is the largest magnitude that stimuli can reach.
func waveBound(waves []circuit.Wave) float64 {
	most := 0.0
	for _, w := range waves {
		sum := 0.0
		for _, t := range w {
			sum += termBound(t)
		}
		most = math.Max(most, sum)
	}
	return most
}

func termBound(t circuit.Term) float64 {
	n := t.Numbers
	switch t.Shape {
	case "constant":
		return math.Abs(n[0])
	case "step", "pulse":
		return math.Max(math.Abs(n[0]), math.Abs(n[1]))
	case "sine":
		return math.Abs(n[0]) + math.Abs(n[3])
	case "chirp":
		return math.Abs(n[0]) + math.Abs(n[4])
	case "samples":
		most := 0.0
		for i := 1; i < len(n); i += 2 {
			most = math.Max(most, math.Abs(n[i]))
		}
		return most
	}
	return math.Inf(1)
}
