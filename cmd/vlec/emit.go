package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"strconv"

	"vlec/emit"
	"vlec/emit/verilog"
	"vlec/internal/compile"
	"vlec/sim/crosscheck"
)

type emitCmd struct {
	Spice   emitSpiceCmd   `cmd:"" help:"Write a SPICE netlist (net.cir) with its cells, side map (map.json), bill, graph and the schematic of a neuron."`
	Verilog emitVerilogCmd `cmd:"" help:"Write a fixed-point core in Verilog (rtl/), its testbench (tb/) and what tools need."`
}

type emitSpiceCmd struct {
	Model    string  `arg:"" help:"Model file (TOML)." predictor:"file"`
	Output   string  `short:"o" help:"Folder to write (vlec-out/NAME)." type:"path" placeholder:"DIR"`
	Dialect  string  `help:"Simulator: ${enum}." enum:"ngspice,xyce,ltspice" default:"ngspice"`
	Level    string  `help:"Level of the cells: ${enum}." enum:"ideal,macro,transistor" default:"ideal"`
	Learning bool    `help:"Let the circuit learn; --no-learning freezes the weights." negatable:"" default:"true"`
	Null     bool    `help:"Take the offsets of transistor cells away, which an operating point finds; --no-null leaves them." negatable:"" default:"true"`
	Scaling  bool    `help:"Run the model, and report how its signals fit the voltages, and its parts the series of resistors and capacitors."`
	Bill     bool    `help:"List the cells with their parts, area and power."`
	From     string  `help:"Begin where a run of vlec train stopped, with this checkpoint." type:"existingfile" placeholder:"FILE"`
	MaxStep  float64 `help:"Longest step of the transient, in model time units." placeholder:"T"`
	pdkFlags
}

func (c *emitSpiceCmd) Help() string {
	return `Examples:
  vlec emit spice examples/chain/model.toml --level macro --scaling --bill
  vlec emit spice examples/chain/model.toml -o out && ngspice -b out/net.cir -r out/net.raw`
}

func (c *emitSpiceCmd) Run(g *globals) error {
	net, err := g.load(c.Model)
	if err != nil {
		return err
	}
	dir := outputFolder(c.Output, net)
	var files emit.Artifacts
	o := compile.SpiceOptions{Learning: c.Learning, Dialect: c.Dialect, Level: c.Level, NoNull: !c.Null, MaxStep: c.MaxStep}
	if o.MOS, err = c.library(net, c.Level); err != nil {
		return err
	}
	if c.From != "" {
		if o.Resume, err = compile.Read(c.From, net); err != nil {
			return err
		}
	}
	side, err := compile.Spice(g.ctx, net, o, &files)
	if err != nil {
		return err
	}
	var scaling *compile.Scaling
	if c.Scaling {
		update, stop := g.progress()
		scaling, err = compile.Scale(g.ctx, net, compile.SpiceOptions{Learning: c.Learning, Level: c.Level}, func(done float64) { update("reference", done) })
		stop()
		if err != nil {
			return err
		}
		files.AddJSON("scaling.json", scaling)
	}
	if err := files.Commit(dir); err != nil {
		return err
	}
	if g.JSON {
		return g.json(map[string]any{
			"model": net.Name, "target": "spice", "folder": filepath.ToSlash(dir), "files": files.Paths(), "scaling": scaling, "bill": side.Bill,
		})
	}
	if scaling != nil {
		g.table(scaling.Table())
		g.say("%s", scaling)
	}
	if c.Bill {
		g.table(side.Bill.Table())
		g.say("%s", side.Bill.Assumptions)
	}
	g.say("%s", side.Bill)
	for _, f := range files.Paths() {
		g.say("%s", filepath.ToSlash(filepath.Join(dir, f)))
	}
	return nil
}

type emitVerilogCmd struct {
	Model    string  `arg:"" help:"Model file (TOML)." predictor:"file"`
	Output   string  `short:"o" help:"Folder to write (vlec-out/NAME)." type:"path" placeholder:"DIR"`
	Bits     int     `help:"Width of the operands of multipliers (the model's, or the device's)." xor:"goal" placeholder:"N"`
	Error    float64 `help:"As few bits as keep the rates that leave the core this close to the reference." xor:"goal" placeholder:"E"`
	Device   string  `help:"Part whose multipliers and memories are used: ${devices}." enum:",${devices}" default:"" placeholder:"PART"`
	Lanes    string  `help:"Synapses worked on side by side: a number, or auto for as many as the device holds and the clock needs (the model's; auto with a clock, 1 without)." placeholder:"N"`
	Clock    float64 `help:"Clock of the core in MHz (the model's): a step must be done in the real time that dt stands for." placeholder:"MHZ"`
	Steps    int     `help:"Steps of the golden run in the testbench." default:"200" placeholder:"N"`
	Whole    bool    `help:"Let the golden run last for the model's duration, with nothing in its way: what a core learns in it is what the integer model learns."`
	Learning bool    `help:"Let the core learn; --no-learning freezes the weights and leaves out what learns." negatable:"" default:"true"`
	Estimate bool    `help:"Say what the core takes of the device, before synthesis, and write nothing."`
}

func (c *emitVerilogCmd) Help() string {
	return `Examples:
  vlec emit verilog examples/chain/model.toml -o out --device up5k
  vlec emit verilog examples/chain/model.toml --device up5k --lanes 4 --estimate
  vlec emit verilog examples/chain/model.toml --device ecp5 --clock 25 --lanes auto
  cd out && iverilog -g2005-sv -o tb.vvp rtl/*.v tb/*.v && vvp -n tb.vvp`
}

func (c *emitVerilogCmd) Run(g *globals) error {
	net, err := g.load(c.Model)
	if err != nil {
		return err
	}
	dir := outputFolder(c.Output, net)
	lanes, err := c.lanes()
	if err != nil {
		return err
	}
	var files emit.Artifacts
	core, err := crosscheck.EmitVerilog(g.ctx, net, crosscheck.VerilogOptions{
		Learning: c.Learning, Bits: c.Bits, Error: c.Error, Device: c.Device, Lanes: lanes, Clock: c.Clock, Steps: c.Steps, Whole: c.Whole,
	}, &files)
	if short, ok := errors.AsType[*verilog.FitError](err); ok && !g.JSON {
		g.table(short.Fit.Table())
		g.say("")
	}
	if err != nil {
		return err
	}
	if core.Fit != nil && !g.JSON {
		g.table(core.Fit.Table())
		g.say("")
	}
	if c.Estimate {
		return c.estimate(g, core)
	}
	if err := files.Commit(dir); err != nil {
		return err
	}
	if g.JSON {
		return g.json(map[string]any{
			"model": net.Name, "target": "verilog", "folder": filepath.ToSlash(dir), "files": files.Paths(),
			"cycles_per_step": core.Schedule.Period, "synapses": core.Schedule.Synapses, "lanes": core.Schedule.Lanes, "fit": core.Fit,
		})
	}
	for _, rows := range [][][]string{core.Plan.Table(nil), core.Plan.TimeTable()} {
		g.table(rows)
		g.say("")
	}
	for _, f := range files.Paths() {
		g.say("%s", filepath.ToSlash(filepath.Join(dir, f)))
	}
	return nil
}

// lanes reads the number of lanes; 0: the model's.
func (c *emitVerilogCmd) lanes() (int, error) {
	switch c.Lanes {
	case "":
		return 0, nil
	case "auto":
		return verilog.Auto, nil
	}
	n, err := strconv.Atoi(c.Lanes)
	if err != nil || n < 1 {
		return 0, fmt.Errorf("--lanes %s: give a number from 1 on, or auto", c.Lanes)
	}
	return n, nil
}

// estimate prints what a core takes.
func (c *emitVerilogCmd) estimate(g *globals, core *verilog.Core) error {
	e, err := core.Estimate()
	if err != nil {
		return err
	}
	if g.JSON {
		return g.json(e)
	}
	g.table(e.Table())
	return nil
}
