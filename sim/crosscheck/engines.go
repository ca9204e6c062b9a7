package crosscheck

import (
	"context"
	"errors"

	"vlec/sim"
	"vlec/sim/referee"
	"vlec/sim/spice"
)

// errForeignMOS says who can simulate the transistors of a design kit.
var errForeignMOS = errors.New("the models of a design kit are known to ngspice alone; say --engine ngspice")

// A spiceEngine simulates a netlist file and returns potentials named v(node),
// at the given instants or at instants that cover them.
type spiceEngine func(ctx context.Context, path string, nodes []string, times []float64, progress func(float64)) (*sim.Trace, int, error)

var spiceEngines = map[string]spiceEngine{
	"builtin": func(ctx context.Context, path string, nodes []string, times []float64, progress func(float64)) (*sim.Trace, int, error) {
		list, err := spice.ParseFile(path)
		if err != nil {
			return nil, 0, err
		}
		c, err := list.Elaborate()
		if err != nil {
			return nil, 0, err
		}
		save := make([]string, len(nodes))
		for i, n := range nodes {
			save[i] = "v(" + n + ")"
		}
		trace, stats, err := c.Tran(ctx, spice.Options{Times: times, Save: save, Progress: progress})
		if err != nil {
			return nil, 0, err
		}
		return trace, stats.Steps, nil
	},
	"ngspice": func(ctx context.Context, path string, _ []string, _ []float64, progress func(float64)) (*sim.Trace, int, error) {
		progress(0)
		run, err := referee.Ngspice(ctx, path)
		if err != nil {
			return nil, 0, err
		}
		steps := 0
		if len(run.Trace.Signals) > 0 {
			steps = len(run.Trace.Signals[0].Time)
		}
		return run.Trace, steps, nil
	},
}
