package main

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"vlec/internal/training"
	"vlec/model"
	"vlec/sim/reference"
)

type runCmd struct {
	Model     string   `arg:"" help:"Model file (TOML)." predictor:"file"`
	Semantics string   `help:"Meaning of the model: ${enum}." enum:"continuous,synchronous" default:"continuous"`
	Learning  bool     `help:"Let the weights learn; --no-learning freezes them." negatable:"" default:"true"`
	Duration  float64  `help:"Replace the model's duration." placeholder:"T"`
	Weights   string   `help:"Start from the weights in this file: weights.npz or checkpoint.npz of an earlier run." type:"existingfile" placeholder:"FILE"`
	Output    string   `short:"o" help:"Folder for traces, metrics, weights, checkpoints and figures." predictor:"file" placeholder:"DIR"`
	Trace     []string `help:"Record these: kinds (u,v,y,r,x,e,a,W,B,…) or signals (hidden.u); none records nothing." placeholder:"SIGNAL"`
	Every     float64  `help:"Time between samples of the trace, in model time units." placeholder:"T"`
	Figures   string   `help:"Figures to draw into DIR: svg, png, both (svg,png) or none." default:"svg" placeholder:"FORMAT"`

	MetricsEvery float64 `help:"Time between rows of metrics; by default a thousandth of the run." placeholder:"T"`
	Window       float64 `help:"Time over which the moving average of the loss goes; by default a twentieth of the run." placeholder:"T"`
	TargetLoss   float64 `help:"Stop when the moving average is at or below this; exit with 1 when it never is." placeholder:"X"`
	Patience     float64 `help:"Stop when the moving average has not fallen by a thousandth for this time." placeholder:"T"`

	CheckpointEvery string `help:"Time between checkpoints: 30s, 10m by the clock, 500 in model time units, 0 for none but at the end." default:"30s" placeholder:"TIME"`
	Resume          bool   `help:"Go on from the checkpoint in DIR, if there is one."`
}

func (c *runCmd) Help() string {
	return `Simulates the reference dynamics of a model, learning included, and leaves in DIR:

  trace.npz                          what was recorded, an array a signal
  metrics.csv, metrics.json          loss, its moving average, weights over time
  weights.npz                        the final weights
  loss.svg, weights.svg, traces.svg  figures
  checkpoint.npz                     the whole state

A run that was killed goes on from its last checkpoint with --resume and ends with
the same bytes as one that was not.

Examples:
  vlec run examples/chain/model.toml
  vlec run examples/chain/model.toml --semantics synchronous -o out
  vlec run model.toml -o out --trace u,r,e,W --every 0.1 --figures png
  vlec run model.toml -o out --target-loss 1e-4 --patience 500
  vlec run model.toml -o out --checkpoint-every 5m --resume
  vlec run other-stimuli.toml --weights out/weights.npz --no-learning`
}

func (c *runCmd) Run(g *globals) error {
	options, err := c.options()
	if err != nil {
		return err
	}
	net, err := g.load(c.Model)
	if err != nil {
		return err
	}
	metrics := &options.Run.Metrics
	*metrics = reference.DefaultMetrics(net, c.Duration)
	if c.MetricsEvery != 0 {
		metrics.Every, metrics.Window = c.MetricsEvery, max(metrics.Window, c.MetricsEvery)
	}
	if c.Window != 0 {
		metrics.Window = c.Window
	}
	bar := g.bar()
	options.Run.Progress = func(done, loss float64) { bar.Report(c.Semantics, done, "loss "+short(loss)) }
	options.Note = func(format string, args ...any) {
		if g.Verbose {
			bar.Hide()
			fmt.Fprintf(g.stderr, format+"\n", args...)
		}
	}
	out, err := training.Run(g.ctx, net, options)
	bar.Close()
	if err != nil {
		return c.failed(g, err)
	}
	if err := c.print(g, net, out); err != nil {
		return err
	}
	if c.TargetLoss > 0 && out.Stopped != reference.StoppedAtLoss {
		g.say("the target loss of %s was not reached", short(c.TargetLoss))
		return errNo
	}
	return nil
}

// options checks what the flags say about each other.
func (c *runCmd) options() (training.Options, error) {
	o := training.Options{
		Run: reference.Options{
			Semantics: reference.Semantics(c.Semantics), Learning: c.Learning, Every: c.Every, Duration: c.Duration,
			Stop: reference.StopOptions{Loss: c.TargetLoss, Patience: c.Patience},
		},
		Weights: c.Weights, Dir: c.Output, Resume: c.Resume,
	}
	switch {
	case c.Output == "" && c.Resume:
		return o, errors.New("vlec run: --resume needs the folder of the run; add -o DIR")
	case c.Output == "" && len(c.Trace) > 0:
		return o, errors.New("vlec run: --trace needs a folder to write to; add -o DIR")
	case slices.Equal(c.Trace, []string{"none"}):
		o.Run.Signals = []string{}
	case len(c.Trace) > 0:
		o.Run.Signals = c.Trace
	}
	if c.Figures != "none" {
		o.Figures = strings.Split(c.Figures, ",")
	}
	for _, f := range o.Figures {
		if f != "svg" && f != "png" {
			return o, fmt.Errorf("vlec run: --figures %q: choose svg, png, svg,png or none", c.Figures)
		}
	}
	var err error
	if o.CheckpointModelTime, err = strconv.ParseFloat(c.CheckpointEvery, 64); err != nil {
		o.CheckpointEvery, err = time.ParseDuration(c.CheckpointEvery)
	}
	if err != nil || o.CheckpointEvery < 0 || !(o.CheckpointModelTime >= 0) {
		return o, fmt.Errorf("vlec run: --checkpoint-every %q: write 30s or 10m for the clock, a number for model time", c.CheckpointEvery)
	}
	return o, nil
}

// failed says what is left of a run that did not end.
func (c *runCmd) failed(g *globals, err error) error {
	if g.ctx.Err() != nil && c.Output != "" {
		fmt.Fprintf(g.stderr, "the run is saved in %s; go on with --resume\n", filepath.ToSlash(c.Output))
	}
	var diverged *reference.DivergedError
	var loop *reference.LoopError
	if errors.As(err, &diverged) || errors.As(err, &loop) {
		return &didRun{err}
	}
	return err
}

func (c *runCmd) print(g *globals, net *model.Network, out *training.Outcome) error {
	if g.JSON {
		doc := map[string]any{
			"model": net.Name, "semantics": c.Semantics, "learning": c.Learning, "steps": out.Steps, "time": out.Time,
			"loss_first": out.LossFirst, "loss_last": out.LossLast, "weights": out.W, "feedback": out.B,
			"bias": out.Bias, "tau_m": out.TauM, "stopped": out.Stopped, "files": append([]string{}, out.Files...),
		}
		if out.Resumed {
			doc["resumed_from"] = out.From
		}
		if err := g.json(doc); err != nil {
			return err
		}
	}
	switch {
	case out.Complete:
		g.say("%s: this run was over already", net.Name)
	case out.Resumed:
		g.say("%s: resumed at t = %s", net.Name, short(out.From))
	}
	g.say("%s: %d steps, loss %.4g at first, %.4g at last", net.Name, out.Steps, out.LossFirst, out.LossLast)
	if out.Stopped != "" {
		g.say("stopped at t = %s: %s", short(out.Time), out.Stopped)
	}
	if c.Learning {
		g.table(weightTable(out))
	}
	if len(out.Files) > 0 {
		g.say("%s: %s", filepath.ToSlash(c.Output), strings.Join(out.Files, ", "))
	}
	return nil
}

// weightTable shows some weights of every projection, and how far they are from
// the teacher's.
func weightTable(out *training.Outcome) [][]string {
	rows := [][]string{{"projection", "weights", "first of them", "distance from teacher"}}
	known := false
	for _, name := range slices.Sorted(maps.Keys(out.W)) {
		w, first := out.W[name], []string{}
		for _, x := range w[:min(len(w), 4)] {
			first = append(first, short(x))
		}
		distance := "–"
		if d := out.Metrics.Gauge(name + ".W.distance"); len(d) > 0 {
			distance, known = short(d[len(d)-1]), true
		}
		rows = append(rows, []string{name, strconv.Itoa(len(w)), strings.Join(first, " "), distance})
	}
	if !known {
		for i := range rows {
			rows[i] = rows[i][:3]
		}
	}
	return rows
}
