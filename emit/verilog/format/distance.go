package format

import (
	"fmt"
	"math"
)

// A Distance bounds how far the integers of a plan are from the synchronous
// semantics in real numbers, at any step and for any inputs and targets within
// the ranges that the plan was made for. Slices are one a neuron; +Inf is no
// bound.
//
// The bounds are our own derivation. They hold as long as nothing saturates but
// potentials beyond the range of a table, and as long as weights do not change:
// learning takes integers and real numbers to places that no bound ties together.
type Distance struct {
	Population    string
	U, Y, R, V, E []float64
}

// A source of error that a plan has a choice about.
type source int

const (
	noSource     source = iota
	words               // the last bit of rates, potentials and errors
	weightWords         // the last bit of weights
	coefficients        // the last bit of dt/tau and ahead/tau
	tables              // straight segments for curves
	states              // the last bit of states and of what drives them
)

func (s source) String() string {
	return []string{"nothing", "the words of rates and errors", "the words of weights", "the coefficients of time constants", "the activation tables", "the states"}[s]
}

// Distances computes the bounds. Loops of populations are iterated; what still
// grows then has no bound.
func (p *Plan) Distances() []Distance { return p.distances(noSource) }

// distances leaves one source of error out.
func (p *Plan) distances(without source) []Distance {
	d := newDistances(p, without)
	rounds := 4*len(p.Populations) + 4
	for round := range rounds {
		d.changed = false
		d.last = round == rounds-1
		for i := range p.Populations {
			d.forward(i)
			if p.Populations[i].Error {
				d.backward(i)
			}
		}
		if !d.changed {
			break
		}
	}
	return d.of
}

type distances struct {
	p       *Plan
	n       *Network
	b       *ranges
	without source
	of      []Distance
	slope   [][]float64
	table   [][]float64 // by table: see tableErrors
	changed bool
	last    bool
}

func newDistances(p *Plan, without source) *distances {
	d := &distances{p: p, n: p.network, b: p.bounds, without: without}
	for i := range p.Tables {
		d.table = append(d.table, p.tableErrors(&p.Tables[i]))
	}
	for i := range p.Populations {
		q := &p.Populations[i]
		f := func() []float64 { return make([]float64, q.Size) }
		d.of = append(d.of, Distance{Population: q.Name, U: f(), Y: f(), R: f(), V: f(), E: f()})
		d.slope = append(d.slope, f())
	}
	return d
}

// by is an error from a source, 0 where that is left out.
func (d *distances) by(s source, v float64) float64 {
	if s == d.without {
		return 0
	}
	return v
}

func (d *distances) half(s source, q Q) float64 { return d.by(s, q.LSB()/2) }

func (d *distances) raise(at *float64, v float64) {
	if v > *at*(1+1e-9) {
		*at, d.changed = v, true
		if d.last {
			*at = math.Inf(1)
		}
	}
}

// operand is the value that a multiplier sees of a stored word.
func (p *Plan) operand(word int64) float64 { return p.Operand.Value(word >> p.Hidden()) }

// forward bounds u, y, r and the slope of population k.
func (d *distances) forward(k int) {
	p, q, own := d.p, &d.p.Populations[k], &d.of[k]
	learns := q.BiasPlastic
	for i := range q.Size {
		in := 0.0 // of the drive
		if q.Bias != nil {
			in += d.by(weightWords, math.Abs(p.operand(q.Bias[i])-d.n.Populations[k].Bias[i]))
		}
		for l := range p.Projections {
			link := &p.Projections[l]
			if link.To != k {
				continue
			}
			learns = learns || link.Plastic
			exact := d.n.Projections[l].W
			m := len(link.W) / q.Size
			most := d.b.sender(&d.n.Projections[l])
			for j := range m {
				off := d.half(words, p.Rate)
				if link.From >= 0 {
					off = d.of[link.From].R[j]
				}
				w := p.operand(link.W[i*m+j])
				in += finite(math.Abs(w), off) + d.by(weightWords, finite(math.Abs(w-exact[i*m+j]), most))
			}
		}
		if d.n.Gamma != 0 && q.Error {
			in += finite(math.Abs(p.Gamma.Value(p.GammaWord)), own.E[i]) +
				d.by(words, finite(math.Abs(p.Gamma.Value(p.GammaWord)-d.n.Gamma), d.b.e[k]))
		}
		if p.Learning && learns {
			in = math.Inf(1)
		}
		o := &d.n.Populations[k]
		u, y := d.leadLag(p.Membrane, in, q.Lag[i], q.Lead[i], p.Dt/o.TauM[i], o.TauR[i]/o.TauM[i], d.b.dU[k])
		d.raise(&own.U[i], u)
		d.raise(&own.Y[i], y)
		d.raise(&own.R[i], d.rate(q, y, d.b.y[k]))
		d.raise(&d.slope[k][i], d.slopeError(q, y))
	}
}

// leadLag bounds the errors of state and output of a leaky integrator: of input
// and state together every step makes a convex sum, so the error of the state is
// at most that of the input and what one step adds, divided by the lag.
func (d *distances) leadLag(l LeadLag, in float64, lagWord, leadWord int64, lag, lead, most float64) (state, out float64) {
	a, k := l.Lag.Value(lagWord), l.Lead.Value(leadWord)
	delta := in + d.half(states, l.Delta)
	state = delta + (d.by(coefficients, finite(math.Abs(a-lag), most))+d.half(states, l.State))/a + d.half(states, l.State)
	out = finite(math.Abs(1-k), state) + finite(k, delta) + d.by(coefficients, finite(math.Abs(k-lead), most)) +
		d.by(states, l.State.LSB()) + d.half(words, l.Out)
	return state, out
}

// steepest slope of an activation, and the largest change of its slope.
var curvature = map[string][2]float64{
	"tanh": {1, 0.7699}, "sigmoid": {0.25, 0.0963}, "softplus": {1, 0.25}, "linear": {1, 0}, "relu": {1, math.Inf(1)},
}

// rate bounds the error of phi(y) for |y| up to most.
func (d *distances) rate(q *PopulationPlan, y, most float64) float64 {
	c := curvature[q.Phi]
	if q.Table < 0 {
		return c[0]*y + d.half(words, d.p.Rate)
	}
	flat := 0.0
	if most+y > d.p.Potential.Limit() { // beyond the table's range
		flat = math.Inf(1)
		if !math.IsInf(saturates(q.Phi, d.p.Bits), 1) {
			flat = math.Ldexp(2, -d.p.Bits)
		}
	}
	t := d.table[q.Table]
	step := math.Ldexp(1, d.p.Potential.Bits-d.p.SegmentBits()-d.p.Potential.Frac)
	reach := t[int(math.Min((most+y)/step, float64(len(t)-1)))]
	return c[0]*y + d.by(tables, 1.01*reach+flat)
}

// tableErrors has, at k, the largest error of a table within k+1 segments of 0.
func (p *Plan) tableErrors(t *Table) []float64 {
	half := p.Segments / 2
	worst := make([]float64, half)
	for k := range worst {
		worst[k] = math.Max(t.segmentError(p, half+k), t.segmentError(p, half-1-k))
		if k > 0 {
			worst[k] = math.Max(worst[k], worst[k-1])
		}
	}
	return worst
}

func (d *distances) slopeError(q *PopulationPlan, y float64) float64 {
	c := curvature[q.Phi]
	err := finite(c[1], y)
	if q.Table >= 0 {
		step := math.Ldexp(1, d.p.Potential.Bits-d.p.SegmentBits()-d.p.Potential.Frac)
		err += d.by(tables, c[1]*step) + d.half(words, d.p.Slope)
	}
	return math.Min(err, c[0]+d.p.Slope.LSB())
}

// backward bounds v and e of population k.
func (d *distances) backward(k int) {
	p, q, own := d.p, &d.p.Populations[k], &d.of[k]
	o := &d.n.Populations[k]
	steep := curvature[q.Phi][0]
	for i := range q.Size {
		back := d.half(words, p.Back)
		if t := o.Target; t != nil {
			back += math.Abs(t.Beta)*(d.half(words, p.Rate)+own.R[i]) + d.half(words, p.Back) +
				d.by(words, finite(math.Abs(p.Nudge.Value(q.Beta)-t.Beta), d.b.targets[k]+d.b.r[k]))
		}
		for l := range p.Projections {
			link := &p.Projections[l]
			if link.From != k || link.Feedback == None {
				continue
			}
			exact := d.n.Projections[l].Feedback.B
			if exact == nil {
				exact = d.n.Projections[l].W
			}
			for j := range p.Populations[link.To].Size {
				at := j*q.Size + i
				w := p.operand(link.W[at])
				if link.Learns() {
					w, back = 0, math.Inf(1)
				} else if link.B != nil {
					w = p.Operand.Value(link.B[at])
				}
				back += finite(math.Abs(w), d.of[link.To].E[j]) + d.by(weightWords, finite(math.Abs(w-exact[at]), d.b.e[link.To]))
				if p.Learning && link.Plastic {
					back = math.Inf(1)
				}
			}
		}
		in := finite(steep, back) + finite(d.slope[k][i], d.b.back[k])
		v, e := d.leadLag(p.Neuron, in, q.ErrorLag[i], q.ErrorLead[i], p.Dt/o.TauR[i], o.TauM[i]/o.TauR[i], d.b.dV[k])
		d.raise(&own.V[i], v)
		d.raise(&own.E[i], e)
	}
}

// OutputDistance is the bound of the rates that leave the network: those of
// populations with a target, or else of those that no other reads.
func (p *Plan) OutputDistance() float64 { return p.outputDistance(noSource) }

func (p *Plan) outputDistance(without source) float64 {
	worst := 0.0
	for i, d := range p.distances(without) {
		if p.isOutput(i) {
			for _, r := range d.R {
				worst = math.Max(worst, r)
			}
		}
	}
	return worst
}

// Outputs lists the populations whose rates leave the network.
func (p *Plan) Outputs() []string {
	var names []string
	for i := range p.Populations {
		if p.isOutput(i) {
			names = append(names, p.Populations[i].Name)
		}
	}
	return names
}

func (p *Plan) isOutput(i int) bool {
	for k := range p.Populations {
		if p.Populations[k].Target != "" {
			return p.Populations[i].Target != ""
		}
	}
	for k := range p.Projections {
		if p.Projections[k].From == i {
			return false
		}
	}
	return true
}

// blame names the source that the bound of the outputs comes from most.
func (p *Plan) blame() string {
	least, worst := math.Inf(1), noSource
	for s := words; s <= states; s++ {
		if v := p.outputDistance(s); v < least {
			least, worst = v, s
		}
	}
	if worst == tables {
		return fmt.Sprintf("%v (%d segments)", worst, p.Segments)
	}
	return worst.String()
}

// A Measure tells how far the outputs of a plan are from the model in a run; it
// takes the place of the bound where there is none.
type Measure func(*Plan) (float64, error)

// Margin is by how much a measured distance must stay below the goal, because
// another input may do worse than the one that was tried.
const Margin = 3

// Meet plans with the fewest bits with which the rates that leave the network
// stay within goal of the synchronous semantics: by the proved bound or, where
// there is none, because learning changes the weights or a loop does not
// contract, by a measurement with a margin. A goal that 32 bits do not reach is
// refused with what stands in the way. Options.Bits, if set, is the most that
// may be used.
func Meet(n *Network, o Options, goal float64, measure Measure) (*Plan, error) {
	if !(goal > 0) {
		return nil, fmt.Errorf("an output error of %g cannot be met", goal)
	}
	most := maxBits
	if o.Bits > 0 {
		most = min(o.Bits, maxBits)
	}
	var reached float64
	var last *Plan
	for o.Bits = minBits; o.Bits <= most; o.Bits++ {
		p, err := New(n, o)
		if err != nil {
			if o.Bits == most {
				return nil, err
			}
			continue // a coefficient may vanish, or a table not fit
		}
		reached, last = p.OutputDistance(), p
		if reached <= goal {
			return p, nil
		}
		if math.IsInf(reached, 1) && measure != nil {
			if reached, err = measure(p); err != nil {
				return nil, err
			}
			if reached*Margin <= goal {
				return p, nil
			}
		}
	}
	if last == nil {
		return nil, fmt.Errorf("no plan of at most %d bits exists", most)
	}
	if math.IsInf(reached, 1) {
		return nil, fmt.Errorf("nothing bounds the output error of %v, and nothing was measured; give bits instead", last.Outputs())
	}
	return nil, fmt.Errorf("the rates of %v stay within %.2g at %d bits, not within %g; most of it comes from %s", last.Outputs(), reached, last.Bits, goal, last.blame())
}

// Bound is the proved bound of a signal's magnitude, in real numbers: kinds r, y,
// u, v, e, dU and dV (input minus state), and back of populations, and W. It is
// +Inf where there is none, and NaN for a name that the plan does not know.
func (p *Plan) Bound(owner, kind string) float64 {
	for i := range p.Populations {
		if p.Populations[i].Name == owner {
			b := p.bounds
			of, ok := map[string][]float64{"r": b.r, "y": b.y, "u": b.u, "v": b.v, "e": b.e, "dU": b.dU, "dV": b.dV, "back": b.back}[kind]
			if ok {
				return of[i]
			}
		}
	}
	for i := range p.Projections {
		if p.Projections[i].Name == owner && kind == "W" {
			return p.bounds.w[i]
		}
	}
	return math.NaN()
}
