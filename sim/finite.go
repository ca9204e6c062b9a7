package sim

import "math"

// Finite returns a pointer to x, or nil where x is NaN or infinite, which JSON
// cannot hold: encoded, it is a number or null.
func Finite(x float64) *float64 {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return nil
	}
	return &x
}
