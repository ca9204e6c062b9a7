package reference

// A sweep is one pass over a weight matrix W (n x m, row-major) that does all a
// clock step asks of it, in the order of the synchronous semantics:
//
//	c_t += W^T e_t                               feedback of the step before
//	W <- keep W + rate sum_t e_t old_t^T         its update
//	a_t += W r_t                                 drive of this step
//
// for every trial t. Vectors of several trials lie one after another. Feedback
// uses the weights as they were before the update of its own step. So the update
// of step k-1 can wait for the pass of step k, which is the first to use the new
// weights, and a weight is read once and written once per step.
type sweep struct {
	w    []float64
	n, m int

	e, c       []float64 // trials x n, trials x m; c is nil where nothing goes back
	old        []float64 // rates that the update pairs with e, trials x m
	keep, rate float64
	clip       float64   // bound on |W|; 0 for none
	r, a       []float64 // trials x m, trials x n
}

// A chore is a part of the work of a sweep.
type chore int

const (
	backward chore = 1 << iota
	update
	forward
)

// run does the given parts.
func (s *sweep) run(trials int, todo chore) {
	if s.c == nil {
		todo &^= backward
	}
	for i := range s.n {
		row := s.w[i*s.m : (i+1)*s.m]
		if todo&backward != 0 {
			for t := range trials {
				axpy(s.e[t*s.n+i], row, s.c[t*s.m:(t+1)*s.m])
			}
		}
		if todo&update != 0 {
			s.updateRow(row, i, trials)
		}
		if todo&forward != 0 {
			for t := range trials {
				s.a[t*s.n+i] += dot(row, s.r[t*s.m:(t+1)*s.m])
			}
		}
	}
}

func (s *sweep) updateRow(row []float64, i, trials int) {
	if s.keep != 1 {
		scale(s.keep, row)
	}
	for t := range trials {
		axpy(s.rate*s.e[t*s.n+i], s.old[t*s.m:(t+1)*s.m], row)
	}
	if s.clip > 0 {
		for j, w := range row {
			row[j] = min(max(w, -s.clip), s.clip)
		}
	}
}

// dot returns the inner product of two vectors of one length, summed in four
// interleaved parts.
func dot(x, y []float64) float64 {
	y = y[:len(x)]
	var s0, s1, s2, s3 float64
	j := 0
	for ; j+4 <= len(x); j += 4 {
		s0 += float64(x[j] * y[j])
		s1 += float64(x[j+1] * y[j+1])
		s2 += float64(x[j+2] * y[j+2])
		s3 += float64(x[j+3] * y[j+3])
	}
	for ; j < len(x); j++ {
		s0 += float64(x[j] * y[j])
	}
	return (s0 + s2) + (s1 + s3)
}

// axpy adds k x to y, which have one length.
func axpy(k float64, x, y []float64) {
	y = y[:len(x)]
	for j, v := range x {
		y[j] += float64(k * v)
	}
}

// scale multiplies y by k.
func scale(k float64, y []float64) {
	for j := range y {
		y[j] *= k
	}
}
