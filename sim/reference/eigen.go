package reference

import "math"

// A spectrum finds the eigenvalues of a real matrix, and allocates nothing: it is
// asked now and then in the midst of a run. Balancing (Parlett and Reinsch, Numer.
// Math. 13, 293, 1969), Householder's reduction to Hessenberg form, then double
// steps of the QR algorithm with implicit shifts (Francis, Comput. J. 4, 332, 1962)
// on the part that has not fallen apart yet; Golub and Van Loan, Matrix
// Computations, chapter 7.
type spectrum struct {
	n    int
	a    []float64 // the matrix, row by row; destroyed
	v    []float64 // a reflector
	most int       // double steps for one eigenvalue
}

func newSpectrum(n int) *spectrum {
	return &spectrum{n: n, a: make([]float64, n*n), v: make([]float64, n), most: 60}
}

func (s *spectrum) row(i int) []float64 { return s.a[i*s.n : (i+1)*s.n] }

// leftmost returns the smallest real part of an eigenvalue of the matrix in a. It is
// false if the algorithm does not converge, or the matrix is not finite.
func (s *spectrum) leftmost() (least float64, ok bool) {
	for _, x := range s.a {
		if x-x != 0 {
			return 0, false
		}
	}
	s.balance()
	s.hessenberg()
	least = math.Inf(1)
	for hi := s.n - 1; hi >= 0; {
		lo, steps := s.deflate(hi), 0
		for ; lo < hi-1; lo = s.deflate(hi) {
			if steps++; steps > s.most {
				return 0, false
			}
			s.double(lo, hi, steps%10 == 0)
		}
		if lo == hi {
			least = min(least, s.row(hi)[hi])
			hi--
			continue
		}
		p, q := s.row(hi-1), s.row(hi)
		mean, half := (p[hi-1]+q[hi])/2, (p[hi-1]-q[hi])/2
		if d := half*half + p[hi]*q[hi-1]; d > 0 {
			mean -= math.Sqrt(d)
		}
		least = min(least, mean)
		hi -= 2
	}
	return least, true
}

// balance makes rows and columns equally large by powers of two, which leave no
// rounding.
func (s *spectrum) balance() {
	for again := true; again; {
		again = false
		for i := range s.n {
			col, row := 0.0, 0.0
			for j := range s.n {
				if j != i {
					col += math.Abs(s.row(j)[i])
					row += math.Abs(s.row(i)[j])
				}
			}
			if col == 0 || row == 0 {
				continue
			}
			_, e := math.Frexp(math.Sqrt(row / col))
			f := math.Ldexp(1, e-1)
			if (col*f + row/f) >= 0.95*(col+row) {
				continue
			}
			again = true
			for j := range s.n {
				s.row(i)[j] /= f
			}
			for j := range s.n {
				s.row(j)[i] *= f
			}
		}
	}
}

// reflector turns x into the v of a reflection I - 2 v v'/(v'v) that leaves of x
// only its first element, which it returns, and 2/(v'v).
func reflector(x []float64) (first, scale float64) {
	size := 0.0
	for _, t := range x {
		size = max(size, math.Abs(t))
	}
	if size == 0 {
		return 0, 0
	}
	sum := 0.0
	for i := range x {
		x[i] /= size
		sum += x[i] * x[i]
	}
	norm := math.Copysign(math.Sqrt(sum), x[0])
	x[0] += norm
	return -norm * size, 1 / (norm * x[0])
}

// reflect applies the reflection v to rows at, at+1, … in columns from to to, and
// to the columns of the same numbers in rows top to bottom.
func (s *spectrum) reflect(v []float64, scale float64, at, from, to, top, bottom int) {
	for j := from; j <= to; j++ {
		sum := 0.0
		for i, t := range v {
			sum += t * s.row(at + i)[j]
		}
		sum *= scale
		for i, t := range v {
			s.row(at + i)[j] -= sum * t
		}
	}
	for i := top; i <= bottom; i++ {
		r := s.row(i)[at : at+len(v)]
		sum := 0.0
		for j, t := range v {
			sum += t * r[j]
		}
		sum *= scale
		for j, t := range v {
			r[j] -= sum * t
		}
	}
}

// hessenberg leaves nothing below the first subdiagonal.
func (s *spectrum) hessenberg() {
	n := s.n
	for k := range max(0, n-2) {
		v := s.v[:n-k-1]
		for i := range v {
			v[i] = s.row(k + 1 + i)[k]
		}
		first, scale := reflector(v)
		s.reflect(v, scale, k+1, k+1, n-1, 0, n-1)
		s.row(k + 1)[k] = first
		for i := k + 2; i < n; i++ {
			s.row(i)[k] = 0
		}
	}
}

// deflate returns where the block that ends at hi begins: its first row below a
// subdiagonal element that is nothing beside its neighbours.
func (s *spectrum) deflate(hi int) int {
	const epsilon = 0x1p-52
	for l := hi; l > 0; l-- {
		size := math.Abs(s.row(l - 1)[l-1]) + math.Abs(s.row(l)[l])
		if math.Abs(s.row(l)[l-1]) <= epsilon*size {
			s.row(l)[l-1] = 0
			return l
		}
	}
	return 0
}

// double is one step of the block from lo to hi with two shifts: the eigenvalues of
// its last corner, or, to get out of a circle, something else.
func (s *spectrum) double(lo, hi int, odd bool) {
	last, before := s.row(hi), s.row(hi-1)
	sum := last[hi] + before[hi-1]
	product := last[hi]*before[hi-1] - last[hi-1]*before[hi]
	if odd {
		size := math.Abs(last[hi-1]) + math.Abs(before[hi-2])
		sum, product = 1.5*size, size*size
	}
	var v [3]float64
	p, q := s.row(lo), s.row(lo+1)
	v[0] = p[lo]*p[lo] + p[lo+1]*q[lo] - sum*p[lo] + product
	v[1] = q[lo] * (p[lo] + q[lo+1] - sum)
	v[2] = q[lo] * s.row(lo + 2)[lo+1]
	for k := lo; k < hi; k++ {
		size := min(3, hi-k+1)
		if k > lo {
			for i := range size {
				v[i] = s.row(k + i)[k-1]
			}
		}
		first, scale := reflector(v[:size])
		if k > lo {
			s.row(k)[k-1] = first
			for i := 1; i < size; i++ {
				s.row(k + i)[k-1] = 0
			}
		}
		s.reflect(v[:size], scale, k, k, hi, lo, min(k+3, hi))
	}
}
