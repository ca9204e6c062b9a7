package sparse

import (
	"fmt"
	"math"
	"slices"
)

// diagonalPreference is how small the diagonal may be against the largest
// candidate of its column, rows scaled, and still be the pivot. Staying on the
// diagonal keeps the fill that the ordering promised; 1e-3 is the value that
// circuit simulators settled on.
const diagonalPreference = 1e-2

// scratch is what a fresh factorisation needs beside the factors.
type scratch struct {
	scale       []float64 // row scale by permuted row of the analysis
	columnScale []float64
	diagonal    []int32 // column -> the row that counts as its diagonal
	diagonalOf  []int32 // its inverse
	pruned      []int   // end of the part of a column of L that the search must look at; -1 for all
	mark        []int32 // by row: the last column whose search met it
	order       []int32 // rows with pivots that the search met, topological from the end
	candidates  []int32 // rows without
	path        []int32 // pivotal columns of the search
	at          []int   // where the search in each goes on
}

// Factor finds pivots and computes the factors of the matrix with these
// values, in the order of the pattern given to New. It fails with a
// *SingularError; the factors are then unusable until the next Factor.
func (f *Factors[T]) Factor(values []T) error {
	if len(values) < len(f.rowidx) {
		return fmt.Errorf("sparse: want %d values, got %d", len(f.rowidx), len(values))
	}
	f.prepare(values)
	for b := range f.Blocks() {
		lo, hi := int(f.block[b]), int(f.block[b+1])
		for k := lo; k < hi; k++ {
			if err := f.factorColumn(k, values); err != nil {
				clear(f.x)
				return err
			}
		}
	}
	f.finish(values)
	return nil
}

func (f *Factors[T]) prepare(values []T) {
	n := f.n
	f.factored = false
	f.growth = 1
	f.weak = Weakness{Ratio: math.Inf(1), Row: -1, Col: -1}
	if f.scale == nil {
		f.scale, f.columnScale = make([]float64, n), make([]float64, n)
		f.diagonal, f.diagonalOf = make([]int32, n), make([]int32, n)
		f.pruned, f.mark = make([]int, n), make([]int32, n)
		f.order, f.candidates = make([]int32, n), make([]int32, 0, n)
		f.path, f.at = make([]int32, 0, n), make([]int, 0, n)
		f.lower.ptr, f.upper.ptr = make([]int, n+1), make([]int, n+1)
		room := f.fill + f.fill/8
		f.lower.row, f.lower.val = make([]int32, 0, room), make([]T, 0, room)
		f.upper.row, f.upper.val = make([]int32, 0, room), make([]T, 0, room)
	}
	for _, c := range []*columns[T]{&f.lower, &f.upper} {
		c.row, c.val = c.row[:0], c.val[:0]
	}
	for k := range n {
		f.diagonal[k], f.diagonalOf[k] = int32(k), int32(k)
		f.pruned[k], f.mark[k], f.pivoted[k] = -1, -1, -1
	}
	f.equilibrate(values)
}

// equilibrate finds row scales under which entries of one column can be
// compared: with the column scales that go with them, the largest entry of
// every row and nearly every column is about 1. Conductances, currents and
// voltages meet in a circuit's matrix, and scaling rows by their largest entry
// alone would only carry the units of a column into the rows.
func (f *Factors[T]) equilibrate(values []T) {
	for i := range f.scale {
		f.scale[i] = 1
	}
	columns := f.columnScale
	for range 3 {
		for k := range f.n {
			s := 0.0
			for p := f.inner.ptr[k]; p < f.inner.ptr[k+1]; p++ {
				s = max(s, f.abs(values[f.inner.src[p]])*f.scale[f.inner.row[p]])
			}
			columns[k] = inversePowerOfTwo(s)
		}
		clear(f.scale)
		for k := range f.n {
			for p := f.inner.ptr[k]; p < f.inner.ptr[k+1]; p++ {
				row := f.inner.row[p]
				f.scale[row] = max(f.scale[row], f.abs(values[f.inner.src[p]])*columns[k])
			}
		}
		for i, s := range f.scale {
			f.scale[i] = inversePowerOfTwo(s)
		}
	}
}

func inversePowerOfTwo(s float64) float64 {
	if !(s > 0 && s <= math.MaxFloat64) {
		return 1
	}
	_, e := math.Frexp(s)
	return math.Ldexp(1, max(-500, min(500, -e)))
}

// factorColumn computes column k of L and U.
func (f *Factors[T]) factorColumn(k int, values []T) error {
	topo := f.reach(k)
	x, largestEntry := f.x, 0.0
	for p := f.inner.ptr[k]; p < f.inner.ptr[k+1]; p++ {
		v, row := values[f.inner.src[p]], f.inner.row[p]
		x[row] = v
		largestEntry = max(largestEntry, f.abs(v)*f.scale[row])
	}
	for _, row := range topo {
		j := f.pivoted[row]
		u := x[row]
		x[row] = 0
		f.upper.row = append(f.upper.row, j)
		f.upper.val = append(f.upper.val, u)
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

	row, largest := f.choosePivot(k)
	pivot := x[row]
	size := f.abs(pivot) * f.scale[row]
	if !(size > 0 && size <= math.MaxFloat64) {
		return &SingularError{
			Row: int(f.rowAt[row]), Col: int(f.colAt[k]),
			NotFinite: size != 0,
		}
	}
	f.growth = max(f.growth, largest/size)
	f.weak.note(largest/largestEntry, int(f.rowAt[row]), int(f.colAt[k]))
	f.pivot[k] = pivot
	f.pivoted[row] = int32(k)
	for _, r := range f.candidates {
		if r != row {
			f.lower.row = append(f.lower.row, r)
			f.lower.val = append(f.lower.val, x[r]/pivot)
		}
		x[r] = 0
	}
	f.lower.ptr[k+1] = len(f.lower.row)
	f.upper.ptr[k+1] = len(f.upper.row)
	f.prune(k, row)
	return nil
}

// reach finds the pattern of column k of the factors: the rows that can be
// reached from those of the matrix through columns of L that are done. Rows
// with a pivot are returned in topological order, those without are left in
// f.candidates.
func (f *Factors[T]) reach(k int) []int32 {
	f.candidates = f.candidates[:0]
	top := len(f.order)
	stamp := int32(k)
	for _, start := range f.inner.row[f.inner.ptr[k]:f.inner.ptr[k+1]] {
		if f.mark[start] == stamp {
			continue
		}
		f.mark[start] = stamp
		if f.pivoted[start] < 0 {
			f.candidates = append(f.candidates, start)
			continue
		}
		path, at := append(f.path[:0], start), append(f.at[:0], f.lower.ptr[f.pivoted[start]])
	search:
		for len(path) > 0 {
			last := len(path) - 1
			j := f.pivoted[path[last]]
			end := f.pruned[j]
			if end < 0 {
				end = f.lower.ptr[j+1]
			}
			for q := at[last]; q < end; q++ {
				r := f.lower.row[q]
				if f.mark[r] == stamp {
					continue
				}
				f.mark[r] = stamp
				if i := f.pivoted[r]; i >= 0 {
					at[last] = q + 1
					path, at = append(path, r), append(at, f.lower.ptr[i])
					continue search
				}
				f.candidates = append(f.candidates, r)
			}
			top--
			f.order[top] = path[last]
			path, at = path[:last], at[:last]
		}
	}
	return f.order[top:]
}

// choosePivot returns the row of the pivot of column k, and the scaled size of
// the largest candidate.
func (f *Factors[T]) choosePivot(k int) (row int32, largest float64) {
	diagonal := f.diagonal[k]
	row, onDiagonal := diagonal, -1.0
	for _, r := range f.candidates {
		size := f.abs(f.x[r]) * f.scale[r]
		if r == diagonal {
			onDiagonal = size
		}
		if math.IsNaN(size) {
			return r, size
		}
		if size > largest {
			row, largest = r, size
		}
	}
	if onDiagonal > 0 && onDiagonal >= diagonalPreference*largest {
		return diagonal, largest
	}
	if row != diagonal {
		// The diagonal of k goes to the column that wanted the row taken now.
		c := f.diagonalOf[row]
		f.diagonal[c], f.diagonalOf[diagonal] = diagonal, c
		f.diagonal[k], f.diagonalOf[row] = row, int32(k)
	}
	return row, largest
}

// prune shortens what later searches see of the columns of L that column k
// used: where L(row, j) and U(j, k) are both there, every row of column j
// without a pivot is also in column k of L and will be found through it.
func (f *Factors[T]) prune(k int, row int32) {
	for _, j := range f.upper.row[f.upper.ptr[k]:] {
		if f.pruned[j] >= 0 {
			continue
		}
		from, to := f.lower.ptr[j], f.lower.ptr[j+1]
		rows, vals := f.lower.row[from:to], f.lower.val[from:to]
		if !slices.Contains(rows, row) {
			continue
		}
		head, tail := 0, len(rows)
		for head < tail {
			if f.pivoted[rows[head]] >= 0 {
				head++
			} else {
				tail--
				rows[head], rows[tail] = rows[tail], rows[head]
				vals[head], vals[tail] = vals[tail], vals[head]
			}
		}
		f.pruned[j] = from + tail
	}
}

// finish renumbers rows by pivots, sorts the columns, and copies what is above
// the diagonal blocks.
func (f *Factors[T]) finish(values []T) {
	for r, k := range f.pivoted {
		f.pivotRow[k] = f.rowAt[r]
		f.weight[k] = f.scale[r]
	}
	for i, r := range f.lower.row {
		f.lower.row[i] = f.pivoted[r]
	}
	for k := range f.n {
		f.lower.sort(k, f.x)
		f.upper.sort(k, f.x)
	}
	for p, r := range f.inner.row {
		f.inner.at[p] = f.pivoted[r]
	}
	for p, r := range f.outer.row {
		f.outer.at[p] = f.pivoted[r]
		f.outerVal[p] = values[f.outer.src[p]]
	}
	f.factored = true
	f.generation++
}

// sort puts the rows of column k in ascending order. The values wait in the
// dense column x meanwhile, which is zero before and after.
func (c *columns[T]) sort(k int, x []T) {
	rows, vals := c.row[c.ptr[k]:c.ptr[k+1]], c.val[c.ptr[k]:c.ptr[k+1]]
	if slices.IsSorted(rows) {
		return
	}
	for q, r := range rows {
		x[r] = vals[q]
	}
	slices.Sort(rows)
	for q, r := range rows {
		vals[q] = x[r]
		x[r] = 0
	}
}
