package sparse

// Solve replaces b by the solution x of A x = b. The last factorisation must
// have succeeded, and b must have length N. It allocates nothing.
func (f *Factors[T]) Solve(b []T) {
	y := f.work
	b = b[:f.n]
	for k, r := range f.pivotRow {
		y[k] = b[r]
	}
	for blk := len(f.block) - 2; blk >= 0; blk-- {
		lo, hi := int(f.block[blk]), int(f.block[blk+1])
		if hi-lo > 1 {
			for k := lo; k < hi; k++ {
				f.lower.subtract(k, y[k], y)
			}
		}
		for k := hi - 1; k >= lo; k-- {
			v := y[k] / f.pivot[k]
			y[k] = v
			f.upper.subtract(k, v, y)
		}
		for k := lo; k < hi; k++ {
			v := y[k]
			from, to := f.outer.ptr[k], f.outer.ptr[k+1]
			vals := f.outerVal[from:to]
			for q, r := range f.outer.at[from:to] {
				y[r] -= T(v * vals[q])
			}
		}
	}
	for k, j := range f.colAt {
		b[j] = y[k]
	}
}

// subtract subtracts v times column k from y.
func (c *columns[T]) subtract(k int, v T, y []T) {
	if v == 0 {
		return
	}
	from, to := c.ptr[k], c.ptr[k+1]
	rows, vals := c.row[from:to], c.val[from:to]
	vals = vals[:len(rows)]
	for q, r := range rows {
		y[r] -= T(v * vals[q])
	}
}

// dot is the product of column k with y.
func (c *columns[T]) dot(k int, y []T) (sum T) {
	from, to := c.ptr[k], c.ptr[k+1]
	vals := c.val[from:to]
	for q, r := range c.row[from:to] {
		sum += T(vals[q] * y[r])
	}
	return sum
}

// SolveTransposed replaces b by the solution x of A' x = b, with A' the
// transpose (not conjugated). It allocates nothing.
func (f *Factors[T]) SolveTransposed(b []T) {
	y := f.work
	b = b[:f.n]
	for k, j := range f.colAt {
		y[k] = b[j]
	}
	for blk := range f.Blocks() {
		lo, hi := int(f.block[blk]), int(f.block[blk+1])
		for k := lo; k < hi; k++ {
			v := y[k]
			from, to := f.outer.ptr[k], f.outer.ptr[k+1]
			vals := f.outerVal[from:to]
			for q, r := range f.outer.at[from:to] {
				v -= T(vals[q] * y[r])
			}
			y[k] = v
		}
		for k := lo; k < hi; k++ {
			y[k] = (y[k] - f.upper.dot(k, y)) / f.pivot[k]
		}
		for k := hi - 1; k >= lo; k-- {
			y[k] -= f.lower.dot(k, y)
		}
	}
	for k, r := range f.pivotRow {
		b[r] = y[k]
	}
}
