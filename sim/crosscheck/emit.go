package crosscheck

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"vlec/emit"
	"vlec/emit/verilog"
	"vlec/emit/verilog/device"
	"vlec/emit/verilog/format"
	"vlec/internal/compile"
	"vlec/model"
)

// VerilogOptions choose the form of a fixed-point core. What is left open is the
// model's, or the planner's.
type VerilogOptions struct {
	Learning bool
	Bits     int     // operand width
	Error    float64 // or the largest distance of a rate that leaves the core from the reference
	Device   string
	Lanes    int     // verilog.Auto: as the device and the clock want it; 0: so with a clock, or 1
	Clock    float64 // [MHz] that must keep up with real time; 0: none
	Steps    int     // of the golden run; 0: 200
	Whole    bool    // the golden run is the model's duration, and nothing disturbs it
}

// fill takes from the model what the options leave open.
func (o *VerilogOptions) fill(net *model.Network) {
	hw := net.Hardware.Verilog
	if o.Device == "" {
		o.Device = hw.Device
	}
	if o.Bits == 0 && o.Error == 0 {
		o.Bits, o.Error = hw.Bits, hw.Error
	}
	if o.Clock == 0 {
		o.Clock = hw.Clock
	}
	if o.Lanes == 0 {
		o.Lanes = hw.Lanes
	}
	if o.Lanes == 0 {
		o.Lanes = 1
		if o.Clock > 0 {
			o.Lanes = verilog.Auto
		}
	}
	if o.Steps == 0 {
		o.Steps = 200
	}
}

// EmitVerilog plans a model, builds its core, and adds modules, testbench with
// golden vectors, and manifest to the artefacts.
func EmitVerilog(ctx context.Context, net *model.Network, o VerilogOptions, files *emit.Artifacts) (*verilog.Core, error) {
	o.fill(net)
	with, err := newPlanner(ctx, net, o.Learning)
	if err != nil {
		return nil, err
	}
	p, err := with.asked(ctx, o)
	if err != nil {
		return nil, err
	}
	core, err := verilog.New(p, verilog.Options{Generator: compile.Generator, Hash: net.Hash, Lanes: o.Lanes, Demand: o.demand(net)})
	if short, ok := errors.AsType[*verilog.FitError](err); ok {
		return nil, &ShortError{FitError: short, Instead: instead(ctx, with, o, p.Bits)}
	}
	if err != nil {
		return nil, err
	}
	v := verilog.NewVectors(o.Steps)
	if o.Whole {
		v = verilog.Undisturbed(Steps(net))
	}
	if err := goldenRun(net, core, v); err != nil {
		return nil, err
	}
	return core, core.Add(v, files)
}

// formats are what the planner is asked for.
func (o *VerilogOptions) formats() format.Options {
	return format.Options{Bits: o.Bits, Device: o.Device, Frozen: !o.Learning}
}

// demand is what lanes are looked for.
func (o *VerilogOptions) demand(net *model.Network) verilog.Demand {
	return verilog.Demand{Clock: o.Clock, Step: net.Dt * net.Hardware.Verilog.TimeUnit}
}

// A ShortError says that no number of lanes will do, and what would instead.
type ShortError struct {
	*verilog.FitError
	Instead []string
}

func (e *ShortError) Error() string {
	text := e.FitError.Error()
	if len(e.Instead) == 0 {
		return text + "; neither another device nor fewer bits help"
	}
	return text + "; what would do: " + strings.Join(e.Instead, ", ")
}

func (e *ShortError) Unwrap() error { return e.FitError }

// instead tries other devices, fewer bits, and a core that does not learn, with the
// rest as it is. So many bits keep the error that was asked for, on every device,
// because none changes a word.
func instead(ctx context.Context, with *planner, o VerilogOptions, bits int) []string {
	var list []string
	try := func(what string, with *planner, o VerilogOptions) bool {
		p, err := with.asked(ctx, o)
		if err != nil {
			return false
		}
		fit, err := verilog.NewFit(p, verilog.Options{Demand: o.demand(with.net)})
		if err != nil || fit.Lanes == 0 {
			return false
		}
		list = append(list, fmt.Sprintf("%s (lanes: %d, cycles: %d)", what, fit.Lanes, fit.Candidates[len(fit.Candidates)-1].Cycles))
		return true
	}
	for _, d := range device.Devices {
		if d.Name != o.Device && o.Device != "" {
			other := o
			other.Device = d.Name
			if o.Error > 0 {
				other.Bits, other.Error = bits, 0
			}
			try("--device "+d.Name, with, other)
		}
	}
	for bits := 15; o.Error == 0 && bits >= 8; bits -= 2 {
		fewer := o
		if fewer.Bits = bits; (o.Bits == 0 || bits < o.Bits) && try(fmt.Sprintf("--bits %d", bits), with, fewer) {
			break
		}
	}
	if o.Learning {
		frozen := o
		frozen.Learning = false
		if with, err := newPlanner(ctx, with.net, false); err == nil {
			try("--no-learning", with, frozen)
		}
	}
	return list
}

// goldenRun runs the integer model on the model's own stimuli and teacher, for the
// vectors of a testbench.
func goldenRun(net *model.Network, core *verilog.Core, v *verilog.Vectors) error {
	p := core.Plan
	pair, err := NewPair(net, p, p.Learning)
	if err != nil {
		return err
	}
	f := pair.Core
	for step := range v.Steps {
		if step == v.Clear {
			f.Clear()
		}
		f.Learn = p.Learning && step < v.Still
		pair.Step()
		var sample, answer []int64
		inputs := 0
		for _, q := range core.Schedule.StreamIn() {
			if q.Population >= 0 {
				sample = append(sample, f.Target(q.Population)...)
				continue
			}
			sample = append(sample, f.Input(inputs)...)
			inputs++
		}
		for _, q := range core.Schedule.StreamOut() {
			answer = append(answer, f.Population(q.Population).R...)
		}
		v.Stimulus, v.Expected = append(v.Stimulus, sample), append(v.Expected, answer)
	}
	var w, bias, b [][]int64
	for k := range p.Projections {
		w, b = append(w, f.W(k)), append(b, f.B(k))
	}
	for k := range p.Populations {
		bias = append(bias, f.Bias(k))
	}
	v.Weights = core.Schedule.Arrange(w, bias, b)
	return nil
}
