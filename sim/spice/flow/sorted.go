package flow

import "vlec/sim/spice/sparse"

// sorted is a system whose algebraic unknowns are in order of evaluation.
type sorted struct {
	*equations
	storage []storageBlock
	isState []bool // by unknown

	order  []int32 // algebraic unknowns, block after block
	bounds []int32 // of the blocks in order
	rowOf  []int32 // algebraic unknown -> the equation that determines it
	loop   []bool  // by block: its unknowns depend on each other, or nonlinearly on themselves
}

// sortEquations matches algebraic equations to unknowns and sorts them.
func sortEquations(s *System) (*sorted, error) {
	storage, err := chooseStates(s)
	if err != nil {
		return nil, err
	}
	o := &sorted{equations: gather(s), storage: storage, isState: make([]bool, s.Unknowns)}
	differential := make([]bool, s.Unknowns) // by row
	for _, b := range storage {
		for k := range b.rows {
			differential[b.rows[k]], o.isState[b.cols[k]] = true, true
		}
	}

	// Number the algebraic rows and columns. A node's equation and its voltage
	// keep equal numbers wherever storage takes both or neither, which puts
	// conductances on the diagonal, where Transversal looks first.
	var rows, cols []int32
	number := make([]int32, s.Unknowns) // unknown -> column
	for i := range int32(s.Unknowns) {
		if !differential[i] {
			rows = append(rows, i)
		}
		number[i] = -1
		if !o.isState[i] {
			number[i] = int32(len(cols))
			cols = append(cols, i)
		}
	}
	linear, full := o.incidence(rows, number)
	n := len(cols)
	match, rank := sparse.Transversal(n, linear.colptr, linear.rowidx)
	if rank < n { // some unknown is determined by a nonlinear equation alone
		if match, rank = sparse.Transversal(n, full.colptr, full.rowidx); rank < n {
			return nil, o.underdetermined(match, cols)
		}
	}
	order, bounds := sparse.Blocks(n, full.colptr, full.rowidx, match)

	// Blocks depend on later ones: turn the order around.
	o.rowOf = make([]int32, s.Unknowns)
	for i, j := range match {
		o.rowOf[cols[j]] = rows[i]
	}
	o.bounds = append(o.bounds, 0)
	for b := len(bounds) - 2; b >= 0; b-- {
		for _, j := range order[bounds[b]:bounds[b+1]] {
			o.order = append(o.order, cols[j])
		}
		o.bounds = append(o.bounds, int32(len(o.order)))
		o.loop = append(o.loop, bounds[b+1]-bounds[b] > 1 || !o.isPivot(cols[order[bounds[b]]]))
	}
	return o, nil
}

// blocks is the number of algebraic blocks, block the unknowns of one.
func (o *sorted) blocks() int { return len(o.loop) }

func (o *sorted) block(b int) []int32 { return o.order[o.bounds[b]:o.bounds[b+1]] }

type pattern struct{ colptr, rowidx []int32 }

// incidence returns the pattern of the algebraic equations by columns: entries
// that are a constant coefficient and nothing else, and all.
func (o *sorted) incidence(rows, number []int32) (linear, full pattern) {
	n := len(rows)
	type pair struct{ row, col int32 }
	var lin, all []pair
	seen := make([]int32, n) // by column: the last row that had it, plus one
	nonlinear := make([]int32, n)
	for i, row := range rows {
		stamp := int32(i) + 1
		o.nonlinear(row, func(v int32) {
			if j := number[v]; j >= 0 && nonlinear[j] != stamp {
				nonlinear[j] = stamp
				seen[j] = stamp
				all = append(all, pair{int32(i), j})
			}
		})
		vals, _ := o.linear(row)
		for _, v := range vals {
			if int(v) >= o.sys.Unknowns {
				continue
			}
			if j := number[v]; j >= 0 && seen[j] != stamp {
				seen[j] = stamp
				lin, all = append(lin, pair{int32(i), j}), append(all, pair{int32(i), j})
			}
		}
	}
	columns := func(list []pair) pattern {
		p := pattern{make([]int32, n+1), make([]int32, len(list))}
		for _, e := range list {
			p.colptr[e.col+1]++
		}
		for j := range n {
			p.colptr[j+1] += p.colptr[j]
		}
		at := append([]int32(nil), p.colptr...)
		for _, e := range list {
			p.rowidx[at[e.col]] = e.row
			at[e.col]++
		}
		return p
	}
	return columns(lin), columns(all)
}

// nonlinear calls f with the unknowns that the terms and products of a row
// use, perhaps more than once.
func (o *sorted) nonlinear(row int32, f func(unknown int32)) {
	vals, _ := o.linear(row)
	for _, v := range vals {
		if k := int(v) - o.sys.Unknowns; k >= 0 && k < len(o.sys.Terms) {
			for _, a := range o.sys.args(&o.sys.Terms[k]) {
				if a >= 0 {
					f(a)
				}
			}
		}
	}
	a, b, _ := o.products(row)
	for k := range a {
		f(a[k])
		f(b[k])
	}
}

// isPivot reports whether the equation of unknown v can be solved for it by
// dividing by a constant.
func (o *sorted) isPivot(v int32) bool {
	ok := false
	vals, _ := o.linear(o.rowOf[v])
	for _, u := range vals {
		ok = ok || u == v
	}
	o.nonlinear(o.rowOf[v], func(u int32) { ok = ok && u != v })
	return ok
}

func (o *sorted) underdetermined(match, cols []int32) error {
	done := make([]bool, len(cols))
	for _, j := range match {
		if j >= 0 {
			done[j] = true
		}
	}
	for j, ok := range done {
		if !ok {
			return notExplicit(int(cols[j]), "no equation is left for %s: a capacitor and a source hold the same voltage, or an inductor and a source the same current", o.sys.name(int(cols[j])))
		}
	}
	return notExplicit(-1, "the algebraic equations are singular")
}
