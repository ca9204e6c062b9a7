package reference

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// TestSpectrum compares the leftmost eigenvalue with what gonum's port of LAPACK
// says, for matrices of many sizes and kinds.
func TestSpectrum(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	kinds := map[string]func(n, i, j int) float64{
		"normal":      func(_, _, _ int) float64 { return r.NormFloat64() },
		"sparse":      func(_, i, j int) float64 { return math.Trunc(3*r.Float64()-1) * float64((i*j)%3) },
		"bad scale":   func(n, i, j int) float64 { return r.NormFloat64() * math.Pow(10, 8*float64(i-j)/float64(n)) },
		"triangular":  func(_, i, j int) float64 { return r.NormFloat64() * float64(min(1, max(0, j-i+1))) },
		"permutation": func(n, i, j int) float64 { return float64(1 - min(1, (i-j+1+n)%n)) },
		"zero":        func(_, _, _ int) float64 { return 0 },
		"rotation":    func(_, i, j int) float64 { return float64((i - j) * (1 - min(1, (i-j)*(i-j)-1))) },
	}
	for name, of := range kinds {
		worst := 0.0
		for _, n := range []int{1, 2, 3, 4, 5, 8, 13, 30, 60} {
			s := newSpectrum(n)
			for range 20 {
				for i := range n {
					for j := range n {
						s.a[i*n+j] = of(n, i, j)
					}
				}
				var eigen mat.Eigen
				if !eigen.Factorize(mat.NewDense(n, n, append([]float64(nil), s.a...)), mat.EigenNone) {
					t.Fatal("gonum gives up")
				}
				want, size := math.Inf(1), 0.0
				for _, v := range eigen.Values(nil) {
					want, size = min(want, real(v)), max(size, math.Hypot(real(v), imag(v)))
				}
				got, ok := s.leftmost()
				if !ok {
					t.Fatalf("%s, n = %d: no convergence", name, n)
				}
				worst = max(worst, math.Abs(got-want)/(1+size))
			}
		}
		t.Logf("%s: off by %.2g", name, worst)
		if !(worst < 1e-6) && name != "sparse" || !(worst < 1e-3) { // eigenvalues of defective matrices are ill-conditioned
			t.Errorf("%s: off by %g", name, worst)
		}
	}
}

func TestSpectrumOfNothing(t *testing.T) {
	s := newSpectrum(2)
	s.a[1] = math.NaN()
	if _, ok := s.leftmost(); ok {
		t.Error("a matrix that is not finite has eigenvalues")
	}
}

func TestSpectrumAllocatesNothing(t *testing.T) {
	s := newSpectrum(20)
	r := rand.New(rand.NewPCG(1, 1))
	if a := testing.AllocsPerRun(20, func() {
		for i := range s.a {
			s.a[i] = r.NormFloat64()
		}
		s.leftmost()
	}); a != 0 {
		t.Errorf("%v allocations", a)
	}
}

// TestLoopDoesNotAllocate: an evaluation with an algebraic loop allocates nothing,
// one that looks at eigenvalues included.
func TestLoopDoesNotAllocate(t *testing.T) {
	net := coupledNetwork(0.1)
	f, err := newFlow(net, net.Inputs, [][]float64{make([]float64, 1)}, true, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.addLoops(); err != nil {
		t.Fatal(err)
	}
	z := f.initial()
	dz := make([]float64, len(z))
	at, proofs := 0.0, 0
	if n := testing.AllocsPerRun(50, func() {
		at += 1e-3
		if proofs++; proofs%2 == 0 {
			f.rates.proved = 0
		}
		if err := f.derive(at, z, dz); err != nil {
			t.Fatal(err)
		}
		if f.rates.proved == 0 {
			t.Fatal("nobody looked at the eigenvalues")
		}
	}); n != 0 {
		t.Errorf("%g allocations an evaluation", n)
	}
}
