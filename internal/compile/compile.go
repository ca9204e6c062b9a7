// Package compile joins the stages from a checked model to the files of a
// target: lowering, the passes, emission. It is what the commands and the
// cross-checks share, so that what is verified is what is emitted.
//
// # For maintainers
//
// The stages do not know one another: lower gives a graph, passes rewrite it,
// emitters print it. Somebody has to say in which order and with which of the
// model's settings; doing so twice would let two commands drift apart.
package compile

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"

	"vlec/circuit"
	"vlec/circuit/pass"
	"vlec/emit"
	"vlec/emit/spice"
	"vlec/internal/calibrate"
	"vlec/internal/operating"
	"vlec/model"
)

// Generator names the tool and its version in the header of what it emits.
const Generator = "vlec 0.1"

// Analog lowers a model to a circuit in volts and seconds. Where the model leaves
// its voltage unit to be chosen, the reference runs first. The list says which
// parts were rounded.
func Analog(ctx context.Context, net *model.Network, o SpiceOptions) (*circuit.Circuit, []pass.Rounding, error) {
	var observed map[string]pass.Range
	if net.Hardware.Spice.VoltageUnit == 0 {
		var err error
		if observed, err = observe(ctx, net, o.Learning, nil); err != nil {
			return nil, nil, err
		}
	}
	var list []pass.Rounding
	c, err := analog(net, o, observed, &list)
	return c, list, err
}

// SpiceOptions choose the form of a netlist.
type SpiceOptions struct {
	Learning bool
	Dialect  string  // "" is ngspice
	Level    string  // "" is ideal
	MOS      string  // the library of transistors of a design kit; "" is the generic one
	MaxStep  float64 // longest step of the transient [model time unit]; 0: the model's, or from the smallest time constant

	// Resume goes on where a run of the same model stopped, nil begins at the model's
	// initial state; Stop is when this run stops, 0 at the model's duration.
	Resume *Checkpoint
	Stop   float64

	Save   []string // signals to record, beside the states; nil: all
	NoNull bool     // leave the offsets of cells as they are
	Frozen bool     // the stores are there, and all else of the learning, but hold what they have
}

// A Checkpoint is where a run of a circuit stopped: the states by element, in model
// units, so that the next run may have other units, another level or simulator.
type Checkpoint struct {
	Model  string               `json:"model"`
	Hash   string               `json:"hash"`
	Time   float64              `json:"time"` // [model time unit]
	States map[string][]float64 `json:"states"`
}

// Read reads a checkpoint file, and wants it to be of that model.
func Read(path string, net *model.Network) (*Checkpoint, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var c Checkpoint
	if err := json.Unmarshal(text, &c); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if c.Hash != net.Hash {
		return nil, fmt.Errorf("%s was left by a run of another model or of another version of %s; give the one of this model", path, net.Name)
	}
	if !(c.Time > 0 && c.Time < net.Duration) {
		return nil, fmt.Errorf("%s: the run stopped at %g; the model lasts %g", path, c.Time, net.Duration)
	}
	return &c, nil
}

// Spice compiles a model to a netlist and adds its files to the artefacts.
func Spice(ctx context.Context, net *model.Network, o SpiceOptions, files *emit.Artifacts) (*spice.Map, error) {
	c, rounded, err := Analog(ctx, net, o)
	if err != nil {
		return nil, err
	}
	step := o.MaxStep
	if step == 0 {
		step = net.Hardware.Spice.MaxStep
	}
	options := spice.Options{
		Dialect:   o.Dialect,
		Level:     o.Level,
		Process:   process(net.Hardware.Spice),
		MOS:       o.MOS,
		Generator: Generator,
		Hash:      net.Hash,
		Seed:      net.Seed,
		Drawn:     drawn(net, c.Units.Voltage),
		Dt:        net.Dt * c.Units.Time,
		Stop:      o.length(net) * c.Units.Time,
		MaxStep:   step * c.Units.Time,
		Save:      o.Save, SaveStates: true,
	}
	if o.MOS != "" && (!spice.Biased(o.Level) || o.Dialect != "" && o.Dialect != "ngspice") {
		return nil, errors.New("the transistors of a design kit are those of the transistor level, in ngspice")
	}
	if spice.Biased(o.Level) {
		if options.Process.Corrections, err = operating.Correct(ctx, c.Units, options.Process, o.MOS); err != nil {
			return nil, fmt.Errorf("%s: %w", net.File, err)
		}
		if !o.NoNull {
			if options.Nulls, err = nulls(ctx, net, c, o, options); err != nil {
				return nil, fmt.Errorf("%s: %w", net.File, err)
			}
		}
	}
	if spice.Biased(o.Level) && o.MOS == "" { // a kit's ngspice finds where its own run begins
		var search emit.Artifacts
		cold := options
		cold.Dialect = "ngspice" // whose words the built-in engine reads
		if _, err := spice.Emit(c, cold, &search); err != nil {
			return nil, err
		}
		if options.Start, err = operating.Start(ctx, &search); err != nil {
			return nil, fmt.Errorf("%s: %w", net.File, err)
		}
	}
	m, err := spice.Emit(c, options, files)
	if err == nil {
		m.Rounding = math.Abs(worst(rounded).Error)
	}
	return m, err
}

// nulls are found under the conditions of the model, or under nominal ones and taken
// along: currents, which are multiples of the unit of current.
func nulls(ctx context.Context, net *model.Network, c *circuit.Circuit, o SpiceOptions, options spice.Options) (map[string]float64, error) {
	if net.Hardware.Spice.Nulls != "nominal" {
		return calibrate.Nulls(ctx, c, options)
	}
	nominal := *net
	h := &nominal.Hardware.Spice
	h.Temperature, h.Supply, h.Resistors, h.Capacitors = 27, 1, 1, 1
	designed, _, err := Analog(ctx, &nominal, o)
	if err != nil {
		return nil, err
	}
	corrections := options.Process.Corrections
	options.Process = process(*h)
	options.Process.Corrections = corrections
	list, err := calibrate.Nulls(ctx, designed, options)
	for name, v := range list {
		list[name] = spice.RoundNull(v*c.Units.Voltage/designed.Units.Voltage, c.Units.Voltage)
	}
	return list, err
}

// length of the run [model time unit].
func (o SpiceOptions) length(net *model.Network) float64 {
	stop := net.Duration
	if o.Stop > 0 {
		stop = o.Stop
	}
	if o.Resume != nil {
		stop -= o.Resume.Time
	}
	return stop
}

// Parts are the units and the parts that a model declares. A unit of voltage that is
// still to be chosen is a tenth of a volt.
func Parts(net *model.Network) (circuit.Units, spice.Process) {
	h := net.Hardware.Spice
	u := circuit.Units{Time: h.TimeUnit, Voltage: h.VoltageUnit, Resistance: h.ResistanceUnit}
	if u.Voltage == 0 {
		u.Voltage = 0.1
	}
	return u, process(h)
}

// process is what a model declares of the parts of its circuit. The supply moves
// what it limits; pairs of transistors bend at a potential that is proportional to
// the absolute temperature.
func process(h model.SpiceHardware) spice.Process {
	p := spice.Process{
		OpAmp:       spice.OpAmp(h.OpAmp),
		OTA:         spice.OTA(h.OTA),
		Store:       spice.Store{Leak: h.Store.Leak},
		Transistors: spice.Transistors(h.Transistors),
		Knee:        h.Knee,
		Area:        h.Mismatch.Area,
		Pair:        (h.Temperature + 273.15) / 300.15,
		Supply:      h.Supply,
		PTAT:        h.Bias == "ptat",
	}
	p.OpAmp.Rail *= h.Supply
	p.OpAmp.Slew *= h.Supply
	p.OTA.Range *= h.Supply * p.Pair
	p.Knee *= p.Pair
	return p
}
