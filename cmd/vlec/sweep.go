package main

import (
	"path/filepath"

	"vlec/emit"
	"vlec/internal/sweep"
)

type sweepCmd struct {
	Mismatch sweepMismatchCmd `cmd:"" help:"Unequal parts: circuits that learn against weights loaded into them."`
}

type sweepMismatchCmd struct {
	Model    string   `arg:"" help:"Model file (TOML)." type:"existingfile" predictor:"file"`
	Samples  int      `help:"Circuits for each condition." default:"100" placeholder:"N"`
	Level    string   `help:"Level of the cells: ${enum}." enum:"ideal,macro" default:"ideal"`
	Gain     float64  `help:"Standard deviation of the logarithm of gains." default:"0.1" placeholder:"X"`
	Tau      float64  `help:"Standard deviation of the logarithm of time constants." default:"0.1" placeholder:"X"`
	Offset   float64  `help:"Standard deviation of offsets, in model units." default:"0.02" placeholder:"X"`
	AutoZero float64  `help:"Share of an offset that auto-zeroing leaves." default:"0.05" placeholder:"X"`
	Window   float64  `help:"Time over which a final loss is a mean; by default a twentieth of the run." placeholder:"T"`
	MaxStep  float64  `help:"Longest step of the transients, in model time units." placeholder:"T"`
	Only     []string `help:"Conditions to study, as the table names them; repeat it for several." sep:"none" placeholder:"NAME"`
	Output   string   `short:"o" help:"Folder for numbers and picture (vlec-out/NAME)." type:"path" placeholder:"DIR"`
}

func (c *sweepMismatchCmd) Help() string {
	return `For each condition and sample a circuit is drawn. It trains itself; and the same circuit,
its weights held, gets those that the reference learned. Losses are in units of the final
loss of a circuit of equal parts.

Example:
  vlec sweep mismatch examples/chain/model.toml --samples 100 --level macro
  vlec sweep mismatch examples/unequal/model.toml --window 8 --only gains --only "offsets, auto-zero"`
}

func (c *sweepMismatchCmd) Run(g *globals) error {
	net, err := g.load(c.Model)
	if err != nil {
		return err
	}
	dir := outputFolder(c.Output, net)
	update, stop := g.progress()
	s, err := sweep.Mismatch(g.ctx, net, sweep.MismatchOptions{
		Samples: c.Samples, Level: c.Level, Gain: c.Gain, Tau: c.Tau, Offset: c.Offset, AutoZero: c.AutoZero,
		Window: c.Window, MaxStep: c.MaxStep, Only: c.Only, Seed: net.Seed, Progress: update,
	})
	stop()
	if err != nil {
		return err
	}
	var files emit.Artifacts
	files.Add("mismatch.json", s.Write)
	picture := s.Picture()
	files.Add("mismatch.svg", picture.SVG)
	files.Add("mismatch.png", picture.PNG)
	if err := files.Commit(dir); err != nil {
		return err
	}
	if g.JSON {
		return g.json(s)
	}
	g.table(s.Table())
	g.verdict("%s", s)
	g.say("numbers and picture are in %s", filepath.ToSlash(dir))
	return nil
}
