package main

import (
	"errors"
	"path/filepath"

	"vlec/internal/gradient"
	"vlec/model"
	"vlec/sim/reference"
)

type gradcheckCmd struct {
	Model    string   `arg:"" help:"Model file (TOML)." predictor:"file"`
	Duration float64  `help:"Replace the model's duration." placeholder:"T"`
	From     float64  `help:"Leave out what is before this time." placeholder:"T"`
	To       float64  `help:"Leave out what is after this time." placeholder:"T"`
	MinCos   *float64 `help:"Exit with 1 when a plastic projection's cosine is below this." placeholder:"X"`
	Sweep    bool     `help:"Measure gain and phase of the local error against the adjoint over frequencies, and draw them."`
	Points   int      `help:"Sweep: number of frequencies." default:"25" placeholder:"N"`
	OmegaMin float64  `help:"Sweep: lowest angular frequency; by default a tenth of 1/tau_m of the slowest neuron." placeholder:"W"`
	OmegaMax float64  `help:"Sweep: highest; by default ten times 1/tau_m of the fastest neuron." placeholder:"W"`
	Output   string   `short:"o" help:"Folder for tables and pictures; a sweep goes to vlec-out/NAME without it." type:"path" placeholder:"DIR"`
}

func (c *gradcheckCmd) Help() string {
	return `Runs the model with resting weights and compares, parameter by parameter, the update
that the local rule makes with the exact gradient, found by the adjoint of the synchronous
dynamics. A cosine of 1 is the direction of steepest descent.

With --sweep every input and target becomes a small sine around the model's resting state, one
frequency after the other: the gain and phase of the errors against the adjoint's, beside what
the linearised network says, and the cosine with the model's feedback and with the gain-correct
one. Exit 1 when a gain is off by more than 1 % or a phase by more than 1e-3 rad.

Examples:
  vlec gradcheck examples/chain/model.toml
  vlec gradcheck examples/chain/model.toml --from 10 --to 30 --min-cos 0.9 -o out
  vlec gradcheck examples/chain/model.toml --sweep
  vlec gradcheck examples/chain/model.toml --sweep --omega-min 0.1 --omega-max 10 --points 41 -o out`
}

func (c *gradcheckCmd) Run(g *globals) error {
	net, err := g.load(c.Model)
	if err != nil {
		return err
	}
	if c.Sweep {
		return c.sweep(g, net)
	}
	if c.OmegaMin != 0 || c.OmegaMax != 0 {
		return errors.New("--omega-min and --omega-max belong to --sweep")
	}
	update, stop := g.progress()
	check, err := gradient.NewCheck(g.ctx, net, reference.GradientOptions{
		Duration: c.Duration, From: c.From, To: c.To,
		Progress: func(done float64) { update("gradient", done) },
	}, c.Output != "")
	stop()
	if err != nil {
		return err
	}
	pass := true
	for k, p := range net.Projections {
		if c.MinCos != nil && p.Plastic && !(check.Projections[k].Cosine >= *c.MinCos) {
			pass = false
		}
	}
	if c.Output != "" {
		if err := check.Write(c.Output); err != nil {
			return err
		}
	}
	if g.JSON {
		if err := g.json(check.JSON(pass)); err != nil {
			return err
		}
	} else {
		g.table(check.Table())
		if why := check.Silent(); why != "" {
			g.say("%s", why)
		}
		g.say("\n%s: local update against the exact gradient of a loss of %s, %d steps, batch of %d", net.Name, short(check.Loss), check.Steps, check.Trials)
		if c.Output != "" {
			g.say("table and picture are in %s", filepath.ToSlash(c.Output))
		}
	}
	if !pass {
		g.say("a plastic projection's cosine is below %s", short(*c.MinCos))
		return errNo
	}
	return nil
}

func (c *gradcheckCmd) sweep(g *globals, net *model.Network) error {
	if c.Duration != 0 || c.From != 0 || c.To != 0 || c.MinCos != nil {
		return errors.New("--duration, --from, --to and --min-cos do not go with --sweep, which lasts as long as it takes to settle")
	}
	omegas, err := gradient.Frequencies(net, c.OmegaMin, c.OmegaMax, c.Points)
	if err != nil {
		return err
	}
	update, stop := g.progress()
	sweep, err := gradient.NewSweep(g.ctx, net, omegas, func(done float64) { update("frequencies", done) })
	stop()
	if err != nil {
		return err
	}
	dir := outputFolder(c.Output, net)
	if err := sweep.Write(dir); err != nil {
		return err
	}
	if g.JSON {
		if err := g.json(sweep.JSON()); err != nil {
			return err
		}
	} else {
		g.table(sweep.Table())
		gain, phase := sweep.Worst()
		g.say("\n%s: gains at most %.1e off the linearised network, phases %.1e rad", net.Name, gain, phase)
		g.say("table and picture are in %s", filepath.ToSlash(dir))
	}
	if !sweep.Pass() {
		return errNo
	}
	return nil
}
