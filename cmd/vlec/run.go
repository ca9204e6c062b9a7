package main

import (
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strconv"

	"vlec/emit"
	"vlec/internal/tracefile"
	"vlec/sim"
	"vlec/sim/reference"
)

type runCmd struct {
	Model     string   `arg:"" help:"Model file (TOML)." predictor:"file"`
	Semantics string   `help:"Meaning of the model: ${enum}." enum:"continuous,synchronous" default:"continuous"`
	Learning  bool     `help:"Let the weights learn; --no-learning freezes them." negatable:"" default:"true"`
	Trace     []string `help:"Record these: kinds (u,v,y,r,e,W,B) or signals (hidden.u)." placeholder:"SIGNAL"`
	Every     float64  `help:"Time between samples, in model time units." placeholder:"T"`
	Duration  float64  `help:"Replace the model's duration." placeholder:"T"`
	Weights   string   `help:"Start from the weights in this file, weights.npz of an earlier run." type:"existingfile" placeholder:"FILE"`
	Output    string   `short:"o" help:"Folder for trace.npz, metrics.csv and weights.npz." type:"path" placeholder:"DIR"`
}

func (c *runCmd) Help() string {
	return `Examples:
  vlec run examples/chain/model.toml
  vlec run examples/chain/model.toml --semantics synchronous --trace u,r,e,W -o out
  vlec run other-stimuli.toml --weights out/weights.npz --no-learning`
}

func (c *runCmd) Run(g *globals) error {
	net, err := g.load(c.Model)
	if err != nil {
		return err
	}
	if c.Weights != "" {
		weights, err := reference.ReadWeights(c.Weights)
		if err != nil {
			return err
		}
		if net, err = weights.Apply(net); err != nil {
			return fmt.Errorf("%s: %w", c.Weights, err)
		}
	}
	update, stop := g.progress()
	trace, result, err := reference.Run(g.ctx, net, reference.Options{
		Semantics: reference.Semantics(c.Semantics),
		Learning:  c.Learning,
		Signals:   c.Trace,
		Every:     c.Every,
		Duration:  c.Duration,
		Metrics:   reference.DefaultMetrics(net, c.Duration),
		Progress:  func(done, _ float64) { update(c.Semantics, done) },
	})
	stop()
	if err != nil {
		return err
	}
	if c.Output != "" {
		var files emit.Artifacts
		files.Add("trace.npz", func(w io.Writer) error { return tracefile.Write(w, trace) })
		files.Add("metrics.csv", result.Metrics.CSV)
		files.Add("weights.npz", func(w io.Writer) error { return result.Weights.Write(w, net) })
		if err := files.Commit(c.Output); err != nil {
			return err
		}
	}
	if g.JSON {
		return g.json(map[string]any{
			"model": net.Name, "semantics": c.Semantics, "learning": c.Learning, "steps": result.Steps,
			"loss_first": result.LossFirst, "loss_last": result.LossLast, "weights": result.W, "feedback": result.B,
			"bias": result.Bias, "tau_m": result.TauM,
		})
	}
	g.say("%s: %d steps, loss %.4g at first, %.4g at last", net.Name, result.Steps, result.LossFirst, result.LossLast)
	if c.Learning {
		rows := [][]string{{"projection", "weights", "first of them"}}
		for _, name := range slices.Sorted(maps.Keys(result.W)) {
			w := result.W[name]
			first := ""
			for _, x := range w[:min(len(w), 4)] {
				first += strconv.FormatFloat(x, 'g', 5, 64) + " "
			}
			rows = append(rows, []string{name, strconv.Itoa(len(w)), first})
		}
		g.table(rows)
	}
	if c.Output != "" {
		g.say("%s", filepath.ToSlash(filepath.Join(c.Output, "trace.npz")))
	}
	return nil
}

func writeTrace(dir string, trace *sim.Trace) error {
	var files emit.Artifacts
	files.Add("trace.npz", func(w io.Writer) error { return tracefile.Write(w, trace) })
	return files.Commit(dir)
}
