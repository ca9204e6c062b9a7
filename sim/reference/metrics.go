package reference

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"vlec/model"
)

// MetricsOptions say how often a run notes its loss.
type MetricsOptions struct {
	Every  float64 // time between rows [time unit]; 0: no rows
	Window float64 // of the moving average [time unit], a multiple of Every; 0: Every
}

// DefaultMetrics asks for about a thousand rows, a whole number of steps each,
// and averages over a twentieth of the run. Duration 0 is the model's.
func DefaultMetrics(net *model.Network, duration float64) MetricsOptions {
	if duration == 0 {
		duration = net.Duration
	}
	every := net.Dt * max(1, math.Round(duration/net.Dt/1000))
	return MetricsOptions{Every: every, Window: every * max(1, math.Round(duration*windowShare/every))}
}

// StopOptions end a run before its time. They look at the moving average of
// the loss, at every row of metrics, once the window is full.
type StopOptions struct {
	Loss     float64 // stop when the average is at or below; 0: never
	Patience float64 // stop when it has not fallen by a thousandth for this time [time unit]; 0: never
}

// Reasons why a run ended before its time.
const (
	StoppedAtLoss     = "target loss"
	StoppedByPatience = "patience"
)

// Metrics is how a run went, a row every MetricsOptions.Every.
type Metrics struct {
	Time    []float64 // end of the row
	Loss    []float64 // mean since the row before
	Average []float64 // mean over the last Window, or over all rows while there are fewer
	Gauges  []Gauge
}

// A Gauge is one number at the end of every row:
//
//	P.W[i][j], P.B[i][j]   a plastic weight, and its backward weight
//	N.bias[i], N.tau_m[i]  of a neuron, where it is plastic
//	P.W.norm               root of the sum of squares
//	P.W.distance           from the teacher's weights, over the norm of these
//	P.B.cosine             of the angle between backward weights and W^T
//
// Single values are there in small networks only; distances where the teacher has
// a projection of that name and shape.
type Gauge struct {
	Name   string
	Values []float64
	// Teacher is the value in the teacher that this one may approach, NaN where
	// there is none.
	Teacher float64
}

// Set says which gauges belong together: a name for them, what they are, and a
// remark, "" for none.
func (g *Gauge) Set() (name, quantity, remark string) {
	base, _, single := strings.Cut(g.Name, "[")
	if single {
		_, kind, _ := cutLast(base)
		return base, kind, ""
	}
	switch _, kind, _ := cutLast(g.Name); kind {
	case "distance":
		return "distance from the teacher", "distance", "|W − W*| / |W*|"
	case "norm":
		return "size of the weights", "|W|", ""
	case "cosine":
		return "backward weights", "cosine", "of the angle between B and W transposed"
	}
	return g.Name, "", ""
}

// Gauge returns the values of a gauge, nil when there is none of that name.
func (m *Metrics) Gauge(name string) []float64 {
	for _, g := range m.Gauges {
		if g.Name == name {
			return g.Values
		}
	}
	return nil
}

// CSV writes the rows as comma-separated values with a header.
func (m *Metrics) CSV(w io.Writer) error {
	line := []byte("t,loss,loss_average")
	for _, g := range m.Gauges {
		line = append(append(line, ','), g.Name...)
	}
	for k := -1; k < len(m.Time); k++ {
		if k >= 0 {
			line = strconv.AppendFloat(line[:0], m.Time[k], 'g', 12, 64)
			line = strconv.AppendFloat(append(line, ','), m.Loss[k], 'g', -1, 64)
			line = strconv.AppendFloat(append(line, ','), m.Average[k], 'g', -1, 64)
			for _, g := range m.Gauges {
				line = strconv.AppendFloat(append(line, ','), g.Values[k], 'g', -1, 64)
			}
		}
		if _, err := w.Write(append(line, '\n')); err != nil {
			return err
		}
	}
	return nil
}

// maxRows bounds the rows of metrics.
const maxRows = 1 << 22

// A meter collects rows and watches whether the run should end.
type meter struct {
	Metrics
	every       float64
	window      int // rows
	sum, weight float64
	fetch       []func() float64 // of gauges

	stop     StopOptions
	best     float64 // lowest average so far
	bestTime float64
	ended    int // 0 or one more than the place in reasons
}

var reasons = []string{StoppedAtLoss, StoppedByPatience}

// A DivergedError says that the loss is no number any more.
type DivergedError struct{ Time float64 }

func (e *DivergedError) Error() string {
	return fmt.Sprintf("the loss is not finite any more at t = %g; lower the learning rates, or clip the weights", e.Time)
}

// newMeter prepares for a run of the given length.
func newMeter(o MetricsOptions, stop StopOptions, duration float64) (*meter, error) {
	if o.Window == 0 {
		o.Window = o.Every
	}
	if !(o.Every >= 0) || !(o.Window >= o.Every) || math.IsInf(o.Window, 0) {
		return nil, fmt.Errorf("metrics every %g over a window of %g; a row is longer than nothing, and a window as long as a row at least", o.Every, o.Window)
	}
	if o.Every > 0 && duration/o.Every > maxRows {
		return nil, fmt.Errorf("metrics every %g of a run of length %g would have more than %d rows; note them less often", o.Every, duration, maxRows)
	}
	if !(stop.Loss >= 0) || !(stop.Patience >= 0) {
		return nil, fmt.Errorf("a run cannot stop at loss %g or after %g without progress", stop.Loss, stop.Patience)
	}
	if stop != (StopOptions{}) && o.Every == 0 {
		return nil, errors.New("a run that may stop early needs metrics")
	}
	m := &meter{every: o.Every, window: 1, stop: stop, best: math.Inf(1)}
	if o.Every > 0 {
		m.window = max(1, int(math.Round(min(o.Window/o.Every, maxRows))))
	}
	return m, nil
}

// smallNetwork is up to how many plastic values metrics show one by one.
const smallNetwork = 64

// gauge adds the gauges of a run.
func (m *meter) gauge(p *plan, run observed) {
	if m.every == 0 {
		return
	}
	single := 0
	for k, l := range p.links {
		if l.Plastic {
			single += len(l.W) + len(run.ofProjection("B", k))
		}
	}
	for _, pop := range p.pops {
		if pop.PlasticBias || pop.PlasticTauM {
			single += pop.Size
		}
	}
	small := single <= smallNetwork
	add := func(name string, teacher float64, fetch func() float64) {
		m.Gauges = append(m.Gauges, Gauge{Name: name, Teacher: teacher})
		m.fetch = append(m.fetch, fetch)
	}
	for k := range p.links {
		l := &p.links[k]
		if !l.Plastic {
			continue
		}
		w := func() []float64 { return run.ofProjection("W", k) }
		teacher := teachersWeights(p.net.Teacher, l)
		if small {
			for i := range l.W {
				goal := math.NaN()
				if teacher != nil {
					goal = teacher[i]
				}
				add(fmt.Sprintf("%s.W[%d][%d]", l.Name, i/l.m, i%l.m), goal, func() float64 { return w()[i] })
			}
		} else {
			add(l.Name+".W.norm", math.NaN(), func() float64 { return math.Sqrt(dot(w(), w())) })
		}
		if teacher != nil {
			add(l.Name+".W.distance", math.NaN(), func() float64 { return relativeDistance(w(), teacher) })
		}
		if !l.learnsFeedback() {
			continue
		}
		b := func() []float64 { return run.ofProjection("B", k) }
		if small {
			for i := range l.Feedback.B {
				add(fmt.Sprintf("%s.B[%d][%d]", l.Name, i/l.n, i%l.n), math.NaN(), func() float64 { return b()[i] })
			}
		}
		add(l.Name+".B.cosine", math.NaN(), func() float64 { return cosineOfTranspose(b(), w(), l.n, l.m) })
	}
	for k, pop := range p.pops {
		kinds := map[string]bool{"bias": pop.PlasticBias, "tau_m": pop.PlasticTauM}
		for _, kind := range []string{"bias", "tau_m"} {
			if !small || !kinds[kind] {
				continue
			}
			goal := teachersNeurons(p.net.Teacher, pop, kind)
			for i := range pop.Size {
				at := math.NaN()
				if goal != nil {
					at = goal[i]
				}
				add(fmt.Sprintf("%s.%s[%d]", pop.Name, kind, i), at, func() float64 { return run.ofPopulation(kind, k)[i] })
			}
		}
	}
}

// teachersWeights finds the projection of the teacher that a link may become.
func teachersWeights(teacher *model.Network, l *link) []float64 {
	if teacher != nil {
		for _, q := range teacher.Projections {
			if q.Name == l.Name && q.To.Size == l.n && q.From.Width() == l.m {
				return q.W
			}
		}
	}
	return nil
}

func teachersNeurons(teacher *model.Network, pop *model.Population, kind string) []float64 {
	if teacher != nil {
		for _, q := range teacher.Populations {
			if q.Name == pop.Name && q.Size == pop.Size {
				return map[string][]float64{"bias": q.Bias, "tau_m": q.TauM}[kind]
			}
		}
	}
	return nil
}

// relativeDistance is |w - goal| / |goal|.
func relativeDistance(w, goal []float64) float64 {
	sum := 0.0
	for i, v := range w {
		d := v - goal[i]
		sum += float64(d * d)
	}
	if norm := dot(goal, goal); norm > 0 {
		return math.Sqrt(sum / norm)
	}
	return math.Sqrt(sum)
}

// cosineOfTranspose is the cosine between B (m x n) and W^T (W: n x m), 0 where
// one of them is 0.
func cosineOfTranspose(b, w []float64, n, m int) float64 {
	sum := 0.0
	for j := range m {
		for i := range n {
			sum += float64(b[j*n+i] * w[i*m+j])
		}
	}
	norm := math.Sqrt(dot(b, b) * dot(w, w))
	if norm == 0 {
		return 0
	}
	return sum / norm
}

// add notes a loss that was there for some time, or for some steps.
func (m *meter) add(loss, weight float64) {
	m.sum += loss * weight
	m.weight += weight
}

// row closes a row at time t.
func (m *meter) row(t float64) error {
	loss := m.sum / m.weight
	m.sum, m.weight = 0, 0
	if math.IsNaN(loss) || math.IsInf(loss, 0) {
		return &DivergedError{t}
	}
	m.Time, m.Loss = append(m.Time, t), append(m.Loss, loss)
	recent := m.Loss[max(0, len(m.Loss)-m.window):]
	average := 0.0
	for _, v := range recent {
		average += v
	}
	average /= float64(len(recent))
	m.Average = append(m.Average, average)
	for i, fetch := range m.fetch {
		m.Gauges[i].Values = append(m.Gauges[i].Values, fetch())
	}
	if len(recent) < m.window {
		return nil
	}
	if average < m.best*(1-1e-3) {
		m.best, m.bestTime = average, t
	}
	switch {
	case average <= m.stop.Loss && m.stop.Loss > 0:
		m.ended = 1
	case m.stop.Patience > 0 && t-m.bestTime >= m.stop.Patience:
		m.ended = 2
	}
	return nil
}

// done returns the rows, nil when there are none.
func (m *meter) done() *Metrics {
	if m.every == 0 {
		return nil
	}
	return &m.Metrics
}

func (m *meter) keep(l *ledger) {
	at := statePrefix + "metrics/"
	l.numbers(at+"open", &m.sum, &m.weight, &m.best, &m.bestTime)
	l.counts(at+"ended", &m.ended)
	columns := map[string]*[]float64{"t": &m.Time, "loss": &m.Loss, "average": &m.Average}
	for i := range m.Gauges {
		columns["gauge/"+m.Gauges[i].Name] = &m.Gauges[i].Values
	}
	for _, name := range slices.Sorted(maps.Keys(columns)) {
		l.grown(at+name, columns[name])
		if l.restoring && l.err == nil && len(*columns[name]) != len(m.Average) {
			l.fail("%s has %d rows of metrics, the average has %d", name, len(*columns[name]), len(m.Average))
		}
	}
	if l.restoring && (m.ended < 0 || m.ended > len(reasons)) {
		l.fail("it ended for no known reason")
	}
}
