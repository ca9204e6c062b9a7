package format

import (
	"fmt"
	"math"
	"strconv"
)

// A Usage tells what a run of integers did with its formats.
type Usage struct {
	Steps     int64            `json:"steps"`
	Saturated map[string]int64 `json:"saturated"` // by signal: "hidden.y", "hidden.dU"
	Updates   []Updates        `json:"updates"`   // one a projection, then one a population's bias, then one for backward weights that learn
}

// Updates are the changes of weights with a nonzero error and a nonzero rate.
type Updates struct {
	Name    string `json:"name"`
	Total   int64  `json:"total"`
	Lost    int64  `json:"lost"`    // of these, rounded to nothing
	Clipped int64  `json:"clipped"` // of these, held at a bound
}

// saturations counts what was held, in all populations, of signals of a kind.
func (u *Usage) saturations(kinds ...string) int64 {
	n := int64(0)
	for name, k := range u.Saturated {
		for _, kind := range kinds {
			if len(name) > len(kind) && name[len(name)-len(kind)-1:] == "."+kind {
				n += k
			}
		}
	}
	return n
}

// rowKinds are the kinds of signal whose saturations a row of the report counts.
var rowKinds = map[string][]string{
	"r": {"r"}, "y": {"y"}, "I - u": {"dU"}, "back": {"back"}, "x - v": {"dV"}, "e": {"e", "s"}, "a": {"a"}, "I": {"I"},
	"noise": {"noise"}, "r - low": {"high"},
}

// Table is the table of formats, its header first: what every kind of signal can
// reach, what it did reach, its format, how far its words may be from the
// synchronous semantics, and, after a run, how often it was held. Usage may be nil.
func (p *Plan) Table(u *Usage) [][]string {
	rows := [][]string{{"signal", "bound", "observed", "format", "unit", "distance", "saturated", "note"}}
	distance := p.worstDistances()
	for _, r := range p.Rows {
		held := ""
		if kinds, ok := rowKinds[r.Signal]; ok && u != nil {
			held = strconv.FormatInt(u.saturations(kinds...), 10)
		}
		rows = append(rows, []string{r.Signal, magnitude(r.Bound), magnitude(r.Observed), r.Format.String(), magnitude(r.Format.LSB()), magnitude(distance[r.Signal]), held, r.Note})
	}
	return rows
}

// worstDistances are the bounds of Distances by kind, of the worst neuron.
func (p *Plan) worstDistances() map[string]float64 {
	worst := map[string]float64{}
	for _, d := range p.Distances() {
		for kind, of := range map[string][]float64{"u": d.U, "y": d.Y, "r": d.R, "v": d.V, "e": d.E} {
			worst[kind] = math.Max(worst[kind], largest(of))
		}
	}
	return worst
}

// magnitude prints a number short; nothing was measured where it is 0.
func magnitude(v float64) string {
	switch {
	case v == 0:
		return ""
	case math.IsInf(v, 0):
		return "none"
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}

// A TimeConstant is a time constant as asked for and as the words of its
// coefficient make it, in the neuron where they differ most.
type TimeConstant struct {
	Population string  `json:"population"`
	Name       string  `json:"name"` // "tau_m" or "tau_r"
	Neuron     int     `json:"neuron"`
	Wanted     float64 `json:"wanted"`    // [time unit]
	Effective  float64 `json:"effective"` // [time unit]
}

// TimeConstants lists the worst of every population: of the membrane, and of the
// error neuron, which lags with tau_r.
func (p *Plan) TimeConstants() []TimeConstant {
	var list []TimeConstant
	add := func(pop *PopulationPlan, name string, q Q, words []int64, wanted []float64) {
		t, worst := TimeConstant{Population: pop.Name, Name: name}, -1.0
		for i, w := range words {
			got := p.Dt / q.Value(w)
			if off := math.Abs(got/wanted[i] - 1); off > worst {
				worst, t.Neuron, t.Wanted, t.Effective = off, i, wanted[i], got
			}
		}
		list = append(list, t)
	}
	for i := range p.Populations {
		q, o := &p.Populations[i], &p.network.Populations[i]
		add(q, "tau_m", p.Membrane.Lag, q.Lag, o.TauM)
		if q.Error {
			add(q, "tau_r", p.Neuron.Lag, q.ErrorLag, o.TauR)
		}
	}
	return list
}

// TimeTable is TimeConstants for people.
func (p *Plan) TimeTable() [][]string {
	rows := [][]string{{"population", "time constant", "wanted", "effective", "off by"}}
	for _, t := range p.TimeConstants() {
		rows = append(rows, []string{
			t.Population, fmt.Sprintf("%s[%d]", t.Name, t.Neuron), fmt.Sprintf("%.6g", t.Wanted), fmt.Sprintf("%.6g", t.Effective),
			fmt.Sprintf("%+.2g %%", 100*(t.Effective/t.Wanted-1)),
		})
	}
	return rows
}

// LearningTable tells what became of the updates of a run, for people.
func (u *Usage) LearningTable() [][]string {
	rows := [][]string{{"weights", "updates", "lost", "clipped"}}
	for _, w := range u.Updates {
		if w.Total == 0 {
			continue
		}
		rows = append(rows, []string{
			w.Name, strconv.FormatInt(w.Total, 10),
			fmt.Sprintf("%.2g %%", 100*float64(w.Lost)/float64(w.Total)), strconv.FormatInt(w.Clipped, 10),
		})
	}
	return rows
}
