package reference

import (
	"fmt"
	"math"

	"vlec/model"
)

// An optimizer turns the local estimate g of the descent direction (e r_pre^T,
// e, -e du/dt, the mean over trials) into a step of length rate:
//
//	sgd       x += rate g
//	momentum  p <- mu p + g;  x += rate p
//	adam      p <- b1 p + (1 - b1) g,  q <- b2 q + (1 - b2) g^2;
//	          x += rate p/(1 - b1^k) / (sqrt(q/(1 - b2^k)) + eps)
//
// with k = 1, 2, … the updates made so far (adam: arXiv 1412.6980). rate is
// dt eta, times the schedule. Decay of weights is apart from all of them, as in
// arXiv 1711.05101: W <- (1 - dt decay) W before the step. Backward weights follow
// their own rules, which are no gradients, and no optimiser.
//
// A nil *optimizer is sgd.
type optimizer struct {
	adam         bool // otherwise momentum
	mu           float64
	b1, b2, eps  float64
	left1, left2 float64 // b1^k, b2^k
	fix1, fix2   float64 // 1/(1 - b1^k), 1/(1 - b2^k)
}

// moments is the memory that an optimiser keeps of one set of parameters: p and
// q above, nil where they are not used.
type moments struct{ first, second []float64 }

func newOptimizer(l model.Learning) (*optimizer, error) {
	o := &optimizer{mu: l.Momentum, b1: l.Beta1, b2: l.Beta2, eps: l.Epsilon, left1: 1, left2: 1}
	fraction := func(x float64) bool { return 0 <= x && x < 1 }
	switch l.Optimizer {
	case "", model.SGD:
		return nil, nil
	case model.Momentum:
		if !fraction(o.mu) {
			return nil, fmt.Errorf("a momentum of %g; it must be at least 0 and less than 1", o.mu)
		}
	case model.Adam:
		o.adam = true
		if !fraction(o.b1) || !fraction(o.b2) || !(o.eps > 0) {
			return nil, fmt.Errorf("adam with beta1 %g, beta2 %g, epsilon %g; betas must be at least 0 and less than 1, epsilon positive", o.b1, o.b2, o.eps)
		}
	default:
		return nil, fmt.Errorf("unknown optimizer %q", l.Optimizer)
	}
	return o, nil
}

// memory makes room for what the optimiser remembers of n parameters.
func (o *optimizer) memory(n int) (m moments) {
	if o != nil {
		m.first = make([]float64, n)
	}
	if o != nil && o.adam {
		m.second = make([]float64, n)
	}
	return m
}

// at returns the memory of parameters from to to-1.
func (m moments) at(from, to int) (part moments) {
	if m.first != nil {
		part.first = m.first[from:to]
	}
	if m.second != nil {
		part.second = m.second[from:to]
	}
	return part
}

// count begins the next update.
func (o *optimizer) count() {
	if o == nil || !o.adam {
		return
	}
	o.left1 *= o.b1
	o.left2 *= o.b2
	o.fix1, o.fix2 = 1/(1-o.left1), 1/(1-o.left2)
}

// move makes a step from x along g.
func (o *optimizer) move(x, g []float64, m moments, rate float64) {
	switch {
	case o == nil:
		axpy(rate, g, x)
	case o.adam:
		g, p, q := g[:len(x)], m.first[:len(x)], m.second[:len(x)]
		new1, new2 := 1-o.b1, 1-o.b2
		for j, d := range g {
			p[j] = float64(o.b1*p[j]) + float64(new1*d)
			q[j] = float64(o.b2*q[j]) + float64(new2*d*d)
			x[j] += rate * (p[j] * o.fix1) / (math.Sqrt(q[j]*o.fix2) + o.eps)
		}
	default:
		g, p := g[:len(x)], m.first[:len(x)]
		for j, d := range g {
			p[j] = float64(o.mu*p[j]) + d
			x[j] += float64(rate * p[j])
		}
	}
}

// learningKinks appends the instants in (0, end) at which the slope of the schedule
// jumps, or learning begins.
func learningKinks(dst []float64, l model.Learning, end float64) []float64 {
	if l.Start > 0 && l.Start < end {
		dst = append(dst, l.Start)
	}
	if l.Schedule != nil {
		dst = l.Schedule.Kinks(dst, end)
	}
	return dst
}

// checkLearning refuses what a network cannot learn by.
func checkLearning(net *model.Network, semantics Semantics) error {
	l := net.Learning
	plain := l.Optimizer == "" || l.Optimizer == model.SGD
	if semantics == Continuous {
		const instead = "simulate with the synchronous semantics, or freeze the weights"
		if !plain {
			return fmt.Errorf("optimizer %s makes steps, and the continuous semantics has none; %s", l.Optimizer, instead)
		}
		if l.Batch > 1 {
			return fmt.Errorf("a batch of %d trials needs the synchronous semantics; the continuous one runs a single trial; %s", l.Batch, instead)
		}
	}
	for _, p := range net.Projections {
		if p.Feedback.Rule == model.KolenPollack && !plain {
			return fmt.Errorf("projection %s: under kolen-pollack B gets the updates of W, and optimizer %s changes those of W alone; use sgd", p.Name, l.Optimizer)
		}
	}
	return nil
}
