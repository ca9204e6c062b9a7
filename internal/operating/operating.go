// Package operating finds what a biased netlist begins with: the potentials of all
// its nodes while its states are held where they begin.
//
// # For maintainers
//
// Transistors have potentials inside that are no states of the model. A run with
// uic would begin with all of them at 0, which is a supply being switched on, and
// what that does to the states is not what the model does. Letting each simulator
// find the operating point does not work either: from a cold start, or from
// guesses that are 0.1 V off, the Newton iterations of ngspice meet a matrix that is
// singular, for want of limiting in behavioural sources, and step shunts or
// supplies with warnings. So the point is found here, by the engine that is at hand,
// and written down as initial conditions. A wrong one would show as a transient
// at the beginning of every comparison.
package operating

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"vlec/circuit"
	"vlec/emit"
	"vlec/emit/spice"
	"vlec/sim"
	reader "vlec/sim/spice"
)

// Correct returns the corrections that the parts of a process need: two rounds of
// operating points, because one correction moves what another sees.
func Correct(ctx context.Context, u circuit.Units, p spice.Process) (spice.Corrections, error) {
	for range 2 {
		var files emit.Artifacts
		better, err := spice.CorrectionsNetlist(u, p, &files)
		if err != nil {
			return p.Corrections, err
		}
		point, err := at0(ctx, &files, func(c *reader.Circuit, o reader.Options) (*sim.Trace, error) {
			tr, _, err := c.OP(ctx, o)
			return tr, err
		})
		if err != nil {
			return p.Corrections, err
		}
		p.Corrections = better(func(node string) float64 { return point[node] })
	}
	return p.Corrections, nil
}

// Start returns the potentials [V] of a netlist's nodes at t = 0, whose .tran
// begins at its operating point. Inner nodes are called as in x1.x2.n.
func Start(ctx context.Context, files *emit.Artifacts) (map[string]float64, error) {
	return at0(ctx, files, func(c *reader.Circuit, o reader.Options) (*sim.Trace, error) {
		o.Times, o.Engine = []float64{0}, "implicit"
		tr, _, err := c.Tran(ctx, o)
		return tr, err
	})
}

// at0 runs an analysis of a netlist, and returns the first potential [V] of each node.
func at0(ctx context.Context, files *emit.Artifacts, analysis func(*reader.Circuit, reader.Options) (*sim.Trace, error)) (map[string]float64, error) {
	dir, err := os.MkdirTemp("", "vlec-operating-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if err := files.Commit(dir); err != nil {
		return nil, err
	}
	list, err := reader.ParseFile(filepath.Join(dir, spice.NetlistFile))
	if err != nil {
		return nil, err
	}
	c, err := list.Elaborate()
	if err != nil {
		return nil, err
	}
	tr, err := analysis(c, reader.Options{Save: []string{"all"}})
	if err != nil {
		return nil, fmt.Errorf("no operating point: %w", err)
	}
	point := map[string]float64{}
	for _, s := range tr.Signals {
		if name, ok := strings.CutPrefix(s.Name, "v("); ok {
			point[strings.TrimSuffix(name, ")")] = s.Data[0]
		}
	}
	return point, nil
}
