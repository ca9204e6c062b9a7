package sparse

import (
	"errors"
	"fmt"
	"math"
)

// ErrUnstable is what Refactor returns when the pivots chosen by Factor do not
// suit the new values: one is zero, or so small that accuracy is lost. Factor
// the same values then.
var ErrUnstable = errors.New("sparse: kept pivots do not suit the new values")

// tolerableGrowth is the largest multiplier, rows scaled, that Refactor
// accepts: a hundred times what a fresh factorisation may have.
const tolerableGrowth = 1e4

// Refactor computes the factors for new values with the pattern and the pivots
// of the last Factor. It allocates nothing. On ErrUnstable the factors are
// unusable until the next Factor.
func (f *Factors[T]) Refactor(values []T) error {
	if !f.factored || len(values) < len(f.rowidx) {
		return f.notReady(len(values))
	}
	f.growth = 1
	for k := range f.n {
		if !f.refactorColumn(k, values) {
			f.factored = false
			return ErrUnstable
		}
	}
	for p, src := range f.outer.src {
		f.outerVal[p] = values[src]
	}
	return nil
}

func (f *Factors[T]) notReady(values int) error {
	if !f.factored {
		return ErrUnstable
	}
	return fmt.Errorf("sparse: want %d values, got %d", len(f.rowidx), values)
}

// refactorColumn recomputes column k from the columns of L before it. It
// reports whether the pivot is acceptable; x is zero again in either case.
func (f *Factors[T]) refactorColumn(k int, values []T) bool {
	x := f.x
	lo, hi := f.inner.ptr[k], f.inner.ptr[k+1]
	src, at := f.inner.src[lo:hi], f.inner.at[lo:hi]
	for p, s := range src {
		x[at[p]] = values[s]
	}
	uLo, uHi := f.upper.ptr[k], f.upper.ptr[k+1]
	uRows, uVals := f.upper.row[uLo:uHi], f.upper.val[uLo:uHi]
	uVals = uVals[:len(uRows)]
	for p, j := range uRows {
		u := x[j]
		x[j] = 0
		uVals[p] = u
		if u == 0 {
			continue
		}
		from, to := f.lower.ptr[j], f.lower.ptr[j+1]
		rows, vals := f.lower.row[from:to], f.lower.val[from:to]
		vals = vals[:len(rows)]
		for q, r := range rows {
			x[r] -= T(u * vals[q])
		}
	}
	pivot := x[k]
	x[k] = 0
	f.pivot[k] = pivot
	size := f.abs(pivot) * f.weight[k]
	from, to := f.lower.ptr[k], f.lower.ptr[k+1]
	rows, vals := f.lower.row[from:to], f.lower.val[from:to]
	vals = vals[:len(rows)]
	largest := size
	for q, r := range rows {
		v := x[r]
		x[r] = 0
		vals[q] = v / pivot
		if s := f.abs(v) * f.weight[r]; !(s <= largest) {
			largest = s
		}
	}
	if largest > size {
		f.growth = max(f.growth, largest/size)
	}
	return size > 0 && size <= math.MaxFloat64 && largest <= tolerableGrowth*size
}
