package sparse

// Blocks finds the strongly connected components of the directed graph that
// has an edge from column j to column match[i] for every entry (i, j), by
// Tarjan's algorithm (SIAM J. Comput. 1, 1972). A component is complete only
// after all that it points to, so components in order of completion make a
// block upper triangular matrix: an equation depends on unknowns of its own and
// of later blocks. It returns the columns in that order and the bounds of the
// blocks; match must be complete.
func Blocks(n int, colptr, rowidx, match []int32) (order, bounds []int32) {
	order = make([]int32, 0, n)
	bounds = append(make([]int32, 0, 16), 0)
	var (
		number = make([]int32, n) // order of discovery from 1; 0 is undiscovered
		low    = make([]int32, n) // smallest number known to be reachable
		next   = make([]int32, n)
		open   = make([]int32, 0) // discovered columns without a component yet
		path   = make([]int32, 0)
		count  int32
	)
	const done = 1<<31 - 1 // low of a column that has its component
	for root := range n {
		if number[root] != 0 {
			continue
		}
		path = append(path[:0], int32(root))
		for len(path) > 0 {
			j := path[len(path)-1]
			if number[j] == 0 {
				count++
				number[j], low[j] = count, count
				next[j] = colptr[j]
				open = append(open, j)
			}
			descended := false
			for next[j] < colptr[j+1] {
				c := match[rowidx[next[j]]]
				next[j]++
				if number[c] == 0 {
					path = append(path, c)
					descended = true
					break
				}
				low[j] = min(low[j], low[c])
			}
			if descended {
				continue
			}
			path = path[:len(path)-1]
			if low[j] == number[j] { // the first discovered of its component
				for {
					c := open[len(open)-1]
					open = open[:len(open)-1]
					low[c] = done
					order = append(order, c)
					if c == j {
						break
					}
				}
				bounds = append(bounds, int32(len(order)))
			}
			if len(path) > 0 {
				parent := path[len(path)-1]
				low[parent] = min(low[parent], low[j])
			}
		}
	}
	return order, bounds
}
