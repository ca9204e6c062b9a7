// Package sparse factors the matrices of circuit simulation: sparse,
// unsymmetric, with a pattern that stays while the values change at every
// Newton iteration or time step.
//
//	lu, err := sparse.New(n, colptr, rowidx) // once: orderings, from the pattern
//	err = lu.Factor(values)                  // once: pivots, pattern of the factors
//	for … {
//		if lu.Refactor(values) != nil {      // many times: numbers only
//			err = lu.Factor(values)
//		}
//		lu.Solve(b)                          // b becomes x
//	}
//
// The matrix is given by compressed columns: the entries of column j are
// values[colptr[j]:colptr[j+1]], their rows rowidx[colptr[j]:colptr[j+1]].
// The order of the entries within a column is free; duplicates must have been
// summed. Refactor and Solve allocate nothing.
//
// # For maintainers
//
// The plan is that of Davis and Palamadai Natarajan, "Algorithm 907: KLU"
// (ACM TOMS 37(3), 2010), written from the papers it rests on:
//
//	transversal.go  rows are matched to columns, so that the diagonal is free of
//	                structural zeros (Duff 1981)
//	blocks.go       strongly connected components: a block upper triangular
//	                form, of which only the diagonal blocks need factors
//	                (Tarjan 1972; Duff and Reid 1978)
//	amd.go          each block is ordered for little fill by approximate
//	                minimum degree (Amestoy, Davis and Duff 1996)
//	factor.go       left-looking columns, each in time proportional to its
//	                arithmetic (Gilbert and Peierls 1988), with symmetric
//	                pruning (Eisenstat and Liu 1992) and a pivot that stays on
//	                the diagonal as long as it is not too small
//	refactor.go     the same arithmetic with pattern and pivots kept
//	partial.go      the same for the columns alone that depend on what changed
//	solve.go        A x = b and the transposed system
//	estimate.go     residual, growth, condition number
//
// Circuit matrices stay too sparse for the multifrontal or supernodal methods
// that win on finite elements, and most of them are reducible: without the
// block form a matrix of 100 000 unknowns took 67 times as long.
//
// Rows are scaled only where pivots are compared, never in the arithmetic: the
// factors are those of the caller's matrix, and Solve has nothing to undo.
package sparse

import (
	"fmt"
	"math"
)

// Scalar is what a matrix may be made of: real for direct-current and
// transient analysis, complex for small-signal analysis.
type Scalar interface{ float64 | complex128 }

// LU is the factorisation of a real matrix.
type LU = Factors[float64]

// Factors holds the orderings, found once from the pattern, and the triangular
// factors of a square sparse matrix. It is not safe for concurrent use.
//
// Throughout the package a permuted index is a position of the block upper
// triangular, fill-reduced form P A Q. Rows have two permuted numbers: the
// one the analysis gives them (row below), and the one pivoting moves them to.
type Factors[T Scalar] struct {
	n   int
	abs func(T) float64

	// The caller's pattern, kept for residuals and norms.
	colptr, rowidx []int32

	// Analysis: blocks are the half-open ranges block[b]..block[b+1] of
	// permuted indices; colAt[k] is the caller's column at permuted k and
	// rowAt[k] the caller's row that the transversal put on the diagonal.
	block        []int32
	colAt, rowAt []int32
	fill         int // entries of L that the ordering expects

	// Entries of the caller's matrix by permuted column. inner are those in the
	// column's own diagonal block, outer those in blocks above it.
	inner, outer entries
	outerVal     []T

	// Factors by permuted column. L has a unit diagonal that is not stored, U
	// keeps its diagonal in pivot. Rows within a column ascend; an ascending
	// order of U is also the order of elimination that Refactor needs.
	lower, upper columns[T]
	pivot        []T
	pivoted      []int32   // permuted row of the analysis -> permuted row
	pivotRow     []int32   // its inverse composed with rowAt: the caller's row
	weight       []float64 // by permuted row: row scale for comparisons, a power of two

	factored   bool
	generation int     // counts fresh factorisations
	growth     float64 // largest scaled multiplier of the last factorisation
	weak       Weakness

	x    []T // one dense column, zero between columns
	work []T // a second one, for Solve
	scratch
}

// entries are positions of the caller's matrix grouped by permuted column.
type entries struct {
	ptr []int32 // n+1
	src []int32 // index into the caller's values
	row []int32 // permuted row as the analysis left it
	at  []int32 // permuted row after pivoting
}

// columns is a compressed-column matrix of factors.
type columns[T Scalar] struct {
	ptr []int // n+1
	row []int32
	val []T
}

// New analyses the pattern of an n by n real matrix: row matching, block
// triangular form and fill-reducing order. It fails with a *SingularError when
// no choice of values could make the matrix regular, and with another error
// when the pattern is not one (index out of range, duplicate).
func New(n int, colptr, rowidx []int32) (*LU, error) {
	return analyse(n, colptr, rowidx, math.Abs)
}

// NewComplex is New for a matrix of complex numbers.
func NewComplex(n int, colptr, rowidx []int32) (*Factors[complex128], error) {
	return analyse(n, colptr, rowidx, func(z complex128) float64 {
		return math.Abs(real(z)) + math.Abs(imag(z)) // within sqrt(2) of |z|, and cheap
	})
}

// A SingularError says that the matrix has no inverse, and where that showed.
// Row and Col are the caller's numbers.
type SingularError struct {
	// Structural is true when the pattern alone forbids an inverse: no more than
	// Rank rows can be matched to columns, and Row and Col are the first left over.
	Structural bool
	Rank       int
	// Otherwise column Col depends on the columns eliminated before it, and the
	// equation that was to determine it is Row.
	Row, Col int
	// NotFinite is true when the pivot was infinite or not a number instead of zero.
	NotFinite bool
}

func (e *SingularError) Error() string {
	switch {
	case e.Structural:
		return fmt.Sprintf("matrix is structurally singular (rank %d): nothing determines unknown %d, equation %d is one too many", e.Rank, e.Col, e.Row)
	case e.NotFinite:
		return fmt.Sprintf("matrix entry or pivot of unknown %d (equation %d) is not finite", e.Col, e.Row)
	}
	return fmt.Sprintf("matrix is singular at unknown %d (equation %d)", e.Col, e.Row)
}

// N is the order of the matrix.
func (f *Factors[T]) N() int { return f.n }

// Blocks is the number of diagonal blocks of the block triangular form.
func (f *Factors[T]) Blocks() int { return len(f.block) - 1 }

// Entries is the number of stored entries of the factors, diagonal included,
// and of the entries above the diagonal blocks. It is known after Factor.
func (f *Factors[T]) Entries() int {
	return len(f.lower.row) + len(f.upper.row) + f.n + len(f.outer.src)
}
