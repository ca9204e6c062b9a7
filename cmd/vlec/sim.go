package main

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strconv"

	"vlec/emit"
	"vlec/internal/rtlrun"
	"vlec/internal/spicerun"
	"vlec/internal/tracefile"
	"vlec/sim"
	"vlec/sim/referee"
)

type simCmd struct {
	Files  []string         `arg:"" name:"file" help:"Netlist (.cir), or Verilog (.v) and lists of files (.f)." predictor:"file"`
	Engine string           `help:"Simulator: ${enum}; ngspice for netlists, icarus and verilator for testbenches." enum:"builtin,ngspice,icarus,verilator" default:"builtin"`
	Solver string           `help:"How the built-in simulator integrates a netlist: ${enum}; -v says what auto chose and why." enum:"auto,explicit,implicit" default:"auto"`
	Output string           `short:"o" help:"Netlist: folder for trace.npz of a transient, op.npz, dc.npz and ac.npz." type:"path" placeholder:"DIR"`
	Format string           `help:"Netlist: form of these files, ${enum}; raw and ascii are ngspice's." enum:"npz,raw,ascii,csv" default:"npz"`
	Save   []string         `help:"Netlist: vectors to keep instead of those of .save, v(a) or i(v1); repeat it for more." sep:"none" placeholder:"VECTOR"`
	Every  int              `help:"Netlist: keep one in so many steps of a transient." default:"1"`
	Step   []string         `help:"Netlist: run at each value of a parameter, a source or temp, as .step does." sep:"none" placeholder:"NAME=1k,2k,5k | NAME=FIRST:LAST:STEP"`
	Lint   bool             `help:"Verilog: do not run, look for mistakes of sign and width that other tools are silent about."`
	Top    string           `help:"Verilog: module to run, by default the one that no other instantiates." placeholder:"NAME"`
	Define []string         `short:"D" help:"Verilog: a macro." placeholder:"NAME=TEXT"`
	VCD    string           `name:"vcd" help:"Verilog: file for the waveforms." type:"path" placeholder:"FILE"`
	Cycles int              `help:"Verilog: how long to run a design that is no testbench." placeholder:"N"`
	Set    map[string]int64 `help:"Verilog: value of an input of such a design; the others are 0." placeholder:"PORT=N"`
}

func (c *simCmd) Help() string {
	return `Runs the analyses that a netlist asks for (.op .dc .ac .tran, .measure, .step), or a Verilog testbench to its end, whoever wrote
or edited the files. Modules that a file does not declare are looked for beside it and in ../rtl.

Examples:
  vlec sim vlec-out/chain/net.cir
  vlec sim vlec-out/chain/net.cir --engine ngspice -o out
  vlec sim vlec-out/chain/net.cir --solver implicit -v
  vlec sim amp.cir -o out --format raw        then, in ngspice: load out/ac.raw
  vlec sim amp.cir --save 'v(out)' --save 'v(in,out)' --every 10 -o out --format csv
  vlec sim amp.cir --step rload=1k,2k,5k --step temp=-40:85:25 -o out
  vlec sim out/tb/tb.v --vcd waves.vcd
  vlec sim out/tb/tb.v --engine verilator
  vlec sim out/rtl/top.v --cycles 1000 --set rst_i=0
  vlec sim out/rtl/top.v --lint`
}

func (c *simCmd) Run(g *globals) error {
	verilog := rtlrun.IsVerilog(c.Files[0])
	switch {
	case verilog && c.Lint:
		return c.lint(g)
	case verilog:
		return c.rtl(g)
	case len(c.Files) > 1:
		return fmt.Errorf("%s: one netlist at a time", c.Files[1])
	case c.Lint || c.Top != "" || c.VCD != "" || c.Cycles != 0 || len(c.Set)+len(c.Define) > 0:
		return fmt.Errorf("%s is a netlist; --lint, --top, --vcd, --cycles, --set and --define are for Verilog", c.Files[0])
	case c.Engine == "ngspice" && c.Solver != "auto":
		return fmt.Errorf("%s: --solver is for the built-in simulator", c.Files[0])
	case c.Engine == "icarus" || c.Engine == "verilator":
		return fmt.Errorf("%s is a netlist; simulate it with the engine builtin or ngspice", c.Files[0])
	}
	return c.netlist(g, c.Files[0])
}

// rtl runs Verilog.
func (c *simCmd) rtl(g *globals) error {
	out := g.stdout
	if g.JSON {
		out = g.stderr
	}
	r, err := rtlrun.Run(g.ctx, rtlrun.Options{
		Files: c.Files, Top: c.Top, Engine: c.Engine, Defines: c.Define, VCD: c.VCD,
		Cycles: c.Cycles, Inputs: c.Set, Stdout: out,
	})
	if err != nil {
		return err
	}
	if g.JSON {
		err = g.json(r)
	} else {
		rows := [][]string{{"output", "value"}}
		for _, o := range r.Outputs {
			rows = append(rows, []string{o.Name, o.Value})
		}
		if len(rows) > 1 {
			g.table(rows)
		}
		for _, e := range r.Notes {
			fmt.Fprintln(g.stderr, e)
		}
		word := "ends well"
		if !r.Pass {
			word = "FAILS"
		}
		g.verdict("%s %s in %s", r.Top, word, r.Engine)
	}
	if err == nil && !r.Pass {
		return errNo
	}
	return err
}

// lint reads Verilog and prints findings.
func (c *simCmd) lint(g *globals) error {
	found, err := rtlrun.Lint(c.Files, c.Define)
	if err != nil {
		return err
	}
	if g.JSON {
		doc := struct {
			Pass     bool     `json:"pass"`
			Findings []string `json:"findings"`
		}{len(found) == 0, []string{}}
		for _, f := range found {
			doc.Findings = append(doc.Findings, f.Error())
		}
		err = g.json(doc)
	} else {
		for _, f := range found {
			fmt.Fprintln(g.stdout, f.Error())
		}
		g.say("%d findings", len(found))
	}
	if err == nil && len(found) > 0 {
		return errNo
	}
	return err
}

// netlist runs a netlist.
func (c *simCmd) netlist(g *globals, file string) error {
	if c.Engine == "ngspice" {
		return c.ngspice(g, file)
	}
	update, stop := g.progress()
	r, err := spicerun.Netlist(g.ctx, file, spicerun.Options{
		Dir: c.Output, Format: c.Format, Save: c.Save, Every: c.Every, Steps: c.Step, Engine: c.Solver,
		Progress: update,
		Log: func(line string) {
			if g.Verbose {
				fmt.Fprintln(g.stderr, line)
			}
		},
	})
	stop()
	var failed *spicerun.FailedError
	if errors.As(err, &failed) {
		return &didRun{failed.Err}
	}
	if err != nil {
		return err
	}
	if !g.Quiet {
		for _, w := range r.Warnings {
			fmt.Fprintf(g.stderr, "warning: %v\n", w)
		}
	}
	return c.print(g, file, r)
}

// print shows the summary of every analysis at every step.
func (c *simCmd) print(g *globals, file string, r *spicerun.Result) error {
	if g.JSON {
		last := r.Runs[0].Analyses[len(r.Runs[0].Analyses)-1]
		return g.json(struct {
			File    string             `json:"file"`
			Engine  string             `json:"engine"`
			Steps   int                `json:"steps"`
			Signals []spicerun.Summary `json:"signals"` // of the last analysis of the first step
			Runs    []spicerun.Run     `json:"runs"`
		}{file, c.Engine, last.Steps, last.Signals, r.Runs})
	}
	for _, run := range r.Runs {
		if run.Step != "" {
			g.say("%s", run.Step)
		}
		for _, a := range run.Analyses {
			rows := [][]string{{"signal", "min", "max", "at the end"}}
			if a.Name == "op" {
				rows = [][]string{{"signal", "value"}}
			}
			for _, s := range a.Signals {
				row := []string{s.Signal, short(s.Min), short(s.Max), short(s.Last)}
				if a.Name == "op" {
					row = row[:2]
				}
				rows = append(rows, row)
			}
			g.table(rows)
			if len(a.Measures) > 0 {
				rows := [][]string{{"measurement", "value"}}
				for _, m := range a.Measures {
					value := m.Err
					if m.Value != nil {
						value = strconv.FormatFloat(*m.Value, 'g', 9, 64)
					}
					rows = append(rows, []string{m.Name, value})
				}
				g.table(rows)
			}
			g.say("%s: %s, %d steps in %s", filepath.Base(file), a.Name, a.Steps, c.Engine)
		}
	}
	return nil
}

// ngspice has the referee run the transient.
func (c *simCmd) ngspice(g *globals, file string) error {
	if len(c.Step) > 0 || len(c.Save) > 0 || c.Every > 1 || c.Format != "npz" || c.Solver != "auto" {
		return fmt.Errorf("--step, --save, --every, --format and --solver are for the built-in engine")
	}
	run, err := referee.Ngspice(g.ctx, file)
	if err != nil {
		return err
	}
	for _, w := range run.Warnings {
		fmt.Fprintf(g.stderr, "ngspice: %s\n", w)
	}
	if c.Output != "" {
		if err := writeTrace(c.Output, run.Trace); err != nil {
			return err
		}
	}
	a := spicerun.Analysis{Name: "tran"}
	for _, s := range run.Trace.Signals {
		a.Steps = len(s.Time)
		a.Signals = append(a.Signals, spicerun.Summarise(s))
	}
	return c.print(g, file, &spicerun.Result{Runs: []spicerun.Run{{Analyses: []spicerun.Analysis{a}}}})
}

func writeTrace(dir string, trace *sim.Trace) error {
	var files emit.Artifacts
	files.Add("trace.npz", func(w io.Writer) error { return tracefile.Write(w, trace) })
	return files.Commit(dir)
}

func short(x float64) string { return strconv.FormatFloat(x, 'g', 5, 64) }
