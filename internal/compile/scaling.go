package compile

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"vlec/circuit"
	"vlec/circuit/lower"
	"vlec/circuit/pass"
	"vlec/emit/spice"
	"vlec/model"
	"vlec/sim"
	"vlec/sim/reference"
)

// A Scaling says how a network was put into volts, seconds, ohms and farads, and
// how well it fits.
type Scaling struct {
	Units     circuit.Units   `json:"units"`
	Speed     float64         `json:"gbw_time_unit,omitempty"` // gain-bandwidth product times the time unit
	Series    string          `json:"series,omitempty"`
	Roundings []pass.Rounding `json:"roundings,omitempty"`
	Headroom  []pass.Headroom `json:"headroom"`
}

// Table lists the signals against their limits.
func (s *Scaling) Table() [][]string {
	rows := [][]string{{"signal", "largest", "volts", "limit", "of", "spare", "noise V", "range dB", ""}}
	short := func(x float64) string { return strconv.FormatFloat(x, 'g', 3, 64) }
	for _, h := range s.Headroom {
		mark := "fits"
		if h.Volts > h.Limit*(1+1e-9) {
			mark = "TOO LARGE"
		}
		rows = append(rows, []string{
			h.Signal, short(h.Largest), short(h.Volts), short(h.Limit), h.Of, short(h.Spare), short(h.Noise), short(h.Dynamic), mark,
		})
	}
	return rows
}

// String sums the report up.
func (s *Scaling) String() string {
	var b strings.Builder
	u := s.Units
	fmt.Fprintf(&b, "1 stands for %.4g V, %.4g A; a time unit is %g s", u.Voltage, u.Voltage/u.Resistance, u.Time)
	if s.Speed > 0 {
		fmt.Fprintf(&b, "; the op-amps' gain-bandwidth product is %.4g per time unit", s.Speed)
	}
	if s.Series != "" {
		worst := worst(s.Roundings)
		fmt.Fprintf(&b, "\n%d parts are rounded to %s", len(s.Roundings), s.Series)
		if worst.Part != "" {
			fmt.Fprintf(&b, "; worst: a %s of %.4g in place of %.4g, which changes %s of %s by %.2g %%",
				worst.Part, worst.Rounded, worst.Wanted, worst.Param, worst.Element, 100*worst.Error)
		}
	}
	if n := len(s.Tight()); n > 0 {
		fmt.Fprintf(&b, "\n%d signals do not fit; choose a smaller voltage_unit, or \"auto\", or better parts", n)
	}
	return b.String()
}

// worst is the rounding with the largest error.
func worst(list []pass.Rounding) pass.Rounding {
	var most pass.Rounding
	for _, r := range list {
		if math.Abs(r.Error) > math.Abs(most.Error) {
			most = r
		}
	}
	return most
}

// Tight lists the signals that do not fit.
func (s *Scaling) Tight() []pass.Headroom {
	return slices.DeleteFunc(slices.Clone(s.Headroom), func(h pass.Headroom) bool { return h.Volts <= h.Limit*(1+1e-9) })
}

// Scale reports how a model becomes a circuit in physical units. It runs the
// reference to see how large the signals get.
func Scale(ctx context.Context, net *model.Network, o SpiceOptions, progress func(float64)) (*Scaling, error) {
	observed, err := observe(ctx, net, o.Learning, progress)
	if err != nil {
		return nil, err
	}
	s := &Scaling{Series: net.Hardware.Spice.Series}
	c, err := analog(net, SpiceOptions{Learning: o.Learning, Level: o.Level}, observed, &s.Roundings)
	if err != nil {
		return nil, err
	}
	s.Units = c.Units
	if o.Level != "transistor" { // which has no op-amps
		s.Speed = net.Hardware.Spice.OpAmp.GBW * c.Units.Time
	}
	s.Headroom, err = pass.Headrooms(c, observed, limitsAt(net, o, c.Units))
	return s, err
}

// limitsAt are those of a level: transistors are sized in units, whatever is declared.
func limitsAt(net *model.Network, o SpiceOptions, u circuit.Units) pass.Limits {
	l := limits(net, u.Resistance)
	if o.Level == "transistor" {
		l.Input, l.Rail, l.Node = spice.Reach*u.Voltage, spice.Reach*u.Voltage, 0
		if o.Learning {
			l.Input = spice.ProductReach * u.Voltage
		}
	}
	return l
}

// limits of the parts that a model declares.
func limits(net *model.Network, r0 float64) pass.Limits {
	h := net.Hardware.Spice
	return pass.Limits{
		Input:       pass.LinearInput(h.OTA.Range),
		Rail:        h.OpAmp.Rail,
		Node:        1 / (2 * math.Pi * h.OTA.Bandwidth * r0),
		Temperature: h.Temperature + 273.15,
	}
}

// observe runs the reference and returns what every signal of the circuit did.
func observe(ctx context.Context, net *model.Network, learning bool, progress func(float64)) (map[string]pass.Range, error) {
	every := net.Probe.Every
	for net.Duration/every*float64(observedWidth(net)) > 5e7 { // peaks last as long as a time constant: few are missed
		every *= 2
	}
	trace, _, err := reference.Run(ctx, net, reference.Options{
		Semantics: reference.Continuous, Learning: learning, Every: every,
		Signals: []string{"u", "y", "r", "v", "e", "W", "B", "bias"},
		Progress: func(done, _ float64) {
			if progress != nil {
				progress(done)
			}
		},
	})
	if err != nil {
		return nil, err
	}
	observed := map[string]pass.Range{}
	for _, s := range trace.Signals {
		observed[s.Name] = rangeOf(s)
	}
	for _, in := range net.Inputs {
		observed[in.Name+".r"] = sampled(in.Channels, net, every)
	}
	for _, t := range net.Targets {
		if t.Signal != nil {
			observed["target/"+t.Name] = sampled(t.Signal, net, every)
		}
	}
	return observed, nil
}

func observedWidth(net *model.Network) int {
	n := 0
	for _, p := range net.Populations {
		n += 5 * p.Size
	}
	for _, p := range net.Projections {
		n += len(p.W)
	}
	return max(1, n)
}

func rangeOf(s *sim.Signal) pass.Range {
	var r pass.Range
	width := s.Width()
	for i := range width {
		sum := 0.0
		for k := range s.Time {
			x := s.Data[k*width+i]
			r.Largest = max(r.Largest, math.Abs(x))
			sum += x * x
		}
		r.RMS = max(r.RMS, math.Sqrt(sum/float64(max(1, len(s.Time)))))
	}
	return r
}

func sampled(channels []model.Waveform, net *model.Network, every float64) pass.Range {
	var r pass.Range
	n := int(net.Duration/every) + 1
	for _, w := range channels {
		sum := 0.0
		for k := range n {
			x := w.At(float64(k) * every)
			r.Largest = max(r.Largest, math.Abs(x))
			sum += x * x
		}
		r.RMS = max(r.RMS, math.Sqrt(sum/float64(n)))
	}
	return r
}

// analog lowers a model and runs the passes. Observed is needed where the model
// leaves its voltage unit to be chosen; roundings are appended to the list.
func analog(net *model.Network, o SpiceOptions, observed map[string]pass.Range, list *[]pass.Rounding) (*circuit.Circuit, error) {
	c, err := lower.Network(net, lower.Options{Learning: o.Learning})
	if err != nil {
		return nil, err
	}
	hw := net.Hardware.Spice
	units := circuit.Units{Time: hw.TimeUnit, Voltage: hw.VoltageUnit, Resistance: hw.ResistanceUnit}
	units = process(hw).Units(o.Level, units)
	if units.Voltage == 0 {
		if units.Voltage, err = pass.FitVoltage(c, observed, limits(net, hw.ResistanceUnit)); err != nil {
			return nil, fmt.Errorf("%s: voltage_unit = \"auto\": %w", net.File, err)
		}
	}
	passes := pass.Analog(units)
	beforeScale := func(p pass.Pass) { passes = slices.Insert(passes, len(passes)-1, p) }
	if spread := Spread(net, units.Voltage); !spread.Zero() {
		beforeScale(pass.Mismatch(spread))
	}
	if s := hw.Store; s.Refresh > 0 {
		beforeScale(pass.Refresh(pass.Refreshing{Period: s.Refresh / units.Time, Grid: s.Grid}))
	}
	if o.Frozen {
		beforeScale(pass.Freeze)
	}
	seed := hw.Mismatch.Seed
	if o.Resume != nil {
		beforeScale(pass.Resume(o.Resume.Time, o.length(net), o.Resume.States))
		seed ^= math.Float64bits(o.Resume.Time) // what follows is not what was
	}
	if hw.Noise > 0 {
		beforeScale(pass.Noise(pass.Thermal{
			Excess: hw.Noise, Kelvin: hw.Temperature + 273.15, Units: units, Length: o.length(net), Seed: seed,
		}))
	}
	if hw.Series != "" {
		round, err := pass.Series(hw.Series, list)
		if err != nil {
			return nil, err
		}
		passes = append(passes, round)
	}
	if hw.Resistors*hw.Capacitors > 0 && (hw.Resistors != 1 || hw.Capacitors != 1) {
		passes = append(passes, pass.Corner(hw.Resistors, hw.Capacitors))
	}
	return c, pass.Run(c, passes)
}

// Spread is the mismatch that a model declares, with offsets in model units.
func Spread(net *model.Network, volts float64) pass.Spread {
	m := net.Hardware.Spice.Mismatch
	s := pass.Spread{Gain: m.Gain, Tau: m.Tau, Offset: m.Offset}
	for _, p := range pass.ThresholdSpreads {
		if m.Process == p.Process && s.Zero() {
			s = pass.FromArea(p.AVT, m.Area, net.Hardware.Spice.Temperature+273.15)
		}
	}
	s.Offset /= volts
	s.Leak = m.Leak
	s.Residue, s.ForwardKept, s.Seed = m.AutoZero, m.Zeroed == "learning", m.Seed
	return s
}

// drawn says in the header of a netlist what its mismatch is.
func drawn(net *model.Network, volts float64) string {
	s := Spread(net, volts)
	noise := ""
	if x := net.Hardware.Spice.Noise; x > 0 {
		noise = fmt.Sprintf("thermal noise of %.4g kT/C in every neuron, drawn with seed %d", x, s.Seed)
	}
	if s.Zero() {
		return noise
	}
	text := fmt.Sprintf("mismatch: log gains %.4g, log time constants %.4g, offsets %.4g V, drawn with seed %d", s.Gain, s.Tau, s.Offset*volts, s.Seed)
	if s.Leak > 0 {
		text += fmt.Sprintf("; log time constants of leakage %.4g", s.Leak)
	}
	if s.Residue < 1 {
		text += fmt.Sprintf("; auto-zeroing leaves %.4g of each offset", s.Residue)
		if s.ForwardKept {
			text += " but those of the forward path, which stay"
		}
	}
	if noise != "" {
		text += "\n" + noise
	}
	return text
}
