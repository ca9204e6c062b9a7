package fixed

import "math/bits"

// An int128 is a two's complement number of 128 bits, for the sums of plans whose
// products leave no room in 64.
type int128 struct {
	hi int64
	lo uint64
}

func extend(x int64) int128 { return int128{x >> 63, uint64(x)} }

func (a int128) plus(b int128) int128 {
	lo, carry := bits.Add64(a.lo, b.lo, 0)
	hi, _ := bits.Add64(uint64(a.hi), uint64(b.hi), carry)
	return int128{int64(hi), lo}
}

func (a int128) minus(b int128) int128 {
	lo, borrow := bits.Sub64(a.lo, b.lo, 0)
	hi, _ := bits.Sub64(uint64(a.hi), uint64(b.hi), borrow)
	return int128{int64(hi), lo}
}

// product is the whole product of two words.
func product(x, y int64) int128 {
	hi, lo := bits.Mul64(uint64(x), uint64(y))
	// The factors count as unsigned: take back what a sign bit added.
	h := int64(hi) - y&(x>>63) - x&(y>>63)
	return int128{h, lo}
}

func (a int128) shiftLeft(k uint) int128 {
	if k >= 64 {
		return int128{int64(a.lo << (k - 64)), 0}
	}
	return int128{a.hi<<k | int64(a.lo>>(64-k)), a.lo << k}
}

func (a int128) shiftRight(k uint) int128 {
	if k >= 64 {
		return int128{a.hi >> 63, uint64(a.hi >> min(k-64, 63))}
	}
	return int128{a.hi >> k, a.lo>>k | uint64(a.hi)<<(64-k)}
}

// near is a * 2^-k rounded to the nearest, halves up.
func (a int128) near(k int) int128 {
	if k <= 0 {
		return a.shiftLeft(uint(-k))
	}
	return a.plus(int128{0, 1}.shiftLeft(uint(k - 1))).shiftRight(uint(k))
}

// clamp holds a number within [-most, most].
func (a int128) clamp(most int64) int64 {
	switch {
	case a.hi < 0 && (a.hi < -1 || int64(a.lo) >= 0 || int64(a.lo) < -most):
		return -most
	case a.hi > 0 || a.hi == 0 && a.lo > uint64(most):
		return most
	}
	return int64(a.lo)
}
