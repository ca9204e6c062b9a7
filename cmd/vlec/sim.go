package main

import (
	"fmt"
	"path/filepath"
	"strconv"

	"vlec/sim"
	"vlec/sim/referee"
	"vlec/sim/spice"
)

type simCmd struct {
	File   string `arg:"" help:"Netlist (.cir)." predictor:"file"`
	Engine string `help:"Simulator: ${enum}." enum:"builtin,ngspice" default:"builtin"`
	Output string `short:"o" help:"Folder for trace.npz." type:"path" placeholder:"DIR"`
}

func (c *simCmd) Help() string {
	return `Runs the transient analysis that the file asks for, whoever wrote or edited it.

Examples:
  vlec sim vlec-out/chain/net.cir
  vlec sim vlec-out/chain/net.cir --engine ngspice -o out`
}

func (c *simCmd) Run(g *globals) error {
	trace, steps, err := c.simulate(g)
	if err != nil {
		return err
	}
	if c.Output != "" {
		if err := writeTrace(c.Output, trace); err != nil {
			return err
		}
	}
	type final struct {
		Signal string  `json:"signal"`
		Unit   string  `json:"unit"`
		Min    float64 `json:"min"`
		Max    float64 `json:"max"`
		Last   float64 `json:"last"`
	}
	doc := struct {
		File    string  `json:"file"`
		Engine  string  `json:"engine"`
		Steps   int     `json:"steps"`
		Signals []final `json:"signals"`
	}{c.File, c.Engine, steps, nil}
	rows := [][]string{{"signal", "min", "max", "at the end"}}
	for _, s := range trace.Signals {
		if len(s.Data) == 0 {
			continue
		}
		low, high := s.Data[0], s.Data[0]
		for _, x := range s.Data {
			low, high = min(low, x), max(high, x)
		}
		f := final{s.Name, s.Unit, low, high, s.Data[len(s.Data)-1]}
		doc.Signals = append(doc.Signals, f)
		rows = append(rows, []string{s.Name, short(f.Min), short(f.Max), short(f.Last)})
	}
	if g.JSON {
		return g.json(doc)
	}
	g.table(rows)
	g.say("%s: %d steps in %s", filepath.Base(c.File), steps, c.Engine)
	return nil
}

func (c *simCmd) simulate(g *globals) (*sim.Trace, int, error) {
	if c.Engine == "ngspice" {
		run, err := referee.Ngspice(g.ctx, c.File)
		if err != nil {
			return nil, 0, err
		}
		for _, w := range run.Warnings {
			fmt.Fprintf(g.stderr, "ngspice: %s\n", w)
		}
		steps := 0
		if len(run.Trace.Signals) > 0 {
			steps = len(run.Trace.Signals[0].Time)
		}
		return run.Trace, steps, nil
	}
	list, err := spice.ParseFile(c.File)
	if err != nil {
		return nil, 0, err
	}
	circuit, err := list.Elaborate()
	if err != nil {
		return nil, 0, err
	}
	update, stop := g.progress()
	trace, stats, err := circuit.Tran(g.ctx, spice.Options{
		Progress: func(done float64) { update("transient", done) },
		Log: func(line string) {
			if g.Verbose {
				fmt.Fprintln(g.stderr, line)
			}
		},
	})
	stop()
	if err != nil {
		return nil, 0, &didRun{err}
	}
	return trace, stats.Steps, nil
}

func short(x float64) string { return strconv.FormatFloat(x, 'g', 5, 64) }
