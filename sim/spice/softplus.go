package spice

import "math"

// The current of a transistor in an EKV model, and of many another smooth
// switch, is made of ln(1+exp(x)): written so in netlists, and known here as one
// operation, whose derivative 1/(1+exp(-x)) comes along. Netlists of transistors
// spend most of their time in it.
//
// It is max(x, 0) + log1p(u) with u = exp(-|x|), by tables: exp after Tang (ACM
// TOMS 15, 144, 1989), with 64 steps an octave and a polynomial between, and
// log1p in the same way from the nearest of 64 points in [0, 1]. Unlike the
// formula as it is written it keeps its digits where x is far below zero.

const softSteps = 64

var (
	softPow  [softSteps]float64     // 2^(j/64)
	softInv  [2 * softSteps]float64 // 1/(1+j/64), half of it in use
	softLogs [2 * softSteps]float64 // ln(1+j/64)
)

func init() {
	for j := range softPow {
		softPow[j] = math.Exp2(float64(j) / softSteps)
	}
	for j := range softSteps + 1 {
		softInv[j] = 1 / (1 + float64(j)/softSteps)
		softLogs[j] = math.Log1p(float64(j) / softSteps)
	}
}

const (
	softRound = 3 << 51 // adding it rounds to a whole number, held in the low bits
	softScale = softSteps / math.Ln2
	softHigh  = 0x1.62e42fefap-01 / softSteps // ln 2 in two parts, the first with zeros at its end
	softLow   = 0x1.cf79abc9e3b3ap-40 / softSteps
	softFar   = -700 // exp of less is nothing beside 1
)

// softplus sets y to ln(1+exp(x)) and slope to its derivative, element by
// element. As exp saturates, so does y.
func softplus(y, slope, x []float64) {
	y, slope = y[:len(x)], slope[:len(x)]
	for i, v := range x {
		if v > expLimit {
			v = expLimit
		}
		a := -math.Abs(v)
		if !(a >= softFar) {
			if a != a {
				y[i], slope[i] = a, a
				continue
			}
			a = softFar
		}
		whole := float64(a*softScale) + softRound
		k := int64(math.Float64bits(whole))<<12>>12 - 1<<51
		whole -= softRound
		r := a - float64(whole*softHigh) - float64(whole*softLow)
		r2 := float64(r * r)
		p := r + float64(r2*(0.5+float64(r*(1.0/6))+float64(r2*(1.0/24+float64(r*(1.0/120))))))
		t := softPow[k&(softSteps-1)]
		u := (t + float64(t*p)) * math.Float64frombits(uint64(k>>6+1023)<<52)

		j := int(float64(u*softSteps)+0.5) & (2*softSteps - 1)
		q := float64((u - float64(j)*(1.0/softSteps)) * softInv[j])
		q2 := float64(q * q)
		l := q - float64(q2*(0.5-float64(q*(1.0/3))+float64(q2*(0.25-float64(q*0.2)+float64(q2*(1.0/6-float64(q*(1.0/7)))))))) + softLogs[j]
		s := 1 / (1 + u)
		if v > 0 {
			y[i], slope[i] = v+l, s
		} else {
			y[i], slope[i] = l, u*s
		}
	}
}
