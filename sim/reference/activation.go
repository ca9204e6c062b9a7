package reference

import (
	"math"

	"vlec/model"
)

// activate computes rates r = phi(y) and slopes phi'(y), neuron by neuron.
// The three slices have one length.
func activate(phi model.Activation, y, r, slope []float64) {
	r, slope = r[:len(y)], slope[:len(y)]
	switch phi {
	case model.Tanh:
		for i, v := range y {
			t := math.Tanh(v)
			r[i], slope[i] = t, 1-float64(t*t)
		}
	case model.Softplus:
		for i, v := range y {
			r[i], slope[i] = softplus(v), sigmoid(v)
		}
	case model.ReLU:
		for i, v := range y {
			r[i], slope[i] = 0, 0
			if v > 0 {
				r[i], slope[i] = v, 1
			}
		}
	case model.Sigmoid:
		for i, v := range y {
			s := sigmoid(v)
			r[i], slope[i] = s, s*(1-s)
		}
	default: // model.Linear; newPlan refuses any other name
		for i, v := range y {
			r[i], slope[i] = v, 1
		}
	}
}

// restSlope returns the slope of phi at 0, the mean of both sides for ReLU.
func restSlope(phi model.Activation) float64 {
	switch phi {
	case model.Softplus, model.ReLU:
		return 0.5
	case model.Sigmoid:
		return 0.25
	default:
		return 1
	}
}

// curvature returns the second derivative of phi at y, given r = phi(y) and the
// slope there.
func curvature(phi model.Activation, y, r, slope float64) float64 {
	switch phi {
	case model.Tanh:
		return -2 * r * slope
	case model.Softplus:
		return slope * (1 - slope)
	case model.Sigmoid:
		return slope * (1 - 2*r)
	default:
		return 0
	}
}

// softplus is ln(1 + exp(y)) without overflow and without cancellation.
func softplus(y float64) float64 {
	if y > 0 {
		return y + math.Log1p(math.Exp(-y))
	}
	return math.Log1p(math.Exp(y))
}

// sigmoid is 1/(1 + exp(-y)) without overflow.
func sigmoid(y float64) float64 {
	if y >= 0 {
		return 1 / (1 + math.Exp(-y))
	}
	z := math.Exp(y)
	return z / (1 + z)
}

// softmax writes exp(r)/sum exp(r) to p.
func softmax(r, p []float64) {
	top := math.Inf(-1)
	for _, v := range r {
		top = max(top, v)
	}
	sum := 0.0
	for i, v := range r {
		p[i] = math.Exp(v - top)
		sum += p[i]
	}
	for i := range p {
		p[i] /= sum
	}
}

// logSumExp returns ln sum exp(r).
func logSumExp(r []float64) float64 {
	top := math.Inf(-1)
	for _, v := range r {
		top = max(top, v)
	}
	sum := 0.0
	for _, v := range r {
		sum += math.Exp(v - top)
	}
	return top + math.Log(sum)
}

// cost returns the loss of rates r against a target: half the squared distance,
// or the cross-entropy of a target whose entries add up to one.
func cost(loss model.Loss, target, r []float64) float64 {
	sum := 0.0
	if loss == model.CrossEntropy {
		lse := logSumExp(r)
		for i, t := range target {
			sum += t * (lse - r[i])
		}
		return sum
	}
	for i, t := range target {
		d := t - r[i]
		sum += d * d
	}
	return sum / 2
}
