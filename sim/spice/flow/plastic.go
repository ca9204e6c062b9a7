package flow

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/blas"

	"vlec/sim/spice/team"
)

// A plastic is a matrix W of states that move by what their row times their
// column is at, and perhaps decay: a layer of synapses that learn,
//
//	W' = coef l rᵀ - decay W.
//
// Nothing else may depend on its elements but products of whole rows or columns
// with vectors. Then no stage of a step ever needs the matrix of that stage: from
// stages with factors l_j, r_j a Runge-Kutta method makes
//
//	W_i = share_i W + sum over j of weight_ij l_j r_jᵀ,
//
// whose products are those of the matrix at the beginning of the step plus a few
// scalar products. The matrix is read once a stage and written once a step, where
// a state each would be read and written by every stage for every stage before.
type plastic struct {
	rows, cols  int
	first       int // number of its first state
	coef, decay float64
	left, right vector

	value   [2][]int32 // left and right factors before they have slots
	weights []int32    // unknowns by rows; empty once the factors have slots

	// What the matrix is at the moment, share base + sum of weight left rightᵀ:
	base  []float64
	share float64
	terms []outer
}

type outer struct {
	weight      float64
	left, right []float64
}

// elements sets out to the elements from number k on, by rows.
func (m *plastic) elements(k int, out []float64) {
	for len(out) > 0 {
		i, j := k/m.cols, k%m.cols
		n := min(len(out), m.cols-j)
		part := out[:n]
		for c, w := range m.base[k : k+n] {
			part[c] = m.share * w
		}
		for _, o := range m.terms {
			kernel.Daxpy(n, o.weight*o.left[i], o.right[j:], 1, part, 1)
		}
		out, k = out[n:], k+n
	}
}

// A use is a sum over a row of a plastic, or a column when transposed, times a
// vector.
type use struct {
	of         *plastic
	transposed bool
	index      int     // of the row or column
	partners   []int32 // values; equal lists may be one
	coef       float64
}

// A gemv is the product of rows or columns behind one another with a vector, added
// to rows first … of a level.
type gemv struct {
	of           *plastic
	transposed   bool
	first, count int // rows of the result
	from         int // row or column of the matrix
	scale        float64
	in           vector
	high         int

	x, y []float64
}

func (g *gemv) add(pool, y []float64, t *team.Team) {
	m := g.of
	g.x, g.y = g.in.of(pool), y[g.first:g.first+g.count]
	t.Do(g, (g.count+g.high-1)/g.high, g.count*len(g.x))
	for _, o := range m.terms {
		inner, out := o.right, o.left
		if g.transposed {
			inner, out = out, inner
		}
		kernel.Daxpy(g.count, g.scale*o.weight*kernel.Ddot(len(g.x), inner, 1, g.x, 1), out[g.from:], 1, g.y, 1)
	}
}

func (g *gemv) Piece(k int) {
	m := g.of
	lo := k * g.high
	hi := min(g.count, lo+g.high)
	if g.transposed {
		kernel.Dgemv(blas.Trans, m.rows, hi-lo, g.scale*m.share, m.base[g.from+lo:], m.cols, g.x, 1, 1, g.y[lo:hi], 1)
		return
	}
	kernel.Dgemv(blas.NoTrans, hi-lo, m.cols, g.scale*m.share, m.base[(g.from+lo)*m.cols:], m.cols, g.x, 1, 1, g.y[lo:hi], 1)
}

// smallestPlastic is the number of synapses from which a matrix pays.
const smallestPlastic = 256

// virtual slots name elements of plastic matrices, which are not in the pool.
const virtual = 1 << 30

// findPlastic finds the plastic matrices of a sorted system among the states
// that act as weights, and the sums that they are used in, by row.
func (p *planner) findPlastic(candidate []bool) ([]*plastic, map[int32][]use) {
	list := p.group(p.rates(candidate))
	if len(list) == 0 {
		return nil, nil
	}
	// Where in which matrix a state is.
	type place struct{ block, k int32 }
	where := make([]place, p.sys.Unknowns)
	for v := range where {
		where[v].block = -1
	}
	for b, m := range list {
		for k, w := range m.weights {
			where[w] = place{int32(b), int32(k)}
		}
	}
	bad := make([]bool, len(list))
	spoil := func(v int32) {
		if v >= 0 && int(v) < p.sys.Unknowns && where[v].block >= 0 {
			bad[where[v].block] = true
		}
	}
	for k := range p.sys.Terms {
		for _, a := range p.sys.args(&p.sys.Terms[k]) {
			spoil(a)
		}
	}
	own := make([]int32, p.sys.Unknowns) // row -> the weight whose rate it is, or -1
	for i := range own {
		own[i] = -1
	}
	for _, s := range p.storage {
		if len(s.rows) == 1 && where[s.cols[0]].block >= 0 {
			own[s.rows[0]] = s.cols[0]
		}
	}
	loop := make([]bool, p.sys.Unknowns) // by row
	for b := range p.blocks() {
		for _, v := range p.block(b) {
			loop[p.rowOf[v]] = p.loop[b]
		}
	}

	uses := map[int32][]use{}
	type item struct {
		place
		partner int32
		coef    float64
	}
	var items []item
	var last []int32 // partners of the last use
	for row := range int32(p.sys.Unknowns) {
		vals, _ := p.linear(row)
		for _, v := range vals {
			if own[row] != v {
				spoil(v)
			}
		}
		if own[row] >= 0 {
			continue
		}
		a, b, coef := p.products(row)
		items = items[:0]
		for k := range a {
			w, v := a[k], b[k]
			if where[w].block < 0 {
				w, v = v, w
			}
			if where[w].block < 0 {
				continue
			}
			if loop[row] || where[v].block >= 0 {
				spoil(w)
				spoil(v)
				continue
			}
			items = append(items, item{where[w], p.alias[v], coef[k]})
		}
		if len(items) == 0 {
			continue
		}
		slices.SortStableFunc(items, func(x, y item) int { return cmp.Or(cmp.Compare(x.block, y.block), cmp.Compare(x.k, y.k)) })
		for lo := 0; lo < len(items); {
			hi := lo + 1
			for hi < len(items) && items[hi].block == items[lo].block {
				hi++
			}
			group := items[lo:hi]
			lo = hi
			m := list[group[0].block]
			n, step, transposed := m.cols, int32(1), false
			index := int(group[0].k) / m.cols
			whole := int(group[0].k)%m.cols == 0
			if len(group) > 1 && group[1].k != group[0].k+1 {
				n, step, transposed = m.rows, int32(m.cols), true
				index, whole = int(group[0].k), int(group[0].k) < m.cols
			}
			whole = whole && len(group) == n
			for i, it := range group {
				whole = whole && it.k == group[0].k+int32(i)*step && it.coef == group[0].coef
			}
			if !whole {
				bad[group[0].block] = true
				continue
			}
			partners := make([]int32, n)
			for i, it := range group {
				partners[i] = it.partner
			}
			if slices.Equal(partners, last) {
				partners = last
			}
			last = partners
			uses[row] = append(uses[row], use{m, transposed, index, partners, group[0].coef})
		}
	}
	spoilt := map[*plastic]bool{}
	for b, m := range list {
		spoilt[m] = bad[b]
	}
	list = slices.DeleteFunc(list, func(m *plastic) bool { return spoilt[m] })
	for row, u := range uses {
		if u = slices.DeleteFunc(u, func(u use) bool { return spoilt[u.of] }); len(u) == 0 {
			delete(uses, row)
		} else {
			uses[row] = u
		}
	}
	return list, uses
}

// A rate is the equation of a weight: w' = coef left right - decay w.
type rate struct {
	w, left, right int32
	coef, decay    float64
}

// rates lists the weights that move by a product.
func (p *planner) rates(candidate []bool) []rate {
	var list []rate
	for _, s := range p.storage {
		if len(s.rows) != 1 || !candidate[s.cols[0]] {
			continue
		}
		w := s.cols[0]
		a, b, coef := p.products(s.rows[0])
		vals, lin := p.linear(s.rows[0])
		if len(a) != 1 || candidate[a[0]] || candidate[b[0]] || len(vals) > 1 || len(vals) == 1 && vals[0] != w {
			continue
		}
		r := rate{w: w, left: p.alias[a[0]], right: p.alias[b[0]], coef: -s.inverse[0] * coef[0]}
		if len(vals) == 1 {
			r.decay = s.inverse[0] * lin[0]
		}
		list = append(list, r)
	}
	return list
}

// group finds matrices: rows of weights, each with a left factor, that have the
// same right factors.
func (p *planner) group(list []rate) []*plastic {
	slices.SortStableFunc(list, func(x, y rate) int { return cmp.Or(cmp.Compare(x.left, y.left), cmp.Compare(x.right, y.right)) })
	var found []*plastic
	var open []*plastic // those that another row may join
	for lo := 0; lo < len(list); {
		hi := lo + 1
		uniform := true
		for hi < len(list) && list[hi].left == list[lo].left {
			uniform = uniform && list[hi].coef == list[lo].coef && list[hi].decay == list[lo].decay
			hi++
		}
		row := list[lo:hi]
		lo = hi
		if !uniform {
			continue
		}
		at := slices.IndexFunc(open, func(m *plastic) bool {
			if m.cols != len(row) || m.coef != row[0].coef || m.decay != row[0].decay {
				return false
			}
			for k, r := range row {
				if m.value[1][k] != r.right {
					return false
				}
			}
			return true
		})
		if at < 0 {
			m := &plastic{cols: len(row), coef: row[0].coef, decay: row[0].decay}
			for _, r := range row {
				m.value[1] = append(m.value[1], r.right)
			}
			found = append(found, m)
			if open = append(open, m); len(open) > 64 { // sparse networks have a list each
				open = open[1:]
			}
			at = len(open) - 1
		}
		m := open[at]
		m.rows++
		m.value[0] = append(m.value[0], row[0].left)
		for _, r := range row {
			m.weights = append(m.weights, r.w)
		}
	}
	return slices.DeleteFunc(found, func(m *plastic) bool { return m.rows < 2 || m.cols < 2 || m.rows*m.cols < p.smallest })
}

// bind gives the factors their slots.
func (m *plastic) bind(p *planner) {
	of := func(values []int32) vector {
		slots := make([]int32, len(values))
		for k, v := range values {
			slots[k] = p.slot[v]
		}
		return newVector(slots)
	}
	m.left, m.right = of(m.value[0]), of(m.value[1])
	m.value, m.weights = [2][]int32{}, nil
}

// takeUses turns uses, in the order of the rows, into products.
func (b *rowsBuilder) takeUses() {
	for k := 0; k < len(b.uses); {
		first := b.uses[k]
		n := 1
		for ; k+n < len(b.uses); n++ {
			u := b.uses[k+n]
			if u.of != first.of || u.transposed != first.transposed || u.coef != first.coef ||
				u.row != first.row+n || u.index != first.index+n || !slices.Equal(u.partners, first.partners) {
				break
			}
		}
		slots := make([]int32, len(first.partners))
		for i, v := range first.partners {
			slots[i] = b.p.slot[v]
		}
		g := &gemv{of: first.of, transposed: first.transposed, first: first.row, count: n, from: first.index, scale: first.coef, in: newVector(slots)}
		g.high = high(len(slots))
		b.r.plastic = append(b.r.plastic, g)
		k += n
	}
}

// derivative sets dx to the rates of the elements at the moment.
func (m *plastic) derivative(pool, dx []float64) {
	left, right := m.left.of(pool), m.right.of(pool)
	for i, l := range left {
		row := dx[i*m.cols:][:m.cols]
		w := m.base[i*m.cols:][:m.cols]
		for j, r := range right {
			row[j] = float64(m.coef*float64(l*r)) - float64(m.decay*w[j])
		}
	}
}

// A learner follows a plastic matrix through the steps of an integration.
type learner struct {
	m           *plastic
	w           []float64 // at the beginning of the step
	left, right [][]float64
	share       []float64   // by stage
	weight      [][]float64 // by stage, of the stages before
	scale       []float64   // by row: what its error may be

	abs, rel  float64
	high      int
	estimates [2]mix    // of the error of the step under trial
	result    mix       // and its end
	between   mix       // of its dense output
	largest   []extreme // by piece
	buffer    [][2][]float64
	update    bool
}

// A mix is a combination of the matrix at the beginning of a step and of the
// products of factors at its stages.
type mix struct {
	share  float64
	weight []float64
}

type extreme struct {
	size [2]float64
	at   int // element with the largest first size
}

func newLearner(m *plastic, w []float64, stages int, abs, rel float64) *learner {
	l := &learner{
		m: m, w: append([]float64(nil), w...), abs: abs, rel: rel, high: high(m.cols),
		share: make([]float64, stages), scale: make([]float64, m.rows), result: mix{1, make([]float64, stages)}, between: mix{1, make([]float64, stages)},
	}
	for k := range l.estimates {
		l.estimates[k].weight = make([]float64, stages)
	}
	m.terms = make([]outer, 0, stages)
	for range stages {
		l.left, l.right = append(l.left, make([]float64, m.rows)), append(l.right, make([]float64, m.cols))
		l.weight = append(l.weight, make([]float64, stages))
	}
	pieces := l.count()
	l.largest = make([]extreme, pieces)
	for range pieces {
		l.buffer = append(l.buffer, [2][]float64{make([]float64, m.cols), make([]float64, m.cols)})
	}
	for i := range m.rows {
		l.measure(i)
	}
	l.first()
	return l
}

func (l *learner) count() int { return (l.m.rows + l.high - 1) / l.high }

// measure sets what error row i may have.
func (l *learner) measure(i int) {
	size, _ := largest(l.w[i*l.m.cols:][:l.m.cols])
	l.scale[i] = l.abs + l.rel*size
}

// largest finds the largest magnitude in a row and where it is; one that is not
// a number is larger than all.
func largest(row []float64) (size float64, at int) {
	for i, x := range row {
		if a := math.Abs(x); !(a <= size) {
			if size, at = a, i; a != a {
				break
			}
		}
	}
	return size, at
}

// combine sets dst to start W + h sum of c[j] W'_j.
func (l *learner) combine(dst *mix, start, h float64, c []float64) {
	m := l.m
	dst.share = start
	clear(dst.weight)
	for j, a := range c {
		if a == 0 {
			continue
		}
		dst.weight[j] += h * a * m.coef
		if m.decay == 0 {
			continue
		}
		dst.share -= h * a * m.decay * l.share[j]
		for i, w := range l.weight[j] {
			dst.weight[i] -= h * a * m.decay * w
		}
	}
}

// show makes the matrix what a mix says.
func (l *learner) show(x *mix) {
	m := l.m
	m.base, m.share, m.terms = l.w, x.share, m.terms[:0]
	for j, w := range x.weight {
		if w != 0 {
			m.terms = append(m.terms, outer{w, l.left[j], l.right[j]})
		}
	}
}

// enter is show for stage i, with the combination c of the stages before.
func (l *learner) enter(i int, h float64, c []float64) {
	x := mix{weight: l.weight[i]}
	l.combine(&x, 1, h, c)
	l.share[i] = x.share
	l.show(&x)
}

// leave notes the factors at stage i.
func (l *learner) leave(i int, pool []float64) {
	copy(l.left[i], l.m.left.of(pool))
	copy(l.right[i], l.m.right.of(pool))
}

// reuse makes stage last the first of the next step.
func (l *learner) reuse(last int) {
	l.left[0], l.left[last] = l.left[last], l.left[0]
	l.right[0], l.right[last] = l.right[last], l.right[0]
	l.first()
}

// first says that stage 0 is at the beginning of the step.
func (l *learner) first() {
	l.share[0] = 1
	clear(l.weight[0])
}

// errors returns the largest of the two error estimates against the tolerance,
// and the element that has the largest first.
func (l *learner) errors(t *team.Team) extreme {
	l.update = false
	t.Do(l, l.count(), len(l.w)*2*len(l.share))
	worst := extreme{at: -1}
	for _, e := range l.largest {
		if !(e.size[0] <= worst.size[0]) {
			worst.size[0], worst.at = e.size[0], e.at
		}
		if !(e.size[1] <= worst.size[1]) {
			worst.size[1] = e.size[1]
		}
	}
	return worst
}

// step moves the matrix to the end of the step.
func (l *learner) step(t *team.Team) {
	l.update = true
	t.Do(l, l.count(), len(l.w)*len(l.share))
}

func (l *learner) Piece(k int) {
	m := l.m
	l.largest[k] = extreme{at: -1}
	for i := k * l.high; i < min(m.rows, (k+1)*l.high); i++ {
		if l.update {
			row := l.w[i*m.cols:][:m.cols]
			if l.result.share != 1 {
				kernel.Dscal(m.cols, l.result.share, row, 1)
			}
			l.accumulate(row, &l.result, i)
			l.measure(i)
			continue
		}
		for e := range l.estimates {
			x, row := &l.estimates[e], l.buffer[k][e]
			clear(row)
			if x.share != 0 {
				kernel.Daxpy(m.cols, x.share, l.w[i*m.cols:], 1, row, 1)
			}
			l.accumulate(row, x, i)
			size, at := largest(row)
			if size /= l.scale[i]; !(size <= l.largest[k].size[e]) {
				l.largest[k].size[e] = size
				if e == 0 {
					l.largest[k].at = i*m.cols + at
				}
			}
		}
	}
}

// accumulate adds the products of a mix to row i.
func (l *learner) accumulate(row []float64, x *mix, i int) {
	for j, w := range x.weight {
		if w != 0 {
			kernel.Daxpy(len(row), w*l.left[j][i], l.right[j], 1, row, 1)
		}
	}
}
