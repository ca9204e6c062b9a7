package plot

import "math"

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
