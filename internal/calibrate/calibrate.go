// Package calibrate finds the currents that null the offsets of a circuit's cells,
// as one does on the bench of a laboratory: without input, cell by cell, by the
// operating point.
//
// # For maintainers
//
// What a cell should give without input is what its ideal twin gives, which stands
// beside it. Both are read from the text of a netlist by a simulator that knows
// nothing of either. A current into a sum moves it by itself where it ends in p_r0.
// Where a null goes through a cell it does more or less, even the opposite: the error
// of an error neuron is ten times a small difference, and unequal gains may turn its
// sign at dc.
package calibrate

import (
	"context"
	"errors"
	"fmt"
	"math"

	"vlec/circuit"
	"vlec/emit"
	"vlec/emit/spice"
	"vlec/internal/operating"
)

// Rounds is how often the operating point is found at most; Left is what may be left
// of an offset after that, in model units.
const (
	Rounds = 12
	Left   = 1e-5
)

// Nulls returns the null [V] of every instance that has an offset, by name.
func Nulls(ctx context.Context, c *circuit.Circuit, o spice.Options) (map[string]float64, error) {
	var places []place
	var nulls []float64
	var bad string
	o.Start = nil
	for range Rounds {
		bench, left, point, err := measure(ctx, c, o, nulls)
		if err != nil && o.Start != nil { // from there one may not get on
			o.Start = nil
			bench, left, point, err = measure(ctx, c, o, nulls)
		}
		if nulls != nil && ctx.Err() == nil && errors.Is(err, operating.ErrNoPoint) { // they have run away
			return nil, &NotNulledError{bad}
		}
		if err != nil {
			return nil, err
		}
		o.Start = point // the next is near
		if nulls == nil {
			nulls, places = make([]float64, len(left)), make([]place, len(left))
		}
		worst, at := 0.0, 0
		for k, v := range left {
			if math.IsNaN(v) || math.Abs(v) > worst { // nothing is worse than NaN
				worst, at = math.Abs(v), k
			}
			nulls[k] = spice.RoundNull(places[k].next(nulls[k], v), c.Units.Voltage)
		}
		if worst < Left*c.Units.Voltage {
			return bench.Share(nulls), nil
		}
		bad = bench.Instance(at)
	}
	return nil, &NotNulledError{bad}
}

// A NotNulledError says that no current was found that nulls the offset of an
// instance.
type NotNulledError struct{ Instance string }

func (e *NotNulledError) Error() string {
	return fmt.Sprintf("the offset of %s is not nulled after %d rounds; transistors of larger area have smaller ones", e.Instance, Rounds)
}

// A place remembers what the null before did to an offset.
type place struct {
	seen       bool
	null, left float64
}

// next is a better null [V] than one that leaves so much [V], by the secant through
// this null and the one before. Where nulls have not moved, one moves the output by
// itself.
func (p *place) next(null, left float64) float64 {
	slope := 1.0
	if p.seen && null != p.null {
		if s := (left - p.left) / (null - p.null); math.Abs(s) > 0.05 && math.Abs(s) < 20 {
			slope = s
		}
	}
	*p = place{true, null, left}
	return null - left/slope
}

// measure finds what is left of the offsets [V], place by place, and the operating
// point [V].
func measure(ctx context.Context, c *circuit.Circuit, o spice.Options, nulls []float64) (*spice.NullBench, []float64, map[string]float64, error) {
	var files emit.Artifacts
	bench, err := spice.Nulls(c, o, nulls, &files)
	if err != nil {
		return nil, nil, nil, err
	}
	point, err := operating.Point(ctx, &files, o.MOS)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("cells without input: %w", err)
	}
	left := make([]float64, len(bench.Twins))
	for k, t := range bench.Twins {
		out, here := point[t.Out]
		twin, beside := point[t.Twin]
		if !here || !beside {
			return nil, nil, nil, fmt.Errorf("the bench of offsets has no node %s", t.Out)
		}
		left[k] = out - twin
	}
	return bench, left, point, nil
}
