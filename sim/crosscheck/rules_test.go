package crosscheck

import (
	"math"
	"strings"
	"testing"

	"vlec/emit/verilog/format"
)

// feedbacks are the rules that clocked hardware has, for the network small.
var feedbacks = map[string]string{
	"gain-alignment": `feedback = { rule = "gain-alignment", eta = 1.0, weights = [[-0.5, 0.3], [0.2, 0.6], [0.1, -0.4]] }`,
	"pal":            `feedback = { rule = "pal", eta = 10.0, decay = 0.02, noise_sigma = 0.2, noise_tau = 0.1, high_pass = 0.2, weights = [[-0.5, 0.3], [0.2, 0.6], [0.1, -0.4]] }`,
	"noise":          `feedback = { rule = "gain-alignment", eta = 1.0, noise_sigma = 0.2, noise_tau = 0.1, weights = [[-0.5, 0.3], [0.2, 0.6], [0.1, -0.4]] }`,
	"gain-transpose": `feedback = { rule = "gain-transpose", eta = 1.0, weights = [[-0.5, 0.3], [0.2, 0.6], [0.1, -0.4]] }`,
	"kolen-pollack":  `feedback = { rule = "kolen-pollack", eta = 0.2, decay = 0.3, weights = [[-0.5, 0.3], [0.2, 0.6], [0.1, -0.4]] }`,
}

// Backward weights learn in integers what they learn in real numbers, by every
// rule, and the more bits the closer; a wrong sign of what they learn from is
// told apart.
func TestLearnedFeedback(t *testing.T) {
	for rule, feedback := range feedbacks {
		t.Run(rule, func(t *testing.T) {
			text := strings.Replace(small, "[target.aim]", feedback+"\n[target.aim]", 1)
			text = strings.Replace(text, "duration = 2.0", "duration = 20.0", 1)
			net := parse(t, text)
			for _, bits := range []int{12, 16, 20} {
				p, err := Plan(t.Context(), net, true, format.Options{Bits: bits})
				if err != nil {
					t.Fatal(err)
				}
				off := func() (distance, moved float64) {
					r, err := RunFixed(t.Context(), net, p, true)
					if err != nil {
						t.Fatal(err)
					}
					const name = "hidden_output.B"
					b := r.Reference.Signal(name).Data
					for i, v := range b[len(b)-6:] {
						moved = math.Max(moved, math.Abs(v-b[i]))
					}
					return r.Distance[name], moved
				}
				distance, moved := off()
				t.Logf("%d bits: %.2g off; B moves by %.2g", bits, distance, moved)
				if goal := math.Exp2(float64(6 - bits)); distance > goal || moved < 0.1 {
					t.Errorf("%d bits: B is %.3g off, and moves by %.3g; want at most %.3g and at least 0.1", bits, distance, moved, goal)
				}
				for i := range p.Populations {
					p.Populations[i].Gain, p.Populations[i].Mantissa = -p.Populations[i].Gain, -p.Populations[i].Mantissa
				}
				p.Scaled = true
				if distance, _ := off(); distance < 0.1 {
					t.Errorf("%d bits: with a wrong sign B is %.3g off; the measurement cannot fail", bits, distance)
				}
			}
		})
	}
}

// Backward weights have hidden bits enough that few updates are lost; without them
// most are, and they stay where they were.
func TestLostFeedback(t *testing.T) {
	text := strings.Replace(small, "[target.aim]", feedbacks["gain-alignment"]+"\n[target.aim]", 1)
	net := parse(t, strings.Replace(text, "duration = 2.0", "duration = 20.0", 1))
	p, err := Plan(t.Context(), net, true, format.Options{Bits: 12})
	if err != nil {
		t.Fatal(err)
	}
	run := func() (lost, distance float64) {
		r, err := RunFixed(t.Context(), net, p, true)
		if err != nil {
			t.Fatal(err)
		}
		u := r.Usage.Updates[len(r.Usage.Updates)-1]
		return float64(u.Lost) / float64(u.Total), r.Distance["hidden_output.B"]
	}
	lost, distance := run()
	t.Logf("%d hidden bits: %.2g of the updates lost, %.2g off", p.Rule.Hidden(p.Operand), lost, distance)
	if lost > 0.1 || distance > 0.01 {
		t.Errorf("%.2g of the updates are lost, and B is %.2g off", lost, distance)
	}
	cut := p.Rule.Hidden(p.Operand) - 1
	p.Rule.Weight.Bits, p.Rule.Weight.Frac = p.Rule.Weight.Bits-cut, p.Rule.Weight.Frac-cut
	for i := range p.Projections {
		if l := &p.Projections[i]; l.Learns() {
			for k := range l.B {
				l.B[k] >>= cut
			}
		}
	}
	if lost, distance = run(); lost < 0.5 || distance < 0.05 {
		t.Errorf("without hidden bits %.2g of the updates are lost, and B is %.2g off; the measurement cannot fail", lost, distance)
	}
	t.Logf("1 hidden bit: %.2g of the updates lost, %.2g off", lost, distance)
}
