package flow

import "vlec/sim/spice/team"

// rows evaluates sums of products,
//
//	out[dst] = sum of coef[k] in[a[k]] + sum of coef[k] in[a[k]] in[b[k]]
//
// for many dst at once.
type rows struct {
	dst     []int32
	linPtr  []int32
	lin     []int32
	linCoef []float64

	prodPtr  []int32
	prodA    []int32
	prodB    []int32
	prodCoef []float64

	// What is a matrix is none of the above: its part of the sums is computed
	// first, all at once.
	dense   []*dense
	plastic []*gemv
	sums    []float64
}

func (r *rows) eval(in, out []float64, t *team.Team) {
	if r.sums != nil {
		clear(r.sums)
		for _, d := range r.dense {
			d.add(in, r.sums, t)
		}
		for _, g := range r.plastic {
			g.add(in, r.sums, t)
		}
	}
	for i, dst := range r.dst {
		sum := 0.0
		if r.sums != nil {
			sum = r.sums[i]
		}
		lo, hi := r.linPtr[i], r.linPtr[i+1]
		coef := r.linCoef[lo:hi]
		for k, a := range r.lin[lo:hi] {
			sum += float64(coef[k] * in[a])
		}
		lo, hi = r.prodPtr[i], r.prodPtr[i+1]
		if lo < hi {
			coef, a, b := r.prodCoef[lo:hi], r.prodA[lo:hi], r.prodB[lo:hi]
			for k := range coef {
				sum += float64(coef[k] * float64(in[a[k]]*in[b[k]]))
			}
		}
		out[dst] = sum
	}
}

// A rowsBuilder collects rows.
type rowsBuilder struct {
	p    *planner
	r    rows
	uses []placedUse
}

// A placedUse is a use in a row of the builder.
type placedUse struct {
	use
	row int
}

// assignment adds the solution of the equation of unknown v for v.
func (b *rowsBuilder) assignment(v, dst int32) {
	row := b.p.rowOf[v]
	vals, coefs := b.p.linear(row)
	for k, u := range vals {
		if u == v {
			b.add(row, dst, -1/coefs[k], v)
			return
		}
	}
}

// add adds a row: scale times an equation, without the part linear in except.
func (b *rowsBuilder) add(row, dst int32, scale float64, except int32) {
	p := b.p
	b.open(dst)
	vals, coefs := p.linear(row)
	for k, u := range vals {
		if u != except {
			b.linear(p.slot[p.alias[u]], scale*coefs[k])
		}
	}
	x, y, coefs := p.products(row)
	for k := range x {
		if s, t := p.slot[p.alias[x[k]]], p.slot[p.alias[y[k]]]; s < virtual && t < virtual {
			b.product(s, t, scale*coefs[k])
		}
	}
	for _, u := range p.uses[row] {
		u.coef *= scale
		b.uses = append(b.uses, placedUse{u, len(b.r.dst) - 1})
	}
	b.close()
}

// open begins the row of dst; linear and product add to it; close ends it.
func (b *rowsBuilder) open(dst int32) {
	r := &b.r
	if len(r.linPtr) == 0 {
		r.linPtr, r.prodPtr = []int32{0}, []int32{0}
	}
	r.dst = append(r.dst, dst)
}

func (b *rowsBuilder) linear(slot int32, coef float64) {
	b.r.lin = append(b.r.lin, slot)
	b.r.linCoef = append(b.r.linCoef, coef)
}

func (b *rowsBuilder) product(x, y int32, coef float64) {
	b.r.prodA = append(b.r.prodA, x)
	b.r.prodB = append(b.r.prodB, y)
	b.r.prodCoef = append(b.r.prodCoef, coef)
}

func (b *rowsBuilder) close() {
	b.r.linPtr = append(b.r.linPtr, int32(len(b.r.lin)))
	b.r.prodPtr = append(b.r.prodPtr, int32(len(b.r.prodA)))
}

func (b *rowsBuilder) build() *rows {
	if len(b.r.dst) == 0 {
		return nil
	}
	b.takeUses()
	b.r.takeDense()
	if len(b.r.dense)+len(b.r.plastic) > 0 {
		b.r.sums = make([]float64, len(b.r.dst))
	}
	return &b.r
}
