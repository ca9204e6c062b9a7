package npy

import "math"

// Float16 holds the bits of an IEEE 754 binary16 number, NumPy's f2: a sign,
// 5 bits of exponent and 10 bits of fraction.
type Float16 uint16

// Float64 returns the value, which is always exact.
func (h Float16) Float64() float64 {
	sign := uint64(h>>15) << 63
	exponent, fraction := int(h>>10&0x1f), uint64(h&0x3ff)
	switch exponent {
	case 0: // zero or subnormal
		return math.Copysign(float64(fraction)*0x1p-24, math.Float64frombits(sign))
	case 0x1f: // infinity or NaN
		return math.Float64frombits(sign | 0x7ff<<52 | fraction<<42)
	}
	return math.Float64frombits(sign | uint64(exponent-15+1023)<<52 | fraction<<42)
}

// ToFloat16 rounds to the nearest Float16, ties to even. What is too large
// becomes infinity.
func ToFloat16(v float64) Float16 {
	sign := Float16(math.Float64bits(v) >> 48 & 0x8000)
	v = math.Abs(v)
	switch {
	case v != v:
		return sign | 0x7e00
	case v >= 65520: // half a step beyond the largest
		return sign | 0x7c00
	case v < 0x1p-14: // subnormal: multiples of 2^-24
		return sign | Float16(math.RoundToEven(v*0x1p24))
	}
	exponent := math.Ilogb(v)
	steps := math.RoundToEven(math.Ldexp(v, 10-exponent)) // 1024 to 2048
	// Adding, not joining: a carry out of the fraction raises the exponent.
	return sign | (Float16(exponent+15)<<10 + Float16(steps) - 1024)
}
