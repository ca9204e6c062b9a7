package sparse

import "math"

// A Weakness names the pivot that lost most digits to cancellation: Ratio is
// the largest pivot candidate of a column against the largest entry the column
// had, rows scaled. Near 1e-16 the pivot is rounding noise, and the
// matrix singular for practical purposes: unknown Col floats.
type Weakness struct {
	Row, Col int // the caller's numbers; -1 for the empty matrix
	Ratio    float64
}

func (w *Weakness) note(ratio float64, row, col int) {
	if ratio < w.Ratio {
		*w = Weakness{Row: row, Col: col, Ratio: ratio}
	}
}

// Weakest is the weakest pivot of the last Factor (Refactor does not look).
func (f *Factors[T]) Weakest() Weakness { return f.weak }

// Growth is the largest multiplier of the last full factorisation, rows
// scaled: at most 100 after Factor, at most 1e4 after a Refactor that succeeded.
func (f *Factors[T]) Growth() float64 { return f.growth }

// Residual sets r to b - A x and returns the componentwise backward error: the
// smallest relative change of the entries of A and b, any of them, that would
// make x exact (Oettli and Prager 1964). A stable solution has about 1e-16;
// x + A⁻¹ r is a better one where it is larger.
func (f *Factors[T]) Residual(values, x, b, r []T) float64 {
	copy(r, b[:f.n])
	for j := range f.n {
		for p := f.colptr[j]; p < f.colptr[j+1]; p++ {
			r[f.rowidx[p]] -= T(values[p] * x[j])
		}
	}
	size := f.bound(values, x, b)
	worst := 0.0
	for i, s := range size {
		switch e := f.abs(r[i]); {
		case math.IsNaN(e):
			return e
		case e > 0:
			worst = max(worst, e/s)
		}
	}
	return worst
}

// bound is |A| |x| + |b|.
func (f *Factors[T]) bound(values, x, b []T) []float64 {
	size := make([]float64, f.n)
	for i := range size {
		size[i] = f.abs(b[i])
	}
	for j := range f.n {
		for p := f.colptr[j]; p < f.colptr[j+1]; p++ {
			size[f.rowidx[p]] += f.abs(values[p]) * f.abs(x[j])
		}
	}
	return size
}

// Condition estimates the condition number of the factored matrix in the
// 1-norm, from below and seldom by more than a factor of three (Hager 1984;
// Higham, ACM TOMS 14, 1988). values are those of the factorisation.
func Condition(f *LU, values []float64) float64 {
	n := f.n
	if n == 0 {
		return 1
	}
	norm := 0.0
	for j := range n {
		sum := 0.0
		for _, v := range values[f.colptr[j]:f.colptr[j+1]] {
			sum += math.Abs(v)
		}
		norm = max(norm, sum)
	}
	x, sign := make([]float64, n), make([]float64, n)
	for i := range x {
		x[i] = 1 / float64(n)
	}
	inverse, last := 0.0, -1
	for range 5 {
		f.Solve(x)
		sum := 0.0
		for i, v := range x {
			sum += math.Abs(v)
			sign[i] = math.Copysign(1, v)
		}
		if sum <= inverse {
			break
		}
		inverse = sum
		f.SolveTransposed(sign)
		steepest := 0
		for i, v := range sign {
			if math.Abs(v) > math.Abs(sign[steepest]) {
				steepest = i
			}
		}
		if steepest == last {
			break
		}
		last = steepest
		clear(x)
		x[steepest] = 1
	}
	// An alternating vector catches the matrices on which the ascent stalls.
	for i := range x {
		x[i] = 1 + float64(i)/float64(max(1, n-1))
		if i%2 == 1 {
			x[i] = -x[i]
		}
	}
	f.Solve(x)
	sum := 0.0
	for _, v := range x {
		sum += math.Abs(v)
	}
	return norm * max(inverse, 2*sum/(3*float64(n)))
}
