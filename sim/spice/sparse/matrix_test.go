package sparse

import (
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// A matrix is a test matrix by compressed columns.
type matrix struct {
	n              int
	colptr, rowidx []int32
	values         []float64
}

// A builder sums entries, as the stamps of a circuit do.
type builder struct {
	n   int
	sum map[[2]int]float64 // column, row
}

func newBuilder(n int) *builder { return &builder{n, map[[2]int]float64{}} }

func (b *builder) add(i, j int, v float64) { b.sum[[2]int{j, i}] += v }

// conductance stamps g between nodes a and c; -1 is ground.
func (b *builder) conductance(a, c int, g float64) {
	if a >= 0 {
		b.add(a, a, g)
	}
	if c >= 0 {
		b.add(c, c, g)
	}
	if a >= 0 && c >= 0 {
		b.add(a, c, -g)
		b.add(c, a, -g)
	}
}

func (b *builder) matrix() *matrix {
	keys := make([][2]int, 0, len(b.sum))
	for k := range b.sum {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(x, y [2]int) int { return slices.Compare(x[:], y[:]) })
	m := &matrix{n: b.n, colptr: make([]int32, b.n+1)}
	for _, k := range keys {
		m.colptr[k[0]+1]++
		m.rowidx = append(m.rowidx, int32(k[1]))
		m.values = append(m.values, b.sum[k])
	}
	for j := range b.n {
		m.colptr[j+1] += m.colptr[j]
	}
	return m
}

func (m *matrix) dense() *mat.Dense {
	d := mat.NewDense(m.n, m.n, nil)
	for j := range m.n {
		for p := m.colptr[j]; p < m.colptr[j+1]; p++ {
			d.Set(int(m.rowidx[p]), j, m.values[p])
		}
	}
	return d
}

func (m *matrix) vary(r *rand.Rand) []float64 {
	v := slices.Clone(m.values)
	for i := range v {
		v[i] *= 0.8 + 0.4*r.Float64()
	}
	return v
}

func random(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 7)) }

// grid is a square of side m nodes joined by conductances, each with a
// capacitor's companion conductance to ground.
func grid(m int, r *rand.Rand) *matrix {
	b := newBuilder(m * m)
	for y := range m {
		for x := range m {
			k := y*m + x
			b.conductance(k, -1, 1e-3*(1+r.Float64()))
			if x+1 < m {
				b.conductance(k, k+1, 1+r.Float64())
			}
			if y+1 < m {
				b.conductance(k, k+m, 1+r.Float64())
			}
		}
	}
	return b.matrix()
}

// circuit is a random modified nodal matrix: local conductances over many
// decades, controlled sources, voltage sources with zero diagonals, a rail.
func circuit(n int, r *rand.Rand) *matrix {
	nodes := n - n/10
	b := newBuilder(n)
	near := func(k int) int { return min(nodes-1, max(0, k+r.IntN(21)-10)) }
	for k := range nodes {
		b.conductance(k, -1, math.Pow(10, -6*r.Float64()))
		for range 2 {
			if o := near(k); o != k {
				b.conductance(k, o, math.Pow(10, 3-6*r.Float64()))
			}
		}
		if r.IntN(4) == 0 { // a transconductance
			b.add(k, near(k), 1e-2*r.NormFloat64())
		}
		if k > 0 && r.IntN(3) == 0 {
			b.conductance(k, 0, 1e-3)
		}
	}
	// Sources from distinct nodes to ground or to a lower node make no loops.
	for s, k := range r.Perm(nodes - 1)[:n-nodes] {
		branch, node := nodes+s, k+1
		b.add(branch, node, 1)
		b.add(node, branch, 1)
		if r.IntN(2) == 0 {
			other := r.IntN(node)
			b.add(branch, other, -1)
			b.add(other, branch, -1)
		}
	}
	return b.matrix()
}

// reducible hides a block triangular matrix behind random permutations.
func reducible(n int, r *rand.Rand) *matrix {
	rows, cols := r.Perm(n), r.Perm(n)
	b := newBuilder(n)
	for lo := 0; lo < n; {
		hi := min(n, lo+1+r.IntN(6))
		for k := lo; k < hi; k++ {
			b.add(rows[k], cols[k], 2+r.Float64())
			for j := lo; j < hi; j++ {
				if r.IntN(2) == 0 {
					b.add(rows[k], cols[j], r.NormFloat64())
				}
			}
			for range 2 {
				if hi < n {
					b.add(rows[k], cols[hi+r.IntN(n-hi)], r.NormFloat64())
				}
			}
		}
		lo = hi
	}
	return b.matrix()
}

// scattered has random entries around a hidden diagonal of any size.
func scattered(n int, density float64, r *rand.Rand) *matrix {
	b := newBuilder(n)
	hidden := r.Perm(n)
	for k := range n {
		b.add(hidden[k], k, r.NormFloat64())
	}
	for range int(density * float64(n)) {
		b.add(r.IntN(n), r.IntN(n), r.NormFloat64())
	}
	return b.matrix()
}

// rescaled multiplies rows and columns by powers of ten within ±decades.
func rescaled(m *matrix, decades float64, r *rand.Rand) *matrix {
	scale := func() []float64 {
		s := make([]float64, m.n)
		for i := range s {
			s[i] = math.Pow(10, decades*(2*r.Float64()-1))
		}
		return s
	}
	rows, cols := scale(), scale()
	c := &matrix{m.n, m.colptr, m.rowidx, slices.Clone(m.values)}
	for j := range m.n {
		for p := m.colptr[j]; p < m.colptr[j+1]; p++ {
			c.values[p] *= rows[m.rowidx[p]] * cols[j]
		}
	}
	return c
}

// local is a large modified nodal matrix: a chain of cells that couple to
// neighbours and now and then far away, with amplifiers and sources.
func local(n int, r *rand.Rand) *matrix {
	b := newBuilder(n)
	for k := 0; k+5 < n; k += 5 {
		b.conductance(k, -1, 1e-6)
		b.conductance(k, k+1, 1e-3*(1+r.Float64()))
		b.conductance(k+1, k+2, 1e-4)
		b.conductance(k+2, -1, 1e-5)
		b.add(k+3, k+1, 1e-3) // a transconductance into k+3
		b.conductance(k+3, -1, 1e-4)
		b.conductance(k+3, k+5, 1e-3)
		b.add(k+4, k+2, 1) // a source on k+2 with its branch k+4
		b.add(k+2, k+4, 1)
		b.add(k+4, k+1, -0.5)
		if r.IntN(20) == 0 {
			b.conductance(k, r.IntN(n/5)*5, 1e-5)
		}
	}
	for k := range n {
		if k >= n-5-n%5 {
			b.conductance(k, -1, 1)
		}
	}
	return b.matrix()
}

// denseBlocks is a chain of dense layers.
func denseBlocks(count, size int, r *rand.Rand) *matrix {
	b := newBuilder(count * size)
	for c := range count {
		for i := range size {
			b.add(c*size+i, c*size+i, float64(size))
			for j := range size {
				b.add(c*size+i, c*size+j, r.NormFloat64())
			}
			if c > 0 {
				b.add(c*size-1-i, c*size+i, 1)
			}
		}
	}
	return b.matrix()
}
