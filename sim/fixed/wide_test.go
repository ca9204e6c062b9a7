package fixed

import (
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

func (a int128) big() *big.Int {
	z := new(big.Int).Lsh(big.NewInt(a.hi), 64)
	return z.Add(z, new(big.Int).SetUint64(a.lo))
}

// The arithmetic of 128 bits agrees with math/big where nothing overflows.
func TestInt128(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x, y := rapid.Int64().Draw(t, "x"), rapid.Int64().Draw(t, "y")
		k := rapid.IntRange(-30, 100).Draw(t, "k")
		p := product(x, y)
		same := func(what string, got int128, want *big.Int) {
			if got.big().Cmp(want) != 0 {
				t.Fatalf("%s of %d, %d, %d: %v, want %v", what, x, y, k, got.big(), want)
			}
		}
		want := new(big.Int).Mul(big.NewInt(x), big.NewInt(y))
		same("product", p, want)
		p, want = product(x>>18, y>>18), new(big.Int).Mul(big.NewInt(x>>18), big.NewInt(y>>18))
		same("sum", p.plus(extend(y)), new(big.Int).Add(want, big.NewInt(y)))
		same("difference", p.minus(extend(y)), new(big.Int).Sub(want, big.NewInt(y)))
		near := new(big.Int).Set(want)
		if k > 0 {
			near.Rsh(near.Add(near, new(big.Int).Lsh(big.NewInt(1), uint(k-1))), uint(k))
		} else {
			near.Lsh(near, uint(-k))
		}
		same("near", p.near(k), near)
		most := rapid.Int64Range(1, 1<<62).Draw(t, "most")
		clamped := new(big.Int).Set(want)
		if limit := big.NewInt(most); clamped.Cmp(limit) > 0 {
			clamped = limit
		} else if limit := big.NewInt(-most); clamped.Cmp(limit) < 0 {
			clamped = limit
		}
		same("clamp", extend(p.clamp(most)), clamped)
	})
}
