package plot

import (
	"math"

	"gonum.org/v1/plot/vg"
)

// slots is how many pieces of the horizontal axis are told apart. A figure has
// about as many pixels.
const slots = 1200

// thin leaves out points that no reader could see: of all points in one slot of
// the horizontal axis it keeps the first, the lowest, the highest and the last,
// in their order. Values that are not finite are kept, as they break the curve.
func thin(x, y []float64) (tx, ty []float64) {
	n := len(x)
	if n <= 4*slots {
		return x, y
	}
	low, high := math.Inf(1), math.Inf(-1)
	for _, v := range x {
		low, high = math.Min(low, v), math.Max(high, v)
	}
	slot := func(i int) int { return int((x[i] - low) / (high - low) * slots) }
	keep := func(i int) { tx, ty = append(tx, x[i]), append(ty, y[i]) }
	for i := 0; i < n; {
		if y[i]-y[i] != 0 {
			keep(i)
			i++
			continue
		}
		first, lowest, highest, s := i, i, i, slot(i)
		for ; i < n && y[i]-y[i] == 0 && slot(i) == s; i++ {
			if y[i] < y[lowest] {
				lowest = i
			}
			if y[i] > y[highest] {
				highest = i
			}
		}
		last := -1
		for _, k := range []int{first, min(lowest, highest), max(lowest, highest), i - 1} {
			if k > last {
				keep(k)
				last = k
			}
		}
	}
	return tx, ty
}

// tolerance is how far a drawn line may be from the points it passes, in points
// of print; a pixel is half a point.
const tolerance = 0.04

// straighten leaves out points near the straight line between their neighbours
// that are kept (U. Ramer, Computer Graphics and Image Processing 1, 244, 1972;
// D. Douglas and T. Peucker, Cartographica 10, 112, 1973). It works in place.
func straighten(piece []vg.Point) []vg.Point {
	if len(piece) < 3 {
		return piece
	}
	keep := make([]bool, len(piece))
	keep[0], keep[len(piece)-1] = true, true
	type span struct{ from, to int }
	for todo := []span{{0, len(piece) - 1}}; len(todo) > 0; {
		s := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		farthest, at := tolerance, -1
		for i := s.from + 1; i < s.to; i++ {
			if d := distance(piece[i], piece[s.from], piece[s.to]); d > farthest {
				farthest, at = d, i
			}
		}
		if at > 0 {
			keep[at] = true
			todo = append(todo, span{s.from, at}, span{at, s.to})
		}
	}
	kept := piece[:0]
	for i, p := range piece {
		if keep[i] {
			kept = append(kept, p)
		}
	}
	return kept
}

// distance of p from the straight line through a and b, or from a where they
// are one.
func distance(p, a, b vg.Point) float64 {
	dx, dy := float64(b.X-a.X), float64(b.Y-a.Y)
	px, py := float64(p.X-a.X), float64(p.Y-a.Y)
	length := math.Hypot(dx, dy)
	if length == 0 {
		return math.Hypot(px, py)
	}
	return math.Abs(dx*py-dy*px) / length
}
