package sparse

// Transversal matches rows to columns such that as many columns as possible
// have an entry in their row, and returns the column of each row, or -1, and
// how many are matched (Duff, "On algorithms for obtaining a maximum
// transversal", ACM TOMS 7, 1981).
//
// The diagonal is taken where it is there: in a circuit it holds the sum of a
// node's conductances, the best pivot of its row. The rest is found by
// depth-first search for augmenting paths with look-ahead: before the search
// goes deeper from a column it looks for a row that is still free. A voltage
// source (zero diagonal) then swaps rows with its own node instead of
// displacing pivots along a long path, which would cost fill and accuracy.
func Transversal(n int, colptr, rowidx []int32) (match []int32, rank int) {
	match = filled(n, -1)
	columnDone := make([]bool, n)
	for j := range n {
		for _, i := range rowidx[colptr[j]:colptr[j+1]] {
			if int(i) == j {
				match[i], columnDone[j] = i, true
				rank++
			}
		}
	}

	free := make([]int32, n) // next entry at which a column looks for a free row; never goes back
	next := make([]int32, n) // next entry at which the search through a column goes on
	seen := filled(n, -1)    // by column: the root of the search that visited it
	path := make([]int32, 0) // columns of the path
	via := make([]int32, 0)  // the row by which the path leaves each column
	copy(free, colptr[:n])

	for root := range n {
		if columnDone[root] {
			continue
		}
		path, via = append(path[:0], int32(root)), append(via[:0], -1)
		seen[root] = int32(root)
		next[root] = colptr[root]
		found := false
	search:
		for len(path) > 0 {
			top := len(path) - 1
			j := path[top]
			end := colptr[j+1]
			for free[j] < end {
				i := rowidx[free[j]]
				free[j]++
				if match[i] < 0 {
					via[top] = i
					found = true
					break search
				}
			}
			for next[j] < end {
				i := rowidx[next[j]]
				next[j]++
				if c := match[i]; seen[c] != int32(root) {
					seen[c] = int32(root)
					next[c] = colptr[c]
					via[top] = i
					path, via = append(path, c), append(via, -1)
					continue search
				}
			}
			path, via = path[:top], via[:top]
		}
		if found {
			for k, j := range path {
				match[via[k]] = j
			}
			rank++
		}
	}
	return match, rank
}

func filled(n int, v int32) []int32 {
	s := make([]int32, n)
	for i := range s {
		s[i] = v
	}
	return s
}
