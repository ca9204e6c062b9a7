package reference

// A sweep is one pass over a weight matrix W (n x m, row-major) that does all a
// clock step asks of it, in the order of the synchronous semantics:
//
//	c_t += W^T e_t                               feedback of the step before
//	W <- keep W + rate sum_t e_t old_t^T         its update, or an optimiser's
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

	parts [][]float64 // of a large pass: the feedback of each part, trials x m
	spare [][]float64 // by part: m zeros, where nothing goes back

	// Where an optimiser takes the place of the plain update (nil: it does not):
	// its memory of W, and for each part of the pass room for a row of gradients.
	rule    *optimizer
	moments moments
	row     [][]float64
}

// A chore is a part of the work of a sweep.
type chore int

const (
	backward chore = 1 << iota
	update
	forward
)

// split divides a large pass into parts; call it before the first pass.
func (s *sweep) split(trials int) {
	if s.n*s.m*trials < sweepSplit || s.n < sweepParts {
		s.spare = [][]float64{make([]float64, s.m)}
		return
	}
	s.parts, s.spare = make([][]float64, sweepParts), make([][]float64, sweepParts)
	for k := range s.parts {
		s.parts[k], s.spare[k] = make([]float64, len(s.c)), make([]float64, s.m)
	}
}

// runPart does the rows of one part.
func (s *sweep) runPart(trials int, todo chore, part int) {
	if todo&backward != 0 {
		clear(s.parts[part])
	}
	s.run(trials, todo, s.parts[part], part, part*s.n/sweepParts, (part+1)*s.n/sweepParts)
}

// run does the given chores for rows first to last-1, which are those of a part,
// adding feedback to c.
func (s *sweep) run(trials int, todo chore, c []float64, part, first, last int) {
	if s.c == nil {
		todo &^= backward
	}
	i := first
	if wide && todo&^backward == update|forward && trials == 1 && s.keep == 1 && s.clip == 0 && s.rule == nil && s.m >= shortest {
		goesBack := todo&backward != 0
		if !goesBack {
			c = s.spare[part]
		}
		for ; i+4 <= last; i += 4 {
			s.fuse(i, c, goesBack)
		}
	}
	for ; i < last; i++ {
		row := s.w[i*s.m : (i+1)*s.m]
		if todo&backward != 0 {
			for t := range trials {
				axpy(s.e[t*s.n+i], row, c[t*s.m:(t+1)*s.m])
			}
		}
		if todo&update != 0 {
			s.updateRow(row, i, trials, part)
		}
		if todo&forward != 0 {
			for t := range trials {
				s.a[t*s.n+i] += dot(row, s.r[t*s.m:(t+1)*s.m])
			}
		}
	}
}

// fuse does all three parts for the four rows from i on, of a single trial, in
// one loop over the columns. Where nothing goes back it adds zeros to c.
func (s *sweep) fuse(i int, c []float64, goesBack bool) {
	m := s.m
	var k [4]float64
	e := [4]float64(s.e[i : i+4])
	for q := range k {
		k[q] = s.rate * e[q]
	}
	if !goesBack {
		e = [4]float64{}
	}
	var sums [16]float64
	w, old, r, c := s.w[i*m:(i+4)*m], s.old[:m], s.r[:m], c[:m]
	fuseAVX(&w[0], 8*m, m/4, &e, &k, &old[0], &r[0], &c[0], &sums)
	a := s.a[i : i+4]
	if m%4 != 0 {
		for q := range 4 {
			for j := m &^ 3; j < m; j++ {
				v := w[q*m+j]
				c[j] += float64(e[q] * v)
				v += float64(k[q] * old[j])
				w[q*m+j] = v
				sums[4*q] += float64(v * r[j])
			}
		}
	}
	a[0] += (sums[0] + sums[2]) + (sums[1] + sums[3])
	a[1] += (sums[4] + sums[6]) + (sums[5] + sums[7])
	a[2] += (sums[8] + sums[10]) + (sums[9] + sums[11])
	a[3] += (sums[12] + sums[14]) + (sums[13] + sums[15])
}

func (s *sweep) updateRow(row []float64, i, trials, part int) {
	if s.keep != 1 {
		scale(s.keep, row)
	}
	if s.rule == nil {
		for t := range trials {
			axpy(s.rate*s.e[t*s.n+i], s.old[t*s.m:(t+1)*s.m], row)
		}
	} else {
		s.optimizeRow(row, i, trials, s.row[part])
	}
	if s.clip > 0 {
		for j, w := range row {
			row[j] = min(max(w, -s.clip), s.clip)
		}
	}
}

// optimizeRow lets the optimiser move a row of W; g is room for its gradient.
func (s *sweep) optimizeRow(row []float64, i, trials int, g []float64) {
	clear(g)
	for t := range trials {
		axpy(s.e[t*s.n+i], s.old[t*s.m:(t+1)*s.m], g)
	}
	if trials > 1 {
		scale(1/float64(trials), g)
	}
	s.rule.move(row, g, s.moments.at(i*s.m, (i+1)*s.m), s.rate)
}

// optimize gives the update to an optimiser; call it after split.
func (s *sweep) optimize(rule *optimizer) {
	if rule == nil {
		return
	}
	s.rule, s.moments = rule, rule.memory(len(s.w))
	s.row = make([][]float64, max(1, len(s.parts)))
	for k := range s.row {
		s.row[k] = make([]float64, s.m)
	}
}

// shortest is the length from which vectors are worth the call of vector code.
const shortest = 16

// dot returns the inner product of two vectors of one length, summed in four
// interleaved parts.
func dot(x, y []float64) float64 {
	y = y[:len(x)]
	var s [4]float64
	j := 0
	if wide && len(x) >= shortest {
		dotAVX(&x[0], &y[0], len(x)/4, &s)
		j = len(x) &^ 3
	}
	s0, s1, s2, s3 := s[0], s[1], s[2], s[3]
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
	j := 0
	if wide && len(x) >= shortest {
		axpyAVX(k, &x[0], &y[0], len(x)/4)
		j = len(x) &^ 3
	}
	for ; j < len(x); j++ {
		y[j] += float64(k * x[j])
	}
}

// scale multiplies y by k.
func scale(k float64, y []float64) {
	for j := range y {
		y[j] *= k
	}
}
