package flow

import (
	"slices"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/gonum"

	"vlec/sim/spice/team"
)

var kernel gonum.Implementation

// A vector is a list of values in the pool.
type vector struct {
	slots  []int32
	inLine bool // one behind the other
	buffer []float64
}

func newVector(slots []int32) vector {
	v := vector{slots: slots, inLine: true}
	for k, s := range slots {
		v.inLine = v.inLine && s == slots[0]+int32(k)
	}
	if !v.inLine {
		v.buffer = make([]float64, len(slots))
	}
	return v
}

// of returns the values; they hold until the next call.
func (v *vector) of(pool []float64) []float64 {
	if v.inLine {
		return pool[v.slots[0] : int(v.slots[0])+len(v.slots)]
	}
	for k, s := range v.slots {
		v.buffer[k] = pool[s]
	}
	return v.buffer
}

// panel is the number of matrix entries that one piece of a product covers.
const panel = 1 << 14

// A dense is a block of coefficients that nearly all rows first … of a level
// share the columns of: the synapses between two populations.
type dense struct {
	first, rows, cols int
	a                 []float64 // by rows
	in                vector

	// Of the product under way:
	x, y []float64
	high int // rows a piece
}

// add adds the product with the input to y.
func (d *dense) add(pool, y []float64, t *team.Team) {
	d.x, d.y = d.in.of(pool), y[d.first:d.first+d.rows]
	t.Do(d, (d.rows+d.high-1)/d.high, len(d.a))
}

func (d *dense) Piece(k int) {
	lo := k * d.high
	hi := min(d.rows, lo+d.high)
	kernel.Dgemv(blas.NoTrans, hi-lo, d.cols, 1, d.a[lo*d.cols:hi*d.cols], d.cols, d.x, 1, 1, d.y[lo:hi], 1)
}

// high is how many rows, or columns, of the given length make a panel. A multiple
// of four keeps the kernel in step.
func high(length int) int { return max(4, panel/max(1, length)&^3) }

// What makes a dense block worth while.
const (
	denseRows = 4
	denseCols = 8
)

// takeDense moves coefficients that rows behind one another share the columns of
// from r to dense blocks. Columns that at least half of the rows have belong to
// the block; a coefficient that is missing there is zero.
func (r *rows) takeDense() {
	var count []int32 // by slot: rows of the group that use it; afterwards the column, plus one
	for lo := 0; lo < len(r.dst); {
		hi := lo + 1
		for hi < len(r.dst) && r.alike(lo, hi) {
			hi++
		}
		if n := int(r.linPtr[lo+1] - r.linPtr[lo]); hi-lo < denseRows || n < denseCols {
			lo = hi
			continue
		}
		if count == nil {
			count = make([]int32, slices.Max(r.lin)+1)
		}
		group := r.lin[r.linPtr[lo]:r.linPtr[hi]]
		var all, cols []int32
		for _, s := range group {
			if count[s] == 0 {
				all = append(all, s)
			}
			count[s]++
		}
		total := 0
		for _, s := range all {
			if 2*int(count[s]) >= hi-lo {
				cols = append(cols, s)
				total += int(count[s])
			}
			count[s] = 0
		}
		if len(cols) >= denseCols && 2*total >= len(cols)*(hi-lo) {
			slices.Sort(cols)
			for k, s := range cols {
				count[s] = int32(k) + 1
			}
			r.split(lo, hi, cols, count)
			for _, s := range cols {
				count[s] = 0
			}
		}
		lo = hi
	}
	r.compact()
}

// alike tells whether two rows may belong to one block: their numbers of
// coefficients are similar, and at least half of the second's, looked at in a
// few places, occur in the first.
func (r *rows) alike(i, j int) bool {
	a, b := r.lin[r.linPtr[i]:r.linPtr[i+1]], r.lin[r.linPtr[j]:r.linPtr[j+1]]
	if len(a) < denseCols || 2*len(a) < len(b) || 2*len(b) < len(a) {
		return false
	}
	const looks = 8
	common := 0
	for k := range looks {
		s := b[k*(len(b)-1)/(looks-1)]
		// Rows of one population are written in the same order: look nearby first.
		at := k * (len(a) - 1) / (looks - 1)
		if a[at] == s || slices.Contains(a[max(0, at-2):min(len(a), at+3)], s) || slices.Contains(a, s) {
			common++
		}
	}
	return 2*common >= looks
}

// split takes the columns, which place numbers from 1, out of the rows lo to hi.
// What is taken stays behind with slot -1 until compact.
func (r *rows) split(lo, hi int, cols, place []int32) {
	d := &dense{first: lo, rows: hi - lo, cols: len(cols), a: make([]float64, (hi-lo)*len(cols)), in: newVector(cols), high: high(len(cols))}
	for i := lo; i < hi; i++ {
		row := d.a[(i-lo)*len(cols):][:len(cols)]
		for k := r.linPtr[i]; k < r.linPtr[i+1]; k++ {
			if at := place[r.lin[k]]; at > 0 {
				row[at-1] += r.linCoef[k]
				r.lin[k] = -1
			}
		}
	}
	r.dense = append(r.dense, d)
}

// compact drops what split has taken.
func (r *rows) compact() {
	if len(r.dense) == 0 {
		return
	}
	n := 0
	for _, s := range r.lin {
		if s >= 0 {
			n++
		}
	}
	lin, coef := make([]int32, 0, n), make([]float64, 0, n)
	lo := int32(0)
	for i := range r.dst {
		hi := r.linPtr[i+1]
		for k := lo; k < hi; k++ {
			if r.lin[k] >= 0 {
				lin, coef = append(lin, r.lin[k]), append(coef, r.linCoef[k])
			}
		}
		lo = hi
		r.linPtr[i+1] = int32(len(lin))
	}
	r.lin, r.linCoef = lin, coef
}
