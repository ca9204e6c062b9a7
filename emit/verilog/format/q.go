package format

import (
	"fmt"
	"math"
)

// A Q is a fixed-point format: two's complement words of Bits bits that stand
// for word * 2^-Frac. Frac may exceed Bits or be negative.
type Q struct {
	Bits int `json:"bits"`
	Frac int `json:"frac"`
}

// String writes a format as q<integer bits>.<fraction bits>, sign bit aside.
func (q Q) String() string { return fmt.Sprintf("q%d.%d", q.Int(), q.Frac) }

// Int is the number of integer bits, the sign bit aside: |value| < 2^Int.
func (q Q) Int() int { return q.Bits - 1 - q.Frac }

// LSB is the value of the least significant bit.
func (q Q) LSB() float64 { return math.Ldexp(1, -q.Frac) }

// Max is the largest word. Words are symmetric: saturation holds them within
// [-Max, Max], and the most negative word of two's complement is not used.
func (q Q) Max() int64 { return 1<<(q.Bits-1) - 1 }

// Limit is the value of the largest word.
func (q Q) Limit() float64 { return q.Value(q.Max()) }

// Value is the number that a word stands for.
func (q Q) Value(word int64) float64 { return math.Ldexp(float64(word), -q.Frac) }

// Word is the saturated word nearest to a number, halves away from zero.
func (q Q) Word(v float64) int64 {
	w := math.Round(math.Ldexp(v, q.Frac))
	limit := q.Max()
	switch {
	case w != w:
		return 0
	case w > float64(limit):
		return limit
	case w < -float64(limit):
		return -limit
	}
	return int64(w)
}

// holding is the format of the given width with the finest fraction in which
// magnitudes up to v fit.
func holding(bits int, v float64) Q { return Q{Bits: bits, Frac: bits - 1 - integerBits(bits, v)} }

// integerBits is the smallest i with v <= 2^i - 2^(i+1-bits), the largest value
// of a format with i integer bits. It is never below -maxShift: what is all zero
// has no scale of its own.
func integerBits(bits int, v float64) int {
	switch {
	case !(v > 0):
		return 0
	case v > 1<<30:
		return 31
	}
	i := int(math.Ceil(math.Log2(v)))
	for i > -maxShift && v <= (Q{Bits: bits, Frac: bits - i}).Limit() {
		i--
	}
	for v > (Q{Bits: bits, Frac: bits - 1 - i}).Limit() {
		i++
	}
	return max(i, -maxShift)
}

const maxShift = 24
