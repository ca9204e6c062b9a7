package format

import (
	"math"
	"math/bits"
)

// A Table holds an activation as straight segments of equal length over the
// whole range of the potential's format. Entry s belongs to the potentials whose
// upper bits, read as a signed number, are s - len/2.
type Table struct {
	Phi   string
	Base  []int64 // value at the left end, half a unit up, in the format of rates
	Slope []int64 // in the format of slopes
	Err   float64 // largest difference from phi anywhere in the range
}

// activation is phi, and its value and slope; nil where no table is needed.
func activation(phi string) func(float64) float64 {
	switch phi {
	case "tanh":
		return math.Tanh
	case "sigmoid":
		return func(y float64) float64 { return 1 / (1 + math.Exp(-y)) }
	case "softplus":
		return func(y float64) float64 {
			if y > 0 {
				return y + math.Log1p(math.Exp(-y))
			}
			return math.Log1p(math.Exp(y))
		}
	}
	return nil
}

// saturates is the magnitude beyond which phi is flat, or straight, to within
// 2^-bits; beyond it a potential may as well be held.
func saturates(phi string, bits int) float64 {
	flat := float64(bits) * math.Ln2
	switch phi {
	case "tanh":
		return flat / 2
	case "sigmoid":
		return flat
	}
	return math.Inf(1)
}

// bound is the largest magnitude of phi over [-y, y].
func bound(phi string, y float64) float64 {
	switch phi {
	case "tanh":
		return math.Tanh(y)
	case "sigmoid":
		return 1 / (1 + math.Exp(-y))
	case "softplus":
		return y + math.Log1p(math.Exp(-y))
	}
	return y
}

// SegmentBits is the number of bits of a potential that select a segment.
func (p *Plan) SegmentBits() int { return bits.Len(uint(p.Segments)) - 1 }

// InterpolationShift is how far the product of a slope and the rest of a
// potential is shifted to stand on the fraction of rates.
func (p *Plan) InterpolationShift() int { return p.Slope.Frac + p.Potential.Frac - p.Rate.Frac }

// fill computes the entries. The floor of the product of slope and rest is half a
// unit low on average, which Base makes good.
func (t *Table) fill(p *Plan) {
	phi := activation(t.Phi)
	n := p.Segments
	rest := p.Potential.Bits - p.SegmentBits()
	step := math.Ldexp(1, rest-p.Potential.Frac)
	low := -step * float64(n/2)
	t.Base, t.Slope = make([]int64, n), make([]int64, n)
	for s := range n {
		y := low + float64(s)*step
		a, b := phi(y), phi(y+step)
		t.Slope[s] = p.Slope.Word((b - a) / step)
		t.Base[s] = p.Rate.Word(a + p.Rate.LSB()/2)
		// Nothing leaves the format of rates within the segment.
		rise := (t.Slope[s] * (1<<rest - 1)) >> p.InterpolationShift()
		if over := t.Base[s] + rise - p.Rate.Max(); over > 0 {
			t.Base[s] -= over
		}
		t.Err = math.Max(t.Err, t.segmentError(p, s))
	}
}

// segmentError is the largest difference from phi in segment s, rounding
// included.
func (t *Table) segmentError(p *Plan, s int) float64 {
	phi := activation(t.Phi)
	rest := p.Potential.Bits - p.SegmentBits()
	step := math.Ldexp(1, rest-p.Potential.Frac)
	y := step * float64(s-p.Segments/2)
	worst := 0.0
	// The largest difference lies near the middle or at an end.
	for _, f := range []float64{0, 0.25, 0.5, 0.75, 1} {
		r := p.Rate.Value(t.Base[s]) - p.Rate.LSB()/2 + p.Slope.Value(t.Slope[s])*f*step
		worst = math.Max(worst, math.Abs(r-phi(y+f*step)))
	}
	return worst + p.Rate.LSB()/2
}
