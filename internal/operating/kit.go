package operating

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"vlec/circuit"
	"vlec/emit/spice"
)

// Rounds is how often the operating point of a kit's parts is found at most; Left is
// what may be left to correct after that.
const (
	Rounds = 20
	Left   = 2e-5 // some digits above what is printed of a correction
)

// correctKit finds corrections by the secant through the last two of each, as far as
// that makes for a step of at most a third.
func correctKit(ctx context.Context, u circuit.Units, p spice.Process, mos string) (spice.Corrections, error) {
	now := [...]float64{1, 1, 1, 1, 1}
	var last, lastLeft [len(now)]float64
	var bad, guess string
	for round := range Rounds {
		p.Corrections = spice.Corrections{Conductance: now[0], Mirror: now[1], Correlator: now[2], Pair: now[3], Steering: now[4]}
		c, point, err := improve(ctx, u, p, mos+guess)
		if err != nil {
			return p.Corrections, err
		}
		guess = nodesets(point)
		worst := 0.0
		for k, better := range [...]float64{c.Conductance, c.Mirror, c.Correlator, c.Pair, c.Steering} {
			left := better - now[k]
			if math.IsNaN(left) || math.Abs(left) > worst { // nothing is worse than NaN, of a part whose output does not move
				worst, bad = math.Abs(left), [...]string{"transconductor", "mirror", "correlator", "pair", "product"}[k]
			}
			if math.Abs(left) < Left {
				continue // the secant through two of these would be that of their rounding
			}
			step := left
			if slope := (left - lastLeft[k]) / (now[k] - last[k]); round > 0 && slope < 0 {
				step = -left / slope
			}
			last[k], lastLeft[k] = now[k], left
			if most := now[k] / 3; math.Abs(step) < most {
				now[k] += step
			} else {
				now[k] += math.Copysign(most, step)
			}
		}
		if worst < Left {
			return p.Corrections, nil
		}
	}
	return p.Corrections, fmt.Errorf("the %s of the kit's transistors is not corrected after %d rounds: choose width, length, current or supply in [hardware.spice.transistors] to suit its thresholds", bad, Rounds)
}

// nodesets are lines that tell ngspice where to look for an operating point: from
// nothing, it takes several seconds.
func nodesets(point map[string]float64) string {
	var b strings.Builder
	for _, node := range slices.Sorted(maps.Keys(point)) {
		fmt.Fprintf(&b, ".nodeset v(%s)=%.6g\n", node, point[node])
	}
	return b.String()
}
