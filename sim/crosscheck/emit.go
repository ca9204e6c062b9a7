package crosscheck

import (
	"context"

	"vlec/emit"
	"vlec/emit/verilog"
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
	Lanes    int
	Steps    int  // of the golden run; 0: 200
	Whole    bool // the golden run is the model's duration, and nothing disturbs it
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
	if o.Lanes == 0 {
		o.Lanes = max(hw.Lanes, 1)
	}
	if o.Steps == 0 {
		o.Steps = 200
	}
}

// EmitVerilog plans a model, builds its core, and adds modules, testbench with
// golden vectors, and manifest to the artefacts.
func EmitVerilog(ctx context.Context, net *model.Network, o VerilogOptions, files *emit.Artifacts) (*verilog.Core, error) {
	o.fill(net)
	var p *format.Plan
	var err error
	plan := format.Options{Bits: o.Bits, Device: o.Device, Frozen: !o.Learning}
	if o.Error > 0 {
		p, err = PlanFor(ctx, net, o.Learning, plan, o.Error)
	} else {
		p, err = Plan(ctx, net, o.Learning, plan)
	}
	if err != nil {
		return nil, err
	}
	core, err := verilog.New(p, verilog.Options{Generator: compile.Generator, Hash: net.Hash, Lanes: o.Lanes})
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
	var w, bias [][]int64
	for k := range p.Projections {
		w = append(w, f.W(k))
	}
	for k := range p.Populations {
		bias = append(bias, f.Bias(k))
	}
	v.Weights = core.Schedule.Arrange(w, bias)
	return nil
}
