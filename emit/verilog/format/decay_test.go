package format_test

import (
	"math"
	"strings"
	"testing"

	"vlec/emit/verilog/format"
	"vlec/model"
	"vlec/sim/crosscheck"
)

// forgetful is the learner with weights that decay; without a drive all that is
// left to do is to forget.
func forgetful(t *testing.T, decay string, driven bool) *model.Network {
	text := strings.Replace(learner, "eta = 0.05", "eta = 0.05\ndecay = "+decay, 1)
	if !driven {
		text = strings.Replace(text, "signal = \"sine\"\nfrequency = 0.25\n[population", "signal = \"constant\"\nvalue = 0\n[population", 1)
		text = strings.Replace(text, "duration = 20.0", "duration = 400.0", 1)
	}
	return load(t, text)
}

// A weight decays until less than one operand unit is left, and the balance of
// learning and decay is where it is in real numbers.
func TestDecay(t *testing.T) {
	for _, decay := range []string{"0.05", "0.3", "2.0"} {
		for _, bits := range []int{10, 14, 18} {
			net := forgetful(t, decay, false)
			p, err := crosscheck.Plan(t.Context(), net, true, format.Options{Bits: bits})
			if err != nil {
				t.Fatal(err)
			}
			left := func(p *format.Plan) float64 {
				r, err := crosscheck.RunFixed(t.Context(), net, p, true)
				if err != nil {
					t.Fatal(err)
				}
				w := r.Integer.Signal("w.W").Data
				return math.Abs(w[len(w)-1]) / p.Operand.LSB()
			}
			// Whatever started at 0.25 is 5e-10 after twenty time constants.
			if l := left(p); l > 1 {
				t.Errorf("decay %s, %d bits: %.3g units are left", decay, bits, l)
			}
			if decay != "0.05" {
				continue
			}
			// With half of the hidden bits much more is left.
			cut := p.Hidden() / 2
			p.Weight = format.Q{Bits: p.Weight.Bits - cut, Frac: p.Weight.Frac - cut}
			l := &p.Projections[0]
			l.Low, l.High = p.Limits()
			l.W[0] >>= cut
			if l := left(p); l < 3 {
				t.Errorf("%d bits, half of the hidden ones: %.3g units are left; the measurement cannot fail", bits, l)
			}
		}
		net := forgetful(t, decay, true)
		p, err := crosscheck.Plan(t.Context(), net, true, format.Options{Bits: 16})
		if err != nil {
			t.Fatal(err)
		}
		r, err := crosscheck.RunFixed(t.Context(), net, p, true)
		if err != nil {
			t.Fatal(err)
		}
		if d := r.Distance["w.W"]; d > 4*p.Operand.LSB() {
			t.Errorf("decay %s: the weight is %.3g off", decay, d)
		}
	}
}
