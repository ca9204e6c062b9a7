package flow

import (
	"fmt"
	"math"

	"vlec/sim/spice/team"
)

// A Field is a circuit in the form x' = f(x, t), with every other unknown a
// function of x and t. It is not safe for concurrent use.
type Field struct {
	sys     *System
	states  []int32 // unknown of each state
	stateOf []int32 // unknown -> state, or -1
	sources []source
	time    int32 // slot

	pool      []float64 // states but for those in plastic matrices, time, sources, and all that is computed from them
	registers []float64
	plastic   []*plastic
	apart     int // states that are not in plastic matrices
	team      *team.Team
	at        float64 // instant for which the pool holds the sources that derivatives need

	derivative schedule
	rates      []*rows // the last rows of derivative, from pool to x'
	output     schedule
	slotOf     []int32   // by unknown, or -1
	outputs    []int32   // slots
	weights    []stretch // of outputs, in plastic matrices
	direct     bool      // outputs need no computation

	storage []storageBlock
	stats   Stats
}

type source struct {
	*Source
	slot          int32
	needed, shown bool // by derivatives, by outputs
}

// Stats tells what became of a system.
type Stats struct {
	Unknowns  int
	States    int
	Assigned  int   // algebraic unknowns that are assignments
	Aliases   int   // and those that merely repeat another
	Loops     []int // sizes of the algebraic loops
	Unused    int   // unknowns that neither states nor outputs depend on
	Levels    int
	Functions int // terms evaluated per derivative
	Products  int // products in sums, dense layers included
	Linear    int // and coefficients
	Dense     int // coefficients in dense blocks
	Plastic   int // states in plastic matrices
}

func (s Stats) String() string {
	loops, largest := len(s.Loops), 0
	for _, n := range s.Loops {
		largest = max(largest, n)
	}
	text := fmt.Sprintf("%d unknowns: %d states, %d assigned, %d aliases, %d in %d loops (largest %d), %d unused; %d levels, %d functions, %d products, %d coefficients",
		s.Unknowns, s.States, s.Assigned, s.Aliases, sum(s.Loops), loops, largest, s.Unused, s.Levels, s.Functions, s.Products, s.Linear)
	if s.Dense > 0 {
		text += fmt.Sprintf(", %d in dense blocks", s.Dense)
	}
	if s.Plastic > 0 {
		text += fmt.Sprintf(", %d synapses in plastic matrices", s.Plastic)
	}
	return text
}

func sum(list []int) (n int) {
	for _, k := range list {
		n += k
	}
	return n
}

// Compile sorts a system. outputs are the unknowns that Outputs will return.
// The error is a *NotExplicitError when the system needs an implicit method.
func Compile(s *System, outputs []int) (*Field, error) {
	return compileWith(s, outputs, smallestPlastic)
}

// compileWith is Compile with the size from which plastic matrices are taken out.
func compileWith(s *System, outputs []int, smallest int) (*Field, error) {
	o, err := sortEquations(s)
	if err != nil {
		return nil, err
	}
	p := newPlanner(o)
	p.smallest = smallest
	needed := p.live(p.storageRoots)
	shown := p.live(func(f func(int32)) {
		for _, v := range outputs {
			f(p.alias[v])
		}
	})
	either := make([]bool, len(needed))
	for v := range either {
		either[v] = needed[v] || shown[v]
	}
	p.assign(either)

	f := &Field{
		sys: s, storage: p.storage, states: p.states, stateOf: make([]int32, s.Unknowns), time: p.slot[s.time()],
		registers: append([]float64(nil), s.Registers...),
		plastic:   p.plastic, apart: len(p.states),
	}
	if len(p.plastic) > 0 {
		f.apart = p.plastic[0].first
	}
	for v := range f.stateOf {
		f.stateOf[v] = -1
	}
	for k, v := range p.states {
		f.stateOf[v] = int32(k)
	}
	for k := range s.Sources {
		v := s.source(int32(k))
		f.sources = append(f.sources, source{&s.Sources[k], p.slot[v], needed[v], shown[v]})
	}
	f.derivative = *p.plan(needed)
	f.output = *p.plan(shown)
	f.direct = true
	for _, v := range outputs {
		slot := p.slot[p.alias[v]]
		f.outputs = append(f.outputs, slot)
		f.direct = f.direct && (int(slot) < f.apart || slot >= virtual)
	}
	f.findStretches()
	f.slotOf = p.slot[:s.Unknowns]
	slots := f.planRates(p)
	f.pool, f.at = make([]float64, slots), math.NaN()
	for i := range f.sources {
		if f.sources[i].Constant {
			f.pool[f.sources[i].slot] = f.sources[i].Value(0)
		}
	}
	f.count(p, needed, shown)
	return f, nil
}

// planRates lays out the last step, from the sums of currents to derivatives.
// It returns the number of slots.
func (f *Field) planRates(p *planner) int {
	direct, sums, mixed := &rowsBuilder{p: p}, &rowsBuilder{p: p}, &rowsBuilder{p: p}
	slots := p.slots
	at := make(map[int32]storageRow, len(p.storage))
	for _, b := range p.storage {
		m := len(b.rows)
		if m == 1 {
			at[p.slot[b.cols[0]]] = storageRow{b.rows[0], -b.inverse[0]}
			continue
		}
		first := int32(slots)
		for _, row := range b.rows {
			sums.add(row, int32(slots), -1, -1)
			slots++
		}
		for i, v := range b.cols {
			mixed.open(p.slot[v])
			for k := range b.rows {
				mixed.linear(first+int32(k), b.inverse[i*m+k])
			}
			mixed.close()
		}
	}
	for state := range int32(f.apart) { // in the order of the states
		if r, ok := at[state]; ok {
			direct.add(r.row, state, r.scale, -1)
		}
	}
	if r := sums.build(); r != nil {
		f.derivative.levels = append(f.derivative.levels, level{rows: r})
	}
	for _, b := range []*rowsBuilder{direct, mixed} {
		if r := b.build(); r != nil {
			f.rates = append(f.rates, r)
		}
	}
	return slots
}

type storageRow struct {
	row   int32
	scale float64
}

func (f *Field) count(p *planner, needed, shown []bool) {
	s := Stats{Unknowns: f.sys.Unknowns, States: len(f.states), Levels: len(f.derivative.levels)}
	for b := range p.blocks() {
		vars := p.block(b)
		switch v := vars[0]; {
		case !needed[p.alias[v]] && !shown[p.alias[v]]:
			s.Unused += len(vars)
		case p.alias[v] != v:
			s.Aliases++
		case p.loop[b]:
			s.Loops = append(s.Loops, len(vars))
		default:
			s.Assigned++
		}
	}
	rows := append([]*rows(nil), f.rates...)
	for _, l := range f.derivative.levels {
		rows = append(rows, l.rows)
		for _, c := range l.calls {
			s.Functions += len(c.dst)
		}
		for _, o := range l.loops {
			rows = append(rows, o.external, &o.inside)
			s.Functions += len(o.calls)
		}
	}
	for _, r := range rows {
		if r != nil {
			s.Products += len(r.prodA)
			s.Linear += len(r.lin)
			for _, d := range r.dense {
				s.Dense += len(d.a)
			}
		}
	}
	for _, m := range f.plastic {
		s.Plastic += m.rows * m.cols
	}
	f.stats = s
}

// Stats tells what became of the system.
func (f *Field) Stats() Stats { return f.stats }

// States is the length of x.
func (f *Field) States() int { return len(f.states) }

// Unknown is the unknown that state k is.
func (f *Field) Unknown(k int) int { return int(f.states[k]) }

// StateOf is the state that an unknown is, or -1.
func (f *Field) StateOf(unknown int) int { return int(f.stateOf[unknown]) }

// Initial sets x to the states that hold the charges and fluxes q = E z, one
// an equation.
func (f *Field) Initial(q, x []float64) {
	for _, b := range f.storage {
		m := len(b.rows)
		for i, v := range b.cols {
			sum := 0.0
			for k, row := range b.rows {
				sum += float64(b.inverse[i*m+k] * q[row])
			}
			x[f.stateOf[v]] = sum
		}
	}
}

// Derivative sets dx to f(x, t). It fails when an algebraic loop does.
func (f *Field) Derivative(t float64, x, dx []float64) error {
	f.hold(x)
	if err := f.rate(t, x, dx); err != nil {
		return err
	}
	for _, m := range f.plastic {
		m.derivative(f.pool, dx[m.first:])
	}
	return nil
}

// hold shows the plastic matrices that x has.
func (f *Field) hold(x []float64) {
	for _, m := range f.plastic {
		m.base, m.share, m.terms = x[m.first:m.first+m.rows*m.cols], 1, m.terms[:0]
	}
}

// rate sets dx to the derivatives of the states outside plastic matrices, which
// are what they show.
func (f *Field) rate(t float64, x, dx []float64) error {
	f.set(t, x)
	if f.at != t { // the last stages of a step are taken at one instant
		f.at = t
		for i := range f.sources {
			if s := &f.sources[i]; s.needed && !s.Constant {
				f.pool[s.slot] = s.Value(t)
			}
		}
	}
	if err := f.derivative.run(f.pool, f.registers, f.team); err != nil {
		return err
	}
	for _, r := range f.rates {
		r.eval(f.pool, dx, f.team)
	}
	return nil
}

// Outputs sets out to the unknowns that Compile was asked for.
func (f *Field) Outputs(t float64, x, out []float64) error {
	f.hold(x)
	return f.show(t, x, out)
}

// show is Outputs with the plastic matrices as they are shown.
func (f *Field) show(t float64, x, out []float64) error {
	from := x
	if !f.direct {
		f.set(t, x)
		f.at = math.NaN()
		for i := range f.sources {
			if s := &f.sources[i]; s.shown && !s.Constant {
				f.pool[s.slot] = s.Value(t)
			}
		}
		if err := f.output.run(f.pool, f.registers, f.team); err != nil {
			return err
		}
		from = f.pool
	}
	for k, s := range f.outputs {
		if s < virtual {
			out[k] = from[s]
		}
	}
	for _, w := range f.weights {
		w.of.elements(w.from, out[w.at:w.at+w.n])
	}
	return nil
}

// A stretch of outputs are elements of a plastic matrix, one behind the other.
type stretch struct {
	of          *plastic
	at, from, n int
}

func (f *Field) findStretches() {
	for at, s := range f.outputs {
		if s < virtual {
			continue
		}
		k := int(s - virtual)
		m := 0
		for ; k >= f.plastic[m].rows*f.plastic[m].cols; m++ {
			k -= f.plastic[m].rows * f.plastic[m].cols
		}
		if last := len(f.weights) - 1; last >= 0 {
			if w := &f.weights[last]; w.of == f.plastic[m] && w.at+w.n == at && w.from+w.n == k {
				w.n++
				continue
			}
		}
		f.weights = append(f.weights, stretch{f.plastic[m], at, k, 1})
	}
}

func (f *Field) set(t float64, x []float64) {
	copy(f.pool, x[:f.apart])
	f.pool[f.time] = t
}

// corner is the first instant after t at which a source has a corner.
func (f *Field) corner(t float64) float64 {
	at := math.Inf(1)
	for i := range f.sources {
		at = min(at, f.sources[i].next(t))
	}
	return at
}

// run computes all levels.
func (s *schedule) run(pool, registers []float64, t *team.Team) error {
	for i := range s.levels {
		l := &s.levels[i]
		for k := range l.calls {
			l.calls[k].eval(pool, registers)
		}
		if l.rows != nil {
			l.rows.eval(pool, pool, t)
		}
		for _, o := range l.loops {
			if err := o.solve(pool, registers, t); err != nil {
				return err
			}
		}
	}
	return nil
}

// Guess sets all unknowns to z, from which algebraic loops start.
func (f *Field) Guess(z []float64) {
	for v, s := range f.slotOf {
		if s >= 0 && s < virtual {
			f.pool[s] = z[v]
		}
	}
}

// Stiffness estimates the largest rate of change, the spectral radius of df/dx
// at (t, x), by power iteration on differences of f. An explicit method cannot
// take steps much longer than three times its inverse.
func (f *Field) Stiffness(t float64, x []float64) (float64, error) {
	n := len(f.states)
	if n == 0 {
		return 0, nil
	}
	base, moved, at, v := make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n)
	if err := f.Derivative(t, x, base); err != nil {
		return 0, err
	}
	scale := 0.0
	for i := range v {
		scale = max(scale, math.Abs(x[i]))
		v[i] = 1 - 2*float64((i*2654435761>>7)&1) // signs without a pattern
	}
	scale = 1e-6 * (1 + scale)
	const rounds, kept = 24, 8 // the mean of the last few smooths complex pairs
	rate, sum := 0.0, 0.0
	for round := range rounds {
		size := norm(v)
		if size == 0 {
			return rate, nil
		}
		for i := range at {
			v[i] /= size
			at[i] = x[i] + scale*v[i]
		}
		if err := f.Derivative(t, at, moved); err != nil {
			return 0, err
		}
		for i := range v {
			v[i] = (moved[i] - base[i]) / scale
		}
		if rate = norm(v); rate == 0 || math.IsNaN(rate) || math.IsInf(rate, 0) {
			return rate, nil
		}
		if round >= rounds-kept {
			sum += math.Log(rate)
		}
	}
	return math.Exp(sum / kept), nil
}

func norm(v []float64) float64 {
	s := 0.0
	for _, x := range v {
		s = max(s, math.Abs(x))
	}
	return s
}
