package reference

import "math"

// An lu is the factorisation P A = L U of a dense square matrix with row
// pivoting, for the Newton steps of algebraic loops.
type lu struct {
	n     int
	a     []float64 // A before factor, L and U after it
	perm  []int
	work  []float64
	above bool // det A > 0
}

func newLU(n int) *lu {
	return &lu{n: n, a: make([]float64, n*n), perm: make([]int, n), work: make([]float64, n)}
}

// factor replaces a by its factors. It reports whether A is regular.
func (f *lu) factor() bool {
	n := f.n
	f.above = true
	for i := range f.perm {
		f.perm[i] = i
	}
	for k := range n {
		pivot := k
		for i := k + 1; i < n; i++ {
			if math.Abs(f.a[i*n+k]) > math.Abs(f.a[pivot*n+k]) {
				pivot = i
			}
		}
		if d := f.a[pivot*n+k]; d == 0 || math.IsNaN(d) || math.IsInf(d, 0) {
			return false
		}
		if pivot != k {
			top, low := f.a[k*n:(k+1)*n], f.a[pivot*n:(pivot+1)*n]
			for j := range top {
				top[j], low[j] = low[j], top[j]
			}
			f.perm[k], f.perm[pivot] = f.perm[pivot], f.perm[k]
			f.above = !f.above
		}
		row := f.a[k*n+k+1 : (k+1)*n]
		d := f.a[k*n+k]
		if d < 0 {
			f.above = !f.above
		}
		for i := k + 1; i < n; i++ {
			if f.a[i*n+k] == 0 {
				continue
			}
			q := f.a[i*n+k] / d
			f.a[i*n+k] = q
			axpy(-q, row, f.a[i*n+k+1:(i+1)*n])
		}
	}
	return true
}

// solve overwrites b with the solution of A x = b.
func (f *lu) solve(b []float64) {
	n := f.n
	for i, p := range f.perm {
		f.work[i] = b[p] - dot(f.a[i*n:i*n+i], f.work[:i])
	}
	for i := n - 1; i >= 0; i-- {
		b[i] = (f.work[i] - dot(f.a[i*n+i+1:(i+1)*n], b[i+1:])) / f.a[i*n+i]
	}
}
