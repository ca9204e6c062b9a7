package referee

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// A VerilogJob names Verilog files and what to do with them.
type VerilogJob struct {
	Files   []string
	Top     string   // the testbench, or for Yosys and Lint the design
	Include []string // folders of included files
	Defines []string // NAME or NAME=text
	Dir     string   // folder to run in, where $readmemh looks; default: a new one that vanishes
	Quick   bool     // Verilator: build fast rather than run fast
}

// A VerilogRun is a testbench that a simulator compiled and ran to its end.
type VerilogRun struct {
	Tool     string
	Version  string
	Status   int      // exit status of the run
	Warnings []string // of the compiler and, about memory files, of the run
	Build    Output
	Output   Output
}

// Failed tells whether the testbench said no: by its exit status, or because a
// memory file was missing or short, after which simulators exit with 0.
func (r *VerilogRun) Failed() bool {
	return r.Status != 0 || len(linesAbout(r.Output.Stdout+"\n"+r.Output.Stderr, memoryTrouble...)) > 0
}

// memoryTrouble is how vvp and Verilator speak of memory files.
var memoryTrouble = []string{"readmem", "unable to open", "not enough words", "too many words"}

// paths makes the files and folders of a job absolute and checks that they
// exist, so that a run in another folder finds them.
func (j *VerilogJob) paths() (files, include []string, err error) {
	for _, f := range j.Files {
		abs, err := filepath.Abs(f)
		if err != nil {
			return nil, nil, err
		}
		if _, err := os.Stat(abs); err != nil {
			return nil, nil, err
		}
		files = append(files, abs)
	}
	for _, d := range j.Include {
		abs, err := filepath.Abs(d)
		if err != nil {
			return nil, nil, err
		}
		include = append(include, abs)
	}
	if len(files) == 0 {
		return nil, nil, errors.New("a Verilog run without files")
	}
	return files, include, nil
}

// workshop is a folder for one run, and the one to run in.
func (j *VerilogJob) workshop(name string) (build, run string, err error) {
	if build, err = os.MkdirTemp("", name+"-"); err != nil {
		return "", "", err
	}
	run = build
	if j.Dir != "" {
		run, err = filepath.Abs(j.Dir)
	}
	return build, run, err
}

// status splits an exit status off an error; other errors stay.
func status(err error) (int, error) {
	if e, ok := errors.AsType[*exec.ExitError](err); ok {
		if code := e.ExitCode(); code >= 0 {
			return code, nil
		}
		return 128, nil // ended by a signal: abort is how Verilator obeys $fatal
	}
	return 0, err
}

func failure(tool string, err error, out Output) error {
	e := &RunError{Tool: tool, Err: err}
	e.Lines = linesAbout(out.Stdout+"\n"+out.Stderr, "error", "fatal", "syntax", "not found", "unable")
	e.Lines = e.Lines[:min(len(e.Lines), maxLines)]
	return e
}

func toolVersion(ctx context.Context, name string) string {
	i := slices.IndexFunc(tools, func(t Tool) bool { return t.Name == name })
	_, v := tools[i].probe(ctx)
	return v
}

// Icarus compiles a testbench with iverilog -Wall and runs it.
//
// The error is a *MissingError without Icarus, and a *RunError when the text is
// refused or ctx ends; what the testbench itself thinks is in the result.
func Icarus(ctx context.Context, job VerilogJob) (*VerilogRun, error) {
	compiler, err := Find("iverilog")
	if err != nil {
		return nil, err
	}
	files, include, err := job.paths()
	if err != nil {
		return nil, err
	}
	build, dir, err := job.workshop("icarus")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(build)

	code := filepath.Join(build, "tb.vvp")
	args := []string{"-g2005-sv", "-Wall", "-o", code} // sv for $fatal
	if job.Top != "" {
		args = append(args, "-s", job.Top)
	}
	for _, d := range include {
		args = append(args, "-I", d)
	}
	for _, d := range job.Defines {
		args = append(args, "-D"+d)
	}
	run := &VerilogRun{Tool: "iverilog", Version: toolVersion(ctx, "iverilog")}
	if run.Build, err = execute(ctx, build, compiler, append(args, files...)...); err != nil {
		return nil, failure("iverilog", err, run.Build)
	}
	run.Warnings = linesAbout(run.Build.Stdout+"\n"+run.Build.Stderr, "warning", "sorry")
	vvp := filepath.Join(filepath.Dir(compiler), "vvp")
	out, err := execute(ctx, dir, vvp, "-n", code) // -n: $stop ends the run
	return run.finish(out, err)
}

func (r *VerilogRun) finish(out Output, err error) (*VerilogRun, error) {
	r.Output = out
	if r.Status, err = status(err); err != nil {
		return nil, failure(r.Tool, err, out)
	}
	r.Warnings = append(r.Warnings, linesAbout(out.Stdout+"\n"+out.Stderr, memoryTrouble...)...)
	return r, nil
}

// Verilator builds a testbench with verilator --binary -Wall and runs it.
// Errors are as those of Icarus.
func Verilator(ctx context.Context, job VerilogJob) (*VerilogRun, error) {
	build, dir, err := job.workshop("verilator")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(build)
	if job.Top == "" {
		return nil, errors.New("a run of Verilator wants the name of the testbench")
	}
	args := []string{"--binary", "--timing", "-O3", "-Mdir", build, "-o", "tb"}
	if job.Quick {
		args = append(args, "-CFLAGS", "-O0", "-MAKEFLAGS", "OPT_FAST=-O0 OPT_SLOW=-O0 OPT_GLOBAL=-O0")
	}
	run, err := verilate(ctx, job, build, args...)
	if err != nil {
		return nil, err
	}
	out, err := execute(ctx, dir, filepath.Join(build, "tb"))
	return run.finish(out, err)
}

// Lint checks a design with verilator --lint-only -Wall; the warnings are in
// the result.
func Lint(ctx context.Context, job VerilogJob) (*VerilogRun, error) {
	build, _, err := job.workshop("verilator")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(build)
	return verilate(ctx, job, build, "--lint-only", "--timing")
}

func verilate(ctx context.Context, job VerilogJob, build string, args ...string) (*VerilogRun, error) {
	compiler, err := Find("verilator")
	if err != nil {
		return nil, err
	}
	files, include, err := job.paths()
	if err != nil {
		return nil, err
	}
	args = append(args, "-Wall", "-Wno-fatal")
	if job.Top != "" {
		args = append(args, "--top-module", job.Top)
	}
	for _, d := range include {
		args = append(args, "-I"+d)
	}
	for _, d := range job.Defines {
		args = append(args, "-D"+d)
	}
	run := &VerilogRun{Tool: "verilator", Version: toolVersion(ctx, "verilator")}
	if run.Build, err = execute(ctx, build, compiler, append(args, files...)...); err != nil {
		return nil, failure("verilator", err, run.Build)
	}
	run.Warnings = linesAbout(run.Build.Stderr, "%warning")
	return run, nil
}

// A SynthJob is a VerilogJob for Yosys.
type SynthJob struct {
	VerilogJob
	Target  string // ice40, ecp5 or xilinx; "" only checks
	DSP     bool   // multipliers of the device, where that is a choice
	Netlist string // file for the netlist of gates, in JSON where its name says so; or ""
}

// A Synthesis is what Yosys made of a design.
type Synthesis struct {
	Version  string
	Cells    map[string]int // by type, in the whole design
	Warnings []string
	// Conflicts are the warnings of two drivers on one net: the only sign of a
	// wrong netlist that synth_ice40 -dsp is known to give.
	Conflicts []string
	Output    Output
}

// Yosys reads a design, checks it (check -assert) and, with a target,
// synthesises it. The error is a *MissingError without Yosys, and a *RunError
// when the text or the check fails.
func Yosys(ctx context.Context, job SynthJob) (*Synthesis, error) {
	program, err := Find("yosys")
	if err != nil {
		return nil, err
	}
	files, include, err := job.paths()
	if err != nil {
		return nil, err
	}
	build, dir, err := job.workshop("yosys")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(build)

	var script strings.Builder
	// Deferred: a parameter that names a file has no value yet.
	fmt.Fprint(&script, "read_verilog -defer")
	for _, d := range include {
		fmt.Fprintf(&script, " -I%s", quoteYosys(d))
	}
	for _, d := range job.Defines {
		fmt.Fprintf(&script, " -D%s", d)
	}
	for _, f := range files {
		fmt.Fprintf(&script, " %s", quoteYosys(f))
	}
	fmt.Fprintf(&script, "\nhierarchy -check -top %s\nproc\ncheck -assert\n", job.Top)
	switch job.Target {
	case "":
	case "ice40", "ecp5", "xilinx":
		fmt.Fprintf(&script, "synth_%s -top %s", job.Target, job.Top)
		if job.DSP && job.Target == "ice40" {
			fmt.Fprint(&script, " -dsp")
		}
		if !job.DSP && job.Target != "ice40" {
			fmt.Fprint(&script, " -nodsp")
		}
		fmt.Fprintln(&script)
	default:
		return nil, fmt.Errorf("no synthesis target is called %q; ice40, ecp5 and xilinx are", job.Target)
	}
	stat := filepath.Join(build, "stat")
	fmt.Fprintf(&script, "tee -o %s stat\n", quoteYosys(stat))
	if job.Netlist != "" {
		abs, err := filepath.Abs(job.Netlist)
		if err != nil {
			return nil, err
		}
		write := "write_verilog -noattr"
		if filepath.Ext(abs) == ".json" {
			write = "write_json"
		}
		fmt.Fprintf(&script, "%s %s\n", write, quoteYosys(abs))
	}
	recipe := filepath.Join(build, "run.ys")
	if err := os.WriteFile(recipe, []byte(script.String()), 0o666); err != nil {
		return nil, err
	}
	log := filepath.Join(build, "log")
	out, err := execute(ctx, dir, program, "-q", "-l", log, "-s", recipe)
	if text, e := os.ReadFile(log); e == nil {
		out.Stdout = string(text[:min(len(text), maxOutput)])
	}
	if err != nil {
		return nil, failure("yosys", err, out)
	}
	s := &Synthesis{Version: toolVersion(ctx, "yosys"), Output: out, Cells: map[string]int{}}
	s.Warnings = linesAbout(out.Stdout+"\n"+out.Stderr, "warning:")
	slices.Sort(s.Warnings)
	s.Warnings = slices.Compact(s.Warnings)
	s.Conflicts = linesAbout(strings.Join(s.Warnings, "\n"), "conflict")
	if err := s.count(stat); err != nil {
		return nil, failure("yosys", err, out)
	}
	return s, nil
}

// count reads the cells of the whole design from the statistics of Yosys, as
// text: as JSON, those of Yosys 0.23 are broken for designs of several modules.
// The last list is that of the design, or of its only module.
func (s *Synthesis) count(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	at := strings.LastIndex(string(text), "Number of cells:")
	if at < 0 {
		return errors.New("there are no cells in its statistics")
	}
	s.Cells = map[string]int{}
	for line := range strings.Lines(string(text[at:])) {
		var name string
		var n int
		if k, _ := fmt.Sscan(line, &name, &n); k == 2 {
			s.Cells[name] = n
		}
	}
	return nil
}

func quoteYosys(path string) string {
	if strings.ContainsAny(path, " \t\"") {
		return `"` + strings.ReplaceAll(path, `"`, `\"`) + `"`
	}
	return path
}

// CellModels returns the file with the simulation models of the cells of a
// synthesis target, for a run of the netlist of gates. Yosys keeps it in the
// share folder next to its bin folder.
func CellModels(target string) (string, error) {
	program, err := Find("yosys")
	if err != nil {
		return "", err
	}
	if program, err = filepath.EvalSymlinks(program); err != nil {
		return "", err
	}
	file := filepath.Join(filepath.Dir(program), "..", "share", "yosys", target, "cells_sim.v")
	if _, err := os.Stat(file); err != nil {
		return "", err
	}
	return file, nil
}
