package gradient

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"

	"vlec/emit"
	"vlec/internal/plot"
	"vlec/internal/table"
	"vlec/model"
	"vlec/sim"
	"vlec/sim/reference"
)

// What the theory is held to: the gain within a percent, the phase within a
// milliradian.
const gainTolerance, phaseTolerance = 0.01, 1e-3

// A Sweep is a frequency response.
type Sweep struct {
	net    *model.Network
	points []*reference.FrequencyPoint
	shown  []neuron
}

type neuron struct {
	population, index int
	name              string
}

// Frequencies spaces angular frequencies evenly on a logarithmic scale. Bounds
// of 0 mean a tenth of 1/tau_m of the slowest neuron and ten times that of the
// fastest.
func Frequencies(net *model.Network, low, high float64, points int) ([]float64, error) {
	slow, fast := 0.0, math.Inf(1)
	for _, p := range net.Populations {
		slow, fast = max(slow, slices.Max(p.TauM)), min(fast, slices.Min(p.TauM))
	}
	if low == 0 {
		low = 0.1 / slow
	}
	if high == 0 {
		high = max(10/fast, low)
	}
	if !(low > 0 && high >= low && !math.IsInf(high, 0)) || points < 1 || points > 1000 {
		return nil, fmt.Errorf("cannot sweep %d frequencies from %g to %g; ask for 1 to 1000 between positive bounds", points, low, high)
	}
	omegas := make([]float64, points)
	for k := range omegas {
		omegas[k] = low * math.Pow(high/low, float64(k)/float64(max(1, points-1)))
	}
	return omegas, nil
}

// NewSweep measures the response at the given angular frequencies.
func NewSweep(ctx context.Context, net *model.Network, omegas []float64, progress func(done float64)) (*Sweep, error) {
	p, err := reference.NewProber(ctx, net)
	if err != nil {
		return nil, err
	}
	s := &Sweep{net: net}
	if s.points, err = p.Sweep(ctx, omegas, progress); err != nil {
		return nil, err
	}
	s.choose()
	return s, nil
}

// choose takes from each population the neurons whose own factor is least and
// largest, for the picture, as many as it has colours for.
func (s *Sweep) choose() {
	const most = 5
	middle := s.points[len(s.points)/2]
	for k, p := range s.net.Populations {
		low, high := -1, -1
		for i := range p.Size {
			if math.IsNaN(middle.Gain[k][i]) {
				continue
			}
			if low < 0 || middle.Own[k][i] < middle.Own[k][low] {
				low = i
			}
			if high < 0 || middle.Own[k][i] > middle.Own[k][high] {
				high = i
			}
		}
		for _, i := range slices.Compact([]int{low, high}) {
			if i < 0 || len(s.shown) == most {
				continue
			}
			name := p.Name
			if p.Size > 1 {
				name = fmt.Sprintf("%s[%d]", p.Name, i)
			}
			s.shown = append(s.shown, neuron{k, i, name})
		}
	}
}

// off is by how much a neuron's gain, relatively, and its phase differ from what
// the linearised network says; 0 where it hears nothing.
func off(pt *reference.FrequencyPoint, k, i int) (gain, phase float64) {
	if math.IsNaN(pt.Gain[k][i]) || math.IsNaN(pt.ExpectedGain[k][i]) {
		return 0, 0
	}
	return math.Abs(pt.Gain[k][i]/pt.ExpectedGain[k][i] - 1),
		math.Abs(math.Remainder(pt.Phase[k][i]-pt.ExpectedPhase[k][i], 2*math.Pi))
}

// worst is off of the worst neuron.
func worst(pt *reference.FrequencyPoint) (gain, phase float64) {
	for k := range pt.Gain {
		for i := range pt.Gain[k] {
			g, p := off(pt, k, i)
			gain, phase = max(gain, g), max(phase, p)
		}
	}
	return gain, phase
}

// Pass tells whether every neuron follows the theory at every frequency.
func (s *Sweep) Pass() bool {
	gain, phase := s.Worst()
	return gain <= gainTolerance && phase <= phaseTolerance
}

// Worst returns the largest differences from the linearised network: of gains,
// relative, and of phases, in radians.
func (s *Sweep) Worst() (gain, phase float64) {
	for _, pt := range s.points {
		g, p := worst(pt)
		gain, phase = max(gain, g), max(phase, p)
	}
	return gain, phase
}

// Table is for people: a frequency a row.
func (s *Sweep) Table() [][]string {
	head := []string{"omega"}
	const few = 3
	for _, n := range s.shown[:min(few, len(s.shown))] {
		head = append(head, "gain "+n.name, "phase")
	}
	rows := [][]string{append(head, "gain off by", "phase off by", "cosine", "with B*")}
	for _, pt := range s.points {
		row := []string{fmt.Sprintf("%.4g", pt.Omega)}
		for _, n := range s.shown[:min(few, len(s.shown))] {
			row = append(row, fmt.Sprintf("%.4g", pt.Gain[n.population][n.index]), fmt.Sprintf("%+.1e", pt.Phase[n.population][n.index]))
		}
		gain, phase := worst(pt)
		rows = append(rows, append(row, fmt.Sprintf("%.1e", gain), fmt.Sprintf("%.1e", phase), fixed(pt.Cosine), fixed(pt.Corrected)))
	}
	return rows
}

// JSON is for programs.
func (s *Sweep) JSON() any {
	type response struct {
		Population    string   `json:"population"`
		Neuron        int      `json:"neuron"`
		Gain          *float64 `json:"gain"`
		Phase         *float64 `json:"phase"`
		ExpectedGain  *float64 `json:"expected_gain"`
		ExpectedPhase *float64 `json:"expected_phase"`
		Own           float64  `json:"own_factor"`
	}
	type point struct {
		Omega     float64    `json:"omega"`
		Cosine    *float64   `json:"cosine"`
		Corrected *float64   `json:"cosine_gain_correct"`
		GainOff   float64    `json:"gain_off"`
		PhaseOff  float64    `json:"phase_off"`
		Neurons   []response `json:"neurons"`
	}
	doc := struct {
		Model  string  `json:"model"`
		Points []point `json:"points"`
		Pass   bool    `json:"pass"`
	}{Model: s.net.Name, Pass: s.Pass()}
	for _, pt := range s.points {
		q := point{Omega: pt.Omega, Cosine: sim.Finite(pt.Cosine), Corrected: sim.Finite(pt.Corrected)}
		q.GainOff, q.PhaseOff = worst(pt)
		for k, p := range s.net.Populations {
			for i := range p.Size {
				q.Neurons = append(q.Neurons, response{
					p.Name, i, sim.Finite(pt.Gain[k][i]), sim.Finite(pt.Phase[k][i]),
					sim.Finite(pt.ExpectedGain[k][i]), sim.Finite(pt.ExpectedPhase[k][i]), pt.Own[k][i],
				})
			}
		}
		doc.Points = append(doc.Points, q)
	}
	return doc
}

// csv holds every neuron at every frequency.
func (s *Sweep) csv() string {
	exact := func(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }
	rows := [][]string{{"omega", "population", "neuron", "gain", "phase", "expected_gain", "expected_phase", "own_factor", "cosine", "cosine_gain_correct"}}
	for _, pt := range s.points {
		for k, p := range s.net.Populations {
			for i := range p.Size {
				rows = append(rows, []string{
					exact(pt.Omega), p.Name, strconv.Itoa(i), exact(pt.Gain[k][i]), exact(pt.Phase[k][i]),
					exact(pt.ExpectedGain[k][i]), exact(pt.ExpectedPhase[k][i]), exact(pt.Own[k][i]), exact(pt.Cosine), exact(pt.Corrected),
				})
			}
		}
	}
	return table.CSV(rows) + "\n"
}

// Figure draws gains and phases, measured and expected, how far they differ, and
// what becomes of the gradient.
func (s *Sweep) Figure() *plot.Figure {
	var omegas []float64
	for _, pt := range s.points {
		omegas = append(omegas, pt.Omega)
	}
	over := func(value func(pt *reference.FrequencyPoint) float64) []float64 {
		var y []float64
		for _, pt := range s.points {
			y = append(y, value(pt))
		}
		return y
	}
	worstGain, worstPhase := s.Worst()
	gain := plot.Panel{Heading: "gain", Label: "|e| / |adjoint|", Log: true, Height: 190, Remark: fmt.Sprintf("at most %.1e off", worstGain)}
	phase := plot.Panel{Heading: "phase by which e leads the adjoint", Label: "rad", Reach: 1.5 * phaseTolerance, Remark: fmt.Sprintf("at most %.1e rad off", worstPhase)}
	colours := []int{0, 1, 2, 3, 5} // the others are for the cosines
	for c, n := range s.shown {
		add := func(p *plot.Panel, name string, look plot.Look, value func(pt *reference.FrequencyPoint) float64) {
			p.Curves = append(p.Curves, plot.Curve{Series: plot.Series{Name: name, X: omegas, Y: over(value)}, Colour: colours[c], Look: look})
		}
		k, i := n.population, n.index
		add(&gain, "", plot.Broad, func(pt *reference.FrequencyPoint) float64 { return pt.ExpectedGain[k][i] })
		add(&gain, n.name, plot.Marks, func(pt *reference.FrequencyPoint) float64 { return pt.Gain[k][i] })
		add(&phase, "", plot.Broad, func(pt *reference.FrequencyPoint) float64 { return pt.ExpectedPhase[k][i] })
		add(&phase, "", plot.Marks, func(pt *reference.FrequencyPoint) float64 { return pt.Phase[k][i] })
	}
	cosine := plot.Panel{
		Heading: "gradient: cosine of all local updates with the exact one", Label: "cosine",
		Curves: []plot.Curve{
			{Series: plot.Series{Name: "B of the model", X: omegas, Y: over(func(pt *reference.FrequencyPoint) float64 { return pt.Cosine })}, Colour: 4, Look: plot.MarkedLine},
			{Series: plot.Series{Name: "gain-correct B*", X: omegas, Y: over(func(pt *reference.FrequencyPoint) float64 { return pt.Corrected })}, Colour: 6, Look: plot.MarkedLine},
		},
	}
	return plot.Stack(s.net.Name+": frequency response of the local error", "marks: simulated, forward and adjoint; bands: the linearised network",
		"angular frequency (1 / time unit)", true, []plot.Panel{gain, phase, cosine})
}

// Write leaves response.csv and a picture in a folder.
func (s *Sweep) Write(dir string) error {
	var files emit.Artifacts
	files.Add("response.csv", text(s.csv()))
	figure(&files, "response", s.Figure())
	return files.Commit(dir)
}
