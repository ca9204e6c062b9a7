// Package rtlrun runs Verilog files as they stand: a testbench to its end, a
// design for a number of cycles, in the built-in engine or in the simulators of
// others.
//
// # For maintainers
//
// A testbench is a top module without ports. It says itself how it ends, and all
// engines run it alike. A design has ports, and only the built-in engine can be
// its testbench.
package rtlrun

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"vlec/model/diag"
	"vlec/sim/referee"
	"vlec/sim/verilog"
)

// Engines are the simulators that Run knows.
var Engines = []string{"builtin", "icarus", "verilator"}

// Options choose what is run.
type Options struct {
	Files   []string // Verilog files (.v, .sv) and lists of files (.f)
	Top     string   // "": the module that no other instantiates
	Engine  string   // one of Engines; "" is builtin
	Defines []string // NAME or NAME=text
	VCD     string   // file for the waveforms, built-in engine only; "" for none
	Dir     string   // where memory files are looked for first; "": beside the files

	// Of a design, which has ports. Unset inputs are 0.
	Cycles int
	Inputs map[string]int64

	Stdout io.Writer // what a testbench prints
}

// A Result tells how a run ended.
type Result struct {
	Top     string   `json:"top"`
	Engine  string   `json:"engine"`
	Pass    bool     `json:"pass"`              // false after $fatal, $error, or a missing memory file
	Time    uint64   `json:"time"`              // in ticks of the finest time precision; 0: the engine does not say
	Errors  []string `json:"errors,omitempty"`  // what the testbench said
	Notes   []string `json:"notes,omitempty"`   // what the simulator said of the files
	Outputs []Output `json:"outputs,omitempty"` // of a design
}

// An Output is a port of a design at the end.
type Output struct {
	Name  string `json:"name"`
	Value string `json:"value"` // decimal, or binary digits where some are unknown
	Known bool   `json:"known"`
}

// IsVerilog tells whether a file name is one that Run takes.
func IsVerilog(name string) bool {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".v", ".sv", ".f":
		return true
	}
	return false
}

// Read reads Verilog files and lists of them. A module that none declares is
// looked for, as NAME.v, beside them and in a folder rtl beside their folders.
func Read(files, defines []string) (*verilog.Source, error) {
	r := verilog.Reader{Defines: map[string]string{}}
	for _, d := range defines {
		name, text, _ := strings.Cut(d, "=")
		r.Defines[name] = text
	}
	var names []string
	for _, f := range files {
		if filepath.Ext(f) != ".f" {
			names = append(names, f)
			continue
		}
		l, err := list(f)
		if err != nil {
			return nil, err
		}
		names = append(names, l...)
	}
	for _, f := range names {
		dir := filepath.Dir(f)
		for _, d := range []string{dir, filepath.Join(dir, "..", "rtl")} {
			if !slices.Contains(r.Libraries, d) {
				r.Libraries = append(r.Libraries, d)
			}
		}
	}
	return r.ParseFiles(names...)
}

// list reads a list of files, one a line, relative to its own folder. Comments
// begin with // or #.
func list(path string) ([]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var names []string
	var errs diag.List
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		line, _, _ := strings.Cut(lines.Text(), "//")
		line, _, _ = strings.Cut(line, "#")
		switch line = strings.TrimSpace(line); {
		case line == "":
		case strings.HasPrefix(line, "-"), strings.HasPrefix(line, "+"):
			errs.Add(diag.Pos{File: path, Line: n, Col: 1}, "list files only, and give macros with --define", "option %s in a list of files", line)
		case filepath.IsAbs(line):
			names = append(names, line)
		default:
			names = append(names, filepath.Join(filepath.Dir(path), line))
		}
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	if len(names) == 0 && len(errs) == 0 {
		errs.Add(diag.Pos{File: path, Line: 1, Col: 1}, "", "the list has no file")
	}
	return names, errs.Err()
}

// Run runs the files. The error is about the files or the machine; what the
// testbench thinks is in the result.
func Run(ctx context.Context, o Options) (*Result, error) {
	if o.Dir == "" && len(o.Files) > 0 {
		o.Dir = home(o.Files[0])
	}
	src, err := Read(o.Files, o.Defines)
	if err != nil {
		return nil, err
	}
	top := o.Top
	if top == "" {
		if top, err = topOf(src); err != nil {
			return nil, err
		}
	}
	d, err := src.Elaborate(top, nil)
	if err != nil {
		return nil, err
	}
	r := &Result{Top: top, Engine: o.Engine}
	switch {
	case o.Engine == "builtin" || o.Engine == "":
		r.Engine = "builtin"
		return r, r.builtin(ctx, d, o)
	case len(d.Ports) > 0:
		return nil, fmt.Errorf("%s is a design with ports, which %s cannot run by itself; give a testbench, or use the built-in engine", top, o.Engine)
	case o.VCD != "":
		return nil, fmt.Errorf("%s writes the waveforms that the testbench asks for ($dumpvars); leave the VCD file to the built-in engine", o.Engine)
	}
	job := referee.VerilogJob{Files: src.Files(), Top: top, Defines: o.Defines, Dir: o.Dir}
	simulate := map[string]func(context.Context, referee.VerilogJob) (*referee.VerilogRun, error){
		"icarus": referee.Icarus, "verilator": referee.Verilator,
	}[o.Engine]
	if simulate == nil {
		return nil, fmt.Errorf("there is no engine %q for Verilog; use %s", o.Engine, strings.Join(Engines, ", "))
	}
	run, err := simulate(ctx, job)
	if err != nil {
		return nil, err
	}
	fmt.Fprint(o.Stdout, run.Output.Stdout)
	r.Pass, r.Notes = !run.Failed(), run.Warnings
	return r, nil
}

// home is the folder in which a run looks for its memory files: that of the file,
// or the one above rtl and tb.
func home(file string) string {
	dir := filepath.Dir(file)
	switch abs, err := filepath.Abs(dir); {
	case err != nil:
	case filepath.Base(abs) == "tb", filepath.Base(abs) == "rtl":
		return filepath.Join(dir, "..")
	}
	return dir
}

// topOf is the module that no other instantiates.
func topOf(src *verilog.Source) (string, error) {
	if top := src.Top(); top != "" {
		return top, nil
	}
	return "", fmt.Errorf("no single module of %s is the top; choose one of %s", strings.Join(src.Files(), ", "), strings.Join(src.Tops(), ", "))
}

func (r *Result) builtin(ctx context.Context, d *verilog.Design, o Options) error {
	m, err := verilog.NewSim(d)
	if err != nil {
		return err
	}
	m.Stdout, m.Dir = o.Stdout, o.Dir
	if o.VCD != "" {
		f, err := os.Create(o.VCD)
		if err != nil {
			return err
		}
		defer f.Close()
		m.TraceVCD(f)
	}
	if len(d.Ports) > 0 {
		err = r.cycles(ctx, m, d, o)
	} else {
		var end verilog.Result
		end, err = m.Run(ctx, 0)
		r.Time, r.Pass = end.Time, !end.Failed && len(end.Errors) == 0
		for _, e := range end.Errors {
			r.Errors = append(r.Errors, e.Error())
		}
	}
	if o.VCD != "" && err == nil {
		err = m.CloseVCD()
	}
	return err
}

// cycles runs a design with constant inputs.
func (r *Result) cycles(ctx context.Context, m *verilog.Sim, d *verilog.Design, o Options) error {
	if o.Cycles <= 0 {
		return fmt.Errorf("%s is a design, not a testbench; say for how many cycles it shall run, and with which inputs", d.Top)
	}
	for name := range o.Inputs {
		if !slices.ContainsFunc(d.Ports, func(p verilog.Port) bool { return p.Dir == "input" && p.Name == d.Top+"."+name }) {
			return fmt.Errorf("%s has no input %s", d.Top, name)
		}
	}
	for _, p := range d.Ports {
		if p.Dir != "input" {
			continue
		}
		name := strings.TrimPrefix(p.Name, d.Top+".")
		if err := m.Set(name, o.Inputs[name]); err != nil {
			return err
		}
	}
	for k := 0; k < o.Cycles && !m.Finished(); k++ {
		if k&1023 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if err := m.Step(); err != nil {
			return err
		}
	}
	r.Pass = true
	for _, p := range d.Ports {
		if p.Dir == "input" {
			continue
		}
		v, err := m.GetValue(p.Name)
		if err != nil {
			return err
		}
		out := Output{Name: strings.TrimPrefix(p.Name, d.Top+"."), Known: v.Known()}
		if i, ok := v.Int64(); ok {
			out.Value = fmt.Sprint(i)
		} else {
			out.Value = v.String()
		}
		r.Outputs = append(r.Outputs, out)
	}
	return nil
}

// Lint reads files and looks for places where sign and width do what is seldom
// meant.
func Lint(files, defines []string) (diag.List, error) {
	src, err := Read(files, defines)
	if err != nil {
		return nil, err
	}
	return verilog.Lint(src), nil
}
