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
	"math"

	"vlec/circuit"
	"vlec/circuit/pass"
	"vlec/emit"
	"vlec/emit/spice"
	"vlec/model"
)

// Generator names the tool and its version in the header of what it emits.
const Generator = "vlec 0.1"

// Analog lowers a model to a circuit in volts and seconds. Where the model leaves
// its voltage unit to be chosen, the reference runs first. The list says which
// parts were rounded.
func Analog(ctx context.Context, net *model.Network, learning bool) (*circuit.Circuit, []pass.Rounding, error) {
	var observed map[string]pass.Range
	if net.Hardware.Spice.VoltageUnit == 0 {
		var err error
		if observed, err = observe(ctx, net, learning, nil); err != nil {
			return nil, nil, err
		}
	}
	var list []pass.Rounding
	c, err := analog(net, learning, observed, &list)
	return c, list, err
}

// SpiceOptions choose the form of a netlist.
type SpiceOptions struct {
	Learning bool
	Dialect  string  // "" is ngspice
	Level    string  // "" is ideal
	MaxStep  float64 // longest step of the transient [model time unit]; 0: the model's, or from the smallest time constant
}

// Spice compiles a model to a netlist and adds its files to the artefacts.
func Spice(ctx context.Context, net *model.Network, o SpiceOptions, files *emit.Artifacts) (*spice.Map, error) {
	c, rounded, err := Analog(ctx, net, o.Learning)
	if err != nil {
		return nil, err
	}
	step := o.MaxStep
	if step == 0 {
		step = net.Hardware.Spice.MaxStep
	}
	m, err := spice.Emit(c, spice.Options{
		Dialect:   o.Dialect,
		Level:     o.Level,
		Process:   process(net.Hardware.Spice),
		Generator: Generator,
		Hash:      net.Hash,
		Seed:      net.Seed,
		Drawn:     drawn(net, c.Units.Voltage),
		Stop:      net.Duration * c.Units.Time,
		MaxStep:   step * c.Units.Time,
	}, files)
	if err == nil {
		m.Rounding = math.Abs(worst(rounded).Error)
	}
	return m, err
}

// process is what a model declares of the parts of its circuit. The supply moves
// what it limits; pairs of transistors bend at a potential that is proportional to
// the absolute temperature.
func process(h model.SpiceHardware) spice.Process {
	p := spice.Process{
		OpAmp: spice.OpAmp(h.OpAmp),
		OTA:   spice.OTA(h.OTA),
		Store: spice.Store(h.Store),
		Knee:  h.Knee,
		Pair:  (h.Temperature + 273.15) / 300.15,
	}
	p.OpAmp.Rail *= h.Supply
	p.OpAmp.Slew *= h.Supply
	p.OTA.Range *= h.Supply * p.Pair
	p.Knee *= p.Pair
	return p
}
