package spice

import (
	"math"
	"testing"
)

// TestEvaluate works out what stands in bodies and in the parameters of instances.
func TestEvaluate(t *testing.T) {
	scope := map[string]float64{"p_a": 3, "p_end": 5}
	for text, want := range map[string]float64{
		"2":                    2,
		"-0.2":                 -0.2,
		"{-p_a}":               -3,
		"{-p_a*-2+1}":          7,
		"{+p_a-+1}":            2,
		"{2*(-p_a+1)}":         -4,
		"{max(-p_a,-1e-3)}":    -1e-3,
		"{1.5e-05*p_a}":        4.5e-05,
		"{p_end-1}":            4, // an e at the end of a name belongs to no number
		"{p_a/2/3}":            0.5,
		"{min(p_a,p_end)-2*2}": -1,
	} {
		if got := evaluate(text, scope); !(math.Abs(got-want) < 1e-15) {
			t.Errorf("%s is %g, want %g", text, got, want)
		}
	}
	for _, text := range []string{"{p_b}", "{}", "{-}", "{2*}", "{sin(p_a,1)}", "{2 3}", "{1))}"} {
		if got := evaluate(text, scope); !math.IsNaN(got) {
			t.Errorf("%s is %g, want NaN", text, got)
		}
	}
}
