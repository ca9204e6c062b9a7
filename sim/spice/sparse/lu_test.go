package sparse

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"
	"pgregory.net/rapid"
)

// families are the shapes on which everything is compared with dense LU.
var families = map[string]func(n int, r *rand.Rand) *matrix{
	"grid":      func(n int, r *rand.Rand) *matrix { return grid(max(1, int(math.Sqrt(float64(n)))), r) },
	"circuit":   func(n int, r *rand.Rand) *matrix { return circuit(max(n, 2), r) },
	"reducible": reducible,
	"scattered": func(n int, r *rand.Rand) *matrix { return scattered(n, 3, r) },
	"dense":     func(n int, r *rand.Rand) *matrix { return scattered(n, float64(3*n), r) },
	"scaled":    func(n int, r *rand.Rand) *matrix { return rescaled(circuit(max(n, 2), r), 4, r) },
}

// check fails t unless f solves A x = b and A' x = b as accurately as the
// matrix allows. The measure is the backward error, against which condition
// does not count: below the given one at once, below 1e-12 after refinement.
// For well-conditioned matrices it is also the dense solution.
func check(t interface{ Fatalf(string, ...any) }, f *LU, m *matrix, values []float64, before float64, r *rand.Rand) {
	n := m.n
	b, x, res := make([]float64, n), make([]float64, n), make([]float64, n)
	for i := range b {
		b[i] = r.NormFloat64()
	}
	copy(x, b)
	f.Solve(x)
	if e := f.Residual(values, x, b, res); !(e < before) {
		t.Fatalf("n = %d: backward error %.2g", n, e)
	}
	for range 2 {
		f.Solve(res)
		for i := range x {
			x[i] += res[i]
		}
		f.Residual(values, x, b, res)
	}
	if e := f.Residual(values, x, b, res); !(e < 1e-12) {
		t.Fatalf("n = %d: backward error after refinement %.2g", n, e)
	}

	d := (&matrix{n, m.colptr, m.rowidx, values}).dense()
	var lu mat.LU
	lu.Factorize(d)
	cond := lu.Cond()
	if cond > 1e9 {
		return
	}
	for _, transposed := range []bool{false, true} {
		var want mat.VecDense
		if err := lu.SolveVecTo(&want, transposed, mat.NewVecDense(n, b)); err != nil {
			t.Fatalf("dense reference: %v", err)
		}
		copy(x, b)
		if transposed {
			f.SolveTransposed(x)
		} else {
			f.Solve(x)
		}
		scale := mat.Norm(&want, math.Inf(1))
		for i := range x {
			if e := math.Abs(x[i] - want.AtVec(i)); !(e <= 1e-7*scale*max(1, cond*1e-4)) {
				t.Fatalf("n = %d, transposed %v: x[%d] = %g, dense LU has %g (condition %.1g)", n, transposed, i, x[i], want.AtVec(i), cond)
			}
		}
	}
	if c := Condition(f, values); c > cond*float64(10*n) || c < cond/(10*float64(n)) {
		t.Fatalf("condition estimate %.3g, dense LU says %.3g", c, cond)
	}
}

func TestAgainstDense(t *testing.T) {
	for name, family := range families {
		before := 1e-6
		if name == "scaled" {
			before = 0.1 // in its smallest components
		}
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				n := rapid.IntRange(1, 120).Draw(t, "n")
				r := random(rapid.Uint64().Draw(t, "seed"))
				m := family(n, r)
				f, err := New(m.n, m.colptr, m.rowidx)
				if err != nil {
					t.Fatal(err)
				}
				if err := f.Factor(m.values); err != nil {
					t.Fatal(err)
				}
				wellFormed(t, f)
				check(t, f, m, m.values, before, r)
				for _, values := range [][]float64{m.vary(r), m.values, m.vary(r)} {
					err := f.Refactor(values)
					if errors.Is(err, ErrUnstable) {
						err = f.Factor(values)
					}
					if err != nil {
						t.Fatal(err)
					}
					check(t, f, m, values, before, r)
				}
			})
		})
	}
}

// wellFormed checks what the rest relies on: permutations, blocks, sorted columns.
func wellFormed(t interface{ Fatalf(string, ...any) }, f *LU) {
	for _, p := range [][]int32{f.colAt, f.rowAt, f.pivoted, f.pivotRow} {
		s := slices.Clone(p)
		slices.Sort(s)
		for i, v := range s {
			if int(v) != i {
				t.Fatalf("not a permutation: %v", p)
			}
		}
	}
	for b := range f.Blocks() {
		lo, hi := f.block[b], f.block[b+1]
		for k := lo; k < hi; k++ {
			l, u := f.lower.row[f.lower.ptr[k]:f.lower.ptr[k+1]], f.upper.row[f.upper.ptr[k]:f.upper.ptr[k+1]]
			if !slices.IsSorted(l) || !slices.IsSorted(u) {
				t.Fatalf("column %d is not sorted", k)
			}
			if len(l) > 0 && (l[0] <= k || l[len(l)-1] >= hi) || len(u) > 0 && (u[0] < lo || u[len(u)-1] >= k) {
				t.Fatalf("column %d leaves its triangle or block: L %v, U %v, block %d..%d", k, l, u, lo, hi)
			}
			for _, r := range f.outer.at[f.outer.ptr[k]:f.outer.ptr[k+1]] {
				if r >= lo {
					t.Fatalf("entry below the blocks in column %d, row %d", k, r)
				}
			}
		}
	}
	for _, v := range f.x {
		if v != 0 {
			t.Fatalf("work column is not clean")
		}
	}
}

func TestRefactorPart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := random(rapid.Uint64().Draw(t, "seed"))
		name := rapid.SampledFrom([]string{"grid", "circuit", "reducible"}).Draw(t, "family")
		m := families[name](rapid.IntRange(2, 150).Draw(t, "n"), r)
		f, err := New(m.n, m.colptr, m.rowidx)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Factor(m.values); err != nil {
			t.Fatal(err)
		}
		var entries []int32
		for range rapid.IntRange(0, 6).Draw(t, "changes") {
			entries = append(entries, int32(r.IntN(len(m.values))))
		}
		part := f.NewPart(entries)
		values := slices.Clone(m.values)
		for range 3 {
			if err := f.Refactor(values); err != nil {
				t.Fatal(err)
			}
			for _, e := range entries {
				values[e] = m.values[e] * (0.9 + 0.2*r.Float64())
			}
			if err := f.RefactorPart(part, values); err != nil {
				t.Fatal(err)
			}
			lower, outer, pivot := slices.Clone(f.lower.val), slices.Clone(f.outerVal), slices.Clone(f.pivot)
			if err := f.Refactor(values); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(lower, f.lower.val) || !slices.Equal(outer, f.outerVal) || !slices.Equal(pivot, f.pivot) {
				t.Fatalf("partial and full refactorisation differ")
			}
			if err := f.Factor(values); err != nil { // the part must find out by itself
				t.Fatal(err)
			}
		}
	})
}

func TestComplex(t *testing.T) {
	r := random(11)
	m := circuit(80, r)
	f, err := NewComplex(m.n, m.colptr, m.rowidx)
	if err != nil {
		t.Fatal(err)
	}
	values := make([]complex128, len(m.values))
	for i, v := range m.values {
		values[i] = complex(v, v*r.NormFloat64())
	}
	if err := f.Factor(values); err != nil {
		t.Fatal(err)
	}
	x, b, res := make([]complex128, m.n), make([]complex128, m.n), make([]complex128, m.n)
	for i := range b {
		b[i] = complex(r.NormFloat64(), r.NormFloat64())
	}
	copy(x, b)
	f.Solve(x)
	if e := f.Residual(values, x, b, res); !(e < 1e-11) {
		t.Errorf("backward error %g", e)
	}
	values[0] *= 1.5
	if err := f.Refactor(values); err != nil {
		t.Fatal(err)
	}
	if e := f.Residual(values, x, b, res); e < 1e-6 {
		t.Errorf("a solution of another matrix has backward error %g: the check cannot fail", e)
	}
	copy(x, b)
	f.Solve(x)
	if e := f.Residual(values, x, b, res); !(e < 1e-11) {
		t.Errorf("backward error after Refactor %g", e)
	}
}

func TestStructurallySingular(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 60).Draw(t, "n")
		r := random(rapid.Uint64().Draw(t, "seed"))
		m := scattered(n, 3, r)
		// k+1 columns that live in k rows cannot all be matched.
		k := rapid.IntRange(0, min(3, n-1)).Draw(t, "rows")
		b := newBuilder(n)
		for j := range n {
			for p := m.colptr[j]; p < m.colptr[j+1]; p++ {
				if j > k {
					b.add(int(m.rowidx[p]), j, 1)
				}
			}
			if j <= k {
				for i := range k {
					b.add(i, j, 1+r.Float64())
				}
			}
		}
		s := b.matrix()
		_, err := New(s.n, s.colptr, s.rowidx)
		var singular *SingularError
		if !errors.As(err, &singular) || !singular.Structural || singular.Rank >= n {
			t.Fatalf("want a structural error, got %v", err)
		}
		if singular.Col < 0 || singular.Col >= n || singular.Row < 0 || singular.Row >= n {
			t.Fatalf("error names no row and column: %+v", singular)
		}
	})
}

func TestSingularNamesThePlace(t *testing.T) {
	// Nodes 2 and 3 hang on each other and on nothing else.
	b := newBuilder(5)
	b.conductance(0, -1, 1)
	b.conductance(0, 1, 0.5)
	b.conductance(1, 4, 0.1)
	b.conductance(2, 3, 0.3)
	m := b.matrix()
	f, err := New(m.n, m.colptr, m.rowidx)
	if err != nil {
		t.Fatal(err)
	}
	var singular *SingularError
	if err := f.Factor(m.values); !errors.As(err, &singular) || singular.Col != 2 && singular.Col != 3 {
		t.Errorf("want a singular matrix at unknown 2 or 3, got %v", err)
	}
	if err := f.Refactor(m.values); !errors.Is(err, ErrUnstable) {
		t.Errorf("Refactor after a failed Factor: %v", err)
	}
	b.conductance(3, -1, 1e-15)
	m = b.matrix()
	if err := f.Factor(m.values); err != nil {
		t.Fatal(err)
	}
	if w := f.Weakest(); w.Col != 2 && w.Col != 3 || w.Ratio > 1e-13 {
		t.Errorf("weakest pivot is %+v, want unknown 2 or 3", w)
	}
	m.values[0] = math.NaN()
	if err := f.Factor(m.values); !errors.As(err, &singular) || !singular.NotFinite {
		t.Errorf("a value that is not a number: %v", err)
	}
}

// TestRefactorRefuses: pivots that were good become useless, and are not used.
func TestRefactorRefuses(t *testing.T) {
	b := newBuilder(3)
	for i := range 3 {
		for j := range 3 {
			b.add(i, j, 1)
		}
		b.add(i, i, 5)
	}
	m := b.matrix()
	f, err := New(m.n, m.colptr, m.rowidx)
	if err != nil {
		t.Fatal(err)
	}
	for _, small := range []float64{0, 1e-9, math.NaN(), math.Inf(1)} {
		if err := f.Factor(m.values); err != nil {
			t.Fatal(err)
		}
		values := slices.Clone(m.values)
		for i := range 3 {
			values[4*i] = small
		}
		if err := f.Refactor(values); !errors.Is(err, ErrUnstable) {
			t.Errorf("diagonal %g: %v", small, err)
		}
		if math.IsNaN(small) || math.IsInf(small, 0) {
			continue
		}
		if err := f.Factor(values); err != nil {
			t.Fatal(err)
		}
		check(t, f, m, values, 1e-10, random(1))
	}
}

func TestBadPattern(t *testing.T) {
	for name, c := range map[string]struct {
		n              int
		colptr, rowidx []int32
	}{
		"short pointers":  {2, []int32{0, 1}, []int32{0}},
		"no zero first":   {1, []int32{1, 1}, []int32{0}},
		"row beyond":      {2, []int32{0, 1, 2}, []int32{0, 2}},
		"row negative":    {2, []int32{0, 1, 2}, []int32{0, -1}},
		"duplicate":       {2, []int32{0, 2, 3}, []int32{0, 0, 1}},
		"decreasing":      {2, []int32{0, 2, 1}, []int32{0, 1}},
		"missing entries": {2, []int32{0, 1, 3}, []int32{0, 1}},
	} {
		var singular *SingularError
		if _, err := New(c.n, c.colptr, c.rowidx); err == nil || errors.As(err, &singular) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if f, err := New(0, []int32{0}, nil); err != nil || f.Factor(nil) != nil || f.Refactor(nil) != nil {
		t.Errorf("the empty matrix: %v", err)
	}
}

func TestNoAllocation(t *testing.T) {
	r := random(2)
	m := circuit(500, r)
	f, err := New(m.n, m.colptr, m.rowidx)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Factor(m.values); err != nil {
		t.Fatal(err)
	}
	values, b := m.vary(r), make([]float64, m.n)
	part := f.NewPart([]int32{3, 5})
	if err := f.RefactorPart(part, m.values); err != nil {
		t.Fatal(err)
	}
	for name, work := range map[string]func() error{
		"Factor":   func() error { return f.Factor(values) },
		"Refactor": func() error { return f.Refactor(values) },
		"Solve":    func() error { f.Solve(b); f.SolveTransposed(b); return nil },
	} {
		if err := work(); err != nil {
			t.Fatal(err)
		}
		if n := testing.AllocsPerRun(5, func() { _ = work() }); n != 0 {
			t.Errorf("%s allocates %v times", name, n)
		}
	}
}

// TestFill holds the ordering to the fill that minimum degree is known to
// reach on grids, about 31 n log2(n)/8 for nested dissection on a five-point grid.
func TestFill(t *testing.T) {
	for _, side := range []int{30, 100} {
		m := grid(side, random(1))
		f, err := New(m.n, m.colptr, m.rowidx)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Factor(m.values); err != nil {
			t.Fatal(err)
		}
		n := float64(m.n)
		if l := float64(len(f.lower.row)); l > 31*n*math.Log2(n)/8 || l > float64(f.fill) {
			t.Errorf("grid %d: %g entries in L, ordering promised %d, nested dissection %.0f", side, l, f.fill, 31*n*math.Log2(n)/8)
		}
	}
}
