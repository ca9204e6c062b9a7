package sweep

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"vlec/internal/plot"
	"vlec/model"
	"vlec/sim/reference"
)

// CornerOptions say how far conditions go. A list holds values beside the model's own;
// supply, resistors and capacitors are factors of the nominal ones.
type CornerOptions struct {
	Level        string    // of the cells; "" is ideal
	Engine       string    // "builtin" or "ngspice"; "" is builtin
	Bias         string    // of transistors, see model.SpiceHardware; "": the model's
	Temperatures []float64 // degrees Celsius
	Supplies     []float64
	Resistors    []float64
	Capacitors   []float64
	Window       float64 // over which a final loss is a mean [time unit]; 0: a twentieth of the run
	MaxStep      float64 // longest step of the circuits [time unit]; 0: the model's
	Progress     func(stage string, done float64)
}

// A Corner is one set of conditions, and what becomes of the circuit there.
type Corner struct {
	Name        string  `json:"name"`
	Temperature float64 `json:"temperature"` // degrees Celsius
	Supply      float64 `json:"supply"`      // of the nominal
	Resistors   float64 `json:"resistors"`
	Capacitors  float64 `json:"capacitors"`
	// Where the offsets of transistors were nulled: under nominal conditions, or here.
	Nulls string `json:"nulls,omitempty"`
	// How far rates and errors are from the reference's with the weights that training
	// begins with (nrmse, worst neuron).
	Rates  float64 `json:"rates"`
	Errors float64 `json:"errors"`
	// Losses, weights held: of what the circuit learned here, of what the same circuit
	// learned under nominal conditions, and of what software learned.
	Learned float64 `json:"learned"`
	Kept    float64 `json:"kept"`
	Loaded  float64 `json:"loaded"`
	// Why there is no such circuit here; nothing was measured then.
	Fails string `json:"fails,omitempty"`
}

// A CornerStudy is a circuit under conditions that its designer does not choose.
type CornerStudy struct {
	Model     string    `json:"model"`
	Level     string    `json:"level"`
	Engine    string    `json:"engine"`
	Bias      string    `json:"bias,omitempty"` // of transistors
	Seed      uint64    `json:"seed"`
	Start     float64   `json:"start"`     // loss of the weights that training begins with
	Reference float64   `json:"reference"` // loss of the reference with what it learned
	Corners   []*Corner `json:"corners"`
}

// corners lists the nominal conditions, those that differ in one quantity, and the two
// at which everything slows the circuit down or speeds it up.
func (o *CornerOptions) corners(h model.SpiceHardware) []*Corner {
	nominal := Corner{Name: "nominal", Temperature: h.Temperature, Supply: h.Supply, Resistors: h.Resistors, Capacitors: h.Capacitors}
	list := []*Corner{&nominal}
	slow, fast := nominal, nominal
	slow.Name, fast.Name = "slowest", "fastest"
	quantities := 0
	vary := func(what, unit string, values []float64, of func(*Corner) *float64, rising bool) {
		before := len(list)
		for _, v := range values {
			c := nominal
			c.Name = what + " " + strconv.FormatFloat(v, 'g', -1, 64) + unit
			if *of(&c) == v {
				continue
			}
			*of(&c) = v
			list = append(list, &c)
			slowest, fastest := of(&slow), of(&fast)
			if !rising {
				slowest, fastest = fastest, slowest
			}
			*slowest, *fastest = max(*slowest, v), min(*fastest, v)
		}
		if len(list) > before {
			quantities++
		}
	}
	vary("temperature", " °C", o.Temperatures, func(c *Corner) *float64 { return &c.Temperature }, true)
	vary("supply", "", o.Supplies, func(c *Corner) *float64 { return &c.Supply }, false)
	vary("resistors", "", o.Resistors, func(c *Corner) *float64 { return &c.Resistors }, true)
	vary("capacitors", "", o.Capacitors, func(c *Corner) *float64 { return &c.Capacitors }, true)
	if quantities > 1 {
		list = append(list, &slow, &fast)
	}
	return list
}

// nulled is the list with every corner of temperature or supply twice: with the nulls
// that the circuit had under nominal conditions, and with nulls found again. Resistors
// move nulls and what they null alike, and capacitors neither.
func nulled(list []*Corner) []*Corner {
	var out []*Corner
	for _, c := range list {
		c.Nulls = "nominal"
		out = append(out, c)
		if c.Temperature != list[0].Temperature || c.Supply != list[0].Supply {
			again := *c
			again.Nulls = "here"
			out = append(out, &again)
		}
	}
	return out
}

// meets is a copy of the network under the conditions of a corner.
func (c *Corner) meets(net *model.Network) *model.Network {
	there := clone(net)
	h := &there.Hardware.Spice
	h.Temperature, h.Supply, h.Resistors, h.Capacitors = c.Temperature, c.Supply, c.Resistors, c.Capacitors
	if c.Nulls != "" {
		h.Nulls = c.Nulls
	}
	return there
}

// Corners runs the study. The software trains once, under conditions that it does not
// know; the circuit trains in every corner.
func Corners(ctx context.Context, net *model.Network, o CornerOptions) (*CornerStudy, error) {
	o.Level, o.Engine = cmp.Or(o.Level, "ideal"), cmp.Or(o.Engine, "builtin")
	o.Window = cmp.Or(o.Window, net.Duration/20)
	s := &CornerStudy{Model: net.Name, Level: o.Level, Engine: o.Engine, Seed: net.Seed, Corners: o.corners(net.Hardware.Spice)}
	if o.Level == "transistor" {
		net = clone(net)
		net.Hardware.Spice.Bias = cmp.Or(o.Bias, net.Hardware.Spice.Bias)
		s.Bias, s.Corners = net.Hardware.Spice.Bias, nulled(s.Corners)
	}
	_, trained, err := reference.Run(ctx, net, reference.Options{Semantics: reference.Continuous, Learning: true, Signals: []string{}})
	if err != nil {
		return nil, err
	}
	software := fromReference(trained)
	if s.Reference, err = holdsInReference(ctx, net, software, o.Window); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "vlec-corners-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	b := bench{level: o.Level, engine: o.Engine, window: o.Window, maxStep: o.MaxStep}
	if s.Start, err = b.holds(ctx, net, nil, dir); err != nil {
		return nil, err
	}
	nominal, err := b.trains(ctx, s.Corners[0].meets(net), dir)
	if err != nil {
		return nil, err
	}
	return s, parallel(ctx, len(s.Corners), o.Progress, func(k int) error {
		c, own := s.Corners[k], filepath.Join(dir, strconv.Itoa(k))
		if err := b.measures(ctx, c, net, nominal, software, own); err != nil {
			if c.Fails = unfit(ctx, err); k == 0 || c.Fails == "" {
				return fmt.Errorf("%s: %w", c.Name, err)
			}
			c.Rates, c.Errors, c.Learned, c.Kept, c.Loaded = 0, 0, 0, 0, 0
		}
		return os.RemoveAll(own)
	})
}

// measures finds what becomes of a circuit in a corner.
func (b *bench) measures(ctx context.Context, c *Corner, net *model.Network, nominal, software weights, at string) error {
	there := c.meets(net)
	off, err := b.follows(ctx, there, at)
	if err != nil {
		return err
	}
	c.Rates, c.Errors = off["r"].NRMSE, off["e"].NRMSE
	learned := nominal
	if c.Name != "nominal" {
		if learned, err = b.trains(ctx, there, at); err != nil {
			return err
		}
	}
	for _, w := range []struct {
		weights weights
		loss    *float64
	}{{learned, &c.Learned}, {nominal, &c.Kept}, {software, &c.Loaded}} {
		if *w.loss, err = b.holds(ctx, there, w.weights, at); err != nil {
			return err
		}
	}
	return nil
}

// Table lists the corners, losses in units of the nominal one.
func (s *CornerStudy) Table() [][]string {
	head := []string{"corner", "rates off", "errors off", "learned there", "of the reference's", "learned at nominal", "software's weights"}
	if s.Bias != "" {
		head = slices.Insert(head, 1, "nulls")
	}
	rows := [][]string{head}
	short := func(x float64) string { return strconv.FormatFloat(x, 'g', 3, 64) }
	times := func(x float64) string { return short(x / s.Corners[0].Learned) }
	for _, c := range s.Corners {
		row := []string{c.Name, "fails", "", "", "", "", ""}
		if c.Fails == "" {
			row = []string{c.Name, short(c.Rates), short(c.Errors), times(c.Learned), short(c.Learned / s.Reference), times(c.Kept), times(c.Loaded)}
		}
		if s.Bias != "" {
			row = slices.Insert(row, 1, c.Nulls)
		}
		rows = append(rows, row)
	}
	return rows
}

// label is the name of a corner with what tells it from the other of that name.
func (c *Corner) label() string {
	if c.Nulls != "here" {
		return c.Name
	}
	return c.Name + ", nulled"
}

// String sums the study up in one line.
func (s *CornerStudy) String() string {
	worst := s.Corners[0]
	for _, c := range s.Corners {
		if c.Learned > worst.Learned {
			worst = c
		}
	}
	text := fmt.Sprintf("%s (%s): from %.3g, the circuit learns to %.3g under nominal conditions, and to %.3g at worst (%s); the reference learns to %.3g",
		s.Model, s.Level, s.Start, s.Corners[0].Learned, worst.Learned, worst.label(), s.Reference)
	for _, c := range s.Corners {
		if c.Fails != "" {
			text += fmt.Sprintf("; %s: %s", c.label(), c.Fails)
		}
	}
	return text
}

// Picture shows the three losses of every corner.
func (s *CornerStudy) Picture() *plot.Figure {
	var rows []plot.Row
	for _, c := range s.Corners {
		if c.Fails == "" {
			rows = append(rows, plot.Row{Name: c.label(), Values: []float64{c.Learned, c.Kept, c.Loaded}})
		}
	}
	return plot.Rows(s.Model+": corners ("+s.Level+" cells)", "final loss of the circuit; the line is what it learns under nominal conditions", "loss",
		[]string{"learned there", "learned at nominal", "software's weights"}, s.Corners[0].Learned, rows)
}
