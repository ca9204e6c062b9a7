package sweep

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"vlec/circuit"
	"vlec/emit/spice"
	"vlec/internal/plot"
	"vlec/model"
	"vlec/sim/reference"
)

// MismatchOptions describe a study of unequal parts.
type MismatchOptions struct {
	Samples  int      // circuits for each condition
	Level    string   // of the cells; "" is ideal
	Gain     float64  // standard deviation of the logarithm of gains
	Tau      float64  // of the logarithm of time constants
	Offset   float64  // of offsets, in model units
	AVT      float64  // standard deviation of thresholds of transistors times the root of their area [V m]
	AutoZero float64  // share of an offset that auto-zeroing leaves
	MaxStep  float64  // longest step of the circuits [time unit]; 0: the model's
	Only     []string // names of the conditions to study; nil: all
	Window   float64  // over which a final loss is a mean [time unit]; 0: a twentieth of the run
	Seed     uint64   // of the first sample
	Progress func(stage string, done float64)
}

// A Condition is one kind of imperfection, with or without a remedy.
type Condition struct {
	Name       string         `json:"name"`
	Mismatch   model.Mismatch `json:"-"`
	BiasWeight bool           `json:"bias_weight,omitempty"`
	AVT        float64        `json:"avt,omitempty"`        // of the thresholds of transistors [V m]
	NotNulled  bool           `json:"not_nulled,omitempty"` // the offsets of transistor cells are left
	// Learned are the losses of the circuits that trained themselves, Loaded of the
	// same circuits with the weights that software had learned, with a bias where the
	// circuit has one, sample by sample. The weights are held while a loss is measured.
	Learned []float64 `json:"learned"`
	Loaded  []float64 `json:"loaded"`
	// Rejected counts the circuits that were drawn and have offsets that no current
	// nulls, or no operating point, which a test would sort out; they are not among the
	// samples above.
	Rejected int `json:"rejected,omitempty"`
}

// rejected stands for the loss of a circuit that is not measured.
const rejected = -1

// sortOut takes the circuits that were not measured out of the samples.
func (c *Condition) sortOut() error {
	measured := func(xs []float64) []float64 {
		return slices.DeleteFunc(xs, func(x float64) bool { return x == rejected })
	}
	drawn := len(c.Learned)
	c.Learned, c.Loaded = measured(c.Learned), measured(c.Loaded)
	c.Rejected = drawn - len(c.Learned)
	if len(c.Learned) == 0 {
		return fmt.Errorf("%s: none of %d circuits has offsets that can be nulled; a smaller --avt or larger transistors have smaller ones", c.Name, drawn)
	}
	return nil
}

// Wins counts the samples in which the learner ends below the loaded circuit.
func (c *Condition) Wins() int {
	n := 0
	for i := range c.Learned {
		if c.Learned[i] < c.Loaded[i] {
			n++
		}
	}
	return n
}

// SignTest is how likely it is that, of as many fair coins, at least so many show one
// side or at most so many: the two-sided sign test of who wins.
func (c *Condition) SignTest() float64 {
	n := len(c.Learned)
	fewer := min(c.Wins(), n-c.Wins())
	tail, logChoose := 0.0, 0.0
	for k := range fewer + 1 {
		if k > 0 {
			logChoose += math.Log(float64(n-k+1) / float64(k))
		}
		tail += math.Exp(logChoose - float64(n)*math.Ln2)
	}
	return min(1, 2*tail)
}

// ratios are the learned losses over the loaded ones of the same circuits.
func (c *Condition) ratios() []float64 {
	list := make([]float64, len(c.Learned))
	for i := range list {
		list[i] = c.Learned[i] / c.Loaded[i]
	}
	return list
}

// Within counts the learners that end at most that many times the loss.
func (c *Condition) Within(loss float64) int {
	n := 0
	for _, x := range c.Learned {
		if x <= loss {
			n++
		}
	}
	return n
}

// A MismatchStudy compares learning in unequal circuits with loading weights into
// them.
type MismatchStudy struct {
	Model       string       `json:"model"`
	Level       string       `json:"level"`
	Seed        uint64       `json:"seed"`
	Gain        float64      `json:"gain"`
	Tau         float64      `json:"tau"`
	Offset      float64      `json:"offset"`
	AutoZero    float64      `json:"auto_zero"`
	AVT         float64      `json:"avt,omitempty"`
	Unperturbed float64      `json:"unperturbed"` // final loss of the circuit of equal parts
	Start       float64      `json:"start"`       // loss of that circuit with the weights that training begins with
	Conditions  []*Condition `json:"conditions"`
}

// Mismatch runs the study: the software trains the model once; then, sample by
// sample and condition by condition, the same unequal circuit trains itself, and
// holds the software's weights.
func Mismatch(ctx context.Context, net *model.Network, o MismatchOptions) (*MismatchStudy, error) {
	if o.Level == "" {
		o.Level = "ideal"
	}
	if o.Window == 0 {
		o.Window = net.Duration / 20
	}
	volts := volts(net, o.Level)
	if volts == 0 {
		return nil, fmt.Errorf("%s: a study of mismatch needs a voltage_unit in volts", net.Name)
	}
	s := &MismatchStudy{
		Model: net.Name, Level: o.Level, Seed: o.Seed, Gain: o.Gain, Tau: o.Tau, Offset: o.Offset, AutoZero: o.AutoZero,
	}
	var err error
	if s.Conditions, err = o.conditions(volts); err != nil {
		return nil, err
	}
	for _, c := range s.Conditions {
		s.AVT = max(s.AVT, c.AVT)
	}
	software := map[bool]weights{}
	for _, c := range s.Conditions {
		if software[c.BiasWeight] != nil {
			continue
		}
		_, trained, err := reference.Run(ctx, equipped(net, c), reference.Options{Semantics: reference.Continuous, Learning: true, Signals: []string{}})
		if err != nil {
			return nil, err
		}
		software[c.BiasWeight] = fromReference(trained)
	}
	dir, err := os.MkdirTemp("", "vlec-mismatch-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)

	b := bench{level: o.Level, window: o.Window, maxStep: o.MaxStep}
	// The jobs: circuits of equal parts, then one a sample and condition. Each trains
	// itself; then it holds what it has learned, and then what the software has.
	type job struct {
		net             *model.Network
		notNulled       bool
		software        weights
		learned, loaded *float64
	}
	jobs := []job{{clone(net), false, nil, &s.Unperturbed, nil}}
	for _, c := range s.Conditions {
		c.Learned, c.Loaded = make([]float64, o.Samples), make([]float64, o.Samples)
		for k := range o.Samples {
			unequal := equipped(net, c)
			unequal.Hardware.Spice.Mismatch = c.Mismatch
			unequal.Hardware.Spice.Mismatch.Seed = o.Seed + uint64(k)
			unequal.Hardware.Spice.Transistors.AVT = c.AVT
			if c.AVT > 0 {
				unequal.Seed = o.Seed + uint64(k)
			}
			jobs = append(jobs, job{unequal, c.NotNulled, software[c.BiasWeight], &c.Learned[k], &c.Loaded[k]})
		}
	}
	if s.Start, err = b.holds(ctx, net, nil, dir); err != nil {
		return nil, err
	}
	err = parallel(ctx, len(jobs), o.Progress, func(k int) error {
		j, at := jobs[k], filepath.Join(dir, strconv.Itoa(k))
		b := b
		b.noNull = j.notNulled
		learned, err := b.trains(ctx, j.net, at)
		if j.loaded != nil && unfit(ctx, err) != "" {
			*j.learned, *j.loaded = rejected, rejected
			return nil
		}
		if err != nil {
			return err
		}
		if *j.learned, err = b.holds(ctx, j.net, learned, at); err != nil {
			return err
		}
		if j.loaded != nil {
			if *j.loaded, err = b.holds(ctx, j.net, j.software, at); err != nil {
				return err
			}
		}
		return os.RemoveAll(at)
	})
	if err != nil {
		return nil, err
	}
	for _, c := range s.Conditions {
		if err := c.sortOut(); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// volts is the potential that stands for 1 in a circuit of a level; 0: not chosen yet.
func volts(net *model.Network, level string) float64 {
	return spice.UnitsAt(level, circuit.Units{Voltage: net.Hardware.Spice.VoltageUnit}, spice.Transistors{}).Voltage
}

// conditions are the kinds of imperfection, with and without what helps. They are
// the same whatever the options, but for sizes.
func (o *MismatchOptions) conditions(volts float64) ([]*Condition, error) {
	spread := func(gain, tau, offset float64) model.Mismatch {
		return model.Mismatch{Gain: gain, Tau: tau, Offset: offset * volts, AutoZero: 1}
	}
	var list []*Condition
	for _, of := range []struct {
		name     string
		mismatch model.Mismatch
		offsets  bool
	}{
		{"gains", spread(o.Gain, 0, 0), false},
		{"gains and time constants", spread(o.Gain, o.Tau, 0), false},
		{"offsets", spread(0, 0, o.Offset), true},
		{"gains and offsets", spread(o.Gain, 0, o.Offset), true},
		{"all", spread(o.Gain, o.Tau, o.Offset), true},
	} {
		list = append(list, &Condition{Name: of.name, Mismatch: of.mismatch})
		if !of.offsets {
			continue
		}
		zeroed := of.mismatch
		zeroed.AutoZero, zeroed.Zeroed = o.AutoZero, "all"
		learning := zeroed
		learning.Zeroed = "learning"
		list = append(list,
			&Condition{Name: of.name + ", bias weight", Mismatch: of.mismatch, BiasWeight: true},
			&Condition{Name: of.name + ", auto-zero", Mismatch: zeroed},
			&Condition{Name: of.name + ", auto-zero of learning", Mismatch: learning},
			&Condition{Name: of.name + ", auto-zero of learning, bias weight", Mismatch: learning, BiasWeight: true})
	}
	if o.Level == "transistor" {
		// Nulls are the remedy of offsets, those that are drawn and those of transistors.
		list = append(list[:2:2],
			&Condition{Name: "offsets, nulled", Mismatch: spread(0, 0, o.Offset)},
			&Condition{Name: "gains and offsets, nulled", Mismatch: spread(o.Gain, 0, o.Offset)},
			&Condition{Name: "thresholds", AVT: o.AVT},
			&Condition{Name: "thresholds, not nulled", AVT: o.AVT, NotNulled: true})
	}
	if o.Only == nil {
		return list, nil
	}
	var names []string
	byName := map[string]*Condition{}
	for _, c := range list {
		names = append(names, c.Name)
		byName[c.Name] = c
	}
	var some []*Condition
	for _, name := range o.Only {
		if byName[name] == nil {
			return nil, fmt.Errorf("there is no condition %q; there are %s", name, strings.Join(names, "; "))
		}
		some = append(some, byName[name])
	}
	return some, nil
}

// equipped is a copy of the network, with the bias weights that a condition wants.
func equipped(net *model.Network, c *Condition) *model.Network {
	out := clone(net)
	if c.BiasWeight {
		for _, p := range out.Populations {
			p.PlasticBias, p.EtaBias = true, biasRate(out, p)
		}
	}
	return out
}

// biasRate is the learning rate of a bias weight: that of the population's
// incoming weights.
func biasRate(net *model.Network, p *model.Population) float64 {
	rate := p.EtaBias
	for _, k := range net.Projections {
		if k.To == p && k.Plastic && rate == 0 {
			rate = k.Eta
		}
	}
	return rate
}

// quantile of a list, 0 to 1, between its values by straight lines.
func quantile(xs []float64, q float64) float64 {
	sorted := slices.Sorted(slices.Values(xs))
	at := q * float64(len(sorted)-1)
	k := min(int(at), len(sorted)-2)
	if len(sorted) < 2 {
		return sorted[0]
	}
	return sorted[k] + (at-float64(k))*(sorted[k+1]-sorted[k])
}

// Table sums the study up: medians and the 90th percentile in units of the
// unperturbed loss; the median over circuits of what learning reaches over what
// loading does; who wins, and how likely that or more is by chance.
func (s *MismatchStudy) Table() [][]string {
	rows := [][]string{{"parts differ in", "learned, median", "90 %", "loaded, median", "90 %", "learned/loaded", "learner wins", "p", "within 2x"}}
	times := func(xs []float64, q float64) string {
		return strconv.FormatFloat(quantile(xs, q)/s.Unperturbed, 'g', 3, 64)
	}
	for _, c := range s.Conditions {
		rows = append(rows, []string{
			c.Name, times(c.Learned, 0.5), times(c.Learned, 0.9), times(c.Loaded, 0.5), times(c.Loaded, 0.9),
			strconv.FormatFloat(quantile(c.ratios(), 0.5), 'g', 3, 64),
			fmt.Sprintf("%d of %d", c.Wins(), len(c.Learned)), strconv.FormatFloat(c.SignTest(), 'g', 1, 64), fmt.Sprintf("%d of %d", c.Within(2*s.Unperturbed), len(c.Learned)),
		})
	}
	return rows
}

// String sums the study up in one line.
func (s *MismatchStudy) String() string {
	text := fmt.Sprintf("%s (%s): a circuit of equal parts ends at a loss of %.3g, and begins at %.3g; gains differ by %g, time constants by %g, offsets by %g",
		s.Model, s.Level, s.Unperturbed, s.Start, s.Gain, s.Tau, s.Offset)
	if s.Level != "transistor" {
		return text + fmt.Sprintf(", of which auto-zeroing leaves %g", s.AutoZero)
	}
	if s.AVT > 0 {
		text += fmt.Sprintf(", thresholds by %g V m over the root of the area", s.AVT)
	}
	for _, c := range s.Conditions {
		if c.Rejected > 0 {
			text += fmt.Sprintf("; %s: %d circuits more had offsets that no current nulls", c.Name, c.Rejected)
		}
	}
	return text
}

// Picture shows all samples of every condition, sorted: what share of the
// circuits ends below a loss.
func (s *MismatchStudy) Picture() *plot.Figure {
	var panels []plot.Distribution
	for _, c := range s.Conditions {
		panels = append(panels, plot.Distribution{Name: c.Name, Groups: [][]float64{c.Learned, c.Loaded}})
	}
	return plot.Distributions(s.Model+": unequal parts ("+s.Level+" cells)",
		"final loss of every circuit; the line is a circuit of equal parts", "loss",
		[]string{"trained itself", "software's weights loaded"}, s.Unperturbed, panels)
}
