package main

import (
	"path/filepath"

	"vlec/sim/crosscheck"
)

type trainCmd struct {
	Model    string  `arg:"" help:"Model file (TOML)." type:"existingfile" predictor:"file"`
	Level    string  `help:"Level of the cells: ${enum}." enum:"ideal,macro,transistor" default:"ideal"`
	Engine   string  `help:"Who simulates the netlist: ${enum}." enum:"builtin,ngspice" default:"builtin"`
	Null     bool    `help:"Take the offsets of transistor cells away, which an operating point finds; --no-null leaves them." negatable:"" default:"true"`
	Segments int     `help:"Train in so many runs, each from where the last one stopped." default:"1" placeholder:"N"`
	MaxStep  float64 `help:"Longest step of the transient, in model time units." placeholder:"T"`
	Output   string  `short:"o" help:"Folder for netlists, checkpoints and the loss (vlec-out/NAME)." type:"path" placeholder:"DIR"`
	pdkFlags
}

func (c *trainCmd) Help() string {
	return `The circuit trains itself in its transient analysis; nothing outside of it computes
an update. The verdict compares its final loss with that of the reference: at most
twice as large.

Examples:
  vlec train examples/chain/model.toml
  vlec train examples/chain/model.toml --level macro --engine ngspice --segments 4
  vlec train examples/chain/transistors.toml --level transistor`
}

func (c *trainCmd) Run(g *globals) error {
	net, err := g.load(c.Model)
	if err != nil {
		return err
	}
	mos, err := c.library(net, c.Level)
	if err != nil {
		return err
	}
	dir := outputFolder(c.Output, net)
	update, stop := g.progress()
	t, err := crosscheck.Train(g.ctx, net, crosscheck.TrainOptions{
		Level: c.Level, NoNull: !c.Null, Engine: c.Engine, Segments: c.Segments, MaxStep: c.MaxStep, MOS: mos, Dir: dir, PNG: true, Progress: update,
	})
	stop()
	if err != nil {
		return err
	}
	if g.JSON {
		if err := g.json(t); err != nil {
			return err
		}
	} else {
		g.verdict("%s", t)
		g.say("netlists, checkpoints and the loss are in %s", filepath.ToSlash(dir))
	}
	if !t.Pass() {
		return errNo
	}
	return nil
}
