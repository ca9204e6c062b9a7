package reference

import (
	"context"
	"fmt"
	"math"
)

// An integrator advances dz/dt = f(t, z) by the explicit Runge-Kutta pair of
// Dormand and Prince, orders 5 and 4 (J. Comp. Appl. Math. 6, 1980), with
// the error of every single state kept below atol + rtol |z|.
//
// The last of the seven stages of a step is the first of the next, and it is
// evaluated at the new state; so after advance the right-hand side has been
// evaluated at exactly (t, z).
type integrator struct {
	f          func(t float64, z, dz []float64) error
	rtol, atol float64

	t, h    float64
	z       []float64
	next    []float64
	k       [7][]float64
	lastErr float64

	steps, evaluations int
}

// The tableau; the row of stage 7 is also the solution of order 5.
var (
	dpNodes = [7]float64{0, 1. / 5, 3. / 10, 4. / 5, 8. / 9, 1, 1}
	dpStage = [7][6]float64{
		{},
		{1. / 5},
		{3. / 40, 9. / 40},
		{44. / 45, -56. / 15, 32. / 9},
		{19372. / 6561, -25360. / 2187, 64448. / 6561, -212. / 729},
		{9017. / 3168, -355. / 33, 46732. / 5247, 49. / 176, -5103. / 18656},
		{35. / 384, 0, 500. / 1113, 125. / 192, -2187. / 6784, 11. / 84},
	}
	dpError = [7]float64{71. / 57600, 0, -71. / 16695, 71. / 1920, -17253. / 339200, 22. / 525, -1. / 40}
)

// newIntegrator starts at time 0 with state z, which it owns.
func newIntegrator(f func(t float64, z, dz []float64) error, z []float64, rtol float64) (*integrator, error) {
	d := &integrator{f: f, rtol: rtol, atol: rtol * 1e-3, z: z, next: make([]float64, len(z)), lastErr: 1e-4}
	for s := range d.k {
		d.k[s] = make([]float64, len(z))
	}
	d.evaluations = 1
	return d, f(0, z, d.k[0])
}

// advance integrates to exactly the given time.
func (d *integrator) advance(ctx context.Context, end float64) error {
	if d.h == 0 {
		d.h = d.firstStep(end - d.t)
	}
	for d.t < end {
		if d.steps%1024 == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		h, last := d.h, false
		if d.t+1.01*h >= end {
			h, last = end-d.t, true
		}
		tail, err := d.try(h)
		if err != nil {
			tail = math.NaN() // a shorter step may keep the loop within reach
		}
		if !(tail <= 1) {
			shrink := 0.1
			if tail < math.Inf(1) { // false for NaN as well
				shrink = max(0.1, 0.9*math.Pow(tail, -0.2))
			}
			d.h = h * shrink
			if !(d.h > 1e-13*(1+d.t)) { // or not a number
				if err != nil {
					return err
				}
				return fmt.Errorf("at t = %g no step is short enough: a signal grows without bound or a time constant has reached zero", d.t)
			}
			continue
		}
		d.steps++
		d.t += h
		if last {
			d.t = end
		}
		d.z, d.next = d.next, d.z
		d.k[0], d.k[6] = d.k[6], d.k[0]
		// Proportional-integral control; a step cut short by the end of the
		// interval says little about the next.
		tail = max(tail, 1e-10)
		grow := min(5, max(0.2, 0.9*math.Pow(tail, -0.7/5)*math.Pow(d.lastErr, 0.4/5)))
		d.lastErr = tail
		if !last || h*grow > d.h {
			d.h = h * grow
		}
	}
	return nil
}

// try makes a step of length h into next, evaluates there and returns the error
// in units of what is allowed, worst state.
func (d *integrator) try(h float64) (float64, error) {
	for s := 1; s < 7; s++ {
		copy(d.next, d.z)
		for q, a := range dpStage[s][:s] {
			if a != 0 {
				axpy(h*a, d.k[q], d.next)
			}
		}
		d.evaluations++
		if err := d.f(d.t+dpNodes[s]*h, d.next, d.k[s]); err != nil {
			return 0, err
		}
	}
	worst := 0.0
	for i, z := range d.next {
		sum := 0.0
		for s, c := range dpError {
			sum += c * d.k[s][i]
		}
		q := math.Abs(h*sum) / (d.atol + d.rtol*max(math.Abs(z), math.Abs(d.z[i])))
		if math.IsNaN(q) {
			return math.NaN(), nil
		}
		worst = max(worst, q)
	}
	return worst, nil
}

// firstStep guesses from the size of the first derivatives.
func (d *integrator) firstStep(span float64) float64 {
	h := span
	for i, v := range d.k[0] {
		if v != 0 {
			h = min(h, 0.01*(math.Abs(d.z[i])+1e-3)/math.Abs(v))
		}
	}
	return max(h, span*1e-9)
}
