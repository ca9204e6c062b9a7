package sim

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/interp"
)

// Resample interpolates a signal to other instants, which must lie within its
// own up to rounding. It uses Akima's piecewise cubic: third order for smooth
// signals, and no overshoot next to a jump (H. Akima, J. ACM 17, 589, 1970).
func (s *Signal) Resample(time []float64) (*Signal, error) {
	n, w := len(s.Time), s.Width()
	if n < 2 {
		return nil, fmt.Errorf("%d samples cannot be interpolated", n)
	}
	for k := 1; k < n; k++ {
		if !(s.Time[k] > s.Time[k-1]) {
			return nil, fmt.Errorf("the sampling instants do not ascend at t = %g", s.Time[k])
		}
	}
	first, last := s.Time[0], s.Time[n-1]
	slack := sameInstant * (last - first) / float64(n-1)
	for _, t := range time {
		if !(t >= first-slack && t <= last+slack) {
			return nil, fmt.Errorf("the signal lasts from %g to %g, the reference needs t = %g", first, last, t)
		}
	}

	out := &Signal{Name: s.Name, Unit: s.Unit, Shape: s.Shape, Time: time, Data: make([]float64, len(time)*w)}
	column := make([]float64, n)
	for j := range w {
		for k := range column {
			column[k] = s.Data[k*w+j]
		}
		var spline interp.AkimaSpline
		if err := spline.Fit(s.Time, column); err != nil {
			return nil, err
		}
		for k, t := range time {
			out.Data[k*w+j] = spline.Predict(math.Max(first, math.Min(last, t)))
		}
	}
	return out, nil
}
