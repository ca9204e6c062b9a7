package sparse

// A Part is a set of entries of the matrix that change together, such as the
// derivatives of the nonlinear devices within a Newton iteration. It belongs
// to the Factors that made it.
type Part struct {
	entries    []int32
	generation int
	columns    []int32 // permuted columns to recompute, ascending
	outer      []int32 // positions in Factors.outer to copy
}

// NewPart prepares RefactorPart for changes in these entries, given as indices
// into the values.
func (f *Factors[T]) NewPart(entries []int32) *Part {
	return &Part{entries: append([]int32(nil), entries...), generation: -1}
}

// Columns is the number of columns that the last RefactorPart recomputed.
func (p *Part) Columns() int { return len(p.columns) }

// RefactorPart is Refactor when only the entries of p differ from those of the
// last factorisation: it recomputes the columns that depend on them. The first
// call after a Factor finds out which these are, and may allocate.
func (f *Factors[T]) RefactorPart(p *Part, values []T) error {
	if !f.factored || len(values) < len(f.rowidx) {
		return f.notReady(len(values))
	}
	if p.generation != f.generation {
		f.plan(p)
	}
	for _, k := range p.columns {
		if !f.refactorColumn(int(k), values) {
			f.factored = false
			return ErrUnstable
		}
	}
	for _, q := range p.outer {
		f.outerVal[q] = values[f.outer.src[q]]
	}
	return nil
}

// plan lists the columns that hold an entry of p or use a column that changes.
func (f *Factors[T]) plan(p *Part) {
	changes := make([]bool, len(f.rowidx))
	for _, e := range p.entries {
		changes[e] = true
	}
	p.columns, p.outer = p.columns[:0], p.outer[:0]
	dirty := make([]bool, f.n)
	for k := range f.n {
		for _, s := range f.inner.src[f.inner.ptr[k]:f.inner.ptr[k+1]] {
			dirty[k] = dirty[k] || changes[s]
		}
		for _, j := range f.upper.row[f.upper.ptr[k]:f.upper.ptr[k+1]] {
			dirty[k] = dirty[k] || dirty[j]
		}
		if dirty[k] {
			p.columns = append(p.columns, int32(k))
		}
	}
	for q, s := range f.outer.src {
		if changes[s] {
			p.outer = append(p.outer, int32(q))
		}
	}
	p.generation = f.generation
}
