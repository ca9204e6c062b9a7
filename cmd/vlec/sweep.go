package main

import (
	"fmt"
	"path/filepath"

	"vlec/emit"
	"vlec/internal/plot"
	"vlec/internal/sweep"
)

type sweepCmd struct {
	Mismatch sweepMismatchCmd `cmd:"" help:"Unequal parts: circuits that learn against weights loaded into them."`
	Corners  sweepCornersCmd  `cmd:"" help:"Temperature, supply and process: the circuit in every corner."`
}

type sweepMismatchCmd struct {
	Model    string   `arg:"" help:"Model file (TOML)." type:"existingfile" predictor:"file"`
	Samples  int      `help:"Circuits for each condition." default:"100" placeholder:"N"`
	Level    string   `help:"Level of the cells: ${enum}." enum:"ideal,macro,transistor" default:"ideal"`
	Gain     float64  `help:"Standard deviation of the logarithm of gains." default:"0.1" placeholder:"X"`
	Tau      float64  `help:"Standard deviation of the logarithm of time constants." default:"0.1" placeholder:"X"`
	Offset   float64  `help:"Standard deviation of offsets, in model units." default:"0.02" placeholder:"X"`
	AVT      float64  `name:"avt" help:"Standard deviation of the thresholds of transistors times the root of their area, in V m." default:"4e-9" placeholder:"X"`
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
		Samples: c.Samples, Level: c.Level, Gain: c.Gain, Tau: c.Tau, Offset: c.Offset, AVT: c.AVT, AutoZero: c.AutoZero,
		Window: c.Window, MaxStep: c.MaxStep, Only: c.Only, Seed: net.Seed, Progress: update,
	})
	stop()
	if err != nil {
		return err
	}
	return g.study(s, "mismatch", dir)
}

type sweepCornersCmd struct {
	Model       string    `arg:"" help:"Model file (TOML)." type:"existingfile" predictor:"file"`
	Level       string    `help:"Level of the cells: ${enum}." enum:"ideal,macro,transistor" default:"ideal"`
	Engine      string    `help:"Simulator: ${enum}." enum:"builtin,ngspice" default:"builtin"`
	Bias        string    `help:"Unit of current of transistors at other temperatures: constant or ptat; by default the model's." enum:"constant,ptat," default:"" placeholder:"WHAT"`
	Temperature []float64 `help:"Temperatures beside the model's, in degrees Celsius." default:"-40,85" placeholder:"T,…"`
	Supply      []float64 `help:"Supplies, of the nominal one." default:"0.9,1.1" placeholder:"X,…"`
	Resistors   []float64 `help:"Resistors, of what was wanted." default:"0.8,1.2" placeholder:"X,…"`
	Capacitors  []float64 `help:"Capacitors, of what was wanted." default:"0.9,1.1" placeholder:"X,…"`
	Window      float64   `help:"Time over which a final loss is a mean; by default a twentieth of the run." placeholder:"T"`
	MaxStep     float64   `help:"Longest step of the transients, in model time units." placeholder:"T"`
	Output      string    `short:"o" help:"Folder for numbers and picture (vlec-out/NAME)." type:"path" placeholder:"DIR"`
}

func (c *sweepCornersCmd) Help() string {
	return `In every corner the circuit trains itself. Then its weights are held, and the loss is measured: with what it
learned there, with what it had learned under nominal conditions, and with what the reference learned. Losses are in
units of the nominal one, and beside the reference's. Rates and errors are compared with the reference's, with the weights
that training begins with (nrmse, worst neuron). Transistors meet every corner twice: with the nulls that they had under nominal
conditions, and with nulls that were found there. Beside the corners of one quantity there are the two at which all of them slow the circuit
down, or speed it up.

Example:
  vlec sweep corners examples/chain/model.toml --level macro --temperature=-20,60
  vlec sweep corners examples/chain/ptat.toml --level transistor --window 4 --max-step 0.02`
}

func (c *sweepCornersCmd) Run(g *globals) error {
	net, err := g.load(c.Model)
	if err != nil {
		return err
	}
	for _, list := range []struct {
		name      string
		values    []float64
		low, high float64
	}{{"temperature", c.Temperature, -200, 500}, {"supply", c.Supply, 0.1, 10}, {"resistors", c.Resistors, 0.1, 10}, {"capacitors", c.Capacitors, 0.1, 10}} {
		for _, v := range list.values {
			if !(v >= list.low && v <= list.high) {
				return fmt.Errorf("--%s %g does not lie between %g and %g", list.name, v, list.low, list.high)
			}
		}
	}
	dir := outputFolder(c.Output, net)
	update, stop := g.progress()
	s, err := sweep.Corners(g.ctx, net, sweep.CornerOptions{
		Level: c.Level, Engine: c.Engine, Bias: c.Bias, Temperatures: c.Temperature, Supplies: c.Supply, Resistors: c.Resistors, Capacitors: c.Capacitors,
		Window: c.Window, MaxStep: c.MaxStep, Progress: update,
	})
	stop()
	if err != nil {
		return err
	}
	return g.study(s, "corners", dir)
}

// A study is what a sweep found.
type study interface {
	fmt.Stringer
	Picture() *plot.Figure
	Table() [][]string
}

// study writes numbers and picture under a name, and prints the rest.
func (g *globals) study(s study, name, dir string) error {
	var files emit.Artifacts
	files.AddJSON(name+".json", s)
	picture := s.Picture()
	files.Add(name+".svg", picture.SVG)
	files.Add(name+".png", picture.PNG)
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
