package main

import (
	"fmt"
	"io"
	"path/filepath"
	"strconv"

	"vlec/emit"
	"vlec/internal/rtlrun"
	"vlec/internal/tracefile"
	"vlec/sim"
	"vlec/sim/referee"
	"vlec/sim/spice"
)

type simCmd struct {
	Files  []string         `arg:"" name:"file" help:"Netlist (.cir), or Verilog (.v) and lists of files (.f)." predictor:"file"`
	Engine string           `help:"Simulator: ${enum}; ngspice for netlists, icarus and verilator for testbenches." enum:"builtin,ngspice,icarus,verilator" default:"builtin"`
	Solver string           `help:"How the built-in simulator integrates a netlist: ${enum}; -v says what auto chose and why." enum:"auto,explicit,implicit" default:"auto"`
	Output string           `short:"o" help:"Folder for trace.npz of a netlist." type:"path" placeholder:"DIR"`
	Lint   bool             `help:"Verilog: do not run, look for mistakes of sign and width that other tools are silent about."`
	Top    string           `help:"Verilog: module to run, by default the one that no other instantiates." placeholder:"NAME"`
	Define []string         `short:"D" help:"Verilog: a macro." placeholder:"NAME=TEXT"`
	VCD    string           `name:"vcd" help:"Verilog: file for the waveforms." type:"path" placeholder:"FILE"`
	Cycles int              `help:"Verilog: how long to run a design that is no testbench." placeholder:"N"`
	Set    map[string]int64 `help:"Verilog: value of an input of such a design; the others are 0." placeholder:"PORT=N"`
}

func (c *simCmd) Help() string {
	return `Runs the analysis that a netlist asks for, or a Verilog testbench to its end, whoever wrote
or edited the files. Modules that a file does not declare are looked for beside it and in ../rtl.

Examples:
  vlec sim vlec-out/chain/net.cir
  vlec sim vlec-out/chain/net.cir --engine ngspice -o out
  vlec sim vlec-out/chain/net.cir --solver implicit -v
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
	trace, steps, err := c.simulate(g, file)
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
	}{file, c.Engine, steps, nil}
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
	g.say("%s: %d steps in %s", filepath.Base(file), steps, c.Engine)
	return nil
}

func (c *simCmd) simulate(g *globals, file string) (*sim.Trace, int, error) {
	if c.Engine == "ngspice" {
		run, err := referee.Ngspice(g.ctx, file)
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
	list, err := spice.ParseFile(file)
	if err != nil {
		return nil, 0, err
	}
	circuit, err := list.Elaborate()
	if err != nil {
		return nil, 0, err
	}
	update, stop := g.progress()
	trace, stats, err := circuit.Tran(g.ctx, spice.Options{
		Engine:   c.Solver,
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

func writeTrace(dir string, trace *sim.Trace) error {
	var files emit.Artifacts
	files.Add("trace.npz", func(w io.Writer) error { return tracefile.Write(w, trace) })
	return files.Commit(dir)
}

func short(x float64) string { return strconv.FormatFloat(x, 'g', 5, 64) }
