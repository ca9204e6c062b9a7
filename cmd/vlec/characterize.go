package main

import (
	"path/filepath"

	"vlec/emit"
	"vlec/internal/characterize"
	"vlec/internal/compile"
)

type characterizeCmd struct {
	Model  string `arg:"" optional:"" help:"Model file (TOML) whose [hardware.spice] declares units and parts; without one they are the defaults." type:"existingfile" predictor:"file"`
	Output string `short:"o" help:"Folder for the datasheets." default:"vlec-out/cells" type:"path" placeholder:"DIR"`
}

func (c *characterizeCmd) Help() string {
	return `Every cell of the library is simulated at every level beside its ideal twin. The pages say
what it computes, on which pins, over which range, with which error, noise, area and power.

Examples:
  vlec characterize
  vlec characterize mynet/model.toml -o sheets`
}

func (c *characterizeCmd) Run(g *globals) error {
	var o characterize.Options
	if c.Model == "" {
		o.Units = characterize.DefaultUnits
	} else {
		net, err := g.load(c.Model)
		if err != nil {
			return err
		}
		o.Units, o.Process = compile.Parts(net)
	}
	update, stop := g.progress()
	o.Progress = update
	sheets, err := characterize.Run(g.ctx, o)
	stop()
	if err != nil {
		return err
	}
	var files emit.Artifacts
	characterize.Pages(sheets, o, &files)
	if err := files.Commit(c.Output); err != nil {
		return err
	}
	if g.JSON {
		return g.json(sheets)
	}
	g.table(characterize.Table(sheets))
	g.say("a page for each cell is in %s", filepath.ToSlash(c.Output))
	return nil
}
