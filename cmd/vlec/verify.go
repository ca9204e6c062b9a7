package main

import (
	"path/filepath"

	"vlec/sim/crosscheck"
)

type verifyCmd struct {
	Model     string  `arg:"" help:"Model file (TOML)." type:"existingfile" predictor:"file"`
	Target    string  `help:"What to check: ${enum}." enum:"spice" default:"spice"`
	Engine    string  `help:"Who simulates the text: ${enum}." enum:"builtin,ngspice" default:"builtin"`
	Level     string  `help:"Level of the cells: ${enum}." enum:"ideal,macro" default:"ideal"`
	Learning  bool    `help:"Let the weights learn, in the reference and in the circuit."`
	Artifact  string  `help:"Check this file, edited by hand, say, instead of a fresh one." type:"existingfile" placeholder:"FILE"`
	Tolerance float64 `help:"Largest nrmse of a waveform that passes; by default it follows from the step and the declared parts." placeholder:"X"`
	MaxStep   float64 `help:"Longest step of the transient, in model time units." placeholder:"T"`
	Output    string  `short:"o" help:"Folder for netlist, traces and picture (vlec-out/NAME)." type:"path" placeholder:"DIR"`
}

func (c *verifyCmd) Help() string {
	return `Examples:
  vlec verify examples/chain/model.toml
  vlec verify examples/chain/model.toml --learning --engine ngspice
  vlec verify examples/chain/model.toml --level macro
  vlec verify examples/chain/model.toml --artifact vlec-out/chain/net.cir`
}

func (c *verifyCmd) Run(g *globals) error {
	net, err := g.load(c.Model)
	if err != nil {
		return err
	}
	dir := outputFolder(c.Output, net)
	update, stop := g.progress()
	v, err := crosscheck.Spice(g.ctx, net, crosscheck.SpiceOptions{
		Learning: c.Learning, Level: c.Level, Engine: c.Engine, Artifact: c.Artifact, Dir: dir,
		Tolerance: c.Tolerance, MaxStep: c.MaxStep, Progress: update,
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
