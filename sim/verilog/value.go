package verilog

import (
	"fmt"
	"math/big"
	"math/bits"
	"strings"
)

// A Value is a four-state vector of Width bits. Bit i is the pair
// (A bit i, B bit i): 0 is (0,0), 1 is (1,0), z is (0,1) and x is (1,1), the
// encoding of the standard's programming interface. Words are little-endian
// and bits above Width are zero in both. Signed only tells how the vector
// extends and prints; it does not change the bits.
type Value struct {
	Width  int
	Signed bool
	A, B   []uint64
}

func words(w int) int { return (w + 63) / 64 }

func topMask(w int) uint64 {
	if r := w & 63; r != 0 {
		return 1<<r - 1
	}
	return ^uint64(0)
}

// NewValue returns a vector of w bits, all zero.
func NewValue(w int, signed bool) Value {
	n := words(w)
	ab := make([]uint64, 2*n)
	return Value{Width: w, Signed: signed, A: ab[:n:n], B: ab[n:]}
}

// Uint returns an unsigned vector of w bits that holds u modulo 2^w.
func Uint(w int, u uint64) Value {
	v := NewValue(w, false)
	v.A[0] = u
	v.trim()
	return v
}

// Int returns a signed vector of w bits that holds i modulo 2^w.
func Int(w int, i int64) Value {
	v := NewValue(w, true)
	v.A[0] = uint64(i)
	if i < 0 {
		for k := 1; k < len(v.A); k++ {
			v.A[k] = ^uint64(0)
		}
	}
	v.trim()
	return v
}

// allX returns a vector of w unknown bits.
func allX(w int, signed bool) Value {
	v := NewValue(w, signed)
	v.fillX()
	return v
}

func (v *Value) fillX() {
	for k := range v.A {
		v.A[k], v.B[k] = ^uint64(0), ^uint64(0)
	}
	v.trim()
}

func (v *Value) trim() {
	m := topMask(v.Width)
	v.A[len(v.A)-1] &= m
	v.B[len(v.B)-1] &= m
}

// Known tells whether no bit is x or z.
func (v Value) Known() bool {
	for _, b := range v.B {
		if b != 0 {
			return false
		}
	}
	return true
}

// Bit returns bit i as '0', '1', 'x' or 'z', and 'x' outside of the vector.
func (v Value) Bit(i int) byte {
	if i < 0 || i >= v.Width {
		return 'x'
	}
	a, b := v.bit(i)
	return "01zx"[a|b<<1]
}

func (v Value) bit(i int) (a, b uint64) {
	return v.A[i>>6] >> (i & 63) & 1, v.B[i>>6] >> (i & 63) & 1
}

func (v *Value) setBit(i int, a, b uint64) {
	k, s := i>>6, i&63
	v.A[k] = v.A[k]&^(1<<s) | a<<s
	v.B[k] = v.B[k]&^(1<<s) | b<<s
}

// Uint64 returns the low 64 bits without sign; ok is false when a bit is
// unknown or a higher bit is set.
func (v Value) Uint64() (u uint64, ok bool) {
	ok = v.Known()
	for _, a := range v.A[1:] {
		ok = ok && a == 0
	}
	return v.A[0], ok
}

// Int64 returns the number that the vector holds, by its own sign; ok is false
// when a bit is unknown or the number does not fit.
func (v Value) Int64() (i int64, ok bool) {
	if !v.Known() {
		return 0, false
	}
	if v.Signed && v.negative() {
		if v.Width <= 64 {
			return int64(v.A[0] | ^topMask(v.Width)), true
		}
		n := v.big()
		return n.Int64(), n.IsInt64()
	}
	u, ok := v.Uint64()
	return int64(u), ok && u <= 1<<63-1
}

func (v Value) negative() bool {
	a, b := v.bit(v.Width - 1)
	return a == 1 && b == 0
}

// big returns the number as a big integer, by the vector's own sign; unknown
// bits must have been excluded.
func (v Value) big() *big.Int {
	n := new(big.Int)
	for k := len(v.A) - 1; k >= 0; k-- {
		n.Lsh(n, 64)
		n.Or(n, new(big.Int).SetUint64(v.A[k]))
	}
	if v.Signed && v.negative() {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(v.Width)))
	}
	return n
}

func (v *Value) setBig(n *big.Int) {
	m := new(big.Int)
	if n.Sign() < 0 {
		m.Add(n, new(big.Int).Lsh(big.NewInt(1), uint(len(v.A)*64)))
	} else {
		m.Set(n)
	}
	mask := new(big.Int).SetUint64(^uint64(0))
	for k := range v.A {
		v.A[k] = new(big.Int).And(m, mask).Uint64()
		v.B[k] = 0
		m.Rsh(m, 64)
	}
	v.trim()
}

// Same tells whether two vectors have the same width and the same four-state
// bits.
func (v Value) Same(o Value) bool {
	if v.Width != o.Width {
		return false
	}
	for k := range v.A {
		if v.A[k] != o.A[k] || v.B[k] != o.B[k] {
			return false
		}
	}
	return true
}

// String prints the vector as a Verilog literal: 8'd200, -8'sd5, or binary
// digits where bits are unknown.
func (v Value) String() string {
	sign := ""
	if v.Signed {
		sign = "s"
	}
	if !v.Known() {
		return fmt.Sprintf("%d'%sb%s", v.Width, sign, v.Binary())
	}
	n := v.big()
	if n.Sign() < 0 {
		return fmt.Sprintf("-%d'%sd%s", v.Width, sign, n.Neg(n))
	}
	return fmt.Sprintf("%d'%sd%s", v.Width, sign, n)
}

// Binary prints all bits, the highest first, as 0, 1, x and z.
func (v Value) Binary() string {
	var s strings.Builder
	for i := v.Width - 1; i >= 0; i-- {
		s.WriteByte(v.Bit(i))
	}
	return s.String()
}

// resize returns the vector in w bits: cut, or extended by the sign bit where
// the vector is signed (an x or z sign bit repeats, too) and by zeros where not.
func (v Value) resize(w int, signed bool) Value {
	r := NewValue(w, signed)
	copy(r.A, v.A)
	copy(r.B, v.B)
	if w > v.Width && v.Signed {
		a, b := v.bit(v.Width - 1)
		r.fill(v.Width, w, a, b)
	}
	r.trim()
	return r
}

func (v *Value) fill(lo, hi int, a, b uint64) {
	if a|b == 0 {
		return
	}
	for i := lo; i < hi; {
		k, s := i>>6, i&63
		n := min(64-s, hi-i)
		m := ^uint64(0) >> (64 - n) << s
		v.A[k] |= m & -a
		v.B[k] |= m & -b
		i += n
	}
}

// slice returns the w bits from lo on; bits outside of v are x.
func (v Value) slice(lo, w int) Value {
	r := NewValue(w, false)
	if lo >= 0 && lo+w <= v.Width {
		k, s := lo>>6, lo&63
		for i := range r.A {
			a, b := v.A[k+i]>>s, v.B[k+i]>>s
			if s != 0 && k+i+1 < len(v.A) {
				a |= v.A[k+i+1] << (64 - s)
				b |= v.B[k+i+1] << (64 - s)
			}
			r.A[i], r.B[i] = a, b
		}
		r.trim()
		return r
	}
	for i := range w {
		a, b := uint64(1), uint64(1)
		if j := lo + i; j >= 0 && j < v.Width {
			a, b = v.bit(j)
		}
		r.setBit(i, a, b)
	}
	return r
}

// insert writes p into v from bit lo on; bits outside of v are dropped.
func (v *Value) insert(lo int, p Value) {
	if lo >= 0 && lo&63 == 0 && p.Width&63 == 0 && lo+p.Width <= v.Width {
		copy(v.A[lo>>6:], p.A)
		copy(v.B[lo>>6:], p.B)
		return
	}
	for i := range p.Width {
		if j := lo + i; j >= 0 && j < v.Width {
			a, b := p.bit(i)
			v.setBit(j, a, b)
		}
	}
}

// stringValue packs the bytes of a string literal as the standard does: eight
// bits a character, the first one highest.
func stringValue(s string) Value {
	v := NewValue(max(8, 8*len(s)), false)
	for i := range len(s) {
		k := 8 * (len(s) - 1 - i)
		v.A[k>>6] |= uint64(s[i]) << (k & 63)
	}
	return v
}

// text unpacks a vector as characters and drops the zero bytes.
func (v Value) text() string {
	var s strings.Builder
	for i := (v.Width+7)/8 - 1; i >= 0; i-- {
		c := byte(v.A[i/8] &^ v.B[i/8] >> (8 * (i % 8)))
		if c != 0 {
			s.WriteByte(c)
		}
	}
	return s.String()
}

// parseDigits reads the digits of a based literal. w is the declared width, or
// 0 for an unsized one, which takes 32 bits or as many as the digits need.
// fill is the digit by which an unsized literal goes on to the left: '0', 'x'
// or 'z'.
func parseDigits(digits string, base byte, w int, signed bool) (v Value, fill byte, err error) {
	digits = strings.ReplaceAll(digits, "_", "")
	if digits == "" {
		return v, 0, fmt.Errorf("a number without digits")
	}
	fill = '0'
	if base == 'd' {
		if strings.ContainsAny(digits, "xXzZ?") {
			if len(digits) != 1 {
				return v, 0, fmt.Errorf("x or z must be the only digit of a decimal number")
			}
			base = 'b'
		} else {
			n, ok := new(big.Int).SetString(digits, 10)
			if !ok {
				return v, 0, fmt.Errorf("%q is not a decimal number", digits)
			}
			if w == 0 {
				w = max(32, n.BitLen())
			}
			v = NewValue(w, signed)
			v.setBig(n)
			return v, fill, nil
		}
	}
	per := map[byte]int{'b': 1, 'o': 3, 'h': 4}[base]
	if w == 0 {
		w = max(32, len(digits)*per)
	}
	full := NewValue(max(w, len(digits)*per), signed)
	for i := range len(digits) {
		c, lo := digits[len(digits)-1-i], i*per
		a, b := uint64(0), uint64(0)
		switch {
		case c == 'x' || c == 'X':
			a, b = 1<<per-1, 1<<per-1
		case c == 'z' || c == 'Z' || c == '?':
			a, b = 0, 1<<per-1
		default:
			d := strings.IndexByte("0123456789abcdef", c|0x20)
			if c < 'A' {
				d = strings.IndexByte("0123456789", c)
			}
			if d < 0 || d >= 1<<per {
				return v, 0, fmt.Errorf("digit %q does not belong to base %q", c, base)
			}
			a = uint64(d)
		}
		for k := range per {
			full.setBit(lo+k, a>>k&1, b>>k&1)
		}
		if i == len(digits)-1 && b != 0 {
			full.fill(lo, full.Width, a&1, 1)
			fill = "zx"[a&1]
		}
	}
	full.Signed = false
	v = full.resize(w, signed)
	return v, fill, nil
}

// bitLen is the number of bits up to the highest set one.
func (v Value) bitLen() int {
	for k := len(v.A) - 1; k >= 0; k-- {
		if v.A[k]|v.B[k] != 0 {
			return k*64 + bits.Len64(v.A[k]|v.B[k])
		}
	}
	return 0
}
