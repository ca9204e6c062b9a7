package compile

import (
	"context"

	"vlec/circuit/lower"
	"vlec/emit"
	"vlec/emit/verilog"
	"vlec/emit/verilog/format"
	"vlec/model"
)

// VerilogOptions choose the form of a fixed-point core.
type VerilogOptions struct {
	Learning bool
	Bits     int                // operand width; 0: the model's, or the device's
	Device   string             // "" is the model's
	Lanes    int                // 0: the model's
	Observed map[string]float64 // ranges, as Observe finds them; nil: it is asked
	Steps    int                // of the golden run; 0: 200
}

// fill takes from the model what the options leave open, and lets the reference
// run where no ranges are given.
func (o *VerilogOptions) fill(ctx context.Context, net *model.Network) (err error) {
	hw := net.Hardware.Verilog
	if o.Device == "" {
		o.Device = hw.Device
	}
	if o.Bits == 0 {
		o.Bits = hw.Bits
	}
	if o.Lanes == 0 {
		o.Lanes = max(hw.Lanes, 1)
	}
	if o.Observed == nil {
		o.Observed, err = Observe(ctx, net, o.Learning)
	}
	return err
}

// Plan finds the network of a model and plans its formats.
func Plan(ctx context.Context, net *model.Network, o VerilogOptions) (*format.Plan, error) {
	if err := o.fill(ctx, net); err != nil {
		return nil, err
	}
	c, err := lower.Network(net, lower.Options{Learning: o.Learning})
	if err != nil {
		return nil, err
	}
	n, err := format.FromCircuit(c)
	if err != nil {
		return nil, err
	}
	return format.New(n, format.Options{Dt: net.Dt, Bits: o.Bits, Device: o.Device, Frozen: !o.Learning, Observed: o.Observed})
}

// Verilog compiles a model to a fixed-point core and adds its files to the
// artefacts.
func Verilog(ctx context.Context, net *model.Network, o VerilogOptions, files *emit.Artifacts) (*verilog.Core, error) {
	if err := o.fill(ctx, net); err != nil {
		return nil, err
	}
	p, err := Plan(ctx, net, o)
	if err != nil {
		return nil, err
	}
	core, err := verilog.New(p, verilog.Options{Generator: Generator, Hash: net.Hash, Lanes: o.Lanes})
	if err != nil {
		return nil, err
	}
	steps := o.Steps
	if steps == 0 {
		steps = 200
	}
	v, err := Golden(net, core, steps)
	if err != nil {
		return nil, err
	}
	return core, core.Add(v, files)
}
