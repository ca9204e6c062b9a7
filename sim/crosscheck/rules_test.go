package crosscheck

import (
	"math"
	"strings"
	"testing"

	"vlec/emit/verilog/format"
)

// Backward weights learn in integers what they learn in real numbers, by every
// rule, and the more bits the closer; a wrong sign of what they learn from is
// told apart.
func TestLearnedFeedback(t *testing.T) {
	for rule, feedback := range map[string]string{
		"gain-alignment": `feedback = { rule = "gain-alignment", eta = 1.0, weights = [[-0.5, 0.3], [0.2, 0.6], [0.1, -0.4]] }`,
		"pal":            `feedback = { rule = "pal", eta = 10.0, decay = 0.02, noise_sigma = 0.2, noise_tau = 0.1, high_pass = 0.2, weights = [[-0.5, 0.3], [0.2, 0.6], [0.1, -0.4]] }`,
		"noise":          `feedback = { rule = "gain-alignment", eta = 1.0, noise_sigma = 0.2, noise_tau = 0.1, weights = [[-0.5, 0.3], [0.2, 0.6], [0.1, -0.4]] }`,
		"gain-transpose": `feedback = { rule = "gain-transpose", eta = 1.0, weights = [[-0.5, 0.3], [0.2, 0.6], [0.1, -0.4]] }`,
		"kolen-pollack":  `feedback = { rule = "kolen-pollack", eta = 0.2, decay = 0.3, weights = [[-0.5, 0.3], [0.2, 0.6], [0.1, -0.4]] }`,
	} {
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
