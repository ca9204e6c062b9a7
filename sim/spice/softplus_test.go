package spice

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

// exactSoftplus is ln(1+exp(x)) in 300 bits, from series of which none is used
// by softplus: exp by halving its argument, ln by Newton's iteration on exp.
func exactSoftplus(x float64) (y, slope float64) {
	num := func(v float64) *big.Float { return new(big.Float).SetPrec(300).SetFloat64(v) }
	exp := func(v *big.Float) *big.Float {
		const halvings = 40
		r := new(big.Float).SetPrec(300).SetMantExp(v, -halvings)
		sum, term := num(1), num(1)
		for k := 1; k < 30; k++ {
			term.Mul(term, r)
			term.Quo(term, num(float64(k)))
			sum.Add(sum, term)
		}
		for range halvings {
			sum.Mul(sum, sum)
		}
		return sum
	}
	e := exp(num(x))
	one := num(1)
	w := new(big.Float).SetPrec(300).Add(one, e)
	f, _ := w.Float64()
	l := num(math.Log(f))
	for range 6 { // l += w exp(-l) - 1
		step := new(big.Float).SetPrec(300).Mul(w, exp(new(big.Float).SetPrec(300).Neg(l)))
		l.Add(l, step.Sub(step, one))
	}
	y, _ = l.Float64()
	slope, _ = new(big.Float).SetPrec(300).Quo(e, w).Float64()
	return y, slope
}

func TestSoftplus(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	xs := []float64{0, 1e-300, -1e-300, 1e-9, -1e-9, 36.7, -36.7, 37, -37, 100, -100}
	for range 700 {
		xs = append(xs, 80*(r.Float64()-0.5), 4*(r.Float64()-0.5), -r.ExpFloat64())
	}
	y, slope := make([]float64, len(xs)), make([]float64, len(xs))
	softplus(y, slope, xs)
	worst := [2]float64{}
	for i, x := range xs {
		wantY, wantSlope := exactSoftplus(x)
		for k, d := range []float64{math.Abs(y[i]/wantY - 1), math.Abs(slope[i]/wantSlope - 1)} {
			worst[k] = math.Max(worst[k], d)
			if !(d < 5e-16) {
				t.Errorf("x = %g: off by %.2g (%g, slope %g, want %g, %g)", x, d, y[i], slope[i], wantY, wantSlope)
			}
		}
	}
	t.Logf("largest relative error %.2g, of the slope %.2g", worst[0], worst[1])
}

// TestSoftplusFar: ends, where the formula as it is written saturates or vanishes.
func TestSoftplusFar(t *testing.T) {
	xs := []float64{expLimit, 1e3, math.Inf(1), -1e3, -1e300, math.Inf(-1), math.NaN()}
	y, slope := make([]float64, len(xs)), make([]float64, len(xs))
	softplus(y, slope, xs)
	for i := range 3 {
		if y[i] != expLimit || slope[i] != 1 {
			t.Errorf("x = %g: %g, slope %g", xs[i], y[i], slope[i])
		}
	}
	for i := 3; i < 6; i++ {
		if !(y[i] >= 0 && y[i] < 1e-303 && slope[i] >= 0 && slope[i] < 1e-303) {
			t.Errorf("x = %g: %g, slope %g", xs[i], y[i], slope[i])
		}
	}
	if y[6] == y[6] {
		t.Errorf("nan gives %g", y[6])
	}
}

func BenchmarkSoftplus(b *testing.B) {
	x, y, s := make([]float64, 64), make([]float64, 64), make([]float64, 64)
	for i := range x {
		x[i] = float64(i-40) / 2
	}
	b.Run("kernel", func(b *testing.B) {
		for b.Loop() {
			softplus(y, s, x)
		}
	})
	b.Run("formula", func(b *testing.B) {
		for b.Loop() {
			for i, v := range x {
				y[i] = math.Log(1 + math.Exp(v))
				s[i] = 1 / (1 + math.Exp(-v))
			}
		}
	})
}
