package flow

import (
	"cmp"
	"math"
	"slices"
)

// A schedule is a list of levels; what a level computes depends only on states,
// sources, time and levels before it.
type schedule struct {
	levels []level
}

type level struct {
	calls []calls
	rows  *rows
	loops []*loop
}

// A planner lays out a sorted system.
type planner struct {
	*sorted
	blockOf []int32 // algebraic unknown -> block
	alias   []int32 // value -> the value it equals, often itself
	depth   []int32 // value -> level that computes it; 0 is given
	inLoop  []int32 // term -> the block that evaluates it itself, or -1

	slot   []int32 // value -> place in the pool, virtual and more for elements of plastic matrices, or -1
	slots  int
	states []int32 // unknowns by state number, those in plastic matrices last

	smallest int // synapses of a plastic matrix
	plastic  []*plastic
	uses     map[int32][]use // of plastic matrices, by row
}

func newPlanner(o *sorted) *planner {
	p := &planner{
		sorted:  o,
		blockOf: make([]int32, o.sys.Unknowns),
		alias:   make([]int32, o.sys.values()),
		depth:   make([]int32, o.sys.values()),
		inLoop:  make([]int32, len(o.sys.Terms)),
		slot:    make([]int32, o.sys.values()),
	}
	for v := range p.alias {
		p.alias[v], p.slot[v] = int32(v), -1
	}
	for v := range p.blockOf {
		p.blockOf[v] = -1
	}
	for k := range p.inLoop {
		p.inLoop[k] = -1
	}
	for b := range o.blocks() {
		for _, v := range o.block(b) {
			p.blockOf[v] = int32(b)
		}
	}
	p.level()
	return p
}

// level finds aliases and the level of every value.
func (p *planner) level() {
	for b := range int32(p.blocks()) {
		vars := p.block(int(b))
		if !p.loop[b] {
			if p.findAlias(vars[0]) {
				continue
			}
		} else {
			p.claimTerms(b)
		}
		d := int32(0)
		for _, v := range vars {
			vals, _ := p.linear(p.rowOf[v])
			for _, u := range vals {
				d = max(d, p.depthIn(b, u))
			}
			x, y, _ := p.products(p.rowOf[v])
			for k := range x {
				d = max(d, p.depthIn(b, x[k]), p.depthIn(b, y[k]))
			}
		}
		for _, v := range vars {
			p.depth[v] = d + 1
		}
	}
}

// claimTerms finds the terms that loop b evaluates itself: its equations use
// them and they use its unknowns.
func (p *planner) claimTerms(b int32) {
	for _, v := range p.block(int(b)) {
		vals, _ := p.linear(p.rowOf[v])
		for _, u := range vals {
			k := p.termOf(u)
			if k < 0 {
				continue
			}
			for _, a := range p.sys.args(&p.sys.Terms[k]) {
				if a >= 0 && p.blockOf[a] == b {
					p.inLoop[k] = b
				}
			}
		}
	}
}

// termOf is the term that a value is, or -1.
func (p *planner) termOf(v int32) int {
	if k := int(v) - p.sys.Unknowns; k < len(p.sys.Terms) {
		return max(k, -1)
	}
	return -1
}

// depthIn is the depth of a value as far as block b has to wait for it.
func (p *planner) depthIn(b, v int32) int32 {
	k := p.termOf(v)
	switch {
	case k < 0 && int(v) < p.sys.Unknowns && p.blockOf[v] == b:
		return 0
	case k < 0 || p.inLoop[k] != b:
		return p.depthOf(v)
	}
	d := int32(0)
	for _, a := range p.sys.args(&p.sys.Terms[k]) {
		if a >= 0 {
			d = max(d, p.depthIn(b, a))
		}
	}
	return d
}

// depthOf is the level that computes a value whose unknowns have theirs.
func (p *planner) depthOf(v int32) int32 {
	k := p.termOf(v)
	switch {
	case k < 0:
		if p.alias[v] != v {
			return p.depthOf(p.alias[v])
		}
	case p.inLoop[k] >= 0:
		return p.depth[p.block(int(p.inLoop[k]))[0]]
	case p.depth[v] == 0:
		for _, a := range p.sys.args(&p.sys.Terms[k]) {
			if a >= 0 {
				p.depth[v] = max(p.depth[v], p.depthOf(a))
			}
		}
		p.depth[v]++
	}
	return p.depth[v]
}

// findAlias recognises v = other: a node that repeats another through a
// resistor and a source of equal conductance.
func (p *planner) findAlias(v int32) bool {
	row := p.rowOf[v]
	vals, coefs := p.linear(row)
	x, _, _ := p.products(row)
	if len(vals) != 2 || len(x) != 0 {
		return false
	}
	own := 0
	if vals[1] == v {
		own = 1
	}
	if ratio := -coefs[1-own] / coefs[own]; math.Abs(ratio-1) > 1e-15 {
		return false
	}
	p.alias[v] = p.alias[vals[1-own]]
	return true
}

// dependencies calls f with every value that is needed at once for v.
func (p *planner) dependencies(v int32, f func(int32)) {
	switch k := p.termOf(v); {
	case k >= 0:
		for _, a := range p.sys.args(&p.sys.Terms[k]) {
			f(p.value(a))
		}
	case int(v) >= p.sys.Unknowns || p.isState[v]: // given
	default:
		for _, u := range p.block(int(p.blockOf[v])) {
			f(u)
			p.rowDependencies(p.rowOf[u], f)
		}
	}
}

func (p *planner) rowDependencies(row int32, f func(int32)) {
	vals, _ := p.linear(row)
	for _, u := range vals {
		f(p.alias[u])
	}
	x, y, _ := p.products(row)
	for k := range x {
		f(p.alias[x[k]])
		f(p.alias[y[k]])
	}
}

// live marks what the given values depend on, themselves included.
func (p *planner) live(roots func(f func(int32))) []bool {
	mark := make([]bool, p.sys.values())
	var todo []int32
	add := func(v int32) {
		if !mark[v] {
			mark[v] = true
			todo = append(todo, v)
		}
	}
	roots(add)
	for len(todo) > 0 {
		v := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		p.dependencies(v, add)
	}
	return mark
}

// storageRoots calls f with what the derivatives of the states need.
func (p *planner) storageRoots(f func(int32)) {
	for _, s := range p.storage {
		for _, row := range s.rows {
			p.rowDependencies(row, f)
		}
	}
}

// assign gives slots to all live values: states, then time, sources, and the
// rest by level. Within a level, terms of one function and nodes of one shape
// stand together in the order of the netlist, so that the rates of a population
// become a contiguous vector.
func (p *planner) assign(live []bool) {
	n := 0
	place := func(v int32) {
		p.slot[v] = int32(n)
		n++
	}
	matrix := p.matrixStates()
	p.plastic, p.uses = p.findPlastic(matrix)
	inPlastic := int32(0)
	for _, m := range p.plastic {
		for _, w := range m.weights {
			matrix[w] = false
			p.slot[w] = virtual + inPlastic
			inPlastic++
		}
	}
	var elements []int32
	for v := range int32(p.sys.Unknowns) {
		switch {
		case !p.isState[v] || p.slot[v] >= virtual:
		case matrix[v]:
			elements = append(elements, v)
		default:
			place(v)
			p.states = append(p.states, v)
		}
	}
	n += len(elements)
	for k := range p.sys.Sources {
		place(p.sys.source(int32(k)))
	}
	place(p.sys.time())
	place(p.sys.ground())

	var rest []int32
	for v := range int32(p.sys.Unknowns + len(p.sys.Terms)) {
		isState := int(v) < p.sys.Unknowns && p.isState[v]
		if live[v] && p.alias[v] == v && !isState {
			p.depth[v] = p.depthOf(v)
			rest = append(rest, v)
		}
	}
	shape := make([]int64, p.sys.values())
	for _, v := range rest {
		shape[v] = p.shape(v)
	}
	slices.SortStableFunc(rest, func(a, b int32) int {
		return cmp.Or(cmp.Compare(p.depth[a], p.depth[b]), cmp.Compare(shape[a], shape[b]))
	})
	for _, v := range rest {
		place(v)
	}
	p.slots = n

	// Weights follow the rows that sum them up, in the order of their partners.
	next := len(p.states)
	p.eachWeight(matrix, func(w int32) {
		if p.slot[w] < 0 {
			p.slot[w] = int32(next)
			next++
			p.states = append(p.states, w)
		}
	})
	for _, w := range elements {
		if p.slot[w] < 0 {
			p.slot[w] = int32(next)
			next++
			p.states = append(p.states, w)
		}
	}
	for _, m := range p.plastic {
		m.first = len(p.states)
		p.states = append(p.states, m.weights...)
		m.bind(p)
	}
}

// shape distinguishes values of one level: terms by function, then nodes by
// what they are sums of.
func (p *planner) shape(v int32) int64 {
	if k := p.termOf(v); k >= 0 {
		return int64(p.sys.Terms[k].Function)
	}
	vals, _ := p.linear(p.rowOf[v])
	x, _, _ := p.products(p.rowOf[v])
	if len(x) > 0 {
		return 1<<40 + int64(len(x))<<20 + int64(len(vals))
	}
	return 1<<41 + int64(len(vals))
}

// matrixStates finds the states that act as weights: of two factors of a
// product the one that is a state and has fewer products to its name.
func (p *planner) matrixStates() []bool {
	uses := make([]int32, p.sys.Unknowns)
	for k := range p.sys.Products {
		uses[p.sys.Products[k].A]++
		uses[p.sys.Products[k].B]++
	}
	is := make([]bool, p.sys.Unknowns)
	for k := range p.sys.Products {
		w, v := p.sys.Products[k].A, p.sys.Products[k].B
		if !p.isState[w] || p.isState[v] && uses[v] < uses[w] {
			w, v = v, w
		}
		is[w] = is[w] || p.isState[w] && uses[w] < uses[v]
	}
	return is
}

// eachWeight visits the weights row by row, and within a row by the slot of
// the other factor.
func (p *planner) eachWeight(matrix []bool, f func(w int32)) {
	type pair struct{ slot, w int32 }
	var list []pair
	for row := range int32(p.sys.Unknowns) {
		a, b, _ := p.products(row)
		list = list[:0]
		for k := range a {
			w, v := a[k], p.alias[b[k]]
			if !matrix[w] {
				w, v = b[k], p.alias[a[k]]
			}
			if matrix[w] {
				list = append(list, pair{p.slot[v], w})
			}
		}
		slices.SortStableFunc(list, func(x, y pair) int { return cmp.Compare(x.slot, y.slot) })
		for _, e := range list {
			f(e.w)
		}
	}
}

// plan makes the schedule that computes the live values.
func (p *planner) plan(live []bool) *schedule {
	s := &schedule{}
	at := func(d int32) *level { // level d computes values of depth d
		for int(d) > len(s.levels) {
			s.levels = append(s.levels, level{})
		}
		return &s.levels[d-1]
	}
	type item struct{ v, slot int32 }
	var items []item
	loops := make([]bool, p.blocks())
	for v := range int32(p.sys.Unknowns + len(p.sys.Terms)) {
		if live[v] && p.alias[v] == v && !(int(v) < p.sys.Unknowns && p.isState[v]) {
			items = append(items, item{v, p.slot[v]})
		}
	}
	slices.SortFunc(items, func(a, b item) int { return cmp.Compare(a.slot, b.slot) })
	builders := map[int32]*rowsBuilder{}
	for _, it := range items {
		v := it.v
		l := at(p.depth[v])
		if k := p.termOf(v); k >= 0 {
			if p.inLoop[k] < 0 {
				l.call(p, int32(k), it.slot)
			}
			continue
		}
		b := p.blockOf[v]
		if p.loop[b] {
			if !loops[b] {
				loops[b] = true
				l.loops = append(l.loops, newLoop(p, p.block(int(b))))
			}
			continue
		}
		if builders[p.depth[v]] == nil {
			builders[p.depth[v]] = &rowsBuilder{p: p}
		}
		builders[p.depth[v]].assignment(v, it.slot)
	}
	for d := range s.levels {
		if b := builders[int32(d+1)]; b != nil {
			s.levels[d].rows = b.build()
		}
		for k := range s.levels[d].calls {
			s.levels[d].calls[k].vectorise(p.sys.Registers)
		}
	}
	return s
}

func (l *level) call(p *planner, k, dst int32) {
	t := &p.sys.Terms[k]
	f := p.sys.Functions[t.Function]
	last := len(l.calls) - 1
	if last < 0 || l.calls[last].f != f {
		l.calls = append(l.calls, calls{f: f, inputs: f.Inputs()})
		last++
	}
	c := &l.calls[last]
	c.register = append(c.register, t.Register)
	c.dst = append(c.dst, dst)
	for _, a := range p.sys.args(t) {
		c.arg = append(c.arg, p.slot[p.value(a)])
	}
}

// value is what an argument of a term stands for.
func (p *planner) value(arg int32) int32 {
	switch arg {
	case Time:
		return p.sys.time()
	case Ground:
		return p.sys.ground()
	}
	return p.alias[arg]
}
