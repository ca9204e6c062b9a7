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
//
// The models of a design kit are known to ngspice alone: it finds the operating
// points of single parts and cells, and where its own runs begin.
package operating

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"vlec/circuit"
	"vlec/emit"
	"vlec/emit/spice"
	"vlec/sim"
	"vlec/sim/referee"
	reader "vlec/sim/spice"
)

// ErrNoPoint is what a netlist without an operating point, or one that is not found, ends in.
var ErrNoPoint = errors.New("no operating point")

// Correct returns the corrections that the parts of a process need. mos is the library
// of transistors, "" the generic one: two rounds of operating points do then, because
// one correction moves what another sees. The current of a kit's transistor is not
// quite proportional to its width, so that it takes as many rounds as it takes.
func Correct(ctx context.Context, u circuit.Units, p spice.Process, mos string) (spice.Corrections, error) {
	if mos != "" {
		return correctKit(ctx, u, p, mos)
	}
	for range 2 {
		better, _, err := improve(ctx, u, p, "")
		if err != nil {
			return p.Corrections, err
		}
		p.Corrections = better
	}
	return p.Corrections, nil
}

// improve finds better corrections than those that a process has, and the operating
// point of the parts. library has the transistors.
func improve(ctx context.Context, u circuit.Units, p spice.Process, library string) (spice.Corrections, map[string]float64, error) {
	var files emit.Artifacts
	better, err := spice.CorrectionsNetlist(u, p, library, &files)
	if err != nil {
		return p.Corrections, nil, err
	}
	point, err := Point(ctx, &files, library)
	if err != nil {
		return p.Corrections, nil, err
	}
	return better(func(node string) float64 { return point[node] }), point, nil
}

// Point returns the potentials [V] of a netlist's nodes at its operating point, .op.
// Inner nodes are called as in x1.x2.n. mos is the library of transistors that the
// netlist has: "" is the generic one, for the built-in engine; others are for ngspice.
func Point(ctx context.Context, files *emit.Artifacts, mos string) (map[string]float64, error) {
	if mos != "" {
		return in(files, func(netlist string) (map[string]float64, error) { return referee.NgspiceOP(ctx, netlist) })
	}
	return at0(files, func(c *reader.Circuit, o reader.Options) (*sim.Trace, error) {
		tr, _, err := c.OP(ctx, o)
		return tr, err
	})
}

// Start returns the potentials [V] of a netlist's nodes at t = 0, whose .tran
// begins at its operating point. Inner nodes are called as in x1.x2.n.
func Start(ctx context.Context, files *emit.Artifacts) (map[string]float64, error) {
	return at0(files, func(c *reader.Circuit, o reader.Options) (*sim.Trace, error) {
		o.Times, o.Engine = []float64{0}, "implicit"
		tr, _, err := c.Tran(ctx, o)
		return tr, err
	})
}

// at0 runs an analysis of a netlist, and returns the first potential [V] of each node.
func at0(files *emit.Artifacts, analysis func(*reader.Circuit, reader.Options) (*sim.Trace, error)) (map[string]float64, error) {
	return in(files, func(netlist string) (map[string]float64, error) {
		list, err := reader.ParseFile(netlist)
		if err != nil {
			return nil, err
		}
		c, err := list.Elaborate()
		if err != nil {
			return nil, err
		}
		tr, err := analysis(c, reader.Options{Save: []string{"all"}})
		if err != nil {
			return nil, err
		}
		point := map[string]float64{}
		for _, s := range tr.Signals {
			if name, ok := strings.CutPrefix(s.Name, "v("); ok {
				point[strings.TrimSuffix(name, ")")] = s.Data[0]
			}
		}
		return point, nil
	})
}

// in puts a netlist into a folder of its own while it is solved.
func in(files *emit.Artifacts, solve func(netlist string) (map[string]float64, error)) (map[string]float64, error) {
	dir, err := os.MkdirTemp("", "vlec-operating-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if err := files.Commit(dir); err != nil {
		return nil, err
	}
	point, err := solve(filepath.Join(dir, spice.NetlistFile))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoPoint, err)
	}
	return point, nil
}
