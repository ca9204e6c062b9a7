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
	run, err := batch(ctx, netlist, transient)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(tools, func(t Tool) bool { return t.Name == "ngspice" })
	_, run.Version = tools[i].probe(ctx)
	return run, nil
}

// NgspiceOP finds the operating point of a netlist file, whose analysis is .op, and
// returns the potentials [V] of its nodes. Inner nodes are called as in x1.x2.n; those
// inside devices are left out. Errors are those of Ngspice.
func NgspiceOP(ctx context.Context, netlist string) (map[string]float64, error) {
	run, err := batch(ctx, netlist, operatingPoint)
	if err != nil {
		return nil, err
	}
	point := map[string]float64{}
	for _, s := range run.Trace.Signals {
		if name, ok := strings.CutPrefix(s.Name, "v("); ok && !strings.Contains(name, "#") {
			point[strings.TrimSuffix(name, ")")] = s.Data[0]
		}
	}
	return point, nil
}

// batch runs a netlist and reads an analysis from its result file.
func batch(ctx context.Context, netlist string, read func(file string) (*sim.Trace, error)) (*SpiceRun, error) {
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
	trace, err := read(results)
	if err != nil {
		return nil, fail(err)
	}
	return &SpiceRun{Trace: trace, Output: out, Warnings: linesAbout(said, "warning")}, nil
}

// transient reads the transient analysis among the plots of a result file.
func transient(file string) (*sim.Trace, error) {
	p, err := analysis(file, "Transient", "transient analysis", ".tran")
	if err != nil {
		return nil, err
	}
	if p.points == 0 || len(p.variables) < 2 {
		return nil, fmt.Errorf("its transient analysis holds %d samples of %d variables", p.points, len(p.variables))
	}
	return traceOf(p.variables[1:], p.variables[0].data), nil
}

// operatingPoint reads the operating point, as a trace of one sample.
func operatingPoint(file string) (*sim.Trace, error) {
	p, err := analysis(file, "Operating Point", "operating point", ".op")
	if err != nil {
		return nil, err
	}
	if p.points != 1 {
		return nil, fmt.Errorf("its operating point holds %d samples", p.points)
	}
	return traceOf(p.variables, []float64{0}), nil
}

func traceOf(variables []variable, time []float64) *sim.Trace {
	trace := new(sim.Trace)
	for _, v := range variables {
		unit := map[string]string{"voltage": "V", "current": "A"}[v.kind]
		trace.Signals = append(trace.Signals, &sim.Signal{Name: v.name, Unit: unit, Time: time, Data: v.data})
	}
	return trace
}

// analysis finds an analysis among the plots of a result file.
func analysis(file, plotName, called, line string) (*plot, error) {
	f, err := os.Open(file)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("it left no results; the netlist needs a %s line", line)
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	plots, err := readRaw(f)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(plots, func(p *plot) bool { return strings.HasPrefix(p.name, plotName) })
	if i < 0 {
		return nil, fmt.Errorf("its results hold no %s; the netlist needs a %s line", called, line)
	}
	return plots[i], nil
}
