package main

import (
	"errors"
	"fmt"
	"path/filepath"

	"vlec/model"
	"vlec/sim/crosscheck"
)

type verifyCmd struct {
	Model     string  `arg:"" help:"Model file (TOML)." type:"existingfile" predictor:"file"`
	Target    string  `help:"What to check: ${enum}." enum:"spice,verilog,all" default:"spice"`
	Engine    string  `help:"Who simulates the text: ${enum}; ngspice reads netlists, icarus and verilator read Verilog, all means every one that is installed." enum:"builtin,ngspice,icarus,verilator,all" default:"builtin"`
	Level     string  `help:"Level of the cells: ${enum}." enum:"ideal,macro,transistor" default:"ideal"`
	Null      bool    `help:"Take the offsets of transistor cells away, which an operating point finds; --no-null leaves them." negatable:"" default:"true"`
	Learning  bool    `help:"Let the weights learn, in the reference and in the circuit."`
	Artifact  string  `help:"Check this file, edited by hand, say, instead of a fresh one." type:"existingfile" placeholder:"FILE"`
	Tolerance float64 `help:"Largest nrmse of a waveform that passes; by default it follows from the step and the declared parts." placeholder:"X"`
	Bits      int     `help:"Verilog: width of the operands of multipliers (the model's, or the device's)." xor:"goal" placeholder:"N"`
	Error     float64 `help:"Verilog: as few bits as keep the rates that leave the core this close to the reference." xor:"goal" placeholder:"E"`
	Device    string  `help:"Verilog: ${devices}." enum:",${devices}" default:"" placeholder:"PART"`
	Lanes     int     `help:"Verilog: synapses worked on side by side (the model's, or 1)." placeholder:"N"`
	Steps     int     `help:"Verilog: steps that are compared word for word (the model's, at most 2000)." placeholder:"N"`
	MaxStep   float64 `help:"Longest step of the transient, in model time units." placeholder:"T"`
	pdkFlags
	Output string `short:"o" help:"Folder for netlist, traces and picture (vlec-out/NAME)." type:"path" placeholder:"DIR"`
}

func (c *verifyCmd) Help() string {
	return `Examples:
  vlec verify examples/chain/model.toml
  vlec verify examples/chain/model.toml --learning --engine ngspice
  vlec verify examples/chain/model.toml --level macro
  vlec verify examples/chain/model.toml --level transistor
  vlec verify examples/chain/model.toml --artifact vlec-out/chain/net.cir
  vlec verify examples/chain/model.toml --target verilog --learning --engine all
  vlec verify examples/chain/model.toml --target verilog --artifact out/rtl/chain.v`
}

func (c *verifyCmd) Run(g *globals) error {
	net, err := g.load(c.Model)
	if err != nil {
		return err
	}
	dir := outputFolder(c.Output, net)
	switch c.Target {
	case "verilog":
		return c.verilog(g, net, dir)
	case "all":
		return c.all(g, net, dir)
	}
	return c.spice(g, net, dir)
}

// all checks both targets, each in its own folder.
func (c *verifyCmd) all(g *globals, net *model.Network, dir string) error {
	if c.Artifact != "" {
		return errors.New("an artefact belongs to one target: say --target spice or --target verilog")
	}
	if g.JSON {
		return errors.New("one JSON document speaks of one target: say --target spice or --target verilog")
	}
	err := c.spice(g, net, filepath.Join(dir, "spice"))
	if err != nil && !errors.Is(err, errNo) {
		return err
	}
	return errors.Join(err, c.verilog(g, net, filepath.Join(dir, "verilog")))
}

func (c *verifyCmd) verilog(g *globals, net *model.Network, dir string) error {
	if c.Engine == "ngspice" {
		return errors.New("ngspice reads netlists; simulate Verilog with builtin, icarus, verilator or all")
	}
	update, stop := g.progress()
	v, err := crosscheck.Verilog(g.ctx, net, crosscheck.RTLOptions{
		VerilogOptions: crosscheck.VerilogOptions{Learning: c.Learning, Bits: c.Bits, Error: c.Error, Device: c.Device, Lanes: c.Lanes, Steps: c.Steps},
		Engine:         c.Engine, Artifact: c.Artifact, Dir: dir, Tolerance: c.Tolerance, PNG: true, Progress: update,
	})
	stop()
	if err != nil {
		return err
	}
	for _, rows := range [][][]string{v.Plan.Table(v.Usage), v.Plan.TimeTable(), v.Usage.LearningTable(), v.Table(), v.TextTable()} {
		if len(rows) > 1 {
			g.table(rows)
			g.say("")
		}
	}
	if g.JSON {
		if err := g.json(v.JSON(true)); err != nil {
			return err
		}
	} else {
		g.verdict("%s", v)
		g.say("RTL, testbench, traces and picture are in %s", filepath.ToSlash(dir))
	}
	if !v.Pass() {
		return errNo
	}
	return nil
}

func (c *verifyCmd) spice(g *globals, net *model.Network, dir string) error {
	engine := c.Engine
	switch {
	case engine == "all":
		engine = "builtin"
	case engine == "icarus" || engine == "verilator":
		return fmt.Errorf("%s reads Verilog; simulate netlists with builtin or ngspice", engine)
	}
	mos, err := c.library(net, c.Level)
	if err != nil {
		return err
	}
	update, stop := g.progress()
	v, err := crosscheck.Spice(g.ctx, net, crosscheck.SpiceOptions{
		Learning: c.Learning, Level: c.Level, NoNull: !c.Null, Engine: engine, Artifact: c.Artifact, Dir: dir,
		Tolerance: c.Tolerance, MaxStep: c.MaxStep, MOS: mos, PNG: true, Progress: update,
	})
	stop()
	if err != nil {
		return err
	}
	g.table(v.Table())
	if v.Because != "" {
		g.say("%s", v.Because)
	}
	g.say("")
	if g.JSON {
		if err := g.json(v.JSON(true)); err != nil {
			return err
		}
	} else {
		g.verdict("%s", v)
		g.say("netlist, traces and picture are in %s", filepath.ToSlash(dir))
	}
	if !v.Pass() {
		return errNo
	}
	return nil
}
