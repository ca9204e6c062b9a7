package sparse

import (
	"errors"
	"fmt"
	"math"
)

// analyse does what depends on the pattern alone.
func analyse[T Scalar](n int, colptr, rowidx []int32, abs func(T) float64) (*Factors[T], error) {
	if err := checkPattern(n, colptr, rowidx); err != nil {
		return nil, err
	}
	match, rank := Transversal(n, colptr, rowidx)
	if rank < n {
		return nil, unmatched(n, match, rank)
	}
	f := &Factors[T]{
		n: n, abs: abs,
		colptr: append([]int32(nil), colptr[:n+1]...),
		rowidx: append([]int32(nil), rowidx[:colptr[n]]...),
		rowAt:  make([]int32, n),
	}
	f.colAt, f.block = Blocks(n, colptr, rowidx, match)

	rowOf := make([]int32, n) // column -> the row matched to it
	for i, j := range match {
		rowOf[j] = int32(i)
	}
	f.orderBlocks(match)
	place := make([]int32, n) // row -> permuted row
	for k, j := range f.colAt {
		f.rowAt[k] = rowOf[j]
		place[rowOf[j]] = int32(k)
	}
	f.sortEntries(place)

	f.pivot = make([]T, n)
	f.pivoted = make([]int32, n)
	f.pivotRow = make([]int32, n)
	f.weight = make([]float64, n)
	f.x = make([]T, n)
	f.work = make([]T, n)
	f.outerVal = make([]T, len(f.outer.src))
	return f, nil
}

func checkPattern(n int, colptr, rowidx []int32) error {
	switch {
	case n < 0 || n >= math.MaxInt32:
		return fmt.Errorf("sparse: order %d out of range", n)
	case len(colptr) != n+1 || colptr[0] != 0:
		return fmt.Errorf("sparse: want %d column pointers from 0, got %d", n+1, len(colptr))
	case int(colptr[n]) > len(rowidx):
		return errors.New("sparse: the last column pointer is beyond the row indices")
	}
	seen := filled(n, -1)
	for j := range n {
		if colptr[j+1] < colptr[j] {
			return fmt.Errorf("sparse: column pointers decrease at column %d", j)
		}
		for _, i := range rowidx[colptr[j]:colptr[j+1]] {
			if i < 0 || int(i) >= n {
				return fmt.Errorf("sparse: row %d in column %d is out of range", i, j)
			}
			if seen[i] == int32(j) {
				return fmt.Errorf("sparse: entry (%d, %d) is there twice", i, j)
			}
			seen[i] = int32(j)
		}
	}
	return nil
}

// unmatched names the first row and column that the transversal left over.
func unmatched(n int, match []int32, rank int) error {
	e := &SingularError{Structural: true, Row: -1, Col: -1, Rank: rank}
	matched := make([]bool, n)
	for i, j := range match {
		if j >= 0 {
			matched[j] = true
		} else if e.Row < 0 {
			e.Row = i
		}
	}
	for j, ok := range matched {
		if !ok {
			e.Col = j
			break
		}
	}
	return e
}

// orderBlocks permutes the columns within each diagonal block by minimum
// degree on the pattern of B + B', with rows numbered by the transversal.
func (f *Factors[T]) orderBlocks(match []int32) {
	local := make([]int32, f.n) // column -> number within its block
	inBlock := filled(f.n, -1)  // column -> block
	for b := range f.Blocks() {
		for k, j := range f.colAt[f.block[b]:f.block[b+1]] {
			local[j], inBlock[j] = int32(k), int32(b)
		}
	}
	for b := range f.Blocks() {
		cols := f.colAt[f.block[b]:f.block[b+1]]
		if len(cols) == 1 {
			continue
		}
		// edge lists of B + B' without diagonal; an edge may still be there twice
		m := len(cols)
		each := func(visit func(i, k int32)) {
			for k, j := range cols {
				for _, r := range f.rowidx[f.colptr[j]:f.colptr[j+1]] {
					if c := match[r]; inBlock[c] == int32(b) && c != j {
						visit(local[c], int32(k))
					}
				}
			}
		}
		start := make([]int32, m+1)
		each(func(i, k int32) { start[i+1]++; start[k+1]++ })
		for k := range m {
			start[k+1] += start[k]
		}
		adj := make([]int32, start[m])
		fill := append([]int32(nil), start[:m]...)
		each(func(i, k int32) {
			adj[fill[i]], adj[fill[k]] = k, i
			fill[i]++
			fill[k]++
		})
		adj = dedupe(start, adj)
		order, l := amd(start, adj)
		f.fill += l
		sorted := make([]int32, m)
		for k, o := range order {
			sorted[k] = cols[o]
		}
		copy(cols, sorted)
	}
}

// dedupe removes repeated neighbours and compacts the lists.
func dedupe(start, adj []int32) []int32 {
	m := len(start) - 1
	seen := filled(m, -1)
	kept := int32(0)
	lo := start[0]
	for k := range m {
		hi := start[k+1]
		for _, i := range adj[lo:hi] {
			if seen[i] != int32(k) {
				seen[i] = int32(k)
				adj[kept] = i
				kept++
			}
		}
		lo = hi
		start[k+1] = kept
	}
	return adj[:kept]
}

// sortEntries groups the caller's entries by permuted column into those of the
// diagonal block and those above it.
func (f *Factors[T]) sortEntries(place []int32) {
	f.inner.ptr = make([]int32, f.n+1)
	f.outer.ptr = make([]int32, f.n+1)
	for b := range f.Blocks() {
		first := f.block[b]
		for k := first; k < f.block[b+1]; k++ {
			j := f.colAt[k]
			for p := f.colptr[j]; p < f.colptr[j+1]; p++ {
				e := &f.inner
				row := place[f.rowidx[p]]
				if row < first {
					e = &f.outer
				}
				e.src = append(e.src, p)
				e.row = append(e.row, row)
			}
			f.inner.ptr[k+1] = int32(len(f.inner.src))
			f.outer.ptr[k+1] = int32(len(f.outer.src))
		}
	}
	f.inner.at = make([]int32, len(f.inner.row))
	f.outer.at = make([]int32, len(f.outer.row))
}
