package sweep

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"vlec/internal/plot"
	"vlec/model"
	"vlec/sim/crosscheck"
	"vlec/sim/reference"
)

// CornerOptions say how far conditions go. A list holds values beside the model's own;
// supply, resistors and capacitors are factors of the nominal ones.
type CornerOptions struct {
	Level        string    // of the cells; "" is ideal
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
	// Losses, weights held: of what the circuit learned here, of what the same circuit
	// learned under nominal conditions, and of what software learned.
	Learned float64 `json:"learned"`
	Kept    float64 `json:"kept"`
	Loaded  float64 `json:"loaded"`
}

// A CornerStudy is a circuit under conditions that its designer does not choose.
type CornerStudy struct {
	Model   string    `json:"model"`
	Level   string    `json:"level"`
	Seed    uint64    `json:"seed"`
	Start   float64   `json:"start"` // loss of the weights that training begins with
	Corners []*Corner `json:"corners"`
}

// corners lists the nominal conditions, those that differ in one quantity, and the two
// at which everything slows the circuit down or speeds it up.
func (o *CornerOptions) corners(h model.SpiceHardware) []*Corner {
	nominal := Corner{Name: "nominal", Temperature: h.Temperature, Supply: h.Supply, Resistors: h.Resistors, Capacitors: h.Capacitors}
	list := []*Corner{&nominal}
	slow, fast := nominal, nominal
	slow.Name, fast.Name = "slowest", "fastest"
	vary := func(what, unit string, values []float64, of func(*Corner) *float64, rising bool) {
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
	}
	vary("temperature", " °C", o.Temperatures, func(c *Corner) *float64 { return &c.Temperature }, true)
	vary("supply", "", o.Supplies, func(c *Corner) *float64 { return &c.Supply }, false)
	vary("resistors", "", o.Resistors, func(c *Corner) *float64 { return &c.Resistors }, true)
	vary("capacitors", "", o.Capacitors, func(c *Corner) *float64 { return &c.Capacitors }, true)
	if len(list) > 2 {
		list = append(list, &slow, &fast)
	}
	return list
}

// Corners runs the study. The software trains once, under conditions that it does not
// know; the circuit trains in every corner.
func Corners(ctx context.Context, net *model.Network, o CornerOptions) (*CornerStudy, error) {
	if o.Level == "" {
		o.Level = "ideal"
	}
	if o.Window == 0 {
		o.Window = net.Duration / 20
	}
	s := &CornerStudy{Model: net.Name, Level: o.Level, Seed: net.Seed, Corners: o.corners(net.Hardware.Spice)}
	_, trained, err := reference.Run(ctx, net, reference.Options{Semantics: reference.Continuous, Learning: true, Signals: []string{}})
	if err != nil {
		return nil, err
	}
	software := fromReference(trained)
	dir, err := os.MkdirTemp("", "vlec-corners-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	b := bench{level: o.Level, window: o.Window, maxStep: o.MaxStep}
	if s.Start, err = b.holds(ctx, net, nil, dir); err != nil {
		return nil, err
	}
	at := func(c *Corner) *model.Network {
		there := clone(net)
		h := &there.Hardware.Spice
		h.Temperature, h.Supply, h.Resistors, h.Capacitors = c.Temperature, c.Supply, c.Resistors, c.Capacitors
		return there
	}
	nominal, err := b.trains(ctx, at(s.Corners[0]), dir)
	if err != nil {
		return nil, err
	}
	return s, parallel(ctx, len(s.Corners), o.Progress, func(k int) error {
		c, own := s.Corners[k], filepath.Join(dir, strconv.Itoa(k))
		there := at(c)
		learned, err := nominal, error(nil)
		if k > 0 {
			learned, err = b.trains(ctx, there, own)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", c.Name, err)
		}
		for _, w := range []struct {
			weights weights
			loss    *float64
		}{{learned, &c.Learned}, {nominal, &c.Kept}, {software, &c.Loaded}} {
			if *w.loss, err = b.holds(ctx, there, w.weights, own); err != nil {
				return fmt.Errorf("%s: %w", c.Name, err)
			}
		}
		return nil
	})
}

// A bench is how circuits are trained and measured.
type bench struct {
	level           string
	window, maxStep float64
	noNull          bool // leave the offsets of transistor cells
}

// trains lets a circuit train itself, and returns what it learned.
func (b *bench) trains(ctx context.Context, net *model.Network, at string) (weights, error) {
	t, err := crosscheck.Train(ctx, net, crosscheck.TrainOptions{Level: b.level, Dir: at, NoCheck: true, MaxStep: b.maxStep, NoNull: b.noNull})
	if err != nil {
		return nil, err
	}
	return t.Weights, nil
}

// holds is the loss of a circuit with given weights, held.
func (b *bench) holds(ctx context.Context, net *model.Network, w weights, at string) (float64, error) {
	t, err := crosscheck.Train(ctx, shortened(load(clone(net), w), b.window), crosscheck.TrainOptions{
		Level: b.level, Dir: at, Frozen: true, NoCheck: true, Window: b.window, MaxStep: b.maxStep, NoNull: b.noNull,
	})
	if err != nil {
		return 0, err
	}
	return t.Last, nil
}

// Table lists the corners, losses in units of the nominal one.
func (s *CornerStudy) Table() [][]string {
	rows := [][]string{{"corner", "learned there", "learned at nominal", "software's weights"}}
	times := func(x float64) string { return strconv.FormatFloat(x/s.Corners[0].Learned, 'g', 3, 64) }
	for _, c := range s.Corners {
		rows = append(rows, []string{c.Name, times(c.Learned), times(c.Kept), times(c.Loaded)})
	}
	return rows
}

// Write writes the study as JSON.
func (s *CornerStudy) Write(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(s)
}

// String sums the study up in one line.
func (s *CornerStudy) String() string {
	worst := s.Corners[0]
	for _, c := range s.Corners {
		if c.Learned > worst.Learned {
			worst = c
		}
	}
	return fmt.Sprintf("%s (%s): from %.3g, the circuit learns to %.3g under nominal conditions, and to %.3g at worst (%s)",
		s.Model, s.Level, s.Start, s.Corners[0].Learned, worst.Learned, worst.Name)
}

// Picture shows the three losses of every corner.
func (s *CornerStudy) Picture() *plot.Figure {
	rows := make([]plot.Row, len(s.Corners))
	for i, c := range s.Corners {
		rows[i] = plot.Row{Name: c.Name, Values: []float64{c.Learned, c.Kept, c.Loaded}}
	}
	return plot.Rows(s.Model+": corners ("+s.Level+" cells)", "final loss of the circuit; the line is what it learns under nominal conditions", "loss",
		[]string{"learned there", "learned at nominal", "software's weights"}, s.Corners[0].Learned, rows)
}
