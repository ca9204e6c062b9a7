package referee

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"vlec/sim"
)

// A SpiceRun is a transient analysis that ngspice finished.
type SpiceRun struct {
	Trace    *sim.Trace // signals as ngspice names them: v(node), i(source); time in seconds
	Version  string
	Warnings []string
	Output   Output
}

// Ngspice runs the transient analysis of a netlist file in batch mode and
// returns what it saved. The folder of the netlist is where its .include lines
// begin; files that it writes itself vanish after the run.
//
// The error is a *MissingError without ngspice, and a *RunError when the
// netlist is refused, the analysis stops early, or ctx ends.
func Ngspice(ctx context.Context, netlist string) (*SpiceRun, error) {
	program, err := Find("ngspice")
	if err != nil {
		return nil, err
	}
	netlist, err = filepath.Abs(netlist)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(netlist); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "ngspice-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)

	results := filepath.Join(dir, "out.raw")
	out, err := execute(ctx, dir, program, "-n", "-b", "-r", results, netlist) // -n: no start file
	said := out.Stdout + "\n" + out.Stderr
	fail := func(err error) error {
		e := &RunError{Tool: "ngspice", Err: err}
		e.Lines = linesAbout(said, "error", "fatal", "singular", "trouble", "aborted", "can't find", "too small", "unknown", "no such")
		e.Lines = e.Lines[:min(len(e.Lines), maxLines)]
		return e
	}
	if err != nil {
		return nil, fail(err)
	}
	// Each of these comes with exit status 0 in one case or another.
	if bad := linesAbout(said, "simulation(s) aborted", "interrupted due to error", "fatal error", "circuit not parsed"); len(bad) > 0 {
		return nil, fail(errors.New("it stopped early"))
	}
	trace, err := transient(results)
	if err != nil {
		return nil, fail(err)
	}
	run := &SpiceRun{Trace: trace, Output: out, Warnings: linesAbout(said, "warning")}
	i := slices.IndexFunc(tools, func(t Tool) bool { return t.Name == "ngspice" })
	_, run.Version = tools[i].probe(ctx)
	return run, nil
}

// transient reads the transient analysis among the plots of a result file.
func transient(file string) (*sim.Trace, error) {
	f, err := os.Open(file)
	if errors.Is(err, os.ErrNotExist) {
		return nil, errors.New("it left no results; the netlist needs a .tran line")
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	plots, err := readRaw(f)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(plots, func(p *plot) bool { return strings.HasPrefix(p.name, "Transient") })
	if i < 0 {
		return nil, errors.New("its results hold no transient analysis; the netlist needs a .tran line")
	}
	p := plots[i]
	if p.points == 0 || len(p.variables) < 2 {
		return nil, fmt.Errorf("its transient analysis holds %d samples of %d variables", p.points, len(p.variables))
	}
	trace := new(sim.Trace)
	for _, v := range p.variables[1:] {
		unit := map[string]string{"voltage": "V", "current": "A"}[v.kind]
		trace.Signals = append(trace.Signals, &sim.Signal{Name: v.name, Unit: unit, Time: p.variables[0].data, Data: v.data})
	}
	return trace, nil
}
